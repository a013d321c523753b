//! `twice` and `diff`: the same seed, the same history.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;

use clap::Args;
use serde_json::{Map, Value};
use sim_tests::origin::Origin;
use sim_tests::plan::Plan;
use sim_tests::runner::judge;
use sim_tests::world::Tier;

use super::{End, say, seeds};

/// Which seeds to run in two processes.
#[derive(Args)]
pub(crate) struct Twice {
    /// Seeds, from the first up to but without the second
    #[arg(long, value_name = "A..B", value_parser = seeds)]
    seeds: (u64, u64),
    /// On which network [default: both]
    #[arg(long, value_enum)]
    tier: Option<Tier>,
    /// Only print the digests, a line for each seed and tier: what the other process does
    #[arg(long, hide = true)]
    digests: bool,
}

impl Twice {
    pub(crate) fn run(self) -> End {
        let tiers = self.tier.map_or_else(|| vec![Tier::Turmoil, Tier::Fast], |tier| vec![tier]);
        if self.digests {
            self.lines(&tiers).into_iter().for_each(say);
            return End::Fine;
        }
        say(Origin::of_all(self.tier));
        let other = match self.other_process() {
            Ok(lines) => lines,
            Err(line) => return End::Usage(line),
        };
        let ours = self.lines(&tiers);
        let differing: Vec<_> = ours.iter().zip(other.lines()).filter(|(ours, other)| ours != other).collect();
        for (ours, other) in &differing {
            say(format!("DIFFERED {ours}, in the other process {other}"));
        }
        let same = ours.len() == other.lines().count() && differing.is_empty();
        say(format!("{} runs in two processes, {} differed", ours.len(), differing.len()));
        if same { End::Fine } else { End::Differed }
    }

    fn lines(&self, tiers: &[Tier]) -> Vec<String> {
        let (from, count) = self.seeds;
        let runs = (from..from + count).flat_map(|seed| tiers.iter().map(move |tier| (seed, *tier)));
        runs.map(|(seed, tier)| {
            let digest = judge(&Plan::draw(seed, None), tier).0.digest;
            format!("seed={seed} tier={tier:?} digest={digest:016x}")
        })
        .collect()
    }

    fn other_process(&self) -> Result<String, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let (from, count) = self.seeds;
        let mut command = Command::new(program);
        command.args(["twice", "--digests", "--seeds", &format!("{from}..{}", from + count)]);
        match self.tier {
            Some(Tier::Turmoil) => drop(command.args(["--tier", "turmoil"])),
            Some(Tier::Fast) => drop(command.args(["--tier", "fast"])),
            None => {}
        }
        let output = command.output().map_err(|error| format!("cannot start the other process: {error}"))?;
        String::from_utf8(output.stdout).map_err(|error| error.to_string())
    }
}

/// Two traces, as `replay --trace` writes them.
#[derive(Args)]
pub(crate) struct Diff {
    /// One
    #[arg(value_name = "TRACE")]
    one: PathBuf,
    /// The other
    #[arg(value_name = "TRACE")]
    other: PathBuf,
}

impl Diff {
    pub(crate) fn run(self) -> End {
        let read = |file: &PathBuf| {
            std::fs::read_to_string(file).map_err(|error| format!("cannot read {}: {error}", file.display()))
        };
        let (one, other) = match (read(&self.one), read(&self.other)) {
            (Ok(one), Ok(other)) => (one, other),
            (Err(line), _) | (_, Err(line)) => return End::Usage(line),
        };
        let of_one_plan = say_headers(&header(&one), &header(&other));
        let (mut ours, mut theirs) = (one.lines().skip(1), other.lines().skip(1));
        for fact in 0.. {
            match (ours.next(), theirs.next()) {
                (None, None) => break,
                (ours, theirs) if ours != theirs => {
                    say(format!("fact {fact} differs"));
                    say(format!("< {}", ours.unwrap_or("(no more facts)")));
                    say(format!("> {}", theirs.unwrap_or("(no more facts)")));
                    return End::Differed;
                }
                _ => {}
            }
        }
        say(if of_one_plan { "the traces are equal" } else { "the facts are equal, but not what they are of" });
        if of_one_plan { End::Fine } else { End::Differed }
    }
}

/// The first line of a trace: what it is of.
fn header(trace: &str) -> Map<String, Value> {
    trace.lines().next().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default()
}

/// Says in what two headers differ, but for what differs whenever a fact does. Whether both are of the same seed and plan:
/// the rest (commit, compiler, tier) may be what the traces are to be compared for.
fn say_headers(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    let keys: BTreeSet<_> =
        one.keys().chain(other.keys()).filter(|key| !["facts", "digest"].contains(&key.as_str())).collect();
    let shown =
        |header: &Map<String, Value>, key: &str| header.get(key).map_or_else(|| "nothing".to_owned(), Value::to_string);
    let differing: Vec<_> = keys.into_iter().filter(|key| one.get(*key) != other.get(*key)).collect();
    for key in &differing {
        say(format!("the headers differ in {key}: {} and {}", shown(one, key), shown(other, key)));
    }
    !differing.iter().any(|key| ["seed", "plan"].contains(&key.as_str()))
}
