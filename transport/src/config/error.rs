//! What is wrong with a configuration, in one line.

use super::kind::Wrong;
use super::layers::Origin;
use super::node::{NotYaml, Place};
use super::secret::MASK;

/// What is wrong: which option, where it was written, what was written, and what is allowed. One line.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl ConfigError {
    /// In words of one line.
    pub(crate) fn new(words: impl Into<String>) -> ConfigError {
        let words: String = words.into();
        ConfigError(words.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// An option has a value that it cannot have.
    pub(crate) fn value(option: &str, origin: &Origin, wrong: &Wrong, is_secret: bool) -> ConfigError {
        let dot = if wrong.inside.is_empty() || wrong.inside.starts_with('[') { "" } else { "." };
        let origin = match (wrong.place, origin) {
            (Some(place), Origin::File { path, .. }) => {
                Origin::File { path: path.clone(), place: (place.line, place.column) }
            }
            _ => origin.clone(),
        };
        let value = match &wrong.value {
            // A text in quotes; what is empty, a list or a map may be said.
            Some(value) if is_secret && value.starts_with('"') => format!(" is {MASK}"),
            Some(value) => format!(" is {value}"),
            None => String::new(),
        };
        ConfigError::new(format!("{option}{dot}{}{value} ({origin}): {}", wrong.inside, wrong.words))
    }

    /// A text is no YAML.
    pub(crate) fn yaml(origin: &Origin, error: &NotYaml) -> ConfigError {
        let place = error.place.unwrap_or(Place { line: 1, column: 1 });
        ConfigError::new(match origin {
            Origin::File { path, .. } => format!("{path}:{place}: {}", error.words),
            other => format!("{other}: {} (at {place})", error.words),
        })
    }
}
