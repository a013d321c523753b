//! What the bus's rows are in the file.

use std::time::Duration;

use bytes::Bytes;

use super::super::Route;
use crate::disk::{Change, Rows};

/// What is to be sent, by position.
pub(super) const OUTBOUND: Rows = Rows::named("bus.outbound");
/// The position that comes next.
pub(super) const NEXT_POSITION: Number = Number("next");
/// Up to this position messages may have been handed out.
pub(super) const REACHED: Number = Number("reached");
const NUMBERS: Rows = Rows::named("bus.numbers");

/// A number that is kept under a name.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number(&'static str);

impl Number {
    /// The offset that comes next on a route.
    pub(super) const fn next_offset(route: Route) -> Number {
        Number(route.name())
    }

    /// From now on it is this.
    pub(super) fn is(self, value: u64) -> Change {
        NUMBERS.put(self.0, key(value))
    }

    /// What it is; 0 if it never was anything.
    pub(super) fn read(self, snapshot: &crate::disk::Snapshot) -> Result<u64, redb::Error> {
        Ok(snapshot.get(NUMBERS, self.0.as_bytes())?.and_then(|value| number(&value)).unwrap_or_default())
    }
}

/// What was published to this route, by offset.
pub(super) const fn of(route: Route) -> Rows {
    match route {
        Route::Inbound => Rows::named("bus.inbound"),
        Route::Event => Rows::named("bus.event"),
        Route::Status => Rows::named("bus.status"),
        Route::Failed => Rows::named("bus.failed"),
    }
}

/// A position or an offset so that the order of octets is that of numbers.
pub(super) fn key(number: u64) -> [u8; 8] {
    number.to_be_bytes()
}

/// The other way.
pub(super) fn number(key: &[u8]) -> Option<u64> {
    key.try_into().ok().map(u64::from_be_bytes)
}

/// Something that was published.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stored {
    /// Where it is on its route, from 1.
    pub offset: u64,
    /// When it was published, to the microsecond, since 1970-01-01 00:00 UTC.
    pub at: Duration,
    /// Of a dead letter, why it is one.
    pub reason: Option<String>,
    /// What it is.
    pub body: Bytes,
}

impl Stored {
    /// The row that it is: time, length of the reason, reason, body.
    pub(super) fn put(&self, route: Route) -> Change {
        let micros = u64::try_from(self.at.as_micros()).unwrap_or(u64::MAX);
        let reason = self.reason.as_deref().unwrap_or_default();
        let reason_octets = u32::try_from(reason.len()).unwrap_or(u32::MAX);
        let head = [&micros.to_be_bytes()[..], &reason_octets.to_be_bytes(), reason.as_bytes(), &self.body];
        of(route).put(key(self.offset), head.concat())
    }

    /// None if it was not written by [`Stored::put`].
    pub(super) fn read(offset: &[u8], value: &[u8]) -> Option<Stored> {
        let (micros, rest) = value.split_first_chunk()?;
        let (octets, rest) = rest.split_first_chunk()?;
        let (reason, body) = rest.split_at_checked(u32::from_be_bytes(*octets) as usize)?;
        let reason = (!reason.is_empty()).then(|| String::from_utf8_lossy(reason).into_owned());
        let at = Duration::from_micros(u64::from_be_bytes(*micros));
        Some(Stored { offset: number(offset)?, at, reason, body: Bytes::copy_from_slice(body) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_as_it_was_written_and_cut_anywhere_it_is_none() {
        for reason in [None, Some("not JSON: é".to_owned())] {
            let at = Duration::from_micros(1_764_000_000_123_456);
            let stored = Stored { offset: 258, at, reason, body: Bytes::from_static(b"{}") };
            let Change { key, value, .. } = stored.put(Route::Failed);
            let value = value.unwrap();
            assert_eq!(Stored::read(&key, &value), Some(stored.clone()));
            let body_at = value.len() - stored.body.len();
            assert!((0..body_at).all(|end| Stored::read(&key, &value[..end]).is_none()));
        }
        assert!(key(255) < key(256) && number(&key(7)) == Some(7) && number(b"7").is_none());
    }
}
