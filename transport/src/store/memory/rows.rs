//! A table as rows that are kept in a file: what has changed goes out, and all comes back when it is opened.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{DeliveryStatus, Due, Early, Id, Noted, PartOf, Report, Sent, Table};
use crate::disk::{Change, Rows, Snapshot};
use crate::text::{PartAddress, PartKey, Saved};

const IDS: Rows = Rows::named("store.ids");
const MESSAGES: Rows = Rows::named("store.messages");
const EARLY: Rows = Rows::named("store.early");
const PARTS: Rows = Rows::named("store.parts");
const GIVEN_UP: Rows = Rows::named("store.given_up");
const NUMBERS: Rows = Rows::named("store.numbers");
const REFERENCE: &[u8] = b"reference";

#[derive(Serialize, Deserialize)]
struct IdRow {
    part: PartOf,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    others: BTreeSet<u8>,
    until: Duration,
}

#[derive(Serialize, Deserialize)]
struct MessageRow {
    accepted: BTreeSet<u8>,
    reports: Vec<Option<Report>>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    unreported: BTreeSet<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    due: Option<Due>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    told: Option<DeliveryStatus>,
}

#[derive(Serialize, Deserialize)]
struct EarlyRow {
    until: Duration,
    early: Early,
}

impl Table {
    /// Reads the rows into a table that knows nothing, and notes changes from then on.
    pub(in crate::store) fn restore(&mut self, snapshot: &Snapshot) -> Result<(), redb::Error> {
        snapshot.each(IDS, &[], |key, value| {
            let (id, IdRow { part, others, until }) = (text(key)?, json(IDS, value)?);
            self.ids_by_end.insert((until, id.into()));
            self.ids.insert(id.into(), Id { part, others, until });
            Ok(true)
        })?;
        snapshot.each(MESSAGES, &[], |key, value| {
            let MessageRow { accepted, reports, unreported, due, told } = json(MESSAGES, value)?;
            let message = text(key)?;
            self.aggregates_by_time.extend(due.map(|due| (due.at, message.into())));
            self.messages.insert(message.into(), Sent { ids: 0, accepted, unreported, reports, due, told });
            Ok(true)
        })?;
        for (_, id) in &self.ids_by_end {
            let message = self.ids.get(id).and_then(|id| self.messages.get_mut(&id.part.message));
            message.ok_or_else(|| damaged(IDS))?.ids += 1;
        }
        snapshot.each(EARLY, &[], |key, value| {
            let EarlyRow { until, early } = json(EARLY, value)?;
            self.earlies = key.try_into().map(u64::from_be_bytes).map_err(|_| damaged(EARLY))?;
            self.put_early(self.earlies, until, early);
            Ok(true)
        })?;
        snapshot.each(PARTS, &[], |_, value| {
            let saved: Saved = json(PARTS, value)?;
            self.joiner.restore(&saved).map(|()| true).ok_or_else(|| damaged(PARTS))
        })?;
        snapshot.each(GIVEN_UP, &[], |key, value| {
            let (from, message) = json::<Saved>(GIVEN_UP, value)?.given_up().ok_or_else(|| damaged(GIVEN_UP))?;
            self.given_ups = key.try_into().map(u64::from_be_bytes).map_err(|_| damaged(GIVEN_UP))?;
            self.put_given_up(self.given_ups, from, message);
            Ok(true)
        })?;
        if let Some(reference) = snapshot.get(NUMBERS, REFERENCE)? {
            self.reference = json(NUMBERS, &reference)?;
        }
        self.noted = Some(BTreeSet::new());
        self.joiner.note();
        Ok(())
    }

    /// The rows that are different since this was called last.
    pub(in crate::store) fn take_changes(&mut self) -> Vec<Change> {
        let noted = self.noted.as_mut().map(std::mem::take).unwrap_or_default();
        let mut changes: Vec<_> = noted.into_iter().map(|noted| self.change(noted)).collect();
        let parts = self.joiner.take_noted();
        changes.extend(parts.iter().map(|key| row(PARTS, part_key(key), self.joiner.saved(key))));
        changes
    }

    fn change(&self, noted: Noted) -> Change {
        match noted {
            Noted::Id(id) => {
                let known = self.ids.get(&id);
                let known = known.map(|Id { part, others, until }| IdRow {
                    part: part.clone(),
                    others: others.clone(),
                    until: *until,
                });
                row(IDS, id.as_bytes(), known)
            }
            Noted::Message(message) => {
                let known = self.messages.get(&message).cloned();
                let known = known.map(|Sent { accepted, unreported, reports, due, told, .. }| MessageRow {
                    accepted,
                    reports,
                    unreported,
                    due,
                    told,
                });
                row(MESSAGES, message.as_bytes(), known)
            }
            Noted::Early(number) => {
                let held = self.early.get(&number);
                let held = held.map(|(until, early)| EarlyRow { until: *until, early: early.clone() });
                row(EARLY, number.to_be_bytes(), held)
            }
            Noted::GivenUp(number) => {
                let held = self.given_up.get(&number).map(|(from, message)| Saved::of_given_up(*from, message));
                row(GIVEN_UP, number.to_be_bytes(), held)
            }
            Noted::Reference => row(NUMBERS, REFERENCE, Some(self.reference)),
        }
    }
}

fn row(rows: Rows, key: impl Into<Vec<u8>>, value: Option<impl Serialize>) -> Change {
    match value {
        // Strings, numbers and lists: nothing that JSON could not say.
        Some(value) => rows.put(key, serde_json::to_vec(&value).unwrap_or_default()),
        None => rows.remove(key),
    }
}

/// One key for each message; what it is made of is in its row.
fn part_key(key: &PartKey) -> Vec<u8> {
    let kind = key.kind.to_octet();
    let [high, low] = key.reference.to_be_bytes();
    let mut octets = vec![kind, high, low, key.total];
    for PartAddress { ton, npi, addr } in [&key.source, &key.destination] {
        let length = u16::try_from(addr.len()).unwrap_or(u16::MAX);
        octets.extend([*ton, *npi]);
        octets.extend(length.to_be_bytes());
        octets.extend_from_slice(addr);
    }
    octets
}

fn json<T: DeserializeOwned>(rows: Rows, value: &[u8]) -> Result<T, redb::Error> {
    serde_json::from_slice(value).map_err(|_| damaged(rows))
}

fn text(key: &[u8]) -> Result<&str, redb::Error> {
    std::str::from_utf8(key).map_err(|_| damaged(IDS))
}

fn damaged(rows: Rows) -> redb::Error {
    redb::Error::Corrupted(format!("a row of {} is not as it was written", rows.name()))
}
