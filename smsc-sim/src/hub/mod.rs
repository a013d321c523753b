//! What the connections share: who is bound, which rules hold, what has become of messages, and what waits to be
//! delivered. One lock around plain data; nothing here waits.
//!
//! ```text
//!  peer ── decide ──► rules          life ── tick ──► messages ── due ──► routing ──► peer's orders
//!  peer ── accept ──► messages ── due ──► routing ──► peer
//! ```

mod routing;
mod views;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use regex::{Regex, RegexBuilder};
use smpp_transport::env::{Seed, WallClock};
use smpp_transport::pdu::{
    Bind as BindBody, CancelSm, CommandStatus, InterfaceVersion, QuerySm, QuerySmResp, ReplaceSm,
};
use smpp_transport::session::BindKind;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

pub(crate) use routing::{Delivery, Fate};
pub(crate) use views::Gauges;
pub use views::{AccountInfo, DeliveryInfo, DeliveryState, RuleInfo, SessionInfo, Stats};

use crate::config::{Account, Config, Strictness};
use crate::control::{ControlError, ReceiptNow, Reset};
use crate::message::{Change, Life, Limits, Mailbox, Now, Record, Submission, Times};
use crate::policy::{Policy, ReceiptPolicy};
use crate::rules::{Asked, Cut, Decision, Engine, Rule, Step};
use crate::time::Delay;
use crate::traffic::Traffic;
use crate::words::{Bind, State};
use routing::{Job, Sent};

/// What a connection is told.
#[derive(Debug)]
pub(crate) enum Order {
    Deliver(Delivery),
    Step(Step),
    Unbind,
    /// What waits is not to be delivered any more.
    Forget,
    /// Requests are counted from the beginning.
    BeginAnew,
}

/// A connection, bound or not yet.
struct Connection {
    peer: String,
    /// Its place among those since the start or the last reset: what its chances are drawn by.
    ordinal: u64,
    opened: Duration,
    outbound: bool,
    bound: Option<Bound>,
    orders: VecDeque<Order>,
    /// One waiter each: the connection's own task.
    wake: Arc<Notify>,
    gauges: Arc<Gauges>,
}

#[derive(Clone, Debug)]
struct Bound {
    account: usize,
    kind: BindKind,
    version: InterfaceVersion,
    system_type: String,
    range: Option<Regex>,
    range_text: String,
    at: Duration,
}

/// What is known of an account while the simulator runs.
struct AccountState {
    bound: usize,
    /// Sessions that receive, oldest first.
    receivers: Vec<u64>,
    /// Whose turn it is among them.
    turn: usize,
    /// What waits for a session that may have it.
    held: VecDeque<Delivery>,
    /// The account's policy over that of the simulator.
    policy: Policy,
    /// Messages that may still be taken now, and when that was true.
    allowance: (f64, Duration),
}

pub(crate) struct Hub {
    pub(crate) config: Config,
    /// Requests of any session that may be unanswered: those of the largest window, and some enquire_link beside.
    pub(crate) inbound_window: usize,
    pub(crate) traffic: Arc<Traffic>,
    clock: Arc<dyn WallClock>,
    start: Instant,
    /// What receipts are like where nobody says anything.
    plain: Arc<ReceiptPolicy>,
    names: Vec<Arc<str>>,
    inner: Mutex<Inner>,
    /// Whether there are rules: asked for each request, without the lock.
    has_rules: AtomicBool,
    stopping: AtomicBool,
    /// Told when it stops.
    stopped: Notify,
    /// Set when all sessions have ended after that.
    over: AtomicBool,
    ended: Notify,
    /// Told when anything has changed that a test may wait for.
    changed: Notify,
    /// Told when something is due earlier than it was.
    sooner: Notify,
    /// Connections that were opened by the simulator, until a listener takes them.
    adopted: Mutex<VecDeque<Task>>,
    adoption: Notify,
}

/// A connection that is served.
pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

