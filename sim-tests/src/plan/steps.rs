//! How large a plan is, and by which number it is known.

use serde_json::Value;

use super::Plan;
use crate::history::fnv;

/// What is a number that every plan has, or that belongs to a step: no step of its own.
const AMOUNTS: [&str; 21] = [
    "seed",
    "profile",
    "tick_ms",
    "latency_ms",
    "timers",
    "kind",
    "window",
    "account",
    "messages_max",
    "retry_max_age_ms",
    "shutdown_timeout_ms",
    "early_hold_ms",
    "join_expiry_ms",
    "inbound_timeout_ms",
    "stall_ms",
    "cut_within",
    "at_ms",
    "for_ms",
    "peace_after_ms",
    "octets",
    "characters",
];
/// What is one step, whatever it says inside.
const WHOLE: [&str; 3] = ["outcome", "retry", "hosts"];
/// Lists whose elements have steps of their own, and of which a plan needs one.
const NEEDED: [&str; 3] = ["clients", "transports", "links"];

impl Plan {
    /// Its steps. A step is what can be left out by itself: a message, text, handset, fault or rule, with all that it says;
    /// a chance, policy or option that is not plain; a client or transport beyond the first, a link beyond a transport's
    /// first. Times, sizes and windows are none: they can only be smaller.
    #[must_use]
    pub fn steps(&self) -> usize {
        let value = serde_json::to_value(self).unwrap_or_default();
        let links = self.transports.iter().map(|transport| transport.links.len().min(1)).sum::<usize>();
        count("", &value).saturating_sub(self.owners().len().min(1) + links)
    }

    /// A number that differs when anything in the plan does.
    #[must_use]
    pub fn digest(&self) -> u64 {
        fnv(&serde_json::to_vec(self).unwrap_or_default())
    }
}

fn count(key: &str, value: &Value) -> usize {
    match value {
        _ if AMOUNTS.contains(&key) => 0,
        _ if WHOLE.contains(&key) => 1,
        Value::Array(elements) if NEEDED.contains(&key) => {
            elements.iter().map(|element| 1 + if element.is_object() { count("", element) } else { 0 }).sum()
        }
        Value::Array(elements) => elements.len(),
        Value::Object(fields) => fields.iter().map(|(key, value)| count(key, value)).sum(),
        _ => 1,
    }
}
