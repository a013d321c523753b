//! Guards that a dead line is found within interval and response timeout, that a healthy one is never dropped, and that
//! enquire_link is always answered at once.

use super::*;

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
