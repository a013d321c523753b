//! Responses to messages that are accepted, as far as a policy shapes them.

use serde::{Deserialize, Serialize};

use super::receipt::check_tail;
use super::tlvs::{self, TlvFault, TlvSetting};
use crate::rules::Hex;

/// The response to a message. Everything may be left to the layer below. It also shapes a refusal by the same rule: an error
/// response then has a body, with an empty id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ResponsePolicy {
    /// Form of the body. Default: as the standard has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shape: Option<ResponseShape>,
    /// Optional parameters, in this order. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tlvs: Option<Vec<TlvSetting>>,
    /// Fault of the optional parameters. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tlv_fault: Option<TlvFault>,
    /// Octets behind all else, which command_length counts. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tail: Option<Hex>,
}

/// Form of a response's body. Most cannot be read by the letter of the standard, some by nobody.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResponseShape {
    /// The id and its NUL.
    #[default]
    Whole,
    /// The id without its NUL.
    NoNul,
    /// An id of 65 octets, zeros before its end, and the NUL.
    LongId,
    /// An id of 65 octets, zeros before its end, without a NUL.
    LongIdNoNul,
    /// The id, its NUL and one octet more.
    StrayOctet,
    /// The id, its NUL, eight octets of what was in a buffer, and a NUL.
    StrayText,
    /// The id, its NUL and three octets of an optional parameter.
    CutTlv,
    /// The id, its NUL and an optional parameter that claims more octets than there are.
    TlvOverrun,
    /// No body.
    Empty,
}

impl ResponseShape {
    /// All that are not by the standard.
    pub const WRONG: [ResponseShape; 8] = [
        ResponseShape::NoNul,
        ResponseShape::LongId,
        ResponseShape::LongIdNoNul,
        ResponseShape::StrayOctet,
        ResponseShape::StrayText,
        ResponseShape::CutTlv,
        ResponseShape::TlvOverrun,
        ResponseShape::Empty,
    ];
}

impl ResponsePolicy {
    pub(crate) fn over(&self, below: &ResponsePolicy) -> ResponsePolicy {
        ResponsePolicy {
            shape: self.shape.or(below.shape),
            tlvs: self.tlvs.as_ref().or(below.tlvs.as_ref()).cloned(),
            tlv_fault: self.tlv_fault.or(below.tlv_fault),
            tail: self.tail.as_ref().or(below.tail.as_ref()).cloned(),
        }
    }

    /// Returns `true` if nothing is said.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == ResponsePolicy::default()
    }

    pub(super) fn validate(&self) -> Result<(), String> {
        tlvs::validate("response.tlvs", self.tlvs.as_ref())?;
        check_tail("response.tail", self.tail.as_ref())
    }
}
