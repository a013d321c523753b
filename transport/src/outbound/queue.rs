//! Messages between the bus and the window: which part goes next, and what becomes of each message.
//!
//! ```text
//!            add                     poll_submit                      answered: accepted
//!  bus ─────────────► ready, in order ───────────► outstanding ─────────────────────────► part done ─► message done
//!                        ▲    ▲                     │   │   │
//!                        │    └── throttled, not sent, unknown ──┘ (throttled: all pause)
//!                        └── later, after a delay ◄─┘   └─► refused: the rest is dropped, message done
//! ```
//!
//! Takes the time as an argument, counted from any fixed moment; asks nobody.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::words;
use crate::pdu::{CommandStatus, Sm, Tlvs};

/// How messages wait.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueConfig {
    /// Which messages wait for others. Default [`KeepOrder::PerDestination`].
    pub keep_order: KeepOrder,
    /// What becomes of a part when nobody knows whether the SMSC has it. Default [`OnUnknown::Resend`].
    pub on_unknown: OnUnknown,
    /// Which answers mean "slower".
    pub throttle: Throttle,
    /// Which refusals are tried again.
    pub retry: BTreeMap<CommandStatus, Retry>,
    /// How long after its first failure a part is tried again. Default 20 min.
    pub retry_max_age: Duration,
    /// How many submit_sm may go in a second; none is any number.
    pub rate: Option<Rate>,
}

impl Default for QueueConfig {
    fn default() -> QueueConfig {
        QueueConfig {
            keep_order: KeepOrder::default(),
            on_unknown: OnUnknown::default(),
            throttle: Throttle::default(),
            retry: BTreeMap::new(),
            retry_max_age: Duration::from_secs(20 * 60),
            rate: None,
        }
    }
}

/// Which messages wait for others.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum KeepOrder {
    /// None: one that is tried again later is overtaken.
    None,
    /// Those to a destination for which an earlier message is to be tried again. On another link than an earlier one they wait
    /// until that is done: nobody knows which link is faster.
    #[default]
    PerDestination,
    /// All: one submit_sm is outstanding at a time, and none goes before the message before it is done.
    Strict,
}

/// What becomes of a part when nobody knows whether the SMSC has it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum OnUnknown {
    /// It is sent again: the phone may get it twice.
    #[default]
    Resend,
    /// The message is refused: the phone may have it all the same.
    Nack,
}

/// Which answers mean "slower", and how much.
#[derive(Clone, Debug, PartialEq)]
pub struct Throttle {
    /// Default ESME_RTHROTTLED and ESME_RMSGQFUL.
    pub statuses: BTreeSet<CommandStatus>,
    /// How long nothing is sent after the first. Default 100 ms.
    pub delay: Duration,
    /// How many times longer each further pause is, until something is accepted; at least 1. Default 2.
    pub factor: f64,
    /// The longest pause. Default 30 s.
    pub max: Duration,
}

impl Default for Throttle {
    fn default() -> Throttle {
        Throttle {
            statuses: BTreeSet::from([CommandStatus::ESME_RTHROTTLED, CommandStatus::ESME_RMSGQFUL]),
            delay: Duration::from_millis(100),
            factor: 2.0,
            max: Duration::from_secs(30),
        }
    }
}

/// How often a refusal is tried again.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Retry {
    /// How often.
    pub count: u32,
    /// How long after each.
    pub delay: Duration,
}

/// How many submit_sm may go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    /// In a second; more than 0, and less than 1 is one in more than a second.
    pub per_second: f64,
    /// At once after a pause; at least 1.
    pub burst: f64,
}

/// A message's number: its place in the order.
pub type Job = u64;

/// A part that is to be sent now.
#[derive(Clone, Debug, PartialEq)]
pub struct Submit {
    /// Of which message.
    pub job: Job,
    /// Which part, from 0.
    pub part: u8,
    /// What to send.
    pub sm: Sm,
    /// With these optional parameters.
    pub tlvs: Tlvs,
}

/// How a submit ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Answer {
    /// The SMSC has it.
    Accepted,
    /// It has not, and says why.
    Refused(CommandStatus),
    /// Nobody knows: no answer in time, or the line went first. In words.
    Unknown(String),
    /// It never left.
    NotSent,
}

/// What became of a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum End {
    /// The SMSC has all of it.
    Accepted,
    /// It has not, or not all; why, in words.
    Refused(String),
}

