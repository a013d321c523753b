//! Regular expressions as Python writes them, and what receipts mean.

use std::fmt;

use regex::Regex;

use super::kind::{Kind, names};
use crate::bus::DeliveryStatus;

/// A regular expression that matches from the beginning of a text, as Python's `re.match` does.
#[derive(Clone)]
pub struct Pattern {
    source: String,
    regex: Regex,
}

impl Pattern {
    /// Reads Python's syntax.
    ///
    /// # Errors
    /// In words: what is wrong with it.
    pub fn python(source: &str) -> Result<Pattern, String> {
        const LENGTH_MAX: usize = 4_096;
        if source.len() > LENGTH_MAX {
            return Err(format!("a regular expression has at most {LENGTH_MAX} characters"));
        }
        let translated = translate(source)?;
        match Regex::new(&format!(r"\A(?:{translated})")) {
            Ok(regex) => Ok(Pattern { source: source.to_owned(), regex }),
            Err(error) => {
                // The last line says what is wrong; those before draw it.
                let words = error.to_string();
                let words = words.lines().last().unwrap_or_default().trim().trim_start_matches("error: ").to_owned();
                Err(format!("not a regular expression: {words}"))
            }
        }
    }

    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// The expression, which begins where the text does.
    #[must_use]
    pub fn regex(&self) -> &Regex {
        &self.regex
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.source == other.source
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.source.fmt(f)
    }
}

/// What Python alone has, by how it begins.
const PYTHON_ONLY: [(&str, &str); 6] = [
    ("(?=", "look-ahead"),
    ("(?!", "look-ahead"),
    ("(?<=", "look-behind"),
    ("(?<!", "look-behind"),
    ("(?P=", "a back-reference"),
    ("(?(", "a condition"),
];

/// `{,n}` is `{0,n}`; `\Z` is `\z`; a brace that repeats nothing is a brace.
fn translate(source: &str) -> Result<String, String> {
    let mut out = String::with_capacity(source.len() + 8);
    let mut rest = source;
    let mut in_class = false;
    while let Some(first) = rest.chars().next() {
        if let Some(escaped) = rest.strip_prefix('\\') {
            let Some(character) = escaped.chars().next() else { return Err("it ends in a backslash".to_owned()) };
            if !in_class && matches!(character, '1'..='9') {
                return Err(only_python("a back-reference"));
            }
            if !in_class && character == 'Z' {
                out.push_str("\\z")
            } else {
                out.extend(['\\', character])
            }
            rest = &escaped[character.len_utf8()..];
            continue;
        }
        if !in_class {
            if let Some((_, what)) = PYTHON_ONLY.iter().find(|(start, _)| rest.starts_with(start)) {
                return Err(only_python(what));
            }
            if let Some((repeat, after)) = repetition(rest) {
                out.push_str(&repeat);
                rest = after;
                continue;
            }
        }
        match first {
            '[' if !in_class => {
                in_class = true;
                // A bracket that comes first is a letter of the class.
                let head = ["[^]", "[]", "[^", "["].into_iter().find(|head| rest.starts_with(head)).unwrap_or("[");
                out.push_str(&head.replace(']', "\\]"));
                rest = &rest[head.len()..];
                continue;
            }
            ']' if in_class => in_class = false,
            // Python has neither classes in classes nor operations on them.
            '[' | '&' | '~' if in_class => out.push('\\'),
            '{' if !in_class => out.push('\\'),
            _ => {}
        }
        out.push(first);
        rest = &rest[first.len_utf8()..];
    }
    Ok(out)
}

/// A repetition at the start, as the regex crate writes it, and what comes after it.
fn repetition(text: &str) -> Option<(String, &str)> {
    let (inner, after) = text.strip_prefix('{')?.split_once('}')?;
    let (from, to) = inner.split_once(',').unwrap_or((inner, inner));
    let is_number = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
    if !is_number(from) || !is_number(to) || (from.is_empty() && to.is_empty()) {
        return None;
    }
    let from = if from.is_empty() { "0" } else { from };
    Some((if inner.contains(',') { format!("{{{from},{to}}}") } else { format!("{{{from}}}") }, after))
}

fn only_python(what: &str) -> String {
    format!("not a regular expression here: it has {what}, which Python has and this has not")
}

/// An expression that reads receipts: with the groups `id` and `stat`.
pub(crate) fn pattern() -> Kind<Pattern> {
    let read = |text: &str| {
        let pattern = Pattern::python(text)?;
        let has = |name: &str| pattern.regex.capture_names().flatten().any(|group| group == name);
        match (has("id"), has("stat")) {
            (true, true) => Ok(pattern),
            (false, _) => Err("not an expression that reads receipts: it needs a group (?P<id>…)".to_owned()),
            (true, false) => Err("not an expression that reads receipts: it needs a group (?P<stat>…)".to_owned()),
        }
    };
    let allowed = "a regular expression with the groups id and stat";
    Kind::of_text(allowed, read, |pattern: &Pattern| pattern.source.clone()).examples(
        &["'id:(?P<id>[^ ]{,65}) +stat:(?P<stat>[A-Z]{5,7})'", "'(?P<id>.)(?P<stat>.)'"],
        &["'id:(?P<id>'", "'(?P<id>x)(?P<stat>(?<=x)y)'", "'(?P<id>x)'", "'(?P<stat>x)'", "''"],
    )
}

pub(crate) fn delivery_status() -> Kind<DeliveryStatus> {
    names(&[
        ("pending", DeliveryStatus::Pending),
        ("delivered", DeliveryStatus::Delivered),
        ("failed", DeliveryStatus::Failed),
    ])
}

#[cfg(test)]
mod tests;
