//! Guards the two windows: how many requests of ours are outstanding, how many of the peer's unanswered; and the numbers.

use super::*;
use crate::session::SEQUENCE_MAX;

const BOTH: [Role; 2] = [Role::Esme, Role::Smsc];

fn with(change: impl Fn(&mut SessionConfig)) -> Setup {
    let mut setup = Setup::default();
    change(&mut setup.esme);
    change(&mut setup.smsc);
    setup
}

fn message_of(role: Role) -> CommandId {
    match role {
        Role::Esme => CommandId::SUBMIT_SM,
        Role::Smsc => CommandId::DELIVER_SM,
    }
}

#[test]
fn no_more_are_outstanding_than_the_window_has_room_for() {
    for role in BOTH {
        let mut pair = Pair::bound_with(BindKind::Transceiver, with(|config| config.window = 3));
        for _ in 0..3 {
            assert!(pair.session(role).has_room());
            pair.request(role, message_of(role)).unwrap();
        }
        assert!(!pair.session(role).has_room());
        assert_eq!(pair.request(role, message_of(role)), Err(Refused::WindowFull));
        assert_eq!(pair.sent(role).len(), 3);
        pair.drive();
        pair.answer_nth(role.peer(), 1, OK);
        pair.drive();
        assert!(pair.session(role).has_room());
        pair.request(role, message_of(role)).unwrap();
    }
}

#[test]
fn a_window_of_zero_is_one() {
    let mut pair =
        Pair::bound_with(BindKind::Transceiver, with(|config| (config.window, config.inbound_window) = (0, 0)));
    pair.request(Role::Esme, CommandId::SUBMIT_SM).unwrap();
    assert_eq!(pair.request(Role::Esme, CommandId::SUBMIT_SM), Err(Refused::WindowFull));
    pair.drive();
    assert_eq!(pair.session(Role::Smsc).unanswered(), 1);
}

#[test]
fn each_way_a_request_ends_frees_its_place() {
    type Way<'a> = &'a dyn Fn(&mut Pair, u32);
    let ways: [Way<'_>; 4] = [
        &|pair, _| pair.answer(Role::Smsc, OK),
        &|pair, n| pair.inject_pdu(Role::Esme, CommandStatus::ESME_RINVCMDID, n, body(CommandId::GENERIC_NACK)),
        &|pair, n| {
            let mut octets = [0, 0, 0, 17, 0x80, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, b'x'];
            octets[12..16].copy_from_slice(&n.to_be_bytes());
            pair.inject(Role::Esme, octets.to_vec());
        },
        &|pair, _| pair.advance(s(60)),
    ];
    for (n, way) in ways.iter().enumerate() {
        let mut pair = Pair::bound_with(BindKind::Transceiver, with(|config| config.window = 1));
        for _ in 0..5 {
            let number = pair.request(Role::Esme, CommandId::SUBMIT_SM).unwrap();
            pair.drive();
            way(&mut pair, number);
            pair.drive();
            assert_eq!(pair.session(Role::Esme).outstanding(), 0, "way {n}");
            assert_eq!(ended(pair.told(Role::Esme)).len(), 1, "way {n}");
        }
    }
}

#[test]
fn enquire_link_and_unbind_need_no_place_in_the_window() {
    let mut pair = Pair::bound_with(BindKind::Transceiver, with(|config| config.window = 1));
    pair.request(Role::Esme, CommandId::SUBMIT_SM).unwrap();
    pair.enquire_link(Role::Esme);
    pair.unbind(Role::Esme);
    let commands: Vec<_> = sent(&mut pair, Role::Esme).into_iter().map(|(command, ..)| command).collect();
    assert_eq!(commands, [CommandId::SUBMIT_SM, CommandId::ENQUIRE_LINK, CommandId::UNBIND]);
}

#[test]
fn what_is_beyond_the_inbound_window_is_put_off_and_the_session_goes_on() {
    for (role, status) in [(Role::Esme, CommandStatus::ESME_RX_T_APPN), (Role::Smsc, CommandStatus::ESME_RTHROTTLED)] {
        let peer = role.peer();
        let mut pair = Pair::bound_with(BindKind::Transceiver, with(|config| config.inbound_window = 2));
        let numbers = [(); 3].map(|()| pair.request(peer, message_of(peer)).unwrap());
        pair.drive();
        assert_eq!(pair.session(role).unanswered(), 2);
        let answer = message_of(peer).answer().unwrap();
        assert_eq!(sent(&mut pair, role), [(answer, status, numbers[2])]);
        assert_eq!(pair.session(role).counters().refused, 1);
        pair.answer(role, OK);
        pair.request(peer, message_of(peer)).unwrap();
        pair.drive();
        assert_eq!(pair.session(role).unanswered(), 2);
        assert_eq!(pair.tickets(role), 2);
    }
}

