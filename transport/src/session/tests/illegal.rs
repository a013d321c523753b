//! Guards who may say what in which state: every request of table 2-1, from either side, in every state; both what a
//! session sends and how it answers.

use super::*;
use crate::session::pair::rules::{TABLE, answer_of, may_ever_send, may_send};

const BOTH: [Role; 2] = [Role::Esme, Role::Smsc];
const KINDS: [BindKind; 3] = [BindKind::Transmitter, BindKind::Receiver, BindKind::Transceiver];

fn states() -> Vec<State> {
    let of_kinds =
        KINDS.into_iter().flat_map(|kind| [State::Binding(kind), State::Bound(kind), State::Unbinding(kind)]);
    [State::Open, State::Unbound, State::Closed].into_iter().chain(of_kinds).collect()
}

/// A pair of which this side is in this state.
fn reach(role: Role, state: State) -> Pair {
    let mut pair = match state {
        State::Open | State::Closed | State::Binding(_) => Pair::new(Setup::default()),
        State::Bound(kind) | State::Unbinding(kind) => Pair::bound(kind),
        State::Unbound => Pair::bound(BindKind::Transceiver),
    };
    match state {
        State::Open | State::Bound(_) => {}
        State::Closed => pair.hang_up(role, Why::Dropped),
        State::Binding(kind) => {
            pair.request(Role::Esme, kind.command()).unwrap();
            pair.drive();
        }
        State::Unbinding(_) => {
            pair.flow(role.peer(), Flow::Lost);
            pair.unbind(role);
        }
        State::Unbound => {
            pair.request(role, CommandId::DATA_SM).unwrap();
            pair.inject_pdu(role, OK, 400, body(CommandId::UNBIND));
        }
    }
    assert_eq!(pair.session(role).state(), state);
    pair.told(role);
    pair.sent(role);
    pair
}

#[test]
fn a_session_sends_a_request_exactly_where_the_table_allows_it() {
    let mut sent_at_all = 0;
    for (command, role, state) in cases() {
        let mut pair = reach(role, state);
        let has_answer = answer_of(command).is_some();
        let result = if has_answer { pair.request(role, command).map(drop) } else { pair.notify(role, command) };
        let own_method = matches!(command, CommandId::ENQUIRE_LINK | CommandId::UNBIND | CommandId::GENERIC_NACK);
        let ready = matches!(state, State::Open | State::Bound(_));
        let legal = ready && may_send(command, role, state) && !own_method;
        assert_eq!(result.is_ok(), legal, "{role:?} sends {command} in {state:?}");
        assert_eq!(pair.sent(role).len(), usize::from(legal), "{role:?} sends {command} in {state:?}");
        sent_at_all += usize::from(legal);
    }
    // Three binds and outbind; data_sm and six of the ESME, three of the SMSC, in the states that their rows name.
    assert_eq!(sent_at_all, 3 + 1 + (5 * 2 + 3) + (2 * 2 + 3));
}

#[test]
fn a_request_is_handed_over_where_the_table_allows_it_and_answered_with_the_state_where_not() {
    for (command, sender, state) in cases() {
        let role = sender.peer();
        let mut pair = reach(role, state);
        pair.inject_pdu(role, OK, 500, body(command));
        let expected = expected(command, sender, state);
        let handed = pair.told(role).iter().filter(|told| matches!(told, Told::Request(_) | Told::Notice(_))).count();
        let answers: Vec<_> = sent(&mut pair, role).into_iter().filter(|(_, _, n)| *n == 500).collect();
        assert_eq!(handed, usize::from(expected == Expected::Handed), "{sender:?} sends {command} in {state:?}");
        match expected {
            Expected::Answered(status) => {
                let answer = answer_of(command).unwrap();
                assert_eq!(answers, [(answer, status, 500)], "{sender:?} sends {command} in {state:?}");
            }
            Expected::Handed | Expected::Nothing => {
                assert_eq!(answers, [], "{sender:?} sends {command} in {state:?}");
            }
        }
    }
}

