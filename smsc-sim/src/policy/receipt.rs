//! Receipts, as far as a policy shapes them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use smpp_transport::pdu::COctets;

use super::encoding::{Dates, Encoding};
use super::ids::IdForm;
use super::parts::{PartReceipts, Split};
use super::states::{ByState, ReceiptCoding, StateNumber};
use super::template::Template;
use super::tlvs::{self, NetworkErrorCode, ReceiptTlv, TlvFault, TlvSetting};
use crate::rules::Hex;
use crate::time::Delay;
use crate::words::State;

/// Contents, form and destination of receipts. Everything may be left to the layer below.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ReceiptPolicy {
    /// Messages that have a receipt. Default: as `registered_delivery` asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sent: Option<Sent>,
    /// Time between the state and its receipt. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<Delay>,
    /// Number of receipts. Default: 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u8>,
    /// Parts of a long message that have a receipt. Default: each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts: Option<PartReceipts>,
    /// Further receipts after the last of those, one after the other: states, or objects with a delay and a form of their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = crate::schema::further_receipts)]
    pub then: Option<Vec<Further>>,
    /// State in the text and in message_state, whatever the message's is. Default: the message's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Form of the id in the text, and in receipted_message_id. Default: as in the response.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message_id: Option<IdForm>,
    /// Text, parameters, or both. Default: both, for a peer that knows parameters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<ReceiptForm>,
    /// Template of the text, or the name of one. Default: appendix_b.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Template>,
    /// Word for `stat`, or words by state. Default: those of appendix B.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stat: Option<ByState>,
    /// Word for `err`, or words by state. Default: the error of the network in three digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub err: Option<ByState>,
    /// Form of dates. Default: minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dates: Option<Dates>,
    /// data_coding, or `message` for that of the message. Default: 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = crate::schema::receipt_coding)]
    pub data_coding: Option<ReceiptCoding>,
    /// Encoding of the text. Default: by the number in `data_coding`: UCS-2 for 8, Latin-1 for 3, else ASCII.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// esm_class. Default: 0x04, and 0x20 of an intermediate notification. A header's bit is added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub esm_class: Option<u8>,
    /// registered_delivery of the receipt itself. Default: 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub registered_delivery: Option<u8>,
    /// Form of the id in receipted_message_id alone. Default: `message_id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tlv_id: Option<IdForm>,
    /// message_state, whatever the text says. Default: the state in the text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = crate::schema::state_number)]
    pub tlv_state: Option<StateNumber>,
    /// network_error_code. Default: the error of the network, if there is one, of a GSM network.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network_error_code: Option<NetworkErrorCode>,
    /// Parameters that are left out. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without: Option<Vec<ReceiptTlv>>,
    /// Further parameters, behind the usual ones, in this order. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tlvs: Option<Vec<TlvSetting>>,
    /// Fault of the optional parameters. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tlv_fault: Option<TlvFault>,
    /// Octets behind all else, which command_length counts. Default: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tail: Option<Hex>,
    /// Parts in which the text is sent, by deliver_sm. Default: whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// PDU and field that carry the receipt. Default: deliver_sm, with the text in short_message.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<Carrier>,
    /// Session among those that may have the receipt. Default: the one that submitted, if it receives; else any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Which>,
    /// `true` if the first receipt goes before the response to the message. Default: `false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before_response: Option<bool>,
}

/// A further receipt of a message: a state such as `DELIVERED`, or an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Further {
    /// State in the text and in message_state.
    pub state: State,
    /// Time after the receipt before. Default: none.
    pub delay: Delay,
    /// `true` if it is an intermediate notification. Default: `false`.
    pub intermediate: bool,
    /// Form of this receipt, before that of the others.
    pub receipt: Box<ReceiptPolicy>,
}

/// A further receipt as an object.
#[derive(Serialize, Deserialize)]
#[serde(rename = "FurtherReceipt", deny_unknown_fields)]
struct FurtherObject {
    state: State,
    #[serde(default, skip_serializing_if = "Delay::is_none")]
    delay: Delay,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    intermediate: bool,
    #[serde(default, skip_serializing_if = "is_default")]
    receipt: Box<ReceiptPolicy>,
}

#[expect(clippy::borrowed_box, reason = "serde hands it over so")]
fn is_default(policy: &Box<ReceiptPolicy>) -> bool {
    policy.is_default()
}

impl Further {
    /// A receipt of this state, at once.
    #[must_use]
    pub fn of(state: State) -> Further {
        Further { state, delay: Delay::NONE, intermediate: false, receipt: Box::default() }
    }
}

impl Serialize for Further {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        if *self == Further::of(self.state) {
            return self.state.serialize(to);
        }
        let Further { state, delay, intermediate, receipt } = self.clone();
        FurtherObject { state, delay, intermediate, receipt }.serialize(to)
    }
}

