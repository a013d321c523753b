//! From deliver_sm and data_sm to what they are: a receipt, a part of a long message, or a message. Pure: no bus, no store, no
//! clock.

mod ids;
mod metadata;
mod receipt;
mod repeated;

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Map, Value, json};

pub use ids::{Forms, IdForms, IdsSeen};
pub use metadata::TlvSelection;
pub use receipt::{Detect, Pattern, ReadReceipt, StatusMapping};
pub use repeated::{Repeated, key};

use crate::bus::Message;
use crate::bus::message::Stamp;
use crate::pdu::json::hex;
use crate::pdu::{Body, DataCoding, EsmClass, Npi, Pdu, TlvTag, Tlvs, Ton, latin1};
use crate::text::{
    Charset, Content, Decoded, DefaultAlphabet, Incomplete, Joined, PartAddress, PartKey, Segment, join,
};
use crate::ussd;

/// How what comes is read.
#[derive(Clone, Debug, Default)]
pub struct InboundOptions {
    /// What `data_coding` 0 means to the SMSC.
    pub default: DefaultAlphabet,
    /// What other values mean to it, where that is not what the standard says.
    pub data_coding_overrides: BTreeMap<u8, Charset>,
    /// What makes a PDU a receipt.
    pub detect: Detect,
    /// How the text of a receipt is read; none reads the form of the standard's appendix B and its usual variants.
    pub pattern: Option<Pattern>,
    /// What its states mean.
    pub status_mapping: StatusMapping,
    /// How ids are compared.
    pub id_forms: IdForms,
    /// What belongs to a USSD session.
    pub ussd: ussd::Dialect,
    /// Optional parameters that are passed on, in `transport_metadata.smpp.tlvs`. Default: none.
    pub tlvs: TlvSelection,
    /// Whether acknowledgements of handsets were asked for, so that they are reports. Default false.
    pub sme_acks: bool,
    /// Whether a user data header whose length counts itself is an error. Default false.
    pub is_strict: bool,
}

/// What a PDU is.
#[derive(Clone, Debug, PartialEq)]
pub enum Read {
    /// What became of a message of ours.
    Receipt(ReadReceipt),
    /// It is marked as a receipt, and says neither of which message nor what became of it. In words for the log.
    Unreadable(&'static str),
    /// A part of a long message.
    Part {
        /// Which message.
        key: PartKey,
        /// Which part, and its octets.
        segment: Segment,
        /// All but its text.
        envelope: Envelope,
    },
    /// A part of a receipt.
    ReceiptPart {
        /// Receipt that this is a part of.
        key: PartKey,
        /// Number and octets of the part.
        segment: Segment,
    },
    /// A message.
    Text {
        /// Its text.
        text: String,
        /// All else.
        envelope: Envelope,
    },
    /// Something else that needs no answer from an application: alert_notification.
    Nothing,
}

/// All of a message but its text.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// Who sent it.
    pub from: String,
    /// Who gets it.
    pub to: String,
    /// Where in a USSD session it is.
    pub ussd: Option<ussd::Step>,
    /// `transport_metadata.smpp`: fields of the PDU, and octets that are not text.
    pub smpp: Map<String, Value>,
}

impl Envelope {
    /// The message with this text.
    #[must_use]
    pub fn message(self, stamp: Stamp, transport_name: &str, text: String) -> Message {
        let mut message = Message::inbound(stamp, transport_name, self.from, self.to, text);
        if let Some(step) = self.ussd {
            message.transport_type = "ussd".to_owned();
            message.session_event = Some(step.event);
            message.transport_metadata = step.metadata;
        }
        if !self.smpp.is_empty() {
            message.transport_metadata.insert("smpp".to_owned(), Value::Object(self.smpp));
        }
        message
    }

    /// Adds the octets where the text does not say all of them: binary messages, and texts that could not be read in full.
    fn note(&mut self, charset: Charset, decoded: &Decoded, octets: &[u8]) {
        if charset.is_binary() || decoded.replaced > 0 {
            self.smpp.insert("content_hex".to_owned(), json!(hex(octets)));
        }
    }
}