pub(crate) struct Inner {
    pub(crate) engine: Engine,
    pub(crate) mailbox: Mailbox,
    connections: BTreeMap<u64, Connection>,
    opened: u64,
    /// Messages ever.
    accepted: u64,
    accounts: Vec<AccountState>,
    /// Their places, by system_id.
    names: BTreeMap<String, usize>,
    /// Mobile-originated messages by number, the latest ones.
    sent: BTreeMap<u64, Sent>,
    deliveries: u64,
    /// What is offered again, by when, and by the order in which it was put off.
    later: BTreeMap<(Duration, u64), Delivery>,
    put_off: u64,
    /// Held by each delivery that waits for a session or an answer, so that they can be counted.
    waiting: Arc<()>,
    deliveries_max: usize,
    dropped: u64,
    jobs: Vec<Job>,
    references: u16,
    /// When rules and messages last began anew, and how many connections there have been since, with those of then.
    since: Duration,
    ordinals: u64,
    /// From which chance is drawn now.
    seed: Seed,
}

/// What binds ask, and what they get.
pub(crate) struct Welcome {
    pub(crate) account: usize,
    /// Requests of the session that may be unanswered.
    pub(crate) window: usize,
}

/// A message that was taken.
pub(crate) struct Taken {
    pub(crate) id: Box<str>,
    /// Their numbers: one, or of submit_multi one for each destination.
    pub(crate) messages: Range<u64>,
    /// Receipts that the session itself is to deliver.
    pub(crate) here: Vec<Delivery>,
}

/// enquire_links of a session that may be unanswered beside its window.
const ENQUIRE_LINKS_MAX: usize = 100;
/// The most that an expression may take when it is compiled: it comes from a peer.
const RANGE_OCTETS_MAX: usize = 64 * 1024;

impl Hub {
    /// Must be made within a tokio runtime.
    pub(crate) fn new(config: Config, clock: Arc<dyn WallClock>, traffic: Arc<Traffic>) -> Hub {
        let accounts = config.accounts.iter().map(|account| AccountState {
            bound: 0,
            receivers: Vec::new(),
            turn: 0,
            held: VecDeque::new(),
            policy: account.policy.over(&config.policy),
            allowance: (burst(account.rate.unwrap_or_default()), Duration::ZERO),
        });
        let limits = Limits { messages_max: config.limits.messages_max, ..Limits::default() };
        let names =
            config.accounts.iter().zip(0..).map(|(account, place)| (account.system_id.clone(), place)).collect();
        let inner = Inner {
            engine: Engine::new(config.rules.clone(), Seed(config.seed)),
            mailbox: Mailbox::new(limits, Seed(config.seed)),
            connections: BTreeMap::new(),
            opened: 0,
            accepted: 0,
            accounts: accounts.collect(),
            names,
            sent: BTreeMap::new(),
            deliveries: 0,
            later: BTreeMap::new(),
            put_off: 0,
            waiting: Arc::default(),
            deliveries_max: config.limits.deliveries_max,
            dropped: 0,
            jobs: Vec::new(),
            references: 0,
            since: Duration::ZERO,
            ordinals: 0,
            seed: Seed(config.seed),
        };
        let windows = config.accounts.iter().filter_map(|account| account.window);
        let inbound_window = windows.fold(config.session.inbound_window, usize::max);
        Hub {
            names: config.accounts.iter().map(|account| account.system_id.as_str().into()).collect(),
            has_rules: AtomicBool::new(!config.rules.is_empty()),
            inbound_window: inbound_window.saturating_add(ENQUIRE_LINKS_MAX),
            config,
            traffic,
            clock,
            start: Instant::now(),
            plain: Arc::default(),
            inner: Mutex::new(inner),
            stopping: AtomicBool::new(false),
            stopped: Notify::new(),
            over: AtomicBool::new(false),
            ended: Notify::new(),
            changed: Notify::new(),
            sooner: Notify::new(),
            adopted: Mutex::default(),
            adoption: Notify::new(),
        }
    }

    /// No panic can happen while the lock is held, so a poisoned one is as good as any.
    pub(crate) fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn now(&self) -> Now {
        Now { mono: self.start.elapsed(), wall: self.clock.unix() }
    }

