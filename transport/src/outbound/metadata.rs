//! Settings of one message, in `transport_metadata` under `smpp`: they count before those of the transport.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{Coding, MultipartHandling, Reject, SubmitOptions, default_alphabet, shown};
use crate::pdu::json::from_hex;
use crate::pdu::time::{Period, SmppTime};
use crate::pdu::{COctets, DataCoding, Npi, RegisteredDelivery, TlvTag, Tlvs, Ton};
use crate::text::Repertoire;

/// The key in `transport_metadata`.
const KEY: &str = "smpp";
/// Settings that a message may bring under it.
pub const SETTING_KEYS: [&str; 16] = [
    "data_coding",
    "multipart_handling",
    "service_type",
    "source_addr_ton",
    "source_addr_npi",
    "dest_addr_ton",
    "dest_addr_npi",
    "registered_delivery",
    "validity_period",
    "schedule_delivery_time",
    "priority_flag",
    "protocol_id",
    "replace_if_present",
    "esm_class",
    "sm_default_msg_id",
    "tlvs",
];

/// Keys that only the metadata of an inbound message has.
const INBOUND_KEYS: [&str; 4] = ["command", "content_hex", "missing_parts", "total_parts"];

/// The options of one message.
pub(super) struct Settings<'a> {
    pub(super) options: Cow<'a, SubmitOptions>,
}

