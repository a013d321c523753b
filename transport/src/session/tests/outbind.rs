//! Guards outbind: an SMSC that dialled asks to be bound to, once, and gets no answer but the bind.

use super::*;

#[test]
fn outbind_is_told_to_the_esme_and_the_bind_that_follows_it_binds() {
    let mut pair = Pair::new(Setup::default());
    pair.notify(Role::Smsc, CommandId::OUTBIND).unwrap();
    pair.drive();
    assert!(matches!(&pair.told(Role::Esme)[..], [Told::Notice(pdu)] if pdu.command_id() == CommandId::OUTBIND));
    assert_eq!(pair.sent(Role::Esme), [], "it has no answer");
    pair.request(Role::Esme, CommandId::BIND_RECEIVER).unwrap();
    pair.drive();
    pair.answer(Role::Smsc, OK);
    pair.drive();
    assert_eq!(pair.session(Role::Esme).state(), State::Bound(BindKind::Receiver));
}

#[test]
fn outbind_that_the_esme_does_not_follow_ends_with_session_init_on_both_sides() {
    let mut pair = Pair::new(Setup::default());
    pair.notify(Role::Smsc, CommandId::OUTBIND).unwrap();
    pair.advance(s(30));
    assert!(pair.told(Role::Esme).contains(&Told::Closed(Why::SessionInit)));
    assert!(pair.told(Role::Smsc).contains(&Told::Closed(Why::SessionInit)));
}

#[test]
fn outbind_in_a_bound_session_is_counted_and_no_more() {
    let mut pair = Pair::bound(BindKind::Receiver);
    assert_eq!(pair.notify(Role::Smsc, CommandId::OUTBIND), Err(Refused::WrongState));
    pair.inject_pdu(Role::Esme, OK, 3, body(CommandId::OUTBIND));
    assert_eq!(pair.told(Role::Esme), []);
    assert_eq!(pair.sent(Role::Esme), []);
    assert_eq!(pair.session(Role::Esme).counters().refused, 1);
}

#[test]
fn an_esme_cannot_outbind() {
    let mut pair = Pair::new(Setup::default());
    assert_eq!(pair.notify(Role::Esme, CommandId::OUTBIND), Err(Refused::WrongState));
    pair.inject_pdu(Role::Smsc, OK, 3, body(CommandId::OUTBIND));
    assert_eq!(pair.told(Role::Smsc), []);
    assert_eq!(pair.session(Role::Smsc).state(), State::Open);
}
