//! The client for browsers, as the server hands it out: scripts and a style sheet, held in the program. Reads no disk.

use std::sync::LazyLock;

use http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue,
    IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS,
};
use http::{Method, Response, StatusCode, Uri};
use sha1::{Digest, Sha1};
use zcomm_core::Body;

/// How long a browser keeps a file that it asked for by its content: a year, which is as good as for ever.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// A file asked for by its name alone is kept too, but its age is asked after each time.
const ASK_AGAIN: &str = "no-cache";

const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

/// One file and what names its content.
struct File {
    paths: &'static [&'static str],
    kind: &'static str,
    content: &'static str,
    /// The begin of the content's SHA-1, as the scripts write it behind `?v=`. It guards nothing: it only tells
    /// versions apart.
    hash: String,
}

static FILES: LazyLock<[File; 4]> = LazyLock::new(|| {
    [
        File::new(
            &["/bifrost.js"],
            JAVASCRIPT,
            include_str!("../../client/dist/bifrost.js"),
        ),
        File::new(
            &["/bifrost.mjs", "/zBifrost.js"],
            JAVASCRIPT,
            include_str!("../../client/dist/bifrost.mjs"),
        ),
        File::new(
            &["/bifrost-render.js"],
            JAVASCRIPT,
            include_str!("../../client/dist/bifrost-render.js"),
        ),
        File::new(
            &["/bifrost.css"],
            CSS,
            include_str!("../../client/dist/bifrost.css"),
        ),
    ]
});

impl File {
    fn new(paths: &'static [&'static str], kind: &'static str, content: &'static str) -> Self {
        let digest = Sha1::digest(content.as_bytes());
        let hash = digest.iter().take(8).map(|byte| format!("{byte:02x}"));
        Self {
            paths,
            kind,
            content,
            hash: hash.collect(),
        }
    }

    fn answer(&self, uri: &Uri, headers: &HeaderMap) -> Response<Body> {
        let tag = format!("\"{}\"", self.hash);
        let asked_by_content = uri.query().and_then(|query| query.strip_prefix("v="));
        let keep = if asked_by_content == Some(&self.hash) {
            FOREVER
        } else {
            ASK_AGAIN
        };
        let is_known = headers
            .get_all(IF_NONE_MATCH)
            .iter()
            .any(|tags| names(tags, &tag));
        let mut response = if is_known {
            let mut unchanged = Response::new(Body::empty());
            *unchanged.status_mut() = StatusCode::NOT_MODIFIED;
            unchanged
        } else {
            Response::new(Body::from(self.content))
        };
        let headers = response.headers_mut();
        let tag =
            HeaderValue::from_str(&tag).expect("quoted hexadecimal digits are a header's value");
        headers.insert(ETAG, tag);
        for (name, value) in [
            (CONTENT_TYPE, self.kind),
            (CACHE_CONTROL, keep),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            // Modules are fetched as other origins' data are. What stands in these files is nobody's secret.
            (ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }
}

/// Whether an `If-None-Match` names this tag. RFC 9110 §13.1.2: weak comparison, a list, or `*`.
fn names(tags: &HeaderValue, tag: &str) -> bool {
    let Ok(tags) = tags.to_str() else {
        return false;
    };
    let mut tags = tags.split(',').map(str::trim);
    tags.any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

/// Answers a request for one of the client's files; nothing if it asks for anything else.
pub(super) fn answer(method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Response<Body>> {
    if method != Method::GET && method != Method::HEAD {
        return None;
    }
    let file = FILES.iter().find(|file| file.paths.contains(&uri.path()))?;
    Some(file.answer(uri, headers))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(target: &str, known: Option<&str>) -> Response<Body> {
        let mut headers = HeaderMap::new();
        if let Some(known) = known {
            headers.insert(IF_NONE_MATCH, HeaderValue::from_str(known).unwrap());
        }
        answer(&Method::GET, &target.parse().unwrap(), &headers).unwrap()
    }

    fn header(response: &Response<Body>, name: http::HeaderName) -> String {
        response.headers()[name].to_str().unwrap().to_owned()
    }

    #[test]
    fn a_file_is_kept_for_ever_only_under_its_contents_name() {
        let plain = ask("/bifrost.js", None);
        let tag = header(&plain, ETAG);
        let by_content = ask(&format!("/bifrost.js?v={}", tag.trim_matches('"')), None);
        let other_version = ask("/bifrost.js?v=0000000000000000", None);

        assert_eq!(header(&plain, CACHE_CONTROL), ASK_AGAIN);
        assert_eq!(header(&by_content, CACHE_CONTROL), FOREVER);
        assert_eq!(header(&other_version, CACHE_CONTROL), ASK_AGAIN);
    }

    #[test]
    fn a_known_version_is_not_sent_again() {
        let tag = header(&ask("/bifrost.css", None), ETAG);

        for known in [
            tag.clone(),
            format!("W/{tag}"),
            format!("\"x\", {tag}"),
            "*".to_owned(),
        ] {
            assert_eq!(
                ask("/bifrost.css", Some(&known)).status(),
                StatusCode::NOT_MODIFIED,
                "{known}"
            );
        }
        assert_eq!(ask("/bifrost.css", Some("\"x\"")).status(), StatusCode::OK);
    }

    #[test]
    fn the_scripts_ask_for_each_other_under_the_names_that_are_kept() {
        let hash = |path: &str| header(&ask(path, None), ETAG).trim_matches('"').to_owned();
        let content = |path: &str| {
            let file = FILES.iter().find(|file| file.paths.contains(&path));
            file.unwrap().content
        };

        let drawing = format!("./bifrost-render.js?v={}", hash("/bifrost-render.js"));
        assert!(content("/bifrost.js").contains(&drawing));
        assert!(content("/zBifrost.js").contains(&drawing));
        let style = format!("./bifrost.css?v={}", hash("/bifrost.css"));
        assert!(content("/bifrost-render.js").contains(&style));
    }

    #[test]
    fn pages_from_everywhere_may_load_what_cannot_be_changed() {
        for path in [
            "/bifrost.js",
            "/bifrost.mjs",
            "/zBifrost.js",
            "/bifrost-render.js",
            "/bifrost.css",
        ] {
            let response = ask(path, None);
            assert_eq!(
                header(&response, ACCESS_CONTROL_ALLOW_ORIGIN),
                "*",
                "{path}"
            );
            assert_eq!(
                header(&response, X_CONTENT_TYPE_OPTIONS),
                "nosniff",
                "{path}"
            );
        }
        let target = "/bifrost.js".parse().unwrap();
        assert!(answer(&Method::POST, &target, &HeaderMap::new()).is_none());
        let other = "/bifrost.js.map".parse().unwrap();
        assert!(answer(&Method::GET, &other, &HeaderMap::new()).is_none());
    }
}
