//! Guards how a session becomes bound: once, by the answer to its own bind, and again after a refusal.

use super::*;
use crate::pdu::Pdu;

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

#[test]
fn a_bind_that_was_refused_can_be_tried_again_until_session_init_timeout() {
    let mut pair = Pair::new(Setup::default());
    for (seconds, status) in [(9, CommandStatus::ESME_RALYBND), (18, CommandStatus::ESME_RINVPASWD)] {
        pair.advance(s(9));
        let number = pair.request(Role::Esme, CommandId::BIND_TRANSCEIVER).unwrap();
        pair.drive();
        pair.answer(Role::Smsc, status);
        pair.drive();
        assert!(
            matches!(&ended(pair.told(Role::Esme))[..], [(n, Outcome::Answered(pdu))] if *n == number && pdu.status == status)
        );
        for role in [Role::Esme, Role::Smsc] {
            assert_eq!(pair.session(role).state(), State::Open, "after {seconds} s");
            assert_eq!(pair.session(role).poll_timeout(), Some((pair.now() + s(30 - seconds), Timer::SessionInit)));
        }
    }
    pair.request(Role::Esme, CommandId::BIND_TRANSMITTER).unwrap();
    pair.drive();
    pair.answer(Role::Smsc, OK);
    pair.drive();
    assert_eq!(pair.session(Role::Esme).state(), State::Bound(BindKind::Transmitter));
}

#[test]
fn a_bind_that_is_nacked_is_refused_whatever_the_status() {
    let mut pair = Pair::new(Setup::default());
    let number = pair.request(Role::Esme, CommandId::BIND_TRANSCEIVER).unwrap();
    pair.inject_pdu(Role::Esme, OK, number, body(CommandId::GENERIC_NACK));
    assert_eq!(pair.session(Role::Esme).state(), State::Open);
    assert!(matches!(&pair.told(Role::Esme)[..], [Told::Ended { outcome: Outcome::Answered(_), .. }]));
}

#[test]
fn a_bind_response_of_another_kind_or_number_binds_nobody() {
    let mut pair = Pair::new(Setup::default());
    let number = pair.request(Role::Esme, CommandId::BIND_TRANSCEIVER).unwrap();
    pair.inject_pdu(Role::Esme, OK, number, body(CommandId::BIND_RECEIVER_RESP));
    pair.inject_pdu(Role::Esme, OK, number + 1, body(CommandId::BIND_TRANSCEIVER_RESP));
    pair.inject_pdu(Role::Esme, OK, 0, body(CommandId::BIND_TRANSCEIVER_RESP));
    assert_eq!(pair.session(Role::Esme).state(), State::Binding(BindKind::Transceiver));
    assert_eq!(pair.told(Role::Esme), []);
}

#[test]
fn a_bind_response_and_the_first_message_in_one_segment_are_taken_in_order() {
    let mut pair = Pair::new(Setup::default());
    let number = pair.request(Role::Esme, CommandId::BIND_TRANSCEIVER).unwrap();
    let response = Pdu::new(OK, number, body(CommandId::BIND_TRANSCEIVER_RESP)).to_octets();
    let message = Pdu::new(OK, 1, body(CommandId::DELIVER_SM)).to_octets();
    pair.inject_to_esme([response, message].concat());
    pair.drive();
    assert!(matches!(pair.told(Role::Esme)[..], [Told::Ended { .. }, Told::Bound(_), Told::Request(_)]));
    pair.answer(Role::Esme, OK);
    assert_eq!(sent(&mut pair, Role::Esme).last(), Some(&(CommandId::DELIVER_SM_RESP, OK, 1)));
}

