//! A history as the simulator's promises need it: what was offered to whom and how it was answered, and what the simulator
//! says of each message.

use std::collections::BTreeMap;
use std::time::Duration;

use smpp_transport::pdu::{Body, CommandId, CommandStatus, MessageState, Pdu};

use super::super::line::user_data;
use super::super::{Frame, Line, slack};
use crate::app::message_of;
use crate::history::{End, History, Kept, Way, What};
use crate::plan::Plan;
use smsc_sim::DeliveryState;

/// Which client's message, in the order of the plan.
pub(crate) type Message = (usize, usize);

/// It in words, as a violation names it.
pub(crate) fn in_words((client, message): Message) -> String {
    format!("client {client} message {message}")
}

/// What the oracles of this folder look at: one SMSC's part of a run.
pub(crate) struct Seen<'a> {
    pub(crate) plan: &'a Plan,
    /// The simulator's ends of the connections.
    pub(crate) lines: Vec<Session<'a>>,
    /// In their order.
    pub(crate) offers: Vec<Offer>,
    pub(crate) accounts: Vec<Account<'a>>,
    /// On which of `lines` each message was submitted first, and how.
    submitted: BTreeMap<Message, (usize, &'a Frame)>,
    /// Whether all was done when the last account was given.
    pub(crate) at_rest: bool,
}

/// The simulator's end of a connection.
pub(crate) struct Session<'a> {
    pub(crate) line: &'a Line,
    /// What it was bound by and when; none if it never was.
    pub(crate) bound: Option<Binding>,
    /// When it began to end.
    pub(crate) ending: Option<Duration>,
}

pub(crate) struct Binding {
    pub(crate) at: Duration,
    pub(crate) receives: bool,
    pub(crate) system_id: String,
    pub(crate) range: String,
}

/// A receipt or a mobile-originated message, written once.
pub(crate) struct Offer {
    /// Which of `lines`.
    pub(crate) session: usize,
    pub(crate) at: Duration,
    /// Its place among all facts.
    pub(crate) order: usize,
    pub(crate) in_data_sm: bool,
    pub(crate) has_text: bool,
    /// Whose receipt; none for a mobile-originated message.
    pub(crate) message: Option<Message>,
    pub(crate) intermediate: bool,
    pub(crate) to: String,
    /// The state that it reports.
    pub(crate) state: Option<MessageState>,
    pub(crate) answered: Answered,
}

/// How an offer was answered, as far as can be told from outside.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Answered {
    /// In time, while the session stood.
    At(Duration, CommandStatus),
    /// Not, although the session stood for longer than an answer may take.
    Never,
    /// Too close to the end of the session, or of the time.
    Unclear,
}

/// What the simulator said of itself.
pub(crate) struct Account<'a> {
    pub(crate) at: Duration,
    /// Its place among all facts.
    pub(crate) order: usize,
    pub(crate) killed: bool,
    pub(crate) messages: BTreeMap<Message, &'a Kept>,
    pub(crate) deliveries: &'a [DeliveryState],
}

impl<'a> Seen<'a> {
    /// Of all SMSCs of the plan.
    pub(crate) fn of(plan: &'a Plan, history: &'a History, lines: &'a [Line]) -> Vec<Seen<'a>> {
        (0..plan.smscs).map(|smsc| Seen::of_one(plan, smsc, history, lines)).collect()
    }

    fn of_one(plan: &'a Plan, smsc: usize, history: &'a History, lines: &'a [Line]) -> Seen<'a> {
        let own = lines.iter().filter(|line| line.end == End::Smsc && line.smsc == smsc);
        let lines: Vec<_> = own.map(Session::of).collect();
        let mut offers: Vec<_> =
            lines.iter().enumerate().flat_map(|(session, line)| offers(plan, session, line)).collect();
        offers.sort_by_key(|offer| offer.order);
        let accounts = history.facts.iter().enumerate().filter_map(|(order, fact)| match &fact.what {
            What::Account { smsc: of, killed, messages, deliveries } if *of == smsc => {
                let named = |kept: &'a Kept| Some((of_client(plan, &kept.to)?, kept));
                let messages = messages.iter().filter_map(named).collect();
                Some(Account { at: fact.at, order, killed: *killed, messages, deliveries })
            }
            _ => None,
        });
        let restless = history.facts.iter().any(|fact| matches!(fact.what, What::Restless { .. }));
        let mut submitted = BTreeMap::new();
        for (place, session) in lines.iter().enumerate() {
            for frame in session.line.frames.iter().filter(|frame| frame.way == Way::Read) {
                frame.submitted().map(|message| submitted.entry(message).or_insert((place, frame)));
            }
        }
        Seen { plan, lines, offers, submitted, accounts: accounts.collect(), at_rest: !restless }
    }

    /// The last account, if all was done then.
    pub(crate) fn last(&self) -> Option<&Account<'a>> {
        self.accounts.last().filter(|account| !account.killed && self.at_rest)
    }

    /// What the simulator that served this session said last of the message.
    pub(crate) fn kept(&self, message: Message) -> Option<&'a Kept> {
        self.accounts.iter().find_map(|account| account.messages.get(&message)).copied()
    }

    /// The account that the simulator of this session gave: the first that came after it.
    pub(crate) fn account_of(&self, session: &Session) -> Option<&Account<'a>> {
        let began = session.line.frames.first()?.at;
        self.accounts.iter().find(|account| account.at >= began)
    }

    /// The session on which a message was submitted first, and how.
    pub(crate) fn submitted(&self, message: Message) -> Option<(usize, &'a Frame)> {
        self.submitted.get(&message).copied()
    }
}

