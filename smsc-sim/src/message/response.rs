//! Responses to messages, in the shape that a policy gives them.

use smpp_transport::env::Seed;
use smpp_transport::pdu::{MessageState, TlvTag, Tlvs};

use super::defect::{Defect, VENDOR_TLV, set_length};
use super::{Record, id};
use crate::policy::{Dates, Encoding, IdForm, ResponsePolicy, ResponseShape, Values};
use crate::words::State;

/// Octets of a header.
const HEADER_OCTETS: usize = 16;
/// Octets of an id that is longer than its field, which has 64 and a NUL.
const LONG_ID_OCTETS: usize = 65;
/// Characters of an id that a response holds.
const ID_CHARACTERS_MAX: usize = 64;

/// A response that is not as the standard has it: its optional parameters, and what is done to its octets.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ShapedResponse {
    pub(crate) tlvs: Tlvs,
    pub(crate) edit: ResponseEdit,
}

impl ShapedResponse {
    /// Returns the response to this message; `None` if it is as the standard has it.
    pub(crate) fn to(record: &Record, policy: &ResponsePolicy, seed: Seed) -> Option<ShapedResponse> {
        let plain = record.id.chars().count() <= ID_CHARACTERS_MAX && !record.id.contains('\0');
        if policy.is_default() && plain {
            return None;
        }
        let id_as = |form: &IdForm| String::from(id::write(form, record.first, seed));
        let text = record.text().unwrap_or_default();
        let error = format!("{:03}", record.error);
        let values = Values {
            id: &record.id,
            id_as: &id_as,
            dlvrd: record.state == MessageState::DELIVERED,
            submitted: record.submitted,
            done: record.done.unwrap_or(record.submitted),
            dates: Dates::default(),
            stat: State(record.state).stat(),
            err: &error,
            text: &text,
            to: &record.body.destination.text(),
            from: &record.body.source.text(),
            state: record.state.0,
            number: record.number,
            reference: record.body.tlvs.get_u16(TlvTag::USER_MESSAGE_REFERENCE),
        };
        Some(ShapedResponse::with(&record.id, policy, &record.body.tlvs, Some(&values)))
    }

    /// Returns the response to a message that is refused, with an empty id; `None` if it is as the standard has it.
    pub(crate) fn refusal(request: &Tlvs, policy: &ResponsePolicy) -> Option<ShapedResponse> {
        (!policy.is_default()).then(|| ShapedResponse::with("", policy, request, None))
    }

    fn with(id: &str, policy: &ResponsePolicy, request: &Tlvs, values: Option<&Values<'_>>) -> ShapedResponse {
        let mut tlvs = Tlvs::new();
        for tlv in policy.tlvs.iter().flatten() {
            let value = match (&tlv.hex, &tlv.text, &tlv.id) {
                (Some(hex), _, _) => Some(hex.0.clone()),
                (_, Some(text), _) => values.map(|values| text.write(values, Encoding::Latin1)),
                (_, _, Some(form)) => values.map(|values| latin1(&(values.id_as)(form)).chain([0]).collect()),
                _ => tlv.copy.and_then(|tag| request.get(TlvTag(tag))).map(|value| value.to_vec()),
            };
            if let Some(value) = value {
                // A value that is too long for a parameter is left out.
                let _ = tlvs.try_push(tlv.tag(), &value);
            }
        }
        let edit = ResponseEdit {
            id: latin1(id).collect(),
            shape: policy.shape.unwrap_or_default(),
            defect: Defect::of(policy.tlv_fault, policy.tail.as_ref()),
        };
        ShapedResponse { tlvs, edit }
    }
}

fn latin1(text: &str) -> impl Iterator<Item = u8> {
    text.chars().map(|character| u8::try_from(character).unwrap_or(b'?'))
}

/// Changes to the body of a response: its id, its shape and its end.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ResponseEdit {
    /// Octets of the id, without its NUL.
    pub(crate) id: Vec<u8>,
    pub(crate) shape: ResponseShape,
    pub(crate) defect: Option<Defect>,
}

impl ResponseEdit {
    /// Changes a frame whose body begins with an empty id, and which ends with these many octets of optional parameters.
    pub(crate) fn apply(&self, frame: &mut Vec<u8>, tlv_octets: usize) {
        let (body, is_empty) = (HEADER_OCTETS, self.shape == ResponseShape::Empty);
        if is_empty {
            frame.truncate(body);
        } else if frame.len() > body {
            let mut id = self.id.clone();
            if matches!(self.shape, ResponseShape::LongId | ResponseShape::LongIdNoNul) && id.len() < LONG_ID_OCTETS {
                id.splice(0..0, std::iter::repeat_n(b'0', LONG_ID_OCTETS - self.id.len()));
            }
            if !matches!(self.shape, ResponseShape::NoNul | ResponseShape::LongIdNoNul) {
                id.push(0);
            }
            frame.splice(body..=body, id);
        }
        let defect = self.defect.iter();
        defect.for_each(|defect| defect.break_tlvs(frame, if is_empty { 0 } else { tlv_octets }));
        match self.shape {
            ResponseShape::StrayOctet => frame.push(0),
            ResponseShape::StrayText => frame.extend_from_slice(b"\xCC\xCD\xFEbuffer\0"),
            ResponseShape::CutTlv => frame.extend_from_slice(&VENDOR_TLV[..3]),
            ResponseShape::TlvOverrun => frame.extend_from_slice(&[0x14, 0x00, 0x00, 0x09, b'1']),
            ResponseShape::Whole
            | ResponseShape::NoNul
            | ResponseShape::LongId
            | ResponseShape::LongIdNoNul
            | ResponseShape::Empty => {}
        }
        frame.extend(self.defect.iter().flat_map(|defect| &defect.tail));
        set_length(frame);
    }
}
