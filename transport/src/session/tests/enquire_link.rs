//! Guards that a dead line is found within interval and response timeout, that a healthy one is never dropped, and that
//! enquire_link is always answered at once.

use super::*;
use crate::session::EnquireLinkWhen;

const BOTH: [Role; 2] = [Role::Esme, Role::Smsc];
const ASK: CommandId = CommandId::ENQUIRE_LINK;

#[test]
fn enquire_link_is_not_sent_after_unbind() {
    let mut setup = Setup::default();
    setup.esme.enquire_link_interval = Some(s(2));
    let mut pair = Pair::bound_with(BindKind::Transceiver, setup);
    pair.flow(Role::Smsc, Flow::Lost);
    pair.advance(s(1));
    pair.unbind(Role::Esme);
    pair.enquire_link(Role::Esme);
    pair.advance(s(5));
    assert_eq!(sent(&mut pair, Role::Esme), [(CommandId::UNBIND, OK, 2)]);
    assert_eq!(pair.told(Role::Esme), [Told::Closed(Why::UnbindTimeout)]);
}

#[test]
fn an_answer_that_is_waited_for_is_still_waited_for_once_bound() {
    let mut pair = Pair::new(Setup::default());
    pair.request(Role::Esme, CommandId::BIND_TRANSCEIVER).unwrap();
    pair.drive();
    pair.flow(Role::Esme, Flow::Lost);
    pair.enquire_link(Role::Smsc);
    pair.answer(Role::Smsc, OK);
    assert_eq!(pair.session(Role::Smsc).poll_timeout(), Some((pair.now() + s(60), Timer::EnquireLinkAnswer)));
    pair.advance(s(60));
    assert_eq!(pair.session(Role::Smsc).state(), State::Closed);
}

fn interval(seconds: u64) -> Setup {
    let mut setup = Setup::default();
    setup.esme.enquire_link_interval = Some(s(seconds));
    setup.smsc.enquire_link_interval = None;
    setup
}

#[test]
fn silence_is_ended_by_a_question_and_an_answer_starts_it_anew() {
    let mut pair = Pair::bound_with(BindKind::Transceiver, interval(10));
    pair.advance(Duration::from_millis(9_999));
    assert_eq!(pair.sent(Role::Esme), []);
    pair.advance(Duration::from_millis(1));
    assert_eq!(sent(&mut pair, Role::Esme), [(ASK, OK, 2)]);
    assert_eq!(sent(&mut pair, Role::Smsc), [(CommandId::ENQUIRE_LINK_RESP, OK, 2)]);
    pair.advance(s(10));
    assert_eq!(sent(&mut pair, Role::Esme), [(ASK, OK, 3)]);
    assert_eq!(pair.told(Role::Esme), [], "nobody is told");
}

#[test]
fn each_side_asks_and_is_answered() {
    for role in BOTH {
        let mut pair = Pair::bound(BindKind::Receiver);
        pair.enquire_link(role);
        pair.drive();
        assert_eq!(pair.sent(role.peer()).len(), 1);
        assert_eq!(pair.session(role).poll_timeout(), Some((pair.now() + s(55), Timer::EnquireLink)));
    }
}

#[test]
fn whatever_is_heard_puts_the_next_question_off() {
    let heard: [(CommandId, u32); 6] = [
        (CommandId::DELIVER_SM, 1),
        (CommandId::ENQUIRE_LINK, 1),
        (CommandId::ALERT_NOTIFICATION, 1),
        (CommandId::SUBMIT_SM_RESP, 9_999),
        (CommandId::GENERIC_NACK, 0),
        (CommandId::SUBMIT_SM, 1),
    ];
    for (command, sequence) in heard {
        let mut pair = Pair::bound_with(BindKind::Transceiver, interval(10));
        pair.advance(s(9));
        pair.inject_pdu(Role::Esme, OK, sequence, body(command));
        assert_eq!(
            pair.session(Role::Esme).poll_timeout(),
            Some((pair.now() + s(10), Timer::EnquireLink)),
            "{command}"
        );
        pair.sent(Role::Esme);
        pair.advance(s(9));
        assert_eq!(pair.sent(Role::Esme), [], "{command}");
    }
}

