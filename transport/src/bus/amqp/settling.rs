//! Which deliveries are out, and how to tell the broker in few words what became of them.

use std::collections::VecDeque;

use bytes::Bytes;

/// The deliveries of one channel after the other. The broker counts each channel's from 1; the tags that go out with
/// deliveries count on, so that one of a former channel is known as such.
#[derive(Debug, Default)]
pub(super) struct Settling {
    /// Our tag of the delivery before the current channel's first.
    base: u64,
    /// Those from the oldest unsettled one on.
    slots: VecDeque<Option<Bytes>>,
    /// The broker's tag of the first slot, less one.
    settled: u64,
    /// Settled as done since the broker was told last, as the broker's tags.
    done: Vec<u64>,
    /// Handed out and not settled, of whichever channel.
    out: usize,
}

/// What the broker is to be told. All tags are the broker's.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Acks {
    /// Done, with all before it.
    pub(super) up_to: Option<u64>,
    /// Done, while some before them are not.
    pub(super) single: Vec<u64>,
}

impl Settling {
    /// A channel has been lost: what is out is stale.
    pub(super) fn new_channel(&mut self) {
        self.base += self.settled + self.slots.len() as u64;
        self.settled = 0;
        self.slots.clear();
        self.done.clear();
    }

    /// How many are out, of whichever channel.
    pub(super) const fn out(&self) -> usize {
        self.out
    }

    /// Hands out what has this tag at the broker; gives our tag. The broker counts without gaps; if it should not, what it
    /// leaves out was never out.
    pub(super) fn hand_out(&mut self, broker_tag: u64, body: Bytes) -> u64 {
        self.skip_to(broker_tag);
        self.slots.push_back(Some(body));
        self.out += 1;
        self.base + broker_tag
    }

    /// Notes that what has this tag at the broker goes back to it without having been handed out.
    pub(super) fn skip(&mut self, broker_tag: u64) {
        self.skip_to(broker_tag + 1);
    }

    fn skip_to(&mut self, broker_tag: u64) {
        while self.settled + self.slots.len() as u64 + 1 < broker_tag {
            self.slots.push_back(None);
        }
    }

    /// Something has come back to us, and is out no more. The broker's tag, if it is of this channel.
    pub(super) fn come_back(&mut self, tag: u64) -> Option<u64> {
        self.out = self.out.saturating_sub(1);
        tag.checked_sub(self.base).filter(|&broker_tag| broker_tag > 0)
    }

    /// The body of what is not settled.
    pub(super) fn body(&self, broker_tag: u64) -> Option<Bytes> {
        self.slots.get(self.place(broker_tag)?)?.clone()
    }

    /// It is done with: the broker is to forget it.
    pub(super) fn done(&mut self, broker_tag: u64) {
        if self.settle(broker_tag) {
            self.done.push(broker_tag);
        }
    }

    /// The broker has been told that it is to come again.
    pub(super) fn given_back(&mut self, broker_tag: u64) {
        self.settle(broker_tag);
    }

    fn place(&self, broker_tag: u64) -> Option<usize> {
        usize::try_from(broker_tag.checked_sub(self.settled + 1)?).ok()
    }

    /// Whether it was not settled before.
    fn settle(&mut self, broker_tag: u64) -> bool {
        let place = self.place(broker_tag).and_then(|place| self.slots.get_mut(place));
        place.and_then(Option::take).is_some()
    }

    /// What the broker is to be told of what was done since the last time. It must have been told of all that was given back.
    pub(super) fn acks(&mut self) -> Acks {
        while self.slots.front().is_some_and(Option::is_none) {
            self.slots.pop_front();
            self.settled += 1;
        }
        let mut acks = Acks::default();
        for tag in self.done.drain(..) {
            if tag > self.settled {
                acks.single.push(tag);
            } else {
                // It must be one that the broker has not been told of, so not simply the last that is settled.
                acks.up_to = acks.up_to.max(Some(tag));
            }
        }
        acks
    }
}
