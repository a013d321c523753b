//! What a side must do with each input, written without a look at how the session does it: a second, slower session that
//! says what must come out. It never acts; it compares, and ends the test at the first difference.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Told, answer_body, body, rules};
use crate::pdu::{Answer, Body, CommandId, CommandStatus, DecodeError, Pdu};
use crate::session::{
    BindKind, EnquireLinkWhen, Outcome, Refused, Role, SEQUENCE_MAX, Session, SessionConfig, State, Why,
};

/// What was done to a session.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "one at a time, and only in tests")]
pub(super) enum Input {
    Request { command: CommandId, token: u32, result: Result<u32, Refused> },
    Notify { command: CommandId, result: Result<(), Refused> },
    EnquireLink,
    Unbind,
    Answer { command: CommandId, sequence: u32, status: CommandStatus },
    LineClosed(Why),
    Receive(Result<Pdu, DecodeError>),
    Tick,
}

#[derive(Clone, Copy, Debug)]
struct Mine {
    command: CommandId,
    token: u32,
    deadline: Duration,
}

/// One side as it must be.
pub(super) struct Watch {
    role: Role,
    config: SessionConfig,
    state: State,
    opened: Duration,
    mine: BTreeMap<u32, Mine>,
    theirs: Vec<(u32, CommandId)>,
    /// The number of our enquire_link that was not answered yet.
    probe: Option<u32>,
    /// When the line is dead unless something is heard before.
    dead_at: Option<Duration>,
    /// Since when nothing was heard.
    silent_since: Duration,
    /// Since when no message has passed.
    idle_since: Duration,
    /// The number of our unbind.
    unbind: Option<u32>,
    /// The peer's unbind, while what it asked before is not answered.
    held: Option<u32>,
    unbind_at: Option<Duration>,
    tokens_begun: BTreeSet<u32>,
    tokens_ended: BTreeSet<u32>,
    turn: Turn,
}

/// What must come out of one input, and what did.
#[derive(Default)]
struct Turn {
    now: Duration,
    seen: Vec<Pdu>,
    pdus: Vec<Pdu>,
    told: Vec<Told>,
}

impl Watch {
    pub(super) fn new(role: Role, config: SessionConfig, now: Duration) -> Watch {
        Watch {
            role,
            config,
            state: State::Open,
            opened: now,
            mine: BTreeMap::new(),
            theirs: Vec::new(),
            probe: None,
            dead_at: None,
            silent_since: now,
            idle_since: now,
            unbind: None,
            held: None,
            unbind_at: None,
            tokens_begun: BTreeSet::new(),
            tokens_ended: BTreeSet::new(),
            turn: Turn::default(),
        }
    }

    pub(super) fn judge(&mut self, now: Duration, input: &Input, pdus: &[Pdu], told: &[Told], is: &Session<u32>) {
        self.general(pdus, told);
        self.turn = Turn { now, seen: pdus.to_vec(), ..Turn::default() };
        self.take(input);
        let who = self.role;
        assert_eq!(self.turn.pdus, pdus, "{who:?}: sent upon {input:?}");
        assert_eq!(self.turn.told, told, "{who:?}: told upon {input:?}");
        assert_eq!(self.state, is.state(), "{who:?}: state after {input:?}");
        assert_eq!(self.mine.len(), is.outstanding(), "{who:?}: outstanding after {input:?}");
        assert_eq!(self.theirs.len(), is.unanswered(), "{who:?}: unanswered after {input:?}");
        assert_eq!(self.mine.len() < self.config.window.max(1), is.has_room(), "{who:?}: room after {input:?}");
        assert_eq!(self.due(), is.poll_timeout().map(|(at, _)| at), "{who:?}: to be woken after {input:?}");
        if matches!(input, Input::Tick) {
            assert!(self.due().is_none_or(|at| at > now), "{who:?}: a tick leaves nothing that is due");
        }
    }