    /// A new connection: its number, and what wakes it; none when there are too many, or no more are wanted.
    pub(crate) fn open(&self, peer: String, outbound: bool) -> Option<(u64, Arc<Notify>, Arc<Gauges>)> {
        let opened = self.clock.unix();
        let mut inner = self.inner();
        if self.is_stopping() || inner.connections.len() >= self.config.limits.connections_max {
            return None;
        }
        inner.opened += 1;
        inner.ordinals += 1;
        let (number, ordinal) = (inner.opened, inner.ordinals);
        let (wake, gauges) = (Arc::<Notify>::default(), Arc::<Gauges>::default());
        let connection = Connection {
            peer,
            ordinal,
            opened,
            outbound,
            bound: None,
            orders: VecDeque::new(),
            wake: Arc::clone(&wake),
            gauges: Arc::clone(&gauges),
        };
        inner.connections.insert(number, connection);
        drop(inner);
        self.changed.notify_waiters();
        Some((number, wake, gauges))
    }

    /// A connection is gone; what it was to deliver goes to others.
    pub(crate) fn close(&self, number: u64, left: impl IntoIterator<Item = Delivery>) {
        let mut inner = self.inner();
        inner.unbind(number);
        let Some(connection) = inner.connections.remove(&number) else { return };
        let ordered = connection.orders.into_iter().filter_map(|order| match order {
            Order::Deliver(delivery) => Some(delivery),
            Order::Step(_) | Order::Unbind | Order::Forget | Order::BeginAnew => None,
        });
        for delivery in left.into_iter().chain(ordered) {
            inner.route(delivery, None);
        }
        drop(inner);
        self.changed.notify_waiters();
    }

    /// A connection is not bound after all.
    pub(crate) fn unbind(&self, number: u64) {
        self.inner().unbind(number);
        self.changed.notify_waiters();
    }

    /// What the connection is told next.
    pub(crate) fn next_order(&self, number: u64) -> Option<Order> {
        self.inner().connections.get_mut(&number)?.orders.pop_front()
    }

    /// Binds a connection to the account of this name.
    ///
    /// The errors are those of §4.1: ESME_RINVSYSID for a name that nobody has, ESME_RINVPASWD for a wrong password,
    /// ESME_RALYBND for a second session where one is allowed, ESME_RBINDFAIL for another one too many, for a kind of
    /// bind that the account may not have, and for an address_range that is no expression.
    pub(crate) fn bind(&self, number: u64, bind: &BindBody, kind: BindKind) -> Result<Welcome, CommandStatus> {
        let (index, account) = self.admit(bind, kind)?;
        let range = self.range(bind)?;
        let now = self.now();
        let mut inner = self.inner();
        let state = &mut inner.accounts[index];
        if self.is_stopping() {
            return Err(CommandStatus::ESME_RBINDFAIL);
        }
        if state.bound >= account.binds_max {
            return Err(match account.binds_max {
                1 => CommandStatus::ESME_RALYBND,
                _ => CommandStatus::ESME_RBINDFAIL,
            });
        }
        state.bound += 1;
        if kind.receives() {
            state.receivers.push(number);
        }
        // Taken out as a whole: what this session may not have either is held again, in its order.
        let held = if kind.receives() { std::mem::take(&mut state.held) } else { VecDeque::new() };
        let bound = Bound {
            account: index,
            kind,
            version: bind.interface_version,
            system_type: bind.system_type.text(),
            range,
            range_text: bind.address_range.text(),
            at: now.wall,
        };
        if let Some(connection) = inner.connections.get_mut(&number) {
            connection.bound = Some(bound);
        }
        for delivery in held {
            inner.route(delivery, None);
        }
        drop(inner);
        self.changed.notify_waiters();
        let window = account.window.unwrap_or(self.config.session.inbound_window);
        Ok(Welcome { account: index, window })
    }

    fn admit(&self, bind: &BindBody, kind: BindKind) -> Result<(usize, &Account), CommandStatus> {
        let accounts = &self.config.accounts;
        let index = accounts.iter().position(|account| account.system_id.as_bytes() == bind.system_id.as_bytes());
        let index = index.ok_or(CommandStatus::ESME_RINVSYSID)?;
        let account = &accounts[index];
        if account.password.as_bytes() != bind.password.as_bytes() {
            return Err(CommandStatus::ESME_RINVPASWD);
        }
        if !account.binds.admits(&Bind::from(kind)) {
            return Err(CommandStatus::ESME_RBINDFAIL);
        }
        Ok((index, account))
    }

