//! What a run will do, as data: drawn from a seed, printed, saved, replayed, cut down. Nothing here runs anything.

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};
use smpp_transport::env::Seed;
use smpp_transport::session::SEQUENCE_MAX;
use smsc_sim::Rule;
use smsc_sim::policy::{Policy, Retry};
use smsc_sim::time::{Delay, Time};

mod binds;
mod bounds;
mod brief;
mod check;
mod clients;
mod clockwork;
mod destinations;
mod faults;
mod feature;
mod field;
mod hosts;
mod malformed;
mod moments;
pub(crate) mod reading;
mod resend;
mod smsc;
mod steps;
mod transports;
mod wires;

use brief::{brief, is_one, is_plain, one};
pub use clockwork::BIND_RATE;
pub use faults::{Fault, FaultKind};
pub use feature::Feature;
pub use resend::{QueueFull, Resend};
pub use transports::{
    BusFaults, Handset, Ids, Keeps, Options, Order, Parts, RETRY_DELAY_MS, Script, Sequence, THROTTLE_DELAY_MS,
    THROTTLE_MAX_MS, Text, Transport, WrongText,
};
pub use wires::{Chop, Wires};

/// A run, whole. Times are in milliseconds of simulated time. Its file leaves out what is plain.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// From which the run draws what the plan leaves open: turmoil's chance, the simulator's, the wire's.
    pub seed: u64,
    /// Which mix it was drawn from.
    pub profile: Profile,
    /// How far time moves at once on turmoil; also the least that a segment takes there.
    pub tick_ms: u64,
    /// How long a segment takes on its way.
    pub latency_ms: u64,
    /// The waits of both sides' sessions.
    #[serde(default, serialize_with = "brief", skip_serializing_if = "is_plain")]
    pub timers: Timers,
    /// The ESMEs that are nothing but sessions.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub clients: Vec<Client>,
    /// The transports. Whose a message is says one number: of clients first, of transports after them.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub transports: Vec<Transport>,
    /// How many SMSCs there are: nodes of one operator, that do the same and share nothing.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub smscs: usize,
    /// What the SMSC does wrong, and what becomes of messages there.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub smsc: Smsc,
    /// What the wire does to the octets of the ESMEs and of the SMSC.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub wire: Wires,
    /// What happens to network and processes, in order of time.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub faults: Vec<Fault>,
    /// How long after all else begins the peace, in which nothing goes wrong by chance any more: the SMSC has no rules, the
    /// wire passes octets as they are, buses take what is published. Without it that goes on to the end.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub peace_after_ms: Option<u64>,
}

/// How a plan is drawn.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Nothing goes wrong.
    Calm,
    /// A random part of what can go wrong, with random chances.
    Swarm,
    /// Everything that can go wrong.
    All,
}

/// The waits of both sides' sessions.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timers {
    /// Silence after which enquire_link is sent.
    pub enquire_link_interval_ms: u64,
    /// How long a response may take.
    pub response_timeout_ms: u64,
    /// How long a session may be unbound.
    pub session_init_timeout_ms: u64,
    /// The longest wait between two tries to connect.
    pub backoff_max_ms: u64,
}

impl Default for Timers {
    fn default() -> Timers {
        Timers {
            enquire_link_interval_ms: 2_000,
            response_timeout_ms: 1_000,
            session_init_timeout_ms: 2_000,
            backoff_max_ms: 500,
        }
    }
}

/// One ESME and what it sends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// As what it binds.
    pub kind: Kind,
    /// Requests of its that may be outstanding.
    pub window: usize,
    /// Its first sequence number.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub sequence_start: u32,
    /// The messages it submits.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub messages: Vec<Message>,
    /// How long it takes to answer what it is delivered.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub answer_delay_ms: u64,
    /// Which account it binds as, from 0.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub account: usize,
    /// The addresses that it serves, as it says in its bind: empty, or `^` and how they begin.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub address_range: String,
    /// The chance that it refuses a delivery for now.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub refuse_for_now: f64,
    /// The chance that it refuses a delivery for good, of those that it does not refuse for now.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub refuse_for_good: f64,
}

