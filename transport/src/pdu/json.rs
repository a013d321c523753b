//! A PDU as JSON, with the names of the standard:
//! `{"command", "command_id", "command_status", "sequence_number", "fields", "tlvs"}`.
//!
//! Strings are Latin-1, which loses nothing; octets are hexadecimal under a name that ends in `_hex`. `fields` is empty
//! for a PDU that has only its header.

use bytes::Bytes;
use serde::de::{DeserializeOwned, Error as _, IgnoredAny};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::{
    Body, COctets, CommandId, CommandStatus, Destination, Destinations, Npi, Pdu, ShortMessage, TlvTag, Ton,
    UnsuccessSme, Unsuccessful, latin1,
};

/// Octets as hexadecimal digits.
#[must_use]
pub fn hex(octets: &[u8]) -> String {
    let digit = |half: u8| b"0123456789abcdef"[usize::from(half)];
    let digits: Vec<u8> = octets.iter().flat_map(|octet| [digit(octet >> 4), digit(octet & 0x0F)]).collect();
    latin1(&digits)
}

/// Hexadecimal digits as octets; white space between them is skipped.
///
/// # Errors
/// In words: a character that is no digit, or an odd number of digits.
pub fn from_hex(digits: &str) -> Result<Vec<u8>, String> {
    let mut nibbles = Vec::with_capacity(digits.len());
    for (at, character) in digits.char_indices().filter(|(_, character)| !character.is_whitespace()) {
        let digit = character.to_digit(16).ok_or_else(|| format!("{character:?} at {at} is no hexadecimal digit"))?;
        nibbles.push(u8::try_from(digit).unwrap_or_default());
    }
    if nibbles.len() % 2 == 1 {
        return Err(format!("{} hexadecimal digits: an octet has two", nibbles.len()));
    }
    Ok(nibbles.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

/// JSON that is no PDU: what is wrong, with the name of the field.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct JsonError(String);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    command: Option<String>,
    command_id: Option<u32>,
    #[serde(default)]
    command_status: u32,
    sequence_number: Option<u32>,
    #[serde(default)]
    fields: Map<String, Value>,
    #[serde(default)]
    tlvs: Vec<TlvForm>,
    /// Written by `decode` for people: the fields say the same.
    #[serde(default, rename = "text")]
    _text: IgnoredAny,
    #[serde(default, rename = "part")]
    _part: IgnoredAny,
    #[serde(default, rename = "receipt")]
    _receipt: IgnoredAny,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TlvForm {
    tag: Option<u16>,
    name: Option<String>,
    value_hex: String,
}

impl Pdu {
    /// The PDU as a JSON object.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let fields = self.body.to_fields().unwrap_or_default();
        let tlvs = self.tlvs.iter().map(|(tag, value)| {
            let name = tag.name().map_or_else(|| "unknown".to_owned(), str::to_ascii_lowercase);
            json!({ "tag": tag.0, "name": name, "value_hex": hex(&value) })
        });
        json!({
            "command": self.command_id().printed(),
            "command_id": self.command_id().0,
            "command_status": self.status.0,
            "sequence_number": self.sequence,
            "fields": if fields.is_null() { json!({}) } else { fields },
            "tlvs": tlvs.collect::<Vec<_>>(),
        })
    }

    /// The PDU that a JSON object describes. Either of `command` and `command_id` is enough; fields left out are empty or
    /// zero, and a response whose `fields` and `tlvs` are empty has only its header.
    ///
    /// # Errors
    /// When a key is unknown, or a value does not fit its field: the message names it.
    pub fn from_json(value: Value) -> Result<Pdu, JsonError> {
        let form: Form = read(value).map_err(JsonError)?;
        let sequence = form.sequence_number.ok_or_else(|| JsonError("sequence_number is missing".to_owned()))?;
        let id = command(form.command.as_deref(), form.command_id)?;
        let status = CommandStatus(form.command_status);
        let header_only = form.fields.is_empty() && form.tlvs.is_empty() && id.is_response();
        let body =
            body(id, header_only, form.fields).map_err(|error| JsonError(format!("{}: {error}", id.printed())))?;
        let tlvs = form.tlvs.into_iter().map(tlv).collect::<Result<Vec<_>, _>>()?;
        let mut pdu = Pdu::new(status, sequence, body);
        for (tag, octets) in tlvs {
            pdu.tlvs.try_push(tag, &octets).map_err(|error| JsonError(error.to_string()))?;
        }
        Ok(pdu)
    }
}

fn command(name: Option<&str>, id: Option<u32>) -> Result<CommandId, JsonError> {
    let named = match name {
        None | Some("unknown") => None,
        Some(name) => Some(
            CommandId::from_printed(name).ok_or_else(|| JsonError(format!("command: {name:?} is not in SMPP 3.4")))?,
        ),
    };
    match (named, id.map(CommandId)) {
        (Some(named), Some(id)) if named != id => {
            Err(JsonError(format!("command is {}, but command_id is {:#010x}", named.printed(), id.0)))
        }
        (Some(id), _) | (None, Some(id)) => Ok(id),
        (None, None) => Err(JsonError("command or command_id is missing".to_owned())),
    }
}

/// Reads a value of this type; an error says in which key of the object it is: the one that fails on its own.
pub(super) fn read<T: DeserializeOwned>(value: Value) -> Result<T, String> {
    T::deserialize(&value).map_err(|error| {
        let alone = |(key, value): (&String, &Value)| {
            let error = T::deserialize(&json!({ key: value })).err()?.to_string();
            Some(if error.contains(key.as_str()) { error } else { format!("{key}: {error}") })
        };
        value.as_object().and_then(|object| object.iter().find_map(alone)).unwrap_or_else(|| error.to_string())
    })
}

fn body(id: CommandId, header_only: bool, fields: Map<String, Value>) -> Result<Body, String> {
    if header_only {
        return Ok(Body::empty(id).unwrap_or(Body::Unknown(id, Bytes::new())));
    }
    Body::from_fields(id, Value::Object(fields))
}

pub(super) fn unknown_body(fields: Value) -> Result<Bytes, String> {
    #[derive(Deserialize, Default)]
    #[serde(default, deny_unknown_fields)]
    struct Unknown {
        body_hex: String,
    }
    let unknown: Unknown = read(fields)?;
    from_hex(&unknown.body_hex).map(Bytes::from).map_err(|words| format!("body_hex: {words}"))
}

fn tlv(form: TlvForm) -> Result<(TlvTag, Vec<u8>), JsonError> {
    let named = form.name.as_deref().filter(|name| *name != "unknown").map(|name| {
        TlvTag::NAMED
            .iter()
            .copied()
            .find(|tag| tag.name().is_some_and(|known| known.eq_ignore_ascii_case(name)))
            .ok_or_else(|| JsonError(format!("tlvs: name: {name:?} is not in SMPP 3.4")))
    });
    let tag = match (form.tag, named.transpose()?) {
        (Some(tag), _) => TlvTag(tag),
        (None, Some(tag)) => tag,
        (None, None) => return Err(JsonError("tlvs: tag or name is missing".to_owned())),
    };
    from_hex(&form.value_hex)
        .map(|octets| (tag, octets))
        .map_err(|words| JsonError(format!("tlvs: {}: value_hex: {words}", tag.printed())))
}

impl<const N: usize> Serialize for COctets<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text())
    }
}