    /// The addresses that the ESME serves; none is all.
    fn range(&self, bind: &BindBody) -> Result<Option<Regex>, CommandStatus> {
        if bind.address_range.is_empty() {
            return Ok(None);
        }
        match RegexBuilder::new(&bind.address_range.text()).size_limit(RANGE_OCTETS_MAX).build() {
            Ok(range) => Ok(Some(range)),
            Err(_) if self.config.strictness == Strictness::Lenient => Ok(None),
            Err(error) => {
                tracing::info!(%error, "address_range is no expression");
                Err(CommandStatus::ESME_RBINDFAIL)
            }
        }
    }

    pub(crate) fn wall(&self) -> Duration {
        self.clock.unix()
    }

    /// The system_id of an account.
    pub(crate) fn name(&self, account: usize) -> Arc<str> {
        Arc::clone(&self.names[account])
    }

    pub(crate) fn account(&self, index: usize) -> &Account {
        &self.config.accounts[index]
    }

    pub(crate) fn has_rules(&self) -> bool {
        self.has_rules.load(Ordering::Relaxed)
    }

    /// The rule that a request meets. `asked` is told how many messages of its account have not ended.
    pub(crate) fn decide(&self, account: Option<usize>, asked: Asked<'_>) -> Option<Decision> {
        let now = self.now();
        let mut inner = self.inner();
        let pending = account.map_or(0, |account| inner.mailbox.pending(&self.config.accounts[account].system_id));
        let now = now.mono.saturating_sub(inner.since);
        let session = inner.ordinal(asked.session);
        inner.engine.decide(&Asked { pending, now, session, ..asked })
    }

    /// How long the answer to a request takes. A stream of its own: what becomes of the message is drawn from another.
    pub(crate) fn draw(&self, session: u64, request: u64, delay: &Delay) -> Duration {
        let inner = self.inner();
        delay.draw(&mut inner.engine.rng("delay", inner.ordinal(session), request))
    }

    /// Takes a message, unless its account has sent too many, or there are too many.
    pub(crate) fn accept(
        &self,
        session: u64,
        account: usize,
        request: u64,
        submission: Submission,
        policy: &Policy,
    ) -> Result<Taken, CommandStatus> {
        let now = self.now();
        let mut inner = self.inner();
        let inner = &mut *inner;
        let policy = match policy.is_default() {
            true => &inner.accounts[account].policy,
            false => &policy.over(&inner.accounts[account].policy),
        };
        let life = match policy.is_default() {
            true => Life::plain(&self.plain),
            false => Life::draw(policy, &mut inner.engine.rng("life", inner.ordinal(session), request)),
        };
        let timeout = inner.mailbox.poll_timeout();
        let count = 1 + submission.further.len() as u64;
        let accepted = inner.mailbox.accept(now, submission, life)?;
        inner.accepted += count;
        let here = inner.route_what_is_due(Some(session));
        if inner.mailbox.poll_timeout() < timeout || timeout.is_none() {
            self.sooner.notify_one();
        }
        self.changed.notify_waiters();
        Ok(Taken { id: accepted.id, messages: accepted.number..accepted.number + count, here })
    }

    /// Whether the account may send so many messages more now.
    pub(crate) fn allows(&self, account: usize, messages: usize) -> bool {
        let Some(rate) = self.config.accounts[account].rate else { return true };
        let now = self.now().mono;
        let allowance = &mut self.inner().accounts[account].allowance;
        let (left, at) = *allowance;
        let left = (left + rate * now.saturating_sub(at).as_secs_f64()).min(burst(rate));
        // A message to more than that is taken when there is all that there can be, and paid for after.
        let allowed = left >= (messages as f64).min(burst(rate));
        *allowance = (if allowed { left - messages as f64 } else { left }, now);
        allowed
    }

    pub(crate) fn query(&self, account: usize, query: &QuerySm) -> Result<QuerySmResp, CommandStatus> {
        self.inner().mailbox.query(&self.config.accounts[account].system_id, query)
    }

