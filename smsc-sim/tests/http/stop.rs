//! Guards that nobody who waits keeps the simulator from ending.

use smpp_transport::session::BindKind;
use tokio::time::timeout;

use crate::world::{Api, LONG, ask};

#[tokio::test]
async fn queries_and_streams_end_with_the_simulator() {
    let api = Api::start().await;
    let _esme = api.esme(BindKind::Transmitter).await;
    let mut events = api.follow("pdus/stream?after=0", &[]).await;
    let Api { smsc, address } = api;
    let waits = ["messages?wait=60s", "pdus?wait=60s&command=query_sm", "sessions?count=9&wait=60s"].map(|path| {
        let path = format!("/api/v1/{path}");
        tokio::spawn(async move { ask(address, "GET", &path, &[], "").await.status })
    });
    // Each has begun to wait once one that came after it was answered.
    for _ in 0..10 {
        ask(address, "GET", "/health", &[], "").await;
    }
    timeout(LONG, smsc.stop()).await.expect("it ends");
    for wait in waits {
        assert_eq!(timeout(LONG, wait).await.expect("it ends").expect("it does not panic"), 200);
    }
    while events.next().await.is_some() {}
}
