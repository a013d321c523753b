//! Delivery receipts (SMPP 3.4 §2.11 and appendix B): what became of a message, as TLVs, as text, or both.
//!
//! Whether a PDU is a receipt is the caller's to say, by its `esm_class`: anybody can send a text that looks like one.
//! Reading the text is in `receipt::parse`.

use std::fmt::{self, Write as _};

use bytes::Bytes;

use super::message_id;
use crate::pdu::time::Civil;
use crate::pdu::{self, MessageState, TlvTag, Tlvs};

mod charsets;
mod date;
mod parse;
pub use charsets::receipt_texts;
pub use date::date_iso;
pub use parse::receipt_text;

/// Octets of a receipt's text, as a rule.
const TEXT_OCTETS_USUAL: usize = 160;
/// Most characters of the original message that a receipt repeats.
const TEXT_CHARACTERS_MAX: usize = 20;

/// What became of a message. Everything is optional because every SMSC leaves out something.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Id of the message: from `receipted_message_id`, or else from the text. Its form may differ from that of the submit
    /// response, see [`super::message_id`].
    pub id: Option<String>,
    /// Id in the text, where it is another one than `id`.
    pub id_in_text: Option<String>,
    /// Messages submitted, `sub`.
    pub submitted: Option<u32>,
    /// Messages delivered, `dlvrd`.
    pub delivered: Option<u32>,
    /// When it was submitted, in the SMSC's local time.
    pub submit_date: Option<Civil>,
    /// When it reached its final state, in the SMSC's local time.
    pub done_date: Option<Civil>,
    /// State: from `message_state` and `stat`, of which neither counts if it is not defined; a final one counts before one that
    /// is not, and of two of the same rank `message_state` counts.
    pub state: Option<MessageState>,
    /// `stat` as written, known or not.
    pub stat: Option<String>,
    /// `err` as written: most often three digits, but letters occur. What it means is the SMSC's secret.
    pub error: Option<String>,
    /// The beginning of the original message.
    pub text: Option<String>,
    /// `network_error_code`.
    pub network_error: Option<NetworkError>,
    /// `user_message_reference` of the original message.
    pub user_message_reference: Option<u16>,
}

/// The `network_error_code` TLV (SMPP 3.4 §5.3.2.31).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NetworkError {
    /// 1 ANSI-136, 2 IS-95, 3 GSM; others are kept.
    pub network: u8,
    /// The network's own code.
    pub code: u16,
}

/// How a receipt's text writes dates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DateForm {
    /// `YYMMDDhhmm`, as in the standard.
    #[default]
    Minutes,
    /// `YYMMDDhhmmss`.
    Seconds,
    /// `YYYYMMDDhhmmss`.
    LongYear,
}

/// `stat` and `message_state` (SMPP 3.4 appendix B and §5.2.28): the first name of each state is the one written.
const STATES: [(&str, MessageState); 17] = [
    ("ENROUTE", MessageState::ENROUTE),
    ("DELIVRD", MessageState::DELIVERED),
    ("EXPIRED", MessageState::EXPIRED),
    ("DELETED", MessageState::DELETED),
    ("UNDELIV", MessageState::UNDELIVERABLE),
    ("ACCEPTD", MessageState::ACCEPTED),
    ("UNKNOWN", MessageState::UNKNOWN),
    ("REJECTD", MessageState::REJECTED),
    // SMPP 5.0.
    ("SCHEDLD", MessageState::SCHEDULED),
    ("SKIPPED", MessageState::SKIPPED),
    // Written out by some SMSCs.
    ("DELIVERED", MessageState::DELIVERED),
    ("UNDELIVERABLE", MessageState::UNDELIVERABLE),
    ("UNDELIVERED", MessageState::UNDELIVERABLE),
    ("UNDELVD", MessageState::UNDELIVERABLE),
    ("ACCEPTED", MessageState::ACCEPTED),
    ("REJECTED", MessageState::REJECTED),
    ("SCHEDULED", MessageState::SCHEDULED),
];

