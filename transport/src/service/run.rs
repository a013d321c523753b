//! The one loop of the service.

mod links;

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::task::coop::unconstrained;
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::Instrument as _;

use super::age::age;
use super::link::{Link, LinkHealth, State, Task, Told};
use super::outward::{Intake, Outgoing};
use super::sharing::{Change, Sharing};
use super::{Metrics, ServiceConfig, Shared};
use crate::bus::{self, Bus};
use crate::driver::{Connect, RequestError, Submitted};
use crate::env::{Seed, WallClock};
use crate::outbound::{Again, Answer, End, Job, Queue, QueueConfig, Verdict};
use crate::store::{Early, Expired, PartOf, Store};

/// What links have told and the loop has not heard, at most; beyond it they wait, and the SMSC is put off.
const TOLD_MAX: usize = 1_000;
/// How often the store is asked what has expired, if nobody knows of anything, or a clock that was wrong says when.
pub const EXPIRY_INTERVAL: Duration = Duration::from_secs(60);

type Work = Pin<Box<dyn Future<Output = Done> + Send>>;

/// What a step has come to.
enum Done {
    Submitted {
        on: (usize, u64),
        tag: u64,
        job: Job,
        part: u8,
        result: Result<Submitted, RequestError>,
        took: Duration,
    },
    Remembered {
        job: Job,
        part: u8,
        early: Vec<Early>,
    },
    Found(Expired),
    Expired,
    Nothing,
}

/// A transport between one bus, one store and its links.
///
/// ```no_run
/// use std::sync::Arc;
///
/// use smpp_transport::bus::memory::Memory;
/// use smpp_transport::driver::{ClientConfig, Tcp};
/// use smpp_transport::env::{Seed, SystemClock};
/// use smpp_transport::service::{Link, Service, ServiceConfig};
/// use smpp_transport::session::BindKind;
/// use smpp_transport::store::{self, Store, StoreLimits};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = ClientConfig::new(BindKind::Transceiver, "smppclient1".parse()?, "password".parse()?);
/// let bus = Memory::new();
/// let store = Store::Memory(store::Memory::new(StoreLimits::default()));
/// let service = Service::new(ServiceConfig::default(), bus.connect(20), store, Arc::new(SystemClock), Seed(1));
/// let link = (Link::new("trx", client), Tcp { address: "127.0.0.1:2775".to_owned() });
/// bus.put(r#"{"to_addr": "27820001001", "from_addr": "1001", "content": "Hello"}"#);
/// service.run([link], std::future::pending()).await;
/// # Ok(())
/// # }
/// ```
pub struct Service {
    shared: Arc<Shared>,
    outbound: bus::Outbound,
    seed: Seed,
    health: watch::Sender<Vec<LinkHealth>>,
    settings: watch::Sender<QueueConfig>,
}

impl Service {
    /// A service that does nothing yet.
    #[must_use]
    pub fn new(config: ServiceConfig, bus: Bus, store: Store, clock: Arc<dyn WallClock>, seed: Seed) -> Service {
        let Bus { outbound, publisher, .. } = bus;
        if Sharing::new(config.unbound_grace).is_paused() {
            outbound.pause();
        }
        let metrics = Arc::<Metrics>::default();
        let stores = (store.clone(), store);
        let settings = watch::Sender::new(config.queue.clone());
        let shared = Arc::new(Shared::new(config, stores, publisher, clock, seed, metrics));
        Service { shared, outbound, seed, health: watch::Sender::new(Vec::new()), settings }
    }

