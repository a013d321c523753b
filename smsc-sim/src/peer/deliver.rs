//! Receipts and mobile-originated messages, as far as this connection delivers them.

use smpp_transport::pdu::CommandStatus;
use smpp_transport::session::Outcome;
use tokio::io::{AsyncRead, AsyncWrite};

use super::Peer;
use crate::hub::{Delivery, Fate, Gauges};

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub(super) fn deliver_what_waits(&mut self) {
        if self.waiting.is_empty() || self.silent_until.is_some() {
            return;
        }
        let Some(bound) = self.bound.filter(|bound| bound.kind.receives()) else { return };
        if self.driver.state().bound().is_none() {
            return;
        }
        while self.driver.has_room()
            && let Some(delivery) = self.waiting.pop_front()
        {
            let held = delivery.message().and_then(|number| self.held_back.get_mut(&number));
            if let Some(held) = held.filter(|_| !delivery.early) {
                held.push(delivery);
                continue;
            }
            let (body, tlvs) = delivery.pdu(bound.tlvs);
            self.hub.sent(&delivery, self.number);
            let requested = match delivery.defect(bound.tlvs) {
                Some(defect) => {
                    let tlv_octets = tlvs.octets();
                    self.driver.request_edited(body, tlvs, delivery, |frame| defect.apply(frame, tlv_octets))
                }
                None => self.driver.request(body, tlvs, delivery),
            };
            if let Err((_, delivery)) = requested {
                self.waiting.push_front(delivery);
                return;
            }
        }
    }

    /// What the ESME could not take now is offered again later; what it refuses for good is done with.
    pub(super) fn delivery_ended(&mut self, mut delivery: Delivery, outcome: &Outcome) {
        let unread = unread(self.number, outcome);
        // A session that ended says nothing about the delivery.
        delivery.attempts += u32::from(!matches!(outcome, Outcome::Lost(_)));
        let retry = self.hub.config.retry;
        let is_last = delivery.attempts >= retry.attempts_max;
        let fate = match outcome {
            Outcome::Lost(_) => Fate::Again(None),
            // The rest of the response says nothing that matters.
            Outcome::Unreadable(error) => Fate::Answered(error.command_status),
            Outcome::Answered(pdu) if !is_temporary(pdu.status) => Fate::Answered(pdu.status),
            Outcome::Answered(_) | Outcome::Expired if is_last => Fate::GivenUp,
            Outcome::Answered(pdu) => Fate::Again(Some(pdu.status)),
            Outcome::Expired => Fate::Again(None),
        };
        self.hub.ended(&delivery, fate, unread);
        match fate {
            Fate::Answered(CommandStatus::ESME_ROK) => Gauges::count(&self.gauges.delivered),
            Fate::Answered(_) | Fate::GivenUp => {}
            // The session ends: what it leaves is offered to others.
            Fate::Again(_) if matches!(outcome, Outcome::Lost(_)) => self.lost.push(delivery),
            Fate::Again(_) => self.hub.offer_later(delivery, retry.delay.0),
        }
    }
}

/// Reason why the response could not be read. Its status was, and counts.
fn unread(session: u64, outcome: &Outcome) -> Option<String> {
    let Outcome::Unreadable(error) = outcome else { return None };
    tracing::warn!(session, %error, "response to a delivery unreadable");
    Some(error.to_string())
}

/// Statuses with which an ESME asks for a message again.
fn is_temporary(status: CommandStatus) -> bool {
    matches!(
        status,
        CommandStatus::ESME_RX_T_APPN
            | CommandStatus::ESME_RMSGQFUL
            | CommandStatus::ESME_RTHROTTLED
            | CommandStatus::ESME_RSYSERR
    )
}
