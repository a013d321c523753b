//! A history sorted by connection and end: the frames that passed there until it was hung up.

use std::cell::OnceCell;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Deref;
use std::rc::Rc;
use std::sync::LazyLock;
use std::time::Duration;

use bytes::Bytes;
use memchr::memmem::Finder;
use smpp_transport::pdu::{
    Body, CommandId, CommandStatus, DecodeError, DecodeErrorKind, FaultKind, HEADER_OCTETS, Leniency, Pdu, TlvTag,
};
use smpp_transport::text::Receipt;
use smsc_sim::rules::Malformed;

use crate::app::message_between;
use crate::history::{End, Fact, History, How, Way, What};
use crate::plan::IN_FLIGHT_OCTETS_MAX;

/// One end of one connection.
pub struct Line {
    /// The connection's number.
    pub number: u32,
    /// Whose.
    pub client: Option<usize>,
    /// Of which process of a transport, if it is one's; only its own end knows.
    pub process: Option<usize>,
    /// Which end.
    pub end: End,
    /// To which SMSC, or of which.
    pub smsc: usize,
    /// When it stood, for the ESME; only its own end knows.
    pub opened: Option<Duration>,
    /// Place of the opening among all facts.
    pub opened_order: usize,
    /// What passed there, in order.
    pub frames: Vec<Frame>,
    /// The places of frames by their sequence numbers.
    numbers: Vec<(u32, usize)>,
    /// When it was hung up.
    pub hung: Option<Duration>,
    /// How.
    pub how: Option<How>,
}

/// A PDU that passed.
pub struct Frame {
    /// When.
    pub at: Duration,
    /// Its place among all facts: at one time much may happen.
    pub order: usize,
    /// Read or written by this end.
    pub way: Way,
    /// Its octets.
    pub octets: Bytes,
    said: Rc<Said>,
}

/// What the octets of a frame say: the same to the end that wrote them and to the one that read them.
pub struct Said {
    /// The PDU; none when it cannot be read.
    pub pdu: Option<Pdu>,
    /// How it is wrong.
    pub wrong: Option<Wrong>,
    /// The PDU as a tolerant reader has it, where it cannot be read by the letter.
    tolerated: Option<Pdu>,
    /// Whose message it submits.
    submitted: Option<(usize, usize)>,
    /// What it says as a receipt, once somebody has asked.
    receipt: OnceCell<Option<Receipt>>,
}

/// How a frame is wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wrong {
    /// Its length cannot be: what follows cannot be read.
    Length,
    /// It has an octet of the next one: what follows is read from a wrong place on.
    Shifted,
    /// Its body cannot be read.
    Body,
    /// It can be read, and no SMSC would say it.
    Said,
}

impl Wrong {
    fn of(octets: &Bytes, decoded: &Result<Pdu, DecodeError>) -> Option<Wrong> {
        let length = octets.first_chunk().map(|length| u32::from_be_bytes(*length));
        let is_of_none = || FROM_NONE.find(octets).is_some();
        match decoded {
            _ if octets.len() < HEADER_OCTETS || length != u32::try_from(octets.len()).ok() => Some(Wrong::Length),
            Err(error) if is_of_none() && is_one_too_long(error) => Some(Wrong::Shifted),
            Err(_) => Some(Wrong::Body),
            Ok(pdu) => (is_of_none() || pdu.command_id().rule().is_none()).then_some(Wrong::Said),
        }
    }

    /// Whether nothing after it can be read.
    #[must_use]
    pub fn breaks_framing(self) -> bool {
        matches!(self, Wrong::Length | Wrong::Shifted)
    }
}

fn is_one_too_long(error: &DecodeError) -> bool {
    matches!(error.kind, DecodeErrorKind::Field { fault: FaultKind::Leftover { octets: 1 }, .. })
}

/// The source of what is made to be wrong.
static FROM_NONE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(Malformed::FROM));

/// The octets of a message's text, its header included: short_message, or message_payload where that is empty.
pub(super) fn user_data(pdu: &Pdu) -> Bytes {
    let short = match &pdu.body {
        Body::SubmitSm(sm) | Body::DeliverSm(sm) => sm.short_message.to_bytes(),
        _ => Bytes::new(),
    };
    let payload = || pdu.tlvs.get(TlvTag::MESSAGE_PAYLOAD).map(|octets| Bytes::copy_from_slice(&octets));
    if short.is_empty() { payload().unwrap_or_default() } else { short }
}

impl Said {
    fn of(octets: &Bytes) -> Said {
        let decoded = Pdu::decode(octets, Leniency::STRICT);
        let wrong = Wrong::of(octets, &decoded);
        let pdu = decoded.ok();
        let is_whole = !wrong.is_some_and(Wrong::breaks_framing);
        let tolerated = (pdu.is_none() && is_whole).then(|| Pdu::decode(octets, Leniency::TOLERANT).ok()).flatten();
        Said { wrong, submitted: pdu.as_ref().and_then(submitted), pdu, tolerated, receipt: OnceCell::new() }
    }
}

