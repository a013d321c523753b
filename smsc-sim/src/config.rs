//! All that a test author may set. Data and its limits; what it does is in `peer` and `mailbox`.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use smpp_transport::driver::DriverConfig;
use smpp_transport::pdu::{COctets, CommandStatus, Leniency};
use smpp_transport::session::{Role, SessionConfig};

/// A simulator.
#[derive(Clone, Debug)]
pub struct Config {
    /// How the simulator names itself in bind responses.
    pub system_id: COctets<16>,
    /// Who may bind. Default: `smppclient1` with the password `password`.
    pub accounts: Vec<Account>,
    /// What it does wrong, and how long things take. Default: nothing, and no time.
    pub behaviour: Behaviour,
    /// Timers and windows of each session.
    pub session: SessionConfig,
    /// Reading and writing; by the letter of the standard, unless told otherwise.
    pub driver: DriverConfig,
    /// Connections at once, bound or not; more are closed at once. Default 20,000.
    pub connections_max: usize,
    /// Receipts that wait for a session of their account, in all; beyond it the oldest are dropped. Default 100,000.
    pub receipts_held_max: usize,
    /// From which all chance is drawn.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Config {
        let session = SessionConfig { window: 100, inbound_window: 10_000, ..SessionConfig::new(Role::Smsc) };
        Config {
            system_id: "smsc-sim".parse().expect("it is shorter than 16 characters"),
            accounts: vec![Account::new("smppclient1", "password")],
            behaviour: Behaviour::default(),
            session,
            driver: DriverConfig { leniency: Leniency::STRICT, ..DriverConfig::default() },
            connections_max: 20_000,
            receipts_held_max: 100_000,
            seed: 0,
        }
    }
}

/// Who may bind.
#[derive(Clone, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// At most 15 characters, or nobody can bind with it.
    pub system_id: String,
    /// At most 8 characters, or nobody can bind with it.
    pub password: String,
    /// Sessions at once; one more is refused with ESME_RBINDFAIL. Default 10,000.
    #[serde(default = "Account::binds_max_default")]
    pub binds_max: usize,
}

impl Account {
    /// An account with the default limits.
    #[must_use]
    pub fn new(system_id: &str, password: &str) -> Account {
        let binds_max = Account::binds_max_default();
        Account { system_id: system_id.to_owned(), password: password.to_owned(), binds_max }
    }

    fn binds_max_default() -> usize {
        10_000
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

/// An account written as `SYSTEM_ID:PASSWORD`, with lengths that a bind can carry.
impl std::str::FromStr for Account {
    type Err = String;
    fn from_str(text: &str) -> Result<Account, String> {
        let (system_id, password) = text.split_once(':').ok_or("SYSTEM_ID:PASSWORD is wanted, there is no colon")?;
        if system_id.is_empty() {
            return Err("the system_id before the colon is empty".to_owned());
        }
        system_id.parse::<COctets<16>>().map_err(|error| format!("system_id {system_id:?}: {error}"))?;
        password.parse::<COctets<9>>().map_err(|error| format!("the password: {error}"))?;
        Ok(Account::new(system_id, password))
    }
}

/// What the simulator does to what is submitted. Chances are 0 to 1 and drawn anew for each message, from the seed, the
/// session and the message's place in it: the same traffic meets the same faults.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// How long a response takes. Different delays make responses overtake each other.
    pub response_delay: Delay,
    /// The chance that a message is accepted and never answered.
    pub response_missing: f64,
    /// The chance that the response comes twice.
    pub response_doubled: f64,
    /// The chance that a response with a number nobody has used comes first.
    pub response_invented: f64,
    /// The chance that an enquire_link_resp with the message's number comes first.
    pub response_mistyped: f64,
    /// The chance that a message is refused.
    pub refused: f64,
    /// With which status.
    pub refused_status: CommandStatus,
    /// The chance that a generic_nack answers instead of a response.
    pub nacked: f64,
    /// The chance that the simulator hangs up instead of answering.
    pub hung_up: f64,
    /// The chance that the simulator unbinds after answering.
    pub unbound: f64,
    /// How long after its acceptance a message is delivered, and its receipt due.
    pub receipt_delay: Delay,
    /// The chance that a message is not delivered.
    pub undelivered: f64,
}

/// A time between two limits, drawn evenly, in milliseconds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Delay {
    /// At least.
    pub min_ms: u64,
    /// At most.
    pub max_ms: u64,
}

impl Delay {
    /// Always this long.
    #[must_use]
    pub const fn fixed(ms: u64) -> Delay {
        Delay { min_ms: ms, max_ms: ms }
    }

    /// The share of the way from `min` to `max`, 0 to 1, as a time.
    #[must_use]
    pub fn at(self, share: f64) -> Duration {
        let span = self.max_ms.saturating_sub(self.min_ms) as f64;
        Duration::from_millis(self.min_ms + (span * share).round() as u64)
    }
}
