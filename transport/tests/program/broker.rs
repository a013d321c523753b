//! A broker that goes away and comes back, at the level that says most: it is told, and its password is not.

use super::privacy::forms;
use super::world::{Transport, dialling, smsc};
use crate::server::RabbitMq;

const PASSWORD: &str = "hunter2-of-the-broker";

#[tokio::test]
async fn the_log_says_when_the_broker_is_lost_and_back_and_never_its_password() {
    let Some(mut broker) = RabbitMq::start_with(format!("default_pass = {PASSWORD}\n")) else { return };
    let smsc = smsc().await;
    let port = broker.port.to_string();
    let flags = ["--bus", "amqp", "--amqp-port", &port, "--amqp-password", PASSWORD, "--log-level", "TRACE"];
    let mut transport = Transport::start(&dialling(smsc.address(), &flags)).await;
    transport.says("bus connected").await;
    transport.says("session bound").await;
    broker.server.kill9();
    transport.says("bus lost").await;
    broker.server.start_again();
    transport.says_times("bus connected", 2).await;
    let (status, log) = transport.end().await;
    assert!(status.success(), "{log}");
    for form in forms(PASSWORD.as_bytes()) {
        assert!(!log.contains(&form), "{form} in {log}");
    }
}
