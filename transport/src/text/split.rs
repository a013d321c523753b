//! A text as the parts of a short message.
//!
//! Capacities follow from the 140 octets of user data that one short message has on the radio (3GPP 23.040 §9.2.3.24).
//! No part ends inside an escape pair, a surrogate pair or a character of several octets, and none inside what a reader
//! sees as one character if that can be helped.

use bytes::Bytes;
use thiserror::Error;

use super::charset::{Charset, Unencodable};
use super::gsm7::{Language, Shifts};
use super::meter::Meter;
use crate::pdu::udh::{Concatenation, Element, Udh, UdhError, Width};
use crate::pdu::{TlvTag, Tlvs};

mod cut;
use cut::cut;

/// Octets of user data in one short message, header included.
const USER_DATA_OCTETS: usize = 140;
/// Most octets that `short_message` holds (SMPP 3.4 §5.2.21).
const SHORT_MESSAGE_OCTETS_MAX: usize = 254;
/// Most octets that `message_payload` holds (SMPP 3.4 §5.3.2.32).
const PAYLOAD_OCTETS_MAX: usize = 65_535;
/// Most parts of a message: total and number are one octet each.
const PARTS_MAX: usize = 255;

/// How a text that is too long for one short message is sent. One that fits is sent in `short_message` by all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Multipart {
    /// All of it in `short_message`, up to 254 octets; the SMSC cuts it.
    ShortMessage,
    /// All of it in the `message_payload` TLV, up to 65 535 octets; the SMSC cuts it.
    Payload,
    /// Parts with a user data header, 8-bit reference.
    Udh8 {
        /// Number of this message, to be different from those of recent messages to the same destination.
        reference: u8,
    },
    /// Parts with a user data header, 16-bit reference.
    Udh16 {
        /// Number of this message, as above.
        reference: u16,
    },
    /// Parts with `sar_*` TLVs; the SMSC makes the header.
    Sar {
        /// Number of this message, as above.
        reference: u16,
    },
}

/// One short message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What goes into `short_message`, header included; empty when the text is in the TLVs.
    pub short_message: Bytes,
    /// Whether the UDHI bit of `esm_class` must be set, because `short_message` begins with a header.
    pub udhi: bool,
    /// TLVs to add: `sar_*` or `message_payload`.
    pub tlvs: Tlvs,
    /// Which part this is, 1 to `total`.
    pub number: u8,
    /// How many parts there are, 1–255.
    pub total: u8,
}

/// How long a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// Length in the unit of the charset: septets, UTF-16 code units, or octets.
    pub units: usize,
    /// PDUs that carry it.
    pub parts: usize,
}