/// The state of a `stat`, in any case; `None` for one that the standard does not know.
#[must_use]
pub fn state_of_stat(stat: &str) -> Option<MessageState> {
    STATES.iter().find(|(name, _)| name.eq_ignore_ascii_case(stat)).map(|(_, state)| *state)
}

/// The `stat` of a state; `None` for one that the standard does not know.
#[must_use]
pub fn stat_of_state(state: MessageState) -> Option<&'static str> {
    STATES.iter().find(|(_, known)| *known == state).map(|(name, _)| *name)
}

impl Receipt {
    /// Reads a receipt from its TLVs and, where those are silent, its decoded text. `None` if neither tells an id or a state.
    ///
    /// Only for a PDU that is marked as a receipt or an intermediate notification.
    #[must_use]
    pub fn read(text: Option<&str>, tlvs: &Tlvs) -> Option<Self> {
        let mut receipt = text.map(Self::of_text).unwrap_or_default();
        receipt.take_tlvs(tlvs);
        (receipt.id.is_some() || receipt.state.is_some() || receipt.stat.is_some()).then_some(receipt)
    }

    /// Reads a receipt from its decoded text alone. `None` if it tells neither id nor `stat`.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        Self::read(Some(text), &Tlvs::new())
    }

    /// Reads a receipt from its TLVs alone, for PDUs that are not marked as receipts: handsets cannot send these TLVs.
    /// `None` unless both `receipted_message_id` and `message_state` are there.
    #[must_use]
    pub fn from_tlvs(tlvs: &Tlvs) -> Option<Self> {
        Self::read(None, tlvs).filter(|receipt| receipt.id.is_some() && receipt.state.is_some())
    }

    /// The text of the receipt as in appendix B. Fields without a value are left out; of `text` the first 20 characters
    /// are written.
    #[must_use]
    pub fn to_text(&self, date_form: DateForm) -> String {
        let stat = self.stat.as_deref().or_else(|| self.state.and_then(stat_of_state));
        let mut text = String::with_capacity(TEXT_OCTETS_USUAL);
        // A String takes all that is written to it.
        let count = |text: &mut String, count| write!(text, "{count:03}").unwrap_or_default();
        write_field(&mut text, "id", self.id_in_text.as_ref().or(self.id.as_ref()), |text, id| text.push_str(id));
        write_field(&mut text, "sub", self.submitted, count);
        write_field(&mut text, "dlvrd", self.delivered, count);
        write_field(&mut text, "submit date", self.submit_date, |text, date| date_form.write(text, date));
        write_field(&mut text, "done date", self.done_date, |text, date| date_form.write(text, date));
        write_field(&mut text, "stat", stat, String::push_str);
        write_field(&mut text, "err", self.error.as_ref(), |text, error| text.push_str(error));
        let beginning = |text: &mut String, of: &String| text.extend(of.chars().take(TEXT_CHARACTERS_MAX));
        write_field(&mut text, "text", self.text.as_ref(), beginning);
        text
    }

    /// The TLVs of the receipt: id with its NUL, state, network error, reference; those that have a value. An id of more
    /// than 64 characters is left out, as the TLV cannot hold it (SMPP 3.4 §5.3.2.12).
    #[must_use]
    pub fn to_tlvs(&self) -> Tlvs {
        let mut tlvs = Tlvs::new();
        if let Some(id) = self.id.as_ref().filter(|id| id.chars().count() <= message_id::CHARACTERS_MAX) {
            tlvs.push(TlvTag::RECEIPTED_MESSAGE_ID, &latin1(id).chain([0]).collect::<Vec<_>>());
        }
        if let Some(state) = self.state {
            tlvs.push(TlvTag::MESSAGE_STATE, &[state.0]);
        }
        if let Some(NetworkError { network, code }) = self.network_error {
            let [high, low] = code.to_be_bytes();
            tlvs.push(TlvTag::NETWORK_ERROR_CODE, &[network, high, low]);
        }
        if let Some(reference) = self.user_message_reference {
            tlvs.push(TlvTag::USER_MESSAGE_REFERENCE, &reference.to_be_bytes());
        }
        tlvs
    }

    /// Merges the TLVs into the fields of the text.
    ///
    /// The text's form is a custom and theirs a standard, so they count first; but a TLV that is missing, or says nothing, never
    /// outvotes a text that says something.
    fn take_tlvs(&mut self, tlvs: &Tlvs) {
        if let Some(id) = tlvs.get(TlvTag::RECEIPTED_MESSAGE_ID).and_then(|id| c_string(&id)) {
            self.id_in_text = self.id.replace(id).filter(|in_text| Some(in_text) != self.id.as_ref());
        }
        self.state = match (Self::state_of_tlvs(tlvs), self.state) {
            (Some(tlv), Some(text)) if state_rank(text) > state_rank(tlv) => Some(text),
            (tlv, text) => tlv.or(text),
        };
        self.network_error = Self::network_error_of_tlvs(tlvs);
        self.user_message_reference = tlvs.get_u16(TlvTag::USER_MESSAGE_REFERENCE);
    }

    /// Returns the value of the `message_state` TLV, defined or not.
    #[must_use]
    pub fn state_of_tlvs(tlvs: &Tlvs) -> Option<MessageState> {
        tlvs.get(TlvTag::MESSAGE_STATE).and_then(|state| one_octet(&state)).map(MessageState)
    }
}

