//! What becomes of messages from the bus.

use std::time::Duration;

use sim_tests::history::{End, Fact, What};
use sim_tests::oracle::check;
use sim_tests::plan::{Fault, FaultKind, Plan};
use smpp_transport::pdu::{Body, CommandId, CommandStatus, MessageId};

use crate::transports::{answered, event, exchange, good, good_of, move_to, only, place, plan, retell, submit_again};

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
