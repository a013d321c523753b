//! A copy of the tree, in which bugs are planted and built.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A copy of the tree to plant bugs in. What it builds is kept beside our own builds, so that the next time is short.
pub(super) struct Copy {
    tree: PathBuf,
    target: PathBuf,
    /// Where the plans are kept that find the bugs, a folder for each.
    pub(super) found: PathBuf,
}

impl Copy {
    pub(super) fn of_tree() -> Result<Copy, String> {
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
    pub(super) fn apply(&self, patch: &Path, back: bool) -> Result<(), String> {
        let mut command = Command::new("git");
        command.current_dir(&self.tree).env("GIT_CEILING_DIRECTORIES", self.tree.parent().unwrap_or(&self.tree));
        command.args(if back { ["apply", "--reverse"].as_slice() } else { ["apply"].as_slice() }).arg(patch);
        run(&mut command).map(drop)
    }

    /// Builds as tests are built: that is quickest, and asserts most. What an earlier build left may not fit, if it was cut short:
    /// if building fails, this tree's packages are built once more from the start.
    pub(super) fn build(&self) -> Result<PathBuf, String> {
        let build = || run(self.cargo().args(["build", "--quiet", "--locked", "-p", "sim-tests"]));
        if build().is_err() {
            run(self.cargo().args(["clean", "--quiet", "--workspace"]))?;
            build()?;
        }
        Ok(self.target.join("debug/sim-tests"))
    }

    fn cargo(&self) -> Command {
        let mut command = Command::new("cargo");
        command.current_dir(&self.tree).env("CARGO_TARGET_DIR", &self.target).env("CARGO_INCREMENTAL", "1");
        command
    }
}

fn run(command: &mut Command) -> Result<String, String> {
    let output =
        command.output().map_err(|error| format!("cannot run {}: {error}", command.get_program().display()))?;
    if !output.status.success() {
        return Err(format!("{} failed{}", command.get_program().display(), last_line(&output)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The last thing that a program has said of what went wrong.
pub(super) fn last_line(output: &Output) -> String {
    let words = String::from_utf8_lossy(&output.stderr);
    words.lines().last().map_or(String::new(), |line| format!(": {line}"))
}
