//! One connection: what the ESME asks, what it is told, and what is delivered to it. What is right is the messages' affair
//! and the rules'; waiting is the driver's.

mod answer;
mod decide;
mod deliver;
mod look;
mod step;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use smpp_transport::driver::Driver;
use smpp_transport::pdu::{Body, Outbind, Pdu, Tlvs};
use smpp_transport::session::{BindKind, Event, Role, SessionConfig, Ticket};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio::time::sleep_until;

use crate::hub::{Delivery, Gauges, Hub, Order};
use crate::line::Line;
use crate::rules::{Answer, Operation};
use answer::Reply;
use decide::Verdict;

/// A connection that has been opened, from either side.
pub(crate) struct Peer<S> {
    hub: Arc<Hub>,
    number: u64,
    driver: Driver<Line<S>, Delivery>,
    /// Told when there are orders.
    wake: Arc<Notify>,
    gauges: Arc<Gauges>,
    /// Makes the stream end in a reset.
    reset: fn(&mut S),
    bound: Option<Bound>,
    /// Requests of the ESME's so far: the number of each is what its chances are drawn by.
    requests: u64,
    unanswered: usize,
    due: BinaryHeap<Due>,
    dues: u64,
    /// Questions whose answers let those to later ones pass, and how many still.
    behind: Vec<(u64, Question)>,
    waiting: VecDeque<Delivery>,
    /// Receipts of messages whose response is still to come, by the number of the message.
    held_back: BTreeMap<u64, Vec<Delivery>>,
    /// Deliveries that were outstanding when the session ended.
    lost: Vec<Delivery>,
    /// What has happened and was not dealt with yet.
    events: VecDeque<Event<Delivery>>,
    /// Until when nothing is read or written.
    silent_until: Option<Duration>,
    is_cut: bool,
}

#[derive(Clone, Copy)]
struct Bound {
    account: usize,
    kind: BindKind,
    /// When it was bound, by the driver's clock.
    at: Duration,
    /// Whether the ESME may be sent optional parameters.
    tlvs: bool,
    /// Requests of its that may be unanswered.
    window: usize,
}

/// A request on its way to its answer.
struct Question {
    ticket: Ticket,
    pdu: Pdu,
    /// Its place among those of the connection.
    ordinal: u64,
    verdict: Option<Verdict>,
    /// What is answered, where that was found out before its time.
    reply: Option<Reply>,
}

/// What happens at a time. Of two at the same time the one that was planned first comes first.
struct Due {
    at: Duration,
    order: u64,
    act: Act,
}

enum Act {
    Answer(Box<Question>),
    /// The question of this place lets no more answers pass.
    CatchUp(u64),
}

