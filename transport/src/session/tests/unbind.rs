//! Guards how a session ends when both sides are well: what was asked before is answered, nobody waits for ever, and
//! everything of ours has ended before Closed.

use super::*;

const BOTH: [Role; 2] = [Role::Esme, Role::Smsc];

fn message_of(role: Role) -> CommandId {
    match role {
        Role::Esme => CommandId::SUBMIT_SM,
        Role::Smsc => CommandId::DELIVER_SM,
    }
}

fn resp(command: CommandId) -> CommandId {
    command.answer().unwrap()
}

#[test]
fn unbind_from_either_side_closes_both() {
    for role in BOTH {
        let mut pair = Pair::bound(BindKind::Transceiver);
        pair.unbind(role);
        assert_eq!(pair.session(role).state(), State::Unbinding(BindKind::Transceiver));
        pair.drive();
        assert_eq!(pair.told(role), [Told::Closed(Why::Unbound)]);
        assert_eq!(pair.told(role.peer()), [Told::Closed(Why::PeerUnbound)]);
    }
}

#[test]
fn unbind_waits_for_the_answers_to_what_was_asked_before_it() {
    for role in BOTH {
        let mut pair = Pair::bound(BindKind::Transceiver);
        let first = pair.request(role, message_of(role)).unwrap();
        let second = pair.request(role, message_of(role)).unwrap();
        pair.unbind(role);
        pair.drive();
        assert_eq!(pair.session(role.peer()).state(), State::Unbound);
        pair.answer(role.peer(), OK);
        pair.drive();
        assert_eq!(pair.session(role).state(), State::Unbinding(BindKind::Transceiver));
        pair.answer(role.peer(), CommandStatus::ESME_RX_T_APPN);
        pair.drive();
        let command = resp(message_of(role));
        let commands: Vec<_> = sent(&mut pair, role.peer()).into_iter().map(|(command, _, n)| (command, n)).collect();
        assert_eq!(commands, [(command, first), (command, second), (CommandId::UNBIND_RESP, second + 1)]);
        let told = pair.told(role);
        assert!(matches!(told.last(), Some(Told::Closed(Why::Unbound))));
        assert!(matches!(ended(told)[..], [(_, Outcome::Answered(_)), (_, Outcome::Answered(_))]));
    }
}

#[test]
fn an_unbind_that_waits_for_answers_waits_half_its_time_and_what_is_late_is_not_sent() {
    let mut pair = Pair::bound(BindKind::Transceiver);
    pair.request(Role::Smsc, CommandId::DELIVER_SM).unwrap();
    pair.unbind(Role::Smsc);
    pair.advance(Duration::from_millis(2_499));
    assert_eq!(pair.session(Role::Esme).state(), State::Unbound);
    pair.advance(Duration::from_millis(1));
    assert_eq!(pair.told(Role::Smsc).last(), Some(&Told::Closed(Why::Unbound)));
    assert_eq!(pair.told(Role::Esme).last(), Some(&Told::Closed(Why::PeerUnbound)));
    pair.answer(Role::Esme, OK);
    assert_eq!(sent(&mut pair, Role::Esme), [(CommandId::UNBIND_RESP, OK, 2)]);
    assert_eq!(pair.session(Role::Esme).unanswered(), 0);
}

#[test]
fn answers_to_ours_are_taken_after_the_peers_unbind_and_the_last_one_closes() {
    for role in BOTH {
        let mut pair = Pair::bound(BindKind::Transceiver);
        let number = pair.request(role, message_of(role)).unwrap();
        pair.inject_pdu(role, OK, 77, body(CommandId::UNBIND));
        assert_eq!(sent(&mut pair, role).last(), Some(&(CommandId::UNBIND_RESP, OK, 77)));
        assert_eq!(pair.session(role).state(), State::Unbound);
        pair.inject_pdu(role, OK, number, body(resp(message_of(role))));
        let told = pair.told(role);
        assert_eq!(told.last(), Some(&Told::Closed(Why::PeerUnbound)));
        assert!(matches!(ended(told)[..], [(_, Outcome::Answered(_))]));
    }
}

#[test]
fn unbound_cannot_last_longer_than_unbind_timeout() {
    let mut pair = Pair::bound(BindKind::Transceiver);
    let number = pair.request(Role::Esme, CommandId::SUBMIT_SM).unwrap();
    pair.inject_pdu(Role::Esme, OK, 77, body(CommandId::UNBIND));
    pair.advance(Duration::from_millis(4_999));
    assert_eq!(pair.session(Role::Esme).state(), State::Unbound);
    pair.advance(Duration::from_millis(1));
    assert_eq!(ended(pair.told(Role::Esme)), [(number, Outcome::Lost(Why::PeerUnbound))]);
}

#[test]
fn a_bind_after_unbind_is_told_of_the_state_and_not_that_it_is_bound() {
    let mut pair = Pair::bound(BindKind::Transceiver);
    pair.request(Role::Smsc, CommandId::DELIVER_SM).unwrap();
    pair.inject_pdu(Role::Smsc, OK, 8, body(CommandId::UNBIND));
    pair.sent(Role::Smsc);
    pair.inject_pdu(Role::Smsc, OK, 9, body(CommandId::BIND_TRANSCEIVER));
    assert_eq!(sent(&mut pair, Role::Smsc), [(CommandId::BIND_TRANSCEIVER_RESP, CommandStatus::ESME_RINVBNDSTS, 9)]);
}

