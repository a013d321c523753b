//! Messages as the API shows them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use smpp_transport::env::Seed;
use smpp_transport::pdu::json::hex;
use smpp_transport::pdu::time::Civil;
use smpp_transport::pdu::{TlvTag, latin1};
use smpp_transport::text::Content;

use super::Receipt;
use super::record::{Address, Outcome, Record};
use crate::words::State;

/// A message and its state. Dates are RFC 3339, in UTC, to the millisecond.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Message {
    /// Id in the response; empty for a part that has none.
    pub id: String,
    /// Place in the order of acceptance, from 1, with gaps.
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
    /// Text, of a part of a long message that of the part; null for octets.
    pub text: Option<String>,
    /// Octets of the text in hexadecimal, without the header.
    pub hex: String,
    /// User data header in hexadecimal, with the length octet.
    pub udh: Option<String>,
    /// Optional parameters.
    pub tlvs: Vec<MessageTlv>,
    /// Place in a long message; null for a message of its own.
    pub part: Option<MessagePart>,
    /// Text of all parts, on the part that came last.
    pub whole_text: Option<String>,
    /// State, such as `DELIVERED`.
    pub state: State,
    /// Error of the network; 0 is none.
    pub error: u8,
    /// Time of acceptance.
    pub submitted_at: String,
    /// Time at which the schedule wants it sent.
    pub scheduled_for: Option<String>,
    /// End of the validity.
    pub expires_at: Option<String>,
    /// Time of the final state.
    pub done_at: Option<String>,
    /// States so far.
    pub history: Vec<Stay>,
    /// Receipts so far, and those to come of states that have been reached.
    pub receipts: Vec<MessageReceipt>,
}

/// Address of a message.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MessageAddress {
    /// Type of number.
    pub ton: u8,
    /// Numbering plan indicator.
    pub npi: u8,
    /// The address.
    pub address: String,
}

/// An optional parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MessageTlv {
    /// Tag.
    pub tag: u16,
    /// Name in the standard; null for others.
    pub name: Option<String>,
    /// Value in hexadecimal.
    pub hex: String,
}

/// Place of a part in a long message.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MessagePart {
    /// Reference of the long message.
    pub reference: u16,
    /// Number of parts.
    pub total: u8,
    /// Number of this part, from 1.
    pub number: u8,
}

/// A state and its time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Stay {
    /// State.
    pub state: State,
    /// Time at which it was reached.
    pub at: String,
}

/// A receipt and its progress.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct MessageReceipt {
    /// State that the message had, or that a further receipt has; a policy may make the receipt say another.
    pub state: State,
    /// `true` for an intermediate notification.
    pub intermediate: bool,
    /// Progress.
    pub outcome: Outcome,
    /// Session that the receipt was sent to last.
    pub session: Option<u64>,
    /// Last answer of the ESME, such as `ESME_ROK`.
    pub status: Option<String>,
    /// Number of times it was sent.
    pub attempts: u32,
    /// Time of the last progress.
    pub at: String,
    /// Text as the receipt has it; empty for one of parameters alone. Octets are shown as the characters of Latin-1.
    pub text: String,
    /// Optional parameters, for a peer that knows them.
    pub tlvs: Vec<MessageTlv>,
    /// Part of a receipt that is sent in several, from 1, and how many there are.
    pub part: Option<[u8; 2]>,
}

