//! What is counted, for Prometheus. Names and labels are in [`Metrics::register`].

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// One label, whose name depends on the metric.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct Status {
    /// The status by name.
    pub status: String,
}

/// A link by its name.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct OfLink {
    /// Its name.
    pub link: String,
}

/// What happened, in a word.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct Kind {
    /// In a word.
    pub kind: &'static str,
}

/// What a transport counts.
#[derive(Debug)]
pub struct Metrics {
    /// Whether a link is bound.
    pub bound: Family<OfLink, Gauge>,
    /// Submits without an answer.
    pub outstanding: Gauge,
    /// Messages taken from the bus and not done.
    pub waiting: Gauge,
    /// Answers to submits, by status; `expired`, `lost` and `not_sent` too.
    pub answers: Family<Status, Counter>,
    /// From submit to answer.
    pub latency: Histogram,
    /// Events published.
    pub events: Family<Kind, Counter>,
    /// Messages from phones that were published.
    pub inbound: Counter,
    /// Receipts: known, held, unknown, unreadable, expired.
    pub receipts: Family<Kind, Counter>,
    /// Parts of long messages: waiting, duplicate, complete, refused, incomplete.
    pub parts: Family<Kind, Counter>,
    /// What the SMSC has sent again and was not published again.
    pub repeated: Counter,
    /// Answers that came after nobody waited for them any more.
    pub late: Counter,
    /// What the SMSC was asked to keep, because it could not be stored.
    pub put_off: Counter,
    /// Links that were bound.
    pub binds: Family<OfLink, Counter>,
    /// Links that went down or could not be bound.
    pub failures: Family<OfLink, Counter>,
    /// Messages that were none, and are on the dead-letter queue.
    pub dead_letters: Counter,
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics {
            bound: Family::default(),
            outstanding: Gauge::default(),
            waiting: Gauge::default(),
            answers: Family::default(),
            // 1 ms to about 2 min.
            latency: Histogram::new(exponential_buckets(0.001, 2.0, 18)),
            events: Family::default(),
            inbound: Counter::default(),
            receipts: Family::default(),
            parts: Family::default(),
            repeated: Counter::default(),
            late: Counter::default(),
            put_off: Counter::default(),
            binds: Family::default(),
            failures: Family::default(),
            dead_letters: Counter::default(),
        }
    }
}

impl Metrics {
    /// Adds them to a registry. Counters get `_total` at their end.
    pub fn register(&self, registry: &mut Registry) {
        registry.register("smpp_bound", "Whether the link is bound", self.bound.clone());
        registry.register("smpp_outstanding", "Submits without an answer", self.outstanding.clone());
        registry.register("smpp_waiting", "Messages taken from the bus and not done", self.waiting.clone());
        registry.register("smpp_answers", "Answers to submits by status", self.answers.clone());
        registry.register("smpp_submit_seconds", "Time from submit to answer", self.latency.clone());
        registry.register("smpp_events", "Events published by kind", self.events.clone());
        registry.register("smpp_inbound", "Messages from phones that were published", self.inbound.clone());
        registry.register("smpp_receipts", "Receipts by what became of them", self.receipts.clone());
        registry.register("smpp_parts", "Parts of long messages by what became of them", self.parts.clone());
        registry.register("smpp_repeated", "What the SMSC has sent again and was known", self.repeated.clone());
        registry.register("smpp_late_answers", "Answers to submits that came too late", self.late.clone());
        registry.register("smpp_put_off", "What the SMSC was asked to keep", self.put_off.clone());
        registry.register("smpp_binds", "How often the link was bound", self.binds.clone());
        registry.register("smpp_link_failures", "How often the link went down or was not bound", self.failures.clone());
        registry.register("smpp_dead_letters", "What was on the bus and was no message", self.dead_letters.clone());
    }

    pub(super) fn count(family: &Family<Kind, Counter>, kind: &'static str) {
        family.get_or_create(&Kind { kind }).inc();
    }
}
