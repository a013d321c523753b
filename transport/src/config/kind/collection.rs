//! Lists and maps of other kinds.

use std::collections::BTreeMap;

use super::{Kind, Value, Wrong};
use crate::config::node::Node;

/// Most entries of any list or map.
const ENTRIES_MAX: usize = 1_000;

/// Any number of these.
pub(crate) fn list<T: 'static>(item: Kind<T>) -> Kind<Vec<T>> {
    let (read, show) = (item.read, item.show);
    let allowed = format!("a list of: {}", item.allowed);
    let wanted = format!("allowed is {allowed}");
    let mut good = vec!["[]".to_owned()];
    good.extend(item.good.iter().filter(|text| *text != "''").map(|text| format!("[{text}]")));
    let mut bad = vec!["{}".to_owned()];
    bad.extend(item.bad.iter().filter(|text| *text != "[]").map(|text| format!("[{text}]")));
    Kind {
        allowed,
        read: Box::new(move |node| {
            let items = match &node.value {
                Value::List(items) => items.as_slice(),
                Value::Null => &[],
                // One is a list of one.
                Value::Text(text) if !text.is_empty() => std::slice::from_ref(node),
                Value::Text(_) => &[],
                Value::Map(_) => return Err(Wrong::new(node, wanted.clone())),
            };
            if items.len() > ENTRIES_MAX {
                return Err(Wrong::new(node, format!("more than {ENTRIES_MAX}")));
            }
            let values = items.iter().enumerate();
            values.map(|(at, item)| read(item).map_err(|wrong| wrong.within(format!("[{at}]")))).collect()
        }),
        show: Box::new(move |items| Node::bare(Value::List(items.iter().map(&show).collect()))),
        is_secret: item.is_secret,
        is_yaml: true,
        parts: item.parts,
        good,
        bad,
    }
}

/// At most so many.
pub(crate) fn at_most<T: 'static>(max: usize, kind: Kind<Vec<T>>) -> Kind<Vec<T>> {
    let read = kind.read;
    let allowed = format!("{}; at most {max}", kind.allowed);
    let wanted = format!("allowed is {allowed}");
    let read = Box::new(move |node: &Node| {
        let items = read(node)?;
        if items.len() > max { Err(Wrong::new(node, wanted.clone())) } else { Ok(items) }
    });
    Kind { allowed, read, ..kind }
}

/// Pairs of these.
pub(crate) fn map<K: Ord + Clone + 'static, V: 'static>(key: Kind<K>, value: Kind<V>) -> Kind<BTreeMap<K, V>> {
    let allowed = format!("a map from {} to {}", key.allowed, value.allowed);
    let wanted = format!("allowed is {allowed}");
    let first = |texts: &[String]| texts.first().cloned().unwrap_or_default();
    let mut good = vec!["{}".to_owned()];
    good.extend(key.good.iter().filter(|text| *text != "''").map(|text| format!("{{{text}: {}}}", first(&value.good))));
    good.extend(value.good.iter().map(|text| format!("{{{}: {text}}}", first(&key.good))));
    let mut bad = vec!["text".to_owned(), "[1]".to_owned()];
    bad.extend(value.bad.iter().map(|text| format!("{{{}: {text}}}", first(&key.good))));
    bad.extend(
        key.bad
            .iter()
            .filter(|text| !text.starts_with(['[', '{']))
            .map(|text| format!("{{{text}: {}}}", first(&value.good))),
    );
    let (read_key, show_key, read_value, show_value) = (key.read, key.show, value.read, value.show);
    Kind {
        allowed,
        read: Box::new(move |node| {
            let entries = match &node.value {
                Value::Map(entries) => entries.as_slice(),
                Value::Null => &[],
                Value::Text(text) if text.is_empty() => &[],
                Value::Text(_) | Value::List(_) => return Err(Wrong::new(node, wanted.clone())),
            };
            if entries.len() > ENTRIES_MAX {
                return Err(Wrong::new(node, format!("more than {ENTRIES_MAX}")));
            }
            let mut values = BTreeMap::new();
            for (key, node) in entries {
                let name = Node { value: Value::Text(key.name.clone()), place: key.place };
                let read = read_key(&name)?;
                if values.contains_key(&read) {
                    return Err(Wrong::new(&name, "given twice, by two names"));
                }
                let value = read_value(node).map_err(|wrong| wrong.within(&key.name))?;
                values.insert(read, value);
            }
            Ok(values)
        }),
        show: Box::new(move |values| {
            let entries = values.iter().map(|(key, value)| {
                let Value::Text(name) = show_key(key).value else { return (String::new(), show_value(value)) };
                (name, show_value(value))
            });
            Node::map(entries)
        }),
        is_secret: value.is_secret,
        is_yaml: true,
        parts: value.parts,
        good,
        bad,
    }
}