    /// Takes references and sequence numbers from another store than all else.
    #[must_use]
    pub fn with_sequencer(mut self, sequencer: Store) -> Service {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.sequencer = sequencer;
        }
        self
    }

    /// What is counted.
    #[must_use]
    pub fn metrics(&self) -> Arc<Metrics> {
        Arc::clone(&self.shared.metrics)
    }

    /// How messages wait: what is sent here counts from then on.
    #[must_use]
    pub fn settings(&self) -> watch::Sender<QueueConfig> {
        self.settings.clone()
    }

    /// How the links are: now, and whenever that changes.
    #[must_use]
    pub fn health(&self) -> watch::Receiver<Vec<LinkHealth>> {
        self.health.subscribe()
    }

    /// Runs until `shutdown` completes; then finishes or gives back what is outstanding, unbinds, and ends, within the
    /// configured time.
    pub async fn run<C>(self, links: impl IntoIterator<Item = (Link, C)>, shutdown: impl Future<Output = ()>)
    where
        C: Connect + Send + 'static,
    {
        let Service { shared, outbound, seed, health, settings } = self;
        let (told, hears) = mpsc::channel(TOLD_MAX);
        let (mut states, mut tasks, mut stops) = (Vec::new(), JoinSet::new(), Vec::new());
        for (number, (link, connect)) in links.into_iter().enumerate() {
            let mut link = link;
            link.client.observer = shared.metrics.observer(&link.name);
            states.push(State::new(&link, shared.now()));
            // One for each: who hears of one first of several is left to chance.
            let (stop, stopped) = watch::channel(false);
            stops.push(stop);
            let span = tracing::info_span!(target: super::LINKS, "link", name = link.name);
            tasks.spawn(
                Task {
                    number,
                    link,
                    connect,
                    told: told.clone(),
                    store: shared.sequencer.clone(),
                    clock: Arc::clone(&shared.clock),
                    rng: seed.stream("reconnect", number as u64),
                    stop: stopped,
                }
                .run()
                .instrument(span),
            );
        }
        drop(told);
        let run = Run {
            queue: Queue::new(shared.config.queue.clone()),
            settings: settings.subscribe(),
            sharing: Sharing::new(shared.config.unbound_grace),
            shared,
            lines_lost: outbound.lines_lost(),
            outbound,
            links: states,
            hears,
            work: FuturesUnordered::new(),
            arrived: VecDeque::new(),
            intake: None,
            start: Instant::now(),
            expiry_at: None,
            is_expiring: false,
            is_paused: false,
            paused_since: None,
            submits: 0,
            stop_by: None,
            health,
        };
        run.run(shutdown, &stops, tasks).await;
    }
}

struct Run {
    shared: Arc<Shared>,
    outbound: bus::Outbound,
    /// How often its line had been lost when that was last looked at.
    lines_lost: u64,
    queue: Queue<Outgoing>,
    sharing: Sharing,
    settings: watch::Receiver<QueueConfig>,
    links: Vec<State>,
    hears: mpsc::Receiver<(usize, Told)>,
    work: FuturesUnordered<Work>,
    /// What came from the bus, and is not under way.
    arrived: VecDeque<bus::Delivery>,
    /// What is made ready of that: one at a time, so that the order is kept.
    intake: Option<Pin<Box<dyn Future<Output = Intake> + Send>>>,
    start: Instant,
    /// When the store is asked next what has expired.
    expiry_at: Option<Instant>,
    is_expiring: bool,
    is_paused: bool,
    /// Since when sending is paused, without the time that metrics have counted.
    paused_since: Option<Duration>,
    /// How many have been sent, which numbers them.
    submits: u64,
    /// When it must have ended, once it is to end.
    stop_by: Option<Instant>,
    health: watch::Sender<Vec<LinkHealth>>,
}

impl Run {
    async fn run(mut self, shutdown: impl Future<Output = ()>, stops: &[watch::Sender<bool>], mut tasks: JoinSet<()>) {
        let mut shutdown = std::pin::pin!(shutdown);
        if !self.links.iter().any(|link| link.transmits) {
            // Others may send what is on the bus.
            self.outbound.stop();
        }
        self.show();
        while !self.is_over() {
            self.give_back_what_is_void();
            // One time for all steps until the next wait: clocks are slow.
            let instant = Instant::now();
            let now = instant.saturating_duration_since(self.start);
            self.share(instant);
            self.take_in_what_has_arrived();
            self.settle_expired(now);
            self.submit_what_may_go(now);
            let wake = self.wake_at(instant);
            let by = self.stop_by;
            tokio::select! {
                biased;
                () = &mut shutdown, if by.is_none() => self.begin_to_stop(),
                Ok(()) = self.settings.changed() => self.queue.follow(self.start.elapsed(), self.settings.borrow_and_update().clone()),
                Some((link, told)) = self.hears.recv() => self.heard(link, told),
                // Without a budget, as tokio wakes those that have used theirs up in the opposite order.
                Some(done) = unconstrained(self.work.next()), if !self.work.is_empty() => self.done(done),
                intake = ready(&mut self.intake) => self.taken_in(intake),
                delivery = self.outbound.next(), if self.takes_from_the_bus() => match delivery {
                    Some(delivery) => self.arrives(delivery),
                    // The bus has ended by itself: there is nothing left to do but to end.
                    None => self.begin_to_stop(),
                },
                () = sleep_until(wake) => self.look_for_what_has_expired(),
                () = sleep_until(by.unwrap_or(self.start)), if by.is_some() => break,
            }
        }
        self.end(stops, &mut tasks).await;
    }

    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    /// Whether the bus has anything for this process. It never hands out more than may be out at once.
    fn takes_from_the_bus(&self) -> bool {
        self.stop_by.is_none() && self.links.iter().any(|link| link.transmits)
    }

