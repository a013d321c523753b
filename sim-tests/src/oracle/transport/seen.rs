//! A history as one transport's promises need it: what was put, taken, sent, answered, told and acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use smpp_transport::bus::Route;
use smpp_transport::pdu::{Body, CommandId, CommandStatus, Pdu, TlvTag};
use smpp_transport::text::message_id::{decimal_to_hex, hex_to_decimal, normal};

use super::super::line::user_data;
use super::super::{Frame, Line};
use crate::app::message_between;
use crate::history::{End, Fact, History, Kept, Way, What};
use crate::plan::{BusFaults, FaultKind, Ids, Keeps, Parts, Plan, QueueFull, Script, Transport};
use crate::transport::{message_in, named};

/// One transport's part of a run.
pub(crate) struct Seen<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) part: &'a Transport,
    pub(crate) owner: usize,
    /// Its ends of its connections.
    pub(crate) lines: Vec<&'a Line>,
    /// The SMSCs' ends of them, by their numbers.
    far_ends: BTreeMap<u32, &'a Line>,
    /// Every submit of each message, in order.
    pub(crate) tries: BTreeMap<usize, Vec<Try<'a>>>,
    /// Submits for which each id was given, in its normal form.
    given: BTreeMap<String, BTreeSet<(usize, usize)>>,
    /// Ids that are in the records of several lives of SMSCs, in their normal form.
    given_again: BTreeSet<String>,
    /// What it was delivered, each with how it was answered.
    pub(crate) delivered: Vec<Delivered<'a>>,
    /// What was published, in order.
    pub(crate) published: Vec<Published>,
    /// Which of its messages are found in the dead-letter queue in the end.
    pub(crate) kept_aside: BTreeSet<usize>,
    /// What happened to each message at the bus.
    of: BTreeMap<usize, OnBus>,
    /// When one of its processes died or stopped, as places among all facts.
    pub(crate) ends: Vec<usize>,
    /// Where all was at rest, or the time was up, as a place among all facts.
    pub(crate) rest: usize,
    /// Records of the SMSCs that were not killed.
    pub(crate) kept: Vec<(usize, &'a [Kept])>,
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

/// What happened to a message at the bus.
#[derive(Default)]
struct OnBus {
    /// When it was put there, as it is stored.
    put: Vec<Duration>,
    /// How often that was tried.
    tries: usize,
    /// Where it was handed to a process, as places among all facts.
    taken: Vec<usize>,
    /// Where a process settled it, or gave it back.
    settled: Vec<usize>,
    /// Events about it, as places among what was published.
    events: Vec<usize>,
}

/// What was published, once stored.
pub(crate) struct Published {
    pub(crate) at: Duration,
    pub(crate) order: usize,
    pub(crate) route: Route,
    pub(crate) said: Said,
    /// Which of the transport's messages an event is about.
    pub(crate) message: Option<(usize, usize)>,
}

/// What is looked at of a message or an event; what is not there is empty.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct Said {
    from_addr: Option<String>,
    content: Option<String>,
    event_type: Option<String>,
    user_message_id: Option<String>,
    nack_reason: Option<String>,
    delivery_status: Option<String>,
}

impl Published {
    fn of(at: Duration, order: usize, route: Route, body: &[u8]) -> Published {
        let said: Said = serde_json::from_slice(body).unwrap_or_default();
        let message = said.user_message_id.as_deref().and_then(named);
        Published { at, order, route, said, message }
    }

    /// `ack`, `nack` or `delivery_report`; empty if it is no event.
    pub(crate) fn event(&self) -> &str {
        if self.route == Route::Event { self.said.event_type.as_deref().unwrap_or_default() } else { "" }
    }
}

impl Said {
    pub(crate) fn from(&self) -> &str {
        self.from_addr.as_deref().unwrap_or_default()
    }

    pub(crate) fn content(&self) -> &str {
        self.content.as_deref().unwrap_or_default()
    }

    pub(crate) fn user_message_id(&self) -> &str {
        self.user_message_id.as_deref().unwrap_or_default()
    }

    pub(crate) fn nack_reason(&self) -> &str {
        self.nack_reason.as_deref().unwrap_or_default()
    }

