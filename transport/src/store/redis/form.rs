//! How values look in Redis.

use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::store::Away;

use crate::text::{Charset, Language, PartAddress, PartKey, ReferenceKind, Segment, Shifts, WebCharset};

/// Microseconds since 1970, to which scores and Lua's numbers are exact for as long as anybody may care.
pub(super) fn time(at: Duration) -> u64 {
    u64::try_from(at.as_micros()).unwrap_or(u64::MAX).min(1 << 53)
}

/// A time that was a score.
pub(super) fn read_time(score: &str) -> Option<Duration> {
    let micros: f64 = score.parse().ok()?;
    Duration::try_from_secs_f64(micros / 1e6)
        .ok()
        .map(|at| Duration::from_micros((at.as_nanos() as f64 / 1e3).round() as u64))
}

pub(super) fn json(value: &impl Serialize) -> String {
    // Strings, lists and names: nothing that JSON could not say.
    serde_json::to_string(value).unwrap_or_default()
}

/// None if it is none: what the scripts call empty.
pub(super) fn read<T: DeserializeOwned>(json: &str) -> Option<T> {
    serde_json::from_str(json).ok()
}

pub(super) fn number<T: FromStr>(text: &str) -> Result<T, Away> {
    text.parse().map_err(|_| strange("number"))
}

fn strange(what: &str) -> Away {
    Away(format!("it holds a {what} that this program has not written"))
}

/// `kind reference total (ton npi length address)²`, big-endian.
pub(super) fn key(key: &PartKey) -> Vec<u8> {
    let mut octets = vec![key.kind.to_octet()];
    octets.extend(key.reference.to_be_bytes());
    octets.push(key.total);
    for PartAddress { ton, npi, addr } in [&key.source, &key.destination] {
        octets.extend([*ton, *npi]);
        // An address on the wire is 65 octets at most.
        octets.extend(u16::try_from(addr.len()).unwrap_or(u16::MAX).to_be_bytes());
        octets.extend_from_slice(addr);
    }
    octets
}

pub(super) fn read_key(octets: &[u8]) -> Result<PartKey, Away> {
    part_key(octets).ok_or_else(|| strange("part"))
}

fn part_key(octets: &[u8]) -> Option<PartKey> {
    let (&[kind, high, low, total], rest) = octets.split_first_chunk()?;
    let kind = ReferenceKind::of_octet(kind)?;
    let (source, rest) = address(rest)?;
    let (destination, rest) = address(rest)?;
    let reference = u16::from_be_bytes([high, low]);
    rest.is_empty().then_some(PartKey { source, destination, kind, reference, total })
}

fn address(octets: &[u8]) -> Option<(PartAddress, &[u8])> {
    let (&[ton, npi, high, low], rest) = octets.split_first_chunk()?;
    let (addr, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes([high, low])))?;
    Some((PartAddress { ton, npi, addr: Bytes::copy_from_slice(addr) }, rest))
}

/// Three octets of charset, then the text.
pub(super) fn content(segment: &Segment) -> Vec<u8> {
    let mut octets = charset(segment.charset).to_vec();
    octets.extend_from_slice(&segment.octets);
    octets
}

/// Numbers and contents, one after the other.
pub(super) fn segments(flat: &[Vec<u8>]) -> Result<Vec<Segment>, Away> {
    let (pairs, rest) = flat.as_chunks();
    let read = |[number, content]: &[Vec<u8>; 2]| {
        let number = std::str::from_utf8(number).ok()?.parse().ok()?;
        let (&charset, octets) = content.split_first_chunk()?;
        Some(Segment { number, charset: read_charset(charset)?, octets: Bytes::copy_from_slice(octets) })
    };
    let segments: Option<Vec<Segment>> = pairs.iter().map(read).collect();
    segments.filter(|_| rest.is_empty()).ok_or_else(|| strange("part"))
}

/// The charsets without tables, by their number.
const PLAIN: [Charset; 12] = [
    Charset::Ascii,
    Charset::Latin1,
    Charset::Octets,
    Charset::Utf8,
    Charset::ShiftJis,
    Charset::Iso2022Jp,
    Charset::EucJp,
    Charset::Cyrillic,
    Charset::Hebrew,
    Charset::EucKr,
    Charset::Ucs2,
    Charset::Ucs2Le,
];
const WEB: u8 = 0xFD;
const GSM7: u8 = 0xFE;
const GSM7_PACKED: u8 = 0xFF;

fn charset(charset: Charset) -> [u8; 3] {
    match charset {
        Charset::Gsm7(Shifts { locking, single }) => [GSM7, locking.0, single.0],
        Charset::Gsm7Packed(Shifts { locking, single }) => [GSM7_PACKED, locking.0, single.0],
        Charset::Web(web) => [WEB, web.index(), 0],
        plain => {
            let place = PLAIN.iter().position(|other| *other == plain);
            // All others are in the table, and a test asks for each.
            [place.and_then(|place| u8::try_from(place).ok()).unwrap_or(GSM7), 0, 0]
        }
    }
}

fn read_charset([kind, locking, single]: [u8; 3]) -> Option<Charset> {
    let shifts = Shifts { locking: Language(locking), single: Language(single) };
    match kind {
        GSM7 => Some(Charset::Gsm7(shifts)),
        GSM7_PACKED => Some(Charset::Gsm7Packed(shifts)),
        WEB => WebCharset::try_from(locking).ok().map(Charset::Web),
        kind => PLAIN.get(usize::from(kind)).copied(),
    }
}
