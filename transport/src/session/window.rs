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
    by_number: HashMap<u32, (Place, Outstanding<T>), BuildHasherDefault<NumberHasher>>,
    /// Numbers in the order they were sent; those answered since are passed over, and swept out when they are many. One that
    /// is used again is here twice, and only its last place counts.
    order: VecDeque<(u32, Place)>,
    /// Requests ever sent.
    sent: Place,
}

/// Which request it was, counted from the first.
type Place = u64;

impl<T> Window<T> {
    pub(super) fn new() -> Window<T> {
        Window { by_number: HashMap::default(), order: VecDeque::new(), sent: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.by_number.len()
    }

    pub(super) fn contains(&self, sequence: u32) -> bool {
        self.by_number.contains_key(&sequence)
    }

    pub(super) fn command(&self, sequence: u32) -> Option<CommandId> {
        self.by_number.get(&sequence).map(|(_, request)| request.command)
    }

    pub(super) fn insert(&mut self, sequence: u32, request: Outstanding<T>) {
        if self.order.len() > 2 * self.by_number.len() + 64 {
            let by_number = &self.by_number;
            self.order.retain(|(number, place)| by_number.get(number).is_some_and(|(at, _)| at == place));
        }
        self.sent += 1;
        self.order.push_back((sequence, self.sent));
        self.by_number.insert(sequence, (self.sent, request));
    }

    pub(super) fn remove(&mut self, sequence: u32) -> Option<Outstanding<T>> {
        let (_, request) = self.by_number.remove(&sequence)?;
        let by_number = &self.by_number;
        let is_over = |(number, place): &mut _| by_number.get(number).is_none_or(|(at, _)| at != place);
        while self.order.pop_front_if(is_over).is_some() {}
        Some(request)
    }

    /// When the next one expires.
    pub(super) fn deadline(&self) -> Option<Duration> {
        let (number, _) = self.order.front()?;
        self.by_number.get(number).map(|(_, request)| request.deadline)
    }

    /// Takes the oldest one if its time is up.
    pub(super) fn expire(&mut self, now: Duration) -> Option<(u32, Outstanding<T>)> {
        if self.deadline()? > now { None } else { self.pop() }
    }

    /// Takes the oldest one.
    pub(super) fn pop(&mut self) -> Option<(u32, Outstanding<T>)> {
        let (sequence, _) = *self.order.front()?;
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

    #[test]
    fn a_number_that_is_used_again_is_as_old_as_its_last_use() {
        let request =
            |seconds| Outstanding { command: CommandId::SUBMIT_SM, deadline: Duration::from_secs(seconds), token: () };
        let mut window = Window::new();
        [(1, 1), (2, 2), (3, 3)].into_iter().for_each(|(number, at)| window.insert(number, request(at)));
        assert!(window.remove(2).is_some());
        window.insert(2, request(4));
        assert!(window.remove(1).is_some());
        assert_eq!(window.deadline(), Some(Duration::from_secs(3)));
        let order: Vec<u32> = std::iter::from_fn(|| window.pop()).map(|(number, _)| number).collect();
        assert_eq!((order, window.order.len()), (vec![3, 2], 0));
    }
}
