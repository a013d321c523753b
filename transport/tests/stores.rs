//! Guards what every store promises, by asking all of them the same questions; and what Redis promises besides: that
//! processes share it, and what is left when it has been away.
#![cfg(feature = "service")]

use std::collections::BTreeSet;
use std::time::Duration;

use smpp_transport::bus::DeliveryStatus;
use smpp_transport::store::{
    Aggregate, Early, Expired, GivenUp, Known, Matched, Memory, Next, PartOf, Report, Store, StoreLimits,
    address_digits,
};
use smpp_transport::text::{
    Charset, JoinLimits, Language, Outcome, PartAddress, PartKey, ReferenceKind, Refusal, Segment, Shifts, message_id,
};

#[cfg(feature = "redis")]
#[path = "stores/redis.rs"]
mod redis;
#[cfg(feature = "redis")]
#[path = "servers/redis.rs"]
mod server;
#[cfg(feature = "redis")]
mod servers;

const NOW: Duration = Duration::from_secs(1_790_000_000);
const SECOND: Duration = Duration::from_secs(1);

/// Makes stores to ask.
trait World {
    /// A store that knows nothing.
    fn empty(&self, limits: StoreLimits) -> Store;
}

/// Asks a world all questions.
macro_rules! ask {
    ($name:ident, $world:expr) => {
        ask!(@ $name, $world;
            a_receipt_finds_its_message_and_its_copy_is_known_as_such,
            a_receipt_before_its_id_waits_for_it_and_expires,
            a_clock_that_was_ahead_holds_no_receipt_for_longer,
            no_more_receipts_wait_than_may,
            ids_go_after_their_time_and_sooner_after_a_final_receipt,
            an_id_that_is_used_again_stands_for_the_later_message_and_the_oldest_goes_first,
            what_is_reported_of_each_part_is_kept_until_its_last_id_is_gone,
            a_part_that_takes_the_only_id_of_another_part_leaves_it_accepted,
            parts_wait_for_each_other_and_are_complete_until_published,
            messages_that_wait_for_parts_are_counted,
            all_parts_again_are_the_message_again,
            a_part_that_differs_begins_another_message,
            parts_that_were_never_joined_are_given_up_in_the_order_of_their_times,
            a_clock_that_was_ahead_holds_no_part_for_longer,
            what_has_expired_is_given_again_until_it_is_told,
            no_more_parts_are_taken_than_can_be_given_up,
            what_is_refused_is_not_held,
            finished_messages_make_room,
            references_count_up,
            numbers_are_numbers_of_smpp_and_can_be_kept_and_given_back,
            a_guess_counts_only_for_a_message_to_one_of_the_addresses,
            a_final_state_stays_and_what_contradicts_it_is_late,
            parts_without_an_id_are_not_waited_for,
            one_id_for_all_parts_is_one_receipt_for_all,
            a_receipt_for_all_parts_counts_for_those_that_are_accepted_later,
            the_first_failure_of_a_part_is_the_report,
            a_report_is_due_in_time_and_given_again_until_it_is_told,
            the_last_answer_may_complete_a_report,
            a_report_that_is_due_outlives_the_ids_of_its_message,
            a_message_that_was_not_accepted_as_a_whole_is_not_reported,
            held_receipts_are_listed,
            the_first_final_state_counts_although_it_is_held,
            what_has_expired_keeps_its_place,
            a_held_receipt_is_held_in_another_form_at_its_place,
            what_is_held_of_another_message_does_not_count,
        );
    };
    (@ $name:ident, $world:expr; $($question:ident),* $(,)?) => {
        mod $name {
            $(#[tokio::test]
            async fn $question() {
                if let Some(world) = $world {
                    super::$question(&world).await;
                }
            })*
        }
    };
}

ask!(memory, Some(super::InMemory));
#[cfg(feature = "redis")]
ask!(in_redis, super::redis::shared());

struct InMemory;

impl World for InMemory {
    fn empty(&self, limits: StoreLimits) -> Store {
        Store::Memory(Memory::new(limits))
    }
}

fn part(message: &str, number: u8, total: u8) -> PartOf {
    PartOf { message: message.into(), number, total, ..PartOf::default() }
}

fn report(status: DeliveryStatus) -> Report {
    Report::new(status, "STAT", status != DeliveryStatus::Pending)
}

