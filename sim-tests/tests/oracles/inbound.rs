//! What becomes of messages from handsets.

use sim_tests::history::{End, History};
use smpp_transport::pdu::{Body, CommandId};

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
    only("bodies", "Esme: without its body: seq=2 data_sm_resp", &plan, &history);
}
