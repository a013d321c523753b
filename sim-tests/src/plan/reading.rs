//! What a reader of receipts must make of them, by the states in their text and in their parameters. Kept apart from the
//! product's own reader, so that both cannot be wrong in the same way.

use smpp_transport::pdu::MessageState;
use smsc_sim::policy::{ReceiptForm, ReceiptTlv};

use super::Smsc;

/// Meaning of a receipt.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Reading {
    /// The message is on its way, or its state says nothing.
    Pending,
    Delivered,
    Failed,
}

impl Reading {
    /// Meaning of one state by the standard; ACCEPTED is not final.
    pub(crate) fn of(state: MessageState) -> Reading {
        match state {
            MessageState::DELIVERED => Reading::Delivered,
            MessageState::EXPIRED | MessageState::DELETED | MessageState::UNDELIVERABLE | MessageState::REJECTED => {
                Reading::Failed
            }
            _ => Reading::Pending,
        }
    }
}

/// Weight of a state, from 0: it is undefined, nothing is known of the message, the message is on its way, or it has ended.
fn rank(state: MessageState) -> u8 {
    match state {
        MessageState::SCHEDULED | MessageState::UNKNOWN => 1,
        MessageState::ENROUTE | MessageState::ACCEPTED => 2,
        _ if Reading::of(state) != Reading::Pending => 3,
        _ => 0,
    }
}

/// Meaning of the receipt of a message in this state, by this SMSC's policy. Of text and parameters the one counts that says
/// more, and the parameters where both say as much.
pub(crate) fn reading(smsc: &Smsc, state: MessageState) -> Reading {
    let policy = &smsc.policy.receipt;
    let text = (policy.form != Some(ReceiptForm::Tlvs)).then_some(state);
    let has_state = policy.form != Some(ReceiptForm::Text)
        && !policy.without.as_ref().is_some_and(|without| without.contains(&ReceiptTlv::MessageState));
    let parameter = has_state.then(|| policy.tlv_state.map_or(state, |number| MessageState(number.0)));
    let said = match (parameter, text) {
        (Some(parameter), Some(text)) if rank(text) > rank(parameter) => Some(text),
        (parameter, text) => parameter.or(text),
    };
    said.map_or(Reading::Pending, Reading::of)
}