impl<'a> Session<'a> {
    fn of(line: &'a Line) -> Session<'a> {
        let bind =
            line.frames.iter().find_map(|frame| match &frame.pdu.as_ref().filter(|_| frame.way == Way::Read)?.body {
                Body::BindTransmitter(bind) => Some((bind, false)),
                Body::BindReceiver(bind) | Body::BindTransceiver(bind) => Some((bind, true)),
                _ => None,
            });
        let bound = bind.zip(line.bound_at()).map(|((bind, receives), (at, _))| Binding {
            at,
            receives,
            system_id: bind.system_id.text(),
            range: bind.address_range.text(),
        });
        Session { line, bound, ending: line.ending_at() }
    }

    /// Whether it may have what is for this address of this account.
    pub(crate) fn may_have(&self, system_id: &str, to: &str) -> bool {
        self.bound.as_ref().is_some_and(|bound| bound.receives && bound.system_id == system_id && bound.has(to))
    }

    /// Whether it was bound from before one time until after another.
    pub(crate) fn stood(&self, from: Duration, to: Duration) -> bool {
        self.bound.as_ref().is_some_and(|bound| bound.at < from) && self.ending.is_none_or(|ending| ending > to)
    }
}

impl Binding {
    /// Plans have `^` and how the addresses begin, or nothing.
    pub(crate) fn has(&self, address: &str) -> bool {
        address.starts_with(self.range.trim_start_matches('^'))
    }
}

/// Which message of a client's is to this address. Those of transports have several parts, and may be sent again: what they
/// are promised is held against what their transports say.
fn of_client(plan: &Plan, address: &str) -> Option<Message> {
    message_of(address).filter(|(owner, _)| *owner < plan.clients.len())
}

fn offers<'a>(plan: &'a Plan, place: usize, session: &'a Session<'a>) -> impl Iterator<Item = Offer> + 'a {
    let line = session.line;
    let right = |frame: &Frame| frame.way == Way::Written && frame.wrong.is_none();
    // Nobody can read the rest, and what is said to it is said by chance.
    let readable = line.readable().len();
    line.frames.iter().enumerate().filter(move |(_, frame)| right(frame)).filter_map(move |(number, frame)| {
        let pdu = frame.pdu.as_ref()?;
        let (from, to, class) = match &pdu.body {
            Body::DeliverSm(sm) => (sm.source_addr.text(), sm.destination_addr.text(), sm.esm_class),
            Body::DataSm(sm) => (sm.source_addr.text(), sm.destination_addr.text(), sm.esm_class),
            _ => return None,
        };
        let is_receipt = class.is_receipt() || class.is_intermediate();
        Some(Offer {
            session: place,
            at: frame.at,
            order: frame.order,
            in_data_sm: matches!(pdu.body, Body::DataSm(_)),
            has_text: !user_data(pdu).is_empty(),
            message: of_client(plan, &from).filter(|_| is_receipt),
            intermediate: class.is_intermediate(),
            to,
            state: frame.receipt().filter(|_| is_receipt).and_then(|receipt| receipt.state),
            answered: if number < readable { answered(plan, session, frame) } else { Answered::Unclear },
        })
    })
}

/// How an offer was answered.
fn answered(plan: &Plan, session: &Session, offer: &Frame) -> Answered {
    let Some(pdu) = &offer.pdu else { return Answered::Unclear };
    let timeout = Duration::from_millis(plan.timers.response_timeout_ms);
    let answer = session.line.answers_to(pdu).find(|frame| frame.way == Way::Read && frame.order > offer.order);
    // One that is silent or slow has made its requests before they leave, and takes late answers.
    if !plan.smsc.is_punctual() {
        return Answered::Unclear;
    }
    let ended_by = |at: Duration| session.ending.is_some_and(|ending| ending <= at);
    match answer.and_then(|answer| Some((answer.at, answer.pdu.as_ref()?.status))) {
        Some((at, status)) if !ended_by(at) && at + slack(plan) < offer.at + timeout => Answered::At(at, status),
        Some((at, _)) if at < offer.at + timeout + slack(plan) => Answered::Unclear,
        _ if ended_by(offer.at + timeout + slack(plan)) => Answered::Unclear,
        _ => Answered::Never,
    }
}

/// The answer to a submit_sm or data_sm, with the id that it gives.
pub(super) fn id_given(frame: &Frame) -> Option<(u32, String)> {
    let pdu = frame.pdu.as_ref().filter(|pdu| frame.way == Way::Written && pdu.status == CommandStatus::ESME_ROK)?;
    match &pdu.body {
        Body::SubmitSmResp(Some(body)) | Body::DataSmResp(Some(body)) => Some((pdu.sequence, body.message_id.text())),
        _ => None,
    }
    .filter(|(_, id)| !id.is_empty())
}

/// Requests of this command that the session read, with their numbers.
pub(super) fn asked<'a>(session: &'a Session, command: CommandId) -> impl Iterator<Item = (&'a Frame, &'a Pdu)> {
    let read = session.line.frames.iter().filter(move |frame| frame.is(Way::Read, command));
    read.filter_map(|frame| Some((frame, frame.pdu.as_ref()?)))
}
