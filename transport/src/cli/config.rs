//! `config`: what the configuration comes to, whether it is right, and the page about all of it. Options are the same as
//! those of the transport itself, and the word may stand anywhere among them.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use smpp_transport::config::{ConfigError, Loaded, help, reference};

use super::{complain, run};

/// What is wanted of the configuration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Task {
    /// To run with it.
    Run,
    /// To show it.
    Show,
    /// To say whether it is right.
    Check,
    /// The page about it.
    Reference,
    /// The list of its flags.
    Help,
}

const USAGE: &str = "\
SMPP 3.4 transport, and the tools around it

Usage: smpp-transport [--config FILE] [OPTIONS]           runs the transport
       smpp-transport config [OPTIONS]                    prints the configuration, and where each value came from
       smpp-transport config --check [OPTIONS]            says whether it is right
       smpp-transport config --reference                  prints the page about all options
       smpp-transport decode|encode|load|send …           tools: see smpp-transport TOOL --help

Commands:
  config  Print the configuration
  decode  Print PDUs, given in hexadecimal, as JSON
  encode  Print PDUs, given as JSON, in hexadecimal
  load    Load an SMSC with messages, and measure
  send    Send one message, and wait for its receipts if asked to

Options, from the command line, the environment (--amqp-port is AMQP_PORT) and a YAML file:
  --config <FILE>
          The file; else the one that VUMI_CONFIG_FILE names
  -h, --help
          Print help
  -V, --version
          Print version
";

/// Whatever is no tool: runs the transport, or does something with its configuration.
pub(crate) fn dispatch(words: Vec<OsString>) -> ExitCode {
    let (task, flags) = match task(words) {
        Ok(parts) => parts,
        Err(words) => return refuse(&words),
    };
    match task {
        Task::Help => print(&format!("{USAGE}{}", help())),
        Task::Reference => print(&reference()),
        Task::Show | Task::Check | Task::Run => match load(flags.clone(), std::env::vars_os()) {
            Ok(loaded) if task == Task::Run => run::run(loaded, flags),
            Ok(loaded) => perform(task, &loaded),
            Err(error) => refuse(&error.to_string()),
        },
    }
}

fn perform(task: Task, loaded: &Loaded) -> ExitCode {
    for warning in &loaded.warnings {
        complain(warning);
    }
    match task {
        Task::Check => match run::check(&loaded.config) {
            Ok(()) => print("ok\n"),
            Err(words) => refuse(&words),
        },
        _ => print(&loaded.to_yaml()),
    }
}

/// Reads the configuration: flags over the environment over the file.
///
/// # Errors
/// In one line: the option, where it was written, what was written and what is allowed.
pub(crate) fn load(
    flags: Vec<String>,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Loaded, ConfigError> {
    let text = |word: OsString| word.to_string_lossy().into_owned();
    smpp_transport::config::load(flags, environment.into_iter().map(|(name, value)| (text(name), text(value))))
}

/// Takes out the words that say what to do; what is left is options.
fn task(words: Vec<OsString>) -> Result<(Task, Vec<String>), String> {
    let mut flags = Vec::new();
    let (mut is_config, mut wanted) = (false, None);
    for word in words {
        let word = word.into_string().map_err(|word| format!("{}: not UTF-8", word.display()))?;
        // What follows a flag without `=` is its value, whatever it says.
        let is_value = flags.last().is_some_and(|last: &String| last.starts_with("--") && !last.contains('='));
        match word.as_str() {
            "-h" | "--help" => wanted = Some(Task::Help),
            "--check" => wanted = wanted.or(Some(Task::Check)),
            "--reference" => wanted = wanted.or(Some(Task::Reference)),
            "config" if !is_value && !is_config => is_config = true,
            _ => flags.push(word),
        }
    }
    match (is_config, wanted) {
        (_, Some(Task::Help)) => Ok((Task::Help, flags)),
        (true, task) => Ok((task.unwrap_or(Task::Show), flags)),
        (false, None) => Ok((Task::Run, flags)),
        (false, Some(_)) => Err("--check and --reference go with config: smpp-transport config --check".to_owned()),
    }
}

fn print(text: &str) -> ExitCode {
    match io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::from(1)
        }
    }
}

fn refuse(words: &str) -> ExitCode {
    complain(words);
    ExitCode::from(2)
}

#[cfg(test)]
mod tests {
    //! Guards which words are options.

    use super::*;

    fn parts(words: &[&str]) -> Result<(Task, Vec<String>), String> {
        task(words.iter().map(OsString::from).collect())
    }

    #[test]
    fn config_may_stand_anywhere_but_as_a_value() {
        let flags = vec!["--host".to_owned(), "h".to_owned()];
        assert_eq!(parts(&["--host", "h"]), Ok((Task::Run, flags.clone())));
        assert_eq!(parts(&["config", "--host", "h"]), Ok((Task::Show, flags.clone())));
        assert_eq!(parts(&["--host", "h", "config", "--check"]), Ok((Task::Check, flags.clone())));
        assert_eq!(parts(&["--check", "config", "--host", "h"]), Ok((Task::Check, flags)));
        let value = vec!["--host".to_owned(), "config".to_owned()];
        assert_eq!(parts(&["--host", "config"]), Ok((Task::Run, value)));
        let attached = vec!["--host=h".to_owned()];
        assert_eq!(parts(&["--host=h", "config"]), Ok((Task::Show, attached)));
        assert_eq!(parts(&["config", "--reference"]), Ok((Task::Reference, Vec::new())));
        assert_eq!(parts(&["--check", "--help"]).map(|(task, _)| task), Ok(Task::Help));
        assert!(parts(&["--check"]).is_err());
    }
}