impl Record {
    /// The message as it is shown. `seed` is that of its ids.
    pub(crate) fn view(&self, seed: Seed) -> Message {
        let (content, body) = (self.content(), &self.body);
        let (header, octets) = body.octets.split_at(header_octets(self, &content));
        Message {
            id: self.id.to_string(),
            number: self.number,
            account: self.account.to_string(),
            session: self.session,
            operation: body.operation.printed(),
            from: MessageAddress::from(&body.source),
            to: MessageAddress::from(&body.destination),
            service_type: latin1(&body.service_type),
            esm_class: body.esm_class.0,
            protocol_id: body.protocol_id,
            priority: body.priority,
            registered_delivery: body.registered_delivery.0,
            data_coding: body.data_coding.0,
            text: (!content.charset.is_binary()).then(|| content.decode().text),
            hex: hex(octets),
            udh: (!header.is_empty()).then(|| hex(header)),
            tlvs: tlvs(self),
            part: content.part.map(|part| MessagePart {
                reference: part.reference,
                total: part.total,
                number: part.number,
            }),
            whole_text: self.whole_text.as_deref().map(str::to_owned),
            state: State(self.state),
            error: self.error,
            submitted_at: rfc3339(self.submitted),
            scheduled_for: self.scheduled.map(rfc3339),
            expires_at: self.expires.map(rfc3339),
            done_at: self.done.map(rfc3339),
            history: self.history.iter().map(|(state, at)| Stay { state: State(*state), at: rfc3339(*at) }).collect(),
            receipts: (0..self.receipts.len()).map(|index| self.receipt_view(index, seed)).collect(),
        }
    }
}

impl Record {
    fn receipt_view(&self, index: usize, seed: Seed) -> MessageReceipt {
        let fate = &self.receipts[index];
        let receipt = Receipt::of(self, index, seed);
        let (_, tlvs) = receipt.pdu(true);
        MessageReceipt {
            state: State(fate.state),
            intermediate: fate.intermediate,
            outcome: fate.outcome,
            session: (fate.session != 0).then_some(fate.session),
            status: fate.status.map(|status| status.to_string()),
            attempts: fate.attempts,
            at: rfc3339(fate.at),
            text: receipt.shown_text(),
            tlvs: tlvs
                .iter()
                .filter(|(tag, _)| *tag != TlvTag::MESSAGE_PAYLOAD)
                .map(|(tag, value)| tlv(tag, &value))
                .collect(),
            part: fate.part.map(|(number, total)| [number, total]),
        }
    }
}

/// Octets of the user data that are the header. Without a fault the header is whole, and its first octet is its length.
fn header_octets(record: &Record, content: &Content) -> usize {
    let udhl = record.body.octets.first().filter(|_| record.body.esm_class.has_udh() && content.fault.is_none());
    udhl.map_or(0, |&udhl| 1 + usize::from(udhl))
}

fn tlvs(record: &Record) -> Vec<MessageTlv> {
    let payload = record.body.in_payload.then(|| tlv(TlvTag::MESSAGE_PAYLOAD, &record.body.octets));
    record.body.tlvs.iter().map(|(tag, value)| tlv(tag, &value)).chain(payload).collect()
}

fn tlv(tag: TlvTag, value: &[u8]) -> MessageTlv {
    MessageTlv { tag: tag.0, name: tag.name().map(str::to_ascii_lowercase), hex: hex(value) }
}

impl From<&Address> for MessageAddress {
    fn from(address: &Address) -> MessageAddress {
        MessageAddress { ton: address.ton.0, npi: address.npi.0, address: address.text() }
    }
}

/// `2026-01-01T00:00:00.000Z`.
pub(crate) fn rfc3339(unix: Duration) -> String {
    let civil = Civil::from_unix(i64::try_from(unix.as_secs()).unwrap_or(i64::MAX));
    let mut text = String::with_capacity(24);
    // A page of messages has thousands of dates: digit by digit they are written sooner than by a pattern.
    let mut put = |value: u32, places: &[u32], end: char| {
        text.extend(places.iter().filter_map(|place| char::from_digit(value / place % 10, 10)));
        text.push(end);
    };
    put(civil.year().unsigned_abs(), &[1_000, 100, 10, 1], '-');
    put(civil.month().into(), &[10, 1], '-');
    put(civil.day().into(), &[10, 1], 'T');
    put(civil.hour().into(), &[10, 1], ':');
    put(civil.minute().into(), &[10, 1], ':');
    put(civil.second().into(), &[10, 1], '.');
    put(unix.subsec_millis(), &[100, 10, 1], 'Z');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_all_their_digits() {
        assert_eq!(rfc3339(Duration::ZERO), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(Duration::from_millis(1_709_251_199_089)), "2024-02-29T23:59:59.089Z");
        assert_eq!(rfc3339(Duration::from_millis(1_767_225_600_230)), "2026-01-01T00:00:00.230Z");
    }
}
