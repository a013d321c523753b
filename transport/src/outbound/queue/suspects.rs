//! Suspects: messages that were outstanding when a session broke. One of them may be what the SMSC breaks sessions at, so
//! each is tried alone: after the messages that were there before, with nothing else outstanding on its session, and on one
//! session at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Job;

/// Suspicion against a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Suspicion {
    /// Sessions that broke while the message was outstanding.
    pub(super) losses: u32,
    /// Last message that was added before; those up to it go first.
    pub(super) behind: Job,
    /// Time at which the message is tried even though others keep coming.
    pub(super) by: Duration,
}

/// Time without a new message and without a new link after which a message that broke several sessions is tried: what waits
/// at the bus goes first.
pub(super) const QUIET: Duration = Duration::from_secs(1);
/// Longest wait for that, after the pause of the message.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Suspects that may go, and the trial of one.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    /// Those that may go, the least suspected first.
    ready: BTreeSet<(u32, Job)>,
    losses: BTreeMap<Job, u32>,
    trial: Option<Trial>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Trial {
    /// Nothing more goes on this link until its submits have been answered.
    Reserved(u64),
    /// A suspect is outstanding on this link.
    Outstanding(u64, Job),
}

impl Suspects {
    pub(super) fn insert(&mut self, job: Job, losses: u32) {
        self.remove(job);
        self.ready.insert((losses, job));
        self.losses.insert(job, losses);
    }

    pub(super) fn remove(&mut self, job: Job) {
        if let Some(losses) = self.losses.remove(&job) {
            self.ready.remove(&(losses, job));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    /// First suspect that may go.
    pub(super) fn first(&self) -> Option<Job> {
        self.ready.first().map(|(_, job)| *job)
    }

    /// Returns `true` while a suspect is outstanding on this link.
    pub(super) fn is_on(&self, link: u64) -> bool {
        matches!(self.trial, Some(Trial::Outstanding(on, _)) if on == link)
    }

    /// Returns `true` while a suspect is outstanding anywhere.
    pub(super) fn is_trying(&self) -> bool {
        matches!(self.trial, Some(Trial::Outstanding(..)))
    }

    /// Returns `true` while this suspect is outstanding anywhere.
    pub(super) fn is_tried(&self, job: Job) -> bool {
        matches!(self.trial, Some(Trial::Outstanding(_, tried)) if tried == job)
    }

    /// Reserves the link for a trial, unless another one is reserved. An idle link, which need not be waited for, takes a
    /// reservation over. Returns `true` if this link is reserved.
    pub(super) fn reserve(&mut self, link: u64, is_idle: bool) -> bool {
        if is_idle {
            self.trial = Some(Trial::Reserved(link));
        }
        *self.trial.get_or_insert(Trial::Reserved(link)) == Trial::Reserved(link)
    }

    /// Gives a reservation up.
    pub(super) fn release(&mut self) {
        self.trial = self.trial.filter(|trial| matches!(trial, Trial::Outstanding(..)));
    }

    pub(super) fn link_ended(&mut self, link: u64) {
        self.trial = self.trial.filter(|trial| *trial != Trial::Reserved(link));
    }

    pub(super) fn begin(&mut self, link: u64, job: Job) {
        self.trial = Some(Trial::Outstanding(link, job));
    }

    pub(super) fn end(&mut self, job: Job) {
        self.trial = self.trial.filter(|trial| !matches!(trial, Trial::Outstanding(_, other) if *other == job));
    }
}