    /// What holds whatever came in. It knows only what was seen before, so a mistake below cannot hide in it.
    fn general(&mut self, pdus: &[Pdu], told: &[Told]) {
        let who = self.role;
        if self.state == State::Closed {
            assert!(pdus.is_empty() && told.is_empty(), "{who:?}: nothing comes after Closed, but {pdus:?} {told:?}");
        }
        for told in told {
            if let Told::Ended { token, .. } = told {
                assert!(self.tokens_begun.contains(token), "{who:?}: {told:?} was never asked");
                assert!(self.tokens_ended.insert(*token), "{who:?}: ended twice: {told:?}");
            }
        }
        if let Some(at) = told.iter().position(|told| matches!(told, Told::Closed(_))) {
            assert_eq!(at + 1, told.len(), "{who:?}: Closed is the last event");
        }
        for pdu in pdus {
            let numbered = (1..=SEQUENCE_MAX).contains(&pdu.sequence);
            assert!(numbered || pdu.command_id().is_response(), "{who:?}: no number to give: {pdu}");
        }
    }

    fn take(&mut self, input: &Input) {
        if self.state == State::Closed {
            return self.take_closed(input);
        }
        match input {
            Input::Request { command, token, result } => self.request(*command, *token, *result),
            Input::Notify { command, result } => self.notify(*command, *result),
            Input::EnquireLink => self.ask(),
            Input::Unbind => self.say_unbind(),
            Input::Answer { command, sequence, status } => self.answer(*command, *sequence, *status),
            Input::LineClosed(_) if self.state == State::Unbound => self.close(Why::PeerUnbound),
            Input::LineClosed(why) => self.close(*why),
            Input::Receive(Ok(pdu)) => self.receive(pdu),
            Input::Receive(Err(error)) => self.receive_unreadable(error),
            Input::Tick => self.tick(),
        }
    }

    fn take_closed(&mut self, input: &Input) {
        match input {
            Input::Request { result, .. } => assert_eq!(*result, Err(Refused::Closed)),
            Input::Notify { result, .. } => assert_eq!(*result, Err(Refused::Closed)),
            Input::Answer { command, sequence, .. } => self.forget_ticket(*command, *sequence),
            _ => {}
        }
    }

    fn request(&mut self, command: CommandId, token: u32, result: Result<u32, Refused>) {
        let own_method = matches!(command, CommandId::ENQUIRE_LINK | CommandId::UNBIND);
        let refused = match self.state {
            State::Unbinding(_) | State::Unbound => Some(Refused::Closed),
            State::Binding(_) => Some(Refused::WrongState),
            _ if !rules::may_send(command, self.role, self.state) => Some(Refused::WrongState),
            _ if own_method || rules::answer_of(command).is_none() => Some(Refused::WrongState),
            _ if self.mine.len() >= self.config.window.max(1) => Some(Refused::WindowFull),
            _ => None,
        };
        if let Some(refused) = refused {
            assert_eq!(result, Err(refused), "{:?}: {command} in {:?}", self.role, self.state);
            return;
        }
        let sequence = self.number();
        assert_eq!(result, Ok(sequence), "{:?}: {command} in {:?}", self.role, self.state);
        self.tokens_begun.insert(token);
        let deadline = self.turn.now.saturating_add(self.config.response_timeout);
        self.mine.insert(sequence, Mine { command, token, deadline });
        self.send(CommandStatus::ESME_ROK, sequence, body(command));
        if let Some(kind) = BindKind::of(command) {
            self.state = State::Binding(kind);
        }
    }

    fn notify(&mut self, command: CommandId, result: Result<(), Refused>) {
        let notice = matches!(command, CommandId::OUTBIND | CommandId::ALERT_NOTIFICATION);
        let refused = match self.state {
            State::Unbinding(_) | State::Unbound => Some(Refused::Closed),
            State::Binding(_) => Some(Refused::WrongState),
            _ if !notice || !rules::may_send(command, self.role, self.state) => Some(Refused::WrongState),
            _ => None,
        };
        assert_eq!(result.err(), refused, "{:?}: {command} in {:?}", self.role, self.state);
        if refused.is_none() {
            let sequence = self.number();
            self.send(CommandStatus::ESME_ROK, sequence, body(command));
        }
    }

    fn ask(&mut self) {
        if self.dead_at.is_none() && matches!(self.state, State::Open | State::Binding(_) | State::Bound(_)) {
            let sequence = self.number();
            self.probe = Some(sequence);
            self.dead_at = Some(self.turn.now.saturating_add(self.config.silence_max()));
            self.send(CommandStatus::ESME_ROK, sequence, body(CommandId::ENQUIRE_LINK));
        }
    }

