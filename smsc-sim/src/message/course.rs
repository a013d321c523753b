//! The course of a message: which state follows which, when, and which receipts that gives.

use std::iter;
use std::sync::Arc;
use std::time::Duration;

use smpp_transport::pdu::{MessageState, RegisteredDelivery};

use super::life::{error_of, is_success};
use super::plans::{Act, Plans};
use super::{Fate, Now, Record};
use crate::policy::{PartReceipts, ReceiptPolicy, Sent};

/// What time does to a message.
///
/// ```text
///              accepted, to be sent later                accepted
///                        │                                  │
///                   SCHEDULED ──────── Begin ─────────► ENROUTE ──── End ────► DELIVERED, UNDELIVERABLE, REJECTED,
///                        │  ▲                            │  ▲                  UNKNOWN, ACCEPTED, …: its life's outcome
///                        │  └ replaced ┘                 │  └ replaced ┘            │
///                        ├────────── Expire ─────────────┤                          │ forced, from ACCEPTED only
///                        │             └──► EXPIRED      │                          ▼
///                        └────────── cancelled ──────────┘                     any other final state
///                                      └──► DELETED
/// ```
///
/// States only move forward, by [`rank`]. A message that is replaced stays where it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Turn {
    /// Its schedule has come.
    Begin,
    /// What its life says.
    End,
    /// Its validity is over.
    Expire,
}

/// How far a state is. ACCEPTED is final by the letter (§5.2.28), but there are operators that report it first.
pub(super) const fn rank(state: MessageState) -> u8 {
    match state {
        MessageState::SCHEDULED => 0,
        MessageState::ENROUTE => 1,
        MessageState::ACCEPTED => 2,
        _ => 3,
    }
}

impl Record {
    /// It has just been accepted: it waits for its schedule, or sets out.
    pub(super) fn set_out(&mut self, now: Now, plans: &mut Plans) {
        if self.scheduled.is_some_and(|scheduled| scheduled > now.wall) {
            self.enter(MessageState::SCHEDULED, now);
        } else {
            self.turn(Turn::Begin, now, plans);
        }
        self.go_on(now, plans);
    }

    /// Does what is due now, and plans what comes next. That which has been planned before must be cancelled.
    pub(super) fn go_on(&mut self, now: Now, plans: &mut Plans) {
        while let Some((wall, turn)) = self.next_turn() {
            if wall > now.wall {
                let act = Act::Turn(self.number, turn);
                let by_day = self.is_by_day(turn);
                self.timer = Some(if by_day { plans.plan_by_day(now, wall, act) } else { plans.plan(now, wall, act) });
                return;
            }
            self.turn(turn, now, plans);
        }
    }

    /// What time will do next, and when. What comes at the same moment as the end of the validity comes before it.
    fn next_turn(&self) -> Option<(Duration, Turn)> {
        let next = match self.state {
            MessageState::SCHEDULED => self.scheduled.map(|scheduled| (scheduled, Turn::Begin)),
            MessageState::ENROUTE => self.ends.map(|ends| (ends, Turn::End)),
            _ => return None,
        };
        match (next, self.expires) {
            (Some((wall, _)), Some(expires)) if expires < wall => Some((expires, Turn::Expire)),
            (None, Some(expires)) => Some((expires, Turn::Expire)),
            (next, _) => next,
        }
    }

    /// Whether a time of day decides when this comes, or whether it comes first.
    fn is_by_day(&self, next: Turn) -> bool {
        let begins = next == Turn::Begin && !self.relative.scheduled;
        begins || (self.expires.is_some() && !self.relative.expires)
    }

    pub(super) fn turn(&mut self, turn: Turn, now: Now, plans: &mut Plans) {
        match turn {
            Turn::Begin => {
                self.enter(MessageState::ENROUTE, now);
                self.start_over(now);
                let wanted = wants_intermediate(&self.life.receipt, self.body.registered_delivery);
                if wanted && self.is_reported() {
                    let fate = Fate { intermediate: true, ..self.fate(self.state, self.life.receipt_delay, now) };
                    self.plan_receipt(fate, now, plans);
                }
            }
            Turn::End => self.finish(self.life.outcome, self.life.error, now, plans),
            Turn::Expire => self.finish(MessageState::EXPIRED, error_of(MessageState::EXPIRED), now, plans),
        }
    }

