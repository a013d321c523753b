//! Towards the SMSC: how fast, in which order, what to do when it refuses or does not answer.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::kind::{flag, float, list, map, names, never_or, number, time};
use crate::config::option::{Nested, options};
use crate::config::record::record;
use crate::config::word;
use crate::pdu::CommandStatus;

const MS: Duration = Duration::from_millis(1);
const DAY: Duration = Duration::from_secs(86_400);

/// What to do with a message whose outcome is unknown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnUnknownOutcome {
    /// Send it again: it may arrive twice.
    Resend,
    /// Report a `nack`: it may have arrived all the same.
    Nack,
}

/// Which messages must not overtake each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeepOrder {
    /// None: the fastest.
    None,
    /// Those to the same address.
    PerDestination,
    /// All: one submit at a time, whatever the window.
    Strict,
}

options! {
    /// Towards the SMSC: how fast, in which order, and what to do when it refuses or does not answer.
    pub struct Sending {
        /// What to do with a message when the line broke, or no answer came in time: `resend`, and it may arrive twice; or
        /// `nack`, and one that has arrived may be reported as failed.
        on_unknown_outcome: OnUnknownOutcome = OnUnknownOutcome::Resend,
            names(&[("resend", OnUnknownOutcome::Resend), ("nack", OnUnknownOutcome::Nack)]);
        /// Which messages must not overtake each other, even when one of them is sent again: those to the same address, all
        /// (`strict`: one at a time), or none. While a message is under way on a session, later ones to the same address go on no
        /// other. Processes that share a queue know nothing of each other's.
        keep_order: KeepOrder = KeepOrder::PerDestination, names(&[
            ("none", KeepOrder::None), ("per_destination", KeepOrder::PerDestination), ("strict", KeepOrder::Strict),
        ]);
        /// How fast to send at most.
        rate_limit: RateLimit = RateLimit::default(), Nested;
        /// What to do when the SMSC says that it is too much.
        throttle: Throttle = Throttle::default(), Nested;
        /// Which refusals are worth another try: by status, how often, and how long after. All others are final, and the message
        /// gets a `nack`. What is given replaces all of the default. A count of 0 is never.
        retry: BTreeMap<CommandStatus, Retry> = Retry::defaults(), map(word::status(), record(&[]));
        /// How old a message may be, counted from when it was taken from the bus, to be sent again; then it gets a `nack`.
        retry_max_age: Duration = Duration::from_secs(1_200), time(Duration::ZERO, DAY * 30);
    }
}

options! {
    /// How fast to send at most.
    pub struct RateLimit {
        /// How many submits a second, over all sessions; each part of a long message is one. 0 is without limit. Fractions are
        /// allowed: 0.5 is one every two seconds.
        per_second: f64 = 0.0, float(0.0..=1_000_000.0);
        /// How many may go at once after a pause.
        burst: u32 = 1, number(1..=1_000_000);
    }
}

options! {
    /// What to do when the SMSC says that it is too much.
    pub struct Throttle {
        /// With which statuses it says so. The message is not refused: it is sent again.
        statuses: Vec<CommandStatus> = vec![CommandStatus::ESME_RTHROTTLED, CommandStatus::ESME_RMSGQFUL], list(word::status());
        /// How long to send nothing, the first time.
        delay: Duration = MS * 100, time(MS, Duration::from_secs(3_600));
        /// How many times longer each pause is than the one before, while it goes on.
        factor: f64 = 2.0, float(1.0..=100.0);
        /// The longest pause.
        max: Duration = Duration::from_secs(30), time(MS, DAY);
    }
}

options! {
    /// One of `retry`.
    pub struct Retry {
        /// How often to send again.
        count: u32 = 3, number(0..=1_000);
        /// How long after the refusal.
        delay: Duration = Duration::from_secs(30), time(Duration::ZERO, DAY);
    }
}

impl Retry {
    /// What is known to pass: a system error, a temporary error of the SMSC's application.
    fn defaults() -> BTreeMap<CommandStatus, Retry> {
        BTreeMap::from([
            (CommandStatus::ESME_RSYSERR, Retry { count: 2, delay: Duration::from_secs(30) }),
            (CommandStatus::ESME_RX_T_APPN, Retry { count: 3, delay: Duration::from_secs(60) }),
        ])
    }
}

options! {
    /// What each submit says unless the message says otherwise, in its `transport_metadata`.
    pub struct Defaults {
        /// How long the SMSC is to try. None leaves it to the SMSC.
        validity_period: Option<Duration> = None, never_or(time(Duration::from_secs(1), DAY * 3_650));
        /// How long the SMSC is to wait before it tries. None is at once.
        schedule: Option<Duration> = None, never_or(time(Duration::from_secs(1), DAY * 3_650));
        /// How urgent it is: 0 is the lowest.
        priority: u8 = 0, number(0..=3);
        /// The protocol of the network: 0 for a text. 64 to 71 replace an earlier message on the handset.
        protocol_id: u8 = 0, number(0..=255);
        /// Whether to replace a message of the same addresses and service type that waits at the SMSC.
        replace_if_present: bool = false, flag();
    }
}
