//! The fast tier: one paused runtime; time jumps to whatever is due next.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use smpp_transport::driver::{Accept, Connect};
use smpp_transport::env::Seed;
use smsc_sim::Control;
use tokio::runtime::Builder;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::net::{Net, Pipe, Weather};
use super::{Turn, account, note_what_is_left, smsc, turns};
use crate::app::{App, STOP_TIMEOUT, Waiting};
use crate::history::{End, History, Recorder, What};
use crate::plan::{FaultKind, Plan};
use crate::wire::Wire;

/// How often to look whether everything is at rest.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

pub(super) fn run(plan: &Arc<Plan>) -> Result<History, String> {
    let mut builder = Builder::new_current_thread();
    builder.enable_time().start_paused(true);
    // Without it a panic in a task would be lost: the program refuses to start then.
    #[cfg(tokio_unstable)]
    builder.unhandled_panic(tokio::runtime::UnhandledPanic::ShutdownRuntime);
    let runtime = builder.build().map_err(|error| error.to_string())?;
    // Within the runtime: outside of it the clock is the machine's.
    Ok(runtime.block_on(async { World::new(plan).run().await }))
}

struct World {
    plan: Arc<Plan>,
    start: Instant,
    recorder: Recorder,
    waiting: Waiting,
    net: Net,
    smsc: Option<(Control, JoinHandle<()>)>,
    /// One each: the waiters of one channel wake in an order that is drawn by chance.
    stop_clients: Vec<watch::Sender<bool>>,
}

impl World {
    fn new(plan: &Arc<Plan>) -> World {
        let start = Instant::now();
        World {
            start,
            recorder: Recorder::new(Arc::new(move || start.elapsed())),
            waiting: Waiting::for_all_of(plan),
            net: Net::new(Duration::from_millis(plan.latency_ms)),
            smsc: None,
            stop_clients: plan.clients.iter().map(|_| watch::Sender::new(false)).collect(),
            plan: Arc::clone(plan),
        }
    }

    async fn run(mut self) -> History {
        self.start_smsc();
        let mut clients = self.start_clients();
        for turn in turns(&self.plan) {
            sleep_until(self.start + turn.at).await;
            self.turn(turn);
        }
        self.rest().await;
        for stop in &self.stop_clients {
            stop.send_replace(true);
        }
        let ended = timeout(STOP_TIMEOUT * 2, async { while clients.join_next().await.is_some() {} }).await;
        if ended.is_err() {
            self.recorder.note(What::Restless { what: "a client has not stopped".to_owned() });
        }
        if let Some((control, _)) = &self.smsc {
            control.stop();
        }
        self.recorder.take()
    }

    async fn rest(&self) {
        sleep_until(self.start + self.plan.last_event()).await;
        let by = self.start + self.plan.rest_by();
        let at_rest = |smsc: &(Control, _)| smsc.0.is_idle();
        while !(self.waiting.is_over() && self.smsc.as_ref().is_some_and(at_rest)) && Instant::now() < by {
            sleep(LOOK_INTERVAL).await;
        }
        note_what_is_left(&self.recorder, &self.waiting, self.smsc.as_ref().map(|(control, _)| control));
    }

    fn start_smsc(&mut self) {
        let acceptor =
            Acceptor { queue: self.net.listen(), recorder: self.recorder.clone(), plan: Arc::clone(&self.plan) };
        let control = smsc(&self.plan, &self.recorder);
        self.smsc = Some((control.clone(), tokio::spawn(smsc_sim::serve(acceptor, control))));
    }

    fn start_clients(&self) -> JoinSet<()> {
        let mut clients = JoinSet::new();
        for client in 0..self.plan.clients.len() {
            let connector = Connector {
                net: self.net.clone(),
                client,
                recorder: self.recorder.clone(),
                plan: Arc::clone(&self.plan),
            };
            let app = App {
                client,
                plan: Arc::clone(&self.plan),
                recorder: self.recorder.clone(),
                waiting: self.waiting.clone(),
                stop: self.stop_clients[client].subscribe(),
                start: self.start,
            };
            clients.spawn(app.run(connector));
        }
        clients
    }

    fn turn(&mut self, Turn { fault, ends, .. }: Turn) {
        self.recorder.note(What::Fault { fault, ends });
        match (self.plan.faults[fault].kind, ends) {
            (FaultKind::Hold, false) => self.net.turn(Weather::Held),
            (FaultKind::Partition, false) => self.net.turn(Weather::Partitioned),
            (FaultKind::Hold | FaultKind::Partition, true) => self.net.turn(Weather::Fair),
            (FaultKind::Crash, false) => self.kill_smsc(),
            (FaultKind::PowerCut, false) => {
                self.net.power_off();
                self.kill_smsc();
            }
            (FaultKind::Crash | FaultKind::PowerCut, true) => {
                self.net.power_on();
                self.start_smsc();
            }
        }
    }

    fn kill_smsc(&mut self) {
        if let Some((control, serving)) = self.smsc.take() {
            account::note(&self.recorder, &control, true);
            serving.abort();
        }
    }
}

struct Connector {
    net: Net,
    client: usize,
    recorder: Recorder,
    plan: Arc<Plan>,
}

impl Connect for Connector {
    type Stream = Wire<Pipe>;

    async fn connect(&mut self) -> io::Result<Wire<Pipe>> {
        let (pipe, name) = self.net.connect().await?;
        let line = self.recorder.line(name);
        self.recorder.note(What::Connected { line, client: self.client });
        let (recorder, seed) = (self.recorder.clone(), Seed(self.plan.seed));
        Ok(Wire::new(pipe, line, End::Esme, recorder, self.plan.wire.esme, seed))
    }
}

struct Acceptor {
    queue: mpsc::UnboundedReceiver<(Pipe, u64)>,
    recorder: Recorder,
    plan: Arc<Plan>,
}

impl Accept for Acceptor {
    type Stream = Wire<Pipe>;

    async fn accept(&mut self) -> io::Result<(Wire<Pipe>, String)> {
        let Some((pipe, name)) = self.queue.recv().await else { return std::future::pending().await };
        let line = self.recorder.line(name);
        let (recorder, seed) = (self.recorder.clone(), Seed(self.plan.seed));
        Ok((Wire::new(pipe, line, End::Smsc, recorder, self.plan.wire.smsc, seed), format!("line {line}")))
    }
}