    pub(crate) fn cancel(
        &self,
        account: usize,
        session: u64,
        cancel: &CancelSm,
    ) -> Result<Vec<Delivery>, CommandStatus> {
        let now = self.now();
        let mut inner = self.inner();
        inner.mailbox.cancel(now, &self.config.accounts[account].system_id, cancel)?;
        let here = inner.route_what_is_due(Some(session));
        self.sooner.notify_one();
        self.changed.notify_waiters();
        Ok(here)
    }

    pub(crate) fn replace(&self, account: usize, replace: &ReplaceSm, times: Times) -> Result<(), CommandStatus> {
        let now = self.now();
        self.inner().mailbox.replace(now, &self.config.accounts[account].system_id, replace, times)?;
        self.sooner.notify_one();
        self.changed.notify_waiters();
        Ok(())
    }

    /// Takes up what a store kept, and notes from now on what changes.
    pub(crate) fn restore(&self, records: Vec<Record>) {
        let now = self.now();
        let mut inner = self.inner();
        inner.mailbox.restore(now, records);
        inner.mailbox.track_changes(true);
        inner.route_what_is_due(None);
        self.sooner.notify_one();
    }

    /// Whether nothing is planned, and nothing waits.
    pub(crate) fn is_idle(&self) -> bool {
        let inner = self.inner();
        inner.mailbox.poll_timeout().is_none() && inner.jobs.is_empty() && inner.waiting() == 0
    }

    /// What has changed since this was last asked.
    pub(crate) fn take_changes(&self) -> Vec<Change> {
        self.inner().mailbox.take_changes()
    }

    /// Lets messages live: waits for what is due, and routes it. Ends never.
    pub(crate) async fn live(&self) {
        loop {
            let next = {
                let now = self.now();
                let mut inner = self.inner();
                let inner = &mut *inner;
                inner.mailbox.tick(now);
                inner.route_what_is_due(None);
                let again = inner.offer_again(now);
                let job = inner.run_jobs(now);
                let timeout = inner.mailbox.poll_timeout();
                self.changed.notify_waiters();
                timeout.into_iter().chain(again).chain(job).min()
            };
            let at = next.and_then(|next| self.start.checked_add(next));
            tokio::select! {
                biased;
                () = self.sooner.notified() => {}
                () = sleep_until(at.unwrap_or(self.start)), if at.is_some() => {}
            }
        }
    }

    pub(crate) fn set_rules(&self, rules: Vec<Rule>) {
        self.has_rules.store(!rules.is_empty(), Ordering::Relaxed);
        let mut inner = self.inner();
        inner.engine = Engine::new(rules, inner.seed);
        inner.since = self.start.elapsed();
    }

    pub(crate) fn add_rule(&self, rule: Rule) {
        let mut inner = self.inner();
        let rules = std::iter::once(rule).chain(inner.engine.rules().iter().cloned()).collect();
        inner.engine = Engine::new(rules, inner.seed);
        inner.since = self.start.elapsed();
        self.has_rules.store(true, Ordering::Relaxed);
    }

    /// Begins anew: see [`Reset`].
    pub(crate) fn reset(&self, reset: Reset) {
        let now = self.now();
        let mut inner = self.inner();
        let inner = &mut *inner;
        inner.seed = Seed(reset.seed.unwrap_or(self.config.seed));
        if reset.keep_rules {
            inner.engine.draw_from(inner.seed);
        } else {
            self.has_rules.store(!self.config.rules.is_empty(), Ordering::Relaxed);
            inner.engine = Engine::new(self.config.rules.clone(), inner.seed);
        }
        (inner.since, inner.ordinals) = (now.mono, 0);
        // Those that are closed have no place among what comes.
        for connection in inner.connections.values_mut().filter(|_| !reset.sessions) {
            inner.ordinals += 1;
            connection.ordinal = inner.ordinals;
            connection.tell(Order::BeginAnew);
        }
        inner.forget();
        for connection in inner.connections.values_mut().filter(|_| reset.sessions) {
            connection.tell(Order::Step(Step::Disconnect(Cut::Close)));
        }
        self.traffic.clear();
        self.tell_of_change();
    }

    pub(crate) fn forget_messages(&self) {
        self.inner().forget();
        self.tell_of_change();
    }

