//! The configuration of a transport: what there is to say, read from a file, the environment and the command line.
//!
//! [`Config`] is the whole of it, group by group. Every option is written once, in `groups`, with its words, type, default
//! and limits; from there come the reading of all three layers, `--help`, `smpp-transport config` and the reference page.
//! [`load`] reads: what the command line says goes before what the environment says, and that before the file, as in vumi2.
//! Names of vumi2's that are groups here are read as those: see [`Table`].

mod check;
mod error;
mod groups;
mod kind;
mod layers;
mod live;
mod metadata;
mod near;
mod node;
mod option;
mod pattern;
mod record;
mod reference;
mod secret;
mod show;
mod table;
mod word;

pub use error::ConfigError;
pub use groups::*;
pub use layers::{Loaded, Origin, load};
pub use pattern::Pattern;
pub use reference::{help, reference};
pub use secret::Secret;
pub use table::{OptionRow, Table};
pub use word::{Coding, DataCodingKey, Level, Listen, NpiRule, TonRule};

use option::{Beside, Nested, options};

options! {
    /// Everything that there is to say.
    pub struct Config with reason: BusReason = BusReason::Default, {
        /// The worker: its name, its logs, its end.
        worker: Worker = Worker::default(), Beside;
        /// The bus.
        bus: BusOptions = BusOptions::default(), Beside;
        /// The SMSC, and how to get there.
        smsc: Smsc = Smsc::default(), Beside;
        /// The bind.
        bind: Binding = Binding::default(), Beside;
        /// The session.
        session: Timers = Timers::default(), Beside;
        /// How fast, in which order, and what if it goes wrong.
        sending: Sending = Sending::default(), Beside;
        /// How a text becomes submits.
        submit: Submit = Submit::default(), Nested;
        /// What each submit says unless the message says otherwise.
        defaults: Defaults = Defaults::default(), Nested;
        /// Optional parameters of an SMSC's own.
        tlv: TlvOptions = TlvOptions::default(), Nested;
        /// What `data_coding` 0 means.
        alphabet: Alphabet = Alphabet::default(), Beside;
        /// Messages from the SMSC.
        inbound: Inbound = Inbound::default(), Nested;
        /// Receipts from the SMSC.
        receipts: Receipts = Receipts::default(), Nested;
        /// USSD.
        ussd: Ussd = Ussd::default(), Nested;
        /// What must be known later.
        stores: Stores = Stores::default(), Beside;
        /// What to look at when something goes wrong.
        look: Look = Look::default(), Beside;
    }
}

/// Why a bus was chosen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum BusReason {
    /// `bus` says so.
    Given,
    /// This option of the broker's is given.
    AmqpOption(String),
    /// The file was named by `VUMI_CONFIG_FILE`, as for vumi2.
    VumiFile,
    /// Nothing speaks for another.
    Default,
}

impl std::fmt::Display for BusReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            BusReason::Given => f.write_str("bus says so"),
            BusReason::AmqpOption(name) => write!(f, "{name} is given"),
            BusReason::VumiFile => f.write_str("the file was named by VUMI_CONFIG_FILE"),
            BusReason::Default => f.write_str("neither bus nor any amqp option is given"),
        }
    }
}

impl Config {
    /// Why [`BusOptions::bus`] is what it is: for the first lines of the log.
    #[must_use]
    pub fn bus_reason(&self) -> &BusReason {
        &self.reason
    }

    /// The places of the SMSC as `host:port`, in the order in which to try them.
    #[must_use]
    pub fn smsc_addresses(&self) -> Vec<String> {
        if !self.smsc.hosts.is_empty() {
            return self.smsc.hosts.clone();
        }
        vec![address(&self.smsc.host, self.smsc.port)]
    }

    /// Returns the places of the receiver as `host:port`: those of the SMSC, unless it has one of its own.
    #[must_use]
    pub fn receiver_addresses(&self) -> Vec<String> {
        match &self.smsc.receiver {
            Receiver { host: None, port: None, .. } => self.smsc_addresses(),
            Receiver { host, port, .. } => {
                vec![address(host.as_deref().unwrap_or(&self.smsc.host), port.unwrap_or(self.smsc.port))]
            }
        }
    }
}

/// Returns `host:port`, with brackets around an IPv6 address.
fn address(host: &str, port: u16) -> String {
    if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
}
