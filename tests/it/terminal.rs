//! What the program prints on a terminal: colours there, and nowhere else.

use std::process::Command;

use crate::run::{Project, Ran, free_port};

const ESCAPE: char = '\u{1b}';

/// `zcomm port` as a terminal sees it; `script` brings the terminal.
#[cfg(target_os = "linux")]
fn on_terminal(variables: &[(&str, &str)]) -> Ran {
    let project = Project::new();
    let line = format!("{} port {}", env!("CARGO_BIN_EXE_zcomm"), free_port());
    let mut command = Command::new("script");
    command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    command.current_dir(project.folder()).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap());
    command
        .env("TERM", "xterm")
        .env("XDG_CONFIG_HOME", project.folder());
    command.envs(variables.iter().copied());
    Ran::of(command)
}

#[cfg(target_os = "linux")]
#[test]
fn colours_are_for_terminals_unless_somebody_wants_none() {
    let coloured = on_terminal(&[]);
    let plain = on_terminal(&[("NO_COLOR", "1")]);

    assert_eq!((coloured.status, plain.status), (0, 0), "{coloured:?}");
    assert!(coloured.out.contains(ESCAPE), "{coloured:?}");
    assert!(plain.out.contains("available"), "{plain:?}");
    assert!(!plain.out.contains(ESCAPE), "{plain:?}");
}

#[test]
fn a_paragraph_of_the_help_is_wrapped_once() {
    for command in [
        "", "http", "call", "listen", "serve", "up", "token", "config",
    ] {
        let arguments: Vec<&str> = [command, "--help"]
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect();
        let ran = Project::new().run(&arguments);
        assert_eq!(ran.status, 0, "{ran:?}");
        // A line of one word amid a paragraph is what is left of a line that was broken by hand.
        let stub = ran.out.lines().find(|line| {
            !line.is_empty()
                && !line.starts_with(' ')
                && !line.contains(' ')
                && !line.ends_with(['.', ':'])
        });
        assert_eq!(stub, None, "{command}");
    }
}
