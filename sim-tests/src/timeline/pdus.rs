//! Frames as events: named, in full, each with the message that it is about and the request that it answers.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::Value;
use smpp_transport::pdu::{Body, CommandId, DataCoding, EsmClass, Leniency, Pdu, TlvTag, json};
use smpp_transport::text::{Charset, Content, DefaultAlphabet};

use super::events::Event;
use super::frames::{Passage, other};
use super::lanes::{Connection, Lanes};
use crate::app::message_between;
use crate::history::End;

/// A frame as an event; its message and its request are found later: see [`Talk`].
pub(super) fn event(passage: Passage, lanes: &Lanes, connections: &[Connection]) -> Event {
    let place = connections.binary_search_by_key(&passage.line, |it| it.line);
    let connection = place.ok().map(|place| &connections[place]);
    let (esme, smsc) = (connection.and_then(|it| it.lane), connection.map_or(lanes.smsc(0), |it| it.smsc));
    let (from, to) = match passage.from {
        End::Esme => (esme, Some(smsc)),
        End::Smsc => (Some(smsc), esme),
    };
    let decoded = Pdu::decode(&passage.octets, Leniency::TOLERANT);
    let mut event = Event {
        at: passage.written.or(passage.read).unwrap_or_default(),
        from,
        to,
        line: Some(passage.line),
        side: Some(passage.from),
        written: passage.written.is_some(),
        read: passage.read,
        hex: json::hex(&passage.octets),
        ..Event::new("pdu")
    };
    match decoded {
        Ok(pdu) => {
            let (command, status) = (pdu.command_id(), pdu.status.to_string());
            event.name = command.printed();
            event.sequence = Some(pdu.sequence);
            event.bad = pdu.status.0 != 0;
            event.status = (command.is_response() || event.bad).then_some(status);
            event.text = text(&pdu);
            event.detail = fields(&pdu);
            event.pdu = Some(pdu);
        }
        Err(error) => {
            event.name = "unreadable".to_owned();
            event.words = error.to_string();
            event.bad = true;
        }
    }
    event
}

/// The fields and the optional parameters, by their names. A password is not shown, here as elsewhere; it is in the octets.
fn fields(pdu: &Pdu) -> Value {
    let whole = pdu.to_json();
    let mut fields = whole["fields"].clone();
    if let Some(password) = fields.get_mut("password") {
        *password = "***".into();
    }
    for tlv in whole["tlvs"].as_array().into_iter().flatten() {
        let tag = tlv["tag"].as_u64().unwrap_or_default();
        let name = format!("{} (0x{tag:04x})", tlv["name"].as_str().unwrap_or_default());
        fields[name] = tlv["value_hex"].clone();
    }
    fields
}

/// What a message says, as far as one part of it can be read alone.
fn text(pdu: &Pdu) -> Option<String> {
    let (class, coding, octets): (EsmClass, DataCoding, Bytes) = match &pdu.body {
        Body::SubmitSm(sm) | Body::DeliverSm(sm) => (sm.esm_class, sm.data_coding, sm.short_message.to_bytes()),
        Body::DataSm(sm) => (sm.esm_class, sm.data_coding, Bytes::new()),
        _ => return None,
    };
    let payload = || pdu.tlvs.get(TlvTag::MESSAGE_PAYLOAD).map(|octets| Bytes::copy_from_slice(&octets));
    let octets = if octets.is_empty() { payload().unwrap_or_default() } else { octets };
    let charset = Charset::of(coding, DefaultAlphabet::default());
    Some(Content::read(class, &pdu.tlvs, charset, &octets).decode().text)
}

/// What has been said so far: to which request a response belongs, and to which message an id.
#[derive(Default)]
pub(super) struct Talk {
    /// The last request with this number, of either side of a connection.
    requests: BTreeMap<(u32, End, u32), usize>,
    /// Which message the SMSC calls so.
    named: BTreeMap<String, String>,
    /// The names that the SMSC has for a message.
    pub(super) ids: BTreeMap<String, Vec<String>>,
}