#[test]
fn what_we_send_does_not_put_the_next_question_off() {
    let mut pair = Pair::bound_with(BindKind::Transceiver, interval(10));
    pair.flow(Role::Smsc, Flow::Lost);
    pair.advance(s(9));
    pair.request(Role::Esme, CommandId::SUBMIT_SM).unwrap();
    pair.advance(s(1));
    assert_eq!(sent(&mut pair, Role::Esme).last(), Some(&(ASK, OK, 3)));
}

#[test]
fn a_dead_line_is_found_within_interval_and_response_timeout() {
    for role in BOTH {
        let mut pair = Pair::bound(BindKind::Transceiver);
        pair.flow(role, Flow::Lost);
        pair.advance(Duration::from_millis(1));
        let number = pair.request(role, CommandId::DATA_SM).unwrap();
        pair.advance(Duration::from_millis(59_998));
        assert_eq!(pair.session(role).outstanding(), 1);
        pair.advance(s(55));
        assert_eq!(pair.session(role).state(), State::Bound(BindKind::Transceiver));
        pair.advance(Duration::from_millis(1));
        let told = pair.told(role);
        assert_eq!(told.last(), Some(&Told::Closed(Why::EnquireLink)));
        assert_eq!(ended(told), [(number, Outcome::Expired)]);
    }
}

#[test]
fn anything_heard_answers_the_question_and_its_late_answer_does_no_harm() {
    let mut pair = Pair::bound_with(BindKind::Transceiver, interval(10));
    pair.flow(Role::Smsc, Flow::Held);
    pair.advance(s(69));
    pair.inject_pdu(Role::Esme, OK, 1, body(CommandId::DELIVER_SM));
    pair.advance(s(9));
    assert_eq!(pair.session(Role::Esme).state(), State::Bound(BindKind::Transceiver));
    pair.flow(Role::Smsc, Flow::Open);
    pair.drive();
    assert_eq!(pair.session(Role::Esme).counters().unexpected_responses, 0);
    pair.advance(s(3_600));
    assert_eq!(pair.session(Role::Esme).state(), State::Bound(BindKind::Transceiver));
}

#[test]
fn an_error_status_or_a_nack_is_an_answer_too() {
    for command in [CommandId::ENQUIRE_LINK_RESP, CommandId::GENERIC_NACK] {
        let mut pair = Pair::bound(BindKind::Transceiver);
        pair.flow(Role::Smsc, Flow::Lost);
        pair.enquire_link(Role::Esme);
        pair.inject_pdu(Role::Esme, CommandStatus::ESME_RSYSERR, 2, body(command));
        assert_eq!(pair.session(Role::Esme).poll_timeout(), Some((pair.now() + s(55), Timer::EnquireLink)));
        assert_eq!(pair.session(Role::Esme).counters().unexpected_responses, 0);
    }
}

#[test]
fn one_question_at_a_time() {
    let mut pair = Pair::bound(BindKind::Transceiver);
    pair.flow(Role::Smsc, Flow::Held);
    pair.enquire_link(Role::Esme);
    pair.enquire_link(Role::Esme);
    assert_eq!(pair.sent(Role::Esme).len(), 1);
}

#[test]
fn a_question_is_answered_before_the_bind_and_during_it() {
    for role in BOTH {
        let mut pair = Pair::new(Setup::default());
        pair.inject_pdu(role, OK, 7, body(ASK));
        assert_eq!(sent(&mut pair, role), [(CommandId::ENQUIRE_LINK_RESP, OK, 7)]);
        pair.request(Role::Esme, CommandId::BIND_RECEIVER).unwrap();
        pair.drive();
        pair.inject_pdu(role, OK, 8, body(ASK));
        assert_eq!(sent(&mut pair, role).last(), Some(&(CommandId::ENQUIRE_LINK_RESP, OK, 8)));
        pair.answer(Role::Smsc, OK);
        pair.drive();
        assert_eq!(pair.session(role).state(), State::Bound(BindKind::Receiver));
    }
}

