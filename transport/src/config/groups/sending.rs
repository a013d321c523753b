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

/// Messages that a full queue at the SMSC delays.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum QueueFull {
    /// Messages to the same address.
    Destination,
    /// All messages, as throttling does.
    Link,
}

/// Start of a message's validity.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ValidityFrom {
    /// Each submit.
    Sent,
    /// The time at which the bus accepted the message.
    Accepted,
}

options! {
    /// Towards the SMSC: how fast, in which order, and what to do when it refuses or does not answer.
    pub struct Sending {
        /// Policy for a message whose outcome is unknown, because the session broke or no response came in time. `resend` sends it
        /// again as `resend` says, and the subscriber may get it twice. `nack` reports it as failed, and the subscriber may have it.
        on_unknown_outcome: OnUnknownOutcome = OnUnknownOutcome::Resend,
            names(&[("resend", OnUnknownOutcome::Resend), ("nack", OnUnknownOutcome::Nack)]);
        /// Pauses and number of resends of a message whose outcome is unknown.
        resend: Resend = Resend::default(), Nested;
        /// Order in which messages reach the SMSC. `per_destination`: messages to one address, and their parts, go in the order in
        /// which they were taken from the bus, resends and several sessions included. For that one submit to an address is
        /// outstanding at a time, so one address gets at most one submit per round trip; other addresses fill the window
        /// meanwhile. `strict`: one submit is outstanding at a time, for all messages. `none`: no order, and no such cost. Processes
        /// that share a queue do not know each other's messages.
        keep_order: KeepOrder = KeepOrder::PerDestination, names(&[
            ("none", KeepOrder::None), ("per_destination", KeepOrder::PerDestination), ("strict", KeepOrder::Strict),
        ]);
        /// How fast to send at most.
        rate_limit: RateLimit = RateLimit::default(), Nested;
        /// Policy for an SMSC that throttles.
        throttle: Throttle = Throttle::default(), Nested;
        /// Messages that wait when the SMSC answers that a queue is full. `destination`: messages to the same address are delayed as
        /// `queue_full_retry` says, and others are not. `link`: the status throttles all messages, as in vumi2.
        queue_full: QueueFull = QueueFull::Destination,
            names(&[("destination", QueueFull::Destination), ("link", QueueFull::Link)]);
        /// Statuses, pauses and number of resends for a full queue of one address.
        queue_full_retry: QueueFullRetry = QueueFullRetry::default(), Nested;
        /// Refusals that are tried again: by status, the number of resends and the pause before each. All others are final, and the
        /// message gets a `nack`. A given value replaces all of the default. A count of 0 is never. For a status that is also in
        /// `throttle.statuses` or `queue_full_retry.statuses`, an entry given here sets the number of resends and the shortest pause
        /// of the message; entries of the default do not count for such a status.
        retry: BTreeMap<CommandStatus, Retry> = Retry::defaults(), map(word::status(), record(&[]));
        /// Longest time from the first failure of a message to its last resend. A message that fails after that gets a `nack`.
        retry_max_age: Duration = Duration::from_secs(1_200), time(Duration::ZERO, DAY * 30);
        /// Highest age of a message at its first submit. An older one gets the `nack` "expired before it was sent". The age counts
        /// from the `timestamp` of the message, in UTC, which the embedded bus sets when the application left it out; without a
        /// readable timestamp it counts from when the message was taken from the bus. For texts that are useless when late, such as
        /// one-time passwords.
        message_max_age: Option<Duration> = None, never_or(time(Duration::from_secs(1), DAY * 365));
        /// Start of the validity period of a message. `sent`: each submit gives the SMSC the whole period. `accepted`: the period
        /// counts from the `timestamp` of the message, as `message_max_age` does; each submit carries what is left of it, and a
        /// message gets a `nack` once nothing is left. Absolute times are never changed.
        validity_from: ValidityFrom = ValidityFrom::Sent,
            names(&[("sent", ValidityFrom::Sent), ("accepted", ValidityFrom::Accepted)]);
    }
}

