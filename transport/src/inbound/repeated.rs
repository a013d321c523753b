//! What the SMSC has sent before: the same PDU again, because our answer was lost. Pure: no clock.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::pdu::Pdu;

/// PDUs that are remembered, at most.
const SEEN_MAX: usize = 100_000;
/// Octets that they may have together.
const SEEN_OCTETS_MAX: usize = 32 << 20;

/// PDUs that were taken within the window. Bounded: what is beyond 100,000, or beyond 32 MiB together, pushes out the oldest.
#[derive(Clone, Debug, Default)]
pub struct Repeated {
    by_age: VecDeque<(Duration, Bytes)>,
    seen: HashSet<Bytes>,
    octets: usize,
}

impl Repeated {
    /// Whether this was taken less than `window` before `now`.
    #[must_use]
    pub fn contains(&mut self, now: Duration, window: Duration, key: &Bytes) -> bool {
        while self.by_age.front().is_some_and(|(at, _)| now.saturating_sub(*at) >= window) {
            self.forget_oldest();
        }
        self.seen.contains(key)
    }

    /// It has been taken now.
    pub fn note(&mut self, now: Duration, key: Bytes) {
        if !self.seen.insert(key.clone()) {
            return;
        }
        self.octets += key.len();
        self.by_age.push_back((now, key));
        while self.by_age.len() > SEEN_MAX || self.octets > SEEN_OCTETS_MAX {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some((_, key)) = self.by_age.pop_front() {
            self.octets -= key.len();
            self.seen.remove(&key);
        }
    }
}

/// All of a PDU but its sequence number: addresses, content, reference of a part, id of a receipt, parameters. What differs in
/// any of them is another message.
#[must_use]
pub fn key(pdu: &Pdu) -> Bytes {
    let mut octets = BytesMut::new();
    Pdu { sequence: 0, ..pdu.clone() }.encode(&mut octets);
    octets.freeze()
}

#[cfg(test)]
mod tests {
    //! Guards that only the same message counts as the same, and that the memory for it has a bound.

    use super::*;
    use crate::pdu::{Body, CommandStatus, ShortMessage, Sm};

    fn deliver(sequence: u32, from: &str, text: &'static [u8]) -> Pdu {
        let short_message = ShortMessage::new(Bytes::from_static(text)).unwrap();
        let sm = Sm { source_addr: from.parse().unwrap(), short_message, ..Sm::default() };
        Pdu::new(CommandStatus::ESME_ROK, sequence, Body::DeliverSm(sm))
    }

    #[test]
    fn the_same_message_has_the_same_key_whatever_its_number() {
        assert_eq!(key(&deliver(1, "27", b"a")), key(&deliver(2, "27", b"a")));
        assert_ne!(key(&deliver(1, "27", b"a")), key(&deliver(1, "28", b"a")));
        assert_ne!(key(&deliver(1, "27", b"a")), key(&deliver(1, "27", b"b")));
    }

    #[test]
    fn what_was_taken_is_known_until_the_window_is_over() {
        let (mut repeated, window, s) = (Repeated::default(), Duration::from_secs(10), Duration::from_secs);
        let key = Bytes::from_static(b"a");
        assert!(!repeated.contains(s(0), window, &key));
        repeated.note(s(0), key.clone());
        repeated.note(s(5), key.clone());
        assert!(repeated.contains(s(9), window, &key));
        assert!(!repeated.contains(s(10), window, &key), "counted from the first");
        assert_eq!((repeated.octets, repeated.by_age.len(), repeated.seen.len()), (0, 0, 0));
    }

    #[test]
    fn what_is_remembered_has_a_bound() {
        let mut repeated = Repeated::default();
        (0..100_001_u32).for_each(|number| repeated.note(Duration::ZERO, number.to_be_bytes().to_vec().into()));
        assert_eq!((repeated.by_age.len(), repeated.seen.len()), (SEEN_MAX, SEEN_MAX));
        (0..600_u32).for_each(|number| {
            repeated.note(Duration::ZERO, [&number.to_be_bytes()[..], &[0; 65_000]].concat().into());
        });
        assert!(repeated.octets <= SEEN_OCTETS_MAX && repeated.by_age.len() == repeated.seen.len());
    }
}