/// As what an ESME binds.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "the standard's words")]
pub enum Kind {
    Transmitter,
    Receiver,
    Transceiver,
}

/// One message to submit.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// When, at the earliest: a client that is not bound sends it later.
    pub at_ms: u64,
    /// Octets of text; above 254 they go into message_payload.
    pub octets: usize,
    /// Which receipts are asked for.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub registered_delivery: u8,
    /// As data_sm instead of submit_sm.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub data_sm: bool,
    /// For how many seconds it is valid; 0 is without end.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub validity_s: u64,
    /// In how many seconds it is to be sent; 0 is at once. Not of data_sm, which cannot say it.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub schedule_s: u64,
    /// How long after its acceptance to ask what has become of it.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub query_after_ms: Option<u64>,
    /// How long after its acceptance to take it back.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub cancel_after_ms: Option<u64>,
}

/// What the SMSC does wrong, and what becomes of messages there.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Smsc {
    /// What it does to those who ask it something.
    #[serde(skip_serializing_if = "is_plain")]
    pub rules: Vec<Rule>,
    /// What becomes of messages.
    #[serde(skip_serializing_if = "is_plain")]
    pub policy: Policy,
    /// How what an ESME could not take is offered again.
    #[serde(serialize_with = "brief", skip_serializing_if = "is_plain")]
    pub retry: Retry,
    /// Requests of its that may be outstanding on a session; [`SMSC_WINDOW`] if it does not say.
    #[serde(skip_serializing_if = "is_plain")]
    pub window: Option<usize>,
    /// Its first sequence number on a session; 1 if it does not say.
    #[serde(skip_serializing_if = "is_plain")]
    pub sequence_start: Option<u32>,
}

/// How long a client waits for a connection.
pub const CONNECT_TIMEOUT_MS: u64 = 1_000;
/// How long both sides wait for octets to leave at the end of a connection.
pub const LINGER_MS: u64 = 500;
/// How long an unbind may take.
pub const UNBIND_MS: u64 = 1_000;
/// Octets of a connection that may be on their way: whoever writes more waits until some are read. On the fast tier;
/// turmoil's network takes more.
pub const IN_FLIGHT_OCTETS_MAX: usize = 128 * 1024;
/// What may go to a slow SMSC in one piece.
const SPARED_OCTETS: usize = 9_000;

/// Requests of the SMSC's that may be outstanding on a session, if the plan does not say.
pub const SMSC_WINDOW: usize = 20;

impl Plan {
    /// The plan of this seed. Without a profile the seed draws that too: of ten, seven are swarm, two all, one calm.
    #[must_use]
    pub fn draw(seed: u64, profile: Option<Profile>) -> Plan {
        let streams = Seed(seed);
        let mut mix = streams.stream("profile", 0);
        let drawn = match mix.random_range(0..10) {
            0 => Profile::Calm,
            1 | 2 => Profile::All,
            _ => Profile::Swarm,
        };
        let profile = profile.unwrap_or(drawn);
        let mut config = streams.stream("config", 0);
        let tick_ms = *[1, 2, 5, 10].choose(&mut config).expect("there are four");
        let latency_ms = tick_ms * config.random_range(0..8);
        let timers = Timers::draw(&mut config, latency_ms);
        let mut clients = Client::draw_all(&mut streams.stream("clients", 0), profile);
        clients::vary(&mut clients, streams, profile);
        let smsc = Smsc::draw(streams, profile, &timers);
        let free = clients.iter().map(|client| client.account + 1).chain([clients.len()]).max().unwrap_or(0);
        let transports = Transport::draw_all(streams, profile, free, &smsc);
        // Most transports have the SMSC for themselves.
        if !transports.is_empty() && streams.stream("alone", 0).random_bool(0.7) {
            clients.clear();
        }
        let mut faults = Fault::draw_all(&mut streams.stream("faults", 0), profile);
        faults.extend(Fault::draw_of_transports(&mut streams.stream("transport faults", 0), profile, &transports));
        let mut plan = Plan {
            seed,
            profile,
            tick_ms,
            latency_ms,
            timers,
            clients,
            transports,
            smscs: 1,
            smsc,
            wire: Wires::draw(streams, profile),
            faults,
            peace_after_ms: None,
        };
        plan.add_faults_at_moments(streams);
        plan.draw_smscs(streams);
        plan.draw_field(streams);
        plan.draw_destinations(streams);
        let until_peace_ms = streams.stream("peace", 0).random_range(0..6_000);
        plan.spare_the_slow();
        plan.peace_after_ms = (profile != Profile::Calm).then_some(until_peace_ms);
        plan
    }

