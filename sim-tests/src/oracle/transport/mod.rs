//! What a transport promises between its bus and the SMSC, held against the octets at its ends of the connections and
//! against what its bus was told.

mod accepted;
mod arrivals;
mod bus;
mod failover;
mod fairness;
mod finals;
mod forms;
mod inbound;
mod marks;
mod order;
mod outbound;
mod pace;
mod parts;
mod progress;
mod reports;
mod seen;
mod sharing;
mod storm;
mod texts;

use super::Report;
pub(super) use marks::{all, marks};
pub(super) use seen::Seen;

type Oracle = fn(&Seen, &mut Report);

/// The oracles, by name.
const ORACLES: [(&str, Oracle); 15] = [
    ("outbound", outbound::outbound),
    ("inbound", inbound::inbound),
    ("rate", pace::rate),
    ("rate", pace::probe),
    ("order", order::order),
    ("fairness", fairness::fairness),
    ("storm", storm::storm),
    ("sharing", sharing::sharing),
    ("reports", reports::reports),
    ("reports", finals::finals),
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