    /// Sets what has become of a message.
    pub(crate) fn force(&self, id: &str, state: State, error: Option<u8>) -> Result<(), ControlError> {
        let now = self.now();
        let mut inner = self.inner();
        let number = inner.mailbox.find(id).next().ok_or_else(|| ControlError::unknown("message", id))?;
        inner.mailbox.force(now, number, state.0, error).map_err(ControlError::Refused)?;
        inner.route_what_is_due(None);
        self.tell_of_change();
        self.sooner.notify_one();
        Ok(())
    }

    pub(crate) fn send_receipt(&self, id: &str, receipt: &ReceiptNow) -> Result<(), ControlError> {
        let now = self.now();
        let mut inner = self.inner();
        let number = inner.mailbox.find(id).next().ok_or_else(|| ControlError::unknown("message", id))?;
        inner.mailbox.report(now, number, receipt);
        inner.route_what_is_due(None);
        self.tell_of_change();
        self.sooner.notify_one();
        Ok(())
    }

    /// Whether there is such a connection to be told.
    pub(crate) fn tell(&self, number: u64, order: Order) -> bool {
        self.inner().connections.get_mut(&number).map(|connection| connection.tell(order)).is_some()
    }

    /// A connection that the simulator has opened is served by whichever listener comes first.
    pub(crate) fn adopt(&self, task: Task) {
        self.adopted.lock().unwrap_or_else(PoisonError::into_inner).push_back(task);
        self.adoption.notify_one();
    }

    pub(crate) async fn adopted(&self) -> Task {
        loop {
            if let Some(task) = self.adopted.lock().unwrap_or_else(PoisonError::into_inner).pop_front() {
                return task;
            }
            self.adoption.notified().await;
        }
    }

    /// Tells every connection to unbind, and takes no new ones.
    pub(crate) fn stop(&self) {
        let mut inner = self.inner();
        self.stopping.store(true, Ordering::Relaxed);
        for connection in inner.connections.values_mut() {
            connection.tell(Order::Unbind);
        }
        self.stopped.notify_waiters();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Completes when it stops.
    pub(crate) async fn until_stopped(&self) {
        let stopped = self.stopped.notified();
        // A notification counts from when this is made, so that none falls in between.
        if !self.is_stopping() {
            stopped.await;
        }
    }

    /// All sessions have ended, and nothing more is to be done.
    pub(crate) fn end(&self) {
        self.over.store(true, Ordering::Relaxed);
        self.ended.notify_waiters();
        self.changed.notify_waiters();
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// Completes when that is so.
    pub(crate) async fn until_ended(&self) {
        let ended = self.ended.notified();
        if !self.has_ended() {
            ended.await;
        }
    }

    /// What tells that something has changed; made before looking.
    pub(crate) fn changed(&self) -> tokio::sync::futures::Notified<'_> {
        self.changed.notified()
    }

    pub(crate) fn tell_of_change(&self) {
        self.changed.notify_waiters();
    }

    pub(crate) fn tell_of_something_sooner(&self) {
        self.sooner.notify_one();
    }
}

impl Inner {
    fn unbind(&mut self, number: u64) {
        let bound = self.connections.get_mut(&number).and_then(|connection| connection.bound.take());
        if let Some(bound) = bound {
            let account = &mut self.accounts[bound.account];
            account.bound -= 1;
            account.receivers.retain(|receiver| *receiver != number);
        }
    }

    fn seed(&self) -> u64 {
        self.seed.0
    }

    fn ordinal(&self, session: u64) -> u64 {
        self.connections.get(&session).map_or(0, |connection| connection.ordinal)
    }

    /// Forgets messages, and what was to be delivered.
    fn forget(&mut self) {
        self.mailbox.clear();
        self.sent.clear();
        self.jobs.clear();
        self.waiting = Arc::default();
        self.later.clear();
        self.accounts.iter_mut().for_each(|account| account.held.clear());
        self.connections.values_mut().for_each(|connection| {
            connection.orders.retain(|order| !matches!(order, Order::Deliver(_)));
            connection.tell(Order::Forget);
        });
    }
}

/// Messages that an account with this rate may send at once: a second's worth, at least one.
const fn burst(rate: f64) -> f64 {
    rate.max(1.0)
}

impl Connection {
    fn tell(&mut self, order: Order) {
        self.orders.push_back(order);
        self.wake.notify_one();
    }
}
