//! The fast tier: one paused runtime; time jumps to whatever is due next.

use std::io;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use smpp_transport::driver::{Accept, Connect, InTurn};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::door::Door;
use super::net::{Net, Pipe, Weather};
use super::{
    SimulatedClock, Turn, account, end_sessions, is_at_rest, keep_peace, latency, note_what_is_left, smsc, tell,
    turn_surroundings, turns,
};
use crate::app::{App, STOP_TIMEOUT, Waiting};
use crate::history::{End, History, Recorder, What};
use crate::plan::{FaultKind, Plan};
use crate::transport::{Application, Ground, Life, Process, SmscSlot, Wanted, running};
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
    nodes: Vec<Node>,
    grounds: Vec<Ground>,
    /// Of each process.
    clocks: Vec<SimulatedClock>,
    // One each of these: the waiters of one channel wake in an order that is drawn by chance.
    stop_clients: Vec<watch::Sender<bool>>,
    wanted: Vec<watch::Sender<Wanted>>,
    finish: Vec<watch::Sender<bool>>,
}

/// An SMSC, and the network to it.
struct Node {
    number: usize,
    net: Net,
    door: Door,
    clock: SimulatedClock,
    /// The simulator that runs now.
    slot: SmscSlot,
    serving: Option<JoinHandle<()>>,
    recorder: Recorder,
    plan: Arc<Plan>,
}

impl World {
    fn new(plan: &Arc<Plan>) -> World {
        let start = Instant::now();
        let recorder = Recorder::new(Arc::new(move || start.elapsed()));
        let waiting = Waiting::for_all_of(plan);
        World {
            start,
            nodes: (0..plan.smscs).map(|number| Node::new(plan, number, &recorder)).collect(),
            grounds: (0..plan.transports.len()).map(|number| Ground::new(plan, number, &recorder, &waiting)).collect(),
            clocks: plan.processes().iter().map(|_| SimulatedClock::right(&recorder)).collect(),
            stop_clients: plan.clients.iter().map(|_| watch::Sender::new(false)).collect(),
            wanted: plan.processes().iter().map(|_| watch::Sender::new(Wanted::Up)).collect(),
            finish: plan.transports.iter().map(|_| watch::Sender::new(false)).collect(),
            plan: Arc::clone(plan),
            recorder,
            waiting,
        }
    }

    async fn run(mut self) -> History {
        self.nodes.iter_mut().for_each(Node::start);
        let mut clients = self.start_clients();
        let mut processes = self.start_processes();
        let mut applications = self.start_applications();
        for turn in turns(&self.plan) {
            sleep_until(self.start + turn.at).await;
            self.turn(turn);
        }
        self.rest().await;
        tell(&self.stop_clients, true);
        tell(&self.wanted, Wanted::Over);
        self.ended(&mut clients, "a client has not stopped").await;
        self.ended(&mut processes, "a transport has not stopped").await;
        tell(&self.finish, true);
        self.ended(&mut applications, "an application has not stopped").await;
        self.slots().iter().filter_map(running).for_each(|control| control.stop());
        self.recorder.take()
    }

    async fn ended(&self, tasks: &mut JoinSet<()>, otherwise: &str) {
        if timeout(STOP_TIMEOUT * 2, async { while tasks.join_next().await.is_some() {} }).await.is_err() {
            self.recorder.note(What::Restless { what: otherwise.to_owned() });
        }
    }

    fn slots(&self) -> Vec<SmscSlot> {
        self.nodes.iter().map(|node| Arc::clone(&node.slot)).collect()
    }

    async fn rest(&self) {
        sleep_until(self.start + self.plan.last_event()).await;
        let by = self.start + self.plan.rest_by();
        loop {
            while !self.is_at_rest() && Instant::now() < by {
                sleep(LOOK_INTERVAL).await;
            }
            sleep(self.plan.held_max()).await;
            // Who is hung up on again and again is not bound all the time; who goes to another SMSC finds there what waited.
            if self.is_at_rest() || Instant::now() >= by {
                break;
            }
        }
        let bound_by = Instant::now() + self.plan.timers.rebind_bound();
        while !self.is_at_rest() && Instant::now() < bound_by {
            sleep(LOOK_INTERVAL).await;
        }
        note_what_is_left(&self.recorder, &self.plan, &self.waiting, &self.grounds, &self.slots());
    }

