//! Guards what a store knows, without a clock.

use super::*;
use crate::bus::DeliveryStatus;
use crate::store::Known;

const NOW: Duration = Duration::from_secs(1_000_000);

fn part(message: &str, number: u8, total: u8) -> PartOf {
    PartOf { message: message.into(), number, total, ..PartOf::default() }
}

fn report(status: DeliveryStatus) -> Report {
    Report::new(status, "STAT", status != DeliveryStatus::Pending)
}

/// A receipt whose id may be written in any of these forms.
fn early(forms: &[String], report: &Report) -> Early {
    Early {
        id: forms.first().cloned().unwrap_or_default(),
        id_in_text: None,
        forms: forms.to_vec(),
        guesses: Vec::new(),
        addresses: Vec::new(),
        report: report.clone(),
    }
}

fn table() -> Table {
    Table::new(StoreLimits { ids_max: 3, early_max: 2, ..StoreLimits::default() })
}

fn known(matched: Matched) -> Known {
    match matched {
        Matched::Known(known) => known,
        other => panic!("{other:?}"),
    }
}

/// The id as it is, and in the other base either way.
fn forms(id: &str) -> Vec<String> {
    use crate::text::message_id::{decimal_to_hex, hex_to_decimal, normal};
    [Some(normal(id)), decimal_to_hex(id), hex_to_decimal(id)].into_iter().flatten().collect()
}

#[test]
fn a_receipt_finds_its_message_and_its_copy_is_known_as_such() {
    let mut table = table();
    assert_eq!(table.remember(NOW, "abcd", &part("m", 2, 3)), []);
    let pending = known(table.receipt(NOW, &early(&forms("ABCD"), &report(DeliveryStatus::Pending))));
    assert_eq!((pending.part, pending.is_repeated), (part("m", 2, 3), false));
    let delivered = report(DeliveryStatus::Delivered);
    let first = known(table.receipt(NOW, &early(&forms("43981"), &delivered)));
    assert_eq!(first.reports, [None, Some(delivered.clone()), None], "in decimal too");
    assert!(known(table.receipt(NOW, &early(&forms("abcd"), &delivered))).is_repeated);
    let late = known(table.receipt(NOW, &early(&forms("abcd"), &report(DeliveryStatus::Pending))));
    assert_eq!(late.reports[1], Some(delivered), "what is final stays");
}

#[test]
fn a_receipt_before_its_id_waits_for_it_and_expires() {
    let mut table = table();
    let delivered = report(DeliveryStatus::Delivered);
    for id in ["10", "11"] {
        assert_eq!(table.receipt(NOW, &early(&forms(id), &delivered)), Matched::Held);
    }
    assert_eq!(table.receipt(NOW, &early(&forms("12"), &delivered)), Matched::Full, "too many");
    assert_eq!(table.receipt(NOW, &early(&[], &delivered)), Matched::Unknown, "no id at all");
    let waited = table.remember(NOW, "a", &part("m", 1, 1));
    assert_eq!(waited.iter().map(|early| early.forms[0].as_str()).collect::<Vec<_>>(), ["10"], "10 is 0x0a");
    assert_eq!(table.remember(NOW, "a", &part("m", 1, 1)), waited, "it stays until it is told");
    table.told(&waited[0]);
    assert_eq!(table.remember(NOW, "a", &part("m", 1, 1)), []);
    let until = NOW + Duration::from_secs(30);
    assert_eq!(table.next_expiry(), Some(until));
    assert_eq!(table.expire(until - Duration::from_millis(1)), Expired::default());
    let never = table.expire(until).early;
    assert_eq!(never.len(), 1);
    table.told(&never[0]);
    assert_eq!((table.next_expiry(), table.early_by_form.len()), (None, 0));
}

#[test]
fn ids_go_after_their_time_and_sooner_after_a_final_receipt() {
    let mut table = table();
    for (id, message) in [("1", "a"), ("2", "b")] {
        let _ = table.remember(NOW, id, &part(message, 1, 1));
    }
    let _ = table.receipt(NOW, &early(&forms("1"), &report(DeliveryStatus::Failed)));
    let hour = NOW + Duration::from_secs(3_600);
    assert_eq!(table.accepted(hour - Duration::from_secs(1), "a"), [1]);
    assert_eq!((table.accepted(hour, "a"), table.accepted(hour, "b")), (vec![], vec![1]));
    assert!(table.accepted(NOW + Duration::from_secs(7 * 86_400), "b").is_empty());
    assert_eq!((table.ids(), table.ids_by_end.len(), table.messages.len()), (0, 0, 0));
}

#[test]
fn an_id_that_is_used_again_stands_for_the_later_message_and_the_oldest_goes_first() {
    let mut table = table();
    for (at, (id, message)) in [("1", "a"), ("1", "b"), ("2", "c"), ("3", "d"), ("4", "e")].into_iter().enumerate() {
        let _ = table.remember(NOW + Duration::from_secs(at as u64), id, &part(message, 1, 1));
    }
    let of = |table: &mut Table, message| table.accepted(NOW, message).len();
    assert_eq!(["a", "b", "c", "d", "e"].map(|message| of(&mut table, message)), [0, 0, 1, 1, 1]);
    assert_eq!((table.ids(), table.ids_by_end.len(), table.messages.len()), (3, 3, 3));
}

#[test]
fn references_count_round() {
    let mut table = table();
    table.reference = u16::MAX - 1;
    assert_eq!([table.next_reference(), table.next_reference(), table.next_reference()], [u16::MAX, 0, 1]);
}
