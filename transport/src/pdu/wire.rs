//! How one field is read, written and shown: the reader with its fence, the writer, the printer, and [`Wire`] for every
//! kind of field. What fields there are is listed in `shape`; where a frame ends is decided in `frame`.

use std::fmt;

use bytes::Bytes;

use super::Leniency;
use super::value::{DataCoding, EsmClass, InterfaceVersion, MessageState, Npi, RegisteredDelivery, Ton};

/// A field: read from octets, written to octets, shown to a person.
pub(crate) trait Wire: Sized {
    /// Reads the field, or something empty in its place: what is wrong is noted by the reader, under the field's name.
    fn read(r: &mut Reader<'_>, name: &'static str) -> Self;
    /// How many octets [`write`](Wire::write) writes.
    fn octets(&self) -> usize;
    /// Cannot fail: the limits were met when the value was made.
    fn write(&self, w: &mut Writer<'_>);
    fn show(&self, p: &mut Printer<'_, '_>) -> fmt::Result;
    /// How many zeros stand in for a body that is left out, where optional parameters follow: without them those would
    /// be read as the body.
    #[inline]
    fn stand_in_octets(&self) -> usize {
        0
    }
}

/// What is wrong with a field, and where: the first octet of the field, counted from the start of the PDU.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(super) kind: FaultKind,
    pub(super) field: &'static str,
    pub(super) offset: u32,
}

/// What can be wrong with a field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FaultKind {
    /// The PDU ends before the field does.
    CutShort,
    /// A string without its NUL within the octets it may have.
    TooLong {
        /// Octets allowed, with the NUL.
        max: usize,
    },
    /// A number outside of what is allowed.
    OutOfRange {
        /// What was there.
        value: u32,
        /// What is allowed, in words.
        allowed: &'static str,
    },
    /// Octets after the last field that are no optional parameter.
    Leftover {
        /// How many.
        octets: usize,
    },
    /// An optional parameter that claims more octets than there are.
    TlvOverrun {
        /// Its tag.
        tag: u16,
        /// The length it claims.
        length: usize,
        /// The octets that are there.
        left: usize,
    },
    /// A mandatory field of a response with ESME_ROK is not there: the response is a header alone.
    Missing,
}

/// Reads fields from one frame, and never past its end.
///
/// The reader remembers the first fault, and has nothing left from there on: the fields after it read as empty. So a
/// body is put together where it stays, without a way out at each of its fields; whoever reads asks for the fault at the
/// end.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    frame: &'a Bytes,
    left: &'a [u8],
    leniency: &'a Leniency,
    fault: Option<Fault>,
}

impl<'a> Reader<'a> {
    #[inline(always)]
    pub(super) fn new(frame: &'a Bytes, at: usize, leniency: &'a Leniency) -> Reader<'a> {
        Reader { frame, left: frame.get(at..).unwrap_or_default(), leniency, fault: None }
    }

    /// The first fault, if any.
    #[inline(always)]
    pub(super) fn fault(&self) -> Option<Fault> {
        self.fault
    }

    #[inline(always)]
    pub(super) fn has_failed(&self) -> bool {
        self.fault.is_some()
    }

    /// Notes that the field that starts `octets_back` is wrong.
    #[inline(always)]
    pub(super) fn fail(&mut self, octets_back: usize, name: &'static str, kind: FaultKind) {
        if self.fault.is_none() {
            self.fault = Some(fault(self.at() - octets_back, name, kind));
        }
        self.left = &[];
    }

    #[inline(always)]
    pub(super) fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    #[inline(always)]
    pub(super) fn leniency(&self) -> &'a Leniency {
        self.leniency
    }

    #[inline(always)]
    pub(super) fn left(&self) -> &'a [u8] {
        self.left
    }

    #[inline(always)]
    pub(super) fn frame(&self) -> &'a Bytes {
        self.frame
    }

    /// Octets before those that are left.
    #[inline(always)]
    fn at(&self) -> usize {
        self.frame.len() - self.left.len()
    }

    /// The next octets as a slice of the frame; the caller has seen that there are as many.
    #[inline(always)]
    pub(super) fn slice(&mut self, octets: usize) -> Bytes {
        let at = self.at();
        self.left = &self.left[octets..];
        self.frame.slice(at..at + octets)
    }

    /// All that is left, as a slice of the frame.
    #[inline(always)]
    pub(super) fn rest(&mut self) -> Bytes {
        self.slice(self.left.len())
    }

    #[inline(always)]
    pub(super) fn skip(&mut self, octets: usize) {
        self.left = &self.left[octets..];
    }

    #[inline(always)]
    pub(super) fn u8(&mut self, name: &'static str) -> u8 {
        let Some((&octet, left)) = self.left.split_first() else {
            self.fail(0, name, FaultKind::CutShort);
            return 0;
        };
        self.left = left;
        octet
    }
}

#[cold]
#[inline(never)]
fn fault(at: usize, field: &'static str, kind: FaultKind) -> Fault {
    Fault { kind, field, offset: u32::try_from(at).unwrap_or(u32::MAX) }
}

/// Writes fields into octets that were measured before, so that nothing grows while writing.
pub(crate) struct Writer<'a> {
    out: &'a mut [u8],
    at: usize,
}

impl<'a> Writer<'a> {
    /// How many octets there must be after those that are written.
    pub(super) const SLACK: usize = 24;

