//! Mobile-originated messages as test authors write them. The deliver_sm or data_sm that carry them are made in `carry`.
//! Pure.

mod carry;
mod echo;

pub(crate) use echo::{Address, Echo};
use serde::{Deserialize, Serialize};

use crate::rules::Hex;

/// A message from a handset to an ESME: text or octets, in any coding, long ones in parts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Mo {
    /// system_id of the account whose session gets it. Default: the only account there is; else it must be named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The session that gets it, by its number. Default: any of the account that receives and whose address_range has `to`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<u64>,
    /// Source address, at most 20 characters (64 in data_sm).
    pub from: String,
    /// Its type of number. Default: international for digits, alphanumeric for what has letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_ton: Option<u8>,
    /// Its numbering plan. Default: ISDN for digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_npi: Option<u8>,
    /// Destination address, at most 20 characters (64 in data_sm).
    pub to: String,
    /// Its type of number. Default: by the same rule as that of `from`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_ton: Option<u8>,
    /// Its numbering plan. Default: by the same rule as that of `from`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_npi: Option<u8>,
    /// The text. Instead of `hex`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The octets. Instead of `text`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hex: Option<Hex>,
    /// How text is written. Default: the smallest of gsm7 and ucs2 that has its characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coding: Option<Coding>,
    /// data_coding to say, whatever the coding is. Default: that of the coding; 4 for octets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_coding: Option<u8>,
    /// esm_class to say. UDHI is added where there is a header.
    pub esm_class: u8,
    /// service_type. Default: empty; USSD when there is `ussd`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_type: Option<String>,
    /// protocol_id.
    pub protocol_id: u8,
    /// priority_flag.
    pub priority: u8,
    /// registered_delivery.
    pub registered_delivery: u8,
    /// User data header before the text, with its length octet, whatever it says. The message then goes whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub udh: Option<Hex>,
    /// How a text that is too long for one is sent.
    pub multipart: Multipart,
    /// Reference of the parts. Default: a new one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<u16>,
    /// Which parts are sent, and in which order, from 1: `[3, 1]` leaves out the second, `[1, 1, 2]` doubles the first.
    /// Default: all in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<u8>,
    /// USSD.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ussd: Option<Ussd>,
    /// Further parameters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tlvs: Vec<Tlv>,
    /// As data_sm instead of deliver_sm.
    pub data_sm: bool,
    /// How many times, 1 to 100,000. Default 1.
    pub count: u32,
    /// How many a second, 0.001 to 1,000,000; 0 is all at once.
    pub rate: f64,
}

impl Default for Mo {
    /// An empty message, once.
    fn default() -> Mo {
        Mo {
            account: None,
            session: None,
            from: String::new(),
            from_ton: None,
            from_npi: None,
            to: String::new(),
            to_ton: None,
            to_npi: None,
            text: None,
            hex: None,
            coding: None,
            data_coding: None,
            esm_class: 0,
            service_type: None,
            protocol_id: 0,
            priority: 0,
            registered_delivery: 0,
            udh: None,
            multipart: Multipart::default(),
            reference: None,
            parts: Vec::new(),
            ussd: None,
            tlvs: Vec::new(),
            data_sm: false,
            count: 1,
            rate: 0.0,
        }
    }
}

/// A field of a message that cannot be sent as asked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{field} {message}")]
pub struct FieldError {
    /// Its name, as in `to` and `tlvs[2].hex`.
    pub field: String,
    /// What is wrong with it and what is allowed.
    pub message: String,
}

impl FieldError {
    pub(crate) fn new(field: impl Into<String>, message: impl Into<String>) -> FieldError {
        FieldError { field: field.into(), message: message.into() }
    }

    /// Words that begin with the name of the field: `when.chance is 1.5: 0 to 1 is allowed`.
    pub(crate) fn of_words(words: String) -> FieldError {
        let (field, message) = words.split_once(' ').unwrap_or((&words, "is not allowed"));
        FieldError::new(field, message)
    }
}

/// How text is written.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Coding {
    /// GSM 7-bit, one septet an octet; data_coding 0.
    #[default]
    Gsm7,
    /// GSM 7-bit, packed; data_coding 0.
    Gsm7Packed,
    /// data_coding 1.
    Ascii,
    /// data_coding 3.
    Latin1,
    /// Shift JIS; data_coding 5.
    Jis,
    /// data_coding 6.
    Cyrillic,
    /// data_coding 7.
    Hebrew,
    /// UTF-16, big-endian; data_coding 8.
    Ucs2,
    /// UTF-16, little-endian by mistake; data_coding 8.
    Ucs2LittleEndian,
    /// data_coding 14.
    Korean,
    /// UTF-8; data_coding 0.
    Utf8,
}

/// How a text that is too long for one is sent.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Multipart {
    /// In parts with a user data header, 8-bit reference.
    #[default]
    Udh8,
    /// In parts with a user data header, 16-bit reference.
    Udh16,
    /// In parts with sar parameters.
    Sar,
    /// Whole, in message_payload, however short it is.
    Payload,
    /// Whole, in short_message, at most 254 octets.
    None,
}

/// A USSD dialogue's parameters.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Ussd {
    /// ussd_service_op (§5.3.2.44): 1 is PSSR indication, 18 USSR confirm.
    pub service_op: u8,
    /// its_session_info: the dialogue's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<u8>,
    /// its_session_info: the place in the dialogue.
    #[serde(default)]
    pub sequence: u8,
    /// its_session_info: whether the dialogue ends.
    #[serde(default)]
    pub ends: bool,
    /// user_message_reference, which some SMSCs have as the dialogue's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_message_reference: Option<u16>,
}

/// An optional parameter.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Tlv {
    /// Its tag.
    pub tag: u16,
    /// Its value.
    pub hex: Hex,
}
