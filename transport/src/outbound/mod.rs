//! From a message on the bus to submit_sm, and what follows from their answers. Pure: no bus, no session, no clock.
//!
//! - [`draft`] makes the parts of a message, or says in words why it cannot be sent.
//! - [`Queue`] chooses the part that goes next and decides on the outcome of each message.

mod address;
mod metadata;
mod queue;
mod typography;
mod words;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

pub use address::Numbering;
pub use metadata::{DATA_CODINGS, SETTING_KEYS};
pub use queue::{
    Again, Answer, Cause, Doubt, End, FullScope, Job, KeepOrder, OnUnknown, Queue, QueueConfig, QueueFull, Rate,
    Resend, Retry, Submit, Throttle, Tried, Validity, Verdict,
};
pub use words::words;

use crate::bus::{Message, SessionEvent};
use crate::pdu::time::{Offset, SmppTime};
use crate::pdu::{COctets, DataCoding, EsmClass, Npi, RegisteredDelivery, ShortMessage, Sm, TlvTag, Tlvs, Ton};
use crate::text::{Charset, DefaultAlphabet, Multipart, Part, Repertoire, SplitError, choose, first_parts, split};
use crate::ussd;
use address::Address;
use metadata::Settings;

/// How messages become submit_sm.
#[derive(Clone, Debug, PartialEq)]
pub struct SubmitOptions {
    /// How the text is written.
    pub coding: Coding,
    /// How a text that is too long for one short message is sent.
    pub multipart: MultipartHandling,
    /// Most parts of a message, 1 to 255.
    pub parts_max: u8,
    /// What becomes of a text that needs more.
    pub too_many_parts: TooManyParts,
    /// What becomes of a text that the fixed coding cannot write.
    pub unencodable: Unencodable,
    /// `service_type`.
    pub service_type: COctets<6>,
    /// TON and NPI of the sender.
    pub source: Numbering,
    /// The same of the recipient.
    pub destination: Numbering,
    /// Most characters of an address, 1 to 64. The standard allows 20 (§4.4.1); more is for SMSCs that take it. Default 20.
    pub address_max: u8,
    /// Charset of alphanumeric senders. Default Latin-1.
    pub address_charset: Charset,
    /// Sender of messages that have none. `None` leaves it empty. Default `None`.
    pub sender: Option<String>,
    /// Whether `sender` replaces the senders of messages too. Default false.
    pub replaces_sender: bool,
    /// Whether a `+` before an address is left out.
    pub strip_plus: bool,
    /// Which receipts are asked for.
    pub registered_delivery: RegisteredDelivery,
    /// Whether receipts are requested for the last part of a long message only. Default false.
    pub receipt_of_last_part_only: bool,
    /// `esm_class` of every message, but for the bit of a user data header. Default 0.
    pub esm_class: u8,
    /// `sm_default_msg_id`. Default 0.
    pub sm_default_msg_id: u8,
    /// References of long messages are those of the sequencer modulo this, 1 to 65,536; SAR only.
    pub sar_reference_rollover: u32,
    /// `validity_period`.
    pub validity_period: COctets<17>,
    /// `schedule_delivery_time`.
    pub schedule_delivery_time: COctets<17>,
    /// Whether validity_period and schedule_delivery_time are sent as moments in UTC instead of periods. Default false.
    pub absolute_times: bool,
    /// `priority_flag`, 0 to 3.
    pub priority: u8,
    /// `protocol_id`.
    pub protocol_id: u8,
    /// Whether an earlier message with the same addresses and service type that waits is replaced.
    pub replace_if_present: bool,
    /// Optional parameters of every message.
    pub tlvs: Tlvs,
    /// Tags of those that a message may bring itself; none is any.
    pub tlvs_allowed: Option<Vec<TlvTag>>,
    /// What values of `data_coding` mean to the SMSC, where that is not what the standard says.
    pub data_coding_overrides: BTreeMap<u8, Charset>,
    /// What a message that belongs to a USSD session is like.
    pub ussd: ussd::Dialect,
}

