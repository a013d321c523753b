//! What there is a bound to: connections, silence before a bind, requests at once, silence of a bound ESME.

use std::time::Duration;

use smpp_transport::pdu::{Body, CommandStatus, Empty};
use smpp_transport::session::BindKind;
use smsc_sim::rules::parse;
use tokio::time::Instant;

use crate::world::{Smsc, bind, request, submit, wait};

#[tokio::test(start_paused = true)]
async fn connections_beyond_the_limit_are_closed_until_one_has_gone() {
    let smsc = Smsc::start(|config| config.limits.connections_max = 2);
    let mut first = smsc.bound(BindKind::Transceiver).await;
    let mut second = smsc.open();
    assert!(smsc.open().next().await.is_none());
    assert!(second.is_served().await);
    first.ask(Body::Unbind(Empty {})).await;
    assert!(first.next().await.is_none());
    drop(first);
    wait(Duration::from_millis(1)).await;
    assert!(smsc.open().is_served().await);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_does_not_bind_is_closed_even_when_it_is_not_silent() {
    let smsc = Smsc::start(|config| config.session.session_init_timeout = Duration::from_secs(7));
    let (mut silent, mut talking) = (smsc.open(), smsc.open());
    assert!(silent.is_served().await && talking.is_served().await);
    let start = Instant::now();
    wait(Duration::from_secs(6)).await;
    assert!(talking.is_served().await);
    assert!(silent.next().await.is_none());
    assert!(talking.next().await.is_none());
    assert_eq!(start.elapsed().as_secs(), 7);
}

#[tokio::test(start_paused = true)]
async fn a_bound_session_outlives_the_time_that_a_bind_may_take() {
    let smsc = Smsc::start(|config| config.session.session_init_timeout = Duration::from_secs(7));
    let mut esme = smsc.open();
    assert!(esme.is_served().await);
    wait(Duration::from_secs(6)).await;
    esme.ask(request(BindKind::Transceiver, bind())).await;
    assert!(esme.hears_nothing_for(Duration::from_secs(60)).await);
    assert!(esme.is_served().await);
}

#[tokio::test(start_paused = true)]
async fn requests_beyond_the_inbound_window_are_throttled_and_the_others_answered() {
    let rules = parse("[then: { delay: 1s }]").unwrap();
    let smsc = Smsc::start(|config| {
        config.session.inbound_window = 3;
        config.rules = rules;
    });
    let mut esme = smsc.bound(BindKind::Transmitter).await;
    let mut numbers = Vec::new();
    for _ in 0..5 {
        numbers.push(esme.send(submit(0)).await);
    }
    let mut answers = Vec::new();
    for _ in 0..5 {
        let answer = esme.must_hear().await;
        answers.push((answer.sequence, answer.status));
    }
    let throttled = numbers[3..].iter().map(|number| (*number, CommandStatus::ESME_RTHROTTLED));
    let served = numbers[..3].iter().map(|number| (*number, CommandStatus::ESME_ROK));
    assert_eq!(answers, throttled.chain(served).collect::<Vec<_>>());
    assert_eq!(esme.ask(submit(0)).await.status, CommandStatus::ESME_ROK, "there is room again");
}

#[tokio::test(start_paused = true)]
async fn an_esme_that_falls_silent_is_asked_and_then_hung_up_on() {
    let smsc = Smsc::start(|config| {
        config.session.enquire_link_interval = Some(Duration::from_secs(20));
        config.session.response_timeout = Duration::from_secs(9);
    });
    let mut esme = smsc.bound(BindKind::Transceiver).await;
    let start = Instant::now();
    assert!(matches!(esme.must_hear().await.body, Body::EnquireLink(_)));
    assert_eq!(start.elapsed().as_secs(), 20);
    assert!(esme.next().await.is_none());
    assert_eq!(start.elapsed().as_secs(), 29);
}