    fn is_bound(&self) -> bool {
        self.links.iter().any(|link| link.transmits && link.client.is_some())
    }

    /// Leaves messages to other processes while no link is bound for longer than the grace time.
    fn share(&mut self, instant: Instant) {
        match self.sharing.observe(instant, self.is_bound()) {
            Some(Change::Pause) => {
                let held = self.arrived.len() + self.queue.len();
                self.outbound.pause();
                self.arrived.clear();
                self.leave_to_others();
                tracing::info!(reason = "unbound", held, kept = self.queue.len(), "consumption paused");
            }
            Some(Change::Resume) => {
                self.outbound.resume();
                tracing::info!("consumption resumed");
            }
            None => {}
        }
    }

    /// Whether another message may be made ready: not while nobody could send it.
    fn has_room(&self) -> bool {
        self.stop_by.is_none()
            && self.is_bound()
            && self.intake.is_none()
            && self.queue.len() < self.shared.config.messages_max.max(1)
    }

    fn is_over(&self) -> bool {
        self.stop_by.is_some() && self.queue.is_empty() && self.work.is_empty() && self.intake.is_none()
    }

    fn wake_at(&mut self, instant: Instant) -> Instant {
        let now = instant.saturating_duration_since(self.start);
        let submit = self.queue.poll_timeout(now).and_then(|at| self.start.checked_add(at));
        let wakes = [submit, self.sharing.deadline()].into_iter().flatten();
        wakes.fold(self.expiry_at(instant), Instant::min)
    }

    /// When the store is asked next: when it says, and now and then, since others may share it.
    fn expiry_at(&mut self, instant: Instant) -> Instant {
        if self.is_expiring {
            // Not before that is done, which may have to wait for the bus.
            return instant + EXPIRY_INTERVAL;
        }
        let latest = *self.expiry_at.get_or_insert(instant + EXPIRY_INTERVAL);
        let known = self.shared.store.next_expiry().map(|at| at.saturating_sub(self.shared.now()));
        known.and_then(|wait| instant.checked_add(wait)).map_or(latest, |known| known.min(latest))
    }

    fn look_for_what_has_expired(&mut self) {
        let instant = Instant::now();
        if self.is_expiring || self.expiry_at(instant) > instant {
            return;
        }
        self.is_expiring = true;
        self.expiry_at = None;
        let shared = Arc::clone(&self.shared);
        self.work.push(Box::pin(async move { Done::Found(shared.expired().await) }));
    }

    /// Round and round over the links, so that each has its share.
    fn submit_what_may_go(&mut self, now: Duration) {
        loop {
            let mut went = false;
            for number in 0..self.links.len() {
                went |= self.links[number].has_room() && self.submit_on(number, now);
            }
            if !went {
                break;
            }
        }
        let outstanding = self.queue.outstanding();
        self.shared.metrics.outstanding.set(i64::try_from(outstanding).unwrap_or(i64::MAX));
        self.show_outstanding();
        self.shared.metrics.waiting.set(i64::try_from(self.queue.len()).unwrap_or(i64::MAX));
        self.tell_of_pauses(now);
    }

    fn submit_on(&mut self, number: usize, now: Duration) -> bool {
        let link = &mut self.links[number];
        let Some(client) = link.client.clone() else { return false };
        let Some(submit) = self.queue.poll_submit(now, number as u64) else { return false };
        link.outstanding += 1;
        let on = (number, link.session);
        let start = Instant::now();
        if let Some(waited) = self.queue.get_mut(submit.job).and_then(Outgoing::first_submit) {
            self.shared.metrics.window_wait.observe(waited.as_secs_f64());
        }
        self.submits += 1;
        let tag = self.submits;
        let submitted = client.submit_tagged(submit.sm, submit.tlvs, Some(tag));
        self.work.push(Box::pin(async move {
            let result = submitted.await;
            let took = start.elapsed();
            Done::Submitted { on, tag, job: submit.job, part: submit.part, result, took }
        }));
        true
    }

