//! What may stand in an option: how it is read, how it is written, and the words for what is allowed.

use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::node::{Node, Place, Value};
use super::secret::Secret;

mod collection;
mod number;
mod time;

pub(crate) use collection::{at_most, list, map};
pub(crate) use number::{flag, float, number, whole};
pub(crate) use time::{never_or, or_never, time};

/// A sort of values.
pub(crate) struct Kind<T> {
    /// What is allowed, to be read after "allowed is".
    pub(crate) allowed: String,
    pub(crate) read: Read<T>,
    pub(crate) show: Show<T>,
    pub(crate) is_secret: bool,
    pub(crate) is_yaml: bool,
    /// What a map of options in it holds.
    pub(crate) parts: Vec<Part>,
    /// Values at the ends of what is allowed, as YAML.
    pub(crate) good: Vec<String>,
    /// Values just beyond.
    pub(crate) bad: Vec<String>,
}

/// An option inside the value of another.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) words: &'static str,
    pub(crate) allowed: String,
    pub(crate) default: String,
}

pub(crate) type Read<T> = Box<dyn Fn(&Node) -> Result<T, Wrong> + Send + Sync>;
pub(crate) type Show<T> = Box<dyn Fn(&T) -> Node + Send + Sync>;

/// Why a value is not taken.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Wrong {
    /// Where inside the value: `[2].class_path`.
    pub(crate) inside: String,
    /// Where it was written.
    pub(crate) place: Option<Place>,
    /// What was written; nothing where that would say nothing.
    pub(crate) value: Option<String>,
    /// What is allowed, or what is wrong.
    pub(crate) words: String,
}

impl Wrong {
    /// This value is wrong.
    pub(crate) fn new(node: &Node, words: impl Into<String>) -> Wrong {
        let value = match &node.value {
            Value::Null => Some("empty".to_owned()),
            Value::Text(text) if text.is_empty() => Some("empty".to_owned()),
            Value::Text(text) => Some(format!("{:?}", shortened(text))),
            Value::List(_) => Some("a list".to_owned()),
            Value::Map(_) => Some("a map".to_owned()),
        };
        Wrong { inside: String::new(), place: node.place, value, words: words.into() }
    }

    /// The same, seen from around.
    pub(crate) fn within(mut self, step: impl fmt::Display) -> Wrong {
        let dot = if self.inside.is_empty() || self.inside.starts_with('[') { "" } else { "." };
        self.inside = format!("{step}{dot}{}", self.inside);
        self
    }
}

fn shortened(text: &str) -> String {
    const CHARACTERS_MAX: usize = 60;
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl<T: 'static> Kind<T> {
    /// What is read from and written as one text.
    pub(crate) fn of_text(
        allowed: impl Into<String>,
        read: impl Fn(&str) -> Result<T, String> + Send + Sync + 'static,
        show: impl Fn(&T) -> String + Send + Sync + 'static,
    ) -> Kind<T> {
        let allowed = allowed.into();
        let wanted = format!("allowed is {allowed}");
        Kind {
            allowed,
            read: Box::new(move |node| match &node.value {
                Value::Text(text) => {
                    read(text).map_err(|words| Wrong::new(node, if words.is_empty() { wanted.clone() } else { words }))
                }
                _ => Err(Wrong::new(node, wanted.clone())),
            }),
            show: Box::new(move |value| Node::text(show(value))),
            is_secret: false,
            is_yaml: false,
            parts: Vec::new(),
            good: Vec::new(),
            bad: vec!["[]".to_owned(), "{}".to_owned()],
        }
    }

    /// With these as examples of what is allowed and what is not, as YAML.
    pub(crate) fn examples(mut self, good: &[&str], bad: &[&str]) -> Kind<T> {
        self.good.extend(good.iter().map(|text| (*text).to_owned()));
        self.bad.extend(bad.iter().map(|text| (*text).to_owned()));
        self
    }

    /// With these examples and no others.
    pub(crate) fn only_examples(mut self, good: &[&str], bad: &[&str]) -> Kind<T> {
        (self.good, self.bad) = (Vec::new(), Vec::new());
        self.examples(good, bad)
    }

    /// With another type around the value.
    pub(crate) fn mapped<U: 'static>(
        self,
        into: impl Fn(T) -> U + Send + Sync + 'static,
        back: impl Fn(&U) -> T + Send + Sync + 'static,
    ) -> Kind<U> {
        let (read, show) = (self.read, self.show);
        Kind {
            allowed: self.allowed,
            read: Box::new(move |node| read(node).map(&into)),
            show: Box::new(move |value| show(&back(value))),
            is_secret: self.is_secret,
            is_yaml: self.is_yaml,
            parts: self.parts,
            good: self.good,
            bad: self.bad,
        }
    }

    /// None, when nothing is given, or an empty text.
    pub(crate) fn optional(self) -> Kind<Option<T>> {
        let (read, show) = (self.read, self.show);
        let mut good = self.good;
        good.push("''".to_owned());
        let mut bad = self.bad;
        bad.retain(|text| text != "''");
        Kind {
            allowed: format!("{}, or nothing", self.allowed),
            read: Box::new(move |node| {
                let or_nothing = |mut wrong: Wrong| {
                    if wrong.inside.is_empty() && wrong.words.starts_with("allowed is") {
                        wrong.words += ", or nothing";
                    }
                    wrong
                };
                if node.is_empty() { Ok(None) } else { read(node).map(Some).map_err(or_nothing) }
            }),
            show: Box::new(move |value| value.as_ref().map_or(Node::bare(Value::Null), &show)),
            is_secret: self.is_secret,
            is_yaml: self.is_yaml,
            parts: self.parts,
            good,
            bad,
        }
    }
}

