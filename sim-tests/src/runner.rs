//! Seeds on all cores: run, check, compare, count.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::history::History;
use crate::oracle::{Findings, Violation, all_marks, examine};
use crate::plan::{Feature, Plan, Profile};
use crate::world::{Tier, run};

/// One seed, run and looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// The seed.
    pub seed: u64,
    /// A number that differs when anything in the history differs.
    pub digest: u64,
    /// Facts in the history.
    pub facts: usize,
    /// What was broken.
    pub violations: Vec<Violation>,
    /// The situations that were met.
    #[serde(skip)]
    pub marks: Vec<&'static str>,
    /// Cases that an oracle could not judge, by the reason.
    #[serde(skip)]
    pub excuses: BTreeMap<&'static str, u64>,
    /// Simulated time.
    pub simulated: Duration,
}

impl Verdict {
    /// Of a run that goes round in circles.
    #[must_use]
    pub fn endless(seed: u64) -> Verdict {
        let words = format!("it has not ended after {LONGEST_RUN:?} of wall time, where runs take milliseconds");
        let violations = vec![Violation { oracle: "endless", at: Duration::ZERO, words }];
        let (marks, excuses) = (Vec::new(), BTreeMap::new());
        Verdict { seed, digest: 0, facts: 0, violations, marks, excuses, simulated: Duration::ZERO }
    }

    /// Whether the run never ended: to run it again would take as long.
    #[must_use]
    pub fn is_endless(&self) -> bool {
        self.violations.iter().any(|violation| violation.oracle == "endless")
    }
}

/// Runs a plan and looks at its history.
#[must_use]
pub fn judge(plan: &Plan, tier: Tier) -> (Verdict, History) {
    let (history, panic) = match run(plan, tier) {
        Ok(history) => (history, None),
        Err(panic) => (History::default(), Some(panic)),
    };
    let Findings { mut violations, marks, excuses } = examine(plan, &history);
    violations.extend(panic.map(|words| Violation { oracle: "panic", at: Duration::ZERO, words }));
    let verdict = Verdict {
        seed: plan.seed,
        digest: history.digest(),
        facts: history.facts.len(),
        violations,
        marks: marks.into_iter().collect(),
        excuses,
        simulated: history.facts.last().map_or(Duration::ZERO, |fact| fact.at),
    };
    (verdict, history)
}

/// Runs a plan and looks at its history, but for a run that never ends: of that, this is all that is known.
#[must_use]
pub fn judge_in_time(plan: &Plan, tier: Tier) -> Verdict {
    let (seed, plan) = (plan.seed, plan.clone());
    within(LONGEST_RUN, move || judge(&plan, tier).0).unwrap_or_else(|| Verdict::endless(seed))
}

/// Whether a plan breaks the promise that this oracle watches. One that never ends does not.
#[must_use]
pub fn breaks(plan: &Plan, tier: Tier, oracle: &str) -> bool {
    let verdict = judge_in_time(plan, tier);
    !verdict.is_endless() && verdict.violations.iter().any(|violation| violation.oracle == oracle)
}

/// Wall time after which a run is taken to be endless: thousands of times what most take.
const LONGEST_RUN: Duration = Duration::from_secs(60);

/// In how many parts that is waited for.
const STEPS: u32 = 60;

/// What comes of this, on a thread of its own; nothing if it takes longer. Then the thread is left behind, and may go on for
/// as long as the program does.
#[expect(clippy::disallowed_methods, reason = "a thread of the runner's; what it runs sees nothing of it")]
fn within<T: Send + 'static>(limit: Duration, what: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, result) = mpsc::channel();
    let thread = std::thread::spawn(move || sender.send(what()).is_ok());
    // In steps, of which a program that was stopped and goes on, as by Ctrl-Z, loses one.
    for _ in 0..STEPS {
        match result.recv_timeout(limit / STEPS) {
            Ok(result) => return Some(result),
            Err(RecvTimeoutError::Timeout) => {}
            // It panicked: that is a mistake of ours, and goes on to the caller.
            Err(RecvTimeoutError::Disconnected) => {
                return thread.join().map_or_else(|panic| resume_unwind(panic), |_| None);
            }
        }
    }
    None
}

/// Which seeds to run, and how.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The first seed.
    pub from: u64,
    /// How many; none goes on until the time is up.
    pub count: Option<u64>,
    /// How long, in wall time.
    pub limit: Option<Duration>,
    /// On which network.
    pub tier: Tier,
    /// Threads.
    pub jobs: usize,
    /// Only plans of this profile.
    pub profile: Option<Profile>,
    /// Only plans that have this in them: the other seeds are passed over.
    pub only: Option<Feature>,
}

