//! `replay`: one run, with its history.

use std::path::{Path, PathBuf};

use clap::Args;
use sim_tests::capture::capture;
use sim_tests::history::History;
use sim_tests::plan::{Plan, Profile};
use sim_tests::runner::{Verdict, judge};
use sim_tests::timeline;
use sim_tests::world::Tier;

use super::{End, say, seed};

/// Which run, and where its history goes.
#[derive(Args)]
pub(crate) struct Replay {
    /// A seed, or the file of a plan
    #[arg(value_name = "SEED|PLAN")]
    what: String,
    /// On which network
    #[arg(long, value_enum, default_value_t = Tier::Fast)]
    tier: Tier,
    /// The mix that the seed was swept with, if it was given
    #[arg(long, value_name = "calm|swarm|all", value_parser = super::sweep::profile)]
    profile: Option<Profile>,
    /// Write the history as JSON lines, for `diff`
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Write the run as a page to look at: a time line, in one file that needs nothing else
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write what passed as a capture that Wireshark opens, with simulated times from 2026-01-01 on
    #[arg(long, value_name = "FILE")]
    pcap: Option<PathBuf>,
    /// Only the verdict, without plan and history
    #[arg(long)]
    quiet: bool,
}

impl Replay {
    pub(crate) fn run(self) -> End {
        let plan = match plan(&self.what, self.profile) {
            Ok(plan) => plan,
            Err(line) => return End::Usage(line),
        };
        if !self.quiet {
            say(serde_json::to_string_pretty(&plan).unwrap_or_default());
        }
        let (verdict, history) = judge(&plan, self.tier);
        if !self.quiet {
            history.facts.iter().for_each(|fact| say(fact.line()));
        }
        if let Err(line) = self.write(&plan, &verdict, &history) {
            return End::Usage(line);
        }
        for violation in &verdict.violations {
            say(format!("VIOLATED {} at {:?}: {}", violation.oracle, violation.at, violation.words));
        }
        say(format!("seed={} digest={:016x} facts={}", plan.seed, verdict.digest, verdict.facts));
        if verdict.violations.is_empty() { End::Fine } else { End::Violated }
    }
}

impl Replay {
    /// Writes what was asked for.
    fn write(&self, plan: &Plan, verdict: &Verdict, history: &History) -> Result<(), String> {
        if let Some(file) = &self.trace {
            write_trace(file, plan, history)?;
        }
        if let Some(file) = &self.html {
            write_file(file, timeline::page(plan, history, verdict, self.tier).as_bytes())?;
        }
        if let Some(file) = &self.pcap {
            let octets = capture(history).map_err(|error| format!("no capture can be made: {error}"))?;
            write_file(file, &octets)?;
        }
        Ok(())
    }
}

/// The plan of a seed, or the one in a file.
fn plan(what: &str, profile: Option<Profile>) -> Result<Plan, String> {
    let file = Path::new(what);
    if !file.exists() {
        return seed(what).map(|seed| Plan::draw(seed, profile)).map_err(|words| format!("{words}; nor is it a file"));
    }
    let text = std::fs::read_to_string(file).map_err(|error| format!("cannot read {what}: {error}"))?;
    serde_json::from_str(&text).map_err(|error| format!("{what} is no plan: {error}"))
}

fn write_trace(file: &Path, plan: &Plan, history: &History) -> Result<(), String> {
    let header = serde_json::json!({ "seed": plan.seed, "facts": history.facts.len(), "digest": history.digest() });
    let lines = std::iter::once(header).chain(history.facts.iter().map(sim_tests::history::Fact::json));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    write_file(file, text.as_bytes())
}

fn write_file(file: &Path, octets: &[u8]) -> Result<(), String> {
    std::fs::write(file, octets).map_err(|error| format!("cannot write {}: {error}", file.display()))
}