/// A text of ASCII characters that can be printed, with so many of them.
pub(crate) fn text(length: RangeInclusive<usize>) -> Kind<String> {
    let (min, max) = (*length.start(), *length.end());
    let allowed = format!("ASCII text of {min} to {max} characters");
    let read = move |text: &str| {
        let is_printable = text.bytes().all(|octet| (b' '..=b'~').contains(&octet));
        if is_printable && (min..=max).contains(&text.len()) { Ok(text.to_owned()) } else { Err(String::new()) }
    };
    let mut kind = Kind::of_text(allowed, read, Clone::clone);
    kind.good = vec![format!("'{}'", "a".repeat(min.max(1))), format!("'{}'", "a".repeat(max))];
    kind.bad.extend([format!("'{}'", "a".repeat(max + 1)), "é".to_owned(), "\"a\\0\"".to_owned()]);
    if min == 0 {
        kind.good.push("''".to_owned())
    } else {
        kind.bad.push("''".to_owned())
    }
    kind
}

/// A text that nobody may read in a log.
pub(crate) fn secret(length: RangeInclusive<usize>) -> Kind<Secret> {
    let mut kind = text(length).mapped(Secret::new, |secret| secret.reveal().to_owned());
    kind.is_secret = true;
    kind
}

/// A URL of which some may be read.
pub(crate) fn secret_url(schemes: &'static [&'static str]) -> Kind<Secret> {
    let list = schemes.iter().map(|scheme| format!("{scheme}://")).collect::<Vec<_>>().join(", ");
    let read = move |text: &str| {
        let rest = schemes.iter().find_map(|scheme| text.strip_prefix(scheme)?.strip_prefix("://"));
        let is_url = rest.is_some_and(|rest| !rest.is_empty()) && !text.contains(char::is_whitespace);
        if is_url { Ok(Secret::url(text)) } else { Err(String::new()) }
    };
    let mut kind = Kind::of_text(format!("a URL that begins with {list}"), read, |secret| secret.reveal().to_owned());
    kind.is_secret = true;
    kind.good.push(format!("{}://user:s3cret@host/path", schemes[0]));
    kind.bad.extend(["host".to_owned(), format!("{}://", schemes[0]), "ftp://s3cret@host".to_owned()]);
    kind
}

/// A file or a folder.
pub(crate) fn path() -> Kind<PathBuf> {
    let read =
        |text: &str| if text.is_empty() || text.contains('\0') { Err(String::new()) } else { Ok(PathBuf::from(text)) };
    Kind::of_text("a path", read, |path| path.display().to_string()).examples(&["some/file", "/some/file"], &["''"])
}

/// One of these words; of several for the same value the first is written.
pub(crate) fn names<T: Copy + PartialEq + Send + Sync + 'static>(words: &'static [(&'static str, T)]) -> Kind<T> {
    named("", words)
}

/// The same, with more words for what is allowed.
pub(crate) fn named<T: Copy + PartialEq + Send + Sync + 'static>(
    more: &str,
    words: &'static [(&'static str, T)],
) -> Kind<T> {
    let firsts: Vec<&str> = words
        .iter()
        .enumerate()
        .filter(|(at, (_, value))| words.iter().position(|(_, other)| other == value) == Some(*at))
        .map(|(_, (word, _))| *word)
        .collect();
    let read = move |text: &str| {
        let found = words.iter().find(|(word, _)| word.eq_ignore_ascii_case(text));
        found.map(|(_, value)| *value).ok_or_else(String::new)
    };
    let show = move |value: &T| {
        words.iter().find(|(_, other)| other == value).map_or_else(String::new, |(word, _)| (*word).to_owned())
    };
    let mut kind = Kind::of_text(firsts.join(", ") + more, read, show);
    kind.good = words.iter().map(|(word, _)| format!("'{word}'")).collect();
    kind.bad.push("no-such-word".to_owned());
    kind
}