impl<'de, const N: usize> Deserialize<'de> for COctets<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error| D::Error::custom(format!("{text:?}: {error}")))
    }
}

impl Serialize for ShortMessage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex(self.as_bytes()))
    }
}

impl<'de> Deserialize<'de> for ShortMessage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let octets = from_hex(&String::deserialize(deserializer)?).map_err(D::Error::custom)?;
        ShortMessage::new(octets).map_err(|error| D::Error::custom(error.to_string()))
    }
}

/// A destination by its dest_flag, with the names of §4.5.1.1.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DestinationForm {
    dest_flag: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    dest_addr_ton: Option<Ton>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dest_addr_npi: Option<Npi>,
    #[serde(skip_serializing_if = "Option::is_none")]
    destination_addr: Option<COctets<21>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dl_name: Option<COctets<21>>,
}

impl Serialize for Destination {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let form = match self.clone() {
            Destination::Address { ton, npi, address } => DestinationForm {
                dest_flag: 1,
                dest_addr_ton: Some(ton),
                dest_addr_npi: Some(npi),
                destination_addr: Some(address),
                dl_name: None,
            },
            Destination::List(name) => DestinationForm {
                dest_flag: 2,
                dest_addr_ton: None,
                dest_addr_npi: None,
                destination_addr: None,
                dl_name: Some(name),
            },
        };
        form.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Destination {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let form = DestinationForm::deserialize(deserializer)?;
        match form.dest_flag {
            1 => Ok(Destination::Address {
                ton: form.dest_addr_ton.unwrap_or_default(),
                npi: form.dest_addr_npi.unwrap_or_default(),
                address: form.destination_addr.unwrap_or_default(),
            }),
            2 => Ok(Destination::List(form.dl_name.unwrap_or_default())),
            other => Err(D::Error::custom(format!("dest_flag: {other}, allowed are 1 (address) and 2 (list)"))),
        }
    }
}

impl Serialize for Destinations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Destinations {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = Vec::<Destination>::deserialize(deserializer)?;
        Destinations::new(entries).map_err(|error| D::Error::custom(error.to_string()))
    }
}

impl Serialize for Unsuccessful {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Unsuccessful {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = Vec::<UnsuccessSme>::deserialize(deserializer)?;
        Unsuccessful::new(entries).map_err(|error| D::Error::custom(error.to_string()))
    }
}
