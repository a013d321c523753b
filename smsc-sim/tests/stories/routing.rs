//! Receipts: where they go, how long they are kept, and how they are offered again.

use std::time::Duration;

use smpp_transport::pdu::CommandStatus;
use smpp_transport::session::BindKind;
use smsc_sim::Account;
use tokio::time::Instant;

use crate::world::{Smsc, bind, bind_as, sm, wait, words};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn the_receipt_goes_to_the_session_that_submitted_when_that_receives() {
    let smsc = Smsc::start(|_| {});
    let mut other = smsc.bound(BindKind::Transceiver).await;
    let mut esme = smsc.bound(BindKind::Transceiver).await;
    let mut third = smsc.bound(BindKind::Receiver).await;
    for _ in 0..3 {
        let id = esme.submit(sm(1)).await;
        assert_eq!(esme.receipt_id().await, id);
    }
    assert!(other.hears_nothing_for(MINUTE).await && third.hears_nothing_for(MINUTE).await);
}

#[tokio::test(start_paused = true)]
async fn the_receipt_of_a_transmitter_goes_to_a_receiver_of_its_account() {
    let smsc = Smsc::start(|_| {});
    let mut receiver = smsc.bound(BindKind::Receiver).await;
    let mut transmitter = smsc.bound(BindKind::Transmitter).await;
    let id = transmitter.submit(sm(1)).await;
    assert_eq!(receiver.receipt_id().await, id);
    assert!(transmitter.hears_nothing_for(MINUTE).await);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_bind_is_counted_and_keeps_nobody_from_rest_who_may_be_elsewhere() {
    let smsc = Smsc::start(|config| config.first_number = 5_000);
    let mut transmitter = smsc.bound(BindKind::Transmitter).await;
    assert_eq!([transmitter.submit(sm(1)).await, transmitter.submit(sm(1)).await], ["5000", "5001"]);
    wait(MINUTE).await;
    let own = bind().system_id.text();
    let idle = || (smsc.control().is_idle(), smsc.control().is_idle_but_for(|it| it == own));
    assert_eq!((smsc.control().held(&own), smsc.control().held("nobody")), (2, 0));
    assert_eq!((idle(), smsc.control().is_idle_but_for(|it| it != own)), ((false, true), false));
    let mut receiver = smsc.bound(BindKind::Receiver).await;
    assert_eq!(receiver.receipt().await.0.sequence, 1);
    assert_eq!((smsc.control().held(&own), idle()), (0, (false, false)));
}

#[tokio::test(start_paused = true)]
async fn receipts_are_kept_in_order_until_a_session_of_the_account_can_receive() {
    let smsc = Smsc::start(|_| {});
    let mut transmitter = smsc.bound(BindKind::Transmitter).await;
    let mut ids = Vec::new();
    // More than are handed over at once, and than the window takes.
    for _ in 0..250 {
        ids.push(transmitter.submit(sm(1)).await);
    }
    let mut second = smsc.bound(BindKind::Transmitter).await;
    assert!(second.hears_nothing_for(MINUTE).await);
    let mut receiver = smsc.bound(BindKind::Receiver).await;
    let mut received = Vec::new();
    for _ in 0..250 {
        received.push(receiver.receipt_id().await);
    }
    assert_eq!(received, ids);
    assert!(receiver.hears_nothing_for(MINUTE).await);
}

#[tokio::test(start_paused = true)]
async fn when_too_many_receipts_wait_new_ones_are_dropped_and_counted() {
    let smsc = Smsc::start(|config| config.limits.deliveries_max = 2);
    let mut transmitter = smsc.bound(BindKind::Transmitter).await;
    for _ in 0..4 {
        transmitter.submit(sm(1)).await;
    }
    let stats = smsc.control().stats();
    assert_eq!((stats.deliveries_waiting, stats.deliveries_dropped), (2, 2));
    let mut receiver = smsc.bound(BindKind::Receiver).await;
    assert_eq!([receiver.receipt_id().await, receiver.receipt_id().await], ["1", "2"]);
    assert!(receiver.hears_nothing_for(MINUTE).await);
    transmitter.submit(sm(1)).await;
    assert_eq!(receiver.receipt_id().await, "5", "there is room again");
}

#[tokio::test(start_paused = true)]
async fn a_receipt_never_goes_to_another_account() {
    let smsc = Smsc::start(|config| config.accounts = vec![Account::new("one", "1"), Account::new("two", "2")]);
    let mut stranger = smsc.bound_as(bind_as("two", "2"), BindKind::Transceiver).await;
    let mut transmitter = smsc.bound_as(bind_as("one", "1"), BindKind::Transmitter).await;
    let id = transmitter.submit(sm(1)).await;
    assert!(stranger.hears_nothing_for(MINUTE).await);
    let mut late = smsc.bound_as(bind_as("two", "2"), BindKind::Receiver).await;
    assert!(late.hears_nothing_for(MINUTE).await);
    let mut receiver = smsc.bound_as(bind_as("one", "1"), BindKind::Receiver).await;
    assert_eq!(receiver.receipt_id().await, id);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_is_put_off_is_offered_again_after_five_seconds_until_it_is_taken() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.bound(BindKind::Transceiver).await;
    esme.submit(sm(1)).await;
    let start = Instant::now();
    let put_off = [CommandStatus::ESME_RX_T_APPN, CommandStatus::ESME_RMSGQFUL, CommandStatus::ESME_RTHROTTLED];
    let mut numbers = Vec::new();
    for (nth, status) in (0..).zip(put_off) {
        let (pdu, receipt) = esme.receipt().await;
        assert_eq!(start.elapsed().as_millis() / 10, nth * 500);
        assert!(words(&receipt).starts_with("id:1 "));
        numbers.push(pdu.sequence);
        esme.answer(&pdu, status).await;
    }
    assert_eq!(esme.receipt_id().await, "1");
    assert!(esme.hears_nothing_for(MINUTE).await);
    numbers.dedup();
    assert_eq!(numbers.len(), 3, "each offer is a request of its own");
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_is_refused_for_good_is_not_offered_again() {
    let smsc = Smsc::start(|_| {});
    let mut esme = smsc.bound(BindKind::Transceiver).await;
    for status in [CommandStatus::ESME_RX_P_APPN, CommandStatus::ESME_RX_R_APPN, CommandStatus::ESME_RINVDSTADR] {
        esme.submit(sm(1)).await;
        let (pdu, _) = esme.receipt().await;
        esme.answer(&pdu, status).await;
        assert!(esme.hears_nothing_for(MINUTE).await, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_is_not_answered_is_offered_again_after_the_retry_delay() {
    let smsc = Smsc::start(|config| config.session.response_timeout = Duration::from_secs(3));
    let mut esme = smsc.bound(BindKind::Transceiver).await;
    esme.submit(sm(1)).await;
    let (first, _) = esme.receipt().await;
    let start = Instant::now();
    let (second, _) = esme.receipt().await;
    assert_eq!(start.elapsed().as_secs(), 3 + 5);
    assert_ne!(first.sequence, second.sequence);
    esme.answer(&second, CommandStatus::ESME_ROK).await;
    assert!(esme.hears_nothing_for(MINUTE).await);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_survives_the_session_that_it_was_sent_on() {
    let smsc = Smsc::start(|_| {});
    let mut first = smsc.bound(BindKind::Transceiver).await;
    let id = first.submit(sm(1)).await;
    first.receipt().await;
    first.vanish().await;
    let mut second = smsc.bound(BindKind::Receiver).await;
    second.receipt().await;
    // Its answer never comes: it unbinds instead.
    second.leave().await;
    let mut third = smsc.bound(BindKind::Transceiver).await;
    assert_eq!(third.receipt_id().await, id);
    assert!(third.hears_nothing_for(MINUTE).await);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_is_not_due_yet_survives_the_session_that_submitted() {
    let smsc = Smsc::with_policy("{ receipt: { delay: 30s } }");
    let mut first = smsc.bound(BindKind::Transceiver).await;
    let id = first.submit(sm(1)).await;
    first.leave().await;
    let mut second = smsc.bound(BindKind::Receiver).await;
    assert_eq!(second.receipt_id().await, id);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_was_put_off_survives_the_session_that_put_it_off() {
    let smsc = Smsc::start(|_| {});
    let mut first = smsc.bound(BindKind::Transceiver).await;
    let id = first.submit(sm(1)).await;
    let (pdu, _) = first.receipt().await;
    first.answer(&pdu, CommandStatus::ESME_RX_T_APPN).await;
    first.leave().await;
    let mut second = smsc.bound(BindKind::Receiver).await;
    assert_eq!(second.receipt_id().await, id);
}

#[tokio::test(start_paused = true)]
async fn when_one_receiver_goes_another_that_is_bound_gets_its_receipts() {
    let smsc = Smsc::start(|_| {});
    let mut other = smsc.bound(BindKind::Receiver).await;
    let mut first = smsc.bound(BindKind::Transceiver).await;
    let id = first.submit(sm(1)).await;
    first.receipt().await;
    first.vanish().await;
    assert_eq!(other.receipt_id().await, id);
}

#[tokio::test(start_paused = true)]
async fn no_more_receipts_are_outstanding_than_the_window_holds() {
    let smsc = Smsc::start(|config| config.session.window = 3);
    let mut transmitter = smsc.bound(BindKind::Transmitter).await;
    for _ in 0..5 {
        transmitter.submit(sm(1)).await;
    }
    let mut receiver = smsc.bound(BindKind::Receiver).await;
    let (first, _) = receiver.receipt().await;
    receiver.receipt().await;
    receiver.receipt().await;
    assert!(receiver.hears_nothing_for(Duration::from_secs(1)).await);
    receiver.answer(&first, CommandStatus::ESME_ROK).await;
    receiver.receipt().await;
    assert!(receiver.hears_nothing_for(Duration::from_secs(1)).await);
}

#[tokio::test(start_paused = true)]
async fn deliveries_go_to_the_receivers_of_an_account_in_turn() {
    let smsc = Smsc::with_policy("{ receipt: { session: any } }");
    let mut receivers = Vec::new();
    for _ in 0..3 {
        receivers.push(smsc.bound(BindKind::Receiver).await);
    }
    let mut transmitter = smsc.bound(BindKind::Transmitter).await;
    for _ in 0..2 {
        for receiver in &mut receivers {
            let id = transmitter.submit(sm(1)).await;
            assert_eq!(receiver.receipt_id().await, id);
        }
    }
}