#[test]
fn a_message_before_the_bind_response_is_put_off_so_that_the_smsc_keeps_it() {
    let mut pair = Pair::new(Setup::default());
    let number = pair.request(Role::Esme, CommandId::BIND_TRANSCEIVER).unwrap();
    pair.inject_pdu(Role::Esme, OK, 1, body(CommandId::DELIVER_SM));
    pair.inject_pdu(Role::Esme, OK, 2, body(CommandId::DATA_SM));
    let busy = CommandStatus::ESME_RX_T_APPN;
    assert_eq!(
        sent(&mut pair, Role::Esme)[1..],
        [(CommandId::DELIVER_SM_RESP, busy, 1), (CommandId::DATA_SM_RESP, busy, 2)]
    );
    pair.inject_pdu(Role::Esme, OK, number, body(CommandId::BIND_TRANSCEIVER_RESP));
    assert_eq!(pair.session(Role::Esme).state(), State::Bound(BindKind::Transceiver));
}

#[test]
fn nothing_but_a_bind_can_be_asked_before_the_bind_and_nothing_at_all_while_it_is_under_way() {
    let mut pair = Pair::new(Setup::default());
    assert_eq!(pair.request(Role::Esme, CommandId::SUBMIT_SM), Err(Refused::WrongState));
    pair.request(Role::Esme, CommandId::BIND_TRANSMITTER).unwrap();
    assert_eq!(pair.request(Role::Esme, CommandId::BIND_TRANSMITTER), Err(Refused::WrongState));
    assert_eq!(pair.request(Role::Esme, CommandId::SUBMIT_SM), Err(Refused::WrongState));
}

#[test]
fn a_session_that_is_not_bound_hangs_up_without_unbind() {
    let mut pair = Pair::new(Setup::default());
    let number = pair.request(Role::Esme, CommandId::BIND_TRANSMITTER).unwrap();
    pair.unbind(Role::Esme);
    assert_eq!(
        pair.told(Role::Esme),
        [
            Told::Ended {
                token: 1,
                command: CommandId::BIND_TRANSMITTER,
                sequence: number,
                outcome: Outcome::Lost(Why::Dropped)
            },
            Told::Closed(Why::Dropped),
        ]
    );
}

#[test]
fn a_whole_session_reads_like_this() {
    let mut pair = Pair::new(Setup { latency_to_smsc: Duration::from_millis(40), ..Setup::default() });
    pair.request(Role::Esme, CommandId::BIND_TRANSCEIVER).unwrap();
    pair.advance(s(1));
    pair.answer(Role::Smsc, OK);
    pair.advance(s(1));
    pair.request(Role::Esme, CommandId::SUBMIT_SM).unwrap();
    pair.advance(s(1));
    pair.answer(Role::Smsc, OK);
    pair.request(Role::Smsc, CommandId::DELIVER_SM).unwrap();
    pair.advance(s(1));
    pair.answer(Role::Esme, OK);
    pair.advance(s(60));
    pair.unbind(Role::Smsc);
    pair.advance(s(1));
    // Without the fields of a message and of a bind.
    let short = |line: &str| {
        line.split(" service_type=").next().map(|line| line.split(" system_id=").next().map(str::to_owned))
    };
    let log: Vec<String> = pair.log().lines().filter_map(short).flatten().collect();
    insta::assert_snapshot!(log.join("\n"), @r#"
    0000.000 esme     seq=1 bind_transceiver
    0001.000     smsc seq=1 bind_transceiver_resp status=ESME_ROK
    0002.000 esme     seq=2 submit_sm
    0003.000     smsc seq=2 submit_sm_resp status=ESME_ROK message_id=""
    0003.000     smsc seq=1 deliver_sm
    0004.000 esme     seq=1 deliver_sm_resp status=ESME_ROK message_id=""
    0058.000 esme     seq=3 enquire_link
    0058.040     smsc seq=3 enquire_link_resp status=ESME_ROK
    0064.000     smsc seq=2 unbind
    0064.000 esme     seq=2 unbind_resp status=ESME_ROK
    0064.000 esme     hangs up: PeerUnbound
    0064.040     smsc hangs up: Unbound
    "#);
}
