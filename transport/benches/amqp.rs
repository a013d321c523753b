//! What the bus costs over RabbitMQ, beside the plainest program that does the same with the same client:
//! `cargo bench -p smpp-transport --bench amqp`. Each message is consumed, an event about it published and confirmed, and the
//! message acknowledged. Both acknowledge many at once. The broker is a private one, or that of `AMQP_URL`; `COUNT` says how
//! many messages make a round.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io::Write as _;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions, QueuePurgeOptions,
};
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use rand::SeedableRng as _;
use smpp_transport::bus::amqp::{AmqpAddress, AmqpConfig, connect};
use smpp_transport::bus::message::Stamp;
use smpp_transport::bus::{Bus, Event, Message, Route};
use smpp_transport::env::{ChaCha8Rng, Seed};
use tokio::time::Instant;

#[path = "../tests/servers/rabbitmq.rs"]
mod server;
#[path = "../tests/servers/mod.rs"]
mod servers;

const NAME: &str = "bench";
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

fn config(url: &str, prefetch: u16) -> AmqpConfig {
    let address = AmqpAddress::from_url(url).expect("AMQP_URL is one");
    AmqpConfig { prefetch, ..AmqpConfig::new(address, NAME, Seed(1)) }
}

async fn channel(url: &str) -> (Connection, Channel) {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.expect("a broker");
    let channel = connection.create_channel().await.expect("a channel");
    channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
    (connection, channel)
}

/// Empties all queues and puts `count` messages into the one that is consumed.
async fn fill(url: &str, count: usize) {
    // Declares them.
    let mut bus = connect(config(url, 1));
    bus.outbound.stop();
    bus.health.wait_for(|health| health.is_up).await.expect("it comes up");
    let (connection, channel) = channel(url).await;
    for end in ["outbound", "event"] {
        let queue = format!("{NAME}.{end}");
        channel.queue_purge(queue.into(), QueuePurgeOptions::default()).await.expect("the queue is there");
    }
    let body = Message::inbound(stamp(), NAME, "1001".into(), "27820001001".into(), "Hello".into()).to_json();
    let channel = Arc::new(channel);
    let mut confirms = VecDeque::new();
    for _ in 0..count {
        confirms.push_back(publish(&channel, "outbound", body.to_vec()));
        if confirms.len() > 1_000
            && let Some(confirm) = confirms.pop_front()
        {
            assert!(confirm.await.expect("confirmed").is_ack());
        }
    }
    for confirm in confirms {
        assert!(confirm.await.expect("confirmed").is_ack());
    }
    connection.close(200, "OK".into()).await.expect("closed");
}

fn stamp() -> Stamp {
    Stamp::draw(&mut ChaCha8Rng::seed_from_u64(1), Duration::from_secs(1_790_000_000))
}

/// What is published about a message.
fn event(body: &[u8]) -> Vec<u8> {
    let message = Message::read(body, stamp).expect("it is a message");
    Event::ack(stamp(), &message.message_id).to_json().to_vec()
}

type Confirm = Pin<Box<dyn Future<Output = lapin::Result<Confirmation>> + Send>>;

/// Puts it in line to be written, at once.
fn publish(channel: &Arc<Channel>, end: &str, body: Vec<u8>) -> Confirm {
    let (channel, key) = (Arc::clone(channel), ShortString::from(format!("{NAME}.{end}")));
    let properties = BasicProperties::default().with_delivery_mode(2);
    let mut confirm: Confirm = Box::pin(async move {
        channel.basic_publish("vumi".into(), key, BasicPublishOptions::default(), &body, properties).await?.await
    });
    match confirm.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Pending => confirm,
        Poll::Ready(result) => Box::pin(std::future::ready(result)),
    }
}

async fn plain(url: &str, prefetch: u16, count: usize) -> Duration {
    let begun = Instant::now();
    let (connection, channel) = channel(url).await;
    let channel = Arc::new(channel);
    channel.basic_qos(prefetch, BasicQosOptions::default()).await.expect("a prefetch");
    let (queue, options) = (format!("{NAME}.outbound"), BasicConsumeOptions::default());
    let mut consumer =
        channel.basic_consume(queue.into(), "".into(), options, FieldTable::default()).await.expect("a consumer");
    let mut confirms: VecDeque<(u64, Confirm)> = VecDeque::new();
    let mut done = 0;
    while done < count {
        tokio::select! {
            biased;
            () = confirmed(&mut confirms) => {
                let mut last = 0;
                while let Some((tag, confirm)) = confirms.front_mut()
                    && let Some(result) = confirm.as_mut().now_or_never()
                {
                    assert!(result.expect("confirmed").is_ack());
                    (last, done) = (*tag, done + 1);
                    confirms.pop_front();
                }
                channel.basic_ack(last, BasicAckOptions { multiple: true }).await.expect("acknowledged");
            }
            delivery = consumer.next() => {
                let delivery = delivery.expect("it goes on").expect("a delivery");
                confirms.push_back((delivery.delivery_tag, publish(&channel, "event", event(&delivery.data))));
            }
        }
    }
    let took = begun.elapsed();
    connection.close(200, "OK".into()).await.expect("closed");
    took
}

/// Waits until the first is confirmed, and leaves it ready.
async fn confirmed(confirms: &mut VecDeque<(u64, Confirm)>) {
    poll_fn(|cx| {
        let Some((_, confirm)) = confirms.front_mut() else { return Poll::Pending };
        match confirm.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(result) => {
                *confirm = Box::pin(std::future::ready(result));
                Poll::Ready(())
            }
        }
    })
    .await;
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