impl<'a> Settings<'a> {
    pub(super) fn read(metadata: &Map<String, Value>, options: &'a SubmitOptions) -> Result<Settings<'a>, Reject> {
        let mut settings = Settings { options: Cow::Borrowed(options) };
        match metadata.get(KEY) {
            None | Some(Value::Null) => {}
            // A reply that brings the metadata of the message that it answers: those fields are the sender's.
            Some(Value::Object(given)) if INBOUND_KEYS.iter().any(|key| given.contains_key(*key)) => {}
            Some(Value::Object(given)) => {
                for (key, value) in given {
                    settings
                        .set(key, value)
                        .map_err(|words| Reject(format!("transport_metadata.{KEY}.{key}: {words}")))?;
                }
            }
            Some(other) => return Err(Reject(format!("transport_metadata.{KEY}: {other} is no object"))),
        }
        Ok(settings)
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<(), String> {
        if value.is_null() {
            return Ok(());
        }
        if !SETTING_KEYS.contains(&key) {
            return Err(format!("is not known; there are {}", SETTING_KEYS.join(", ")));
        }
        let options = self.options.to_mut();
        match key {
            "data_coding" => options.coding = coding(value, &options.coding)?,
            "multipart_handling" => options.multipart = multipart(value)?,
            "service_type" => options.service_type = text(value)?,
            "source_addr_ton" => options.source.ton = Some(ton(value)?),
            "source_addr_npi" => options.source.npi = Some(npi(value)?),
            "dest_addr_ton" => options.destination.ton = Some(ton(value)?),
            "dest_addr_npi" => options.destination.npi = Some(npi(value)?),
            "registered_delivery" => options.registered_delivery = RegisteredDelivery(octet(value, 0x1F)?),
            "validity_period" => options.validity_period = time(value)?,
            "schedule_delivery_time" => options.schedule_delivery_time = time(value)?,
            "esm_class" => options.esm_class = octet(value, u8::MAX)?,
            "sm_default_msg_id" => options.sm_default_msg_id = octet(value, u8::MAX)?,
            "priority_flag" => options.priority = octet(value, 3)?,
            "protocol_id" => options.protocol_id = octet(value, u8::MAX)?,
            "replace_if_present" => {
                options.replace_if_present =
                    value.as_bool().ok_or_else(|| format!("{value}: allowed are true and false"))?;
            }
            _ => {
                let allowed = options.tlvs_allowed.clone();
                add_tlvs(&mut options.tlvs, value, allowed.as_deref())?;
            }
        }
        Ok(())
    }
}

fn octet(value: &Value, max: u8) -> Result<u8, String> {
    let number = value.as_u64().and_then(|number| u8::try_from(number).ok()).filter(|number| *number <= max);
    number.ok_or_else(|| format!("{}: allowed are 0 to {max}", shown(value)))
}

fn text<const N: usize>(value: &Value) -> Result<COctets<N>, String> {
    let text = value.as_str().filter(|text| text.is_ascii() && !text.contains('\0'));
    let text = text.ok_or_else(|| format!("{}: allowed is ASCII text", shown(value)))?;
    let (length, max) = (text.len(), N - 1);
    text.parse().map_err(|_| format!("{text:?} has {length} characters, allowed are {max}"))
}

/// Reads a time as the standard writes it, or seconds from now. A period of 0 is none, as in the configuration: the SMSC
/// would take it for one that is over.
fn time(value: &Value) -> Result<COctets<17>, String> {
    if let Some(seconds) = seconds(value) {
        if seconds == 0 {
            return Ok(COctets::default());
        }
        let period = Period::from_seconds(seconds).map_err(|error| format!("{value}: {error}"))?;
        return SmppTime::Relative(period).to_string().parse().map_err(|_| format!("{value}: cannot be written"));
    }
    if value.is_number() {
        return Err(format!("{value}: allowed are whole seconds from 0 on, and a time as SMPP writes it"));
    }
    let text = text::<17>(value)?;
    if text.is_empty() {
        return Ok(text);
    }
    match SmppTime::parse(text.as_bytes()).map_err(|error| format!("{}: {error}", shown(value)))? {
        SmppTime::Relative(period) if period == Period::default() => Ok(COctets::default()),
        _ => Ok(text),
    }
}

/// Returns whole seconds, however they are written: `60`, `60.0`, `"60"`. Times of the standard have 12 or 16 characters.
fn seconds(value: &Value) -> Option<u64> {
    let whole = |number: f64| (number >= 0.0 && number.fract() == 0.0 && number < 1e15).then_some(number as u64);
    let digits = |text: &str| {
        text.parse::<u64>().ok().filter(|_| text.len() < 12 && text.bytes().all(|octet| octet.is_ascii_digit()))
    };
    value.as_u64().or_else(|| value.as_f64().and_then(whole)).or_else(|| value.as_str().and_then(digits))
}

/// A value by its name or its number.
macro_rules! named {
    ($function:ident, $type:ident) => {
        fn $function(value: &Value) -> Result<$type, String> {
            // vumi2 has a longer name for one of them.
            let plain =
                |name: &str| if name == "SUBSCRIBER_NUMBER" { "SUBSCRIBER".to_owned() } else { name.to_owned() };
            let is =
                |known: &$type, name: &str| known.name().is_some_and(|known| known.eq_ignore_ascii_case(&plain(name)));
            let by_name = |name: &str| $type::NAMED.iter().find(|known| is(known, name)).copied();
            let number = value.as_u64().and_then(|number| u8::try_from(number).ok()).map($type);
            let by_digits = |text: &str| text.parse::<u8>().ok().map($type);
            let by_text = |text: &str| by_name(text).or_else(|| by_digits(text));
            number.or_else(|| value.as_str().and_then(by_text)).ok_or_else(|| {
                let names: Vec<_> = $type::NAMED.iter().filter_map(|known| known.name()).collect();
                format!("{}: allowed are {}, and 0 to 255", shown(value), names.join(", "))
            })
        }
    };
}
named!(ton, Ton);
named!(npi, Npi);

/// By number, by the name of the standard or that of vumi2, or `auto`.
fn coding(value: &Value, now: &Coding) -> Result<Coding, String> {
    let default = default_alphabet(now);
    if value.as_str() == Some("auto") {
        let repertoire = Repertoire { default, ..Repertoire::default() };
        return Ok(if matches!(now, Coding::Auto(_)) { now.clone() } else { Coding::Auto(repertoire) });
    }
    let number = value.as_u64().and_then(|number| u8::try_from(number).ok()).map(DataCoding);
    let fixed = number.or_else(|| value.as_str().and_then(data_coding));
    let fixed = fixed.ok_or_else(|| {
        let names: Vec<_> = DATA_CODINGS.iter().map(|(name, _)| *name).collect();
        format!("{}: allowed are auto, {}, and 0 to 255", shown(value), names.join(", "))
    })?;
    Ok(Coding::Fixed(fixed, default))
}

/// Values of `data_coding` by the names that vumi2 has for them.
pub const DATA_CODINGS: [(&str, DataCoding); 13] = [
    ("SMSC_DEFAULT_ALPHABET", DataCoding::DEFAULT),
    ("IA5_ASCII", DataCoding::IA5),
    ("OCTET_UNSPECIFIED", DataCoding::OCTETS),
    ("LATIN_1", DataCoding::LATIN1),
    ("OCTET_UNSPECIFIED_COMMON", DataCoding::OCTETS_8BIT),
    ("JIS", DataCoding::JIS),
    ("CYRILLIC", DataCoding::CYRILLIC),
    ("ISO_8859_8", DataCoding::HEBREW),
    ("UCS2", DataCoding::UCS2),
    ("PICTOGRAM", DataCoding::PICTOGRAM),
    ("ISO_2022_JP", DataCoding::ISO_2022_JP),
    ("EXTENDED_KANJI_JIS", DataCoding::EXTENDED_KANJI),
    ("KS_C_5601", DataCoding::KS_C_5601),
];

/// A `data_coding` by its name.
fn data_coding(name: &str) -> Option<DataCoding> {
    DATA_CODINGS.iter().find(|(known, _)| *known == name).map(|(_, coding)| *coding)
}

fn multipart(value: &Value) -> Result<MultipartHandling, String> {
    match value.as_str() {
        Some("short_message") => Ok(MultipartHandling::ShortMessage),
        Some("message_payload") => Ok(MultipartHandling::Payload),
        Some("multipart_sar") => Ok(MultipartHandling::Sar),
        Some("multipart_udh") => Ok(MultipartHandling::Udh8),
        Some("multipart_udh16") => Ok(MultipartHandling::Udh16),
        _ => Err(format!(
            "{}: allowed are short_message, message_payload, multipart_sar, multipart_udh, multipart_udh16",
            shown(value)
        )),
    }
}

/// `[{"tag": "0x1401", "value_hex": "01ff"}]`.
fn add_tlvs(tlvs: &mut Tlvs, value: &Value, allowed: Option<&[TlvTag]>) -> Result<(), String> {
    let list = value.as_array().ok_or_else(|| format!("{}: allowed is a list", shown(value)))?;
    for (at, item) in list.iter().enumerate() {
        let wrong = |words: String| format!("[{at}]: {words}");
        let tag = tag(item.get("tag").unwrap_or(&Value::Null)).map_err(wrong)?;
        if allowed.is_some_and(|allowed| !allowed.contains(&TlvTag(tag))) {
            return Err(wrong(format!("tag: {tag:#06x} is not in tlv.from_metadata, which says which may be brought")));
        }
        let octets = match (item.get("value_hex"), item.get("value_text")) {
            (Some(Value::String(digits)), None) => {
                from_hex(digits).map_err(|words| wrong(format!("value_hex: {words}")))?
            }
            (None, Some(Value::String(text))) => [text.as_bytes(), &[0]].concat(),
            _ => return Err(wrong("allowed is either value_hex or value_text, a text".to_owned())),
        };
        tlvs.try_push(TlvTag(tag), &octets).map_err(|error| wrong(error.to_string()))?;
    }
    Ok(())
}

fn tag(value: &Value) -> Result<u16, String> {
    let by_number = value.as_u64().and_then(|number| u16::try_from(number).ok());
    let by_text = || {
        let digits = value.as_str()?;
        u16::from_str_radix(digits.strip_prefix("0x")?, 16).ok()
    };
    let tag = by_number.or_else(by_text).filter(|tag| *tag > 0);
    tag.ok_or_else(|| format!("tag: {}: allowed are 1 to 65535, or \"0x0001\" to \"0xffff\"", shown(value)))
}
