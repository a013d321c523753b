//! Flags: the names of an option joined with `-`, and `-` for each `_`; the value after a space or `=`.

use std::collections::BTreeMap;

use super::super::error::ConfigError;
use super::super::near::nearest;
use super::super::node::Node;
use super::super::table::Table;
use super::environment::value;
use super::{Given, Origin, flatten};

/// What a flag stands for.
enum Target {
    /// The file.
    File,
    /// A group as one map.
    Group(&'static str),
    /// An option: by which names, whether its value is YAML, and whether it may go without one.
    Option { path: Vec<&'static str>, is_yaml: bool, is_switch: bool },
}

/// The file that is named, and what is given.
pub(super) fn read(
    table: &Table,
    flags: impl IntoIterator<Item = String>,
) -> Result<(Option<String>, Vec<Given>), ConfigError> {
    let targets = targets(table);
    let mut words = flags.into_iter().peekable();
    let (mut file, mut given) = (None, Vec::new());
    while let Some(word) = words.next() {
        let Some(rest) = word.strip_prefix("--").filter(|rest| !rest.is_empty()) else {
            // What follows a value may be a part of a secret.
            let which = given
                .last()
                .map_or_else(|| format!("{word:?}"), |last: &Given| format!("what follows {}", last.origin));
            return Err(ConfigError::new(format!("{which}: a flag such as --system-id is wanted")));
        };
        let (name, attached) = match rest.split_once('=') {
            Some((name, text)) => (name.to_owned(), Some(text.to_owned())),
            None => (rest.to_owned(), None),
        };
        let Some(target) = targets.get(&name) else {
            let near = nearest(&name, targets.keys().map(String::as_str)).replace("did you mean ", "did you mean --");
            return Err(ConfigError::new(format!("--{name}: there is no such option{near}")));
        };
        let is_switch = matches!(target, Target::Option { is_switch: true, .. });
        let text = match attached.or_else(|| words.next_if(|next| !next.starts_with("--"))) {
            Some(text) => text,
            None if is_switch => "true".to_owned(),
            None => return Err(ConfigError::new(format!("--{name}: a value is wanted"))),
        };
        let origin = Origin::Flag(format!("--{name}"));
        match target {
            Target::File => file = Some(text),
            Target::Group(alias) => {
                let node = Node::parse(&text).map_err(|error| ConfigError::yaml(&origin, &error))?;
                flatten(table, &mut vec![(*alias).to_owned()], node, &|_| origin.clone(), &mut given)?;
            }
            Target::Option { path, is_yaml, .. } => {
                let node = value(&text, *is_yaml).map_err(|error| ConfigError::yaml(&origin, &error))?;
                given.push(Given { path: path.iter().map(|name| (*name).to_owned()).collect(), node, origin });
            }
        }
    }
    Ok((file, given))
}

fn targets(table: &Table) -> BTreeMap<String, Target> {
    let mut targets = BTreeMap::from([("config".to_owned(), Target::File)]);
    targets.extend(Table::whole_groups().map(|(alias, _)| (flag(&[alias]), Target::Group(alias))));
    for row in table.rows() {
        for path in Table::other_names(row).into_iter().chain([row.path.clone()]) {
            let is_switch = row.allowed == "true or false";
            targets.insert(flag(&path), Target::Option { path, is_yaml: row.is_yaml, is_switch });
        }
    }
    targets
}

/// The name of the flag for an option, without its dashes.
pub(crate) fn flag(path: &[&str]) -> String {
    path.join("-").replace('_', "-")
}
