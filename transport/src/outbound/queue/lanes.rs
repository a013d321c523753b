//! Messages by destination: the order among them, and destinations whose queue at the SMSC is full.

use std::collections::{BTreeMap, BTreeSet};

use super::Job;

/// Messages to one destination that are not done.
#[derive(Debug, Default)]
pub(super) struct Lane {
    destination: Box<[u8]>,
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

/// Number of a lane, as long as it has messages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct LaneId(usize);

/// Messages by destination.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    by_destination: BTreeMap<Box<[u8]>, LaneId>,
    lanes: Vec<Lane>,
    /// Lanes without messages, for other destinations.
    free: Vec<LaneId>,
}

impl Lanes {
    /// Adds a message to the lane of its destination. Returns the lane.
    pub(super) fn add(&mut self, destination: &[u8], job: Job) -> LaneId {
        let id = match self.by_destination.get(destination) {
            Some(id) => *id,
            None => self.open(destination),
        };
        self.lanes[id.0].jobs.insert(job);
        id
    }

    fn open(&mut self, destination: &[u8]) -> LaneId {
        let id = self.free.pop().unwrap_or_else(|| {
            self.lanes.push(Lane::default());
            LaneId(self.lanes.len() - 1)
        });
        let destination: Box<[u8]> = destination.into();
        self.lanes[id.0] = Lane { destination: destination.clone(), ..Lane::default() };
        self.by_destination.insert(destination, id);
        id
    }

    /// Removes a message from its lane. A lane without messages is forgotten.
    pub(super) fn remove(&mut self, id: LaneId, job: Job) {
        let lane = &mut self.lanes[id.0];
        if lane.jobs.remove(&job) && lane.jobs.is_empty() {
            self.by_destination.remove(&lane.destination);
            *lane = Lane::default();
            self.free.push(id);
        }
    }

    pub(super) fn get(&self, id: LaneId) -> &Lane {
        &self.lanes[id.0]
    }

    pub(super) fn get_mut(&mut self, id: LaneId) -> &mut Lane {
        &mut self.lanes[id.0]
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.by_destination.is_empty() && self.free.len() == self.lanes.len()
    }
}
