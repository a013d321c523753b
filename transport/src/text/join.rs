//! Parts of long messages, collected until all are there.
//!
//! Parts belong together when their [`PartKey`] is the same: both addresses, the kind of reference, the reference and the
//! total. Octets are joined first and decoded after, so characters that were cut are whole again.
//!
//! A message is not done when its last part comes but when somebody has it: [`Joiner::add`] says `Complete`, the caller
//! stores the text and then says [`Joiner::published`]. Until then nothing is dropped, so a last part that had to be
//! refused completes the message again when it is sent again; and after it, copies of its parts are known as such.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;

use super::charset::{Charset, Decoded};
use super::content::{Content, PartAddress, PartKey};

mod saved;
mod set;
pub use saved::Saved;
use set::{Held, Set};

/// Bounds of a [`Joiner`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JoinLimits {
    /// Most messages held at once, finished ones that are remembered included.
    pub sets_max: usize,
    /// Most octets of text held at once. A part that completes its message is taken in any case.
    pub octets_max: usize,
    /// How long a message waits for another part, counted from the last new one; and how long a finished one is remembered.
    pub expiry: Duration,
}

/// One part, as it is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Which part it is, from 1.
    pub number: u8,
    /// How to read it.
    pub charset: Charset,
    /// Its text, without the header.
    pub octets: Bytes,
}

/// What adding a part did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Added {
    /// What became of the part.
    pub outcome: Outcome,
    /// Parts given up because they cannot belong to the same message: they had expired, or one of the same number differs.
    pub superseded: Option<Incomplete>,
}

/// What became of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is held, and others are missing.
    Waiting,
    /// All parts are there. They stay until [`Joiner::published`], and a copy of any of them says `Complete` again.
    Complete(Joined),
    /// The same part is here already, or was part of a message that is done.
    Duplicate,
    /// It is not held; it may be sent again later.
    Refused(Refusal),
}

/// Why a part is not held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// As many messages as allowed are unfinished.
    SetsFull,
    /// As many octets as allowed are held.
    OctetsFull,
    /// The number is not between 1 and the total.
    Number,
}

/// A message that never became whole, or that was whole and never published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incomplete {
    /// Which message.
    pub key: PartKey,
    /// The parts that came, in order of number.
    pub segments: Vec<Segment>,
}

/// A joined text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Joined {
    /// Octets in order, one run for each stretch of parts with the same charset.
    pub runs: Vec<(Charset, Bytes)>,
}

/// Collects parts. Bounded; deterministic; reads no clock: `now` is the time since any fixed moment. Where it runs back, nothing
/// is held for longer than the limit from when [`Joiner::expire`] sees it.
#[derive(Clone, Debug)]
pub struct Joiner {
    limits: JoinLimits,
    sets: BTreeMap<PartKey, Set>,
    /// When each set expires. Finished sets have their own list, as they go first when room is needed.
    deadlines: BTreeSet<(Duration, PartKey)>,
    finished: BTreeSet<(Duration, PartKey)>,
    octets: usize,
    /// Messages of which something is different, if somebody wants to know: see [`Joiner::note`].
    noted: Option<BTreeSet<PartKey>>,
}

/// Joins parts that are all there, in the order given.
#[must_use]
pub fn join(segments: impl IntoIterator<Item = Segment>) -> Joined {
    let mut runs: Vec<(Charset, Vec<u8>)> = Vec::new();
    for Segment { charset, octets, .. } in segments {
        match runs.last_mut() {
            Some((last, run)) if *last == charset => run.extend_from_slice(&octets),
            _ => runs.push((charset, octets.to_vec())),
        }
    }
    Joined { runs: runs.into_iter().map(|(charset, octets)| (charset, octets.into())).collect() }
}

impl Joined {
    /// The text. Parts of different charsets are read each in its own.
    #[must_use]
    pub fn decode(&self) -> Decoded {
        self.runs.iter().fold(Decoded::default(), |mut decoded, (charset, octets)| {
            decoded.append(&charset.decode(octets));
            decoded
        })
    }

