//! Two sessions, a line between them and a clock that is turned by hand: stories are told with it.
//!
//! PDUs cross the line as octets, so that any others can be injected. A [`Watch`](watch) sits at each side and judges every
//! input by what comes out: whatever a story is about, a step of the session that the standard does not allow ends it.

mod line;
mod play;
pub mod rules;
mod watch;

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use super::{BindKind, Event, Outcome, Refused, Role, Session, SessionConfig, Ticket, Why};
use crate::pdu::{
    BindResp, Body, CommandId, CommandStatus, Destination, Destinations, FRAME_OCTETS_MAX, Leniency, MessageId, Pdu,
    QuerySmResp, SubmitMultiResp, Tlvs,
};
pub use line::Flow;
use line::{Line, Segment};
pub use play::{Injection, Number, Operation, play};
use watch::{Input, Watch};

/// How a pair is set up.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The ESME's session.
    pub esme: SessionConfig,
    /// The SMSC's session.
    pub smsc: SessionConfig,
    /// How long octets take to the ESME.
    pub latency_to_esme: Duration,
    /// How long octets take to the SMSC.
    pub latency_to_smsc: Duration,
    /// How both sides read.
    pub leniency: Leniency,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            esme: SessionConfig::new(Role::Esme),
            smsc: SessionConfig::new(Role::Smsc),
            latency_to_esme: Duration::ZERO,
            latency_to_smsc: Duration::ZERO,
            leniency: Leniency::STRICT,
        }
    }
}

/// What a side was told: its [`Event`]s, with the tickets kept apart.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Told {
    /// [`Event::Bound`]
    Bound(BindKind),
    /// [`Event::Request`]
    Request(Pdu),
    /// [`Event::Notice`]
    Notice(Pdu),
    /// [`Event::Ended`]
    Ended {
        /// Counts the requests of both sides from 1.
        token: u32,
        /// What was asked.
        command: CommandId,
        /// Under which number.
        sequence: u32,
        /// How it ended.
        outcome: Outcome,
    },
    /// [`Event::Closed`]
    Closed(Why),
}

struct Side {
    session: Session<u32>,
    watch: Watch,
    tickets: VecDeque<Ticket>,
    told: Vec<Told>,
    sent: Vec<(Duration, Pdu)>,
    closed: bool,
    line_in: Line,
}

/// An ESME, an SMSC, and what is between them.
pub struct Pair {
    now: Duration,
    esme: Side,
    smsc: Side,
    leniency: Leniency,
    tokens: u32,
    log: String,
}

impl Pair {
    /// A line just opened, nothing said.
    #[must_use]
    pub fn new(setup: Setup) -> Pair {
        // Not zero, so that a time that is forgotten shows.
        let now = Duration::from_secs(1_000);
        let side = |role: Role, config: SessionConfig, latency: Duration| Side {
            watch: Watch::new(role, config.clone(), now),
            session: Session::new(role, config, now),
            tickets: VecDeque::new(),
            told: Vec::new(),
            sent: Vec::new(),
            closed: false,
            line_in: Line::new(latency),
        };
        Pair {
            now,
            esme: side(Role::Esme, setup.esme, setup.latency_to_esme),
            smsc: side(Role::Smsc, setup.smsc, setup.latency_to_smsc),
            leniency: setup.leniency,
            tokens: 0,
            log: String::new(),
        }
    }

    /// A pair that is bound, with nothing left over from the bind.
    #[must_use]
    pub fn bound(kind: BindKind) -> Pair {
        Pair::bound_with(kind, Setup::default())
    }

    /// The same, set up otherwise.
    ///
    /// # Panics
    /// When the set-up does not let them bind.
    #[must_use]
    pub fn bound_with(kind: BindKind, setup: Setup) -> Pair {
        let round = setup.latency_to_esme + setup.latency_to_smsc;
        let mut pair = Pair::new(setup);
        pair.request(Role::Esme, kind.command()).expect("a session that has just been opened may bind");
        pair.advance(round);
        pair.answer(Role::Smsc, CommandStatus::ESME_ROK);
        pair.advance(round);
        for role in [Role::Esme, Role::Smsc] {
            assert_eq!(pair.session(role).state().bound(), Some(kind), "{role:?}");
            pair.told(role);
            pair.side(role).sent.clear();
        }
        pair.log.clear();
        pair
    }

