//! What the ESME asks, and what it is answered: by the standard, or as a rule has it.

use std::ops::Range;
use std::sync::Arc;

use smpp_transport::pdu::{
    Bind as BindBody, BindResp, Body, COctets, CancelSm, CommandId, CommandStatus, DataSm, Destination, Destinations,
    Empty, InterfaceVersion, MessageId, Pdu, QuerySm, QuerySmResp, ReplaceSm, Sm, SubmitMulti, SubmitMultiResp, TlvTag,
    Tlvs, UnsuccessSme, Unsuccessful,
};
use smpp_transport::session::{BindKind, Ticket};
use tokio::io::{AsyncRead, AsyncWrite};

use super::step::UNUSED;
use super::{Act, BEHIND_MAX, Bound, Peer, Question, Verdict};
use crate::hub::{Delivery, Gauges};
use crate::message::{Sender, ShapedResponse, Submission, validate};
use crate::policy::Policy;
use crate::rules::{Answer, Operation};

/// What a request is answered.
pub(super) struct Reply {
    status: CommandStatus,
    body: Body,
    tlvs: Tlvs,
    /// Messages that it accepts.
    messages: Range<u64>,
    /// Receipts that this connection is to deliver, and whether before the answer.
    receipts: Vec<Delivery>,
    early: bool,
    /// Shape of the response, where it is not as the standard has it.
    shaped: Option<Box<ShapedResponse>>,
}

impl Reply {
    fn refusal(to: &Pdu, status: CommandStatus) -> Reply {
        // Every request has an answer: what has none never comes with a ticket.
        let body = Body::refusal(to.command_id()).unwrap_or(Body::GenericNack(Empty {}));
        Reply { status, body, tlvs: Tlvs::new(), messages: 0..0, receipts: Vec::new(), early: false, shaped: None }
    }

    fn accepted(body: Body) -> Reply {
        let status = CommandStatus::ESME_ROK;
        Reply { status, body, tlvs: Tlvs::new(), messages: 0..0, receipts: Vec::new(), early: false, shaped: None }
    }

    /// The id that an accepted message has been given; empty without one.
    fn message_id(&self) -> String {
        match &self.body {
            Body::SubmitSmResp(Some(MessageId { message_id })) | Body::DataSmResp(Some(MessageId { message_id })) => {
                message_id.text()
            }
            Body::SubmitMultiResp(Some(SubmitMultiResp { message_id, .. })) => message_id.text(),
            _ => String::new(),
        }
    }

