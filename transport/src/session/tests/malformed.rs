//! Guards that what cannot be read is answered as the decoder says, from either role, and that its neighbours are not
//! touched by it.

use super::*;
use crate::pdu::{Body, Pdu};

const BOTH: [Role; 2] = [Role::Esme, Role::Smsc];

fn octets(command: CommandId, sequence: u32, rest: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + rest.len()).unwrap();
    let header = [length, command.0, 0, sequence].map(u32::to_be_bytes).concat();
    [&header[..], rest].concat()
}

fn enquire_link(sequence: u32) -> Vec<u8> {
    octets(CommandId::ENQUIRE_LINK, sequence, b"")
}

fn message_to(role: Role) -> CommandId {
    match role {
        Role::Esme => CommandId::DELIVER_SM,
        Role::Smsc => CommandId::SUBMIT_SM,
    }
}

fn resp(command: CommandId) -> CommandId {
    command.answer().unwrap()
}

#[test]
fn a_success_that_cannot_be_read_ends_its_request_as_unreadable() {
    for role in BOTH {
        let mut pair = Pair::bound(BindKind::Transceiver);
        let asked = message_to(role.peer());
        let number = pair.request(role, asked).unwrap();
        // A parameter that claims more octets than there are.
        pair.inject(role, octets(resp(asked), number, b"id\0\x04\x24\0\x09x"));
        pair.drive();
        let ended = ended(pair.told(role));
        assert!(matches!(&ended[..], [(ended, Outcome::Unreadable(_))] if *ended == number), "{ended:?}");
        assert_eq!(pair.session(role).state(), State::Bound(BindKind::Transceiver));
        pair.inject_pdu(role, OK, number, body(resp(asked)));
        assert_eq!(pair.told(role), [], "it does not end twice");
    }
}

#[test]
fn an_error_that_cannot_be_read_is_an_answer_with_its_status() {
    let failed = CommandStatus::ESME_RSUBMITFAIL;
    for (role, is_nack, status) in
        BOTH.into_iter().flat_map(|role| [(role, false, failed), (role, true, failed), (role, true, OK)])
    {
        let mut pair = Pair::bound(BindKind::Transceiver);
        let asked = message_to(role.peer());
        let number = pair.request(role, asked).unwrap();
        let command = if is_nack { CommandId::GENERIC_NACK } else { resp(asked) };
        let mut octets = octets(command, number, b"x\0x");
        octets[8..12].copy_from_slice(&status.0.to_be_bytes());
        pair.inject(role, octets);
        pair.drive();
        let ended = ended(pair.told(role));
        let [(ended, Outcome::Answered(pdu))] = &ended[..] else { panic!("{ended:?}") };
        assert_eq!((*ended, pdu.status, pdu.command_id()), (number, status, command));
        assert_eq!(pair.session(role).state(), State::Bound(BindKind::Transceiver));
    }
}

#[test]
fn a_refused_bind_that_cannot_be_read_is_a_refusal() {
    let mut pair = Pair::new(Setup::default());
    let number = pair.request(Role::Esme, CommandId::BIND_TRANSMITTER).unwrap();
    let mut octets = octets(CommandId::BIND_TRANSMITTER_RESP, number, b"no NUL");
    octets[8..12].copy_from_slice(&CommandStatus::ESME_RINVPASWD.0.to_be_bytes());
    pair.inject(Role::Esme, octets);
    pair.drive();
    let ended = ended(pair.told(Role::Esme));
    assert!(matches!(&ended[..], [(_, Outcome::Answered(pdu))] if pdu.status == CommandStatus::ESME_RINVPASWD));
    assert_eq!(pair.session(Role::Esme).state(), State::Open);
}

#[test]
fn an_answer_to_unbind_with_octets_too_many_is_an_answer() {
    for command in [CommandId::UNBIND_RESP, CommandId::GENERIC_NACK] {
        let mut pair = Pair::bound(BindKind::Transceiver);
        pair.flow(Role::Smsc, Flow::Lost);
        pair.unbind(Role::Esme);
        pair.inject(Role::Esme, octets(command, 2, b"x"));
        pair.drive();
        assert_eq!(pair.told(Role::Esme), [Told::Closed(Why::Unbound)]);
    }
}

#[test]
fn a_bind_response_that_cannot_be_read_closes() {
    let mut pair = Pair::new(Setup::default());
    let number = pair.request(Role::Esme, CommandId::BIND_TRANSMITTER).unwrap();
    pair.inject(Role::Esme, octets(CommandId::BIND_TRANSMITTER_RESP, number, b"no NUL"));
    pair.drive();
    let lost = Outcome::Lost(Why::Malformed);
    let told = pair.told(Role::Esme);
    assert_eq!(told.last(), Some(&Told::Closed(Why::Malformed)));
    assert_eq!(ended(told), [(number, lost)]);
}

