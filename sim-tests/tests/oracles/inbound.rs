//! What becomes of messages from handsets.

use sim_tests::history::{End, History};
use sim_tests::plan::{Plan, Sequence};
use smpp_transport::pdu::{Body, CommandId, CommandStatus};

use crate::runs::pdu;
use crate::transports::{answered, exchange, good, good_of, inbound, move_to, only, plan, retell, tell_again};

/// The exchange in which the first handset's message was delivered.
fn delivery(history: &History) -> [usize; 4] {
    let from = sim_tests::transport::handset(0, 0);
    let is_it = |exchange: &[usize; 4]| match pdu(&history.facts[exchange[0]].what).unwrap().body {
        Body::DeliverSm(sm) => sm.source_addr.text() == from,
        _ => false,
    };
    (0..).map(|number| exchange(history, End::Smsc, CommandId::DELIVER_SM, number)).find(is_it).unwrap()
}

#[test]
fn an_answer_to_what_was_never_published_is_seen() {
    let (plan, mut history) = good();
    let at = inbound(&history, 0);
    history.facts.remove(at);
    only("inbound", "answered before it was on the bus", &plan, &history);
}

#[test]
fn an_answer_before_the_bus_has_the_message_is_seen() {
    let (plan, mut history) = good();
    let (published, [.., answered, _]) = (inbound(&history, 0), delivery(&history));
    assert!(published < answered, "it was published first");
    move_to(&mut history, published, answered);
    only("inbound", "answered before it was on the bus", &plan, &history);
}

#[test]
fn what_no_handset_sent_is_seen() {
    let (plan, history) = good();
    let at = inbound(&history, 0);
    for (key, value, words) in [
        ("content", "another text", "\"another text\"; \"0<0 abc"),
        ("content", "", "\"\"; \"0<0 abc"),
        ("from_addr", "4711", "from 4711: \"0<0 abc"),
    ] {
        let mut history = history.clone();
        tell_again(&mut history, at, |it| it[key] = value.into());
        only("inbound", words, &plan, &history);
    }
}

#[test]
fn parts_of_which_no_message_comes_are_seen() {
    let (plan, mut history) = good();
    let at = inbound(&history, 1);
    history.facts.remove(at);
    only("inbound", "all 2 parts were taken, and no message came of them", &plan, &history);
}

/// Of the second handset's message the first part is never sent, and the run goes on until the second is given up.
fn headless() -> (Plan, History) {
    let mut headless = plan();
    headless.transports[0].handsets[1].sequence = Sequence::Headless;
    headless.transports[0].messages[2].at_ms = 4_000;
    good_of(headless)
}

#[test]
fn a_part_without_the_others_that_is_not_published_is_seen() {
    let (plan, mut history) = headless();
    let at = inbound(&history, 1);
    history.facts.remove(at);
    only("inbound", "from 490000001: part 2 of 2 was taken, and is in no message", &plan, &history);
}

#[test]
fn a_part_of_which_not_all_is_published_is_seen() {
    let (plan, mut history) = headless();
    let at = inbound(&history, 1);
    retell(&mut history, at, |it| it["content"] = it["content"].as_str().unwrap()[1..].into());
    only("inbound", "from 490000001: part 2 of 2 was taken, and is in no message", &plan, &history);
}

#[test]
fn a_refusal_for_good_is_seen() {
    let (plan, history) = good();
    let receipt = exchange(&history, End::Smsc, CommandId::DELIVER_SM, 0);
    for (exchange, words) in [(delivery(&history), "message from 490000000"), (receipt, "receipt from 270000000")] {
        for status in [CommandStatus::ESME_RX_P_APPN, CommandStatus::ESME_RX_R_APPN] {
            let mut history = history.clone();
            answered(&mut history, exchange, |pdu| pdu.status = status);
            only("inbound", words, &plan, &history);
        }
    }
}

#[test]
fn parts_that_were_mixed_are_seen() {
    let (plan, mut history) = good();
    let at = inbound(&history, 1);
    retell(&mut history, at, |it| it["content"] = it["content"].as_str().unwrap().to_uppercase().into());
    only("inbound", "was sent", &plan, &history);
}

#[test]
fn a_data_sm_that_is_taken_and_answered_by_a_header_alone_is_seen() {
    let mut with_data_sm = plan();
    with_data_sm.transports[0].handsets[0].data_sm = true;
    let (plan, mut history) = good_of(with_data_sm);
    let exchange = exchange(&history, End::Smsc, CommandId::DATA_SM, 0);
    answered(&mut history, exchange, |pdu| pdu.body = Body::DataSmResp(None));
    only("bodies", "line 0 Esme: without its body", &plan, &history);
}
