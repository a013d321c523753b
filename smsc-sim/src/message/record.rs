//! What is remembered of a message. Up to a million are, so each is compact, and owns its octets: nothing here keeps a read
//! buffer alive.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use smpp_transport::pdu::{
    CommandId, CommandStatus, DataCoding, EsmClass, MessageState, Npi, RegisteredDelivery, TlvTag, Tlvs, Ton, latin1,
};
use smpp_transport::text::{Charset, Content, DefaultAlphabet};

use super::life::Life;
use super::validate::Relative;
use crate::policy::{PartIds, ReceiptPolicy};

/// A message. Times are wall time since 1970.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Its place in the order of acceptance, from 1, with gaps; never used twice.
    pub(crate) number: u64,
    /// Number that `id` is made from: its own, or that of the first of a submit_multi or of the parts of a long message.
    pub(crate) first: u64,
    /// Id in the response, empty for a part that has none. The messages of one submit_multi have the same.
    pub(crate) id: Box<str>,
    /// system_id of the account that submitted it.
    #[serde(with = "shared_text")]
    pub(crate) account: Arc<str>,
    /// Number of the session that submitted it, or replaced it last.
    pub(crate) session: u64,
    /// Who it is from and for, and what it says.
    pub(crate) body: MessageBody,
    /// When it was accepted.
    pub(crate) submitted: Duration,
    /// When it becomes or became ENROUTE, if its schedule says so.
    pub(crate) scheduled: Option<Duration>,
    /// When it expires, if nothing else ends it before.
    pub(crate) expires: Option<Duration>,
    /// Which of those were said as so much time from then. After a restart both are times of day.
    #[serde(skip)]
    pub(super) relative: Relative,
    /// When `life` ends it; none while it is SCHEDULED, and for one without end.
    pub(crate) ends: Option<Duration>,
    /// When it ended.
    pub(crate) done: Option<Duration>,
    /// What is going to happen to it, or would have.
    pub(crate) life: Life,
    /// What has become of it.
    pub(crate) state: MessageState,
    /// The network's error; 0 is none.
    pub(crate) error: u8,
    /// Every state that it had, with when it came.
    pub(crate) history: Vec<(MessageState, Duration)>,
    /// Its receipts, those that are not yet due too.
    pub(crate) receipts: Vec<Fate>,
    /// The text of the whole, on the part that completed it.
    pub(crate) whole_text: Option<Box<str>>,
    /// Key of its timer, if it waits for time to pass. A store need not know: it is planned anew.
    #[serde(skip)]
    pub(super) timer: Option<(Duration, u64)>,
    /// Receipts that are not yet due.
    #[serde(skip)]
    pub(super) planned: u16,
}

/// What an ESME said of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct MessageBody {
    /// submit_sm, submit_multi or data_sm.
    pub(crate) operation: CommandId,
    pub(crate) source: Address,
    pub(crate) destination: Address,
    pub(crate) service_type: Box<[u8]>,
    pub(crate) esm_class: EsmClass,
    pub(crate) protocol_id: u8,
    pub(crate) priority: u8,
    pub(crate) registered_delivery: RegisteredDelivery,
    pub(crate) replace_if_present: u8,
    pub(crate) data_coding: DataCoding,
    pub(crate) sm_default_msg_id: u8,
    /// short_message, or message_payload: user data with its header.
    pub(crate) octets: Box<[u8]>,
    /// Whether they came in message_payload.
    pub(crate) in_payload: bool,
    /// The optional parameters, but for message_payload.
    #[serde(with = "parameters")]
    pub(crate) tlvs: Tlvs,
}

/// One end of a message.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub(crate) struct Address {
    pub(crate) ton: Ton,
    pub(crate) npi: Npi,
    pub(crate) digits: Box<[u8]>,
}

/// Progress of a receipt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fate {
    /// The state that it reports truthfully, whatever it says.
    pub(crate) state: MessageState,
    /// Whether it is an intermediate notification.
    pub(crate) intermediate: bool,
    /// When the message came to that state.
    pub(crate) reached: Duration,
    /// When it is due.
    pub(crate) due: Duration,
    pub(crate) outcome: Outcome,
    /// The session that it was sent to last; 0 is none yet.
    pub(crate) session: u64,
    /// What the ESME answered last.
    pub(crate) status: Option<CommandStatus>,
    /// How often it was sent.
    pub(crate) attempts: u32,
    /// When `outcome` came.
    pub(crate) at: Duration,
    /// Form of this receipt, where it is not that of the message's receipts.
    #[serde(default, with = "optional_json_text", skip_serializing_if = "Option::is_none")]
    pub(crate) policy: Option<Arc<ReceiptPolicy>>,
    /// Error of the network in this receipt, where it is not that of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<u8>,
    /// Part of a receipt that is sent in several: its number, and how many there are. `None` until it is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) part: Option<(u8, u8)>,
    /// Index of the first part of the same receipt.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) first_part: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Fate {
    /// Progress of a receipt of this state, which was reached and is due at these times.
    pub(super) fn new(state: MessageState, reached: Duration, due: Duration, now: Duration) -> Fate {
        Fate {
            state,
            intermediate: false,
            reached,
            due,
            outcome: Outcome::Waiting,
            session: 0,
            status: None,
            attempts: 0,
            at: now,
            policy: None,
            error: None,
            part: None,
            first_part: 0,
        }
    }
}

