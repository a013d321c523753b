//! `replay`: one run, with its history.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use sim_tests::capture::capture;
use sim_tests::history::History;
use sim_tests::origin::Origin;
use sim_tests::plan::{Plan, Profile};
use sim_tests::runner::{Verdict, judge};
use sim_tests::timeline;
use sim_tests::world::Tier;

use super::files::{plan, write, write_trace};
use super::{End, say};

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
    /// Run it so many times more on one core, each time with the same digest, and say how many that is a second
    #[arg(long, value_name = "N", default_value_t = 0)]
    times: u32,
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
        say(Origin::of(&plan, self.tier));
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
        if !self.again(&plan, verdict.digest) {
            return End::Differed;
        }
        if verdict.violations.is_empty() { End::Fine } else { End::Violated }
    }

    /// Runs it as often as was asked for, and says how long that took; false if a digest was another.
    #[expect(clippy::disallowed_methods, reason = "a runner measures wall time; no run sees it")]
    fn again(&self, plan: &Plan, digest: u64) -> bool {
        if self.times == 0 {
            return true;
        }
        let start = Instant::now();
        for _ in 0..self.times {
            let again = judge(plan, self.tier).0.digest;
            if again != digest {
                say(format!("DIFFERED digest={digest:016x}, in another run {again:016x}"));
                return false;
            }
        }
        let took = start.elapsed().as_secs_f64();
        say(format!("{} runs in {took:.2} s on one core: {:.0} a second", self.times, f64::from(self.times) / took));
        true
    }
}

impl Replay {
    /// Writes what was asked for.
    fn write(&self, plan: &Plan, verdict: &Verdict, history: &History) -> Result<(), String> {
        if let Some(file) = &self.trace {
            write_trace(file, plan, self.tier, history)?;
        }
        if let Some(file) = &self.html {
            write(file, timeline::page(plan, history, verdict, self.tier))?;
        }
        if let Some(file) = &self.pcap {
            let octets = capture(history).map_err(|error| format!("no capture can be made: {error}"))?;
            write(file, octets)?;
        }
        Ok(())
    }
}