impl Talk {
    /// Finds an event's message and request. Events come in their order.
    pub(super) fn hear(&mut self, number: usize, events: &mut [Event]) {
        let (before, rest) = events.split_at_mut(number);
        let Some(event) = rest.first_mut() else { return };
        let (Some(pdu), Some(line), Some(side)) = (event.pdu.take(), event.line, event.side) else { return };
        let command = pdu.command_id();
        if command.is_response() {
            let request = self.requests.get(&(line, other(side), pdu.sequence)).copied();
            event.answers = request.filter(|it| is_answer(command, &before[*it].name));
            event.message = event.answers.and_then(|it| before[it].message.clone());
            self.learn(&pdu, event.message.as_ref());
        } else {
            self.requests.insert((line, side, pdu.sequence), number);
            event.message = self.message(&pdu, side);
        }
        event.words = gist(&pdu);
    }

    fn learn(&mut self, pdu: &Pdu, message: Option<&String>) {
        let (Body::SubmitSmResp(Some(body)) | Body::DataSmResp(Some(body)), Some(message)) = (&pdu.body, message)
        else {
            return;
        };
        let id = body.message_id.text();
        let ids = self.ids.entry(message.clone()).or_default();
        if !id.is_empty() && !ids.contains(&id) {
            ids.push(id.clone());
            self.named.insert(id, message.clone());
        }
    }

    fn message(&self, pdu: &Pdu, side: End) -> Option<String> {
        match (&pdu.body, side) {
            (Body::SubmitSm(sm), End::Esme) => outbound(&sm.source_addr.text(), &sm.destination_addr.text()),
            (Body::DataSm(sm), End::Esme) => outbound(&sm.source_addr.text(), &sm.destination_addr.text()),
            (Body::DeliverSm(sm), End::Smsc) => inbound(&sm.source_addr.text(), &sm.destination_addr.text()),
            (Body::DataSm(sm), End::Smsc) => inbound(&sm.source_addr.text(), &sm.destination_addr.text()),
            (Body::QuerySm(query), _) => self.named.get(&query.message_id.text()).cloned(),
            (Body::CancelSm(cancel), _) => outbound("", &cancel.destination_addr.text()),
            _ => None,
        }
    }
}

/// Any request may be answered by generic_nack.
fn is_answer(command: CommandId, request: &str) -> bool {
    command == CommandId::GENERIC_NACK || CommandId(command.0 & 0x7FFF_FFFF).printed() == request
}

/// A message of an application's: `0-3`.
fn outbound(source: &str, destination: &str) -> Option<String> {
    message_between(source, destination).map(|(owner, message)| format!("{owner}-{message}"))
}

/// The message that a receipt is about, or one of a handset's.
fn inbound(source: &str, destination: &str) -> Option<String> {
    outbound(destination, source).or_else(|| either(source))
}

/// A message of an application's, of which a receipt is, or one of a handset's: `0<3`.
pub(super) fn either(address: &str) -> Option<String> {
    let handset = || {
        let digits = address.strip_prefix("49")?;
        let (owner, number): (usize, usize) = (digits.get(..2)?.parse().ok()?, digits.get(2..)?.parse().ok()?);
        Some(format!("{owner}<{number}"))
    };
    outbound("", address).or_else(handset)
}

/// What is worth seeing of a PDU at a glance.
fn gist(pdu: &Pdu) -> String {
    let id = |id: String| if id.is_empty() { String::new() } else { format!("id {id}") };
    match &pdu.body {
        Body::SubmitSmResp(Some(body)) | Body::DataSmResp(Some(body)) => id(body.message_id.text()),
        Body::QuerySm(query) => id(query.message_id.text()),
        Body::CancelSm(cancel) => id(cancel.message_id.text()),
        Body::SubmitSm(sm) | Body::DeliverSm(sm) => {
            to(&sm.source_addr.text(), &sm.destination_addr.text(), sm.esm_class)
        }
        Body::DataSm(sm) => to(&sm.source_addr.text(), &sm.destination_addr.text(), sm.esm_class),
        _ => String::new(),
    }
}

fn to(from: &str, to: &str, class: EsmClass) -> String {
    let what = match class {
        class if class.is_receipt() => ", receipt",
        class if class.is_intermediate() => ", notification",
        class if class.has_udh() => ", part",
        _ => "",
    };
    format!("{from} to {to}{what}")
}