    pub(crate) fn delivery_status(&self) -> &str {
        self.delivery_status.as_deref().unwrap_or_default()
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
        let far_ends = lines.iter().filter(|line| line.end == End::Smsc).map(|line| (line.number, line)).collect();
        let lines: Vec<_> = lines.iter().filter(|line| line.end == End::Esme && line.client == Some(owner)).collect();
        let tries = tries(&lines, owner);
        let published: Vec<_> = published.collect();
        let of = on_bus(owner, &facts, &published);
        // Parts that share an id are one message to the SMSC.
        let shares_ids = plan.smsc.policy.part_ids.is_some();
        let mut given: BTreeMap<String, BTreeSet<(usize, usize)>> = BTreeMap::new();
        for (message, tries) in &tries {
            for (place, (_, id)) in
                tries.iter().filter_map(Try::accepted).enumerate().filter(|(_, (_, id))| !id.is_empty())
            {
                given.entry(normal(&id)).or_default().insert((*message, if shares_ids { 0 } else { place }));
            }
        }
        Seen {
            plan,
            part: &plan.transports[transport],
            owner,
            tries,
            given,
            given_again: given_again(history),
            delivered: lines.iter().flat_map(|line| delivered(line)).collect(),
            published,
            kept_aside: kept_aside(owner, &facts),
            of,
            lines,
            far_ends,
            ends,
            rest: rest(history),
            kept: kept(history),
            facts,
            at_rest: !history.facts.iter().any(|fact| matches!(fact.what, What::Restless { .. })),
            end: history.facts.last().map_or(Duration::ZERO, |fact| fact.at),
        }
    }

    /// Whether this id was given more than once: an SMSC that has lost its memory counts its ids anew.
    pub(crate) fn is_given_twice(&self, id: &str) -> bool {
        let id = normal(id);
        self.given.get(&id).is_some_and(|submits| submits.len() > 1) || self.given_again.contains(&id)
    }

    /// Returns `true` if receipts of another message have this id as it stands, because the SMSC writes the ids of receipts in
    /// another form. Without letters nobody can tell one form from the other.
    pub(crate) fn is_other_form_of_another(&self, id: &str) -> bool {
        let other: fn(&str) -> Option<String> = match Ids::of(&self.plan.smsc.policy) {
            Ids::DecimalReceipts => hex_to_decimal,
            Ids::HexReceipts => decimal_to_hex,
            Ids::AsIs | Ids::Auto => return false,
        };
        let id = normal(id);
        let kept = self.kept.iter().flat_map(|(_, messages)| messages.iter()).map(|kept| normal(&kept.id));
        let mut all = self.given.keys().cloned().chain(kept).filter(|of| *of != id);
        self.part.options.ids == Ids::Auto && all.any(|of| other(&of).as_ref() == Some(&id))
    }

    /// Whether the part may have been joined with a part of another message that has the same addresses and reference.
    pub(crate) fn may_be_mixed(&self, part: &Delivered) -> bool {
        let held = Duration::from_millis(self.part.options.join_expiry_ms) + super::super::slack(self.plan);
        let Some(reference) = part.reference() else { return false };
        let is_near = |it: &&Delivered| it.frame.at.abs_diff(part.frame.at) <= held;
        let is_like = |it: &&Delivered| it.from == part.from && it.to == part.to && it.reference() == Some(reference);
        let mut texts: BTreeMap<u8, Bytes> = BTreeMap::new();
        self.delivered.iter().filter(is_near).filter(is_like).any(|it| {
            let text = it.frame.understood().map(user_data).unwrap_or_default();
            texts.insert(it.part.number, text.clone()).is_some_and(|before| before != text)
        })
    }

    /// Whether the SMSC gave this id to a message.
    pub(crate) fn is_given(&self, id: &str) -> bool {
        self.given.contains_key(&normal(id))
    }

