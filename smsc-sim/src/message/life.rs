//! What is going to happen to a message, drawn when it is accepted.

use std::sync::Arc;
use std::time::Duration;

use rand::Rng;
use serde::{Deserialize, Serialize};
use smpp_transport::pdu::MessageState;

use super::record::json_text;
use crate::policy::{IdForm, PartIds, PartReceipts, Policy, ReceiptPolicy};

/// What is going to happen to a message, if nobody interferes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Life {
    /// How it ends. ENROUTE is without end, but for its validity.
    pub(crate) outcome: MessageState,
    /// How long it is ENROUTE before.
    pub(crate) enroute: Duration,
    /// The network's error when it ends so; 0 is none.
    pub(crate) error: u8,
    /// Form of the id in the response.
    pub(crate) id_form: IdForm,
    /// Ids of the parts, if the message is one.
    #[serde(default)]
    pub(crate) part_ids: PartIds,
    /// Form of the receipts.
    #[serde(with = "json_text")]
    pub(crate) receipt: Arc<ReceiptPolicy>,
    /// Time between a state and its receipt.
    pub(crate) receipt_delay: Duration,
    /// Time between each further receipt and the one before.
    #[serde(default)]
    pub(crate) further_delays: Box<[Duration]>,
}

impl Life {
    /// Returns `true` if parts of a long message are treated as one.
    pub(super) fn joins_parts(&self) -> bool {
        self.part_ids != PartIds::Own || self.receipt.parts == Some(PartReceipts::One)
    }

    /// By the standard, at once and well: what a policy that says nothing gives. Nothing is drawn and nothing is counted
    /// but one more holder of `receipt`, which is the default policy.
    pub(crate) fn plain(receipt: &Arc<ReceiptPolicy>) -> Life {
        Life {
            outcome: MessageState::DELIVERED,
            enroute: Duration::ZERO,
            error: 0,
            id_form: IdForm::Decimal,
            part_ids: PartIds::Own,
            receipt: Arc::clone(receipt),
            receipt_delay: Duration::ZERO,
            further_delays: Box::default(),
        }
    }

    /// One draw. Ask [`Policy::is_default`] first where speed counts: then it is [`Life::plain`].
    pub(crate) fn draw(policy: &Policy, rng: &mut impl Rng) -> Life {
        // The same draws in the same order, so that a change of one moves no other before it.
        let outcome = policy.outcome.as_ref().map_or(MessageState::DELIVERED, |outcome| outcome.draw(rng));
        let enroute = policy.enroute.as_ref().map_or(Duration::ZERO, |delay| delay.draw(rng));
        let receipt_delay = policy.receipt.delay.as_ref().map_or(Duration::ZERO, |delay| delay.draw(rng));
        let further = policy.receipt.then.as_deref().unwrap_or_default();
        let further_delays = further.iter().map(|further| further.delay.draw(rng)).collect();
        Life {
            outcome,
            enroute,
            error: policy.error.unwrap_or_else(|| error_of(outcome)),
            id_form: policy.message_id.clone().unwrap_or_default(),
            part_ids: policy.part_ids.unwrap_or_default(),
            receipt: Arc::new(policy.receipt.clone()),
            receipt_delay,
            further_delays,
        }
    }
}

/// The error of a message that ends so, where nobody says which: none for one that went well.
pub(super) const fn error_of(state: MessageState) -> u8 {
    if is_success(state) || !state.is_final() { 0 } else { 1 }
}

/// Whether a message that ended so went well: §5.2.17 knows only success and failure. ACCEPTED is one that somebody read
/// on the subscriber's behalf (§5.2.28).
pub(super) const fn is_success(state: MessageState) -> bool {
    matches!(state, MessageState::DELIVERED | MessageState::ACCEPTED)
}
