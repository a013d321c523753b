//! What a store is told, and what a mailbox makes of what a store kept.

use super::*;
use crate::message::{Change, Outcome};
use crate::policy::{Policy, ReceiptPolicy, Which};

const DELIVERED: MessageState = MessageState::DELIVERED;

/// All that a store would have kept, through JSON and back.
fn stored(given: &Given) -> Vec<Record> {
    let records: Vec<_> = given.mailbox.iter().collect();
    let octets = serde_json::to_vec(&records).expect("JSON");
    serde_json::from_slice(&octets).expect("read back")
}

/// Another simulator starts with what this one kept, on a clock of its own, `later`.
fn restarted(given: &Given, later: Duration) -> Given {
    let mut next = Given::new();
    next.now = Now { mono: Duration::ZERO, wall: given.now.wall + later };
    next.mailbox.restore(next.now, stored(given));
    next
}

#[test]
fn a_record_is_the_same_when_it_is_read_back() {
    let mut given = Given::new();
    let policy = ReceiptPolicy { session: Some(Which::Other), times: Some(2), ..ReceiptPolicy::default() };
    let life = Life::draw(&Policy { receipt: policy, ..Policy::default() }, &mut Seed(1).stream("any", 1));
    let mut tlvs = Tlvs::new();
    tlvs.push(smpp_transport::pdu::TlvTag(0x1400), b"\0\xFFx");
    given.submit(&sm(1), &tlvs, life);
    let records: Vec<_> = given.mailbox.iter().cloned().collect();
    assert_eq!(stored(&given), records);
}

#[test]
fn every_change_is_told_once() {
    let mut given = Given::with(Limits { messages_max: 1, ..Limits::default() });
    given.submit(&sm(0), &Tlvs::new(), given.life(DELIVERED));
    assert_eq!(given.mailbox.take_changes(), [], "nobody asked for them");
    given.mailbox.clear();
    given.mailbox.track_changes(true);
    given.submit(&sm(1), &Tlvs::new(), given.slow(1, DELIVERED));
    let kept = |given: &Given, number| Change::Kept(Box::new(given.record(number).clone()));
    assert_eq!(given.mailbox.take_changes(), [kept(&given, 2)]);
    assert_eq!(given.mailbox.take_changes(), []);
    given.wait(SECOND);
    assert_eq!(given.mailbox.take_changes(), [kept(&given, 2)]);
    given.mailbox.sent(given.now, 2, 0, 1);
    assert_eq!(given.mailbox.take_changes(), [kept(&given, 2)]);
    given.submit(&sm(1), &Tlvs::new(), given.life(DELIVERED));
    assert_eq!(given.mailbox.take_changes(), [Change::Forgotten(2), kept(&given, 3)]);
    given.mailbox.clear();
    given.submit(&sm(1), &Tlvs::new(), given.life(DELIVERED));
    assert_eq!(given.mailbox.take_changes(), [Change::Cleared, kept(&given, 4)]);
}

#[test]
fn clear_forgets_all_but_the_numbers() {
    let mut given = Given::new();
    given.submit(&sm(0x11), &Tlvs::new(), given.slow(1, DELIVERED));
    given.submit(&sm(1), &Tlvs::new(), Life { receipt_delay: SECOND, ..given.life(DELIVERED) });
    given.mailbox.clear();
    assert_eq!((given.mailbox.len(), given.mailbox.pending("esme"), given.mailbox.poll_timeout()), (0, 0, None));
    assert_eq!(given.dues(), []);
    assert_eq!(given.submit(&sm(0), &Tlvs::new(), given.life(DELIVERED)).number, 3);
}

#[test]
fn what_was_to_come_goes_on_after_a_restart() {
    let mut given = Given::new();
    given.submit(&sm(1), &Tlvs::new(), given.slow(10, DELIVERED));
    given.submit(&sm(1), &Tlvs::new(), given.slow(60, DELIVERED));
    let scheduled = Sm { schedule_delivery_time: text("000000000060000R"), ..sm(1) };
    given.submit(&scheduled, &Tlvs::new(), given.slow(5, DELIVERED));
    let valid = Sm { validity_period: text("000000000110000R"), ..sm(1) };
    given.submit(&valid, &Tlvs::new(), given.life(MessageState::ENROUTE));
    given.wait(SECOND);

    let mut next = restarted(&given, SECOND * 19);
    assert_eq!(next.mailbox.pending("esme"), 3);
    assert_eq!((next.state(1), next.record(1).done), (DELIVERED, Some(START + SECOND * 20)), "overdue");
    assert_eq!(next.mailbox.poll_timeout(), Some(SECOND), "after a restart all times are times of day");
    next.wait(SECOND * 1000);
    let done: Vec<_> = (1..=4).map(|number| next.record(number).done.map(|done| done - START)).collect();
    assert_eq!(done, [20, 60, 65, 70].map(|seconds| Some(SECOND * seconds)));
    assert_eq!(next.submit(&sm(0), &Tlvs::new(), next.life(DELIVERED)).number, 5);
}

