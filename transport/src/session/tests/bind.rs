//! Guards how a session becomes bound: once, by the answer to its own bind, and again after a refusal.

use super::*;

const KINDS: [BindKind; 3] = [BindKind::Transmitter, BindKind::Receiver, BindKind::Transceiver];

#[test]
fn each_kind_of_bind_binds_both_sides_when_its_answer_passes() {
    for kind in KINDS {
        let mut pair = Pair::new(Setup::default());
        pair.request(Role::Esme, kind.command()).unwrap();
        assert_eq!(pair.session(Role::Esme).state(), State::Binding(kind));
        pair.drive();
        assert_eq!(pair.session(Role::Smsc).state(), State::Binding(kind));
        pair.answer(Role::Smsc, OK);
        assert_eq!(pair.session(Role::Smsc).state(), State::Bound(kind));
        assert_eq!(pair.session(Role::Esme).state(), State::Binding(kind));
        pair.drive();
        assert_eq!(pair.session(Role::Esme).state(), State::Bound(kind));
        assert!(matches!(pair.told(Role::Esme)[..], [Told::Ended { .. }, Told::Bound(bound)] if bound == kind));
        assert!(matches!(pair.told(Role::Smsc)[..], [Told::Request(_), Told::Bound(bound)] if bound == kind));
    }
}

#[test]
fn a_second_bind_is_refused_and_the_first_goes_on_as_if_nothing_had_been() {
    let mut pair = Pair::new(Setup::default());
    pair.request(Role::Esme, CommandId::BIND_TRANSCEIVER).unwrap();
    pair.drive();
    pair.inject_pdu(Role::Smsc, OK, 2, body(CommandId::BIND_TRANSCEIVER));
    assert_eq!(sent(&mut pair, Role::Smsc), [(CommandId::BIND_TRANSCEIVER_RESP, CommandStatus::ESME_RALYBND, 2)]);
    assert_eq!(pair.session(Role::Smsc).state(), State::Binding(BindKind::Transceiver));
    pair.answer(Role::Smsc, OK);
    pair.drive();
    assert_eq!(pair.session(Role::Smsc).state(), State::Bound(BindKind::Transceiver));
    assert_eq!(pair.session(Role::Esme).state(), State::Bound(BindKind::Transceiver));
}

#[test]
fn a_bind_from_the_smsc_is_refused_and_the_esmes_own_goes_on() {
    let mut pair = Pair::new(Setup::default());
    pair.request(Role::Esme, CommandId::BIND_TRANSCEIVER).unwrap();
    pair.inject_pdu(Role::Esme, OK, 1, body(CommandId::BIND_TRANSCEIVER));
    assert_eq!(pair.session(Role::Esme).state(), State::Binding(BindKind::Transceiver));
    pair.answer(Role::Smsc, OK);
    pair.drive();
    assert_eq!(pair.session(Role::Esme).state(), State::Bound(BindKind::Transceiver));
}

#[test]
fn a_second_bind_that_cannot_be_read_leaves_the_first_under_way() {
    let mut pair = Pair::new(Setup::default());
    pair.request(Role::Esme, CommandId::BIND_RECEIVER).unwrap();
    pair.drive();
    pair.inject_to_smsc(&b"\0\0\0\x11\0\0\0\x01\0\0\0\0\0\0\0\x09x"[..]);
    pair.drive();
    assert_eq!(pair.session(Role::Smsc).state(), State::Binding(BindKind::Receiver));
    pair.answer(Role::Smsc, OK);
    pair.drive();
    assert_eq!(pair.session(Role::Esme).state(), State::Bound(BindKind::Receiver));
}
