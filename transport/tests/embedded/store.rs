//! What every store promises, over crashes.

use super::*;
use smpp_transport::bus::DeliveryStatus;
use smpp_transport::store::{Away, Early, Known, Matched, PartOf, Report};
use smpp_transport::text::message_id::decimal_to_hex;
use smpp_transport::text::{Charset, Outcome, PartAddress, PartKey, ReferenceKind, Segment, Shifts};

const NOW: Duration = Duration::from_secs(1_000_000);

fn part(message: &str, number: u8, total: u8) -> PartOf {
    PartOf { message: message.into(), number, total, ..PartOf::default() }
}

fn report(status: DeliveryStatus) -> Report {
    Report::new(status, "STAT", status != DeliveryStatus::Pending)
}

/// A receipt whose id may be written in any of these forms.
pub(super) fn early(forms: &[String], report: &Report) -> Early {
    Early {
        id: forms.first().cloned().unwrap_or_default(),
        id_in_text: None,
        forms: forms.to_vec(),
        guesses: Vec::new(),
        addresses: Vec::new(),
        report: report.clone(),
    }
}

fn either_base(decimal: &str) -> [String; 2] {
    [decimal.to_owned(), decimal_to_hex(decimal).unwrap()]
}

fn key(total: u8) -> PartKey {
    let address = |addr: &'static [u8]| PartAddress { ton: 1, npi: 1, addr: Bytes::from_static(addr) };
    PartKey { source: address(b"2782\xFF"), destination: address(b""), kind: ReferenceKind::Udh8, reference: 7, total }
}

fn segment(number: u8) -> Segment {
    let octets = Bytes::from(format!("part {number} "));
    Segment { number, charset: Charset::Gsm7(Shifts::default()), octets }
}

fn known(matched: Matched) -> Known {
    match matched {
        Matched::Known(known) => known,
        other => panic!("{other:?}"),
    }
}