fn delivered() -> Report {
    report(DeliveryStatus::Delivered)
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

/// The id as it is, and in the other base either way.
fn forms(id: &str) -> Vec<String> {
    use message_id::{decimal_to_hex, hex_to_decimal, normal};
    [Some(normal(id)), decimal_to_hex(id), hex_to_decimal(id)].into_iter().flatten().collect()
}

fn known(matched: Matched) -> Known {
    match matched {
        Matched::Known(known) => known,
        other => panic!("{other:?}"),
    }
}

fn key(reference: u16, total: u8) -> PartKey {
    let address = |addr: &'static str| PartAddress { ton: 1, npi: 1, addr: addr.into() };
    let (source, destination) = (address("27820001001"), address("1001"));
    PartKey { source, destination, kind: ReferenceKind::Udh8, reference, total }
}

/// A part in a charset with tables of its own: all of it must come back.
fn segment(number: u8, octets: &'static [u8]) -> Segment {
    let shifts = Shifts { locking: Language(3), single: Language(1) };
    Segment { number, charset: Charset::Gsm7(shifts), octets: octets.into() }
}

fn joining(sets_max: usize, octets_max: usize) -> StoreLimits {
    StoreLimits { join: JoinLimits { sets_max, octets_max, expiry: 60 * SECOND }, ..StoreLimits::default() }
}

/// The text, if it is complete.
fn complete(outcome: Outcome) -> Vec<u8> {
    match outcome {
        Outcome::Complete(joined) => joined.octets(),
        other => panic!("{other:?}"),
    }
}

async fn join(store: &Store, now: Duration, key: &PartKey, part: &Segment) -> Outcome {
    store.join(now, key, part).await.unwrap()
}

/// What is given up by now, told of as it is given.
async fn given_up(store: &Store, now: Duration) -> Vec<(PartKey, Vec<Segment>)> {
    let mut all = Vec::new();
    for GivenUp { number, message } in store.expire(now).await.unwrap().incomplete {
        store.told_incomplete(now, number).await.unwrap();
        all.push((message.key, message.segments));
    }
    all
}

async fn a_receipt_finds_its_message_and_its_copy_is_known_as_such(world: &impl World) {
    let store = world.empty(StoreLimits::default());
    assert_eq!(store.remember(NOW, "abcd", &part("m", 2, 3)).await.unwrap(), []);
    assert_eq!(store.accepted(NOW, "m").await.unwrap(), [2]);
    let pending = store.receipt(NOW, &early(&forms("ABCD"), &report(DeliveryStatus::Pending))).await.unwrap();
    let reports = vec![None, Some(report(DeliveryStatus::Pending)), None];
    let form = "abcd".into();
    assert_eq!(known(pending), Known { part: part("m", 2, 3), reports, is_repeated: false, form, next: Next::Report });
    let first = known(store.receipt(NOW, &early(&forms("43981"), &delivered())).await.unwrap());
    assert_eq!(
        (&first.reports[..], first.is_repeated),
        (&[None, Some(delivered()), None][..], false),
        "in decimal too"
    );
    assert!(known(store.receipt(NOW, &early(&forms("abcd"), &delivered())).await.unwrap()).is_repeated);
    let late = known(store.receipt(NOW, &early(&forms("abcd"), &report(DeliveryStatus::Pending))).await.unwrap());
    assert_eq!((&late.reports[1], late.is_repeated), (&Some(delivered()), false), "what is final stays");
}

async fn a_receipt_before_its_id_waits_for_it_and_expires(world: &impl World) {
    let store = world.empty(StoreLimits::default());
    for id in ["10", "11"] {
        assert_eq!(store.receipt(NOW, &early(&forms(id), &delivered())).await.unwrap(), Matched::Held);
    }
    let failed = report(DeliveryStatus::Failed);
    assert_eq!(store.receipt(NOW, &early(&forms("10"), &failed)).await.unwrap(), Matched::Held);
    let waited = store.remember(NOW, "a", &part("m", 1, 1)).await.unwrap();
    let told: Vec<_> = waited.iter().map(|it| (it.forms.clone(), it.report.clone())).collect();
    assert_eq!(
        told,
        [(forms("10"), delivered()), (forms("10"), failed)],
        "10 is 0x0a; in the order in which they came"
    );
    for left in [&waited[..], &waited[1..]] {
        assert_eq!(store.remember(NOW, "a", &part("m", 1, 1)).await.unwrap(), left, "each stays until it is told");
        store.told(NOW, &left[0]).await.unwrap();
    }
    assert_eq!(store.remember(NOW, "a", &part("m", 1, 1)).await.unwrap(), []);
    let until = NOW + 30 * SECOND;
    assert!(store.next_expiry().is_some_and(|next| next <= until), "{:?}", store.next_expiry());
    assert_eq!(store.expire(until - Duration::from_millis(1)).await.unwrap(), Expired::default());
    let expired = store.expire(until).await.unwrap();
    assert_eq!(expired.early, [early(&forms("11"), &delivered())]);
    assert_eq!(store.expire(until).await.unwrap(), Expired::default());
    store.told(until, &expired.early[0]).await.unwrap();
    assert_eq!(store.remember(until, "b", &part("n", 1, 1)).await.unwrap(), [], "11 is 0x0b, and gone");
}

async fn a_clock_that_was_ahead_holds_no_receipt_for_longer(world: &impl World) {
    let store = world.empty(StoreLimits::default());
    let ahead = NOW + 3_600 * SECOND;
    for (now, id) in [(ahead, "10"), (NOW, "11"), (ahead, "12")] {
        assert_eq!(store.receipt(now, &early(&forms(id), &delivered())).await.unwrap(), Matched::Held);
    }
    assert_eq!(store.expire(NOW + SECOND).await.unwrap(), Expired::default());
    let first = store.expire(NOW + 30 * SECOND).await.unwrap();
    assert_eq!(first.early, [early(&forms("11"), &delivered())], "it does not wait for one that came before it");
    store.told(NOW, &first.early[0]).await.unwrap();
    let then = store.expire(NOW + 31 * SECOND).await.unwrap();
    assert_eq!(then.early, ["10", "12"].map(|id| early(&forms(id), &delivered())), "from when it was seen");
}

async fn no_more_receipts_wait_than_may(world: &impl World) {
    let store = world.empty(StoreLimits { early_max: 1, ..StoreLimits::default() });
    assert_eq!(store.receipt(NOW, &early(&[], &delivered())).await.unwrap(), Matched::Unknown, "no id at all");
    assert_eq!(store.receipt(NOW, &early(&forms("10"), &delivered())).await.unwrap(), Matched::Held);
    assert_eq!(store.receipt(NOW, &early(&forms("12"), &delivered())).await.unwrap(), Matched::Full);
    let waited = store.remember(NOW, "a", &part("m", 1, 1)).await.unwrap();
    store.told(NOW, &waited[0]).await.unwrap();
    assert_eq!(
        store.receipt(NOW, &early(&forms("12"), &delivered())).await.unwrap(),
        Matched::Held,
        "there is room again"
    );
}

async fn ids_go_after_their_time_and_sooner_after_a_final_receipt(world: &impl World) {
    let store = world.empty(StoreLimits::default());
    for (id, message) in [("1", "a"), ("2", "b")] {
        let _ = store.remember(NOW, id, &part(message, 1, 1)).await.unwrap();
    }
    let _ = store.receipt(NOW, &early(&forms("1"), &report(DeliveryStatus::Failed))).await.unwrap();
    let hour = NOW + 3_600 * SECOND;
    assert_eq!(store.accepted(hour - SECOND, "a").await.unwrap(), [1]);
    assert!(
        known(store.receipt(hour - SECOND, &early(&forms("1"), &report(DeliveryStatus::Failed))).await.unwrap())
            .is_repeated
    );
    assert_eq!(store.accepted(hour, "a").await.unwrap(), [] as [u8; 0]);
    assert_eq!(store.receipt(hour, &early(&forms("1"), &delivered())).await.unwrap(), Matched::Held);
    assert_eq!(store.accepted(hour, "b").await.unwrap(), [1]);
    assert_eq!(store.accepted(NOW + 7 * 86_400 * SECOND, "b").await.unwrap(), [] as [u8; 0]);
}

async fn an_id_that_is_used_again_stands_for_the_later_message_and_the_oldest_goes_first(world: &impl World) {
    let store = world.empty(StoreLimits { ids_max: 3, ..StoreLimits::default() });
    for (at, (id, message)) in [("1", "a"), ("1", "b"), ("2", "c"), ("3", "d"), ("4", "e")].into_iter().enumerate() {
        let _ = store.remember(NOW + Duration::from_secs(at as u64), id, &part(message, 1, 1)).await.unwrap();
    }
    let mut left = Vec::new();
    for message in ["a", "b", "c", "d", "e"] {
        left.push(store.accepted(NOW, message).await.unwrap().len());
    }
    assert_eq!(left, [0, 0, 1, 1, 1]);
}

async fn what_is_reported_of_each_part_is_kept_until_its_last_id_is_gone(world: &impl World) {
    let store = world.empty(StoreLimits::default());
    for (number, id) in (1..).zip(["a1", "a2"]) {
        let _ = store.remember(NOW, id, &part("m", number, 2)).await.unwrap();
    }
    let _ = store.receipt(NOW, &early(&forms("a1"), &delivered())).await.unwrap();
    let later = NOW + 2 * 3_600 * SECOND;
    let other = known(store.receipt(later, &early(&forms("a2"), &delivered())).await.unwrap());
    assert_eq!(other.reports, [Some(delivered()), Some(delivered())], "the first part's id is gone, its report is not");
    assert_eq!(store.accepted(later, "m").await.unwrap(), [1, 2]);
    store.told_aggregate(later, "m", DeliveryStatus::Delivered).await.unwrap();
    let gone = later + 3_600 * SECOND;
    let _ = store.remember(gone, "a3", &part("m", 1, 2)).await.unwrap();
    assert_eq!(store.accepted(gone, "m").await.unwrap(), [1], "it begins anew");
    let anew = known(store.receipt(gone, &early(&forms("a3"), &delivered())).await.unwrap());
    assert_eq!((&anew.reports[..], anew.is_repeated), (&[Some(delivered()), None][..], false));
}

/// An SMSC that has forgotten what it gave gives the same ids again.
async fn a_part_that_takes_the_only_id_of_another_part_leaves_it_accepted(world: &impl World) {
    for ids_max in [1, 2] {
        let store = world.empty(StoreLimits { ids_max, ..StoreLimits::default() });
        for (id, number) in [("2", 2), ("2", 3), ("1", 1)] {
            let _ = store.remember(NOW, id, &part("m", number, 3)).await.unwrap();
        }
        let accepted: BTreeSet<u8> = store.accepted(NOW, "m").await.unwrap().into_iter().collect();
        assert_eq!(accepted, BTreeSet::from([1, 2, 3]), "{ids_max}");
    }
}

async fn parts_wait_for_each_other_and_are_complete_until_published(world: &impl World) {
    let store = world.empty(StoreLimits::default());
    let key = key(5, 3);
    let parts = [segment(1, b"one\0"), segment(2, b""), segment(3, b"three\xFF")];
    assert_eq!(join(&store, NOW, &key, &parts[2]).await, Outcome::Waiting);
    assert_eq!(join(&store, NOW, &key, &parts[0]).await, Outcome::Waiting);
    assert_eq!(join(&store, NOW, &key, &parts[0]).await, Outcome::Duplicate);
    let Outcome::Complete(joined) = join(&store, NOW, &key, &parts[1]).await else { panic!("it is complete") };
    assert_eq!(joined.runs, [(parts[0].charset, b"one\0three\xFF"[..].into())]);
    assert_eq!(complete(join(&store, NOW, &key, &parts[0]).await), b"one\0three\xFF", "until it is published");
    store.published(NOW, &key).await.unwrap();
    store.published(NOW, &key).await.unwrap();
    assert_eq!(join(&store, NOW, &key, &parts[1]).await, Outcome::Duplicate);
    let finished = store.expire(NOW + 3_600 * SECOND).await.unwrap();
    assert_eq!(finished, Expired::default(), "it was published");
    assert_eq!(join(&store, NOW, &key, &parts[1]).await, Outcome::Waiting, "it is forgotten");
}

async fn messages_that_wait_for_parts_are_counted(world: &impl World) {
    let store = world.empty(joining(10, 1_000));
    let (first, second) = (key(7, 2), key(8, 3));
    for (key, number, expected) in [(&first, 1, 1), (&second, 2, 2), (&second, 2, 2), (&second, 1, 2), (&first, 2, 2)] {
        let _ = join(&store, NOW, key, &segment(number, b"one")).await;
        assert_eq!(store.unfinished(), expected, "after part {number} of {key:?}");
    }
    store.published(NOW, &first).await.unwrap();
    assert_eq!(store.unfinished(), 1, "one is published");
    assert_eq!(given_up(&store, NOW + 60 * SECOND).await.len(), 1);
    assert_eq!(store.unfinished(), 0, "the other is given up");
}

async fn all_parts_again_are_the_message_again(world: &impl World) {
    let store = world.empty(StoreLimits::default());
    let key = key(5, 2);
    let parts = [segment(1, b"one"), segment(2, b"two")];
    for part in &parts {
        let _ = join(&store, NOW, &key, part).await;
    }
    store.published(NOW, &key).await.unwrap();
    assert_eq!(join(&store, NOW, &key, &parts[0]).await, Outcome::Duplicate);
    assert_eq!(join(&store, NOW, &key, &parts[0]).await, Outcome::Duplicate);
    assert_eq!(complete(join(&store, NOW, &key, &parts[1]).await), b"onetwo");
    let expired = store.expire(NOW + 3_600 * SECOND).await.unwrap();
    assert_eq!(expired.incomplete.len(), 1, "it was not published a second time");
}

async fn a_part_that_differs_begins_another_message(world: &impl World) {
    let store = world.empty(joining(10, 1_000));
    let key = key(5, 3);
    for part in [segment(2, b"two"), segment(1, b"one")] {
        let _ = join(&store, NOW, &key, &part).await;
    }
    assert_eq!(join(&store, NOW, &key, &segment(1, b"uno")).await, Outcome::Waiting);
    assert!(store.next_expiry().is_some_and(|next| next <= NOW), "what it supersedes is told of at once");
    let superseded = given_up(&store, NOW).await;
    assert_eq!(superseded, [(key.clone(), vec![segment(1, b"one"), segment(2, b"two")])]);
    let other = Segment { charset: Charset::Latin1, ..segment(1, b"uno") };
    let _ = join(&store, NOW, &key, &other).await;
    let superseded = given_up(&store, NOW).await;
    assert_eq!(superseded, [(key.clone(), vec![segment(1, b"uno")])], "another charset is another part");
    let late = NOW + 60 * SECOND;
    assert_eq!(join(&store, late, &key, &segment(2, b"two")).await, Outcome::Waiting);
    assert_eq!(given_up(&store, late).await, [(key.clone(), vec![other])], "it had expired");
    for part in [segment(1, b"one"), segment(3, b"three")] {
        let _ = join(&store, late, &key, &part).await;
    }
    store.published(late, &key).await.unwrap();
    assert_eq!(join(&store, late, &key, &segment(1, b"uno")).await, Outcome::Waiting);
    assert_eq!(given_up(&store, late).await, [], "what was published is not given up");
}

async fn parts_that_were_never_joined_are_given_up_in_the_order_of_their_times(world: &impl World) {
    let store = world.empty(joining(10, 1_000));
    for (at, reference) in [(2, 7), (0, 9), (1, 8)] {
        let _ = join(&store, NOW + at * SECOND, &key(reference, 2), &segment(1, b"one")).await;
    }
    // Another part puts it off.
    let _ = join(&store, NOW + 10 * SECOND, &key(6, 3), &segment(1, b"one")).await;
    let _ = join(&store, NOW + 20 * SECOND, &key(6, 3), &segment(2, b"two")).await;
    assert!(store.next_expiry().is_some_and(|next| next <= NOW + 60 * SECOND));
    assert_eq!(store.expire(NOW + 60 * SECOND - Duration::from_micros(1)).await.unwrap(), Expired::default());
    let expired = [9, 8, 7].map(|reference| (key(reference, 2), vec![segment(1, b"one")]));
    assert_eq!(given_up(&store, NOW + 79 * SECOND).await, expired);
    assert_eq!(store.expire(NOW + 80 * SECOND).await.unwrap().incomplete.len(), 1);
}

async fn a_clock_that_was_ahead_holds_no_part_for_longer(world: &impl World) {
    let store = world.empty(joining(10, 1_000));
    let ahead = NOW + 3_600 * SECOND;
    let _ = join(&store, ahead, &key(7, 2), &segment(1, b"one")).await;
    let _ = complete(join(&store, ahead, &key(8, 1), &segment(1, b"one")).await);
    store.published(ahead, &key(8, 1)).await.unwrap();
    let _ = join(&store, NOW, &key(9, 2), &segment(1, b"one")).await;
    assert_eq!(store.expire(NOW + SECOND).await.unwrap(), Expired::default());
    let one = |reference| [(key(reference, 2), vec![segment(1, b"one")])];
    assert_eq!(given_up(&store, NOW + 60 * SECOND).await, one(9));
    assert_eq!(given_up(&store, NOW + 61 * SECOND).await, one(7), "from when it was seen");
    let copy = join(&store, NOW + 62 * SECOND, &key(8, 1), &segment(1, b"one")).await;
    assert_eq!(complete(copy), b"one", "the finished one is forgotten");
}

/// Whoever is given it may die.
async fn what_has_expired_is_given_again_until_it_is_told(world: &impl World) {
    let store = world.empty(StoreLimits::default());
    for reference in [1, 2] {
        let _ = join(&store, NOW, &key(reference, 2), &segment(1, b"one")).await;
    }
    let never = early(&forms("b"), &delivered());
    assert_eq!(store.receipt(NOW, &never).await, Ok(Matched::Held));
    let (first, hold) = (NOW + 3_600 * SECOND, 30 * SECOND);
    let Expired { incomplete, early, .. } = store.expire(first).await.unwrap();
    assert_eq!((incomplete.len(), early.as_slice()), (2, [never.clone()].as_slice()));
    // A part of the same message is another's.
    assert_eq!(join(&store, first, &key(1, 2), &segment(1, b"uno")).await, Outcome::Waiting);
    assert!(store.next_expiry().is_some_and(|next| next <= first + hold));
    assert_eq!(store.expire(first + hold - Duration::from_millis(1)).await, Ok(Expired::default()));
    store.told_incomplete(first, incomplete[0].number).await.unwrap();
    store.told_incomplete(first, incomplete[0].number).await.unwrap();
    let again = store.expire(first + hold).await.unwrap();
    let aggregates = Vec::new();
    assert_eq!(again, Expired { incomplete: incomplete[1..].to_vec(), early: vec![never.clone()], aggregates });
    store.told(first, &never).await.unwrap();
    store.told_incomplete(first, incomplete[1].number).await.unwrap();
    assert_eq!(store.expire(first + 2 * hold).await, Ok(Expired::default()));
    assert_eq!(given_up(&store, first + 3_600 * SECOND).await, [(key(1, 2), vec![segment(1, b"uno")])]);
    // The clock goes back: it is not held for longer.
    let _ = join(&store, first, &key(3, 2), &segment(1, b"one")).await;
    assert_eq!(store.expire(first + 7_200 * SECOND).await.unwrap().incomplete.len(), 1);
    assert_eq!(store.expire(first).await, Ok(Expired::default()));
    assert_eq!(store.expire(first + hold).await.unwrap().incomplete.len(), 1);
}

/// Nobody tells of anything, as while the bus is away.
async fn no_more_parts_are_taken_than_can_be_given_up(world: &impl World) {
    let store = world.empty(StoreLimits::default());
    for reference in 0..1_000 {
        let _ = join(&store, NOW, &key(reference, 2), &segment(1, b"one")).await;
    }
    let late = NOW + 3_600 * SECOND;
    let given = store.expire(late).await.unwrap().incomplete;
    assert_eq!(given.len(), 1_000);
    let refused = join(&store, late, &key(1, 2), &segment(1, b"one")).await;
    assert_eq!(refused, Outcome::Refused(Refusal::SetsFull));
    store.told_incomplete(late, given[500].number).await.unwrap();
    assert_eq!(join(&store, late, &key(1, 2), &segment(1, b"one")).await, Outcome::Waiting);
}

async fn what_is_refused_is_not_held(world: &impl World) {
    let store = world.empty(joining(2, 10));
    for number in [0, 3] {
        assert_eq!(join(&store, NOW, &key(1, 2), &segment(number, b"")).await, Outcome::Refused(Refusal::Number));
    }
    assert_eq!(join(&store, NOW, &key(1, 2), &segment(1, b"12345678")).await, Outcome::Waiting);
    assert_eq!(join(&store, NOW, &key(2, 2), &segment(1, b"123")).await, Outcome::Refused(Refusal::OctetsFull));
    assert_eq!(join(&store, NOW, &key(2, 2), &segment(1, b"12")).await, Outcome::Waiting, "as many as may be");
    assert_eq!(join(&store, NOW, &key(3, 2), &segment(1, b"")).await, Outcome::Refused(Refusal::SetsFull));
    assert_eq!(complete(join(&store, NOW, &key(2, 2), &segment(2, b"345")).await), b"12345", "what completes is taken");
    store.published(NOW, &key(2, 2)).await.unwrap();
    assert_eq!(join(&store, NOW, &key(3, 3), &segment(1, b"12")).await, Outcome::Waiting, "its octets are free again");
    assert_eq!(store.expire(NOW + 60 * SECOND).await.unwrap().incomplete.len(), 2);
    assert_eq!(join(&store, NOW, &key(1, 2), &segment(1, b"1234567890")).await, Outcome::Waiting, "all are free again");
}

async fn finished_messages_make_room(world: &impl World) {
    let store = world.empty(joining(2, 100));
    for (at, reference) in [(1, 1), (2, 2)] {
        let (now, key) = (NOW + at * SECOND, key(reference, 2));
        assert_eq!(join(&store, now, &key, &segment(1, b"x")).await, Outcome::Waiting);
        assert_eq!(complete(join(&store, now, &key, &segment(2, b"y")).await), b"xy");
    }
    assert_eq!(join(&store, NOW, &key(3, 2), &segment(1, b"x")).await, Outcome::Refused(Refusal::SetsFull));
    for reference in [2, 1] {
        store.published(NOW, &key(reference, 2)).await.unwrap();
    }
    assert_eq!(join(&store, NOW, &key(3, 2), &segment(1, b"x")).await, Outcome::Waiting);
    assert_eq!(join(&store, NOW, &key(2, 2), &segment(1, b"x")).await, Outcome::Duplicate, "the older one went");
}

async fn references_count_up(world: &impl World) {
    let store = world.empty(StoreLimits::default());
    for expected in 1..=3 {
        assert_eq!(store.next_reference().await, Ok(expected));
    }
}

async fn numbers_are_numbers_of_smpp_and_can_be_kept_and_given_back(world: &impl World) {
    let store = world.empty(StoreLimits::default());
    let numbers = store.take_numbers(NOW).await.unwrap();
    assert!(*numbers.start() >= 1 && *numbers.end() <= 0x7FFF_FFFF && numbers.end() - numbers.start() >= 0xFFFE);
    assert_eq!(store.keep_numbers(NOW, &numbers).await, Ok(()));
    assert_eq!(store.give_back_numbers(&numbers).await, Ok(()));
    let distinct: BTreeSet<u32> = [*numbers.start(), *numbers.end()].into();
    assert_eq!(distinct.len(), 2);
}

/// A receipt with sure forms, guesses and addresses.
fn sought(sure: &[&str], guesses: &[&str], addresses: &[&str]) -> Early {
    let strings = |list: &[&str]| list.iter().map(|each| (*each).to_owned()).collect();
    let addresses = addresses.iter().map(|address| address_digits(address)).collect();
    Early { guesses: strings(guesses), addresses, ..early(&strings(sure), &delivered()) }
}

fn to(message: &str, address: &str) -> PartOf {
    PartOf { to: address_digits(address), ..part(message, 1, 1) }
}

async fn a_guess_counts_only_for_a_message_to_one_of_the_addresses(world: &impl World) {
    let store = world.empty(StoreLimits::default());
    for (id, message, address) in [("22", "a", "27820001001"), ("16", "b", "+27 82 000 1002"), ("abc", "c", "")] {
        let _ = store.remember(NOW, id, &to(message, address)).await.unwrap();
    }
    for (sure, guesses, addresses, message) in [
        (&["22"][..], &["16"][..], &["27820001001", "1001"][..], Some("a")),
        (&["22"], &["16"], &["27820001002", "1001"], Some("b")),
        (&["22"], &["16"], &["1001", "0820001002"], Some("b")),
        (&["22"], &["16"], &["00277777777777"], Some("a")),
        (&["22"], &["16"], &[], Some("a")),
        (&["99"], &["16"], &["27820001002"], Some("b")),
        (&["99"], &["16"], &["0820001003"], None),
        (&["99"], &["16"], &["1002"], None),
        (&["99"], &["16"], &[], None),
        (&["99"], &["abc"], &["27820001002"], None),
        (&["abc"], &["16"], &["27820001009"], Some("c")),
        (&["99", "22"], &[], &["27820001001"], Some("a")),
    ] {
        let receipt = sought(sure, guesses, addresses);
        let found = match store.receipt_again(NOW, &receipt).await.unwrap() {
            Matched::Known(known) => Some(known.part.message),
            _ => None,
        };
        assert_eq!(found.as_deref(), message, "{receipt:?}");
    }
    let waits = sought(&["77"], &["4d"], &["27820001004"]);
    assert_eq!(store.receipt(NOW, &waits).await, Ok(Matched::Held));
    let found = store.remember(NOW, "4d", &to("d", "27820001004")).await.unwrap();
    assert_eq!(found, std::slice::from_ref(&waits), "by its guess");
    assert_eq!(&*known(store.receipt_again(NOW, &waits).await.unwrap()).form, "4d");
}

async fn a_final_state_stays_and_what_contradicts_it_is_late(world: &impl World) {
    let store = world.empty(StoreLimits::default());
    let pending = || report(DeliveryStatus::Pending);
    let failed = || report(DeliveryStatus::Failed);
    let other_word = || Report::new(DeliveryStatus::Failed, "EXPIRED", true);
    let with_details = || {
        let details = [("error".to_owned(), "001".into())].into_iter().collect();
        Report { details, ..delivered() }
    };
    let stories = [
        (vec![pending(), pending(), delivered()], vec![Next::Report, Next::Report, Next::Report]),
        (vec![delivered(), pending(), failed(), delivered()], vec![Next::Report, Next::Late, Next::Late, Next::Report]),
        (vec![failed(), delivered(), pending(), failed()], vec![Next::Report, Next::Late, Next::Late, Next::Report]),
        (vec![failed(), other_word()], vec![Next::Report, Next::Late]),
        (vec![delivered(), with_details()], vec![Next::Report, Next::Report]),
    ];
    for (number, (reports, expected)) in stories.into_iter().enumerate() {
        let id = format!("id{number}");
        let _ = store.remember(NOW, &id, &part(&format!("m{number}"), 1, 1)).await.unwrap();
        for (report, expected) in reports.iter().zip(expected) {
            let found = known(store.receipt(NOW, &early(std::slice::from_ref(&id), report)).await.unwrap());
            assert_eq!(found.next, expected, "{number}: {report:?}");
        }
    }
}

/// Three parts with these ids, of which an empty one is none.
async fn three_parts(store: &Store, now: Duration, message: &str, ids: [&str; 3]) {
    for (number, id) in (1..).zip(ids) {
        let none = format!("none {number} of {message}");
        let (id, is_unreported) = if id.is_empty() { (none.as_str(), true) } else { (id, false) };
        let _ = store.remember(now, id, &PartOf { is_unreported, ..part(message, number, 3) }).await.unwrap();
    }
}

async fn next(store: &Store, now: Duration, id: &str, report: &Report) -> Next {
    known(store.receipt(now, &early(&[id.to_owned()], report)).await.unwrap()).next
}

/// The report that is due, as its status, whether it is incomplete, and how many parts are reported.
fn due(next: Next) -> (DeliveryStatus, bool, usize) {
    match next {
        Next::Aggregate(aggregate) => in_short(&aggregate),
        other => panic!("{other:?}"),
    }
}

fn in_short(aggregate: &Aggregate) -> (DeliveryStatus, bool, usize) {
    let status = aggregate.deciding().unwrap().status;
    (status, aggregate.is_incomplete, aggregate.reports.iter().flatten().count())
}

async fn parts_without_an_id_are_not_waited_for(world: &impl World) {
    let store = world.empty(StoreLimits::default());
    for (number, ids) in [["a", "", ""], ["", "b", ""], ["", "", "c"]].into_iter().enumerate() {
        let message = format!("m{number}");
        three_parts(&store, NOW, &message, ids).await;
        let id = ids.concat();
        let Next::Aggregate(aggregate) = next(&store, NOW, &id, &delivered()).await else { panic!("{ids:?}") };
        assert_eq!(in_short(&aggregate), (DeliveryStatus::Delivered, false, 1));
        assert_eq!((&*aggregate.message, aggregate.unreported.len()), (message.as_str(), 2));
        store.told_aggregate(NOW, &message, DeliveryStatus::Delivered).await.unwrap();
        assert_eq!(next(&store, NOW, &id, &delivered()).await, Next::Nothing, "it is told once");
        assert_eq!(next(&store, NOW, &id, &report(DeliveryStatus::Failed)).await, Next::Late);
    }
    three_parts(&store, NOW, "two", ["d", "e", ""]).await;
    assert_eq!(next(&store, NOW, "d", &delivered()).await, Next::Nothing);
    assert_eq!(due(next(&store, NOW, "e", &delivered()).await), (DeliveryStatus::Delivered, false, 2));
}

async fn one_id_for_all_parts_is_one_receipt_for_all(world: &impl World) {
    let store = world.empty(StoreLimits::default());
    three_parts(&store, NOW, "m", ["t1", "t1", "t1"]).await;
    assert_eq!(next(&store, NOW, "t1", &report(DeliveryStatus::Pending)).await, Next::Report);
    assert_eq!(due(next(&store, NOW, "t1", &delivered()).await), (DeliveryStatus::Delivered, false, 3));
    assert_eq!(next(&store, NOW, "t1", &delivered()).await, Next::Nothing, "somebody tells of it");
    store.told_aggregate(NOW, "m", DeliveryStatus::Delivered).await.unwrap();
    assert_eq!(next(&store, NOW, "t1", &delivered()).await, Next::Nothing);
    assert_eq!(next(&store, NOW, "t1", &report(DeliveryStatus::Pending)).await, Next::Late);
    three_parts(&store, NOW, "n", ["u1", "u1", "u2"]).await;
    assert_eq!(next(&store, NOW, "u1", &delivered()).await, Next::Nothing, "the third has an id of its own");
    assert_eq!(due(next(&store, NOW, "u2", &delivered()).await), (DeliveryStatus::Delivered, false, 3));
}

async fn a_receipt_for_all_parts_counts_for_those_that_are_accepted_later(world: &impl World) {
    for (status, after, ()) in combinations(&[DeliveryStatus::Delivered, DeliveryStatus::Failed], &[1, 2], &[()]) {
        let store = world.empty(StoreLimits { aggregate_timeout: Some(60 * SECOND), ..StoreLimits::default() });
        for number in 1..=3 {
            let _ = store.remember(NOW, "t1", &part("m", number, 3)).await.unwrap();
            if number == after {
                assert_eq!(next(&store, NOW, "t1", &report(status)).await, Next::Nothing, "not all are accepted");
            }
            assert_eq!(
                store.expire(NOW).await.unwrap().aggregates.len(),
                usize::from(number == 3),
                "{status:?} {after}"
            );
        }
        let given = store.expire(NOW + 3_600 * SECOND).await.unwrap().aggregates;
        assert_eq!(given.iter().map(in_short).collect::<Vec<_>>(), [(status, false, 3)], "{status:?} {after}");
    }
    // Also where each part is reported by itself.
    let store = world.empty(StoreLimits { aggregate_timeout: None, ..StoreLimits::default() });
    let _ = store.remember(NOW, "t1", &part("m", 1, 2)).await.unwrap();
    assert_eq!(next(&store, NOW, "t1", &delivered()).await, Next::Report);
    let _ = store.remember(NOW, "t1", &part("m", 2, 2)).await.unwrap();
    assert_eq!(next(&store, NOW, "t1", &report(DeliveryStatus::Failed)).await, Next::Late);
}

async fn the_first_failure_of_a_part_is_the_report(world: &impl World) {
    let store = world.empty(StoreLimits::default());
    three_parts(&store, NOW, "m", ["a", "b", "c"]).await;
    assert_eq!(next(&store, NOW, "a", &delivered()).await, Next::Nothing);
    assert_eq!(due(next(&store, NOW, "b", &report(DeliveryStatus::Failed)).await), (DeliveryStatus::Failed, false, 2));
    store.told_aggregate(NOW, "m", DeliveryStatus::Failed).await.unwrap();
    assert_eq!(next(&store, NOW, "c", &delivered()).await, Next::Nothing, "delivered is not news");
    assert_eq!(next(&store, NOW, "c", &report(DeliveryStatus::Pending)).await, Next::Late);
    assert_eq!(store.expire(NOW + 3_600 * SECOND).await.unwrap().aggregates, []);
    let store = world.empty(StoreLimits { aggregate_timeout: None, ..StoreLimits::default() });
    three_parts(&store, NOW, "m", ["a", "b", "c"]).await;
    for id in ["a", "b"] {
        assert_eq!(next(&store, NOW, id, &delivered()).await, Next::Report, "each by itself");
    }
    assert_eq!(next(&store, NOW, "a", &report(DeliveryStatus::Failed)).await, Next::Late);
}

async fn a_report_is_due_in_time_and_given_again_until_it_is_told(world: &impl World) {
    let store = world.empty(StoreLimits { aggregate_timeout: Some(60 * SECOND), ..StoreLimits::default() });
    three_parts(&store, NOW, "m", ["a", "b", "c"]).await;
    assert_eq!(next(&store, NOW, "a", &delivered()).await, Next::Nothing);
    assert_eq!(next(&store, NOW + 30 * SECOND, "b", &delivered()).await, Next::Nothing);
    let end = NOW + 60 * SECOND;
    assert!(store.next_expiry().is_some_and(|at| at <= end), "{:?}", store.next_expiry());
    assert_eq!(store.expire(end - Duration::from_millis(1)).await.unwrap().aggregates, []);
    let given = store.expire(end).await.unwrap().aggregates;
    assert_eq!(given.iter().map(in_short).collect::<Vec<_>>(), [(DeliveryStatus::Delivered, true, 2)]);
    assert_eq!(store.expire(end).await.unwrap().aggregates, [], "somebody tells of it");
    assert_eq!(next(&store, end, "c", &delivered()).await, Next::Nothing);
    let again = store.expire(end + 30 * SECOND).await.unwrap().aggregates;
    assert_eq!(again.iter().map(in_short).collect::<Vec<_>>(), [(DeliveryStatus::Delivered, false, 3)], "whole by now");
    store.told_aggregate(end, "m", DeliveryStatus::Delivered).await.unwrap();
    assert_eq!(next(&store, end, "c", &report(DeliveryStatus::Failed)).await, Next::Late);
    assert_eq!(store.expire(end + 600 * SECOND).await.unwrap().aggregates, []);
    // The clock goes back: a report is due no later than that.
    three_parts(&store, NOW, "n", ["d", "e", "f"]).await;
    assert_eq!(next(&store, NOW + 3_600 * SECOND, "d", &delivered()).await, Next::Nothing);
    assert_eq!(store.expire(NOW).await.unwrap().aggregates, []);
    assert_eq!(store.expire(NOW + 60 * SECOND).await.unwrap().aggregates.len(), 1);
}

async fn the_last_answer_may_complete_a_report(world: &impl World) {
    let store = world.empty(StoreLimits::default());
    let _ = store.remember(NOW, "a", &part("m", 1, 2)).await.unwrap();
    assert_eq!(next(&store, NOW, "a", &delivered()).await, Next::Nothing, "the second part may have an id");
    let none = PartOf { is_unreported: true, ..part("m", 2, 2) };
    let _ = store.remember(NOW + SECOND, "none", &none).await.unwrap();
    assert!(store.next_expiry().is_some_and(|at| at <= NOW + SECOND), "{:?}", store.next_expiry());
    let given = store.expire(NOW + SECOND).await.unwrap().aggregates;
    assert_eq!(given.iter().map(in_short).collect::<Vec<_>>(), [(DeliveryStatus::Delivered, false, 1)]);
}

async fn a_report_that_is_due_outlives_the_ids_of_its_message(world: &impl World) {
    let limits = StoreLimits {
        id_ttl: 10 * SECOND,
        final_id_ttl: SECOND,
        aggregate_timeout: Some(60 * SECOND),
        ..StoreLimits::default()
    };
    let store = world.empty(limits);
    three_parts(&store, NOW, "m", ["a", "b", "c"]).await;
    assert_eq!(next(&store, NOW, "a", &delivered()).await, Next::Nothing);
    assert_eq!(store.accepted(NOW + 20 * SECOND, "m").await.unwrap(), [] as [u8; 0]);
    let given = store.expire(NOW + 60 * SECOND).await.unwrap().aggregates;
    assert_eq!(given.iter().map(in_short).collect::<Vec<_>>(), [(DeliveryStatus::Delivered, true, 1)]);
    store.told_aggregate(NOW + 60 * SECOND, "m", DeliveryStatus::Delivered).await.unwrap();
    assert_eq!(store.accepted(NOW + 60 * SECOND, "m").await.unwrap(), [] as [u8; 0]);
}

async fn held_receipts_are_listed(world: &impl World) {
    let store = world.empty(StoreLimits::default());
    assert_eq!(store.held(NOW).await, Ok(Vec::new()));
    let held = [sought(&["1"], &["2"], &["27820001001"]), sought(&["3"], &[], &[])];
    for receipt in &held {
        assert_eq!(store.receipt(NOW, receipt).await, Ok(Matched::Held));
    }
    assert_eq!(store.held(NOW).await, Ok(held.to_vec()));
    store.told(NOW, &held[0]).await.unwrap();
    assert_eq!(store.held(NOW).await, Ok(held[1..].to_vec()));
}

/// A receipt that comes after the id of its message was stored does not overtake one that came before.
async fn the_first_final_state_counts_although_it_is_held(world: &impl World) {
    let (pending, failed) = (report(DeliveryStatus::Pending), report(DeliveryStatus::Failed));
    let mut detailed = delivered();
    detailed.details.insert("text".to_owned(), "\",\"report\":{} }{".into());
    for (held, first) in [
        (&[&detailed][..], &detailed),
        (&[&failed], &failed),
        (&[&pending, &detailed], &detailed),
        (&[&detailed, &pending], &detailed),
        (&[&detailed, &failed], &detailed),
        (&[&failed, &pending, &detailed], &failed),
    ] {
        for (new, total, again) in combinations(&[&pending, &detailed, &failed], &[1, 2], &[false, true]) {
            let timeout = (total > 1).then_some(60 * SECOND);
            let store = world.empty(StoreLimits { aggregate_timeout: timeout, ..StoreLimits::default() });
            let receipt = |report: &Report| early(&["a".to_owned()], report);
            for report in held {
                assert_eq!(store.receipt(NOW, &receipt(report)).await, Ok(Matched::Held));
            }
            let waiting = store.remember(NOW, "a", &part("m", 1, total)).await.unwrap();
            assert_eq!(waiting, held.iter().map(|report| receipt(report)).collect::<Vec<_>>());
            let new_receipt = receipt(new);
            let matched = if again {
                store.receipt_again(NOW, &new_receipt).await
            } else {
                store.receipt(NOW, &new_receipt).await
            };
            let matched = known(matched.unwrap());
            let is_repeated = held.iter().any(|report| report.status == new.status);
            let place = held.iter().take_while(|report| report.status != new.status).position(|report| report.is_final);
            let case = format!("{held:?}, then {new:?}, {total} parts");
            if place.is_some() || !is_repeated && held.iter().any(|report| report.is_final) {
                assert_ne!(matched.next, Next::Report, "{case}");
                assert_eq!(matched.reports[0].as_ref().unwrap().status, first.status, "{case}");
            }
            // Whatever is told later: the first final state stays.
            for report in held {
                let told = known(store.receipt_again(NOW, &receipt(report)).await.unwrap());
                store.told(NOW, &receipt(report)).await.unwrap();
                if report.is_final {
                    assert_eq!(told.reports[0].as_ref().unwrap().status, first.status, "{case}");
                    assert_eq!(total == 1 && told.next == Next::Report, total == 1 && *report == first, "{case}");
                }
                if total > 1 && report.is_final {
                    let details = &told.reports[0].as_ref().unwrap().details;
                    assert_eq!(details, &first.details, "{case}");
                }
            }
        }
    }
}

/// What has expired is held on until it is reported: it is still the one that came first.
async fn what_has_expired_keeps_its_place(world: &impl World) {
    for expires in [0, 1, 2] {
        let store = world.empty(StoreLimits::default());
        let hold = StoreLimits::default().early_hold;
        let receipts = [delivered(), report(DeliveryStatus::Failed)].map(|report| early(&["a".to_owned()], &report));
        for (receipt, at) in receipts.iter().zip([NOW, NOW + SECOND]) {
            assert_eq!(store.receipt(at, receipt).await, Ok(Matched::Held));
        }
        let mut now = NOW + 2 * SECOND;
        if expires > 0 {
            // The first of them expires again and again, and the second by itself.
            now = NOW + hold + Duration::from_millis(500);
            assert_eq!(store.expire(now).await.unwrap().early, receipts[..1]);
        }
        if expires > 1 {
            now = NOW + hold + SECOND;
            assert_eq!(store.expire(now).await.unwrap().early, receipts[1..]);
        }
        assert_eq!(store.remember(now, "a", &part("m", 1, 1)).await, Ok(receipts.to_vec()), "{expires} expire");
        let first = known(store.receipt_again(now, &receipts[0]).await.unwrap());
        assert_eq!(first.next, Next::Report, "{expires} expire");
        let second = known(store.receipt_again(now, &receipts[1]).await.unwrap());
        assert_eq!(second.next, Next::Late, "{expires} expire");
        for receipt in &receipts {
            store.told(now, receipt).await.unwrap();
        }
        assert_eq!(store.held(now).await, Ok(Vec::new()));
    }
}

async fn a_held_receipt_is_held_in_another_form_at_its_place(world: &impl World) {
    let store = world.empty(StoreLimits::default());
    let hold = StoreLimits::default().early_hold;
    let failed = report(DeliveryStatus::Failed);
    let (old, new) = (early(&["10".to_owned()], &delivered()), early(&["16".to_owned()], &delivered()));
    let later = early(&["16".to_owned()], &failed);
    assert_eq!(store.hold_as(NOW, &old, &new).await, Ok(false), "it is not held");
    assert_eq!(store.receipt(NOW, &old).await, Ok(Matched::Held));
    assert_eq!(store.receipt(NOW + SECOND, &later).await, Ok(Matched::Held));
    assert_eq!(store.hold_as(NOW + SECOND, &old, &new).await, Ok(false), "its id is not known yet");
    assert_eq!(store.held(NOW).await, Ok(vec![new.clone(), later.clone()]));
    let _ = store.remember(NOW, "10", &part("other", 1, 1)).await.unwrap();
    assert_eq!(store.expire(NOW + hold - SECOND).await.unwrap().early, []);
    let expired = store.expire(NOW + hold).await.unwrap().early;
    assert_eq!(expired, std::slice::from_ref(&new), "no longer than it was to be");
    assert_eq!(store.remember(NOW + hold, "16", &part("m", 1, 1)).await, Ok(vec![new.clone(), later.clone()]));
    assert_eq!(store.hold_as(NOW + hold, &new, &new).await, Ok(true));
    assert_eq!(known(store.receipt_again(NOW + hold, &new).await.unwrap()).next, Next::Report);
    assert_eq!(known(store.receipt_again(NOW + hold, &later).await.unwrap()).next, Next::Late);
    store.told(NOW + hold, &new).await.unwrap();
    assert_eq!(store.held(NOW).await, Ok(vec![later]));
}

/// All combinations of three lists.
fn combinations<A: Copy, B: Copy, C: Copy>(first: &[A], second: &[B], third: &[C]) -> Vec<(A, B, C)> {
    let pairs = first.iter().flat_map(|a| second.iter().map(move |b| (*a, *b)));
    pairs.flat_map(|(a, b)| third.iter().map(move |c| (a, b, *c))).collect()
}

async fn what_is_held_of_another_message_does_not_count(world: &impl World) {
    let store = world.empty(StoreLimits::default());
    // A guess counts only for a message to one of its addresses.
    let failed = Early { report: report(DeliveryStatus::Failed), ..sought(&["16"], &["22"], &["27820001009"]) };
    assert_eq!(store.receipt(NOW, &failed).await, Ok(Matched::Held));
    assert_eq!(store.remember(NOW, "22", &to("m", "27820001001")).await, Ok(vec![failed.clone()]));
    let matched = known(store.receipt(NOW, &sought(&["22"], &[], &["27820001001"])).await.unwrap());
    assert_eq!((matched.next, &*matched.part.message), (Next::Report, "m"));
    // And one that is told counts no more than what was noted.
    let held = sought(&["33"], &[], &[]);
    assert_eq!(store.receipt(NOW, &held).await, Ok(Matched::Held));
    store.told(NOW, &held).await.unwrap();
    let _ = store.remember(NOW, "33", &part("n", 1, 1)).await.unwrap();
    let late = Early { report: report(DeliveryStatus::Failed), ..held };
    assert_eq!(known(store.receipt(NOW, &late).await.unwrap()).next, Next::Report);
}

async fn a_message_that_was_not_accepted_as_a_whole_is_not_reported(world: &impl World) {
    let store = world.empty(StoreLimits { aggregate_timeout: Some(60 * SECOND), ..StoreLimits::default() });
    let _ = store.remember(NOW, "a", &part("m", 1, 2)).await.unwrap();
    assert_eq!(next(&store, NOW, "a", &delivered()).await, Next::Nothing);
    assert_eq!(store.expire(NOW + 60 * SECOND).await.unwrap().aggregates, [], "its second part was refused, or waits");
    let _ = store.remember(NOW + 90 * SECOND, "b", &part("m", 2, 2)).await.unwrap();
    assert_eq!(due(next(&store, NOW + 90 * SECOND, "b", &delivered()).await), (DeliveryStatus::Delivered, false, 2));
    store.told_aggregate(NOW + 90 * SECOND, "m", DeliveryStatus::Delivered).await.unwrap();
    // And when the first receipt was waited for in vain: from the last acceptance on.
    let _ = store.remember(NOW, "d", &part("o", 1, 2)).await.unwrap();
    assert_eq!(next(&store, NOW, "d", &delivered()).await, Next::Nothing);
    assert_eq!(store.expire(NOW + 60 * SECOND).await.unwrap().aggregates, []);
    let _ = store.remember(NOW + 90 * SECOND, "e", &part("o", 2, 2)).await.unwrap();
    assert_eq!(store.expire(NOW + 149 * SECOND).await.unwrap().aggregates, []);
    let given = store.expire(NOW + 150 * SECOND).await.unwrap().aggregates;
    assert_eq!(given.iter().map(in_short).collect::<Vec<_>>(), [(DeliveryStatus::Delivered, true, 1)]);
    let _ = store.remember(NOW, "c", &part("n", 1, 2)).await.unwrap();
    // A failure is one of the whole, and is due at once when the whole is accepted: nobody can publish it before.
    assert_eq!(next(&store, NOW, "c", &report(DeliveryStatus::Failed)).await, Next::Nothing);
    assert_eq!(store.expire(NOW + 60 * SECOND).await.unwrap().aggregates, []);
    let _ = store.remember(NOW + 90 * SECOND, "f", &part("n", 2, 2)).await.unwrap();
    let given = store.expire(NOW + 90 * SECOND).await.unwrap().aggregates;
    assert_eq!(given.iter().map(in_short).collect::<Vec<_>>(), [(DeliveryStatus::Failed, false, 1)]);
    assert_eq!(next(&store, NOW + 90 * SECOND, "f", &delivered()).await, Next::Nothing, "it is given already");
}