/// How far a receipt has come.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReceiptOutcome)]
pub enum Outcome {
    /// It is not yet due, or no session can take it.
    Waiting,
    /// It is on its way to a session, which has not answered.
    Sent,
    /// The ESME took it.
    Accepted,
    /// The ESME refused it for good.
    Refused,
    /// It was offered often enough.
    GivenUp,
}

impl Outcome {
    /// Whether nothing more will happen to it.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Outcome::Accepted | Outcome::Refused | Outcome::GivenUp)
    }
}

impl Record {
    /// What its octets are: header, part, charset, text.
    pub(crate) fn content(&self) -> Content {
        self.body.content()
    }

    /// Its text; none for octets.
    pub(crate) fn text(&self) -> Option<String> {
        self.body.text()
    }

    /// Returns `true` for a part to which the policy gives no id.
    pub(super) fn has_empty_id(&self) -> bool {
        self.id.is_empty() && self.life.part_ids != PartIds::Own
    }
}

impl MessageBody {
    pub(crate) fn content(&self) -> Content {
        let charset = Charset::of(self.data_coding, DefaultAlphabet::Gsm7);
        Content::read(self.esm_class, &self.tlvs, charset, &Bytes::copy_from_slice(&self.octets))
    }

    pub(crate) fn text(&self) -> Option<String> {
        let content = self.content();
        (!content.charset.is_binary()).then(|| content.decode().text)
    }

    /// Whether it may be a part of a long message: most are not, and need no second look.
    pub(super) fn may_be_part(&self) -> bool {
        self.esm_class.has_udh() || self.tlvs.get(TlvTag::SAR_MSG_REF_NUM).is_some()
    }
}

impl Address {
    /// Digits as they are dialled from abroad.
    pub(crate) fn international(digits: &str) -> Address {
        Address { ton: Ton::INTERNATIONAL, npi: Npi::ISDN, digits: digits.as_bytes().into() }
    }

    /// As text; octets are read as Latin-1, which loses nothing.
    pub(crate) fn text(&self) -> String {
        latin1(&self.digits)
    }

    /// Whether it is this one.
    pub(crate) fn is(&self, ton: Ton, npi: Npi, digits: &[u8]) -> bool {
        (self.ton, self.npi, &*self.digits) == (ton, npi, digits)
    }
}

/// Shared text is stored as text.
mod shared_text {
    use std::sync::Arc;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(text: &Arc<str>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(text)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<str>, D::Error> {
        String::deserialize(from).map(Arc::from)
    }
}

/// Data in layers, which leave out what they do not say, are stored as JSON in a string: formats that do not name their
/// fields could not tell what is missing.
pub(super) mod json_text {
    use std::sync::Arc;

    use serde::de::{DeserializeOwned, Error as _};
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<T: Serialize, S: Serializer>(value: &Arc<T>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&serde_json::to_string(&**value).map_err(S::Error::custom)?)
    }

    pub(crate) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(from: D) -> Result<Arc<T>, D::Error> {
        let text = String::deserialize(from)?;
        serde_json::from_str(&text).map(Arc::new).map_err(D::Error::custom)
    }
}

/// The same for what may be missing.
mod optional_json_text {
    use std::sync::Arc;

    use serde::de::{DeserializeOwned, Error as _};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<T: Serialize, S: Serializer>(value: &Option<Arc<T>>, to: S) -> Result<S::Ok, S::Error> {
        match value {
            Some(value) => super::json_text::serialize(value, to),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, T: DeserializeOwned, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Arc<T>>, D::Error> {
        let text = Option::<String>::deserialize(from)?;
        text.map(|text| serde_json::from_str(&text).map(Arc::new).map_err(D::Error::custom)).transpose()
    }
}

/// Optional parameters are stored as pairs of tag and value.
mod parameters {
    use bytes::Bytes;
    use serde::{Deserialize, Deserializer, Serializer};
    use smpp_transport::pdu::{TlvTag, Tlvs};

    pub(super) fn serialize<S: Serializer>(tlvs: &Tlvs, to: S) -> Result<S::Ok, S::Error> {
        // Not every format takes a sequence that does not say its length before.
        let pairs: Vec<(u16, Bytes)> = tlvs.iter().map(|(tag, value)| (tag.0, value)).collect();
        to.collect_seq(pairs.iter().map(|(tag, value)| (tag, &value[..])))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Tlvs, D::Error> {
        let pairs = Vec::<(u16, Vec<u8>)>::deserialize(from)?;
        let mut tlvs = Tlvs::new();
        for (tag, value) in pairs {
            tlvs.try_push(TlvTag(tag), &value).map_err(serde::de::Error::custom)?;
        }
        Ok(tlvs)
    }
}
