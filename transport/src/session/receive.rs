//! What a session does with what it reads: requests handed over or refused, responses matched to their requests, PDUs that
//! cannot be read.

use std::time::Duration;

use super::{BindKind, Event, Outcome, Role, Session, State, Ticket, Timer, Why};
use crate::pdu::{Answer, Body, CommandId, CommandStatus, DecodeError, Empty, Pdu};

impl<T> Session<T> {
    pub(super) fn receive_request(&mut self, now: Duration, pdu: Pdu) {
        let command = pdu.command_id();
        match command {
            CommandId::ENQUIRE_LINK if self.answers_enquire_link() => self.answer(now, &pdu, CommandStatus::ESME_ROK),
            CommandId::ENQUIRE_LINK => _ = self.hand_over(now, pdu),
            _ if command.rule().is_none() => {
                self.counters.unknown += 1;
                self.nack(now, pdu.sequence, CommandStatus::ESME_RINVCMDID);
            }
            _ if !self.role.peer().may_issue(command) => self.answer(now, &pdu, CommandStatus::ESME_RINVBNDSTS),
            _ if command.is_bind() => self.receive_bind(now, pdu),
            _ if !self.state.allows(command) => self.answer(now, &pdu, self.status_of_illegal(command)),
            CommandId::UNBIND => self.receive_unbind(now, pdu.sequence),
            _ if command.answer().is_none() => self.events.push_back(Event::Notice(pdu)),
            _ if matches!(self.state, State::Unbinding(_)) => self.answer(now, &pdu, self.config.busy_status),
            _ => _ = self.hand_over(now, pdu),
        }
    }

    /// After the peer's unbind nothing more is handed over: an owner that were asked then would hold the unbind up.
    fn answers_enquire_link(&self) -> bool {
        self.config.answers_enquire_link || self.state == State::Unbound
    }

    /// A second bind is refused, whether the first has been answered or not (§4.1).
    fn receive_bind(&mut self, now: Duration, pdu: Pdu) {
        match (self.state, BindKind::of(pdu.command_id())) {
            (State::Open, Some(kind)) => {
                // Not when it is put off, as it is while enquire_links that are left to the owner fill the window.
                if self.hand_over(now, pdu) {
                    self.state = State::Binding(kind);
                }
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

    pub(super) fn answer_unbind(&mut self, now: Duration) {
        if let Some(sequence) = self.peer_unbind.take() {
            self.send(now, Pdu::new(CommandStatus::ESME_ROK, sequence, Body::UnbindResp(Empty {})));
            self.close_if_done();
        }
    }

    /// Whether there is room for it; else it is put off.
    fn hand_over(&mut self, now: Duration, pdu: Pdu) -> bool {
        if self.unanswered >= self.config.inbound_window.max(1) {
            self.answer(now, &pdu, self.config.busy_status);
            return false;
        }
        self.unanswered += 1;
        let ticket = Ticket { command: pdu.command_id(), sequence: pdu.sequence };
        self.events.push_back(Event::Request(ticket, pdu));
        true
    }

    pub(super) fn receive_response(&mut self, now: Duration, pdu: Pdu) {
        let response = pdu.command_id();
        if self.own_answered(now, response, pdu.sequence) {
            return;
        }
        match self.window.command(pdu.sequence) {
            Some(command) if answers(response, command) => self.answered(now, pdu),
            Some(_) => self.counters.mismatched_responses += 1,
            None => self.counters.unexpected_responses += 1,
        }
    }

    /// Answers to what the session asks itself; their status says nothing that it could act upon.
    fn own_answered(&mut self, now: Duration, response: CommandId, sequence: u32) -> bool {
        if self.enquire_link == Some(sequence) && answers(response, CommandId::ENQUIRE_LINK) {
            self.enquire_link = None;
            self.counters.enquire_links += 1;
            self.counters.enquire_link_time = now.saturating_sub(self.enquire_link_sent);
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

    pub(super) fn receive_malformed(&mut self, now: Duration, error: DecodeError) {
        self.counters.malformed += 1;
        match error.answer() {
            Answer::Close(status) => {
                self.nack(now, error.sequence, status);
                self.close(Why::Malformed);
            }
            Answer::GenericNack(status) => self.nack(now, error.sequence, status),
            Answer::Respond(status) => self.refuse_now(now, error.command_id, error.sequence, status),
            Answer::Ignore => self.receive_unreadable_response(now, error),
        }
    }

    /// A response of the right kind ends its request even if its body cannot be read: the peer has answered, and its status
    /// is known. With an error status the body does not matter.
    fn receive_unreadable_response(&mut self, now: Duration, error: DecodeError) {
        let (response, sequence) = (error.command_id, error.sequence);
        if self.own_answered(now, response, sequence) {
            return;
        }
        let Some(command) = self.window.command(sequence).filter(|command| answers(response, *command)) else { return };
        let is_refusal = response == CommandId::GENERIC_NACK || error.command_status != CommandStatus::ESME_ROK;
        if is_refusal && let Some(body) = refusal(response, command) {
            return self.answered(now, Pdu::new(error.command_status, sequence, body));
        }
        let Some(request) = self.window.remove(sequence) else { return };
        let outcome = if command.is_bind() { Outcome::Lost(Why::Malformed) } else { Outcome::Unreadable(error) };
        self.end(sequence, request, outcome);
        if command.is_bind() {
            self.close(Why::Malformed);
        }
        self.close_if_done();
    }
}

/// Body of an error response that stands for one whose body cannot be read.
fn refusal(response: CommandId, request: CommandId) -> Option<Body> {
    if response == CommandId::GENERIC_NACK { Some(Body::GenericNack(Empty {})) } else { Body::refusal(request) }
}

/// Whether `response` can end `command`: its own response, or generic_nack.
fn answers(response: CommandId, command: CommandId) -> bool {
    response == CommandId::GENERIC_NACK || command.answer() == Some(response)
}
