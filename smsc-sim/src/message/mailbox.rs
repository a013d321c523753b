//! The messages that there are, and what time makes of them.

use std::sync::Arc;
use std::time::Duration;

use smpp_transport::env::Seed;
use smpp_transport::pdu::{CancelSm, CommandStatus, MessageState, QuerySm, QuerySmResp, ReplaceSm};
use smpp_transport::text::JoinLimits;

use super::validate::Times;
use super::{Filter, Life, Message, Now, Outcome, Receipt, Record, Submission};
use crate::policy::Which;

/// Bounds of a [`Mailbox`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Limits {
    /// Messages that are remembered. Beyond it the one that ended longest ago is forgotten, once its receipts have been
    /// handed out; if there is none, a new one is refused with ESME_RMSGQFUL. Default 100,000.
    pub(crate) messages_max: usize,
    /// Long messages of which parts are missing.
    pub(crate) join: JoinLimits,
}

/// What the ESME is told of a message that was accepted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Accepted {
    /// The message's number, of submit_multi the first of consecutive ones.
    pub(crate) number: u64,
    /// For the response.
    pub(crate) id: Box<str>,
    /// Whether it took the place of one that was pending.
    pub(crate) replaced: bool,
}

/// A receipt that is to be sent now.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Due {
    /// system_id of the account that gets it.
    pub(crate) account: Arc<str>,
    /// The session that submitted.
    pub(crate) session: u64,
    /// Which of the account's sessions gets it.
    pub(crate) which: Which,
    /// Whether it goes before the response to the message, if that has not been sent.
    pub(crate) before_response: bool,
    pub(crate) receipt: Receipt,
}

/// What a store is told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Change {
    /// All is forgotten. What follows came after.
    Cleared,
    /// A message is new or has changed.
    Kept(Box<Record>),
    /// A message is forgotten. The store may never have heard of it.
    Forgotten(u64),
}

pub(crate) struct Mailbox {}

impl Mailbox {
    /// Holds nothing. `seed` is what ids that look like chance are made from.
    pub(crate) fn new(limits: Limits, seed: Seed) -> Mailbox {
        unimplemented!()
    }
    /// Takes a message. With replace_if_present_flag a pending one with the same addresses and service type is replaced:
    /// it keeps its number and id, and the response gives that id.
    ///
    /// # Errors
    /// ESME_RMSGQFUL when there is no room, and none can be made.
    pub(crate) fn accept(&mut self, now: Now, submission: Submission, life: Life) -> Result<Accepted, CommandStatus> {
        unimplemented!()
    }
    /// What has become of a message of the account's (§4.8).
    ///
    /// # Errors
    /// ESME_RINVMSGID when there is none with this id and source.
    pub(crate) fn query(&self, account: &str, query: &QuerySm) -> Result<QuerySmResp, CommandStatus> {
        unimplemented!()
    }
    /// Takes back what is pending (§4.9); returns how many.
    ///
    /// # Errors
    /// ESME_RINVMSGID when there is none with this id, source and, if given, destination; ESME_RCANCELFAIL when those have
    /// ended, or none is pending between these addresses.
    pub(crate) fn cancel(&mut self, now: Now, account: &str, cancel: &CancelSm) -> Result<usize, CommandStatus> {
        unimplemented!()
    }
    /// Changes a pending message (§4.10). `times` are what was found in it.
    ///
    /// # Errors
    /// ESME_RINVMSGID when there is none with this id and source; ESME_RREPLACEFAIL when it has ended, or when it is given
    /// a schedule and is ENROUTE already.
    pub(crate) fn replace(
        &mut self,
        now: Now,
        account: &str,
        replace: &ReplaceSm,
        times: Times,
    ) -> Result<(), CommandStatus> {
        unimplemented!()
    }
    /// Puts a message into a later state, whatever was going to happen to it. ACCEPTED may be followed by another final
    /// state, as with operators that report it first.
    ///
    /// # Errors
    /// In words: there is no such message, or it does not go that way.
    pub(crate) fn force(
        &mut self,
        now: Now,
        number: u64,
        state: MessageState,
        error: Option<u8>,
    ) -> Result<(), String> {
        unimplemented!()
    }

    /// When [`tick`](Self::tick) next has something to do, on the clock of [`Now::mono`].
    pub(crate) fn poll_timeout(&self) -> Option<Duration> {
        unimplemented!()
    }
    /// Time has passed.
    pub(crate) fn tick(&mut self, now: Now) {
        unimplemented!()
    }
    /// The next receipt to be sent, in the order in which they came due.
    pub(crate) fn poll_due(&mut self) -> Option<Due> {
        unimplemented!()
    }

    /// A receipt is on its way to a session.
    pub(crate) fn sent(&mut self, now: Now, number: u64, index: usize, session: u64) {
        unimplemented!()
    }
    /// What became of sending it: `Waiting` when it is offered again, or a final outcome; `status` is what the ESME said.
    pub(crate) fn ended(
        &mut self,
        now: Now,
        number: u64,
        index: usize,
        outcome: Outcome,
        status: Option<CommandStatus>,
    ) {
        unimplemented!()
    }

    /// Messages with this id, by number: several only of one submit_multi.
    pub(crate) fn find(&self, id: &str) -> impl Iterator<Item = u64> {
        std::iter::empty()
    }
    /// One message.
    pub(crate) fn get(&self, number: u64) -> Option<&Record> {
        unimplemented!()
    }
    /// Those that match, as they are shown.
    pub(crate) fn select(&self, filter: &Filter) -> Vec<Message> {
        unimplemented!()
    }
    /// All, by number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Record> {
        std::iter::empty()
    }
    /// Messages of the account that have not ended.
    pub(crate) fn pending(&self, account: &str) -> usize {
        unimplemented!()
    }
    /// Messages remembered.
    pub(crate) fn len(&self) -> usize {
        unimplemented!()
    }
    /// Rises with each change.
    pub(crate) fn version(&self) -> u64 {
        unimplemented!()
    }
    /// Forgets all messages, and what was planned for them. Numbers go on.
    pub(crate) fn clear(&mut self) {
        unimplemented!()
    }

    /// Whether changes are noted for a store. Default: no.
    pub(crate) fn track_changes(&mut self, track: bool) {
        unimplemented!()
    }
    /// What has changed since this was last asked.
    pub(crate) fn take_changes(&mut self) -> Vec<Change> {
        unimplemented!()
    }
    /// Takes up what a store kept: what was to come goes on, overdue at once; receipts that nobody took are due again.
    pub(crate) fn restore(&mut self, now: Now, records: Vec<Record>) {
        unimplemented!()
    }
}
