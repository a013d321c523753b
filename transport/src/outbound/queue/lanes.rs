//! Messages by destination: the order among them, and destinations whose queue at the SMSC is full.

use std::collections::{BTreeMap, BTreeSet};

use super::Job;

/// Messages to one destination that are not done.
#[derive(Debug, Default)]
pub(super) struct Lane {
    jobs: BTreeSet<Job>,
    /// Submits of these messages without an answer.
    pub(super) outstanding: usize,
    /// Queue-full refusals in a row.
    pub(super) full: u32,
}

impl Lane {
    /// First message, in the order in which they were added.
    pub(super) fn head(&self) -> Option<Job> {
        self.jobs.first().copied()
    }

    pub(super) fn jobs(&self) -> impl Iterator<Item = Job> {
        self.jobs.iter().copied()
    }
}

/// Messages by destination.
#[derive(Debug, Default)]
pub(super) struct Lanes(BTreeMap<Box<[u8]>, Lane>);

impl Lanes {
    pub(super) fn add(&mut self, destination: &[u8], job: Job) {
        if let Some(lane) = self.0.get_mut(destination) {
            lane.jobs.insert(job);
        } else {
            self.0.insert(destination.into(), Lane { jobs: BTreeSet::from([job]), ..Lane::default() });
        }
    }

    pub(super) fn remove(&mut self, destination: &[u8], job: Job) {
        if let Some(lane) = self.0.get_mut(destination) {
            lane.jobs.remove(&job);
            if lane.jobs.is_empty() {
                self.0.remove(destination);
            }
        }
    }

    pub(super) fn get(&self, destination: &[u8]) -> Option<&Lane> {
        self.0.get(destination)
    }

    pub(super) fn get_mut(&mut self, destination: &[u8]) -> Option<&mut Lane> {
        self.0.get_mut(destination)
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
