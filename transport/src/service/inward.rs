//! From the SMSC to the bus: what becomes of one deliver_sm or data_sm, before it is answered.

use tokio::time::timeout;

use super::middleware::{self, Way};
use super::{GAP, Metrics, Partial, Shared};
use crate::bus::{PublishError, Route};
use crate::driver::Delivery;
use crate::inbound::{Envelope, Read, key, read, read_incomplete, read_joined};
use crate::pdu::{CommandId, CommandStatus, latin1};
use crate::store::{Away, GivenUp};
use crate::text::{Incomplete, Joined, Outcome, PartKey, Refusal, Segment, join};

/// Why the SMSC is asked to keep what it sent.
#[derive(Debug, thiserror::Error)]
enum PutOff {
    #[error(transparent)]
    Bus(#[from] PublishError),
    #[error(transparent)]
    Store(#[from] Away),
    #[error("{0}")]
    Full(&'static str),
}

/// What is answered to what was taken.
enum Taken {
    /// It is safe, or known already.
    Over,
    /// It can never be read.
    Unreadable,
    /// A receipt for an unknown message, which is refused a few times.
    Unmatched,
}

impl Shared {
    /// Takes what the SMSC has sent, and answers it.
    pub(super) async fn take_delivery(&self, delivery: Delivery) {
        let command = delivery.pdu.command_id();
        if command.is_response() {
            return self.take_late(delivery).await;
        }
        if command == CommandId::DATA_SM && !self.config.takes_data_sm {
            return delivery.refuse(CommandStatus::ESME_RINVCMDID);
        }
        let taken = timeout(self.config.inbound_timeout, self.take_once(&delivery)).await;
        match taken {
            Ok(Ok(Taken::Over)) => delivery.accept(),
            Ok(Ok(Taken::Unreadable)) => delivery.refuse(self.config.undecodable_status),
            Ok(Ok(Taken::Unmatched)) => delivery.refuse(self.config.unmatched_refuse_status),
            Ok(Err(error)) => {
                if matches!(error, PutOff::Store(_)) {
                    self.metrics.store_errors.inc();
                }
                self.put_off(delivery, &error.to_string());
            }
            Err(_) => self.put_off(delivery, "the bus or the store took too long"),
        }
        self.match_held_by_learned_form().await;
    }

    fn put_off(&self, delivery: Delivery, why: &str) {
        tracing::warn!(why, "the SMSC is asked to keep what it sent");
        self.metrics.put_off.inc();
        delivery.refuse(self.config.busy_status);
    }

    /// Takes it, if it has not been taken within the window.
    async fn take_once(&self, delivery: &Delivery) -> Result<Taken, PutOff> {
        let read = read(&delivery.pdu, &self.config.inbound);
        // The same answer twice in a dialogue is two answers.
        let is_dialogue = matches!(&read, Read::Text { envelope, .. } if envelope.ussd.is_some());
        let Some(window) = self.config.dedupe_window.filter(|_| !is_dialogue) else {
            return self.take(delivery, read).await;
        };
        let Some(turn) = self.repeats.turn(window, key(&delivery.pdu)).await else {
            tracing::debug!("the SMSC has sent this before");
            self.metrics.repeated.inc();
            return Ok(Taken::Over);
        };
        let taken = self.take(delivery, read).await?;
        if matches!(taken, Taken::Over) {
            turn.taken();
        }
        Ok(taken)
    }

    async fn take(&self, delivery: &Delivery, read: Read) -> Result<Taken, PutOff> {
        match read {
            Read::Text { text, envelope } => self.publish_message(envelope, text).await?,
            Read::Part { key, segment, envelope } => self.take_part(key, segment, envelope).await?,
            Read::Receipt(receipt) => return self.take_receipt(receipt).await,
            Read::ReceiptPart { key, segment } => return self.take_receipt_part(delivery, &key, &segment).await,
            Read::Unreadable(why) => return Ok(self.unreadable(delivery, why)),
            Read::Nothing => {}
        }
        Ok(Taken::Over)
    }

    fn unreadable(&self, delivery: &Delivery, reason: &'static str) -> Taken {
        tracing::warn!(reason, pdu = %delivery.pdu, "receipt unreadable");
        Metrics::count(&self.metrics.receipts, "unreadable");
        Taken::Unreadable
    }

    async fn publish_message(&self, envelope: Envelope, text: String) -> Result<(), PutOff> {
        let mut message = envelope.message(self.stamp(), &self.config.transport_name, text);
        middleware::message(&self.config.middlewares, Way::Inbound, &mut message);
        self.publish(Route::Inbound, message.to_json()).await?;
        self.metrics.inbound.inc();
        Ok(())
    }

    async fn take_part(&self, key: PartKey, segment: Segment, envelope: Envelope) -> Result<(), PutOff> {
        match self.join(&key, &segment).await? {
            Outcome::Waiting => Metrics::count(&self.metrics.parts, "waiting"),
            Outcome::Duplicate => Metrics::count(&self.metrics.parts, "duplicate"),
            Outcome::Complete(joined) => {
                Metrics::count(&self.metrics.parts, "complete");
                self.publish_joined(envelope, &joined).await?;
                self.published(&key).await?;
            }
            Outcome::Refused(refusal) => return self.refused_part(refusal),
        }
        Ok(())
    }

    async fn join(&self, key: &PartKey, segment: &Segment) -> Result<Outcome, PutOff> {
        let outcome = self.store.join(self.now(), key, segment).await?;
        self.count_unfinished();
        Ok(outcome)
    }

    async fn published(&self, key: &PartKey) -> Result<(), PutOff> {
        self.store.published(self.now(), key).await?;
        self.count_unfinished();
        Ok(())
    }

    fn count_unfinished(&self) {
        self.metrics.unfinished.set(i64::try_from(self.store.unfinished()).unwrap_or(i64::MAX));
    }

    fn refused_part(&self, refusal: Refusal) -> Result<(), PutOff> {
        Metrics::count(&self.metrics.parts, "refused");
        match refusal {
            // Cannot be: numbers are checked where the part is read. Sent again it would be the same.
            Refusal::Number => Ok(()),
            Refusal::SetsFull => Err(PutOff::Full("too many messages wait for their parts")),
            Refusal::OctetsFull => Err(PutOff::Full("too many octets wait for their other parts")),
        }
    }

    /// Takes one part of a receipt; the last one makes it a receipt.
    async fn take_receipt_part(&self, delivery: &Delivery, key: &PartKey, segment: &Segment) -> Result<Taken, PutOff> {
        let joined = match self.join(key, segment).await? {
            Outcome::Complete(joined) => joined,
            Outcome::Waiting | Outcome::Duplicate => {
                Metrics::count(&self.metrics.receipts, "part");
                return Ok(Taken::Over);
            }
            Outcome::Refused(refusal) => return self.refused_part(refusal).map(|()| Taken::Over),
        };
        let taken = match read_joined(&delivery.pdu, &joined, &self.config.inbound) {
            Read::Receipt(receipt) => self.take_receipt(receipt).await?,
            Read::Unreadable(reason) => self.unreadable(delivery, reason),
            _ => Taken::Over,
        };
        if !matches!(taken, Taken::Unmatched) {
            self.published(key).await?;
        }
        Ok(taken)
    }

    async fn publish_joined(&self, mut envelope: Envelope, joined: &Joined) -> Result<(), PutOff> {
        let decoded = joined.decode();
        if decoded.replaced > 0 || joined.runs.iter().any(|(charset, _)| charset.is_binary()) {
            let hex = crate::pdu::json::hex(&joined.octets());
            envelope.smpp.insert("content_hex".to_owned(), hex.into());
        }
        self.publish_message(envelope, decoded.text).await
    }

    /// A long message will not be whole any more.
    async fn tell_incomplete(&self, incomplete: &Incomplete) -> Result<(), PutOff> {
        if incomplete.key.kind.is_receipt() {
            return self.tell_incomplete_receipt(incomplete).await;
        }
        let missing: Vec<u8> = incomplete.missing().collect();
        let texts = match self.config.partial {
            Partial::Drop => Vec::new(),
            Partial::Parts => stretches(incomplete).into_iter().map(|stretch| join(stretch).decode().text).collect(),
            Partial::Gaps => vec![with_gaps(incomplete)],
        };
        for text in texts {
            let mut smpp = serde_json::Map::new();
            smpp.insert("missing_parts".to_owned(), missing.clone().into());
            smpp.insert("total_parts".to_owned(), incomplete.key.total.into());
            let (from, to) = (latin1(&incomplete.key.source.addr), latin1(&incomplete.key.destination.addr));
            self.publish_message(Envelope { from, to, ussd: None, smpp }, text).await?;
        }
        tracing::warn!(?missing, total = incomplete.key.total, "a long message has not become whole");
        Metrics::count(&self.metrics.parts, "incomplete");
        Ok(())
    }

    /// A receipt whose other parts never came counts if its first parts say all that matters.
    async fn tell_incomplete_receipt(&self, incomplete: &Incomplete) -> Result<(), PutOff> {
        let missing: Vec<u8> = incomplete.missing().collect();
        tracing::warn!(?missing, total = incomplete.key.total, "receipt incomplete: parts never came");
        Metrics::count(&self.metrics.receipts, "incomplete");
        match read_incomplete(incomplete, &self.config.inbound) {
            Some(receipt) => self.take_receipt(receipt).await.map(drop),
            None => Ok(()),
        }
    }
}

mod expiry;
mod receipts;

impl Shared {
    /// It is held until it is told: whoever comes after this process finds it.
    async fn take_incomplete(&self, GivenUp { number, message }: GivenUp) {
        let failed = "a long message that has not become whole could not be published";
        if in_the_end(failed, || self.tell_incomplete(&message)).await {
            let told = async || Ok(self.store.told_incomplete(self.now(), number).await?);
            in_the_end("a long message that is told of is still held", told).await;
        }
    }
}

/// Tries until it is done, and says so, or until the bus has been closed. What the store has no room for stays held, and the store gives
/// it again later: room comes only when what is held expires, which must not wait for this.
async fn in_the_end<F: Future<Output = Result<(), PutOff>>>(otherwise: &str, mut once: impl FnMut() -> F) -> bool {
    while let Err(error) = once().await {
        tracing::warn!(%error, "{otherwise}");
        if matches!(error, PutOff::Bus(PublishError::Closed) | PutOff::Full(_)) {
            return false;
        }
        tokio::time::sleep(super::AGAIN).await;
    }
    true
}

/// Runs of parts that follow each other.
fn stretches(incomplete: &Incomplete) -> Vec<Vec<Segment>> {
    let mut stretches: Vec<Vec<Segment>> = Vec::new();
    for segment in &incomplete.segments {
        match stretches.last_mut() {
            Some(stretch) if stretch.last().is_some_and(|last| last.number + 1 == segment.number) => {
                stretch.push(segment.clone());
            }
            _ => stretches.push(vec![segment.clone()]),
        }
    }
    stretches
}

fn with_gaps(incomplete: &Incomplete) -> String {
    let stretches = stretches(incomplete);
    let first = stretches.first().and_then(|stretch| stretch.first()).map(|segment| segment.number);
    let last = stretches.last().and_then(|stretch| stretch.last()).map(|segment| segment.number);
    let texts: Vec<String> = stretches.into_iter().map(|stretch| join(stretch).decode().text).collect();
    let mut text = texts.join(GAP);
    if first != Some(1) {
        text.insert_str(0, GAP);
    }
    if last != Some(incomplete.key.total) {
        text.push_str(GAP);
    }
    text
}
