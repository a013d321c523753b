//! Every field has its status, and what is right passes. One row for each way to be wrong.

use bytes::Bytes;
use smpp_transport::pdu::{COctets, Destinations, EsmClass, Npi, ShortMessage, Ton};

use super::*;

/// 2026-01-01T00:00:00Z.
const NOW: Duration = Duration::from_secs(1_767_225_600);

fn sm() -> Sm {
    Sm {
        source_addr_ton: Ton::INTERNATIONAL,
        source_addr_npi: Npi::ISDN,
        source_addr: text("27820000001"),
        dest_addr_ton: Ton::INTERNATIONAL,
        dest_addr_npi: Npi::ISDN,
        destination_addr: text("27820000002"),
        short_message: ShortMessage::new(&b"hello"[..]).expect("short"),
        ..Sm::default()
    }
}

fn text<const N: usize>(text: &str) -> COctets<N> {
    text.parse().expect("short")
}

fn tlv(tag: TlvTag, value: &'static [u8]) -> Tlvs {
    [(tag, Bytes::from_static(value))].into_iter().collect()
}

fn sar(total: &'static [u8], number: &'static [u8]) -> Tlvs {
    let mut tlvs = tlv(TlvTag::SAR_MSG_REF_NUM, &[0, 1]);
    tlvs.push(TlvTag::SAR_TOTAL_SEGMENTS, total);
    tlvs.push(TlvTag::SAR_SEGMENT_SEQNUM, number);
    tlvs
}

fn judge(change: impl FnOnce(&mut Sm, &mut Tlvs), how: Strictness) -> Result<Times, CommandStatus> {
    let (mut sm, mut tlvs) = (sm(), Tlvs::new());
    change(&mut sm, &mut tlvs);
    check_sm(&sm, &tlvs, NOW, how)
}