    /// At once, and not after what arrived before it: by then what it is a copy of may be told of and forgotten.
    fn arrives(&mut self, delivery: bus::Delivery) {
        match self.shared.copy_of(&delivery) {
            Some(message_id) => self.handed_out_again(delivery, message_id),
            // It was on its way when consumption was paused.
            None if self.sharing.is_paused() => delivery.give_back(),
            None => self.arrived.push_back(delivery),
        }
    }

    fn take_in_what_has_arrived(&mut self) {
        while self.has_room()
            && let Some(delivery) = self.arrived.pop_front()
        {
            // Its like may have begun since it arrived.
            if let Some(message_id) = self.shared.copy_of(&delivery) {
                self.handed_out_again(delivery, message_id);
                continue;
            }
            let shared = Arc::clone(&self.shared);
            self.intake = Some(Box::pin(async move { shared.take_in(delivery).await }));
        }
    }

    fn taken_in(&mut self, intake: Intake) {
        self.intake = None;
        match intake {
            // It began before the stop or the pause: it is given back.
            Intake::Send(..) if self.gives_back() => {}
            Intake::Send(outgoing, ..) | Intake::Over(outgoing, _) if outgoing.is_void() => {}
            Intake::Send(outgoing, parts, timestamp) => {
                self.shared.is_under_way(&outgoing);
                let counts = self.queue.counts_age();
                let age = if counts { age(&timestamp, self.shared.now()) } else { Duration::ZERO };
                let (now, tried) = (self.now(), self.sharing.tried(&outgoing.message_id).cloned());
                let job = self.queue.add(now, outgoing, parts, age);
                if let Some(tried) = tried {
                    self.queue.count_on(now, job, &tried);
                }
            }
            Intake::Over(outgoing, end) => self.settle(outgoing, end),
            Intake::Nothing => {}
        }
    }

    /// A broker that was away hands out again what it had handed out: that is acknowledged with the rest, and sent once.
    fn handed_out_again(&mut self, delivery: bus::Delivery, message_id: Box<str>) {
        if let Some(outgoing) = self.queue.find(|outgoing| outgoing.is(&message_id, &delivery.body)) {
            return outgoing.deliveries.push(delivery);
        }
        // What became of it is being told.
        let shared = Arc::clone(&self.shared);
        self.work.push(Box::pin(async move {
            shared.until_settled(&message_id).await;
            delivery.ack();
            Done::Nothing
        }));
    }

