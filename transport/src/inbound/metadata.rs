//! `transport_metadata.smpp` of an inbound message: the fields of its PDU that the message itself has no key for.

use serde_json::{Map, Value, json};

use super::Fields;
use crate::pdu::json::hex;
use crate::pdu::{TlvTag, Tlvs, latin1};

/// Optional parameters that are passed on to applications.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum TlvSelection {
    /// All but message_payload, which is the text of the message.
    All,
    /// The parameters with these tags, message_payload among them if it is named.
    Tags(Vec<TlvTag>),
}

impl Default for TlvSelection {
    /// Selects nothing.
    fn default() -> TlvSelection {
        TlvSelection::Tags(Vec::new())
    }
}

impl TlvSelection {
    /// Returns `true` if the parameter is passed on.
    #[must_use]
    pub fn has(&self, tag: TlvTag) -> bool {
        match self {
            TlvSelection::All => tag != TlvTag::MESSAGE_PAYLOAD,
            TlvSelection::Tags(tags) => tags.contains(&tag),
        }
    }

    /// Returns the selected parameters as JSON, in the order of the PDU, repeated ones repeated: `tag`, `name` where the
    /// standard has one, and `value_hex`.
    #[must_use]
    pub fn json(&self, tlvs: &Tlvs) -> Vec<Value> {
        let selected = tlvs.iter().filter(|(tag, _)| self.has(*tag));
        selected.map(|(tag, value)| parameter(tag, &value)).collect()
    }
}

fn parameter(tag: TlvTag, value: &[u8]) -> Value {
    let mut shown = json!({"tag": format!("{:#06x}", tag.0), "value_hex": hex(value)});
    if tag.name().is_some() {
        shown["name"] = tag.printed().into();
    }
    shown
}

/// Returns the fields of the PDU, numbers as they are on the wire, and the selected parameters.
pub(super) fn of(fields: &Fields<'_>, selection: &TlvSelection) -> Map<String, Value> {
    let (source, destination) = (fields.source, fields.destination);
    let mut smpp = Map::new();
    let mut set = |key: &str, value: Value| drop(smpp.insert(key.to_owned(), value));
    set("command", fields.command.into());
    if !fields.service_type.is_empty() {
        set("service_type", latin1(fields.service_type).into());
    }
    set("source_addr_ton", source.0.0.into());
    set("source_addr_npi", source.1.0.into());
    set("dest_addr_ton", destination.0.0.into());
    set("dest_addr_npi", destination.1.0.into());
    set("esm_class", fields.esm_class.0.into());
    set("data_coding", fields.data_coding.0.into());
    let selected = selection.json(fields.tlvs);
    if !selected.is_empty() {
        set("tlvs", Value::Array(selected));
    }
    smpp
}
