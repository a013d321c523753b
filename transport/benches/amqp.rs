//! What the bus costs over RabbitMQ, beside the plainest program that does the same with the same client:
//! `cargo bench -p smpp-transport --bench amqp`. Each message is consumed, an event about it published and confirmed, and the
//! message acknowledged. Both acknowledge many at once. The broker is a private one, or that of `AMQP_URL`; `COUNT` says how
//! many messages make a round.

use std::io::Write as _;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use plain::{config, event, fill, plain};
use smpp_transport::bus::amqp::connect;
use smpp_transport::bus::{Bus, Route};
use tokio::time::Instant;

mod plain;
#[path = "../tests/servers/rabbitmq.rs"]
mod server;
#[path = "../tests/servers/mod.rs"]
mod servers;

const ROUNDS: usize = 3;

fn main() {
    let own = std::env::var("AMQP_URL").is_err().then(server::RabbitMq::start).flatten();
    let url = match &own {
        Some(server) => format!("amqp://127.0.0.1:{}", server.port),
        None => std::env::var("AMQP_URL").expect("AMQP_URL, or RabbitMQ on this machine"),
    };
    let count = std::env::var("COUNT").ok().and_then(|count| count.parse().ok()).unwrap_or(20_000);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    runtime.block_on(all(&url, count));
    if let Some(mut server) = own {
        server.server.stop();
    }
}

async fn all(url: &str, count: usize) {
    let mut out = std::io::stdout();
    let _ = writeln!(out, "{count} messages a round, the best of {ROUNDS} rounds each, in messages a second");
    for prefetch in [20, 200, 1_000] {
        let (mut plain_best, mut bus_best) = (0.0_f64, 0.0_f64);
        for _ in 0..ROUNDS {
            fill(url, count).await;
            plain_best = plain_best.max(rate(count, plain(url, prefetch, count).await));
            fill(url, count).await;
            bus_best = bus_best.max(rate(count, through_the_bus(url, prefetch, count).await));
        }
        let ratio = 100.0 * bus_best / plain_best;
        let _ = writeln!(out, "prefetch {prefetch:>5}: plain {plain_best:>7.0}, bus {bus_best:>7.0}, {ratio:>3.0} %");
    }
}

fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

async fn through_the_bus(url: &str, prefetch: u16, count: usize) -> Duration {
    let begun = Instant::now();
    let Bus { mut outbound, publisher, mut health } = connect(config(url, prefetch));
    let mut publishing = FuturesUnordered::new();
    let mut done = 0;
    while done < count {
        tokio::select! {
            biased;
            Some(delivery) = publishing.next() => {
                let delivery: smpp_transport::bus::Delivery = delivery;
                delivery.ack();
                done += 1;
            }
            Some(delivery) = outbound.next() => publishing.push(async {
                let event = event(&delivery.body);
                publisher.publish(Route::Event, event.into()).await.expect("stored");
                delivery
            }),
        }
    }
    drop(publishing);
    drop((outbound, publisher));
    let took = begun.elapsed();
    // The next round's queue is to have no other consumer.
    while health.changed().await.is_ok() {}
    took
}
