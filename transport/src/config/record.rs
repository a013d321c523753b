//! A group of options that stands in a list or a map.

use super::kind::{Kind, Part, Wrong};
use super::near::nearest;
use super::node::{Node, Value};
use super::option::{Group, Row};
use super::show::flow;

/// A map with the options of this group, each at most once, and these at least.
pub(crate) fn record<G: Group>(needed: &'static [&'static str]) -> Kind<G> {
    let rows = G::rows();
    let names: Vec<String> = rows.iter().map(|row| row.name()).collect();
    let allowed = format!("a map of {}", names.join(", "));
    let least: Vec<_> = rows.iter().filter(|row| needed.contains(&row.name().as_str())).collect();
    let least = |but: &str| {
        let others = least.iter().filter(|row| row.name() != but);
        others.map(|row| format!("{}: {}, ", row.name(), row.good[0])).collect::<String>()
    };
    let mut good = vec![format!("{{{}}}", least(""))];
    let mut bad = vec!["text".to_owned(), "[1]".to_owned(), format!("{{{}no-such-option: 1}}", least(""))];
    bad.extend(needed.first().map(|_| "{}".to_owned()));
    for row in &rows {
        let name = row.name();
        good.extend(row.good.iter().map(|text| format!("{{{}{name}: {text}}}", least(&name))));
        bad.extend(row.bad.iter().map(|text| format!("{{{}{name}: {text}}}", least(&name))));
    }
    let default = G::default();
    let part = |row: &Row<G>| Part {
        name: row.name(),
        words: row.words,
        allowed: row.allowed.clone(),
        default: if needed.contains(&row.name().as_str()) { String::new() } else { flow(&row.show(&default)) },
    };
    let parts = rows.iter().map(part).collect();
    let shown = G::rows();
    Kind {
        allowed,
        read: Box::new(move |node| {
            let entries = match &node.value {
                Value::Map(entries) => entries.as_slice(),
                Value::Null => &[],
                Value::Text(_) | Value::List(_) => {
                    return Err(Wrong::new(node, format!("allowed is a map of {}", names.join(", "))));
                }
            };
            let mut group = G::default();
            for (key, node) in entries {
                let Some(row) = rows.iter().find(|row| row.name() == key.name) else {
                    let near = nearest(&key.name, names.iter().map(String::as_str));
                    let unknown = Node { value: Value::Text(key.name.clone()), place: key.place };
                    let words = format!("allowed are {}{near}", names.join(", "));
                    return Err(Wrong::new(&unknown, words));
                };
                row.set(&mut group, node).map_err(|wrong| wrong.within(&key.name))?;
            }
            if let Some(missing) = needed.iter().find(|name| !entries.iter().any(|(key, _)| key.name == **name)) {
                return Err(Wrong { value: None, ..Wrong::new(node, format!("{missing} must be given")) });
            }
            Ok(group)
        }),
        show: Box::new(move |group| Node::map(shown.iter().map(|row| (row.name(), row.show(group))))),
        is_secret: false,
        is_yaml: true,
        parts,
        good,
        bad,
    }
}
