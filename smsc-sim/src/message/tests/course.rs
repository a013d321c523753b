//! The course of a message: states, times, receipts.

use std::sync::Arc;

use super::*;
use crate::message::Outcome;
use crate::policy::{Policy, ReceiptPolicy, Sent};

const DELIVERED: MessageState = MessageState::DELIVERED;
const FAILED: MessageState = MessageState::UNDELIVERABLE;

#[test]
fn a_message_without_delays_ends_when_it_is_accepted_and_needs_no_timer() {
    let mut given = Given::new();
    let accepted = given.submit(&sm(1), &Tlvs::new(), given.life(DELIVERED));
    assert_eq!((accepted.number, &*accepted.id, accepted.replaced), (1, "1", false));
    assert_eq!(given.state(1), DELIVERED);
    assert_eq!(given.mailbox.poll_timeout(), None);
    let dues = given.dues();
    assert_eq!((dues.len(), dues[0].session, &*dues[0].account), (1, 3, "esme"));
    assert_eq!(given.mailbox.pending("esme"), 0);
}

#[test]
fn the_default_policy_needs_no_draw() {
    let plain = Life::plain(&Arc::default());
    assert_eq!(Life::draw(&Policy::default(), &mut Seed(1).stream("message", 1)), plain);
}

#[test]
fn a_message_is_enroute_as_long_as_its_life_says() {
    let mut given = Given::new();
    given.submit(&sm(1), &Tlvs::new(), given.slow(5, FAILED));
    assert_eq!((given.state(1), given.mailbox.pending("esme")), (MessageState::ENROUTE, 1));
    given.wait(SECOND * 4);
    assert_eq!((given.state(1), given.reported()), (MessageState::ENROUTE, vec![]));
    assert_eq!(given.mailbox.poll_timeout(), Some(given.now.mono + SECOND));
    given.wait(SECOND);
    assert_eq!((given.state(1), given.reported()), (FAILED, vec![FAILED]));
    let states = [(MessageState::ENROUTE, START), (FAILED, START + SECOND * 5)];
    assert_eq!(given.record(1).history, states);
    assert_eq!((given.record(1).done, given.mailbox.pending("esme")), (Some(START + SECOND * 5), 0));
}

#[test]
fn a_late_tick_does_everything_at_its_own_time_and_in_order() {
    let mut given = Given::new();
    given.submit(&sm(1), &Tlvs::new(), given.slow(5, DELIVERED));
    let life = Life { receipt_delay: SECOND * 2, ..given.slow(4, FAILED) };
    given.submit(&Sm { schedule_delivery_time: text("000000000002000R"), ..sm(0x11) }, &Tlvs::new(), life);
    given.now = Now { mono: given.now.mono + SECOND * 100, wall: START + SECOND * 100 };
    given.mailbox.tick(given.now);
    assert_eq!(given.reported(), [MessageState::ENROUTE, DELIVERED, FAILED]);
    assert_eq!((given.record(1).done, given.record(2).done), (Some(START + SECOND * 5), Some(START + SECOND * 6)));
    assert_eq!(given.mailbox.poll_timeout(), None);
}

#[test]
fn equal_times_keep_the_order_of_planning() {
    let mut given = Given::new();
    for _ in 0..20 {
        given.submit(&sm(1), &Tlvs::new(), given.slow(1, DELIVERED));
    }
    given.wait(SECOND);
    let numbers: Vec<_> = given.dues().into_iter().map(|due| due.receipt.number).collect();
    assert_eq!(numbers, (1..=20).collect::<Vec<_>>());
}

#[test]
fn a_scheduled_message_waits() {
    let mut given = Given::new();
    // Relative, and absolute two hours east of UTC.
    for schedule in ["000000000010000R", "260101020010008+"] {
        let sm = Sm { schedule_delivery_time: text(schedule), ..sm(1) };
        given.submit(&sm, &Tlvs::new(), given.life(DELIVERED));
    }
    assert_eq!((given.state(1), given.state(2)), (MessageState::SCHEDULED, MessageState::SCHEDULED));
    given.wait(SECOND * 9);
    assert_eq!(given.state(1), MessageState::SCHEDULED);
    given.wait(SECOND);
    assert_eq!((given.state(1), given.state(2)), (DELIVERED, DELIVERED));
    let at = START + SECOND * 10;
    let states = [(MessageState::SCHEDULED, START), (MessageState::ENROUTE, at), (DELIVERED, at)];
    assert_eq!(given.record(1).history, states);
}

