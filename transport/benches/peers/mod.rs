//! What is measured: this codec and others, decoding and encoding the same PDUs. Time is taken by `benches/codec.rs`,
//! instructions are counted by `benches/instructions.sh` through `examples/codec_instructions.rs`.
//!
//! Decoding includes dropping what was decoded. `stream` takes the PDUs off a buffer of 64 as a reader of a socket does,
//! the copy into that buffer included; `frame` starts from a whole frame.

use std::hint::black_box;

use bytes::{Bytes, BytesMut};
use rusmpp::decode::DecodeWithLength as _;
use rusmpp::encode::{Encode as _, Length as _};
use rusmpp_core::decode::borrowed::DecodeWithLength as _;
use smpp_transport::pdu::fixtures::{frame, golden};
use smpp_transport::pdu::{
    Body, CommandStatus, FRAME_OCTETS_MAX, Leniency, MessageId, Pdu, ShortMessage, Sm, Ton, next_frame,
};

/// PDUs in a buffer that is read as a stream.
const STREAM_PDUS: u64 = 64;

/// A thing to measure: `run(n)` does it n times.
pub(crate) struct Operation {
    pub(crate) codec: &'static str,
    pub(crate) what: &'static str,
    pub(crate) pdu: &'static str,
    pub(crate) run: Box<dyn FnMut(u64)>,
}

pub(crate) fn operations() -> Vec<Operation> {
    let pdus = [("submit_sm", submit_sm()), ("deliver_sm", receipt()), ("submit_sm_resp", submit_sm_resp())];
    pdus.into_iter().flat_map(|(name, pdu)| of(name, &pdu.to_octets())).collect()
}

fn of(pdu: &'static str, octets: &Bytes) -> Vec<Operation> {
    let operation = |codec, what, run| Operation { codec, what, pdu, run };
    let mut operations = vec![
        operation("smpp-transport", "decode frame", our_frame(octets)),
        operation("smpp-transport", "decode stream", our_stream(octets)),
        operation("smpp-transport", "encode", our_encode(octets)),
        operation("rusmpp", "decode stream", rusmpp_stream(octets)),
        operation("rusmpp", "encode", rusmpp_encode(octets)),
        operation("rusmpp borrowed", "decode frame", rusmpp_borrowed(octets)),
        operation("copy", "to a new allocation", copy(octets)),
    ];
    macro_rules! smpp34 {
        ($name:ident) => {{
            operations.push(operation("smpp34", "decode frame", {
                let octets = octets.clone();
                Box::new(move |n| {
                    for _ in 0..n {
                        let octets = black_box(&octets[..]);
                        let header = smpp34::CommandHeader::decode(octets).unwrap();
                        black_box(&smpp34::$name::decode(header, octets));
                    }
                })
            }));
            let header = smpp34::CommandHeader::decode(octets).unwrap();
            let value = smpp34::$name::decode(header, octets).unwrap();
            operations.push(operation("smpp34", "clone, encode", {
                Box::new(move |n| {
                    for _ in 0..n {
                        black_box(&black_box(&value).clone().encode());
                    }
                })
            }));
        }};
    }
    match pdu {
        "submit_sm" => smpp34!(submit_sm),
        "deliver_sm" => smpp34!(deliver_sm),
        _ => smpp34!(submit_sm_resp),
    }
    operations
}

fn submit_sm() -> Pdu {
    let sm = Sm {
        source_addr_ton: Ton::INTERNATIONAL,
        source_addr: "12345".try_into().unwrap(),
        dest_addr_ton: Ton::INTERNATIONAL,
        destination_addr: "27821234567".try_into().unwrap(),
        short_message: ShortMessage::new(&b"Hello, this is a message of 31."[..]).unwrap(),
        ..Sm::default()
    };
    let pdu = Pdu::new(CommandStatus::ESME_ROK, 1, Body::SubmitSm(sm));
    assert_eq!(pdu.octets(), 80);
    pdu
}

/// The golden receipt with text and optional parameters.
fn receipt() -> Pdu {
    let golden = golden().into_iter().find(|golden| golden.id == "golden-074").unwrap();
    Pdu::decode(&golden.octets, Leniency::STRICT).unwrap()
}

fn submit_sm_resp() -> Pdu {
    let resp = MessageId { message_id: "0123456789".try_into().unwrap() };
    Pdu::new(CommandStatus::ESME_ROK, 1, Body::SubmitSmResp(Some(resp)))
}

fn our_frame(octets: &Bytes) -> Box<dyn FnMut(u64)> {
    let frame = frame(octets);
    Box::new(move |n| {
        for _ in 0..n {
            black_box(&Pdu::decode(black_box(&frame), Leniency::TOLERANT));
        }
    })
}

fn our_stream(octets: &Bytes) -> Box<dyn FnMut(u64)> {
    let many = octets.repeat(STREAM_PDUS as usize);
    let mut input = BytesMut::with_capacity(many.len());
    Box::new(move |n| {
        for _ in 0..n.div_ceil(STREAM_PDUS) {
            input.reserve(many.len());
            input.extend_from_slice(black_box(&many));
            while let Some(frame) = next_frame(&mut input, FRAME_OCTETS_MAX).unwrap() {
                black_box(&Pdu::decode(&frame, Leniency::TOLERANT));
            }
        }
    })
}

fn our_encode(octets: &Bytes) -> Box<dyn FnMut(u64)> {
    let pdu = Pdu::decode(octets, Leniency::STRICT).unwrap();
    let mut out = BytesMut::with_capacity(4096);
    Box::new(move |n| {
        for _ in 0..n {
            out.clear();
            black_box(&pdu).encode(&mut out);
            black_box(&out);
        }
    })
}

fn rusmpp_stream(octets: &Bytes) -> Box<dyn FnMut(u64)> {
    let (many, length) = (octets.repeat(STREAM_PDUS as usize), octets.len() - 4);
    let mut input = BytesMut::with_capacity(many.len());
    Box::new(move |n| {
        for _ in 0..n.div_ceil(STREAM_PDUS) {
            input.reserve(many.len());
            input.extend_from_slice(black_box(&many));
            while !input.is_empty() {
                let _ = input.split_to(4);
                black_box(&rusmpp::Command::decode(&mut input, length));
            }
        }
    })
}

fn rusmpp_encode(octets: &Bytes) -> Box<dyn FnMut(u64)> {
    let (command, _) = rusmpp::Command::decode(&mut BytesMut::from(&octets[4..]), octets.len() - 4).unwrap();
    let mut out = vec![0; 4096];
    Box::new(move |n| {
        for _ in 0..n {
            let command = black_box(&command);
            out[..4].copy_from_slice(&(4 + command.length() as u32).to_be_bytes());
            black_box(command.encode(&mut out[4..]));
        }
    })
}

fn rusmpp_borrowed(octets: &Bytes) -> Box<dyn FnMut(u64)> {
    let octets = octets.clone();
    Box::new(move |n| {
        for _ in 0..n {
            let octets = black_box(&octets[4..]);
            black_box(&rusmpp_core::command::borrowed::Command::<8>::decode(octets, octets.len()));
        }
    })
}

fn copy(octets: &Bytes) -> Box<dyn FnMut(u64)> {
    let octets = octets.clone();
    Box::new(move |n| {
        for _ in 0..n {
            black_box(&Bytes::copy_from_slice(black_box(&octets)));
        }
    })
}
