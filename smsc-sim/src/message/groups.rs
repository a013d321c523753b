//! Long messages of whose parts a policy makes one: which parts have come, and the id of the first.

use std::collections::{BTreeMap, VecDeque};

use smpp_transport::text::PartKey;

/// Long messages that are remembered at most; beyond it the oldest is forgotten.
const GROUPS_MAX: usize = 10_000;

/// Long messages by reference and addresses.
#[derive(Debug, Default)]
pub(super) struct Groups {
    by_key: BTreeMap<PartKey, Group>,
    /// Keys in the order of their first parts. Some may be forgotten already.
    order: VecDeque<PartKey>,
}

/// The parts of a long message that have come.
#[derive(Debug)]
pub(super) struct Group {
    /// Number that the id of the first part is made from.
    pub(super) first: u64,
    /// Id of the first part that has one.
    pub(super) id: Box<str>,
    /// Number of each part's message, in the order they came.
    pub(super) messages: Vec<u64>,
    parts: Vec<u8>,
    total: u8,
}

impl Group {
    /// Returns `true` if every part has come.
    pub(super) fn is_complete(&self) -> bool {
        self.parts.len() >= usize::from(self.total)
    }
}

impl Groups {
    /// The long message that a part with this key belongs to; `None` if the part is the first of a new one.
    pub(super) fn open(&self, key: &PartKey) -> Option<&Group> {
        self.by_key.get(key).filter(|group| !group.is_complete())
    }

    /// The long message with this key that has this message among its parts.
    pub(super) fn of(&self, key: &PartKey, message: u64) -> Option<&Group> {
        self.by_key.get(key).filter(|group| group.messages.contains(&message))
    }

    /// Adds a part. A part that comes after all have come begins a new long message.
    pub(super) fn add(&mut self, key: PartKey, part: u8, message: u64, first: u64, id: &str) {
        if self.open(&key).is_none() {
            let total = key.total;
            let group = Group { first, id: id.into(), messages: Vec::new(), parts: Vec::new(), total };
            self.by_key.insert(key.clone(), group);
            self.order.push_back(key.clone());
        }
        while self.order.len() > GROUPS_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.by_key.remove(&oldest);
            }
        }
        if let Some(group) = self.by_key.get_mut(&key) {
            group.messages.push(message);
            if !group.parts.contains(&part) {
                group.parts.push(part);
            }
        }
    }

    /// Forgets a long message: nothing more is wanted of it.
    pub(super) fn remove(&mut self, key: &PartKey) {
        self.by_key.remove(key);
    }

    pub(super) fn clear(&mut self) {
        *self = Groups::default();
    }
}
