//! Guards what is said about octets that are no PDU: `fixtures/malformed/*.pdu`, a case each.
//!
//! With the environment variable `UPDATE_FIXTURES=1` the expectations are written instead of compared; read the difference.

use std::path::Path;

use bytes::BytesMut;
use smpp_transport::pdu::fixtures::folder;
use smpp_transport::pdu::json::from_hex;
use smpp_transport::pdu::{Answer, DecodeError, FRAME_OCTETS_MAX, Leniency, Pdu, next_frame};

#[test]
fn every_malformed_pdu_gives_the_error_and_the_answer_in_its_file() {
    let mut files: Vec<_> =
        std::fs::read_dir(folder().join("malformed")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 30, "{} files", files.len());
    files.iter().for_each(|file| look_at(file));
}

fn look_at(file: &Path) {
    let text = std::fs::read_to_string(file).unwrap();
    let (situation, expected) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
    let digits: String = situation.lines().filter(|line| !line.starts_with('#')).collect();
    let octets = from_hex(&digits).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
    let strict = read(&octets, Leniency::STRICT).expect_err("what STRICT reads is not malformed");
    let tolerant = match read(&octets, Leniency::TOLERANT) {
        Ok(pdu) => format!("reads {}", pdu.in_full()),
        Err(error) if error == strict => "the same error".to_owned(),
        Err(error) => error.to_string(),
    };
    let found = format!("error: {strict}\nanswer: {}\ntolerant: {tolerant}\n", in_words(strict.answer()));
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        return std::fs::write(file, format!("{situation}\n\n{found}")).unwrap();
    }
    assert_eq!(found, expected, "{}", file.display());
}

fn read(octets: &[u8], leniency: Leniency) -> Result<Pdu, DecodeError> {
    let frame = next_frame(&mut BytesMut::from(octets), FRAME_OCTETS_MAX)?;
    Pdu::decode(&frame.expect("the octets are a whole frame, or the start of one that is too long"), leniency)
}

fn in_words(answer: Answer) -> String {
    match answer {
        Answer::Close(status) => format!("close {status}"),
        Answer::GenericNack(status) => format!("generic_nack {status}"),
        Answer::Respond(status) => format!("respond {status}"),
        Answer::Ignore => "ignore".to_owned(),
    }
}
