//! What is sent of a message is its text: each part can be read by itself, fits a short message, and all of them are the whole.

use std::collections::BTreeMap;

use smpp_transport::pdu::{Body, DataCoding, Pdu, TlvTag};

use super::super::Report;
use super::super::line::user_data;
use super::Seen;
use crate::transport::content;

/// Octets of user data in one short message, header included (3GPP TS 23.040 §9.2.3.24).
const OCTETS_MAX: usize = 140;

pub(super) fn texts(seen: &Seen, report: &mut Report) {
    for (message, tries) in &seen.tries {
        let mut parts = BTreeMap::new();
        for it in tries {
            let read = it.frame.pdu.as_ref().and_then(text);
            let Some(text) = read else {
                let words = format!("message {message} of {}: no text, or too long: part {:?}", seen.owner, it.part);
                return report.broken(it.frame.at, words);
            };
            parts.insert(it.part.number, (it.part.total, it.frame.at, text));
        }
        let Some((total, at, _)) = parts.last_entry().map(|last| last.get().clone()) else { continue };
        let whole: String = parts.values().map(|(_, _, text)| text.as_str()).collect();
        if parts.len() == usize::from(total) && content(seen.plan, seen.owner, *message).is_none_or(|it| it != whole) {
            report
                .broken(at, format!("message {message} of {}: {whole:?} was sent, which is not its text", seen.owner));
        }
    }
}

/// What a phone shows of a submit_sm; none if it could not.
fn text(pdu: &Pdu) -> Option<String> {
    let Body::SubmitSm(sm) = &pdu.body else { return None };
    let octets = user_data(pdu);
    let header = if sm.esm_class.0 & 0x40 == 0 { 0 } else { 1 + usize::from(*octets.first()?) };
    let own = octets.get(header..)?;
    let is_payload = pdu.tlvs.get(TlvTag::MESSAGE_PAYLOAD).is_some();
    let (length, text) = match sm.data_coding {
        DataCoding::UCS2 => {
            let units = own.chunks(2).map(|pair| Some(u16::from_be_bytes([pair[0], *pair.get(1)?])));
            (own.len(), String::from_utf16(&units.collect::<Option<Vec<u16>>>()?).ok()?)
        }
        _ => ((own.len() * 7).div_ceil(8), default_alphabet(own)?),
    };
    (is_payload || header + length <= OCTETS_MAX).then_some(text)
}

/// Of the default alphabet and its extension what plans write (3GPP TS 23.038 §6.2.1).
fn default_alphabet(octets: &[u8]) -> Option<String> {
    let mut octets = octets.iter();
    let mut text = String::new();
    while let Some(octet) = octets.next() {
        text.push(match octet {
            0x1B => match octets.next()? {
                0x14 => '^',
                0x28 => '{',
                0x29 => '}',
                0x3C => '[',
                0x3D => '~',
                0x3E => ']',
                0x40 => '|',
                0x65 => '€',
                _ => return None,
            },
            octet => char::from(*octet),
        });
    }
    Some(text)
}