#[test]
fn enquire_link_is_answered_when_the_inbound_window_is_full() {
    let mut pair = Pair::bound_with(BindKind::Transceiver, with(|config| config.inbound_window = 1));
    pair.request(Role::Smsc, CommandId::DELIVER_SM).unwrap();
    pair.enquire_link(Role::Smsc);
    pair.drive();
    assert_eq!(sent(&mut pair, Role::Esme), [(CommandId::ENQUIRE_LINK_RESP, OK, 2)]);
}

#[test]
fn numbers_start_again_at_one_after_the_highest_and_pass_over_what_is_outstanding() {
    let mut pair = Pair::bound_with(BindKind::Transceiver, with(|config| config.sequence_start = SEQUENCE_MAX - 1));
    // The ESME's bind has taken the first.
    assert_eq!(pair.request(Role::Esme, CommandId::SUBMIT_SM), Ok(SEQUENCE_MAX));
    assert_eq!(pair.request(Role::Esme, CommandId::SUBMIT_SM), Ok(1));
}

#[test]
fn a_number_that_is_outstanding_is_passed_over() {
    // The whole circle is too long to walk.
    let mut pair = Pair::bound(BindKind::Transceiver);
    let numbers = [(); 3].map(|()| pair.request(Role::Esme, CommandId::SUBMIT_SM).unwrap());
    pair.rewind(Role::Esme, numbers[0]);
    pair.enquire_link(Role::Esme);
    pair.rewind(Role::Esme, numbers[0]);
    assert_eq!(pair.request(Role::Esme, CommandId::SUBMIT_SM), Ok(numbers[2] + 2));
    pair.rewind(Role::Esme, numbers[0]);
    pair.unbind(Role::Esme);
    assert_eq!(sent(&mut pair, Role::Esme).last(), Some(&(CommandId::UNBIND, OK, numbers[2] + 3)));
}

#[test]
fn a_first_number_that_is_out_of_range_is_brought_into_it() {
    for (start, first) in [(0, 1), (u32::MAX, SEQUENCE_MAX), (SEQUENCE_MAX + 1, SEQUENCE_MAX)] {
        let mut pair = Pair::new(with(|config| config.sequence_start = start));
        assert_eq!(pair.request(Role::Esme, CommandId::BIND_TRANSCEIVER), Ok(first));
    }
}

#[test]
fn a_session_counts_round_in_the_numbers_that_are_its_own() {
    let own = |range: std::ops::RangeInclusive<u32>| {
        let mut pair = Pair::bound_with(
            BindKind::Transceiver,
            with(|config| (config.window, config.sequence_range) = (4, range.clone())),
        );
        let mut taken = Vec::new();
        for _ in 0..3 {
            let numbers = [(); 3].map(|()| pair.request(Role::Esme, CommandId::SUBMIT_SM).unwrap());
            pair.drive();
            numbers.iter().for_each(|_| pair.answer(Role::Smsc, OK));
            pair.drive();
            taken.extend(numbers);
        }
        taken
    };
    // The bind has taken the first.
    assert_eq!(own(100..=107), [101, 102, 103, 104, 105, 106, 107, 100, 101]);
    assert_eq!(own(100..=100), [101, 102, 103, 104, 105, 106, 107, 100, 101], "widened");
    assert_eq!(own(SEQUENCE_MAX..=u32::MAX)[0], SEQUENCE_MAX - 6, "widened downwards");
}

#[test]
fn numbers_of_the_peer_are_echoed_whatever_they_are() {
    for role in BOTH {
        let peer = role.peer();
        let mut pair = Pair::bound(BindKind::Transceiver);
        let ours = pair.request(role, message_of(role)).unwrap();
        let numbers = [0, SEQUENCE_MAX, SEQUENCE_MAX + 1, u32::MAX, 7, 7, 7, 6, ours];
        pair.sent(role);
        numbers.iter().for_each(|number| pair.inject_pdu(role, OK, *number, body(message_of(peer))));
        assert_eq!(pair.session(role).unanswered(), numbers.len());
        numbers.iter().for_each(|_| pair.answer(role, OK));
        let answers: Vec<u32> = sent(&mut pair, role).into_iter().map(|(_, _, number)| number).collect();
        assert_eq!(answers, numbers);
        assert_eq!(pair.session(role).outstanding(), 1, "ours with the same number is still outstanding");
    }
}

#[test]
fn answers_go_out_in_the_order_in_which_they_are_given() {
    let mut pair = Pair::bound(BindKind::Transceiver);
    let numbers = [(); 3].map(|()| pair.request(Role::Smsc, CommandId::DELIVER_SM).unwrap());
    pair.drive();
    for nth in [2, 0, 0] {
        pair.answer_nth(Role::Esme, nth, OK);
    }
    let answers: Vec<u32> = sent(&mut pair, Role::Esme).into_iter().map(|(_, _, number)| number).collect();
    assert_eq!(answers, [numbers[2], numbers[0], numbers[1]]);
}
