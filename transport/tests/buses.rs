//! Guards what every bus promises, by asking all of them the same questions; and what RabbitMQ promises besides: vumi2's
//! topology, and that a broker that goes away and comes back costs nothing but time.
#![cfg(feature = "service")]

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use smpp_transport::bus::memory::Memory;
use smpp_transport::bus::{Bus, Delivery, PublishError, Publisher, Route};
use tokio::time::{Instant, sleep, timeout};

#[cfg(feature = "amqp")]
#[path = "servers/control.rs"]
mod control;
#[cfg(feature = "amqp")]
#[path = "buses/amqp.rs"]
mod rabbit;
#[cfg(feature = "amqp")]
#[path = "servers/rabbitmq.rs"]
mod server;
#[cfg(feature = "amqp")]
mod servers;
#[cfg(feature = "cli")]
#[path = "buses/tls.rs"]
mod tls;
#[cfg(feature = "amqp")]
#[path = "buses/words.rs"]
mod words;

/// How long anything may take that must happen.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long to look for what must not happen.
const WATCH: Duration = Duration::from_millis(300);

/// A bus as those see it who are on its other side.
trait World {
    /// A transport's handles.
    fn connect(&self, prefetch: u16) -> Bus;
    /// Puts a message on the bus, to be sent.
    async fn put(&self, body: &str);
    /// What has been published there since the last time, in order.
    async fn published(&self, route: Route) -> Vec<Bytes>;
    /// How many messages wait to be handed out.
    async fn waiting(&self) -> usize;
}

/// Asks a world all questions.
macro_rules! ask {
    ($name:ident, $world:expr) => {
        ask!(@ $name, $world;
            messages_come_in_their_order_and_those_that_are_done_do_not_come_again,
            no_more_are_out_than_the_prefetch_allows,
            what_is_given_back_or_dropped_comes_again_and_says_so,
            what_is_dead_is_kept_apart_and_does_not_come_again,
            publications_are_stored_in_their_order_each_where_it_belongs,
            a_paused_bus_leaves_messages_to_others_until_it_is_resumed,
            a_bus_that_is_stopped_gives_what_is_out_and_then_none,
            what_is_given_back_at_a_stop_is_for_others,
            what_is_out_when_the_handles_are_dropped_comes_again,
            what_was_done_before_the_handles_are_dropped_is_done,
            without_its_outbound_end_a_bus_publishes_and_hands_out_nothing,
            without_its_publisher_a_bus_hands_out,
            many_are_settled_in_any_order_and_none_is_lost,
        );
    };
    (@ $name:ident, $world:expr; $($question:ident),* $(,)?) => {
        mod $name {
            $(#[tokio::test]
            async fn $question() {
                if let Some(world) = $world {
                    super::$question(&world).await;
                }
            })*
        }
    };
}

ask!(memory, Some(super::InMemory::default()));
#[cfg(feature = "amqp")]
ask!(amqp, super::rabbit::shared());

#[derive(Default)]
struct InMemory(Memory, std::sync::Mutex<Vec<(Route, Bytes)>>);

impl World for InMemory {
    fn connect(&self, prefetch: u16) -> Bus {
        self.0.connect(prefetch.into())
    }

    async fn put(&self, body: &str) {
        self.0.put(body.to_owned());
    }

    async fn published(&self, route: Route) -> Vec<Bytes> {
        let mut seen = self.1.lock().unwrap();
        seen.extend(self.0.take_published());
        let (asked, others) = seen.drain(..).partition(|(of, _)| *of == route);
        *seen = others;
        let asked: Vec<(Route, Bytes)> = asked;
        asked.into_iter().map(|(_, body)| body).collect()
    }

    async fn waiting(&self) -> usize {
        self.0.waiting()
    }
}

async fn next(bus: &mut Bus) -> Delivery {
    timeout(PATIENCE, bus.outbound.next()).await.expect("there is one").expect("the bus runs")
}

