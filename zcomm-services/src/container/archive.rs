//! One file as a tar archive, the form in which a container takes files that are on no disk of ours. Reads nothing.

/// The size of a tar block.
const BLOCK: usize = 512;

/// The file at `path`, readable for whichever account the server inside has.
///
/// The format is POSIX's `ustar`; a path has to be shorter than a hundred bytes, as recipes' are.
pub(super) fn of(path: &str, content: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; BLOCK];
    let mut field =
        |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
    field(0, path.trim_start_matches('/'));
    field(100, "0000444\0");
    field(108, "0000000\0");
    field(116, "0000000\0");
    field(124, &format!("{:011o}\0", content.len()));
    field(136, "00000000000\0");
    // The sum of the header's bytes is taken with spaces in the place of the sum.
    field(148, "        ");
    field(156, "0");
    field(257, "ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut archive = header.to_vec();
    archive.extend_from_slice(content);
    // Two empty blocks end an archive.
    archive.resize(archive.len().next_multiple_of(BLOCK) + 2 * BLOCK, 0);
    archive
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn tar_itself_reads_the_archive() {
        let mut tar = Command::new("tar")
            .args(["-xO", "etc/made-up.conf"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();

        let archive = of("/etc/made-up.conf", b"port 1\n");
        tar.stdin.take().unwrap().write_all(&archive).unwrap();

        let output = tar.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "port 1\n");
    }
}