#[derive(Debug, Eq, PartialEq)]
enum Expected {
    Handed,
    Nothing,
    Answered(CommandStatus),
}

fn expected(command: CommandId, sender: Role, state: State) -> Expected {
    let illegal = Expected::Answered(CommandStatus::ESME_RINVBNDSTS);
    let put_off = match sender {
        Role::Esme => CommandStatus::ESME_RTHROTTLED,
        Role::Smsc => CommandStatus::ESME_RX_T_APPN,
    };
    let message = matches!(command, CommandId::DELIVER_SM | CommandId::DATA_SM);
    match (command, state) {
        (_, State::Closed) | (CommandId::GENERIC_NACK, _) => Expected::Nothing,
        (CommandId::ENQUIRE_LINK, _) => Expected::Answered(OK),
        (CommandId::OUTBIND | CommandId::ALERT_NOTIFICATION, _) if may_send(command, sender, state) => Expected::Handed,
        (CommandId::OUTBIND | CommandId::ALERT_NOTIFICATION, _) => Expected::Nothing,
        _ if !may_ever_send(command, sender) => illegal,
        (_, State::Binding(_)) if sender == Role::Smsc && message => Expected::Answered(put_off),
        (_, State::Binding(_) | State::Bound(_) | State::Unbinding(_)) if command.is_bind() => {
            Expected::Answered(CommandStatus::ESME_RALYBND)
        }
        _ if !may_send(command, sender, state) => illegal,
        (CommandId::UNBIND, _) => Expected::Answered(OK),
        (_, State::Unbinding(_)) => Expected::Answered(put_off),
        _ => Expected::Handed,
    }
}

fn cases() -> Vec<(CommandId, Role, State)> {
    let roles_and_states = || BOTH.into_iter().flat_map(|role| states().into_iter().map(move |state| (role, state)));
    TABLE.iter().flat_map(|(command, _)| roles_and_states().map(|(role, state)| (*command, role, state))).collect()
}

#[test]
fn a_command_that_is_not_in_the_standard_is_nacked_in_every_state_and_the_session_goes_on() {
    for role in BOTH {
        for state in states().into_iter().filter(|state| *state != State::Closed) {
            for command in [0x0000_000A, 0x0000_0111, 0x0001_0203, 0x7FFF_FFFF].map(CommandId) {
                let mut pair = reach(role, state);
                pair.inject_pdu(role, OK, 500, body(command));
                let nack = (CommandId::GENERIC_NACK, CommandStatus::ESME_RINVCMDID, 500);
                assert_eq!(sent(&mut pair, role), [nack]);
                assert_eq!(pair.session(role).state(), state);
            }
        }
    }
}

#[test]
fn a_session_that_is_closed_says_so_whatever_is_asked_of_it() {
    for role in BOTH {
        let mut pair = reach(role, State::Closed);
        assert_eq!(pair.request(role, CommandId::DATA_SM), Err(Refused::Closed));
        assert_eq!(pair.notify(role, CommandId::OUTBIND), Err(Refused::Closed));
        pair.enquire_link(role);
        pair.unbind(role);
        pair.tick(role);
        pair.hang_up(role, Why::Broken);
        pair.advance(s(1_000));
        assert_eq!(pair.told(role), []);
        assert_eq!(pair.sent(role), []);
    }
}

#[test]
fn a_command_that_has_no_answer_cannot_be_requested_and_one_that_has_cannot_be_notified() {
    let mut pair = Pair::bound(BindKind::Transceiver);
    assert_eq!(pair.request(Role::Smsc, CommandId::ALERT_NOTIFICATION), Err(Refused::WrongState));
    assert_eq!(pair.notify(Role::Smsc, CommandId::DELIVER_SM), Err(Refused::WrongState));
    for command in [CommandId::SUBMIT_SM_RESP, CommandId::GENERIC_NACK, CommandId(0x0001_0203)] {
        assert_eq!(pair.request(Role::Esme, command), Err(Refused::WrongState));
        assert_eq!(pair.notify(Role::Esme, command), Err(Refused::WrongState));
    }
}
