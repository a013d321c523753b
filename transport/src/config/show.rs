//! The configuration as YAML that is read back as the same.

use super::layers::Loaded;
use super::node::{Node, Value};
use super::secret::{MASK, Secret};
use super::table::Table;

/// The whole of it, a line each, with where it came from.
pub(crate) fn yaml(loaded: &Loaded, is_masked: bool) -> String {
    let mut lines: Vec<(String, String)> = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    for row in Table::new().rows() {
        let (name, groups) = row.path.split_last().expect("an option has a name");
        let same = open.iter().zip(groups).take_while(|(one, other)| one == other).count();
        for (depth, group) in groups.iter().enumerate().skip(same) {
            lines.push((format!("{}{group}:", "  ".repeat(depth)), String::new()));
        }
        open = groups.to_vec();
        let node = row.show(&loaded.config);
        let value = if row.is_secret && is_masked { masked(&node) } else { flow(&node) };
        let option = row.name();
        let mut comment = loaded.origin(&option).to_string();
        if option == "bus" && comment == "default" {
            comment = format!("default: {}", loaded.config.bus_reason());
        }
        lines.push((format!("{}{name}: {value}", "  ".repeat(groups.len())), comment));
    }
    let line = |(text, comment): (String, String)| match comment.as_str() {
        "" => format!("{text}\n"),
        comment => format!("{text}  # {comment}\n"),
    };
    lines.into_iter().map(line).collect()
}

/// A secret as it may be seen: none is none.
fn masked(node: &Node) -> String {
    match &node.value {
        Value::Text(text) if text.contains("://") => flow(&Node::text(Secret::url(text.as_str()).masked())),
        Value::Text(_) => flow(&Node::text(MASK)),
        _ => flow(node),
    }
}

/// A value on one line.
pub(crate) fn flow(node: &Node) -> String {
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Text(text) => scalar(text),
        Value::List(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Map(entries) => {
            let entries: Vec<_> =
                entries.iter().map(|(key, node)| format!("{}: {}", scalar(&key.name), flow(node))).collect();
            format!("{{{}}}", entries.join(", "))
        }
    }
}

/// Without quotes where no YAML reader could take it for something else.
fn scalar(text: &str) -> String {
    let is_word = |text: &str| {
        text.starts_with(|first: char| first.is_ascii_alphanumeric() || "/._".contains(first))
            && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"_./+-".contains(&octet))
    };
    let is_address = |text: &str| {
        text.split_once(':').is_some_and(|(host, port)| is_word(host) && !port.is_empty() && is_word(port))
    };
    // YAML 1.1 has more words for switches, and numbers in base 60.
    let is_special = ["null", "yes", "no", "on", "off", "y", "n"].iter().any(|word| text.eq_ignore_ascii_case(word));
    let is_sexagesimal =
        text.contains(':') && text.starts_with(|first: char| first.is_ascii_digit()) && !text.contains('.');
    let is_plain = (is_word(text) || is_address(text)) && !is_special && !is_sexagesimal;
    if is_plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}
