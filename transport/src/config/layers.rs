//! The three layers: command line over environment over file.

use std::collections::BTreeMap;
use std::fmt;

use super::error::ConfigError;
use super::kind::Wrong;
use super::near::nearest;
use super::node::{Node, Place, Value};
use super::option::Row;
use super::table::{Found, Table};
use super::{Bus, BusReason, Config, check};

mod environment;
mod flags;

pub(crate) use environment::variable;
pub(crate) use flags::flag;

/// Where a value came from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    /// Nobody gave one.
    Default,
    /// The file, with line and column.
    File {
        /// Its path.
        path: String,
        /// Line and column, from 1.
        place: (usize, usize),
    },
    /// A variable of the environment.
    Variable(String),
    /// A flag of the command line.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File { path, place: (line, column) } => write!(f, "{path}:{line}:{column}"),
            Origin::Variable(name) | Origin::Flag(name) => f.write_str(name),
        }
    }
}

/// A configuration, and how it came about.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// What is strange about it, for the log.
    pub warnings: Vec<String>,
    origins: BTreeMap<String, Origin>,
}

impl Loaded {
    /// Where the value of this option came from.
    #[must_use]
    pub fn origin(&self, option: &str) -> &Origin {
        self.origins.get(option).unwrap_or(&Origin::Default)
    }

    /// The whole configuration as YAML, secrets masked, with the origin of each value.
    #[must_use]
    pub fn to_yaml(&self) -> String {
        super::show::yaml(self, true)
    }

    /// The same with its secrets, to be read again.
    #[must_use]
    pub fn to_yaml_with_secrets(&self) -> String {
        super::show::yaml(self, false)
    }
}

/// Reads the flags, the environment and the file that either of them names.
///
/// # Errors
/// In one line: the option, where it was written, what was written and what is allowed.
pub fn load(
    flags: impl IntoIterator<Item = String>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Loaded, ConfigError> {
    let table = Table::new();
    let environment: BTreeMap<String, String> = environment.into_iter().collect();
    let (file_flag, flags) = flags::read(&table, flags)?;
    let variable = |name: &str| environment.get(name).filter(|value| !value.is_empty()).cloned();
    let vumi_file = if file_flag.is_some() { None } else { variable("VUMI_CONFIG_FILE") };
    let is_vumi_file = vumi_file.is_some();
    let mut layers = Vec::new();
    if let Some(path) = file_flag.or(vumi_file) {
        layers.push(file(&table, &path)?);
    }
    let prefix = variable("VUMI_CONFIG_PREFIX").unwrap_or_default();
    let (given, warnings) = environment::read(&table, &environment, &prefix)?;
    layers.extend([given, flags]);
    let mut reader = Reader { table: &table, config: Config::default(), origins: BTreeMap::new() };
    for layer in layers {
        reader.layer(layer)?;
    }
    reader.finish(is_vumi_file, warnings)
}

/// An option as it was given.
struct Given {
    /// The names by which it was given.
    path: Vec<String>,
    node: Node,
    origin: Origin,
}

fn file(table: &Table, path: &str) -> Result<Vec<Given>, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| ConfigError::new(format!("{path}: {error}")))?;
    let at = |place: Option<Place>| {
        let place = place.unwrap_or(Place { line: 1, column: 1 });
        Origin::File { path: path.to_owned(), place: (place.line, place.column) }
    };
    let node = Node::parse(&text).map_err(|error| ConfigError::yaml(&at(None), &error))?;
    let mut given = Vec::new();
    flatten(table, &mut Vec::new(), node, &at, &mut given)?;
    Ok(given)
}

