//! `diff`: the first fact in which two traces differ.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value};

use super::{End, say};

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
        if !say_in_all(&header(&one), &header(&other)) {
            return End::Differed;
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
    let keys: BTreeSet<_> = one.keys().chain(other.keys()).filter(|key| !IN_ALL.contains(&key.as_str())).collect();
    let differing: Vec<_> = keys.into_iter().filter(|key| one.get(*key) != other.get(*key)).collect();
    for key in &differing {
        say_differing(one, other, key);
    }
    !differing.iter().any(|key| ["seed", "plan"].contains(&key.as_str()))
}

/// What a header says of all facts together.
const IN_ALL: [&str; 2] = ["facts", "digest"];

/// Of two traces with the same facts: says in what their headers differ nevertheless. Whether they do not: else the facts are
/// not those that the header is of, or something happened that no fact shows.
fn say_in_all(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    let differing: Vec<_> = IN_ALL.into_iter().filter(|key| one.get(*key) != other.get(*key)).collect();
    if !differing.is_empty() {
        say("no fact differs, but what the headers say of them does");
    }
    differing.iter().for_each(|key| say_differing(one, other, key));
    differing.is_empty()
}

fn say_differing(one: &Map<String, Value>, other: &Map<String, Value>, key: &str) {
    let shown = |header: &Map<String, Value>| header.get(key).map_or_else(|| "nothing".to_owned(), Value::to_string);
    say(format!("the headers differ in {key}: {} and {}", shown(one), shown(other)));
}
