//! One connection: what the ESME asks, and what it is told. Decisions are the mailbox's; waiting is the driver's.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use smpp_transport::driver::Driver;
use smpp_transport::pdu::{
    Bind, BindResp, Body, COctets, CommandStatus, Empty, InterfaceVersion, MessageId, MessageState, Pdu, Sm, TlvTag,
    Tlvs,
};
use smpp_transport::session::{BindKind, Event, Outcome, Role, State, Ticket};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::sleep_until;

use crate::mailbox::{Answer, Receipt, Verdict};
use crate::registry::{Order, Registry};

/// How often a receipt is refused or not answered before it is given up, and how long after a refusal it is offered again.
const RECEIPT_ATTEMPTS_MAX: u32 = 100;
const RECEIPT_RETRY_DELAY: Duration = Duration::from_secs(5);
/// Receipts taken at once from those that wait.
const RECEIPTS_TAKEN: usize = 100;

pub(crate) struct Peer<S> {
    registry: Arc<Registry>,
    ordinal: u64,
    driver: Driver<S, Receipt>,
    orders: mpsc::Receiver<Order>,
    bound: Option<(usize, BindKind)>,
    /// Whether the ESME may be sent optional parameters.
    tlvs: bool,
    messages: u64,
    due: BinaryHeap<Due>,
    dues: u64,
    waiting: VecDeque<Receipt>,
}

/// What happens at a time. Of two at the same time the one that was planned first comes first.
struct Due {
    at: Duration,
    order: u64,
    act: Act,
}

enum Act {
    Answer(Ticket, Accepted),
    Receipt(Receipt),
}

/// A message on its way to its answer.
struct Accepted {
    verdict: Verdict,
    id: u64,
    receipt: Option<Receipt>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub(crate) fn new(registry: Arc<Registry>, ordinal: u64, orders: mpsc::Receiver<Order>, stream: S) -> Peer<S> {
        let (session, driver) = (registry.config.session.clone(), registry.config.driver.clone());
        Peer {
            driver: Driver::new(stream, Role::Smsc, session, driver),
            registry,
            ordinal,
            orders,
            bound: None,
            tlvs: false,
            messages: 0,
            due: BinaryHeap::new(),
            dues: 0,
            waiting: VecDeque::new(),
        }
    }

    /// Serves the connection until it ends. A fixed order and no hidden chance: what the peer says first, then what is
    /// due, then what others order.
    pub(crate) async fn run(mut self) {
        loop {
            self.do_what_is_due();
            self.deliver_what_waits();
            let next_due = self.due.peek().map_or(Duration::MAX, |due| due.at);
            let wake_at = self.driver.instant(next_due.min(self.driver.now() + Duration::from_secs(3600)));
            tokio::select! {
                biased;
                event = self.driver.next() => match event {
                    Some(event) => self.happened(event),
                    None => break,
                },
                () = sleep_until(wake_at), if next_due < Duration::MAX => self.driver.look_at_the_clock(),
                Some(order) = self.orders.recv() => match order {
                    Order::Deliver(receipt) => self.waiting.push_back(receipt),
                    Order::Unbind => self.driver.unbind(),
                },
            }
        }
        self.leave();
    }

    fn happened(&mut self, event: Event<Receipt>) {
        match event {
            Event::Request(ticket, pdu) => self.asked(ticket, pdu),
            Event::Ended { token, outcome, .. } => self.receipt_ended(token, &outcome),
            Event::Bound(kind) => tracing::info!(connection = self.ordinal, ?kind, "bound"),
            Event::Closed(why) => tracing::info!(connection = self.ordinal, ?why, "closed"),
            Event::Notice(_) => {}
        }
    }

    fn asked(&mut self, ticket: Ticket, pdu: Pdu) {
        match pdu.body {
            Body::BindTransmitter(bind) => self.bind(ticket, &bind, BindKind::Transmitter),
            Body::BindReceiver(bind) => self.bind(ticket, &bind, BindKind::Receiver),
            Body::BindTransceiver(bind) => self.bind(ticket, &bind, BindKind::Transceiver),
            Body::SubmitSm(sm) => self.submit(ticket, &sm),
            // Commands of the standard that this version does not serve.
            _ => self.driver.refuse(ticket, CommandStatus::ESME_RINVCMDID),
        }
    }