/// Takes the maps of groups apart, down to options.
fn flatten(
    table: &Table,
    path: &mut Vec<String>,
    node: Node,
    at: &dyn Fn(Option<Place>) -> Origin,
    given: &mut Vec<Given>,
) -> Result<(), ConfigError> {
    let place = node.place;
    let entries = match node.value {
        Value::Map(entries) => entries,
        // A group of which nothing is said.
        Value::Null => return Ok(()),
        _ => {
            let name = if path.is_empty() { "the configuration".to_owned() } else { path.join(".") };
            let wrong = Wrong::new(&node, "allowed is a map of options");
            return Err(ConfigError::value(&name, &at(place), &wrong, true));
        }
    };
    for (key, node) in entries {
        path.push(key.name);
        match table.find(path) {
            Found::Option(_) => given.push(Given { path: path.clone(), origin: at(key.place), node }),
            Found::Group => flatten(table, path, node, at, given)?,
            Found::Nothing => return Err(unknown(table, path, &at(key.place))),
        }
        path.pop();
    }
    Ok(())
}

fn unknown(table: &Table, path: &[String], origin: &Origin) -> ConfigError {
    let (last, group) = path.split_last().expect("a key has a name");
    let near = nearest(last, table.names_in(group));
    let near = if near.is_empty() && group.is_empty() { by_last_name(table, last) } else { near };
    ConfigError::new(format!("{} ({origin}): there is no such option{near}", path.join(".")))
}

/// The option of this name in some group, for those who left out the group.
fn by_last_name(table: &Table, name: &str) -> String {
    let found = table.rows().iter().find(|row| row.path.last() == Some(&name));
    found.map_or_else(String::new, |row| format!("; did you mean {}?", row.name()))
}

/// Takes one layer after the other, the later over the earlier.
struct Reader<'a> {
    table: &'a Table,
    config: Config,
    origins: BTreeMap<String, Origin>,
}

impl Reader<'_> {
    fn layer(&mut self, layer: Vec<Given>) -> Result<(), ConfigError> {
        let mut seen: BTreeMap<String, (String, Node)> = BTreeMap::new();
        for Given { path, node, origin } in layer {
            let Found::Option(row) = self.table.find(&path) else { return Err(unknown(self.table, &path, &origin)) };
            let spelled = path.join(".");
            let error = |wrong| ConfigError::value(&spelled, &origin, &wrong, row.is_secret);
            row.set(&mut self.config, &node).map_err(error)?;
            let shown = row.show(&self.config);
            let here = format!("{spelled} ({origin})");
            if let Some((there, other)) = seen.get(&row.name())
                && *other != shown
            {
                return Err(ConfigError::new(format!("{there} and {here} are the same option, and differ")));
            }
            seen.insert(row.name(), (here, shown));
            self.origins.insert(row.name(), origin);
        }
        Ok(())
    }

    fn finish(mut self, is_vumi_file: bool, mut warnings: Vec<String>) -> Result<Loaded, ConfigError> {
        let is_given = |name: &str| self.origins.contains_key(name);
        let is_amqp = |row: &&Row<Config>| row.path[0] == "amqp" || row.path[0].starts_with("amqp_");
        let amqp = self.table.rows().iter().filter(is_amqp).map(Row::name).find(|name| is_given(name));
        let (bus, reason) = match amqp {
            _ if is_given("bus") => (self.config.bus.bus, BusReason::Given),
            Some(name) => (Bus::Amqp, BusReason::AmqpOption(name)),
            None if is_vumi_file => (Bus::Amqp, BusReason::VumiFile),
            None => (Bus::Embedded, BusReason::Default),
        };
        if bus == Bus::Amqp && !is_given("http_bind") {
            self.config.worker.http_bind = None;
        }
        self.config.bus.bus = bus;
        self.config.reason = reason;
        let origin = |name: &str| self.origins.get(name).cloned().unwrap_or(Origin::Default);
        check::check(&self.config)
            .map_err(|(name, words)| ConfigError::new(format!("{name} ({}): {words}", origin(name))))?;
        warnings.extend(check::warnings(&self.config));
        Ok(Loaded { config: self.config, warnings, origins: self.origins })
    }
}
