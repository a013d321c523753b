//! What is to be delivered, and to whom: a session of the account that is bound to receive, and whose address_range has the
//! address; of those the one that the delivery wants, else each in turn. What nobody may have now waits for a bind.

use std::sync::Arc;
use std::time::Duration;

use smpp_transport::pdu::{Body, CommandStatus, Tlvs};

use super::{Hub, Inner, Order};
use crate::message::{Defect, Due, Now, Outcome, Receipt};
use crate::mo::{FieldError, Mo};
use crate::policy::Which;

/// A receipt or a mobile-originated message on its way.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) account: usize,
    /// The session that it is for, or comes from.
    pub(crate) session: Option<u64>,
    pub(crate) which: Which,
    pub(crate) content: Content,
    /// How often it was refused for now, or not answered.
    pub(crate) attempts: u32,
    /// Whether it goes before the response to its message.
    pub(crate) early: bool,
    /// By which the waiting are counted, and those known that were forgotten.
    counted: Arc<()>,
}

#[derive(Debug)]
pub(crate) enum Content {
    /// What became of a message.
    Receipt(Box<Receipt>),
    /// A mobile-originated message, by its number.
    Mo { number: u64, pdu: Box<(Body, Tlvs)> },
}

impl Delivery {
    /// The deliver_sm or data_sm.
    pub(crate) fn pdu(&self, knows_tlvs: bool) -> (Body, Tlvs) {
        match &self.content {
            Content::Receipt(receipt) => receipt.pdu(knows_tlvs),
            Content::Mo { pdu, .. } => (**pdu).clone(),
        }
    }

    /// The defect of the PDU, if it is to have one.
    pub(crate) fn defect(&self, knows_tlvs: bool) -> Option<Defect> {
        match &self.content {
            Content::Receipt(receipt) => receipt.defect(knows_tlvs),
            Content::Mo { .. } => None,
        }
    }

    /// The message that it is a receipt of.
    pub(crate) fn message(&self) -> Option<u64> {
        match &self.content {
            Content::Receipt(receipt) => Some(receipt.number),
            Content::Mo { .. } => None,
        }
    }

    fn destination(&self) -> String {
        match &self.content {
            Content::Receipt(receipt) => receipt.destination(),
            Content::Mo { pdu, .. } => match &pdu.0 {
                Body::DeliverSm(sm) => sm.destination_addr.text(),
                Body::DataSm(data) => data.destination_addr.text(),
                _ => String::new(),
            },
        }
    }
}

/// What became of a delivery, this time.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fate {
    /// It was answered so.
    Answered(CommandStatus),
    /// It is offered again; this was the answer, if there was one.
    Again(Option<CommandStatus>),
    /// It was offered too often.
    GivenUp,
}

impl Fate {
    fn outcome(self) -> (Outcome, Option<CommandStatus>) {
        match self {
            Fate::Answered(CommandStatus::ESME_ROK) => (Outcome::Accepted, Some(CommandStatus::ESME_ROK)),
            Fate::Answered(status) => (Outcome::Refused, Some(status)),
            Fate::Again(status) => (Outcome::Waiting, status),
            Fate::GivenUp => (Outcome::GivenUp, None),
        }
    }
}

/// A mobile-originated message: what is told of it.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) account: usize,
    pub(super) session: Option<u64>,
    pub(super) attempts: u32,
    pub(super) fate: Option<Fate>,
    /// Reason why the last response could not be read.
    pub(super) error: Option<String>,
}

/// Mobile-originated messages that are still to be made.
pub(super) struct Job {
    mo: Mo,
    account: usize,
    left: u32,
    interval: Duration,
    next: Duration,
}

/// Mobile-originated messages of which something is remembered.
const SENT_MAX: usize = 100_000;
/// Lists of mobile-originated messages that are being sent at a rate.
const JOBS_MAX: usize = 1_000;
/// Parts that one order makes, all its times together.
const DELIVERY_MAX: usize = 100_000;

impl Inner {
    /// Routes what has become due. What the session `from` is to deliver itself is given back.
    pub(super) fn route_what_is_due(&mut self, from: Option<u64>) -> Vec<Delivery> {
        let mut here = Vec::new();
        while let Some(Due { account, session, which, before_response, receipt }) = self.mailbox.poll_due() {
            let Some(account) = self.account_named(&account) else { continue };
            let content = Content::Receipt(Box::new(receipt));
            let delivery = Delivery {
                account,
                session: Some(session),
                which,
                content,
                attempts: 0,
                early: before_response,
                counted: Arc::clone(&self.waiting),
            };
            if let Some(delivery) = self.admit(delivery) {
                here.extend(self.route(delivery, from));
            }
        }
        here
    }

