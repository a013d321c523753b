//! Guards the joining of parts: characters across cuts, keys, copies, references used again, bounds, expiry.

use proptest::prelude::*;

use super::*;
use crate::pdu::{EsmClass, TlvTag};
use crate::text::content::ReferenceKind;
use crate::text::gsm7::Shifts;
use crate::text::split::{Part, split};
use crate::text::strategies::{carried, multiparts};

const LIMITS: JoinLimits = JoinLimits { sets_max: 4, octets_max: 1000, expiry: Duration::from_secs(100) };

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn address(addr: &'static str) -> PartAddress {
    PartAddress { ton: 1, npi: 1, addr: Bytes::from_static(addr.as_bytes()) }
}

fn key(source: &'static str, reference: u16, total: u8) -> PartKey {
    PartKey { source: address(source), destination: address("100"), kind: ReferenceKind::Udh8, reference, total }
}

fn segment(number: u8, octets: &[u8]) -> Segment {
    Segment { number, charset: Charset::GSM7, octets: Bytes::copy_from_slice(octets) }
}

/// The text, if the message is complete.
fn text(added: Added) -> Option<String> {
    match added.outcome {
        Outcome::Complete(joined) => Some(joined.decode().text),
        _ => None,
    }
}

fn add(joiner: &mut Joiner, seconds: u64, key: &PartKey, number: u8, octets: &[u8]) -> Added {
    joiner.add(at(seconds), key, &segment(number, octets))
}

#[test]
fn parts_join_in_any_order() {
    for order in [[1, 2, 3], [3, 2, 1], [2, 3, 1]] {
        let mut joiner = Joiner::new(LIMITS);
        let texts = order.map(|number| text(add(&mut joiner, 0, &key("1", 7, 3), number, &[b'a' + number])));
        assert_eq!(texts, [None, None, Some("bcd".into())]);
    }
}

#[test]
fn characters_that_were_cut_are_whole_again() {
    let joined = join([segment(1, b"5 \x1B"), segment(2, b"\x65!")]);
    assert_eq!(joined.decode().text, "5 €!");
    let ucs2 = |number, octets: &'static [u8]| Segment { number, charset: Charset::Ucs2, octets: octets.into() };
    assert_eq!(join([ucs2(1, b"\xD8\x3D"), ucs2(2, b"\xDE\x00")]).decode(), Decoded { text: "😀".into(), replaced: 0 });
}

#[test]
fn parts_of_different_codings_are_read_each_in_its_own() {
    let ucs2 = Segment { number: 2, charset: Charset::Ucs2, octets: Bytes::from_static(b"\x04\x16") };
    let joined = join([segment(1, b"a\x1B"), ucs2, segment(3, b"c")]);
    assert_eq!((joined.decode().text.as_str(), joined.runs.len()), ("aЖc", 3));
    assert_eq!(joined.octets(), b"a\x1B\x04\x16c");
}

#[test]
fn messages_with_the_same_reference_never_mix() {
    let mut joiner = Joiner::new(LIMITS);
    let of_16_bits = PartKey { kind: ReferenceKind::Udh16, ..key("1", 5, 2) };
    let other_ton = PartKey { source: PartAddress { ton: 5, ..address("1") }, ..key("1", 5, 2) };
    let keys = [key("1", 5, 2), key("2", 5, 2), of_16_bits, other_ton];
    for (key, letter) in keys.iter().zip(b"abcd") {
        assert_eq!(text(add(&mut joiner, 0, key, 1, &[*letter])), None);
    }
    for (key, letter) in keys.iter().zip(b"abcd") {
        let whole = String::from_utf8(vec![*letter, b'2']).unwrap();
        assert_eq!(text(add(&mut joiner, 0, key, 2, b"2")), Some(whole));
        joiner.published(key);
    }
}

#[test]
fn another_total_is_another_message() {
    let mut joiner = Joiner::new(LIMITS);
    assert_eq!(text(add(&mut joiner, 0, &key("1", 5, 2), 1, b"a")), None);
    assert_eq!(text(add(&mut joiner, 0, &key("1", 5, 3), 2, b"b")), None);
    assert_eq!(joiner.unfinished(), 2);
}

