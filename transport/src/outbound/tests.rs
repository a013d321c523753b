//! Guards what becomes of a message: its submit_sm, or why not.

use serde_json::json;

use super::*;
use crate::bus::message::Stamp;
use crate::pdu::TlvTag;

fn message(content: &str, change: Value) -> Message {
    let mut body = json!({"to_addr": "27821230001", "from_addr": "1001", "content": content});
    for (key, value) in change.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    let stamp = || Stamp { id: "m".into(), at: std::time::Duration::ZERO };
    Message::read(body.to_string().as_bytes(), stamp).unwrap()
}

fn parts(content: &str, change: Value, options: &SubmitOptions) -> Result<Vec<(Sm, Tlvs)>, Reject> {
    draft(&message(content, change), options)?.into_parts(0x0102)
}

fn one(content: &str, change: Value, options: &SubmitOptions) -> (Sm, Tlvs) {
    let mut parts = parts(content, change, options).unwrap();
    assert_eq!(parts.len(), 1);
    parts.pop().unwrap()
}

fn refused(content: &str, change: Value, options: &SubmitOptions) -> String {
    parts(content, change, options).unwrap_err().to_string()
}

#[test]
fn the_defaults_are_vumi2s() {
    let (sm, tlvs) = one("hello [1]", json!({}), &SubmitOptions::default());
    assert_eq!((sm.source_addr_ton.0, sm.source_addr_npi.0, sm.dest_addr_ton.0, sm.dest_addr_npi.0), (0, 0, 0, 1));
    assert_eq!((sm.source_addr.as_bytes(), sm.destination_addr.as_bytes()), (&b"1001"[..], &b"27821230001"[..]));
    assert_eq!(sm.short_message.as_bytes(), b"hello \x1b\x3c1\x1b\x3e");
    assert_eq!((sm.data_coding.0, sm.esm_class.0, sm.registered_delivery.0, tlvs.is_empty()), (0, 0, 0, true));
    let (sm, _) = one("", json!({"to_addr": "+27821230001"}), &SubmitOptions::default());
    assert_eq!((sm.destination_addr.as_bytes(), sm.short_message.as_bytes()), (&b"+27821230001"[..], &b""[..]));
}

#[test]
fn long_messages_go_as_they_are_told_to() {
    let text = "x".repeat(320);
    let with = |multipart| SubmitOptions { multipart, ..SubmitOptions::default() };
    let udh = parts(&text, json!({}), &with(MultipartHandling::Udh8)).unwrap();
    assert_eq!(udh.len(), 3);
    for ((sm, tlvs), number) in udh.iter().zip(1..) {
        assert_eq!((&sm.short_message.as_bytes()[..6], sm.esm_class.0), (&[5, 0, 3, 2, 3, number][..], 0x40));
        assert!(tlvs.is_empty());
    }
    let udh16 = parts(&text, json!({}), &with(MultipartHandling::Udh16)).unwrap();
    assert_eq!(udh16[2].0.short_message.as_bytes()[..7], [6, 8, 4, 1, 2, 3, 3]);
    let rolled = SubmitOptions { sar_reference_rollover: 0x100, ..with(MultipartHandling::Sar) };
    let sar = parts(&text, json!({}), &rolled).unwrap();
    let (sm, tlvs) = &sar[1];
    assert_eq!((tlvs.get_u16(TlvTag::SAR_MSG_REF_NUM), tlvs.get_u8(TlvTag::SAR_SEGMENT_SEQNUM)), (Some(2), Some(2)));
    assert_eq!((sm.esm_class.0, sm.short_message.as_bytes().len()), (0, 153));
    let (sm, tlvs) = one(&text, json!({}), &with(MultipartHandling::Payload));
    assert_eq!((sm.short_message.as_bytes(), tlvs.get(TlvTag::MESSAGE_PAYLOAD).unwrap().len()), (&b""[..], 320));
    assert_eq!(
        refused(&text, json!({}), &SubmitOptions::default()),
        "content: 320 octets, allowed are 254 in one short message; multipart_handling says how longer ones are sent"
    );
    let few = SubmitOptions { parts_max: 2, ..with(MultipartHandling::Udh8) };
    assert_eq!(refused(&text, json!({}), &few), "content: 3 parts, allowed are 2");
    let words = refused(&"x".repeat(40_000), json!({}), &with(MultipartHandling::Udh8));
    assert!(words.contains("262 parts; allowed are 255"), "{words}");
}

