//! Writes a body to a file: under another name until it is whole, with a bar that shows how far it is.

use std::io::IsTerminal;
use std::path::Path;

use anyhow::{Context, bail};
use futures_util::StreamExt;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;
use zcomm::http::Response;

use crate::output;

/// What comes in a moment needs no bar.
const WORTH_A_BAR: u64 = 1024 * 1024;

/// Writes the whole body to `file`, or nothing: what was there stays until then.
pub(super) async fn save(response: Response, file: &Path) -> anyhow::Result<()> {
    let whole = async {
        let temporary = beside(file)?;
        let bytes = write(response, &temporary).await;
        let bytes = bytes.with_context(|| format!("{} is not written", file.display()))?;
        anyhow::Ok((temporary, bytes))
    };
    let (temporary, bytes) = tokio::select! {
        // The first to be asked, so that it is in force before there is a file: whoever interrupts wants no half of
        // one to stay, under whatever name.
        biased;
        _ = tokio::signal::ctrl_c() => bail!("interrupted: {} is not written", file.display()),
        whole = whole => whole?,
    };
    let kept = temporary.persist(file).map_err(|error| error.error);
    kept.with_context(|| format!("cannot write {}", file.display()))?;
    output::note(&format!("{bytes} bytes in {}", file.display()));
    Ok(())
}

/// A new file in the folder of the other, so that it only has to be renamed in the end.
fn beside(file: &Path) -> anyhow::Result<NamedTempFile> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".zcomm-").suffix(".part");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Those of any new file: the system takes away what the user's mask says.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let temporary = builder.tempfile_in(folder);
    temporary.with_context(|| format!("cannot write to {}", folder.display()))
}

async fn write(response: Response, to: &NamedTempFile) -> anyhow::Result<u64> {
    let mut progress = Progress::new(response.content_length());
    let mut file = tokio::fs::File::from_std(to.reopen()?);
    let mut pieces = response.stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece?;
        file.write_all(&piece).await?;
        progress.advance(piece.len() as u64);
    }
    file.flush().await?;
    progress.end();
    Ok(progress.done)
}

/// How far a download is. Shown only to a person, and only if it is large.
struct Progress {
    total: Option<u64>,
    done: u64,
    watched: bool,
    bar: Option<ProgressBar>,
}

impl Progress {
    fn new(total: Option<u64>) -> Self {
        Self {
            total,
            done: 0,
            watched: std::io::stderr().is_terminal(),
            bar: None,
        }
    }

    fn advance(&mut self, bytes: u64) {
        self.done += bytes;
        if self.wants_bar() {
            let (total, done) = (self.total, self.done);
            let bar = self.bar.get_or_insert_with(|| bar(total));
            bar.set_position(done);
        }
    }

    /// A length that nobody announced shows in what has come.
    fn wants_bar(&self) -> bool {
        self.watched && self.total.unwrap_or(self.done) > WORTH_A_BAR
    }

    fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

fn bar(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (
            ProgressBar::new(total),
            "{bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        ),
        None => (
            ProgressBar::new_spinner(),
            "{spinner} {bytes} {bytes_per_sec}",
        ),
    };
    bar.set_draw_target(ProgressDrawTarget::stderr());
    bar.with_style(ProgressStyle::with_template(template).expect("the template is right"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(watched: bool, total: Option<u64>, done: u64) -> bool {
        let bar = None;
        let progress = Progress {
            total,
            done,
            watched,
            bar,
        };
        progress.wants_bar()
    }

    #[test]
    fn only_a_person_who_waits_for_more_than_a_megabyte_sees_a_bar() {
        let large = WORTH_A_BAR + 1;

        assert!(after(true, Some(large), 10));
        assert!(after(true, None, large));
        assert!(!after(true, Some(WORTH_A_BAR), 10));
        assert!(!after(true, None, 10));
        assert!(!after(false, Some(large), 10));
    }

    #[test]
    fn both_kinds_of_bar_can_be_drawn() {
        for total in [Some(5), None] {
            assert_eq!(bar(total).length(), total);
        }
    }
}
