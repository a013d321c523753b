//! What is told of receipts.

use sim_tests::history::{End, History, Way};
use smpp_transport::pdu::{Body, CommandId};

use crate::runs::{pdu, places};
use crate::transports::{event, good, move_to, only, retell, tell_again};

/// Where the transport read the receipt of its first message.
fn receipt(history: &History) -> usize {
    let is_it = |at: &usize| match pdu(&history.facts[*at].what).unwrap().body {
        Body::DeliverSm(sm) => sm.source_addr.text() == sim_tests::app::destination(0, 0),
        _ => false,
    };
    places(history, End::Esme, Way::Read, CommandId::DELIVER_SM).into_iter().find(is_it).unwrap()
}

#[test]
fn a_receipt_of_which_nothing_is_told_is_seen() {
    let (plan, mut history) = good();
    let at = event(&history, "delivery_report", 0);
    history.facts.remove(at);
    only("reports", "message 0 of 0: its receipt was taken at", &plan, &history);
}

#[test]
fn a_report_whose_receipt_had_not_been_read_is_seen() {
    let (plan, mut history) = good();
    let (told, read) = (event(&history, "delivery_report", 0), receipt(&history));
    assert!(read < told, "it was read first");
    move_to(&mut history, told, read);
    only("reports", "message 0 of 0: a report, and no receipt of it was read", &plan, &history);
}

#[test]
fn a_report_of_another_message_is_seen() {
    for (name, words) in [
        ("0-7", "message 7 of 0: a report, and no receipt of it was read"),
        ("0-2", "message 2 of 0: a report, and no receipt of it was read"),
        ("nobody's", "a report of \"nobody's\", which nobody sent"),
    ] {
        let (plan, mut history) = good();
        let at = event(&history, "delivery_report", 0);
        tell_again(&mut history, at, |told| told["user_message_id"] = name.into());
        only("reports", words, &plan, &history);
    }
}

#[test]
fn a_report_that_is_told_of_another_message_is_missed_too() {
    let (plan, mut history) = good();
    let at = event(&history, "delivery_report", 0);
    retell(&mut history, at, |told| told["user_message_id"] = "0-2".into());
    only("reports", "message 0 of 0: its receipt was taken at", &plan, &history);
}

#[test]
fn a_report_that_says_what_no_receipt_does_is_seen() {
    for wrong in ["failed", "pending"] {
        let (plan, mut history) = good();
        let at = event(&history, "delivery_report", 0);
        retell(&mut history, at, |told| told["delivery_status"] = wrong.into());
        only("reports", "message 0 of 0: \"", &plan, &history);
    }
}
