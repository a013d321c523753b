//! Seeds on all cores: run, check, compare, count.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::history::History;
use crate::oracle::{Violation, all_marks, examine};
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
    /// Simulated time.
    pub simulated: Duration,
}

/// Runs a plan and looks at its history.
#[must_use]
pub fn judge(plan: &Plan, tier: Tier) -> (Verdict, History) {
    let (history, panic) = match run(plan, tier) {
        Ok(history) => (history, None),
        Err(panic) => (History::default(), Some(panic)),
    };
    let (mut violations, marks) = examine(plan, &history);
    violations.extend(panic.map(|words| Violation { oracle: "panic", at: Duration::ZERO, words }));
    let verdict = Verdict {
        seed: plan.seed,
        digest: history.digest(),
        facts: history.facts.len(),
        violations,
        marks: marks.into_iter().collect(),
        simulated: history.facts.last().map_or(Duration::ZERO, |fact| fact.at),
    };
    (verdict, history)
}

/// Whether a plan breaks the promise that this oracle watches.
#[must_use]
pub fn breaks(plan: &Plan, tier: Tier, oracle: &str) -> bool {
    judge(plan, tier).0.violations.iter().any(|violation| violation.oracle == oracle)
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
    /// Simulated time, all together.
    pub simulated: Duration,
    /// Wall time.
    pub took: Duration,
}

/// One in how many seeds is run again, to see that nothing but the seed decides.
const COMPARE_EVERY: u64 = 20;

impl Sweep {
    /// Runs the seeds. `each` hears of every verdict as it comes, and of how many seeds are done; false ends the sweep early.
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
                if !each(&verdict, summary.plans + passed_over.load(Ordering::Relaxed)) {
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
        let (verdict, _) = judge(&plan, self.tier);
        let digest = || run(&plan, self.tier).unwrap_or_default().digest();
        let again = seed.is_multiple_of(COMPARE_EVERY).then(|| digest() == verdict.digest);
        Some((verdict, again))
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
