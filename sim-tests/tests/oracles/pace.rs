//! How fast and in which order messages go.

use sim_tests::plan::{Order, Plan};

use crate::transports::{good_of, only, plan};

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
    let taken = |message| {
        crate::transports::place(
            &history,
            |what| matches!(what, sim_tests::history::What::Taken { message: Some((0, it)), .. } if *it == message),
        )
    };
    let (first, second) = (taken(0), taken(1));
    history.facts.swap(first, second);
    only("order", "message 1 of 0: sent after message 0", &plan, &history);
}
