//! Guards that the oracles see: each is shown a good history in which one fact was changed, and must say so by its name.

use std::time::Duration;

use bytes::Bytes;
use sim_tests::history::{End, Fact, History, How, Kept, Outcome, Way, What};
use sim_tests::oracle::check;
use sim_tests::plan::{Client, Kind, Message, Plan, Profile};
use sim_tests::world::{Tier, run};
use smpp_transport::pdu::{Body, CommandId, CommandStatus, Empty, Leniency, MessageState, Pdu};

/// One transceiver with a window of 2 that submits, falls silent, and submits again.
fn plan() -> Plan {
    let plan = Plan::draw(1, Some(Profile::Calm));
    let messages = [100, 100, 100, 200, 9_000].map(|at_ms| Message::plain(at_ms, 20, 1));
    let client = Client {
        kind: Kind::Transceiver,
        window: 2,
        sequence_start: 1,
        messages: messages.to_vec(),
        answer_delay_ms: 0,
        account: 0,
        address_range: String::new(),
        refuse_for_now: 0.0,
        refuse_for_good: 0.0,
    };
    Plan { clients: vec![client], tick_ms: 1, latency_ms: 5, ..plan }
}

fn good() -> (Plan, History) {
    let plan = plan();
    let history = run(&plan, Tier::Fast).unwrap();
    assert_eq!(check(&plan, &history), [], "nothing is wrong with it yet");
    (plan, history)
}

/// The oracles that see something wrong.
fn seen(plan: &Plan, history: &History) -> Vec<&'static str> {
    let mut names: Vec<_> = check(plan, history).iter().map(|violation| violation.oracle).collect();
    names.dedup();
    names
}

fn pdu(what: &What) -> Option<Pdu> {
    match what {
        What::Passed { frame, .. } => Pdu::decode(frame, Leniency::STRICT).ok(),
        _ => None,
    }
}

/// Where this command passed at this end in this direction.
fn places(history: &History, end: End, way: Way, command: CommandId) -> Vec<usize> {
    let is = |fact: &&Fact| {
        matches!(&fact.what, What::Passed { end: e, way: w, .. } if (*e, *w) == (end, way))
            && pdu(&fact.what).is_some_and(|pdu| pdu.command_id() == command)
    };
    (0..history.facts.len()).filter(|at| is(&&history.facts[*at])).collect()
}

/// Changes the PDU at a place.
fn rewrite(history: &mut History, at: usize, change: impl FnOnce(&mut Pdu)) {
    let mut changed = pdu(&history.facts[at].what).unwrap();
    change(&mut changed);
    if let What::Passed { frame, .. } = &mut history.facts[at].what {
        *frame = changed.to_octets();
    }
}

fn passed(end: End, way: Way, frame: Bytes) -> What {
    What::Passed { line: 0, end, way, frame }
}

#[test]
fn a_response_that_was_not_written_is_missed() {
    let (plan, mut history) = good();
    let at = places(&history, End::Smsc, Way::Written, CommandId::SUBMIT_SM_RESP)[0];
    history.facts.remove(at);
    assert!(seen(&plan, &history).contains(&"answers"), "{:?}", check(&plan, &history));
}

#[test]
fn a_response_that_the_esme_never_read_contradicts_its_outcome() {
    let (plan, mut history) = good();
    let at = places(&history, End::Esme, Way::Read, CommandId::SUBMIT_SM_RESP)[0];
    history.facts.remove(at);
    let seen = seen(&plan, &history);
    assert!(seen.contains(&"outcomes") && seen.contains(&"octets"), "{:?}", check(&plan, &history));
}

#[test]
fn a_response_written_twice_is_seen() {
    let (plan, mut history) = good();
    let at = places(&history, End::Esme, Way::Written, CommandId::DELIVER_SM_RESP)[0];
    let again = history.facts[at].clone();
    history.facts.insert(at, again);
    assert!(seen(&plan, &history).contains(&"answers"), "{:?}", check(&plan, &history));
}

