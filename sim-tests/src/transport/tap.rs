//! What stands between a transport and its bus: it writes down what passes, and is where the bus goes wrong.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use rand::RngExt;
use smpp_transport::bus::{Bus, Delivery, Ends, Publication, PublishError, Settlement, handles};
use smpp_transport::env::ChaCha8Rng;
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use super::{Ground, Life, message_in};
use crate::history::What;
use crate::plan::BusFaults;

/// The bus, tapped. Its task ends with the process, or when both ends have.
pub(super) fn tap(bus: Bus, prefetch: usize, ground: Ground, process: usize, life: Life, rng: ChaCha8Rng) -> Bus {
    let (mut tapped, ends) = handles(prefetch);
    tapped.health = bus.health.clone();
    let faults = ground.faults();
    let tap = Tap { bus, ends, ground, process, life, faults, rng, out: BTreeMap::new(), tag: 0, prefetch };
    tokio::spawn(tap.run());
    tapped
}

/// What is out when its process ends is so no more: the broker has it again.
impl Drop for Tap {
    fn drop(&mut self) {
        self.ground.set_out(self.process, 0);
    }
}

type Publishing = Pin<Box<dyn Future<Output = ()> + Send>>;

struct Tap {
    bus: Bus,
    ends: Ends,
    ground: Ground,
    process: usize,
    life: Life,
    faults: BusFaults,
    rng: ChaCha8Rng,
    /// What is handed out and not settled; nothing where the broker has taken it back since.
    out: BTreeMap<u64, Option<Delivery>>,
    tag: u64,
    prefetch: usize,
}

impl Tap {
    async fn run(mut self) {
        let mut publishing: FuturesUnordered<Publishing> = FuturesUnordered::new();
        let (mut stopped, mut gives, mut silent) = (false, true, false);
        let mut was_away = false;
        while !(silent && publishing.is_empty() && self.ends.deliveries.is_closed()) {
            let is_away = self.ground.is_away();
            if is_away && !was_away {
                // The line to the broker is gone, and with it what was handed out on it and what was not confirmed.
                publishing.clear();
                self.ends.line_lost();
                self.out.values_mut().for_each(|delivery| *delivery = None);
            }
            was_away = is_away;
            self.ground.set_out(self.process, self.out.values().flatten().count());
            tokio::select! {
                biased;
                () = self.life.over() => return,
                () = self.ground.bus_turned() => {}
                // As the client of the real broker does it: what is given back at a stop is not handed out here again.
                () = self.ends.stop.notified(), if !stopped => {
                    stopped = true;
                    self.bus.outbound.stop();
                }
                () = self.ends.demand.changed() => match self.ends.demand.is_paused() {
                    true => self.bus.outbound.pause(),
                    false => self.bus.outbound.resume(),
                },
                Some((tag, how)) = self.ends.settlements.recv() => self.settle(tag, how),
                Some(()) = publishing.next(), if !publishing.is_empty() => {}
                publication = self.ends.publications.recv(), if !silent && !is_away => match publication {
                    Some(publication) => publishing.push(self.publish(publication)),
                    None => silent = true,
                },
                delivery = self.bus.outbound.next(), if gives && !is_away && self.out.len() < self.prefetch => match delivery {
                    Some(delivery) => self.hand_out(delivery),
                    None => {
                        gives = false;
                        // The handle says "none" once nobody can send any more.
                        self.ends.deliveries = mpsc::channel(1).0;
                    }
                },
                () = self.ends.deliveries.closed(), if gives => gives = false,
            }
        }
        // The last word on what was out may be on its way.
        while let Ok((tag, how)) = self.ends.settlements.try_recv() {
            self.settle(tag, how);
        }
    }

    fn hand_out(&mut self, delivery: Delivery) {
        self.tag += 1;
        let message = message_in(&delivery.body);
        let redelivered = delivery.redelivered;
        self.ground.recorder.note(What::Taken { process: self.process, message, redelivered });
        self.ends.hand_out(delivery.body.clone(), redelivered, self.tag);
        self.out.insert(self.tag, Some(delivery));
    }

    /// What was handed out before the broker went away is not settled by this any more.
    fn settle(&mut self, tag: u64, how: Settlement) {
        let Some(Some(delivery)) = self.out.remove(&tag) else { return };
        let message = message_in(&delivery.body);
        if let (Settlement::DeadLetter(_), Some(message)) = (&how, message) {
            self.ground.waiting.is_over_for(message);
        }
        self.ground.recorder.note(What::Settled { process: self.process, message, acked: how == Settlement::Ack });
        match how {
            Settlement::Ack => delivery.ack(),
            Settlement::GiveBack => delivery.give_back(),
            Settlement::DeadLetter(reason) => delivery.dead_letter(reason),
        }
    }

    fn publish(&mut self, Publication { route, body, done }: Publication) -> Publishing {
        let faults = if self.ground.is_peace() { BusFaults::default() } else { self.faults };
        let refused = self.rng.random::<f64>() < faults.refuse;
        let unconfirmed = self.rng.random::<f64>() < faults.unconfirmed;
        let delay = Duration::from_millis(self.rng.random_range(0..=self.faults.delay_ms));
        let (publisher, ground, process) = (self.bus.publisher.clone(), self.ground.clone(), self.process);
        let done = Told(Some(done));
        Box::pin(async move {
            if refused {
                return done.tell(Err(PublishError::Refused("the plan says so".into())));
            }
            let stored = publisher.publish(route, body.clone()).await;
            if stored.is_ok() {
                ground.published(process, route, &body);
            }
            sleep(delay).await;
            if !unconfirmed {
                done.tell(stored);
            }
        })
    }
}

/// Whoever waits for a confirmation hears that there will be none when this is dropped: the line has ended.
struct Told(Option<oneshot::Sender<Result<(), PublishError>>>);

impl Told {
    fn tell(mut self, result: Result<(), PublishError>) {
        if let Some(done) = self.0.take() {
            let _ = done.send(result);
        }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        if let Some(done) = self.0.take() {
            let _ = done.send(Err(PublishError::Unconfirmed("its confirmation is lost".into())));
        }
    }
}
