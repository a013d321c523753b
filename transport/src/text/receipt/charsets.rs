//! The charsets in which the text of a receipt may be written. SMSCs copy the `data_coding` of the message into its receipt and
//! write the text as they always do, so the declared charset is only the first that is tried.

use super::parse::{ascii_text, receipt_text};
use crate::text::charset::Charset;
use crate::text::{Shifts, septets};

/// Reads a text by its declared charset, its octets, or the octets as they came; `None` if they cannot be read so.
type Reading = fn(Charset, &[u8], &[u8]) -> Option<String>;

/// The readings of a receipt's text, the likeliest first: in the declared charset, as ASCII, as UCS-2 in either order of
/// octets, with all NULs left out, as packed septets.
///
/// `octets` are those of the declared charset, with packed septets unpacked; `raw` are the same octets as they came.
pub fn receipt_texts<'a>(charset: Charset, octets: &'a [u8], raw: &'a [u8]) -> impl Iterator<Item = String> + 'a {
    let readings: [Reading; 6] = [
        |charset, octets, _| Some(receipt_text(charset, octets)),
        |charset, _, raw| Some(ascii_text(charset, raw)),
        |_, _, raw| is_even(raw).then(|| receipt_text(Charset::Ucs2, raw)),
        |_, _, raw| is_even(raw).then(|| receipt_text(Charset::Ucs2, &swapped(raw))),
        |_, _, raw| raw.contains(&0).then(|| without_nuls(raw)),
        |_, _, raw| {
            let septets = septets::unpack(raw, 0);
            Some(receipt_text(Charset::Gsm7(Shifts::default()), &septets))
        },
    ];
    readings.into_iter().filter_map(move |read| read(charset, octets, raw))
}

fn is_even(octets: &[u8]) -> bool {
    octets.len().is_multiple_of(2)
}

fn swapped(octets: &[u8]) -> Vec<u8> {
    let (pairs, _) = octets.as_chunks::<2>();
    pairs.iter().flat_map(|[first, second]| [*second, *first]).collect()
}

fn without_nuls(octets: &[u8]) -> String {
    octets.iter().filter(|&&octet| octet != 0).map(|&octet| char::from(octet)).collect()
}
