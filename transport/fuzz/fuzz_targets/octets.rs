//! Any octets, as a peer may send them, through `next_frame` and `Pdu::decode`. What must hold:
//!
//! - nothing panics, and nothing is allocated for octets that have not come;
//! - pieces give the same frames as the whole;
//! - what STRICT reads, TOLERANT reads the same;
//! - what was read and is written is read again as the same value;
//! - a canonical PDU is written octet for octet as it came. Canonical is what STRICT reads: so not a string or message that
//!   is longer than its field or lacks its NUL, not a list shorter than its count, not what is left over at the end and
//!   dropped, and not an error response's body that is dropped because it cannot be read.
//!
//! The first octet says how the others are cut into pieces.

#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use smpp_transport::pdu::{DecodeError, FRAME_OCTETS_MAX, HEADER_OCTETS, Leniency, Pdu, next_frame};

fuzz_target!(|input: &[u8]| {
    let Some((&piece, octets)) = input.split_first() else { return };
    let (whole, end) = frames(octets, octets.len().max(1));
    assert_eq!(frames(octets, 1 + usize::from(piece)), (whole.clone(), end), "pieces give what the whole gives");
    whole.iter().for_each(examine);
    // The octets as a body, whatever their command_length says.
    if octets.len() >= HEADER_OCTETS {
        let length = u32::try_from(octets.len()).expect("inputs are short");
        examine(&[&length.to_be_bytes(), &octets[4..]].concat().into());
    }
});

fn frames(octets: &[u8], piece: usize) -> (Vec<Bytes>, Option<DecodeError>) {
    let (mut input, mut frames) = (BytesMut::new(), Vec::new());
    for piece in octets.chunks(piece) {
        input.extend_from_slice(piece);
        let capacity = input.capacity();
        loop {
            match next_frame(&mut input, FRAME_OCTETS_MAX) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
        assert!(input.capacity() <= capacity, "nothing is allocated for octets that have not come");
    }
    (frames, None)
}

fn examine(frame: &Bytes) {
    let strict = Pdu::decode(frame, Leniency::STRICT);
    let tolerant = Pdu::decode(frame, Leniency::TOLERANT);
    if let Ok(pdu) = &strict {
        assert_eq!(tolerant.as_ref(), Ok(pdu), "what STRICT reads, TOLERANT reads the same");
        assert_eq!(pdu.to_octets(), frame, "a canonical PDU is written as it came");
    }
    match &tolerant {
        Ok(pdu) => {
            let octets = pdu.to_octets();
            assert_eq!(octets.len(), pdu.octets());
            assert!(octets.len() <= frame.len() + 1, "at most a NUL is added");
            assert_eq!(Pdu::decode(&octets, Leniency::TOLERANT).as_ref(), Ok(pdu), "what is written is read again");
            if strict.is_ok() {
                assert_eq!(Pdu::from_json(pdu.to_json()).as_ref().ok(), Some(pdu), "JSON says it all");
            }
            let _ = (pdu.to_string(), pdu.in_full().to_string());
        }
        Err(error) => {
            assert!(error.offset <= frame.len());
            let _ = (error.answer(), error.to_string());
        }
    }
}
