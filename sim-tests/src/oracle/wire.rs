//! What is written is read by another codec too, `rusmpp`, which shares nothing with ours: to the values that all other
//! oracles judge by, and back to the same octets.

use bytes::BytesMut;
use rusmpp::decode::DecodeWithLength as _;
use rusmpp::encode::{Encode as _, Length as _};
use rusmpp::{Command, Pdu as Theirs};
use smpp_transport::pdu::{Body, Pdu};

use super::line::user_data;
use super::{Line, Report};
use crate::history::{History, Way};
use crate::plan::Plan;

/// Every frame that either end writes means the same to both codecs.
pub(super) fn wire(_: &Plan, _: &History, lines: &[Line], report: &mut Report) {
    for line in lines {
        for frame in line.readable().iter().filter(|frame| frame.way == Way::Written && frame.wrong.is_none()) {
            let Some(ours) = &frame.pdu else { continue };
            if let Err(words) = agree(&frame.octets, ours) {
                report.broken(frame.at, format!("line {} {:?} writes {ours}: {words}", line.number, line.end));
            }
        }
    }
}

fn agree(octets: &[u8], ours: &Pdu) -> Result<(), String> {
    let after_length = octets.get(4..).unwrap_or_default();
    let (theirs, read) = Command::decode(&mut BytesMut::from(after_length), after_length.len())
        .map_err(|error| format!("another codec cannot read it: {error}"))?;
    same("octets", &read, &after_length.len())?;
    same("command_id", &u32::from(theirs.id()), &ours.command_id().0)?;
    same("command_status", &u32::from(theirs.status), &ours.status.0)?;
    same("sequence_number", &theirs.sequence_number, &ours.sequence)?;
    let mut written = vec![0; theirs.length()];
    theirs.encode(&mut written);
    same("octets written again", &written.as_slice(), &after_length)?;
    let user_data = user_data(ours);
    theirs.pdu().map_or(Ok(()), |body| same("body", &of_theirs(body), &of_ours(ours, &user_data)))
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, theirs: &T, ours: &T) -> Result<(), String> {
    if theirs == ours { Ok(()) } else { Err(format!("{what}: {theirs:?} to another codec, {ours:?} to ours")) }
}

/// What the oracles look at of a body: source and destination, or the id; esm_class, data_coding, registered_delivery; text.
#[derive(Debug, Default, PartialEq)]
struct Values<'a> {
    strings: [&'a [u8]; 2],
    octets: [u8; 3],
    text: &'a [u8],
}

impl<'a> Values<'a> {
    fn id(id: &'a [u8]) -> Values<'a> {
        Values { strings: [id, b""], ..Values::default() }
    }
}

fn of_ours<'a>(pdu: &'a Pdu, user_data: &'a [u8]) -> Values<'a> {
    macro_rules! sm {
        ($sm:expr, $text:expr) => {
            Values {
                strings: [$sm.source_addr.as_bytes(), $sm.destination_addr.as_bytes()],
                octets: [$sm.esm_class.0, $sm.data_coding.0, $sm.registered_delivery.0],
                text: $text,
            }
        };
    }
    match &pdu.body {
        Body::SubmitSm(sm) | Body::DeliverSm(sm) => sm!(sm, sm.short_message.as_bytes()),
        Body::DataSm(sm) => sm!(sm, user_data),
        Body::SubmitSmResp(Some(body)) | Body::DataSmResp(Some(body)) => Values::id(body.message_id.as_bytes()),
        _ => Values::default(),
    }
}

fn of_theirs(body: &Theirs) -> Values<'_> {
    macro_rules! sm {
        ($sm:expr, $text:expr) => {
            Values {
                strings: [$sm.source_addr.as_str().as_bytes(), $sm.destination_addr.as_str().as_bytes()],
                octets: [$sm.esm_class.into(), $sm.data_coding.into(), $sm.registered_delivery.into()],
                text: $text,
            }
        };
    }
    match body {
        Theirs::SubmitSm(sm) => sm!(sm, sm.short_message().as_ref()),
        Theirs::DeliverSm(sm) => sm!(sm, sm.short_message().as_ref()),
        Theirs::DataSm(sm) => sm!(sm, payload(sm.tlvs())),
        Theirs::SubmitSmResp(body) => Values::id(body.message_id().as_str().as_bytes()),
        Theirs::DataSmResp(body) => Values::id(body.message_id().as_str().as_bytes()),
        _ => Values::default(),
    }
}

fn payload(tlvs: &[rusmpp::tlvs::Tlv]) -> &[u8] {
    let payload = tlvs.iter().find_map(|tlv| match tlv.value() {
        Some(rusmpp::tlvs::TlvValue::MessagePayload(payload)) => Some(payload.value.as_ref()),
        _ => None,
    });
    payload.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    //! Guards that a difference between the codecs is seen, and where it is.

    use bytes::Bytes;
    use smpp_transport::pdu::{CommandStatus, DataCoding, ShortMessage, Sm};

    use super::*;

    fn submit(sequence: u32, status: u32, data_coding: u8, text: &'static [u8]) -> Pdu {
        let short_message = ShortMessage::new(Bytes::from_static(text)).expect("it is short");
        let sm = Sm { data_coding: DataCoding(data_coding), short_message, ..Sm::default() };
        Pdu::new(CommandStatus(status), sequence, Body::SubmitSm(sm))
    }

    #[test]
    fn each_value_is_compared() {
        let ours = submit(7, 0, 8, b"text");
        assert_eq!(agree(&ours.to_octets(), &ours), Ok(()));
        for (other, word) in [
            (submit(8, 0, 8, b"text"), "sequence_number"),
            (submit(7, 1, 8, b"text"), "command_status"),
            (submit(7, 0, 4, b"text"), "body"),
            (submit(7, 0, 8, b"next"), "body"),
        ] {
            let words = agree(&other.to_octets(), &ours).expect_err("they differ");
            assert!(words.starts_with(word), "{words}");
        }
        let cut = &ours.to_octets()[..30];
        assert!(agree(cut, &ours).expect_err("it is cut").starts_with("another codec cannot read it"));
    }
}
