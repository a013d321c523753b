//! One direction of the line: octets with the time at which they arrive.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

/// What becomes of octets on their way.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Flow {
    /// They arrive.
    #[default]
    Open,
    /// They wait until the line is open again.
    Held,
    /// They are lost, and the end of the line with them; what was under way arrives.
    Lost,
}

#[derive(Debug)]
pub(super) enum Segment {
    Octets(Bytes),
    /// The sender has hung up.
    End,
}

pub(super) struct Line {
    pub(super) latency: Duration,
    flow: Flow,
    queue: VecDeque<(Duration, Segment)>,
    /// What has arrived and is not a whole frame yet.
    pub(super) unread: BytesMut,
}

impl Line {
    pub(super) fn new(latency: Duration) -> Line {
        Line { latency, flow: Flow::Open, queue: VecDeque::new(), unread: BytesMut::new() }
    }

    pub(super) fn push(&mut self, now: Duration, segment: Segment) {
        if self.flow != Flow::Lost {
            let before = self.queue.back().map_or(Duration::ZERO, |(at, _)| *at);
            self.queue.push_back((before.max(now + self.latency), segment));
        }
    }

    pub(super) fn due(&self) -> Option<Duration> {
        let (at, _) = self.queue.front()?;
        (self.flow != Flow::Held).then_some(*at)
    }

    pub(super) fn pop(&mut self) -> Option<Segment> {
        self.queue.pop_front().map(|(_, segment)| segment)
    }

    pub(super) fn turn(&mut self, now: Duration, flow: Flow) {
        self.flow = flow;
        if flow == Flow::Open {
            self.queue.iter_mut().for_each(|(at, _)| *at = (*at).max(now));
        }
    }
}
