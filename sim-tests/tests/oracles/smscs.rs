//! What is promised where there are several SMSCs.

use sim_tests::history::{History, What};
use sim_tests::oracle::check;
use sim_tests::plan::{Fault, FaultKind, Kind, Plan};
use smsc_sim::DeliveryState;
use smsc_sim::policy::Which;

use crate::transports::{good_of, only, plan};

/// The first of two SMSCs is away for ten seconds.
fn away() -> Plan {
    let fault = Fault { at_ms: 650, for_ms: 10_000, kind: FaultKind::Crash, smsc: Some(0) };
    Plan { smscs: 2, faults: vec![fault], ..plan() }
}

/// The connections to this SMSC.
fn lines(history: &History, wanted: usize) -> Vec<u32> {
    let line = |what: &What| match what {
        What::Connected { line, smsc, .. } if *smsc == wanted => Some(*line),
        _ => None,
    };
    history.facts.iter().filter_map(|fact| line(&fact.what)).collect()
}

#[test]
fn a_process_that_does_not_go_on_to_the_next_smsc_is_seen() {
    let (plan, mut history) = good_of(away());
    let others = lines(&history, 1);
    assert!(!others.is_empty(), "it goes over");
    history.facts.retain(|fact| match &fact.what {
        What::Connected { line, .. } | What::Passed { line, .. } | What::Hung { line, .. } => !others.contains(line),
        _ => true,
    });
    let found = check(&plan, &history);
    let words = "process 0 of 0: SMSC 1 can be reached, and it has no connection since";
    assert!(found.iter().any(|it| it.oracle == "failover" && it.words.starts_with(words)), "{found:?}");
}

#[test]
fn a_process_that_has_no_smsc_to_go_to_is_left_alone() {
    let mut plan = away();
    plan.faults[0].smsc = None;
    good_of(plan);
}

#[test]
fn a_receipt_of_an_smsc_that_was_never_given_its_message_is_seen() {
    let mut plan = plan();
    plan.transports[0].links = vec![Kind::Transceiver, Kind::Transceiver];
    plan.smsc.policy.receipt.session = Some(Which::Other);
    let (mut plan, mut history) = good_of(plan);
    plan.smscs = 2;
    for fact in &mut history.facts {
        if let What::Connected { line: 1, smsc, .. } = &mut fact.what {
            *smsc = 1;
        }
    }
    let found = check(&plan, &history);
    let is_it = |words: &str| words.contains("a receipt of SMSC") && words.ends_with("which was never given it");
    assert!(found.iter().any(|it| it.oracle == "reports" && is_it(&it.words)), "{found:?}");
}

#[test]
fn what_waits_at_an_smsc_to_which_its_transport_is_bound_is_seen() {
    let (plan, history) = good_of(Plan { smscs: 2, ..plan() });
    let with_one_waiting = |at: usize| {
        let mut history = history.clone();
        let deliveries = history.facts.iter_mut().find_map(|fact| match &mut fact.what {
            What::Account { smsc, deliveries, .. } if *smsc == at => Some(deliveries),
            _ => None,
        });
        deliveries.unwrap().push(DeliveryState::Waiting);
        history
    };
    only("deliveries", "still to be delivered, and none waits", &plan, &with_one_waiting(0));
    assert_eq!(check(&plan, &with_one_waiting(1)), [], "nobody is bound there");
}