impl Deref for Frame {
    type Target = Said;

    fn deref(&self) -> &Said {
        &self.said
    }
}

impl Frame {
    pub(super) fn command(&self) -> Option<CommandId> {
        self.pdu.as_ref().map(Pdu::command_id)
    }

    pub(super) fn is(&self, way: Way, command: CommandId) -> bool {
        self.way == way && self.command() == Some(command)
    }

    pub(super) fn is_request(&self) -> bool {
        self.command().is_some_and(|command| !command.is_response())
    }

    /// Its command and its number, also where its body cannot be read.
    pub(super) fn header(&self) -> Option<(CommandId, u32)> {
        let number = |at: usize| self.octets.get(at..)?.first_chunk().map(|four| u32::from_be_bytes(*four));
        Some((CommandId(number(4)?), number(12)?))
    }

    /// Whether this frame ends `request`: its own response or a generic_nack, with its number.
    pub(super) fn answers(&self, request: &Pdu) -> bool {
        self.pdu.as_ref().is_some_and(|pdu| {
            let command = pdu.command_id();
            pdu.sequence == request.sequence
                && (command == CommandId::GENERIC_NACK || request.command_id().answer() == Some(command))
        })
    }

    /// Whether it may be an answer to this one, which may be such that its body cannot be read. No response is answered.
    pub(super) fn answers_frame(&self, asked: &Frame) -> bool {
        let (Some((command, sequence)), Some((own, number))) = (asked.header(), self.header()) else { return false };
        let is_own = own == CommandId::GENERIC_NACK || command.answer() == Some(own);
        !command.is_response() && sequence == number && is_own
    }

    /// The PDU, as far as a tolerant reader understands it.
    pub(super) fn understood(&self) -> Option<&Pdu> {
        self.pdu.as_ref().or(self.tolerated.as_ref())
    }

    /// Status of the PDU, also where the body cannot be read.
    pub(super) fn status(&self) -> Option<CommandStatus> {
        self.octets.get(8..)?.first_chunk().map(|four| CommandStatus(u32::from_be_bytes(*four)))
    }

    /// What it says as a receipt.
    pub(super) fn receipt(&self) -> Option<&Receipt> {
        let read = |pdu: &Pdu| Receipt::read(Some(&String::from_utf8_lossy(&user_data(pdu))), &pdu.tlvs);
        self.receipt.get_or_init(|| self.understood().and_then(read)).as_ref()
    }

    /// Whose message a submit_sm or data_sm is.
    pub(super) fn submitted(&self) -> Option<(usize, usize)> {
        self.submitted
    }
}

fn submitted(pdu: &Pdu) -> Option<(usize, usize)> {
    match &pdu.body {
        Body::SubmitSm(sm) => message_between(&sm.source_addr.text(), &sm.destination_addr.text()),
        Body::DataSm(sm) => message_between(&sm.source_addr.text(), &sm.destination_addr.text()),
        _ => None,
    }
}

impl Line {
    /// When the session at this end was bound, as far as it can tell: a bind response with status 0 has passed.
    #[must_use]
    pub fn bound_at(&self) -> Option<(Duration, CommandId)> {
        self.frames.iter().find_map(|frame| {
            let pdu = frame.pdu.as_ref()?;
            let bind = CommandId(pdu.command_id().0 & 0x7FFF_FFFF);
            let bound = pdu.command_id().is_response() && bind.is_bind() && pdu.status == CommandStatus::ESME_ROK;
            bound.then_some((frame.at, bind))
        })
    }

    /// Whether the session at this end submits: it was bound as a transmitter or a transceiver.
    pub(super) fn submits(&self) -> bool {
        self.bound_at().is_some_and(|(_, bind)| bind != CommandId::BIND_RECEIVER)
    }

    /// What passed either way that ends this request, in order.
    pub(super) fn answers_to(&self, request: &Pdu) -> impl Iterator<Item = &Frame> {
        self.numbered(request.sequence).filter(move |frame| frame.answers(request))
    }

    /// The frames of this number, in order.
    pub(super) fn numbered(&self, number: u32) -> impl Iterator<Item = &Frame> {
        let from = self.numbers.partition_point(|(other, _)| *other < number);
        self.numbers[from..].iter().take_while(move |(it, _)| *it == number).map(|(_, place)| &self.frames[*place])
    }

    /// Its frames up to where none can be read any more.
    pub(super) fn readable(&self) -> &[Frame] {
        let broken = self.frames.iter().position(|frame| frame.wrong.is_some_and(Wrong::breaks_framing));
        &self.frames[..broken.unwrap_or(self.frames.len())]
    }

