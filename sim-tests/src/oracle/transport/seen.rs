//! A history as one transport's promises need it: what was put, taken, sent, answered, told and acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use smpp_transport::bus::Route;
use smpp_transport::pdu::{Body, CommandId, CommandStatus, Pdu, TlvTag};
use smpp_transport::text::message_id::normal;

use super::super::line::{receipt, user_data};
use super::super::{Frame, Line};
use crate::app::message_between;
use crate::history::{End, Fact, History, Way, What};
use crate::plan::{FaultKind, Keeps, Plan, Transport};
use crate::transport::named;

/// One transport's part of a run.
pub(crate) struct Seen<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) part: &'a Transport,
    pub(crate) owner: usize,
    /// Its ends of its connections.
    pub(crate) lines: Vec<&'a Line>,
    /// Every submit of each message, in order.
    pub(crate) tries: BTreeMap<usize, Vec<Try<'a>>>,
    /// How often each id was given, in its normal form.
    pub(crate) given: BTreeMap<String, usize>,
    /// What it was delivered, each with how it was answered.
    pub(crate) delivered: Vec<Delivered<'a>>,
    /// What was published, in order.
    pub(crate) published: Vec<Published>,
    /// When one of its processes died or stopped, as places among all facts.
    pub(crate) ends: Vec<usize>,
    /// Its facts, and the faults.
    pub(crate) facts: Vec<(usize, &'a Fact)>,
    /// Whether all was done when the time was up.
    pub(crate) at_rest: bool,
    /// When the last fact was.
    pub(crate) end: Duration,
}

/// A part of a message, written to a session once.
pub(crate) struct Try<'a> {
    pub(crate) line: &'a Line,
    pub(crate) frame: &'a Frame,
    pub(crate) part: PartOf,
    /// The first that was read with its number.
    pub(crate) answer: Option<&'a Frame>,
}

/// Which part of how many.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct PartOf {
    pub(crate) number: u8,
    pub(crate) total: u8,
}

/// What was published, once stored.
pub(crate) struct Published {
    pub(crate) at: Duration,
    pub(crate) order: usize,
    pub(crate) route: Route,
    pub(crate) value: Value,
    /// Which of the transport's messages an event is about.
    pub(crate) message: Option<(usize, usize)>,
}

impl Published {
    fn of(at: Duration, order: usize, route: Route, body: &[u8]) -> Published {
        let value: Value = serde_json::from_slice(body).unwrap_or_default();
        let message = value["user_message_id"].as_str().and_then(named);
        Published { at, order, route, value, message }
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        self.value[key].as_str().unwrap_or_default()
    }

    /// `ack`, `nack` or `delivery_report`; empty if it is no event.
    pub(crate) fn event(&self) -> &str {
        if self.route == Route::Event { self.text("event_type") } else { "" }
    }
}