#[test]
fn unbinds_that_cross_are_both_answered_and_both_sides_close() {
    let mut setup = Setup::default();
    (setup.latency_to_esme, setup.latency_to_smsc) = (s(1), s(1));
    let mut pair = Pair::bound_with(BindKind::Transceiver, setup);
    pair.unbind(Role::Esme);
    pair.unbind(Role::Smsc);
    pair.advance(s(1));
    for role in BOTH {
        assert_eq!(pair.session(role).state(), State::Unbound, "it still waits for the answer to its own");
    }
    pair.advance(s(1));
    for role in BOTH {
        let commands: Vec<_> = sent(&mut pair, role).into_iter().map(|(command, ..)| command).collect();
        assert_eq!(commands, [CommandId::UNBIND, CommandId::UNBIND_RESP]);
        assert_eq!(pair.told(role), [Told::Closed(Why::Unbound)]);
    }
}

#[test]
fn a_peer_that_crosses_our_unbind_and_hangs_up_has_unbound() {
    let mut pair = Pair::bound(BindKind::Transceiver);
    pair.flow(Role::Smsc, Flow::Lost);
    pair.unbind(Role::Esme);
    pair.inject_pdu(Role::Esme, OK, 8, body(CommandId::UNBIND));
    pair.hang_up(Role::Esme, Why::PeerClosed);
    assert_eq!(pair.told(Role::Esme), [Told::Closed(Why::PeerUnbound)]);
}

#[test]
fn an_unbind_that_is_not_answered_closes_after_unbind_timeout() {
    for role in BOTH {
        let mut pair = Pair::bound(BindKind::Transceiver);
        pair.flow(role.peer(), Flow::Lost);
        let number = pair.request(role, message_of(role)).unwrap();
        pair.unbind(role);
        pair.advance(Duration::from_millis(4_999));
        assert_eq!(pair.session(role).state(), State::Unbinding(BindKind::Transceiver));
        pair.advance(Duration::from_millis(1));
        let told = pair.told(role);
        assert_eq!(told.last(), Some(&Told::Closed(Why::UnbindTimeout)));
        assert_eq!(ended(told), [(number, Outcome::Lost(Why::UnbindTimeout))]);
    }
}

#[test]
fn messages_after_our_unbind_are_put_off_and_answers_to_ours_are_taken() {
    for (role, busy) in [(Role::Esme, CommandStatus::ESME_RX_T_APPN), (Role::Smsc, CommandStatus::ESME_RTHROTTLED)] {
        let mut pair = Pair::bound(BindKind::Transceiver);
        pair.flow(role.peer(), Flow::Lost);
        let number = pair.request(role, message_of(role)).unwrap();
        pair.unbind(role);
        pair.inject_pdu(role, OK, 50, body(message_of(role.peer())));
        assert_eq!(sent(&mut pair, role).last(), Some(&(resp(message_of(role.peer())), busy, 50)));
        pair.inject_pdu(role, OK, number, body(resp(message_of(role))));
        assert!(matches!(ended(pair.told(role))[..], [(_, Outcome::Answered(_))]));
        assert_eq!(pair.request(role, message_of(role)), Err(Refused::Closed));
    }
}

#[test]
fn what_was_asked_before_our_unbind_can_be_answered_after_it() {
    let mut pair = Pair::bound(BindKind::Transceiver);
    pair.inject_pdu(Role::Esme, OK, 50, body(CommandId::DELIVER_SM));
    pair.flow(Role::Smsc, Flow::Held);
    pair.unbind(Role::Esme);
    pair.answer(Role::Esme, OK);
    assert_eq!(sent(&mut pair, Role::Esme).last(), Some(&(CommandId::DELIVER_SM_RESP, OK, 50)));
}

#[test]
fn an_answer_to_unbind_ends_what_is_still_outstanding_as_lost() {
    let mut pair = Pair::bound(BindKind::Transceiver);
    pair.flow(Role::Smsc, Flow::Lost);
    let number = pair.request(Role::Esme, CommandId::SUBMIT_SM).unwrap();
    pair.unbind(Role::Esme);
    pair.inject_pdu(Role::Esme, OK, number, body(CommandId::UNBIND_RESP));
    assert_eq!(pair.told(Role::Esme), [], "that is not the number of our unbind");
    pair.inject_pdu(Role::Esme, CommandStatus::ESME_RSYSERR, number + 1, body(CommandId::UNBIND_RESP));
    let told = pair.told(Role::Esme);
    assert_eq!(told.last(), Some(&Told::Closed(Why::Unbound)));
    assert_eq!(ended(told), [(number, Outcome::Lost(Why::Unbound))]);
}

#[test]
fn a_second_unbind_of_ours_says_nothing() {
    let mut pair = Pair::bound(BindKind::Transceiver);
    pair.flow(Role::Smsc, Flow::Held);
    pair.unbind(Role::Esme);
    pair.unbind(Role::Esme);
    assert_eq!(pair.sent(Role::Esme).len(), 1);
}
