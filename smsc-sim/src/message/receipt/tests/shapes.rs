//! Guards the faults of the last octets of a PDU, and the shapes of responses: which a lenient reader takes, and which nobody.

use smpp_transport::pdu::{Body, CommandStatus, Leniency, MessageId, Pdu, Tlvs};

use super::*;
use crate::message::defect::Defect;
use crate::message::response::ResponseEdit;
use crate::policy::{ResponseShape, TlvFault};

fn frame(body: Body, tlvs: &Tlvs) -> Vec<u8> {
    let pdu = Pdu { tlvs: tlvs.clone(), ..Pdu::new(CommandStatus::ESME_ROK, 7, body) };
    pdu.to_octets().to_vec()
}

fn two_tlvs() -> Tlvs {
    let mut tlvs = Tlvs::new();
    tlvs.push(TlvTag::MESSAGE_STATE, &[2]);
    tlvs.push(TlvTag::RECEIPTED_MESSAGE_ID, b"7\0");
    tlvs
}

#[test]
fn each_fault_breaks_the_last_parameter_and_nothing_before() {
    let whole = frame(Body::DeliverSm(sm(0)), &two_tlvs());
    let octets = two_tlvs().octets();
    for (fault, end) in [
        (TlvFault::Overrun, &b"\x04\x27\0\x01\x02\0\x1e\0\x3e7\0"[..]),
        (TlvFault::Short, b"\x04\x27\0\x01\x02\0\x1e\0\x017\0"),
        (TlvFault::Cut, b"\x04\x27\0\x01\x02\0\x1e\0"),
        (TlvFault::Duplicate, b"\x04\x27\0\x01\x02\0\x1e\0\x027\0\0\x1e\0\x027\0"),
        (TlvFault::DuplicateAll, b"\x04\x27\0\x01\x02\0\x1e\0\x027\0\x04\x27\0\x01\x02\0\x1e\0\x027\0"),
    ] {
        let mut broken = whole.clone();
        Defect { fault: Some(fault), tail: b"\xFF".to_vec() }.apply(&mut broken, octets);
        assert_eq!(broken[4..whole.len() - octets], whole[4..whole.len() - octets], "{fault:?}");
        assert_eq!(broken[whole.len() - octets..], [end, b"\xFF"].concat(), "{fault:?}");
        assert_eq!(u32::from_be_bytes([broken[0], broken[1], broken[2], broken[3]]) as usize, broken.len());
    }
}

#[test]
fn a_pdu_without_parameters_gets_one_to_break() {
    for fault in TlvFault::ALL {
        let mut broken = frame(Body::DeliverSm(sm(0)), &Tlvs::new());
        let whole = broken.len();
        Defect { fault: Some(fault), tail: Vec::new() }.apply(&mut broken, 0);
        assert_eq!(broken[whole..whole + 3], [0x14, 0x00, 0x00], "{fault:?}");
    }
}

#[test]
fn shapes_of_responses_are_read_leniently_strictly_or_not_at_all() {
    // Whether each is read by the letter, and leniently.
    for (shape, strict, lenient) in [
        (ResponseShape::Whole, true, true),
        (ResponseShape::NoNul, false, true),
        (ResponseShape::LongId, false, true),
        (ResponseShape::LongIdNoNul, false, false),
        (ResponseShape::StrayOctet, false, true),
        (ResponseShape::StrayText, false, true),
        (ResponseShape::CutTlv, false, true),
        (ResponseShape::TlvOverrun, false, true),
    ] {
        let mut octets = frame(Body::SubmitSmResp(Some(MessageId::default())), &Tlvs::new());
        ResponseEdit { id: b"4711".to_vec(), shape, defect: None }.apply(&mut octets, 0);
        let read = |leniency| Pdu::decode(&octets.clone().into(), leniency).is_ok();
        assert_eq!((read(Leniency::STRICT), read(Leniency::TOLERANT)), (strict, lenient), "{shape:?}");
    }
    let mut empty = frame(Body::SubmitSmResp(Some(MessageId::default())), &two_tlvs());
    ResponseEdit { id: b"4711".to_vec(), shape: ResponseShape::Empty, defect: None }
        .apply(&mut empty, two_tlvs().octets());
    assert_eq!(empty.len(), 16);
}

/// Every shape with every fault, parameters or none, a tail or none: 216 responses of each of three commands.
#[test]
fn every_mixture_of_shapes_and_faults_is_a_frame() {
    let shapes = [ResponseShape::Whole].into_iter().chain(ResponseShape::WRONG);
    let faults: Vec<_> = [None].into_iter().chain(TlvFault::ALL.map(Some)).collect();
    let mut frames = 0;
    for shape in shapes {
        for &fault in &faults {
            for (tlvs, tail) in
                [(Tlvs::new(), vec![]), (Tlvs::new(), vec![0]), (two_tlvs(), vec![]), (two_tlvs(), vec![0])]
            {
                let id = Some(MessageId::default());
                for body in [
                    Body::SubmitSmResp(id.clone()),
                    Body::DataSmResp(id),
                    Body::SubmitMultiResp(Some(smpp_transport::pdu::SubmitMultiResp::default())),
                ] {
                    let mut octets = frame(body, &tlvs);
                    let (header, defect) = (octets[4..16].to_vec(), Some(Defect { fault, tail: tail.clone() }));
                    ResponseEdit { id: b"4711".to_vec(), shape, defect }.apply(&mut octets, tlvs.octets());
                    assert_eq!(u32::from_be_bytes([octets[0], octets[1], octets[2], octets[3]]) as usize, octets.len());
                    assert_eq!(octets[4..16], header, "{shape:?} {fault:?}");
                    assert!(octets.ends_with(&tail), "{shape:?} {fault:?}");
                    frames += 1;
                }
            }
        }
    }
    assert_eq!(frames, 3 * 216);
}