impl Default for SubmitOptions {
    fn default() -> SubmitOptions {
        SubmitOptions {
            coding: Coding::Fixed(DataCoding::DEFAULT, DefaultAlphabet::Gsm7),
            multipart: MultipartHandling::ShortMessage,
            parts_max: 255,
            too_many_parts: TooManyParts::Nack,
            unencodable: Unencodable::Nack,
            service_type: COctets::default(),
            source: Numbering { ton: Some(Ton::UNKNOWN), npi: Some(Npi::UNKNOWN) },
            destination: Numbering { ton: Some(Ton::UNKNOWN), npi: Some(Npi::ISDN) },
            address_max: ADDRESS_MAX,
            address_charset: Charset::Latin1,
            sender: None,
            replaces_sender: false,
            strip_plus: false,
            registered_delivery: RegisteredDelivery::NONE,
            receipt_of_last_part_only: false,
            esm_class: 0,
            sm_default_msg_id: 0,
            sar_reference_rollover: 0x1_0000,
            validity_period: COctets::default(),
            schedule_delivery_time: COctets::default(),
            absolute_times: false,
            priority: 0,
            protocol_id: 0,
            replace_if_present: false,
            tlvs: Tlvs::new(),
            tlvs_allowed: None,
            data_coding_overrides: BTreeMap::new(),
            ussd: ussd::Dialect::default(),
        }
    }
}

/// How a text is written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Coding {
    /// Always so; the alphabet is what `data_coding` 0 means to the SMSC.
    Fixed(DataCoding, DefaultAlphabet),
    /// In the smallest charset that carries the text.
    Auto(Repertoire),
}

/// How a text that is too long for one short message is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MultipartHandling {
    /// All of it in `short_message`, up to 254 octets.
    ShortMessage,
    /// All of it in `message_payload`.
    Payload,
    /// In parts with `sar_*` parameters.
    Sar,
    /// In parts with a header, 8-bit reference.
    Udh8,
    /// In parts with a header, 16-bit reference.
    Udh16,
}

/// What becomes of a text that needs more parts than a message may have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TooManyParts {
    /// It is refused.
    Nack,
    /// As many parts are sent as may be, as a message that is whole; the rest of the text is left out.
    Truncate,
}

/// What becomes of a text that the fixed coding cannot write.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unencodable {
    /// It is refused.
    Nack,
    /// Each character that cannot be written becomes `?`.
    Replace,
    /// Each becomes letters that look or sound alike, or `?`.
    Transliterate,
}

/// Why a message cannot be sent, in words.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct Reject(pub String);

/// A message that can be sent, but for its reference.
#[derive(Clone, Debug)]
pub struct Draft {
    sm: Sm,
    tlvs: Tlvs,
    parts: Parts,
    left_out: usize,
    absolute_times: bool,
    last_only: bool,
}

#[derive(Clone, Debug)]
enum Parts {
    /// Needs no reference.
    Made(Vec<Part>),
    /// To be made with one.
    Of { text: String, charset: Charset, multipart: MultipartHandling, rollover: u32 },
}

/// Makes a message ready to be sent.
///
/// # Errors
/// In words for whoever sent it: an address that is too long, a text that cannot be written or has too many parts, a setting
/// in `transport_metadata` that is not known or out of range.
pub fn draft(message: &Message, options: &SubmitOptions) -> Result<Draft, Reject> {
    let settings = Settings::read(&message.transport_metadata, options)?;
    let options = settings.options.as_ref();
    let Address { ton: source_addr_ton, npi: source_addr_npi, octets: source_addr } =
        address::sender(&message.from_addr, options)?;
    let Address { ton: dest_addr_ton, npi: dest_addr_npi, octets: destination_addr } =
        address::destination(&message.to_addr, options)?;
    let text = typography::composed(message.content.as_deref().unwrap_or_default());
    let (data_coding, charset, text) = coding(&text, options)?;
    let mut sm = Sm {
        service_type: options.service_type.clone(),
        source_addr_ton,
        source_addr_npi,
        source_addr,
        dest_addr_ton,
        dest_addr_npi,
        destination_addr,
        esm_class: EsmClass(options.esm_class),
        protocol_id: options.protocol_id,
        priority_flag: options.priority,
        schedule_delivery_time: options.schedule_delivery_time.clone(),
        validity_period: options.validity_period.clone(),
        registered_delivery: options.registered_delivery,
        replace_if_present_flag: u8::from(options.replace_if_present),
        data_coding,
        sm_default_msg_id: options.sm_default_msg_id,
        short_message: ShortMessage::default(),
    };
    let mut tlvs = options.tlvs.clone();
    let is_ussd = message.transport_type == "ussd" || message.session_event.is_some();
    if is_ussd
        && let Some(service_type) = options.ussd.outbound(message, session_event(message), &mut tlvs).map_err(Reject)?
    {
        sm.service_type = service_type;
    }
    let kept = kept(text.as_ref(), charset, options)?;
    let left_out = text.as_ref().chars().count() - kept.chars().count();
    let parts = made(kept, charset, options.multipart, 0, options.parts_max)?;
    let needs_reference = parts.len() > 1;
    let rollover = options.sar_reference_rollover;
    let parts = match needs_reference {
        true => Parts::Of { text: kept.to_owned(), charset, multipart: options.multipart, rollover },
        false => Parts::Made(parts),
    };
    let (absolute_times, last_only) = (options.absolute_times, options.receipt_of_last_part_only);
    Ok(Draft { sm, tlvs, parts, left_out, absolute_times, last_only })
}

