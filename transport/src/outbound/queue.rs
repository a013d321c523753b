//! Messages between the bus and the window: which part goes next, on which link, and the outcome of each message.
//!
//! ```text
//!            add                    poll_submit                    answered: accepted
//!  bus ─────────────► ready ──────────────────────► outstanding ───────────────────────► part done ─► message done
//!                       ▲                             │     │
//!                       └── paused, counted ◄─────────┘     └─► refused for good: the rest is dropped, message done
//! ```
//!
//! Each component has its own state:
//! - [`lanes`]: the order for each destination, and full queues at the SMSC.
//! - [`pace`]: the configured rate, pauses that the SMSC asks for, and the [`estimate`] of its limit.
//! - [`suspects`]: messages that were outstanding when a session broke.
//! - [`resend`]: the one place that decides whether a part is sent again.
//!
//! Takes the time as an argument, counted from any fixed moment.

mod config;
mod estimate;
mod lanes;
mod message;
mod pace;
mod resend;
mod suspects;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub use config::{FullScope, KeepOrder, OnUnknown, QueueConfig, QueueFull, Rate, Resend, Retry, Throttle, Validity};
pub use resend::{Answer, Cause, Doubt};

use crate::pdu::{Sm, Tlvs};
use lanes::{LaneId, Lanes};
use message::{Limits, Message, State, validity};
use pace::{Episode, Pace};
use resend::{Decision, Scope, Tries, decide};
use suspects::{PATIENCE, QUIET, Suspects, Suspicion};

/// Number of a message: its place in the order.
pub type Job = u64;

/// Reason of a nack for a message whose time was over before its first submit.
const EXPIRED: &str = "expired before it was sent";
/// Reason of a nack for a message whose validity ended before a resend.
const NO_LONGER_VALID: &str = "validity period over before it was accepted";

/// A part that is to be sent now.
#[derive(Clone, Debug, PartialEq)]
pub struct Submit {
    /// Message that the part belongs to.
    pub job: Job,
    /// Place of the part in the message, from 0.
    pub part: u8,
    /// Mandatory parameters of the submit_sm.
    pub sm: Sm,
    /// Optional parameters of the submit_sm.
    pub tlvs: Tlvs,
}

/// Outcome of a message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum End {
    /// The SMSC has all of it.
    Accepted,
    /// The SMSC has not, or not all; the reason, in words.
    Refused(String),
}

/// Result of an answer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Verdict<T> {
    /// The message is not done, and this part of it is not sent again.
    Continues,
    /// The part is sent again.
    Again(Again),
    /// The message is done, and comes back.
    Done(T, End),
}

/// A resend that was decided upon.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Again {
    /// Reason.
    pub cause: Cause,
    /// Pause before the resend, at least.
    pub pause: Duration,
}

/// Messages that are not done. `T` is the owner's, and comes back when its message is done.
#[derive(Debug)]
pub struct Queue<T> {
    config: QueueConfig,
    jobs: BTreeMap<Job, Message<T>>,
    added: Job,
    /// Messages that may go, without suspects.
    ready: BTreeSet<Job>,
    /// Parts that may go later.
    paused: BTreeSet<(Duration, Job, u8)>,
    /// Messages of which nothing is outstanding and that end at a time.
    deadlines: BTreeSet<(Duration, Job)>,
    /// Links that have been polled since they ended last.
    links: BTreeSet<u64>,
    /// Submits without an answer, by link.
    outstanding: BTreeMap<u64, usize>,
    lanes: Lanes,
    suspects: Suspects,
    /// Time at which a message that broke several sessions may be tried, if nothing new comes before.
    quiet_at: Duration,
    pace: Pace,
}

impl<T> Queue<T> {
    /// Makes an empty queue.
    #[must_use]
    pub fn new(config: QueueConfig) -> Queue<T> {
        Queue {
            pace: Pace::new(&config),
            config,
            jobs: BTreeMap::new(),
            added: 0,
            ready: BTreeSet::new(),
            paused: BTreeSet::new(),
            deadlines: BTreeSet::new(),
            links: BTreeSet::new(),
            outstanding: BTreeMap::new(),
            lanes: Lanes::default(),
            suspects: Suspects::default(),
            quiet_at: Duration::ZERO,
        }
    }

