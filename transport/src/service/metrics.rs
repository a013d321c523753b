//! Prometheus metrics of the service. [`Metrics::register`] has their names, `METRICS.md` describes them.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::bus::DeliveryStatus;
use crate::driver::{Observation, Observer};

/// Status of a response.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct Status {
    /// Status by name, or `expired`, `lost` or `not_sent`.
    pub status: String,
}

/// Name of a link.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct OfLink {
    /// Name of the link.
    pub link: String,
}

/// Reason for which a link was lost or not bound.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct LinkEnd {
    /// Name of the link.
    pub link: String,
    /// Reason of the end.
    pub reason: &'static str,
}

/// Kind of an event.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct Kind {
    /// Kind, as one word.
    pub kind: &'static str,
}

/// Queue of the bus.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct OfRoute {
    /// Name of the route: `inbound`, `event` or `status`.
    pub route: &'static str,
}

/// Duration in seconds that only grows.
type Seconds = Counter<f64, std::sync::atomic::AtomicU64>;

/// Metrics of a transport.
#[derive(Debug)]
pub struct Metrics {
    /// Whether a link is bound: 1 or 0.
    pub bound: Family<OfLink, Gauge>,
    /// Submits without a response.
    pub outstanding: Gauge,
    /// Messages taken from the bus and not settled.
    pub waiting: Gauge,
    /// Responses to submits, by status; `expired`, `lost` and `not_sent` too.
    pub answers: Family<Status, Counter>,
    /// Resends by cause.
    pub resends: Family<Kind, Counter>,
    /// Time from a submit to its response.
    pub latency: Histogram,
    /// Time from taking a message from the bus to its first submit.
    pub window_wait: Histogram,
    /// Submits without a response in time.
    pub response_timeouts: Counter,
    /// Time for which sending was paused by throttling.
    pub throttled: Seconds,
    /// Published events, by kind.
    pub events: Family<Kind, Counter>,
    /// Published delivery reports, by delivery status.
    pub reports: Family<Status, Counter>,
    /// Published messages of subscribers.
    pub inbound: Counter,
    /// Time from a publish to its confirmation by the bus.
    pub publish: Family<OfRoute, Histogram, fn() -> Histogram>,
    /// Publishes that failed, by route.
    pub publish_errors: Family<OfRoute, Counter>,
    /// Receipts: known, held, unknown, unreadable, expired; part and incomplete (of a receipt in parts); late_state (contradicts a
    /// final state); aggregate_timeout (report without all receipts); full and refused (not taken).
    pub receipts: Family<Kind, Counter>,
    /// Parts of long messages: waiting, duplicate, complete, refused, incomplete.
    pub parts: Family<Kind, Counter>,
    /// Messages that wait for missing parts.
    pub unfinished: Gauge,
    /// Deliveries that were known already and not published again.
    pub repeated: Counter,
    /// Responses that came after their submit had expired.
    pub late: Counter,
    /// Deliveries that were deferred because they could not be stored.
    pub put_off: Counter,
    /// Errors of the store.
    pub store_errors: Counter,
    /// PDUs that could not be decoded.
    pub decode_errors: Family<OfLink, Counter>,
    /// Requests of the SMSC with an unknown command.
    pub unknown_pdus: Family<OfLink, Counter>,
    /// Responses that answer nothing that is outstanding.
    pub unexpected_responses: Family<OfLink, Counter>,
    /// Round trip of enquire_link.
    pub enquire_link: Histogram,
    /// Successful binds.
    pub binds: Family<OfLink, Counter>,
    /// Lost sessions and failed tries.
    pub failures: Family<OfLink, Counter>,
    /// The same by reason.
    pub ends: Family<LinkEnd, Counter>,
    /// Messages that could not be read and were dead-lettered.
    pub dead_letters: Counter,
}

/// From 1 ms to about 2 minutes.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 18))
}

impl Default for Metrics {
    fn default() -> Metrics {
        Metrics {
            bound: Family::default(),
            outstanding: Gauge::default(),
            waiting: Gauge::default(),
            answers: Family::default(),
            resends: Family::default(),
            latency: seconds(),
            window_wait: seconds(),
            response_timeouts: Counter::default(),
            throttled: Seconds::default(),
            events: Family::default(),
            reports: Family::default(),
            inbound: Counter::default(),
            publish: Family::new_with_constructor(seconds),
            publish_errors: Family::default(),
            receipts: Family::default(),
            parts: Family::default(),
            unfinished: Gauge::default(),
            repeated: Counter::default(),
            late: Counter::default(),
            put_off: Counter::default(),
            store_errors: Counter::default(),
            decode_errors: Family::default(),
            unknown_pdus: Family::default(),
            unexpected_responses: Family::default(),
            enquire_link: seconds(),
            binds: Family::default(),
            failures: Family::default(),
            ends: Family::default(),
            dead_letters: Counter::default(),
        }
    }
}