/// What deliver_sm and data_sm have in common.
struct Fields<'a> {
    /// Name of the command: `deliver_sm` or `data_sm`.
    command: &'static str,
    service_type: &'a [u8],
    source: (Ton, Npi, &'a [u8]),
    destination: (Ton, Npi, &'a [u8]),
    esm_class: EsmClass,
    data_coding: DataCoding,
    octets: Bytes,
    tlvs: &'a Tlvs,
}

impl<'a> Fields<'a> {
    /// message_payload counts where short_message is empty (§5.3.2.32 forbids both).
    fn of(pdu: &'a Pdu) -> Option<Fields<'a>> {
        let payload = || pdu.tlvs.get(TlvTag::MESSAGE_PAYLOAD).unwrap_or_default();
        match &pdu.body {
            Body::DeliverSm(sm) => Some(Fields {
                command: "deliver_sm",
                service_type: sm.service_type.as_bytes(),
                source: (sm.source_addr_ton, sm.source_addr_npi, sm.source_addr.as_bytes()),
                destination: (sm.dest_addr_ton, sm.dest_addr_npi, sm.destination_addr.as_bytes()),
                esm_class: sm.esm_class,
                data_coding: sm.data_coding,
                octets: match sm.short_message.as_bytes() {
                    [] => payload(),
                    octets => Bytes::copy_from_slice(octets),
                },
                tlvs: &pdu.tlvs,
            }),
            Body::DataSm(sm) => Some(Fields {
                command: "data_sm",
                service_type: sm.service_type.as_bytes(),
                source: (sm.source_addr_ton, sm.source_addr_npi, sm.source_addr.as_bytes()),
                destination: (sm.dest_addr_ton, sm.dest_addr_npi, sm.destination_addr.as_bytes()),
                esm_class: sm.esm_class,
                data_coding: sm.data_coding,
                octets: payload(),
                tlvs: &pdu.tlvs,
            }),
            _ => None,
        }
    }

    /// The ends of the message as parts are joined by.
    fn ends(&self) -> (PartAddress, PartAddress) {
        (end(self.source), end(self.destination))
    }

    /// Source and destination address.
    fn addresses(&self) -> [String; 2] {
        [latin1(self.source.2), latin1(self.destination.2)]
    }

    fn envelope(&self, options: &InboundOptions) -> Envelope {
        Envelope {
            from: latin1(self.source.2),
            to: latin1(self.destination.2),
            ussd: options.ussd.inbound(self.service_type, self.tlvs),
            smpp: metadata::of(self, &options.tlvs),
        }
    }
}

/// Says what a PDU is. Any PDU can be read: what makes no sense as one thing is another.
#[must_use]
pub fn read(pdu: &Pdu, options: &InboundOptions) -> Read {
    let Some(fields) = Fields::of(pdu) else { return Read::Nothing };
    let charset = options.data_coding_overrides.get(&fields.data_coding.0).copied();
    let charset = charset.unwrap_or_else(|| Charset::of(fields.data_coding, options.default));
    let read = if options.is_strict { Content::read } else { Content::read_tolerant };
    let content = read(fields.esm_class, fields.tlvs, charset, &fields.octets);
    if let Some(receipt) = receipt::read(&fields, &content, options) {
        return receipt;
    }
    let mut envelope = fields.envelope(options);
    if let (Some(part), Some(segment)) = (content.part, Segment::of(&content)) {
        let (source, destination) = fields.ends();
        return Read::Part { key: part.key(source, destination), segment, envelope };
    }
    let decoded = content.decode();
    envelope.note(content.charset, &decoded, &content.octets);
    Read::Text { text: decoded.text, envelope }
}

/// Reads a receipt whose parts are joined; `pdu` is the part that came last.
#[must_use]
pub fn read_joined(pdu: &Pdu, joined: &Joined, options: &InboundOptions) -> Read {
    Fields::of(pdu).map_or(Read::Nothing, |fields| receipt::read_joined(joined, &fields, options))
}

/// Reads what is there of a receipt whose other parts never came. `None` unless its first parts hold id and state.
#[must_use]
pub fn read_incomplete(incomplete: &Incomplete, options: &InboundOptions) -> Option<ReadReceipt> {
    let first = (1..=u8::MAX).zip(&incomplete.segments).take_while(|(number, segment)| *number == segment.number);
    let joined = join(first.map(|(_, segment)| segment.clone()));
    let addresses = [latin1(&incomplete.key.source.addr), latin1(&incomplete.key.destination.addr)];
    receipt::read_first_parts(&joined, addresses, options)
}

fn end((ton, npi, addr): (Ton, Npi, &[u8])) -> PartAddress {
    PartAddress { ton: ton.0, npi: npi.0, addr: Bytes::copy_from_slice(addr) }
}

#[cfg(test)]
mod tests;
