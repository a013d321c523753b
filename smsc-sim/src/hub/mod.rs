//! What the connections share: who is bound, which rules hold, what has become of messages, and what waits to be
//! delivered. One lock around plain data; nothing here waits.
//!
//! ```text
//!  peer ── decide ──► rules          life ── tick ──► messages ── due ──► routing ──► peer's orders
//!  peer ── accept ──► messages ── due ──► routing ──► peer
//! ```

mod binding;
mod clock;
mod ending;
mod orders;
mod routing;
mod views;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use smpp_transport::env::{Seed, WallClock};
use smpp_transport::pdu::{CancelSm, CommandStatus, QuerySm, QuerySmResp, ReplaceSm};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

pub(crate) use ending::Task;
pub(crate) use routing::{Delivery, Fate};
pub(crate) use views::Gauges;
pub use views::{AccountInfo, DeliveryInfo, DeliveryState, RuleInfo, SessionInfo, Stats};

use crate::config::{Account, Config};
use crate::message::{Change, Life, Limits, Mailbox, Now, Record, ShapedResponse, Submission, Times};
use crate::policy::{Policy, ReceiptPolicy};
use crate::rules::{Asked, Decision, Engine, Step};
use crate::time::Delay;
use crate::traffic::Traffic;
use binding::Connection;
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
    /// Up to when events by the clock have been looked for.
    clock_until: Duration,
    /// From which chance is drawn now.
    seed: Seed,
}

/// A message that was taken.
pub(crate) struct Taken {
    pub(crate) id: Box<str>,
    /// Response, where it is not as the standard has it.
    pub(crate) response: Option<ShapedResponse>,
    /// Their numbers: one, or of submit_multi one for each destination.
    pub(crate) messages: Range<u64>,
    /// Receipts that the session itself is to deliver.
    pub(crate) here: Vec<Delivery>,
}

/// enquire_links of a session that may be unanswered beside its window.
const ENQUIRE_LINKS_MAX: usize = 100;
impl Hub {
    /// Must be made within a tokio runtime.
    pub(crate) fn new(mut config: Config, clock: Arc<dyn WallClock>, traffic: Arc<Traffic>) -> Hub {
        config.driver.leniency = config.leniency();
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
        let mut mailbox = Mailbox::new(limits, Seed(config.seed));
        mailbox.skip_numbers_to(config.first_number);
        let inner = Inner {
            engine: Engine::new(config.rules.clone(), Seed(config.seed)),
            mailbox,
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
            clock_until: Duration::ZERO,
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

    /// Returns the rules that a request meets. What `asked` does not say of pending messages, sessions and times is filled in.
    pub(crate) fn decide(&self, asked: &Asked<'_>) -> Vec<Decision> {
        let now = self.now().mono;
        let mut inner = self.inner();
        let session = inner.ordinal(asked.session);
        let Inner { engine, mailbox, accounts, names, since, .. } = &mut *inner;
        let pending = |to: Option<&str>| match to {
            Some(to) => mailbox.pending_to(asked.account, to),
            None => mailbox.pending(asked.account),
        };
        let sessions = names.get(asked.account).map_or(0, |account| accounts[*account].bound);
        let sessions_total = accounts.iter().map(|account| account.bound).sum();
        let now = now.saturating_sub(*since);
        engine.decide(&Asked { pending: &pending, sessions, sessions_total, now, session, ..*asked })
    }

    /// How long the answer to a request takes. A stream of its own: what becomes of the message is drawn from another.
    pub(crate) fn draw(&self, session: u64, request: u64, delay: &Delay) -> Duration {
        let inner = self.inner();
        delay.draw(&mut inner.engine.rng("delay", inner.ordinal(session), request))
    }

    /// Takes a message, unless its account has sent too many, or there are too many. `policies` has one for all of it, or one
    /// for each destination.
    pub(crate) fn accept(
        &self,
        session: u64,
        account: usize,
        request: u64,
        submission: Submission,
        policies: &[&Policy],
    ) -> Result<Taken, CommandStatus> {
        let now = self.now();
        let mut inner = self.inner();
        let inner = &mut *inner;
        let ordinal = inner.ordinal(session);
        let of_account = &inner.accounts[account].policy;
        // A message has one response, however many destinations.
        let shape = policies.first().map_or_else(Default::default, |policy| policy.response.over(&of_account.response));
        let mut lives = policies.iter().zip(0_u64..).map(|(policy, place)| {
            let policy = if policy.is_default() { of_account } else { &policy.over(of_account) };
            let rng = || match place {
                0 => inner.engine.rng("life", ordinal, request),
                place => inner.engine.rng("life destination", ordinal, request << 8 | place),
            };
            if policy.is_default() { Life::plain(&self.plain) } else { Life::draw(policy, &mut rng()) }
        });
        let life = lives.next().unwrap_or_else(|| Life::plain(&self.plain));
        let further: Vec<_> = lives.collect();
        let timeout = inner.mailbox.poll_timeout();
        let count = 1 + submission.further.len() as u64;
        let accepted = inner.mailbox.accept_each(now, submission, life, further)?;
        inner.accepted += count;
        let record = inner.mailbox.get(accepted.number);
        let response = record.and_then(|record| ShapedResponse::to(record, &shape, inner.mailbox.seed()));
        let here = inner.route_what_is_due(Some(session));
        if inner.mailbox.poll_timeout() < timeout || timeout.is_none() {
            self.sooner.notify_one();
        }
        self.changed.notify_waiters();
        Ok(Taken { response, id: accepted.id, messages: accepted.number..accepted.number + count, here })
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

    /// The next message gets this number, if not a higher one.
    pub(crate) fn skip_numbers_to(&self, number: u64) {
        self.inner().mailbox.skip_numbers_to(number);
    }

    /// The number that the next message gets.
    pub(crate) fn next_number(&self) -> u64 {
        self.inner().mailbox.next_number()
    }

    /// Whether nothing is planned, and nothing waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.is_idle_but_for(|_| false)
    }

    /// The same, where nobody may be bound to whom deliveries of these accounts can go.
    pub(crate) fn is_idle_but_for(&self, may_wait: impl Fn(&str) -> bool) -> bool {
        let inner = self.inner();
        let held = inner.names.iter().filter(|(name, _)| may_wait(name)).map(|(_, place)| inner.held(*place));
        let held: usize = held.sum();
        inner.mailbox.poll_timeout().is_none() && inner.jobs.is_empty() && inner.waiting() == held
    }

    /// Deliveries of this account that wait for a bind.
    pub(crate) fn held(&self, system_id: &str) -> usize {
        let inner = self.inner();
        inner.names.get(system_id).map_or(0, |place| inner.held(*place))
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
                let clock = self.run_clock(inner, now);
                let timeout = inner.mailbox.poll_timeout();
                self.changed.notify_waiters();
                timeout.into_iter().chain(again).chain(job).chain(clock).min()
            };
            let at = next.and_then(|next| self.start.checked_add(next));
            tokio::select! {
                biased;
                () = self.sooner.notified() => {}
                () = sleep_until(at.unwrap_or(self.start)), if at.is_some() => {}
            }
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
    fn seed(&self) -> u64 {
        self.seed.0
    }
}

/// Messages that an account with this rate may send at once: a second's worth, at least one.
const fn burst(rate: f64) -> f64 {
    rate.max(1.0)
}
