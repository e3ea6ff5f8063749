//! The few pages that a server shows by itself, by path. Knows no templates and no files.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Response};
use zcomm_core::Body;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const NOSNIFF: (HeaderName, HeaderValue) = (
    HeaderName::from_static("x-content-type-options"),
    HeaderValue::from_static("nosniff"),
);

/// Pages by their path; of two at one path the later counts.
#[derive(Clone, Debug, Default)]
pub(super) struct Pages(Vec<(String, Bytes)>);

impl Pages {
    pub(super) fn add(&mut self, path: String, html: Bytes) {
        self.0.push((path, html));
    }

    pub(super) fn answer(&self, method: &Method, path: &str) -> Option<Response<Body>> {
        if method != Method::GET && method != Method::HEAD {
            return None;
        }
        let (_, html) = self.0.iter().rev().find(|(at, _)| at == path)?;
        let mut response = Response::new(Body::from(html.clone()));
        response.headers_mut().insert(CONTENT_TYPE, HTML);
        let (name, value) = NOSNIFF;
        response.headers_mut().insert(name, value);
        Some(response)
    }
}
