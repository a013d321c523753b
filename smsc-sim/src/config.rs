//! What a simulator is made of: who may bind, what becomes of messages, what goes wrong, and the limits. Data only.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smpp_transport::driver::DriverConfig;
use smpp_transport::env::WallClock;
use smpp_transport::pdu::{COctets, Leniency};
use smpp_transport::session::{Role, SessionConfig};

use crate::policy::{Policy, Retry};
use crate::rules::Rule;
use crate::traffic::{Memory, Traffic};
use crate::words::{AnyOf, Bind};

/// A simulator.
#[derive(Clone, Debug)]
pub struct Config {
    /// How the simulator names itself in bind responses.
    pub system_id: COctets<16>,
    /// Who may bind. Default: `smppclient1` with the password `password`.
    pub accounts: Vec<Account>,
    /// What it does to those who ask it something. Default: what is due.
    pub rules: Vec<Rule>,
    /// What becomes of messages. Default: they are delivered at once.
    pub policy: Policy,
    /// How what the simulator delivers is offered again.
    pub retry: Retry,
    /// Whether every field must be as the standard says.
    pub strictness: Strictness,
    /// Distribution lists for submit_multi: addresses by name.
    pub distribution_lists: BTreeMap<String, Vec<String>>,
    /// How much of everything there may be.
    pub limits: Limits,
    /// Timers and windows of each session.
    pub session: SessionConfig,
    /// Reading and writing; by the letter of the standard, unless [`strictness`](Config::strictness) is lenient or this says
    /// otherwise.
    pub driver: DriverConfig,
    /// From which all chance is drawn.
    pub seed: u64,
    /// The number of its first message, of which its ids are made. Default 1. Simulators that stand for the nodes of one SMSC
    /// give no id twice when each begins far from the others.
    pub first_number: u64,
}

impl Default for Config {
    fn default() -> Config {
        let session = SessionConfig {
            window: 100,
            inbound_window: 10_000,
            // Rules may have something to say about it.
            answers_enquire_link: false,
            ..SessionConfig::new(Role::Smsc)
        };
        Config {
            system_id: "smsc-sim".parse().expect("it is shorter than 16 characters"),
            accounts: vec![Account::new("smppclient1", "password")],
            rules: Vec::new(),
            policy: Policy::default(),
            retry: Retry::default(),
            strictness: Strictness::default(),
            distribution_lists: BTreeMap::new(),
            limits: Limits::default(),
            session,
            driver: DriverConfig { leniency: Leniency::STRICT, ..DriverConfig::default() },
            seed: 0,
            first_number: 1,
        }
    }
}

impl Config {
    /// Leniency with which PDUs are read. Long passwords are long strings, which strict checks of other fields still refuse.
    pub(crate) fn leniency(&self) -> Leniency {
        match self.strictness {
            Strictness::Lenient => Leniency::TOLERANT,
            Strictness::Strict => Leniency {
                overlong_strings: self.driver.leniency.overlong_strings || self.password_max() > PASSWORD_OCTETS,
                ..self.driver.leniency
            },
        }
    }

    /// Most characters that the password of an account may have.
    #[must_use]
    pub fn password_max(&self) -> usize {
        match self.strictness {
            Strictness::Strict => self.limits.password_max,
            Strictness::Lenient => self.limits.password_max.max(PASSWORD_OCTETS_LENIENT),
        }
    }

    /// What remembers the PDUs that pass.
    pub(crate) fn traffic(&self, clock: Arc<dyn WallClock>) -> Traffic {
        let memory = Memory { pdus_max: self.limits.pdus_max, pdu_octets_max: self.limits.pdu_octets_max };
        Traffic::new(memory, self.driver.frame_octets_max, clock)
    }
}

/// Whether every field must be as the standard says.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strictness {
    /// A message with a field that the standard does not allow is refused with that field's status.
    #[default]
    Strict,
    /// What can be understood is read (stray octets after a PDU, sm_length 255, strings that are too long), and only a message
    /// without a destination is refused.
    Lenient,
}

/// How much of everything there may be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Connections at once, bound or not; more are closed at once. Default 20,000.
    pub connections_max: usize,
    /// Messages kept; beyond it the one that ended longest ago is forgotten. Default 100,000.
    pub messages_max: usize,
    /// Receipts and mobile-originated messages that wait for a session or an answer, in all; beyond it new ones are
    /// dropped. Default 1,000,000.
    pub deliveries_max: usize,
    /// PDUs kept for looking at; 0 keeps none. Default 10,000.
    pub pdus_max: usize,
    /// Octets of those. Default 16 MiB.
    pub pdu_octets_max: usize,
    /// Characters that the password of an account may have, 1 to 64. Default 8, as the standard has it; 64 where
    /// [`strictness`](Config::strictness) is lenient.
    pub password_max: usize,
}

