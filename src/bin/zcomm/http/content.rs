//! What `zcomm http` sends: text and forms from the command line, from files and from stdin.

use std::convert::Infallible;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Context;
use zcomm::http::{Form, Part, RequestBuilder};

/// The value of `--data`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Data {
    Text(String),
    File(PathBuf),
    Stdin,
}

impl FromStr for Data {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.strip_prefix('@') {
            Some("-") => Self::Stdin,
            Some(path) => Self::File(path.into()),
            None => Self::Text(text.to_owned()),
        })
    }
}

impl Data {
    pub(super) fn read(&self) -> anyhow::Result<Vec<u8>> {
        match self {
            Self::Text(text) => Ok(text.clone().into_bytes()),
            Self::File(path) => read_file(path),
            Self::Stdin => {
                let mut bytes = Vec::new();
                let read = std::io::stdin().lock().read_to_end(&mut bytes);
                read.context("cannot read stdin")?;
                Ok(bytes)
            }
        }
    }
}

/// Sends the fields as HTML forms do: in one part each as soon as one of them is a file.
pub(super) fn form(
    request: RequestBuilder,
    fields: &[(String, String)],
) -> anyhow::Result<RequestBuilder> {
    if !fields.iter().any(|(_, value)| value.starts_with('@')) {
        return Ok(request.form(fields.to_vec()));
    }
    let mut form = Form::new();
    for (name, value) in fields {
        form = match value.strip_prefix('@').map(Path::new) {
            Some(path) => form.part(name, file_part(path)?),
            None => form.text(name, value),
        };
    }
    Ok(request.multipart(form))
}

fn file_part(path: &Path) -> anyhow::Result<Part> {
    let name = path.file_name().unwrap_or(path.as_os_str());
    Ok(Part::bytes(read_file(path)?).file_name(name.to_string_lossy()))
}

fn read_file(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_text_unless_it_begins_with_the_sign_for_files() {
        for (text, data) in [
            ("a=@b", Data::Text("a=@b".into())),
            ("@a/b", Data::File("a/b".into())),
            ("@-", Data::Stdin),
        ] {
            assert_eq!(text.parse(), Ok(data));
        }
    }
}