#[test]
fn a_text_that_cannot_be_written_is_refused_replaced_or_written_otherwise() {
    let with = |unencodable| SubmitOptions { unencodable, ..SubmitOptions::default() };
    let words = refused("hi 😀", json!({}), &with(Unencodable::Nack));
    assert!(words.starts_with("content: character '😀' (U+1F600) at index 3"), "{words}");
    assert_eq!(one("hi 😀", json!({}), &with(Unencodable::Replace)).0.short_message.as_bytes(), b"hi ?");
    let (sm, _) = one("Ελλάδα, ça", json!({}), &with(Unencodable::Transliterate));
    assert_eq!((sm.data_coding.0, String::from_utf8_lossy(sm.short_message.as_bytes())), (0, "Ellada, ca".into()));
    let auto = SubmitOptions { coding: Coding::Auto(Repertoire::default()), ..SubmitOptions::default() };
    assert_eq!([one("hi", json!({}), &auto).0.data_coding.0, one("да", json!({}), &auto).0.data_coding.0], [0, 8]);
}

#[test]
fn addresses_are_checked_and_numbered() {
    let options = SubmitOptions {
        source: Numbering::default(),
        destination: Numbering::default(),
        strip_plus: true,
        ..SubmitOptions::default()
    };
    for (from, expected) in
        [("Bank", (5, 0)), ("12345", (3, 0)), ("+12345", (1, 1)), ("27821230001", (1, 1)), ("", (0, 0))]
    {
        let (sm, _) = one("", json!({"from_addr": from}), &options);
        assert_eq!((sm.source_addr_ton.0, sm.source_addr_npi.0), expected, "{from}");
        assert!(!sm.source_addr.as_bytes().contains(&b'+'));
    }
    let long = "1".repeat(21);
    let words = refused("", json!({"to_addr": long}), &options);
    assert_eq!(words, format!("to_addr: {long:?} has 21 characters, allowed are 20"));
    assert!(refused("", json!({"from_addr": "ж"}), &options).contains("not in Latin-1"));
    assert!(refused("", json!({"from_addr": "a\0b"}), &options).starts_with("from_addr"));
}

#[test]
fn a_message_may_have_settings_of_its_own() {
    let smpp = json!({"transport_metadata": {"other": 1, "smpp": {
        "data_coding": "UCS2", "service_type": "CMT", "source_addr_ton": "ALPHANUMERIC", "dest_addr_npi": 8,
        "registered_delivery": 17, "validity_period": 3600, "priority_flag": 2, "protocol_id": 64, "esm_class": 128,
        "replace_if_present": true, "schedule_delivery_time": "261123100000000+", "multipart_handling": "multipart_udh16",
        "tlvs": [{"tag": "0x1401", "value_hex": "01 ff"}, {"tag": 5122, "value_text": "campaign"}],
    }}});
    let (sm, tlvs) = one("hi", smpp, &SubmitOptions::default());
    assert_eq!((sm.data_coding.0, sm.short_message.as_bytes()), (8, &b"\0h\0i"[..]));
    assert_eq!((sm.source_addr_ton.0, sm.source_addr_npi.0, sm.dest_addr_ton.0, sm.dest_addr_npi.0), (5, 0, 0, 8));
    assert_eq!(sm.validity_period.as_bytes(), b"000000010000000R");
    assert_eq!((sm.registered_delivery.0, sm.priority_flag, sm.protocol_id, sm.esm_class.0), (17, 2, 64, 128));
    assert_eq!((sm.replace_if_present_flag, sm.service_type.as_bytes()), (1, &b"CMT"[..]));
    assert_eq!(tlvs.get(TlvTag(0x1401)).unwrap()[..], [1, 255]);
    assert_eq!(tlvs.get(TlvTag(5122)).unwrap()[..], *b"campaign\0");
}