async fn join(process: &Process, now: Duration, number: u8, total: u8) -> Outcome {
    process.store.join(now, &key(total), &segment(number)).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_receipt_finds_its_message_after_a_crash() {
    let process = Process::start(&Forgetful::new());
    assert_eq!(process.store.remember(NOW, "abcd", &part("m", 1, 2)).await, Ok(vec![]));
    assert_eq!(process.store.remember(NOW, "abce", &part("m", 2, 2)).await, Ok(vec![]));
    let process = process.crash().await;
    assert_eq!(process.store.accepted(NOW, "m").await.unwrap(), [1, 2]);
    let delivered = report(DeliveryStatus::Delivered);
    let matched =
        process.store.receipt(NOW, &early(&["43981".to_owned(), "abcd".to_owned()], &delivered)).await.unwrap();
    assert_eq!(known(matched).part, part("m", 1, 2));
    let process = process.crash().await;
    let matched = known(process.store.receipt(NOW, &early(&["abce".to_owned()], &delivered)).await.unwrap());
    assert_eq!((matched.reports, matched.is_repeated), (vec![Some(delivered.clone()); 2], false));
    assert!(known(process.store.receipt(NOW, &early(&["abce".to_owned()], &delivered)).await.unwrap()).is_repeated);
    // After a final receipt an id stays for an hour only, and that is remembered too.
    let process = process.crash().await;
    let later = NOW + Duration::from_secs(3_600);
    assert_eq!(process.store.accepted(later, "m").await, Ok(vec![]));
    assert_eq!(process.store.receipt(later, &early(&["abce".to_owned()], &delivered)).await, Ok(Matched::Held));
    let process = process.crash().await;
    assert_eq!(process.store.accepted(NOW, "m").await, Ok(vec![]), "what has expired is gone");
}

#[tokio::test(start_paused = true)]
async fn a_receipt_before_its_id_waits_over_a_crash_and_expires() {
    let process = Process::start(&Forgetful::new());
    let delivered = report(DeliveryStatus::Delivered);
    for id in ["10", "11", "10"] {
        assert_eq!(process.store.receipt(NOW, &early(&either_base(id), &delivered)).await, Ok(Matched::Held));
    }
    let process = process.crash().await;
    let waited = process.store.remember(NOW, "a", &part("m", 1, 1)).await.unwrap();
    assert_eq!(waited.iter().map(|early| early.forms[0].as_str()).collect::<Vec<_>>(), ["10", "10"], "10 is 0x0a");
    process.store.told(NOW, &waited[0]).await.unwrap();
    let process = process.crash().await;
    let until = NOW + Duration::from_secs(30);
    assert_eq!(process.store.next_expiry(), Some(until));
    let early = process.store.expire(until).await.unwrap().early;
    let left: Vec<_> = early.iter().map(|early| early.forms[0].as_str()).collect();
    assert_eq!(left, ["11", "10"], "one was not told, and one has no id");
    let process = process.crash().await;
    let again = process.store.expire(until + Duration::from_secs(30)).await.unwrap().early;
    assert_eq!(again, early, "they are held until they are told");
    for told in &again {
        process.store.told(until, told).await.unwrap();
    }
    let process = process.crash().await;
    assert_eq!((process.store.next_expiry(), process.store.expire(until).await), (None, Ok(Default::default())));
}

#[tokio::test(start_paused = true)]
async fn parts_are_joined_over_crashes_and_known_once_published() {
    let mut process = Process::start(&Forgetful::new());
    for number in [3, 1] {
        assert_eq!(join(&process, NOW, number, 3).await, Outcome::Waiting);
        process = process.crash().await;
        assert_eq!(join(&process, NOW, number, 3).await, Outcome::Duplicate);
    }
    for _ in 0..2 {
        let Outcome::Complete(joined) = join(&process, NOW, 2, 3).await else { panic!() };
        assert_eq!(joined.decode().text, "part 1 part 2 part 3 ");
        process = process.crash().await;
    }
    process.store.published(NOW, &key(3)).await.unwrap();
    process = process.crash().await;
    assert_eq!(join(&process, NOW, 2, 3).await, Outcome::Duplicate);
    let hour = NOW + Duration::from_secs(3_600);
    assert_eq!(process.store.next_expiry(), Some(hour));
    assert_eq!(process.store.expire(hour).await, Ok(Default::default()));
    process = process.crash().await;
    assert_eq!(join(&process, hour, 2, 3).await, Outcome::Waiting);
    process = process.crash().await;
    for at in [hour + hour, hour + hour + hour] {
        let given = process.store.expire(at).await.unwrap().incomplete;
        let segments: Vec<_> = given.iter().map(|given| given.message.segments.clone()).collect();
        assert_eq!(segments, [[segment(2)]], "it is given again, as nobody has told of it");
        process = process.crash().await;
        if at > hour + hour {
            process.store.told_incomplete(at, given[0].number).await.unwrap();
        }
    }
    let process = process.crash().await;
    assert_eq!((process.store.next_expiry(), process.store.expire(5 * hour).await), (None, Ok(Default::default())));
}

#[tokio::test(start_paused = true)]
async fn a_reference_is_not_used_twice_and_sequence_numbers_are_all_there_are() {
    let mut process = Process::start(&Forgetful::new());
    for reference in 1..4 {
        assert_eq!(process.store.next_reference().await, Ok(reference));
        process = process.crash().await;
    }
    let numbers = process.store.take_numbers(NOW).await.unwrap();
    assert_eq!(numbers, 1..=0x7FFF_FFFF);
    assert_eq!(process.store.keep_numbers(NOW, &numbers).await, Ok(()));
    assert_eq!(process.store.give_back_numbers(&numbers).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn what_nobody_was_given_since_the_disk_was_full_is_given_later() {
    let disk = Forgetful::new();
    let process = Process::start(&disk);
    let delivered = report(DeliveryStatus::Delivered);
    assert_eq!(process.store.receipt(NOW, &early(&either_base("10"), &delivered)).await, Ok(Matched::Held));
    assert_eq!(process.store.receipt(NOW, &early(&either_base("11"), &delivered)).await, Ok(Matched::Held));
    assert_eq!(join(&process, NOW, 1, 2).await, Outcome::Waiting);
    disk.fill(true);
    let away = process.store.remember(NOW, "a", &part("m", 1, 1)).await;
    assert_eq!(away, Err(Away("transport.redb cannot be used: no space left on device".to_owned())));
    let later = NOW + Duration::from_secs(3_600);
    disk.fill(false);
    process.journal.failure().wait_for(Option::is_none).await.unwrap();
    let again = process.store.remember(NOW, "a", &part("m", 1, 1)).await.unwrap();
    assert_eq!(again.len(), 1, "the receipt is still there");
    process.store.told(NOW, &again[0]).await.unwrap();
    disk.fill(true);
    assert!(process.store.expire(later).await.is_err());
    let again = later + Duration::from_secs(30);
    assert_eq!(process.store.next_expiry(), Some(again));
    disk.fill(false);
    process.journal.failure().wait_for(Option::is_none).await.unwrap();
    let expired = process.store.expire(again).await.unwrap();
    assert_eq!((expired.incomplete.len(), expired.early.len()), (1, 1));
    process.store.told(again, &expired.early[0]).await.unwrap();
    process.store.told_incomplete(again, expired.incomplete[0].number).await.unwrap();
    let process = process.crash().await;
    assert_eq!(process.store.next_expiry(), None);
}

#[tokio::test(start_paused = true)]
async fn what_was_given_to_a_call_that_was_given_up_is_not_lost() {
    let process = Process::start(&Forgetful::new());
    let delivered = report(DeliveryStatus::Delivered);
    assert_eq!(process.store.receipt(NOW, &early(&either_base("10"), &delivered)).await, Ok(Matched::Held));
    let m = part("m", 1, 1);
    {
        let mut remembering = std::pin::pin!(process.store.remember(NOW, "a", &m));
        let polled =
            std::future::poll_fn(|context| std::task::Poll::Ready(remembering.as_mut().poll(context).is_ready()));
        assert!(!polled.await, "it waits for the disk");
    }
    process.settle().await;
    let process = process.crash().await;
    assert_eq!(process.store.remember(NOW, "a", &m).await.unwrap().len(), 1);
}
