//! `sweep`: many seeds on all cores.

#[cfg(test)]
mod tests;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use sim_tests::oracle::Violation;
use sim_tests::plan::{Feature, Plan, Profile};
use sim_tests::runner::{self, Summary, Verdict};
use sim_tests::world::Tier;

use super::{End, say, seed, seeds};

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
    /// Write the plan of each failing seed into this folder
    #[arg(long, value_name = "DIR")]
    save_to: Option<PathBuf>,
}

/// Seeds above which a sweep that met too few situations has failed.
const MARKS_REQUIRED_FROM: u64 = 1_000;

fn time(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time: 90s, 10m, 2h");
    let units = [('s', 1), ('m', 60), ('h', 3_600)];
    let split = units.into_iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
    let (digits, seconds) = split.ok_or_else(wrong)?;
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(wrong)
}

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
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let jobs = self.jobs.unwrap_or(cores);
        let (limit, tier, profile, only) = (self.limit, self.tier, self.profile, self.only);
        let sweep = runner::Sweep { from, count, limit, tier, jobs, profile, only };
        let bar = bar(count);
        let mut failed = 0;
        let summary = sweep.run(|verdict, done| {
            bar.set_position(done);
            if !verdict.violations.is_empty() {
                failed += 1;
                bar.set_message(format!("{failed} failed"));
                bar.suspend(|| self.say_failure(verdict));
            }
            self.max_failures.is_none_or(|max| failed < max)
        });
        bar.finish_and_clear();
        self.conclude(&summary)
    }

    fn say_failure(&self, verdict: &Verdict) {
        let Some(first) = verdict.violations.first() else { return };
        say(format!("seed {} at {:?}: {}", verdict.seed, first.at, first.words));
        say(self.fail_line(verdict.seed, first));
    }

    fn fail_line(&self, seed: u64, first: &Violation) -> String {
        format!("FAIL seed={seed} oracle={} reproduce: {}", first.oracle, self.reproduce(seed))
    }

    fn reproduce(&self, seed: u64) -> String {
        let tier = if self.tier == Tier::Turmoil { " --tier turmoil" } else { "" };
        let profile = self.profile.map_or(String::new(), |profile| format!(" --profile {}", word(profile)));
        format!("cargo run --release -p sim-tests -- replay {seed}{tier}{profile}")
    }

    fn conclude(&self, summary: &Summary) -> End {
        let seconds = summary.took.as_secs_f64();
        let rate = summary.plans as f64 / seconds.max(1e-9);
        for mark in sim_tests::oracle::all_marks() {
            say(format!("{:>9}  {mark}", summary.marks.get(mark).copied().unwrap_or(0)));
        }
        for seed in &summary.differed {
            say(format!("DIFFERED seed={seed}: two runs of it were not the same"));
        }
        say(format!(
            "{} plans in {seconds:.1} s, {rate:.0} plans/s, {:.0} simulated s; {} compared, {} differed; {} failed; marks met {}/{}",
            summary.plans,
            summary.simulated.as_secs_f64(),
            summary.compared,
            summary.differed.len(),
            summary.failed.len(),
            summary.marks.len(),
            sim_tests::oracle::all_marks().count(),
        ));
        if let Err(line) = self.write(summary, rate) {
            return End::Usage(line);
        }
        if summary.plans == 0 && self.only.is_some() {
            return End::Usage("--only: none of these seeds draws such a plan".to_owned());
        }
        self.end(summary)
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

    fn write(&self, summary: &Summary, rate: f64) -> Result<(), String> {
        if let Some(file) = &self.json {
            let report = json!({
                "tier": self.tier, "plans": summary.plans, "plans_per_second": rate, "compared": summary.compared,
                "differed": summary.differed, "failed": summary.failed, "marks": summary.marks, "unmet": summary.unmet(),
            });
            write(file, &format!("{report:#}\n"))?;
        }
        if let Some(file) = &self.junit {
            write(file, &self.junit(summary))?;
        }
        for verdict in summary.failed.iter().filter(|_| self.save_to.is_some()) {
            let folder = self.save_to.as_deref().unwrap_or(Path::new("."));
            std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
            let plan = serde_json::to_string_pretty(&Plan::draw(verdict.seed, self.profile))
                .map_err(|error| error.to_string())?;
            write(&folder.join(format!("{}.json", verdict.seed)), &plan)?;
        }
        Ok(())
    }

    fn junit(&self, summary: &Summary) -> String {
        let cases: String = summary
            .failed
            .iter()
            .map(|verdict| {
                let words = verdict.violations.first().map_or("", |violation| &violation.words);
                let reproduce = self.reproduce(verdict.seed);
                format!(
                    "  <testcase name=\"seed {}\"><failure message=\"{}\">{}</failure></testcase>\n",
                    verdict.seed,
                    escaped(words),
                    escaped(&reproduce)
                )
            })
            .collect();
        let (tests, failures) = (summary.plans, summary.failed.len());
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuite name=\"sim-tests\" tests=\"{tests}\" failures=\"{failures}\">\n{cases}</testsuite>\n"
        )
    }
}

pub(super) fn word(profile: Profile) -> &'static str {
    match profile {
        Profile::Calm => "calm",
        Profile::Swarm => "swarm",
        Profile::All => "all",
    }
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    std::fs::write(file, text).map_err(|error| format!("cannot write {}: {error}", file.display()))
}

/// Text within XML, which has no way to write most control characters.
fn escaped(text: &str) -> String {
    let text: String = text.chars().map(|it| if it.is_control() && it != '\n' { '\u{FFFD}' } else { it }).collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn bar(count: Option<u64>) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = count.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec} {eta} {msg}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
