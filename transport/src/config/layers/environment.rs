//! Variables: the names of an option joined with `_`, in capitals, after the prefix if there is one.

use std::collections::{BTreeMap, BTreeSet};

use super::super::error::ConfigError;
use super::super::near::nearest;
use super::super::node::Node;
use super::super::table::Table;
use super::{Given, Origin, flatten};

/// What says where to look, and is no option.
const OWN: [&str; 2] = ["VUMI_CONFIG_FILE", "VUMI_CONFIG_PREFIX"];

/// What is given, and warnings about variables that have the prefix and mean nothing.
pub(super) fn read(
    table: &Table,
    environment: &BTreeMap<String, String>,
    prefix: &str,
) -> Result<(Vec<Given>, Vec<String>), ConfigError> {
    let mut given = Vec::new();
    let mut known = BTreeSet::from(OWN.map(str::to_owned));
    for (alias, _) in Table::whole_groups() {
        let name = variable(prefix, &[alias]);
        if let Some(text) = environment.get(&name) {
            let origin = Origin::Variable(name.clone());
            let node = Node::parse(text).map_err(|error| ConfigError::yaml(&origin, &error))?;
            flatten(table, &mut vec![alias.to_owned()], node, &|_| origin.clone(), &mut given)?;
        }
        known.insert(name);
    }
    for row in table.rows() {
        let mut paths = Table::other_names(row);
        paths.push(row.path.clone());
        for path in paths {
            let name = variable(prefix, &path);
            let is_new = known.insert(name.clone());
            let Some(text) = environment.get(&name).filter(|_| is_new) else { continue };
            let origin = Origin::Variable(name);
            let node = value(text, row.is_yaml).map_err(|error| ConfigError::yaml(&origin, &error))?;
            given.push(Given { path: path.into_iter().map(str::to_owned).collect(), node, origin });
        }
    }
    Ok((given, strangers(environment, prefix, &known)))
}

/// The value of a variable or flag: a text, or YAML where the option is a list or a map.
pub(super) fn value(text: &str, is_yaml: bool) -> Result<Node, super::super::node::NotYaml> {
    if is_yaml { Node::parse(text) } else { Ok(Node::text(text)) }
}

/// The name of the variable for an option.
pub(crate) fn variable(prefix: &str, path: &[&str]) -> String {
    let parts = std::iter::once(&prefix).chain(path).filter(|part| !part.is_empty());
    parts.map(|part| part.to_uppercase()).collect::<Vec<_>>().join("_")
}

fn strangers(environment: &BTreeMap<String, String>, prefix: &str, known: &BTreeSet<String>) -> Vec<String> {
    if prefix.is_empty() {
        return Vec::new();
    }
    let start = format!("{}_", prefix.to_uppercase());
    let strangers = environment.keys().filter(|name| name.starts_with(&start) && !known.contains(*name));
    let warning = |name: &String| {
        format!(
            "{name} is in the environment: there is no such option{}",
            nearest(name, known.iter().map(String::as_str))
        )
    };
    strangers.map(warning).collect()
}
