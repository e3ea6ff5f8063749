//! The console: a page that anybody may load, and that can do what any client can. Serves no data.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{Method, Response, Uri};
use zcomm_core::Body;

/// Nothing from elsewhere, nothing written into the page as markup, and nobody's frame around it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

const FILES: [(&str, &str, &str); 3] = [
    (
        "/",
        "text/html; charset=utf-8",
        include_str!("../../client/console/index.html"),
    ),
    (
        "/console.css",
        "text/css; charset=utf-8",
        include_str!("../../client/console/console.css"),
    ),
    (
        "/console.js",
        "text/javascript; charset=utf-8",
        include_str!("../../client/console/console.js"),
    ),
];

/// Answers a request for the console; nothing if it asks for anything else.
pub(super) fn answer(method: &Method, uri: &Uri) -> Option<Response<Body>> {
    if method != Method::GET && method != Method::HEAD {
        return None;
    }
    let (_, kind, content) = FILES.iter().find(|(path, ..)| *path == uri.path())?;
    let mut response = Response::new(Body::from(*content));
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_TYPE, *kind),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-cache"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_the_console_comes_under_the_same_policy() {
        for (path, kind, _) in FILES {
            let response = answer(&Method::GET, &path.parse().unwrap()).unwrap();

            assert_eq!(response.headers()[CONTENT_TYPE], kind, "{path}");
            assert_eq!(
                response.headers()[CONTENT_SECURITY_POLICY],
                POLICY,
                "{path}"
            );
        }
        assert!(answer(&Method::POST, &"/".parse().unwrap()).is_none());
        assert!(answer(&Method::GET, &"/index.html".parse().unwrap()).is_none());
    }

    #[test]
    fn the_page_holds_no_script_and_no_style_of_its_own() {
        let (.., page) = FILES[0];

        assert_eq!(page.matches("<script").count(), 1);
        assert!(page.contains(r#"<script type="module" src="/console.js"></script>"#));
        assert!(!page.contains("style=") && !page.contains("<style") && !page.contains("onclick"));
    }
}
