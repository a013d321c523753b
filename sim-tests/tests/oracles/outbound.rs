//! What becomes of messages from the bus.

use std::time::Duration;

use sim_tests::history::{End, Fact, What};
use sim_tests::oracle::check;
use sim_tests::plan::{Fault, FaultKind, Plan, WrongText};
use smpp_transport::bus::Route;
use smpp_transport::pdu::{Body, CommandId, CommandStatus, MessageId};

use crate::transports::{
    answered, event, exchange, good, good_of, move_to, on_bus, only, place, plan, retell, submit_again,
};

#[test]
fn a_message_of_which_nothing_is_told_is_seen() {
    let (plan, mut history) = good();
    let at = event(&history, "ack", 0);
    history.facts.remove(at);
    only("outbound", "message 0 of 0: nothing was told of it", &plan, &history);
}

#[test]
fn an_acknowledgement_before_the_event_is_seen() {
    let (plan, mut history) = good();
    let settled = place(&history, |what| matches!(what, What::Settled { message: Some((0, 1)), acked: true, .. }));
    let told = event(&history, "ack", 1);
    move_to(&mut history, settled, told);
    only("outbound", "message 1 of 0: acknowledged before its event was stored", &plan, &history);
}

#[test]
fn an_ack_of_what_was_refused_is_seen() {
    let (plan, mut history) = good();
    // The second part of the second message.
    let exchange = exchange(&history, End::Esme, CommandId::SUBMIT_SM, 2);
    answered(&mut history, exchange, |pdu| {
        (pdu.status, pdu.body) = (CommandStatus::ESME_RSYSERR, Body::SubmitSmResp(None));
    });
    only("outbound", "message 1 of 0: acked, and parts [2] of 2 were not", &plan, &history);
}

#[test]
fn an_ack_before_the_answer_is_seen() {
    let (plan, mut history) = good();
    let [.., written, _] = exchange(&history, End::Esme, CommandId::SUBMIT_SM, 0);
    let told = event(&history, "ack", 0);
    move_to(&mut history, told, written);
    only("outbound", "message 0 of 0: acked, and parts [1] of 1 were not", &plan, &history);
}

#[test]
fn a_nack_of_what_was_accepted_is_seen() {
    for (reason, words) in [("Throttled", "nothing that was sent of it was refused"), ("", "nack without a reason")] {
        let (plan, mut history) = good();
        let at = event(&history, "ack", 2);
        retell(&mut history, at, |event| {
            event["event_type"] = "nack".into();
            event["nack_reason"] = reason.into();
        });
        only("outbound", words, &plan, &history);
    }
}

#[test]
fn a_nack_although_the_answer_was_good_is_seen() {
    let rules = "[{ when: { operation: submit_sm, first: 1 }, then: { status: ESME_RINVDSTADR } }]";
    let mut refusing = plan();
    refusing.smsc.rules = smsc_sim::rules::parse(rules).unwrap();
    let (plan, mut history) = good_of(refusing);
    let exchange = exchange(&history, End::Esme, CommandId::SUBMIT_SM, 0);
    answered(&mut history, exchange, |pdu| {
        let body = MessageId { message_id: "4711".parse().unwrap() };
        (pdu.status, pdu.body) = (CommandStatus::ESME_ROK, Body::SubmitSmResp(Some(body)));
    });
    only("outbound", "nack (Invalid Dest Addr), but nothing", &plan, &history);
}

#[test]
fn a_part_that_was_accepted_and_is_sent_again_is_seen() {
    let (plan, mut history) = good();
    submit_again(&mut history, 1);
    only("outbound", "message 1 of 0: part 1 was sent again, although it had been accepted", &plan, &history);
}

#[test]
fn a_message_that_is_sent_again_after_its_ack_is_seen() {
    let (plan, mut history) = good();
    let acked = event(&history, "ack", 0);
    let taken = What::Taken { process: 0, message: Some((0, 0)), redelivered: true };
    history.facts.insert(acked + 1, Fact { at: history.facts[acked].at, what: taken });
    submit_again(&mut history, 0);
    only("outbound", "message 0 of 0: part 1 was sent again after its ack", &plan, &history);
}

#[test]
fn what_may_have_been_sent_and_is_sent_again_unasked_is_seen() {
    let fault = Fault { at_ms: 495, for_ms: 2_000, kind: FaultKind::Partition, smsc: None };
    let (mut plan, history) = good_of(Plan { faults: vec![fault], ..plan() });
    plan.transports[0].options.resend_unknown = false;
    only("outbound", "although nobody knew what had become of it", &plan, &history);
}

#[test]
fn a_minute_in_which_nothing_is_done_is_seen() {
    let (plan, mut history) = good();
    let [written, ..] = exchange(&history, End::Esme, CommandId::SUBMIT_SM, 0);
    for fact in &mut history.facts[written..] {
        fact.at += Duration::from_secs(60);
    }
    let found = check(&plan, &history);
    let words = "message 0 of 0: it waits, and for 60 s nothing is done";
    assert!(found.iter().any(|it| (it.oracle, it.words.as_str()) == ("progress", words)), "{found:?}");
}

/// The plan whose first message is wrong so.
fn with_wrong(wrong: WrongText) -> Plan {
    let mut plan = plan();
    plan.transports[0].messages[0].wrong = Some(wrong);
    plan
}

#[test]
fn what_is_no_message_and_is_not_put_aside_is_seen() {
    let (plan, mut history) = good_of(with_wrong(WrongText::NoMessage));
    on_bus(&mut history).retain(|(route, _)| *route != Route::Failed);
    only("outbound", "message 0 of 0: it is no message, and is not in the dead-letter queue", &plan, &history);
}

#[test]
fn what_cannot_be_sent_and_whose_sender_hears_no_reason_is_seen() {
    let (plan, mut history) = good_of(with_wrong(WrongText::Destination));
    let nack = event(&history, "nack", 0);
    retell(&mut history, nack, |event| event["nack_reason"] = serde_json::Value::Null);
    only("outbound", "message 0 of 0: it cannot be sent, and its sender does not hear why", &plan, &history);
}

#[test]
fn an_smsc_that_delivers_more_than_its_window_is_seen() {
    let (mut plan, history) = good();
    // The second handset sends two parts.
    plan.smsc.window = Some(1);
    only("window", "the SMSC on line 0: 2 outstanding, window 1", &plan, &history);
}