#[test]
fn a_reply_that_brings_the_metadata_of_an_inbound_message_is_sent_as_if_it_brought_none() {
    let plain = one("hi", json!({}), &SubmitOptions::default());
    for smpp in [
        json!({"command": "deliver_sm", "esm_class": 4, "data_coding": 8, "source_addr_ton": 5, "dest_addr_npi": 9,
            "service_type": "WAP", "tlvs": [{"tag": "0x1401", "name": "source_port", "value_hex": "00"}]}),
        json!({"command": "data_sm", "data_coding": 4, "content_hex": "00ff"}),
        json!({"missing_parts": [1], "total_parts": 2}),
    ] {
        let reply = one("hi", json!({"transport_metadata": {"smpp": smpp}}), &SubmitOptions::default());
        assert_eq!(reply, plain);
    }
}

#[test]
fn a_setting_that_is_wrong_is_refused_by_name() {
    for (key, value, words) in [
        ("data_codin", json!(1), "transport_metadata.smpp.data_codin: is not known; there are data_coding, "),
        ("data_coding", json!("KLINGON"), "allowed are auto, SMSC_DEFAULT_ALPHABET"),
        ("data_coding", json!(256), "256: allowed are auto"),
        ("priority_flag", json!(4), "4: allowed are 0 to 3"),
        ("service_type", json!("TOOLONG"), "has 7 characters, allowed are 5"),
        ("registered_delivery", json!(32), "allowed are 0 to 31"),
        ("validity_period", json!("soon"), "validity_period"),
        ("source_addr_ton", json!("LOCAL"), "allowed are UNKNOWN, INTERNATIONAL"),
        ("multipart_handling", json!("udh"), "allowed are short_message"),
        ("replace_if_present", json!("yes"), "allowed are true and false"),
        ("tlvs", json!([{"tag": 0, "value_hex": ""}]), "[0]: tag: 0: allowed are 1 to 65535"),
        ("tlvs", json!([{"tag": 1, "value_hex": "0"}]), "value_hex"),
        ("tlvs", json!([{"tag": 1}]), "either value_hex or value_text"),
    ] {
        let refused = refused("", json!({"transport_metadata": {"smpp": {key: value}}}), &SubmitOptions::default());
        assert!(refused.contains(words) && refused.contains(key), "{refused}");
    }
    let refused = refused("", json!({"transport_metadata": {"smpp": 5}}), &SubmitOptions::default());
    assert_eq!(refused, "transport_metadata.smpp: 5 is no object");
}

#[test]
fn a_message_of_a_dialogue_is_marked_as_one() {
    let dialect = ussd::Dialect { session: ussd::SessionKey::ItsSessionInfo, ..ussd::Dialect::default() };
    let options = SubmitOptions { ussd: dialect, ..SubmitOptions::default() };
    let change = json!({"transport_type": "ussd", "session_event": "close",
        "transport_metadata": {"session_info": {"session_identifier": "0a02"}}});
    let (sm, tlvs) = one("bye", change.clone(), &options);
    assert_eq!((sm.service_type.as_bytes(), tlvs.get_u8(TlvTag::USSD_SERVICE_OP)), (&b"USSD"[..], Some(17)));
    assert_eq!(tlvs.get(TlvTag::ITS_SESSION_INFO).unwrap()[..], [10, 3]);
    let (sm, tlvs) = one("bye", change, &SubmitOptions::default());
    assert!(sm.service_type.is_empty() && tlvs.is_empty(), "USSD is off");
}

#[test]
fn a_text_of_too_many_parts_is_refused_or_its_end_is_left_out() {
    let refuses = SubmitOptions { multipart: MultipartHandling::Udh8, parts_max: 2, ..SubmitOptions::default() };
    let text = "x".repeat(400);
    assert_eq!(refused(&text, json!({}), &refuses), "content: 3 parts, allowed are 2");
    let truncates = SubmitOptions { too_many_parts: TooManyParts::Truncate, ..refuses };
    let draft = draft(&message(&text, json!({})), &truncates).unwrap();
    assert_eq!(draft.left_out(), 400 - 2 * 153);
    let parts = draft.into_parts(7).unwrap();
    let headers: Vec<_> = parts.iter().map(|(sm, _)| sm.short_message.as_bytes()[..6].to_vec()).collect();
    assert_eq!(headers, [[5, 0, 3, 7, 2, 1], [5, 0, 3, 7, 2, 2]], "a message that is whole");
    let short = super::draft(&message("short", json!({})), &truncates).unwrap();
    assert_eq!((short.left_out(), short.into_parts(7).unwrap().len()), (0, 1));
}