    fn bind(&mut self, ticket: Ticket, bind: &Bind, kind: BindKind) {
        match self.registry.bind(self.ordinal, bind.system_id.as_bytes(), bind.password.as_bytes(), kind) {
            Ok(account) => {
                self.bound = Some((account, kind));
                self.tlvs = bind.interface_version.knows_tlvs();
                let mut tlvs = Tlvs::new();
                if self.tlvs {
                    tlvs.push(TlvTag::SC_INTERFACE_VERSION, &[InterfaceVersion::V3_4.0]);
                }
                let system_id = self.registry.config.system_id.clone();
                self.driver.respond(ticket, CommandStatus::ESME_ROK, bind_resp(kind, system_id), tlvs);
            }
            Err(status) => {
                tracing::info!(connection = self.ordinal, %status, "bind refused");
                self.driver.refuse(ticket, status);
            }
        }
    }

    fn submit(&mut self, ticket: Ticket, sm: &Sm) {
        if sm.destination_addr.is_empty() {
            return self.driver.refuse(ticket, CommandStatus::ESME_RINVDSTADR);
        }
        self.messages += 1;
        let behaviour = &self.registry.config.behaviour;
        let verdict = Verdict::draw(behaviour, self.registry.seed, self.ordinal, self.messages);
        let id = self.registry.next_message_id();
        let asks = sm.registered_delivery.wants_failure();
        let receipt = asks.then(|| self.receipt(sm, id, verdict.state)).flatten();
        let delay = verdict.delay;
        let accepted = Accepted { verdict, id, receipt };
        if delay.is_zero() {
            self.answer(ticket, accepted);
        } else {
            self.plan(delay, Act::Answer(ticket, accepted));
        }
    }

    fn receipt(&self, sm: &Sm, id: u64, state: MessageState) -> Option<Receipt> {
        Receipt::asked_for(sm, &id.to_string(), state, self.registry.clock.unix())
    }

    fn answer(&mut self, ticket: Ticket, accepted: Accepted) {
        let Accepted { verdict, id, receipt } = accepted;
        let sequence = ticket.sequence();
        self.lie_first(&verdict, sequence);
        match verdict.answer {
            Answer::Accept => self.accept(ticket, id),
            Answer::AcceptTwice => {
                self.accept(ticket, id);
                self.inject(CommandStatus::ESME_ROK, sequence, submit_sm_resp(id));
            }
            Answer::AcceptSilently => self.driver.forget(ticket),
            Answer::Refuse(status) => self.driver.refuse(ticket, status),
            Answer::Nack => {
                self.driver.forget(ticket);
                self.inject(CommandStatus::ESME_RSYSERR, sequence, Body::GenericNack(Empty {}));
            }
            Answer::HangUp => {
                self.driver.forget(ticket);
                return self.driver.close();
            }
        }
        if let Some(receipt) = receipt.filter(|_| verdict.answer.accepts()) {
            self.plan(verdict.receipt_delay, Act::Receipt(receipt));
        }
        if verdict.unbind {
            self.driver.unbind();
        }
    }

    fn accept(&mut self, ticket: Ticket, id: u64) {
        self.driver.respond(ticket, CommandStatus::ESME_ROK, submit_sm_resp(id), Tlvs::new());
    }

    /// What a broken peer says before it answers.
    fn lie_first(&mut self, verdict: &Verdict, sequence: u32) {
        if verdict.invented {
            self.inject(CommandStatus::ESME_ROK, sequence ^ 0x4000_0000, submit_sm_resp(0));
        }
        if verdict.mistyped {
            self.inject(CommandStatus::ESME_ROK, sequence, Body::EnquireLinkResp(Empty {}));
        }
    }

    fn inject(&mut self, status: CommandStatus, sequence: u32, body: Body) {
        if self.driver.state() != State::Closed {
            let mut octets = BytesMut::new();
            Pdu::new(status, sequence, body).encode(&mut octets);
            self.driver.inject(&octets);
        }
    }

    fn plan(&mut self, delay: Duration, act: Act) {
        self.dues += 1;
        self.due.push(Due { at: self.driver.now() + delay, order: self.dues, act });
    }