    fn say_unbind(&mut self) {
        match self.state {
            State::Open | State::Binding(_) => self.close(Why::Dropped),
            State::Bound(kind) => {
                let sequence = self.number();
                self.unbind = Some(sequence);
                self.unbind_at = Some(self.turn.now.saturating_add(self.config.unbind_timeout));
                self.send(CommandStatus::ESME_ROK, sequence, body(CommandId::UNBIND));
                self.state = State::Unbinding(kind);
            }
            State::Unbinding(_) | State::Unbound | State::Closed => {}
        }
    }

    fn answer(&mut self, command: CommandId, sequence: u32, status: CommandStatus) {
        self.forget_ticket(command, sequence);
        if self.state == State::Unbound && self.held.is_none() {
            return;
        }
        let body = if status == CommandStatus::ESME_ROK { answer_body(command) } else { refusal(command) };
        self.send(status, sequence, body);
        if let Some(kind) = BindKind::of(command) {
            self.bind_answered(kind, status == CommandStatus::ESME_ROK);
        }
        if self.theirs.is_empty() {
            self.let_go();
        }
    }

    fn forget_ticket(&mut self, command: CommandId, sequence: u32) {
        let at = self.theirs.iter().position(|asked| *asked == (sequence, command));
        self.theirs.remove(at.expect("a ticket stands for a request that was handed over and not answered yet"));
    }

    fn receive(&mut self, pdu: &Pdu) {
        self.hear();
        let command = pdu.command_id();
        if !matches!(command, CommandId::ENQUIRE_LINK | CommandId::ENQUIRE_LINK_RESP) {
            self.idle_since = self.turn.now;
        }
        if command.0 >= 0x8000_0000 { self.receive_response(pdu) } else { self.receive_request(pdu) }
    }

    fn receive_response(&mut self, pdu: &Pdu) {
        let nack = pdu.command_id() == CommandId::GENERIC_NACK;
        let sequence = pdu.sequence;
        if (nack || pdu.command_id() == CommandId::ENQUIRE_LINK_RESP) && self.probe == Some(sequence) {
            self.probe = None;
        } else if (nack || pdu.command_id() == CommandId::UNBIND_RESP) && self.unbind == Some(sequence) {
            self.close(Why::Unbound);
        } else if let Some(mine) = self.mine.get(&sequence).copied()
            && (nack || rules::answer_of(mine.command) == Some(pdu.command_id()))
        {
            self.end(sequence, Outcome::Answered(pdu.clone()));
            if let Some(kind) = BindKind::of(mine.command) {
                self.bind_answered(kind, !nack && pdu.status == CommandStatus::ESME_ROK);
            }
            self.close_if_over();
        }
    }

    fn receive_request(&mut self, pdu: &Pdu) {
        let (command, sequence) = (pdu.command_id(), pdu.sequence);
        let legal = rules::may_send(command, self.role.peer(), self.state);
        let own = self.config.answers_enquire_link || self.state == State::Unbound;
        if command == CommandId::ENQUIRE_LINK && own {
            self.reply(command, sequence, CommandStatus::ESME_ROK);
        } else if !rules::is_known(command) {
            self.send(CommandStatus::ESME_RINVCMDID, sequence, body(CommandId::GENERIC_NACK));
        } else if !rules::may_ever_send(command, self.role.peer()) {
            self.reply(command, sequence, CommandStatus::ESME_RINVBNDSTS);
        } else if command.is_bind() && !matches!(self.state, State::Open | State::Unbound) {
            self.reply(command, sequence, CommandStatus::ESME_RALYBND);
        } else if !legal {
            let early = matches!(command, CommandId::DELIVER_SM | CommandId::DATA_SM);
            let binding = self.role == Role::Esme && matches!(self.state, State::Binding(_));
            let put_off = if early && binding { self.config.busy_status } else { CommandStatus::ESME_RINVBNDSTS };
            self.reply(command, sequence, put_off);
        } else if command == CommandId::UNBIND {
            self.receive_unbind(sequence);
        } else if rules::answer_of(command).is_none() {
            self.turn.told.push(Told::Notice(pdu.clone()));
        } else if (matches!(self.state, State::Unbinding(_)) && command != CommandId::ENQUIRE_LINK)
            || self.theirs.len() >= self.config.inbound_window.max(1)
        {
            self.reply(command, sequence, self.config.busy_status);
        } else {
            self.theirs.push((sequence, command));
            self.turn.told.push(Told::Request(pdu.clone()));
            if let Some(kind) = BindKind::of(command) {
                self.state = State::Binding(kind);
            }
        }
    }

