//! One SMPP session, of either role: state, windows, timers, sequence numbers. No clock, no chance, no I/O.
//!
//! **One input, then drain all outputs, then the next input.** Inputs take `now`, the time since any fixed instant; it must
//! not go back. Outputs are [`poll_transmit`](Session::poll_transmit), [`poll_event`](Session::poll_event) and
//! [`poll_timeout`](Session::poll_timeout).
//!
//! The role is a value. It is asked in two places: may this side issue this command, and what status puts the peer off.
//! State changes when a PDU passes, in either direction: the SMSC that sends bind_resp with status 0 and the ESME that
//! receives it are bound by the same line of code.
//!
//! The session answers enquire_link and unbind itself. A request of ours ends in exactly three ways: `Answered`,
//! `Expired`, `Lost`; the last two mean *we do not know*, and say so up to whoever asked.

mod state;
mod timers;
mod window;

#[cfg(any(test, feature = "test-util"))]
pub mod pair;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use crate::pdu::{Answer, Body, CommandId, CommandStatus, DecodeError, Empty, Pdu, Tlvs};
pub use state::{BindKind, Role, State};
pub use timers::Timer;
use timers::Timers;
use window::{Outstanding, Window};

/// The highest sequence number (§5.1.4). After it comes 1.
pub const SEQUENCE_MAX: u32 = 0x7FFF_FFFF;

/// How a session behaves. Every wait and every number of outstanding requests has its bound here. A wait of
/// [`Duration::MAX`] never ends.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SessionConfig {
    /// How long after the start the session may be unbound, for either role. Default 30 s.
    pub session_init_timeout: Duration,
    /// After how much silence of the peer to send enquire_link; none never asks, and then a dead line is not noticed while
    /// nothing is sent. Default 55 s.
    pub enquire_link_interval: Option<Duration>,
    /// How long to wait for the answer to a request. A dead line is found within this and the interval above. Default 60 s.
    pub response_timeout: Duration,
    /// After how long without a PDU, either way, but for enquire_link and its answer, to unbind; none never does. Default
    /// none.
    pub inactivity_timeout: Option<Duration>,
    /// How long an unbind may take, ours or the peer's, before the line is closed without it. Default 5 s.
    pub unbind_timeout: Duration,
    /// Requests of ours that may be outstanding, at least 1. More than the SMSC serves end in timeouts and duplicates.
    /// Default 10.
    pub window: usize,
    /// Requests of the peer's that may be unanswered, at least 1; what comes beyond is answered with `busy_status`. Default
    /// 1,000.
    pub inbound_window: usize,
    /// What puts the peer off when its request cannot be taken now: ESME_RX_T_APPN for an ESME, so that the SMSC keeps the
    /// message; ESME_RTHROTTLED for an SMSC.
    pub busy_status: CommandStatus,
    /// The first sequence number, 1 to [`SEQUENCE_MAX`]. Default 1.
    pub sequence_start: u32,
}

impl SessionConfig {
    /// The defaults of this role.
    #[must_use]
    pub fn new(role: Role) -> SessionConfig {
        SessionConfig {
            session_init_timeout: Duration::from_secs(30),
            enquire_link_interval: Some(Duration::from_secs(55)),
            response_timeout: Duration::from_secs(60),
            inactivity_timeout: None,
            unbind_timeout: Duration::from_secs(5),
            window: 10,
            inbound_window: 1_000,
            busy_status: match role {
                Role::Esme => CommandStatus::ESME_RX_T_APPN,
                Role::Smsc => CommandStatus::ESME_RTHROTTLED,
            },
            sequence_start: 1,
        }
    }
}

/// What the session has to say. The last one is always [`Event::Closed`].
#[derive(Debug)]
pub enum Event<T> {
    /// The session is bound.
    Bound(BindKind),
    /// The peer asks; answer with [`Session::respond`] or [`Session::refuse`].
    Request(Ticket, Pdu),
    /// The peer tells what needs no answer: outbind, alert_notification.
    Notice(Pdu),
    /// A request of ours has ended.
    Ended {
        /// What was given with the request.
        token: T,
        /// Its command.
        command: CommandId,
        /// Its sequence number.
        sequence: u32,
        /// How it ended.
        outcome: Outcome,
    },
    /// Nothing passes any more: send what is to be transmitted, then hang up.
    Closed(Why),
}

