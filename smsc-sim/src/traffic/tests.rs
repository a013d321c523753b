//! Guards that every PDU is recorded once and whole however its octets come, that memory is bounded, that who follows and
//! who counts sees the same, and that no password is told.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use smpp_transport::pdu::{Bind, Body, COctets, CommandStatus, Empty, Leniency, Outbind, Pdu, ShortMessage, Sm};

use super::*;

/// One second more each time it is asked.
#[derive(Default)]
struct Ticking(AtomicU64);

impl WallClock for Ticking {
    fn unix(&self) -> Duration {
        Duration::from_secs(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

const OCTETS_MAX: usize = 1_000;

fn traffic(memory: Memory) -> Arc<Traffic> {
    Arc::new(Traffic::new(memory, OCTETS_MAX, Arc::new(Ticking::default())))
}

fn tap(traffic: &Arc<Traffic>, session: u64) -> Tap {
    Tap::new(Arc::clone(traffic), session, None, None)
}

fn submit(sequence: u32) -> Bytes {
    let text = ShortMessage::new(vec![b'x'; 20]).unwrap();
    let sm = Sm { short_message: text, ..Sm::default() };
    Pdu::new(CommandStatus::ESME_ROK, sequence, Body::SubmitSm(sm)).to_octets()
}

fn enquire_link(sequence: u32) -> Bytes {
    Pdu::new(CommandStatus::ESME_ROK, sequence, Body::EnquireLink(Empty {})).to_octets()
}

fn octets(records: &[PduRecord]) -> Vec<Bytes> {
    records.iter().map(|record| record.octets.clone()).collect()
}

#[test]
fn pdus_are_recorded_whole_however_their_octets_come() {
    let pdus: Vec<_> = (1..=6).flat_map(|n| [submit(n), enquire_link(n + 100)]).collect();
    let stream = pdus.concat();
    for size in 1..=stream.len() {
        let traffic = traffic(Memory::default());
        let mut tap = tap(&traffic, 7);
        stream.chunks(size).for_each(|chunk| tap.passed(Way::FromEsme, chunk));
        let records = traffic.records(0, None, usize::MAX);
        assert_eq!(octets(&records), pdus, "in pieces of {size}");
        assert!(records.iter().zip(1..).all(|(record, n)| record.number == n && record.session == 7), "{records:?}");
        assert!(records.iter().all(|record| record.way == Way::FromEsme && !record.malformed));
    }
}

#[test]
fn octets_are_kept_whole_whatever_is_left_of_a_block() {
    let mut store = Store::default();
    let pieces: Vec<_> = (0..=255).map(|octet| vec![octet; 3 * usize::from(octet)]).collect();
    let pieces: Vec<_> = pieces.iter().cloned().chain([vec![1; 100_000]]).chain(pieces.iter().cloned()).collect();
    let kept: Vec<_> = pieces.iter().map(|piece| store.keep(piece)).collect();
    assert_eq!(kept, pieces);
}

#[test]
fn the_directions_do_not_mix() {
    let traffic = traffic(Memory::default());
    let mut tap = tap(&traffic, 1);
    let (there, back) = (submit(1), enquire_link(2));
    tap.passed(Way::FromEsme, &there[..9]);
    tap.passed(Way::ToEsme, &back[..5]);
    tap.passed(Way::FromEsme, &there[9..]);
    tap.passed(Way::ToEsme, &back[5..]);
    let records = traffic.records(0, None, 10);
    assert_eq!(octets(&records), [there, back]);
    assert_eq!(records.iter().map(|record| record.way).collect::<Vec<_>>(), [Way::FromEsme, Way::ToEsme]);
    // The clock is asked once for the opening and once for each piece.
    assert_eq!(records.iter().map(|record| record.at.as_secs()).collect::<Vec<_>>(), [3, 4]);
}

#[test]
fn after_a_length_that_cannot_be_octets_are_recorded_as_they_come() {
    for length in [15_u32, OCTETS_MAX as u32 + 1, 0, u32::MAX] {
        let bad = [&length.to_be_bytes()[..], &[9; 30]].concat();
        for cut in 1..bad.len() {
            let traffic = traffic(Memory::default());
            let mut tap = tap(&traffic, 1);
            tap.passed(Way::FromEsme, &[&submit(1)[..], &bad[..cut]].concat());
            tap.passed(Way::FromEsme, &bad[cut..]);
            tap.passed(Way::FromEsme, b"more");
            let records = traffic.records(0, None, 10);
            assert_eq!((records[0].octets.clone(), records[0].malformed), (submit(1), false));
            assert!(records[1..].iter().all(|record| record.malformed), "cut at {cut}: {records:?}");
            assert_eq!(octets(&records[1..]).concat(), [&bad[..], b"more"].concat(), "cut at {cut}");
            assert_eq!(records.last().unwrap().octets, "more");
            let counts = traffic.counts().from_esme;
            assert_eq!((counts.pdus, counts.octets), (1, (submit(1).len() + 34 + 4) as u64));
        }
    }
}

#[test]
fn only_so_many_pdus_and_octets_are_remembered_and_the_oldest_go() {
    let traffic = traffic(Memory { pdus_max: 3, ..Memory::default() });
    (1..=5).for_each(|n| tap(&traffic, 1).passed(Way::ToEsme, &submit(n)));
    let numbers = |records: Vec<PduRecord>| records.iter().map(|record| record.number).collect::<Vec<_>>();
    assert_eq!(numbers(traffic.records(0, None, 10)), [3, 4, 5]);
    let traffic = self::traffic(Memory { pdu_octets_max: 40, ..Memory::default() });
    (1..=5).for_each(|n| tap(&traffic, 1).passed(Way::ToEsme, &enquire_link(n)));
    assert_eq!(numbers(traffic.records(0, None, 10)), [4, 5]);
    tap(&traffic, 1).passed(Way::ToEsme, &submit(6));
    assert!(traffic.records(0, None, 10).is_empty(), "too large for the memory");
    traffic.clear();
    tap(&traffic, 1).passed(Way::ToEsme, &enquire_link(7));
    assert_eq!(numbers(traffic.records(0, None, 10)), [7], "numbers go on");
}

#[test]
fn records_are_asked_for_by_number_session_and_limit() {
    let traffic = traffic(Memory::default());
    (1..=9).for_each(|n| tap(&traffic, u64::from(n % 2)).passed(Way::ToEsme, &enquire_link(n)));
    let numbers = |after, session, limit| {
        traffic.records(after, session, limit).iter().map(|record| record.number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(6, None, 10), [7, 8, 9]);
    assert_eq!(numbers(2, Some(0), 2), [4, 6]);
    assert_eq!(numbers(9, None, 10), [0; 0]);
    assert_eq!(numbers(0, Some(5), 10), [0; 0]);
}

#[test]
fn with_nothing_to_remember_pdus_are_counted_and_told_to_those_who_follow() {
    let traffic = traffic(Memory { pdus_max: 0, ..Memory::default() });
    let mut tap = tap(&traffic, 1);
    tap.passed(Way::FromEsme, &submit(1)[..20]);
    let mut live = traffic.subscribe();
    tap.passed(Way::FromEsme, &[&submit(1)[20..], &submit(2), &[0, 0, 0, 16, 0, 0, 9, 9]].concat());
    tap.passed(Way::FromEsme, &[0; 8]);
    let told = live.try_recv().unwrap();
    assert_eq!((told.number, told.octets), (1, submit(2)), "the one that began before was not kept");
    assert_eq!(live.try_recv().unwrap().octets.len(), 16);
    assert!(live.try_recv().is_err());
    assert!(traffic.records(0, None, 10).is_empty());
    let counts = traffic.counts();
    let commands = [("submit_sm".to_owned(), 2), ("unknown".to_owned(), 1)];
    assert_eq!((counts.from_esme.pdus, counts.from_esme.commands), (3, BTreeMap::from(commands)));
    assert_eq!(counts.to_esme, Passed::default());
}

fn record(octets: Bytes) -> PduRecord {
    let at = Duration::from_millis(1_709_210_096_789);
    PduRecord { number: 5, at, session: 2, way: Way::ToEsme, malformed: false, octets }
}

#[test]
fn a_record_tells_its_pdu() {
    let told = json(&record(enquire_link(9)), Leniency::STRICT);
    let expected = serde_json::json!({
        "number": 5, "at": "2024-02-29T12:34:56.789Z", "session": 2, "way": "to_esme",
        "hex": "00000010000000150000000000000009", "command": "enquire_link", "command_id": 0x15,
        "command_status": 0, "sequence_number": 9, "fields": {}, "tlvs": [],
    });
    assert_eq!(told, expected);
    let told = json(&PduRecord { malformed: true, ..record(Bytes::from_static(b"abc")) }, Leniency::STRICT);
    assert_eq!((&told["malformed"], &told["hex"]), (&Value::from(true), &Value::from("616263")));
    assert!(told["error"].as_str().is_some_and(|error| !error.is_empty()), "{told}");
    assert!(told.get("command").is_none());
}

#[test]
fn a_record_names_the_fault_for_which_a_pdu_is_refused() {
    let mut octets = enquire_link(9).to_vec();
    octets.push(0);
    octets[3] += 1;
    let record = record(octets.into());
    let told = json(&record, Leniency::STRICT);
    assert_eq!(told["command"], "enquire_link", "what can be read is shown");
    let words =
        "enquire_link: optional parameters at octet 16: 1 octets are left, an optional parameter has at least 4";
    assert_eq!(told["error"], words);
    assert!(json(&record, Leniency::TOLERANT).get("error").is_none(), "what is accepted has no fault");
}

#[test]
fn no_password_is_told() {
    let bind = Bind { system_id: "me".parse().unwrap(), password: "secret".parse().unwrap(), ..Bind::default() };
    let password: COctets<9> = "secret".parse().unwrap();
    let bodies = [
        Body::BindTransmitter(bind.clone()),
        Body::BindReceiver(bind.clone()),
        Body::BindTransceiver(bind),
        Body::Outbind(Outbind { system_id: "me".parse().unwrap(), password }),
    ];
    for body in bodies {
        let whole = Pdu::new(CommandStatus::ESME_ROK, 1, body).to_octets();
        let told = json(&record(whole.clone()), Leniency::STRICT);
        assert_eq!(told["fields"]["password"], "******");
        assert_eq!(told["fields"]["system_id"], "me");
        assert!(told["hex"].as_str().unwrap().contains("6d65002a2a2a2a2a2a00"), "{told}");
        // One that is cut within the password is masked as far as it goes.
        let told = json(&record(whole.slice(..22)), Leniency::STRICT);
        assert!(!told.to_string().contains("736563"), "{told}");
    }
}
