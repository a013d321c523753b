//! What a joiner holds, as something that can be kept elsewhere and restored.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::set::{Held, Set};
use super::{Incomplete, Joiner, Segment, note};
use crate::pdu::json::hex;
use crate::text::charset::Charset;
use crate::text::content::{PartAddress, PartKey, ReferenceKind};

/// One message that a joiner holds, or remembers to be finished, or has given up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    source: Address,
    destination: Address,
    kind: ReferenceKind,
    reference: u16,
    total: u8,
    deadline: Duration,
    published: bool,
    parts: Vec<Part>,
}

/// Type of number, numbering plan, and the octets, hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Address(u8, u8, String);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    number: u8,
    charset: Charset,
    /// Hexadecimal; none once published.
    octets: Option<String>,
    length: usize,
    fingerprint: u64,
}

impl Joiner {
    /// From now on it is noted which messages are different from before.
    pub fn note(&mut self) {
        self.noted.get_or_insert_default();
    }

    /// Messages that are different since they were taken last; none if that is not noted.
    pub fn take_noted(&mut self) -> BTreeSet<PartKey> {
        self.noted.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// One message as it is held; none if it is not.
    #[must_use]
    pub fn saved(&self, key: &PartKey) -> Option<Saved> {
        let set = self.sets.get(key)?;
        Some(Saved {
            source: Address::of(&key.source),
            destination: Address::of(&key.destination),
            kind: key.kind,
            reference: key.reference,
            total: key.total,
            deadline: set.deadline,
            published: set.published,
            parts: set.parts.iter().map(|(&number, held)| Part::of(number, held)).collect(),
        })
    }

    /// Holds a message as it was held before, whatever the limits are now. None, and nothing is held, if it could not have
    /// been: it is damaged.
    #[must_use]
    pub fn restore(&mut self, saved: &Saved) -> Option<()> {
        let Saved { total, deadline, published, .. } = *saved;
        let key = saved.key()?;
        let parts: Option<_> = saved.parts.iter().map(|part| Some((part.number, part.held()?))).collect();
        let set = Set { parts: parts?, deadline, published };
        let is_whole = set.parts.values().all(|held| held.octets.is_some());
        let numbers_fit = set.parts.keys().all(|number| (1..=total).contains(number));
        if self.sets.contains_key(&key) || set.parts.is_empty() || !numbers_fit || !(published || is_whole) {
            return None;
        }
        self.octets += set.octets();
        let list = if published { &mut self.finished } else { &mut self.deadlines };
        list.insert((deadline, key.clone()));
        note(&mut self.noted, &key);
        self.sets.insert(key, set);
        Some(())
    }
}

impl Saved {
    /// A message that was given up, and when that matters next.
    #[must_use]
    pub fn of_given_up(deadline: Duration, message: &Incomplete) -> Saved {
        let Incomplete { key, segments } = message;
        Saved {
            source: Address::of(&key.source),
            destination: Address::of(&key.destination),
            kind: key.kind,
            reference: key.reference,
            total: key.total,
            deadline,
            published: false,
            parts: segments.iter().map(|segment| Part::of(segment.number, &Held::new(segment))).collect(),
        }
    }

    /// What [`Saved::of_given_up`] was made of; none if it is damaged.
    #[must_use]
    pub fn given_up(&self) -> Option<(Duration, Incomplete)> {
        let segment = |part: &Part| {
            let Held { charset, octets, .. } = part.held()?;
            Some(Segment { number: part.number, charset, octets: octets? })
        };
        let segments: Option<_> = self.parts.iter().map(segment).collect();
        Some((self.deadline, Incomplete { key: self.key()?, segments: segments? }))
    }

    fn key(&self) -> Option<PartKey> {
        let Saved { kind, reference, total, .. } = *self;
        Some(PartKey { source: self.source.read()?, destination: self.destination.read()?, kind, reference, total })
    }
}

impl Address {
    fn of(address: &PartAddress) -> Address {
        Address(address.ton, address.npi, hex(&address.addr))
    }

    fn read(&self) -> Option<PartAddress> {
        Some(PartAddress { ton: self.0, npi: self.1, addr: from_hex(&self.2)?.into() })
    }
}

impl Part {
    fn of(number: u8, held: &Held) -> Part {
        let octets = held.octets.as_deref().map(hex);
        Part { number, charset: held.charset, octets, length: held.length, fingerprint: held.fingerprint }
    }

    fn held(&self) -> Option<Held> {
        let octets = match &self.octets {
            Some(octets) => Some(from_hex(octets)?.into()),
            None => None,
        };
        Some(Held { charset: self.charset, octets, length: self.length, fingerprint: self.fingerprint })
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::try_from(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?).ok()).collect()
}