type Change = fn(&mut Sm, &mut Tlvs);
type Row = (&'static str, CommandStatus, Change);

const WRONG: [Row; 40] = [
    ("service_type", CommandStatus::ESME_RINVSERTYP, |sm, _| sm.service_type = text("\u{1}")),
    ("source_addr_ton", CommandStatus::ESME_RINVSRCTON, |sm, _| sm.source_addr_ton = Ton(7)),
    ("source_addr_npi", CommandStatus::ESME_RINVSRCNPI, |sm, _| sm.source_addr_npi = Npi(2)),
    ("letters in a number", CommandStatus::ESME_RINVSRCADR, |sm, _| sm.source_addr = text("2782a")),
    ("a plus inside", CommandStatus::ESME_RINVSRCADR, |sm, _| sm.source_addr = text("27+82")),
    ("a plus alone", CommandStatus::ESME_RINVSRCADR, |sm, _| sm.source_addr = text("+")),
    ("12 letters", CommandStatus::ESME_RINVSRCADR, |sm, _| {
        (sm.source_addr_ton, sm.source_addr) = (Ton::ALPHANUMERIC, text("abcdefghijkl"));
    }),
    ("dest_addr_ton", CommandStatus::ESME_RINVDSTTON, |sm, _| sm.dest_addr_ton = Ton(0xFF)),
    ("dest_addr_npi", CommandStatus::ESME_RINVDSTNPI, |sm, _| sm.dest_addr_npi = Npi(5)),
    ("a space", CommandStatus::ESME_RINVDSTADR, |sm, _| sm.destination_addr = text("27 82")),
    ("no destination", CommandStatus::ESME_RINVDSTADR, |sm, _| sm.destination_addr = text("")),
    ("forward mode", CommandStatus::ESME_RINVESMCLASS, |sm, _| sm.esm_class = EsmClass(2)),
    ("an SMSC's receipt", CommandStatus::ESME_RINVESMCLASS, |sm, _| sm.esm_class = EsmClass(0x04)),
    ("conversation abort", CommandStatus::ESME_RINVESMCLASS, |sm, _| sm.esm_class = EsmClass(0x18)),
    ("intermediate notification", CommandStatus::ESME_RINVESMCLASS, |sm, _| sm.esm_class = EsmClass(0x20)),
    ("UDHI without header", CommandStatus::ESME_RINVESMCLASS, |sm, _| sm.esm_class = EsmClass::UDHI),
    ("UDHI of an empty message", CommandStatus::ESME_RINVESMCLASS, |sm, _| {
        (sm.esm_class, sm.short_message) = (EsmClass::UDHI, ShortMessage::default());
    }),
    ("priority_flag", CommandStatus::ESME_RINVPRTFLG, |sm, _| sm.priority_flag = 4),
    ("schedule is no time", CommandStatus::ESME_RINVSCHED, |sm, _| sm.schedule_delivery_time = text("tomorrow")),
    ("schedule as in responses", CommandStatus::ESME_RINVSCHED, |sm, _| {
        sm.schedule_delivery_time = text("270101000000");
    }),
    ("schedule has a bad p", CommandStatus::ESME_RINVSCHED, |sm, _| {
        sm.schedule_delivery_time = text("270101000000000X")
    }),
    ("schedule in the past", CommandStatus::ESME_RINVSCHED, |sm, _| {
        sm.schedule_delivery_time = text("251231235959000+")
    }),
    ("schedule in the past, further east", CommandStatus::ESME_RINVSCHED, |sm, _| {
        sm.schedule_delivery_time = text("260101005959004+");
    }),
    ("validity is no time", CommandStatus::ESME_RINVEXPIRY, |sm, _| sm.validity_period = text("000000000010000Z")),
    ("validity in the past", CommandStatus::ESME_RINVEXPIRY, |sm, _| sm.validity_period = text("251231235959000+")),
    ("validity before the schedule", CommandStatus::ESME_RINVEXPIRY, |sm, _| {
        sm.schedule_delivery_time = text("000000000010000R");
        sm.validity_period = text("000000000009000R");
    }),
    ("registered_delivery 3", CommandStatus::ESME_RINVREGDLVFLG, |sm, _| sm.registered_delivery.0 = 3),
    ("registered_delivery bit 5", CommandStatus::ESME_RINVREGDLVFLG, |sm, _| sm.registered_delivery.0 = 0x20),
    ("replace_if_present_flag", CommandStatus::ESME_RINVREPFLAG, |sm, _| sm.replace_if_present_flag = 2),
    ("sm_default_msg_id", CommandStatus::ESME_RINVDFTMSGID, |sm, _| sm.sm_default_msg_id = 1),
    ("two texts", CommandStatus::ESME_ROPTPARNOTALLWD, |_, tlvs| *tlvs = tlv(TlvTag::MESSAGE_PAYLOAD, b"x")),
    ("a header and sar", CommandStatus::ESME_ROPTPARNOTALLWD, |sm, tlvs| {
        (sm.esm_class, sm.short_message) = (EsmClass::UDHI, ShortMessage::new(&b"\0x"[..]).expect("short"));
        *tlvs = sar(&[2], &[1]);
    }),
    ("a header and ports", CommandStatus::ESME_ROPTPARNOTALLWD, |sm, tlvs| {
        (sm.esm_class, sm.short_message) = (EsmClass::UDHI, ShortMessage::new(&b"\0x"[..]).expect("short"));
        *tlvs = tlv(TlvTag::SOURCE_PORT, &[0, 1]);
    }),
    ("a header in the payload that overruns", CommandStatus::ESME_RINVESMCLASS, |sm, tlvs| {
        (sm.esm_class, sm.short_message) = (EsmClass::UDHI, ShortMessage::default());
        *tlvs = tlv(TlvTag::MESSAGE_PAYLOAD, &[5, 0, 3, 1, 2]);
    }),
    ("sar number 0", CommandStatus::ESME_RINVOPTPARAMVAL, |_, tlvs| *tlvs = sar(&[2], &[0])),
    ("sar number above the total", CommandStatus::ESME_RINVOPTPARAMVAL, |_, tlvs| *tlvs = sar(&[2], &[3])),
    ("sar total 0", CommandStatus::ESME_RINVOPTPARAMVAL, |_, tlvs| *tlvs = sar(&[0], &[1])),
    ("a parameter's length", CommandStatus::ESME_RINVPARLEN, |_, tlvs| {
        *tlvs = tlv(TlvTag::USER_MESSAGE_REFERENCE, &[1]);
    }),
    ("a parameter's range", CommandStatus::ESME_RINVOPTPARAMVAL, |_, tlvs| {
        *tlvs = tlv(TlvTag::PRIVACY_INDICATOR, &[4])
    }),
    ("number_of_messages", CommandStatus::ESME_RINVOPTPARAMVAL, |_, tlvs| {
        *tlvs = tlv(TlvTag::NUMBER_OF_MESSAGES, &[100]);
    }),
];

const RIGHT: [(&str, Change); 13] = [
    ("all as it was", |_, _| {}),
    ("no source", |sm, _| (sm.source_addr_ton, sm.source_addr_npi, sm.source_addr) = (Ton(0), Npi(0), text(""))),
    ("a plus before", |sm, _| sm.source_addr = text("+2782")),
    ("a service code", |sm, _| sm.destination_addr = text("*120*8864#")),
    ("11 letters", |sm, _| (sm.source_addr_ton, sm.source_addr) = (Ton::ALPHANUMERIC, text("abcdefghijk"))),
    ("an internet address", |sm, _| (sm.dest_addr_npi, sm.destination_addr) = (Npi::INTERNET, text("10.0.0.1:25"))),
    ("an unknown service", |sm, _| sm.service_type = text("XYZ")),
    ("store and forward, manual acknowledgement", |sm, _| sm.esm_class = EsmClass(0x13)),
    ("all that registered_delivery has", |sm, _| sm.registered_delivery.0 = 0x1E),
    ("one sar parameter is ignored", |_, tlvs| *tlvs = tlv(TlvTag::SAR_MSG_REF_NUM, &[0, 1])),
    ("sar", |_, tlvs| *tlvs = sar(&[2], &[2])),
    ("unknown parameters", |_, tlvs| *tlvs = tlv(TlvTag(0x1400), b"anything")),
    ("a payload", |sm, tlvs| {
        sm.short_message = ShortMessage::default();
        *tlvs = tlv(TlvTag::MESSAGE_PAYLOAD, b"x");
    }),
];

#[test]
fn every_field_has_its_status() {
    for (what, status, change) in WRONG {
        assert_eq!(judge(change, Strictness::Strict), Err(status), "{what}");
    }
}

#[test]
fn what_is_right_passes() {
    for (what, change) in RIGHT {
        assert_eq!(judge(change, Strictness::Strict), Ok(Times::default()), "{what}");
    }
}

#[test]
fn who_is_lenient_refuses_only_what_is_for_nobody() {
    for (what, _, change) in WRONG {
        let allowed = judge(change, Strictness::Lenient).map(|_| ());
        let expected = if what == "no destination" { Err(CommandStatus::ESME_RINVDSTADR) } else { Ok(()) };
        assert_eq!(allowed, expected, "{what}");
    }
}

#[test]
fn times_are_read_with_their_zone_and_counted_from_now() {
    let times = |schedule: &'static str, validity: &'static str, now: Duration| {
        let mut sm = sm();
        (sm.schedule_delivery_time, sm.validity_period) = (text(schedule), text(validity));
        let times = check_sm(&sm, &Tlvs::new(), now, Strictness::Strict).expect("right");
        (times.scheduled.map(|at| at.saturating_sub(NOW)), times.expires.map(|at| at.saturating_sub(NOW)))
    };
    let half = Duration::from_millis(500);
    let (one, day) = (Duration::from_secs(1), Duration::from_secs(86_400));
    assert_eq!(times("260101010001504+", "", NOW), (Some(one + half), None), "an hour east of UTC");
    assert_eq!(times("251231230001004-", "", NOW), (Some(one), None), "an hour west of UTC");
    assert_eq!(times("000000000001000R", "000001000000000R", NOW + half), (Some(one + half), Some(day + half)));
    assert_eq!(times("260101000000000+", "", NOW + half), (Some(Duration::ZERO), None), "this second is not past");
}

fn multi(destinations: Vec<Destination>) -> SubmitMulti {
    SubmitMulti { dest_address: Destinations::new(destinations).expect("few"), ..SubmitMulti::default() }
}

fn to(address: &str) -> Destination {
    Destination::Address { ton: Ton::INTERNATIONAL, npi: Npi::ISDN, address: text(address) }
}

#[test]
fn a_wrong_destination_of_several_is_refused_alone() {
    let sm = multi(vec![to("1"), to("x"), to("2"), to("")]);
    let checked = check_submit_multi(&sm, &Tlvs::new(), NOW, Strictness::Strict, &Lists::new()).expect("two are right");
    let texts: Vec<_> = checked.destinations.iter().map(Address::text).collect();
    assert_eq!(texts, ["1", "2"]);
    let refused: Vec<_> =
        checked.refused.iter().map(|one| (one.destination_addr.text(), one.error_status_code)).collect();
    let status = CommandStatus::ESME_RINVDSTADR;
    assert_eq!(refused, [("x".to_owned(), status), (String::new(), status)]);
    let all = check_submit_multi(&multi(vec![to("x")]), &Tlvs::new(), NOW, Strictness::Strict, &Lists::new());
    assert_eq!(all, Err(CommandStatus::ESME_RINVDSTADR), "none is right");
}

#[test]
fn submit_multi_knows_no_lists_and_replaces_nothing() {
    let list = || multi(vec![to("1"), Destination::List(text("friends"))]);
    let judge = |sm: &SubmitMulti, how| check_submit_multi(sm, &Tlvs::new(), NOW, how, &Lists::new());
    assert_eq!(judge(&list(), Strictness::Strict), Err(CommandStatus::ESME_RINVDLNAME));
    assert_eq!(judge(&list(), Strictness::Lenient).map(|checked| checked.destinations.len()), Ok(2));
    let replacing = SubmitMulti { replace_if_present_flag: 1, ..multi(vec![to("1")]) };
    assert_eq!(judge(&replacing, Strictness::Strict), Err(CommandStatus::ESME_RINVREPFLAG));
    for (status, change) in [
        (CommandStatus::ESME_RINVSERTYP, (|sm| sm.service_type = text("\u{1}")) as fn(&mut SubmitMulti)),
        (CommandStatus::ESME_RINVSRCTON, |sm| sm.source_addr_ton = Ton(7)),
        (CommandStatus::ESME_RINVESMCLASS, |sm| sm.esm_class = EsmClass(2)),
        (CommandStatus::ESME_RINVPRTFLG, |sm| sm.priority_flag = 4),
        (CommandStatus::ESME_RINVSCHED, |sm| sm.schedule_delivery_time = text("x")),
        (CommandStatus::ESME_RINVEXPIRY, |sm| sm.validity_period = text("x")),
        (CommandStatus::ESME_RINVREGDLVFLG, |sm| sm.registered_delivery.0 = 3),
        (CommandStatus::ESME_RINVDFTMSGID, |sm| sm.sm_default_msg_id = 255),
    ] {
        let mut sm = multi(vec![to("1")]);
        change(&mut sm);
        assert_eq!(judge(&sm, Strictness::Strict), Err(status));
    }
}

#[test]
fn data_sm_may_forward_and_has_its_validity_as_a_parameter() {
    let sm = DataSm { destination_addr: text("1"), esm_class: EsmClass(2), ..DataSm::default() };
    let tlvs = tlv(TlvTag::QOS_TIME_TO_LIVE, &[0, 0, 0, 9]);
    let times = check_data_sm(&sm, &tlvs, NOW, Strictness::Strict);
    let relative = Relative { scheduled: false, expires: true };
    assert_eq!(times, Ok(Times { scheduled: None, expires: Some(NOW + Duration::from_secs(9)), relative }));
    for how in [Strictness::Strict, Strictness::Lenient] {
        let nobody = check_data_sm(&DataSm::default(), &Tlvs::new(), NOW, how);
        assert_eq!(nobody, Err(CommandStatus::ESME_RINVDSTADR));
    }
    for (status, change) in [
        (CommandStatus::ESME_RINVSERTYP, (|sm| sm.service_type = text("\u{1}")) as fn(&mut DataSm)),
        (CommandStatus::ESME_RINVSRCNPI, |sm| sm.source_addr_npi = Npi(7)),
        (CommandStatus::ESME_RINVDSTTON, |sm| sm.dest_addr_ton = Ton(7)),
        (CommandStatus::ESME_RINVESMCLASS, |sm| sm.esm_class = EsmClass(0x04)),
        (CommandStatus::ESME_RINVREGDLVFLG, |sm| sm.registered_delivery.0 = 0x80),
    ] {
        let mut sm = sm.clone();
        change(&mut sm);
        assert_eq!(check_data_sm(&sm, &Tlvs::new(), NOW, Strictness::Strict), Err(status));
    }
}

#[test]
fn what_is_asked_of_messages_is_looked_at_too() {
    let strict = Strictness::Strict;
    let query = |id, ton| QuerySm { message_id: text(id), source_addr_ton: ton, ..QuerySm::default() };
    assert_eq!(check_query_sm(&query("1", Ton(1)), strict), Ok(()));
    assert_eq!(check_query_sm(&query("", Ton(1)), strict), Err(CommandStatus::ESME_RINVMSGID));
    assert_eq!(check_query_sm(&query("1", Ton(9)), strict), Err(CommandStatus::ESME_RINVSRCTON));

    let cancel = |id, to| CancelSm { message_id: text(id), destination_addr: text(to), ..CancelSm::default() };
    assert_eq!(check_cancel_sm(&cancel("1", ""), strict), Ok(()));
    assert_eq!(check_cancel_sm(&cancel("", "2"), strict), Ok(()));
    assert_eq!(check_cancel_sm(&cancel("", ""), strict), Err(CommandStatus::ESME_RINVDSTADR));
    assert_eq!(check_cancel_sm(&cancel("1", "x"), strict), Err(CommandStatus::ESME_RINVDSTADR));

    let replace = ReplaceSm { message_id: text("1"), ..ReplaceSm::default() };
    assert_eq!(check_replace_sm(&replace, NOW, strict), Ok(Times::default()));
    for (status, change) in [
        (CommandStatus::ESME_RINVMSGID, (|sm| sm.message_id = text("")) as fn(&mut ReplaceSm)),
        (CommandStatus::ESME_RINVSRCADR, |sm| sm.source_addr = text("x")),
        (CommandStatus::ESME_RINVSCHED, |sm| sm.schedule_delivery_time = text("x")),
        (CommandStatus::ESME_RINVEXPIRY, |sm| sm.validity_period = text("x")),
        (CommandStatus::ESME_RINVREGDLVFLG, |sm| sm.registered_delivery.0 = 3),
        (CommandStatus::ESME_RINVDFTMSGID, |sm| sm.sm_default_msg_id = 9),
    ] {
        let mut sm = replace.clone();
        change(&mut sm);
        assert_eq!(check_replace_sm(&sm, NOW, strict), Err(status));
    }
}

#[test]
fn a_bind_is_looked_at() {
    let bind = Bind { system_id: text("esme"), ..Bind::default() };
    assert_eq!(check_bind(&bind, Strictness::Strict), Ok(()));
    for (status, change) in [
        (CommandStatus::ESME_RINVSYSID, (|bind| bind.system_id = text("")) as fn(&mut Bind)),
        (CommandStatus::ESME_RINVSYSID, |bind| bind.system_id = text("\n")),
        (CommandStatus::ESME_RINVPASWD, |bind| bind.password = text("\n")),
        (CommandStatus::ESME_RINVSYSTYP, |bind| bind.system_type = text("\n")),
        (CommandStatus::ESME_RBINDFAIL, |bind| bind.addr_ton = Ton(7)),
        (CommandStatus::ESME_RBINDFAIL, |bind| bind.addr_npi = Npi(7)),
        (CommandStatus::ESME_RBINDFAIL, |bind| bind.address_range = text("27[")),
    ] {
        let mut bind = bind.clone();
        change(&mut bind);
        assert_eq!(check_bind(&bind, Strictness::Strict), Err(status));
        assert_eq!(check_bind(&bind, Strictness::Lenient), Ok(()));
    }
}
