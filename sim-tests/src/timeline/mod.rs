//! A run as a page to look at: lanes for buses, processes, ESMEs, the network and SMSCs, with PDUs as arrows between them,
//! from when one end wrote them to when the other read them, faults and lives as bars, and what was broken where it was.
//!
//! The page is one file with all that it needs in it: its style, its script and the run as JSON. It asks nobody for anything.

mod blame;
mod events;
mod frames;
mod lanes;
mod pdus;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::history::History;
use crate::oracle::all_marks;
use crate::origin::Origin;
use crate::plan::Plan;
use crate::runner::Verdict;
use crate::world::Tier;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = concat!(
    include_str!("js/model.js"),
    include_str!("js/scale.js"),
    include_str!("js/canvas.js"),
    include_str!("js/lanes.js"),
    include_str!("js/arrows.js"),
    include_str!("js/overview.js"),
    include_str!("js/list.js"),
    include_str!("js/details.js"),
    include_str!("js/page.js"),
);

/// All that the page knows. Times are places among the facts; `times` says when each was, in microseconds.
#[derive(Serialize)]
struct Data<'a> {
    run: Run,
    times: Vec<u64>,
    lanes: &'a [lanes::Lane],
    lives: Vec<lanes::Bar>,
    connections: &'a [lanes::Connection],
    faults: Vec<lanes::FaultBar>,
    events: &'a [events::Event],
    violations: Vec<blame::Blame>,
    ids: &'a BTreeMap<String, Vec<String>>,
    plan: &'a Plan,
}

/// What the page says of the run as a whole. A seed and a digest are more than a number of JavaScript's holds.
#[derive(Serialize)]
struct Run {
    #[serde(flatten)]
    origin: Origin,
    seed: String,
    profile: String,
    digest: String,
    simulated: u64,
    marks: usize,
    marks_all: usize,
    met: Vec<&'static str>,
}

/// The page of a run.
#[must_use]
pub fn page(plan: &Plan, history: &History, verdict: &Verdict, tier: Tier) -> String {
    let lanes = lanes::Lanes::of(plan);
    let connections = lanes::connections(history, &lanes);
    let (events, talk) = events::events(plan, history, &lanes, &connections);
    let data = Data {
        run: Run {
            origin: Origin::of(plan, tier),
            seed: verdict.seed.to_string(),
            profile: format!("{:?}", plan.profile).to_lowercase(),
            digest: format!("{:016x}", verdict.digest),
            simulated: micros(verdict.simulated),
            marks: verdict.marks.len(),
            marks_all: all_marks().count(),
            met: verdict.marks.clone(),
        },
        times: history.facts.iter().map(|fact| micros(fact.at)).collect(),
        lanes: &lanes.lanes,
        lives: lanes::lives(plan, history, &lanes),
        connections: &connections,
        faults: lanes::faults(plan, history, &lanes),
        violations: verdict.violations.iter().map(|it| blame::blame(it, history, &lanes, &events)).collect(),
        events: &events,
        ids: &talk.ids,
        plan,
    };
    let data = serde_json::to_string(&data).expect("all keys are strings");
    filled(PAGE, &[("<!-- style -->", STYLE), ("<!-- data -->", &inert(&data)), ("<!-- script -->", SCRIPT)])
}

/// JSON in which no browser sees the end of the script that it is in: `<` is in strings only, and can be written otherwise.
fn inert(json: &str) -> String {
    json.replace('<', "\\u003c")
}

/// The template with each place filled, in their order. What is put in is not looked at again.
fn filled(template: &str, parts: &[(&str, &str)]) -> String {
    let mut page = String::new();
    let mut rest = template;
    for (place, part) in parts {
        let (before, after) = rest.split_once(place).expect("the template has its places in this order");
        page.push_str(before);
        page.push_str(part);
        rest = after;
    }
    page + rest
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