    /// Lets a new delivery in, which is counted already, unless there are too many.
    fn admit(&mut self, delivery: Delivery) -> Option<Delivery> {
        if self.waiting() > self.deliveries_max {
            self.dropped += 1;
            tracing::warn!("too many deliveries wait: one is dropped");
            return None;
        }
        Some(delivery)
    }

    /// Deliveries that wait for a session or an answer.
    pub(super) fn waiting(&self) -> usize {
        Arc::strong_count(&self.waiting) - 1
    }

    /// Gives a delivery to a session, or holds it until one binds. One for the session `from` is given back.
    pub(super) fn route(&mut self, delivery: Delivery, from: Option<u64>) -> Option<Delivery> {
        if !self.is_wanted(&delivery) {
            return None;
        }
        let Some(session) = self.session_for(&delivery) else {
            self.accounts[delivery.account].held.push_back(delivery);
            return None;
        };
        if Some(session) == from {
            return Some(delivery);
        }
        if let Some(connection) = self.connections.get_mut(&session) {
            connection.tell(Order::Deliver(delivery));
        }
        None
    }

    /// Those of an account for which there is no session.
    pub(super) fn held(&self, account: usize) -> usize {
        self.accounts[account].held.len()
    }

    /// Whether it is of the time since all was last forgotten.
    pub(super) fn is_wanted(&self, delivery: &Delivery) -> bool {
        Arc::ptr_eq(&delivery.counted, &self.waiting)
    }

    /// Offers again what was put off until now, to whoever may have it; gives when the next is.
    pub(super) fn offer_again(&mut self, now: Now) -> Option<Duration> {
        while let Some(first) = self.later.first_entry() {
            if first.key().0 > now.mono {
                return Some(first.key().0);
            }
            let delivery = first.remove();
            self.route(delivery, None);
        }
        None
    }

    fn session_for(&mut self, delivery: &Delivery) -> Option<u64> {
        let wanted = delivery.session.filter(|session| self.may_have(*session, delivery));
        match (delivery.which, wanted) {
            (Which::Same, Some(session)) => Some(session),
            (Which::Other, _) => self.next_in_turn(delivery, wanted).or(wanted),
            (Which::Same | Which::Any, _) => self.next_in_turn(delivery, None),
        }
    }

    /// The next receiver of the account that may have it, other than `but`.
    fn next_in_turn(&mut self, delivery: &Delivery, but: Option<u64>) -> Option<u64> {
        let account = &self.accounts[delivery.account];
        let count = account.receivers.len();
        let places = (0..count).map(|step| (account.turn + step) % count);
        let place = places.into_iter().find(|place| {
            let session = account.receivers[*place];
            Some(session) != but && self.may_have(session, delivery)
        })?;
        let session = account.receivers[place];
        self.accounts[delivery.account].turn = place + 1;
        Some(session)
    }

    fn may_have(&self, session: u64, delivery: &Delivery) -> bool {
        let bound = self.connections.get(&session).and_then(|connection| connection.bound.as_ref());
        bound.is_some_and(|bound| {
            bound.account == delivery.account
                && bound.kind.receives()
                && bound.range.as_ref().is_none_or(|range| range.is_match(&delivery.destination()))
        })
    }

    fn account_named(&self, system_id: &str) -> Option<usize> {
        self.names.get(system_id).copied()
    }

    /// Makes the messages whose time has come; gives when the next one's will.
    pub(super) fn run_jobs(&mut self, now: Now) -> Option<Duration> {
        for mut job in std::mem::take(&mut self.jobs) {
            while job.left > 0 && job.next <= now.mono {
                job.left -= 1;
                job.next = job.next.saturating_add(job.interval);
                self.make(&job.mo, job.account);
            }
            if job.left > 0 {
                self.jobs.push(job);
            }
        }
        self.jobs.iter().map(|job| job.next).min()
    }

    /// Sends one message, in as many parts as it needs; gives the numbers of the parts.
    fn make(&mut self, mo: &Mo, account: usize) -> Vec<u64> {
        self.references = self.references.wrapping_add(1);
        // It was tried when it was ordered: nothing in it changes but the reference.
        let pdus = mo.pdus(mo.reference.unwrap_or(self.references)).unwrap_or_default();
        let mut numbers = Vec::with_capacity(pdus.len());
        for pdu in pdus {
            self.deliveries += 1;
            let number = self.deliveries;
            let content = Content::Mo { number, pdu: Box::new(pdu) };
            let which = if mo.session.is_some() { Which::Same } else { Which::Any };
            let delivery = Delivery {
                account,
                session: mo.session,
                which,
                content,
                attempts: 0,
                early: false,
                counted: Arc::clone(&self.waiting),
            };
            if let Some(delivery) = self.admit(delivery) {
                self.sent.insert(number, Sent { account, session: None, attempts: 0, fate: None, error: None });
                numbers.push(number);
                self.route(delivery, None);
            }
        }
        while self.sent.len() > SENT_MAX {
            self.sent.pop_first();
        }
        numbers
    }
}