    /// All octets in order.
    #[must_use]
    pub fn octets(&self) -> Vec<u8> {
        self.runs.iter().flat_map(|(_, octets)| octets.iter().copied()).collect()
    }
}

impl Segment {
    /// The part that a PDU holds; `None` if it is a message of its own.
    #[must_use]
    pub fn of(content: &Content) -> Option<Self> {
        let number = content.part?.number;
        Some(Self { number, charset: content.charset, octets: content.octets.clone() })
    }
}

impl Incomplete {
    /// Numbers of the parts that never came; none if the message was whole and never published.
    pub fn missing(&self) -> impl Iterator<Item = u8> {
        (1..=self.key.total).filter(|number| !self.segments.iter().any(|segment| segment.number == *number))
    }
}

impl Joiner {
    /// A joiner that holds nothing.
    #[must_use]
    pub const fn new(limits: JoinLimits) -> Self {
        Self {
            limits,
            sets: BTreeMap::new(),
            deadlines: BTreeSet::new(),
            finished: BTreeSet::new(),
            octets: 0,
            noted: None,
        }
    }

    /// Takes a part.
    ///
    /// A part that is here already is a duplicate when its content is the same, and the beginning of another message with
    /// a reference used again when not: what was here is then given up and reported.
    pub fn add(&mut self, now: Duration, key: &PartKey, segment: &Segment) -> Added {
        if !(1..=key.total).contains(&segment.number) {
            return Added { outcome: Outcome::Refused(Refusal::Number), superseded: None };
        }
        let stale = self.sets.get(key).is_some_and(|set| set.deadline <= now || set.contradicts(segment));
        let superseded = if stale { self.remove(key) } else { None };
        Added { outcome: self.add_fresh(now, key, segment), superseded }
    }

    /// The message is safe elsewhere: its text is dropped, and copies of its parts are duplicates until it expires.
    pub fn published(&mut self, key: &PartKey) {
        let Some(set) = self.sets.get_mut(key).filter(|set| set.is_complete(key) && !set.published) else {
            return;
        };
        set.published = true;
        note(&mut self.noted, key);
        self.octets -= set.octets();
        set.parts.values_mut().for_each(|held| held.octets = None);
        self.deadlines.remove(&(set.deadline, key.clone()));
        self.finished.insert((set.deadline, key.clone()));
    }

    /// Gives up every message whose time has come by `now`, in the order of their times.
    pub fn expire(&mut self, now: Duration) -> Vec<Incomplete> {
        self.hold_none_longer_than(now.saturating_add(self.limits.expiry));
        while let Some((_, key)) = self.finished.first().filter(|(deadline, _)| *deadline <= now).cloned() {
            self.remove(&key);
        }
        let mut expired = Vec::new();
        while let Some((_, key)) = self.deadlines.first().filter(|(deadline, _)| *deadline <= now).cloned() {
            expired.extend(self.remove(&key));
        }
        expired
    }

    /// What would be held for longer was added by a clock that has gone back since.
    fn hold_none_longer_than(&mut self, latest: Duration) {
        for list in [&mut self.deadlines, &mut self.finished] {
            while let Some((deadline, _)) = list.last()
                && *deadline > latest
                && let Some((_, key)) = list.pop_last()
            {
                note(&mut self.noted, &key);
                self.sets.entry(key.clone()).and_modify(|set| set.deadline = latest);
                list.insert((latest, key));
            }
        }
    }

    /// When [`Self::expire`] next has something to do.
    #[must_use]
    pub fn next_expiry(&self) -> Option<Duration> {
        let firsts = [self.deadlines.first(), self.finished.first()];
        firsts.into_iter().flatten().map(|(deadline, _)| *deadline).min()
    }

    /// Octets of text held.
    #[must_use]
    pub const fn octets(&self) -> usize {
        self.octets
    }

    /// Messages held that are not published.
    #[must_use]
    pub fn unfinished(&self) -> usize {
        self.deadlines.len()
    }