#[test]
fn a_message_expires_when_its_validity_ends_first() {
    let mut given = Given::new();
    let valid = |validity| Sm { validity_period: text(validity), ..sm(1) };
    let never = given.life(MessageState::ENROUTE);
    given.submit(&valid("000000000003000R"), &Tlvs::new(), given.slow(5, DELIVERED));
    given.submit(&valid("260101000004000+"), &Tlvs::new(), never.clone());
    given.submit(&valid("000000000005000R"), &Tlvs::new(), given.slow(5, DELIVERED));
    let scheduled = Sm { schedule_delivery_time: text("000000000006000R"), ..valid("000000000006000R") };
    given.submit(&scheduled, &Tlvs::new(), given.slow(1, DELIVERED));
    given.submit(&sm(1), &Tlvs::new(), never);
    given.wait(SECOND * 3600);
    let states: Vec<_> = (1..=5).map(|number| given.state(number)).collect();
    let expired = MessageState::EXPIRED;
    assert_eq!(states, [expired, expired, DELIVERED, expired, MessageState::ENROUTE]);
    assert_eq!(given.reported(), [expired, expired, DELIVERED, expired]);
    assert_eq!(given.record(1).done, Some(START + SECOND * 3));
    assert_eq!(given.record(1).error, 1);
    assert_eq!(given.mailbox.poll_timeout(), None, "the one without end needs no timer");
}

#[test]
fn a_message_expires_while_it_is_scheduled() {
    let mut given = Given::new();
    let sm = Sm { schedule_delivery_time: text("000000000010000R"), ..sm(1) };
    let (scheduled, expires) = (Some(START + SECOND * 10), Some(START + SECOND * 2));
    let times = super::super::Times { scheduled, expires, ..Default::default() };
    let submission = Submission::submit_sm(given.sender(), &sm, &Tlvs::new(), times);
    given.mailbox.accept(given.now, submission, given.life(DELIVERED)).expect("accepted");
    given.wait(SECOND * 2);
    assert_eq!((given.state(1), given.reported()), (MessageState::EXPIRED, vec![MessageState::EXPIRED]));
}

#[test]
fn receipts_are_due_as_they_are_asked_for() {
    // registered_delivery, outcome, receipts; §5.2.17.
    let intermediate = MessageState::ENROUTE;
    for (asked, outcome, receipts) in [
        (0, DELIVERED, vec![]),
        (0, FAILED, vec![]),
        (1, DELIVERED, vec![DELIVERED]),
        (1, FAILED, vec![FAILED]),
        (1, MessageState::ACCEPTED, vec![MessageState::ACCEPTED]),
        (2, DELIVERED, vec![]),
        (2, MessageState::ACCEPTED, vec![]),
        (2, FAILED, vec![FAILED]),
        (2, MessageState::UNKNOWN, vec![MessageState::UNKNOWN]),
        (3, DELIVERED, vec![]),
        (3, FAILED, vec![]),
        (0x04, FAILED, vec![]),
        (0x10, DELIVERED, vec![intermediate]),
        (0x11, DELIVERED, vec![intermediate, DELIVERED]),
        (0x12, MessageState::REJECTED, vec![intermediate, MessageState::REJECTED]),
        (1, MessageState::ENROUTE, vec![]),
    ] {
        let mut given = Given::new();
        let times = super::super::Times::default();
        let life = given.life(outcome);
        let submission = Submission::submit_sm(given.sender(), &sm(asked), &Tlvs::new(), times);
        given.mailbox.accept(given.now, submission, life.clone()).expect("accepted");
        assert_eq!(given.reported(), receipts, "submit_sm {asked:#x} {outcome}");
        let data_sm = DataSm { registered_delivery: RegisteredDelivery(asked), ..DataSm::default() };
        let submission = Submission::data_sm(given.sender(), &data_sm, &Tlvs::new(), times);
        given.mailbox.accept(given.now, submission, life).expect("accepted");
        assert_eq!(given.reported(), receipts, "data_sm {asked:#x} {outcome}");
    }
}

#[test]
fn a_policy_sends_receipts_to_who_did_not_ask_and_none_to_who_did() {
    let mut given = Given::new();
    for (sent, asked, times, count) in [
        (Sent::Always, 0, None, 1),
        (Sent::Always, 2, Some(3), 3),
        (Sent::Never, 0x11, None, 0),
        (Sent::Asked, 1, Some(0), 0),
        (Sent::Asked, 1, Some(255), 255),
        (Sent::Asked, 0x11, Some(2), 3),
    ] {
        let receipt = Arc::new(ReceiptPolicy { sent: Some(sent), times, ..ReceiptPolicy::default() });
        given.submit(&sm(asked), &Tlvs::new(), Life { receipt, ..given.life(DELIVERED) });
        assert_eq!(given.dues().len(), count, "{sent:?} {asked:#x} {times:?}");
    }
}

