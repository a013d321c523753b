//! Guards how values look in Redis, and which numbers a block is.

use super::*;
use crate::text::{Charset, Language, PartAddress, ReferenceKind, Shifts};

#[test]
fn keys_and_parts_come_back_as_they_were() {
    let address = |addr: &'static str| PartAddress { ton: 1, npi: 255, addr: addr.into() };
    for (kind, reference) in [(ReferenceKind::Udh8, 5), (ReferenceKind::Udh16, 0xABCD), (ReferenceKind::Sar, 5)] {
        let key = PartKey { source: address("27820001001"), destination: address(""), kind, reference, total: 255 };
        let octets = form::key(&key);
        assert_eq!(form::read_key(&octets), Ok(key));
        assert!((0..octets.len()).all(|cut| form::read_key(&octets[..cut]).is_err()));
    }
    let shifts = Shifts { locking: Language(3), single: Language(13) };
    let mut charsets = vec![Charset::Gsm7(shifts), Charset::Gsm7Packed(shifts), Charset::Gsm7(Shifts::default())];
    charsets.extend(Charset::all());
    for (number, charset) in (1..).zip(charsets) {
        let segment = Segment { number, charset, octets: b"\0text\xFF"[..].into() };
        let flat = [number.to_string().into_bytes(), form::content(&segment)];
        assert_eq!(form::segments(&flat), Ok(vec![segment]));
    }
}

#[test]
fn times_are_exact_to_a_microsecond_in_a_score() {
    for micros in [0, 1, 1_000_000_000_000, 1_790_000_000_123_457] {
        let at = Duration::from_micros(micros);
        assert_eq!(form::read_time(&form::time(at).to_string()), Some(at));
    }
    assert_eq!(form::read_time(""), None);
}

#[test]
fn blocks_share_out_all_numbers() {
    assert_eq!((numbers(0), numbers(1)), (1..=0xFFFF, 0x1_0000..=0x1_FFFF));
    assert_eq!(*numbers(BLOCKS - 1).end(), SEQUENCE_MAX);
    assert!((0..BLOCKS).all(|at| block(&numbers(at)) == at));
}