#[test]
fn a_message_brings_only_the_parameters_that_it_may() {
    let brings = json!({"transport_metadata": {"smpp": {"tlvs": [{"tag": "0x1402", "value_hex": "01"}]}}});
    let options = SubmitOptions { tlvs_allowed: Some(vec![TlvTag(0x1402)]), ..SubmitOptions::default() };
    assert_eq!(one("hi", brings.clone(), &options).1.get(TlvTag(0x1402)).unwrap()[..], [1]);
    for allowed in [vec![], vec![TlvTag(0x1401)]] {
        let options = SubmitOptions { tlvs_allowed: Some(allowed), ..SubmitOptions::default() };
        let words = refused("hi", brings.clone(), &options);
        assert!(words.contains("tlvs: [0]: tag: 0x1402 is not in tlv.from_metadata"), "{words}");
    }
    assert_eq!(one("hi", brings, &SubmitOptions::default()).1.get(TlvTag(0x1402)).unwrap()[..], [1], "any");
}

#[test]
fn a_coding_is_written_as_the_smsc_means_it() {
    let jis =
        SubmitOptions { coding: Coding::Fixed(DataCoding::JIS, DefaultAlphabet::Gsm7), ..SubmitOptions::default() };
    assert_eq!(one("こ", json!({}), &jis).0.short_message.as_bytes(), b"\x1b$B$3\x1b(B", "as vumi2 does");
    let shift_jis = SubmitOptions { data_coding_overrides: [(5, Charset::ShiftJis)].into(), ..jis };
    let (sm, _) = one("こ", json!({}), &shift_jis);
    assert_eq!((sm.data_coding, sm.short_message.as_bytes()), (DataCoding::JIS, &b"\x82\xb1"[..]));
}

#[test]
fn a_validity_of_nothing_is_no_validity() {
    for (value, expected) in [
        (json!(0), ""),
        (json!(0.0), ""),
        (json!("0"), ""),
        (json!(""), ""),
        (json!("000000000000000R"), ""),
        (json!(null), ""),
        (json!(1), "000000000001000R"),
        (json!(60.0), "000000000100000R"),
        (json!("3600"), "000000010000000R"),
        (json!("000000000001000R"), "000000000001000R"),
        (json!("261123100000000+"), "261123100000000+"),
    ] {
        for key in ["validity_period", "schedule_delivery_time"] {
            let change = json!({"transport_metadata": {"smpp": {key: value}}});
            let (sm, _) = one("hi", change, &SubmitOptions::default());
            let sent = if key == "validity_period" { &sm.validity_period } else { &sm.schedule_delivery_time };
            assert_eq!(sent.to_string(), expected, "{key}: {value}");
        }
    }
    for value in
        [json!(-1), json!(0.5), json!(1e300), json!("soon"), json!("-1"), json!([0]), json!(true), json!(8_640_000)]
    {
        for key in ["validity_period", "schedule_delivery_time"] {
            let words = refused("hi", json!({"transport_metadata": {"smpp": {key: value}}}), &SubmitOptions::default());
            assert!(words.starts_with(&format!("transport_metadata.smpp.{key}: ")), "{words}");
        }
    }
    let none = json!({"transport_metadata": {"smpp": {"validity_period": 0}}});
    let usual = SubmitOptions { validity_period: "000000010000000R".parse().unwrap(), ..SubmitOptions::default() };
    assert!(one("hi", none, &usual).0.validity_period.is_empty(), "the message counts before the configuration");
}

