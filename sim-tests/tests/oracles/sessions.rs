//! What passes between the two ends, and what an ESME is told.

use std::time::Duration;

use bytes::Bytes;
use sim_tests::history::{End, Fact, How, Outcome, Way, What};
use sim_tests::oracle::check;
use smpp_transport::pdu::{Body, CommandId, CommandStatus, Empty, Pdu, Tlvs};

use crate::runs::{good, passed, pdu, places, rewrite, seen};

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

#[test]
fn an_answer_that_says_that_all_is_well_and_has_no_body_is_seen() {
    for (end, command) in [
        (End::Smsc, CommandId::BIND_TRANSCEIVER),
        (End::Smsc, CommandId::SUBMIT_SM),
        (End::Esme, CommandId::DELIVER_SM),
    ] {
        let (plan, mut history) = good();
        let answer = command.answer().unwrap();
        let other = if end == End::Smsc { End::Esme } else { End::Smsc };
        for (end, way) in [(end, Way::Written), (other, Way::Read)] {
            let at = places(&history, end, way, answer)[0];
            rewrite(&mut history, at, |pdu| (pdu.body, pdu.tlvs) = (Body::empty(answer).unwrap(), Tlvs::new()));
        }
        let found = check(&plan, &history);
        assert!(found.iter().any(|it| it.oracle == "bodies" && it.words.contains("without its body")), "{found:?}");
    }
}
