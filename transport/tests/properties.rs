//! Guards the two laws of the codec over values and octets nobody thought of: what is written is read back as the same
//! value, and no octets make it panic.

use bytes::{Bytes, BytesMut};
use proptest::collection::vec;
use proptest::prelude::*;
use smpp_transport::pdu::arbitrary::{pdu, pdu_of};
use smpp_transport::pdu::fixtures::{golden, with_its_length};
use smpp_transport::pdu::{CommandId, DecodeError, FRAME_OCTETS_MAX, Leniency, Pdu, next_frame};

/// All frames that the octets hold, given in pieces of these lengths, then the rest; and what ended them.
fn frames(octets: &[u8], pieces: &[usize]) -> (Vec<Bytes>, Option<DecodeError>) {
    let (mut input, mut left, mut frames) = (BytesMut::new(), octets, Vec::new());
    for &piece in pieces.iter().chain([&usize::MAX]) {
        let (head, tail) = left.split_at(piece.min(left.len()));
        input.extend_from_slice(head);
        left = tail;
        loop {
            match next_frame(&mut input, FRAME_OCTETS_MAX) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    (frames, None)
}

/// What must hold for any octets that pass for a frame.
fn examine(frame: &Bytes) -> Result<(), TestCaseError> {
    let strict = Pdu::decode(frame, Leniency::STRICT);
    let tolerant = Pdu::decode(frame, Leniency::TOLERANT);
    if let Ok(pdu) = &strict {
        prop_assert_eq!(&pdu.to_octets()[4..], &frame[4..]);
        prop_assert_eq!(&tolerant, &strict);
    }
    for pdu in strict.iter().chain(tolerant.iter()) {
        let octets = pdu.to_octets();
        prop_assert_eq!(octets.len(), pdu.octets());
        prop_assert_eq!(&Pdu::decode(&octets, Leniency::TOLERANT).unwrap(), pdu);
        let lines = format!("{pdu} {}", pdu.in_full());
        prop_assert!(!lines.contains('\n'), "{}", lines);
    }
    for error in [strict.err(), tolerant.err()].into_iter().flatten() {
        prop_assert!(error.offset <= frame.len(), "{}", error);
        let _ = (error.answer(), error.to_string());
    }
    Ok(())
}

#[test]
fn what_is_written_is_read_back_for_every_command() {
    for &id in CommandId::NAMED {
        proptest!(|(pdu in pdu_of(id))| {
            let octets = pdu.to_octets();
            prop_assert_eq!(octets.len(), pdu.octets());
            prop_assert_eq!(Pdu::decode(&octets, Leniency::STRICT), Ok(pdu.clone()));
            prop_assert_eq!(Pdu::decode(&octets, Leniency::TOLERANT), Ok(pdu));
        });
    }
}

proptest! {
    #[test]
    fn what_is_described_in_json_is_the_same_pdu(pdu in pdu()) {
        prop_assert_eq!(Pdu::from_json(pdu.to_json()).unwrap(), pdu);
    }

    #[test]
    fn pieces_give_the_same_frames_as_the_whole(pdus in vec(pdu(), 1..8), pieces in vec(0usize..50, 0..40)) {
        let mut octets = BytesMut::new();
        pdus.iter().for_each(|pdu| pdu.encode(&mut octets));
        let (whole, _) = frames(&octets, &[]);
        prop_assert_eq!(frames(&octets, &pieces), (whole.clone(), None));
        let read: Vec<Pdu> = whole.iter().map(|frame| Pdu::decode(frame, Leniency::STRICT).unwrap()).collect();
        prop_assert_eq!(read, pdus);
    }

    #[test]
    fn any_octets_are_a_pdu_or_an_error(id in any::<CommandId>(), octets in vec(any::<u8>(), 12..200)) {
        let mut octets = with_its_length(&[&[0; 4][..], &octets].concat());
        octets[4..8].copy_from_slice(&id.0.to_be_bytes());
        examine(&octets.into())?;
    }

    #[test]
    fn any_stream_ends_in_frames_or_an_error(octets in vec(any::<u8>(), 0..200), pieces in vec(0usize..20, 0..20)) {
        let whole = frames(&octets, &[]);
        prop_assert_eq!(frames(&octets, &pieces), whole);
    }

    #[test]
    fn changed_octets_of_real_pdus_are_a_pdu_or_an_error(
        which in any::<prop::sample::Index>(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
        whole in any::<bool>(),
    ) {
        let golden = golden();
        let mut octets = golden[which.index(golden.len())].octets.to_vec();
        for (at, octet) in changes {
            let at = 4 + at.index(octets.len() - 4);
            octets[at] = octet;
        }
        if !whole {
            octets.truncate(16 + cut.index(octets.len() - 15));
        }
        examine(&with_its_length(&octets).into())?;
    }
}