#[test]
fn text_is_composed_before_its_alphabet_is_chosen() {
    let auto = SubmitOptions { coding: Coding::Auto(Repertoire::default()), ..SubmitOptions::default() };
    let (sm, _) = one("U\u{308}ber man\u{303}ana", json!({}), &auto);
    assert_eq!((sm.data_coding.0, sm.short_message.as_bytes()), (0, &b"\x5eber ma\x7dana"[..]));
    for unencodable in [Unencodable::Nack, Unencodable::Replace, Unencodable::Transliterate] {
        let options = SubmitOptions { unencodable, ..SubmitOptions::default() };
        assert_eq!(one("e\u{301}t\u{e9}", json!({}), &options).0.short_message.as_bytes(), b"\x05t\x05");
    }
    let ucs2 =
        SubmitOptions { coding: Coding::Fixed(DataCoding::UCS2, DefaultAlphabet::Gsm7), ..SubmitOptions::default() };
    assert_eq!(one("e\u{301}", json!({}), &ucs2).0.short_message.as_bytes(), b"\0\xe9");
}

#[test]
fn typographic_characters_make_no_text_longer_if_they_may_be_replaced() {
    let auto = SubmitOptions { coding: Coding::Auto(Repertoire::default()), ..SubmitOptions::default() };
    let smart = SubmitOptions { unencodable: Unencodable::Transliterate, ..auto.clone() };
    for (text, plain) in [
        ("It\u{2019}s \u{201c}ok\u{201d} \u{2013} bye\u{2026}", "It's \"ok\" - bye..."),
        ("\u{201e}ja\u{201c}", "\"ja\""),
        ("\u{ab}oui\u{a0}\u{bb}", "\"oui \""),
        ("100\u{202f}\u{20ac}", "100 \u{20ac}"),
        ("a\u{200b}b", "ab"),
        ("\u{2022} one", "* one"),
        ("5\u{2032}", "5'"),
        ("\u{2212}5", "-5"),
    ] {
        assert_eq!(one(text, json!({}), &auto).0.data_coding.0, 8, "{text}");
        let (sm, _) = one(text, json!({}), &smart);
        let (data_coding, sent) = (sm.data_coding.0, sm.short_message.as_bytes());
        assert_eq!((data_coding, sent), (0, &Charset::GSM7.encode(plain).unwrap()[..]), "{text}");
    }
    // Where the text stays in UCS-2, it stays as it is.
    for text in ["\u{201c}да\u{201d}", "\u{2019}😀", "Привет", "ελ"] {
        let (sm, _) = one(text, json!({}), &smart);
        assert_eq!((sm.data_coding.0, sm.short_message.as_bytes()), (8, &Charset::Ucs2.encode(text).unwrap()[..]));
    }
    let nacks = SubmitOptions { unencodable: Unencodable::Nack, ..auto };
    assert_eq!(one("\u{2019}", json!({}), &nacks).0.data_coding.0, 8);
}

#[test]
fn ton_and_npi_are_taken_by_name_and_by_number() {
    for (value, expected) in [
        (json!(5), 5),
        (json!("5"), 5),
        (json!("ALPHANUMERIC"), 5),
        (json!("alphanumeric"), 5),
        (json!(99), 99),
        (json!("SUBSCRIBER_NUMBER"), 4),
        (json!("SUBSCRIBER"), 4),
        (json!(0), 0),
        (json!(255), 255),
    ] {
        for key in ["source_addr_ton", "dest_addr_ton"] {
            let (sm, _) = one("hi", json!({"transport_metadata": {"smpp": {key: value}}}), &SubmitOptions::default());
            let sent = if key == "source_addr_ton" { sm.source_addr_ton } else { sm.dest_addr_ton };
            assert_eq!(sent.0, expected, "{key}: {value}");
        }
    }
    for (value, expected) in
        [(json!(1), 1), (json!("1"), 1), (json!("ISDN"), 1), (json!("WAP_CLIENT_ID"), 18), (json!(7), 7)]
    {
        for key in ["source_addr_npi", "dest_addr_npi"] {
            let (sm, _) = one("hi", json!({"transport_metadata": {"smpp": {key: value}}}), &SubmitOptions::default());
            let sent = if key == "source_addr_npi" { sm.source_addr_npi } else { sm.dest_addr_npi };
            assert_eq!(sent.0, expected, "{key}: {value}");
        }
    }
    for value in [json!(256), json!(-1), json!("256"), json!("LOCAL"), json!(1.5), json!([])] {
        for key in ["source_addr_ton", "source_addr_npi", "dest_addr_ton", "dest_addr_npi"] {
            let words = refused("hi", json!({"transport_metadata": {"smpp": {key: value}}}), &SubmitOptions::default());
            assert!(words.contains("allowed are UNKNOWN") && words.contains(key), "{words}");
        }
    }
}