fn session_event(message: &Message) -> SessionEvent {
    message.session_event.unwrap_or(SessionEvent::Resume)
}

impl Draft {
    /// Returns the draft with its times as the SMSC wants them: periods, or moments counted from `now`, the time since
    /// 1970-01-01 00:00 UTC.
    #[must_use]
    pub fn at(mut self, now: Duration) -> Draft {
        if self.absolute_times {
            for time in [&mut self.sm.validity_period, &mut self.sm.schedule_delivery_time] {
                *time = absolute(time, now).unwrap_or_else(|| time.clone());
            }
        }
        self
    }

    /// Whether the message has several parts, which share a reference.
    #[must_use]
    pub fn needs_reference(&self) -> bool {
        matches!(self.parts, Parts::Of { .. })
    }

    /// How many characters at the end of the text are not sent, because it would need too many parts.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// The submit_sm of the message, in order. `reference` tells its parts from those of other messages to the same phone; it
    /// is not used when there is one.
    ///
    /// # Errors
    /// As [`draft`].
    pub fn into_parts(self, reference: u16) -> Result<Vec<(Sm, Tlvs)>, Reject> {
        let parts = match self.parts {
            Parts::Made(parts) => parts,
            Parts::Of { text, charset, multipart, rollover } => {
                let reference = match multipart {
                    // Within 16 bits, whatever the rollover.
                    MultipartHandling::Sar => {
                        u16::try_from(u32::from(reference) % rollover.max(1)).unwrap_or(reference)
                    }
                    _ => reference,
                };
                made(&text, charset, multipart, reference, u8::MAX)?
            }
        };
        let last = parts.len() - 1;
        let (mut sm, mut all) = (Some(self.sm), Vec::with_capacity(parts.len()));
        for (at, part) in parts.into_iter().enumerate() {
            let Some(mut sm) = (if at == last { sm.take() } else { sm.clone() }) else { break };
            if part.udhi {
                sm.esm_class = EsmClass(sm.esm_class.0 | EsmClass::UDHI.0);
            }
            sm.short_message = ShortMessage::new(part.short_message).map_err(|error| Reject(error.to_string()))?;
            let mut tlvs = self.tlvs.clone();
            for (tag, value) in part.tlvs.iter() {
                tlvs.push(tag, &value);
            }
            if self.last_only && at < last {
                sm.registered_delivery = RegisteredDelivery::NONE;
            }
            all.push((sm, tlvs));
        }
        Ok(all)
    }
}

/// Returns the moment in UTC that a period ends at; `None` if it is not a period, or the moment cannot be written.
fn absolute(time: &COctets<17>, now: Duration) -> Option<COctets<17>> {
    let period = SmppTime::parse(time.as_bytes()).ok().filter(|time| matches!(time, SmppTime::Relative(_)))?;
    let moment = period.unix_seconds(i64::try_from(now.as_secs()).ok()?, Offset::UTC);
    SmppTime::from_unix(moment, Offset::UTC).ok()?.to_string().parse().ok()
}

/// What `data_coding` 0 means, whatever the coding.
fn default_alphabet(coding: &Coding) -> DefaultAlphabet {
    match coding {
        Coding::Fixed(_, default) => *default,
        Coding::Auto(repertoire) => repertoire.default,
    }
}

