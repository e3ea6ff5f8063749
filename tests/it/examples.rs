//! The examples, built and run as their readers do.

use std::process::Command;

/// Runs an example that ends by itself, and gives what it prints.
fn run(name: &str) -> String {
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command.args(["run", "--quiet", "--all-features", "--example", name]);
    let output = command.output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{printed}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    printed
}

#[test]
fn a_driver_of_ones_own_is_registered_started_and_stopped() {
    let printed = run("custom_driver");

    let lines: Vec<&str> = printed.lines().collect();
    assert!(lines[0].contains("python-files"), "{printed}");
    assert_eq!(lines[1], "python-files is running");
    assert!(
        lines[2].starts_with("its files are at http://127.0.0.1:"),
        "{printed}"
    );
    assert_eq!(lines[3], "python-files is stopped");
}
