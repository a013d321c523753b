//! Resends, fairness and sharing: runs under one policy, judged by another.

use sim_tests::history::History;
use sim_tests::plan::{Fault, FaultKind, Order, Plan, Resend};
use smsc_sim::rules::parse;

use crate::transports::{event, good, good_of, only, plan, tell_again};

/// The plan of one transport, with these rules at the SMSC.
fn with_rules(rules: &str) -> Plan {
    let mut plan = plan();
    plan.smsc.rules = parse(rules).unwrap();
    plan.transports[0].options.resend = Resend { tries: 6, delay_ms: 100, factor: 1.0, max_ms: 100 };
    plan
}

fn judged(plan: Plan, change: impl FnOnce(&mut Plan)) -> (Plan, History) {
    let (mut plan, history) = good_of(plan);
    change(&mut plan);
    (plan, history)
}

#[test]
fn a_part_that_goes_again_too_soon_is_seen() {
    let unanswered = with_rules("[{ when: { operation: submit_sm, first: 2 }, then: { answer: never } }]");
    let longer = Resend { tries: 6, delay_ms: 5_000, factor: 1.0, max_ms: 5_000 };
    let (plan, history) = judged(unanswered, |plan| plan.transports[0].options.resend = longer);
    only("storm", "where it waits for 5s", &plan, &history);
}

#[test]
fn a_part_that_goes_again_too_often_is_seen() {
    let unanswered = with_rules(r#"[{ when: { to: "270000000$", first: 3 }, then: { answer: never } }]"#);
    let (plan, history) = judged(unanswered, |plan| plan.transports[0].options.resend.tries = 3);
    only("storm", "sent again for the 3rd time (Unknown)", &plan, &history);
}

#[test]
fn a_full_queue_that_is_asked_too_often_is_seen() {
    let full = with_rules(r#"[{ when: { to: "270000000$", first: 2 }, then: { status: ESME_RMSGQFUL } }]"#);
    let (plan, history) = judged(full, |plan| plan.transports[0].options.full.tries = 2);
    only("storm", "sent again for the 2nd time (QueueFull)", &plan, &history);
}

#[test]
fn a_client_that_connects_without_waiting_longer_each_time_is_seen() {
    let mut refused = with_rules("[{ when: { operation: bind, between: 0s..5s }, then: { status: ESME_RSYSERR } }]");
    refused.timers.backoff_max_ms = 200;
    let (plan, history) = judged(refused, |plan| plan.timers.backoff_max_ms = 5_000);
    only("storm", "after the one before, where it waits for", &plan, &history);
}

/// All messages at once.
fn at_once(mut plan: Plan, keep_order: Order) -> Plan {
    plan.transports[0].messages.iter_mut().for_each(|text| text.at_ms = 500);
    plan.transports[0].options.keep_order = keep_order;
    plan
}

#[test]
fn a_suspect_that_goes_before_others_is_seen() {
    let poison = r#"[{ when: { to: "270000000$", first: 2 }, then: { before: [{ disconnect: close }] } }]"#;
    let (plan, history) = judged(at_once(with_rules(poison), Order::Strict), |plan| {
        plan.transports[0].options.keep_order = Order::None;
    });
    only(
        "fairness",
        "message 0 of 0: sent again after its session broke, and message 1 had not been tried",
        &plan,
        &history,
    );
}

#[test]
fn a_message_that_waits_beside_a_session_with_room_is_seen() {
    let slow = at_once(with_rules("[{ when: { operation: submit_sm }, then: { delay: 900ms } }]"), Order::Strict);
    let (plan, history) = judged(slow, |plan| plan.transports[0].options.keep_order = Order::None);
    only("fairness", "while the session on line 0 had room", &plan, &history);
}

#[test]
fn parts_that_the_smsc_accepts_in_another_order_are_seen() {
    let refused = r#"[{ when: { to: "270000001$", part: 1, first: 1 }, then: { status: ESME_RTHROTTLED } }]"#;
    let (plan, history) = judged(at_once(with_rules(refused), Order::None), |plan| {
        plan.transports[0].options.keep_order = Order::PerDestination;
    });
    only("order", "message 1 of 0: the SMSC accepted part 2 of 2 before part 1", &plan, &history);
}

#[test]
fn a_message_that_the_smsc_accepts_before_an_earlier_one_is_seen() {
    let refused = "[{ when: { operation: submit_sm, first: 1 }, then: { status: ESME_RTHROTTLED } }]";
    let mut one = at_once(with_rules(refused), Order::None);
    one.transports[0].messages.iter_mut().for_each(|text| text.to = Some(0));
    let (plan, history) = judged(one, |plan| plan.transports[0].options.keep_order = Order::PerDestination);
    let found = sim_tests::oracle::check(&plan, &history);
    let words = "message 0 of 0: the SMSC accepted message 1 before part 1 of 1";
    assert!(found.iter().any(|it| it.oracle == "order" && it.words.contains(words)), "{found:?}");
}

#[test]
fn a_message_that_an_unbound_process_keeps_is_seen() {
    let mut kept = with_rules("[]");
    kept.faults = vec![Fault { at_ms: 450, for_ms: 6_000, kind: FaultKind::Crash, smsc: None }];
    kept.transports[0].options.unbound_grace_ms = None;
    let (plan, history) = judged(kept, |plan| plan.transports[0].options.unbound_grace_ms = Some(500));
    only("sharing", "still held at", &plan, &history);
}

#[test]
fn a_final_state_that_is_taken_back_is_seen() {
    for (status, words) in
        [("pending", "pending was reported after delivered"), ("failed", "failed was reported after")]
    {
        let (plan, mut history) = good();
        let at = event(&history, "delivery_report", 0);
        tell_again(&mut history, at, |told| told["delivery_status"] = status.into());
        only("reports", words, &plan, &history);
    }
}

#[test]
fn a_message_in_parts_whose_report_says_something_else_is_seen() {
    let (plan, mut history) = good();
    let at = event(&history, "delivery_report", 1);
    crate::transports::retell(&mut history, at, |told| told["delivery_status"] = "failed".into());
    only("reports", "message 1 of 0: failed was reported in the end", &plan, &history);
}
