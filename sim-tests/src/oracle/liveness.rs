//! Once the faults have stopped, everything comes to rest within the time that the plan allows.

use super::Report;
use crate::history::{History, What};

/// Nothing is left when the time is up.
pub(super) fn liveness(history: &History, report: &mut Report) {
    for fact in &history.facts {
        if let What::Restless { what } = &fact.what {
            report.broken(fact.at, format!("still waiting at the end: {what}"));
        }
    }
}