    /// Follows another configuration from now on. A part that is paused stays paused as long as was decided.
    pub fn follow(&mut self, now: Duration, config: QueueConfig) {
        self.pace.follow(now, &self.config, &config);
        self.config = config;
        let jobs: Vec<Job> = self.jobs.keys().copied().collect();
        jobs.into_iter().for_each(|job| self.look_at(job));
    }

    /// Returns `true` if the age of a message that is added counts.
    #[must_use]
    pub fn counts_age(&self) -> bool {
        self.config.message_max_age.is_some() || self.config.validity == Validity::FromAcceptance
    }

    /// Adds a message with at least one part. `age` is the time since the message was made.
    pub fn add(&mut self, now: Duration, token: T, parts: Vec<(Sm, Tlvs)>, age: Duration) -> Job {
        self.added += 1;
        self.quiet_at = self.quiet_at.max(now + QUIET);
        let (job, first) = (self.added, parts.first().map(|(sm, _)| sm));
        let limits = Limits::new(&self.config, now, age, first);
        let destination = first.map_or(&[][..], |sm| sm.destination_addr.as_bytes());
        let lane = self.lanes.add(destination, job);
        self.jobs.insert(job, Message::new(token, parts, limits, lane));
        self.note_deadline(job);
        self.look_at(job);
        job
    }

    /// Number of messages that are not done.
    #[must_use]
    pub fn len(&self) -> usize {
        self.jobs.len()
    }

