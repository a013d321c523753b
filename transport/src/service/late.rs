//! Answers to submits that come when nobody waits for them any more: what they say is kept, so that receipts find their
//! message.

use std::collections::VecDeque;
use std::sync::PoisonError;

use super::Shared;
use crate::driver::Delivery;
use crate::pdu::{Body, CommandStatus, MessageId};
use crate::store::PartOf;

/// Parts of unknown outcome that are remembered, at most; beyond it the oldest are forgotten.
const UNANSWERED_MAX: usize = 10_000;

/// Parts whose outcome nobody knows, by the tag of their submit, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Unanswered(VecDeque<(u64, PartOf)>);

impl Unanswered {
    fn note(&mut self, tag: u64, part: PartOf) {
        if self.0.len() >= UNANSWERED_MAX {
            self.0.pop_front();
        }
        self.0.push_back((tag, part));
    }

    fn take(&mut self, tag: u64) -> Option<PartOf> {
        let at = self.0.iter().rposition(|(other, _)| *other == tag)?;
        self.0.remove(at).map(|(_, part)| part)
    }
}

impl Shared {
    /// The answer to this submit has not come in time, and may come yet.
    pub(super) fn may_be_late(&self, tag: u64, part: PartOf) {
        self.unanswered.lock().unwrap_or_else(PoisonError::into_inner).note(tag, part);
    }

    /// Takes an answer that nobody waits for. What has been told of its message is not taken back; but the SMSC's id stands
    /// for it from now on.
    pub(super) async fn take_late(&self, delivery: Delivery) {
        self.metrics.late.inc();
        let (tag, pdu) = (delivery.tag, &delivery.pdu);
        let part = tag.and_then(|tag| self.unanswered.lock().unwrap_or_else(PoisonError::into_inner).take(tag));
        let message = part.as_ref().map_or("", |part| &part.message);
        tracing::warn!(message, status = %pdu.status, "an answer came too late");
        let (Some(part), Body::SubmitSmResp(Some(MessageId { message_id }))) = (part, &pdu.body) else { return };
        let id = message_id.text();
        if pdu.status != CommandStatus::ESME_ROK || id.is_empty() {
            return;
        }
        for early in self.remember(id, part).await {
            self.take_early(early).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_given_once_and_the_oldest_are_forgotten() {
        let part =
            |number: u64| PartOf { message: number.to_string().into(), number: 1, total: 1, ..PartOf::default() };
        let mut unanswered = Unanswered::default();
        (0..=10_000).for_each(|tag| unanswered.note(tag, part(tag)));
        assert_eq!(unanswered.take(0), None, "too many");
        assert_eq!((unanswered.take(10_000), unanswered.take(1)), (Some(part(10_000)), Some(part(1))));
        assert_eq!(unanswered.take(1), None);
    }
}
