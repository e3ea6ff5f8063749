//! Servers on loopback that do exactly what a test tells them, right or wrong. Speaks no HTTP beyond finding a head's end.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use zcomm_http::{HttpClient, HttpClientBuilder, ReqwestTransport, Retry};

/// Longer than any of these tests may take, and shorter than anybody would wait.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server that is gone with the value.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Server {
    /// Gives every connection to `handle`.
    pub(crate) async fn start<F, H>(handle: H) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
        H: Fn(TcpStream) -> F + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                open.spawn(handle(stream));
            }
        });
        Self {
            address,
            connections,
            _tasks: tasks,
        }
    }

    /// Reads one head per connection, writes these bytes and hangs up.
    pub(crate) async fn saying(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes: Arc<[u8]> = bytes.into().into();
        Self::start(move |mut stream| {
            let bytes = Arc::clone(&bytes);
            async move {
                read_head(&mut stream).await;
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
            }
        })
        .await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// How many connections there have been.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

/// Reads up to the end of a request's head; `None` when the client hangs up before.
pub(crate) async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    Some(String::from_utf8(head).unwrap())
}

/// A whole answer with a plain body.
pub(crate) fn answer(status: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// A client that goes straight to its host and tries once.
pub(crate) fn client() -> HttpClient {
    builder().build().unwrap()
}

pub(crate) fn builder() -> HttpClientBuilder {
    let transport = ReqwestTransport::builder().no_proxy().build().unwrap();
    HttpClient::builder()
        .transport(Arc::new(transport))
        .retry(Retry::none())
}

/// What a future gives, if it does so in a time that no test may exceed.
pub(crate) async fn soon<F: Future>(future: F) -> F::Output {
    let ended = tokio::time::timeout(PATIENCE, future).await;
    ended.expect("nothing here takes a minute")
}
