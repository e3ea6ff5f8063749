//! The files that `zOpen` reads: those below one folder, and nothing else. Writes nothing.

use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::fault::{Fault, brief};

/// A folder whose files may be read. Whoever can write there decides what that is.
#[derive(Clone, Debug)]
pub(super) struct Files {
    root: PathBuf,
    /// The most bytes of one file.
    most: usize,
}

impl Files {
    /// The folder must be there: a typing error would otherwise look like a folder without files.
    pub(super) fn new(root: &Path, most: usize) -> io::Result<Self> {
        let root = root.canonicalize()?;
        if !root.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(Self { root, most })
    }

    /// `{"path","mime","encoding","content","size"}` of a file. Blocks.
    ///
    /// # Errors
    ///
    /// [`Fault::OutsideRoot`] for a path that does not mean a place below the root, whatever is there;
    /// [`Fault::NoSuchFile`] for everything that is no plain file below it, links that lead out included.
    pub(super) fn open(&self, path: &str) -> Result<Value, Fault> {
        let relative = below(path)?;
        let none = || Fault::NoSuchFile { path: brief(path) };
        let real = self.root.join(&relative).canonicalize();
        let real = real.ok().filter(|real| real.starts_with(&self.root));
        // Asked before it is opened: opening a pipe would wait for its other end.
        let real = real.filter(|real| real.is_file()).ok_or_else(none)?;
        // A link may lead to a file that its own name keeps hidden.
        let inside = real.strip_prefix(&self.root).map_err(|_| none())?;
        if inside.components().any(is_hidden) {
            return Err(none());
        }
        let bytes = self.read(&real).map_err(|_| none())?;
        if bytes.len() > self.most {
            return Err(Fault::FileTooLarge { most: self.most });
        }
        let size = bytes.len();
        let (encoding, content) = match String::from_utf8(bytes) {
            Ok(text) => ("utf-8", text),
            Err(binary) => ("base64", STANDARD.encode(binary.as_bytes())),
        };
        let path: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
        Ok(json!({
            "path": path.join("/"),
            "mime": mime(&relative, encoding),
            "encoding": encoding,
            "content": content,
            "size": size,
        }))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        // One more than is allowed tells a file that is too large, even one that still grows.
        let most = self.most as u64 + 1;
        std::fs::File::open(path)?
            .take(most)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// The path, if by its letters alone it means a place below where it begins.
fn below(path: &str) -> Result<PathBuf, Fault> {
    let outside = || Fault::OutsideRoot { path: brief(path) };
    // What only Windows takes for a separator or a drive is nowhere part of a name.
    if path.is_empty() || path.contains(['\\', ':']) || path.contains(char::is_control) {
        return Err(outside());
    }
    let mut all = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::CurDir => {}
            Component::Normal(name) if !is_hidden(part) => all.push(name),
            _ => return Err(outside()),
        }
    }
    Ok(all)
}

/// Names with a dot before them are where programs keep what is not for others: `.zEnv`, `.git`.
fn is_hidden(part: Component<'_>) -> bool {
    let name = part.as_os_str().as_encoded_bytes();
    name.starts_with(b".") && name != b"."
}

fn mime(path: &Path, encoding: &str) -> &'static str {
    let ending = path.extension().and_then(|ending| ending.to_str());
    match ending.map(str::to_ascii_lowercase).as_deref() {
        Some("css") => "text/css",
        Some("csv") => "text/csv",
        Some("gif") => "image/gif",
        Some("htm" | "html") => "text/html",
        Some("jpeg" | "jpg") => "image/jpeg",
        Some("js" | "mjs") => "text/javascript",
        Some("json") => "application/json",
        Some("md") => "text/markdown",
        Some("pdf") => "application/pdf",
        Some("png") => "image/png",
        Some("svg") => "image/svg+xml",
        Some("toml") => "application/toml",
        Some("wasm") => "application/wasm",
        Some("webp") => "image/webp",
        Some("xml") => "application/xml",
        Some("yaml" | "yml") => "application/yaml",
        Some("zip") => "application/zip",
        _ if encoding == "utf-8" => "text/plain",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with files, a hidden one, a large one, and links that lead out.
    fn folder() -> (tempfile::TempDir, Files) {
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("root");
        std::fs::create_dir_all(root.join("sub")).unwrap();
        std::fs::write(outer.path().join("secret"), "s").unwrap();
        std::fs::write(root.join("sub/config.yaml"), "a: 1\n").unwrap();
        std::fs::write(root.join("logo.png"), [0x89, b'P', 0xff]).unwrap();
        std::fs::write(root.join(".zEnv"), "TOKEN=x").unwrap();
        std::fs::write(root.join("large"), [b'x'; 101]).unwrap();
        #[cfg(unix)]
        for (from, to) in [
            ("../secret", "out"),
            ("..", "up"),
            (".zEnv", "shown"),
            ("sub", "in"),
        ] {
            std::os::unix::fs::symlink(from, root.join(to)).unwrap();
        }
        let files = Files::new(&root, 100).unwrap();
        (outer, files)
    }

    #[test]
    fn a_text_and_a_picture_are_read() {
        let (_outer, files) = folder();

        let text = files.open("./sub//config.yaml").unwrap();
        let picture = files.open("logo.png").unwrap();

        assert_eq!(
            text,
            json!({"path": "sub/config.yaml", "mime": "application/yaml", "encoding": "utf-8", "content": "a: 1\n", "size": 5})
        );
        assert_eq!(
            picture,
            json!({"path": "logo.png", "mime": "image/png", "encoding": "base64", "content": "iVD/", "size": 3})
        );
    }

    #[test]
    fn nothing_leads_out_of_the_folder() {
        let (_outer, files) = folder();

        for path in [
            "/etc/passwd",
            "../secret",
            "sub/../../secret",
            "sub/..",
            "..",
            "",
            "a\0b",
            "..\\secret",
            "C:x",
            ".zEnv",
            "sub/.hidden",
            "~/\n",
        ] {
            let fault = files.open(path).unwrap_err();
            assert!(
                matches!(fault, Fault::OutsideRoot { .. }),
                "{path:?}: {fault}"
            );
        }
        for path in [
            "out",
            "up/secret",
            "shown",
            "absent",
            "sub",
            ".",
            "large/x",
            "~",
        ] {
            let fault = files.open(path).unwrap_err();
            assert!(
                matches!(fault, Fault::NoSuchFile { .. }),
                "{path:?}: {fault}"
            );
        }
        assert!(matches!(
            files.open("large"),
            Err(Fault::FileTooLarge { most: 100 })
        ));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_within_the_folder_is_followed() {
        let (_outer, files) = folder();

        assert_eq!(files.open("in/config.yaml").unwrap()["size"], 5);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error_at_once() {
        assert!(Files::new(Path::new("/nowhere/at/all"), 1).is_err());
    }
}