    fn settle(&self, outgoing: Outgoing, end: End) {
        let shared = Arc::clone(&self.shared);
        self.work.push(Box::pin(async move {
            shared.settle(outgoing, end).await;
            Done::Nothing
        }));
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Submitted { on: (number, session), tag, job, part, result, took } => {
                if let (Err(RequestError::Expired), Some(part_of)) = (&result, self.part_of(job, part)) {
                    self.shared.may_be_late(tag, part_of);
                }
                let link = &mut self.links[number];
                link.outstanding -= 1;
                let (answer, id) = self.shared.heard(result, took);
                // It takes no more: what is sent waits for the next session, of which the link will tell.
                if answer == Answer::NotSent && link.session == session {
                    link.client = None;
                }
                match id {
                    Some(id) => self.remember(job, part, id),
                    None => self.answered(job, part, answer),
                }
            }
            Done::Remembered { job, part, early } => {
                self.answered(job, part, Answer::Accepted);
                for early in early {
                    let shared = Arc::clone(&self.shared);
                    self.work.push(Box::pin(async move {
                        shared.take_early(early).await;
                        Done::Nothing
                    }));
                }
            }
            Done::Found(expired) => self.found_expired(expired),
            Done::Expired => self.is_expiring = false,
            Done::Nothing => {}
        }
    }

    /// A report that waits for the ack of its message holds up nothing else.
    fn found_expired(&mut self, Expired { incomplete, early, aggregates }: Expired) {
        for aggregate in aggregates {
            let shared = Arc::clone(&self.shared);
            self.work.push(Box::pin(async move {
                shared.take_aggregate(aggregate).await;
                Done::Nothing
            }));
        }
        let shared = Arc::clone(&self.shared);
        self.work.push(Box::pin(async move {
            shared.take_expired(incomplete, early).await;
            Done::Expired
        }));
    }

    /// Ends the messages whose time was over before they could be sent.
    fn settle_expired(&mut self, now: Duration) {
        while let Some((outgoing, end)) = self.queue.poll_expired(now) {
            self.settle(outgoing, end);
        }
    }

    fn part_of(&self, job: Job, part: u8) -> Option<PartOf> {
        let outgoing = self.queue.get(job)?;
        let number = part.saturating_add(1);
        let is_unreported = outgoing.unreported.contains(&number);
        let (message, total, to) = (outgoing.message_id.clone(), outgoing.total, outgoing.to.clone());
        Some(PartOf { message, number, total, to, is_unreported })
    }

    fn remember(&self, job: Job, part: u8, id: String) {
        let Some(part_of) = self.part_of(job, part) else { return };
        let shared = Arc::clone(&self.shared);
        self.work.push(Box::pin(async move {
            let early = shared.remember(id, part_of).await;
            Done::Remembered { job, part, early }
        }));
    }

    fn answered(&mut self, job: Job, part: u8, answer: Answer) {
        match self.queue.answered(self.now(), job, part, answer) {
            Verdict::Continues => {}
            Verdict::Again(again) => self.goes_again(job, part, again),
            Verdict::Done(outgoing, end) => self.settle(outgoing, end),
        }
        if self.stop_by.is_some() {
            // What would have to be sent again is left to others.
            self.give_back(|_| true);
        } else if self.sharing.is_paused() {
            self.leave_to_others();
        } else if self.queue.get(job).is_some_and(Outgoing::is_void) {
            self.give_back(Outgoing::is_void);
        }
    }

    fn goes_again(&self, job: Job, part: u8, Again { cause, pause }: Again) {
        Metrics::count(&self.shared.metrics.resends, cause.name());
        let message = self.queue.get(job).map_or("", |outgoing| &outgoing.message_id);
        let (part, cause) = (part.saturating_add(1), cause.name());
        tracing::debug!(message, part, cause, ?pause, "resend");
    }

    /// Whether messages that are not in flight are left to other processes.
    fn gives_back(&self) -> bool {
        self.stop_by.is_some() || self.sharing.is_paused()
    }

    /// Gives back what may be left to other processes while no link is bound.
    fn leave_to_others(&mut self) {
        let sharing = &self.sharing;
        let may_leave = |it: &Outgoing, was_submitted| sharing.may_leave(&it.message_id, was_submitted);
        for (outgoing, tried) in self.queue.give_back_counted(may_leave) {
            if tried.was_submitted() {
                self.sharing.leave(&outgoing.message_id, tried);
            }
            self.shared.is_settled(&outgoing.message_id);
        }
    }

    fn give_back(&mut self, which: impl Fn(&Outgoing) -> bool) {
        for outgoing in self.queue.give_back(which) {
            self.shared.is_settled(&outgoing.message_id);
        }
    }

    /// What nobody has begun to send when the line to the bus is lost may be another's by the time it could go.
    fn give_back_what_is_void(&mut self) {
        let lost = self.outbound.lines_lost();
        if std::mem::replace(&mut self.lines_lost, lost) != lost {
            self.give_back(Outgoing::is_void);
            self.arrived.retain(|delivery| !delivery.is_void());
        }
    }

    /// Takes no more; gives back what nobody has begun to send.
    fn begin_to_stop(&mut self) {
        if self.stop_by.is_none() {
            tracing::info!("stopping");
            self.stop_by = Some(Instant::now() + self.shared.config.shutdown_timeout);
            self.outbound.stop();
            self.arrived.clear();
            self.give_back(|_| true);
        }
    }

    /// Unbinds. What is not done by now is given back by being dropped.
    async fn end(mut self, stops: &[watch::Sender<bool>], tasks: &mut JoinSet<()>) {
        let by = self.stop_by.unwrap_or_else(Instant::now).max(Instant::now());
        // What came from the SMSC and is not done is put off now, while there is a session to say so on.
        self.work.clear();
        for stop in stops {
            stop.send_replace(true);
        }
        // Links end by themselves; while they unbind, what the SMSC still sends is put off.
        self.hears.close();
        for link in &mut self.links {
            link.client = None;
        }
        let ended = async { while tasks.join_next().await.is_some() {} };
        if timeout_at(by + UNBIND_GRACE, ended).await.is_err() {
            tracing::warn!("a session did not end in time");
        }
    }
}

/// How long after all else a session may take to unbind: its own timer is shorter.
const UNBIND_GRACE: Duration = Duration::from_secs(10);

/// The value of a future that may not be there; never, if it is not.
async fn ready<T>(future: &mut Option<Pin<Box<dyn Future<Output = T> + Send>>>) -> T {
    match future {
        Some(future) => future.await,
        None => std::future::pending().await,
    }
}