/// A pair whose SMSC leaves the answers to its owner.
fn left_to_the_smsc() -> Setup {
    let mut setup = Setup::default();
    setup.smsc.answers_enquire_link = false;
    setup
}

#[test]
fn a_question_that_is_left_to_the_owner_is_answered_by_the_owner_in_every_state() {
    let mut pair = Pair::new(left_to_the_smsc());
    pair.inject_pdu(Role::Smsc, OK, 7, body(ASK));
    assert_eq!((pair.tickets(Role::Smsc), pair.sent(Role::Smsc)), (1, vec![]), "open");
    pair.answer(Role::Smsc, OK);
    assert_eq!(sent(&mut pair, Role::Smsc), [(CommandId::ENQUIRE_LINK_RESP, OK, 7)]);
    pair.request(Role::Esme, CommandId::BIND_TRANSMITTER).unwrap();
    pair.drive();
    pair.inject_pdu(Role::Smsc, OK, 8, body(ASK));
    pair.answer_nth(Role::Smsc, 1, OK);
    assert_eq!(sent(&mut pair, Role::Smsc), [(CommandId::ENQUIRE_LINK_RESP, OK, 8)], "binding");
    pair.answer(Role::Smsc, OK);
    pair.drive();
    pair.sent(Role::Smsc);
    pair.enquire_link(Role::Esme);
    pair.drive();
    assert_eq!(pair.sent(Role::Smsc), [], "bound");
    pair.answer(Role::Smsc, CommandStatus::ESME_RSYSERR);
    assert_eq!(sent(&mut pair, Role::Smsc).len(), 1);
    pair.flow(Role::Esme, Flow::Lost);
    pair.unbind(Role::Smsc);
    pair.inject_pdu(Role::Smsc, OK, 9, body(ASK));
    assert_eq!(pair.tickets(Role::Smsc), 1, "unbinding");
}

#[test]
fn a_question_that_is_left_to_the_owner_and_not_answered_ends_the_peers_session() {
    let mut setup = left_to_the_smsc();
    setup.smsc.enquire_link_interval = None;
    let mut pair = Pair::bound_with(BindKind::Transceiver, setup);
    pair.enquire_link(Role::Esme);
    pair.advance(s(60));
    assert_eq!(pair.told(Role::Esme).last(), Some(&Told::Closed(Why::EnquireLink)));
}

#[test]
fn a_question_that_is_left_to_the_owner_still_says_that_the_peer_is_there() {
    let mut setup = left_to_the_smsc();
    setup.smsc.enquire_link_interval = Some(s(10));
    let mut pair = Pair::bound_with(BindKind::Transceiver, setup);
    pair.advance(s(9));
    pair.inject_pdu(Role::Smsc, OK, 50, body(ASK));
    assert_eq!(pair.session(Role::Smsc).poll_timeout(), Some((pair.now() + s(10), Timer::EnquireLink)));
}

#[test]
fn a_question_that_is_left_to_the_owner_takes_a_place_in_the_inbound_window() {
    let mut setup = left_to_the_smsc();
    setup.smsc.inbound_window = 1;
    let mut pair = Pair::bound_with(BindKind::Transceiver, setup);
    pair.inject_pdu(Role::Smsc, OK, 50, body(ASK));
    pair.inject_pdu(Role::Smsc, OK, 51, body(ASK));
    pair.inject_pdu(Role::Smsc, OK, 52, body(CommandId::SUBMIT_SM));
    let busy = CommandStatus::ESME_RTHROTTLED;
    let put_off = [(CommandId::ENQUIRE_LINK_RESP, busy, 51), (CommandId::SUBMIT_SM_RESP, busy, 52)];
    assert_eq!(sent(&mut pair, Role::Smsc), put_off);
}

