//! Octets to values and back: SMPP 3.4, chapters 3 to 5. Pure: no clock, no state, no I/O.
//!
//! Two tables say what there is: [`shape`] lists the 13 bodies of chapter 4, [`command`] the 27 commands. Everything else
//! follows from them: the types, [`Pdu::decode`], [`Pdu::encode`], the one-line print, the JSON form, and
//! [`CommandId::rule`], which the session asks who may say what, and when.
//!
//! - **Nothing is allocated** to decode a frame, but for the two lists of submit_multi. Messages, optional parameters and
//!   long strings are slices of the frame; short strings are kept in place. A slice keeps the whole read buffer alive:
//!   *slice when you pass, copy when you keep* (`detached`).
//! - **Nothing is lost.** Unknown commands, parameters, statuses and numbers of every kind survive a round trip.
//! - **Strict in what is sent**, by type: a value that does not fit its field cannot be made. **Lenient in what is read**,
//!   by the named switches of [`Leniency`].

#[macro_use]
mod table;
#[cfg(feature = "test-util")]
pub mod arbitrary;
pub mod command;
#[cfg(feature = "test-util")]
pub mod fixtures;
mod frame;
pub mod json;
mod list;
pub mod shape;
mod status;
mod string;
pub mod time;
mod tlv;
pub mod udh;
mod value;
mod wire;

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

pub use command::{Body, CommandId, Issuer, Rule, States};
pub use frame::{FRAME_OCTETS_MAX, HEADER_OCTETS, next_frame};
pub use list::{Destination, Destinations, ListError, UnsuccessSme, Unsuccessful};
pub use shape::*;
pub use status::{Answer, CommandStatus};
pub use string::{COctets, ShortMessage, StringError, latin1};
pub use tlv::{TlvLength, TlvLengthError, TlvTag, TlvTooLong, Tlvs};
pub use value::{DataCoding, EsmClass, InterfaceVersion, MessageState, Npi, RegisteredDelivery, Ton};
pub use wire::FaultKind;
use wire::{Fault, Printer, Reader, Wire, Writer};

/// A protocol data unit: header, body, optional parameters (§3.2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pdu {
    /// 0 in requests; the outcome in responses.
    pub status: CommandStatus,
    /// Chosen by the sender of a request, 1 to 0x7FFFFFFF, and echoed in its response (§5.1.4). Peers use others: kept.
    pub sequence: u32,
    /// The command and its mandatory parameters.
    pub body: Body,
    /// The optional parameters.
    pub tlvs: Tlvs,
}

/// What is read although the standard does not allow it: one switch for each known oddity of real peers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "switches that are independent of each other")]
pub struct Leniency {
    /// Strings longer than their field, as long as a NUL follows: peers have ids and passwords of 20 and more characters.
    pub overlong_strings: bool,
    /// A last string that ends with the PDU instead of a NUL.
    pub unterminated_strings: bool,
    /// One to three octets after the last field or parameter are dropped.
    pub stray_tails: bool,
    /// An optional parameter of a *response* that claims more octets than there are is dropped, and what follows it: the
    /// outcome is known without it.
    pub broken_response_tails: bool,
    /// An optional parameter of a deliver_sm or data_sm that claims more octets than there are is dropped: the message or receipt
    /// before it is whole, and refused it would be lost. Of a receipted_message_id, the octets that are there are kept; a
    /// message_payload is still an error.
    pub broken_delivery_tails: bool,
    /// A body that cannot be read in a response with an error status is dropped: the status says it all.
    pub unreadable_error_bodies: bool,
    /// sm_length 255 (the standard stops at 254).
    pub sm_length_255: bool,
    /// A submit_multi_resp that lists fewer failures than it announces.
    pub short_lists: bool,
}

impl Leniency {
    /// By the letter: what a test of another implementation wants.
    pub const STRICT: Leniency = Leniency {
        overlong_strings: false,
        unterminated_strings: false,
        stray_tails: false,
        broken_response_tails: false,
        broken_delivery_tails: false,
        unreadable_error_bodies: false,
        sm_length_255: false,
        short_lists: false,
    };
    /// Whatever can be understood: what a client of real SMSCs wants.
    pub const TOLERANT: Leniency = Leniency {
        overlong_strings: true,
        unterminated_strings: true,
        stray_tails: true,
        broken_response_tails: true,
        broken_delivery_tails: true,
        unreadable_error_bodies: true,
        sm_length_255: true,
        short_lists: true,
    };