    /// To an SMSC that reads a few octets at a time, or now and then, nothing goes in one piece that would take longer than an
    /// answer may.
    fn spare_the_slow(&mut self) {
        if self.smsc.is_punctual() && self.wire.esme.stall + self.wire.smsc.stall == 0.0 {
            return;
        }
        let messages = self.clients.iter_mut().flat_map(|client| &mut client.messages);
        messages.for_each(|message| message.octets = message.octets.min(SPARED_OCTETS));
        for transport in &mut self.transports {
            transport.spare_octets(SPARED_OCTETS);
        }
    }

    /// Whether everything that is accepted must be answered in time, and every answer be true.
    #[must_use]
    pub fn smsc_is_honest(&self) -> bool {
        self.smsc.is_honest() && self.smsc.is_punctual()
    }

    /// How many accounts there are.
    #[must_use]
    pub fn accounts(&self) -> usize {
        let accounts = self.clients.iter().map(|client| client.account);
        accounts.chain(self.transports.iter().map(|transport| transport.account)).max().map_or(1, |last| last + 1)
    }

    /// Who has messages: clients, then transports.
    pub fn owners(&self) -> std::ops::Range<usize> {
        0..self.clients.len() + self.transports.len()
    }

    /// The transport that this owner is, if it is one.
    #[must_use]
    pub fn transport(&self, owner: usize) -> Option<&Transport> {
        self.transports.get(owner.checked_sub(self.clients.len())?)
    }

    /// The owner that this transport is.
    #[must_use]
    pub fn owner(&self, transport: usize) -> usize {
        self.clients.len() + transport
    }

    /// The processes of all transports: whose each is.
    #[must_use]
    pub fn processes(&self) -> Vec<usize> {
        let of = |(number, transport): (usize, &Transport)| std::iter::repeat_n(number, transport.processes);
        self.transports.iter().enumerate().flat_map(of).collect()
    }

    /// Submits of a session of this owner's that may be outstanding.
    #[must_use]
    pub fn window(&self, owner: usize) -> usize {
        self.transport(owner).map_or_else(|| self.clients[owner].window, |transport| transport.window)
    }

    /// How long this owner may take to answer what it is delivered.
    #[must_use]
    pub fn answer_delay_ms(&self, owner: usize) -> u64 {
        // One that stops answers what waits for it as soon as it ends.
        let of = |transport: &Transport| transport.options.inbound_timeout_ms;
        self.transport(owner).map_or_else(|| self.clients[owner].answer_delay_ms, of)
    }

    /// How many submits this owner's messages need at most.
    fn submits(&self, owner: usize) -> usize {
        self.transport(owner).map_or_else(|| self.clients[owner].messages.len(), Transport::submits_max)
    }
}

impl Timers {
    fn draw(rng: &mut impl Rng, latency_ms: u64) -> Timers {
        Timers {
            enquire_link_interval_ms: rng.random_range(800..4_000) + 20 * latency_ms,
            response_timeout_ms: rng.random_range(400..2_500) + 20 * latency_ms,
            session_init_timeout_ms: rng.random_range(1_500..4_000) + 20 * latency_ms,
            backoff_max_ms: rng.random_range(200..1_500),
        }
    }
}

impl Client {
    /// A transmitter comes with a receiver, so that its receipts have somewhere to go.
    fn draw_all(rng: &mut impl Rng, profile: Profile) -> Vec<Client> {
        let mut clients = Vec::new();
        for _ in 0..rng.random_range(1..=3) {
            let pair = rng.random_bool(0.25);
            clients.push(Client::draw(rng, if pair { Kind::Transmitter } else { Kind::Transceiver }, profile));
            if pair {
                clients.push(Client { messages: Vec::new(), ..Client::draw(rng, Kind::Receiver, profile) });
            }
        }
        clients
    }

