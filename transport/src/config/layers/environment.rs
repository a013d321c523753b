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
    let mut warnings = Vec::new();
    for row in table.rows() {
        let mut paths = Table::other_names(row);
        paths.push(row.path.clone());
        for path in paths {
            let name = variable(prefix, &path);
            let is_new = known.insert(name.clone());
            let from_file = if row.is_secret { secret_file(environment, &name)? } else { None };
            known.extend(row.is_secret.then(|| format!("{name}{FILE}")));
            let direct = environment.get(&name).filter(|_| is_new).map(|text| (name.clone(), text.clone()));
            if let (Some(_), Some((file, _))) = (&direct, &from_file) {
                return Err(ConfigError::new(format!("{name} and {file} are both given: allowed is one of them")));
            }
            let Some((name, text)) = direct.or(from_file) else { continue };
            if prefix.is_empty() && is_port(&path) && is_service_link(&text) {
                warnings.push(format!(
                    "{name} is ignored: {text:?} is an address that Kubernetes gives for a service of this name; set \
                     VUMI_CONFIG_PREFIX, or enableServiceLinks: false"
                ));
                continue;
            }
            if prefix.is_empty() && path == ["port"] {
                warnings.push(format!(
                    "{name}={text} is the port of the SMSC; some platforms set {name} for HTTP, which is http_bind here: set \
                     VUMI_CONFIG_PREFIX where it is not meant"
                ));
            }
            let origin = Origin::Variable(name);
            let node = value(&text, row.is_yaml).map_err(|error| ConfigError::yaml(&origin, &error))?;
            given.push(Given { path: path.into_iter().map(str::to_owned).collect(), node, origin });
        }
    }
    warnings.extend(strangers(environment, prefix, &known));
    Ok((given, warnings))
}

/// End of the name of a variable that names a file with a secret, as containers have them.
const FILE: &str = "_FILE";
/// Most bytes of such a file.
const SECRET_OCTETS_MAX: usize = 4_096;

/// Returns the secret in the file that a variable names, without the end of its line, and the name of that variable.
fn secret_file(environment: &BTreeMap<String, String>, name: &str) -> Result<Option<(String, String)>, ConfigError> {
    let name = format!("{name}{FILE}");
    let Some(path) = environment.get(&name).filter(|path| !path.is_empty()) else { return Ok(None) };
    let wrong = |words: &dyn std::fmt::Display| ConfigError::new(format!("{name}: cannot read {path:?}: {words}"));
    let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
    if text.len() > SECRET_OCTETS_MAX {
        return Err(wrong(&format!("it has {} bytes, allowed are {SECRET_OCTETS_MAX}", text.len())));
    }
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    Ok(Some((name, text.to_owned())))
}

fn is_port(path: &[&str]) -> bool {
    path.len() > 1 && path.last() == Some(&"port")
}

/// Whether this is what Kubernetes puts into `NAME_PORT` for a service: `tcp://10.3.1.2:5672`.
fn is_service_link(text: &str) -> bool {
    ["tcp://", "udp://", "sctp://"].iter().any(|scheme| text.starts_with(scheme))
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
