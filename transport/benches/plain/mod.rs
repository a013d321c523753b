//! The plainest program over RabbitMQ that does what a transport does there: each message is consumed, an event about it
//! published and confirmed, and the message acknowledged, many at once.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures_util::{FutureExt as _, StreamExt as _};
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions, QueuePurgeOptions,
};
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties};
use rand::SeedableRng as _;
use smpp_transport::bus::amqp::{AmqpAddress, AmqpConfig, connect};
use smpp_transport::bus::message::Stamp;
use smpp_transport::bus::{Event, Message};
use smpp_transport::env::{ChaCha8Rng, Seed};
use tokio::time::Instant;

/// The transport that it stands for.
pub(crate) const NAME: &str = "bench";

const NOW: Duration = Duration::from_secs(1_790_000_000);

/// How its bus is used, by whoever does not do it plainly.
pub(crate) fn config(url: &str, prefetch: u16) -> AmqpConfig {
    let address = AmqpAddress::from_url(url).expect("a URL of a broker");
    AmqpConfig { prefetch, ..AmqpConfig::new(address, NAME, Seed(1)) }
}

async fn channel(url: &str) -> (Connection, Channel) {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.expect("a broker");
    let channel = connection.create_channel().await.expect("a channel");
    channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
    (connection, channel)
}

/// Empties all queues and puts `count` messages into the one that is consumed.
pub(crate) async fn fill(url: &str, count: usize) {
    // Declares them.
    let mut bus = connect(config(url, 1));
    bus.outbound.stop();
    bus.health.wait_for(|health| health.is_up).await.expect("it comes up");
    let (connection, channel) = channel(url).await;
    for end in ["outbound", "event"] {
        let queue = format!("{NAME}.{end}");
        channel.queue_purge(queue.into(), QueuePurgeOptions::default()).await.expect("the queue is there");
    }
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let channel = Arc::new(channel);
    let mut confirms = VecDeque::new();
    for number in 0..count {
        let stamp = Stamp::draw(&mut rng, NOW);
        // Destinations of their own, as one address gets at most one submit per round trip.
        let message = Message::inbound(stamp, NAME, "1001".into(), format!("2782{number:07}"), "Hello".into());
        confirms.push_back(publish(&channel, "outbound", message.to_json().to_vec()));
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
    Stamp::draw(&mut ChaCha8Rng::seed_from_u64(1), NOW)
}

/// What is published about a message.
pub(crate) fn event(body: &[u8]) -> Vec<u8> {
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

/// Does it with `count` messages.
pub(crate) async fn plain(url: &str, prefetch: u16, count: usize) -> Duration {
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
