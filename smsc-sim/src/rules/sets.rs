//! Lists of rules by name. What each does is said in its file under `sets`, in the language of rules.

use super::{Rule, parse};

/// A list of rules that comes with the simulator.
#[derive(Clone, Copy, Debug)]
pub struct RuleSet {
    /// What it is asked for by.
    pub name: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// Its rules, with comments.
    pub yaml: &'static str,
}

/// All of them.
pub const SETS: &[RuleSet] = &[
    RuleSet { name: "healthy", summary: "nothing goes wrong", yaml: include_str!("sets/healthy.yaml") },
    RuleSet {
        name: "magic-numbers",
        summary: "the last digits of the destination say what happens",
        yaml: include_str!("sets/magic-numbers.yaml"),
    },
    RuleSet { name: "flaky", summary: "now and then something goes wrong", yaml: include_str!("sets/flaky.yaml") },
    RuleSet {
        name: "throttling",
        summary: "ten messages a second and a hundred pending are allowed each account",
        yaml: include_str!("sets/throttling.yaml"),
    },
    RuleSet { name: "slow", summary: "most answers are quick and some are late", yaml: include_str!("sets/slow.yaml") },
    RuleSet {
        name: "dead",
        summary: "binds are accepted, and nothing is answered after",
        yaml: include_str!("sets/dead.yaml"),
    },
];

impl RuleSet {
    /// The set of this name.
    ///
    /// # Errors
    /// When there is none, with the names that there are.
    pub fn named(name: &str) -> Result<&'static RuleSet, String> {
        SETS.iter().find(|set| set.name == name).ok_or_else(|| {
            let names: Vec<_> = SETS.iter().map(|set| set.name).collect();
            format!("{name:?} is no set of rules; there are {}", names.join(", "))
        })
    }

    /// Its rules.
    #[must_use]
    pub fn rules(&self) -> Vec<Rule> {
        parse(self.yaml).expect("a test reads each of them")
    }
}

#[cfg(test)]
mod tests;
