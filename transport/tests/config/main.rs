//! Guards the configuration: every option in every layer, what is refused and with which words, the pages made from the
//! table, and that vumi2's configurations are taken as they are.
#![cfg(feature = "cli")]

mod files;
mod layers;
mod program;
mod table;
mod vumi2;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use smpp_transport::config::{ConfigError, Loaded, OptionRow, load};

/// A file of its own, gone with this.
struct TempFile(PathBuf);

impl TempFile {
    fn new(text: &str) -> TempFile {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name =
            format!("smpp-transport-config-{}-{}.yaml", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        TempFile(path)
    }

    fn name(&self) -> String {
        self.0.display().to_string()
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Loads a file, named by a flag, with nothing else.
fn from_text(yaml: &str) -> Result<Loaded, ConfigError> {
    from_text_and(yaml, Vec::new())
}

/// Loads a file and flags.
fn from_text_and(yaml: &str, flags: Vec<String>) -> Result<Loaded, ConfigError> {
    let file = TempFile::new(yaml);
    load(["--config".to_owned(), file.name()].into_iter().chain(flags), [])
}

fn from_flags(flags: &[&str]) -> Result<Loaded, ConfigError> {
    load(flags.iter().map(|flag| (*flag).to_owned()), [])
}

fn from_environment(variables: &[(&str, &str)]) -> Result<Loaded, ConfigError> {
    load([], variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

/// One option in a file, under this name.
fn yaml_of(name: &str, value: &str) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    let mut yaml = String::new();
    for (depth, part) in parts.iter().enumerate() {
        let value = if depth + 1 == parts.len() { format!(" {value}") } else { String::new() };
        yaml += &format!("{}{part}:{value}\n", "  ".repeat(depth));
    }
    yaml
}

fn flag_of(name: &str) -> String {
    format!("--{}", name.replace(['.', '_'], "-"))
}

fn variable_of(name: &str) -> String {
    name.replace('.', "_").to_uppercase()
}

/// A value as a variable or flag has it: without the quotes of YAML, unless it is YAML.
fn raw<'a>(row: &OptionRow, value: &'a str) -> &'a str {
    let quoted = value.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    if row.is_yaml { value } else { quoted.unwrap_or(value) }
}

/// What an option needs beside it, so that the two go together.
fn companion_flags(name: &str, value: &str) -> Vec<String> {
    let flags: &[&str] = match name {
        "tls.cert" | "tls.key" if value == "''" => &[],
        "tls.cert" => &["--tls-key", "k.pem"],
        "tls.key" => &["--tls-cert", "c.pem"],
        "cache.class" | "sequencer.class" => &["--redis-url", "redis://h"],
        "reconnect.initial" => &["--reconnect-max", "1d"],
        "throttle.delay" => &["--throttle-max", "1d"],
        "reconnect.max" => &["--reconnect-initial", "10ms"],
        "throttle.max" => &["--throttle-delay", "1ms"],
        "resend.delay" => &["--resend-max", "1d"],
        "resend.max" => &["--resend-delay", "10ms"],
        "queue_full_retry.delay" => &["--queue-full-retry-max", "1d"],
        "queue_full_retry.max" => &["--queue-full-retry-delay", "10ms"],
        "system_id" | "password" | "receiver.system_id" | "receiver.password" => &["--credentials-truncate"],
        "outbind.password" => &["--password-max", "128"],
        _ => &[],
    };
    flags.iter().map(|flag| (*flag).to_owned()).collect()
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}