/// What a sweep has seen.
#[derive(Debug, Default)]
pub struct Summary {
    /// Seeds run.
    pub plans: u64,
    /// Seeds that were run again and compared.
    pub compared: u64,
    /// Seeds whose two runs differed.
    pub differed: Vec<u64>,
    /// Seeds that broke a promise.
    pub failed: Vec<Verdict>,
    /// How many seeds met each mark.
    pub marks: BTreeMap<&'static str, u64>,
    /// Cases that an oracle could not judge, by the reason.
    pub excuses: BTreeMap<&'static str, u64>,
    /// Simulated time, all together.
    pub simulated: Duration,
    /// Wall time.
    pub took: Duration,
}

/// One in how many seeds is run again, to see that nothing but the seed decides.
const COMPARE_EVERY: u64 = 20;

impl Sweep {
    /// Runs the seeds. `each` hears of every verdict as it comes, and of how many seeds are done; false ends the sweep early.
    /// So does a run that never ends, since its thread keeps a core.
    #[expect(clippy::disallowed_methods, reason = "a runner measures wall time and uses all cores; no run sees either")]
    pub fn run(&self, mut each: impl FnMut(&Verdict, u64) -> bool) -> Summary {
        let (next, passed_over, stop) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
        let (verdicts, results) = mpsc::channel();
        let start = Instant::now();
        let mut summary = Summary::default();
        std::thread::scope(|threads| {
            for _ in 0..self.jobs.max(1) {
                let (verdicts, next, passed_over, stop) = (verdicts.clone(), &next, &passed_over, &stop);
                threads.spawn(move || {
                    while let Some(seed) = self.next_seed(next, stop, start) {
                        let Some(compared) = self.judge_seed(seed) else {
                            passed_over.fetch_add(1, Ordering::Relaxed);
                            continue;
                        };
                        if verdicts.send(compared).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(verdicts);
            for (verdict, again) in results {
                summary.add(&verdict, again);
                let goes_on = each(&verdict, summary.plans + passed_over.load(Ordering::Relaxed));
                if !goes_on || verdict.is_endless() {
                    stop.store(true, Ordering::Relaxed);
                }
            }
        });
        summary.took = start.elapsed();
        summary.failed.sort_by_key(|verdict| verdict.seed);
        summary
    }

    fn next_seed(&self, next: &AtomicU64, stop: &AtomicBool, start: Instant) -> Option<u64> {
        let ordinal = next.fetch_add(1, Ordering::Relaxed);
        let over = stop.load(Ordering::Relaxed)
            || self.count.is_some_and(|count| ordinal >= count)
            || self.limit.is_some_and(|limit| start.elapsed() >= limit);
        (!over).then(|| self.from.wrapping_add(ordinal))
    }

    fn judge_seed(&self, seed: u64) -> Option<(Verdict, Option<bool>)> {
        let plan = Plan::draw(seed, self.profile);
        if self.only.is_some_and(|feature| !plan.has(feature)) {
            return None;
        }
        let tier = self.tier;
        let judged = within(LONGEST_RUN, move || {
            let (verdict, _) = judge(&plan, tier);
            let digest = || run(&plan, tier).unwrap_or_default().digest();
            let again = seed.is_multiple_of(COMPARE_EVERY).then(|| digest() == verdict.digest);
            (verdict, again)
        });
        Some(judged.unwrap_or_else(|| (Verdict::endless(seed), None)))
    }
}

impl Summary {
    fn add(&mut self, verdict: &Verdict, again: Option<bool>) {
        self.plans += 1;
        self.simulated += verdict.simulated;
        if let Some(same) = again {
            self.compared += 1;
            if !same {
                self.differed.push(verdict.seed);
            }
        }
        for mark in &verdict.marks {
            *self.marks.entry(mark).or_default() += 1;
        }
        for (reason, count) in &verdict.excuses {
            *self.excuses.entry(reason).or_default() += count;
        }
        if !verdict.violations.is_empty() {
            self.failed.push(verdict.clone());
        }
    }

    /// Marks that no seed has met.
    #[must_use]
    pub fn unmet(&self) -> Vec<&'static str> {
        all_marks().filter(|mark| !self.marks.contains_key(mark)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn what_does_not_end_is_left_behind() {
        let over = Arc::new(AtomicBool::new(false));
        let seen = over.clone();
        let circles = move || while !seen.load(Ordering::Relaxed) {};
        assert_eq!(within(Duration::from_millis(1), circles), None);
        over.store(true, Ordering::Relaxed);
        assert_eq!(within(LONGEST_RUN, || 7), Some(7));
    }

    #[test]
    #[should_panic(expected = "an oracle's mistake")]
    fn what_panics_goes_on_to_the_caller() {
        let panics = || -> u8 { panic!("an oracle's mistake") };
        within(LONGEST_RUN, panics);
    }

    #[test]
    fn an_endless_run_is_a_failure_that_says_so() {
        let verdict = Verdict::endless(4711);
        assert!(verdict.is_endless());
        assert_eq!((verdict.seed, verdict.violations[0].oracle), (4711, "endless"));
        let mut summary = Summary::default();
        summary.add(&verdict, None);
        assert_eq!((summary.plans, summary.failed.len(), summary.compared), (1, 1, 0));
    }
}
