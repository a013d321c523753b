//! The bus's own task: connect, serve, wait, again.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;

use futures_util::FutureExt as _;
use lapin::{Connection, Event};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use tokio::time::{sleep, timeout};

use super::AmqpConfig;
use super::line::{Heard, Line, Lost, connect};
use super::publishing::{Publishing, Said, Sent};
use super::settling::Settling;
use crate::bus::{Ends, Health, Publication, PublishError, Settlement};

/// Publications that wait for the broker's word at most, and those that wait for the broker.
const UNCONFIRMED_MAX: usize = 4_000;
/// Settlements and publications taken in one turn, at most.
const TURN_MAX: usize = 1_000;

pub(super) struct Task {
    config: AmqpConfig,
    ends: Ends,
    rng: ChaCha8Rng,
    settling: Settling,
    /// To be published on the next connection, before all else.
    waiting: VecDeque<Publication>,
    /// Nobody wants deliveries any more.
    stopped: bool,
    /// Nobody can publish any more.
    silent: bool,
    /// Tries in a row that came to nothing.
    failures: u32,
    /// What the broker says of itself.
    introduction: Value,
}

/// How serving ends.
enum Ended {
    /// All handles are dropped.
    Idle,
    Lost(Lost),
}

/// What a turn begins with.
#[expect(clippy::large_enum_variant, reason = "there is one at a time")]
enum Turn {
    Stop,
    Demand,
    Heard(Heard),
    Settled,
    Said(lapin::Result<()>),
    Published(usize),
    Stable,
}

impl Task {
    pub(super) fn new(config: AmqpConfig, ends: Ends) -> Task {
        let rng = config.seed.stream("amqp reconnect", 0);
        let (settling, waiting) = (Settling::default(), VecDeque::new());
        Task {
            config,
            ends,
            rng,
            settling,
            waiting,
            stopped: false,
            silent: false,
            failures: 0,
            introduction: Value::Null,
        }
    }

    pub(super) async fn run(mut self) {
        let mut connection = None;
        self.tell(Health { state: "connecting", ..Health::default() });
        while let Some(opened) = self.open(connection.take()).await {
            let lost = match opened {
                Ok(mut line) => match self.serve(&mut line).await {
                    Ended::Idle => {
                        let _ = timeout(self.config.close_timeout, line.close()).await;
                        break;
                    }
                    Ended::Lost(lost) => {
                        self.ends.line_lost();
                        connection = Some(line.connection);
                        lost
                    }
                },
                Err((lost, kept)) => {
                    connection = kept;
                    lost
                }
            };
            tracing::warn!(address = %self.config.address, reason = %lost, "the bus is away");
            self.tell(Health { state: "connecting", reason: lost, ..Health::default() });
            if !self.wait().await {
                break;
            }
        }
        self.tell(Health { state: "closed", reason: "all its handles are dropped".into(), ..Health::default() });
    }

    fn tell(&self, mut health: Health) {
        health.server_properties = self.introduction.clone();
        self.ends.health.send_if_modified(|told| {
            let is_new = *told != health;
            *told = health;
            is_new
        });
    }

    /// A line, on the same connection if that is still there. None when all handles are dropped before there is one.
    async fn open(&mut self, connection: Option<Connection>) -> Option<Result<Line, (Lost, Option<Connection>)>> {
        let (config, introduction) = (self.config.clone(), self.introduction.clone());
        let opening = async move {
            let (connection, introduction) = match connection.filter(|connection| connection.status().connected()) {
                Some(connection) => (connection, introduction),
                None => connect(&config).await.map_err(|lost| (lost, None))?,
            };
            let opened = Line::open(connection, &config).await;
            opened.map(|line| (line, introduction)).map_err(|(lost, connection)| (lost, Some(connection)))
        };
        let opened = tokio::select! {
            biased;
            opened = opening => opened,
            () = self.idle() => return None,
        };
        Some(opened.map(|(line, introduction)| {
            self.introduction = introduction;
            line
        }))
    }

    /// Waits before the next try. False when all handles are dropped.
    async fn wait(&mut self) -> bool {
        let delay = self.config.reconnect.delay(self.failures, &mut self.rng);
        self.failures = self.failures.saturating_add(1);
        tokio::select! {
            biased;
            () = self.idle() => false,
            () = sleep(delay) => true,
        }
    }

