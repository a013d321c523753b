//! Our requests that are not yet answered: by sequence number, in the order they were sent, each with its deadline.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};
use std::time::Duration;

use crate::pdu::CommandId;

/// One request.
pub(super) struct Outstanding<T> {
    pub(super) command: CommandId,
    pub(super) deadline: Duration,
    pub(super) token: T,
}

/// The requests. They are found by number and expire in the order they were sent, since all wait equally long.
pub(super) struct Window<T> {
    by_number: HashMap<u32, Outstanding<T>, BuildHasherDefault<NumberHasher>>,
    /// Numbers in the order they were sent; those answered since are passed over, and swept out when they are many.
    order: VecDeque<u32>,
}

impl<T> Window<T> {
    pub(super) fn new() -> Window<T> {
        Window { by_number: HashMap::default(), order: VecDeque::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.by_number.len()
    }

    pub(super) fn contains(&self, sequence: u32) -> bool {
        self.by_number.contains_key(&sequence)
    }

    pub(super) fn command(&self, sequence: u32) -> Option<CommandId> {
        self.by_number.get(&sequence).map(|request| request.command)
    }

    pub(super) fn insert(&mut self, sequence: u32, request: Outstanding<T>) {
        if self.order.len() > 2 * self.by_number.len() + 64 {
            let by_number = &self.by_number;
            self.order.retain(|number| by_number.contains_key(number));
        }
        self.order.push_back(sequence);
        self.by_number.insert(sequence, request);
    }

    pub(super) fn remove(&mut self, sequence: u32) -> Option<Outstanding<T>> {
        let request = self.by_number.remove(&sequence)?;
        while self.order.front().is_some_and(|number| !self.by_number.contains_key(number)) {
            self.order.pop_front();
        }
        Some(request)
    }

    /// When the next one expires.
    pub(super) fn deadline(&self) -> Option<Duration> {
        self.order.front().and_then(|number| self.by_number.get(number)).map(|request| request.deadline)
    }

    /// Takes the oldest one if its time is up.
    pub(super) fn expire(&mut self, now: Duration) -> Option<(u32, Outstanding<T>)> {
        if self.deadline()? > now { None } else { self.pop() }
    }

    /// Takes the oldest one.
    pub(super) fn pop(&mut self) -> Option<(u32, Outstanding<T>)> {
        let sequence = *self.order.front()?;
        self.remove(sequence).map(|request| (sequence, request))
    }
}

/// Spreads sequence numbers, which count up: one multiplication. They are ours, so nobody can choose them to collide.
#[derive(Default)]
struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, octets: &[u8]) {
        octets.iter().for_each(|&octet| self.write_u32(u32::from(octet)));
    }
    fn write_u32(&mut self, number: u32) {
        self.0 = (self.0 ^ u64::from(number)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_answered_requests_leave_nothing_behind_one_that_is_not() {
        let request = || Outstanding { command: CommandId::SUBMIT_SM, deadline: Duration::ZERO, token: () };
        let mut window = Window::new();
        window.insert(1, request());
        for sequence in 2..10_000 {
            window.insert(sequence, request());
            assert!(window.remove(sequence).is_some());
            assert!(window.order.len() <= 2 * window.len() + 65, "{}", window.order.len());
        }
        assert_eq!(window.pop().map(|(sequence, _)| sequence), Some(1));
        assert_eq!((window.len(), window.order.len()), (0, 0));
    }
}