    fn forgives(&self, fault: FaultKind, id: CommandId) -> bool {
        match fault {
            FaultKind::Leftover { .. } => self.stray_tails,
            FaultKind::TlvOverrun { .. } if id.is_response() => self.broken_response_tails,
            // Without its text a message is not whole.
            FaultKind::TlvOverrun { tag, .. } if tag == TlvTag::MESSAGE_PAYLOAD.0 => false,
            FaultKind::TlvOverrun { .. } => {
                self.broken_delivery_tails && matches!(id, CommandId::DELIVER_SM | CommandId::DATA_SM)
            }
            _ => false,
        }
    }
}

/// A PDU that cannot be read. The header's values are 0 when it could not be read either.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DecodeError {
    /// Which command.
    pub command_id: CommandId,
    /// Its status.
    pub command_status: CommandStatus,
    /// Its sequence number.
    pub sequence: u32,
    /// The first octet that is wrong, counted from the start of the PDU.
    pub offset: usize,
    /// What is wrong.
    pub kind: DecodeErrorKind,
}

/// What is wrong with a PDU.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum DecodeErrorKind {
    /// `command_length` is not between 16 and the limit.
    Length {
        /// As it came.
        length: u32,
        /// The limit, in octets.
        octets_max: usize,
    },
    /// A field or optional parameter is wrong.
    Field {
        /// Its name in the standard.
        field: &'static str,
        /// What is wrong with it.
        fault: FaultKind,
    },
}

impl Pdu {
    /// A request or response without optional parameters.
    #[must_use]
    pub const fn new(status: CommandStatus, sequence: u32, body: Body) -> Pdu {
        Pdu { status, sequence, body, tlvs: Tlvs::new() }
    }

    /// The command's id.
    #[must_use]
    pub const fn command_id(&self) -> CommandId {
        self.body.command_id()
    }

    /// Octets on the wire: `command_length`.
    #[must_use]
    #[inline]
    pub fn octets(&self) -> usize {
        let tlvs = if self.tlvs.is_empty() { 0 } else { self.body.stand_in_octets() + self.tlvs.octets() };
        HEADER_OCTETS + self.body.octets() + tlvs
    }

    /// Reads one whole frame, as [`next_frame`] gives it.
    ///
    /// # Errors
    /// The first field that is wrong; [`DecodeError::answer`] says what the peer is told.
    #[inline]
    pub fn decode(frame: &Bytes, leniency: Leniency) -> Result<Pdu, DecodeError> {
        let Some((id, status, sequence)) = frame::header(frame) else {
            return Err(DecodeError::short_of_a_header(frame.len()));
        };
        Pdu::read(id, status, sequence, Reader::new(frame, HEADER_OCTETS, &leniency))
    }

    /// Checks that a response with ESME_ROK has the body that the standard gives it. [`decode`](Pdu::decode) reads one without
    /// it whatever the leniency: a session must not lose an outcome because an id is missing.
    ///
    /// # Errors
    /// With the first field that is missing.
    pub fn check_body(&self) -> Result<(), DecodeError> {
        let field = match &self.body {
            _ if self.status != CommandStatus::ESME_ROK => return Ok(()),
            Body::BindTransmitterResp(None) | Body::BindReceiverResp(None) | Body::BindTransceiverResp(None) => {
                "system_id"
            }
            Body::SubmitSmResp(None)
            | Body::SubmitMultiResp(None)
            | Body::DataSmResp(None)
            | Body::DeliverSmResp(None)
            | Body::QuerySmResp(None) => "message_id",
            _ => return Ok(()),
        };
        let kind = DecodeErrorKind::Field { field, fault: FaultKind::Missing };
        let (command_id, command_status) = (self.command_id(), self.status);
        Err(DecodeError { command_id, command_status, sequence: self.sequence, offset: HEADER_OCTETS, kind })
    }

    #[cold]
    fn unread(
        id: CommandId,
        status: CommandStatus,
        sequence: u32,
        leniency: &Leniency,
        fault: Fault,
    ) -> Result<Pdu, DecodeError> {
        let is_error_response = id.is_response() && status != CommandStatus::ESME_ROK;
        match Body::empty(id) {
            Some(body) if leniency.unreadable_error_bodies && is_error_response => Ok(Pdu::new(status, sequence, body)),
            _ => Err(DecodeError::field(id, status, sequence, fault)),
        }
    }

