//! The commands, and what they end with: 0 fine, 1 an oracle was violated, 2 usage, 3 two runs of one seed differed, 4 a
//! required mark was never met or a planted bug was not found.

mod diff;
mod files;
mod interrupt;
mod power;
mod progress;
mod replay;
mod shrink;
mod sweep;
mod twice;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use sim_tests::oracle::Violation;
use sim_tests::plan::Profile;
use sim_tests::world::Tier;

/// Seeded simulation of the SMPP transport and the SMSC simulator.
#[derive(Parser)]
#[command(name = "sim-tests", version)]
struct Flags {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run many seeds and say which broke a promise
    Sweep(sweep::Sweep),
    /// Run one seed or plan, with its history
    Replay(replay::Replay),
    /// The smallest plan that still breaks the same promise
    Shrink(shrink::Shrink),
    /// Plant known bugs in a copy of the tree, and see that sweeps find them
    Power(power::Power),
    /// Run each seed in two processes and compare; with another build of this program, as debug against release, too
    Twice(twice::Twice),
    /// The first fact in which two traces differ
    Diff(diff::Diff),
}

/// How a command ended; `Usage` carries the line for the user.
pub(crate) enum End {
    Fine,
    Violated,
    Usage(String),
    Differed,
    Unmet,
}

pub(crate) fn main() -> ExitCode {
    if !cfg!(tokio_unstable) {
        return exit(End::Usage(
            "built without --cfg tokio_unstable, so that panics in hosts would be lost: unset RUSTFLAGS, or add it there"
                .to_owned(),
        ));
    }
    let flags = match Flags::try_parse() {
        Ok(flags) => flags,
        Err(error) if !error.use_stderr() => {
            let _ = error.print();
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            let text = error.to_string();
            let line = one_line(&text);
            return exit(End::Usage(format!("{line} (--help lists what there is)")));
        }
    };
    exit(match flags.command {
        Command::Sweep(sweep) => sweep.run(),
        Command::Replay(replay) => replay.run(),
        Command::Shrink(shrink) => shrink.run(),
        Command::Power(power) => power.run(),
        Command::Twice(twice) => twice.run(),
        Command::Diff(diff) => diff.run(),
    })
}

/// What clap says, up to its first empty line.
fn one_line(text: &str) -> String {
    let lines: Vec<_> = text.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    lines.join(" ").trim_start_matches("error: ").to_owned()
}

fn exit(end: End) -> ExitCode {
    ExitCode::from(match end {
        End::Fine => 0,
        End::Violated => 1,
        End::Usage(line) => {
            let _ = writeln!(std::io::stderr(), "sim-tests: {line}");
            2
        }
        End::Differed => 3,
        End::Unmet => 4,
    })
}

/// Writes a line to standard output; whoever reads may have gone.
pub(crate) fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// The line that says what broke, and how to see it again: a seed, or the file of a plan.
fn fail_line(seed: u64, first: &Violation, what: &str, tier: Tier, profile: Option<Profile>) -> String {
    format!("FAIL seed={seed} oracle={} reproduce: {}", first.oracle, reproduce(what, tier, profile))
}

fn reproduce(what: &str, tier: Tier, profile: Option<Profile>) -> String {
    let tier = if tier == Tier::Turmoil { " --tier turmoil" } else { "" };
    let profile = match profile {
        None => "",
        Some(Profile::Calm) => " --profile calm",
        Some(Profile::Swarm) => " --profile swarm",
        Some(Profile::All) => " --profile all",
    };
    format!("cargo run --release -p sim-tests -- replay {what}{tier}{profile}")
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// A length of time: `90s`, `10m`, `2h`.
fn time(text: &str) -> Result<Duration, String> {
    let wrong = || format!("{text:?} is no time: 90s, 10m, 2h");
    let units = [('s', 1), ('m', 60), ('h', 3_600)];
    let split = units.into_iter().find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, seconds)));
    let (digits, seconds) = split.ok_or_else(wrong)?;
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    number.checked_mul(seconds).map(Duration::from_secs).ok_or_else(wrong)
}

/// A seed: decimal, `0x…`, or the 40 digits of a commit, of which the first 16 count.
pub(crate) fn seed(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text:?} is no seed: decimal, 0x… or a commit of 40 digits");
    let hexadecimal = |digits: &str| u64::from_str_radix(digits, 16).map_err(|_| wrong());
    if text.len() == 40 && text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return hexadecimal(&text[..16]);
    }
    match text.strip_prefix("0x") {
        Some(digits) => hexadecimal(digits),
        None => text.parse().map_err(|_| wrong()),
    }
}

/// A range of seeds, `A..B`, or one to start from.
pub(crate) fn seeds(text: &str) -> Result<(u64, u64), String> {
    let (from, to) = text.split_once("..").ok_or_else(|| format!("{text:?} is no range of seeds: A..B"))?;
    let (from, to) = (seed(from)?, seed(to)?);
    if to <= from {
        return Err(format!("{text:?} is empty: B must be above A"));
    }
    Ok((from, to - from))
}
