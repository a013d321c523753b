//! What each simulator promises of messages, receipts and what it delivers, held against the octets at its own ends of the
//! connections and its own account.

mod deliveries;
mod marks;
mod receipts;
mod routing;
mod seen;
mod states;

use super::Report;
pub(super) use marks::{MARKS, marks};
pub(super) use seen::{Answered, Seen};

type Oracle = fn(&Seen, &mut Report);

/// The oracles, by name.
const ORACLES: [(&str, Oracle); 4] = [
    ("receipts", receipts::receipts),
    ("states", states::states),
    ("routing", routing::routing),
    ("deliveries", deliveries::deliveries),
];

pub(super) fn check(seen: &[Seen], report: &mut Report) {
    for (name, oracle) in ORACLES {
        report.oracle = name;
        seen.iter().for_each(|seen| oracle(seen, report));
    }
}