/// How a request of ours ended.
#[derive(Clone, Debug, Eq, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly every outcome is an answer, and is handed on at once")]
pub enum Outcome {
    /// With its response, or with generic_nack.
    Answered(Pdu),
    /// Not answered within `response_timeout`: whether the peer has acted on it is unknown.
    Expired,
    /// The line went first, or its response could not be read: whether the peer has acted on it is unknown.
    Lost(Why),
}

/// Why a session ended, or why a request was lost.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Why {
    /// We sent unbind.
    Unbound,
    /// The peer sent unbind.
    PeerUnbound,
    /// Not bound within `session_init_timeout`.
    SessionInit,
    /// No answer to enquire_link.
    EnquireLink,
    /// No answer to unbind.
    UnbindTimeout,
    /// The peer's octets cannot be trusted any more, or its response cannot be read.
    Malformed,
    /// The peer hung up without unbind.
    PeerClosed,
    /// Reading or writing failed.
    Broken,
    /// We hung up without unbind.
    Dropped,
}

/// The right to answer one request of the peer's, once.
#[derive(Debug)]
#[must_use = "the peer waits for an answer"]
pub struct Ticket {
    command: CommandId,
    sequence: u32,
}

impl Ticket {
    /// The command to answer.
    #[must_use]
    pub const fn command(&self) -> CommandId {
        self.command
    }

    /// The peer's sequence number.
    #[must_use]
    pub const fn sequence(&self) -> u32 {
        self.sequence
    }
}

/// Why a request of ours is not sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refused {
    /// The command may not be sent by this role in this state.
    #[error("not allowed in this state of the session")]
    WrongState,
    /// As many are outstanding as may be.
    #[error("the window is full")]
    WindowFull,
    /// The session has ended or is about to.
    #[error("the session has ended")]
    Closed,
}

/// What has passed, for metrics: PDUs, but where it says otherwise.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counters {
    /// Received, readable or not.
    pub received: u64,
    /// Handed out to be sent.
    pub transmitted: u64,
    /// Responses to a number that is not outstanding: late, doubled or invented.
    pub unexpected_responses: u64,
    /// Responses to an outstanding number that answer another command.
    pub mismatched_responses: u64,
    /// Received that could not be read.
    pub malformed: u64,
    /// Requests answered with an error by the session itself: unknown, illegal here, or beyond the inbound window.
    pub refused: u64,
    /// Requests of ours that expired.
    pub expired: u64,
}

/// One session. `T` is handed in with a request and comes back when the request ends.
pub struct Session<T = ()> {
    role: Role,
    config: SessionConfig,
    state: State,
    window: Window<T>,
    unanswered: usize,
    next_sequence: u32,
    enquire_link: Option<u32>,
    unbind: Option<u32>,
    /// The peer's unbind, until it is answered.
    peer_unbind: Option<u32>,
    timers: Timers,
    transmit: VecDeque<Pdu>,
    events: VecDeque<Event<T>>,
    counters: Counters,
}

impl<T> Session<T> {
    /// A session on a line that has just been opened.
    #[must_use]
    pub fn new(role: Role, config: SessionConfig, now: Duration) -> Session<T> {
        let mut timers = Timers::default();
        timers.start(Timer::SessionInit, now, Some(config.session_init_timeout));
        let next_sequence = config.sequence_start.clamp(1, SEQUENCE_MAX);
        Session {
            role,
            config,
            state: State::Open,
            window: Window::new(),
            unanswered: 0,
            next_sequence,
            enquire_link: None,
            unbind: None,
            peer_unbind: None,
            timers,
            transmit: VecDeque::new(),
            events: VecDeque::new(),
            counters: Counters::default(),
        }
    }

