//! Rules as text: YAML, and so JSON.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{SnippetMode, UserMessageFormatter};

use super::Rule;

/// Reads a list of rules, or a map with the list under `rules`, and checks each.
///
/// # Errors
/// One line that names the place, the value and what is allowed: `line 3 column 10: …`, or `rules[2].when.chance …`.
pub fn parse(text: &str) -> Result<Vec<Rule>, String> {
    let List(rules) = serde_saphyr::from_str(text).map_err(|error| in_one_line(text, &error))?;
    validate(&rules)?;
    Ok(rules)
}

/// Whether they can all be followed; if not, the place and why.
pub(crate) fn validate(rules: &[Rule]) -> Result<(), String> {
    rules
        .iter()
        .enumerate()
        .try_for_each(|(place, rule)| rule.validate().map_err(|error| format!("rules[{place}].{error}")))
}

/// Where it is, what stands there, and what is wrong with it.
pub(crate) fn in_one_line(text: &str, error: &serde_saphyr::Error) -> String {
    let options = serde_saphyr::render_options! { formatter: &UserMessageFormatter, snippets: SnippetMode::Off };
    let words = error.without_snippet().render_with_options(options);
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some(location) = error.location() else { return words };
    let (line, column) = (location.line(), location.column());
    let words = words.strip_suffix(&format!(" at line {line}, column {column}")).unwrap_or(&words);
    let value = value_at(text, line, column);
    let value = if value.is_empty() || words.contains(value) { String::new() } else { format!("{value:?}: ") };
    format!("line {line} column {column}: {value}{}", in_words(words))
}

/// What is allowed, where the YAML crate says only that it was something else.
fn in_words(words: &str) -> &str {
    match words {
        "invalid u8" => "0 to 255 is allowed",
        "invalid u16" => "0 to 65535 is allowed",
        "invalid u32" | "invalid u64" | "invalid usize" => "a whole number, 0 or above, is allowed",
        "invalid floating point" => "a number is allowed",
        words => words,
    }
}

/// The key or value that starts here; nothing where a list or map does.
fn value_at(text: &str, line: u64, column: u64) -> &str {
    let place = |number: u64| usize::try_from(number.saturating_sub(1)).unwrap_or(usize::MAX);
    let line = text.lines().nth(place(line)).unwrap_or_default();
    let start = line.char_indices().nth(place(column)).map_or(line.len(), |(at, _)| at);
    let value = line[start..].split([',', '{', '}', '[', ']', '#']).next().unwrap_or_default();
    let value = value.split(": ").next().unwrap_or_default();
    value.trim().trim_matches(['"', '\''])
}

struct List(Vec<Rule>);

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<List, D::Error> {
        from.deserialize_any(ListOrMap).map(List)
    }
}

struct ListOrMap;

impl<'de> Visitor<'de> for ListOrMap {
    type Value = Vec<Rule>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rules, or a map with such a list under `rules`")
    }

    /// An empty document.
    fn visit_unit<E: de::Error>(self) -> Result<Vec<Rule>, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<Rule>, A::Error> {
        let mut rules = Vec::new();
        while let Some(rule) = list.next_element()? {
            rules.push(rule);
        }
        Ok(rules)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Vec<Rule>, A::Error> {
        let mut rules = None;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "rules" => rules = Some(map.next_value::<Option<_>>()?.unwrap_or_default()),
                other => return Err(de::Error::custom(format!("{other:?} is not known here: `rules` is"))),
            }
        }
        rules.ok_or_else(|| de::Error::custom("`rules` is missing"))
    }
}
