//! How sessions and the simulator itself end.

use std::time::Duration;

use smpp_transport::pdu::{Body, CommandStatus, Empty, Pdu};
use smpp_transport::session::BindKind;
use tokio::time::Instant;

use crate::world::{Smsc, submit};

#[tokio::test(start_paused = true)]
async fn unbind_is_answered_and_the_line_closed() {
    let smsc = Smsc::start(|_| {});
    for kind in [BindKind::Transmitter, BindKind::Receiver, BindKind::Transceiver] {
        let mut esme = smsc.bound(kind).await;
        assert_eq!(esme.ask(Body::Unbind(Empty {})).await.status, CommandStatus::ESME_ROK);
        assert!(esme.next().await.is_none(), "{kind:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_asked_before_unbind_is_answered_before_it() {
    let smsc = Smsc::with_rules("[then: { delay: 1s }]");
    let mut esme = smsc.bound(BindKind::Transceiver).await;
    let submitted = esme.send(submit(0)).await;
    let unbound = esme.send(Body::Unbind(Empty {})).await;
    assert_eq!(esme.must_hear().await.sequence, submitted);
    assert_eq!(esme.must_hear().await.sequence, unbound);
    assert!(esme.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn stopping_unbinds_the_bound_hangs_up_on_the_rest_and_ends_at_once() {
    let smsc = Smsc::start(|_| {});
    let mut unbound = smsc.open();
    let mut bound = smsc.bound(BindKind::Receiver).await;
    let start = Instant::now();
    smsc.control().stop();
    assert!(unbound.next().await.is_none());
    drop(unbound);
    let unbind = bound.must_hear().await;
    assert!(matches!(unbind.body, Body::Unbind(_)), "{unbind}");
    bound.write(&Pdu::new(CommandStatus::ESME_ROK, unbind.sequence, Body::UnbindResp(Empty {})).to_octets()).await;
    assert!(bound.next().await.is_none());
    drop(bound);
    smsc.stop().await;
    assert!(start.elapsed() < Duration::from_millis(100), "{:?}", start.elapsed());
}

#[tokio::test(start_paused = true)]
async fn stopping_waits_no_longer_than_ten_seconds_for_those_who_do_not_answer() {
    let smsc = Smsc::start(|config| config.session.unbind_timeout = Duration::from_secs(3_600));
    let mut esme = smsc.bound(BindKind::Receiver).await;
    let start = Instant::now();
    smsc.control().stop();
    assert!(matches!(esme.must_hear().await.body, Body::Unbind(_)));
    smsc.stop().await;
    assert_eq!(start.elapsed().as_secs(), 10);
    assert!(esme.next().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_simulator_that_stops_takes_no_lines_and_no_messages_any_more() {
    let smsc = Smsc::start(|_| {});
    let mut staying = smsc.bound(BindKind::Transceiver).await;
    smsc.control().stop();
    assert!(matches!(staying.must_hear().await.body, Body::Unbind(_)));
    assert!(!smsc.listens());
    assert_eq!(staying.ask(submit(1)).await.status, CommandStatus::ESME_RTHROTTLED);
}
