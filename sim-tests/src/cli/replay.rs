//! `replay`: one run, with its history.

use std::path::PathBuf;

use clap::Args;
use sim_tests::origin::Origin;
use sim_tests::plan::Profile;
use sim_tests::runner::judge;
use sim_tests::world::Tier;

use super::files::{plan, write_trace};
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
        if let Some(file) = &self.trace
            && let Err(line) = write_trace(file, &plan, self.tier, &history)
        {
            return End::Usage(line);
        }
        for violation in &verdict.violations {
            say(format!("VIOLATED {} at {:?}: {}", violation.oracle, violation.at, violation.words));
        }
        say(format!("seed={} digest={:016x} facts={}", plan.seed, verdict.digest, verdict.facts));
        if verdict.violations.is_empty() { End::Fine } else { End::Violated }
    }
}
