//! A history as JSON lines: first what it is of, then a fact a line.

use serde_json::{Value, json};

use crate::history::{Fact, History};
use crate::origin::Origin;
use crate::plan::Plan;
use crate::world::Tier;

/// The trace of a run.
#[must_use]
pub fn trace(plan: &Plan, tier: Tier, history: &History) -> String {
    let mut header = serde_json::to_value(Origin::of(plan, tier)).unwrap_or_default();
    if let Value::Object(fields) = &mut header {
        let own = json!({ "seed": plan.seed, "facts": history.facts.len(), "digest": history.digest() });
        fields.extend(own.as_object().cloned().unwrap_or_default());
    }
    let lines = std::iter::once(header).chain(history.facts.iter().map(Fact::json));
    lines.map(|line| format!("{line}\n")).collect()
}
