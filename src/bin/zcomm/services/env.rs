//! `zcomm env`: the variables by which programs find the services. It prints passwords, as that is what it is for.

use serde_json::{Map, Value};

use crate::output::{self, Outcome};

#[derive(clap::Args, Debug)]
#[command(after_help = "\
Prints passwords. In a shell: eval \"$(zcomm env)\". Ends with status 1 if one of the services does not run; \
the variables then say where it would be.")]
pub(crate) struct Args {
    /// The services; without any, those of the setting `services`
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// How they are written
    #[arg(long, value_enum, default_value = "sh")]
    format: Format,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    /// For `eval` in a shell
    Sh,
    /// For a file `.env`
    Dotenv,
    /// One object
    Json,
}

pub(crate) fn run(args: &crate::args::Args, env: &Args) -> anyhow::Result<Outcome> {
    let comm = args.comm()?;
    let names = super::named(&comm, &env.names, "env")?;
    crate::wait(async {
        let (mut variables, mut all_run) = (Vec::new(), true);
        for name in &names {
            let info = comm.services().connection_info(name).await?;
            all_run &= info.status == zcomm::core::service::ServiceState::Running;
            let its = info.variables.into_iter();
            variables.extend(its.map(|(name, value)| (name, value.expose().to_owned())));
        }
        print(&variables, env.format);
        Ok(Outcome::yes_if(all_run))
    })
}

fn print(variables: &[(&str, String)], format: Format) {
    if matches!(format, Format::Json) {
        let pairs = variables.iter();
        let pairs = pairs.map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str())));
        return output::json(&Value::Object(Map::from_iter(pairs)));
    }
    for (name, value) in variables {
        match format {
            Format::Sh => output::line(&format!("export {name}={}", in_sh(value))),
            _ => output::line(&format!("{name}={}", in_dotenv(value))),
        }
    }
}

/// In single quotes nothing means anything but the quote itself.
fn in_sh(value: &str) -> String {
    format!("'{}'", value.replace('\'', r"'\''"))
}

fn in_dotenv(value: &str) -> String {
    let mut text = String::from('"');
    for character in value.chars() {
        match character {
            '"' | '\\' | '$' => text.extend(['\\', character]),
            '\n' => text.push_str("\\n"),
            other => text.push(other),
        }
    }
    text.push('"');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_become_a_command_of_the_shell() {
        let value = "it's $(touch /x) `y` \"z\"";

        let output = std::process::Command::new("/bin/sh")
            .args(["-c", &format!("printf %s {}", in_sh(value))])
            .output()
            .unwrap();

        assert_eq!(String::from_utf8_lossy(&output.stdout), value);
    }

    #[test]
    fn dotenv_escapes_what_it_would_read_as_something_else() {
        assert_eq!(in_dotenv("a\"b\\c$d\ne"), r#""a\"b\\c\$d\ne""#);
    }
}