    /// The other end of the same connection.
    pub(super) fn other<'a>(&self, lines: &'a [Line]) -> Option<&'a Line> {
        lines.iter().find(|other| other.number == self.number && other.end != self.end)
    }

    /// When, at `from` or after it, the other end had read enough for there to be room for what this end writes at this
    /// place among the facts; none if it never had.
    pub(super) fn room_for(&self, order: usize, from: Duration, lines: &[Line]) -> Option<Duration> {
        let octets = |frame: &Frame| frame.octets.len();
        let before = self.frames.iter().filter(|frame| frame.way == Way::Written && frame.order < order);
        let mut unread: usize = before.map(octets).sum();
        let mut reads = self.other(lines).into_iter().flat_map(|other| &other.frames).filter(|it| it.way == Way::Read);
        let mut at = from;
        while unread >= IN_FLIGHT_OCTETS_MAX {
            let read = reads.next()?;
            at = at.max(read.at);
            unread = unread.saturating_sub(octets(read));
        }
        Some(at)
    }

    /// When the session at this end began to end: an unbind passed in either direction, or what cannot be read, or it was
    /// hung up.
    #[must_use]
    pub fn ending_at(&self) -> Option<Duration> {
        let unbind = self.frames.iter().find(|frame| {
            matches!(frame.command(), Some(CommandId::UNBIND | CommandId::UNBIND_RESP))
                || frame.wrong.is_some_and(Wrong::breaks_framing)
        });
        let unbind = unbind.map(|frame| frame.at);
        unbind.into_iter().chain(self.hung).min()
    }

    /// Returns `true` if either side has unbound.
    pub(super) fn is_unbound(&self) -> bool {
        let is_unbind = |frame: &Frame| matches!(frame.command(), Some(CommandId::UNBIND | CommandId::UNBIND_RESP));
        self.frames.iter().any(is_unbind)
    }
}

/// The connections of a run, each end of each; what was read after an end was hung up is left out.
#[must_use]
pub fn lines(history: &History) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut smscs: BTreeMap<u32, usize> = BTreeMap::new();
    let mut on_the_way = OnTheWay::default();
    for (order, Fact { at, what }) in history.facts.iter().enumerate() {
        match what {
            What::Connected { line, client, process, smsc } => {
                smscs.insert(*line, *smsc);
                let line = find(&mut lines, *line, End::Esme);
                (line.client, line.process, line.opened) = (Some(*client), *process, Some(*at));
                line.opened_order = order;
            }
            What::Passed { line, end, way, frame } => {
                let (place, way, octets) = (find(&mut lines, *line, *end), *way, frame.clone());
                if place.hung.is_none() {
                    let said = on_the_way.said(*line, *end, way, &octets);
                    place.frames.push(Frame { at: *at, order, way, octets, said });
                }
            }
            What::Hung { line, end, how } => {
                let line = find(&mut lines, *line, *end);
                line.hung.get_or_insert(*at);
                line.how.get_or_insert(*how);
            }
            _ => {}
        }
    }
    for line in &mut lines {
        // Nothing passes on a connection that no ESME ever had.
        line.smsc = smscs.get(&line.number).copied().unwrap_or_default();
        let numbers = line.frames.iter().enumerate().filter_map(|(place, frame)| Some((frame.header()?.1, place)));
        line.numbers = numbers.collect();
        line.numbers.sort_unstable();
    }
    lines
}

/// Frames that one end has written and the other has not read yet, by connection and writer: most arrive as they were, and
/// need not be decoded twice.
#[derive(Default)]
struct OnTheWay(BTreeMap<(u32, End), VecDeque<Sent>>);

type Sent = (Bytes, Rc<Said>);

impl OnTheWay {
    fn said(&mut self, line: u32, end: End, way: Way, octets: &Bytes) -> Rc<Said> {
        let writer = match (way, end) {
            (Way::Written, end) => end,
            (Way::Read, End::Esme) => End::Smsc,
            (Way::Read, End::Smsc) => End::Esme,
        };
        let written = self.0.entry((line, writer)).or_default();
        let sent = written.pop_front_if(|(sent, _)| way == Way::Read && *sent == *octets);
        let said = sent.map_or_else(|| Rc::new(Said::of(octets)), |(_, said)| said);
        if way == Way::Written {
            written.push_back((octets.clone(), Rc::clone(&said)));
        }
        said
    }
}

fn find(lines: &mut Vec<Line>, number: u32, end: End) -> &mut Line {
    let at = lines.iter().rposition(|line| line.number == number && line.end == end);
    let at = at.unwrap_or_else(|| {
        lines.push(Line {
            number,
            client: None,
            process: None,
            end,
            smsc: 0,
            opened: None,
            opened_order: 0,
            frames: Vec::new(),
            numbers: Vec::new(),
            hung: None,
            how: None,
        });
        lines.len() - 1
    });
    &mut lines[at]
}