    fn is_at_rest(&self) -> bool {
        is_at_rest(&self.plan, &self.waiting, &self.grounds, &self.slots())
    }

    fn connector(&self, smsc: usize, owner: usize, machine: usize) -> Connector {
        let Node { net, door, recorder, plan, .. } = &self.nodes[smsc];
        let (net, door, recorder, plan) = (net.clone(), door.clone(), recorder.clone(), Arc::clone(plan));
        Connector { smsc, net, door, owner, machine, recorder, plan, life: Life::default() }
    }

    fn start_clients(&self) -> JoinSet<()> {
        let mut clients = JoinSet::new();
        for client in 0..self.plan.clients.len() {
            let app = App {
                client,
                plan: Arc::clone(&self.plan),
                recorder: self.recorder.clone(),
                waiting: self.waiting.clone(),
                stop: self.stop_clients[client].subscribe(),
                start: self.start,
            };
            clients.spawn(app.run(self.connector(self.plan.smsc_of_client(client), client, 0)));
        }
        clients
    }

    fn start_processes(&self) -> JoinSet<()> {
        let mut processes = JoinSet::new();
        let mut instances = vec![0; self.grounds.len()];
        for (number, transport) in self.plan.processes().into_iter().enumerate() {
            let process = Process {
                plan: Arc::clone(&self.plan),
                number,
                instance: instances[transport],
                ground: self.grounds[transport].clone(),
                wanted: self.wanted[number].subscribe(),
                clock: Arc::new(self.clocks[number].clone()),
                lives: 0,
            };
            instances[transport] += 1;
            let connector = |smsc| self.connector(smsc, self.plan.owner(transport), number + 1);
            let places: Vec<Connector> = self.plan.hosts(number).into_iter().map(connector).collect();
            processes.spawn(async move {
                let in_life = |life: &Life, place: &Connector| Connector { life: life.clone(), ..place.clone() };
                process.run(|life| InTurn::new(places.iter().map(|place| in_life(&life, place)))).await;
            });
        }
        processes
    }

    fn start_applications(&self) -> JoinSet<()> {
        let mut applications = JoinSet::new();
        for (ground, finish) in self.grounds.iter().zip(&self.finish) {
            let application = Application {
                ground: ground.clone(),
                smscs: self.slots(),
                start: self.start,
                finish: finish.subscribe(),
                clock: Arc::new(SimulatedClock::right(&self.recorder)),
            };
            applications.spawn(application.run());
        }
        applications
    }

    fn turn(&mut self, Turn { fault, ends, .. }: Turn) {
        self.recorder.note(What::Fault { fault, ends });
        let fault = self.plan.faults[fault];
        match (fault.kind, ends) {
            (kind, ends) if kind.is_of_network() => {
                let nodes = self.nodes.iter_mut().filter(|node| fault.is_at(node.number));
                nodes.for_each(|node| node.turn(kind, ends));
            }
            (FaultKind::TransportKilled(process), false) => self.want(process, Wanted::Killed),
            (FaultKind::TransportPowerCut(process), false) => {
                self.nodes.iter().for_each(|node| node.net.power_off(Some(process + 1)));
                self.want(process, Wanted::Cut);
            }
            (FaultKind::TransportStopped(process), false) => self.want(process, Wanted::Stopped),
            (
                FaultKind::TransportKilled(process)
                | FaultKind::TransportPowerCut(process)
                | FaultKind::TransportStopped(process),
                true,
            ) => {
                self.nodes.iter().for_each(|node| node.net.power_on(Some(process + 1)));
                self.want(process, Wanted::Up);
            }
            (kind, ends) => turn_surroundings(kind, ends, &self.grounds, &self.clocks),
        }
    }

