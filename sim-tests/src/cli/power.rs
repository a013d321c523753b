//! `power`: is the simulation able to find bugs? Plants each known one in a copy of the tree, builds it, and sweeps.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use serde_json::Value;

use super::{End, say};

/// Which bugs, and how long to look for each.
#[derive(Args)]
pub(crate) struct Power {
    /// Seeds to try for each bug
    #[arg(long, value_name = "N", default_value_t = 5_000)]
    seeds: u64,
    /// Where the patches are
    #[arg(long, value_name = "DIR", default_value = "sim-tests/planted")]
    patches: PathBuf,
}

impl Power {
    pub(crate) fn run(self) -> End {
        let outcome = self.patches().and_then(|patches| {
            let copy = Copy::of_tree()?;
            say(format!("{:<40} {:>10}  oracle", "bug", "first seed"));
            patches.iter().map(|patch| copy.look_for(patch, self.seeds)).collect::<Result<Vec<bool>, String>>()
        });
        match outcome {
            Ok(found) if found.iter().all(|found| *found) => End::Fine,
            Ok(_) => End::Unmet,
            Err(line) => End::Usage(line),
        }
    }

    fn patches(&self) -> Result<Vec<PathBuf>, String> {
        let cannot = |error| format!("cannot read {}: {error}", self.patches.display());
        let entries = std::fs::read_dir(&self.patches).map_err(cannot)?;
        let mut patches: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        patches.retain(|path| path.extension().is_some_and(|extension| extension == "patch"));
        patches.sort();
        let whole = patches.iter().map(|path| path.canonicalize().map_err(|error| error.to_string()));
        if patches.is_empty() { Err(format!("no *.patch in {}", self.patches.display())) } else { whole.collect() }
    }
}

/// A copy of the tree to plant bugs in. What it builds is kept beside our own builds, so that the next time is short.
struct Copy {
    tree: PathBuf,
    target: PathBuf,
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
        Ok(Copy { tree, target: target.join("build") })
    }

    /// Whether a sweep finds the bug of this patch.
    fn look_for(&self, patch: &Path, seeds: u64) -> Result<bool, String> {
        let name = patch.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        self.apply(patch, false)?;
        let found = self.build().and_then(|program| self.sweep(&program, seeds));
        self.apply(patch, true)?;
        let first = found.map_err(|error| format!("{name}: {error}"))?;
        match &first {
            Some((seed, oracle)) => say(format!("{name:<40} {seed:>10}  {oracle}")),
            None => say(format!("{name:<40} {:>10}  in {seeds} seeds", "not found")),
        }
        Ok(first.is_some())
    }

    /// The copy is within a repository, but not of it: git is told not to look further up.
    fn apply(&self, patch: &Path, back: bool) -> Result<(), String> {
        let mut command = Command::new("git");
        command.current_dir(&self.tree).env("GIT_CEILING_DIRECTORIES", self.tree.parent().unwrap_or(&self.tree));
        command.args(if back { ["apply", "--reverse"].as_slice() } else { ["apply"].as_slice() }).arg(patch);
        run(&mut command).map(drop)
    }

    fn build(&self) -> Result<PathBuf, String> {
        let mut command = Command::new("cargo");
        command.current_dir(&self.tree).env("CARGO_TARGET_DIR", &self.target);
        run(command.args(["build", "--quiet", "--locked", "--profile", "sim", "-p", "sim-tests"]))?;
        Ok(self.target.join("sim/sim-tests"))
    }

    /// The first seed that fails, and the oracle that saw it.
    fn sweep(&self, program: &Path, seeds: u64) -> Result<Option<(u64, String)>, String> {
        let report = self.target.join("report.json");
        let mut command = Command::new(program);
        command.args(["sweep", "--max-failures", "1", "--seeds", &format!("0..{seeds}"), "--json"]).arg(&report);
        command.output().map_err(|error| error.to_string())?;
        let text = std::fs::read_to_string(&report).map_err(|error| error.to_string())?;
        let report: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        let first = &report["failed"][0];
        let oracle = first["violations"][0]["oracle"].as_str().unwrap_or_default().to_owned();
        Ok(first["seed"].as_u64().map(|seed| (seed, oracle)))
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