options! {
    /// Pauses and number of resends of a message whose outcome is unknown: the session broke, or no response came in time. A
    /// message that was outstanding when a session broke waits for the messages before it, and is then sent alone, on one
    /// session at a time, so that a message that the SMSC hangs up at does not stop the others.
    pub struct Resend {
        /// Most submits of a message, or of a part of a long one, whose outcome stays unknown, the first included. After the last one
        /// the message gets a `nack`. 1 never sends again.
        tries: u32 = 5, number(1..=1_000);
        /// Pause before the first resend.
        delay: Duration = Duration::from_secs(1), time(MS * 10, DAY);
        /// Factor from each pause to the next.
        factor: f64 = 2.0, float(1.0..=100.0);
        /// Longest pause.
        max: Duration = Duration::from_secs(60), time(MS * 10, DAY);
    }
}

options! {
    /// Statuses, pauses and number of resends for a full queue of one address, with `queue_full: destination`.
    pub struct QueueFullRetry {
        /// Statuses that say that the queue of the destination is full. One that is also in `throttle.statuses` throttles all.
        statuses: Vec<CommandStatus> = vec![CommandStatus::ESME_RMSGQFUL], list(word::status());
        /// Most submits to an address that are answered so in a row, the first included. Then the message gets a `nack`, and those
        /// behind it to the same address have one try each, until the SMSC accepts one.
        tries: u32 = 5, number(1..=1_000);
        /// Pause before the first resend.
        delay: Duration = Duration::from_secs(1), time(MS * 10, DAY);
        /// Factor from each pause to the next.
        factor: f64 = 2.0, float(1.0..=100.0);
        /// Longest pause.
        max: Duration = Duration::from_secs(60), time(MS * 10, DAY);
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
    /// Policy for an SMSC that throttles.
    pub struct Throttle {
        /// Statuses that throttle. The message is not refused: it is sent again, until `retry_max_age`.
        statuses: Vec<CommandStatus> = vec![CommandStatus::ESME_RTHROTTLED], list(word::status());
        /// First pause in which nothing is sent. After each pause one message goes, and the others when the SMSC has accepted it.
        delay: Duration = MS * 100, time(MS, Duration::from_secs(3_600));
        /// Factor from each pause to the next, until the SMSC accepts a message.
        factor: f64 = 2.0, float(1.0..=100.0);
        /// Longest pause.
        max: Duration = Duration::from_secs(30), time(MS, DAY);
        /// Whether to estimate the rate that the SMSC accepts, and to keep to it: just below the rate at which it throttled, and
        /// from there up again, so that about one submit in fifty is refused while messages wait, and a limit that was lifted is
        /// noticed. `rate_limit` holds as well. Without it messages go as fast as the window allows between two pauses.
        adapt: bool = true, flag();
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

/// Form of a time in a submit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TimeFormat {
    /// A period from now on.
    Relative,
    /// A moment, in UTC.
    Absolute,
}

options! {
    /// What each submit says unless the message says otherwise, in its `transport_metadata`.
    pub struct Defaults {
        /// How long the SMSC is to try. None leaves it to the SMSC.
        validity_period: Option<Duration> = None, never_or(time(Duration::from_secs(1), DAY * 3_650));
        /// How long the SMSC is to wait before it tries. None is at once.
        schedule: Option<Duration> = None, never_or(time(Duration::from_secs(1), DAY * 3_650));
        /// Form in which validity and schedule are sent: `relative`, a period, or `absolute`, a moment in UTC, which some SMSCs
        /// require. A message that gives a moment has it sent as it is.
        validity_format: TimeFormat = TimeFormat::Relative,
            names(&[("relative", TimeFormat::Relative), ("absolute", TimeFormat::Absolute)]);
        /// Number of a text that is stored at the SMSC, to be sent for an empty one; 0 is none.
        sm_default_msg_id: u8 = 0, number(0..=255);
        /// How urgent it is: 0 is the lowest.
        priority: u8 = 0, number(0..=3);
        /// The protocol of the network: 0 for a text. 64 to 71 replace an earlier message on the handset.
        protocol_id: u8 = 0, number(0..=255);
        /// Whether to replace a message of the same addresses and service type that waits at the SMSC.
        replace_if_present: bool = false, flag();
    }
}