/// A text that cannot be sent as asked.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum SplitError {
    /// The charset lacks a character.
    #[error(transparent)]
    Unencodable(#[from] Unencodable),
    /// More parts than can be numbered.
    #[error("text needs {parts} parts; allowed are {PARTS_MAX}")]
    TooManyParts {
        /// How many it needs.
        parts: usize,
    },
    /// More octets than the field holds.
    #[error("text has {octets} octets in {field}; allowed are {max}")]
    TooLong {
        /// `short_message` or `message_payload`.
        field: &'static str,
        /// How many it has.
        octets: usize,
        /// How many the field holds.
        max: usize,
    },
    /// National tables are named in a user data header, and a text cut by the SMSC cannot have one in each part.
    #[error("a long text with national language tables needs a user data header in each part")]
    ShiftsNeedHeader,
    /// The header itself is too long.
    #[error(transparent)]
    Header(#[from] UdhError),
}

/// How much text fits one short message after a header of so many octets (UDHL included, 0 for none): septets for GSM
/// 7-bit, UTF-16 code units for UCS-2, else octets.
///
/// 160 septets, 140 octets or 70 code units without a header; 153, 134 or 67 after an 8-bit concatenation.
#[must_use]
pub const fn capacity(charset: Charset, header_octets: usize) -> usize {
    let octets = USER_DATA_OCTETS.saturating_sub(header_octets);
    match charset {
        Charset::Gsm7(_) | Charset::Gsm7Packed(_) => octets * 8 / 7,
        Charset::Ucs2 | Charset::Ucs2Le => octets / 2,
        _ => octets,
    }
}

/// Counts what [`split`] would make, without making it.
///
/// # Errors
///
/// As [`split`].
pub fn count(text: &str, charset: Charset, multipart: Multipart) -> Result<Count, SplitError> {
    let plan = plan(text, charset, multipart)?;
    check_count(plan.texts.len())?;
    let octets = match charset {
        Charset::Gsm7Packed(shifts) => Charset::Gsm7(shifts).encode(text)?.len(),
        charset => charset.encode(text)?.len(),
    };
    let is_utf16 = matches!(charset, Charset::Ucs2 | Charset::Ucs2Le);
    let units = if is_utf16 { octets / 2 } else { octets };
    Ok(Count { units, parts: plan.texts.len() })
}

/// Makes the parts that carry `text`: one or more, in order.
///
/// # Errors
///
/// - [`SplitError::Unencodable`] when `charset` lacks a character;
/// - [`SplitError::TooManyParts`] above 255 parts;
/// - [`SplitError::TooLong`] when the text must go in one field and does not;
/// - [`SplitError::ShiftsNeedHeader`] when `charset` has national tables, the text is long, and `multipart` is one that has
///   no user data header in each part.
pub fn split(text: &str, charset: Charset, multipart: Multipart) -> Result<Vec<Part>, SplitError> {
    let Plan { texts, carrier } = plan(text, charset, multipart)?;
    let total = check_count(texts.len())?;
    let numbered = texts.into_iter().zip(1..=total);
    numbered.map(|(text, number)| part(text, charset, carrier, Place { number, total })).collect()
}

/// The beginning of a text that `parts_max` parts carry, at least one; all of it, if it needs no more.
///
/// # Errors
///
/// As [`split`], but for [`SplitError::TooManyParts`].
pub fn first_parts(text: &str, charset: Charset, multipart: Multipart, parts_max: u8) -> Result<&str, SplitError> {
    let plan = plan(text, charset, multipart)?;
    let max = usize::from(parts_max.max(1));
    let octets = match plan.texts.get(..max) {
        // One part alone needs no reference in its header.
        Some(_) if max == 1 && plan.texts.len() > 1 => {
            cut(text, charset, header(charset.shifts(), None)?.len()).first().map_or(0, |first| first.len())
        }
        Some(texts) => texts.iter().map(|text| text.len()).sum(),
        None => text.len(),
    };
    Ok(text.get(..octets).unwrap_or(text))
}

/// Which text goes into which part, and how.
struct Plan<'a> {
    texts: Vec<&'a str>,
    carrier: Carrier,
}

#[derive(Clone, Copy)]
enum Carrier {
    ShortMessage,
    Payload,
    Udh(Width, u16),
    Sar(u16),
}

#[derive(Clone, Copy)]
struct Place {
    number: u8,
    total: u8,
}

fn plan(text: &str, charset: Charset, multipart: Multipart) -> Result<Plan<'_>, SplitError> {
    charset.encode(text)?;
    let header = header(charset.shifts(), None)?.len();
    let octets = octets(text, charset, header);
    let whole = |carrier| Ok(Plan { texts: vec![text], carrier });
    if octets <= octets_max(charset, header) {
        return whole(Carrier::ShortMessage);
    }
    let carrier = match multipart {
        Multipart::ShortMessage | Multipart::Payload | Multipart::Sar { .. } if header > 0 => {
            return Err(SplitError::ShiftsNeedHeader);
        }
        Multipart::ShortMessage => {
            check_length("short_message", octets, SHORT_MESSAGE_OCTETS_MAX)?;
            return whole(Carrier::ShortMessage);
        }
        Multipart::Payload => {
            check_length("message_payload", octets, PAYLOAD_OCTETS_MAX)?;
            return whole(Carrier::Payload);
        }
        Multipart::Udh8 { reference } => Carrier::Udh(Width::Bits8, reference.into()),
        Multipart::Udh16 { reference } => Carrier::Udh(Width::Bits16, reference),
        Multipart::Sar { reference } => Carrier::Sar(reference),
    };
    Ok(Plan { texts: cut(text, charset, carrier.room_for_header(charset.shifts())?), carrier })
}

