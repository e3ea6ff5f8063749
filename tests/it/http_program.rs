//! `zcomm http` against servers on loopback: what it prints, what it writes, and how it ends.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};
use std::thread;

use crate::run::{Project, Ran};

/// Answers each connection with these bytes, and gives back what the last one had sent.
struct Server {
    address: SocketAddr,
    seen: std::sync::mpsc::Receiver<String>,
}

impl Server {
    fn saying(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (see, seen) = std::sync::mpsc::channel();
        // The thread ends with the tests' process: it waits for a connection until then.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let request = read_request(&mut stream);
                // The test may be over.
                let _ = see.send(request);
                let _ = stream.write_all(&answer);
            }
        });
        Self { address, seen }
    }

    /// Takes connections and says nothing.
    fn silent() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        (listener, url)
    }

    fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    fn request(&self) -> String {
        self.seen.recv().unwrap()
    }
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() > 0 {
        request.push(byte[0]);
    }
    let head = String::from_utf8(request.clone()).unwrap().to_lowercase();
    let length = head.split_once("content-length: ").map_or(0, |(_, rest)| {
        rest.split("\r\n").next().unwrap().parse().unwrap()
    });
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    request.extend(body);
    String::from_utf8(request).unwrap()
}

fn answer(status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn http(project: &Project, arguments: &[&str]) -> Command {
    let mut command = project.program();
    command.arg("http").args(arguments);
    command
}

/// Every byte value there is, in no order that text would have.
fn binary(length: usize) -> Vec<u8> {
    (0..length).map(|place| (place * 131 % 251) as u8).collect()
}

/// Names of what is in the project's folder.
fn files(project: &Project) -> Vec<String> {
    let entries = std::fs::read_dir(project.folder()).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_pipe_gets_the_very_bytes_beyond_any_cap() {
    let project = Project::new();
    let body = binary(3_000_000);
    let server = Server::saying(answer("200 OK", &body));

    let url = server.url();
    let mut command = http(&project, &["get", &url, "--set", "http.max_body=1MiB"]);
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();

    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    assert!(stdout == body, "{} bytes", stdout.len());
    let told = String::from_utf8(stderr).unwrap();
    assert!(told.starts_with("200 OK in "), "{told}");
}

#[test]
fn json_in_a_pipe_is_not_touched() {
    let project = Project::new();
    let server = Server::saying(answer("200 OK", b"{\"b\":1,  \"a\":1.0}"));

    let ran = project.run(&["http", "get", &server.url()]);

    assert_eq!((ran.status, &*ran.out), (0, "{\"b\":1,  \"a\":1.0}"));
}

#[test]
fn the_status_of_the_program_is_the_outcome() {
    let project = Project::new();
    let missing = Server::saying(answer("404 Not Found", b"no such page"));
    let broken = Server::saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf".to_vec());
    let refusing = {
        let (listener, url) = Server::silent();
        drop(listener);
        url
    };

    let missing = project.run(&["http", "get", &missing.url()]);
    let broken = project.run(&["http", "post", &broken.url()]);
    let refused = project.run(&["http", "post", &refusing]);
    let wrong = project.run(&["http", "dance", &refusing]);

    assert_eq!((missing.status, &*missing.out), (1, "no such page"));
    assert_eq!((broken.status, &*broken.out), (4, "half"));
    assert!(
        broken.err.contains("could not be read to its end"),
        "{broken:?}"
    );
    assert_eq!(refused.status, 4);
    assert!(
        refused.err.contains("cannot connect to `127.0.0.1:"),
        "{refused:?}"
    );
    assert_eq!(wrong.status, 2);
}

#[test]
fn a_timeout_is_told_in_words() {
    let project = Project::new();
    let (_listener, url) = Server::silent();

    let ran = project.run(&["http", "post", &url, "--timeout", "200ms"]);

    assert_eq!((ran.status, &*ran.out), (4, ""));
    let words = "took longer than the total time limit of 200 ms";
    assert!(ran.err.contains(words), "{ran:?}");
    assert!(ran.err.contains("--timeout"), "{ran:?}");
}

#[test]
fn a_download_is_there_as_a_whole() {
    let project = Project::new();
    let body = binary(2_000_000);
    let server = Server::saying(answer("200 OK", &body));
    project.write("file.bin", "older");

    let ran = project.run(&["http", "get", &server.url(), "--download", "file.bin"]);

    assert_eq!((ran.status, &*ran.out), (0, ""), "{ran:?}");
    assert!(ran.err.contains("2000000 bytes in file.bin"), "{ran:?}");
    assert!(std::fs::read(project.folder().join("file.bin")).unwrap() == body);
    assert_eq!(files(&project), ["file.bin"]);
}

#[test]
fn a_download_that_breaks_off_leaves_what_was_there() {
    let project = Project::new();
    let server = Server::saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf".to_vec());
    project.write("file.bin", "older");

    let ran = project.run(&["http", "get", &server.url(), "--download", "file.bin"]);

    assert_eq!(ran.status, 4, "{ran:?}");
    assert!(ran.err.contains("file.bin is not written"), "{ran:?}");
    let kept = std::fs::read_to_string(project.folder().join("file.bin"));
    assert_eq!(kept.unwrap(), "older");
    assert_eq!(files(&project), ["file.bin"]);
}

#[test]
fn an_answer_of_failure_is_shown_and_not_downloaded() {
    let project = Project::new();
    let server = Server::saying(answer("403 Forbidden", b"not you"));

    let ran = project.run(&["http", "get", &server.url(), "--download", "file.bin"]);

    assert_eq!((ran.status, &*ran.out), (1, "not you"), "{ran:?}");
    assert!(files(&project).is_empty());
}

#[cfg(unix)]
#[test]
fn an_interrupted_download_leaves_nothing() {
    let project = Project::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let mut command = http(&project, &["get", &url, "--download", "file.bin"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let program = command.spawn().unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    read_request(&mut stream);
    let start = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n" as &[u8],
        &[7; 1000],
    ];
    stream.write_all(&start.concat()).unwrap();
    // The file under its other name shows that the program has come so far.
    while !files(&project).iter().any(|name| name.ends_with(".part")) {
        thread::yield_now();
    }

    let pid = program.id().to_string();
    Command::new("kill").args(["-INT", &pid]).status().unwrap();

    let ran = Ran::end_of(program);
    assert!(files(&project).is_empty(), "{ran:?}");
    assert_ne!(ran.status, 0, "{ran:?}");
}

#[test]
fn data_and_forms_arrive_from_wherever_they_are() {
    let project = Project::new();
    project.write("note.txt", "from a file");
    let server = Server::saying(answer("200 OK", b""));
    let url = server.url();
    let sent = |arguments: &[&str]| {
        let mut command = http(&project, &["post", &url]);
        let mut program = command
            .args(arguments)
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdin = program.stdin.take().unwrap();
        stdin.write_all(b"from stdin").unwrap();
        drop(stdin);
        assert!(program.wait().unwrap().success());
        server.request()
    };

    assert!(sent(&["--data", "a text"]).ends_with("\r\n\r\na text"));
    assert!(sent(&["-d", "@note.txt"]).ends_with("\r\n\r\nfrom a file"));
    assert!(sent(&["-d", "@-"]).ends_with("\r\n\r\nfrom stdin"));
    assert!(sent(&["--form", "a b=1&2", "--form", "c=3"]).ends_with("\r\n\r\na+b=1%262&c=3"));
    let parts = sent(&["--form", "a=1", "--form", "note=@note.txt"]);
    assert!(parts.contains("filename=\"note.txt\""), "{parts}");
    assert!(parts.contains("\r\n\r\nfrom a file\r\n"), "{parts}");
}

#[test]
fn one_body_at_a_time() {
    let project = Project::new();

    let ran = project.run(&["http", "post", "http://h/", "--json", "1", "--data", "2"]);

    assert_eq!(ran.status, 2, "{ran:?}");
}
