//! What the simulator promises of messages, receipts and deliveries.

use sim_tests::history::{End, Fact, History, Kept, Way, What};
use sim_tests::oracle::{Violation, check};
use sim_tests::plan::{Client, Message, Plan};
use sim_tests::world::{Tier, run};
use smpp_transport::pdu::{Body, CommandId, CommandStatus, MessageState, Pdu, TlvTag, Tlvs};
use smsc_sim::DeliveryState;
use smsc_sim::policy::Which;

use crate::runs::{self, good, passed, pdu, places, rewrite, seen};

/// Changes what the simulator says of the first message.
fn retell(history: &mut History, change: impl FnOnce(&mut Kept)) {
    let account = history.facts.iter_mut().find_map(|fact| match &mut fact.what {
        What::Account { messages, .. } => Some(messages),
        _ => None,
    });
    change(&mut account.unwrap()[0]);
}

#[test]
fn a_receipt_that_nobody_asked_for_is_seen() {
    let (mut plan, history) = good();
    plan.clients[0].messages[0].registered_delivery = 0;
    assert_eq!(seen(&plan, &history), ["receipts"]);
    plan.clients[0].messages[0].registered_delivery = 2;
    assert_eq!(seen(&plan, &history), ["receipts"], "it was delivered");
}

#[test]
fn a_receipt_that_did_not_come_is_seen() {
    let (mut plan, mut history) = good();
    plan.clients[0].messages[0].registered_delivery = 0x11;
    assert_eq!(seen(&plan, &history), ["receipts"], "no intermediate notification");
    plan.clients[0].messages[0].registered_delivery = 1;
    retell(&mut history, |kept| kept.receipts.clear());
    assert_eq!(seen(&plan, &history), ["receipts"]);
}

#[test]
fn an_accepted_message_that_the_simulator_does_not_know_is_seen() {
    let (plan, mut history) = good();
    retell(&mut history, |kept| kept.id = "4711".to_owned());
    assert_eq!(seen(&plan, &history), ["receipts"]);
}

#[test]
fn states_that_go_back_or_are_told_otherwise_are_seen() {
    let (plan, history) = good();
    for states in [
        vec![MessageState::DELIVERED, MessageState::ENROUTE],
        vec![MessageState::ENROUTE, MessageState::DELETED, MessageState::DELIVERED],
        vec![MessageState::ENROUTE, MessageState::EXPIRED],
    ] {
        let mut history = history.clone();
        retell(&mut history, |kept| {
            let at = kept.states[0].1;
            kept.state = *states.last().unwrap();
            kept.states = states.into_iter().map(|state| (state, at)).collect();
        });
        assert!(seen(&plan, &history).contains(&"states"), "{:?}", check(&plan, &history));
    }
}

#[test]
fn a_receipt_beyond_the_address_range_is_seen() {
    let (plan, mut history) = good();
    let at = places(&history, End::Smsc, Way::Read, CommandId::BIND_TRANSCEIVER)[0];
    rewrite(&mut history, at, |pdu| {
        if let Body::BindTransceiver(bind) = &mut pdu.body {
            bind.address_range = "^77".parse().unwrap();
        }
    });
    assert!(seen(&plan, &history).contains(&"routing"), "{:?}", check(&plan, &history));
}

#[test]
fn what_was_accepted_and_comes_again_is_seen() {
    let (plan, mut history) = good();
    let at = places(&history, End::Smsc, Way::Written, CommandId::DELIVER_SM)[0];
    let after = places(&history, End::Smsc, Way::Read, CommandId::DELIVER_SM_RESP)[0] + 1;
    let again = Pdu { sequence: 0x7777, ..pdu(&history.facts[at].what).unwrap() };
    let time = history.facts[after].at;
    history.facts.insert(after, Fact { at: time, what: passed(End::Smsc, Way::Written, again.to_octets()) });
    assert!(seen(&plan, &history).contains(&"deliveries"), "{:?}", check(&plan, &history));
}

#[test]
fn what_is_never_delivered_although_all_is_at_rest_is_seen() {
    for open in [DeliveryState::Waiting, DeliveryState::Sent] {
        let (plan, mut history) = good();
        let account = history.facts.iter_mut().rev().find_map(|fact| match &mut fact.what {
            What::Account { deliveries, .. } => Some(deliveries),
            _ => None,
        });
        account.unwrap().push(open);
        assert_eq!(seen(&plan, &history), ["deliveries"]);
    }
}