    pub(super) fn into_receipts(self) -> Vec<Delivery> {
        self.receipts
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub(super) fn asked(&mut self, ticket: Ticket, pdu: Pdu) {
        self.requests += 1;
        Gauges::count(&self.gauges.requests);
        // Whether the line is alive is asked when nothing else is answered: that has no part in the window.
        let counts = ticket.command() != CommandId::ENQUIRE_LINK;
        if counts && self.bound.is_some_and(|bound| self.unanswered >= bound.window) {
            return self.driver.refuse(ticket, CommandStatus::ESME_RTHROTTLED);
        }
        let verdict = self.decide(Operation::of(pdu.command_id()), Some(&pdu));
        let then = verdict.as_ref().map(|verdict| Arc::clone(&verdict.then));
        let question = Question { ticket, pdu, ordinal: self.requests, verdict, reply: None };
        self.unanswered += usize::from(counts);
        match then {
            Some(then) if then.behind > 0 => {
                let question = self.act_now(question);
                self.plan(BEHIND_MAX, Act::CatchUp(question.ordinal));
                self.behind.push((then.behind, question));
            }
            Some(then) if !then.delay.is_none() => {
                let question = self.act_now(question);
                let delay = self.hub.draw(self.number, question.ordinal, &then.delay);
                self.plan(delay, Act::Answer(Box::new(question)));
            }
            _ => self.answer(question),
        }
    }

    /// Only the answer is late: what is asked is done at once, so that an ESME that waits no longer has submitted a message
    /// without knowing it. But a session is bound by the answer.
    fn act_now(&mut self, mut question: Question) -> Question {
        if question.pdu.command_id().is_bind() {
            return question;
        }
        let mut reply = self.reply_to(&question);
        if reply.early {
            self.waiting.extend(std::mem::take(&mut reply.receipts));
        }
        self.held_back.extend(reply.messages.clone().map(|number| (number, Vec::new())));
        question.reply = Some(reply);
        question
    }

    pub(super) fn answer(&mut self, mut question: Question) {
        self.unanswered -= usize::from(question.ticket.command() != CommandId::ENQUIRE_LINK);
        let sequence = question.ticket.sequence();
        let then = question.verdict.as_ref().map(|verdict| Arc::clone(&verdict.then));
        let mut echo = question.verdict.as_ref().and_then(|verdict| self.echo(verdict, &question.pdu));
        if let Some(then) = &then {
            self.take_steps(&then.before, sequence, echo.as_ref());
        }
        let reply = question.reply.take().unwrap_or_else(|| self.reply_to(&question));
        if let Some(echo) = &mut echo {
            echo.message_id = reply.message_id();
        }
        let Question { ticket, ordinal, .. } = question;
        let is_bind = ticket.command().is_bind();
        self.give(ticket, reply, then.as_ref().map_or(Answer::Once, |then| then.answer));
        if is_bind {
            self.unbind_if_the_session_is_not();
        }
        if let Some(then) = &then {
            self.take_steps(&then.after, sequence, echo.as_ref());
        }
        self.let_pass(ordinal);
    }

    /// An ESME that has not heard that it is bound is not: it may try again.
    fn unbind_if_the_session_is_not(&mut self) {
        if self.driver.state().bound().is_none() && self.bound.take().is_some() {
            self.hub.unbind(self.number);
        }
    }

    fn reply_to(&mut self, question: &Question) -> Reply {
        let Question { pdu, ordinal, verdict, .. } = question;
        match verdict.as_ref().map(|verdict| (verdict.then.answer, verdict.then.status)) {
            Some((Answer::Nack, status)) => {
                Reply::refusal(pdu, status.map_or(CommandStatus::ESME_RSYSERR, |status| status.0))
            }
            Some((_, Some(status))) => {
                let policy = verdict.as_ref().map(|verdict| &verdict.then.policy.response);
                let policy = policy.filter(|_| Operation::of(pdu.command_id()).is_message());
                let shaped = policy.and_then(|policy| ShapedResponse::refusal(&pdu.tlvs, policy));
                Reply { shaped: shaped.map(Box::new), ..Reply::refusal(pdu, status.0) }
            }
            _ => self.reply(pdu, *ordinal, verdict.as_ref()),
        }
    }

    /// A request has been answered: those before it that let answers pass have let one more.
    fn let_pass(&mut self, ordinal: u64) {
        for (left, question) in &mut self.behind {
            *left -= u64::from(question.ordinal < ordinal && *left > 0);
        }
        while let Some(place) = self.behind.iter().position(|(left, _)| *left == 0) {
            let (_, question) = self.behind.remove(place);
            self.answer(question);
        }
    }

    /// The question of this place has waited long enough.
    pub(super) fn catch_up(&mut self, ordinal: u64) {
        if let Some(place) = self.behind.iter().position(|(_, question)| question.ordinal == ordinal) {
            let (_, question) = self.behind.remove(place);
            self.answer(question);
        }
    }

    fn give(&mut self, ticket: Ticket, reply: Reply, answer: Answer) {
        let Reply { status, body, tlvs, messages, receipts, early, shaped } = reply;
        self.waiting.extend(receipts);
        if early {
            self.deliver_what_waits();
        }
        let held = messages.filter_map(|number| self.held_back.remove(&number)).flatten();
        self.waiting.extend(held.collect::<Vec<_>>());
        let sequence = ticket.sequence();
        let is_response =
            |answer| matches!(answer, Answer::Once | Answer::Twice | Answer::WrongNumber | Answer::WithBody);
        if let Some(shaped) = shaped.filter(|_| is_response(answer)) {
            return self.give_shaped(ticket, status, body, *shaped, answer);
        }
        match answer {
            Answer::Once => self.driver.respond(ticket, status, body, tlvs),
            Answer::Twice => {
                self.driver.respond(ticket, status, body.clone(), tlvs);
                self.inject(status, sequence, body);
            }
            Answer::Never => self.driver.forget(ticket),
            Answer::Nack => {
                self.driver.forget(ticket);
                self.inject(status, sequence, Body::GenericNack(Empty {}));
            }
            Answer::WrongType => {
                let other = match ticket.command() {
                    CommandId::ENQUIRE_LINK => Body::SubmitSmResp(None),
                    _ => Body::EnquireLinkResp(Empty {}),
                };
                self.driver.forget(ticket);
                self.inject(status, sequence, other);
            }
            Answer::WrongNumber => {
                self.driver.forget(ticket);
                self.inject(status, sequence ^ UNUSED, body);
            }
            Answer::Bare => {
                let bare = Body::refusal(ticket.command()).unwrap_or(body);
                self.driver.respond(ticket, status, bare, Tlvs::new());
            }
            Answer::WithBody => {
                let command = ticket.command().answer();
                let body = if status == CommandStatus::ESME_ROK { body } else { with_body(command, body) };
                self.driver.respond(ticket, status, body, tlvs);
            }
        }
    }

    /// Gives a response whose octets are no PDU of this stack. The answers that have nothing of it in them stay as they are.
    fn give_shaped(
        &mut self,
        ticket: Ticket,
        status: CommandStatus,
        body: Body,
        ShapedResponse { tlvs, edit }: ShapedResponse,
        answer: Answer,
    ) {
        let (sequence, octets) = (ticket.sequence(), tlvs.octets());
        // The edit puts the id where an empty one is.
        let body = without_id(body);
        let again = |sequence| Pdu { status, sequence, body: body.clone(), tlvs: tlvs.clone() };
        match answer {
            Answer::Once | Answer::WithBody => {
                self.driver.respond_edited(ticket, status, body, tlvs, |frame| edit.apply(frame, octets));
            }
            Answer::Twice => {
                let again = again(sequence);
                self.driver.respond_edited(ticket, status, body, tlvs, |frame| edit.apply(frame, octets));
                self.inject_edited(&again, |frame| edit.apply(frame, octets));
            }
            Answer::WrongNumber => {
                let other = again(sequence ^ UNUSED);
                self.driver.forget(ticket);
                self.inject_edited(&other, |frame| edit.apply(frame, octets));
            }
            // These have nothing of the response in them.
            Answer::Never | Answer::Nack | Answer::WrongType | Answer::Bare => self.driver.forget(ticket),
        }
    }

    fn reply(&mut self, pdu: &Pdu, ordinal: u64, verdict: Option<&Verdict>) -> Reply {
        let reply = match &pdu.body {
            Body::BindTransmitter(bind) => self.bind(bind, BindKind::Transmitter),
            Body::BindReceiver(bind) => self.bind(bind, BindKind::Receiver),
            Body::BindTransceiver(bind) => self.bind(bind, BindKind::Transceiver),
            Body::EnquireLink(_) => Ok(Reply::accepted(Body::EnquireLinkResp(Empty {}))),
            other => match self.bound {
                Some(bound) => self.served(bound, other, &pdu.tlvs, ordinal, verdict),
                None => Err(CommandStatus::ESME_RINVBNDSTS),
            },
        };
        reply.unwrap_or_else(|status| Reply::refusal(pdu, status))
    }

    fn served(
        &mut self,
        bound: Bound,
        body: &Body,
        tlvs: &Tlvs,
        ordinal: u64,
        verdict: Option<&Verdict>,
    ) -> Result<Reply, CommandStatus> {
        let nothing = Policy::default();
        let policy = verdict.and_then(|verdict| verdict.policy(0)).unwrap_or(&nothing);
        match body {
            Body::SubmitSm(sm) => self.submit(bound, sm, tlvs, ordinal, policy),
            Body::DataSm(data) => self.data(bound, data, tlvs, ordinal, policy),
            Body::SubmitMulti(multi) => self.submit_multi(bound, multi, tlvs, ordinal, verdict),
            Body::QuerySm(query) => self.query(bound, query),
            Body::CancelSm(cancel) => self.cancel(bound, cancel),
            Body::ReplaceSm(replace) => self.replace(bound, replace),
            // Commands that the standard does not have.
            _ => Err(CommandStatus::ESME_RINVCMDID),
        }
    }

    fn bind(&mut self, bind: &BindBody, kind: BindKind) -> Result<Reply, CommandStatus> {
        validate::check_bind(bind, self.hub.config.strictness)?;
        let welcome = self.hub.bind(self.number, bind, kind).inspect_err(|status| {
            tracing::info!(session = self.number, system_id = bind.system_id.text(), %status, "bind refused");
        })?;
        let knows_tlvs = bind.interface_version.knows_tlvs();
        let (account, at, window) = (welcome.account, self.driver.now(), welcome.window);
        self.bound = Some(Bound { account, kind, at, tlvs: knows_tlvs, window });
        let mut tlvs = Tlvs::new();
        if knows_tlvs {
            tlvs.push(TlvTag::SC_INTERFACE_VERSION, &[InterfaceVersion::V3_4.0]);
        }
        let system_id = self.hub.config.system_id.clone();
        Ok(Reply { tlvs, ..Reply::accepted(bind_resp(kind, system_id)) })
    }

    fn submit(
        &mut self,
        bound: Bound,
        sm: &Sm,
        tlvs: &Tlvs,
        ordinal: u64,
        policy: &Policy,
    ) -> Result<Reply, CommandStatus> {
        let times = validate::check_sm(sm, tlvs, self.hub.wall(), self.hub.config.strictness)?;
        let submission = Submission::submit_sm(self.sender(bound), sm, tlvs, times);
        self.accept(bound, submission, ordinal, &[policy], |id| Body::SubmitSmResp(Some(id)))
    }

    fn data(
        &mut self,
        bound: Bound,
        data: &DataSm,
        tlvs: &Tlvs,
        ordinal: u64,
        policy: &Policy,
    ) -> Result<Reply, CommandStatus> {
        let times = validate::check_data_sm(data, tlvs, self.hub.wall(), self.hub.config.strictness)?;
        let submission = Submission::data_sm(self.sender(bound), data, tlvs, times);
        self.accept(bound, submission, ordinal, &[policy], |id| Body::DataSmResp(Some(id)))
    }

    /// Destinations that cannot be, or that a rule refuses, are listed in the answer; the message goes to the others (§4.5.2).
    /// If there are none, it is refused with the status of the first. The answer cannot list a distribution list: where a rule
    /// refuses one, it refuses all.
    fn submit_multi(
        &mut self,
        bound: Bound,
        multi: &SubmitMulti,
        tlvs: &Tlvs,
        ordinal: u64,
        verdict: Option<&Verdict>,
    ) -> Result<Reply, CommandStatus> {
        let (places, mut refused) = divided(multi, verdict)?;
        let status = refused.first().map_or(CommandStatus::ESME_RINVNUMDESTS, |first| first.error_status_code);
        let left = places.iter().map(|place| multi.dest_address[*place].clone()).collect();
        let multi = SubmitMulti { dest_address: Destinations::new(left).map_err(|_| status)?, ..multi.clone() };
        let config = &self.hub.config;
        let lists = &config.distribution_lists;
        let mut checked = validate::check_submit_multi(&multi, tlvs, self.hub.wall(), config.strictness, lists)?;
        refused.append(&mut checked.refused);
        let status = refused.first().map_or(CommandStatus::ESME_RINVNUMDESTS, |first| first.error_status_code);
        let nothing = Policy::default();
        let policy = |place: usize| verdict.and_then(|verdict| verdict.policy(place)).unwrap_or(&nothing);
        let policies: Vec<&Policy> = match verdict {
            Some(verdict) if !verdict.each.is_empty() => {
                checked.origins.iter().map(|origin| policy(places[*origin])).collect()
            }
            _ => vec![policy(0)],
        };
        let submission = Submission::submit_multi(self.sender(bound), &multi, tlvs, checked).ok_or(status)?;
        // No more than the request had: 254.
        let unsuccess_sme = Unsuccessful::new(refused).unwrap_or_default();
        self.accept(bound, submission, ordinal, &policies, |MessageId { message_id }| {
            Body::SubmitMultiResp(Some(SubmitMultiResp { message_id, unsuccess_sme }))
        })
    }

    fn sender(&self, bound: Bound) -> Sender {
        Sender { account: self.hub.name(bound.account), session: self.number, short_ids: !bound.tlvs }
    }

    /// Hands a message over; the answer has the body that is made of its id.
    fn accept(
        &mut self,
        bound: Bound,
        submission: Submission,
        ordinal: u64,
        policies: &[&Policy],
        body: impl FnOnce(MessageId) -> Body,
    ) -> Result<Reply, CommandStatus> {
        if !self.hub.allows(bound.account, 1 + submission.further.len()) {
            return Err(CommandStatus::ESME_RTHROTTLED);
        }
        let taken = self.hub.accept(self.number, bound.account, ordinal, submission, policies)?;
        Gauges::count(&self.gauges.accepted);
        // The shape of a response has the ids that no field holds.
        let message_id = COctets::new(String::from(taken.id)).unwrap_or_default();
        let early = taken.here.iter().any(|delivery| delivery.early);
        let accepted = Reply::accepted(body(MessageId { message_id }));
        let shaped = taken.response.map(Box::new);
        Ok(Reply { messages: taken.messages, receipts: taken.here, early, shaped, ..accepted })
    }

    fn query(&mut self, bound: Bound, query: &QuerySm) -> Result<Reply, CommandStatus> {
        validate::check_query_sm(query, self.hub.config.strictness)?;
        let found = self.hub.query(bound.account, query)?;
        Ok(Reply::accepted(Body::QuerySmResp(Some(found))))
    }

    fn cancel(&mut self, bound: Bound, cancel: &CancelSm) -> Result<Reply, CommandStatus> {
        validate::check_cancel_sm(cancel, self.hub.config.strictness)?;
        let receipts = self.hub.cancel(bound.account, self.number, cancel)?;
        Ok(Reply { receipts, ..Reply::accepted(Body::CancelSmResp(Empty {})) })
    }

    fn replace(&mut self, bound: Bound, replace: &ReplaceSm) -> Result<Reply, CommandStatus> {
        let times = validate::check_replace_sm(replace, self.hub.wall(), self.hub.config.strictness)?;
        self.hub.replace(bound.account, replace, times)?;
        Ok(Reply::accepted(Body::ReplaceSmResp(Empty {})))
    }
}

fn bind_resp(kind: BindKind, system_id: COctets<16>) -> Body {
    let body = Some(BindResp { system_id });
    match kind {
        BindKind::Transmitter => Body::BindTransmitterResp(body),
        BindKind::Receiver => Body::BindReceiverResp(body),
        BindKind::Transceiver => Body::BindTransceiverResp(body),
    }
}

/// Returns the places of the destinations that no rule refuses, and those that one does.
///
/// # Errors
/// With the status of the rule that refuses a distribution list.
fn divided(multi: &SubmitMulti, verdict: Option<&Verdict>) -> Result<(Vec<usize>, Vec<UnsuccessSme>), CommandStatus> {
    let (mut left, mut refused) = (Vec::new(), Vec::new());
    for (place, destination) in multi.dest_address.iter().enumerate() {
        match (verdict.and_then(|verdict| verdict.refuses(place)), destination) {
            (None, _) => left.push(place),
            (Some(status), Destination::List(_)) => return Err(status),
            (Some(error_status_code), Destination::Address { ton, npi, address }) => refused.push(UnsuccessSme {
                dest_addr_ton: *ton,
                dest_addr_npi: *npi,
                destination_addr: address.detached(),
                error_status_code,
            }),
        }
    }
    Ok((left, refused))
}

/// The response to a message with a body and an empty id.
fn without_id(body: Body) -> Body {
    match body {
        Body::SubmitSmResp(_) => Body::SubmitSmResp(Some(MessageId::default())),
        Body::DataSmResp(_) => Body::DataSmResp(Some(MessageId::default())),
        Body::SubmitMultiResp(resp) => {
            Body::SubmitMultiResp(Some(SubmitMultiResp { message_id: COctets::default(), ..resp.unwrap_or_default() }))
        }
        other => other,
    }
}

/// The response with a body, where an error's has none.
fn with_body(command: Option<CommandId>, bare: Body) -> Body {
    command.and_then(Body::empty).map_or(bare, |empty| match empty {
        Body::SubmitSmResp(_) => Body::SubmitSmResp(Some(MessageId::default())),
        Body::DataSmResp(_) => Body::DataSmResp(Some(MessageId::default())),
        Body::SubmitMultiResp(_) => Body::SubmitMultiResp(Some(SubmitMultiResp::default())),
        Body::QuerySmResp(_) => Body::QuerySmResp(Some(QuerySmResp::default())),
        Body::BindTransmitterResp(_) => Body::BindTransmitterResp(Some(BindResp::default())),
        Body::BindReceiverResp(_) => Body::BindReceiverResp(Some(BindResp::default())),
        Body::BindTransceiverResp(_) => Body::BindTransceiverResp(Some(BindResp::default())),
        other => other,
    })
}