    /// The SMSC's end of one of its connections.
    pub(crate) fn far_end(&self, line: &Line) -> Option<&'a Line> {
        self.far_ends.get(&line.number).copied()
    }

    /// The time of the fact at this place.
    pub(crate) fn at(&self, place: usize) -> Option<Duration> {
        let found = self.facts.binary_search_by_key(&place, |(order, _)| *order).ok()?;
        Some(self.facts[found].1.at)
    }

    /// When all was at rest, or the time was up.
    pub(crate) fn rest_at(&self) -> Duration {
        self.facts.iter().find(|(order, _)| *order >= self.rest).map_or(self.end, |(_, fact)| fact.at)
    }

    /// Whether its store or its disk failed, or was slow, at any time between these.
    pub(crate) fn is_store_troubled(&self, from: Duration, to: Duration) -> bool {
        let is_own = |transport: usize| self.plan.owner(transport) == self.owner;
        self.plan.faults.iter().any(|fault| {
            let (began, ended) =
                (Duration::from_millis(fault.at_ms), Duration::from_millis(fault.at_ms + fault.for_ms));
            let is_of_store = match fault.kind {
                FaultKind::DiskFull(transport) => is_own(transport),
                kind => kind.store().is_some_and(is_own),
            };
            // Whoever was refused asks again a second later.
            is_of_store && began <= to && from <= ended + Duration::from_secs(2)
        })
    }

    /// Whether what is submitted is written at once: nobody is slow, and no network holds octets back.
    pub(crate) fn is_prompt(&self) -> bool {
        let holds = |kind| matches!(kind, FaultKind::Hold | FaultKind::Slow(_));
        let is_held = self.plan.faults.iter().any(|fault| holds(fault.kind));
        self.plan.smsc.is_punctual() && self.plan.wire.esme.stall + self.plan.wire.smsc.stall == 0.0 && !is_held
    }

    /// Whether octets may wait at their writer, so that a submit may be outstanding of which nothing is seen.
    pub(crate) fn may_hold_octets(&self) -> bool {
        !self.is_prompt() || self.plan.wire.esme.glue > 0.0
    }

    /// Whether its bus refuses by chance, or is slow, or goes away: outcomes wait for it.
    pub(crate) fn is_bus_faulty(&self) -> bool {
        let is_away = |kind| matches!(kind, FaultKind::BusAway(it) if self.plan.owner(it) == self.owner);
        self.part.bus != BusFaults::default() || self.plan.faults.iter().any(|fault| is_away(fault.kind))
    }

    /// Number of starts of a connection's process before the connection was made.
    pub(crate) fn starts_before(&self, line: &Line) -> usize {
        let is_start = |what: &What| matches!(what, What::Started { process, .. } if Some(*process) == line.process);
        self.facts.iter().filter(|(order, fact)| *order < line.opened_order && is_start(&fact.what)).count()
    }

    /// Whether this status makes the transport pause a whole link.
    pub(crate) fn pauses_link(&self, status: CommandStatus) -> bool {
        let is_full = status == CommandStatus::ESME_RMSGQFUL && self.part.options.queue_full == QueueFull::Link;
        status == CommandStatus::ESME_RTHROTTLED || is_full
    }

    /// Whether what its store knew at one place among the facts may have been forgotten at another.
    pub(crate) fn forgets(&self, from: usize, to: usize) -> bool {
        self.part.keeps == Keeps::Nothing && self.ends.iter().any(|end| (from..to).contains(end))
    }

    /// Whether a hold between these times may have been longer or shorter than it was to be: what is held is held by wall
    /// clocks. One that steps is wrong by that; of several processes each goes by its own.
    pub(crate) fn clocks_differ(&self, from: Duration, to: Duration) -> bool {
        let processes = self.plan.processes();
        let is_own = |process: usize| processes.get(process).is_some_and(|it| self.plan.owner(*it) == self.owner);
        let slack = super::super::slack(self.plan);
        let within = |at: Duration| from <= at + slack && at <= to + slack;
        self.plan.faults.iter().any(|fault| {
            let (at, end) = (Duration::from_millis(fault.at_ms), Duration::from_millis(fault.at_ms + fault.for_ms));
            let is_wrong_throughout = self.part.processes > 1 && at <= from && to <= end;
            matches!(fault.kind, FaultKind::ClockStep(process, _) if is_own(process))
                && (within(at) || within(end) || is_wrong_throughout)
        })
    }

    /// Whether the wall clock of one of its processes was wrong at any time between these.
    pub(crate) fn is_clock_wrong(&self, from: Duration, to: Duration) -> bool {
        let processes = self.plan.processes();
        let is_own = |process: usize| processes.get(process).is_some_and(|it| self.plan.owner(*it) == self.owner);
        self.plan.faults.iter().any(|fault| {
            let (at, end) = (Duration::from_millis(fault.at_ms), Duration::from_millis(fault.at_ms + fault.for_ms));
            matches!(fault.kind, FaultKind::ClockStep(process, _) if is_own(process)) && at <= to && from <= end
        })
    }

    /// Events about a message, in order.
    pub(crate) fn events(&self, message: usize) -> impl Iterator<Item = &Published> {
        self.of.get(&message).into_iter().flat_map(|it| &it.events).map(|place| &self.published[*place])
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
        self.of.get(&message).is_some_and(|it| it.taken.iter().any(|order| (from..to).contains(order)))
    }

    /// When the message was handed to a process first, within these places among the facts.
    pub(crate) fn first_taken(&self, message: usize, within: Range<usize>) -> Option<Duration> {
        let taken = self.of.get(&message)?.taken.iter().find(|place| within.contains(place))?;
        self.at(*taken)
    }

    /// Copies of the message that a process has at this place among the facts: more than one if it was put on the bus again.
    pub(crate) fn copies_held(&self, message: usize, at: usize) -> usize {
        let from = self.ends.iter().filter(|end| **end < at).max().copied().unwrap_or_default();
        let since = |places: &[usize]| places.iter().filter(|place| (from..at).contains(*place)).count();
        self.of.get(&message).map_or(0, |it| since(&it.taken).saturating_sub(since(&it.settled)))
    }

    /// When it was put on the bus first.
    pub(crate) fn put(&self, message: usize) -> Option<Duration> {
        self.of.get(&message)?.put.first().copied()
    }

    /// Whether its text may need more parts than a message can have.
    pub(crate) fn needs_too_many_parts(&self, message: usize) -> bool {
        let text = &self.part.messages[message];
        // What the longest header leaves of a part.
        let each = if text.script == Script::Plain { 152 } else { 66 };
        self.part.options.parts != Parts::Payload && text.characters > PARTS_MAX * each
    }

    /// How often the message was put on the bus, or may have been.
    pub(crate) fn puts(&self, message: usize) -> usize {
        // On a disk each try is noted before it is made.
        self.of.get(&message).map_or(0, |it| it.tries.max(it.put.len()))
    }
}