#[test]
fn copies_are_ignored_before_and_after_publishing() {
    let mut joiner = Joiner::new(LIMITS);
    let key = key("1", 7, 2);
    assert_eq!(add(&mut joiner, 0, &key, 1, b"a").outcome, Outcome::Waiting);
    assert_eq!(add(&mut joiner, 1, &key, 1, b"a").outcome, Outcome::Duplicate);
    assert_eq!(text(add(&mut joiner, 2, &key, 2, b"b")), Some("ab".into()));
    joiner.published(&key);
    assert_eq!(joiner.octets(), 0);
    assert_eq!(add(&mut joiner, 3, &key, 2, b"b").outcome, Outcome::Duplicate);
}

#[test]
fn a_message_that_could_not_be_published_completes_again() {
    let mut joiner = Joiner::new(LIMITS);
    let key = key("1", 7, 2);
    let _ = add(&mut joiner, 0, &key, 1, b"a");
    for second in 1..4 {
        assert_eq!(text(add(&mut joiner, second, &key, 2, b"b")), Some("ab".into()));
    }
}

#[test]
fn a_text_sent_twice_with_one_reference_is_published_twice() {
    let mut joiner = Joiner::new(LIMITS);
    let key = key("1", 7, 2);
    for _ in 0..3 {
        assert_eq!(text(add(&mut joiner, 0, &key, 1, b"a")), None);
        assert_eq!(text(add(&mut joiner, 0, &key, 2, b"b")), Some("ab".into()));
        joiner.published(&key);
    }
    assert_eq!(joiner.octets(), 0);
}

#[test]
fn a_reference_used_again_gives_up_the_old_parts() {
    let mut joiner = Joiner::new(LIMITS);
    let key = key("1", 7, 2);
    let _ = add(&mut joiner, 0, &key, 1, b"OLD");
    let added = add(&mut joiner, 1, &key, 1, b"new1");
    let old = added.superseded.unwrap();
    assert_eq!((old.segments[0].octets.as_ref(), old.missing().collect::<Vec<_>>()), (&b"OLD"[..], vec![2]));
    assert_eq!(text(add(&mut joiner, 2, &key, 2, b"new2")), Some("new1new2".into()));
    joiner.published(&key);
    let added = add(&mut joiner, 3, &key, 1, b"third");
    assert_eq!((added.outcome, added.superseded), (Outcome::Waiting, None), "the old one was published");
}

#[test]
fn an_old_part_does_not_complete_a_new_message_after_its_time() {
    let mut joiner = Joiner::new(LIMITS);
    let key = key("1", 7, 2);
    let _ = add(&mut joiner, 0, &key, 1, b"OLD");
    let added = add(&mut joiner, 100, &key, 2, b"new2");
    assert!(added.superseded.is_some());
    assert_eq!(added.outcome, Outcome::Waiting);
}

#[test]
fn incomplete_messages_expire_after_their_last_part_and_are_returned() {
    let mut joiner = Joiner::new(LIMITS);
    let _ = add(&mut joiner, 0, &key("1", 7, 3), 1, b"a");
    let _ = add(&mut joiner, 10, &key("2", 7, 2), 2, b"b");
    let _ = add(&mut joiner, 50, &key("1", 7, 3), 2, b"c");
    assert_eq!(joiner.next_expiry(), Some(at(110)));
    assert_eq!(joiner.expire(at(109)), []);
    let expired = joiner.expire(at(200));
    let missing: Vec<Vec<u8>> = expired.iter().map(|incomplete| incomplete.missing().collect()).collect();
    assert_eq!(missing, [vec![1], vec![3]], "in the order of their times");
    assert_eq!((joiner.octets(), joiner.next_expiry()), (0, None));
}