#[test]
fn a_receipt_that_comes_again_before_its_time_is_seen() {
    let (plan, mut history) = good();
    let at = places(&history, End::Smsc, Way::Written, CommandId::DELIVER_SM)[0];
    let (written, read) = (
        places(&history, End::Esme, Way::Written, CommandId::DELIVER_SM_RESP)[0],
        places(&history, End::Smsc, Way::Read, CommandId::DELIVER_SM_RESP)[0],
    );
    for at in [written, read] {
        rewrite(&mut history, at, |pdu| pdu.status = CommandStatus::ESME_RX_T_APPN);
    }
    let again = Pdu { sequence: 0x7777, ..pdu(&history.facts[at].what).unwrap() };
    let time = history.facts[read].at;
    history.facts.insert(read + 1, Fact { at: time, what: passed(End::Smsc, Way::Written, again.to_octets()) });
    let found = check(&plan, &history);
    let early = |it: &Violation| it.oracle == "deliveries" && it.words.contains("again before");
    assert!(found.iter().any(early), "{found:?}");
}

#[test]
fn a_receipt_on_another_session_than_the_policy_wants_is_seen() {
    let (plan, history) = good();
    let client = Client { messages: Vec::new(), ..plan.clients[0].clone() };
    let mut two = Plan { clients: vec![plan.clients[0].clone(), client], ..plan };
    drop(history);
    for (drawn, other) in [(Which::Same, Which::Other), (Which::Other, Which::Same)] {
        two.smsc.policy.receipt.session = Some(drawn);
        let history = run(&two, Tier::Fast).unwrap();
        assert_eq!(check(&two, &history), [], "nothing is wrong with it yet");
        two.smsc.policy.receipt.session = Some(other);
        assert_eq!(seen(&two, &history), ["routing"]);
    }
}

#[test]
fn a_receipt_that_lies_is_seen() {
    let (plan, mut history) = good();
    let lie = |pdu: &mut Pdu| {
        let mut tlvs = Tlvs::new();
        for (tag, value) in pdu.tlvs.iter() {
            tlvs.push(tag, if tag == TlvTag::MESSAGE_STATE { &[MessageState::EXPIRED.0] } else { &value });
        }
        pdu.tlvs = tlvs;
    };
    for (end, way) in [(End::Smsc, Way::Written), (End::Esme, Way::Read)] {
        let at = places(&history, end, way, CommandId::DELIVER_SM)[0];
        rewrite(&mut history, at, lie);
    }
    assert_eq!(seen(&plan, &history), ["states"]);
}

/// The run of the plan whose first message is changed so, in which nothing is wrong.
fn good_with(change: impl FnOnce(&mut Message)) -> (Plan, History) {
    let mut plan = runs::plan();
    change(&mut plan.clients[0].messages[0]);
    let history = run(&plan, Tier::Fast).unwrap();
    assert_eq!(check(&plan, &history), [], "nothing is wrong with it yet");
    (plan, history)
}

#[test]
fn a_query_that_is_answered_otherwise_is_seen() {
    let (plan, mut history) = good_with(|message| message.query_after_ms = Some(50));
    for (end, way) in [(End::Smsc, Way::Written), (End::Esme, Way::Read)] {
        let at = places(&history, end, way, CommandId::QUERY_SM_RESP)[0];
        rewrite(&mut history, at, |pdu| {
            let Body::QuerySmResp(Some(told)) = &mut pdu.body else { panic!("it has a body") };
            told.message_state = MessageState::EXPIRED;
        });
    }
    assert_eq!(seen(&plan, &history), ["states"]);
}

#[test]
fn a_message_that_is_cancelled_and_goes_on_is_seen() {
    let (plan, mut history) = good_with(|message| (message.schedule_s, message.cancel_after_ms) = (5, Some(50)));
    retell(&mut history, |kept| {
        kept.state = MessageState::DELIVERED;
        kept.states.last_mut().unwrap().0 = MessageState::DELIVERED;
    });
    let found = check(&plan, &history);
    let goes_on = |it: &Violation| it.oracle == "states" && it.words.contains("was cancelled, and is");
    assert!(found.iter().any(goes_on), "{found:?}");
}

#[test]
fn a_run_that_hangs_is_seen() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/timeline/restless.json");
    let plan: Plan = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let history = run(&plan, Tier::Fast).unwrap();
    assert!(seen(&plan, &history).contains(&"liveness"), "{:?}", check(&plan, &history));
}