    /// Writes the PDU at the end of `out`, which may hold others. A response whose body is left out although it has
    /// optional parameters is given an empty one: they would be read as the body. For speed `out` is for a moment a few
    /// octets longer than it will be.
    #[inline]
    pub fn encode(&self, out: &mut BytesMut) {
        self.write(out);
    }

    #[inline(always)]
    fn write_with<T: Wire>(&self, id: CommandId, body: &T, out: &mut BytesMut) {
        let stand_in = if self.tlvs.is_empty() { 0 } else { body.stand_in_octets() };
        let octets = HEADER_OCTETS + body.octets() + stand_in + self.tlvs.octets();
        let start = out.len();
        out.put_bytes(0, octets + Writer::SLACK);
        let mut w = Writer::new(&mut out[start..]);
        let length =
            u32::try_from(octets).expect("a PDU is far below 4 GiB: its parts are bounded by their length octets");
        let header: [u8; HEADER_OCTETS] = frame::header_octets([length, id.0, self.status.0, self.sequence]);
        w.first(&header, HEADER_OCTETS);
        body.write(&mut w);
        if !self.tlvs.is_empty() {
            w.zeros(stand_in);
            w.slice(self.tlvs.as_wire());
        }
        debug_assert_eq!(w.written(), octets, "{} measures its octets", id.printed());
        out.truncate(start + octets);
    }

    /// The PDU as octets of its own.
    #[must_use]
    pub fn to_octets(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(self.octets() + Writer::SLACK);
        self.encode(&mut out);
        out.freeze()
    }

    /// Shows addresses and texts too, where [`Display`](fmt::Display) gives their lengths. Not for logs.
    #[must_use]
    pub const fn in_full(&self) -> impl fmt::Display + '_ {
        InFull(self)
    }

    fn show(&self, out: &mut fmt::Formatter<'_>, private: bool) -> fmt::Result {
        write!(out, "seq={} {}", self.sequence, self.command_id().printed())?;
        if self.body.command_id().name().is_none() {
            write!(out, " command_id={:#010x}", self.command_id().0)?;
        }
        if self.command_id().is_response() || self.status != CommandStatus::ESME_ROK {
            write!(out, " status={}", self.status)?;
        }
        let mut p = Printer { out, private };
        self.body.show(&mut p)?;
        self.tlvs.iter().try_for_each(|(tag, value)| p.octets(&tag.printed(), &value))
    }
}

impl TlvTag {
    /// The name as the standard prints it, or the number where it has none.
    #[must_use]
    pub fn printed(self) -> String {
        self.name().map_or_else(|| format!("{:#06x}", self.0), str::to_ascii_lowercase)
    }
}

/// One line without what is private: lengths stand for addresses and texts, and passwords are never shown.
impl fmt::Display for Pdu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.show(f, false)
    }
}

struct InFull<'a>(&'a Pdu);

impl fmt::Display for InFull<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.show(f, true)
    }
}

impl DecodeError {
    #[cold]
    fn field(command_id: CommandId, command_status: CommandStatus, sequence: u32, fault: Fault) -> DecodeError {
        let kind = DecodeErrorKind::Field { field: fault.field, fault: fault.kind };
        DecodeError { command_id, command_status, sequence, offset: fault.offset as usize, kind }
    }
}

impl std::error::Error for DecodeError {}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            DecodeErrorKind::Length { length, octets_max } => {
                write!(f, "command_length is {length}, allowed are {HEADER_OCTETS} to {octets_max}")
            }
            DecodeErrorKind::Field { field, fault } => {
                write!(f, "{}: {field} at octet {}: {fault}", self.command_id.printed(), self.offset)
            }
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FaultKind::CutShort => f.write_str("the PDU ends before it does"),
            FaultKind::TooLong { max } => write!(f, "no NUL within the {max} octets it may have"),
            FaultKind::OutOfRange { value, allowed } => write!(f, "is {value}, allowed is {allowed}"),
            FaultKind::Leftover { octets } => {
                write!(f, "{octets} octets are left, an optional parameter has at least 4")
            }
            FaultKind::TlvOverrun { tag, length, left } => {
                write!(f, "{} claims {length} octets, {left} are left", TlvTag(*tag).printed())
            }
            FaultKind::Missing => f.write_str("field missing"),
        }
    }
}