    fn receive_unbind(&mut self, sequence: u32) {
        self.state = State::Unbound;
        self.dead_at = None;
        self.held = Some(sequence);
        let patience = if self.theirs.is_empty() { self.config.unbind_timeout } else { self.config.unbind_timeout / 2 };
        let at = self.turn.now.saturating_add(patience);
        self.unbind_at = Some(self.unbind_at.map_or(at, |before| before.min(at)));
        if self.theirs.is_empty() {
            self.let_go();
        }
    }

    /// The peer's unbind is answered; what it asked before and is not answered will not be.
    fn let_go(&mut self) {
        if let Some(sequence) = self.held.take() {
            self.reply(CommandId::UNBIND, sequence, CommandStatus::ESME_ROK);
            self.close_if_over();
        }
    }

    fn receive_unreadable(&mut self, error: &DecodeError) {
        self.hear();
        if !matches!(error.command_id, CommandId::ENQUIRE_LINK | CommandId::ENQUIRE_LINK_RESP) {
            self.idle_since = self.turn.now;
        }
        match error.answer() {
            Answer::Close(status) => {
                self.send(status, error.sequence, body(CommandId::GENERIC_NACK));
                self.close(Why::Malformed);
            }
            Answer::GenericNack(status) => self.send(status, error.sequence, body(CommandId::GENERIC_NACK)),
            Answer::Respond(status) => self.reply(error.command_id, error.sequence, status),
            Answer::Ignore => self.lose(error),
        }
    }

    fn lose(&mut self, error: &DecodeError) {
        let nack = error.command_id == CommandId::GENERIC_NACK;
        if (nack || error.command_id == CommandId::ENQUIRE_LINK_RESP) && self.probe == Some(error.sequence) {
            self.probe = None;
            return;
        }
        if (nack || error.command_id == CommandId::UNBIND_RESP) && self.unbind == Some(error.sequence) {
            return self.close(Why::Unbound);
        }
        let Some(mine) = self.mine.get(&error.sequence).copied() else { return };
        if nack || rules::answer_of(mine.command) == Some(error.command_id) {
            let bind = BindKind::of(mine.command);
            let refused = |body| Outcome::Answered(Pdu::new(error.command_status, error.sequence, body));
            let outcome = match (error.command_status, bind) {
                _ if nack => refused(body(CommandId::GENERIC_NACK)),
                (CommandStatus::ESME_ROK, None) => Outcome::Unreadable(*error),
                (CommandStatus::ESME_ROK, Some(_)) => Outcome::Lost(Why::Malformed),
                _ => refused(Body::refusal(mine.command).expect("it has an answer")),
            };
            let is_over = outcome == Outcome::Lost(Why::Malformed);
            self.end(error.sequence, outcome);
            if is_over {
                self.close(Why::Malformed);
            } else if bind.is_some() {
                self.state = State::Open;
            }
            self.close_if_over();
        }
    }

    fn tick(&mut self) {
        let now = self.turn.now;
        while let Some(at) = self.due()
            && at <= now
        {
            if self.mine.values().any(|mine| mine.deadline <= at) {
                self.expire(now);
            } else if matches!(self.state, State::Open | State::Binding(_)) && self.init_at() <= at {
                self.close(Why::SessionInit);
            } else if self.ask_at().is_some_and(|due| due <= at) {
                self.ask();
            } else if self.dead_at.is_some_and(|due| due <= at) {
                self.close(Why::EnquireLink);
            } else if self.idle_at().is_some_and(|due| due <= at) {
                self.say_unbind();
            } else if self.state == State::Unbound {
                self.peer_unbind_is_late();
            } else {
                self.close(Why::UnbindTimeout);
            }
        }
    }

    fn peer_unbind_is_late(&mut self) {
        if self.held.is_none() {
            return self.close(Why::PeerUnbound);
        }
        self.unbind_at = Some(self.turn.now.saturating_add(self.config.unbind_timeout / 2));
        self.let_go();
    }