    fn draw(rng: &mut impl Rng, kind: Kind, profile: Profile) -> Client {
        let sequence_start = sequence_start(rng);
        let slow = profile != Profile::Calm && rng.random_bool(0.3);
        Client {
            kind,
            window: *[1, 2, 3, 10, 50].choose(rng).expect("there are five"),
            sequence_start,
            messages: Message::draw_all(rng),
            answer_delay_ms: if slow { rng.random_range(1..800) } else { 0 },
            account: 0,
            address_range: String::new(),
            refuse_for_now: 0.0,
            refuse_for_good: 0.0,
        }
    }
}

impl Message {
    /// A submit_sm to be sent at once.
    #[must_use]
    pub fn plain(at_ms: u64, octets: usize, registered_delivery: u8) -> Message {
        Message {
            at_ms,
            octets,
            registered_delivery,
            data_sm: false,
            validity_s: 0,
            schedule_s: 0,
            query_after_ms: None,
            cancel_after_ms: None,
        }
    }

    /// Bursts and single ones over six seconds: so that the window fills, and so that the line falls silent.
    fn draw_all(rng: &mut impl Rng) -> Vec<Message> {
        let large = rng.random_bool(0.3);
        let mut messages = Vec::new();
        for _ in 0..rng.random_range(0..8) {
            let at_ms = rng.random_range(0..6_000);
            for _ in 0..if rng.random_bool(0.4) { rng.random_range(2..12) } else { 1 } {
                let octets = match rng.random_range(0..20) {
                    0 => *[0, 1, 253, 254, 255, 256].choose(rng).expect("there are six"),
                    // What a parameter, and with it a message, has room for at most.
                    1 if large && rng.random_bool(0.1) => 65_535,
                    1..4 if large => rng.random_range(1_000..9_000),
                    _ => rng.random_range(10..160),
                };
                messages.push(Message::plain(at_ms, octets, rng.random_bool(0.5).into()));
            }
        }
        messages.sort_by_key(|message| message.at_ms);
        messages
    }
}

/// The first, one from which the numbers roll over soon, or any.
fn sequence_start(rng: &mut impl Rng) -> u32 {
    match rng.random_range(0..10) {
        0..4 => 1,
        4..8 => SEQUENCE_MAX - rng.random_range(0..30),
        _ => rng.random_range(1..=SEQUENCE_MAX),
    }
}

/// Turns kinds of faults on and off: all of them, none, or each by a coin whose weight is drawn too.
struct Switch<R> {
    rng: R,
    chance: f64,
}

impl Switch<smpp_transport::env::ChaCha8Rng> {
    fn new(seed: Seed, name: &str, profile: Profile) -> Self {
        Switch::numbered(seed, name, 0, profile)
    }

    /// Of several of the same name.
    fn numbered(seed: Seed, name: &str, number: usize, profile: Profile) -> Self {
        let mut rng = seed.stream(name, number as u64);
        let drawn = *[0.0, 0.2, 0.5].choose(&mut rng).expect("there are three");
        let chance = match profile {
            Profile::Calm => 0.0,
            Profile::Swarm => drawn,
            Profile::All => 1.0,
        };
        Switch { rng, chance }
    }
}

impl<R: Rng> Switch<R> {
    /// 0, or a chance up to `max`.
    fn chance(&mut self, max: f64) -> f64 {
        let value = self.rng.random_range(0.01..max);
        if self.rng.random_bool(self.chance) { (value * 1000.0).round() / 1000.0 } else { 0.0 }
    }

    /// One of these, or none.
    fn one_of<T: Clone>(&mut self, these: &[T]) -> Option<T> {
        let one = these.choose(&mut self.rng).cloned();
        if self.rng.random_bool(self.chance) { one } else { None }
    }

    fn delay(&mut self, max_ms: u64) -> Delay {
        let min_ms = self.rng.random_range(0..max_ms / 2);
        let max_ms = min_ms + self.rng.random_range(0..max_ms / 2);
        if self.rng.random_bool(self.chance) { Delay::Between(Time::ms(min_ms), Time::ms(max_ms)) } else { Delay::NONE }
    }
}
