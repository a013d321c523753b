//! Guards that a response ends the one request that it answers, once, and that a request that nobody answers ends too.

use super::*;
use crate::pdu::Pdu;

const OTHERS: [CommandId; 5] = [
    CommandId::ENQUIRE_LINK_RESP,
    CommandId::UNBIND_RESP,
    CommandId::DATA_SM_RESP,
    CommandId::BIND_TRANSCEIVER_RESP,
    CommandId(0x8000_0111),
];

fn answered_sequence((sequence, outcome): &(u32, Outcome)) -> u32 {
    assert!(matches!(outcome, Outcome::Answered(pdu) if pdu.sequence == *sequence));
    *sequence
}

#[test]
fn responses_in_any_order_find_their_requests() {
    let mut pair = Pair::bound(BindKind::Transceiver);
    let numbers = [(); 3].map(|()| pair.request(Role::Esme, CommandId::SUBMIT_SM).unwrap());
    pair.drive();
    for nth in [1, 1, 0] {
        pair.answer_nth(Role::Smsc, nth, OK);
    }
    pair.drive();
    let told = pair.told(Role::Esme);
    let tokens: Vec<u32> = told
        .iter()
        .map(|told| if let Told::Ended { token, .. } = told { *token } else { panic!("{told:?}") })
        .collect();
    assert_eq!(tokens, [3, 4, 2], "the token comes back with its own response");
    let order: Vec<u32> = ended(told).iter().map(answered_sequence).collect();
    assert_eq!(order, [numbers[1], numbers[2], numbers[0]]);
}

#[test]
fn a_second_response_and_one_to_an_unknown_number_are_counted_and_no_more() {
    let mut pair = Pair::bound(BindKind::Transceiver);
    let number = pair.request(Role::Esme, CommandId::SUBMIT_SM).unwrap();
    for sequence in [number, number, 0, 9_999, u32::MAX] {
        pair.inject_pdu(Role::Esme, OK, sequence, body(CommandId::SUBMIT_SM_RESP));
    }
    assert_eq!(ended(pair.told(Role::Esme)).len(), 1);
    assert_eq!(pair.session(Role::Esme).counters().unexpected_responses, 4);
    assert_eq!(pair.sent(Role::Esme).len(), 1, "a response is never answered");
}

#[test]
fn a_response_of_another_type_is_counted_and_the_request_goes_on() {
    let mut pair = Pair::bound(BindKind::Transceiver);
    let number = pair.request(Role::Esme, CommandId::SUBMIT_SM).unwrap();
    for command in OTHERS {
        pair.inject_pdu(Role::Esme, OK, number, body(command));
    }
    assert_eq!(pair.told(Role::Esme), []);
    assert_eq!(pair.session(Role::Esme).counters().mismatched_responses, 5);
    pair.inject_pdu(Role::Esme, CommandStatus::ESME_RTHROTTLED, number, body(CommandId::SUBMIT_SM_RESP));
    assert_eq!(ended(pair.told(Role::Esme)).len(), 1);
}

#[test]
fn an_error_response_is_an_answer_and_the_session_goes_on() {
    let mut pair = Pair::bound(BindKind::Transceiver);
    for status in [CommandStatus::ESME_RTHROTTLED, CommandStatus::ESME_RMSGQFUL, CommandStatus(0x4FF)] {
        pair.request(Role::Esme, CommandId::SUBMIT_SM).unwrap();
        pair.drive();
        pair.answer(Role::Smsc, status);
        pair.drive();
        let told = ended(pair.told(Role::Esme));
        assert!(matches!(&told[..], [(_, Outcome::Answered(Pdu { status: answered, .. }))] if *answered == status));
    }
    assert_eq!(pair.session(Role::Esme).state(), State::Bound(BindKind::Transceiver));
}

#[test]
fn generic_nack_for_a_known_number_is_its_answer() {
    let mut pair = Pair::bound(BindKind::Transceiver);
    let number = pair.request(Role::Esme, CommandId::SUBMIT_SM).unwrap();
    pair.inject_pdu(Role::Esme, CommandStatus::ESME_RINVCMDID, number, body(CommandId::GENERIC_NACK));
    assert_eq!(ended(pair.told(Role::Esme)).iter().map(answered_sequence).collect::<Vec<_>>(), [number]);
}