    fn expire(&mut self, now: Duration) {
        let mut late: Vec<u32> = self.mine.iter().filter(|(_, mine)| mine.deadline <= now).map(|(n, _)| *n).collect();
        late.sort_by_key(|n| self.mine[n].token);
        for sequence in late {
            let bind = self.mine[&sequence].command.is_bind();
            self.end(sequence, Outcome::Expired);
            if bind {
                self.close(Why::SessionInit);
            }
        }
        self.close_if_over();
    }

    fn bind_answered(&mut self, kind: BindKind, welcome: bool) {
        if welcome {
            self.state = State::Bound(kind);
            self.silent_since = self.turn.now;
            self.idle_since = self.turn.now;
            self.turn.told.push(Told::Bound(kind));
        } else {
            self.state = State::Open;
        }
    }

    fn hear(&mut self) {
        let was_asked = self.dead_at.take().is_some();
        if was_asked || self.config.enquire_link_when == EnquireLinkWhen::Idle {
            self.silent_since = self.turn.now;
        }
    }

    fn close_if_over(&mut self) {
        if self.state == State::Unbound && self.held.is_none() && self.unbind.is_none() && self.mine.is_empty() {
            self.close(Why::PeerUnbound);
        }
    }

    fn close(&mut self, why: Why) {
        let mut left: Vec<u32> = self.mine.keys().copied().collect();
        left.sort_by_key(|n| self.mine[n].token);
        left.into_iter().for_each(|sequence| self.end(sequence, Outcome::Lost(why)));
        self.state = State::Closed;
        self.turn.told.push(Told::Closed(why));
    }

    fn end(&mut self, sequence: u32, outcome: Outcome) {
        let Mine { command, token, .. } = self.mine.remove(&sequence).expect("only what is outstanding ends");
        self.turn.told.push(Told::Ended { token, command, sequence, outcome });
    }

    fn reply(&mut self, command: CommandId, sequence: u32, status: CommandStatus) {
        if rules::answer_of(command).is_some() {
            self.send(status, sequence, refusal(command));
        }
    }

    fn send(&mut self, status: CommandStatus, sequence: u32, body: Body) {
        let command = body.command_id();
        if !matches!(command, CommandId::ENQUIRE_LINK | CommandId::ENQUIRE_LINK_RESP) {
            self.idle_since = self.turn.now;
        }
        self.turn.pdus.push(Pdu::new(status, sequence, body));
    }

    /// The number that the session has chosen for the request that must come next: any that is not in use.
    fn number(&self) -> u32 {
        let sequence = self.turn.seen.get(self.turn.pdus.len()).map_or(0, |pdu| pdu.sequence);
        let used = self.mine.contains_key(&sequence) || [self.probe, self.unbind].contains(&Some(sequence));
        assert!(!used, "{:?}: {sequence} is in use", self.role);
        sequence
    }

    fn due(&self) -> Option<Duration> {
        let init = matches!(self.state, State::Open | State::Binding(_)).then(|| self.init_at());
        let unbind = if self.state == State::Closed { None } else { self.unbind_at };
        let dead = if self.state == State::Closed { None } else { self.dead_at };
        let responses = self.mine.values().map(|mine| mine.deadline).min();
        [init, self.ask_at(), dead, self.idle_at(), unbind, responses]
            .into_iter()
            .flatten()
            .min()
            .filter(|at| *at < Duration::MAX)
    }

    fn init_at(&self) -> Duration {
        self.opened.saturating_add(self.config.session_init_timeout)
    }

    fn ask_at(&self) -> Option<Duration> {
        let asks = matches!(self.state, State::Bound(_)) && self.dead_at.is_none();
        self.config.enquire_link_interval.filter(|_| asks).map(|interval| self.silent_since.saturating_add(interval))
    }

    fn idle_at(&self) -> Option<Duration> {
        let bound = matches!(self.state, State::Bound(_));
        self.config.inactivity_timeout.filter(|_| bound).map(|timeout| self.idle_since.saturating_add(timeout))
    }
}

/// An answer that says no: no body, so that every peer can read it, but for deliver_sm_resp with its lone NUL.
fn refusal(command: CommandId) -> Body {
    if command == CommandId::DELIVER_SM {
        return answer_body(command);
    }
    body(rules::answer_of(command).expect("only what has an answer is refused"))
}
