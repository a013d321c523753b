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
//! The session answers enquire_link (unless told otherwise) and unbind itself. A request of ours ends in exactly three ways: `Answered`,
//! `Expired`, `Lost`; the last two mean *we do not know*, and say so up to whoever asked.

mod config;
mod event;
mod receive;
mod state;
mod timers;
mod window;

#[cfg(any(test, feature = "test-util"))]
pub mod pair;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::pdu::{Body, CommandId, CommandStatus, DecodeError, Empty, Pdu, Tlvs};
pub use config::{EnquireLinkWhen, SEQUENCE_MAX, SessionConfig};
pub use event::{Counters, Event, Outcome, Refused, Ticket, Why};
pub use state::{BindKind, Role, State};
pub use timers::Timer;
use timers::Timers;
use window::{Outstanding, Window};

/// One session. `T` is handed in with a request and comes back when the request ends.
pub struct Session<T = ()> {
    role: Role,
    config: SessionConfig,
    state: State,
    window: Window<T>,
    unanswered: usize,
    /// What it counts round in.
    numbers: RangeInclusive<u32>,
    next_sequence: u32,
    enquire_link: Option<u32>,
    /// When the last enquire_link was sent.
    enquire_link_sent: Duration,
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
        let numbers = config.numbers();
        let next_sequence = config.sequence_start.clamp(*numbers.start(), *numbers.end());
        Session {
            role,
            config,
            state: State::Open,
            window: Window::new(),
            unanswered: 0,
            numbers,
            next_sequence,
            enquire_link: None,
            enquire_link_sent: Duration::ZERO,
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
        self.enquire_link_sent = now;
        self.timers.stop(Timer::EnquireLink);
        self.timers.start(Timer::EnquireLinkAnswer, now, Some(self.config.silence_max()));
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
        let next = match (response, self.timers.next()) {
            (Some(response), Some(timer)) => Some(if timer.0 < response.0 { timer } else { response }),
            (response, timer) => response.or(timer),
        };
        next.filter(|(at, _)| *at < Duration::MAX)
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

    /// Measures the silence from now, unless an answer is waited for already. An interval that does not depend on silence goes
    /// on.
    fn listen(&mut self, now: Duration) {
        let is_running =
            self.config.enquire_link_when == EnquireLinkWhen::Always && self.timers.is_set(Timer::EnquireLink);
        if matches!(self.state, State::Bound(_)) && !self.timers.is_set(Timer::EnquireLinkAnswer) && !is_running {
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
            let (first, last) = (*self.numbers.start(), *self.numbers.end());
            self.next_sequence = if sequence >= last { first } else { sequence + 1 };
            let own = [self.enquire_link, self.unbind].contains(&Some(sequence));
            if !own && !self.window.contains(sequence) {
                return sequence;
            }
        }
    }
}