    #[inline(always)]
    pub(super) fn new(out: &'a mut [u8]) -> Writer<'a> {
        Writer { out, at: 0 }
    }

    #[inline(always)]
    pub(super) fn slice(&mut self, octets: &[u8]) {
        self.out[self.at..][..octets.len()].copy_from_slice(octets);
        self.at += octets.len();
    }

    /// The first of these octets. All are written, in one go: what is too much is written over, and at the end there is
    /// [`SLACK`](Writer::SLACK).
    #[inline(always)]
    pub(super) fn first<const N: usize>(&mut self, octets: &[u8; N], count: usize) {
        const { assert!(N <= Writer::SLACK) };
        self.out[self.at..][..N].copy_from_slice(octets);
        self.at += count;
    }

    #[inline(always)]
    pub(super) fn u8(&mut self, octet: u8) {
        self.out[self.at] = octet;
        self.at += 1;
    }

    #[inline(always)]
    pub(super) fn u32(&mut self, value: u32) {
        self.slice(&value.to_be_bytes());
    }

    pub(super) fn zeros(&mut self, octets: usize) {
        self.out[self.at..][..octets].fill(0);
        self.at += octets;
    }

    /// How many octets are written.
    #[inline(always)]
    pub(super) fn written(&self) -> usize {
        self.at
    }
}

/// Shows fields in one line. Passwords are never shown; numbers and texts of people only on request.
pub(crate) struct Printer<'a, 'b> {
    pub(super) out: &'a mut fmt::Formatter<'b>,
    pub(super) private: bool,
}

impl Printer<'_, '_> {
    pub(super) fn field<T: Wire>(&mut self, name: &'static str, value: &T) -> fmt::Result {
        write!(self.out, " {name}=")?;
        match name {
            "password" => self.out.write_str("***"),
            "source_addr" | "destination_addr" | "esme_addr" | "address_range" | "dest_address" | "unsuccess_sme"
            | "short_message"
                if !self.private =>
            {
                write!(self.out, "[{}]", value.octets())
            }
            _ => value.show(self),
        }
    }

    pub(super) fn octets(&mut self, name: &str, octets: &[u8]) -> fmt::Result {
        write!(self.out, " {name}=")?;
        if self.private { self.hex(octets) } else { write!(self.out, "[{}]", octets.len()) }
    }

    pub(super) fn hex(&mut self, octets: &[u8]) -> fmt::Result {
        octets.iter().try_for_each(|octet| write!(self.out, "{octet:02x}"))
    }
}

macro_rules! one_octet {($( $ty:ty = $show:literal; )*) => {$(
    impl Wire for $ty {
        #[inline(always)]
        fn read(r: &mut Reader<'_>, name: &'static str) -> Self { <$ty>::from_octet(r.u8(name)) }
        #[inline(always)]
        fn octets(&self) -> usize { 1 }
        #[inline(always)]
        fn write(&self, w: &mut Writer<'_>) { w.u8(self.to_octet()) }
        fn show(&self, p: &mut Printer<'_, '_>) -> fmt::Result { write!(p.out, $show, self.to_octet()) }
    }
)*}}
macro_rules! octet_newtype {($( $ty:ident )*) => {$(
    impl OneOctet for $ty {
        #[inline(always)]
        fn from_octet(octet: u8) -> Self { $ty(octet) }
        #[inline(always)]
        fn to_octet(&self) -> u8 { self.0 }
    }
)*}}

trait OneOctet {
    fn from_octet(octet: u8) -> Self;
    fn to_octet(&self) -> u8;
}

impl OneOctet for u8 {
    #[inline(always)]
    fn from_octet(octet: u8) -> Self {
        octet
    }
    #[inline(always)]
    fn to_octet(&self) -> u8 {
        *self
    }
}
octet_newtype! { Ton Npi InterfaceVersion EsmClass RegisteredDelivery DataCoding MessageState }
one_octet! {
    u8 = "{}"; Ton = "{}"; Npi = "{}"; MessageState = "{}";
    InterfaceVersion = "{:#04x}"; EsmClass = "{:#04x}"; RegisteredDelivery = "{:#04x}"; DataCoding = "{:#04x}";
}

/// All that is left: the body of a command that is not in the standard.
impl Wire for Bytes {
    fn read(r: &mut Reader<'_>, _name: &'static str) -> Self {
        r.rest()
    }
    fn octets(&self) -> usize {
        self.len()
    }
    fn write(&self, w: &mut Writer<'_>) {
        w.slice(self);
    }
    fn show(&self, p: &mut Printer<'_, '_>) -> fmt::Result {
        p.octets("body", self)
    }
}

impl Wire for u32 {
    #[inline(always)]
    fn read(r: &mut Reader<'_>, name: &'static str) -> Self {
        let Some((octets, left)) = r.left.split_first_chunk() else {
            r.fail(0, name, FaultKind::CutShort);
            return 0;
        };
        r.left = left;
        u32::from_be_bytes(*octets)
    }
    #[inline(always)]
    fn octets(&self) -> usize {
        4
    }
    #[inline(always)]
    fn write(&self, w: &mut Writer<'_>) {
        w.u32(*self);
    }
    fn show(&self, p: &mut Printer<'_, '_>) -> fmt::Result {
        write!(p.out, "{self}")
    }
}
