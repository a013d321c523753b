//! PDUs that are wrong, each in one way.

use bytes::Bytes;
use smpp_transport::pdu::{Body, COctets, EsmClass, Npi, Pdu, ShortMessage, Sm, TlvTag, Ton};

use super::Malformed;

/// Offsets in the PDU that all of these are made from.
const COMMAND_ID: usize = 4;
/// After command_length, command_id, command_status, sequence_number, an empty service_type, ton and npi.
const SOURCE_ADDR: usize = 16 + 1 + 2;
const DESTINATION: &str = "27820002222";

impl Malformed {
    /// Whom each says it is from: all digits that the field may have, so that what follows them is beyond it.
    pub const FROM: &str = "27820001111222233334";

    /// The octets of such a PDU with this sequence number.
    pub(crate) fn octets(self, sequence: u32) -> Vec<u8> {
        let mut octets = whole(self, sequence).to_octets().to_vec();
        let length = octets.len();
        match self {
            Malformed::LengthZero => set_length(&mut octets, 0),
            Malformed::LengthShort => set_length(&mut octets, 15),
            Malformed::LengthHuge => set_length(&mut octets, usize::MAX),
            Malformed::LengthOneMore => set_length(&mut octets, length + 1),
            Malformed::UnknownCommand => octets[COMMAND_ID..][..4].copy_from_slice(&[0x00, 0x00, 0x0A, 0xFF]),
            Malformed::CutBody => octets.truncate(SOURCE_ADDR + Malformed::FROM.len() / 2),
            Malformed::MissingNul => drop(octets.remove(SOURCE_ADDR + Malformed::FROM.len())),
            Malformed::SmLength => {
                let sm_length = length - 1 - text(self).len();
                octets[sm_length] = 254;
            }
            Malformed::TlvOverrun => octets.extend([0x02, 0x04, 0x00, 0xFF, 0x00]),
            Malformed::TlvCut => octets.extend([0x02, 0x04, 0x00]),
            Malformed::TwoTexts | Malformed::UdhOverrun | Malformed::SequenceZero => {}
        }
        if !matches!(
            self,
            Malformed::LengthZero | Malformed::LengthShort | Malformed::LengthHuge | Malformed::LengthOneMore
        ) {
            let length = octets.len();
            set_length(&mut octets, length);
        }
        octets
    }
}

/// The deliver_sm before it is spoilt, or all of it where the octets are well and what they say is not.
fn whole(malformed: Malformed, sequence: u32) -> Pdu {
    let sequence = if malformed == Malformed::SequenceZero { 0 } else { sequence };
    let esm_class = if malformed == Malformed::UdhOverrun { EsmClass::UDHI } else { EsmClass::DEFAULT };
    let sm = Sm {
        source_addr_ton: Ton::INTERNATIONAL,
        source_addr_npi: Npi::ISDN,
        source_addr: COctets::new(Malformed::FROM.as_bytes()).expect("it has 20 characters, none of them NUL"),
        dest_addr_ton: Ton::INTERNATIONAL,
        dest_addr_npi: Npi::ISDN,
        destination_addr: COctets::new(DESTINATION.as_bytes()).expect("it is short and has no NUL"),
        esm_class,
        short_message: ShortMessage::new(text(malformed)).expect("it is short"),
        ..Sm::default()
    };
    let mut pdu = Pdu::new(Default::default(), sequence, Body::DeliverSm(sm));
    if malformed == Malformed::TwoTexts {
        pdu.tlvs.push(TlvTag::MESSAGE_PAYLOAD, b"and another");
    }
    pdu
}

fn text(malformed: Malformed) -> Bytes {
    Bytes::from_static(if malformed == Malformed::UdhOverrun {
        b"\x20\x00\x03\x01\x02\x01malformed"
    } else {
        b"malformed"
    })
}

fn set_length(octets: &mut [u8], length: usize) {
    octets[..COMMAND_ID].copy_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
}

#[cfg(test)]
mod tests {
    //! Guards that each is wrong in the way it claims, and in no other.

