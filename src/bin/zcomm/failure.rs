//! How the program fails: what it prints, and with which status it ends.

use std::process::ExitCode;

use zcomm::core::{RegistryError, TokenFileError};

use crate::output::{self, BAD, HEAD};

/// What only the program itself can meet.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("this build of zcomm has no `{command}`")]
    NotInBuild {
        command: &'static str,
        feature: &'static str,
    },
    #[error("{what}")]
    Usage { what: String, hint: &'static str },
}

/// Prints the error, and gives the status to end with.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    print(error);
    ExitCode::from(status(error))
}

/// Prints the error with its causes and a hint.
pub(crate) fn print(error: &anyhow::Error) {
    output::note(&format!("{BAD}error{BAD:#}: {error}"));
    let mut above = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        // Some libraries repeat their cause in their own text.
        if !above.contains(&cause) {
            output::note(&format!("  because {cause}"));
        }
        above = cause;
    }
    if let Some(hint) = hint(error) {
        output::note(&format!("  {HEAD}hint{HEAD:#}: {hint}"));
    }
}

fn status(error: &anyhow::Error) -> u8 {
    if let Some(failure) = error.downcast_ref() {
        return match failure {
            Failure::NotInBuild { .. } => 3,
            Failure::Usage { .. } => 2,
        };
    }
    #[cfg(any(feature = "bifrost", feature = "sqlite"))]
    if let Some(error) = error.downcast_ref::<zcomm::core::DataError>()
        && error.is_about_the_command()
    {
        return 2;
    }
    match code(error) {
        Some("unknown_plugin" | "duplicate_plugin" | "tls_missing") => 3,
        Some(code) if SETTINGS.contains(&code) => 2,
        _ => 4,
    }
}

/// The names of errors that somebody mends in the command line, a setting, or a file that a setting names.
const SETTINGS: &[&str] = &[
    "address",
    "host_invalid",
    "insecure",
    "invalid_schema",
    "invalid_settings",
    "no_machine_file",
    "no_token",
    "nobody_is_asked",
    "origin_invalid",
    "policy_settings",
    "project_missing",
    "proxy_invalid",
    "tls_file",
    "tls_mismatch",
    "tls_unset",
    "token_file_field",
    "token_file_io",
    "token_file_not_a_file",
    "token_file_not_ours",
    "token_file_not_private",
    "token_file_syntax",
    "token_file_too_large",
    "unreadable_schema",
    "unreadable_settings",
    "url",
];

/// The stable name of the error, whichever crate it is from.
fn code(error: &anyhow::Error) -> Option<&'static str> {
    #[cfg(feature = "services")]
    if let Some(error) = error.downcast_ref::<zcomm::services::Error>() {
        return Some(error.code());
    }
    #[cfg(feature = "http")]
    if let Some(error) = error.downcast_ref::<zcomm::http::Error>() {
        return Some(error.code());
    }
    #[cfg(feature = "ws-client")]
    if let Some(zcomm::ws::client::ClientError::Address { .. }) = error.downcast_ref() {
        return Some("address");
    }
    #[cfg(feature = "ws")]
    if let Some(error) = error.downcast_ref::<zcomm::ws::Error>() {
        return Some(error.code());
    }
    if let Some(error) = error.downcast_ref::<TokenFileError>() {
        return Some(error.code());
    }
    if let Some(error) = error.downcast_ref::<RegistryError>() {
        return Some(error.code());
    }
    match error.downcast_ref() {
        // A part's code is the one of the wire; what the registry says is more than `internal`.
        Some(zcomm::Error::Part(zcomm::core::Error::Registry(error))) => Some(error.code()),
        Some(error) => Some(zcomm::Error::code(error)),
        None => None,
    }
}

fn hint(error: &anyhow::Error) -> Option<String> {
    if let Some(failure) = error.downcast_ref() {
        return Some(match failure {
            Failure::NotInBuild { command, feature } => format!(
                "`cargo zcomm-full {command} …` has it; an own build needs `--features cli,{feature}`"
            ),
            Failure::Usage { hint, .. } => (*hint).to_owned(),
        });
    }
    #[cfg(feature = "http")]
    if let Some(zcomm::http::Error::Timeout { .. }) = error.downcast_ref() {
        return Some("`--timeout 60s` gives it more time, `--retry 3` more attempts".to_owned());
    }
    match code(error)? {
        "invalid_settings" => {
            Some("`zcomm config default` prints every setting with its default".to_owned())
        }
        "unknown_plugin" => Some("`zcomm plugins` lists what this build has".to_owned()),
        "url" => Some("an address begins with http:// or https://".to_owned()),
        "bind_failed" => Some("`--port 0` takes any port that is free".to_owned()),
        "dns" | "connect" => {
            Some("is the address right, and the server up? `--retry 3` tries again".to_owned())
        }
        "unknown_token_id" => Some("`zcomm token list` shows the tokens with their ids".to_owned()),
        "no_machine_file" => {
            Some("unset ZCOMM_CONFIG, or make the file with `zcomm config default`".to_owned())
        }
        _ => None,
    }
}
