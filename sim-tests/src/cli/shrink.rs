//! `shrink`: the smallest plan that still breaks the same promise, as a file that `replay` takes.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use sim_tests::oracle::Violation;
use sim_tests::origin::Origin;
use sim_tests::plan::{Plan, Profile};
use sim_tests::runner::{Verdict, breaks, judge, judge_in_time};
use sim_tests::shrink::{Budget, Shrunk, shrink};
use sim_tests::world::Tier;

use super::files::{plan, write_plan};
use super::progress::Progress;
use super::{End, cores, fail_line, interrupt, say, time};

/// Which plan, and how long to try.
#[derive(Args)]
pub(crate) struct Shrink {
    /// A seed, or the file of a plan
    #[arg(value_name = "SEED|PLAN")]
    what: String,
    /// Where the smallest plan goes [default: SEED.shrunk.json, or PLAN.shrunk.json beside the plan]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// On which network
    #[arg(long, value_enum, default_value_t = Tier::Fast)]
    tier: Tier,
    /// The mix that the seed was swept with, if it was given
    #[arg(long, value_name = "calm|swarm|all", value_parser = super::sweep::profile)]
    profile: Option<Profile>,
    /// Plans to try at most
    #[arg(long, value_name = "N", default_value_t = 2_000)]
    runs: u64,
    /// End after this long, with what was found by then: 90s, 10m, 2h
    #[arg(long, value_name = "TIME", value_parser = time)]
    budget: Option<Duration>,
    /// Plans to try at once [default: one for each core]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
}

impl Shrink {
    pub(crate) fn run(self) -> End {
        let plan = match plan(&self.what, self.profile) {
            Ok(plan) => plan,
            Err(line) => return End::Usage(line),
        };
        say(Origin::of(&plan, self.tier));
        self.shrink(&plan, &judge_in_time(&plan, self.tier))
    }

    fn shrink(&self, plan: &Plan, verdict: &Verdict) -> End {
        let Some(first) = verdict.violations.first() else {
            say(format!("seed={} breaks no promise: there is nothing to shrink", plan.seed));
            return End::Fine;
        };
        say_violation(first);
        if verdict.is_endless() {
            say(format!("seed={} is not shrunk: each run that never ends would keep a core", plan.seed));
            return End::Violated;
        }
        interrupt::watch();
        let shrunk =
            Limits { tier: self.tier, runs: self.runs, time: self.budget, jobs: self.jobs }.shrink(plan, first);
        let file = self.output.clone().unwrap_or_else(|| self.file());
        if let Err(line) = write_plan(&file, &shrunk.plan) {
            return End::Usage(line);
        }
        say_shrunk(plan, &shrunk, self.tier, first, &file);
        End::Violated
    }

    fn file(&self) -> PathBuf {
        let what = Path::new(&self.what);
        if what.exists() { what.with_extension("shrunk.json") } else { format!("{}.shrunk.json", self.what).into() }
    }
}

/// How far to go.
pub(super) struct Limits {
    pub(super) tier: Tier,
    pub(super) runs: u64,
    pub(super) time: Option<Duration>,
    pub(super) jobs: Option<usize>,
}

impl Limits {
    /// The smallest plan that breaks the same promise.
    #[expect(clippy::disallowed_methods, reason = "a runner measures wall time; no run sees it")]
    pub(super) fn shrink(&self, plan: &Plan, first: &Violation) -> Shrunk {
        let start = Instant::now();
        let is_late = || self.time.is_some_and(|time| start.elapsed() >= time);
        let jobs = self.jobs.unwrap_or_else(cores);
        let budget = Budget { runs: self.runs, jobs, is_over: &|| interrupt::has_come() || is_late() };
        let bar = Progress::new(Some(self.runs), None);
        let shrunk = shrink(plan, &budget, &|plan| breaks(plan, self.tier, first.oracle), &mut |best, runs| {
            bar.at(runs, &format!("{} steps", best.steps()));
        });
        bar.end();
        shrunk
    }
}

/// Prints the violation of the shrunk plan, its size, and the line that reproduces it. The line names the seed that was drawn: that of a
/// shrunk plan may be another one, and does not fail by itself.
pub(super) fn say_shrunk(plan: &Plan, shrunk: &Shrunk, tier: Tier, first: &Violation, file: &Path) {
    let (verdict, _) = judge(&shrunk.plan, tier);
    verdict.violations.iter().find(|violation| violation.oracle == first.oracle).into_iter().for_each(say_violation);
    let (before, after) = (plan.steps(), shrunk.plan.steps());
    let end = if shrunk.is_smallest { "none of which can go" } else { "cut short" };
    say(format!("shrunk from {before} steps to {after}, {end}, in {} runs: {}", shrunk.runs, file.display()));
    say(fail_line(plan.seed, first, &file.display().to_string(), tier, None));
}

fn say_violation(violation: &Violation) {
    say(format!("VIOLATED {} at {:?}: {}", violation.oracle, violation.at, violation.words));
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        shrink: Shrink,
    }

    #[test]
    fn a_run_that_never_ends_is_not_shrunk() {
        let output = std::env::temp_dir().join(format!("sim-tests-endless-{}", std::process::id()));
        let flags = ["shrink", "1", "-o", &output.to_string_lossy()];
        let shrink = Flags::try_parse_from(flags).unwrap_or_else(|error| panic!("{error}")).shrink;
        let plan = Plan::draw(1, Some(Profile::Calm));
        assert!(matches!(shrink.shrink(&plan, &Verdict::endless(1)), End::Violated));
        assert!(!output.exists());
    }
}
