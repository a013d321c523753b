//! `decode`: hexadecimal octets to JSON.

use std::io::{self, Write};

use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};
use smpp_transport::pdu::json::from_hex;
use smpp_transport::pdu::{DecodeError, FRAME_OCTETS_MAX, Leniency, Pdu, next_frame};

use super::{Outcome, inputs};

/// Shows PDUs as JSON, one object a line.
///
/// A line or an argument may hold several PDUs, which are told apart by their command_length. For one that cannot be
/// read the object is {"error": …, "offset": …}, offset being the octet in its line; the others are shown all the same,
/// and the exit status is 1.
#[derive(clap::Args)]
pub(super) struct Decode {
    /// Read what can be understood, as the transport does; otherwise by the letter of the standard.
    #[arg(long)]
    lenient: bool,
    /// Hexadecimal digits; without any, lines on standard input.
    #[arg(value_name = "HEX")]
    hex: Vec<String>,
}

impl Decode {
    pub(super) fn run(self) -> io::Result<Outcome> {
        let leniency = if self.lenient { Leniency::TOLERANT } else { Leniency::STRICT };
        let mut out = io::stdout().lock();
        let mut all_well = true;
        for input in inputs(self.hex) {
            for shown in pdus(&input?, leniency) {
                let shown = shown.unwrap_or_else(|wrong| {
                    all_well = false;
                    json!({ "error": wrong.words, "offset": wrong.offset })
                });
                writeln!(out, "{shown}")?;
            }
        }
        Ok(Outcome::of(all_well))
    }
}

/// What is wrong, and at which octet of the line.
struct Wrong {
    words: String,
    offset: usize,
}

impl Wrong {
    fn within(start: usize, error: &DecodeError) -> Wrong {
        Wrong { words: error.to_string(), offset: start + error.offset }
    }
}

/// Every PDU in the digits. A command_length that cannot be right, or reaches beyond the end, is the last of them.
fn pdus(digits: &str, leniency: Leniency) -> Vec<Result<Value, Wrong>> {
    let mut left = match from_hex(digits) {
        Ok(octets) => BytesMut::from(&octets[..]),
        Err(words) => return vec![Err(Wrong { words, offset: 0 })],
    };
    if left.is_empty() {
        return vec![Err(Wrong { words: "no octets".to_owned(), offset: 0 })];
    }
    let octets = left.len();
    let mut shown = Vec::new();
    while !left.is_empty() {
        let start = octets - left.len();
        match next_frame(&mut left, FRAME_OCTETS_MAX) {
            Ok(Some(frame)) => shown.push(pdu(&frame, start, leniency)),
            Ok(None) => {
                shown.push(Err(Wrong { words: incomplete(&left), offset: start }));
                break;
            }
            Err(error) => {
                shown.push(Err(Wrong::within(start, &error)));
                break;
            }
        }
    }
    shown
}

fn pdu(frame: &Bytes, start: usize, leniency: Leniency) -> Result<Value, Wrong> {
    Pdu::decode(frame, leniency).map(|pdu| pdu.to_json()).map_err(|error| Wrong::within(start, &error))
}

fn incomplete(octets: &[u8]) -> String {
    match octets.first_chunk() {
        Some(length) => {
            format!("command_length is {}, {} octets are there", u32::from_be_bytes(*length), octets.len())
        }
        None => format!("{} octets: not even a command_length, which has 4", octets.len()),
    }
}
