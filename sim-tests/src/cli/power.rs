//! `power`: is the simulation able to find bugs? Plants each known one in a copy of the tree, builds it, and sweeps.

mod copy;
#[cfg(test)]
mod tests;

use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use clap::Args;
use serde_json::Value;
use sim_tests::origin::Origin;
use sim_tests::world::Tier;

use super::progress::Progress;
use super::{End, interrupt, say};
use copy::{Copy, last_line};

/// Which bugs, and how long to look for each.
#[derive(Args)]
pub(crate) struct Power {
    /// The bugs, by the names of their patches; all, if none is named
    #[arg(value_name = "BUG")]
    bugs: Vec<String>,
    /// Seeds to try for each bug
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    seeds: u64,
    /// Where the patches are
    #[arg(long, value_name = "DIR", default_value = "sim-tests/planted")]
    patches: PathBuf,
    /// Plans to try when the first that fails is cut down; 0: it is left as it is
    #[arg(long, value_name = "N", default_value_t = 500)]
    shrink_runs: u64,
}

/// What became of a bug.
enum Search {
    Found(Found),
    /// No seed breaks a promise.
    NotFound,
    /// It could not be looked for: why.
    Failed(String),
}

/// The first seed that found a bug.
struct Found {
    seed: u64,
    /// Seeds that were tried until then.
    tried: u64,
    oracle: String,
    /// Steps of its plan, and of the smallest that breaks the same promise.
    steps: (u64, Option<u64>),
}

impl Power {
    pub(crate) fn run(self) -> End {
        say(Origin::of_all(Some(Tier::Fast)));
        interrupt::watch();
        match self.look_for_all() {
            Ok(all) => {
                if interrupt::has_come() {
                    say("interrupted: these are the bugs so far");
                }
                say(in_all(&all));
                if all.iter().all(|it| matches!(it, Search::Found(_))) { End::Fine } else { End::Unmet }
            }
            Err(line) => End::Usage(line),
        }
    }

    fn look_for_all(&self) -> Result<Vec<Search>, String> {
        let patches = self.patches()?;
        let copy = Copy::of_tree()?;
        say(format!("{:<48} {:>10} {:>6}  {:<13} {:>5}  shrunk to", "bug", "first seed", "tried", "oracle", "steps"));
        let bar = Progress::new(Some(patches.len() as u64), None);
        let mut all = Vec::new();
        for patch in &patches {
            let at = |what: &str| bar.at(all.len() as u64, &format!("{what} {}", name(patch)));
            let search = self.look_for(&copy, patch, &at)?;
            let is_over = interrupt::has_come();
            // One that was cut short by Ctrl-C has nothing to say.
            if !is_over || matches!(search, Search::Found(_)) {
                bar.aside(|| say(self.row(&name(patch), &search)));
                all.push(search);
            }
            if is_over {
                break;
            }
        }
        bar.end();
        Ok(all)
    }

    fn row(&self, name: &str, search: &Search) -> String {
        match search {
            Search::Found(Found { seed, tried, oracle, steps: (drawn, shrunk) }) => {
                let shrunk = shrunk.map_or("-".to_owned(), |steps| steps.to_string());
                format!("{name:<48} {seed:>10} {tried:>6}  {oracle:<13} {drawn:>5}  {shrunk:>9}")
            }
            Search::NotFound => format!("{name:<48} {:>10} {:>6}", "not found", self.seeds),
            Search::Failed(why) => format!("{name:<48} not looked for: {why}"),
        }
    }

    /// What a sweep finds of the bug of this patch. `at` hears what is done, now and then. An error is one of the copy, in
    /// which no other bug can be planted any more.
    fn look_for(&self, copy: &Copy, patch: &Path, at: &dyn Fn(&str)) -> Result<Search, String> {
        if let Err(why) = copy.apply(patch, false) {
            return Ok(Search::Failed(why));
        }
        let program = meanwhile(|| copy.build(), || at("building"));
        let found = program.and_then(|program| {
            let folder = copy.found.join(name(patch));
            meanwhile(|| self.sweep(&program, &folder), || at("looking for"))
        });
        copy.apply(patch, true)?;
        Ok(found.unwrap_or_else(Search::Failed))
    }

