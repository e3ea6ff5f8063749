//! Serving without async: a runtime that lives as long as the server. Binds nothing itself.

use std::future::Future;

use crate::error::Error;

/// Waits for a server on a runtime of its own.
pub(crate) fn block_on<T>(serving: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    if tokio::runtime::Handle::try_current().is_ok() {
        return Err(Error::InsideRuntime);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name("zcomm-server")
        .enable_all()
        .build()
        .map_err(|source| Error::Runtime { source })?;
    runtime.block_on(serving)
}
