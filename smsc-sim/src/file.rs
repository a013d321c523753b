//! The configuration file: YAML, everything optional, and what the flags say goes before it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::config::{Account, Config, Strictness};
use crate::policy::{Policy, Retry};
use crate::rules::{Rule, RuleSet, in_one_line, parse};
use crate::start::Tls;
use crate::time::Time;
use crate::words::AnyOf;
use serde::{Deserialize, Deserializer, de};

/// What a configuration file may say. What it does not say is as without a file.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct File {
    /// Where to serve SMPP.
    pub listen: AnyOf<String>,
    /// Where to serve SMPP over TLS, and with what.
    pub tls: Option<Tls>,
    /// Where to serve HTTP; `off` is nowhere.
    pub http: Option<String>,
    /// From which all chance is drawn.
    pub seed: Option<u64>,
    /// What to log.
    pub log_level: Option<String>,
    /// Where to keep messages over restarts.
    pub data_dir: Option<PathBuf>,
    /// Where to write a capture.
    pub capture: Option<PathBuf>,
    system_id: Option<String>,
    accounts: Option<Vec<Account>>,
    rules: Option<Rules>,
    policy: Policy,
    retry: Retry,
    strictness: Strictness,
    distribution_lists: BTreeMap<String, Vec<String>>,
    limits: Limits,
    session: Session,
}

/// Rules by the name of a set, or one by one.
#[derive(Clone, Debug)]
struct Rules(Vec<Rule>);

/// How much of everything there may be; see [`crate::Limits`].
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Limits {
    connections_max: Option<usize>,
    messages_max: Option<usize>,
    deliveries_max: Option<usize>,
    pdus_max: Option<usize>,
    pdu_octets_max: Option<usize>,
    frame_octets_max: Option<usize>,
    password_max: Option<usize>,
}

/// Timers and windows of each session; see [`smpp_transport::session::SessionConfig`]. Times of 0 are never.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Session {
    session_init_timeout: Option<Time>,
    enquire_link_interval: Option<Time>,
    response_timeout: Option<Time>,
    inactivity_timeout: Option<Time>,
    window: Option<usize>,
    inbound_window: Option<usize>,
}

impl<'de> Deserialize<'de> for Rules {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Rules, D::Error> {
        struct NameOrList;
        impl<'de> de::Visitor<'de> for NameOrList {
            type Value = Rules;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of rules, or the name of a set")
            }
            fn visit_str<E: de::Error>(self, name: &str) -> Result<Rules, E> {
                RuleSet::named(name).map(|set| Rules(set.rules())).map_err(E::custom)
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Rules, A::Error> {
                let mut rules = Vec::new();
                while let Some(rule) = list.next_element()? {
                    rules.push(rule);
                }
                Ok(Rules(rules))
            }
        }
        from.deserialize_any(NameOrList)
    }
}

impl File {
    /// Reads one.
    ///
    /// # Errors
    /// In one line: the file, where in it, the value and what is allowed.
    pub fn read(path: &Path) -> Result<File, String> {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        serde_saphyr::from_str(&text).map_err(|error| format!("{}: {}", path.display(), in_one_line(&text, &error)))
    }

    /// Changes what it says.
    ///
    /// # Errors
    /// In words, with the field, its value and what is allowed.
    pub fn apply(self, config: &mut Config) -> Result<(), String> {
        if let Some(system_id) = self.system_id {
            config.system_id = system_id.parse().map_err(|error| format!("system_id is {system_id:?}: {error}"))?;
        }
        if let Some(accounts) = self.accounts {
            config.accounts = accounts;
        }
        if let Some(Rules(rules)) = self.rules {
            config.rules = rules;
        }
        config.policy = self.policy;
        config.retry = self.retry;
        config.strictness = self.strictness;
        config.distribution_lists = self.distribution_lists;
        self.limits.apply(config)?;
        self.session.apply(config)
    }
}

impl Limits {
    fn apply(self, config: &mut Config) -> Result<(), String> {
        set(&mut config.limits.connections_max, self.connections_max);
        set(&mut config.limits.messages_max, self.messages_max);
        set(&mut config.limits.deliveries_max, self.deliveries_max);
        set(&mut config.limits.pdus_max, self.pdus_max);
        set(&mut config.limits.pdu_octets_max, self.pdu_octets_max);
        set(&mut config.driver.frame_octets_max, self.frame_octets_max);
        set(&mut config.limits.password_max, self.password_max);
        at_least(16, "limits.frame_octets_max", config.driver.frame_octets_max)?;
        at_least(1, "limits.messages_max", config.limits.messages_max)
    }
}

impl Session {
    fn apply(self, config: &mut Config) -> Result<(), String> {
        let session = &mut config.session;
        set(&mut session.session_init_timeout, self.session_init_timeout.map(|time| time.0));
        set(&mut session.response_timeout, self.response_timeout.map(|time| time.0));
        let unless_never = |time: Time| (!time.0.is_zero()).then_some(time.0);
        set(&mut session.enquire_link_interval, self.enquire_link_interval.map(unless_never));
        set(&mut session.inactivity_timeout, self.inactivity_timeout.map(unless_never));
        set(&mut session.window, self.window);
        set(&mut session.inbound_window, self.inbound_window);
        at_least(1, "session.window", session.window)?;
        at_least(1, "session.inbound_window", session.inbound_window)
    }
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

fn at_least(least: usize, name: &str, value: usize) -> Result<(), String> {
    if value >= least { Ok(()) } else { Err(format!("{name} is {value}: at least {least} is allowed")) }
}

/// Rules by the name of a set, or from a file.
///
/// # Errors
/// In one line: the file, where in it, the value and what is allowed.
pub fn rules_of(name_or_path: &str) -> Result<Vec<Rule>, String> {
    let unnamed = match RuleSet::named(name_or_path) {
        Ok(set) => return Ok(set.rules()),
        Err(words) => words,
    };
    match fs::read_to_string(name_or_path) {
        Ok(text) => parse(&text).map_err(|words| format!("{name_or_path}: {words}")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(format!("{unnamed}; and no file of that name"))
        }
        Err(error) => Err(format!("{name_or_path}: {error}")),
    }
}
