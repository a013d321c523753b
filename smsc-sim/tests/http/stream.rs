//! Guards the stream of PDUs: nothing comes twice, and nothing is missed unsaid.

use serde_json::json;
use smpp_transport::session::BindKind;

use crate::world::{Api, submit};

#[tokio::test]
async fn what_passes_is_told_as_it_passes() {
    let api = Api::start().await;
    let mut events = api.follow("pdus/stream", &[]).await;
    let _esme = api.esme(BindKind::Transmitter).await;
    assert_eq!(events.pdu().await, (1, "bind_transmitter".to_owned()));
    assert_eq!(events.pdu().await, (2, "bind_transmitter_resp".to_owned()));
}

#[tokio::test]
async fn only_what_passes_from_now_on_is_told_unless_more_is_asked_for() {
    let api = Api::start().await;
    let esme = api.esme(BindKind::Transmitter).await;
    let mut from_now = api.follow("pdus/stream", &[]).await;
    let mut from_the_start = api.follow("pdus/stream?after=0", &[]).await;
    submit(&esme, "2701", "first").await;
    assert_eq!(from_now.pdu().await, (3, "submit_sm".to_owned()));
    for number in 1..=4 {
        assert_eq!(from_the_start.pdu().await.0, number);
    }
}

#[tokio::test]
async fn one_who_was_cut_off_goes_on_where_it_was() {
    let api = Api::start().await;
    let esme = api.esme(BindKind::Transmitter).await;
    submit(&esme, "2701", "first").await;
    let mut events = api.follow("pdus/stream?after=0", &["last-event-id: 3"]).await;
    assert_eq!(events.pdu().await, (4, "submit_sm_resp".to_owned()), "the header goes before the parameter");
    submit(&esme, "2701", "second").await;
    assert_eq!(events.pdu().await, (5, "submit_sm".to_owned()));
    let wrong = api.ask("GET", "/api/v1/pdus/stream", &["last-event-id: x"], "").await;
    wrong.is_refused(400, Some("Last-Event-ID"), "the number of a PDU is allowed");
}

#[tokio::test]
async fn a_number_of_another_run_is_the_beginning() {
    let api = Api::start().await;
    let _esme = api.esme(BindKind::Transmitter).await;
    let mut events = api.follow("pdus/stream", &["last-event-id: 1000000"]).await;
    assert_eq!(events.pdu().await.0, 1);
}

#[tokio::test]
async fn only_one_session_is_told_of_if_only_one_is_asked_for() {
    let api = Api::start().await;
    let mut events = api.follow("pdus/stream?session=2", &[]).await;
    let _one = api.esme(BindKind::Transmitter).await;
    let _another = api.esme(BindKind::Receiver).await;
    assert_eq!(events.pdu().await, (3, "bind_receiver".to_owned()));
}

#[tokio::test]
async fn what_was_forgotten_before_it_was_told_is_counted() {
    let api = Api::start().await;
    let esme = api.esme(BindKind::Transmitter).await;
    api.send("POST", "reset", "{}").await;
    let mut events = api.follow("pdus/stream?after=1", &[]).await;
    assert_eq!(events.next().await, Some(("missed".to_owned(), None, json!({ "missed": 1 }))));
    submit(&esme, "2701", "first").await;
    assert_eq!(events.pdu().await.0, 3, "numbers go on");
}

/// As many as fit into the memory of those who follow, and the sockets between, and more.
#[tokio::test]
async fn one_who_is_too_slow_is_told_how_many_it_missed() {
    let api = Api::start_with(|builder| builder.configure(|config| config.limits.pdus_max = 10)).await;
    let esme = api.esme(BindKind::Transmitter).await;
    let mut events = api.follow("pdus/stream", &[]).await;
    let long = "a".repeat(250);
    for _ in 0..400 {
        let all = (0..50).map(|_| esme.submit(crate::world::sm("2701", &long)));
        futures_util::future::join_all(all).await;
    }
    let (mut last, mut missed, mut missed_ever) = (2, 0, 0);
    while last < 2 + 2 * 400 * 50 {
        let (name, id, data) = events.next().await.expect("it goes on");
        if name == "missed" {
            missed += data["missed"].as_u64().expect("a number");
            missed_ever += missed;
        } else {
            let id = id.expect("a number");
            assert_eq!(id, last + missed + 1, "nothing is missed unsaid, and nothing comes twice");
            (last, missed) = (id, 0);
        }
    }
    assert!(missed_ever > 0, "else nothing was tried");
}
