//! Optional parameters that a policy adds, leaves out or breaks.

use serde::{Deserialize, Serialize};
use smpp_transport::pdu::TlvTag;

use super::ids::IdForm;
use super::template::Template;
use crate::rules::Hex;

/// An optional parameter to add: its tag, and one of `hex`, `text`, `id` and `copy` for the value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TlvSetting {
    /// Tag. Default: that of `copy`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<u16>,
    /// Value as octets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hex: Option<Hex>,
    /// Value as a template, of one octet a character and without a NUL at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Template>,
    /// Value is the message id in this form, with a NUL at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<IdForm>,
    /// Value is copied from the message's parameter with this tag. Without one, none is added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy: Option<u16>,
}

/// Most octets of a value that a policy gives: a frame has room for a few of them.
const VALUE_OCTETS_MAX: usize = 20_000;

impl TlvSetting {
    /// Tag that is written.
    pub(crate) fn tag(&self) -> TlvTag {
        TlvTag(self.tag.or(self.copy).unwrap_or_default())
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        let values = [self.hex.is_some(), self.text.is_some(), self.id.is_some(), self.copy.is_some()];
        if let Some(hex) = self.hex.as_ref().filter(|hex| hex.0.len() > VALUE_OCTETS_MAX) {
            return Err(format!("hex has {} octets: at most {VALUE_OCTETS_MAX} are allowed", hex.0.len()));
        }
        match values.into_iter().filter(|is_there| *is_there).count() {
            1 if self.tag.or(self.copy).is_none() => Err("tag is missing: it is optional with copy only".to_owned()),
            1 => Ok(()),
            _ => Err("hex, text, id and copy: exactly one of them is allowed".to_owned()),
        }
    }
}

/// Validates a list that is called so.
pub(super) fn validate(name: &str, list: Option<&Vec<TlvSetting>>) -> Result<(), String> {
    let settings = list.into_iter().flatten().enumerate();
    settings.into_iter().try_for_each(|(place, tlv)| tlv.validate().map_err(|words| format!("{name}[{place}].{words}")))
}

/// Fault of the last optional parameter in a PDU that is good otherwise.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TlvFault {
    /// The last one claims 60 octets more than there are.
    Overrun,
    /// The last one claims one octet less than there are, so that one octet is left over.
    Short,
    /// The last one ends within its own tag and length, after three octets.
    Cut,
    /// The last one is there twice.
    Duplicate,
    /// Each one is there twice, in the same order.
    DuplicateAll,
}

impl TlvFault {
    /// All of them.
    pub const ALL: [TlvFault; 5] =
        [TlvFault::Overrun, TlvFault::Short, TlvFault::Cut, TlvFault::Duplicate, TlvFault::DuplicateAll];
}

/// A parameter that receipts have of themselves.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptTlv {
    /// receipted_message_id.
    ReceiptedMessageId,
    /// message_state.
    MessageState,
    /// network_error_code.
    NetworkErrorCode,
    /// user_message_reference of the message.
    UserMessageReference,
}

impl ReceiptTlv {
    /// Tag of the parameter.
    #[must_use]
    pub const fn tag(self) -> TlvTag {
        match self {
            ReceiptTlv::ReceiptedMessageId => TlvTag::RECEIPTED_MESSAGE_ID,
            ReceiptTlv::MessageState => TlvTag::MESSAGE_STATE,
            ReceiptTlv::NetworkErrorCode => TlvTag::NETWORK_ERROR_CODE,
            ReceiptTlv::UserMessageReference => TlvTag::USER_MESSAGE_REFERENCE,
        }
    }
}

/// network_error_code (§5.3.2.31).
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NetworkErrorCode {
    /// Network: 1 ANSI-136, 2 IS-95, 3 GSM. Default: 3.
    #[serde(default = "gsm")]
    pub network: u8,
    /// Code of the network.
    pub code: u16,
}

const fn gsm() -> u8 {
    3
}