    /// Its life runs from now.
    pub(super) fn start_over(&mut self, now: Now) {
        self.ends = self.life.outcome.is_final().then(|| now.wall.saturating_add(self.life.enroute));
    }

    /// It has come to a final state.
    pub(super) fn finish(&mut self, state: MessageState, error: u8, now: Now, plans: &mut Plans) {
        self.stop(plans);
        self.enter(state, now);
        self.error = error;
        self.done = Some(now.wall);
        match self.life.receipt.parts.unwrap_or_default() {
            PartReceipts::One if self.part().is_some() => plans.part_ended(self.number, now),
            _ if self.is_reported() => self.plan_receipts(state, now, plans),
            _ => {}
        }
    }

    /// Plans the receipts of this state, and the further ones, if they are asked for.
    pub(super) fn plan_receipts(&mut self, state: MessageState, now: Now, plans: &mut Plans) {
        let policy = Arc::clone(&self.life.receipt);
        if !wants_final(&policy, self.body.registered_delivery, state) {
            return;
        }
        let mut delay = self.life.receipt_delay;
        for _ in 0..policy.times.unwrap_or(1) {
            self.plan_receipt(self.fate(state, delay, now), now, plans);
        }
        let further = policy.then.as_deref().unwrap_or_default();
        let delays: Vec<_> =
            self.life.further_delays.iter().copied().chain(iter::repeat(Duration::ZERO)).take(further.len()).collect();
        for (further, more) in further.iter().zip(delays) {
            delay += more;
            let mut form = further.receipt.over(&policy);
            form.state = further.receipt.state.or(Some(further.state));
            form.then = None;
            let fate = self.fate(further.state.0, delay, now);
            let fate = Fate { intermediate: further.intermediate, policy: Some(Arc::new(form)), ..fate };
            self.plan_receipt(fate, now, plans);
        }
    }

    /// Number of the part that this is, and how many there are; `None` for a message of its own.
    fn part(&self) -> Option<(u8, u8)> {
        let part = self.body.may_be_part().then(|| self.content().part).flatten()?;
        Some((part.number, part.total))
    }

    /// Returns `true` unless another part has the receipt of this one.
    fn is_reported(&self) -> bool {
        match self.life.receipt.parts.unwrap_or_default() {
            PartReceipts::Each => true,
            PartReceipts::First | PartReceipts::One => self.part().is_none_or(|(number, _)| number == 1),
            PartReceipts::Last => self.part().is_none_or(|(number, total)| number == total),
        }
    }

    fn fate(&self, state: MessageState, delay: Duration, now: Now) -> Fate {
        Fate::new(state, now.wall, now.wall.saturating_add(delay), now.wall)
    }

    /// What was planned is not going to happen.
    pub(super) fn stop(&mut self, plans: &mut Plans) {
        if let Some(key) = self.timer.take() {
            plans.cancel(key);
        }
    }

    fn enter(&mut self, state: MessageState, now: Now) {
        self.state = state;
        self.history.push((state, now.wall));
    }

    fn plan_receipt(&mut self, fate: Fate, now: Now, plans: &mut Plans) {
        self.receipts.push(fate);
        self.send_receipt(self.receipts.len() - 1, now, plans);
    }

    /// At once, or when it is due.
    pub(super) fn send_receipt(&mut self, index: usize, now: Now, plans: &mut Plans) {
        let due = self.receipts[index].due;
        if due <= now.wall {
            plans.receipt_is_due(self, index);
        } else {
            self.planned += 1;
            plans.plan(now, due, Act::Receipt(self.number, index));
        }
    }
}

/// Whether a message that ends so gives a receipt: as `registered_delivery` asks (§5.2.17), where nobody says otherwise.
pub(super) fn wants_final(policy: &ReceiptPolicy, asked: RegisteredDelivery, state: MessageState) -> bool {
    match policy.sent.unwrap_or_default() {
        Sent::Always => true,
        Sent::Never => false,
        Sent::Asked if is_success(state) => asked.wants_success(),
        Sent::Asked => asked.wants_failure(),
    }
}

/// Whether a message gives a notification when it becomes ENROUTE: only if it is asked for, as it is SMSC's to offer.
fn wants_intermediate(policy: &ReceiptPolicy, asked: RegisteredDelivery) -> bool {
    policy.sent.unwrap_or_default() != Sent::Never && asked.wants_intermediate()
}