impl Metrics {
    /// Registers all metrics. Names of counters end in `_total`, those of times in `_seconds`.
    pub fn register(&self, registry: &mut Registry) {
        let build = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("smpp_build", "Version of the transport", build);
        self.register_links(registry);
        self.register_outbound(registry);
        self.register_inbound(registry);
    }

    fn register_links(&self, registry: &mut Registry) {
        registry.register("smpp_bound", "Whether the link is bound", self.bound.clone());
        registry.register("smpp_binds", "Successful binds", self.binds.clone());
        registry.register("smpp_link_failures", "Lost sessions and failed tries", self.failures.clone());
        registry.register("smpp_session_ends", "Lost sessions and failed tries by reason", self.ends.clone());
        registry.register("smpp_decode_errors", "PDUs that could not be decoded", self.decode_errors.clone());
        registry.register("smpp_unknown_pdus", "Requests with an unknown command", self.unknown_pdus.clone());
        let unexpected = self.unexpected_responses.clone();
        registry.register("smpp_unexpected_responses", "Responses that answer nothing outstanding", unexpected);
        seconds_of(registry, "smpp_enquire_link", "Round trip of enquire_link", self.enquire_link.clone());
    }

    fn register_outbound(&self, registry: &mut Registry) {
        registry.register("smpp_outstanding", "Submits without a response", self.outstanding.clone());
        registry.register("smpp_waiting", "Messages taken from the bus and not settled", self.waiting.clone());
        registry.register("smpp_answers", "Responses to submits by status", self.answers.clone());
        registry.register("smpp_resends", "Resends of submits by cause", self.resends.clone());
        seconds_of(registry, "smpp_submit", "Time from a submit to its response", self.latency.clone());
        let wait = self.window_wait.clone();
        seconds_of(registry, "smpp_window_wait", "Time from taking a message to its first submit", wait);
        let timeouts = self.response_timeouts.clone();
        registry.register("smpp_response_timeouts", "Submits without a response in time", timeouts);
        seconds_of(registry, "smpp_throttled", "Time paused by throttling", self.throttled.clone());
        registry.register("smpp_events", "Events published by kind", self.events.clone());
        registry.register("smpp_late_answers", "Responses to submits that came too late", self.late.clone());
        registry.register("smpp_dead_letters", "Messages that could not be read", self.dead_letters.clone());
        seconds_of(registry, "smpp_publish", "Time from a publish to its confirmation", self.publish.clone());
        registry.register("smpp_publish_errors", "Publishes that failed", self.publish_errors.clone());
        registry.register("smpp_store_errors", "Errors of the store", self.store_errors.clone());
    }

    fn register_inbound(&self, registry: &mut Registry) {
        registry.register("smpp_inbound", "Messages of subscribers published", self.inbound.clone());
        registry.register("smpp_reports", "Delivery reports published by delivery status", self.reports.clone());
        registry.register("smpp_receipts", "Receipts by outcome", self.receipts.clone());
        registry.register("smpp_parts", "Parts of long messages by outcome", self.parts.clone());
        registry.register("smpp_reassembly_open", "Messages that wait for missing parts", self.unfinished.clone());
        registry.register("smpp_repeated", "Deliveries that were known already", self.repeated.clone());
        registry.register("smpp_put_off", "Deliveries that were deferred", self.put_off.clone());
    }

    pub(super) fn count(family: &Family<Kind, Counter>, kind: &'static str) {
        family.get_or_create(&Kind { kind }).inc();
    }

    /// Counts a published delivery report.
    pub(super) fn reported(&self, status: DeliveryStatus) {
        let status = match status {
            DeliveryStatus::Pending => "pending",
            DeliveryStatus::Failed => "failed",
            DeliveryStatus::Delivered => "delivered",
        };
        self.reports.get_or_create(&Status { status: status.to_owned() }).inc();
    }

    /// Counts how long a publish took, or that it failed.
    pub(super) fn published(&self, route: &'static str, took: Duration, is_ok: bool) {
        let of = OfRoute { route };
        if is_ok {
            self.publish.get_or_create(&of).observe(took.as_secs_f64());
        } else {
            self.publish_errors.get_or_create(&of).inc();
        }
    }

    /// Returns the observer of the sessions of a link.
    pub(super) fn observer(&self, link: &str) -> Observer {
        let of = OfLink { link: link.to_owned() };
        let counter = |family: &Family<OfLink, Counter>| family.get_or_create(&of).clone();
        let malformed = counter(&self.decode_errors);
        let unknown = counter(&self.unknown_pdus);
        let unexpected = counter(&self.unexpected_responses);
        let enquire_link = self.enquire_link.clone();
        Observer::new(move |observation| match observation {
            Observation::Malformed => _ = malformed.inc(),
            Observation::UnknownCommand => _ = unknown.inc(),
            Observation::UnexpectedResponse => _ = unexpected.inc(),
            Observation::EnquireLink(took) => enquire_link.observe(took.as_secs_f64()),
        })
    }
}

fn seconds_of(registry: &mut Registry, name: &str, help: &str, metric: impl prometheus_client::registry::Metric) {
    registry.register_with_unit(name, help, Unit::Seconds, metric);
}

#[cfg(test)]
mod tests;