/// How long an answer waits for others to pass it.
const BEHIND_MAX: Duration = Duration::from_secs(1);
/// How long to sleep when nothing is due.
const LONG: Duration = Duration::from_secs(3_600);

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub(crate) fn new(
        hub: Arc<Hub>,
        (number, wake, gauges): (u64, Arc<Notify>, Arc<Gauges>),
        stream: Line<S>,
        reset: fn(&mut S),
    ) -> Peer<S> {
        let session = SessionConfig { inbound_window: hub.inbound_window, ..hub.config.session.clone() };
        let driver = hub.config.driver.clone();
        Peer {
            driver: Driver::new(stream, Role::Smsc, session, driver),
            hub,
            number,
            wake,
            gauges,
            reset,
            bound: None,
            requests: 0,
            unanswered: 0,
            due: BinaryHeap::new(),
            dues: 0,
            behind: Vec::new(),
            waiting: VecDeque::new(),
            held_back: BTreeMap::new(),
            lost: Vec::new(),
            events: VecDeque::new(),
            silent_until: None,
            is_cut: false,
        }
    }

    /// Asks the ESME, whom the simulator has dialled, to bind (§4.1.7), and serves it.
    pub(crate) async fn run_outbind(mut self, outbind: Outbind) {
        if let Err(refused) = self.driver.notify(Body::Outbind(outbind), Tlvs::new()) {
            tracing::warn!(?refused, "outbind could not be sent");
        }
        self.run().await;
    }

    /// Serves the connection until it ends. A fixed order and no hidden chance: what the peer says first, then what is
    /// due, then what others order.
    pub(crate) async fn run(mut self) {
        self.greet();
        while !self.is_cut {
            self.do_what_is_due();
            self.deliver_what_waits();
            self.show();
            if let Some(until) = self.silent_until {
                self.stay_silent(until).await;
                continue;
            }
            if let Some(event) = self.events.pop_front() {
                self.happened(event);
                continue;
            }
            let next_due = self.due.peek().map_or(Duration::MAX, |due| due.at);
            let wake_at = self.driver.instant(next_due.min(self.driver.now() + LONG));
            let wake = Arc::clone(&self.wake);
            tokio::select! {
                biased;
                event = self.driver.next() => match event {
                    Some(event) => self.happened(event),
                    None => break,
                },
                () = sleep_until(wake_at), if next_due < Duration::MAX => self.driver.look_at_the_clock(),
                () = wake.notified() => self.take_orders(),
            }
        }
        self.leave();
    }

    /// What is done to a connection before anything is said on it.
    fn greet(&mut self) {
        let Some(Verdict { then, .. }) = self.decide(Operation::Connect, None) else { return };
        if then.answer == Answer::Never {
            self.silent_until = Some(Duration::MAX);
        } else if !then.delay.is_none() {
            self.silent_until = Some(self.hub.draw(self.number, 0, &then.delay));
        }
        self.take_steps(&then.before, 1, None);
    }

    /// Nothing is read or written, and the connection stays open, until the time is up or others say so.
    async fn stay_silent(&mut self, until: Duration) {
        let at = self.driver.instant(until);
        tokio::select! {
            biased;
            () = self.wake.notified() => self.take_orders(),
            () = sleep_until(at) => self.silent_until = None,
        }
        self.driver.look_at_the_clock();
    }

    fn happened(&mut self, event: Event<Delivery>) {
        match event {
            Event::Request(ticket, pdu) => self.asked(ticket, pdu),
            Event::Ended { token, outcome, .. } => self.delivery_ended(token, &outcome),
            Event::Bound(kind) => tracing::info!(session = self.number, ?kind, "bound"),
            Event::Closed(why) => tracing::info!(session = self.number, ?why, "closed"),
            Event::Notice(_) => {}
        }
    }

    /// Whatever is ordered while the connection is silent makes it speak again, but for deliveries: they wait.
    fn take_orders(&mut self) {
        while let Some(order) = self.hub.next_order(self.number) {
            match order {
                Order::Deliver(delivery) => self.waiting.push_back(delivery),
                Order::Step(step) => {
                    self.silent_until = None;
                    self.take_step(&step, 1);
                }
                Order::Forget => self.forget(),
                Order::BeginAnew => self.requests = 0,
                Order::Unbind => {
                    self.silent_until = None;
                    self.driver.unbind();
                }
            }
        }
    }

    /// What was to be delivered before all was forgotten is not to be delivered any more. There may be later ones already.
    fn forget(&mut self) {
        let (hub, number) = (Arc::clone(&self.hub), self.number);
        let is_wanted = |delivery: &Delivery| hub.is_wanted(delivery);
        tracing::debug!(session = number, "deliveries are forgotten");
        self.waiting.retain(is_wanted);
        self.held_back.values_mut().for_each(|held| held.retain(is_wanted));
    }

    fn plan(&mut self, delay: Duration, act: Act) {
        self.dues += 1;
        self.due.push(Due { at: self.driver.now().saturating_add(delay), order: self.dues, act });
    }

    fn do_what_is_due(&mut self) {
        while self.due.peek().is_some_and(|due| due.at <= self.driver.now())
            && let Some(due) = self.due.pop()
        {
            match due.act {
                Act::Answer(question) => self.answer(*question),
                Act::CatchUp(ordinal) => self.catch_up(ordinal),
            }
        }
    }

    /// What others see of the connection.
    fn show(&mut self) {
        Gauges::set(&self.gauges.outstanding, self.driver.outstanding());
        Gauges::set(&self.gauges.unanswered, self.unanswered);
        Gauges::set(&self.gauges.waiting, self.waiting.len());
        let is_faulty = self.silent_until.is_some() || self.driver.stream_mut().is_slow();
        Gauges::set(&self.gauges.faulty, usize::from(is_faulty));
    }

    /// What is still to be delivered is others' to do, in the order that it had.
    fn leave(mut self) {
        self.lose_what_is_outstanding();
        let mut left = std::mem::take(&mut self.lost);
        left.extend(std::mem::take(&mut self.held_back).into_values().flatten());
        left.extend(std::mem::take(&mut self.waiting));
        left.extend(self.behind.drain(..).flat_map(|(_, question)| question.receipts()));
        let mut due = std::mem::take(&mut self.due).into_sorted_vec();
        due.reverse();
        left.extend(due.into_iter().flat_map(|due| match due.act {
            Act::Answer(question) => question.receipts(),
            Act::CatchUp(_) => Vec::new(),
        }));
        self.hub.close(self.number, left);
    }

    /// A reset leaves the session no time to end: it is told here. It gives back what was outstanding, and what had ended
    /// already, without the line.
    fn lose_what_is_outstanding(&mut self) {
        for event in std::mem::take(&mut self.events) {
            if let Event::Ended { token, outcome, .. } = event {
                self.delivery_ended(token, &outcome);
            }
        }
        self.driver.close();
        while let Some(event) = self.driver.next_without_line() {
            if let Event::Ended { token, outcome, .. } = event {
                self.delivery_ended(token, &outcome);
            }
        }
    }
}

impl Question {
    fn receipts(self) -> Vec<Delivery> {
        self.reply.map(Reply::into_receipts).unwrap_or_default()
    }
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