    fn want(&self, process: usize, wanted: Wanted) {
        self.wanted[process].send_replace(wanted);
    }
}

impl Node {
    fn new(plan: &Arc<Plan>, number: usize, recorder: &Recorder) -> Node {
        Node {
            number,
            net: Net::new(latency(plan, 0), number),
            door: Door::default(),
            clock: SimulatedClock::right(recorder),
            slot: SmscSlot::default(),
            serving: None,
            recorder: recorder.clone(),
            plan: Arc::clone(plan),
        }
    }

    /// Lets a fault of the network or the SMSC begin or end.
    fn turn(&mut self, kind: FaultKind, ends: bool) {
        self.door.turn(kind, ends);
        match (kind, ends) {
            (FaultKind::Hold, false) => self.net.turn(Weather::Held),
            (FaultKind::Partition, false) => self.net.turn(Weather::Partitioned),
            (FaultKind::LostToSmsc, false) => self.net.lose(true),
            (FaultKind::LostFromSmsc, false) => self.net.lose(false),
            (FaultKind::Hold | FaultKind::Partition | FaultKind::LostToSmsc | FaultKind::LostFromSmsc, true) => {
                self.net.turn(Weather::Fair);
            }
            (FaultKind::SmscUnbinds | FaultKind::SmscResets, false) => end_sessions(&self.slot, kind),
            (FaultKind::SmscClockStep(seconds), ends) => self.clock.step(if ends { 0 } else { seconds }),
            (FaultKind::Slow(ms), ends) => self.net.set_latency(latency(&self.plan, if ends { 0 } else { ms })),
            (FaultKind::Crash, false) => self.kill(),
            (FaultKind::PowerCut, false) => {
                self.net.power_off(None);
                self.kill();
            }
            (FaultKind::Crash | FaultKind::PowerCut, true) => {
                self.net.power_on(None);
                self.start();
            }
            _ => {}
        }
    }

    fn start(&mut self) {
        let acceptor =
            Acceptor { queue: self.net.listen(), recorder: self.recorder.clone(), plan: Arc::clone(&self.plan) };
        let control = smsc(&self.plan, self.number, &self.clock);
        *self.slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(control.clone());
        let (plan, recorder) = (Arc::clone(&self.plan), self.recorder.clone());
        let number = self.number;
        self.serving = Some(tokio::spawn(async move {
            tokio::select! {
                biased;
                () = smsc_sim::serve(acceptor, control.clone()) => {}
                () = keep_peace(&plan, &recorder, number, &control) => {}
            }
        }));
    }

    fn kill(&mut self) {
        let control = self.slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(control) = control {
            account::note(&self.recorder, &self.plan, self.number, &control, true);
        }
        if let Some(serving) = self.serving.take() {
            serving.abort();
        }
    }
}

#[derive(Clone)]
struct Connector {
    smsc: usize,
    net: Net,
    door: Door,
    owner: usize,
    /// The process and one; 0 is that of the clients.
    machine: usize,
    recorder: Recorder,
    plan: Arc<Plan>,
    life: Life,
}

impl Connect for Connector {
    type Stream = Wire<Pipe>;

    async fn connect(&mut self) -> io::Result<Wire<Pipe>> {
        self.door.pass(latency(&self.plan, 0)).await?;
        let (pipe, name) = self.net.connect(self.machine).await?;
        let line = self.recorder.line(name);
        let (client, process, smsc) = (self.owner, self.machine.checked_sub(1), self.smsc);
        self.recorder.note(What::Connected { line, client, process, smsc });
        Ok(Wire::new(pipe, line, End::Esme, self.recorder.clone(), &self.plan, self.life.clone()))
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
        let wire = Wire::new(pipe, line, End::Smsc, self.recorder.clone(), &self.plan, Life::default());
        Ok((wire, format!("line {line}")))
    }
}
