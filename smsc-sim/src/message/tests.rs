//! Stories of messages, told by hand-turned clock: what becomes of them, and which receipts that gives.

mod any;
mod asked;
mod course;
mod ids;
mod kept;
mod shown;
mod steps;
mod stored;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use smpp_transport::env::Seed;
use smpp_transport::pdu::{
    COctets, CommandStatus, DataSm, EsmClass, MessageState, Npi, RegisteredDelivery, ShortMessage, Sm, Tlvs, Ton,
};

use super::mailbox::Accepted;
use super::{Due, Life, Limits, Mailbox, Now, Record, Sender, Submission, validate};
use crate::config::Strictness;
use crate::policy::ReceiptPolicy;

/// 2026-01-01T00:00:00Z.
pub(super) const START: Duration = Duration::from_secs(1_767_225_600);
pub(super) const SECOND: Duration = Duration::from_secs(1);

/// A mailbox, and the time.
pub(super) struct Given {
    pub(super) mailbox: Mailbox,
    pub(super) now: Now,
    pub(super) account: Arc<str>,
    policy: Arc<ReceiptPolicy>,
}

impl Given {
    pub(super) fn new() -> Given {
        Given::with(Limits::default())
    }

    pub(super) fn with(limits: Limits) -> Given {
        Given {
            mailbox: Mailbox::new(limits, Seed(1)),
            now: Now { mono: SECOND, wall: START },
            account: Arc::from("esme"),
            policy: Arc::default(),
        }
    }

    /// At once, to this end.
    pub(super) fn life(&self, outcome: MessageState) -> Life {
        let error = u8::from(outcome != MessageState::DELIVERED);
        Life { outcome, error, ..Life::plain(&self.policy) }
    }

    /// So many seconds later, to this end.
    pub(super) fn slow(&self, seconds: u64, outcome: MessageState) -> Life {
        Life { enroute: SECOND * u32::try_from(seconds).expect("few"), ..self.life(outcome) }
    }

    pub(super) fn sender(&self) -> Sender {
        Sender { account: Arc::clone(&self.account), session: 3, short_ids: false }
    }

    pub(super) fn submit(&mut self, sm: &Sm, tlvs: &Tlvs, life: Life) -> Accepted {
        self.try_submit(sm, tlvs, life).expect("accepted")
    }

    pub(super) fn try_submit(&mut self, sm: &Sm, tlvs: &Tlvs, life: Life) -> Result<Accepted, CommandStatus> {
        let times = validate::check_sm(sm, tlvs, self.now.wall, Strictness::Strict)?;
        let submission = Submission::submit_sm(self.sender(), sm, tlvs, times);
        self.mailbox.accept(self.now, submission, life)
    }

    pub(super) fn submit_data_sm(&mut self, sm: &DataSm, tlvs: &Tlvs, life: Life) -> Accepted {
        let times = validate::check_data_sm(sm, tlvs, self.now.wall, Strictness::Strict).expect("right");
        let submission = Submission::data_sm(self.sender(), sm, tlvs, times);
        self.mailbox.accept(self.now, submission, life).expect("accepted")
    }

    /// Time passes, timer by timer.
    pub(super) fn wait(&mut self, time: Duration) {
        let until = Now { mono: self.now.mono + time, wall: self.now.wall + time };
        while let Some(at) = self.mailbox.poll_timeout().filter(|at| *at <= until.mono) {
            let step = at.saturating_sub(self.now.mono);
            self.now = Now { mono: self.now.mono + step, wall: self.now.wall + step };
            self.mailbox.tick(self.now);
        }
        self.now = until;
        self.mailbox.tick(self.now);
    }

    pub(super) fn dues(&mut self) -> Vec<Due> {
        std::iter::from_fn(|| self.mailbox.poll_due()).collect()
    }

    /// The states that receipts report, which are due.
    pub(super) fn reported(&mut self) -> Vec<MessageState> {
        self.dues().into_iter().map(|due| due.receipt.state).collect()
    }

    pub(super) fn record(&self, number: u64) -> &Record {
        self.mailbox.get(number).expect("it is remembered")
    }

    pub(super) fn state(&self, number: u64) -> MessageState {
        self.record(number).state
    }
}

pub(super) fn text<const N: usize>(text: &str) -> COctets<N> {
    text.parse().expect("short")
}

/// `hello` from one handset to another.
pub(super) fn sm(registered_delivery: u8) -> Sm {
    Sm {
        source_addr_ton: Ton::INTERNATIONAL,
        source_addr_npi: Npi::ISDN,
        source_addr: text("27820000001"),
        dest_addr_ton: Ton::NATIONAL,
        dest_addr_npi: Npi::NATIONAL,
        destination_addr: text("0820000002"),
        registered_delivery: RegisteredDelivery(registered_delivery),
        short_message: ShortMessage::new(&b"hello"[..]).expect("short"),
        ..Sm::default()
    }
}

/// A part of a long message, by its header.
pub(super) fn part(reference: u8, total: u8, number: u8, words: &str) -> Sm {
    let octets = [&[5, 0, 3, reference, total, number], words.as_bytes()].concat();
    let short_message = ShortMessage::new(Bytes::from(octets)).expect("short");
    Sm { esm_class: EsmClass::UDHI, short_message, ..sm(0) }
}
