//! Counts as Prometheus reads them, in the form of OpenMetrics.

use std::fmt;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};

use crate::control::Control;

/// The form that `prometheus-client` writes.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Counts, for Prometheus.
#[utoipa::path(get, path = "/metrics",
    responses((status = 200, description = "They.", body = String, content_type = "application/openmetrics-text")))]
pub(super) async fn metrics(State(control): State<Control>) -> impl IntoResponse {
    let mut registry = Registry::with_prefix("smsc_sim");
    registry.register_collector(Box::new(Counts(control)));
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = text::encode(&mut text, &registry);
    ([(CONTENT_TYPE, OPEN_METRICS)], text)
}

/// What is counted, looked at when it is asked for.
#[derive(Debug)]
struct Counts(Control);

impl Collector for Counts {
    fn encode(&self, mut to: DescriptorEncoder<'_>) -> fmt::Result {
        let stats = self.0.stats();
        let rules = self.0.rules();
        let mut to = Metrics(&mut to);
        let version = [(["version"], [env!("CARGO_PKG_VERSION")])];
        to.gauges("build_info", "The version that runs", version.map(|(keys, values)| (labels(keys, values), 1)))?;
        let uptime = ConstGauge::new(stats.uptime_ms as f64 / 1000.0);
        let unit = Unit::Seconds;
        uptime.encode(to.0.encode_descriptor("uptime", "Time since the start", Some(&unit), MetricType::Gauge)?)?;

        to.gauge("connections", "Connections, bound or not", stats.connections)?;
        to.counter("connections_opened", "Connections ever", stats.connections_total)?;
        let sessions =
            stats.sessions_by_account.iter().map(|(account, count)| (labels(["account"], [account]), *count));
        to.gauges("sessions", "Bound sessions", sessions)?;

        let messages = stats.messages_by_state.iter().map(|(state, count)| (labels(["state"], [state]), *count));
        to.gauges("messages", "Messages that are kept", messages)?;
        to.gauge("messages_pending", "Messages that have not ended", stats.pending)?;
        to.counter("messages_accepted", "Messages accepted ever", stats.messages_total)?;
        to.gauge("deliveries_waiting", "Deliveries that wait for a session or an answer", stats.deliveries_waiting)?;
        to.counter("deliveries_dropped", "Deliveries dropped as too many waited", stats.deliveries_dropped)?;

        let ways = [("from_esme", &stats.pdus_from_esmes), ("to_esme", &stats.pdus_to_esmes)];
        let pdus = ways.into_iter().flat_map(|(way, commands)| {
            commands.iter().map(move |(command, count)| (labels(["direction", "command"], [way, command]), *count))
        });
        to.counters("pdus", "PDUs that have passed", pdus)?;
        let ways = [("from_esme", stats.octets_from_esmes), ("to_esme", stats.octets_to_esmes)];
        let octets = ways.into_iter().map(|(way, count)| (labels(["direction"], [way]), count));
        to.counters("octets", "Octets that have passed", octets)?;

        let rules = rules
            .iter()
            .enumerate()
            .map(|(place, info)| (labels(["rule", "name"], [&place.to_string(), &info.rule.name]), info.matched));
        to.counters("rule_matches", "Requests that each rule was followed for, by its place from 0", rules)
    }
}

type Labels = Vec<(&'static str, String)>;

fn labels<const N: usize>(keys: [&'static str; N], values: [&str; N]) -> Labels {
    keys.into_iter().zip(values.map(str::to_owned)).collect()
}

struct Metrics<'a, 'b>(&'a mut DescriptorEncoder<'b>);

impl Metrics<'_, '_> {
    fn gauge(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        ConstGauge::new(as_gauge(value)).encode(self.0.encode_descriptor(name, help, None, MetricType::Gauge)?)
    }

    fn counter(&mut self, name: &str, help: &str, value: u64) -> fmt::Result {
        ConstCounter::new(value).encode(self.0.encode_descriptor(name, help, None, MetricType::Counter)?)
    }

    fn gauges(&mut self, name: &str, help: &str, values: impl IntoIterator<Item = (Labels, u64)>) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        values
            .into_iter()
            .try_for_each(|(labels, value)| ConstGauge::new(as_gauge(value)).encode(family.encode_family(&labels)?))
    }

    fn counters(&mut self, name: &str, help: &str, values: impl IntoIterator<Item = (Labels, u64)>) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        values
            .into_iter()
            .try_for_each(|(labels, value)| ConstCounter::new(value).encode(family.encode_family(&labels)?))
    }
}

fn as_gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