fn kept(history: &History) -> Vec<(usize, &[Kept])> {
    let accounts = history.facts.iter().filter_map(|fact| match &fact.what {
        What::Account { smsc, killed: false, messages, .. } => Some((*smsc, messages.as_slice())),
        _ => None,
    });
    accounts.collect()
}

/// Ids that an SMSC gave again after it had lost its memory, or that another one gave too, also where the response was lost.
fn given_again(history: &History) -> BTreeSet<String> {
    let mut lives: BTreeMap<String, usize> = BTreeMap::new();
    for fact in &history.facts {
        let What::Account { messages, .. } = &fact.what else { continue };
        let ids: BTreeSet<String> = messages.iter().map(|kept| normal(&kept.id)).filter(|id| !id.is_empty()).collect();
        ids.into_iter().for_each(|id| *lives.entry(id).or_default() += 1);
    }
    lives.into_iter().filter(|(_, count)| *count > 1).map(|(id, _)| id).collect()
}

/// Simulators say what they have when they are killed, and when all is at rest.
fn rest(history: &History) -> usize {
    let is_rest = |fact: &Fact| matches!(fact.what, What::Account { killed: false, .. });
    history.facts.iter().position(is_rest).unwrap_or(history.facts.len())
}

/// Parts are numbered by an octet, from 1.
const PARTS_MAX: usize = 255;

fn kept_aside(owner: usize, facts: &[(usize, &Fact)]) -> BTreeSet<usize> {
    let found = facts.iter().filter_map(|(_, fact)| match &fact.what {
        What::OnBus { published, .. } => Some(published),
        _ => None,
    });
    let aside = found.flatten().filter(|(route, _)| *route == Route::Failed);
    let messages = aside.filter_map(|(_, body)| message_in(body));
    messages.filter(|(of_whom, _)| *of_whom == owner).map(|(_, message)| message).collect()
}

fn on_bus(owner: usize, facts: &[(usize, &Fact)], published: &[Published]) -> BTreeMap<usize, OnBus> {
    let mut of: BTreeMap<usize, OnBus> = BTreeMap::new();
    for (order, fact) in facts {
        match fact.what {
            What::Put { message, is_stored: true, .. } => of.entry(message).or_default().put.push(fact.at),
            What::Put { message, is_stored: false, .. } => of.entry(message).or_default().tries += 1,
            What::Taken { message: Some((of_whom, message)), .. } if of_whom == owner => {
                of.entry(message).or_default().taken.push(*order);
            }
            What::Settled { message: Some((of_whom, message)), .. } if of_whom == owner => {
                of.entry(message).or_default().settled.push(*order);
            }
            _ => {}
        }
    }
    for (place, event) in published.iter().enumerate().filter(|(_, it)| it.route == Route::Event) {
        if let Some((_, message)) = event.message.filter(|(of_whom, _)| *of_whom == owner) {
            of.entry(message).or_default().events.push(place);
        }
    }
    of
}

