//! What an SMSC writes that is no PDU, or one that is wrong. Which rules say so is drawn from a stream of its own.

use rand::{Rng, RngExt};
use smsc_sim::Rule;
use smsc_sim::policy::Policy;
use smsc_sim::rules::{Hex, Malformed, Operation, Step, Then, When};
use smsc_sim::words::AnyOf;

use super::{Smsc, Switch};

/// Octets that are wrong in other ways than a deliver_sm can be: for people, and the octets.
const RAW: [(&str, &str); 6] = [
    ("a length just above the limit", "00 01 11 71 00 00 00 05 00 00 00 00 50 00 00 01"),
    ("another protocol", "47 45 54 20 2F 20 48 54 54 50 2F 31 2E 31 0D 0A 0D 0A"),
    ("a response that nobody knows", "00 00 00 10 80 00 0A FF 00 00 00 00 50 00 00 02"),
    ("a submit_sm_resp whose body is cut", "00 00 00 13 80 00 00 04 00 00 00 00 50 00 00 03 61 62 63"),
    ("a data_sm_resp with a parameter too long", "00 00 00 16 80 00 01 03 00 00 00 00 50 00 00 04 00 04 24 00 FF 00"),
    ("an enquire_link with a body", "00 00 00 15 00 00 00 15 00 00 00 00 50 00 00 05 01 02 03 04 05"),
];

/// What makes all that follows it unreadable is rarer than what does not.
fn chance_max(step: &Step) -> f64 {
    if breaks_framing(step) { 0.02 } else { 0.06 }
}

fn breaks_framing(step: &Step) -> bool {
    match step {
        Step::Malformed(it) => matches!(
            it,
            Malformed::LengthZero | Malformed::LengthShort | Malformed::LengthHuge | Malformed::LengthOneMore
        ),
        Step::Raw(Hex(octets)) => {
            let length = octets.first_chunk().map(|length| u32::from_be_bytes(*length));
            length.and_then(|length| usize::try_from(length).ok()) != Some(octets.len())
        }
        _ => false,
    }
}

/// Before the answer or after it, of messages, binds and signs of life.
pub(super) fn rules<R: Rng>(switch: &mut Switch<R>) -> Vec<Rule> {
    let malformed = Malformed::ALL.map(|it| (format!("{it:?}"), Step::Malformed(it)));
    let raw = RAW.map(|(name, hex)| (name.to_owned(), Step::Raw(hex.parse().expect("it is hexadecimal"))));
    let is_before = switch.rng.random_bool(0.3);
    let operation = [Operation::SubmitSm, Operation::DataSm, Operation::EnquireLink, Operation::Bind];
    let mut rules = Vec::new();
    for (name, step) in malformed.into_iter().chain(raw) {
        let chance = switch.chance(chance_max(&step));
        let then = if is_before {
            Then { before: vec![step], ..Then::default() }
        } else {
            Then { after: vec![step], ..Then::default() }
        };
        let when = When { operation: AnyOf(operation.to_vec()), chance: Some(chance), ..When::default() };
        rules.extend((chance > 0.0).then_some(Rule { name, when, then }));
    }
    rules
}

impl Smsc {
    /// Whether it writes what is no PDU, or one that is wrong.
    #[must_use]
    pub fn is_malformed(&self) -> bool {
        let Policy { response, receipt, .. } = &self.policy;
        let has_faults = response.shape.is_some()
            || response.tlv_fault.or(receipt.tlv_fault).is_some()
            || response.tail.as_ref().or(receipt.tail.as_ref()).is_some();
        has_faults || self.steps().any(|step| matches!(step, Step::Malformed(_) | Step::Raw(_)))
    }

    /// Whether what it writes may be such that nothing after it can be read.
    pub(super) fn breaks_framing(&self) -> bool {
        self.steps().any(breaks_framing)
    }
}
