//! `encode`: JSON to hexadecimal octets.

use std::io::{self, Write};

use smpp_transport::pdu::Pdu;
use smpp_transport::pdu::json::hex;

use super::{Outcome, complain, inputs};

/// Writes PDUs described in JSON as hexadecimal octets, one PDU a line.
///
/// The objects have the keys that `decode` shows: command (or command_id), command_status, sequence_number, fields,
/// tlvs. Fields left out are empty or zero. What is wrong with an object is said on standard error, with its
/// number; the others are written all the same, and the exit status is 1.
#[derive(clap::Args)]
pub(super) struct Encode {
    /// JSON objects; without any, lines on standard input.
    #[arg(value_name = "JSON")]
    json: Vec<String>,
}

impl Encode {
    pub(super) fn run(self) -> io::Result<Outcome> {
        let mut out = io::stdout().lock();
        let mut all_well = true;
        for (at, input) in inputs(self.json).enumerate() {
            match octets(&input?) {
                Ok(octets) => writeln!(out, "{octets}")?,
                Err(words) => {
                    all_well = false;
                    complain(&format!("PDU {}: {words}", at + 1));
                }
            }
        }
        Ok(Outcome::of(all_well))
    }
}

fn octets(json: &str) -> Result<String, String> {
    let value = serde_json::from_str(json).map_err(|error| format!("not JSON: {error}"))?;
    let pdu = Pdu::from_json(value).map_err(|error| error.to_string())?;
    Ok(hex(&pdu.to_octets()))
}
