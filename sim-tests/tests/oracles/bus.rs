//! What is found on the bus in the end, and how long it takes to stop.

use std::time::Duration;

use sim_tests::history::{History, What};
use sim_tests::plan::{Fault, FaultKind, LINGER_MS, Plan, UNBIND_MS};
use smpp_transport::bus::Route;

use crate::transports::{good, good_of, inbound, on_bus, only, plan};

#[test]
fn what_was_stored_and_is_not_there_is_seen() {
    for gone in [Route::Event, Route::Inbound] {
        let (plan, mut history) = good();
        let found = on_bus(&mut history);
        let at = found.iter().position(|(route, _)| *route == gone).unwrap();
        found.remove(at);
        only("durable", "was stored at", &plan, &history);
    }
}

#[test]
fn what_is_there_otherwise_than_it_was_stored_is_seen() {
    let (plan, mut history) = good();
    let found = on_bus(&mut history);
    found[0].1 = found[0].1[1..].to_vec().into();
    only("durable", "was stored at", &plan, &history);
}

#[test]
fn what_was_stored_twice_and_is_there_once_is_seen() {
    let (plan, mut history) = good();
    let at = inbound(&history, 0);
    let again = history.facts[at].clone();
    history.facts.insert(at + 1, again);
    only("durable", "inbound was stored at", &plan, &history);
}

#[test]
fn what_is_there_under_another_name_is_seen() {
    let (plan, mut history) = good();
    let inbound = on_bus(&mut history).iter_mut().find(|(route, _)| *route == Route::Inbound).unwrap();
    inbound.0 = Route::Failed;
    only("durable", "inbound was stored at", &plan, &history);
}

/// How long each stop took.
fn stops(history: &mut History) -> Vec<&mut Duration> {
    let stops = history.facts.iter_mut().filter_map(|fact| match &mut fact.what {
        What::Stopped { took, .. } => Some(took),
        _ => None,
    });
    stops.collect()
}

#[test]
fn a_stop_that_takes_too_long_is_seen_in_the_midst_and_at_the_end() {
    let fault = Fault { at_ms: 1_500, for_ms: 500, kind: FaultKind::TransportStopped(0), smsc: None };
    let (plan, history) = good_of(Plan { faults: vec![fault], ..plan() });
    let longest = plan.transports[0].options.shutdown_timeout_ms + 3 * (UNBIND_MS + LINGER_MS);
    for which in [0, 1] {
        let mut history = history.clone();
        let mut took = stops(&mut history);
        assert_eq!(took.len(), 2);
        *took[which] = Duration::from_millis(longest);
        assert_eq!(sim_tests::oracle::check(&plan, &history), [], "as long as it may");
        *stops(&mut history)[which] += Duration::from_millis(1);
        only("shutdown", "process 0 took", &plan, &history);
    }
}

#[test]
fn a_stop_is_held_against_the_timeout_of_its_own_transport() {
    let (mut plan, mut history) = good();
    *stops(&mut history)[0] = Duration::from_secs(6);
    assert_eq!(sim_tests::oracle::check(&plan, &history), [], "as long as it may");
    plan.transports[0].options.shutdown_timeout_ms = 1_000;
    only("shutdown", "process 0 took 6s to stop", &plan, &history);
}