    fn add_fresh(&mut self, now: Duration, key: &PartKey, segment: &Segment) -> Outcome {
        let known = self.sets.get(key).is_some_and(|set| set.parts.contains_key(&segment.number));
        let held = if known {
            self.repeat(key, segment);
            Ok(())
        } else {
            self.hold(now, key, segment)
        };
        match (held, self.sets.get(key)) {
            (Err(refusal), _) => Outcome::Refused(refusal),
            (Ok(()), Some(set)) if set.is_complete(key) && !set.published => Outcome::Complete(join(set.segments())),
            (Ok(()), _) if known => Outcome::Duplicate,
            (Ok(()), _) => Outcome::Waiting,
        }
    }

    /// A copy of a part. Of a published message it is most likely sent again because our answer was lost; but when all
    /// parts come again the same text was sent twice by somebody whose references repeat, and better twice than not at all.
    fn repeat(&mut self, key: &PartKey, segment: &Segment) {
        let Some(set) = self.sets.get_mut(key).filter(|set| set.published) else {
            return;
        };
        let room = self.limits.octets_max.saturating_sub(self.octets);
        let Some(held) = set.parts.get_mut(&segment.number).filter(|held| held.octets.is_none()) else {
            return;
        };
        if segment.octets.len() > room {
            return;
        }
        *held = Held::new(segment);
        note(&mut self.noted, key);
        self.octets += segment.octets.len();
        if set.parts.values().all(|held| held.octets.is_some()) {
            set.published = false;
            let entry = (set.deadline, key.clone());
            self.deadlines.extend(self.finished.take(&entry));
        }
    }

    fn hold(&mut self, now: Duration, key: &PartKey, segment: &Segment) -> Result<(), Refusal> {
        let held = self.sets.get(key).map_or(0, |set| set.parts.len());
        let completes = held + 1 == usize::from(key.total);
        if !completes && self.octets.saturating_add(segment.octets.len()) > self.limits.octets_max {
            return Err(Refusal::OctetsFull);
        }
        if held == 0 {
            self.make_room()?;
        }
        let key = key.copied();
        note(&mut self.noted, &key);
        let deadline = now.saturating_add(self.limits.expiry);
        let set = self.sets.entry(key.clone()).or_default();
        self.deadlines.remove(&(set.deadline, key.clone()));
        set.deadline = deadline;
        set.parts.insert(segment.number, Held::new(segment));
        self.deadlines.insert((deadline, key));
        self.octets += segment.octets.len();
        Ok(())
    }

    /// Room for one more message, made by forgetting the oldest finished one if need be.
    fn make_room(&mut self) -> Result<(), Refusal> {
        if self.sets.len() < self.limits.sets_max {
            return Ok(());
        }
        let (_, oldest) = self.finished.first().cloned().ok_or(Refusal::SetsFull)?;
        self.remove(&oldest);
        if self.sets.len() < self.limits.sets_max { Ok(()) } else { Err(Refusal::SetsFull) }
    }

    /// Drops a message; returns it if it was not published.
    fn remove(&mut self, key: &PartKey) -> Option<Incomplete> {
        let (key, set) = self.sets.remove_entry(key)?;
        note(&mut self.noted, &key);
        let entry = (set.deadline, key);
        self.deadlines.remove(&entry);
        self.finished.remove(&entry);
        self.octets -= set.octets();
        (!set.published).then(|| Incomplete { key: entry.1, segments: set.segments().collect() })
    }
}

fn note(noted: &mut Option<BTreeSet<PartKey>>, key: &PartKey) {
    if let Some(noted) = noted {
        noted.insert(key.copied());
    }
}

impl PartKey {
    /// The same key in memory of its own.
    fn copied(&self) -> Self {
        let copied = |address: &PartAddress| PartAddress { addr: Bytes::copy_from_slice(&address.addr), ..*address };
        Self { source: copied(&self.source), destination: copied(&self.destination), ..*self }
    }
}

#[cfg(test)]
mod tests;