#[test]
fn an_unbind_that_overtakes_what_was_asked_before_it_is_seen() {
    let (plan, mut history) = good();
    let unbind = places(&history, End::Smsc, Way::Read, CommandId::UNBIND)[0];
    let submit = pdu(&history.facts[places(&history, End::Smsc, Way::Read, CommandId::SUBMIT_SM)[0]].what).unwrap();
    let asked = Pdu { sequence: 0x3333, ..submit };
    let at = history.facts[unbind].at;
    history.facts.insert(unbind, Fact { at, what: passed(End::Smsc, Way::Read, asked.to_octets()) });
    let found = check(&plan, &history);
    let named = |violation: &sim_tests::oracle::Violation| violation.words.contains("before the unbind after it");
    assert!(found.iter().any(|violation| violation.oracle == "answers" && named(violation)), "{found:?}");
}

#[test]
fn an_answer_to_what_nobody_asked_is_seen() {
    let (plan, mut history) = good();
    let at = places(&history, End::Smsc, Way::Written, CommandId::SUBMIT_SM_RESP)[0];
    let nack = Pdu::new(CommandStatus::ESME_RINVCMDID, 0x7777, Body::GenericNack(Empty {}));
    let at_time = history.facts[at].at;
    history.facts.insert(at, Fact { at: at_time, what: passed(End::Smsc, Way::Written, nack.to_octets()) });
    assert!(seen(&plan, &history).contains(&"answers"), "{:?}", check(&plan, &history));
}

#[test]
fn a_late_answer_is_seen() {
    let (plan, mut history) = good();
    let at = *places(&history, End::Esme, Way::Written, CommandId::DELIVER_SM_RESP).first().unwrap();
    history.facts[at].at += Duration::from_millis(200);
    assert_eq!(seen(&plan, &history), ["answers"], "{:?}", check(&plan, &history));
}

#[test]
fn ids_that_were_swapped_are_seen() {
    let (plan, mut history) = good();
    let accepted = |fact: &Fact| matches!(&fact.what, What::Outcome { outcome: Outcome::Accepted(_), .. });
    let places: Vec<_> = (0..history.facts.len()).filter(|at| accepted(&history.facts[*at])).collect();
    let outcome_of = |fact: &Fact| match &fact.what {
        What::Outcome { outcome, .. } => outcome.clone(),
        other => panic!("{other:?}"),
    };
    let (one, other) = (outcome_of(&history.facts[places[0]]), outcome_of(&history.facts[places[1]]));
    for (place, swapped) in [(places[0], other), (places[1], one)] {
        if let What::Outcome { outcome, .. } = &mut history.facts[place].what {
            *outcome = swapped;
        }
    }
    assert_eq!(seen(&plan, &history), ["outcomes"]);
}

#[test]
fn an_outcome_told_twice_is_seen() {
    let (plan, mut history) = good();
    let at = history.facts.iter().position(|fact| matches!(fact.what, What::Outcome { .. })).unwrap();
    let again = history.facts[at].clone();
    history.facts.push(again);
    assert_eq!(seen(&plan, &history), ["outcomes"]);
}

#[test]
fn an_outcome_that_is_not_told_is_seen() {
    let (plan, mut history) = good();
    history.facts.retain(|fact| !matches!(fact.what, What::Outcome { message: 2, .. }));
    assert_eq!(seen(&plan, &history), ["outcomes"]);
}

#[test]
fn outcomes_of_doubt_where_there_is_an_answer_are_seen() {
    for doubt in [Outcome::Expired, Outcome::Lost] {
        let (plan, mut history) = good();
        let told = history.facts.iter_mut().find(|fact| matches!(fact.what, What::Outcome { .. })).unwrap();
        told.at += Duration::from_millis(1);
        if let What::Outcome { outcome, .. } = &mut told.what {
            *outcome = doubt.clone();
        }
        assert_eq!(seen(&plan, &history), ["outcomes"], "{doubt:?}");
    }
}

#[test]
fn a_message_that_was_sent_twice_is_seen() {
    let (plan, mut history) = good();
    let places = places(&history, End::Esme, Way::Written, CommandId::SUBMIT_SM);
    let first = pdu(&history.facts[places[0]].what).unwrap();
    rewrite(&mut history, places[4], |pdu| pdu.body = first.body);
    assert!(seen(&plan, &history).contains(&"outcomes"));
}