#[test]
fn a_clock_that_was_ahead_holds_no_message_for_longer() {
    let mut joiner = Joiner::new(LIMITS);
    let _ = add(&mut joiner, 5_000, &key("1", 7, 2), 1, b"a");
    let _ = add(&mut joiner, 5_000, &key("2", 7, 1), 1, b"b");
    joiner.published(&key("2", 7, 1));
    let _ = add(&mut joiner, 10, &key("3", 7, 2), 1, b"c");
    assert_eq!(joiner.expire(at(20)), []);
    assert_eq!(joiner.expire(at(110)).len(), 1, "it does not wait for those that came before it");
    assert_eq!(joiner.next_expiry(), Some(at(120)), "from when it was seen");
    assert_eq!(joiner.expire(at(120)).len(), 1);
    assert_eq!((joiner.octets(), joiner.next_expiry()), (0, None));
}

#[test]
fn published_messages_are_forgotten_in_silence() {
    let mut joiner = Joiner::new(LIMITS);
    let _ = add(&mut joiner, 0, &key("1", 7, 1), 1, b"a");
    joiner.published(&key("1", 7, 1));
    assert_eq!(joiner.next_expiry(), Some(at(100)));
    assert_eq!(joiner.expire(at(100)), []);
    assert_eq!(joiner.next_expiry(), None);
}

#[test]
fn more_messages_than_allowed_are_refused_and_published_ones_make_room() {
    let mut joiner = Joiner::new(LIMITS);
    let _ = add(&mut joiner, 0, &key("0", 0, 1), 1, b"a");
    joiner.published(&key("0", 0, 1));
    for reference in 1..=4 {
        assert_eq!(add(&mut joiner, 0, &key("1", reference, 2), 1, b"a").outcome, Outcome::Waiting);
    }
    let refused = add(&mut joiner, 0, &key("1", 5, 2), 1, b"a");
    assert_eq!(refused.outcome, Outcome::Refused(Refusal::SetsFull));
    assert_eq!(text(add(&mut joiner, 0, &key("1", 4, 2), 2, b"b")), Some("ab".into()), "one that is held goes on");
}

#[test]
fn more_octets_than_allowed_are_refused_unless_they_complete_a_message() {
    let mut joiner = Joiner::new(LIMITS);
    assert_eq!(add(&mut joiner, 0, &key("1", 1, 3), 1, &[b'a'; 900]).outcome, Outcome::Waiting);
    let refused = add(&mut joiner, 0, &key("1", 1, 3), 2, &[b'b'; 101]).outcome;
    assert_eq!(refused, Outcome::Refused(Refusal::OctetsFull));
    assert_eq!(add(&mut joiner, 0, &key("1", 1, 3), 2, &[b'b'; 100]).outcome, Outcome::Waiting);
    assert_eq!(text(add(&mut joiner, 0, &key("1", 1, 3), 3, &[b'c'; 100])).unwrap().len(), 1100);
}

#[test]
fn a_number_outside_the_total_is_refused() {
    let mut joiner = Joiner::new(LIMITS);
    for number in [0, 3] {
        assert_eq!(add(&mut joiner, 0, &key("1", 1, 2), number, b"").outcome, Outcome::Refused(Refusal::Number));
    }
    assert_eq!(joiner.next_expiry(), None);
}

/// What the receiver of a part reads.
fn received(part: &Part, charset: Charset) -> Content {
    let octets = part.tlvs.get(TlvTag::MESSAGE_PAYLOAD).unwrap_or_else(|| part.short_message.clone());
    Content::read(EsmClass(if part.udhi { 0x40 } else { 0 }), &part.tlvs, charset, &octets)
}

