//! From the bus to the SMSC: the steps of one message before and after its submits.

use std::time::Duration;

use tokio::time::Instant;

use super::middleware::{self, Way};
use super::redact::redacted;
use super::{AGAIN, Metrics, Shared};
use crate::bus::message::MessageError;
use crate::bus::{Delivery, Event, Message, Route};
use crate::driver::{RequestError, Submitted};
use crate::outbound::{Answer, Doubt, Draft, End, draft};
use crate::pdu::{CommandStatus, Sm, Tlvs};
use crate::session::Why;
use crate::store::{Early, PartOf, address_digits};
use crate::text::message_id;

/// A message that is to be sent, as far as the bus and its sender are concerned.
pub(super) struct Outgoing {
    /// What the bus has handed out of it: once, or again when it had been away.
    pub(super) deliveries: Vec<Delivery>,
    pub(super) message_id: Box<str>,
    /// How many parts it has.
    pub(super) total: u8,
    /// Address that it is sent to, as receipts are compared with it.
    pub(super) to: Box<str>,
    /// Numbers of the parts for which no receipt was asked, although it was for others.
    pub(super) unreported: Vec<u8>,
    /// How many characters of its text are not sent.
    pub(super) left_out: usize,
    /// When it was taken from the bus, until its first submit.
    pub(super) taken_at: Option<Instant>,
}

impl Outgoing {
    fn new(delivery: Delivery, message_id: &str) -> Outgoing {
        Outgoing {
            deliveries: vec![delivery],
            message_id: message_id.into(),
            total: 1,
            to: Box::default(),
            unreported: Vec::new(),
            left_out: 0,
            taken_at: Some(Instant::now()),
        }
    }

    /// Returns the time since the message was taken from the bus, the first time that it is asked.
    pub(super) fn first_submit(&mut self) -> Option<Duration> {
        self.taken_at.take().map(|at| at.elapsed())
    }

    /// Notes from whom receipts will come, and for which parts.
    fn note_receipts(&mut self, parts: &[(Sm, Tlvs)]) {
        self.to = parts.first().map(|(sm, _)| address_digits(&sm.destination_addr.text())).unwrap_or_default();
        let asks = |(sm, _): &(Sm, Tlvs)| sm.registered_delivery.wants_failure();
        if parts.iter().any(asks) {
            let numbers = (1..=u8::MAX).zip(parts).filter(|(_, part)| !asks(part));
            self.unreported = numbers.map(|(number, _)| number).collect();
        }
    }

    /// Whether it is this, as it was on the bus.
    pub(super) fn is(&self, message_id: &str, body: &[u8]) -> bool {
        *self.message_id == *message_id && self.deliveries.first().is_some_and(|delivery| delivery.body == body)
    }

    /// Whether the bus hands it out again, to whoever asks, whatever becomes of it here.
    pub(super) fn is_void(&self) -> bool {
        self.deliveries.iter().all(Delivery::is_void)
    }
}

/// What is to be done with what came from the bus.
pub(super) enum Intake {
    /// To be sent: the message, its parts and its `timestamp`.
    Send(Outgoing, Vec<(Sm, Tlvs)>, String),
    /// It is done already, or never can be: its sender hears how.
    Over(Outgoing, End),
    /// Nothing more.
    Nothing,
}

impl Shared {
    /// Reads what came from the bus, and makes it ready.
    pub(super) async fn take_in(&self, delivery: Delivery) -> Intake {
        let message = match Message::read(&delivery.body, || self.stamp()) {
            Ok(message) => message,
            Err(MessageError { message_id: Some(message_id), words }) => {
                return Intake::Over(Outgoing::new(delivery, &message_id), End::Refused(words));
            }
            Err(MessageError { message_id: None, words }) => {
                tracing::warn!(error = redacted(&words), "message dead-lettered");
                self.metrics.dead_letters.inc();
                delivery.dead_letter(words);
                return Intake::Nothing;
            }
        };
        let mut message = message;
        middleware::message(&self.config.middlewares, Way::Outbound, &mut message);
        let redelivered = delivery.redelivered;
        let mut outgoing = Outgoing::new(delivery, &message.message_id);
        let parts = match draft(&message, &self.config.submit) {
            Ok(draft) => {
                let draft = draft.at(self.now());
                outgoing.left_out = draft.left_out();
                let reference = if draft.needs_reference() { self.reference().await } else { 0 };
                Draft::into_parts(draft, reference)
            }
            Err(reject) => Err(reject),
        };
        let parts = match parts {
            Ok(parts) => parts,
            Err(reject) => return Intake::Over(outgoing, End::Refused(reject.0)),
        };
        outgoing.total = u8::try_from(parts.len()).unwrap_or(u8::MAX);
        outgoing.note_receipts(&parts);
        // It may have been sent by a process that has died since.
        if redelivered && self.has_been_accepted(&outgoing).await {
            return Intake::Over(outgoing, End::Accepted);
        }
        Intake::Send(outgoing, parts, message.timestamp)
    }

    /// The message under way that the bus hands out again here, if this is one.
    pub(super) fn copy_of(&self, delivery: &Delivery) -> Option<Box<str>> {
        if !delivery.redelivered {
            return None;
        }
        let unsettled = self.unsettled();
        unsettled.iter().find(|(_, it)| it.body == delivery.body).map(|(message_id, _)| message_id.clone())
    }

