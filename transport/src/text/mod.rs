//! Characters ⇄ octets: data codings, long messages, delivery receipts. Pure: no clock, no chance, no I/O.
//!
//! Outward, [`split`] makes the parts of a message from a text, a [`Charset`] and a [`Multipart`]; [`choose`] finds the
//! smallest charset that carries the text. Inward, [`Content::read`] takes the header off what a PDU carries and says
//! which part of which message it is, a [`Joiner`] collects parts, and what is joined is decoded as one. [`Receipt`] reads
//! and writes delivery receipts, and [`message_id`] compares ids that two sides write differently.
//!
//! What a PDU looks like is not known here, only the values it carries.

mod charset;
mod choice;
mod content;
mod grapheme;
mod gsm7;
mod join;
pub mod message_id;
mod meter;
mod multibyte;
mod national;
mod receipt;
mod septets;
mod split;
#[cfg(test)]
mod strategies;

pub use charset::{Charset, Decoded, DefaultAlphabet, Unencodable, WebCharset};
pub use choice::{Choice, Repertoire, choose};
pub use content::{Content, PartAddress, PartKey, PartReference, ReferenceKind};
pub use gsm7::{Language, Shifts};
pub use join::{Added, Incomplete, JoinLimits, Joined, Joiner, Outcome, Refusal, Saved, Segment, join};
pub use receipt::{
    DateForm, NetworkError, Receipt, date_iso, receipt_text, receipt_texts, stat_of_state, state_of_stat,
};
pub use split::{Count, Multipart, Part, SplitError, capacity, count, first_parts, split};
