//! Guards the waits: each ends when it should, none is forgotten, and what is set to for ever lasts for ever.

use super::*;

const BOTH: [Role; 2] = [Role::Esme, Role::Smsc];

fn with(change: impl Fn(&mut SessionConfig)) -> Setup {
    let mut setup = Setup::default();
    change(&mut setup.esme);
    change(&mut setup.smsc);
    setup
}

#[test]
fn a_session_that_is_not_bound_in_time_closes_on_either_side() {
    for role in BOTH {
        let mut pair = Pair::new(Setup::default());
        pair.flow(role.peer(), Flow::Lost);
        pair.advance(Duration::from_millis(29_999));
        assert_eq!(pair.session(role).state(), State::Open);
        pair.advance(Duration::from_millis(1));
        assert_eq!(pair.told(role), [Told::Closed(Why::SessionInit)]);
    }
}

#[test]
fn a_bind_that_is_not_answered_in_time_is_lost_and_the_session_closes() {
    let mut pair = Pair::new(Setup::default());
    pair.advance(s(20));
    let number = pair.request(Role::Esme, CommandId::BIND_RECEIVER).unwrap();
    pair.advance(s(10));
    let told = pair.told(Role::Esme);
    assert_eq!(told.last(), Some(&Told::Closed(Why::SessionInit)));
    assert_eq!(ended(told), [(number, Outcome::Lost(Why::SessionInit))]);
}

#[test]
fn a_bind_that_expires_closes_the_session() {
    let mut pair = Pair::new(with(|config| config.response_timeout = s(3)));
    let number = pair.request(Role::Esme, CommandId::BIND_RECEIVER).unwrap();
    pair.advance(s(3));
    let told = pair.told(Role::Esme);
    assert_eq!(told.last(), Some(&Told::Closed(Why::SessionInit)));
    assert_eq!(ended(told), [(number, Outcome::Expired)]);
}

#[test]
fn a_bound_session_has_no_session_init_timer() {
    let mut pair = Pair::bound(BindKind::Receiver);
    pair.advance(s(3_600));
    for role in BOTH {
        assert_eq!(pair.session(role).state(), State::Bound(BindKind::Receiver));
    }
}

#[test]
fn a_session_without_messages_unbinds_although_enquire_link_passes() {
    let mut setup = Setup::default();
    setup.esme.inactivity_timeout = Some(s(200));
    let mut pair = Pair::bound_with(BindKind::Transceiver, setup);
    pair.advance(Duration::from_millis(199_999));
    assert_eq!(pair.session(Role::Esme).state(), State::Bound(BindKind::Transceiver));
    pair.advance(Duration::from_millis(1));
    assert_eq!(pair.told(Role::Esme), [Told::Closed(Why::Unbound)]);
    assert_eq!(pair.told(Role::Smsc), [Told::Closed(Why::PeerUnbound)]);
}

#[test]
fn every_message_either_way_and_its_answer_restart_the_inactivity() {
    let mut pair = Pair::bound_with(
        BindKind::Transceiver,
        with(|config| {
            config.inactivity_timeout = Some(s(100));
            config.response_timeout = s(1_000);
            config.enquire_link_interval = None;
        }),
    );
    let steps: [&dyn Fn(&mut Pair); 7] = [
        &|pair| _ = pair.request(Role::Esme, CommandId::SUBMIT_SM).unwrap(),
        &|pair| pair.answer(Role::Smsc, OK),
        &|pair| _ = pair.request(Role::Smsc, CommandId::DELIVER_SM).unwrap(),
        &|pair| pair.answer(Role::Esme, CommandStatus::ESME_RX_T_APPN),
        &|pair| pair.notify(Role::Smsc, CommandId::ALERT_NOTIFICATION).unwrap(),
        &|pair| pair.inject_pdu(Role::Esme, OK, 9, body(CommandId::SUBMIT_SM)),
        &|pair| pair.inject_pdu(Role::Smsc, OK, 9, body(CommandId::DELIVER_SM)),
    ];
    for (n, step) in steps.iter().enumerate() {
        pair.advance(s(60));
        step(&mut pair);
        pair.drive();
        for role in BOTH {
            assert_eq!(pair.session(role).poll_timeout(), Some((pair.now() + s(100), Timer::Inactivity)), "step {n}");
        }
    }
    pair.advance(s(60));
    pair.enquire_link(Role::Esme);
    pair.advance(s(40));
    for role in BOTH {
        assert_eq!(pair.session(role).state(), State::Closed);
    }
}

#[test]
fn what_is_set_to_for_ever_lasts_for_ever() {
    let mut pair = Pair::new(with(|config| {
        config.session_init_timeout = Duration::MAX;
        config.enquire_link_interval = Some(Duration::MAX);
        config.response_timeout = Duration::MAX;
        config.inactivity_timeout = Some(Duration::MAX);
        config.unbind_timeout = Duration::MAX;
    }));
    pair.advance(s(1_000_000));
    pair.request(Role::Esme, CommandId::BIND_TRANSCEIVER).unwrap();
    pair.drive();
    pair.answer(Role::Smsc, OK);
    pair.drive();
    pair.request(Role::Smsc, CommandId::DELIVER_SM).unwrap();
    pair.enquire_link(Role::Esme);
    pair.advance(s(1_000_000));
    pair.unbind(Role::Smsc);
    pair.advance(s(1_000_000));
    assert_eq!(pair.session(Role::Esme).state(), State::Unbound);
    pair.answer(Role::Esme, OK);
    pair.drive();
    assert_eq!(pair.told(Role::Smsc).last(), Some(&Told::Closed(Why::Unbound)));
}

#[test]
fn no_timer_is_left_when_the_session_is_closed() {
    for role in BOTH {
        let mut pair = Pair::bound_with(BindKind::Transceiver, with(|config| config.inactivity_timeout = Some(s(1))));
        pair.request(role, CommandId::DATA_SM).unwrap();
        pair.enquire_link(role);
        pair.hang_up(role, Why::Broken);
        assert_eq!(pair.session(role).poll_timeout(), None);
        pair.advance(s(1_000));
        assert_eq!(pair.told(role).last(), Some(&Told::Closed(Why::Broken)));
    }
}
