//! What is answered to frames that are wrong.

use sim_tests::history::{End, Fact, History, How, Way, What};
use sim_tests::oracle::check;
use sim_tests::plan::Plan;
use sim_tests::world::{Tier, run};
use smpp_transport::pdu::{Body, CommandId, CommandStatus, Empty, MessageId, Pdu};

use crate::runs::{passed, places, plan, rewrite, seen};
use crate::transports::only;

/// A run in which this comes once, after the answer to the first message.
fn good(step: &str) -> (Plan, History) {
    let rule = format!("[{{ when: {{ operation: submit_sm, first: 1 }}, then: {{ after: [{step}] }} }}]");
    let mut plan = plan();
    plan.smsc.rules = smsc_sim::rules::parse(&rule).unwrap();
    let history = run(&plan, Tier::Fast).unwrap();
    assert_eq!(check(&plan, &history), [], "nothing is wrong with it yet");
    (plan, history)
}

/// Where this passed at the ESME's end.
fn place(history: &History, way: Way, command: CommandId) -> usize {
    places(history, End::Esme, way, command)[0]
}

#[test]
fn a_request_that_is_wrong_and_not_answered_is_seen() {
    let (plan, mut history) = good("malformed: cut_body");
    let at = place(&history, Way::Written, CommandId::DELIVER_SM_RESP);
    history.facts.remove(at);
    // What the SMSC reads is what was written.
    let at = places(&history, End::Smsc, Way::Read, CommandId::DELIVER_SM_RESP)[0];
    history.facts.remove(at);
    only("malformed", "came 1 times, answered 0 times", &plan, &history);
}

#[test]
fn a_request_that_cannot_be_read_and_is_taken_is_seen() {
    let (plan, mut history) = good("malformed: cut_body");
    for (end, way) in [(End::Esme, Way::Written), (End::Smsc, Way::Read)] {
        let at = places(&history, end, way, CommandId::DELIVER_SM_RESP)[0];
        rewrite(&mut history, at, |pdu| {
            (pdu.status, pdu.body) =
                (CommandStatus::ESME_ROK, Body::DeliverSmResp(Some(MessageId { message_id: "".parse().unwrap() })));
        });
    }
    only("malformed", "which is wrong: answered by", &plan, &history);
}

#[test]
fn a_command_that_nobody_knows_and_another_status_is_seen() {
    let (plan, mut history) = good("malformed: unknown_command");
    for (end, way) in [(End::Esme, Way::Written), (End::Smsc, Way::Read)] {
        let at = places(&history, end, way, CommandId::GENERIC_NACK)[0];
        rewrite(&mut history, at, |pdu| pdu.status = CommandStatus::ESME_RSYSERR);
    }
    only("malformed", "which is wrong: answered by", &plan, &history);
}

#[test]
fn an_answer_to_a_response_is_seen() {
    let (plan, mut history) = good("raw: 00000010 80000AFF 00000000 50000002");
    let at = history.facts.iter().position(|fact| matches!(&fact.what, What::Passed { end: End::Esme, way: Way::Read, frame, .. } if frame[4..8] == [0x80, 0, 0x0A, 0xFF]));
    let at = at.unwrap();
    let nack = Pdu::new(CommandStatus::ESME_RINVCMDID, 0x5000_0002, Body::GenericNack(Empty {})).to_octets();
    let what = passed(End::Esme, Way::Written, nack);
    history.facts.insert(at + 1, Fact { at: history.facts[at].at, what });
    assert!(seen(&plan, &history).contains(&"answers"));
}

#[test]
fn a_length_that_cannot_be_and_is_not_said_is_seen() {
    let (plan, mut history) = good("malformed: length_zero");
    for (end, way) in [(End::Esme, Way::Written), (End::Smsc, Way::Read)] {
        let at = places(&history, end, way, CommandId::GENERIC_NACK)[0];
        history.facts.remove(at);
    }
    only("malformed", "cannot be the beginning of a frame, and it is not said", &plan, &history);
}

#[test]
fn a_session_that_goes_on_after_a_length_that_cannot_be_is_seen() {
    let (plan, mut history) = good("malformed: length_zero");
    let is_shut = |what: &What| matches!(what, What::Hung { line: 0, end: End::Esme, .. });
    let hung = history.facts.iter().position(|fact| is_shut(&fact.what)).unwrap();
    let shut = history.facts.remove(hung);
    let what =
        passed(End::Esme, Way::Written, Pdu::new(Default::default(), 99, Body::EnquireLink(Empty {})).to_octets());
    let later = shut.at + std::time::Duration::from_secs(2);
    let place = history.facts.iter().position(|fact| fact.at > later).unwrap();
    history.facts.insert(place, Fact { at: later, what });
    only("malformed", "and the connection is still up", &plan, &history);
}

#[test]
fn a_session_that_ends_by_one_frame_that_is_wrong_is_seen() {
    let (plan, mut history) = good("malformed: cut_body");
    let at = place(&history, Way::Written, CommandId::DELIVER_SM_RESP);
    let what = What::Hung { line: 0, end: End::Esme, how: How::Shut };
    let fact = Fact { at: history.facts[at].at, what };
    history.facts.truncate(at + 1);
    history.facts.push(fact);
    let found = check(&plan, &history);
    assert!(found.iter().any(|it| it.oracle == "malformed" && it.words.contains("hung up after")), "{found:?}");
}