#[test]
fn receipts_that_nobody_took_are_due_again_after_a_restart() {
    let mut given = Given::new();
    for _ in 0..5 {
        given.submit(&sm(1), &Tlvs::new(), given.life(DELIVERED));
    }
    given.submit(&sm(1), &Tlvs::new(), Life { receipt_delay: SECOND * 30, ..given.life(DELIVERED) });
    for number in 2..=5 {
        given.mailbox.sent(given.now, number, 0, 1);
    }
    for (number, outcome) in [(3, Outcome::Accepted), (4, Outcome::Refused), (5, Outcome::GivenUp)] {
        given.mailbox.ended(given.now, number, 0, outcome, Some(CommandStatus::ESME_ROK));
    }
    let before = given.dues();
    let mut next = restarted(&given, SECOND * 10);
    assert_eq!(next.dues(), before[..2], "the same receipts");
    assert_eq!(next.record(2).receipts[0].outcome, Outcome::Waiting);
    next.wait(SECOND * 19);
    assert_eq!(next.dues(), []);
    next.wait(SECOND);
    assert_eq!(next.dues().len(), 1);
}

#[test]
fn what_ended_longest_ago_is_still_forgotten_first_after_a_restart() {
    let mut given = Given::new();
    given.submit(&sm(0), &Tlvs::new(), given.slow(9, DELIVERED));
    given.submit(&sm(0), &Tlvs::new(), given.slow(5, DELIVERED));
    given.wait(SECOND * 9);
    let mut next = Given::with(Limits { messages_max: 2, ..Limits::default() });
    next.mailbox.restore(next.now, stored(&given));
    next.submit(&sm(0), &Tlvs::new(), next.life(DELIVERED));
    assert_eq!(next.mailbox.iter().map(|record| record.number).collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn parts_receipts_and_ids_of_a_policy_outlive_a_restart() {
    let policy: Policy = serde_saphyr::from_str(
        "{ message_id: 'A-%d', part_ids: shared, enroute: 10s, receipt: { parts: one, split: { octets: 60 },
           then: [{ state: EXPIRED, delay: 5s, receipt: { text: short } }] } }",
    )
    .expect("a policy");
    let mut given = Given::new();
    for number in [1, 2] {
        let life = Life::draw(&policy, &mut Seed(1).stream("any", 1));
        let part = Sm { registered_delivery: RegisteredDelivery(1), ..part(7, 2, number, "text") };
        given.submit(&part, &Tlvs::new(), life);
    }
    let texts = |given: &mut Given| {
        let receipts = given.dues().into_iter().map(|due| due.receipt.pdu(true).0);
        let text = |body| match body {
            smpp_transport::pdu::Body::DeliverSm(sm) => sm.short_message.as_bytes().escape_ascii().to_string(),
            other => panic!("{other:?}"),
        };
        receipts.map(text).collect::<Vec<_>>()
    };
    let mut next = restarted(&given, SECOND);
    assert_eq!(next.mailbox.find("a-1").collect::<Vec<_>>(), [1, 2]);
    next.wait(SECOND * 9);
    let first = texts(&mut next);
    assert_eq!(first.len(), 2, "one receipt in two parts: {first:?}");
    assert!(first[0].contains("id:A-1 sub:001"), "{first:?}");
    // What has not been taken comes again after another restart, in the same parts; and then the further one.
    let mut last = restarted(&next, SECOND);
    assert_eq!(texts(&mut last), first);
    last.wait(SECOND * 4);
    let further = texts(&mut last);
    assert!(further.len() == 2 && further[0].contains("id:A-1 submit date:"), "{further:?}");
    let life = Life::draw(&policy, &mut Seed(1).stream("any", 1));
    assert_eq!(&*last.submit(&sm(0), &Tlvs::new(), life).id, "A-3");
}
