//! `power`: is the simulation able to find bugs? Plants each known one in a copy of the tree, builds it, and sweeps.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use serde_json::Value;

use super::{End, say};

/// Which bugs, and how long to look for each.
#[derive(Args)]
pub(crate) struct Power {
    /// The bugs, by the names of their patches; all, if none is named
    #[arg(value_name = "BUG")]
    bugs: Vec<String>,
    /// Seeds to try for each bug
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    seeds: u64,
    /// Where the patches are
    #[arg(long, value_name = "DIR", default_value = "sim-tests/planted")]
    patches: PathBuf,
    /// Plans to try when the first that fails is cut down; 0: it is left as it is
    #[arg(long, value_name = "N", default_value_t = 500)]
    shrink_runs: u64,
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
        match self.look_for_all() {
            Ok(found) => {
                say(in_all(&found));
                if found.iter().all(Option::is_some) { End::Fine } else { End::Unmet }
            }
            Err(line) => End::Usage(line),
        }
    }

    fn look_for_all(&self) -> Result<Vec<Option<Found>>, String> {
        let patches = self.patches()?;
        let copy = Copy::of_tree()?;
        say(format!("{:<48} {:>10} {:>6}  {:<13} {:>5}  shrunk to", "bug", "first seed", "tried", "oracle", "steps"));
        patches.iter().map(|patch| self.look_for(&copy, patch)).collect()
    }

    /// What a sweep finds of the bug of this patch.
    fn look_for(&self, copy: &Copy, patch: &Path) -> Result<Option<Found>, String> {
        let name = name(patch);
        copy.apply(patch, false)?;
        let found = copy.build().and_then(|program| self.sweep(&program, &copy.found.join(&name)));
        copy.apply(patch, true)?;
        let found = found.map_err(|error| format!("{name}: {error}"))?;
        match &found {
            Some(Found { seed, tried, oracle, steps: (drawn, shrunk) }) => {
                let shrunk = shrunk.map_or("-".to_owned(), |steps| steps.to_string());
                say(format!("{name:<48} {seed:>10} {tried:>6}  {oracle:<13} {drawn:>5}  {shrunk:>9}"));
            }
            None => say(format!("{name:<48} {:>10} {:>6}", "not found", self.seeds)),
        }
        Ok(found)
    }

    /// The first seed that fails; its plans are kept in this folder.
    fn sweep(&self, program: &Path, folder: &Path) -> Result<Option<Found>, String> {
        std::fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let report = folder.join("report.json");
        let mut command = Command::new(program);
        command.args(["sweep", "--max-failures", "1", "--seeds", &format!("0..{}", self.seeds)]);
        command.args(["--shrink-runs", &self.shrink_runs.to_string(), "--save-to"]).arg(folder);
        command.arg("--json").arg(&report).output().map_err(|error| error.to_string())?;
        let text = std::fs::read_to_string(&report).map_err(|error| error.to_string())?;
        let report: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let first = &report["failed"][0];
        let oracle = first["violations"][0]["oracle"].as_str().unwrap_or_default().to_owned();
        let (saved, tried) = (&first["saved"], report["plans"].as_u64().unwrap_or_default());
        let steps = (saved["steps"].as_u64().unwrap_or_default(), saved["shrunk"]["steps"].as_u64());
        Ok(first["seed"].as_u64().map(|seed| Found { seed, tried, oracle, steps }))
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

/// How many were found, how soon, and how small their plans became.
fn in_all(all: &[Option<Found>]) -> String {
    let found: Vec<_> = all.iter().flatten().collect();
    let seeds = median(found.iter().map(|found| found.seed).collect());
    let steps = median(found.iter().filter_map(|found| found.steps.1).collect());
    format!("{} of {} found; medians: seed {seeds}, {steps} steps", found.len(), all.len())
}

/// The middle one, the upper of two; 0 of none.
fn median(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// A copy of the tree to plant bugs in. What it builds is kept beside our own builds, so that the next time is short.
struct Copy {
    tree: PathBuf,
    target: PathBuf,
    /// Where the plans are kept that find the bugs, a folder for each.
    found: PathBuf,
}

impl Copy {
    fn of_tree() -> Result<Copy, String> {
        let top = PathBuf::from(run(Command::new("git").args(["rev-parse", "--show-toplevel"]))?.trim());
        let target = top.join("target/power");
        let tree = target.join("tree");
        let _ = std::fs::remove_dir_all(&tree);
        let files = run(Command::new("git").current_dir(&top).args(["ls-files", "-co", "--exclude-standard"]))?;
        for file in files.lines().filter(|file| top.join(file).is_file()) {
            let to = tree.join(file);
            let copy =
                to.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::copy(top.join(file), &to));
            copy.map_err(|error| format!("cannot copy {file}: {error}"))?;
        }
        Ok(Copy { tree, target: target.join("build"), found: target.join("found") })
    }

    /// The copy is within a repository, but not of it: git is told not to look further up.
    fn apply(&self, patch: &Path, back: bool) -> Result<(), String> {
        let mut command = Command::new("git");
        command.current_dir(&self.tree).env("GIT_CEILING_DIRECTORIES", self.tree.parent().unwrap_or(&self.tree));
        command.args(if back { ["apply", "--reverse"].as_slice() } else { ["apply"].as_slice() }).arg(patch);
        run(&mut command).map(drop)
    }

    /// As tests are built: that is quickest, and asserts most.
    fn build(&self) -> Result<PathBuf, String> {
        let mut command = Command::new("cargo");
        command.current_dir(&self.tree).env("CARGO_TARGET_DIR", &self.target).env("CARGO_INCREMENTAL", "1");
        run(command.args(["build", "--quiet", "--locked", "-p", "sim-tests"]))?;
        Ok(self.target.join("debug/sim-tests"))
    }
}

fn run(command: &mut Command) -> Result<String, String> {
    let output =
        command.output().map_err(|error| format!("cannot run {}: {error}", command.get_program().display()))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "{} failed: {}",
            command.get_program().display(),
            words.lines().last().unwrap_or_default()
        ));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