#[test]
fn a_message_that_cannot_be_read_is_answered_with_its_own_response_and_its_neighbours_are_intact() {
    for role in BOTH {
        let mut pair = Pair::bound(BindKind::Transceiver);
        let asked = message_to(role);
        // Ends in the middle of source_addr.
        let bad = octets(asked, 41, b"\0\x01\x01447");
        let segment = [enquire_link(40), bad, Pdu::new(OK, 42, body(asked)).to_octets().to_vec(), enquire_link(43)];
        pair.inject(role, segment.concat());
        pair.drive();
        assert_eq!(
            sent(&mut pair, role),
            [
                (CommandId::ENQUIRE_LINK_RESP, OK, 40),
                (resp(asked), CommandStatus::ESME_RINVCMDLEN, 41),
                (CommandId::ENQUIRE_LINK_RESP, OK, 43),
            ]
        );
        assert!(matches!(&pair.told(role)[..], [Told::Request(pdu)] if pdu.sequence == 42));
        assert_eq!(pair.session(role).counters().malformed, 1);
    }
}

#[test]
fn a_field_that_is_wrong_is_answered_with_its_own_status() {
    let rows: [(CommandId, &[u8], CommandStatus); 5] = [
        (CommandId::SUBMIT_SM, b"7 chars!\0", CommandStatus::ESME_RINVSERTYP),
        (CommandId::SUBMIT_SM, b"\0\x01\x01123456789012345678901\0", CommandStatus::ESME_RINVSRCADR),
        (CommandId::SUBMIT_SM, b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x09short", CommandStatus::ESME_RINVMSGLEN),
        (
            CommandId::SUBMIT_SM,
            b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x04\x24\0\x09x",
            CommandStatus::ESME_RINVOPTPARSTREAM,
        ),
        (CommandId::QUERY_SM, b"an id without its NUL", CommandStatus::ESME_RINVCMDLEN),
    ];
    for (command, rest, status) in rows {
        let mut pair = Pair::bound(BindKind::Transceiver);
        pair.inject(Role::Smsc, octets(command, 9, rest));
        pair.drive();
        assert_eq!(sent(&mut pair, Role::Smsc), [(resp(command), status, 9)], "{rest:?}");
        assert_eq!(pair.session(Role::Smsc).state(), State::Bound(BindKind::Transceiver));
    }
}

#[test]
fn what_has_no_answer_gets_none_even_if_it_cannot_be_read() {
    let mut pair = Pair::bound(BindKind::Transceiver);
    pair.inject(Role::Esme, octets(CommandId::ALERT_NOTIFICATION, 5, b"\0"));
    pair.inject(Role::Esme, octets(CommandId::OUTBIND, 6, b"x"));
    pair.inject(Role::Esme, octets(CommandId::SUBMIT_SM_RESP, 6, b"x"));
    pair.inject(Role::Esme, octets(CommandId(0x8000_0111), 6, b"x"));
    pair.drive();
    assert_eq!(sent(&mut pair, Role::Esme), []);
    assert_eq!(pair.told(Role::Esme), []);
}

#[test]
fn a_length_that_cannot_be_is_nacked_and_the_session_closes_with_nothing_read_after_it() {
    for role in BOTH {
        for length in [0_u32, 1, 15, 70_001, 0x7FFF_FFFF, 0xFFFF_FFFF] {
            let mut pair = Pair::bound(BindKind::Transceiver);
            let number = pair.request(role, message_to(role.peer())).unwrap();
            let mut bad = enquire_link(40);
            bad[..4].copy_from_slice(&length.to_be_bytes());
            pair.inject(role, [enquire_link(39), bad, enquire_link(41)].concat());
            pair.drive();
            // Below 16 there is no header to take the number from.
            let echoed = if length < 16 { 0 } else { 40 };
            let nack = (CommandId::GENERIC_NACK, CommandStatus::ESME_RINVCMDLEN, echoed);
            assert_eq!(sent(&mut pair, role)[1..], [(CommandId::ENQUIRE_LINK_RESP, OK, 39), nack]);
            let told = pair.told(role);
            assert_eq!(told.last(), Some(&Told::Closed(Why::Malformed)));
            assert_eq!(ended(told), [(number, Outcome::Lost(Why::Malformed))]);
        }
    }
}

#[test]
fn octets_that_come_one_by_one_are_the_same_pdus() {
    let mut pair = Pair::bound(BindKind::Transceiver);
    let stream = [enquire_link(1), Pdu::new(OK, 2, body(CommandId::DELIVER_SM)).to_octets().to_vec(), enquire_link(3)];
    for octet in stream.concat() {
        pair.inject(Role::Esme, vec![octet]);
        pair.advance(Duration::from_millis(1));
    }
    assert!(matches!(&pair.told(Role::Esme)[..], [Told::Request(Pdu { body: Body::DeliverSm(_), sequence: 2, .. })]));
    assert_eq!(sent(&mut pair, Role::Esme).len(), 2);
}

#[test]
fn a_request_without_a_body_that_has_one_is_answered_with_command_length() {
    for (command, answer) in
        [(CommandId::ENQUIRE_LINK, CommandId::ENQUIRE_LINK_RESP), (CommandId::UNBIND, CommandId::UNBIND_RESP)]
    {
        let mut pair = Pair::bound(BindKind::Transceiver);
        pair.inject(Role::Esme, octets(command, 5, b"x"));
        pair.drive();
        assert_eq!(sent(&mut pair, Role::Esme), [(answer, CommandStatus::ESME_RINVCMDLEN, 5)]);
        assert_eq!(pair.session(Role::Esme).state(), State::Bound(BindKind::Transceiver));
    }
}