    /// What there is to do without a line. Ends when all handles are dropped.
    async fn idle(&mut self) {
        while !self.is_over() {
            let room = self.room(self.waiting.len());
            let (mut settled, mut published) = (Vec::new(), Vec::new());
            tokio::select! {
                biased;
                () = self.ends.stop.notified(), if !self.stopped => self.stop(),
                () = self.ends.deliveries.closed(), if !self.stopped => self.stop(),
                _ = self.ends.settlements.recv_many(&mut settled, TURN_MAX) => {}
                count = self.ends.publications.recv_many(&mut published, room), if room > 0 && !self.silent => {
                    self.silent = count == 0;
                }
            }
            for (tag, _) in settled {
                // All are stale.
                let _ = self.settling.come_back(tag);
            }
            self.waiting.extend(published);
            if self.waiting.len() >= UNCONFIRMED_MAX {
                self.waiting.retain(|publication| !publication.done.is_closed());
            }
        }
    }

    fn is_over(&self) -> bool {
        self.silent && self.stopped
    }

    /// How many publications may be taken now.
    fn room(&self, held: usize) -> usize {
        UNCONFIRMED_MAX.saturating_sub(held).min(TURN_MAX)
    }

    fn stop(&mut self) {
        self.stopped = true;
        // The handle says "none" once it has given what is in it, as nobody can put anything into it any more.
        self.ends.deliveries = tokio::sync::mpsc::channel(1).0;
    }

    async fn serve(&mut self, line: &mut Line) -> Ended {
        self.settling.new_channel();
        let mut publishing = Publishing::new(Arc::clone(&line.channel), &self.config);
        for publication in std::mem::take(&mut self.waiting) {
            send(&mut publishing, publication);
        }
        let ended = self.turns(line, &mut publishing).await;
        self.hear_last(&mut publishing);
        self.waiting.extend(publishing.unconfirmed());
        ended
    }

    /// What the broker has said until now is told before the rest is published again.
    fn hear_last(&mut self, publishing: &mut Publishing) {
        let mut said = Vec::new();
        let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
        while let std::task::Poll::Ready(Ok(())) = publishing.poll(&mut cx, &mut said) {}
        for said in said {
            let _ = self.hear(said);
        }
    }

    async fn turns(&mut self, line: &mut Line, publishing: &mut Publishing) -> Ended {
        if let Err(lost) = self.follow_demand(line).await {
            return Ended::Lost(lost);
        }
        self.tell(Health { is_up: true, state: "open", ..Health::default() });
        let mut stable = pin!(sleep(self.config.reconnect.stable_after));
        let mut closing = pin!(sleep(self.config.close_timeout));
        let mut is_closing = false;
        loop {
            if self.is_over() {
                if publishing.len() == 0 && self.settling.out() == 0 {
                    return Ended::Idle;
                }
                if !is_closing {
                    is_closing = true;
                    closing.set(sleep(self.config.close_timeout));
                }
            }
            let room = if line.is_blocked || self.silent { 0 } else { self.room(publishing.len()) };
            let wants_more = self.wants_more();
            let (mut settled, mut published, mut said) = (Vec::new(), Vec::new(), Vec::new());
            // Rare things first; the broker's prefetch and the room for publications bound the rest.
            let turn = tokio::select! {
                biased;
                () = self.ends.stop.notified(), if !self.stopped => Turn::Stop,
                () = self.ends.deliveries.closed(), if !self.stopped => Turn::Stop,
                () = self.ends.demand.changed(), if !self.stopped => Turn::Demand,
                heard = line.next(wants_more) => Turn::Heard(heard),
                _ = self.ends.settlements.recv_many(&mut settled, TURN_MAX) => Turn::Settled,
                result = poll_fn(|cx| publishing.poll(cx, &mut said)) => Turn::Said(result),
                count = self.ends.publications.recv_many(&mut published, room), if room > 0 => Turn::Published(count),
                () = &mut stable, if self.failures > 0 => Turn::Stable,
                () = &mut closing, if is_closing => return Ended::Idle,
            };
            let went = match turn {
                Turn::Stop => {
                    self.stop();
                    self.cancel(line).await
                }
                Turn::Demand => self.follow_demand(line).await,
                Turn::Heard(heard) => self.hear_all(line, heard).await,
                Turn::Settled => {
                    settled.into_iter().for_each(|(tag, settlement)| self.settle(line, publishing, tag, settlement));
                    Ok(())
                }
                Turn::Said(Ok(())) => said.into_iter().try_for_each(|said| self.hear(said)),
                Turn::Said(Err(error)) => Err(error.to_string().into()),
                Turn::Published(count) => {
                    self.silent = count == 0;
                    published.into_iter().for_each(|publication| send(publishing, publication));
                    Ok(())
                }
                Turn::Stable => {
                    self.failures = 0;
                    Ok(())
                }
            };
            if let Err(lost) = went {
                return Ended::Lost(lost);
            }
            line.ack(self.settling.acks());
        }
    }