/// What was delivered on a connection.
fn delivered(line: &Line) -> impl Iterator<Item = Delivered<'_>> {
    let mut taken = BTreeSet::new();
    line.frames.iter().filter_map(move |frame| {
        let pdu = frame.understood().filter(|_| frame.way == Way::Read)?;
        let (from, to, class) = match &pdu.body {
            Body::DeliverSm(sm) => (sm.source_addr.text(), sm.destination_addr.text(), sm.esm_class),
            Body::DataSm(sm) => (sm.source_addr.text(), sm.destination_addr.text(), sm.esm_class),
            _ => return None,
        };
        // An SMSC may use a number for two at once: each has an answer of its own.
        let mut answers = line.answers_to(pdu).filter(|it| it.way == Way::Written && it.order > frame.order);
        let answer = answers.find(|it| !taken.contains(&it.order));
        taken.extend(answer.map(|it| it.order));
        let has = |tag| pdu.tlvs.get(tag).is_some();
        let is_marked = has(TlvTag::RECEIPTED_MESSAGE_ID) && has(TlvTag::MESSAGE_STATE);
        let is_receipt = class.is_receipt() || class.is_intermediate() || is_marked;
        let said = frame.receipt().filter(|_| is_receipt);
        let part = part_of(pdu);
        // In a part of a receipt an id may go on in the next part.
        let is_cut = |id: &String| part.total > 1 && user_data(pdu).ends_with(id.as_bytes());
        let (id, id_in_text) = said.map_or((None, None), |said| (said.id.clone(), said.id_in_text.clone()));
        let (id, id_in_text) = (id.filter(|id| !is_cut(id)), id_in_text.filter(|id| !is_cut(id)));
        Some(Delivered { line, frame, from, to, is_receipt, id, id_in_text, part, answer })
    })
}

/// What a transport was delivered.
pub(crate) struct Delivered<'a> {
    pub(crate) line: &'a Line,
    pub(crate) frame: &'a Frame,
    pub(crate) from: String,
    to: String,
    pub(crate) is_receipt: bool,
    /// The id of the message that a receipt is about, as it writes it.
    pub(crate) id: Option<String>,
    /// The id in its text, where that is another one.
    pub(crate) id_in_text: Option<String>,
    pub(crate) part: PartOf,
    /// The first that was written with its number, and is no other's.
    pub(crate) answer: Option<&'a Frame>,
}

impl<'a> Delivered<'a> {
    /// Its answer, if that says that all is well.
    pub(crate) fn accepted(&self) -> Option<&'a Frame> {
        self.answer.filter(|_| self.status() == Some(CommandStatus::ESME_ROK))
    }

    /// Status of the answer.
    pub(crate) fn status(&self) -> Option<CommandStatus> {
        self.answer.and_then(|answer| answer.pdu.as_ref()).map(|pdu| pdu.status)
    }

    /// A user data header of a part with a reference of 8 bits, which is soon used again, without the number of the part.
    fn reference(&self) -> Option<[u8; 5]> {
        let octets = user_data(self.frame.understood()?);
        octets.first_chunk().copied().filter(|_| self.part.total > 1).filter(|octets| octets.starts_with(&[5, 0, 3]))
    }

    /// Which message of the transport's a receipt is about, by its addresses: it goes the other way.
    pub(crate) fn receipt_of(&self) -> Option<(usize, usize)> {
        message_between(&self.to, &self.from).filter(|_| self.is_receipt)
    }
}

impl Try<'_> {
    /// Status of the answer.
    pub(crate) fn status(&self) -> Option<CommandStatus> {
        self.answer.and_then(Frame::status)
    }

    /// When and with which id it was accepted. An answer of status 0 whose body nobody can read is an acceptance without an id.
    pub(crate) fn accepted(&self) -> Option<(&Frame, String)> {
        let answer = self.answer.filter(|answer| answer.status() == Some(CommandStatus::ESME_ROK))?;
        if answer.header().is_none_or(|(command, _)| command != CommandId::SUBMIT_SM_RESP) {
            return None;
        }
        let id = answer.understood().and_then(|pdu| match &pdu.body {
            Body::SubmitSmResp(body) => body.as_ref().map(|body| body.message_id.text()),
            _ => None,
        });
        Some((answer, id.unwrap_or_default()))
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
        for frame in line.frames.iter().filter(|frame| frame.way == Way::Written) {
            let (Some((of, message)), Some(pdu)) = (frame.submitted(), frame.pdu.as_ref()) else { continue };
            if of == owner {
                let mut answers =
                    line.numbered(pdu.sequence).filter(|it| it.way == Way::Read && it.answers_frame(frame));
                let answer = answers.find(|it| it.order > frame.order);
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
