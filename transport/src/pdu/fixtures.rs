//! The PDUs of the repository's `fixtures` folder, for tests and benches, behind the feature `test-util`. The folder's
//! `README.md` describes its files.

use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use serde_json::Value;

use super::json::from_hex;
use super::{FRAME_OCTETS_MAX, next_frame};

/// A line of `golden/pdus.jsonl`: a PDU that a third-party encoder wrote.
#[derive(Clone, Debug)]
pub struct Golden {
    /// `golden-001` and so on.
    pub id: String,
    /// What `Pdu::to_json` has to give.
    pub json: Value,
    /// The octets that the encoder wrote.
    pub octets: Bytes,
}

/// All of `golden/pdus.jsonl`.
///
/// # Panics
/// When the file is not there, or not as its description says.
#[must_use]
pub fn golden() -> Vec<Golden> {
    let text = std::fs::read_to_string(folder().join("golden/pdus.jsonl")).expect("the golden PDUs are in the tree");
    text.lines().map(|line| golden_line(&serde_json::from_str(line).expect("each line is a JSON object"))).collect()
}

fn golden_line(line: &Value) -> Golden {
    const KEYS: [&str; 6] = ["command", "command_id", "command_status", "sequence_number", "fields", "tlvs"];
    let text = |key| line[key].as_str().expect("id and hex are strings");
    Golden {
        id: text("id").to_owned(),
        json: KEYS.iter().map(|&key| (key.to_owned(), line[key].clone())).collect(),
        octets: from_hex(text("hex")).expect("hex is hexadecimal").into(),
    }
}

/// The frame that octets hold, as a peer's octets become one.
///
/// # Panics
/// When they are not a whole frame.
#[must_use]
pub fn frame(octets: &[u8]) -> Bytes {
    let mut input = BytesMut::from(octets);
    next_frame(&mut input, FRAME_OCTETS_MAX).expect("the length is right").expect("the frame is whole")
}

/// The same octets with `command_length` set to how many there are.
///
/// # Panics
/// When there are fewer than four, or more than its four octets can say.
#[must_use]
pub fn with_its_length(octets: &[u8]) -> Vec<u8> {
    let mut octets = octets.to_vec();
    let length = u32::try_from(octets.len()).expect("a test's PDU is short");
    octets[..4].copy_from_slice(&length.to_be_bytes());
    octets
}

/// Where the fixtures are.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}
