//! The turmoil tier: two hosts, the ESMEs and the SMSC, on turmoil's network.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use smpp_transport::driver::{Accept, Connect};
use smpp_transport::env::Seed;
use smsc_sim::Control;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use turmoil::net::{TcpListener, TcpStream};
use turmoil::{Builder, Sim};

use super::{Turn, account, note_what_is_left, smsc, turns};
use crate::app::{App, STOP_TIMEOUT, Waiting};
use crate::history::{End, History, Recorder, What};
use crate::plan::{FaultKind, Plan};
use crate::wire::Wire;

const ESMES: &str = "esmes";
const SMSC: &str = "smsc";
const PORT: u16 = 2775;

pub(super) fn run(plan: &Arc<Plan>) -> Result<History, String> {
    World::new(plan).run()
}

struct World<'a> {
    sim: Sim<'a>,
    plan: Arc<Plan>,
    recorder: Recorder,
    waiting: Waiting,
    /// The simulator that runs now.
    smsc: Arc<Mutex<Option<Control>>>,
    /// One each: the waiters of one channel wake in an order that is drawn by chance.
    stop_clients: Vec<watch::Sender<bool>>,
    /// Told before the SMSC's host is crashed: its connections are dropped in their own order then, where a crash would drop
    /// them in an order that depends on what ran in this process before.
    kill_smsc: Arc<Notify>,
    /// Clients that have not ended.
    running: Arc<AtomicUsize>,
}