#[test]
fn a_sequence_number_used_again_or_out_of_range_is_seen() {
    for number in [1, 0, 0x8000_0000, u32::MAX] {
        let (plan, mut history) = good();
        let at = places(&history, End::Esme, Way::Written, CommandId::SUBMIT_SM)[2];
        rewrite(&mut history, at, |pdu| pdu.sequence = number);
        assert!(seen(&plan, &history).contains(&"numbers"), "{number:#x}");
    }
}

#[test]
fn a_submit_beyond_the_window_is_seen() {
    let (mut plan, history) = good();
    plan.clients[0].window = 1;
    assert_eq!(seen(&plan, &history), ["window"]);
}

#[test]
fn octets_that_changed_on_the_way_are_seen() {
    let (plan, mut history) = good();
    let at = places(&history, End::Smsc, Way::Read, CommandId::SUBMIT_SM)[0];
    rewrite(&mut history, at, |pdu| {
        if let Body::SubmitSm(sm) = &mut pdu.body {
            sm.protocol_id ^= 1;
        }
    });
    assert_eq!(seen(&plan, &history), ["octets"]);
}

#[test]
fn a_late_or_early_or_missing_enquire_link_is_seen() {
    let (plan, history) = good();
    let at = places(&history, End::Esme, Way::Written, CommandId::ENQUIRE_LINK)[0];
    for late in [true, false] {
        let mut history = history.clone();
        let moved = Duration::from_millis(100);
        let fact = &mut history.facts[at];
        fact.at = if late { fact.at + moved } else { fact.at - moved };
        assert!(seen(&plan, &history).contains(&"enquire_link"), "late: {late}");
    }
    let mut history = history;
    let silence = history.facts[at].at;
    history.facts.retain(|fact| {
        fact.at < silence || pdu(&fact.what).is_none_or(|pdu| (pdu.command_id().0 & 0xFF) != CommandId::ENQUIRE_LINK.0)
    });
    assert!(seen(&plan, &history).contains(&"enquire_link"));
}

#[test]
fn pdus_that_are_illegal_or_cannot_be_read_are_seen() {
    let (plan, history) = good();
    let submit = places(&history, End::Esme, Way::Written, CommandId::SUBMIT_SM)[0];
    let unbind = places(&history, End::Esme, Way::Written, CommandId::UNBIND)[0];
    let bind = places(&history, End::Esme, Way::Written, CommandId::BIND_TRANSCEIVER)[0];
    let sm = pdu(&history.facts[submit].what).unwrap().body;
    let of = |body: Body| Pdu::new(CommandStatus::ESME_ROK, 0x3333, body).to_octets();
    let as_delivery = match sm.clone() {
        Body::SubmitSm(sm) => Body::DeliverSm(sm),
        other => panic!("{other:?}"),
    };
    for (at, frame) in [
        (bind, of(sm.clone())),
        (unbind + 1, of(sm)),
        (submit, of(as_delivery)),
        (submit, Bytes::from_static(&[0, 0, 0, 17, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 9, 1])),
    ] {
        let mut history = history.clone();
        let time = history.facts[at].at;
        history.facts.insert(at, Fact { at: time, what: passed(End::Esme, Way::Written, frame) });
        assert!(seen(&plan, &history).contains(&"legality"), "{:?}", check(&plan, &history));
    }
}

#[test]
fn what_is_not_at_rest_at_the_end_is_seen() {
    let (plan, mut history) = good();
    let at = history.facts.last().unwrap().at;
    history.facts.push(Fact { at, what: What::Restless { what: "receipt of 1".to_owned() } });
    assert_eq!(seen(&plan, &history), ["liveness"]);
}

#[test]
fn what_is_read_after_hanging_up_counts_for_nothing() {
    let (plan, mut history) = good();
    let at = history.facts.last().unwrap().at;
    history.facts.push(Fact { at, what: What::Hung { line: 0, end: End::Esme, how: How::Dropped } });
    let frame = Bytes::from_static(&[0, 0, 0, 16, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 9]);
    history.facts.push(Fact { at, what: passed(End::Esme, Way::Written, frame) });
    assert_eq!(check(&plan, &history), []);
}

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
