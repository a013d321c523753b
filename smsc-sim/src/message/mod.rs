//! What becomes of messages, from their acceptance to their receipts. Pure: no clock, no chance, no I/O.
//!
//! A [`Mailbox`] is told what happens (a message is accepted, cancelled, replaced, time passes), and says which receipts are
//! due. **One input, drain all of [`Mailbox::poll_due`], next input**; then [`Mailbox::poll_timeout`] says when it wants to
//! be asked again, if nothing happens before.
//!
//! Who may send what is decided elsewhere: here everything that is accepted has been looked at, by [`validate`] or by
//! somebody who wants to be lenient. Which session a receipt goes to, and what is done when it is not taken, is the
//! caller's affair.

mod accept;
mod asked;
mod course;
mod defect;
mod filter;
mod groups;
mod id;
mod kept;
mod life;
mod mailbox;
mod pending;
mod plans;
mod receipt;
mod record;
mod response;
mod steps;
mod submission;
mod told;
pub(crate) mod validate;
mod view;

#[cfg(test)]
mod tests;

use std::time::Duration;

pub(crate) use defect::Defect;
pub use filter::{Filter, Term};
pub(crate) use kept::Change;
pub(crate) use life::Life;
pub(crate) use mailbox::{Due, Limits, Mailbox};
pub(crate) use receipt::Receipt;
pub use record::Outcome;
pub(crate) use record::{Address, Fate, Record};
pub(crate) use response::ShapedResponse;
pub(crate) use submission::{Sender, Submission};
pub(crate) use validate::Times;
pub(crate) use view::rfc3339;
pub use view::{Message, MessageAddress, MessagePart, MessageReceipt, MessageTlv, Stay};

/// What time it is, in the two ways that count.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Now {
    /// Since the start of the simulator: timers go by it. It never runs back.
    pub(crate) mono: Duration,
    /// Since 1970-01-01 00:00 UTC: dates are written by it.
    pub(crate) wall: Duration,
}