    use bytes::BytesMut;
    use smpp_transport::pdu::udh::{Udh, UdhError};
    use smpp_transport::pdu::{
        CommandId, DecodeError, DecodeErrorKind, FRAME_OCTETS_MAX, FaultKind, Leniency, next_frame,
    };

    use super::*;

    fn framed(malformed: Malformed) -> Result<Option<Bytes>, DecodeError> {
        next_frame(&mut BytesMut::from(malformed.octets(7).as_slice()), FRAME_OCTETS_MAX)
    }

    fn decoded(malformed: Malformed) -> Result<Pdu, DecodeError> {
        let frame = framed(malformed).expect("its length is well").expect("it is whole");
        assert_eq!(frame.len(), malformed.octets(7).len(), "nothing is left over");
        Pdu::decode(&frame, Leniency::STRICT)
    }

    fn sm(malformed: Malformed) -> (Sm, Pdu) {
        let pdu = decoded(malformed).expect("its octets are well");
        let Body::DeliverSm(sm) = pdu.body.clone() else { panic!("{pdu} is a deliver_sm") };
        (sm, pdu)
    }

    #[test]
    fn lengths_are_wrong_as_they_claim() {
        for (malformed, wrong) in
            [(Malformed::LengthZero, 0), (Malformed::LengthShort, 15), (Malformed::LengthHuge, u32::MAX)]
        {
            let kind = framed(malformed).expect_err("no such length is allowed").kind;
            assert_eq!(kind, DecodeErrorKind::Length { length: wrong, octets_max: FRAME_OCTETS_MAX });
        }
        assert_eq!(framed(Malformed::LengthOneMore), Ok(None), "one octet is awaited");
        let mut octets = Malformed::LengthOneMore.octets(7);
        octets.push(0);
        assert!(
            next_frame(&mut BytesMut::from(octets.as_slice()), FRAME_OCTETS_MAX).is_ok_and(|frame| frame.is_some())
        );
    }

    #[test]
    fn fields_are_wrong_as_they_claim() {
        for (malformed, field, fault) in [
            (Malformed::CutBody, "source_addr", FaultKind::CutShort),
            (Malformed::MissingNul, "source_addr", FaultKind::TooLong { max: 21 }),
            (Malformed::SmLength, "short_message", FaultKind::CutShort),
            (
                Malformed::TlvOverrun,
                "optional parameters",
                FaultKind::TlvOverrun { tag: TlvTag::USER_MESSAGE_REFERENCE.0, length: 255, left: 1 },
            ),
            (Malformed::TlvCut, "optional parameters", FaultKind::Leftover { octets: 3 }),
        ] {
            let error = decoded(malformed).expect_err("a field is wrong");
            assert_eq!(error.kind, DecodeErrorKind::Field { field, fault }, "{malformed:?}");
            assert_eq!((error.command_id, error.sequence), (CommandId::DELIVER_SM, 7));
        }
    }

    #[test]
    fn octets_that_are_well_say_what_is_wrong() {
        let unknown = decoded(Malformed::UnknownCommand).expect("any command can be read").command_id();
        assert!(unknown.name().is_none() && !unknown.is_response());
        let (two, pdu) = sm(Malformed::TwoTexts);
        assert!(!two.short_message.as_bytes().is_empty() && pdu.tlvs.get(TlvTag::MESSAGE_PAYLOAD).is_some());
        let (overrun, _) = sm(Malformed::UdhOverrun);
        assert!(overrun.esm_class.has_udh());
        let header = Udh::read(&overrun.short_message.to_bytes());
        assert_eq!(header, Err(UdhError::HeaderOverrun { udhl: 0x20, available: 14 }));
        assert_eq!(sm(Malformed::SequenceZero).1.sequence, 0);
    }

    #[test]
    fn all_are_listed_and_keep_the_sequence_number() {
        for malformed in Malformed::ALL {
            let sequence = if malformed == Malformed::SequenceZero { 0 } else { 0x0102_0304_u32 };
            assert_eq!(malformed.octets(0x0102_0304)[12..16], sequence.to_be_bytes(), "{malformed:?}");
        }
        let mut distinct = Malformed::ALL.map(|malformed| malformed.octets(1)).to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!(distinct.len(), Malformed::ALL.len());
    }
}
