//! `decode`: hexadecimal octets to JSON.

mod paste;
mod shown;

use std::io::{self, Write};

use bytes::{Bytes, BytesMut};
use serde_json::{Value, json};
use smpp_transport::pdu::{DecodeError, FRAME_OCTETS_MAX, Leniency, Pdu, next_frame};

use super::{Outcome, inputs};
use paste::Line;

/// Shows PDUs as JSON, one object a line.
///
/// Digits may be written as people paste them: with blanks, -, : or commas, with 0x or \x, as a list of C, or as a dump of
/// Wireshark, xxd or hexdump -C. A PDU may go over several lines, and a line may hold several PDUs, which are told apart by
/// their command_length. Beside its fields a message is shown with its text, and a receipt with what it says. For a PDU
/// that cannot be read the object is {"error": …, "offset": …}, offset being the octet in its input; the others are shown
/// all the same, and the exit status is 1.
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
        let mut inputs = Inputs::default();
        let mut out = io::stdout().lock();
        let mut all_well = true;
        let mut show = |shown: Vec<Result<Value, Wrong>>| {
            for shown in shown {
                let shown = shown.unwrap_or_else(|wrong| {
                    all_well = false;
                    json!({ "error": wrong.words, "offset": wrong.offset })
                });
                writeln!(out, "{shown}")?;
            }
            io::Result::Ok(())
        };
        for input in self::inputs(self.hex) {
            inputs.has_lines = true;
            for line in input?.lines() {
                show(inputs.take(line, leniency))?;
            }
        }
        show(inputs.end(leniency))?;
        Ok(Outcome::of(all_well))
    }
}

/// Cause of an error, and the octet of its input at which it is.
struct Wrong {
    words: String,
    offset: usize,
}

impl Wrong {
    fn of(words: impl Into<String>) -> Wrong {
        Wrong { words: words.into(), offset: 0 }
    }

    fn within(start: usize, error: &DecodeError) -> Wrong {
        Wrong { words: error.to_string(), offset: start + error.offset }
    }
}

/// Lines put together until they hold whole PDUs.
#[derive(Default)]
struct Inputs {
    octets: Vec<u8>,
    /// Octets of the last row of a dump, and where it ended.
    row: Option<(Vec<u8>, usize)>,
    repeats: bool,
    /// Whether anything was given, and whether there was anything in it.
    has_lines: bool,
    has_shown: bool,
}

/// Octets that a `*` in a dump may stand for.
const REPEATED_OCTETS_MAX: usize = FRAME_OCTETS_MAX;

impl Inputs {
    /// Takes a line; returns what is whole now.
    fn take(&mut self, line: &str, leniency: Leniency) -> Vec<Result<Value, Wrong>> {
        // `hexdump` and `od` end with an offset that has no octets.
        if self
            .row
            .take_if(|(_, end)| usize::from_str_radix(line.trim(), 16).is_ok_and(|offset| offset == *end))
            .is_some()
        {
            return Vec::new();
        }
        let mut shown = Vec::new();
        match paste::read(line) {
            Line::Empty => {}
            Line::Repeat => self.repeats = true,
            Line::Wrong(words) => {
                shown = self.flush(leniency);
                shown.push(Err(Wrong::of(words)));
                self.has_shown = true;
            }
            Line::Row { offset, octets } => {
                if offset == 0 {
                    shown = self.flush(leniency);
                }
                self.repeat_up_to(offset);
                self.octets.extend(&octets);
                self.row = Some((octets.clone(), offset + octets.len()));
            }
            Line::Octets(octets) => {
                self.row = None;
                // What is not whole, and is followed by what is, does not belong to it.
                if !self.octets.is_empty() && is_whole(&octets) {
                    shown = self.flush(leniency);
                }
                self.octets.extend(&octets);
            }
        }
        if is_whole(&self.octets) || is_hopeless(&self.octets) {
            shown.extend(self.flush(leniency));
        }
        shown
    }

    /// Shows what is left at the end.
    fn end(&mut self, leniency: Leniency) -> Vec<Result<Value, Wrong>> {
        let mut shown = self.flush(leniency);
        if shown.is_empty() && self.has_lines && !self.has_shown {
            shown.push(Err(Wrong::of("no octets")));
        }
        shown
    }

    /// Shows what has come together, and begins anew.
    fn flush(&mut self, leniency: Leniency) -> Vec<Result<Value, Wrong>> {
        self.repeats = false;
        let octets = std::mem::take(&mut self.octets);
        self.has_shown |= !octets.is_empty();
        pdus(&octets, leniency)
    }

    /// Puts in the rows that a `*` has left out.
    fn repeat_up_to(&mut self, offset: usize) {
        if !std::mem::take(&mut self.repeats) {
            return;
        }
        let Some((row, end)) = self.row.as_ref().filter(|(row, _)| !row.is_empty()) else { return };
        let missing = offset.saturating_sub(*end).min(REPEATED_OCTETS_MAX);
        self.octets.extend(row.iter().cycle().take(missing));
    }
}

/// Every PDU in the octets. A command_length that cannot be right, or reaches beyond the end, is the last of them.
fn pdus(octets: &[u8], leniency: Leniency) -> Vec<Result<Value, Wrong>> {
    let mut left = BytesMut::from(octets);
    let mut shown = Vec::new();
    while !left.is_empty() {
        let start = octets.len() - left.len();
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
    let wrong = |error| Wrong::within(start, &error);
    let pdu = Pdu::decode(frame, leniency).map_err(wrong)?;
    if leniency == Leniency::STRICT {
        pdu.check_body().map_err(wrong)?;
    }
    Ok(shown::json(&pdu))
}

/// Returns `true` if the octets are whole PDUs, one behind the other.
fn is_whole(octets: &[u8]) -> bool {
    let mut left = BytesMut::from(octets);
    while let Ok(Some(_)) = next_frame(&mut left, FRAME_OCTETS_MAX) {}
    left.is_empty() && !octets.is_empty()
}

/// Returns `true` if no further octets can make PDUs of these.
fn is_hopeless(octets: &[u8]) -> bool {
    let mut left = BytesMut::from(octets);
    loop {
        match next_frame(&mut left, FRAME_OCTETS_MAX) {
            Ok(Some(_)) => {}
            Ok(None) => return false,
            Err(_) => return true,
        }
    }
}

fn incomplete(octets: &[u8]) -> String {
    match octets.first_chunk() {
        Some(length) => {
            format!("command_length is {}, {} octets are there", u32::from_be_bytes(*length), octets.len())
        }
        None => format!("{} octets: not even a command_length, which has 4", octets.len()),
    }
}