/// Sees that no message comes.
async fn nothing(bus: &mut Bus) {
    let come = timeout(WATCH, bus.outbound.next()).await;
    assert!(come.is_err(), "{come:?}");
}

async fn publish(publisher: &Publisher, route: Route, body: impl Into<String>) -> Result<(), PublishError> {
    timeout(PATIENCE, publisher.publish(route, body.into().into())).await.expect("it is stored, or refused")
}

/// Waits until something is so.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        sleep(Duration::from_millis(20)).await;
    }
}

async fn waiting(world: &impl World, count: usize) {
    until(&format!("{count} wait"), async || world.waiting().await == count).await;
}

/// As many as there must be; then sees that there are no more.
async fn published(world: &impl World, route: Route, count: usize) -> Vec<Bytes> {
    let mut all = Vec::new();
    until(&format!("{count} are published"), async || {
        all.extend(world.published(route).await);
        all.len() >= count
    })
    .await;
    all.extend(world.published(route).await);
    assert_eq!(all.len(), count, "{all:?}");
    all
}

async fn messages_come_in_their_order_and_those_that_are_done_do_not_come_again(world: &impl World) {
    world.put("first").await;
    let mut bus = world.connect(2);
    for body in ["second", "third", "fourth"] {
        world.put(body).await;
    }
    for body in ["first", "second", "third", "fourth"] {
        let delivery = next(&mut bus).await;
        assert_eq!((&delivery.body[..], delivery.redelivered), (body.as_bytes(), false));
        delivery.ack();
    }
    nothing(&mut bus).await;
    drop(bus);
    nothing(&mut world.connect(2)).await;
    assert_eq!(world.waiting().await, 0);
}

async fn no_more_are_out_than_the_prefetch_allows(world: &impl World) {
    let mut bus = world.connect(3);
    for number in 0..10 {
        world.put(&number.to_string()).await;
    }
    let mut out = VecDeque::from([next(&mut bus).await, next(&mut bus).await, next(&mut bus).await]);
    nothing(&mut bus).await;
    waiting(world, 7).await;
    for number in 3..10 {
        // One that is settled makes room for one.
        out.pop_front().expect("three are out").ack();
        let delivery = next(&mut bus).await;
        assert_eq!(delivery.body, number.to_string());
        out.push_back(delivery);
        assert_eq!(world.waiting().await, 9 - number);
    }
}

async fn what_is_given_back_or_dropped_comes_again_and_says_so(world: &impl World) {
    let mut bus = world.connect(1);
    for body in ["one", "two"] {
        world.put(body).await;
    }
    let first = next(&mut bus).await;
    assert_eq!((&first.body[..], first.redelivered), (&b"one"[..], false));
    first.give_back();
    let again = next(&mut bus).await;
    assert_eq!((&again.body[..], again.redelivered), (&b"one"[..], true), "in its old place");
    drop(again);
    let again = next(&mut bus).await;
    assert_eq!((&again.body[..], again.redelivered), (&b"one"[..], true));
    again.ack();
    let second = next(&mut bus).await;
    assert_eq!((&second.body[..], second.redelivered), (&b"two"[..], false));
}

async fn what_is_dead_is_kept_apart_and_does_not_come_again(world: &impl World) {
    let mut bus = world.connect(3);
    for body in ["alive", "dead", "given back"] {
        world.put(body).await;
    }
    let (alive, dead, back) = (next(&mut bus).await, next(&mut bus).await, next(&mut bus).await);
    dead.dead_letter("it is no message");
    back.give_back();
    assert_eq!(published(world, Route::Failed, 1).await, ["dead"]);
    let back = next(&mut bus).await;
    assert_eq!(&back.body[..], b"given back");
    back.ack();
    alive.ack();
    nothing(&mut bus).await;
    drop(bus);
    nothing(&mut world.connect(3)).await;
}