impl Hub {
    /// Whether it was not forgotten since it was made.
    pub(crate) fn is_wanted(&self, delivery: &Delivery) -> bool {
        self.inner().is_wanted(delivery)
    }

    /// Offers a delivery again after this time, whatever becomes of the session that it comes from.
    pub(crate) fn offer_later(&self, delivery: Delivery, delay: Duration) {
        let at = self.now().mono.saturating_add(delay);
        let mut inner = self.inner();
        inner.put_off += 1;
        let order = inner.put_off;
        inner.later.insert((at, order), delivery);
        drop(inner);
        self.tell_of_something_sooner();
    }

    /// A delivery has been written.
    pub(crate) fn sent(&self, delivery: &Delivery, session: u64) {
        let now = self.now();
        let mut inner = self.inner();
        match &delivery.content {
            Content::Receipt(receipt) => inner.mailbox.sent(now, receipt.number, receipt.index, session),
            Content::Mo { number, .. } => {
                if let Some(sent) = inner.sent.get_mut(number) {
                    (sent.session, sent.fate) = (Some(session), None);
                    sent.attempts += 1;
                }
            }
        }
    }

    /// What became of a delivery that was written.
    pub(crate) fn ended(&self, delivery: &Delivery, fate: Fate, error: Option<String>) {
        let now = self.now();
        let mut inner = self.inner();
        match &delivery.content {
            Content::Receipt(receipt) => {
                let (outcome, status) = fate.outcome();
                inner.mailbox.ended(now, receipt.number, receipt.index, outcome, status);
            }
            Content::Mo { number, .. } => {
                if let Some(sent) = inner.sent.get_mut(number) {
                    (sent.fate, sent.error) = (Some(fate), error);
                }
            }
        }
        drop(inner);
        self.tell_of_change();
    }

    /// Sends a mobile-originated message, once or many times; gives the numbers of what is sent at once.
    ///
    /// # Errors
    /// With the field that cannot be.
    pub(crate) fn deliver(&self, mo: &Mo) -> Result<Vec<u64>, FieldError> {
        let parts = mo.pdus(1)?.len();
        if parts * mo.count as usize > DELIVERY_MAX {
            let words = format!("is {} with {parts} parts each: {DELIVERY_MAX} parts in all are allowed", mo.count);
            return Err(FieldError::new("count", words));
        }
        let account = self.account_of(mo)?;
        let now = self.now();
        let mut inner = self.inner();
        let at_once = if mo.rate > 0.0 { 1.min(mo.count) } else { mo.count };
        let numbers = (0..at_once).flat_map(|_| inner.make(mo, account)).collect();
        if mo.count > at_once && inner.jobs.len() >= JOBS_MAX {
            tracing::warn!("too many lists of messages are being sent: of one only the first is");
        } else if mo.count > at_once {
            let interval = Duration::try_from_secs_f64(1.0 / mo.rate).unwrap_or(Duration::MAX);
            let (left, next) = (mo.count - at_once, now.mono.saturating_add(interval));
            inner.jobs.push(Job { mo: mo.clone(), account, left, interval, next });
            self.tell_of_something_sooner();
        }
        Ok(numbers)
    }

    fn account_of(&self, mo: &Mo) -> Result<usize, FieldError> {
        let inner = self.inner();
        if let Some(session) = mo.session {
            let connection = inner.connections.get(&session);
            let bound = connection.and_then(|connection| connection.bound.as_ref());
            let words = || format!("is {session}: none of that number is bound");
            let bound = bound.ok_or_else(|| FieldError::new("session", words()))?;
            if !bound.kind.receives() {
                let words = format!("is {session}, which is bound as transmitter: a receiver is wanted");
                return Err(FieldError::new("session", words));
            }
            return Ok(bound.account);
        }
        let names =
            || self.config.accounts.iter().map(|account| account.system_id.as_str()).collect::<Vec<_>>().join(", ");
        match &mo.account {
            Some(name) => inner
                .names
                .get(name.as_str())
                .copied()
                .ok_or_else(|| FieldError::new("account", format!("is {name:?}: there are {}", names()))),
            None if self.config.accounts.len() == 1 => Ok(0),
            None => Err(FieldError::new("account", format!("is not given, and there are several: {}", names()))),
        }
    }
}