#[test]
fn a_question_after_the_peers_unbind_is_not_left_to_the_owner() {
    let mut pair = Pair::bound_with(BindKind::Transceiver, left_to_the_smsc());
    pair.request(Role::Esme, CommandId::SUBMIT_SM).unwrap();
    pair.unbind(Role::Esme);
    pair.drive();
    assert_eq!(pair.session(Role::Smsc).state(), State::Unbound);
    pair.inject_pdu(Role::Smsc, OK, 50, body(ASK));
    assert_eq!(sent(&mut pair, Role::Smsc), [(CommandId::ENQUIRE_LINK_RESP, OK, 50)]);
}

#[test]
fn a_bind_that_is_put_off_behind_questions_leaves_the_session_open() {
    let mut setup = left_to_the_smsc();
    setup.smsc.inbound_window = 1;
    let mut pair = Pair::new(setup);
    pair.inject_pdu(Role::Smsc, OK, 50, body(ASK));
    pair.inject_pdu(Role::Smsc, OK, 51, body(CommandId::BIND_RECEIVER));
    assert_eq!(sent(&mut pair, Role::Smsc), [(CommandId::BIND_RECEIVER_RESP, CommandStatus::ESME_RTHROTTLED, 51)]);
    assert_eq!(pair.session(Role::Smsc).state(), State::Open);
}

/// A pair whose ESME asks after each interval, whatever passes.
fn always(seconds: u64) -> Setup {
    let mut setup = interval(seconds);
    setup.esme.enquire_link_when = EnquireLinkWhen::Always;
    setup
}

#[test]
fn a_busy_peer_is_asked_after_each_interval_if_that_is_wanted() {
    for (setup, questions) in [(interval(10), 0), (always(10), 10)] {
        let mut pair = Pair::bound_with(BindKind::Transceiver, setup);
        let mut asked = 0;
        for second in 0..100 {
            pair.advance(s(1));
            pair.inject_pdu(Role::Esme, OK, 1_000 + second, body(CommandId::ENQUIRE_LINK));
            asked += sent(&mut pair, Role::Esme).iter().filter(|(command, _, _)| *command == ASK).count();
        }
        assert_eq!(asked, questions);
        assert_eq!(pair.session(Role::Esme).state(), State::Bound(BindKind::Transceiver));
    }
}

#[test]
fn whatever_is_heard_puts_no_question_off_that_is_asked_always() {
    let heard: [(CommandId, u32); 6] = [
        (CommandId::DELIVER_SM, 1),
        (CommandId::ENQUIRE_LINK, 1),
        (CommandId::ALERT_NOTIFICATION, 1),
        (CommandId::SUBMIT_SM_RESP, 9_999),
        (CommandId::GENERIC_NACK, 0),
        (CommandId::SUBMIT_SM, 1),
    ];
    for (command, sequence) in heard {
        let mut pair = Pair::bound_with(BindKind::Transceiver, always(10));
        pair.advance(s(9));
        pair.inject_pdu(Role::Esme, OK, sequence, body(command));
        sent(&mut pair, Role::Esme);
        pair.advance(s(1));
        assert_eq!(sent(&mut pair, Role::Esme).first().map(|(command, _, _)| *command), Some(ASK), "{command:?}");
    }
}

#[test]
fn a_silent_peer_is_found_dead_however_it_is_asked() {
    let mut setup = always(10);
    setup.esme.enquire_link_timeout = Some(s(5));
    let mut pair = Pair::bound_with(BindKind::Transceiver, setup);
    pair.flow(Role::Smsc, Flow::Lost);
    pair.advance(s(15));
    assert_eq!(pair.told(Role::Esme).last(), Some(&Told::Closed(Why::EnquireLink)));
    let mut never = always(10);
    never.esme.enquire_link_interval = None;
    let mut pair = Pair::bound_with(BindKind::Transceiver, never);
    pair.advance(s(3_600));
    assert_eq!(pair.sent(Role::Esme), []);
}
