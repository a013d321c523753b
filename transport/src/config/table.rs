//! All options in one list, and the names by which vumi2 has some of them.

use std::collections::BTreeSet;

use super::Config;
use super::option::{Group, Row};

/// Names that are read as others, and those: vumi2's, and short ones.
const ALIASES: [(&str, &[&str]); 12] = [
    ("submit_sm_processor_class", &["submit", "class"]),
    ("submit_sm_processor_config", &["submit"]),
    ("sm_processor_class", &["inbound", "class"]),
    ("sm_processor_config", &["inbound"]),
    ("dr_processor_class", &["receipts", "class"]),
    ("dr_processor_config", &["receipts"]),
    ("smpp_cache_class", &["cache", "class"]),
    ("smpp_cache_config", &["cache"]),
    ("sequencer_class", &["sequencer", "class"]),
    ("sequencer_config", &["sequencer"]),
    ("mo", &["inbound"]),
    ("dlr", &["receipts"]),
];

/// All options there are.
pub struct Table {
    rows: Vec<Row<Config>>,
}

/// What may be known of an option.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OptionRow {
    /// Its name, with dots between the names of groups.
    pub name: String,
    /// Other names by which it is read.
    pub aliases: Vec<String>,
    /// What it does, in Markdown.
    pub words: String,
    /// What is allowed.
    pub allowed: String,
    /// Its default, as YAML.
    pub default: String,
    /// Whether nobody may read it.
    pub is_secret: bool,
    /// Whether the environment and flags give it as YAML.
    pub is_yaml: bool,
    /// Values at the ends of what is allowed, as YAML.
    pub good: Vec<String>,
    /// Values just beyond.
    pub bad: Vec<String>,
}

/// What a path leads to.
pub(crate) enum Found<'a> {
    Option(&'a Row<Config>),
    /// These are in it.
    Group,
    /// These are around it.
    Nothing,
}

impl Default for Table {
    fn default() -> Table {
        Table::new()
    }
}

impl Table {
    /// Makes it.
    #[must_use]
    pub fn new() -> Table {
        Table { rows: Config::rows() }
    }

    /// What there is, in the order of the reference page.
    #[must_use]
    pub fn options(&self) -> Vec<OptionRow> {
        let defaults = Config::default();
        let known = |row: &Row<Config>| OptionRow {
            name: row.name(),
            aliases: Table::other_names(row).into_iter().map(|path| path.join(".")).collect(),
            words: row.words.lines().map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned(),
            allowed: row.allowed.clone(),
            default: super::show::flow(&row.show(&defaults)),
            is_secret: row.is_secret,
            is_yaml: row.is_yaml,
            good: row.good.clone(),
            bad: row.bad.clone(),
        };
        self.rows.iter().map(known).collect()
    }

    pub(crate) fn rows(&self) -> &[Row<Config>] {
        &self.rows
    }

    /// The paths by which an option is read beside its own.
    pub(crate) fn other_names(row: &Row<Config>) -> Vec<Vec<&'static str>> {
        let renamed = ALIASES.iter().filter_map(|(alias, path)| {
            let rest = row.path.strip_prefix(*path)?;
            // A class is no part of vumi2's config of it.
            let is_old_class = rest == ["class"] && alias.ends_with("_config");
            let mut names = vec![*alias];
            names.extend(rest);
            (!is_old_class).then_some(names)
        });
        renamed.collect()
    }

    /// The groups that may be given as one map in the environment, as vumi2 has them: by alias and path.
    pub(crate) fn whole_groups() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
        ALIASES.into_iter().filter(|(alias, _)| alias.ends_with("_config"))
    }

    /// The path under which an option is kept.
    pub(crate) fn canonical(path: &[String]) -> Vec<String> {
        let Some(first) = path.first() else { return Vec::new() };
        let mut names: Vec<String> = match ALIASES.iter().find(|(alias, _)| alias == first) {
            Some((_, path)) => path.iter().map(|name| (*name).to_owned()).collect(),
            None => vec![first.clone()],
        };
        names.extend(path[1..].iter().cloned());
        names
    }

    pub(crate) fn find(&self, path: &[String]) -> Found<'_> {
        let canonical = Table::canonical(path);
        if let Some(row) = self.rows.iter().find(|row| row.path == canonical) {
            return Found::Option(row);
        }
        let is_inside = |row: &Row<Config>| {
            row.path.len() > canonical.len() && row.path.iter().zip(&canonical).all(|(name, other)| name == other)
        };
        if self.rows.iter().any(is_inside) { Found::Group } else { Found::Nothing }
    }

    /// The names that may stand in this group.
    pub(crate) fn names_in(&self, path: &[String]) -> BTreeSet<&'static str> {
        let canonical = Table::canonical(path);
        let inside = self.rows.iter().filter(|row| row.path.iter().zip(&canonical).all(|(name, other)| name == other));
        let mut names: BTreeSet<_> = inside.filter_map(|row| row.path.get(canonical.len()).copied()).collect();
        if path.is_empty() {
            names.extend(ALIASES.iter().map(|(alias, _)| *alias));
        }
        names
    }
}
