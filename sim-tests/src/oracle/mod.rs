//! What must be true of every run: pure functions of its plan and history. They watch and never act, and know nothing of
//! how sessions and drivers are made.

mod answers;
mod bodies;
mod faults;
mod legality;
mod line;
mod liveness;
mod malformed;
mod marks;
mod outcomes;
mod smsc;
mod transport;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use crate::history::History;
use crate::plan::Plan;
pub use line::{Frame, Line, lines};
pub use marks::all as all_marks;

/// A promise that a run broke.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Violation {
    /// Which oracle saw it.
    pub oracle: &'static str,
    /// When, in simulated time.
    pub at: Duration,
    /// What was seen, and what was promised.
    pub words: String,
}

type Oracle = fn(&Plan, &History, &[Line], &mut Report);

/// The oracles, by name.
const ORACLES: [(&str, Oracle); 10] = [
    ("wire", wire::wire),
    ("legality", legality::legal_in_state),
    ("numbers", legality::numbers),
    ("window", legality::window),
    ("octets", legality::octets),
    ("answers", answers::answers),
    ("bodies", bodies::bodies),
    ("malformed", malformed::malformed),
    ("enquire_link", answers::enquire_link),
    ("outcomes", outcomes::outcomes),
];

/// Where an oracle writes what it has seen.
pub struct Report {
    oracle: &'static str,
    violations: Vec<Violation>,
    excuses: BTreeMap<&'static str, u64>,
}

impl Report {
    /// Counts a case that an oracle could not judge, by the reason.
    fn excused(&mut self, reason: &'static str) {
        *self.excuses.entry(reason).or_default() += 1;
    }

    fn broken(&mut self, at: Duration, words: String) {
        self.violations.push(Violation { oracle: self.oracle, at, words });
    }
}

/// Everything that is wrong with a run, in the order of the oracles.
#[must_use]
pub fn check(plan: &Plan, history: &History) -> Vec<Violation> {
    examine(plan, history).violations
}

/// Everything that the oracles say of a run.
#[derive(Debug)]
pub struct Findings {
    /// Broken promises, in the order of the oracles.
    pub violations: Vec<Violation>,
    /// Situations that it has met.
    pub marks: BTreeSet<&'static str>,
    /// Cases that an oracle could not judge, by the reason.
    pub excuses: BTreeMap<&'static str, u64>,
}

/// Looks at a run with all oracles.
#[must_use]
pub fn examine(plan: &Plan, history: &History) -> Findings {
    let lines = lines(history);
    let seen = smsc::Seen::of(plan, history, &lines);
    let mut report = Report { oracle: "", violations: Vec::new(), excuses: BTreeMap::new() };
    for (name, oracle) in ORACLES {
        report.oracle = name;
        oracle(plan, history, &lines, &mut report);
    }
    smsc::check(&seen, &mut report);
    let transports = transport::Seen::of(plan, history, &lines);
    transport::check(&transports, &mut report);
    report.oracle = "liveness";
    liveness::liveness(history, &mut report);
    let mut marks = marks::marks(plan, &seen, history, &lines);
    marks.extend(transport::marks(&transports));
    Findings { violations: report.violations, marks, excuses: report.excuses }
}

/// How late something may be that is done at once: what time is rounded to on the slower tier.
fn slack(plan: &Plan) -> Duration {
    Duration::from_millis(2 * plan.tick_ms + 5)
}