impl Receipt {
    /// Returns the value of the `network_error_code` TLV, if it has the length that the standard gives it.
    #[must_use]
    pub fn network_error_of_tlvs(tlvs: &Tlvs) -> Option<NetworkError> {
        tlvs.get(TlvTag::NETWORK_ERROR_CODE).and_then(|error| network_error(&error))
    }
}

/// Rank of a state: 0 for nothing, 1 that nothing is known, 2 that the message is on its way, 3 for its end.
fn state_rank(state: MessageState) -> u8 {
    match state {
        MessageState::SCHEDULED | MessageState::UNKNOWN => 1,
        MessageState::ENROUTE | MessageState::ACCEPTED => 2,
        state if state.name().is_some() => 3,
        _ => 0,
    }
}

/// A label and its value, if there is one; one space from what is before it.
fn write_field<T>(text: &mut String, label: &str, value: Option<T>, write: impl FnOnce(&mut String, T)) {
    let Some(value) = value else { return };
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(label);
    text.push(':');
    write(text, value);
}

impl DateForm {
    fn write(self, text: &mut String, date: Civil) {
        let start = text.len();
        // A String takes all that is written to it.
        let _ = write!(text, "{date}");
        match self {
            Self::Minutes => text.truncate(start + "YYMMDDhhmm".len()),
            Self::Seconds => {}
            Self::LongYear => text.replace_range(start..start + 2, &format!("{:04}", date.year())),
        }
    }
}

impl fmt::Display for NetworkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.network {
            1 => write!(f, "ANSI-136 {}", self.code),
            2 => write!(f, "IS-95 {}", self.code),
            3 => write!(f, "GSM {}", self.code),
            other => write!(f, "network {other} {}", self.code),
        }
    }
}

/// A C-octet string, which ends at its first NUL (SMPP 3.4 §3.1) or, without one, at its last octet; `None` if it is empty.
fn c_string(octets: &Bytes) -> Option<String> {
    let end = octets.iter().position(|&octet| octet == 0).unwrap_or(octets.len());
    let text = pdu::latin1(&octets[..end]);
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// The octets of an id, which is ASCII but for SMSCs that break the rule; other characters become `?`.
fn latin1(text: &str) -> impl Iterator<Item = u8> {
    text.chars().map(|character| u8::try_from(character).unwrap_or(b'?'))
}

/// A number of any width, if it fits one octet: `message_state` comes in four octets too.
fn one_octet(octets: &Bytes) -> Option<u8> {
    let (&last, zeros) = octets.split_last()?;
    zeros.iter().all(|&octet| octet == 0).then_some(last)
}

fn network_error(octets: &Bytes) -> Option<NetworkError> {
    match octets.as_ref() {
        &[network, high, low] => Some(NetworkError { network, code: u16::from_be_bytes([high, low]) }),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
