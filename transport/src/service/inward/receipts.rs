//! From a receipt to its report: find the message, decide whether its state is news, publish it.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::{PutOff, Taken, in_the_end};
use crate::bus::{Event, Route};
use crate::inbound::ReadReceipt;
use crate::service::{Metrics, Shared, Unmatched, middleware};
use crate::store::{Aggregate, Early, Known, Matched, Next, Report, address_digits};

impl Shared {
    pub(super) async fn take_receipt(&self, receipt: ReadReceipt) -> Result<Taken, PutOff> {
        let receipt = self.early(receipt);
        if self.config.unmatched_refuse_tries > 0 {
            let known = self.store.receipt_again(self.now(), &receipt).await?;
            if known != Matched::Unknown {
                return self.matched(&receipt, known).await.map(|()| Taken::Over);
            }
            if self.refuses(&receipt) {
                return Ok(Taken::Unmatched);
            }
        }
        let matched = self.store.receipt(self.now(), &receipt).await?;
        self.matched(&receipt, matched).await.map(|()| Taken::Over)
    }

    /// The receipt as the store looks for its message.
    fn early(&self, ReadReceipt { id, id_in_text, addresses, report }: ReadReceipt) -> Early {
        let mut seen = self.ids_seen();
        seen.note_receipt(&id);
        let ids = || [Some(id.as_str()), id_in_text.as_deref()].into_iter().flatten();
        let forms = seen.forms(self.config.inbound.id_forms, ids());
        let addresses = addresses.iter().filter(|address| !address.is_empty()).map(|address| address_digits(address));
        let addresses = addresses.collect();
        Early { forms: forms.sure, guesses: forms.guesses, addresses, report, id, id_in_text }
    }

    /// Whether a receipt for an unknown message is to be refused once more.
    fn refuses(&self, receipt: &Early) -> bool {
        let tries = self.config.unmatched_refuse_tries;
        let mut refusals = self.refusals.lock().unwrap_or_else(PoisonError::into_inner);
        let refuses = refusals.refuses(tries, &receipt.id, &receipt.report.smpp_status);
        if refuses {
            Metrics::count(&self.metrics.receipts, "refused");
            tracing::info!(id = receipt.id, "receipt refused: unknown message id");
        }
        refuses
    }

    async fn matched(&self, receipt: &Early, matched: Matched) -> Result<(), PutOff> {
        match matched {
            Matched::Known(known) => {
                Metrics::count(&self.metrics.receipts, "known");
                self.learn(receipt, &known);
                self.report(receipt, known).await
            }
            Matched::Held => {
                Metrics::count(&self.metrics.receipts, "held");
                Ok(())
            }
            Matched::Unknown => {
                Metrics::count(&self.metrics.receipts, "unknown");
                self.unmatched(&receipt.id, &receipt.report).await
            }
            Matched::Full => {
                Metrics::count(&self.metrics.receipts, "full");
                Err(PutOff::Full("as many receipts wait for their message ids as may"))
            }
        }
    }

    /// Learns the form of the ids from a receipt that has found its message.
    fn learn(&self, receipt: &Early, known: &Known) {
        if self.ids_seen().learn(self.config.inbound.id_forms, receipt.ids(), &known.form) {
            tracing::info!(id = receipt.id, form = &*known.form, "form of message ids learned: set receipts.id_format");
            self.has_learned.store(true, Ordering::Relaxed);
        }
    }

    /// Looks for the messages of held receipts by a form of ids that has been learned just now.
    pub(super) async fn match_held_by_learned_form(&self) {
        if !self.has_learned.swap(false, Ordering::Relaxed) {
            return;
        }
        let held = loop {
            match self.store.held(self.now()).await {
                Ok(held) => break held,
                Err(error) => {
                    self.metrics.store_errors.inc();
                    tracing::warn!(%error, "store away: held receipts wait on");
                    tokio::time::sleep(crate::service::AGAIN).await;
                }
            }
        };
        for early in held {
            self.match_by_learned_form(early).await;
        }
    }

    /// Holds it under the learned form of its id from now on, and reports it if its message is known by that.
    async fn match_by_learned_form(&self, early: Early) {
        let forms = self.ids_seen().forms(self.config.inbound.id_forms, early.ids()).sure;
        let by_learned = Early { forms, ..early.clone() };
        let telling = early.telling();
        if by_learned == early || !self.telling().insert(telling.clone()) {
            return;
        }
        self.hold_as(&early, &by_learned).await;
        self.telling().remove(&telling);
        // Asked again, as its id may have come while it could not be told of.
        if self.hold_as(&by_learned, &by_learned).await {
            self.take_held(by_learned).await;
        }
    }

    async fn hold_as(&self, early: &Early, other: &Early) -> bool {
        let is_known = AtomicBool::new(false);
        in_the_end("held receipt not looked for by the learned form", async || {
            is_known.store(self.store.hold_as(self.now(), early, other).await?, Ordering::Relaxed);
            Ok(())
        })
        .await;
        is_known.into_inner()
    }

    async fn unmatched(&self, id: &str, report: &Report) -> Result<(), PutOff> {
        tracing::warn!(id, status = &*report.smpp_status, "receipt unmatched: unknown message id");
        match self.config.unmatched {
            Unmatched::Log => Ok(()),
            Unmatched::Event => self.publish_report(id, report).await,
        }
    }

