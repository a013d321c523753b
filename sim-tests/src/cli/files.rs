//! Plans and traces as files.

use std::path::Path;

use sim_tests::history::History;
use sim_tests::plan::{Plan, Profile};
use sim_tests::trace::trace;
use sim_tests::world::Tier;

use super::seed;

/// The plan of a seed, or the one in a file.
pub(super) fn plan(what: &str, profile: Option<Profile>) -> Result<Plan, String> {
    let file = Path::new(what);
    if !file.exists() {
        return seed(what).map(|seed| Plan::draw(seed, profile)).map_err(|words| format!("{words}; nor is it a file"));
    }
    let text = std::fs::read_to_string(file).map_err(|error| format!("cannot read {what}: {error}"))?;
    let plan: Plan = serde_json::from_str(&text).map_err(|error| format!("{what} is no plan: {error}"))?;
    plan.check().map(|()| plan).map_err(|words| format!("{what} cannot be run: {words}"))
}

pub(super) fn write_plan(file: &Path, plan: &Plan) -> Result<(), String> {
    write(file, format!("{}\n", serde_json::to_string_pretty(plan).map_err(|error| error.to_string())?))
}

pub(super) fn write_trace(file: &Path, plan: &Plan, tier: Tier, history: &History) -> Result<(), String> {
    write(file, trace(plan, tier, history))
}

pub(super) fn write(file: &Path, text: impl AsRef<[u8]>) -> Result<(), String> {
    std::fs::write(file, text).map_err(|error| format!("cannot write {}: {error}", file.display()))
}
