//! Guards delivery receipts: what SMSCs write, what a message's own text may not forge, TLVs before text, round trips.

use proptest::prelude::*;

use super::*;
use crate::text::charset::Charset;

const USUAL: &str =
    "id:0000abcd sub:001 dlvrd:000 submit date:2501311200 done date:2501311201 stat:UNDELIV err:001 text:Hello world";

fn read(text: &str) -> Receipt {
    Receipt::from_text(text).unwrap()
}

fn date(digits: &str) -> Option<Civil> {
    Civil::parse_digits(digits.as_bytes()).ok()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn usual() -> Receipt {
    Receipt {
        id: some("0000abcd"),
        submitted: Some(1),
        delivered: Some(0),
        submit_date: date("2501311200"),
        done_date: date("2501311201"),
        state: Some(MessageState::UNDELIVERABLE),
        stat: some("UNDELIV"),
        error: some("001"),
        text: some("Hello world"),
        ..Receipt::default()
    }
}

#[test]
fn receipts_of_other_encoders_are_read() {
    assert_eq!(read(USUAL), usual());
    let mut tlvs = Tlvs::new();
    tlvs.push(TlvTag::MESSAGE_STATE, &[2]);
    tlvs.push(TlvTag::RECEIPTED_MESSAGE_ID, b"m1\0");
    let text =
        "id:m1 sub:001 dlvrd:001 submit date:2501311200 done date:2501311201 stat:DELIVRD err:000 text:Hello world";
    let receipt = Receipt::read(Some(text), &tlvs).unwrap();
    assert_eq!(
        (receipt.id.as_deref(), receipt.id_in_text, receipt.state),
        (Some("m1"), None, Some(MessageState::DELIVERED))
    );

    let mut tlvs = Tlvs::new();
    tlvs.push(TlvTag::RECEIPTED_MESSAGE_ID, b"m2\0");
    tlvs.push(TlvTag::MESSAGE_STATE, &[5]);
    tlvs.push(TlvTag::NETWORK_ERROR_CODE, &[3, 0, 0x22]);
    let receipt = Receipt::read(Some(""), &tlvs).unwrap();
    assert_eq!(receipt.network_error.unwrap().to_string(), "GSM 34");
    assert_eq!(Some(receipt), Receipt::from_tlvs(&tlvs));

    let text =
        "id:m3 sub:001 dlvrd:000 submit date:2501311200 done date:2501311201 stat:ACCEPTD err:000 text:Hello world";
    assert_eq!(read(text).state, Some(MessageState::ACCEPTED));
}

#[test]
fn fields_come_in_any_order_and_may_be_missing() {
    let receipt = read(
        "stat:UNDELIV err:001 id:0000abcd done date:2501311201 dlvrd:000 sub:001 submit date:2501311200 text:Hello world",
    );
    assert_eq!(receipt, usual());
    assert_eq!(read("id:1 stat:DELIVRD").state, Some(MessageState::DELIVERED));
    assert_eq!(read("id:1").id, some("1"), "nothing after the id");
    assert_eq!(read("  vendor:x ID: 7  foo STAT:expired\r\n").id, some("7"));
    assert_eq!(read("id: sub:001 stat:DELIVRD").id, None, "an empty id is none");
}

#[test]
fn labels_and_stats_are_read_in_any_case() {
    let receipt =
        read("Id:1 Sub:001 Dlvrd:001 Submit Date:2501311200 Done Date:2501311201 Stat:delivrd Err:000 Text:Hi");
    assert_eq!((receipt.state, receipt.stat.as_deref()), (Some(MessageState::DELIVERED), Some("delivrd")));
    assert_eq!((receipt.text.as_deref(), receipt.done_date), (Some("Hi"), date("2501311201")));
}

#[test]
fn an_unknown_stat_is_kept_and_is_no_state() {
    let receipt = read("id:1 stat:FAILED err:2A5f");
    assert_eq!(
        (receipt.state, receipt.stat.as_deref(), receipt.error.as_deref()),
        (None, Some("FAILED"), Some("2A5f"))
    );
}

#[test]
fn dates_come_in_three_widths_or_not_at_all() {
    for digits in ["2501311201", "250131120100", "20250131120100", "202501311201"] {
        assert_eq!(read(&format!("id:1 done date:{digits} stat:DELIVRD")).done_date, date("2501311201"), "{digits}");
    }
    for digits in ["", "0000000000", "25013", "yesterday"] {
        let receipt = read(&format!("id:1 done date:{digits} stat:DELIVRD"));
        assert_eq!((receipt.done_date, receipt.state), (None, Some(MessageState::DELIVERED)), "{digits:?}");
    }
}

#[test]
fn labels_inside_the_text_do_not_win() {
    let receipt = read("id:1 stat:DELIVRD err:000 text:id:7 stat:REJECTD");
    assert_eq!((receipt.id.as_deref(), receipt.stat.as_deref()), (Some("1"), Some("DELIVRD")));
    assert_eq!(receipt.text.as_deref(), Some("id:7 stat:REJECTD"));
    let receipt = read("id:1 err:000 text:stat:REJECTD");
    assert_eq!((receipt.stat, receipt.text.as_deref()), (None, Some("stat:REJECTD")), "missing is better than forged");
    let receipt = read("id:1 text:id:stat:done date:a");
    assert_eq!((receipt.stat, receipt.text.as_deref()), (None, Some("id:stat:done date:a")));
    let receipt = read("stat:DELIVRD text:done date:2501311200");
    assert_eq!((receipt.done_date, receipt.text.as_deref()), (None, Some("done date:2501311200")));
}

#[test]
fn fields_after_the_text_are_read_when_they_cannot_be_the_text() {
    let receipt = read(&format!("text:id:7 stat:EXPIRED {}", USUAL.split_once(" text:").unwrap().0));
    assert_eq!(Receipt { text: some("Hello world"), ..receipt.clone() }, usual());
    assert_eq!(receipt.text.as_deref(), Some(""), "the message's own labels are part of the row, and lose");
    let receipt = read("text:see id:7 now id:1 done date:2501311201 stat:EXPIRED");
    assert_eq!((receipt.id.as_deref(), receipt.text.as_deref()), (Some("1"), Some("see id:7 now")));
    let receipt = read("id:1 text:x id:7 done date:2501311201 stat:EXPIRED");
    assert_eq!(receipt.id.as_deref(), Some("1"), "what came before the text stays");
}

#[test]
fn a_text_is_not_a_receipt_unless_it_tells_an_id_or_a_stat() {
    for text in ["", "Hello", "text:id:1 stat:DELIVRD", "err:000 sub:001", "paid:7", "valid: yes"] {
        assert_eq!(Receipt::from_text(text), None, "{text}");
    }
}

#[test]
fn nuls_at_the_end_are_dropped_whatever_the_alphabet() {
    assert_eq!(read("id:1 stat:DELIVRD\0").stat, some("DELIVRD"));
    assert_eq!(receipt_text(Charset::GSM7, b"id:a_1 stat:DELIVRD err:000\0"), "id:a_1 stat:DELIVRD err:000");
    assert_eq!(receipt_text(Charset::Latin1, b"id:1\0\0"), "id:1");
    assert_eq!(receipt_text(Charset::Ucs2, b"\0i\0d\0:\0\x31\0\0"), "id:1");
    assert_eq!(receipt_text(Charset::Ucs2, b"\x04\x00"), "\u{400}");
}

#[test]
fn fields_are_ascii_and_the_text_is_in_its_own_alphabet() {
    assert_eq!(receipt_text(Charset::GSM7, b"id:a_@b err:\x11 Text:a\x1B\x65\x11"), "id:a_@b err:_ Text:a€_");
}

#[test]
fn tlvs_count_before_the_text_and_both_ids_are_kept() {
    let mut tlvs = Tlvs::new();
    tlvs.push(TlvTag::RECEIPTED_MESSAGE_ID, b"43981");
    tlvs.push(TlvTag::MESSAGE_STATE, &[0, 0, 0, 2]);
    tlvs.push(TlvTag::USER_MESSAGE_REFERENCE, &[0xFF, 0xFF]);
    let receipt = Receipt::read(Some(USUAL), &tlvs).unwrap();
    assert_eq!((receipt.id.as_deref(), receipt.id_in_text.as_deref()), (Some("43981"), Some("0000abcd")));
    assert_eq!((receipt.state, receipt.stat.as_deref()), (Some(MessageState::DELIVERED), Some("UNDELIV")));
    assert_eq!(receipt.user_message_reference, Some(0xFFFF));
}

#[test]
fn tlvs_of_the_wrong_length_are_read_if_the_value_fits() {
    let state = |octets: &[u8]| {
        let mut tlvs = Tlvs::new();
        tlvs.push(TlvTag::RECEIPTED_MESSAGE_ID, b"1\0\0");
        tlvs.push(TlvTag::MESSAGE_STATE, octets);
        Receipt::read(None, &tlvs).unwrap().state
    };
    assert_eq!(state(&[0, 5]), Some(MessageState::UNDELIVERABLE));
    assert_eq!(state(&[1, 5]), None);
    assert_eq!(state(&[]), None);
    assert_eq!(state(&[77]), Some(MessageState(77)), "unknown states are kept");
    let mut empty = Tlvs::new();
    empty.push(TlvTag::RECEIPTED_MESSAGE_ID, b"\0");
    assert_eq!(Receipt::read(None, &empty), None);
}

#[test]
fn every_state_has_a_stat_that_means_it() {
    for state in (0..=9).map(MessageState) {
        assert_eq!(stat_of_state(state).and_then(state_of_stat), Some(state));
    }
    assert_eq!(stat_of_state(MessageState::UNDELIVERABLE), Some("UNDELIV"));
    assert_eq!(stat_of_state(MessageState(10)), None);
}

#[test]
fn a_receipt_is_written_as_the_standard_shows() {
    assert_eq!(usual().to_text(DateForm::Minutes), USUAL);
    let receipt = Receipt { text: some("012345678901234567890123"), stat: None, ..usual() };
    let text = receipt.to_text(DateForm::LongYear);
    assert!(text.contains("done date:20250131120100 stat:UNDELIV"), "{text}");
    assert!(text.ends_with("text:01234567890123456789"), "{text}");
    assert!(receipt.to_text(DateForm::Seconds).contains("submit date:250131120000 "));
}

#[test]
fn an_id_that_its_tlv_cannot_hold_is_left_out() {
    let tlvs = |characters| Receipt { id: Some("1".repeat(characters)), ..Receipt::default() }.to_tlvs();
    assert_eq!(tlvs(64).get(TlvTag::RECEIPTED_MESSAGE_ID).unwrap().len(), 65);
    assert!(tlvs(65).is_empty() && tlvs(65_535).is_empty());
}

proptest! {
    #[test]
    fn a_receipt_is_read_as_it_was_written(
        id in "[0-9a-fA-F-]{1,64}",
        counts in any::<Option<(u16, u16)>>(),
        minutes in proptest::option::of(0_i64..35_000_000),
        state in proptest::option::of(0_u8..10),
        error in proptest::option::of("[0-9A-Za-z]{1,4}"),
        message in proptest::option::of("([a-z]|id:|stat:| |text:|err:)([a-zа-я:]|id:|stat:| |done date:){0,18}[a-z]"),
    ) {
        let when = minutes.map(|minutes| Civil::from_unix(minutes * 60));
        let state = state.map(MessageState);
        let receipt = Receipt {
            id: Some(id),
            submitted: counts.map(|counts| counts.0.into()),
            delivered: counts.map(|counts| counts.1.into()),
            submit_date: when,
            done_date: when,
            state,
            stat: state.and_then(stat_of_state).map(str::to_owned),
            error,
            text: message.map(|message| message.chars().take(TEXT_CHARACTERS_MAX).collect::<String>().trim_end().to_owned()),
            ..Receipt::default()
        };
        for form in [DateForm::Minutes, DateForm::Seconds, DateForm::LongYear] {
            let text = receipt.to_text(form);
            prop_assert_eq!(Receipt::read(Some(&text), &Tlvs::new()), Some(receipt.clone()), "{}", text);
            prop_assert_eq!(Receipt::read(Some(&text), &receipt.to_tlvs()), Some(receipt.clone()));
        }
    }

    #[test]
    fn any_text_is_a_receipt_or_none(text in "(id:|stat:|text:|done date:|\\PC| ){0,40}", octets in proptest::collection::vec(any::<u8>(), 0..40)) {
        let _ = Receipt::from_text(&text);
        let mut tlvs = Tlvs::new();
        tlvs.push(TlvTag::RECEIPTED_MESSAGE_ID, &octets);
        tlvs.push(TlvTag::MESSAGE_STATE, &octets);
        tlvs.push(TlvTag::NETWORK_ERROR_CODE, &octets);
        let _ = Receipt::read(Some(&receipt_text(Charset::GSM7, &octets)), &tlvs);
        let _ = receipt_text(Charset::Ucs2, &octets);
    }
}
