//! Steps of the wall clock: whoever keeps the machine's time sets it, or it was asleep. What waits for so long goes on waiting
//! for as long; what waits for a time of day follows the clock.

use std::time::Duration;

use smpp_transport::pdu::MessageState;

use super::mailbox::{Mailbox, is_over};
use super::plans::Plans;
use super::{Now, Outcome, Record};

/// What the two clocks may differ by before that is a step: they are not read in the same moment.
const STEP_MIN: Duration = Duration::from_secs(1);

/// A step.
#[derive(Clone, Copy)]
struct Step {
    /// What the wall clock would say without it.
    from: Duration,
    to: Duration,
}

impl Step {
    /// A time that is as far off as it was.
    fn carry(self, time: Duration) -> Duration {
        if self.to >= self.from {
            time.saturating_add(self.to - self.from)
        } else {
            time.saturating_sub(self.from - self.to)
        }
    }
}

impl Mailbox {
    /// Looks at the clocks. Comes first in whatever is done at a time.
    pub(super) fn look(&mut self, now: Now) {
        self.plans.looked = now.mono;
        let base = *self.clocks.get_or_insert(now);
        let from = base.wall.saturating_add(now.mono.saturating_sub(base.mono));
        if now.wall.abs_diff(from) < STEP_MIN {
            return;
        }
        self.clocks = Some(now);
        let step = Step { from, to: now.wall };
        let open: Vec<u64> =
            self.records.values().filter(|record| !is_over(record)).map(|record| record.number).collect();
        for number in open {
            self.change(number, |record, plans| record.step(step, now, plans));
        }
    }
}

impl Record {
    fn step(&mut self, step: Step, now: Now, plans: &mut Plans) {
        let carry = |time: &mut Option<Duration>| *time = time.map(|time| step.carry(time));
        carry(&mut self.ends);
        if self.relative.scheduled && self.state == MessageState::SCHEDULED {
            carry(&mut self.scheduled);
        }
        if self.relative.expires {
            carry(&mut self.expires);
        }
        // Their timers are right as they are.
        for fate in self.receipts.iter_mut().filter(|fate| fate.outcome == Outcome::Waiting && fate.due > step.from) {
            fate.due = step.carry(fate.due);
        }
        self.stop(plans);
        self.go_on(now, plans);
    }
}
