//! What a transport promises between its bus and the SMSC, held against the octets at its ends of the connections and
//! against what its bus was told.

mod bus;
mod failover;
mod inbound;
mod marks;
mod order;
mod outbound;
mod pace;
mod parts;
mod progress;
mod reports;
mod seen;
mod texts;

use super::Report;
pub(super) use marks::{MARKS, marks};
pub(super) use seen::Seen;

type Oracle = fn(&Seen, &mut Report);

/// The oracles, by name.
const ORACLES: [(&str, Oracle); 10] = [
    ("outbound", outbound::outbound),
    ("inbound", inbound::inbound),
    ("rate", pace::rate),
    ("order", order::order),
    ("reports", reports::reports),
    ("texts", texts::texts),
    ("durable", bus::durable),
    ("shutdown", bus::shutdown),
    ("progress", progress::progress),
    ("failover", failover::failover),
];

pub(super) fn check(seen: &[Seen], report: &mut Report) {
    for (name, oracle) in ORACLES {
        report.oracle = name;
        seen.iter().for_each(|seen| oracle(seen, report));
    }
}