impl World<'_> {
    fn new(plan: &Arc<Plan>) -> World<'static> {
        // turmoil knows the time only within a host, and not while it moves the network: the last known is right then.
        let last = AtomicU64::new(0);
        let clock = move || {
            let known = turmoil::sim_elapsed().map(|now| u64::try_from(now.as_nanos()).unwrap_or(u64::MAX));
            Duration::from_nanos(known.map_or(last.load(Ordering::Relaxed), |now| {
                last.store(now, Ordering::Relaxed);
                now
            }))
        };
        let mut world = World {
            sim: builder(plan).build(),
            recorder: Recorder::new(Arc::new(clock)),
            waiting: Waiting::for_all_of(plan),
            smsc: Arc::default(),
            stop_clients: plan.clients.iter().map(|_| watch::Sender::new(false)).collect(),
            kill_smsc: Arc::default(),
            running: Arc::new(AtomicUsize::new(plan.clients.len())),
            plan: Arc::clone(plan),
        };
        world.add_smsc();
        world.add_clients();
        world
    }

    fn run(mut self) -> Result<History, String> {
        let turns = turns(&self.plan);
        let mut turns = turns.iter().copied().peekable();
        let (last, by) = (self.plan.last_event(), self.plan.rest_by());
        loop {
            self.step()?;
            while turns.peek().is_some_and(|turn| turn.at <= self.sim.elapsed())
                && let Some(turn) = turns.next()
            {
                self.turn(turn)?;
            }
            let now = self.sim.elapsed();
            if now >= by || (now >= last && turns.peek().is_none() && self.is_at_rest()) {
                break;
            }
        }
        note_what_is_left(&self.recorder, &self.waiting, lock(&self.smsc).as_ref());
        self.end()
    }

    fn is_at_rest(&self) -> bool {
        self.waiting.is_over() && lock(&self.smsc).as_ref().is_some_and(Control::is_idle)
    }

    fn end(mut self) -> Result<History, String> {
        for stop in &self.stop_clients {
            stop.send_replace(true);
        }
        let by = self.sim.elapsed() + STOP_TIMEOUT * 2;
        while self.running.load(Ordering::Relaxed) > 0 && self.sim.elapsed() < by {
            self.step()?;
        }
        if self.running.load(Ordering::Relaxed) > 0 {
            self.recorder.note(What::Restless { what: "a client has not stopped".to_owned() });
        }
        let history = self.recorder.take();
        // What the hosts drop must be dropped while their world still stands.
        self.sim.crash(ESMES);
        if self.sim.is_host_running(SMSC) {
            self.sim.crash(SMSC);
        }
        Ok(history)
    }

    fn step(&mut self) -> Result<(), String> {
        self.sim.step().map(drop).map_err(|error| error.to_string())
    }

    fn turn(&mut self, Turn { fault, ends, .. }: Turn) -> Result<(), String> {
        self.recorder.note(What::Fault { fault, ends });
        match (self.plan.faults[fault].kind, ends) {
            (FaultKind::Hold, false) => self.sim.hold(ESMES, SMSC),
            (FaultKind::Hold, true) => self.sim.release(ESMES, SMSC),
            (FaultKind::Partition, false) => self.sim.partition(ESMES, SMSC),
            (FaultKind::Partition, true) => self.sim.repair(ESMES, SMSC),
            (FaultKind::Crash, false) => self.crash_smsc()?,
            (FaultKind::PowerCut, false) => {
                self.sim.partition(ESMES, SMSC);
                self.crash_smsc()?;
                self.sim.repair(ESMES, SMSC);
            }
            (FaultKind::Crash | FaultKind::PowerCut, true) => self.sim.bounce(SMSC),
        }
        Ok(())
    }

    fn crash_smsc(&mut self) -> Result<(), String> {
        if let Some(control) = lock(&self.smsc).take() {
            account::note(&self.recorder, &control, true);
        }
        self.kill_smsc.notify_waiters();
        self.step()?;
        self.sim.crash(SMSC);
        Ok(())
    }

    fn add_smsc(&mut self) {
        let (plan, recorder, running) = (Arc::clone(&self.plan), self.recorder.clone(), Arc::clone(&self.smsc));
        let kill = Arc::clone(&self.kill_smsc);
        self.sim.host(SMSC, move || {
            let (plan, recorder, running) = (Arc::clone(&plan), recorder.clone(), Arc::clone(&running));
            let kill = Arc::clone(&kill);
            async move {
                let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
                // Within the host: outside of it the clock is another.
                let control = smsc(&plan, &recorder);
                *lock(&running) = Some(control.clone());
                let serving = smsc_sim::serve(Acceptor { listener, recorder, plan }, control);
                tokio::select! {
                    biased;
                    () = kill.notified() => {}
                    () = serving => {}
                }
                std::future::pending().await
            }
        });
    }

    fn add_clients(&mut self) {
        let (plan, recorder, waiting) = (Arc::clone(&self.plan), self.recorder.clone(), self.waiting.clone());
        let stops: Vec<_> = self.stop_clients.iter().map(watch::Sender::subscribe).collect();
        let running = Arc::clone(&self.running);
        self.sim.host(ESMES, move || {
            let (plan, recorder, waiting) = (Arc::clone(&plan), recorder.clone(), waiting.clone());
            let (stops, running) = (stops.clone(), Arc::clone(&running));
            async move {
                let mut clients = JoinSet::new();
                for (client, stop) in stops.into_iter().enumerate() {
                    let connector = Connector { client, recorder: recorder.clone(), plan: Arc::clone(&plan) };
                    let app = App {
                        client,
                        plan: Arc::clone(&plan),
                        recorder: recorder.clone(),
                        waiting: waiting.clone(),
                        stop,
                        start: Instant::now(),
                    };
                    clients.spawn(app.run(connector));
                }
                while clients.join_next().await.is_some() {
                    running.fetch_sub(1, Ordering::Relaxed);
                }
                std::future::pending().await
            }
        });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn builder(plan: &Plan) -> Builder {
    let mut builder = Builder::new();
    let latency = Duration::from_millis(plan.latency_ms);
    builder
        .rng_seed(plan.seed)
        .epoch(SystemTime::UNIX_EPOCH)
        .tick_duration(Duration::from_millis(plan.tick_ms))
        .simulation_duration(plan.rest_by() + STOP_TIMEOUT * 3)
        .min_message_latency(latency)
        .max_message_latency(latency)
        .tcp_capacity(65_536);
    builder
}

struct Connector {
    client: usize,
    recorder: Recorder,
    plan: Arc<Plan>,
}

impl Connect for Connector {
    type Stream = Wire<TcpStream>;

    async fn connect(&mut self) -> io::Result<Wire<TcpStream>> {
        let stream = TcpStream::connect((SMSC, PORT)).await?;
        let line = self.recorder.line(name(stream.local_addr()?));
        self.recorder.note(What::Connected { line, client: self.client });
        let (recorder, seed) = (self.recorder.clone(), Seed(self.plan.seed));
        Ok(Wire::new(stream, line, End::Esme, recorder, self.plan.wire.esme, seed))
    }
}

/// Both ends know the client's port; it never gets into the history.
fn name(client: SocketAddr) -> u64 {
    u64::from(client.port())
}

struct Acceptor {
    listener: TcpListener,
    recorder: Recorder,
    plan: Arc<Plan>,
}

impl Accept for Acceptor {
    type Stream = Wire<TcpStream>;

    async fn accept(&mut self) -> io::Result<(Wire<TcpStream>, String)> {
        let (stream, peer) = self.listener.accept().await?;
        let line = self.recorder.line(name(peer));
        let (recorder, seed) = (self.recorder.clone(), Seed(self.plan.seed));
        Ok((Wire::new(stream, line, End::Smsc, recorder, self.plan.wire.smsc, seed), format!("line {line}")))
    }
}