proptest! {
    #[test]
    fn what_was_split_shuffled_and_doubled_joins_to_the_same_text(
        (charset, text) in carried(900),
        multipart in multiparts(),
        order in proptest::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let Ok(parts) = split(&text, charset, multipart) else { return Ok(()) };
        // National tables are for the header to tell.
        let contents: Vec<_> = parts.iter().map(|part| received(part, charset.with_shifts(Shifts::NONE))).collect();
        if let [content] = &contents[..] {
            prop_assert_eq!((content.part, content.decode()), (None, Decoded { text, replaced: 0 }));
            return Ok(());
        }
        let mut joiner = Joiner::new(JoinLimits { octets_max: usize::MAX, ..LIMITS });
        let mut joined = None;
        let arrivals = order.iter().map(|index| index.get(&contents)).chain(contents.iter().rev());
        for content in arrivals {
            let key = content.part.unwrap().key(address("1"), address("2"));
            let added = joiner.add(at(0), &key, &Segment::of(content).unwrap());
            prop_assert!(added.superseded.is_none());
            if let Outcome::Complete(whole) = added.outcome {
                joined = Some(whole.decode());
            }
        }
        prop_assert_eq!(joined, Some(Decoded { text, replaced: 0 }));
    }

    #[test]
    fn bounds_hold_and_nothing_is_left_after_expiry(
        arrivals in proptest::collection::vec((0_u16..6, 1_u8..4, 0_u8..5, 0_usize..400, 0_u64..60, any::<bool>()), 0..60),
    ) {
        let mut joiner = Joiner::new(LIMITS);
        let mut now = 0;
        for (reference, total, number, length, wait, publish) in arrivals {
            now += wait;
            let key = key("1", reference, total);
            let complete = text(add(&mut joiner, now, &key, number, &vec![number; length])).is_some();
            if complete && publish {
                joiner.published(&key);
            }
            prop_assert!(joiner.sets.len() <= LIMITS.sets_max);
            // A part that completes its message may exceed the bound, once for each message held.
            prop_assert!(joiner.octets() <= LIMITS.octets_max + LIMITS.sets_max * 400);
            prop_assert_eq!(joiner.octets(), joiner.sets.values().map(Set::octets).sum::<usize>());
            prop_assert_eq!(joiner.sets.len(), joiner.deadlines.len() + joiner.finished.len());
        }
        joiner.expire(Duration::MAX);
        prop_assert!(joiner.sets.is_empty() && joiner.deadlines.is_empty() && joiner.finished.is_empty());
        prop_assert_eq!(joiner.octets(), 0);
    }
}

#[test]
fn what_is_saved_is_noted_once_and_restored_as_it_was() {
    let limits = JoinLimits { sets_max: 3, octets_max: 100, expiry: Duration::from_secs(60) };
    let mut joiner = Joiner::new(limits);
    joiner.note();
    let keys = [saved_key(1), saved_key(2), saved_key(3)];
    let at = |seconds| Duration::from_secs(seconds);
    let part = |number| Segment { number, charset: Charset::Ucs2, octets: Bytes::from_static(&[0, 0xFF]) };
    let _ = joiner.add(at(0), &keys[0], &part(1));
    let _ = joiner.add(at(1), &keys[1], &part(2));
    let _ = joiner.add(at(2), &keys[1], &part(1));
    joiner.published(&keys[1]);
    assert_eq!(joiner.take_noted(), BTreeSet::from([keys[0].clone(), keys[1].clone()]));
    assert!(joiner.take_noted().is_empty());

    let mut other = Joiner::new(limits);
    for key in &keys[..2] {
        let json = serde_json::to_string(&joiner.saved(key).unwrap()).unwrap();
        assert_eq!(other.restore(&serde_json::from_str(&json).unwrap()), Some(()));
        assert_eq!(other.restore(&serde_json::from_str(&json).unwrap()), None, "it is held already");
        assert_eq!(other.saved(key), joiner.saved(key));
    }
    assert_eq!((other.octets(), other.unfinished(), other.next_expiry()), (2, 1, Some(at(60))));
    assert_eq!(other.add(at(3), &keys[1], &part(1)).outcome, Outcome::Duplicate);
    // A third pushes nothing out, a fourth the finished one; both are noted.
    let _ = joiner.add(at(3), &keys[2], &part(1));
    let _ = joiner.add(at(3), &saved_key(4), &part(1));
    assert_eq!(joiner.take_noted().len(), 3);
    assert_eq!(joiner.saved(&keys[1]), None);
}

fn saved_key(reference: u16) -> PartKey {
    let address = |addr: &'static [u8]| PartAddress { ton: 1, npi: 0, addr: Bytes::from_static(addr) };
    let (source, destination) = (address(b"27\xFF"), address(b""));
    PartKey { source, destination, kind: ReferenceKind::Sar, reference, total: 2 }
}