#[test]
fn esm_class_and_the_stored_text_are_those_of_the_options_or_of_the_message() {
    let options = SubmitOptions {
        esm_class: 3,
        sm_default_msg_id: 7,
        multipart: MultipartHandling::Udh8,
        ..SubmitOptions::default()
    };
    let (sm, _) = one("hi", json!({}), &options);
    assert_eq!((sm.esm_class.0, sm.sm_default_msg_id), (3, 7));
    let change = json!({"transport_metadata": {"smpp": {"esm_class": 0, "sm_default_msg_id": 9}}});
    let (sm, _) = one("hi", change, &options);
    assert_eq!((sm.esm_class.0, sm.sm_default_msg_id), (0, 9));
    let long = parts(&"x".repeat(200), json!({}), &options).unwrap();
    assert!(long.iter().all(|(sm, _)| sm.esm_class.0 == 0x43), "store and forward, with a header");
    let words = refused("hi", json!({"transport_metadata": {"smpp": {"sm_default_msg_id": 256}}}), &options);
    assert!(words.contains("sm_default_msg_id: 256: allowed are 0 to 255"), "{words}");
}

#[test]
fn receipts_are_asked_for_the_last_part_only_if_that_is_wanted() {
    for (multipart, count) in [(MultipartHandling::Udh8, 3), (MultipartHandling::Udh16, 3), (MultipartHandling::Sar, 3)]
    {
        for last_only in [false, true] {
            let options = SubmitOptions {
                multipart,
                registered_delivery: RegisteredDelivery(0x11),
                receipt_of_last_part_only: last_only,
                ..SubmitOptions::default()
            };
            let parts = parts(&"x".repeat(400), json!({}), &options).unwrap();
            let asked: Vec<u8> = parts.iter().map(|(sm, _)| sm.registered_delivery.0).collect();
            let others = if last_only { 0 } else { 0x11 };
            assert_eq!(asked, [others, others, 0x11], "{multipart:?}");
            assert_eq!(parts.len(), count);
            assert_eq!(one("short", json!({}), &options).0.registered_delivery.0, 0x11);
        }
    }
}

#[test]
fn times_are_periods_or_moments() {
    let options = SubmitOptions {
        validity_period: "000001000000000R".parse().unwrap(),
        schedule_delivery_time: "000000000030000R".parse().unwrap(),
        absolute_times: true,
        ..SubmitOptions::default()
    };
    // 2026-11-28 23:59:45 UTC.
    let now = std::time::Duration::from_secs(1_795_910_385);
    let sent = |change: Value, options: &SubmitOptions| {
        let draft = draft(&message("hi", change), options).unwrap().at(now);
        let (sm, _) = draft.into_parts(1).unwrap().pop().unwrap();
        (sm.validity_period.to_string(), sm.schedule_delivery_time.to_string())
    };
    let of = |validity: &str, schedule: &str| (validity.to_owned(), schedule.to_owned());
    assert_eq!(sent(json!({}), &options), of("261129235945000+", "261129000015000+"));
    let own = json!({"transport_metadata": {"smpp": {"validity_period": 60, "schedule_delivery_time": 0}}});
    assert_eq!(sent(own, &options), of("261129000045000+", ""));
    let moment = json!({"transport_metadata": {"smpp": {"validity_period": "300101000000004+"}}});
    assert_eq!(sent(moment, &options).0, "300101000000004+");
    let periods = SubmitOptions { absolute_times: false, ..options };
    assert_eq!(sent(json!({}), &periods), of("000001000000000R", "000000000030000R"));
}
