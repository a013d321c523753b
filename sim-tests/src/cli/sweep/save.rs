//! What is kept of failing seeds: the plan as drawn of each; of the first few also the trace of its run, and the smallest
//! plan that breaks the same promise. Of a run that never ends only the plan: each run of it would take a core for ever.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use sim_tests::plan::Plan;
use sim_tests::runner::{Summary, Verdict, judge};

use super::Sweep;
use crate::cli::files::{write_plan, write_trace};
use crate::cli::shrink::{Limits, say_shrunk};
use crate::cli::{interrupt, say};

/// Of how many failures more than the plan is saved.
const LOOKED_AT: usize = 3;

/// The files of a failing seed.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Saved {
    /// The plan as drawn.
    pub(super) plan: PathBuf,
    /// Its steps.
    pub(super) steps: usize,
    /// The trace of its run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trace: Option<PathBuf>,
    /// The smallest plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) shrunk: Option<Smallest>,
}

/// The file of a shrunk plan.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Smallest {
    pub(super) plan: PathBuf,
    pub(super) steps: usize,
    pub(super) runs: u64,
}

impl Sweep {
    /// Saves what there is to save, by seed.
    pub(super) fn save(&self, summary: &Summary) -> Result<BTreeMap<u64, Saved>, String> {
        if summary.failed.is_empty() {
            return Ok(BTreeMap::new());
        }
        let folder = &self.save_to;
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let all = summary.failed.len();
        say(format!("saving {all} failing plans to {}; {} of them are shrunk", folder.display(), self.shrunk(all)));
        let failed = summary.failed.iter().enumerate();
        failed.map(|(place, verdict)| Ok((verdict.seed, self.save_one(folder, verdict, place < LOOKED_AT)?))).collect()
    }

    /// Which of so many, in words.
    fn shrunk(&self, failed: usize) -> String {
        match failed.min(LOOKED_AT) {
            _ if self.shrink_runs == 0 => "none".to_owned(),
            shrunk if shrunk == failed => "all".to_owned(),
            shrunk => format!("the first {shrunk}"),
        }
    }

    fn save_one(&self, folder: &Path, verdict: &Verdict, is_looked_at: bool) -> Result<Saved, String> {
        let seed = verdict.seed;
        let drawn = Plan::draw(seed, self.profile);
        let [plan, trace, shrunk] =
            ["json", "trace.jsonl", "shrunk.json"].map(|end| folder.join(format!("{seed}.{end}")));
        // What an earlier sweep left of this seed may be of another program.
        [&trace, &shrunk].into_iter().for_each(|file| drop(std::fs::remove_file(file)));
        write_plan(&plan, &drawn)?;
        let mut saved = Saved { plan, steps: drawn.steps(), ..Saved::default() };
        if is_looked_at && !verdict.is_endless() {
            write_trace(&trace, &drawn, self.tier, &judge(&drawn, self.tier).1)?;
            saved.trace = Some(trace);
            saved.shrunk = self.shrink(shrunk, verdict, &drawn)?;
        }
        Ok(saved)
    }

    fn shrink(&self, plan: PathBuf, verdict: &Verdict, drawn: &Plan) -> Result<Option<Smallest>, String> {
        let first = verdict.violations.first().filter(|_| self.shrink_runs > 0 && !interrupt::has_come());
        let Some(first) = first else { return Ok(None) };
        let limits = Limits { tier: self.tier, runs: self.shrink_runs, time: None, jobs: self.jobs };
        let shrunk = limits.shrink(drawn, first);
        write_plan(&plan, &shrunk.plan)?;
        say_shrunk(drawn, &shrunk, self.tier, first, &plan);
        Ok(Some(Smallest { plan, steps: shrunk.plan.steps(), runs: shrunk.runs }))
    }
}