    /// Where the session stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// Which end this is.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// Requests of ours that are outstanding.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.window.len()
    }

    /// Requests of the peer's that are not answered yet.
    #[must_use]
    pub fn unanswered(&self) -> usize {
        self.unanswered
    }

    /// Whether [`request`](Session::request) has room for another.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.window.len() < self.config.window.max(1)
    }

    /// What has passed so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Sends a request. Its end comes as [`Event::Ended`] with the same token. Not for enquire_link and unbind, which have
    /// methods of their own.
    ///
    /// # Errors
    /// When it may not be sent now; the token comes back, and nothing has happened.
    pub fn request(&mut self, now: Duration, body: Body, tlvs: Tlvs, token: T) -> Result<u32, (Refused, T)> {
        let command = body.command_id();
        if let Err(refused) = self.may_send(command) {
            return Err((refused, token));
        }
        if command.answer().is_none() || matches!(command, CommandId::ENQUIRE_LINK | CommandId::UNBIND) {
            return Err((Refused::WrongState, token));
        }
        if !self.has_room() {
            return Err((Refused::WindowFull, token));
        }
        let sequence = self.take_sequence();
        let deadline = now.saturating_add(self.config.response_timeout);
        self.window.insert(sequence, Outstanding { command, deadline, token });
        self.send(now, Pdu { status: CommandStatus::ESME_ROK, sequence, body, tlvs });
        Ok(sequence)
    }

    /// Sends what has no answer: outbind, alert_notification.
    ///
    /// # Errors
    /// When it may not be sent now, or has an answer.
    pub fn notify(&mut self, now: Duration, body: Body, tlvs: Tlvs) -> Result<(), Refused> {
        let command = body.command_id();
        self.may_send(command)?;
        if command.answer().is_some() || command.is_response() {
            return Err(Refused::WrongState);
        }
        let sequence = self.take_sequence();
        self.send(now, Pdu { status: CommandStatus::ESME_ROK, sequence, body, tlvs });
        Ok(())
    }

    /// Asks the peer whether it is there, without waiting for the silence to last. Nothing is asked while an answer is
    /// waited for, or after an unbind.
    pub fn enquire_link(&mut self, now: Duration) {
        let asked = self.timers.is_set(Timer::EnquireLinkAnswer);
        if asked || matches!(self.state, State::Unbinding(_) | State::Unbound | State::Closed) {
            return;
        }
        let sequence = self.take_sequence();
        self.enquire_link = Some(sequence);
        self.timers.stop(Timer::EnquireLink);
        self.timers.start(Timer::EnquireLinkAnswer, now, Some(self.config.response_timeout));
        self.send(now, Pdu::new(CommandStatus::ESME_ROK, sequence, Body::EnquireLink(Empty {})));
    }

    /// Sends unbind; the session closes with its answer, or after `unbind_timeout`. A session that is not bound closes at
    /// once. Answers to requests that are outstanding are still taken until then.
    pub fn unbind(&mut self, now: Duration) {
        match self.state {
            State::Bound(_) => {
                let sequence = self.take_sequence();
                self.unbind = Some(sequence);
                self.send(now, Pdu::new(CommandStatus::ESME_ROK, sequence, Body::Unbind(Empty {})));
            }
            State::Open | State::Binding(_) => self.close(Why::Dropped),
            State::Unbinding(_) | State::Unbound | State::Closed => {}
        }
    }

    /// Answers a request of the peer's.
    ///
    /// # Panics
    /// When `body` does not answer the ticket's command: that is a mistake of ours, not of the peer's.
    pub fn respond(&mut self, now: Duration, ticket: Ticket, status: CommandStatus, body: Body, tlvs: Tlvs) {
        assert_eq!(ticket.command.answer(), Some(body.command_id()), "the body must answer the ticket's command");
        self.unanswered = self.unanswered.saturating_sub(1);
        if self.state == State::Closed || (self.state == State::Unbound && self.peer_unbind.is_none()) {
            return;
        }
        self.send(now, Pdu { status, sequence: ticket.sequence, body, tlvs });
        // Only here: the session's own refusal of a second bind answers with the same command, and binds nobody.
        if let Some(kind) = BindKind::of(ticket.command) {
            self.bind_answered(now, kind, status);
        }
        if self.unanswered == 0 {
            self.answer_unbind(now);
        }
    }

    /// Answers a request of the peer's with an error, or with success where the answer has no body.
    pub fn refuse(&mut self, now: Duration, ticket: Ticket, status: CommandStatus) {
        let body = Body::refusal(ticket.command).expect("tickets are made only for commands that have an answer");
        self.respond(now, ticket, status, body, Tlvs::new());
    }

    /// Gives up the right to answer: the peer will wait in vain. For simulators of broken peers.
    pub fn forget(&mut self, ticket: Ticket) {
        let Ticket { .. } = ticket;
        self.unanswered = self.unanswered.saturating_sub(1);
    }

    /// The peer's next PDU, or why it cannot be read.
    pub fn receive(&mut self, now: Duration, pdu: Result<Pdu, DecodeError>) {
        if self.state == State::Closed {
            return;
        }
        self.counters.received += 1;
        self.heard(now);
        let command = pdu.as_ref().map_or_else(|error| error.command_id, Pdu::command_id);
        self.touched(now, command);
        match pdu {
            Ok(pdu) if pdu.command_id().is_response() => self.receive_response(now, pdu),
            Ok(pdu) => self.receive_request(now, pdu),
            Err(error) => self.receive_malformed(now, error),
        }
    }

    /// Time has passed: fires every timer that is due.
    pub fn tick(&mut self, now: Duration) {
        while let Some((at, timer)) = self.poll_timeout()
            && at <= now
        {
            self.timers.fired(timer);
            match timer {
                Timer::SessionInit => self.close(Why::SessionInit),
                Timer::EnquireLink => self.enquire_link(now),
                Timer::EnquireLinkAnswer => self.close(Why::EnquireLink),
                Timer::Inactivity => self.unbind(now),
                Timer::Unbind if self.peer_unbind.is_some() => {
                    self.timers.start(Timer::Unbind, now, Some(self.config.unbind_timeout / 2));
                    self.answer_unbind(now);
                }
                Timer::Unbind if self.state == State::Unbound => self.close(Why::PeerUnbound),
                Timer::Unbind => self.close(Why::UnbindTimeout),
                Timer::Response => self.expire(now),
            }
        }
    }

    /// The line is gone, or must go: nothing more is received.
    pub fn line_closed(&mut self, why: Why) {
        self.close(if self.state == State::Unbound { Why::PeerUnbound } else { why });
    }

    /// The next PDU to send.
    pub fn poll_transmit(&mut self) -> Option<Pdu> {
        self.transmit.pop_front()
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event<T>> {
        self.events.pop_front()
    }

    /// When to call [`tick`](Session::tick) next, and why.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<(Duration, Timer)> {
        let response = self.window.deadline().map(|at| (at, Timer::Response));
        let next = response.into_iter().chain(self.timers.next()).min_by_key(|(at, _)| *at);
        next.filter(|(at, _)| *at < Duration::MAX)
    }

    fn receive_request(&mut self, now: Duration, pdu: Pdu) {
        let command = pdu.command_id();
        match command {
            CommandId::ENQUIRE_LINK => self.answer(now, &pdu, CommandStatus::ESME_ROK),
            _ if command.rule().is_none() => self.nack(now, pdu.sequence, CommandStatus::ESME_RINVCMDID),
            _ if !self.role.peer().may_issue(command) => self.answer(now, &pdu, CommandStatus::ESME_RINVBNDSTS),
            _ if command.is_bind() => self.receive_bind(now, pdu),
            _ if !self.state.allows(command) => self.answer(now, &pdu, self.status_of_illegal(command)),
            CommandId::UNBIND => self.receive_unbind(now, pdu.sequence),
            _ if command.answer().is_none() => self.events.push_back(Event::Notice(pdu)),
            _ if matches!(self.state, State::Unbinding(_)) => self.answer(now, &pdu, self.config.busy_status),
            _ => self.hand_over(now, pdu),
        }
    }

    /// A second bind is refused, whether the first has been answered or not (§4.1).
    fn receive_bind(&mut self, now: Duration, pdu: Pdu) {
        match (self.state, BindKind::of(pdu.command_id())) {
            (State::Open, Some(kind)) => {
                self.state = State::Binding(kind);
                self.hand_over(now, pdu);
            }
            (State::Unbound, _) => self.answer(now, &pdu, CommandStatus::ESME_RINVBNDSTS),
            _ => self.answer(now, &pdu, CommandStatus::ESME_RALYBND),
        }
    }

    /// A message that overtakes the bind response is put off, not refused for good: the SMSC would throw it away.
    fn status_of_illegal(&self, command: CommandId) -> CommandStatus {
        let early = matches!(command, CommandId::DELIVER_SM | CommandId::DATA_SM);
        match (self.role, self.state) {
            (Role::Esme, State::Binding(_)) if early => self.config.busy_status,
            _ => CommandStatus::ESME_RINVBNDSTS,
        }
    }

    /// What the peer asked before its unbind is answered first, if that takes no longer than half of `unbind_timeout`: the
    /// peer may hang up as soon as it has the answer, and after it only OPEN is left, where no message is answered.
    fn receive_unbind(&mut self, now: Duration, sequence: u32) {
        let timeout = self.config.unbind_timeout;
        let ours = self.timers.at(Timer::Unbind);
        self.timers.clear();
        self.timers.start(Timer::Unbind, now, Some(if self.unanswered == 0 { timeout } else { timeout / 2 }));
        self.timers.not_after(Timer::Unbind, ours);
        self.state = State::Unbound;
        self.peer_unbind = Some(sequence);
        if self.unanswered == 0 {
            self.answer_unbind(now);
        }
    }

    fn answer_unbind(&mut self, now: Duration) {
        if let Some(sequence) = self.peer_unbind.take() {
            self.send(now, Pdu::new(CommandStatus::ESME_ROK, sequence, Body::UnbindResp(Empty {})));
            self.close_if_done();
        }
    }

    fn hand_over(&mut self, now: Duration, pdu: Pdu) {
        if self.unanswered >= self.config.inbound_window.max(1) {
            self.answer(now, &pdu, self.config.busy_status);
            return;
        }
        self.unanswered += 1;
        let ticket = Ticket { command: pdu.command_id(), sequence: pdu.sequence };
        self.events.push_back(Event::Request(ticket, pdu));
    }

    fn receive_response(&mut self, now: Duration, pdu: Pdu) {
        let response = pdu.command_id();
        if self.own_answered(response, pdu.sequence) {
            return;
        }
        match self.window.command(pdu.sequence) {
            Some(command) if answers(response, command) => self.answered(now, pdu),
            Some(_) => self.counters.mismatched_responses += 1,
            None => self.counters.unexpected_responses += 1,
        }
    }

    /// Answers to what the session asks itself; their status says nothing that it could act upon.
    fn own_answered(&mut self, response: CommandId, sequence: u32) -> bool {
        if self.enquire_link == Some(sequence) && answers(response, CommandId::ENQUIRE_LINK) {
            self.enquire_link = None;
            return true;
        }
        let unbound = self.unbind == Some(sequence) && answers(response, CommandId::UNBIND);
        if unbound {
            self.close(Why::Unbound);
        }
        unbound
    }

    fn answered(&mut self, now: Duration, pdu: Pdu) {
        let Some(request) = self.window.remove(pdu.sequence) else { return };
        let sequence = pdu.sequence;
        let bind = BindKind::of(request.command).map(|kind| (kind, pdu.status, pdu.command_id()));
        self.end(sequence, request, Outcome::Answered(pdu));
        if let Some((kind, status, command)) = bind {
            let status = if command == CommandId::GENERIC_NACK { CommandStatus::ESME_RBINDFAIL } else { status };
            self.bind_answered(now, kind, status);
        }
        self.close_if_done();
    }

    fn receive_malformed(&mut self, now: Duration, error: DecodeError) {
        self.counters.malformed += 1;
        match error.answer() {
            Answer::Close(status) => {
                self.nack(now, error.sequence, status);
                self.close(Why::Malformed);
            }
            Answer::GenericNack(status) => self.nack(now, error.sequence, status),
            Answer::Respond(status) => self.refuse_now(now, error.command_id, error.sequence, status),
            Answer::Ignore => self.lose_unreadable(error),
        }
    }

    /// A response of the right kind that cannot be read still ends its request: nobody will answer it again.
    fn lose_unreadable(&mut self, error: DecodeError) {
        let (response, sequence) = (error.command_id, error.sequence);
        if self.own_answered(response, sequence) {
            return;
        }
        if self.window.command(sequence).is_some_and(|command| answers(response, command))
            && let Some(request) = self.window.remove(sequence)
        {
            let bind = request.command.is_bind();
            self.end(sequence, request, Outcome::Lost(Why::Malformed));
            if bind {
                self.close(Why::Malformed);
            }
            self.close_if_done();
        }
    }

    /// Everything that changes when a PDU of ours passes; [`receive_response`](Self::receive_response) has the peer's.
    fn send(&mut self, now: Duration, pdu: Pdu) {
        self.counters.transmitted += 1;
        match (self.state, pdu.command_id()) {
            (State::Open, command) if command.is_bind() => {
                self.state = State::Binding(BindKind::of(command).expect("is_bind has said so"));
            }
            (State::Bound(kind), CommandId::UNBIND) => {
                self.state = State::Unbinding(kind);
                self.timers.start(Timer::Unbind, now, Some(self.config.unbind_timeout));
                self.timers.stop(Timer::EnquireLink);
                self.timers.stop(Timer::Inactivity);
            }
            (_, command) => self.touched(now, command),
        }
        self.transmit.push_back(pdu);
    }

    fn bind_answered(&mut self, now: Duration, kind: BindKind, status: CommandStatus) {
        if status != CommandStatus::ESME_ROK {
            self.state = State::Open;
            return;
        }
        self.state = State::Bound(kind);
        self.timers.stop(Timer::SessionInit);
        self.listen(now);
        self.touched(now, kind.command());
        self.events.push_back(Event::Bound(kind));
    }

    /// The peer is there: the silence starts anew. Any PDU says so, not only the answer to enquire_link (§4.11).
    fn heard(&mut self, now: Duration) {
        self.timers.stop(Timer::EnquireLinkAnswer);
        self.listen(now);
    }

    /// The silence is measured from now, unless an answer is waited for already.
    fn listen(&mut self, now: Duration) {
        if matches!(self.state, State::Bound(_)) && !self.timers.is_set(Timer::EnquireLinkAnswer) {
            self.timers.start(Timer::EnquireLink, now, self.config.enquire_link_interval);
        }
    }

    /// Something has passed, either way, that is not there for the line's sake: the inactivity starts anew.
    fn touched(&mut self, now: Duration, command: CommandId) {
        let probe = matches!(command, CommandId::ENQUIRE_LINK | CommandId::ENQUIRE_LINK_RESP);
        if matches!(self.state, State::Bound(_)) && !probe {
            self.timers.start(Timer::Inactivity, now, self.config.inactivity_timeout);
        }
    }

    fn expire(&mut self, now: Duration) {
        while let Some((sequence, request)) = self.window.expire(now) {
            self.counters.expired += 1;
            let bind = request.command.is_bind();
            self.end(sequence, request, Outcome::Expired);
            if bind {
                self.close(Why::SessionInit);
            }
        }
        self.close_if_done();
    }

    fn end(&mut self, sequence: u32, request: Outstanding<T>, outcome: Outcome) {
        let Outstanding { command, token, .. } = request;
        self.events.push_back(Event::Ended { token, command, sequence, outcome });
    }

    /// Once the peer's unbind is answered and everything of ours has ended, our own unbind too, nothing more can come.
    fn close_if_done(&mut self) {
        let answered = self.peer_unbind.is_none() && self.unbind.is_none();
        if self.state == State::Unbound && answered && self.window.len() == 0 {
            self.close(Why::PeerUnbound);
        }
    }

    fn close(&mut self, why: Why) {
        if self.state == State::Closed {
            return;
        }
        self.state = State::Closed;
        self.timers.clear();
        while let Some((sequence, request)) = self.window.pop() {
            self.end(sequence, request, Outcome::Lost(why));
        }
        self.events.push_back(Event::Closed(why));
    }

    /// The session's own answer to a request of the peer's.
    fn answer(&mut self, now: Duration, request: &Pdu, status: CommandStatus) {
        self.refuse_now(now, request.command_id(), request.sequence, status);
    }

    /// Commands without an answer get none, whatever is wrong with them (§4.1.7, §4.12).
    fn refuse_now(&mut self, now: Duration, command: CommandId, sequence: u32, status: CommandStatus) {
        if status != CommandStatus::ESME_ROK {
            self.counters.refused += 1;
        }
        if let Some(body) = Body::refusal(command) {
            self.send(now, Pdu::new(status, sequence, body));
        }
    }

    fn nack(&mut self, now: Duration, sequence: u32, status: CommandStatus) {
        self.counters.refused += 1;
        self.send(now, Pdu::new(status, sequence, Body::GenericNack(Empty {})));
    }

    fn may_send(&self, command: CommandId) -> Result<(), Refused> {
        match self.state {
            State::Closed | State::Unbound | State::Unbinding(_) => Err(Refused::Closed),
            State::Binding(_) => Err(Refused::WrongState),
            state if self.role.may_issue(command) && state.allows(command) && !command.is_response() => Ok(()),
            _ => Err(Refused::WrongState),
        }
    }

    /// The next number that is not in use: after the highest comes 1, and what is outstanding is passed over.
    fn take_sequence(&mut self) -> u32 {
        loop {
            let sequence = self.next_sequence;
            self.next_sequence = if sequence >= SEQUENCE_MAX { 1 } else { sequence + 1 };
            let own = [self.enquire_link, self.unbind].contains(&Some(sequence));
            if !own && !self.window.contains(sequence) {
                return sequence;
            }
        }
    }
}

/// Whether `response` can end `command`: its own response, or generic_nack.
fn answers(response: CommandId, command: CommandId) -> bool {
    response == CommandId::GENERIC_NACK || command.answer() == Some(response)
}
