//! Guards against reading or writing PDUs in another way than everyone else: octets that third-party encoders wrote.

use std::collections::BTreeSet;

use bytes::{Bytes, BytesMut};
use smpp_transport::pdu::fixtures::{frame, golden, with_its_length};
use smpp_transport::pdu::{Body, CommandId, FRAME_OCTETS_MAX, HEADER_OCTETS, Leniency, Pdu, next_frame};

#[test]
fn all_107_are_there_and_no_command_is_missing() {
    let met: BTreeSet<u64> = golden().iter().filter_map(|golden| golden.json["command_id"].as_u64()).collect();
    let named: BTreeSet<u64> = CommandId::NAMED.iter().map(|id| u64::from(id.0)).collect();
    assert_eq!(golden().len(), 107);
    assert_eq!(met, named);
    assert_eq!(named.len(), 27);
}

#[test]
fn octets_become_the_values_that_their_encoder_was_given() {
    for golden in golden() {
        for leniency in [Leniency::STRICT, Leniency::TOLERANT] {
            let pdu = Pdu::decode(&frame(&golden.octets), leniency);
            assert_eq!(pdu.unwrap_or_else(|e| panic!("{}: {e}", golden.id)).to_json(), golden.json, "{}", golden.id);
        }
    }
}

#[test]
fn values_become_the_octets_that_their_encoder_wrote() {
    for golden in golden() {
        let decoded = Pdu::decode(&golden.octets, Leniency::STRICT).unwrap();
        let described = Pdu::from_json(golden.json.clone()).unwrap_or_else(|e| panic!("{}: {e}", golden.id));
        assert_eq!(described, decoded, "{}", golden.id);
        assert_eq!(decoded.to_octets(), golden.octets, "{}", golden.id);
        assert_eq!(described.to_octets(), golden.octets, "{}", golden.id);
        assert_eq!(decoded.octets(), golden.octets.len(), "{}", golden.id);
    }
}

#[test]
fn standard_lengths_of_optional_parameters_are_those_of_the_encoders() {
    for golden in golden() {
        let pdu = Pdu::decode(&golden.octets, Leniency::STRICT).unwrap();
        pdu.tlvs.check_lengths().unwrap_or_else(|e| panic!("{}: {e}", golden.id));
    }
}

#[test]
fn more_octets_are_asked_for_until_the_last_one_has_come() {
    for golden in golden() {
        for cut in 0..golden.octets.len() {
            let mut input = BytesMut::from(&golden.octets[..cut]);
            assert_eq!(next_frame(&mut input, FRAME_OCTETS_MAX), Ok(None), "{} cut at {cut}", golden.id);
            assert_eq!(input, golden.octets[..cut], "{} cut at {cut}: nothing is taken", golden.id);
            input.extend_from_slice(&golden.octets[cut..]);
            assert_eq!(next_frame(&mut input, FRAME_OCTETS_MAX), Ok(Some(golden.octets.clone())), "{}", golden.id);
            assert!(input.is_empty());
        }
    }
}

/// A PDU that is cut, with its length put right, is another PDU where the cut is at the end of the body or of an
/// optional parameter, or leaves a response's header; anywhere else it is wrong.
#[test]
fn a_shorter_pdu_is_legal_only_at_its_seams() {
    for golden in golden() {
        let whole = Pdu::decode(&golden.octets, Leniency::STRICT).unwrap();
        for cut in HEADER_OCTETS..golden.octets.len() {
            let cut_octets = with_its_length(&golden.octets[..cut]);
            let strict = Pdu::decode(&frame(&cut_octets), Leniency::STRICT);
            let tolerant = Pdu::decode(&frame(&cut_octets), Leniency::TOLERANT);
            assert_eq!(strict.is_ok(), seams(&whole).contains(&cut), "{} cut at {cut}: {strict:?}", golden.id);
            match strict {
                Ok(pdu) => {
                    assert_eq!(pdu.to_octets(), cut_octets, "{} cut at {cut}", golden.id);
                    assert_eq!(tolerant, Ok(pdu), "{} cut at {cut}", golden.id);
                }
                Err(error) => assert!(
                    (HEADER_OCTETS..=cut).contains(&error.offset),
                    "{} cut at {cut}: {error}: octet {}",
                    golden.id,
                    error.offset
                ),
            }
        }
    }
}

fn seams(pdu: &Pdu) -> BTreeSet<usize> {
    let body_end = pdu.octets() - pdu.tlvs.octets();
    let tlv_ends = pdu.tlvs.iter().scan(body_end, |at, (_, value)| {
        *at += 4 + value.len();
        Some(*at)
    });
    let header_end = pdu.command_id().is_response().then_some(HEADER_OCTETS);
    tlv_ends.chain([body_end]).chain(header_end).collect()
}

#[test]
fn many_pdus_in_one_buffer_come_out_one_by_one() {
    let all = golden();
    let mut written = BytesMut::new();
    for golden in &all {
        Pdu::decode(&golden.octets, Leniency::STRICT).unwrap().encode(&mut written);
    }
    assert_eq!(written.len(), all.iter().map(|golden| golden.octets.len()).sum::<usize>());
    for golden in &all {
        assert_eq!(next_frame(&mut written, FRAME_OCTETS_MAX).unwrap(), Some(golden.octets.clone()), "{}", golden.id);
    }
    assert_eq!(next_frame(&mut written, FRAME_OCTETS_MAX), Ok(None));
}

#[test]
fn decoding_copies_no_message_and_no_long_string() {
    let frame: Bytes = frame(&golden().into_iter().max_by_key(|golden| golden.octets.len()).unwrap().octets);
    let within = |part: &[u8]| frame.as_ptr_range().contains(&part.as_ptr());
    let pdu = Pdu::decode(&frame, Leniency::STRICT).unwrap();
    let (_, payload) = pdu.tlvs.iter().next().expect("the longest golden PDU has a message_payload");
    assert!(payload.len() > 1000 && within(&payload));
    assert!(pdu.tlvs.detached().iter().all(|(_, value)| !within(&value)), "what is kept is copied");

    let frame: Bytes = golden().into_iter().find(|golden| golden.id == "golden-107").unwrap().octets;
    let within = |part: &[u8]| frame.as_ptr_range().contains(&part.as_ptr());
    let Body::AlertNotification(alert) = Pdu::decode(&frame, Leniency::STRICT).unwrap().body else { panic!() };
    assert!(within(alert.source_addr.as_bytes()), "64 octets");
    assert!(!within(alert.source_addr.detached().as_bytes()), "what is kept is copied");
}

/// The first golden PDU of each command on one line, as logs show it: nobody's number, text or password is in it.
#[test]
fn one_line_of_each_command() {
    let mut met = BTreeSet::new();
    let first_of_each = golden().into_iter().filter(|golden| met.insert(golden.json["command"].to_string()));
    let lines = first_of_each.map(|golden| Pdu::decode(&golden.octets, Leniency::STRICT).unwrap().to_string());
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
}

#[test]
fn one_line_in_full() {
    let chosen = ["golden-001", "golden-031", "golden-061", "golden-074", "golden-103", "golden-105", "golden-107"];
    let lines = golden().into_iter().filter(|golden| chosen.contains(&golden.id.as_str())).map(|golden| {
        let pdu = Pdu::decode(&golden.octets, Leniency::STRICT).unwrap();
        pdu.in_full().to_string()
    });
    insta::assert_snapshot!(lines.collect::<Vec<_>>().join("\n"));
}