#[test]
fn a_receipt_comes_after_its_delay() {
    let mut given = Given::new();
    let life = Life { receipt_delay: SECOND * 3, ..given.life(DELIVERED) };
    given.submit(&sm(1), &Tlvs::new(), life);
    assert_eq!((given.state(1), given.dues().len()), (DELIVERED, 0));
    given.wait(SECOND * 2);
    assert_eq!(given.dues().len(), 0);
    given.wait(SECOND);
    assert_eq!(given.dues().len(), 1);
}

#[test]
fn what_became_of_a_receipt_is_written_down() {
    let mut given = Given::new();
    given.submit(&sm(1), &Tlvs::new(), given.life(DELIVERED));
    let fate = |given: &Given| given.record(1).receipts[0].clone();
    assert_eq!((fate(&given).outcome, fate(&given).attempts), (Outcome::Waiting, 0));
    given.mailbox.sent(given.now, 1, 0, 9);
    assert_eq!((fate(&given).outcome, fate(&given).attempts, fate(&given).session), (Outcome::Sent, 1, 9));
    let status = Some(CommandStatus::ESME_RX_T_APPN);
    given.mailbox.ended(given.now, 1, 0, Outcome::Waiting, status);
    given.mailbox.sent(given.now, 1, 0, 8);
    given.wait(SECOND);
    given.mailbox.ended(given.now, 1, 0, Outcome::GivenUp, None);
    assert_eq!((fate(&given).outcome, fate(&given).attempts, fate(&given).status), (Outcome::GivenUp, 2, status));
    assert_eq!(fate(&given).at, START + SECOND);
    given.mailbox.sent(given.now, 1, 7, 8);
    given.mailbox.ended(given.now, 99, 0, Outcome::Accepted, None);
}

#[test]
fn a_message_is_forced_forward_and_never_back() {
    let mut given = Given::new();
    let scheduled = Sm { schedule_delivery_time: text("000001000000000R"), ..sm(0x11) };
    given.submit(&scheduled, &Tlvs::new(), given.life(MessageState::ENROUTE));
    let mut force = |state, error| given.mailbox.force(given.now, 1, state, error);
    assert_eq!(force(MessageState::ENROUTE, None), Ok(()));
    let words = "message 1 is ENROUTE: it cannot become SCHEDULED".to_owned();
    assert_eq!(force(MessageState::SCHEDULED, None), Err(words));
    assert!(force(MessageState(77), None).is_err());
    assert_eq!(force(MessageState::ACCEPTED, None), Ok(()));
    assert_eq!(force(FAILED, Some(8)), Ok(()), "operators report ACCEPTED first");
    assert_eq!(force(DELIVERED, None), Err("message 1 is UNDELIVERABLE: it cannot become DELIVERED".to_owned()));
    assert_eq!(given.mailbox.force(given.now, 5, FAILED, None), Err("there is no message 5".to_owned()));
    assert_eq!(given.reported(), [MessageState::ENROUTE, MessageState::ACCEPTED, FAILED]);
    assert_eq!((given.record(1).error, given.mailbox.poll_timeout()), (8, None));
}

#[test]
fn beyond_its_limit_it_forgets_what_ended_longest_ago() {
    let mut given = Given::with(Limits { messages_max: 3, ..Limits::default() });
    given.submit(&sm(0), &Tlvs::new(), given.slow(9, DELIVERED));
    given.submit(&sm(0), &Tlvs::new(), given.slow(5, DELIVERED));
    given.submit(&sm(0), &Tlvs::new(), given.slow(7, DELIVERED));
    let full = given.try_submit(&sm(0), &Tlvs::new(), given.life(DELIVERED));
    assert_eq!(full, Err(CommandStatus::ESME_RMSGQFUL));
    given.wait(SECOND * 7);
    given.submit(&sm(0), &Tlvs::new(), given.life(MessageState::ENROUTE));
    let numbers = |given: &Given| given.mailbox.iter().map(|record| record.number).collect::<Vec<_>>();
    assert_eq!(numbers(&given), [1, 3, 4], "2 ended first, though 1 is older");
    given.submit(&sm(0), &Tlvs::new(), given.life(MessageState::ENROUTE));
    assert_eq!(numbers(&given), [1, 4, 5]);
    assert_eq!((given.mailbox.len(), given.mailbox.pending("esme")), (3, 3));
}

#[test]
fn a_message_is_not_forgotten_before_its_receipt_is_due() {
    let mut given = Given::with(Limits { messages_max: 1, ..Limits::default() });
    given.submit(&sm(1), &Tlvs::new(), Life { receipt_delay: SECOND, ..given.life(DELIVERED) });
    let full = given.try_submit(&sm(0), &Tlvs::new(), given.life(DELIVERED));
    assert_eq!(full, Err(CommandStatus::ESME_RMSGQFUL));
    given.wait(SECOND);
    given.submit(&sm(0), &Tlvs::new(), given.life(DELIVERED));
    assert_eq!(given.dues().len(), 1);
}