    /// What the clock says.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.now
    }

    /// One side's session.
    #[must_use]
    pub fn session(&self, role: Role) -> &Session<u32> {
        match role {
            Role::Esme => &self.esme.session,
            Role::Smsc => &self.smsc.session,
        }
    }

    /// What a side was told since this was last asked.
    pub fn told(&mut self, role: Role) -> Vec<Told> {
        std::mem::take(&mut self.side(role).told)
    }

    /// What a side has sent since this was last asked.
    pub fn sent(&mut self, role: Role) -> Vec<Pdu> {
        std::mem::take(&mut self.side(role).sent).into_iter().map(|(_, pdu)| pdu).collect()
    }

    /// How many tickets a side holds.
    #[must_use]
    pub fn tickets(&self, role: Role) -> usize {
        match role {
            Role::Esme => self.esme.tickets.len(),
            Role::Smsc => self.smsc.tickets.len(),
        }
    }

    /// Every PDU that was sent, and every end, with its time since the pair was made: one line each.
    #[must_use]
    pub fn log(&self) -> &str {
        &self.log
    }

    /// Sends a request with the plainest body there is; gives its number.
    ///
    /// # Errors
    /// As [`Session::request`].
    pub fn request(&mut self, role: Role, command: CommandId) -> Result<u32, Refused> {
        self.tokens += 1;
        let token = self.tokens;
        self.step(role, |session, now| {
            let result = session.request(now, body(command), Tlvs::new(), token).map_err(|(refused, back)| {
                assert_eq!(back, token, "the token comes back");
                refused
            });
            (result, Input::Request { command, token, result })
        })
    }

    /// Sends what has no answer.
    ///
    /// # Errors
    /// As [`Session::notify`].
    pub fn notify(&mut self, role: Role, command: CommandId) -> Result<(), Refused> {
        self.step(role, |session, now| {
            let result = session.notify(now, body(command), Tlvs::new());
            (result, Input::Notify { command, result })
        })
    }

    /// [`Session::enquire_link`]
    pub fn enquire_link(&mut self, role: Role) {
        self.step(role, |session, now| (session.enquire_link(now), Input::EnquireLink));
    }

    /// [`Session::unbind`]
    pub fn unbind(&mut self, role: Role) {
        self.step(role, |session, now| (session.unbind(now), Input::Unbind));
    }

    /// Answers the oldest request that a side was told of.
    pub fn answer(&mut self, role: Role, status: CommandStatus) {
        self.answer_nth(role, 0, status);
    }

    /// Answers the n-th of the requests that a side has not answered yet, the oldest being 0; nothing when there is none.
    pub fn answer_nth(&mut self, role: Role, n: usize, status: CommandStatus) {
        let Some(ticket) = self.side(role).tickets.remove(n) else { return };
        let (command, sequence) = (ticket.command(), ticket.sequence());
        self.step(role, |session, now| {
            if status == CommandStatus::ESME_ROK {
                session.respond(now, ticket, status, answer_body(command), Tlvs::new());
            } else {
                session.refuse(now, ticket, status);
            }
            ((), Input::Answer { command, sequence, status })
        });
    }

    /// The line breaks at this side, for this reason; the other side learns that it was hung up on.
    pub fn hang_up(&mut self, role: Role, why: Why) {
        self.step(role, |session, _| (session.line_closed(why), Input::LineClosed(why)));
    }

    /// Octets that the peer never sent, after those that are under way.
    pub fn inject(&mut self, to: Role, octets: impl Into<Bytes>) {
        let now = self.now;
        self.side(to).line_in.push(now, Segment::Octets(octets.into()));
    }

    /// Octets to the ESME that the SMSC never sent.
    pub fn inject_to_esme(&mut self, octets: impl Into<Bytes>) {
        self.inject(Role::Esme, octets);
    }

    /// Octets to the SMSC that the ESME never sent.
    pub fn inject_to_smsc(&mut self, octets: impl Into<Bytes>) {
        self.inject(Role::Smsc, octets);
    }

    /// A PDU that the peer never sent, delivered with everything that is due.
    pub fn inject_pdu(&mut self, to: Role, status: CommandStatus, sequence: u32, body: Body) {
        self.inject(to, Pdu::new(status, sequence, body).to_octets());
        self.drive();
    }

    /// What becomes of octets on their way to a side from now on.
    pub fn flow(&mut self, to: Role, flow: Flow) {
        let now = self.now;
        self.side(to).line_in.turn(now, flow);
    }

    /// How long octets to a side take from now on; they do not overtake each other.
    pub fn latency(&mut self, to: Role, latency: Duration) {
        self.side(to).line_in.latency = latency;
    }

    /// Delivers all that is due now.
    pub fn drive(&mut self) {
        self.advance(Duration::ZERO);
    }

    /// Turns the clock: every delivery and every timer on the way, in order; of one instant the timers first.
    pub fn advance(&mut self, by: Duration) {
        let end = self.now + by;
        loop {
            let timer = self.next_of(|side| side.session.poll_timeout().map(|(at, _)| at));
            let delivery = self.next_of(|side| side.line_in.due());
            let timer_first = timer.is_some_and(|(at, _)| delivery.is_none_or(|(due, _)| at <= due));
            let Some((at, role)) = (if timer_first { timer } else { delivery }) else { break };
            if at > end {
                break;
            }
            self.now = self.now.max(at);
            if timer_first { self.tick(role) } else { self.deliver(role) }
        }
        self.now = end;
    }

    /// Turns the clock with both sides too busy to look at their timers before they have read what is there.
    #[cfg(test)]
    pub(super) fn advance_reading_first(&mut self, by: Duration) {
        self.now += by;
        while let Some((at, role)) = self.next_of(|side| side.line_in.due())
            && at <= self.now
        {
            self.deliver(role);
        }
        self.drive();
    }

    /// Lets a side's numbers go on from this one, as if it had come round to it.
    #[cfg(test)]
    pub(super) fn rewind(&mut self, role: Role, number: u32) {
        self.side(role).session.next_sequence = number;
    }

    /// Wakes a side, due or not.
    pub fn tick(&mut self, role: Role) {
        self.step(role, |session, now| (session.tick(now), Input::Tick));
    }

    fn next_of(&self, due: impl Fn(&Side) -> Option<Duration>) -> Option<(Duration, Role)> {
        let esme = due(&self.esme).map(|at| (at, Role::Esme));
        let smsc = due(&self.smsc).map(|at| (at, Role::Smsc));
        esme.into_iter().chain(smsc).min_by_key(|(at, _)| *at)
    }

    fn deliver(&mut self, to: Role) {
        match self.side(to).line_in.pop() {
            Some(Segment::Octets(octets)) => self.read(to, &octets),
            Some(Segment::End) => {
                self.step(to, |session, _| (session.line_closed(Why::PeerClosed), Input::LineClosed(Why::PeerClosed)));
            }
            None => {}
        }
    }

    fn read(&mut self, to: Role, octets: &[u8]) {
        self.side(to).line_in.unread.extend_from_slice(octets);
        while let Some(pdu) = self.next_pdu(to) {
            self.step(to, |session, now| (session.receive(now, pdu.clone()), Input::Receive(pdu)));
        }
    }

    fn next_pdu(&mut self, to: Role) -> Option<Result<Pdu, crate::pdu::DecodeError>> {
        let leniency = self.leniency;
        let side = self.side(to);
        if side.closed {
            return None;
        }
        match crate::pdu::next_frame(&mut side.line_in.unread, FRAME_OCTETS_MAX) {
            Ok(None) => None,
            Ok(Some(frame)) => Some(Pdu::decode(&frame, leniency)),
            Err(error) => Some(Err(error)),
        }
    }

    fn side(&mut self, role: Role) -> &mut Side {
        match role {
            Role::Esme => &mut self.esme,
            Role::Smsc => &mut self.smsc,
        }
    }

    /// One input, then all outputs, then the judgement.
    fn step<R>(&mut self, role: Role, act: impl FnOnce(&mut Session<u32>, Duration) -> (R, Input)) -> R {
        let now = self.now;
        let side = self.side(role);
        let (result, input) = act(&mut side.session, now);
        let pdus: Vec<Pdu> = std::iter::from_fn(|| side.session.poll_transmit()).collect();
        let mut told = Vec::new();
        while let Some(event) = side.session.poll_event() {
            told.push(match event {
                Event::Bound(kind) => Told::Bound(kind),
                Event::Notice(pdu) => Told::Notice(pdu),
                Event::Closed(why) => Told::Closed(why),
                Event::Ended { token, command, sequence, outcome } => Told::Ended { token, command, sequence, outcome },
                Event::Request(ticket, pdu) => {
                    side.tickets.push_back(ticket);
                    Told::Request(pdu)
                }
            });
        }
        side.watch.judge(now, &input, &pdus, &told, &side.session);
        self.pass_on(role, pdus, told);
        result
    }

    fn pass_on(&mut self, from: Role, pdus: Vec<Pdu>, told: Vec<Told>) {
        let now = self.now;
        let closed = told.iter().find_map(|told| match told {
            Told::Closed(why) => Some(*why),
            _ => None,
        });
        let mut octets = BytesMut::new();
        for pdu in &pdus {
            pdu.encode(&mut octets);
            self.note(from, &pdu.to_string());
        }
        if let Some(why) = closed {
            self.note(from, &format!("hangs up: {why:?}"));
        }
        let side = self.side(from);
        side.sent.extend(pdus.into_iter().map(|pdu| (now, pdu)));
        side.told.extend(told);
        side.closed |= closed.is_some();
        let line = &mut self.side(from.peer()).line_in;
        if !octets.is_empty() {
            line.push(now, Segment::Octets(octets.freeze()));
        }
        if closed.is_some() {
            line.push(now, Segment::End);
        }
    }

    fn note(&mut self, from: Role, what: &str) {
        let at = self.now.saturating_sub(Duration::from_secs(1_000)).as_secs_f64();
        let who = match from {
            Role::Esme => "esme",
            Role::Smsc => "    smsc",
        };
        writeln!(self.log, "{at:08.3} {who:<8} {what}").expect("writing to a string cannot fail");
    }
}