    async fn reference(&self) -> u16 {
        loop {
            match self.sequencer.next_reference().await {
                Ok(reference) => return reference,
                Err(error) => {
                    self.metrics.store_errors.inc();
                    tracing::warn!(%error, "no reference for a long message");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    async fn has_been_accepted(&self, outgoing: &Outgoing) -> bool {
        loop {
            match self.store.accepted(self.now(), &outgoing.message_id).await {
                Ok(parts) => return parts.len() >= usize::from(outgoing.total),
                Err(error) => {
                    self.metrics.store_errors.inc();
                    tracing::warn!(%error, "whether a message was sent before is not known");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    /// Remembers the id of a part, or that it has none, however long that takes. Gives the receipts that waited for it.
    pub(super) async fn remember(&self, id: String, mut part: PartOf) -> Vec<Early> {
        if let Some(under_way) = self.unsettled().get_mut(&part.message) {
            under_way.ids.insert(part.number, id.clone());
        }
        let normal = message_id::normal(&id);
        let id = if normal.is_empty() {
            part.is_unreported = true;
            // Under a name that no SMSC gives, so that it is known to have been accepted.
            format!("no id for {} of {}", part.number, part.message)
        } else {
            self.ids_seen().note_response(&id);
            normal
        };
        loop {
            match self.store.remember(self.now(), &id, &part).await {
                Ok(early) => return early,
                Err(error) => {
                    self.metrics.store_errors.inc();
                    tracing::warn!(%error, "an id could not be remembered");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    /// Publishes what became of a message, and then acknowledges it.
    pub(super) async fn settle(&self, outgoing: Outgoing, end: End) {
        let Outgoing { deliveries, message_id, left_out, .. } = outgoing;
        let (event, kind) = match end {
            End::Accepted => {
                let mut event = Event::ack(self.stamp(), &message_id);
                if left_out > 0 {
                    tracing::warn!(message = &*message_id, left_out, "the end of a text was not sent: too many parts");
                    event.transport_metadata.insert("smpp_characters_left_out".to_owned(), left_out.into());
                }
                (event, "ack")
            }
            End::Refused(reason) => {
                // Numbers and texts are for the event alone.
                tracing::info!(message = &*message_id, reason = redacted(&reason), "message refused");
                (Event::nack(self.stamp(), &message_id, reason), "nack")
            }
        };
        let ids = self.ids_given(&message_id);
        let mut event = event;
        if ids.iter().any(Option::is_some) {
            event.transport_metadata.insert("smpp".to_owned(), serde_json::json!({"message_ids": ids}));
        }
        if !self.config.acks {
            self.is_settled(&message_id);
            return deliveries.into_iter().for_each(Delivery::ack);
        }
        middleware::event(&self.config.middlewares, &event);
        if self.publish_in_the_end(Route::Event, event.to_json()).await {
            Metrics::count(&self.metrics.events, kind);
            deliveries.into_iter().for_each(Delivery::ack);
        }
        self.is_settled(&message_id);
    }

    /// Counts an answer, and says what it means to the queue; with the id, if there is one.
    pub(super) fn heard(&self, result: Result<Submitted, RequestError>, took: Duration) -> (Answer, Option<String>) {
        let (status, answer, id) = match result {
            Ok(Submitted { message_id, .. }) => {
                (CommandStatus::ESME_ROK.to_string(), Answer::Accepted, Some(message_id.text()))
            }
            Err(RequestError::Refused(pdu)) => {
                // A generic_nack may say that all is well.
                let is_ok = pdu.status == CommandStatus::ESME_ROK;
                let status = if is_ok { CommandStatus::ESME_RUNKNOWNERR } else { pdu.status };
                (status.to_string(), Answer::Refused(status), None)
            }
            Err(RequestError::Unreadable(error)) => {
                tracing::warn!(%error, "accepted without a message id: the response cannot be read");
                ("unreadable".to_owned(), Answer::Accepted, Some(String::new()))
            }
            Err(RequestError::Expired) => ("expired".to_owned(), Answer::Unknown(Doubt::Timeout), None),
            Err(RequestError::Lost(why)) => ("lost".to_owned(), Answer::Unknown(doubt(why)), None),
            Err(RequestError::NotSent(_)) => ("not_sent".to_owned(), Answer::NotSent, None),
        };
        if status == "expired" {
            self.metrics.response_timeouts.inc();
        }
        if !matches!(answer, Answer::NotSent) {
            self.metrics.latency.observe(took.as_secs_f64());
        }
        self.metrics.answers.get_or_create(&super::metrics::Status { status }).inc();
        (answer, id)
    }
}

/// Doubt about a request that was outstanding when its session ended. A session that ended with unbind, or that this side
/// hung up, did not break because of the request.
const fn doubt(why: Why) -> Doubt {
    match why {
        Why::Unbound | Why::PeerUnbound | Why::UnbindTimeout | Why::Dropped => Doubt::Unbound,
        Why::SessionInit | Why::EnquireLink | Why::Malformed | Why::PeerClosed | Why::Broken => Doubt::Broken,
    }
}