    /// Publishes what a receipt says of its message, if that is news.
    async fn report(&self, receipt: &Early, known: Known) -> Result<(), PutOff> {
        let (message, part) = (&*known.part.message, known.part.number);
        if !matches!(known.next, Next::Report | Next::Aggregate(_)) {
            self.not_reported(message, part, &known.next, &receipt.report);
            return Ok(());
        }
        self.until_settled(message).await;
        let _turn = self.turns.turn(message).await;
        let is_news = receipt.report.is_final || matches!(known.next, Next::Aggregate(_));
        let next = if is_news { known.next } else { self.next_again(receipt, known.next).await? };
        match next {
            Next::Report => self.publish_report(message, &receipt.report).await,
            Next::Aggregate(aggregate) => self.report_aggregate(&aggregate).await,
            next => {
                self.not_reported(message, part, &next, &receipt.report);
                Ok(())
            }
        }
    }

    /// The step that follows a receipt that is not final, when its turn has come: the end of its message may have been noted since.
    /// A report of all parts is not asked for again: it has been given to this receipt.
    async fn next_again(&self, receipt: &Early, next: Next) -> Result<Next, PutOff> {
        Ok(match self.store.receipt_again(self.now(), receipt).await? {
            Matched::Known(known) => known.next,
            _ => next,
        })
    }

    fn not_reported(&self, message: &str, part: u8, next: &Next, report: &Report) {
        if matches!(next, Next::Late) {
            tracing::warn!(message, part, status = &*report.smpp_status, "late state: a final state was noted before");
            Metrics::count(&self.metrics.receipts, "late_state");
        }
    }

    /// Publishes the one report of a message in parts, with everything that is known.
    pub(super) async fn report_aggregate(&self, aggregate: &Aggregate) -> Result<(), PutOff> {
        let message = &*aggregate.message;
        let Some(deciding) = aggregate.deciding() else { return Ok(()) };
        self.until_settled(message).await;
        let finals = || aggregate.reports.iter().flatten().filter(|report| report.is_final);
        let (parts, reported) = (aggregate.reports.len(), finals().count());
        if aggregate.is_incomplete {
            tracing::warn!(message, parts, reported, "receipts of some parts never came: reported what is known");
            Metrics::count(&self.metrics.receipts, "aggregate_timeout");
        }
        let mut report = deciding.clone();
        let mut ids: Vec<_> = finals().filter_map(|report| report.details.get("message_id")).cloned().collect();
        ids.dedup();
        report.details.insert("message_ids".to_owned(), json!(ids));
        report.details.insert("parts".to_owned(), json!(parts));
        report.details.insert("parts_reported".to_owned(), json!(reported));
        if !aggregate.unreported.is_empty() {
            report.details.insert("parts_without_receipt".to_owned(), json!(aggregate.unreported));
        }
        self.publish_report(message, &report).await?;
        Ok(self.store.told_aggregate(self.now(), message, report.status).await?)
    }

    async fn publish_report(&self, message: &str, report: &Report) -> Result<(), PutOff> {
        if !self.config.delivery_reports {
            return Ok(());
        }
        let mut event = Event::delivery_report(self.stamp(), message, report.status, &report.smpp_status);
        if !report.details.is_empty() {
            event.transport_metadata.insert("smpp".to_owned(), report.details.clone().into());
        }
        middleware::event(&self.config.middlewares, &event);
        self.publish(Route::Event, event.to_json()).await?;
        Metrics::count(&self.metrics.events, "delivery_report");
        self.metrics.reported(report.status);
        Ok(())
    }

    /// Takes a held receipt whose id has come or never will. Nobody waits for an answer, so this is tried until it succeeds.
    pub(in crate::service) async fn take_early(&self, early: Early) {
        self.take_held(early).await;
        self.match_held_by_learned_form().await;
    }

    async fn take_held(&self, early: Early) {
        let telling = early.telling();
        // The store gives it again while that takes long.
        if !self.telling().insert(telling.clone()) {
            return;
        }
        if in_the_end("held receipt not reported", || self.tell_early(&early)).await {
            self.let_go(&early).await;
        }
        self.telling().remove(&telling);
    }

    /// Forgets a held receipt that has been reported. It stays held until then, so that a process that dies loses nothing.
    async fn let_go(&self, early: &Early) {
        in_the_end("held receipt not forgotten", async || Ok(self.store.told(self.now(), early).await?)).await;
    }

    /// Reports a held receipt whose id has come or never will.
    async fn tell_early(&self, early: &Early) -> Result<(), PutOff> {
        match self.store.receipt_again(self.now(), early).await? {
            Matched::Known(known) => {
                Metrics::count(&self.metrics.receipts, "known");
                self.learn(early, &known);
                self.report(early, known).await
            }
            _ => self.tell_at_last(early).await,
        }
    }

    /// Reports a held receipt whose id has not come in time.
    async fn tell_at_last(&self, early: &Early) -> Result<(), PutOff> {
        let forms = self.ids_seen().forms_at_last(self.config.inbound.id_forms, &early.id);
        let at_last = Early { forms, ..early.clone() };
        match self.store.receipt_again(self.now(), &at_last).await? {
            Matched::Known(known) => {
                tracing::warn!(id = early.id, "receipt with its id in another form: set receipts.id_format");
                self.learn(early, &known);
                self.report(&at_last, known).await
            }
            _ => {
                self.unmatched(&early.id, &early.report).await?;
                Metrics::count(&self.metrics.receipts, "expired");
                Ok(())
            }
        }
    }
}

impl Early {
    /// The ids as the SMSC wrote them: of the parameter, and of the text where it is another one.
    fn ids(&self) -> impl Iterator<Item = &str> + Clone {
        [Some(self.id.as_str()), self.id_in_text.as_deref()].into_iter().flatten()
    }

    /// Key of a receipt while it is being reported.
    fn telling(&self) -> (String, Box<str>) {
        (self.id.clone(), self.report.smpp_status.clone())
    }
}