/// The plainest body of this command.
///
/// # Panics
/// Never: the addresses and lists in it are short.
#[must_use]
pub fn body(command: CommandId) -> Body {
    let mut body = Body::empty(command).unwrap_or(Body::Unknown(command, Bytes::new()));
    if let Body::SubmitMulti(multi) = &mut body {
        let list = Destination::List("friends".parse().expect("7 characters are not too many"));
        multi.dest_address = Destinations::new(vec![list]).expect("one is not too many");
    }
    body
}

/// The plainest body that answers this command with success.
#[must_use]
pub fn answer_body(command: CommandId) -> Body {
    match command {
        CommandId::BIND_RECEIVER => Body::BindReceiverResp(Some(BindResp::default())),
        CommandId::BIND_TRANSMITTER => Body::BindTransmitterResp(Some(BindResp::default())),
        CommandId::BIND_TRANSCEIVER => Body::BindTransceiverResp(Some(BindResp::default())),
        CommandId::SUBMIT_SM => Body::SubmitSmResp(Some(MessageId::default())),
        CommandId::SUBMIT_MULTI => Body::SubmitMultiResp(Some(SubmitMultiResp::default())),
        CommandId::DELIVER_SM => Body::DeliverSmResp(Some(MessageId::default())),
        CommandId::DATA_SM => Body::DataSmResp(Some(MessageId::default())),
        CommandId::QUERY_SM => Body::QuerySmResp(Some(QuerySmResp::default())),
        other => body(other.answer().unwrap_or(other)),
    }
}
