//! Situations of receipts and responses in the field's forms: met once a transport has taken one.

use smsc_sim::policy::{PartIds, PartReceipts, Policy, ReceiptPolicy};
use smsc_sim::rules::{Step, TlvIs};

use super::Seen;
use crate::plan::{Ids, Plan};

type Says = fn(&Policy) -> bool;
type SaysOfPlan = fn(&Plan) -> bool;

/// Forms of receipts, of which one was taken.
const RECEIPTS: [(&str, Says); 14] = [
    ("receipt by a template", |policy| policy.receipt.text.is_some()),
    ("receipt with other dates", |policy| policy.receipt.dates.is_some()),
    ("receipt with an error in words", |policy| policy.receipt.err.is_some()),
    ("receipt in another charset than it says", |policy| policy.receipt.encoding.is_some()),
    ("receipt whose message_state is another than its text's", |policy| policy.receipt.tlv_state.is_some()),
    ("receipt whose receipted_message_id is another than its text's", |policy| policy.receipt.tlv_id.is_some()),
    ("receipt without one of its parameters", |policy| policy.receipt.without.is_some()),
    ("receipt with a parameter that is broken", |policy| is_broken(&policy.receipt)),
    ("receipt in several parts", |policy| policy.receipt.split.is_some()),
    ("receipt after the final one", |policy| policy.receipt.then.is_some()),
    ("receipt for one part only", |policy| {
        matches!(policy.receipt.parts, Some(PartReceipts::First | PartReceipts::Last))
    }),
    ("receipt for all parts at once", |policy| policy.receipt.parts == Some(PartReceipts::One)),
    ("one id for several parts", |policy| policy.part_ids == Some(PartIds::Shared)),
    ("id of one part only", |policy| matches!(policy.part_ids, Some(PartIds::First | PartIds::Last))),
];

/// Forms of responses, of which one was read.
const RESPONSES: [(&str, Says); 2] = [
    ("response in a form that is not the standard's", |policy| policy.response.shape.is_some()),
    ("response with optional parameters", |policy| policy.response.tlvs.is_some()),
];

/// Rules of the SMSC that a session met.
const RULES: [(&str, SaysOfPlan); 5] = [
    ("receipts in another form by a rule", |plan| plan.smsc.rules.iter().any(|rule| !rule.then.policy.is_default())),
    ("step by the clock", |plan| plan.smsc.rules.iter().any(|rule| rule.when.clock.is_some())),
    ("binds limited", |plan| {
        plan.smsc.rules.iter().any(|rule| rule.when.sessions.is_some() || rule.name == crate::plan::BIND_RATE)
    }),
    ("messages to one destination limited", |plan| plan.smsc.rules.iter().any(|rule| rule.when.per.is_some())),
    ("one direction stalled", |plan| {
        let steps = plan.smsc.rules.iter().flat_map(|rule| &rule.then.after);
        steps.into_iter().any(|step| matches!(step, Step::Stall(_)))
    }),
];

/// Conditions on parameters that a submit met, and ids that are compared without being told how.
const SUBMITS: [&str; 3] =
    ["parameter asked for by a rule", "parameter missed by a rule", "ids compared without being told how"];

/// Names of all of these.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let of_policies = RECEIPTS.iter().chain(&RESPONSES).map(|(name, _)| *name);
    of_policies.chain(RULES.iter().map(|(name, _)| *name)).chain(SUBMITS)
}

fn is_broken(receipt: &ReceiptPolicy) -> bool {
    receipt.tlv_fault.is_some() || receipt.tail.is_some()
}

pub(super) fn marks(seen: &Seen) -> Vec<&'static str> {
    let policy = &seen.plan.smsc.policy;
    let said = |forms: &[(&'static str, Says)]| -> Vec<&'static str> {
        forms.iter().filter(|(_, says)| says(policy)).map(|(name, _)| *name).collect()
    };
    let mut met = Vec::new();
    if seen.delivered.iter().any(|it| it.is_receipt && it.accepted().is_some()) {
        met.extend(said(&RECEIPTS));
    }
    if seen.tries.values().flatten().any(|it| it.accepted().is_some()) {
        met.extend(said(&RESPONSES));
    }
    if seen.lines.iter().any(|line| line.bound_at().is_some()) {
        met.extend(RULES.iter().filter(|(_, says)| says(seen.plan)).map(|(name, _)| *name));
    }
    met.extend(of_submits(seen));
    met
}

fn of_submits(seen: &Seen) -> Vec<&'static str> {
    let mut met = Vec::new();
    let conditions = seen.plan.smsc.rules.iter().flat_map(|rule| &rule.when.tlv);
    for (tag, is) in conditions {
        let mut pdus = seen.tries.values().flatten().filter_map(|it| it.frame.pdu.as_ref());
        let name = SUBMITS[usize::from(*is == TlvIs::Absent)];
        met.extend(pdus.any(|pdu| is.is_met(&pdu.tlvs, *tag)).then_some(name));
    }
    let is_guessed = seen.part.options.ids == Ids::Auto;
    let is_reported = seen.published.iter().any(|it| it.event() == "delivery_report");
    met.extend((is_guessed && is_reported).then_some(SUBMITS[2]));
    met
}
