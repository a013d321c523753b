//! Guards that Prometheus can read the metrics, and that they are true.

use std::collections::BTreeMap;

use smpp_transport::session::BindKind;

use crate::world::{Api, submit};

/// Every sample by name and labels, if the text is as OpenMetrics has it: each family has its help and type before its
/// samples, comes once, and a counter's samples end in `_total`.
fn parse(text: &str) -> BTreeMap<String, f64> {
    let (mut samples, mut families, mut family) = (BTreeMap::new(), BTreeMap::new(), ("", ""));
    let lines = text.strip_suffix("# EOF\n").expect("an end").lines();
    for line in lines {
        let words: Vec<_> = line.splitn(4, ' ').collect();
        match words.as_slice() {
            ["#", "HELP", name, help] => {
                assert!(!help.is_empty(), "{line}");
                assert!(families.insert(*name, "").is_none(), "twice: {line}");
                family = (name, "");
            }
            ["#", "TYPE", name, kind @ ("counter" | "gauge")] => {
                assert_eq!(*name, family.0, "{line}");
                family.1 = kind;
            }
            ["#", "UNIT", name, unit] => assert!(name.ends_with(&format!("_{unit}")), "{line}"),
            _ => {
                let (series, value) = line.rsplit_once(' ').expect(line);
                let name = series.split('{').next().unwrap_or_default();
                let wanted = if family.1 == "counter" { format!("{}_total", family.0) } else { family.0.to_owned() };
                assert_eq!(name, wanted, "{line}");
                assert!(samples.insert(series.to_owned(), value.parse().expect(line)).is_none(), "twice: {line}");
            }
        }
    }
    samples
}

#[tokio::test]
async fn metrics_are_what_prometheus_reads_and_true() {
    let api = Api::start().await;
    api.send("PUT", "rules", r#"[{"name": "a \"name\"\nof two lines"}]"#).await;
    let esme = api.esme(BindKind::Transmitter).await;
    submit(&esme, "2701", "first").await;
    let answer = api.ask("GET", "/metrics", &[], "").await;
    assert!(answer.head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{}", answer.head);
    let samples = parse(&answer.text());
    for (series, value) in [
        ("smsc_sim_connections", 1.0),
        ("smsc_sim_connections_opened_total", 1.0),
        (r#"smsc_sim_sessions{account="smppclient1"}"#, 1.0),
        (r#"smsc_sim_messages{state="DELIVERED"}"#, 1.0),
        ("smsc_sim_messages_accepted_total", 1.0),
        (r#"smsc_sim_pdus_total{direction="from_esme",command="submit_sm"}"#, 1.0),
        (r#"smsc_sim_pdus_total{direction="to_esme",command="submit_sm_resp"}"#, 1.0),
        ("smsc_sim_deliveries_waiting", 1.0),
        ("smsc_sim_deliveries_dropped_total", 0.0),
        (r#"smsc_sim_rule_matches_total{rule="0",name="a \"name\"\nof two lines"}"#, 1.0),
        (concat!(r#"smsc_sim_build_info{version=""#, env!("CARGO_PKG_VERSION"), r#""}"#), 1.0),
    ] {
        assert_eq!(samples.get(series), Some(&value), "{series}: {samples:?}");
    }
    assert!(samples[r#"smsc_sim_octets_total{direction="from_esme"}"#] > 80.0, "{samples:?}");
    assert!(samples["smsc_sim_uptime_seconds"] > 0.0, "{samples:?}");
}
