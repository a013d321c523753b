//! A record as JSON, without passwords.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use smpp_transport::pdu::json::hex;
use smpp_transport::pdu::{CommandId, HEADER_OCTETS, Leniency, Pdu};

use super::PduRecord;
use crate::message::rfc3339;

/// What replaces each octet of a password.
const MASK: u8 = b'*';

/// `{number, at, session, way, hex}`, `malformed` if it is, `error` if the simulator, which reads with this leniency, cannot
/// read it, and the keys of [`Pdu::to_json`] as far as anybody can.
pub(crate) fn json(record: &PduRecord, leniency: Leniency) -> Value {
    let octets = record.octets_without_password();
    let mut object = Map::new();
    object.insert("number".to_owned(), json!(record.number));
    object.insert("at".to_owned(), json!(rfc3339(record.at)));
    object.insert("session".to_owned(), json!(record.session));
    object.insert("way".to_owned(), json!(record.way.name()));
    object.insert("hex".to_owned(), json!(hex(&octets)));
    if record.malformed {
        object.insert("malformed".to_owned(), json!(true));
    }
    if let Some(error) = fault(&octets, leniency) {
        object.insert("error".to_owned(), json!(error));
    }
    match Pdu::decode(&octets, Leniency::TOLERANT).map(|pdu| pdu.to_json()) {
        Ok(Value::Object(pdu)) => object.extend(pdu),
        Ok(_) => {}
        Err(_) => object.extend(header(&octets).into_iter().filter(|_| !record.malformed).flatten()),
    }
    Value::Object(object)
}

/// Reason why octets are no PDU for a reader of this leniency.
fn fault(octets: &Bytes, leniency: Leniency) -> Option<String> {
    Pdu::decode(octets, leniency).err().map(|error| error.to_string())
}

/// What the header alone says, where it is whole.
fn header(octets: &[u8]) -> Option<Map<String, Value>> {
    let word = |at: usize| octets.get(at..at + 4)?.first_chunk().copied().map(u32::from_be_bytes);
    let (command_id, command_status, sequence_number) = (word(4)?, word(8)?, word(12)?);
    let header = [
        ("command", json!(CommandId(command_id).printed())),
        ("command_id", json!(command_id)),
        ("command_status", json!(command_status)),
        ("sequence_number", json!(sequence_number)),
    ];
    Some(header.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

impl PduRecord {
    /// It, as it passed, but for the password of a bind or outbind, which is stars.
    #[must_use]
    pub fn octets_without_password(&self) -> Bytes {
        without_password(&self.octets)
    }
}

/// The octets with the password of a bind or outbind replaced: it is the second of two C-octet strings. What does not
/// decode is masked too, as far as it goes.
fn without_password(octets: &Bytes) -> Bytes {
    let id = octets.get(4..8).and_then(|id| id.first_chunk()).map(|id| CommandId(u32::from_be_bytes(*id)));
    if !id.is_some_and(|id| id.is_bind() || id == CommandId::OUTBIND) {
        return octets.clone();
    }
    let mut masked = octets.to_vec();
    let password = masked.iter().skip(HEADER_OCTETS).position(|octet| *octet == 0).map(|nul| HEADER_OCTETS + nul + 1);
    let rest = password.and_then(|at| masked.get_mut(at..)).unwrap_or_default();
    rest.iter_mut().take_while(|octet| **octet != 0).for_each(|octet| *octet = MASK);
    Bytes::from(masked)
}
