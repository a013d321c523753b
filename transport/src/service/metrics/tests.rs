//! Guards that every metric is documented in `METRICS.md`, and every metric there exists.

use std::collections::BTreeMap;

use super::*;
use crate::session::Why;

const PAGE: &str = include_str!("../../../METRICS.md");

/// Type and labels of a metric.
type Shape = (String, Vec<String>);

/// The metrics that the page describes, by name.
fn documented() -> BTreeMap<String, Shape> {
    let rows = PAGE.lines().filter(|line| line.starts_with("| `smpp_"));
    let read = |line: &str| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let labels = cells[3].split(',').map(|label| label.trim().trim_matches('`').to_owned());
        let labels = labels.filter(|label| !label.is_empty()).collect();
        (cells[1].trim_matches('`').to_owned(), (cells[2].to_owned(), labels))
    };
    rows.map(read).collect()
}

/// The metrics in a page of OpenMetrics, by name.
fn exposed(text: &str) -> BTreeMap<String, Shape> {
    let mut found = BTreeMap::new();
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    for (name, kind) in types {
        let suffix = match kind {
            "counter" => "_total",
            "info" => "_info",
            "histogram" => "_count",
            _ => "",
        };
        let sample = format!("{name}{suffix}");
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("{sample}{{")) || line.starts_with(&format!("{sample} ")));
        let inner = line.and_then(|line| line.split_once('{')?.1.split_once('}')).map_or("", |(inner, _)| inner);
        let labels = inner.split(',').filter_map(|label| label.split_once('=')).map(|(label, _)| label.to_owned());
        let shown = if kind == "histogram" { name.to_owned() } else { sample };
        found.insert(shown, (kind.to_owned(), labels.collect()));
    }
    found
}

/// Metrics in which each family has an entry.
fn in_use() -> Metrics {
    let metrics = Metrics::default();
    let of = OfLink { link: "trx1".to_owned() };
    for family in [&metrics.binds, &metrics.failures] {
        family.get_or_create(&of).inc();
    }
    metrics.bound.get_or_create(&of).set(1);
    metrics.ends.get_or_create(&LinkEnd { link: "trx1".to_owned(), reason: "unbind_sent" }).inc();
    metrics.answers.get_or_create(&Status { status: "ESME_ROK".to_owned() }).inc();
    for family in [&metrics.events, &metrics.receipts, &metrics.parts, &metrics.resends] {
        Metrics::count(family, "kind");
    }
    metrics.reported(DeliveryStatus::Delivered);
    metrics.published("event", Duration::from_millis(1), true);
    metrics.published("event", Duration::from_millis(1), false);
    let _ = metrics.observer("trx1");
    metrics
}

#[test]
fn every_metric_is_documented_with_its_type_and_labels() {
    let mut registry = Registry::default();
    in_use().register(&mut registry);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).expect("a text takes all");
    assert_eq!(exposed(&text), documented());
}

#[test]
fn every_reason_is_documented() {
    let own = ["connection_reset", "connect_failed", "bind_refused", "store_error"];
    for reason in Why::ALL.map(Why::name).into_iter().chain(own) {
        assert!(PAGE.contains(&format!("| `{reason}` |")), "{reason}");
    }
}

#[test]
fn pauses_are_counted_in_fractions_of_seconds() {
    let metrics = Metrics::default();
    metrics.throttled.inc_by(0.25);
    metrics.throttled.inc_by(0.5);
    assert!((metrics.throttled.get() - 0.75).abs() < 1e-9);
}
