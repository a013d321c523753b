//! Tells the program which commit and which compiler it is made of. Where there is no git, the commit is "unknown".

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

fn main() {
    let rustc = env::var("RUSTC").ok().and_then(|rustc| said(&rustc, &["--version"]));
    println!("cargo::rustc-env=SIM_TESTS_COMMIT={}", commit().as_deref().unwrap_or("unknown"));
    println!("cargo::rustc-env=SIM_TESTS_RUSTC={}", rustc.as_deref().unwrap_or("unknown"));
    println!("cargo::rustc-env=SIM_TESTS_BUILD={}", build().as_deref().unwrap_or("unknown"));
    // A commit moves HEAD or what it names; a change of the sources makes a tree dirty, or clean again.
    let refs = [Some("HEAD".to_owned()), said("git", &["symbolic-ref", "--quiet", "HEAD"])];
    let files = refs.into_iter().flatten().filter_map(|name| said("git", &["rev-parse", "--git-path", &name]));
    let sources = ["build.rs", "src", "../transport/src", "../smsc-sim/src"].map(str::to_owned);
    // One that is not there would be looked for with every build.
    files
        .chain(sources)
        .filter(|file| Path::new(file).exists())
        .for_each(|file| println!("cargo::rerun-if-changed={file}"));
}

/// Only where this folder is of the repository: a copy elsewhere within it is of no commit.
fn commit() -> Option<String> {
    said("git", &["ls-files", "--error-unmatch", "Cargo.toml"])?;
    let commit = said("git", &["rev-parse", "--short=12", "HEAD"])?;
    let changes = said("git", &["status", "--porcelain", "--untracked-files=no"])?;
    Some(if changes.is_empty() { commit } else { format!("{commit}-dirty") })
}

/// The folder of this kind of build in `target`: debug, release.
fn build() -> Option<String> {
    let out = PathBuf::from(env::var_os("OUT_DIR")?);
    Some(out.ancestors().nth(3)?.file_name()?.to_string_lossy().into_owned())
}

/// What a command says, if it succeeds.
fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
