//! Messages as they are shown to people, and which of them are asked for.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use smpp_transport::pdu::json::hex;
use smpp_transport::pdu::time::Civil;
use smpp_transport::pdu::{CommandId, CommandStatus, EsmClass, TlvTag};
use smpp_transport::text::Content;

use super::record::{Address, Fate, Outcome, Record, latin1};
use crate::words::{Pattern, State};

/// A message, and what has become of it. Dates are RFC 3339, in UTC, to the millisecond.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// As the response gave it.
    pub id: String,
    /// Its place in the order of acceptance, from 1, with gaps.
    pub number: u64,
    /// system_id of the account that submitted it.
    pub account: String,
    /// Number of the session that submitted it.
    pub session: u64,
    /// `submit_sm`, `submit_multi` or `data_sm`.
    pub operation: String,
    /// Source.
    pub from: MessageAddress,
    /// Destination.
    pub to: MessageAddress,
    /// service_type.
    pub service_type: String,
    /// esm_class.
    pub esm_class: u8,
    /// protocol_id.
    pub protocol_id: u8,
    /// priority_flag.
    pub priority: u8,
    /// registered_delivery.
    pub registered_delivery: u8,
    /// data_coding.
    pub data_coding: u8,
    /// What it says; null for octets. Of a part of a long message, what that part says.
    pub text: Option<String>,
    /// What it says, in hexadecimal, without the header.
    pub hex: String,
    /// Its user data header, in hexadecimal, with the length octet.
    pub udh: Option<String>,
    /// Its optional parameters.
    pub tlvs: Vec<MessageTlv>,
    /// Which part of which long message it is.
    pub part: Option<MessagePart>,
    /// What all parts say together, on the one that came last.
    pub whole_text: Option<String>,
    /// What has become of it: `DELIVERED`.
    pub state: State,
    /// The network's error; 0 is none.
    pub error: u8,
    /// When it was accepted.
    pub submitted_at: String,
    /// When its schedule wants it sent.
    pub scheduled_for: Option<String>,
    /// When its validity ends.
    pub expires_at: Option<String>,
    /// When it reached its final state.
    pub done_at: Option<String>,
    /// Its states so far.
    pub history: Vec<Stay>,
    /// Its receipts so far, and those to come of states that it has reached.
    pub receipts: Vec<MessageReceipt>,
}

/// One end of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageAddress {
    /// Type of number.
    pub ton: u8,
    /// Numbering plan indicator.
    pub npi: u8,
    /// The address.
    pub address: String,
}

/// An optional parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageTlv {
    /// Its tag.
    pub tag: u16,
    /// Its name in the standard; null if it has none.
    pub name: Option<String>,
    /// Its value.
    pub hex: String,
}

/// Which part of which long message.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessagePart {
    /// The sender's number for the whole.
    pub reference: u16,
    /// How many parts there are.
    pub total: u8,
    /// Which one this is, from 1.
    pub number: u8,
}

/// A state, and when it came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stay {
    /// The state.
    pub state: State,
    /// When it came.
    pub at: String,
}

/// A receipt, and what has become of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MessageReceipt {
    /// The state that the message had; a policy may make the receipt say another.
    pub state: State,
    /// Whether it is an intermediate notification.
    pub intermediate: bool,
    /// How far it has come.
    pub outcome: Outcome,
    /// The session it was sent to last.
    pub session: Option<u64>,
    /// What the ESME answered last: `ESME_ROK`.
    pub status: Option<String>,
    /// How often it was sent.
    pub attempts: u32,
    /// When it came so far.
    pub at: String,
}

/// Which messages are asked for: those that meet all that is said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Destination.
    pub to: Option<Term>,
    /// Source.
    pub from: Option<Term>,
    /// Is found in the text, or in that of the whole.
    pub text: Option<Term>,
    /// The account.
    pub system_id: Option<String>,
    /// What has become of it.
    pub state: Option<State>,
    /// submit_sm, submit_multi or data_sm.
    pub operation: Option<CommandId>,
    /// Only those with a higher number.
    pub after: Option<u64>,
    /// Only so many; none is all.
    pub limit: Option<usize>,
    /// The highest numbers first. Default: the lowest.
    pub newest_first: bool,
}

/// What is looked for: something exact, or between slashes a regular expression, `/^27/`.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    /// This.
    Plain(String),
    /// What this matches.
    Pattern(Pattern),
}