/// Characters of a password in the standard (§5.2.2).
pub(crate) const PASSWORD_OCTETS: usize = 8;
/// Characters of the longest password that any bind can carry to the simulator.
pub(crate) const PASSWORD_OCTETS_LENIENT: usize = 64;

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            connections_max: 20_000,
            messages_max: 100_000,
            deliveries_max: 1_000_000,
            pdus_max: 10_000,
            pdu_octets_max: 16 * 1024 * 1024,
            password_max: PASSWORD_OCTETS,
        }
    }
}

/// Who may bind.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// At most 15 characters.
    pub system_id: String,
    /// At most 8 characters, or as many as [`Limits::password_max`] allows.
    pub password: String,
    /// How it may bind. Default: as it likes; another way is refused with ESME_RBINDFAIL.
    #[serde(default, skip_serializing_if = "AnyOf::is_any")]
    pub binds: AnyOf<Bind>,
    /// Sessions at once; one more is refused with ESME_RALYBND where one is allowed, else ESME_RBINDFAIL. Default 10,000.
    #[serde(default = "Account::binds_max_default")]
    pub binds_max: usize,
    /// Requests of a session that may be unanswered; one more is refused with ESME_RTHROTTLED. Default: that of all
    /// sessions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<usize>,
    /// Messages a second, of all sessions together; what is above is refused with ESME_RTHROTTLED. Default: any number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// What becomes of its messages, before what is said for all.
    #[serde(default, skip_serializing_if = "Policy::is_default")]
    pub policy: Policy,
}

impl Account {
    /// An account with the default limits.
    #[must_use]
    pub fn new(system_id: &str, password: &str) -> Account {
        Account {
            system_id: system_id.to_owned(),
            password: password.to_owned(),
            binds: AnyOf::default(),
            binds_max: Account::binds_max_default(),
            window: None,
            rate: None,
            policy: Policy::default(),
        }
    }

    /// Reads an account written as `SYSTEM_ID:PASSWORD`, with a password of at most so many characters.
    ///
    /// # Errors
    /// In words, with the field and what is allowed; without the password.
    pub fn parse(text: &str, password_max: usize) -> Result<Account, String> {
        let (system_id, password) = text.split_once(':').ok_or("SYSTEM_ID:PASSWORD is wanted, there is no colon")?;
        let account = Account::new(system_id, password);
        account.check_with(password_max)?;
        Ok(account)
    }

    const fn binds_max_default() -> usize {
        10_000
    }

    /// Whether a bind can carry it, and its limits let anything through.
    ///
    /// # Errors
    /// In words, with the field, its value and what is allowed; without the password.
    pub fn check(&self) -> Result<(), String> {
        self.check_with(PASSWORD_OCTETS)
    }

    /// [`check`](Account::check), with a password of at most so many characters.
    pub(crate) fn check_with(&self, password_max: usize) -> Result<(), String> {
        if self.system_id.is_empty() {
            return Err("system_id is empty: 1 to 15 characters are allowed".to_owned());
        }
        self.system_id.parse::<COctets<16>>().map_err(|error| format!("system_id {:?}: {error}", self.system_id))?;
        let password = self.password.parse::<COctets<65>>();
        password.map_err(|error| format!("password of {:?}: {error}", self.system_id))?;
        let length = self.password.chars().count();
        if length > password_max {
            let allowed = format!("at most {password_max} are allowed (limits.password_max)");
            return Err(format!("password of {:?}: {length} characters: {allowed}", self.system_id));
        }
        let of = &self.system_id;
        self.policy.validate().map_err(|words| format!("policy.{words}"))?;
        match (self.window, self.rate) {
            (Some(0), _) => Err(format!("window of {of:?} is 0: at least 1 is allowed")),
            (_, Some(rate)) if !(rate > 0.0 && rate.is_finite()) => {
                Err(format!("rate of {of:?} is {rate}: more than 0 a second is allowed"))
            }
            _ => Ok(()),
        }
    }
}

/// Without the password.
impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("system_id", &self.system_id)
            .field("binds_max", &self.binds_max)
            .finish_non_exhaustive()
    }
}

/// An account written as `SYSTEM_ID:PASSWORD`, with lengths that a bind of the standard can carry.
impl std::str::FromStr for Account {
    type Err = String;
    fn from_str(text: &str) -> Result<Account, String> {
        Account::parse(text, PASSWORD_OCTETS)
    }
}