/// Messages by where they go.
type ByDestination = BTreeMap<Box<[u8]>, BTreeSet<Job>>;

/// Messages that are not done. `T` is the owner's, and comes back when one is.
#[derive(Debug)]
pub struct Queue<T> {
    config: QueueConfig,
    jobs: BTreeMap<Job, Message<T>>,
    added: Job,
    /// Parts that may go, in order.
    ready: BTreeSet<(Job, u8)>,
    /// Parts that may go later.
    later: BTreeSet<(Duration, Job, u8)>,
    outstanding: usize,
    /// Messages that have a part to be tried again, by destination.
    retried: ByDestination,
    /// Messages of which a part has gone and which are not done, by destination.
    under_way: ByDestination,
    paused_until: Option<Duration>,
    /// How long the next pause is.
    pause: Duration,
    /// Submits that may go now, and when that was true.
    allowance: (f64, Duration),
}

#[derive(Debug)]
struct Message<T> {
    token: T,
    destination: Box<[u8]>,
    parts: Vec<Part>,
    outstanding: usize,
    /// Parts that have not ended.
    left: usize,
    /// On which link its parts go.
    link: Option<u64>,
    failed_since: Option<Duration>,
    /// Set when one part has failed for good.
    refused: Option<String>,
}

#[derive(Debug)]
struct Part {
    sm: Sm,
    tlvs: Tlvs,
    tries: u32,
    /// Whether it is to be tried again.
    again: bool,
}

impl<T> Queue<T> {
    /// A queue in which nothing is.
    #[must_use]
    pub fn new(config: QueueConfig) -> Queue<T> {
        Queue {
            pause: config.throttle.delay,
            allowance: (config.rate.map_or(0.0, |rate| rate.burst.max(1.0)), Duration::ZERO),
            config,
            jobs: BTreeMap::new(),
            added: 0,
            ready: BTreeSet::new(),
            later: BTreeSet::new(),
            outstanding: 0,
            retried: BTreeMap::new(),
            under_way: BTreeMap::new(),
            paused_until: None,
        }
    }

    /// Follows another configuration from now on. What waits goes on waiting for what it was told, but no pause is longer than
    /// the longest there is now.
    pub fn follow(&mut self, now: Duration, config: QueueConfig) {
        let _ = self.rate_allows(now);
        let (max, delay) = (config.throttle.max, config.throttle.delay);
        self.pause = self.pause.min(max).max(delay);
        self.paused_until = self.paused_until.map(|until| until.min(now.saturating_add(max)));
        let burst = config.rate.map_or(0.0, |rate| rate.burst.max(1.0));
        let left = if self.config.rate.is_some() { self.allowance.0 } else { burst };
        self.allowance = (left.min(burst), now);
        self.config = config;
    }

    /// Takes a message. Its parts, at least one, go in this order and next to each other, as far as they are accepted.
    pub fn add(&mut self, token: T, parts: Vec<(Sm, Tlvs)>) -> Job {
        self.added += 1;
        let destination = parts.first().map(|(sm, _)| sm.destination_addr.as_bytes().into()).unwrap_or_default();
        let left = parts.len();
        self.ready.extend((0..=u8::MAX).take(left).map(|part| (self.added, part)));
        let parts = parts.into_iter().map(|(sm, tlvs)| Part { sm, tlvs, tries: 0, again: false }).collect();
        let message =
            Message { token, destination, parts, outstanding: 0, left, link: None, failed_since: None, refused: None };
        self.jobs.insert(self.added, message);
        self.added
    }

    /// Messages that are not done.
    #[must_use]
    pub fn len(&self) -> usize {
        self.jobs.len()
    }

