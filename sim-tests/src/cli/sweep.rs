//! `sweep`: many seeds on all cores.

mod report;
mod save;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use sim_tests::origin::Origin;
use sim_tests::plan::{Feature, Profile};
use sim_tests::runner::{self, Summary, Verdict};
use sim_tests::world::Tier;

use super::progress::Progress;
use super::{End, cores, fail_line, interrupt, say, seed, seeds, time};
use report::Report;

/// Which seeds, and where to say what came of them.
#[derive(Args)]
pub(crate) struct Sweep {
    /// Seeds, from the first up to but without the second [default: 0..1000]
    #[arg(long, value_name = "A..B", value_parser = seeds, conflicts_with = "limit")]
    seeds: Option<(u64, u64)>,
    /// Go on for this long: 90s, 10m, 2h
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    limit: Option<Duration>,
    /// Where to start with --for [default: 0]
    #[arg(long, value_name = "SEED", value_parser = seed, requires = "limit")]
    from: Option<u64>,
    /// On which network
    #[arg(long, value_enum, default_value_t = Tier::Fast)]
    tier: Tier,
    /// Threads [default: one for each core]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Only plans of this mix
    #[arg(long, value_name = "calm|swarm|all", value_parser = profile)]
    profile: Option<Profile>,
    /// Only plans that have this in them; the other seeds are passed over
    #[arg(long, value_enum)]
    only: Option<Feature>,
    /// Stop after so many failures
    #[arg(long, value_name = "N")]
    max_failures: Option<u64>,
    /// Write the result as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write the result as JUnit XML
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Write the plan of each failing seed into this folder, of the first three also the trace and the shrunk plan
    #[arg(long, value_name = "DIR", default_value = "target/sim-failures")]
    save_to: PathBuf,
    /// Plans to try at most for each shrunk plan that is saved; 0 shrinks none
    #[arg(long, value_name = "N", default_value_t = 500)]
    shrink_runs: u64,
}

/// Seeds above which a sweep that met too few situations has failed.
const MARKS_REQUIRED_FROM: u64 = 1_000;

pub(super) fn profile(text: &str) -> Result<Profile, String> {
    serde_json::from_value(json!(text)).map_err(|_| "calm, swarm and all are the mixes that there are".to_owned())
}

impl Sweep {
    pub(crate) fn run(self) -> End {
        let (from, count) = match (self.seeds, self.limit) {
            (Some((from, count)), _) => (from, Some(count)),
            (None, Some(_)) => (self.from.unwrap_or(0), None),
            (None, None) => (0, Some(1_000)),
        };
        say(self.origin());
        interrupt::watch();
        let jobs = self.jobs.unwrap_or_else(cores);
        let (limit, tier, profile, only) = (self.limit, self.tier, self.profile, self.only);
        let sweep = runner::Sweep { from, count, limit, tier, jobs, profile, only };
        let bar = Progress::new(count, self.limit);
        let mut failed = 0;
        let summary = sweep.run(|verdict, done| {
            if !verdict.violations.is_empty() {
                failed += 1;
                bar.aside(|| self.say_failure(verdict));
            }
            bar.at(done, &if failed > 0 { format!("{failed} failed") } else { String::new() });
            self.max_failures.is_none_or(|max| failed < max) && !interrupt::has_come()
        });
        bar.end();
        self.conclude(&summary)
    }

    fn origin(&self) -> Origin {
        Origin::of_all(Some(self.tier))
    }

    fn say_failure(&self, verdict: &Verdict) {
        let Some(first) = verdict.violations.first() else { return };
        say(format!("seed {} at {:?}: {}", verdict.seed, first.at, first.words));
        say(fail_line(verdict.seed, first, &verdict.seed.to_string(), self.tier, self.profile));
    }

    fn conclude(&self, summary: &Summary) -> End {
        let seconds = summary.took.as_secs_f64();
        for mark in sim_tests::oracle::all_marks() {
            say(format!("{:>9}  {mark}", summary.marks.get(mark).copied().unwrap_or(0)));
        }
        for (reason, count) in &summary.excuses {
            say(format!("{count:>9}  not judged: {reason}"));
        }
        for seed in &summary.differed {
            say(format!("DIFFERED seed={seed}: two runs of it were not the same"));
        }
        if interrupt::has_come() {
            say("interrupted: these are the seeds so far");
        }
        say(format!(
            "{} plans in {seconds:.1} s, {:.0} plans/s, {:.0} simulated s; {} compared, {} differed; {} failed; marks met {}/{}",
            summary.plans,
            summary.plans as f64 / seconds.max(1e-9),
            summary.simulated.as_secs_f64(),
            summary.compared,
            summary.differed.len(),
            summary.failed.len(),
            summary.marks.len(),
            sim_tests::oracle::all_marks().count(),
        ));
        if summary.plans == 0 && self.only.is_some() {
            return End::Usage("--only: none of these seeds draws such a plan".to_owned());
        }
        let end = self.end(summary);
        // Where plans cannot be saved the reports are wanted all the same.
        let (saved, is_saved) = self.save(summary).map_or_else(|line| (BTreeMap::new(), Err(line)), |it| (it, Ok(())));
        let is_written = self.write(&Report { sweep: self, summary, saved, end: &end });
        is_written.and(is_saved).map_or_else(End::Usage, |()| end)
    }

    fn end(&self, summary: &Summary) -> End {
        let is_whole = self.profile.is_none() && self.only.is_none() && summary.plans >= MARKS_REQUIRED_FROM;
        let unmet = is_whole && !summary.unmet().is_empty();
        match (summary.failed.is_empty(), summary.differed.is_empty(), unmet) {
            (false, ..) => End::Violated,
            (_, false, _) => End::Differed,
            (.., true) => End::Unmet,
            _ => End::Fine,
        }
    }

    fn write(&self, report: &Report) -> Result<(), String> {
        let write = |file: &Option<PathBuf>, text: &dyn Fn() -> String| {
            file.as_ref().map_or(Ok(()), |file| super::files::write(file, text()))
        };
        write(&self.json, &|| report.json())?;
        write(&self.junit, &|| report.junit())
    }
}
