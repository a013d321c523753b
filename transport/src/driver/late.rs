//! Responses that come after their requests have expired: nobody waits for them, and what they say is worth knowing.

use std::collections::VecDeque;

use crate::pdu::{CommandId, Pdu};

/// Requests that are remembered after they have expired, at most; beyond it the oldest are forgotten.
pub(super) const EXPIRED_MAX: usize = 1_000;

/// Requests of ours that have expired, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Expired(VecDeque<(u32, CommandId)>);

impl Expired {
    pub(super) fn note(&mut self, sequence: u32, command: CommandId) {
        if self.0.len() >= EXPIRED_MAX {
            self.0.pop_front();
        }
        self.0.push_back((sequence, command));
    }

    /// The number stands for another request from now on.
    pub(super) fn forget(&mut self, sequence: u32) {
        if !self.0.is_empty() {
            self.0.retain(|(expired, _)| *expired != sequence);
        }
    }

    /// Whether this answers one of them.
    pub(super) fn is_answered_by(&self, pdu: &Pdu) -> bool {
        let response = pdu.command_id();
        response.is_response()
            && self.0.iter().any(|(sequence, command)| {
                *sequence == pdu.sequence && (response == CommandId::GENERIC_NACK || command.answer() == Some(response))
            })
    }
}

#[cfg(test)]
mod tests {
    //! Guards that only the answer to a request that has expired counts as late.

    use super::*;
    use crate::pdu::{Body, CommandStatus, Empty, MessageId};

    fn answer(sequence: u32) -> Pdu {
        Pdu::new(CommandStatus::ESME_ROK, sequence, Body::SubmitSmResp(Some(MessageId::default())))
    }

    #[test]
    fn an_answer_is_late_if_its_request_has_expired_and_its_number_was_not_used_again() {
        let mut expired = Expired::default();
        expired.note(7, CommandId::SUBMIT_SM);
        assert!(expired.is_answered_by(&answer(7)));
        assert!(!expired.is_answered_by(&answer(8)));
        assert!(!expired.is_answered_by(&Pdu::new(CommandStatus::ESME_ROK, 7, Body::UnbindResp(Empty {}))));
        expired.forget(7);
        assert!(!expired.is_answered_by(&answer(7)));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let mut expired = Expired::default();
        (0..=1_000).for_each(|sequence| expired.note(sequence, CommandId::SUBMIT_SM));
        assert!(!expired.is_answered_by(&answer(0)));
        assert!(expired.is_answered_by(&answer(1)) && expired.is_answered_by(&answer(1_000)));
    }
}