    /// Whether all are done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Submits without an answer.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.outstanding
    }

    /// Whether nothing goes because the SMSC said "slower".
    #[must_use]
    pub fn is_paused(&self, now: Duration) -> bool {
        self.paused_until.is_some_and(|until| until > now)
    }

    /// What is the owner's of a message that is not done.
    #[must_use]
    pub fn get(&self, job: Job) -> Option<&T> {
        self.jobs.get(&job).map(|message| &message.token)
    }

    /// The message of a job, to note something on it.
    pub fn get_mut(&mut self, job: Job) -> Option<&mut T> {
        self.jobs.get_mut(&job).map(|message| &mut message.token)
    }

    /// The first message that is this.
    pub fn find(&mut self, is_it: impl Fn(&T) -> bool) -> Option<&mut T> {
        self.jobs.values_mut().map(|message| &mut message.token).find(|token| is_it(token))
    }

    /// The part that goes now on this link, which has room; none if none may go yet.
    pub fn poll_submit(&mut self, now: Duration, link: u64) -> Option<Submit> {
        while let Some(&(at, job, part)) = self.later.first()
            && at <= now
        {
            self.later.pop_first();
            self.ready.insert((job, part));
        }
        if self.is_paused(now) || !self.rate_allows(now) {
            return None;
        }
        let (job, part) = self.ready.iter().copied().find(|(job, _)| self.may_go(*job, link))?;
        self.ready.remove(&(job, part));
        let message = self.jobs.get_mut(&job)?;
        if message.link.is_none() && self.config.keep_order == KeepOrder::PerDestination {
            self.under_way.entry(message.destination.clone()).or_default().insert(job);
        }
        message.link = Some(link);
        message.outstanding += 1;
        self.outstanding += 1;
        self.allowance.0 -= 1.0;
        let place = message.parts.get_mut(usize::from(part))?;
        place.again = false;
        let (sm, tlvs) = (place.sm.clone(), place.tlvs.clone());
        self.note_retries(job);
        Some(Submit { job, part, sm, tlvs })
    }

    fn may_go(&self, job: Job, link: u64) -> bool {
        let Some(message) = self.jobs.get(&job) else { return false };
        let is_first_retried = || {
            let earlier = self.retried.get(&message.destination).and_then(BTreeSet::first);
            earlier.is_none_or(|earlier| *earlier >= job)
        };
        let is_on_their_link = || {
            let before = self.under_way.get(&message.destination).and_then(|jobs| jobs.range(..job).next_back());
            let before = before.and_then(|before| self.jobs.get(before));
            before.is_none_or(|before| before.link == Some(link))
        };
        message.link.is_none_or(|own| own == link)
            && match self.config.keep_order {
                KeepOrder::None => true,
                KeepOrder::PerDestination => is_first_retried() && is_on_their_link(),
                KeepOrder::Strict => {
                    self.outstanding == 0 && self.jobs.first_key_value().is_some_and(|(first, _)| *first == job)
                }
            }
    }

    fn rate_allows(&mut self, now: Duration) -> bool {
        let Some(Rate { per_second, burst }) = self.config.rate else { return true };
        let (left, at) = self.allowance;
        let earned = now.saturating_sub(at).as_secs_f64() * per_second;
        self.allowance = ((left + earned).min(burst.max(1.0)), now);
        // What is earned in a time that was computed from this rate may fall short by a rounding.
        self.allowance.0 >= 1.0 - 1e-6
    }

    /// When, after `now`, [`poll_submit`](Queue::poll_submit) may give a part that it does not give now, though no answer has
    /// come; none if that needs an answer, a message or a link.
    #[must_use]
    pub fn poll_timeout(&self, now: Duration) -> Option<Duration> {
        let later = self.later.first().map(|(at, _, _)| *at);
        let (left, at) = self.allowance;
        let rated = self.config.rate.filter(|_| left < 1.0 - 1e-6).map(|rate| {
            let wait = Duration::try_from_secs_f64((1.0 - left) / rate.per_second).unwrap_or(Duration::MAX);
            at.saturating_add(wait)
        });
        let held = self.paused_until.max(rated).filter(|_| !self.ready.is_empty());
        // What is over holds nothing: what is ready in spite of it waits for something else.
        [later, held].into_iter().flatten().filter(|at| *at > now).min()
    }

    /// A submit has ended. Gives the message back when that makes it done.
    pub fn answered(&mut self, now: Duration, job: Job, part: u8, answer: Answer) -> Option<(T, End)> {
        let message = self.jobs.get_mut(&job)?;
        let place = message.parts.get_mut(usize::from(part))?;
        message.outstanding -= 1;
        self.outstanding -= 1;
        if matches!(answer, Answer::Refused(_) | Answer::Unknown(_)) {
            message.failed_since.get_or_insert(now);
        }
        let age = message.failed_since.map(|since| now.saturating_sub(since));
        let is_too_old = age.is_some_and(|age| age >= self.config.retry_max_age);
        match answer {
            Answer::Accepted => {
                message.failed_since = None;
                message.left -= 1;
                self.pause = self.config.throttle.delay;
            }
            Answer::NotSent => {
                place.again = true;
                self.ready.insert((job, part));
            }
            Answer::Refused(status) if self.config.throttle.statuses.contains(&status) => {
                if self.paused_until.is_none_or(|until| until <= now) {
                    self.paused_until = Some(now.saturating_add(self.pause));
                    let longer = self.pause.as_secs_f64() * self.config.throttle.factor.max(1.0);
                    let longer = Duration::try_from_secs_f64(longer).unwrap_or(Duration::MAX);
                    self.pause = longer.min(self.config.throttle.max);
                }
                match is_too_old {
                    true => message.refused = Some(words(status)),
                    false => {
                        place.again = true;
                        self.ready.insert((job, part));
                    }
                }
            }
            Answer::Refused(status) => match self.config.retry.get(&status) {
                Some(retry) if place.tries < retry.count && !is_too_old => {
                    place.tries += 1;
                    place.again = true;
                    self.later.insert((now.saturating_add(retry.delay), job, part));
                }
                _ => message.refused = Some(words(status)),
            },
            Answer::Unknown(why) => match self.config.on_unknown {
                OnUnknown::Resend if !is_too_old => {
                    place.again = true;
                    self.ready.insert((job, part));
                }
                _ => message.refused = Some(format!("outcome unknown: {why}")),
            },
        }
        self.note_retries(job);
        self.finished(job)
    }

    fn finished(&mut self, job: Job) -> Option<(T, End)> {
        let message = self.jobs.get(&job)?;
        if message.refused.is_some() {
            for part in (0..=u8::MAX).take(message.parts.len()) {
                self.ready.remove(&(job, part));
            }
            self.later.retain(|(_, other, _)| *other != job);
        }
        let is_done = message.outstanding == 0 && (message.left == 0 || message.refused.is_some());
        if !is_done {
            return None;
        }
        let Message { token, destination, refused, .. } = self.jobs.remove(&job)?;
        self.forget(&destination, job);
        Some((token, refused.map_or(End::Accepted, End::Refused)))
    }

    /// Whether the message has a part to be tried again is known by its destination.
    fn note_retries(&mut self, job: Job) {
        let Some(message) = self.jobs.get(&job) else { return };
        let destination = &message.destination;
        if message.refused.is_none() && message.parts.iter().any(|part| part.again) {
            match self.retried.get_mut(destination) {
                Some(jobs) => drop(jobs.insert(job)),
                None => drop(self.retried.insert(destination.clone(), BTreeSet::from([job]))),
            }
        } else if self.retried.contains_key(destination) {
            let destination = destination.clone();
            take_out(&mut self.retried, &destination, job);
        }
    }

    fn forget(&mut self, destination: &[u8], job: Job) {
        take_out(&mut self.retried, destination, job);
        take_out(&mut self.under_way, destination, job);
    }

    /// A link is gone: messages that had begun on it go on with another.
    pub fn link_ended(&mut self, link: u64) {
        self.jobs.values_mut().filter(|message| message.link == Some(link)).for_each(|message| message.link = None);
    }

    /// Gives back those of these messages of which nothing is outstanding, and nothing accepted: they can be left to others.
    pub fn give_back(&mut self, which: impl Fn(&T) -> bool) -> Vec<T> {
        let untouched = |message: &Message<T>| {
            message.outstanding == 0 && message.left == message.parts.len() && which(&message.token)
        };
        let jobs: Vec<Job> = self.jobs.iter().filter(|(_, message)| untouched(message)).map(|(job, _)| *job).collect();
        self.ready.retain(|(job, _)| jobs.binary_search(job).is_err());
        self.later.retain(|(_, job, _)| jobs.binary_search(job).is_err());
        let mut given = Vec::with_capacity(jobs.len());
        for job in jobs {
            let Some(message) = self.jobs.remove(&job) else { continue };
            self.forget(&message.destination, job);
            given.push(message.token);
        }
        given
    }
}

fn take_out(all: &mut ByDestination, destination: &[u8], job: Job) {
    if let Some(jobs) = all.get_mut(destination) {
        jobs.remove(&job);
        if jobs.is_empty() {
            all.remove(destination);
        }
    }
}

#[cfg(test)]
mod tests;