    /// Consumes while deliveries are wanted, and only then.
    async fn follow_demand(&mut self, line: &mut Line) -> Result<(), Lost> {
        match (self.is_wanted(), line.is_consuming()) {
            (true, false) => line.consume(&self.config).await,
            (false, true) => self.cancel(line).await,
            _ => Ok(()),
        }
    }

    /// Cancels the consumer, and gives back deliveries that arrived and were not handed out.
    async fn cancel(&mut self, line: &mut Line) -> Result<(), Lost> {
        for delivery in line.cancel().await? {
            self.settling.skip(delivery.delivery_tag);
            line.give_back(delivery.delivery_tag);
        }
        Ok(())
    }

    /// Takes this, and what else the broker has sent already, as far as the prefetch goes.
    async fn hear_all(&mut self, line: &mut Line, first: Heard) -> Result<(), Lost> {
        let mut heard = Some(first);
        while let Some(next) = heard {
            match next {
                Heard::Delivery(Ok(delivery)) => self.hand_out(delivery),
                Heard::Delivery(Err(error)) | Heard::Event(Event::Error(error)) => {
                    return Err(error.to_string().into());
                }
                Heard::Cancelled => {
                    line.forget_consumer();
                    self.follow_demand(line).await?;
                }
                Heard::Event(Event::ConnectionBlocked(reason)) => {
                    tracing::warn!(%reason, "the broker takes no publications");
                    line.is_blocked = true;
                    self.tell(Health { state: "blocked", reason: reason.into(), ..Health::default() });
                }
                Heard::Event(Event::ConnectionUnblocked) => {
                    line.is_blocked = false;
                    self.tell(Health { is_up: true, state: "open", ..Health::default() });
                }
                Heard::Event(_) => {}
            }
            heard = line.next(self.wants_more()).now_or_never();
        }
        Ok(())
    }

    fn is_wanted(&self) -> bool {
        !self.stopped && !self.ends.demand.is_paused()
    }

    fn wants_more(&self) -> bool {
        self.is_wanted() && self.settling.out() < usize::from(self.config.prefetch.max(1))
    }

    fn hand_out(&mut self, delivery: lapin::message::Delivery) {
        let body = bytes::Bytes::from(delivery.data);
        let tag = self.settling.hand_out(delivery.delivery_tag, body.clone());
        self.ends.hand_out(body, delivery.redelivered, tag);
    }

    fn settle(&mut self, line: &Line, publishing: &mut Publishing, tag: u64, settlement: Settlement) {
        let Some(broker_tag) = self.settling.come_back(tag) else { return };
        match settlement {
            Settlement::Ack => self.settling.done(broker_tag),
            Settlement::GiveBack => {
                self.settling.given_back(broker_tag);
                line.give_back(broker_tag);
            }
            Settlement::DeadLetter(reason) => {
                if let Some(body) = self.settling.body(broker_tag) {
                    publishing.send(Sent::DeadLetter { broker_tag, body, reason });
                }
            }
        }
    }

    /// Tells what the broker has said. An error when a dead letter has no place: then the queues are to be declared again,
    /// and it comes again.
    fn hear(&mut self, said: Said) -> Result<(), Lost> {
        match said {
            Said::Stored(Sent::Publication(publication)) => {
                let _ = publication.done.send(Ok(()));
            }
            Said::Refused(Sent::Publication(publication), reason) => {
                let _ = publication.done.send(Err(PublishError::Refused(reason)));
            }
            Said::Stored(Sent::DeadLetter { broker_tag, .. }) => self.settling.done(broker_tag),
            Said::Refused(Sent::DeadLetter { .. }, reason) => return Err(reason),
        }
        Ok(())
    }
}

/// Publishes it, unless its caller has stopped waiting: he may do it again.
fn send(publishing: &mut Publishing, publication: Publication) {
    if !publication.done.is_closed() {
        publishing.send(Sent::Publication(publication));
    }
}
