//! How fast and in which order messages go.

use sim_tests::history::{History, What};
use sim_tests::oracle::check;
use sim_tests::plan::{Order, Plan};

use crate::transports::{good_of, only, place, plan};

/// The same, with all messages put at once.
fn burst(keep_order: Order, rate: Option<u32>) -> Plan {
    let mut plan = plan();
    plan.transports[0].messages.iter_mut().for_each(|text| text.at_ms = 500);
    (plan.transports[0].options.keep_order, plan.transports[0].options.rate) = (keep_order, rate);
    plan
}

#[test]
fn submits_above_the_rate_are_seen() {
    let (mut plan, history) = good_of(burst(Order::None, Some(20)));
    plan.transports[0].options.rate = Some(10);
    only("rate", "10 a second are allowed", &plan, &history);
}

#[test]
fn two_submits_at_once_where_order_is_kept_are_seen() {
    let (mut plan, history) = good_of(burst(Order::None, None));
    plan.transports[0].options.keep_order = Order::Strict;
    only("order", "two submits at once", &plan, &history);
}

#[test]
fn a_message_that_overtakes_another_where_order_is_kept_is_seen() {
    let (plan, mut history) = good_of(burst(Order::Strict, None));
    hand_out_the_other_way_round(&mut history);
    only("order", "message 1 of 0: sent after message 0", &plan, &history);
}

/// The first two messages.
fn hand_out_the_other_way_round(history: &mut History) {
    let taken =
        |message| place(history, |what| matches!(what, What::Taken { message: Some((0, it)), .. } if *it == message));
    let (first, second) = (taken(0), taken(1));
    history.facts.swap(first, second);
}

/// All to one destination.
fn to_one(keep_order: Order) -> Plan {
    let mut plan = burst(keep_order, None);
    plan.transports[0].messages.iter_mut().for_each(|text| text.to = Some(0));
    plan
}

#[test]
fn a_message_that_overtakes_another_to_its_destination_is_seen() {
    let (plan, mut history) = good_of(to_one(Order::PerDestination));
    hand_out_the_other_way_round(&mut history);
    only("order", "message 0 of 0: sent before part 1 of message 1", &plan, &history);
}

#[test]
fn messages_to_other_destinations_may_overtake() {
    let mut plan = to_one(Order::PerDestination);
    plan.transports[0].messages.iter_mut().zip(0..).for_each(|(text, number)| text.to = Some(number));
    let (plan, mut history) = good_of(plan);
    hand_out_the_other_way_round(&mut history);
    assert_eq!(check(&plan, &history), []);
}

#[test]
fn a_message_that_does_not_wait_for_one_that_goes_again_is_seen() {
    let mut plan = to_one(Order::None);
    (plan.transports[0].window, plan.transports[0].options.retries) = (1, 1);
    let rule = r#"{ "when": { "operation": "submit_sm", "first": 1 }, "then": { "status": "ESME_RSYSERR" } }"#;
    plan.smsc.rules = vec![serde_json::from_str(rule).unwrap()];
    let (mut plan, history) = good_of(plan);
    plan.transports[0].options.keep_order = Order::PerDestination;
    only("order", "message 1 of 0: sent while part 1 of message 0 was to be sent again", &plan, &history);
}