    /// Returns `true` if all messages are done.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// Number of submits without an answer.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.outstanding.values().sum()
    }

    /// Returns `true` while nothing goes because the SMSC has throttled.
    #[must_use]
    pub fn is_paused(&self, now: Duration) -> bool {
        self.pace.is_paused(now)
    }

    /// The owner's part of a message that is not done.
    #[must_use]
    pub fn get(&self, job: Job) -> Option<&T> {
        self.jobs.get(&job).map(|message| &message.token)
    }

    /// The message of a job, to note something on it.
    pub fn get_mut(&mut self, job: Job) -> Option<&mut T> {
        self.jobs.get_mut(&job).map(|message| &mut message.token)
    }

    /// First message for which the condition holds.
    pub fn find(&mut self, is_it: impl Fn(&T) -> bool) -> Option<&mut T> {
        self.jobs.values_mut().map(|message| &mut message.token).find(|token| is_it(token))
    }

    /// Returns the part that goes now on this link, which has room; `None` if none may go yet.
    pub fn poll_submit(&mut self, now: Duration, link: u64) -> Option<Submit> {
        self.wake(now);
        if self.links.insert(link) {
            self.quiet_at = self.quiet_at.max(now + QUIET);
        }
        let job = loop {
            let job = self.choose(now, link)?;
            let message = self.jobs.get_mut(&job)?;
            if message.end().is_none_or(|end| end > now) {
                break job;
            }
            if message.outstanding == 0 {
                // It ends before anything else goes.
                return None;
            }
            message.refused = Some(NO_LONGER_VALID.to_owned());
            self.look_at(job);
        };
        if !self.pace.allows(now, self.config.rate) {
            return None;
        }
        self.send(now, link, job)
    }

    fn wake(&mut self, now: Duration) {
        while let Some(&(at, job, part)) = self.paused.first()
            && at <= now
        {
            self.paused.pop_first();
            if let Some(part) = self.jobs.get_mut(&job).and_then(|message| message.parts.get_mut(usize::from(part))) {
                part.state = State::Ready;
            }
            self.look_at(job);
        }
    }

    /// Message whose turn it is on this link.
    fn choose(&mut self, now: Duration, link: u64) -> Option<Job> {
        if self.suspects.is_on(link) {
            return None;
        }
        if self.config.keep_order == KeepOrder::Strict {
            let (job, message) = self.jobs.first_key_value()?;
            return (self.outstanding() == 0 && message.next(true).is_some()).then_some(*job);
        }
        match self.suspect(now) {
            None => self.suspects.release(),
            Some(job) => {
                let is_idle = self.outstanding_on(link) == 0;
                if self.suspects.reserve(link, is_idle) {
                    return is_idle.then_some(job);
                }
            }
        }
        let is_here = |job: &&Job| self.jobs.get(job).is_some_and(|message| message.link.is_none_or(|own| own == link));
        self.ready.iter().find(is_here).copied()
    }

    /// Suspect whose turn it is: when no message that was there before it may go.
    fn suspect(&self, now: Duration) -> Option<Job> {
        if self.suspects.is_trying() {
            return None;
        }
        let job = self.suspects.first()?;
        let Suspicion { losses, behind, by } = self.jobs.get(&job)?.suspicion?;
        let is_quiet = losses < 2 || now >= self.quiet_at.min(by);
        (is_quiet && self.ready.first().is_none_or(|first| *first > behind)).then_some(job)
    }

    fn outstanding_on(&self, link: u64) -> usize {
        self.outstanding.get(&link).copied().unwrap_or_default()
    }

    fn send(&mut self, now: Duration, link: u64, job: Job) -> Option<Submit> {
        let message = self.jobs.get(&job)?;
        let place = message.next(self.is_in_order(message))?;
        let message = self.jobs.get_mut(&job)?;
        let sent = self.pace.sent(now);
        message.outstanding += 1;
        message.submits += 1;
        message.link = (message.parts.len() > 1).then_some(link);
        let part = &mut message.parts[place];
        part.state = State::Outstanding { link, sent };
        let (mut sm, tlvs) = (part.sm.clone(), part.tlvs.clone());
        if let Some(left) = message.limits.valid_until.and_then(|until| validity(now, until)) {
            sm.validity_period = left;
        }
        *self.outstanding.entry(link).or_default() += 1;
        self.lanes.get_mut(message.lane).outstanding += 1;
        if message.suspicion.is_some() {
            self.suspects.begin(link, job);
        }
        self.note_deadline(job);
        self.look_at(job);
        Some(Submit { job, part: u8::try_from(place).unwrap_or(u8::MAX), sm, tlvs })
    }

    /// Returns `true` if the parts of this message go one after the other.
    fn is_in_order(&self, message: &Message<T>) -> bool {
        self.config.keep_order != KeepOrder::None
            || message.suspicion.is_some()
            || self.lanes.get(message.lane).full > 0
    }

    /// Sets whether a message may go, after something about it or its destination has changed.
    fn look_at(&mut self, job: Job) {
        self.ready.remove(&job);
        self.suspects.remove(job);
        let Some(message) = self.jobs.get(&job) else { return };
        let in_order = self.is_in_order(message);
        let lane = self.lanes.get(message.lane);
        let is_first = lane.head() == Some(job) && lane.outstanding == 0;
        let is_alone = message.suspicion.is_none() || message.outstanding == 0;
        let waits_in_lane = self.config.keep_order != KeepOrder::None || lane.full > 0;
        if message.next(in_order).is_none() || (waits_in_lane && !is_first) || !is_alone {
            return;
        }
        match message.suspicion {
            Some(Suspicion { losses, .. }) => self.suspects.insert(job, losses),
            None => _ = self.ready.insert(job),
        }
    }

    /// The same for all messages to a destination whose turn may have come.
    fn look_at_lane(&mut self, lane: LaneId, is_all: bool) {
        let lane = self.lanes.get(lane);
        if is_all {
            let jobs: Vec<Job> = lane.jobs().collect();
            jobs.into_iter().for_each(|job| self.look_at(job));
        } else if let Some(job) = lane.head() {
            self.look_at(job);
        }
    }

    /// Returns the time, after `now`, at which [`poll_submit`](Queue::poll_submit) may give a part that it does not give now
    /// or [`poll_expired`](Queue::poll_expired) a message; `None` if that needs an answer, a message or a link.
    #[must_use]
    pub fn poll_timeout(&self, now: Duration) -> Option<Duration> {
        let paused = self.paused.first().map(|(at, ..)| *at);
        let deadline = self.deadlines.first().map(|(at, _)| *at);
        let may_go = match self.config.keep_order {
            KeepOrder::Strict => self.outstanding() == 0 && !self.jobs.is_empty(),
            _ => !self.ready.is_empty() || !self.suspects.is_empty(),
        };
        let held = self.pace.next(self.config.rate).filter(|_| may_go);
        // A pace that is over holds nothing: what is ready in spite of it waits for something else.
        let quiet = (!self.suspects.is_empty()).then_some(self.quiet_at);
        [paused, deadline, held, quiet].into_iter().flatten().filter(|at| *at > now).min()
    }

    /// Notes the time at which a message ends, which is not while anything of it is outstanding.
    fn note_deadline(&mut self, job: Job) {
        let Some(message) = self.jobs.get_mut(&job) else { return };
        let deadline = message.end().filter(|_| message.outstanding == 0);
        let before = std::mem::replace(&mut message.deadline, deadline);
        if before != deadline {
            if let Some(before) = before {
                self.deadlines.remove(&(before, job));
            }
            self.deadlines.extend(deadline.map(|at| (at, job)));
        }
    }

    /// Returns a message whose time was over before its next submit: before the first, or before all of it was accepted.
    pub fn poll_expired(&mut self, now: Duration) -> Option<(T, End)> {
        let &(at, job) = self.deadlines.first()?;
        if at > now {
            return None;
        }
        let message = self.remove(job)?;
        let reason = if message.submits == 0 { EXPIRED } else { NO_LONGER_VALID };
        Some((message.token, End::Refused(reason.to_owned())))
    }

    /// Takes the answer to a submit.
    pub fn answered(&mut self, now: Duration, job: Job, part: u8, answer: Answer) -> Verdict<T> {
        let Some(message) = self.jobs.get_mut(&job) else { return Verdict::Continues };
        let Some(place) = message.parts.get_mut(usize::from(part)) else { return Verdict::Continues };
        let State::Outstanding { link, sent } = place.state else { return Verdict::Continues };
        message.outstanding -= 1;
        if matches!(answer, Answer::Refused(_) | Answer::Unknown(_)) {
            message.failed_since.get_or_insert(now);
        }
        let age = message.failed_since.map_or(Duration::ZERO, |since| now.saturating_sub(since));
        let full = self.lanes.get(message.lane).full;
        let decision = decide(&self.config, &mut place.tries, full, age, answer);
        let until = message.limits.valid_until;
        let decision = match decision {
            Decision::Again(_, pause) if until.is_some_and(|until| until <= now.saturating_add(pause)) => {
                Decision::GiveUp(NO_LONGER_VALID.to_owned())
            }
            decision => decision,
        };
        let again = match &decision {
            Decision::Again(cause, pause) => Some(Again { cause: *cause, pause: *pause }),
            _ => None,
        };
        match decision {
            Decision::Done => {
                place.state = State::Accepted;
                message.left -= 1;
                message.failed_since = None;
                // A part that went before the session broke, and is noted as accepted only now, clears nothing.
                if self.suspects.is_tried(job) {
                    message.suspicion = None;
                }
            }
            Decision::Again(_, pause) => {
                let until = now.saturating_add(pause);
                place.state = State::Paused(until);
                self.paused.insert((until, job, part));
            }
            Decision::GiveUp(words) => {
                place.state = State::Ready;
                message.refused = Some(words);
            }
        }
        if answer == Answer::NotSent {
            // The time limit of the first submit may count again.
            message.submits -= 1;
        }
        if answer == Answer::Unknown(Doubt::Broken) {
            let losses = message.suspicion.map_or(0, |suspicion| suspicion.losses) + 1;
            let pause = again.map_or(Duration::ZERO, |again| again.pause);
            let by = now.saturating_add(pause).saturating_add(PATIENCE);
            message.suspicion = Some(Suspicion { losses, behind: self.added, by });
            message.link = None;
        }
        self.settle(now, job, link, sent, answer);
        match self.finished(job) {
            Some((token, end)) => Verdict::Done(token, end),
            None => again.map_or(Verdict::Continues, Verdict::Again),
        }
    }

    /// Tells the components of an answer.
    fn settle(&mut self, now: Duration, job: Job, link: u64, sent: Episode, answer: Answer) {
        self.suspects.end(job);
        if let Some(count) = self.outstanding.get_mut(&link) {
            *count -= 1;
        }
        let scope = match answer {
            Answer::Refused(status) => Some(self.config.scope(status)),
            _ => None,
        };
        match (answer, scope) {
            (_, Some(Scope::All)) => self.pace.throttled(now, sent, &self.config),
            (Answer::Accepted | Answer::Refused(_), _) => {
                self.pace.answered(now, sent, answer == Answer::Accepted);
            }
            (Answer::Unknown(_) | Answer::NotSent, _) => self.pace.unanswered(sent),
        }
        self.note_deadline(job);
        let Some(message) = self.jobs.get(&job) else { return };
        let id = message.lane;
        let lane = self.lanes.get_mut(id);
        lane.outstanding -= 1;
        let was_full = lane.full;
        match (answer, scope) {
            (Answer::Refused(_), Some(Scope::Destination)) => lane.full = lane.full.saturating_add(1),
            (Answer::Accepted, _) => lane.full = 0,
            _ => {}
        }
        let has_turned = (was_full == 0) != (lane.full == 0);
        if lane.head() != Some(job) {
            self.look_at(job);
        }
        self.look_at_lane(id, has_turned);
    }

    fn finished(&mut self, job: Job) -> Option<(T, End)> {
        if !self.jobs.get(&job)?.is_done() {
            return None;
        }
        let Message { token, refused, .. } = self.remove(job)?;
        Some((token, refused.map_or(End::Accepted, End::Refused)))
    }

    fn remove(&mut self, job: Job) -> Option<Message<T>> {
        let message = self.jobs.remove(&job)?;
        self.ready.remove(&job);
        self.suspects.remove(job);
        for (part, place) in (0..=u8::MAX).zip(&message.parts) {
            if let State::Paused(at) = place.state {
                self.paused.remove(&(at, job, part));
            }
        }
        if let Some(deadline) = message.deadline {
            self.deadlines.remove(&(deadline, job));
        }
        self.lanes.remove(message.lane, job);
        self.look_at_lane(message.lane, false);
        Some(message)
    }

    /// Lets the messages that had begun on this link, which is gone, go on with another.
    pub fn link_ended(&mut self, link: u64) {
        self.jobs.values_mut().filter(|message| message.link == Some(link)).for_each(|message| message.link = None);
        self.suspects.link_ended(link);
        self.links.remove(&link);
    }

    /// Gives back those of these messages of which nothing is outstanding, and nothing accepted: they can be left to others.
    pub fn give_back(&mut self, which: impl Fn(&T) -> bool) -> Vec<T> {
        self.give_back_counted(|token, _| which(token)).into_iter().map(|(token, _)| token).collect()
    }

    /// Gives messages back as [`give_back`](Queue::give_back) does, each with the count of its tries. `which` also gets whether
    /// a submit of the message may have reached the SMSC.
    pub fn give_back_counted(&mut self, which: impl Fn(&T, bool) -> bool) -> Vec<(T, Tried)> {
        let is_left = |message: &Message<T>| message.is_untouched() && which(&message.token, message.submits > 0);
        let jobs: Vec<Job> = self.jobs.iter().filter(|(_, message)| is_left(message)).map(|(job, _)| *job).collect();
        let given = jobs.into_iter().filter_map(|job| self.remove(job));
        given
            .map(|message| {
                let tried = Tried::of(&message);
                (message.token, tried)
            })
            .collect()
    }

    /// Continues the count of tries of a message that was given back and has come again.
    pub fn count_on(&mut self, now: Duration, job: Job, tried: &Tried) {
        let Some(message) = self.jobs.get_mut(&job) else { return };
        for (part, tries) in message.parts.iter_mut().zip(&tried.parts) {
            part.tries = *tries;
        }
        if tried.losses > 0 {
            let by = now.saturating_add(PATIENCE);
            message.suspicion = Some(Suspicion { losses: tried.losses, behind: job, by });
        }
        self.look_at(job);
    }
}

/// Count of the tries of a message that was given back.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Tried {
    parts: Vec<Tries>,
    /// Sessions that broke while the message was outstanding.
    losses: u32,
    was_submitted: bool,
}

impl Tried {
    fn of<T>(message: &Message<T>) -> Tried {
        let parts = message.parts.iter().map(|part| part.tries).collect();
        let losses = message.suspicion.map_or(0, |suspicion| suspicion.losses);
        Tried { parts, losses, was_submitted: message.submits > 0 }
    }

    /// Returns `true` if a submit of the message may have reached the SMSC since it was added.
    #[must_use]
    pub const fn was_submitted(&self) -> bool {
        self.was_submitted
    }
}

#[cfg(test)]
mod tests;
