//! The turmoil tier: a host for the ESMEs, one for each process of a transport and one for each SMSC, on turmoil's network.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use smpp_transport::driver::{Accept, Connect, InTurn};
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;
use turmoil::net::{TcpListener, TcpStream};
use turmoil::{Builder, Sim};

use super::door::Door;
use super::{
    SimulatedClock, Turn, account, end_sessions, is_at_rest, keep_peace, latency, note_what_is_left, smsc, tell,
    turn_surroundings, turns,
};
use crate::app::{App, STOP_TIMEOUT, Waiting};
use crate::history::{End, History, Recorder, What};
use crate::plan::{FaultKind, Plan};
use crate::transport::{Application, Ground, Life, Process, SmscSlot, Wanted};
use crate::wire::Wire;

const ESMES: &str = "esmes";
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
    nodes: Vec<Node>,
    grounds: Vec<Ground>,
    /// Of each process.
    clocks: Vec<SimulatedClock>,
    // One each of these: the waiters of one channel wake in an order that is drawn by chance.
    stop_clients: Vec<watch::Sender<bool>>,
    wanted: Vec<watch::Sender<Wanted>>,
    finish: Vec<watch::Sender<bool>>,
    /// Clients, processes and applications that have not ended.
    running: Arc<AtomicUsize>,
    applications: Arc<AtomicUsize>,
}

/// An SMSC. Clones are the same.
#[derive(Clone)]
struct Node {
    number: usize,
    door: Door,
    clock: SimulatedClock,
    /// The simulator that runs now.
    slot: SmscSlot,
    /// Told before its host is crashed: its connections are dropped in their own order then, where a crash would drop them in
    /// an order that depends on what ran in this process before.
    kill: Arc<Notify>,
}

impl Node {
    fn new(number: usize, recorder: &Recorder) -> Node {
        let (door, clock) = (Door::default(), SimulatedClock::right(recorder));
        Node { number, door, clock, slot: SmscSlot::default(), kill: Arc::default() }
    }