impl Carrier {
    fn concatenation(self, Place { number, total }: Place) -> Option<Concatenation> {
        match self {
            Self::Udh(width, reference) => Some(Concatenation { width, reference, total, number }),
            Self::ShortMessage | Self::Payload | Self::Sar(_) => None,
        }
    }

    /// Octets that a header takes in each of several parts. With SAR the SMSC writes it, with an 8-bit reference.
    fn room_for_header(self, shifts: Shifts) -> Result<usize, SplitError> {
        let width = match self {
            Self::Udh(width, _) => width,
            Self::ShortMessage | Self::Payload | Self::Sar(_) => Width::Bits8,
        };
        let any = Concatenation { width, reference: 0, total: 1, number: 1 };
        Ok(header(shifts, Some(any))?.len())
    }
}

fn part(text: &str, charset: Charset, carrier: Carrier, place: Place) -> Result<Part, SplitError> {
    let header = header(charset.shifts(), carrier.concatenation(place))?;
    let (udhi, header_octets) = (!header.is_empty(), header.len());
    let mut octets = header;
    octets.extend(charset.encode_after(header_octets, text)?);
    let mut tlvs = Tlvs::new();
    match carrier {
        Carrier::Payload => tlvs.push(TlvTag::MESSAGE_PAYLOAD, &std::mem::take(&mut octets)),
        Carrier::Sar(reference) => {
            tlvs.push(TlvTag::SAR_MSG_REF_NUM, &reference.to_be_bytes());
            tlvs.push(TlvTag::SAR_TOTAL_SEGMENTS, &[place.total]);
            tlvs.push(TlvTag::SAR_SEGMENT_SEQNUM, &[place.number]);
        }
        Carrier::ShortMessage | Carrier::Udh(..) => {}
    }
    Ok(Part { short_message: octets.into(), udhi, tlvs, number: place.number, total: place.total })
}

/// The header of a part, nothing if it needs none.
fn header(shifts: Shifts, concatenation: Option<Concatenation>) -> Result<Vec<u8>, UdhError> {
    let shift = |id, language: Language| (language != Language::DEFAULT).then(|| Element::new(id, &[language.0]));
    let udh: Udh = [
        concatenation.map(Element::from),
        shift(Element::SINGLE_SHIFT, shifts.single),
        shift(Element::LOCKING_SHIFT, shifts.locking),
    ]
    .into_iter()
    .flatten()
    .collect();
    if udh.is_empty() { Ok(Vec::new()) } else { udh.write() }
}

/// Octets of a part's text that fit after a header: what [`capacity`] says, unpacked septets being an octet each.
const fn octets_max(charset: Charset, header_octets: usize) -> usize {
    match charset {
        Charset::Gsm7(_) => capacity(charset, header_octets),
        _ => USER_DATA_OCTETS.saturating_sub(header_octets),
    }
}

fn octets(text: &str, charset: Charset, header_octets: usize) -> usize {
    let mut meter = Meter::new(charset, header_octets);
    text.chars().fold(0, |_, character| meter.push(character))
}

fn check_count(parts: usize) -> Result<u8, SplitError> {
    u8::try_from(parts).map_err(|_| SplitError::TooManyParts { parts })
}

fn check_length(field: &'static str, octets: usize, max: usize) -> Result<(), SplitError> {
    if octets > max { Err(SplitError::TooLong { field, octets, max }) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
