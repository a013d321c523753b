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