#[test]
fn generic_nack_for_an_unknown_number_or_none_ends_nothing() {
    let mut pair = Pair::bound(BindKind::Transceiver);
    pair.request(Role::Esme, CommandId::SUBMIT_SM).unwrap();
    for sequence in [0, 9_999] {
        pair.inject_pdu(Role::Esme, CommandStatus::ESME_RINVCMDLEN, sequence, body(CommandId::GENERIC_NACK));
    }
    assert_eq!(pair.told(Role::Esme), []);
    assert_eq!(pair.session(Role::Esme).outstanding(), 1);
    assert_eq!(pair.session(Role::Esme).counters().unexpected_responses, 2);
}

#[test]
fn a_request_that_is_not_answered_expires_and_its_late_response_is_nothing_new() {
    let mut pair = Pair::bound(BindKind::Transceiver);
    let number = pair.request(Role::Esme, CommandId::SUBMIT_SM).unwrap();
    pair.advance(Duration::from_millis(59_999));
    assert_eq!(pair.told(Role::Esme), []);
    pair.advance(Duration::from_millis(1));
    assert_eq!(ended(pair.told(Role::Esme)), [(number, Outcome::Expired)]);
    pair.answer(Role::Smsc, OK);
    pair.drive();
    assert_eq!(pair.told(Role::Esme), []);
    assert_eq!(pair.session(Role::Esme).counters().unexpected_responses, 1);
    assert_eq!(pair.session(Role::Esme).counters().expired, 1);
    assert_eq!(pair.session(Role::Esme).state(), State::Bound(BindKind::Transceiver));
}

#[test]
fn requests_expire_each_at_its_own_time() {
    let mut pair = Pair::bound(BindKind::Transceiver);
    let first = pair.request(Role::Esme, CommandId::SUBMIT_SM).unwrap();
    pair.advance(s(10));
    let second = pair.request(Role::Esme, CommandId::SUBMIT_SM).unwrap();
    pair.advance(s(10));
    let third = pair.request(Role::Esme, CommandId::SUBMIT_SM).unwrap();
    pair.drive();
    pair.answer_nth(Role::Smsc, 1, OK);
    pair.advance(s(40));
    assert_eq!(ended(pair.told(Role::Esme))[1..], [(first, Outcome::Expired)]);
    pair.advance(s(19));
    assert_eq!(pair.told(Role::Esme), [], "{second} was answered");
    pair.advance(s(1));
    assert_eq!(ended(pair.told(Role::Esme)), [(third, Outcome::Expired)]);
}

#[test]
fn at_the_deadline_the_response_wins_if_it_is_seen_first() {
    let mut pair = Pair::bound(BindKind::Transceiver);
    let number = pair.request(Role::Esme, CommandId::SUBMIT_SM).unwrap();
    pair.drive();
    pair.advance(Duration::from_millis(59_999));
    pair.answer(Role::Smsc, OK);
    pair.advance_reading_first(Duration::from_millis(1));
    assert_eq!(ended(pair.told(Role::Esme)).iter().map(answered_sequence).collect::<Vec<_>>(), [number]);
    pair.advance(s(1));
    assert_eq!(pair.told(Role::Esme), []);
}

#[test]
fn at_the_deadline_the_timer_wins_if_it_is_seen_first() {
    let mut pair = Pair::bound(BindKind::Transceiver);
    pair.latency(Role::Esme, s(60));
    let number = pair.request(Role::Esme, CommandId::SUBMIT_SM).unwrap();
    pair.drive();
    pair.answer(Role::Smsc, OK);
    pair.advance(s(60));
    assert_eq!(ended(pair.told(Role::Esme)), [(number, Outcome::Expired)]);
    assert_eq!(pair.session(Role::Esme).counters().unexpected_responses, 1);
}

#[test]
fn all_that_is_outstanding_is_lost_when_the_line_goes_and_closed_comes_last() {
    for why in [Why::PeerClosed, Why::Broken, Why::Dropped] {
        let mut pair = Pair::bound(BindKind::Transceiver);
        let numbers = [(); 3].map(|()| pair.request(Role::Esme, CommandId::SUBMIT_SM).unwrap());
        pair.hang_up(Role::Esme, why);
        let told = pair.told(Role::Esme);
        assert_eq!(told.last(), Some(&Told::Closed(why)));
        assert_eq!(ended(told), numbers.map(|number| (number, Outcome::Lost(why))));
        pair.drive();
        assert_eq!(pair.told(Role::Smsc).last(), Some(&Told::Closed(Why::PeerClosed)));
        pair.answer(Role::Smsc, OK);
        assert_eq!(pair.sent(Role::Smsc), [], "who has closed answers no more");
        assert_eq!(pair.session(Role::Smsc).unanswered(), 2);
    }
}