impl<'de> Deserialize<'de> for Further {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Further, D::Error> {
        struct StateOrObject;
        impl<'de> de::Visitor<'de> for StateOrObject {
            type Value = Further;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a state such as DELIVERED, or a receipt such as {state: DELIVERED, delay: 2s}")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Further, E> {
                text.parse().map(Further::of).map_err(E::custom)
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Further, A::Error> {
                let object = FurtherObject::deserialize(de::value::MapAccessDeserializer::new(map))?;
                let FurtherObject { state, delay, intermediate, receipt } = object;
                Ok(Further { state, delay, intermediate, receipt })
            }
        }
        from.deserialize_any(StateOrObject)
    }
}

/// Messages that have a receipt.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReceiptSent)]
pub enum Sent {
    /// As `registered_delivery` asks.
    #[default]
    Asked,
    /// Whatever it asks.
    Always,
    /// Whatever it asks.
    Never,
}

/// Carriers of a receipt's contents.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptForm {
    /// As text and as parameters.
    #[default]
    Both,
    /// As text (appendix B).
    Text,
    /// As the parameters receipted_message_id and message_state.
    Tlvs,
}

/// PDU and field that carry a receipt.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReceiptCarrier)]
pub enum Carrier {
    /// deliver_sm, with the text in short_message.
    #[default]
    DeliverSm,
    /// deliver_sm, with the text in message_payload.
    Payload,
    /// data_sm, which has nothing but message_payload.
    DataSm,
}

/// Session among those that may have a receipt.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Which {
    /// The one that submitted, if that receives; else any.
    #[default]
    Same,
    /// Any, in turn.
    Any,
    /// Another one than that which submitted, if there is one.
    Other,
}

/// Most further receipts of a message.
const FURTHER_MAX: usize = 20;
/// Most octets behind a PDU.
pub(super) const TAIL_OCTETS_MAX: usize = 1_000;

impl ReceiptPolicy {
    pub(crate) fn over(&self, below: &ReceiptPolicy) -> ReceiptPolicy {
        /// The first of two that says something.
        fn first<T: Clone>(above: Option<&T>, below: Option<&T>) -> Option<T> {
            above.or(below).cloned()
        }
        ReceiptPolicy {
            sent: self.sent.or(below.sent),
            delay: first(self.delay.as_ref(), below.delay.as_ref()),
            times: self.times.or(below.times),
            parts: self.parts.or(below.parts),
            then: first(self.then.as_ref(), below.then.as_ref()),
            state: self.state.or(below.state),
            message_id: first(self.message_id.as_ref(), below.message_id.as_ref()),
            form: self.form.or(below.form),
            text: first(self.text.as_ref(), below.text.as_ref()),
            stat: first(self.stat.as_ref(), below.stat.as_ref()),
            err: first(self.err.as_ref(), below.err.as_ref()),
            dates: self.dates.or(below.dates),
            data_coding: self.data_coding.or(below.data_coding),
            encoding: self.encoding.or(below.encoding),
            esm_class: self.esm_class.or(below.esm_class),
            registered_delivery: self.registered_delivery.or(below.registered_delivery),
            tlv_id: first(self.tlv_id.as_ref(), below.tlv_id.as_ref()),
            tlv_state: self.tlv_state.or(below.tlv_state),
            network_error_code: self.network_error_code.or(below.network_error_code),
            without: first(self.without.as_ref(), below.without.as_ref()),
            tlvs: first(self.tlvs.as_ref(), below.tlvs.as_ref()),
            tlv_fault: self.tlv_fault.or(below.tlv_fault),
            tail: first(self.tail.as_ref(), below.tail.as_ref()),
            split: self.split.or(below.split),
            carrier: self.carrier.or(below.carrier),
            session: self.session.or(below.session),
            before_response: self.before_response.or(below.before_response),
        }
    }

    /// Returns `true` if nothing is said.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == ReceiptPolicy::default()
    }

    /// Checks everything that the types do not.
    pub(crate) fn validate(&self) -> Result<(), String> {
        tlvs::validate("tlvs", self.tlvs.as_ref())?;
        check_tail("tail", self.tail.as_ref())?;
        self.split.map_or(Ok(()), Split::validate)?;
        for (name, words) in [("stat", &self.stat), ("err", &self.err)] {
            if let Some(word) = words.iter().flat_map(ByState::words).find(|word| word.len() > COctets::<65>::MAX) {
                return Err(format!("{name} is {word:?}: at most {} octets are allowed", COctets::<65>::MAX));
            }
        }
        let further = self.then.as_deref().unwrap_or_default();
        if further.len() > FURTHER_MAX {
            return Err(format!("then has {} receipts: at most {FURTHER_MAX} are allowed", further.len()));
        }
        for (place, further) in further.iter().enumerate() {
            if further.receipt.then.is_some() {
                return Err(format!("then[{place}].receipt.then: further receipts have none of their own"));
            }
            further.receipt.validate().map_err(|words| format!("then[{place}].receipt.{words}"))?;
        }
        Ok(())
    }
}

/// Checks octets behind a PDU, in the field of this name.
pub(super) fn check_tail(name: &str, tail: Option<&Hex>) -> Result<(), String> {
    match tail {
        Some(tail) if tail.0.len() > TAIL_OCTETS_MAX => {
            Err(format!("{name} has {} octets: at most {TAIL_OCTETS_MAX} are allowed", tail.0.len()))
        }
        _ => Ok(()),
    }
}