impl<'a> Seen<'a> {
    /// Of all transports of the plan.
    pub(crate) fn of(plan: &'a Plan, history: &'a History, lines: &'a [Line]) -> Vec<Seen<'a>> {
        (0..plan.transports.len()).map(|transport| Seen::of_one(plan, transport, history, lines)).collect()
    }

    fn of_one(plan: &'a Plan, transport: usize, history: &'a History, lines: &'a [Line]) -> Seen<'a> {
        let owner = plan.owner(transport);
        let processes = plan.processes();
        let is_own = |process: usize| processes.get(process) == Some(&transport);
        let facts = history.facts.iter().enumerate().filter(|(_, fact)| match &fact.what {
            What::Put { owner: of, .. } | What::Sent { owner: of, .. } | What::OnBus { owner: of, .. } => *of == owner,
            What::Started { process, .. }
            | What::Died { process, .. }
            | What::Stopped { process, .. }
            | What::Taken { process, .. }
            | What::Settled { process, .. }
            | What::Published { process, .. } => is_own(*process),
            What::Fault { .. } => true,
            _ => false,
        });
        let facts: Vec<_> = facts.collect();
        let published = facts.iter().filter_map(|(order, fact)| match &fact.what {
            What::Published { route, body, .. } => Some(Published::of(fact.at, *order, *route, body)),
            _ => None,
        });
        let is_end = |fact: &Fact| matches!(fact.what, What::Died { .. } | What::Stopped { .. });
        let ends = facts.iter().filter(|(_, fact)| is_end(fact)).map(|(order, _)| *order).collect();
        let lines: Vec<_> = lines.iter().filter(|line| line.end == End::Esme && line.client == Some(owner)).collect();
        let tries = tries(&lines, owner);
        let mut given = BTreeMap::new();
        for (_, id) in tries.values().flatten().filter_map(Try::accepted) {
            *given.entry(normal(&id)).or_default() += 1;
        }
        Seen {
            plan,
            part: &plan.transports[transport],
            owner,
            tries,
            given,
            delivered: lines.iter().flat_map(|line| delivered(line)).collect(),
            published: published.collect(),
            lines,
            ends,
            facts,
            at_rest: !history.facts.iter().any(|fact| matches!(fact.what, What::Restless { .. })),
            end: history.facts.last().map_or(Duration::ZERO, |fact| fact.at),
        }
    }

    /// Whether what its store knew at one place among the facts may have been forgotten at another.
    pub(crate) fn forgets(&self, from: usize, to: usize) -> bool {
        self.part.keeps == Keeps::Nothing && self.ends.iter().any(|end| (from..to).contains(end))
    }

    /// Whether the wall clock of one of its processes was wrong in this run: what is held is held by that.
    pub(crate) fn has_wrong_clock(&self) -> bool {
        let processes = self.plan.processes();
        let is_own = |process: usize| processes.get(process).is_some_and(|it| self.plan.owner(*it) == self.owner);
        self.plan.faults.iter().any(|fault| matches!(fault.kind, FaultKind::ClockStep(process, _) if is_own(process)))
    }

    /// Events about a message, in order.
    pub(crate) fn events(&self, message: usize) -> impl Iterator<Item = &Published> {
        let named = Some((self.owner, message));
        self.published.iter().filter(move |it| it.route == Route::Event && it.message == named)
    }

    /// When the ack of a message that was sent by this was told: its id is remembered by then.
    pub(crate) fn events_after(&self, only: &Try) -> Option<Duration> {
        let (_, message) = only.frame.submitted()?;
        self.events(message).find(|event| event.event() == "ack").map(|event| event.at)
    }

    /// The place after the last fact.
    pub(crate) fn last_place(&self) -> usize {
        self.facts.last().map_or(0, |(order, _)| order + 1)
    }

    /// Whether the message was handed to a process between two places among the facts.
    pub(crate) fn is_taken_between(&self, message: usize, from: usize, to: usize) -> bool {
        let named = Some((self.owner, message));
        let within = self.facts.iter().filter(|(order, _)| (from..to).contains(order));
        within.into_iter().any(|(_, fact)| matches!(&fact.what, What::Taken { message, .. } if *message == named))
    }

    /// How often the message was put on the bus, or may have been.
    pub(crate) fn puts(&self, message: usize) -> usize {
        let is_it = |fact: &Fact, stored: bool| matches!(fact.what, What::Put { message: it, is_stored, .. } if it == message && is_stored == stored);
        let count = |stored| self.facts.iter().filter(|(_, fact)| is_it(fact, stored)).count();
        // On a disk each try is noted before it is made.
        count(false).max(count(true))
    }
}

/// What was delivered on a connection.
fn delivered(line: &Line) -> impl Iterator<Item = Delivered<'_>> {
    let mut taken = BTreeSet::new();
    line.frames.iter().enumerate().filter_map(move |(at, frame)| {
        let pdu = frame.pdu.as_ref().filter(|_| frame.way == Way::Read)?;
        let (from, to, class) = match &pdu.body {
            Body::DeliverSm(sm) => (sm.source_addr.text(), sm.destination_addr.text(), sm.esm_class),
            Body::DataSm(sm) => (sm.source_addr.text(), sm.destination_addr.text(), sm.esm_class),
            _ => return None,
        };
        // An SMSC may use a number for two at once: each has an answer of its own.
        let answers = line.frames[at..].iter().filter(|it| it.way == Way::Written && it.answers(pdu));
        let answer = answers.into_iter().find(|it| !taken.contains(&it.order));
        taken.extend(answer.map(|it| it.order));
        let is_receipt = class.is_receipt() || class.is_intermediate();
        let id = is_receipt.then(|| receipt(pdu)).flatten().and_then(|receipt| receipt.id).map(|id| id.to_string());
        let accepted = answer.filter(|it| it.pdu.as_ref().is_some_and(|pdu| pdu.status == CommandStatus::ESME_ROK));
        Some(Delivered { frame, from, to, is_receipt, id, part: part_of(pdu), accepted })
    })
}

/// What a transport was delivered.
pub(crate) struct Delivered<'a> {
    pub(crate) frame: &'a Frame,
    pub(crate) from: String,
    to: String,
    pub(crate) is_receipt: bool,
    /// The id of the message that a receipt is about, as it writes it.
    pub(crate) id: Option<String>,
    pub(crate) part: PartOf,
    /// Its answer, if that says that all is well.
    pub(crate) accepted: Option<&'a Frame>,
}

