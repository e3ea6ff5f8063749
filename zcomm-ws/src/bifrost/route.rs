//! The places of an application that `zLink` leads to. Follows nothing.

/// A place that `zLink` leads to.
///
/// ```
/// use zcomm_ws::bifrost::{Bifrost, Route};
///
/// let builder = Bifrost::builder()
///     .route(Route::new("/admin/users").url("https://app.example.com/admin/users").model("users"))
///     .route(Route::new("/about"));
/// # let _ = builder;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    pub(super) path: String,
    pub(super) url: String,
    pub(super) model: Option<String>,
}

impl Route {
    /// A place by its path, which is its URL as well.
    pub fn new(path: impl Into<String>) -> Self {
        let path = path.into();
        Self {
            url: path.clone(),
            model: None,
            path,
        }
    }

    /// Where a page finds it.
    #[must_use]
    pub fn url(mut self, url: impl Into<String>) -> Self {
        self.url = url.into();
        self
    }

    /// The model that is shown there. Callers who may not use it are not told.
    #[must_use]
    pub fn model(mut self, model: impl Into<String>) -> Self {
        self.model = Some(model.into());
        self
    }
}