    fn do_what_is_due(&mut self) {
        while self.due.peek().is_some_and(|due| due.at <= self.driver.now())
            && let Some(due) = self.due.pop()
        {
            match due.act {
                Act::Answer(ticket, accepted) => self.answer(ticket, accepted),
                Act::Receipt(receipt) => self.offer(receipt),
            }
        }
    }

    /// A receipt goes to the session that submitted, if that receives; else to another of the account.
    fn offer(&mut self, receipt: Receipt) {
        match self.bound {
            Some((_, kind)) if kind.receives() => self.waiting.push_back(receipt),
            Some((account, _)) => self.registry.route(account, receipt),
            None => {}
        }
    }

    fn deliver_what_waits(&mut self) {
        let Some((account, kind)) = self.bound else { return };
        if !kind.receives() || self.driver.state().bound().is_none() {
            return;
        }
        if self.waiting.is_empty() {
            self.waiting.extend(self.registry.take_held(account, RECEIPTS_TAKEN));
        }
        while self.driver.has_room()
            && let Some(receipt) = self.waiting.pop_front()
        {
            let (sm, tlvs) = receipt.deliver_sm(self.registry.clock.unix(), self.tlvs);
            if let Err((_, receipt)) = self.driver.request(Body::DeliverSm(sm), tlvs, receipt) {
                self.waiting.push_front(receipt);
                return;
            }
        }
    }

    /// A receipt that the ESME could not take now is offered again later; one that it refuses for good is done with.
    fn receipt_ended(&mut self, mut receipt: Receipt, outcome: &Outcome) {
        // A session that ended says nothing about the receipt.
        receipt.attempts += u32::from(!matches!(outcome, Outcome::Lost(_)));
        let again = receipt.attempts < RECEIPT_ATTEMPTS_MAX;
        match outcome {
            Outcome::Answered(pdu) if again && is_temporary(pdu.status) => {
                self.plan(RECEIPT_RETRY_DELAY, Act::Receipt(receipt));
            }
            Outcome::Expired if again => self.plan(Duration::ZERO, Act::Receipt(receipt)),
            Outcome::Lost(_) if again => self.waiting.push_back(receipt),
            Outcome::Answered(_) | Outcome::Expired | Outcome::Lost(_) => {}
        }
    }

    /// What is still due to the account waits for its next session.
    fn leave(mut self) {
        self.registry.close(self.ordinal);
        let Some((account, _)) = self.bound else { return };
        self.orders.close();
        while let Ok(order) = self.orders.try_recv() {
            match order {
                Order::Deliver(receipt) => self.waiting.push_back(receipt),
                Order::Unbind => {}
            }
        }
        let due = self.due.into_sorted_vec().into_iter().rev().filter_map(|due| match due.act {
            Act::Receipt(receipt) => Some(receipt),
            Act::Answer(..) => None,
        });
        self.waiting.into_iter().chain(due).for_each(|receipt| self.registry.route(account, receipt));
    }
}

fn bind_resp(kind: BindKind, system_id: COctets<16>) -> Body {
    let body = Some(BindResp { system_id });
    match kind {
        BindKind::Transmitter => Body::BindTransmitterResp(body),
        BindKind::Receiver => Body::BindReceiverResp(body),
        BindKind::Transceiver => Body::BindTransceiverResp(body),
    }
}

fn submit_sm_resp(id: u64) -> Body {
    let message_id = COctets::new(id.to_string()).expect("a number has at most 20 digits");
    Body::SubmitSmResp(Some(MessageId { message_id }))
}

/// Statuses with which an ESME asks for a message again.
fn is_temporary(status: CommandStatus) -> bool {
    matches!(
        status,
        CommandStatus::ESME_RX_T_APPN
            | CommandStatus::ESME_RMSGQFUL
            | CommandStatus::ESME_RTHROTTLED
            | CommandStatus::ESME_RSYSERR
    )
}

impl Ord for Due {
    /// The heap gives the greatest: the earliest.
    fn cmp(&self, other: &Due) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}
impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Due) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Due {
    fn eq(&self, other: &Due) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Due {}
