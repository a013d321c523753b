//! The turmoil tier: two hosts, the ESMEs and the SMSC, on turmoil's network.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use smpp_transport::driver::{Accept, Connect};
use smpp_transport::env::Seed;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use turmoil::net::{TcpListener, TcpStream};
use turmoil::{Builder, Sim};

use super::door::Door;
use super::{
    SimulatedClock, Turn, account, is_at_rest, latency, note_what_is_left, rest, smsc, tell, turn_surroundings, turns,
};
use crate::app::{App, STOP_TIMEOUT, Waiting};
use crate::history::{End, History, Recorder, What};
use crate::plan::{FaultKind, Plan};
use crate::transport::{Application, Ground, Life, Process, SmscSlot, Wanted};
use crate::wire::Wire;

const ESMES: &str = "esmes";
const SMSC: &str = "smsc";
const APPLICATIONS: &str = "applications";
const PORT: u16 = 2775;

pub(super) fn run(plan: &Arc<Plan>) -> Result<History, String> {
    World::new(plan).run()
}

struct World<'a> {
    sim: Sim<'a>,
    plan: Arc<Plan>,
    recorder: Recorder,
    waiting: Waiting,
    door: Door,
    /// The simulator that runs now.
    smsc: SmscSlot,
    grounds: Vec<Ground>,
    /// Of each process.
    clocks: Vec<SimulatedClock>,
    // One each of these: the waiters of one channel wake in an order that is drawn by chance.
    stop_clients: Vec<watch::Sender<bool>>,
    wanted: Vec<watch::Sender<Wanted>>,
    finish: Vec<watch::Sender<bool>>,
    /// Told before the SMSC's host is crashed: its connections are dropped in their own order then, where a crash would drop
    /// them in an order that depends on what ran in this process before.
    kill_smsc: Arc<Notify>,
    /// Clients, processes and applications that have not ended.
    running: Arc<AtomicUsize>,
    applications: Arc<AtomicUsize>,
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
        let (recorder, waiting) = (Recorder::new(Arc::new(clock)), Waiting::for_all_of(plan));
        let processes = plan.processes();
        let mut world = World {
            sim: builder(plan).build(),
            door: Door::default(),
            smsc: Arc::default(),
            grounds: (0..plan.transports.len()).map(|number| Ground::new(plan, number, &recorder, &waiting)).collect(),
            clocks: SimulatedClock::for_all_of(plan, &recorder),
            stop_clients: plan.clients.iter().map(|_| watch::Sender::new(false)).collect(),
            wanted: processes.iter().map(|_| watch::Sender::new(Wanted::Up)).collect(),
            finish: plan.transports.iter().map(|_| watch::Sender::new(false)).collect(),
            kill_smsc: Arc::default(),
            running: Arc::new(AtomicUsize::new(plan.clients.len() + processes.len())),
            applications: Arc::new(AtomicUsize::new(plan.transports.len())),
            plan: Arc::clone(plan),
            recorder,
            waiting,
        };
        world.add_smsc();
        world.add_clients();
        let mut instances = vec![0; plan.transports.len()];
        for (number, transport) in processes.into_iter().enumerate() {
            world.add_process(number, transport, instances[transport]);
            instances[transport] += 1;
        }
        world.add_applications();
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
        let rested = self.sim.elapsed() + rest(&self.plan);
        while self.sim.elapsed() < rested {
            self.step()?;
        }
        note_what_is_left(&self.plan, &self.recorder, &self.waiting, &self.grounds, lock(&self.smsc).as_ref());
        self.end()
    }

    fn is_at_rest(&self) -> bool {
        is_at_rest(&self.waiting, &self.grounds, lock(&self.smsc).as_ref())
    }

    fn end(mut self) -> Result<History, String> {
        tell(&self.stop_clients, true);
        tell(&self.wanted, Wanted::Over);
        self.ended(&Arc::clone(&self.running), "a client or a transport has not stopped")?;
        tell(&self.finish, true);
        self.ended(&Arc::clone(&self.applications), "an application has not stopped")?;
        let history = self.recorder.take();
        // What the hosts drop must be dropped while their world still stands.
        for host in self.hosts() {
            if self.sim.is_host_running(host.as_str()) {
                self.sim.crash(host.as_str());
            }
        }
        Ok(history)
    }

    fn ended(&mut self, running: &AtomicUsize, otherwise: &str) -> Result<(), String> {
        let by = self.sim.elapsed() + STOP_TIMEOUT * 2;
        while running.load(Ordering::Relaxed) > 0 && self.sim.elapsed() < by {
            self.step()?;
        }
        if running.load(Ordering::Relaxed) > 0 {
            self.recorder.note(What::Restless { what: otherwise.to_owned() });
        }
        Ok(())
    }

    /// All that talk to the SMSC.
    fn esmes(&self) -> Vec<String> {
        std::iter::once(ESMES.to_owned()).chain((0..self.wanted.len()).map(machine)).collect()
    }

    fn hosts(&self) -> Vec<String> {
        let others = [APPLICATIONS, SMSC].map(str::to_owned);
        self.esmes().into_iter().chain(others).collect()
    }

    fn step(&mut self) -> Result<(), String> {
        self.sim.step().map(drop).map_err(|error| error.to_string())
    }

    fn turn(&mut self, Turn { fault, ends, .. }: Turn) -> Result<(), String> {
        self.recorder.note(What::Fault { fault, ends });
        match (self.plan.faults[fault].kind, ends) {
            (FaultKind::Hold, false) => self.esmes().iter().for_each(|esme| self.sim.hold(esme.as_str(), SMSC)),
            (FaultKind::Hold, true) => self.esmes().iter().for_each(|esme| self.sim.release(esme.as_str(), SMSC)),
            (FaultKind::Partition, false) => self.partition(),
            (FaultKind::Partition, true) => self.repair(),
            (FaultKind::LostToSmsc, ends) => self.one_way(true, ends),
            (FaultKind::LostFromSmsc, ends) => self.one_way(false, ends),
            (FaultKind::Slow(ms), ends) => {
                let value = latency(&self.plan, if ends { 0 } else { ms });
                self.esmes().iter().for_each(|esme| self.sim.set_link_latency(esme.as_str(), SMSC, value));
            }
            (FaultKind::Crash, false) => self.crash_smsc()?,
            (FaultKind::PowerCut, false) => {
                self.partition();
                self.crash_smsc()?;
                self.repair();
            }
            (FaultKind::Crash | FaultKind::PowerCut, true) => self.sim.bounce(SMSC),
            (FaultKind::TransportKilled(process), false) => self.kill(process, Wanted::Killed)?,
            (FaultKind::TransportPowerCut(process), false) => {
                self.sim.partition(machine(process), SMSC);
                self.kill(process, Wanted::Cut)?;
                self.sim.repair(machine(process), SMSC);
            }
            (FaultKind::TransportKilled(process) | FaultKind::TransportPowerCut(process), true) => {
                self.want(process, Wanted::Up);
                self.sim.bounce(machine(process));
            }
            (FaultKind::TransportStopped(process), false) => self.want(process, Wanted::Stopped),
            (FaultKind::TransportStopped(process), true) => self.want(process, Wanted::Up),
            (kind, ends) => turn_surroundings(kind, ends, &self.grounds, &self.clocks, &self.door),
        }
        Ok(())
    }

    fn partition(&self) {
        self.esmes().iter().for_each(|esme| self.sim.partition(esme.as_str(), SMSC));
    }

    fn repair(&self) {
        self.esmes().iter().for_each(|esme| self.sim.repair(esme.as_str(), SMSC));
    }

    fn one_way(&self, to_smsc: bool, ends: bool) {
        for esme in self.esmes() {
            let (from, to) = if to_smsc { (esme.as_str(), SMSC) } else { (SMSC, esme.as_str()) };
            if ends {
                self.sim.repair_oneway(from, to);
            } else {
                self.sim.partition_oneway(from, to);
            }
        }
    }

    fn want(&self, process: usize, wanted: Wanted) {
        self.wanted[process].send_replace(wanted);
    }

    /// It drops what it has in its own order first, as the SMSC does.
    fn kill(&mut self, process: usize, how: Wanted) -> Result<(), String> {
        self.want(process, how);
        self.step()?;
        self.sim.crash(machine(process));
        Ok(())
    }

    fn crash_smsc(&mut self) -> Result<(), String> {
        if let Some(control) = lock(&self.smsc).take() {
            account::note(&self.plan, &self.recorder, &control, true);
        }
        self.kill_smsc.notify_waiters();
        self.step()?;
        self.sim.crash(SMSC);
        Ok(())
    }

    fn add_smsc(&mut self) {
        let (plan, recorder, running) = (Arc::clone(&self.plan), self.recorder.clone(), Arc::clone(&self.smsc));
        let (kill, clock) = (Arc::clone(&self.kill_smsc), self.clocks[self.clocks.len() - 1].clone());
        self.sim.host(SMSC, move || {
            let (plan, recorder, running) = (Arc::clone(&plan), recorder.clone(), Arc::clone(&running));
            let (kill, clock) = (Arc::clone(&kill), clock.clone());
            async move {
                let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
                // Within the host: outside of it the clock is another.
                let control = smsc(&plan, &clock);
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
        let door = self.door.clone();
        let stops: Vec<_> = self.stop_clients.iter().map(watch::Sender::subscribe).collect();
        let running = Arc::clone(&self.running);
        self.sim.host(ESMES, move || {
            let (plan, recorder, waiting) = (Arc::clone(&plan), recorder.clone(), waiting.clone());
            let (stops, running, door) = (stops.clone(), Arc::clone(&running), door.clone());
            async move {
                let mut clients = JoinSet::new();
                for (client, stop) in stops.into_iter().enumerate() {
                    let (recorder, plan) = (recorder.clone(), Arc::clone(&plan));
                    let connector = Connector {
                        door: door.clone(),
                        owner: client,
                        process: None,
                        recorder: recorder.clone(),
                        plan: Arc::clone(&plan),
                        life: Life::default(),
                    };
                    let app = App { client, plan, recorder, waiting: waiting.clone(), stop, start: Instant::now() };
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

impl World<'_> {
    fn add_process(&mut self, number: usize, transport: usize, instance: usize) {
        let (plan, recorder) = (Arc::clone(&self.plan), self.recorder.clone());
        let (ground, wanted) = (self.grounds[transport].clone(), self.wanted[number].clone());
        let (running, owner) = (Arc::clone(&self.running), self.plan.owner(transport));
        let door = self.door.clone();
        let clock = self.clocks[number].clone();
        let lives = AtomicU64::new(0);
        self.sim.host(machine(number), move || {
            let process = Process {
                plan: Arc::clone(&plan),
                number,
                instance,
                ground: ground.clone(),
                wanted: wanted.subscribe(),
                clock: Arc::new(clock.clone()),
                // A life ends with its host here: the next begins with the next.
                lives: lives.fetch_add(1_000, Ordering::Relaxed),
            };
            let (plan, recorder, running) = (Arc::clone(&plan), recorder.clone(), Arc::clone(&running));
            let door = door.clone();
            async move {
                let connector = Connector { door, owner, process: Some(number), recorder, plan, life: Life::default() };
                process.run(|life| Connector { life, ..connector.clone() }).await;
                running.fetch_sub(1, Ordering::Relaxed);
                std::future::pending().await
            }
        });
    }

    fn add_applications(&mut self) {
        let (grounds, smsc, recorder) = (self.grounds.clone(), Arc::clone(&self.smsc), self.recorder.clone());
        let finishes: Vec<_> = self.finish.iter().map(watch::Sender::subscribe).collect();
        let running = Arc::clone(&self.applications);
        self.sim.host(APPLICATIONS, move || {
            let (grounds, smsc, recorder) = (grounds.clone(), Arc::clone(&smsc), recorder.clone());
            let (finishes, running) = (finishes.clone(), Arc::clone(&running));
            async move {
                let mut applications = JoinSet::new();
                for (ground, finish) in grounds.into_iter().zip(finishes) {
                    let clock = Arc::new(SimulatedClock::right(&recorder));
                    let application =
                        Application { ground, smsc: Arc::clone(&smsc), start: Instant::now(), finish, clock };
                    applications.spawn(application.run());
                }
                while applications.join_next().await.is_some() {
                    running.fetch_sub(1, Ordering::Relaxed);
                }
                std::future::pending().await
            }
        });
    }
}

/// The host of a process of a transport.
fn machine(process: usize) -> String {
    format!("transport{process}")
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn builder(plan: &Plan) -> Builder {
    let mut builder = Builder::new();
    let latency = latency(plan, 0);
    builder
        .rng_seed(plan.seed)
        .epoch(SystemTime::UNIX_EPOCH)
        .tick_duration(Duration::from_millis(plan.tick_ms))
        .simulation_duration(plan.rest_by() + rest(plan) + STOP_TIMEOUT * 5)
        .min_message_latency(latency)
        .max_message_latency(latency)
        .tcp_capacity(65_536);
    builder
}

#[derive(Clone)]
struct Connector {
    door: Door,
    owner: usize,
    process: Option<usize>,
    recorder: Recorder,
    plan: Arc<Plan>,
    life: Life,
}

impl Connect for Connector {
    type Stream = Wire<TcpStream>;

    async fn connect(&mut self) -> io::Result<Wire<TcpStream>> {
        self.door.pass(latency(&self.plan, 0)).await?;
        let stream = TcpStream::connect((SMSC, PORT)).await?;
        let line = self.recorder.line(name(stream.local_addr()?));
        self.recorder.note(What::Connected { line, client: self.owner, process: self.process });
        let (recorder, seed) = (self.recorder.clone(), Seed(self.plan.seed));
        Ok(Wire::new(stream, line, End::Esme, recorder, self.plan.wire.esme, seed, self.life.clone()))
    }
}

/// Both ends know the client's address and port; they never get into the history.
fn name(client: SocketAddr) -> u64 {
    let host = match client.ip() {
        IpAddr::V4(ip) => u64::from(u32::from(ip)),
        IpAddr::V6(ip) => u128::from(ip) as u64,
    };
    host << 16 | u64::from(client.port())
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
        let wire = Wire::new(stream, line, End::Smsc, recorder, self.plan.wire.smsc, seed, Life::default());
        Ok((wire, format!("line {line}")))
    }
}