    /// The name of its host.
    fn host(&self) -> String {
        if self.number == 0 { "smsc".to_owned() } else { format!("smsc{}", self.number) }
    }
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
            nodes: (0..plan.smscs).map(|number| Node::new(number, &recorder)).collect(),
            grounds: (0..plan.transports.len()).map(|number| Ground::new(plan, number, &recorder, &waiting)).collect(),
            clocks: processes.iter().map(|_| SimulatedClock::right(&recorder)).collect(),
            stop_clients: plan.clients.iter().map(|_| watch::Sender::new(false)).collect(),
            wanted: processes.iter().map(|_| watch::Sender::new(Wanted::Up)).collect(),
            finish: plan.transports.iter().map(|_| watch::Sender::new(false)).collect(),
            running: Arc::new(AtomicUsize::new(plan.clients.len() + processes.len())),
            applications: Arc::new(AtomicUsize::new(plan.transports.len())),
            plan: Arc::clone(plan),
            recorder,
            waiting,
        };
        world.nodes.clone().into_iter().for_each(|node| world.add_smsc(node));
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
        loop {
            let rested = self.sim.elapsed() + self.plan.held_max();
            while self.sim.elapsed() < rested {
                self.step()?;
            }
            // Who is hung up on again and again is not bound all the time; who goes to another SMSC finds there what waited.
            if self.is_at_rest() || self.sim.elapsed() >= by {
                break;
            }
            self.step()?;
        }
        let bound_by = self.sim.elapsed() + self.plan.timers.rebind_bound();
        while !self.is_at_rest() && self.sim.elapsed() < bound_by {
            self.step()?;
        }
        note_what_is_left(&self.recorder, &self.plan, &self.waiting, &self.grounds, &self.slots());
        self.end()
    }

    fn is_at_rest(&self) -> bool {
        is_at_rest(&self.plan, &self.waiting, &self.grounds, &self.slots())
    }

    fn slots(&self) -> Vec<SmscSlot> {
        self.nodes.iter().map(|node| Arc::clone(&node.slot)).collect()
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

    /// All that talk to SMSCs.
    fn esmes(&self) -> Vec<String> {
        std::iter::once(ESMES.to_owned()).chain((0..self.wanted.len()).map(machine)).collect()
    }

    fn hosts(&self) -> Vec<String> {
        let smscs = self.nodes.iter().map(Node::host);
        self.esmes().into_iter().chain([APPLICATIONS.to_owned()]).chain(smscs).collect()
    }

    fn step(&mut self) -> Result<(), String> {
        self.sim.step().map(drop).map_err(|error| error.to_string())
    }

    fn turn(&mut self, Turn { fault, ends, .. }: Turn) -> Result<(), String> {
        self.recorder.note(What::Fault { fault, ends });
        let fault = self.plan.faults[fault];
        match (fault.kind, ends) {
            (kind, ends) if kind.is_of_network() => {
                for node in self.nodes.clone().iter().filter(|node| fault.is_at(node.number)) {
                    self.turn_node(node, kind, ends)?;
                }
            }
            (FaultKind::TransportKilled(process), false) => self.kill(process, Wanted::Killed)?,
            (FaultKind::TransportPowerCut(process), false) => {
                self.nodes.iter().for_each(|node| self.sim.partition(machine(process), node.host()));
                self.kill(process, Wanted::Cut)?;
                self.nodes.iter().for_each(|node| self.sim.repair(machine(process), node.host()));
            }
            (FaultKind::TransportKilled(process) | FaultKind::TransportPowerCut(process), true) => {
                self.want(process, Wanted::Up);
                self.sim.bounce(machine(process));
            }
            (FaultKind::TransportStopped(process), false) => self.want(process, Wanted::Stopped),
            (FaultKind::TransportStopped(process), true) => self.want(process, Wanted::Up),
            (kind, ends) => turn_surroundings(kind, ends, &self.grounds, &self.clocks),
        }
        Ok(())
    }

    /// Lets a fault of the network or an SMSC begin or end.
    fn turn_node(&mut self, node: &Node, kind: FaultKind, ends: bool) -> Result<(), String> {
        let host = node.host();
        let esmes = self.esmes().into_iter();
        node.door.turn(kind, ends);
        match (kind, ends) {
            (FaultKind::Hold, false) => esmes.for_each(|esme| self.sim.hold(esme, host.as_str())),
            (FaultKind::Hold, true) => esmes.for_each(|esme| self.sim.release(esme, host.as_str())),
            (FaultKind::Partition, false) => self.partition(&host),
            (FaultKind::Partition, true) => self.repair(&host),
            (FaultKind::LostToSmsc, ends) => self.one_way(&host, true, ends),
            (FaultKind::LostFromSmsc, ends) => self.one_way(&host, false, ends),
            (FaultKind::SmscUnbinds | FaultKind::SmscResets, false) => end_sessions(&node.slot, kind),
            (FaultKind::SmscClockStep(seconds), ends) => node.clock.step(if ends { 0 } else { seconds }),
            (FaultKind::Slow(ms), ends) => {
                let value = latency(&self.plan, if ends { 0 } else { ms });
                esmes.for_each(|esme| self.sim.set_link_latency(esme, host.as_str(), value));
            }
            (FaultKind::Crash, false) => self.crash_smsc(node)?,
            (FaultKind::PowerCut, false) => {
                self.partition(&host);
                self.crash_smsc(node)?;
                self.repair(&host);
            }
            (FaultKind::Crash | FaultKind::PowerCut, true) => self.sim.bounce(host),
            _ => {}
        }
        Ok(())
    }

    fn partition(&self, host: &str) {
        self.esmes().into_iter().for_each(|esme| self.sim.partition(esme, host));
    }

    fn repair(&self, host: &str) {
        self.esmes().into_iter().for_each(|esme| self.sim.repair(esme, host));
    }

    fn one_way(&self, host: &str, to_smsc: bool, ends: bool) {
        for esme in self.esmes() {
            let (from, to) = if to_smsc { (esme.as_str(), host) } else { (host, esme.as_str()) };
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

    fn crash_smsc(&mut self, node: &Node) -> Result<(), String> {
        if let Some(control) = lock(&node.slot).take() {
            account::note(&self.recorder, &self.plan, node.number, &control, true);
        }
        node.kill.notify_waiters();
        self.step()?;
        self.sim.crash(node.host());
        Ok(())
    }

    fn add_smsc(&mut self, node: Node) {
        let (plan, recorder) = (Arc::clone(&self.plan), self.recorder.clone());
        self.sim.host(node.host(), move || {
            let (plan, recorder, node) = (Arc::clone(&plan), recorder.clone(), node.clone());
            async move {
                let listener = TcpListener::bind(("0.0.0.0", PORT)).await?;
                // Within the host: outside of it the clock is another.
                let control = smsc(&plan, node.number, &node.clock);
                *lock(&node.slot) = Some(control.clone());
                let acceptor = Acceptor { listener, recorder: recorder.clone(), plan: Arc::clone(&plan) };
                tokio::select! {
                    biased;
                    () = node.kill.notified() => {}
                    () = smsc_sim::serve(acceptor, control.clone()) => {}
                    () = keep_peace(&plan, &recorder, node.number, &control) => {}
                }
                std::future::pending().await
            }
        });
    }

    fn add_clients(&mut self) {
        let (plan, recorder, waiting) = (Arc::clone(&self.plan), self.recorder.clone(), self.waiting.clone());
        let nodes = self.nodes.clone();
        let stops: Vec<_> = self.stop_clients.iter().map(watch::Sender::subscribe).collect();
        let running = Arc::clone(&self.running);
        self.sim.host(ESMES, move || {
            let (plan, recorder, waiting) = (Arc::clone(&plan), recorder.clone(), waiting.clone());
            let (stops, running, nodes) = (stops.clone(), Arc::clone(&running), nodes.clone());
            async move {
                let mut clients = JoinSet::new();
                for (client, stop) in stops.into_iter().enumerate() {
                    let (recorder, plan) = (recorder.clone(), Arc::clone(&plan));
                    let connector = Connector {
                        node: nodes[plan.smsc_of_client(client)].clone(),
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
        let places: Vec<Node> = self.plan.hosts(number).into_iter().map(|host| self.nodes[host].clone()).collect();
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
            let places = places.clone();
            async move {
                let connector = |life: &Life, node: &Node| Connector {
                    node: node.clone(),
                    owner,
                    process: Some(number),
                    recorder: recorder.clone(),
                    plan: Arc::clone(&plan),
                    life: life.clone(),
                };
                process.run(|life| InTurn::new(places.iter().map(|node| connector(&life, node)))).await;
                running.fetch_sub(1, Ordering::Relaxed);
                std::future::pending().await
            }
        });
    }

    fn add_applications(&mut self) {
        let (grounds, smscs, recorder) = (self.grounds.clone(), self.slots(), self.recorder.clone());
        let finishes: Vec<_> = self.finish.iter().map(watch::Sender::subscribe).collect();
        let running = Arc::clone(&self.applications);
        self.sim.host(APPLICATIONS, move || {
            let (grounds, smscs, recorder) = (grounds.clone(), smscs.clone(), recorder.clone());
            let (finishes, running) = (finishes.clone(), Arc::clone(&running));
            async move {
                let mut applications = JoinSet::new();
                for (ground, finish) in grounds.into_iter().zip(finishes) {
                    let clock = Arc::new(SimulatedClock::right(&recorder));
                    let application =
                        Application { ground, smscs: smscs.clone(), start: Instant::now(), finish, clock };
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
        .simulation_duration(plan.rest_by() + plan.held_max() + plan.timers.rebind_bound() + STOP_TIMEOUT * 5)
        .min_message_latency(latency)
        .max_message_latency(latency)
        .tcp_capacity(65_536);
    builder
}

#[derive(Clone)]
struct Connector {
    node: Node,
    owner: usize,
    process: Option<usize>,
    recorder: Recorder,
    plan: Arc<Plan>,
    life: Life,
}

impl Connect for Connector {
    type Stream = Wire<TcpStream>;

    async fn connect(&mut self) -> io::Result<Wire<TcpStream>> {
        self.node.door.pass(latency(&self.plan, 0)).await?;
        let stream = TcpStream::connect((self.node.host(), PORT)).await?;
        let line = self.recorder.line(name(stream.local_addr()?));
        let (client, process, smsc) = (self.owner, self.process, self.node.number);
        self.recorder.note(What::Connected { line, client, process, smsc });
        Ok(Wire::new(stream, line, End::Esme, self.recorder.clone(), &self.plan, self.life.clone()))
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
        let wire = Wire::new(stream, line, End::Smsc, self.recorder.clone(), &self.plan, Life::default());
        Ok((wire, format!("line {line}")))
    }
}