impl Delivered<'_> {
    /// Which message of the transport's a receipt is about, by its addresses: it goes the other way.
    pub(crate) fn receipt_of(&self) -> Option<(usize, usize)> {
        message_between(&self.to, &self.from).filter(|_| self.is_receipt)
    }
}

impl Try<'_> {
    /// When and with which id it was accepted.
    pub(crate) fn accepted(&self) -> Option<(&Frame, String)> {
        let answer = self.answer?;
        let pdu = answer.pdu.as_ref().filter(|pdu| pdu.status == CommandStatus::ESME_ROK)?;
        match &pdu.body {
            Body::SubmitSmResp(Some(body)) => Some((answer, body.message_id.text())),
            Body::SubmitSmResp(None) => Some((answer, String::new())),
            _ => None,
        }
    }

    /// Whether its answer came while its session waited for it: neither too late, nor after the session's end.
    pub(crate) fn is_heard(&self, plan: &Plan) -> bool {
        let timeout = Duration::from_millis(plan.timers.response_timeout_ms);
        self.answer.is_some_and(|answer| {
            answer.at + super::super::slack(plan) < self.frame.at + timeout
                && self.line.ending_at().is_none_or(|ending| answer.at < ending)
        })
    }

    /// Whether the SMSC said no.
    pub(crate) fn is_refused(&self) -> bool {
        self.answer.is_some() && self.accepted().is_none()
    }
}

fn tries<'a>(lines: &[&'a Line], owner: usize) -> BTreeMap<usize, Vec<Try<'a>>> {
    let mut tries: BTreeMap<usize, Vec<Try<'a>>> = BTreeMap::new();
    for line in lines.iter().copied() {
        for (at, frame) in line.frames.iter().enumerate().filter(|(_, frame)| frame.way == Way::Written) {
            let (Some((of, message)), Some(pdu)) = (frame.submitted(), frame.pdu.as_ref()) else { continue };
            if of == owner {
                let answer = line.frames[at..].iter().find(|it| it.way == Way::Read && it.answers(pdu));
                tries.entry(message).or_default().push(Try { line, frame, part: part_of(pdu), answer });
            }
        }
    }
    tries.values_mut().for_each(|tries| tries.sort_by_key(|it| it.frame.order));
    tries
}

/// Which part of a long message a PDU is, by its user data header or its parameters; the only one, if neither says.
fn part_of(pdu: &Pdu) -> PartOf {
    let whole = PartOf { number: 1, total: 1 };
    let octet = |tag| pdu.tlvs.get(tag).and_then(|value| value.last().copied());
    if let (Some(number), Some(total)) = (octet(TlvTag::SAR_SEGMENT_SEQNUM), octet(TlvTag::SAR_TOTAL_SEGMENTS)) {
        return PartOf { number, total };
    }
    let class = match &pdu.body {
        Body::SubmitSm(sm) | Body::DeliverSm(sm) => sm.esm_class,
        Body::DataSm(sm) => sm.esm_class,
        _ => return whole,
    };
    if class.0 & 0x40 == 0 { whole } else { in_header(&user_data(pdu)).unwrap_or(whole) }
}

/// The concatenation element of a user data header (3GPP TS 23.040 §9.2.3.24.1 and .8).
fn in_header(octets: &[u8]) -> Option<PartOf> {
    let length = usize::from(*octets.first()?);
    let mut header = octets.get(1..=length)?;
    while let [tag, length, rest @ ..] = header {
        let value = rest.get(..usize::from(*length))?;
        match (tag, value) {
            (0x00, [_, total, number]) | (0x08, [_, _, total, number]) => {
                return Some(PartOf { number: *number, total: *total });
            }
            _ => header = &rest[value.len()..],
        }
    }
    None
}

/// Whether a frame asks for a submit's answer.
pub(crate) fn is_submit(frame: &Frame) -> bool {
    frame.is(Way::Written, CommandId::SUBMIT_SM)
}
