//! From the SMSC to the bus: what becomes of one deliver_sm or data_sm, before it is answered.

use futures_util::future::join_all;
use tokio::time::timeout;

use super::middleware::{self, Way};
use super::{GAP, Metrics, Partial, Reports, Shared, Unmatched};
use crate::bus::{DeliveryStatus, Event, PublishError, Route};
use crate::driver::Delivery;
use crate::inbound::{Envelope, Read, ReadReceipt, key, read};
use crate::pdu::{CommandId, CommandStatus, latin1};
use crate::store::{Away, Early, Expired, GivenUp, Known, Matched, Report};
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
            Ok(Err(error)) => {
                if matches!(error, PutOff::Store(_)) {
                    self.metrics.store_errors.inc();
                }
                self.put_off(delivery, &error.to_string());
            }
            Err(_) => self.put_off(delivery, "the bus or the store took too long"),
        }
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
            Read::Receipt(receipt) => self.take_receipt(receipt).await?,
            Read::Unreadable(why) => {
                tracing::warn!(why, pdu = %delivery.pdu, "a receipt could not be read");
                Metrics::count(&self.metrics.receipts, "unreadable");
                return Ok(Taken::Unreadable);
            }
            Read::Nothing => {}
        }
        Ok(Taken::Over)
    }

    async fn publish_message(&self, envelope: Envelope, text: String) -> Result<(), PutOff> {
        let mut message = envelope.message(self.stamp(), &self.config.transport_name, text);
        middleware::message(&self.config.middlewares, Way::Inbound, &mut message);
        self.publish(Route::Inbound, message.to_json()).await?;
        self.metrics.inbound.inc();
        Ok(())
    }

    async fn take_part(&self, key: PartKey, segment: Segment, envelope: Envelope) -> Result<(), PutOff> {
        match self.store.join(self.now(), &key, &segment).await? {
            Outcome::Waiting => Metrics::count(&self.metrics.parts, "waiting"),
            Outcome::Duplicate => Metrics::count(&self.metrics.parts, "duplicate"),
            Outcome::Complete(joined) => {
                Metrics::count(&self.metrics.parts, "complete");
                self.publish_joined(envelope, &joined).await?;
                self.store.published(self.now(), &key).await?;
            }
            Outcome::Refused(refusal) => {
                Metrics::count(&self.metrics.parts, "refused");
                return match refusal {
                    // Cannot be: numbers are checked where the part is read. Sent again it would be the same.
                    Refusal::Number => Ok(()),
                    Refusal::SetsFull => Err(PutOff::Full("too many messages wait for their parts")),
                    Refusal::OctetsFull => Err(PutOff::Full("too many octets wait for their other parts")),
                };
            }
        }
        Ok(())
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

    async fn take_receipt(&self, ReadReceipt { id, report }: ReadReceipt) -> Result<(), PutOff> {
        let form = {
            let mut seen = self.ids_seen();
            seen.note_receipt(&id);
            seen.form(self.config.inbound.id_forms, &id)
        };
        let receipt = Early { id, forms: form.into_iter().collect(), report };
        let matched = self.store.receipt(self.now(), &receipt).await?;
        self.matched(&receipt.id, matched, &receipt.report).await
    }

    async fn matched(&self, id: &str, matched: Matched, report: &Report) -> Result<(), PutOff> {
        match matched {
            Matched::Known(known) => {
                Metrics::count(&self.metrics.receipts, "known");
                self.report(&known, report).await
            }
            Matched::Held => {
                Metrics::count(&self.metrics.receipts, "held");
                Ok(())
            }
            Matched::Unknown => {
                Metrics::count(&self.metrics.receipts, "unknown");
                self.unmatched(id, report).await
            }
        }
    }

    async fn unmatched(&self, id: &str, report: &Report) -> Result<(), PutOff> {
        tracing::warn!(id, status = &*report.smpp_status, "a receipt is for no message that is known");
        match self.config.unmatched {
            Unmatched::Log => Ok(()),
            Unmatched::Event => self.publish_report(id, report).await,
        }
    }

    /// Tells what a receipt says of its message.
    async fn report(&self, known: &Known, report: &Report) -> Result<(), PutOff> {
        if !self.is_told(known, report) {
            return Ok(());
        }
        self.until_settled(&known.part.message).await;
        self.publish_report(&known.part.message, report).await
    }

    /// Of a message of several parts one failure is told at once, and success when it is whole. What was told before is told
    /// again when its receipt comes again: whoever sent it may not have heard.
    fn is_told(&self, known: &Known, report: &Report) -> bool {
        if self.config.reports == Reports::PerPart || known.part.total <= 1 {
            return true;
        }
        let of = |status| known.reports.iter().flatten().filter(move |known| known.is_final && known.status == status);
        match (report.is_final, report.status) {
            (true, DeliveryStatus::Delivered) => of(DeliveryStatus::Delivered).count() == usize::from(known.part.total),
            (true, _) => true,
            (false, _) => !known.reports.iter().flatten().any(|known| known.is_final),
        }
    }

    async fn publish_report(&self, message: &str, report: &Report) -> Result<(), PutOff> {
        if !self.config.delivery_reports {
            return Ok(());
        }
        let event = Event::delivery_report(self.stamp(), message, report.status, &report.smpp_status);
        middleware::event(&self.config.middlewares, &event);
        self.publish(Route::Event, event.to_json()).await?;
        Metrics::count(&self.metrics.events, "delivery_report");
        self.metrics.reported(report.status);
        Ok(())
    }

    /// A receipt that was held has met its id, or never will. Nobody waits for an answer, so that it is tried until it is told.
    pub(super) async fn take_early(&self, early: Early) {
        let telling = (early.id.clone(), early.report.smpp_status.clone());
        // The store gives it again while that takes long.
        if !self.telling().insert(telling.clone()) {
            return;
        }
        in_the_end("a receipt that was held could not be told", || self.tell_early(&early)).await;
        self.telling().remove(&telling);
    }

    /// It is held until it is told: whoever comes after this process finds it.
    async fn tell_early(&self, early: &Early) -> Result<(), PutOff> {
        match self.store.receipt_again(self.now(), early).await? {
            Matched::Known(known) => {
                Metrics::count(&self.metrics.receipts, "known");
                self.report(&known, &early.report).await?;
            }
            _ => self.tell_at_last(early).await?,
        }
        Ok(self.store.told(self.now(), early).await?)
    }

    /// Its id has not come in time.
    async fn tell_at_last(&self, early: &Early) -> Result<(), PutOff> {
        let forms = self.ids_seen().forms_at_last(self.config.inbound.id_forms, &early.id);
        let at_last = Early { forms, ..early.clone() };
        match self.store.receipt_again(self.now(), &at_last).await? {
            Matched::Known(known) => {
                tracing::warn!(id = early.id, "a receipt has its id in another form: say so with receipts.id_format");
                self.report(&known, &early.report).await
            }
            _ => {
                self.unmatched(&early.id, &early.report).await?;
                Metrics::count(&self.metrics.receipts, "expired");
                Ok(())
            }
        }
    }

    /// Tells of what has expired in the store, however long that takes.
    pub(super) async fn expire(&self) {
        let Expired { incomplete, early } = match self.store.expire(self.now()).await {
            Ok(expired) => expired,
            Err(error) => {
                self.metrics.store_errors.inc();
                tracing::warn!(%error, "what has expired is not known");
                return tokio::time::sleep(super::AGAIN).await;
            }
        };
        // None waits for another that the bus refuses.
        let incomplete = join_all(incomplete.into_iter().map(|given_up| self.take_incomplete(given_up)));
        let early = join_all(early.into_iter().map(|early| self.take_early(early)));
        futures_util::future::join(incomplete, early).await;
    }

    /// It is held until it is told: whoever comes after this process finds it.
    async fn take_incomplete(&self, GivenUp { number, message }: GivenUp) {
        let failed = "a long message that has not become whole could not be published";
        if in_the_end(failed, || self.tell_incomplete(&message)).await {
            let told = async || Ok(self.store.told_incomplete(self.now(), number).await?);
            in_the_end("a long message that is told of is still held", told).await;
        }
    }
}

/// Tries until it is done, and says so, or until the bus has been closed.
async fn in_the_end<F: Future<Output = Result<(), PutOff>>>(otherwise: &str, mut once: impl FnMut() -> F) -> bool {
    while let Err(error) = once().await {
        tracing::warn!(%error, "{otherwise}");
        if matches!(error, PutOff::Bus(PublishError::Closed)) {
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