async fn publications_are_stored_in_their_order_each_where_it_belongs(world: &impl World) {
    let bus = world.connect(1);
    let publisher = bus.publisher.clone();
    let many = (0..300).map(|number| {
        let route = if number % 3 == 0 { Route::Inbound } else { Route::Event };
        let publisher = &publisher;
        async move { publish(publisher, route, number.to_string()).await }
    });
    assert_eq!(all_at_once(many).await, vec![Ok(()); 300]);
    let expected = |is_inbound: bool| (0..300).filter(move |number| (number % 3 == 0) == is_inbound);
    for (route, is_inbound) in [(Route::Inbound, true), (Route::Event, false)] {
        let expected: Vec<Bytes> = expected(is_inbound).map(|number: u32| number.to_string().into()).collect();
        assert_eq!(published(world, route, expected.len()).await, expected, "{route:?}");
    }
}

/// Polls them in order, and waits for all.
async fn all_at_once<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut futures: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|cx| {
        for (future, answer) in &mut futures {
            if answer.is_none()
                && let std::task::Poll::Ready(ready) = future.as_mut().poll(cx)
            {
                *answer = Some(ready);
            }
        }
        if futures.iter().all(|(_, answer)| answer.is_some()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    futures.into_iter().filter_map(|(_, answer)| answer).collect()
}

async fn a_paused_bus_leaves_messages_to_others_until_it_is_resumed(world: &impl World) {
    let mut bus = world.connect(2);
    for body in ["one", "two", "three"] {
        world.put(body).await;
    }
    let (one, two) = (next(&mut bus).await, next(&mut bus).await);
    bus.outbound.pause();
    two.give_back();
    one.give_back();
    waiting(world, 3).await;
    nothing(&mut bus).await;
    let mut other = world.connect(3);
    for (body, redelivered) in [("one", true), ("two", true), ("three", false)] {
        let delivery = next(&mut other).await;
        assert_eq!((&delivery.body[..], delivery.redelivered), (body.as_bytes(), redelivered), "in their order");
        delivery.ack();
    }
    drop(other);
    // What is in flight while paused is settled as ever, and publishing goes on.
    world.put("four").await;
    bus.outbound.resume();
    let four = next(&mut bus).await;
    bus.outbound.pause();
    world.put("five").await;
    assert_eq!(publish(&bus.publisher, Route::Event, "done").await, Ok(()));
    four.ack();
    nothing(&mut bus).await;
    waiting(world, 1).await;
    bus.outbound.resume();
    let five = next(&mut bus).await;
    assert_eq!(five.body, "five");
    five.ack();
    nothing(&mut bus).await;
    bus.outbound.pause();
    bus.outbound.stop();
    let none = timeout(PATIENCE, bus.outbound.next()).await.expect("it says so");
    assert!(none.is_none(), "{none:?}");
}

async fn a_bus_that_is_stopped_gives_what_is_out_and_then_none(world: &impl World) {
    let mut bus = world.connect(2);
    for body in ["one", "two", "three"] {
        world.put(body).await;
    }
    let one = next(&mut bus).await;
    waiting(world, 1).await;
    bus.outbound.stop();
    let two = next(&mut bus).await;
    assert_eq!((&one.body[..], &two.body[..]), (&b"one"[..], &b"two"[..]));
    let none = timeout(PATIENCE, bus.outbound.next()).await.expect("it says so");
    assert!(none.is_none(), "{none:?}");
    // What was out can still be settled, and things be published.
    assert_eq!(publish(&bus.publisher, Route::Event, "done").await, Ok(()));
    one.ack();
    two.give_back();
    waiting(world, 2).await;
    drop(bus);
    let mut bus = world.connect(2);
    let two = next(&mut bus).await;
    assert_eq!((&two.body[..], two.redelivered), (&b"two"[..], true));
    assert_eq!(&next(&mut bus).await.body[..], b"three");
}

async fn what_is_given_back_at_a_stop_is_for_others(world: &impl World) {
    let mut bus = world.connect(1);
    world.put("one").await;
    let one = next(&mut bus).await;
    bus.outbound.stop();
    one.give_back();
    let none = timeout(PATIENCE, bus.outbound.next()).await.expect("it says so");
    assert!(none.is_none(), "{none:?}");
    let mut other = world.connect(1);
    let one = next(&mut other).await;
    assert_eq!((&one.body[..], one.redelivered), (&b"one"[..], true));
    one.ack();
}

async fn what_is_out_when_the_handles_are_dropped_comes_again(world: &impl World) {
    let mut bus = world.connect(3);
    for body in ["one", "two", "three", "four"] {
        world.put(body).await;
    }
    let one = next(&mut bus).await;
    drop(next(&mut bus).await);
    drop(bus);
    drop(one);
    waiting(world, 4).await;
    let mut bus = world.connect(4);
    let mut come = Vec::new();
    for _ in 0..4 {
        let delivery = next(&mut bus).await;
        come.push((delivery.body.clone(), delivery.redelivered));
        delivery.ack();
    }
    let bodies: Vec<&[u8]> = come.iter().map(|(body, _)| &body[..]).collect();
    assert_eq!(bodies, [&b"one"[..], b"two", b"three", b"four"], "in their order");
    assert!(come[..3].iter().all(|(_, redelivered)| *redelivered) && !come[3].1, "{come:?}");
}

async fn what_was_done_before_the_handles_are_dropped_is_done(world: &impl World) {
    let mut bus = world.connect(10);
    for number in 0..10 {
        world.put(&number.to_string()).await;
    }
    for _ in 0..10 {
        next(&mut bus).await.ack();
    }
    let publishing = bus.publisher.clone();
    assert_eq!(publish(&publishing, Route::Event, "done").await, Ok(()));
    drop((bus, publishing));
    let mut bus = world.connect(10);
    nothing(&mut bus).await;
    assert_eq!(published(world, Route::Event, 1).await, ["done"]);
}

async fn without_its_outbound_end_a_bus_publishes_and_hands_out_nothing(world: &impl World) {
    let bus = world.connect(2);
    for body in ["one", "two", "three"] {
        world.put(body).await;
    }
    waiting(world, 1).await;
    drop(bus.outbound);
    waiting(world, 3).await;
    assert_eq!(publish(&bus.publisher, Route::Inbound, "hello").await, Ok(()));
    assert_eq!(world.waiting().await, 3);
    assert_eq!(published(world, Route::Inbound, 1).await, ["hello"]);
}

async fn without_its_publisher_a_bus_hands_out(world: &impl World) {
    let Bus { mut outbound, publisher, health: _ } = world.connect(1);
    drop(publisher);
    for body in ["one", "two"] {
        world.put(body).await;
        let delivery = timeout(PATIENCE, outbound.next()).await.expect("there is one").expect("the bus runs");
        assert_eq!(delivery.body, body);
        delivery.ack();
    }
}

async fn many_are_settled_in_any_order_and_none_is_lost(world: &impl World) {
    const COUNT: usize = 300;
    let mut bus = world.connect(20);
    for number in 0..COUNT {
        world.put(&number.to_string()).await;
    }
    let (mut done, mut dead, mut out) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    let mut turn = 0_usize;
    while done.len() + dead.len() < COUNT {
        // Out of order: of seven that are out, any, each way of settling in turn.
        while out.len() < 7.min(COUNT - done.len() - dead.len()) {
            out.push(next(&mut bus).await);
        }
        let delivery = out.remove((turn * 5) % out.len());
        turn += 1;
        match turn % 4 {
            0 => delivery.give_back(),
            1 => {
                assert!(dead.insert(delivery.body.clone()), "{:?} came again", delivery.body);
                delivery.dead_letter("dead");
            }
            _ => {
                assert!(done.insert(delivery.body.clone()), "{:?} came again", delivery.body);
                delivery.ack();
            }
        }
    }
    nothing(&mut bus).await;
    let all: BTreeSet<Bytes> = done.union(&dead).cloned().collect();
    assert_eq!(all.len(), COUNT);
    let kept: BTreeSet<Bytes> = published(world, Route::Failed, dead.len()).await.into_iter().collect();
    assert_eq!(kept, dead);
}