fn coding<'a>(text: &'a str, options: &SubmitOptions) -> Result<(DataCoding, Charset, Cow<'a, str>), Reject> {
    let (data_coding, default) = match &options.coding {
        Coding::Auto(repertoire) => {
            return Ok(smallest(text, repertoire, options.unencodable));
        }
        Coding::Fixed(data_coding, default) => (*data_coding, *default),
    };
    let charset = options.data_coding_overrides.get(&data_coding.0).copied();
    let charset = charset.unwrap_or_else(|| Charset::of(data_coding, default));
    let Err(error) = charset.encode(text) else { return Ok((data_coding, charset, text.into())) };
    match options.unencodable {
        Unencodable::Nack => Err(Reject(format!("content: {error}"))),
        Unencodable::Replace => Ok((data_coding, charset, replaced(text, charset, |_| None).into())),
        Unencodable::Transliterate => {
            Ok((data_coding, charset, replaced(text, charset, deunicode::deunicode_char).into()))
        }
    }
}

/// Returns the smallest coding that carries the text. With [`Unencodable::Transliterate`] typographic characters do not make
/// a text longer: they become plain ones where the default alphabet then carries the whole text.
fn smallest<'a>(
    text: &'a str,
    repertoire: &Repertoire,
    unencodable: Unencodable,
) -> (DataCoding, Charset, Cow<'a, str>) {
    let choice = choose(text, repertoire);
    if unencodable == Unencodable::Transliterate && choice.data_coding != DataCoding::DEFAULT {
        let default = repertoire.default.charset();
        let plain = typography::plain(text, |character| default.encode(character.encode_utf8(&mut [0; 4])).is_err());
        let plain_choice = choose(&plain, repertoire);
        if plain_choice.data_coding == DataCoding::DEFAULT {
            return (plain_choice.data_coding, plain_choice.charset, plain.into());
        }
    }
    (choice.data_coding, choice.charset, text.into())
}

/// The text with others in the places of characters that the charset lacks: those that are given, or `?`.
fn replaced(text: &str, charset: Charset, other: impl Fn(char) -> Option<&'static str>) -> String {
    let can = |text: &str| charset.encode(text).is_ok();
    let mut replaced = String::with_capacity(text.len());
    for character in text.chars() {
        match can(character.encode_utf8(&mut [0; 4])) {
            true => replaced.push(character),
            false => replaced.push_str(other(character).filter(|other| can(other)).unwrap_or("?")),
        }
    }
    replaced
}

/// What is sent of a text.
fn kept<'a>(text: &'a str, charset: Charset, options: &SubmitOptions) -> Result<&'a str, Reject> {
    match options.too_many_parts {
        TooManyParts::Nack => Ok(text),
        TooManyParts::Truncate => {
            first_parts(text, charset, form(options.multipart, 0), options.parts_max).map_err(|error| not_split(&error))
        }
    }
}

fn form(multipart: MultipartHandling, reference: u16) -> Multipart {
    match multipart {
        MultipartHandling::ShortMessage => Multipart::ShortMessage,
        MultipartHandling::Payload => Multipart::Payload,
        MultipartHandling::Sar => Multipart::Sar { reference },
        MultipartHandling::Udh8 => Multipart::Udh8 { reference: reference.to_le_bytes()[0] },
        MultipartHandling::Udh16 => Multipart::Udh16 { reference },
    }
}

fn not_split(error: &SplitError) -> Reject {
    match error {
        SplitError::TooLong { field: "short_message", octets, max } => Reject(format!(
            "content: {octets} octets, allowed are {max} in one short message; multipart_handling says how longer ones are sent"
        )),
        other => Reject(format!("content: {other}")),
    }
}

fn made(
    text: &str,
    charset: Charset,
    multipart: MultipartHandling,
    reference: u16,
    parts_max: u8,
) -> Result<Vec<Part>, Reject> {
    let parts = split(text, charset, form(multipart, reference)).map_err(|error| not_split(&error))?;
    if parts.len() > usize::from(parts_max.max(1)) {
        return Err(Reject(format!("content: {} parts, allowed are {parts_max}", parts.len())));
    }
    Ok(parts)
}

/// Most characters of an address in submit_sm, without its NUL (§4.4.1).
const ADDRESS_MAX: u8 = 20;

/// A value as it is shown in a refusal.
fn shown(value: &Value) -> String {
    value.to_string()
}

#[cfg(test)]
mod tests;