    /// The first seed that fails; its plans are kept in this folder.
    fn sweep(&self, program: &Path, folder: &Path) -> Result<Search, String> {
        // What an earlier run found is not what this one finds.
        let _ = std::fs::remove_dir_all(folder);
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let report = folder.join("report.json");
        let mut command = Command::new(program);
        command.args(["sweep", "--max-failures", "1", "--seeds", &format!("0..{}", self.seeds)]);
        command.args(["--shrink-runs", &self.shrink_runs.to_string(), "--save-to"]).arg(folder);
        let output = command.arg("--json").arg(&report).output().map_err(|error| error.to_string())?;
        // 4: nothing was broken, but the bug keeps situations from being met.
        if !matches!(output.status.code(), Some(0 | 1 | 4)) {
            return Err(format!("the sweep ended with {}{}", output.status, last_line(&output)));
        }
        let text = std::fs::read_to_string(&report).map_err(|error| format!("{}: {error}", report.display()))?;
        let report: Value = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", report.display()))?;
        Ok(first_of(&report).map_or(Search::NotFound, Search::Found))
    }

    fn patches(&self) -> Result<Vec<PathBuf>, String> {
        let cannot = |error| format!("cannot read {}: {error}", self.patches.display());
        let entries = std::fs::read_dir(&self.patches).map_err(cannot)?;
        let mut patches: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        patches.retain(|path| path.extension().is_some_and(|extension| extension == "patch"));
        patches.sort();
        if let Some(unknown) = self.bugs.iter().find(|bug| !patches.iter().any(|patch| name(patch) == **bug)) {
            return Err(format!("no {unknown}.patch in {}", self.patches.display()));
        }
        patches.retain(|patch| self.bugs.is_empty() || self.bugs.contains(&name(patch)));
        let whole = patches.iter().map(|path| path.canonicalize().map_err(|error| error.to_string()));
        if patches.is_empty() { Err(format!("no *.patch in {}", self.patches.display())) } else { whole.collect() }
    }
}

fn name(patch: &Path) -> String {
    patch.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// How often it is said what is done.
const SAY_EVERY: Duration = Duration::from_millis(200);

/// What comes of work that waits for another program, with `each` called meanwhile.
fn meanwhile<T: Send>(work: impl FnOnce() -> T + Send, each: impl Fn()) -> T {
    std::thread::scope(|threads| {
        let thread = threads.spawn(work);
        while !thread.is_finished() {
            each();
            std::thread::park_timeout(SAY_EVERY);
        }
        // It panicked: that is a mistake of ours, and goes on to the caller.
        thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// The first failure of a sweep's report.
fn first_of(report: &Value) -> Option<Found> {
    let first = &report["failed"][0];
    let oracle = first["violations"][0]["oracle"].as_str().unwrap_or_default().to_owned();
    let (saved, tried) = (&first["saved"], report["plans"].as_u64().unwrap_or_default());
    let steps = (saved["steps"].as_u64().unwrap_or_default(), saved["shrunk"]["steps"].as_u64());
    Some(Found { seed: first["seed"].as_u64()?, tried, oracle, steps })
}

/// How many were found, how soon, and how small their plans became.
fn in_all(all: &[Search]) -> String {
    let found: Vec<_> =
        all.iter().filter_map(|it| if let Search::Found(found) = it { Some(found) } else { None }).collect();
    let failed = all.iter().filter(|it| matches!(it, Search::Failed(_))).count();
    let failed = if failed > 0 { format!(", {failed} not looked for") } else { String::new() };
    let seeds = median(found.iter().map(|found| found.seed).collect());
    let steps = median(found.iter().filter_map(|found| found.steps.1).collect());
    format!("{} of {} found{failed}; medians: seed {seeds}, {steps} steps", found.len(), all.len())
}

/// The middle one, the upper of two; 0 of none.
fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}
