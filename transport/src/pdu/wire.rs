//! How one field is read, written and shown: the reader with its fence, the writer, the printer, and [`Wire`] for every
//! kind of field. What fields there are is listed in `shape`; where a frame ends is decided in `frame`.

use std::fmt;

use bytes::{Buf, Bytes};

use super::Leniency;
use super::value::{DataCoding, EsmClass, InterfaceVersion, MessageState, Npi, RegisteredDelivery, Ton};

/// A field: read from octets, written to octets, shown to a person.
pub(crate) trait Wire: Sized {
    fn read(r: &mut Reader<'_>) -> Result<Self, Fault>;
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
}

/// Reads fields from one frame, and never past its end.
pub(crate) struct Reader<'a> {
    frame: &'a Bytes,
    at: usize,
    leniency: Leniency,
}

impl<'a> Reader<'a> {
    pub(super) fn new(frame: &'a Bytes, at: usize, leniency: Leniency) -> Reader<'a> {
        Reader { frame, at, leniency }
    }

    /// Reads the next field; a fault in it carries its name.
    #[inline(always)]
    pub(super) fn field<T: Wire>(&mut self, name: &'static str) -> Result<T, Fault> {
        match T::read(self) {
            Ok(value) => Ok(value),
            Err(fault) => Err(fault.named(name)),
        }
    }

    #[inline(always)]
    pub(super) fn is_empty(&self) -> bool {
        self.at >= self.frame.len()
    }

    pub(super) fn leniency(&self) -> Leniency {
        self.leniency
    }

    pub(super) fn left(&self) -> &'a [u8] {
        &self.frame[self.at..]
    }

    /// All that is left, as a slice of the frame.
    pub(super) fn rest(&mut self) -> Bytes {
        let rest = self.frame.slice(self.at..);
        self.at = self.frame.len();
        rest
    }

    #[inline(always)]
    fn u8(&mut self) -> Result<u8, Fault> {
        match self.frame.get(self.at) {
            Some(&octet) => {
                self.at += 1;
                Ok(octet)
            }
            None => Err(self.fault(FaultKind::CutShort)),
        }
    }

    #[inline(always)]
    fn take(&mut self, octets: usize) -> Result<Bytes, Fault> {
        if octets > self.frame.len() - self.at {
            return Err(self.fault(FaultKind::CutShort));
        }
        let taken = self.frame.slice(self.at..self.at + octets);
        self.at += octets;
        Ok(taken)
    }

    /// A C-Octet String of at most `max` octets with its NUL.
    #[inline(always)]
    fn c_octets(&mut self, max: usize) -> Result<Bytes, Fault> {
        let left = self.left();
        let window = if self.leniency.overlong_strings { left } else { &left[..left.len().min(max)] };
        match window.iter().position(|&octet| octet == 0) {
            Some(0) => {
                self.at += 1;
                Ok(Bytes::new())
            }
            Some(length) => {
                let taken = self.frame.slice(self.at..self.at + length);
                self.at += length + 1;
                Ok(taken)
            }
            None => self.unterminated(left.len(), max),
        }
    }

    #[cold]
    fn unterminated(&mut self, left: usize, max: usize) -> Result<Bytes, Fault> {
        if self.leniency.unterminated_strings && left > 0 && left < max {
            return Ok(self.rest());
        }
        Err(self.fault(if left < max { FaultKind::CutShort } else { FaultKind::TooLong { max } }))
    }

    #[cold]
    fn fault(&self, kind: FaultKind) -> Fault {
        let offset = u32::try_from(self.at).unwrap_or(u32::MAX);
        Fault { kind, field: "", offset }
    }

    #[cold]
    pub(super) fn fault_at(&self, octets_on: usize, kind: FaultKind) -> Fault {
        let offset = u32::try_from(self.at + octets_on).unwrap_or(u32::MAX);
        Fault { kind, field: "optional parameters", offset }
    }

    #[cold]
    pub(super) fn out_of_range(&self, octet_back: usize, value: u32, allowed: &'static str) -> Fault {
        let offset = u32::try_from(self.at - octet_back).unwrap_or(u32::MAX);
        Fault { kind: FaultKind::OutOfRange { value, allowed }, field: "", offset }
    }
}

impl Fault {
    /// The innermost name stays: it is the nearest to the octets.
    #[cold]
    fn named(self, name: &'static str) -> Fault {
        if self.field.is_empty() { Fault { field: name, ..self } } else { self }
    }
}

/// Writes fields into octets that were measured before, so that nothing grows while writing.
pub(crate) struct Writer<'a> {
    left: &'a mut [u8],
}

impl<'a> Writer<'a> {
    pub(super) fn new(left: &'a mut [u8]) -> Writer<'a> {
        Writer { left }
    }

    #[inline(always)]
    pub(super) fn slice(&mut self, octets: &[u8]) {
        let (head, tail) = std::mem::take(&mut self.left).split_at_mut(octets.len());
        head.copy_from_slice(octets);
        self.left = tail;
    }

    #[inline(always)]
    fn u8(&mut self, octet: u8) {
        let (head, tail) = std::mem::take(&mut self.left).split_at_mut(1);
        head[0] = octet;
        self.left = tail;
    }

    #[inline(always)]
    pub(super) fn u32(&mut self, value: u32) {
        self.slice(&value.to_be_bytes());
    }

    pub(super) fn zeros(&mut self, octets: usize) {
        let (head, tail) = std::mem::take(&mut self.left).split_at_mut(octets);
        head.fill(0);
        self.left = tail;
    }

    pub(super) fn is_full(&self) -> bool {
        self.left.is_empty()
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

    fn hex(&mut self, octets: &[u8]) -> fmt::Result {
        octets.iter().try_for_each(|octet| write!(self.out, "{octet:02x}"))
    }
}

macro_rules! one_octet {($( $ty:ty = $show:literal; )*) => {$(
    impl Wire for $ty {
        #[inline(always)]
        fn read(r: &mut Reader<'_>) -> Result<Self, Fault> { r.u8().map(<$ty>::from_octet) }
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

/// A C-Octet String of at most `N` octets on the wire, its NUL among them (§3.1). Holds octets, not characters: peers
/// send Latin-1 and worse. A value read with [`Leniency::overlong_strings`] may be longer.
#[derive(Clone, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct COctets<const N: usize>(Bytes);

/// Why octets are no C-Octet String.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum StringError {
    /// More characters than the field may have.
    #[error("{length} characters, at most {max} are allowed")]
    TooLong {
        /// Characters given.
        length: usize,
        /// Characters allowed.
        max: usize,
    },
    /// A NUL inside: it would end the string on the wire.
    #[error("a NUL at character {at}: it would end the string")]
    Nul {
        /// Where.
        at: usize,
    },
    /// A character that is one octet in no encoding in use here.
    #[error("the character {character:?} at {at} is not in Latin-1")]
    NotLatin1 {
        /// Which.
        character: char,
        /// Where, in characters.
        at: usize,
    },
}

impl<const N: usize> COctets<N> {
    /// How many characters fit: all octets but the NUL.
    pub const MAX: usize = N - 1;

    /// A string of these octets.
    ///
    /// # Errors
    /// When there are more than [`MAX`](Self::MAX), or one is NUL.
    pub fn new(octets: impl Into<Bytes>) -> Result<Self, StringError> {
        let octets = octets.into();
        if octets.len() > Self::MAX {
            return Err(StringError::TooLong { length: octets.len(), max: Self::MAX });
        }
        match octets.iter().position(|&octet| octet == 0) {
            Some(at) => Err(StringError::Nul { at }),
            None => Ok(COctets(octets)),
        }
    }

    /// The octets, without the NUL.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The octets, without the NUL, shared with the frame they came in.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        self.0.clone()
    }

    /// Whether the string is the lone NUL.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The octets read as Latin-1, which loses nothing.
    #[must_use]
    pub fn text(&self) -> String {
        self.0.iter().map(|&octet| char::from(octet)).collect()
    }

    /// The same string in memory of its own. A value from a frame keeps the whole read buffer alive: copy what you keep.
    #[must_use]
    pub fn detached(&self) -> Self {
        COctets(Bytes::copy_from_slice(&self.0))
    }
}

impl<const N: usize> std::str::FromStr for COctets<N> {
    type Err = StringError;
    fn from_str(text: &str) -> Result<Self, StringError> {
        let latin1 = text.chars().enumerate().map(|(at, character)| {
            u8::try_from(u32::from(character)).map_err(|_| StringError::NotLatin1 { character, at })
        });
        COctets::new(latin1.collect::<Result<Vec<u8>, _>>()?)
    }
}

impl<const N: usize> TryFrom<&str> for COctets<N> {
    type Error = StringError;
    fn try_from(text: &str) -> Result<Self, StringError> {
        text.parse()
    }
}

impl<const N: usize> PartialEq<str> for COctets<N> {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}
impl<const N: usize> PartialEq<&str> for COctets<N> {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl<const N: usize> fmt::Debug for COctets<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

impl<const N: usize> fmt::Display for COctets<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl<const N: usize> Wire for COctets<N> {
    #[inline(always)]
    fn read(r: &mut Reader<'_>) -> Result<Self, Fault> {
        r.c_octets(N).map(COctets)
    }
    #[inline(always)]
    fn octets(&self) -> usize {
        self.0.len() + 1
    }
    #[inline(always)]
    fn write(&self, w: &mut Writer<'_>) {
        if !self.0.is_empty() {
            w.slice(&self.0);
        }
        w.u8(0);
    }
    fn show(&self, p: &mut Printer<'_, '_>) -> fmt::Result {
        write!(p.out, "{self:?}")
    }
}

/// The octets of a message, at most 254, with their length before them (§5.2.21, §5.2.22). One read with
/// [`Leniency::sm_length_255`] may have 255.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct ShortMessage(Bytes);

impl ShortMessage {
    /// Octets allowed (§5.2.21).
    pub const MAX: usize = 254;

    /// A message of these octets.
    ///
    /// # Errors
    /// When there are more than 254: they belong into the parameter message_payload.
    pub fn new(octets: impl Into<Bytes>) -> Result<Self, StringError> {
        let octets = octets.into();
        if octets.len() > Self::MAX {
            return Err(StringError::TooLong { length: octets.len(), max: Self::MAX });
        }
        Ok(ShortMessage(octets))
    }

    /// The octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The octets, shared with the frame they came in.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        self.0.clone()
    }

    /// The same message in memory of its own.
    #[must_use]
    pub fn detached(&self) -> Self {
        ShortMessage(Bytes::copy_from_slice(&self.0))
    }
}

impl Wire for ShortMessage {
    #[inline(always)]
    fn read(r: &mut Reader<'_>) -> Result<Self, Fault> {
        let sm_length = r.field::<u8>("sm_length")?;
        if sm_length == 255 && !r.leniency.sm_length_255 {
            return Err(Fault { field: "sm_length", ..r.out_of_range(1, 255, "0 to 254") });
        }
        r.take(usize::from(sm_length)).map(ShortMessage)
    }
    #[inline(always)]
    fn octets(&self) -> usize {
        1 + self.0.len()
    }
    #[inline(always)]
    fn write(&self, w: &mut Writer<'_>) {
        w.u8(u8::try_from(self.0.len()).expect("a ShortMessage has at most 255 octets"));
        w.slice(&self.0);
    }
    fn show(&self, p: &mut Printer<'_, '_>) -> fmt::Result {
        p.hex(&self.0)
    }
}

/// A destination of submit_multi (§4.5.1.1), by its dest_flag.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Destination {
    /// dest_flag 1: an address.
    Address {
        /// Type of number.
        ton: Ton,
        /// Numbering plan.
        npi: Npi,
        /// The address.
        address: COctets<21>,
    },
    /// dest_flag 2: a distribution list of the SMSC's.
    List(COctets<21>),
}

/// The destinations of submit_multi, 1 to 254 (§5.2.24).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Destinations(Vec<Destination>);

/// One destination, its address empty: there is no submit_multi without any.
impl Default for Destinations {
    fn default() -> Self {
        Destinations(vec![Destination::Address { ton: Ton::UNKNOWN, npi: Npi::UNKNOWN, address: COctets::default() }])
    }
}

/// A destination that a submit_multi did not reach (§4.5.2.1).
#[derive(Clone, Debug, Default, Eq, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UnsuccessSme {
    /// Type of number.
    pub dest_addr_ton: Ton,
    /// Numbering plan.
    pub dest_addr_npi: Npi,
    /// The address.
    pub destination_addr: COctets<21>,
    /// Why.
    pub error_status_code: super::CommandStatus,
}

/// The destinations that a submit_multi did not reach, at most 255.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Unsuccessful(Vec<UnsuccessSme>);

/// More or fewer entries than a list may have.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{length} entries, {min} to {max} are allowed")]
pub struct ListError {
    /// Entries given.
    pub length: usize,
    /// Entries allowed, at least.
    pub min: usize,
    /// Entries allowed, at most.
    pub max: usize,
}

macro_rules! list {($( $name:ident of $entry:ty, $min:literal to $max:literal; )*) => {$(
    impl $name {
        /// Entries allowed, at least.
        pub const MIN: usize = $min;
        /// Entries allowed, at most.
        pub const MAX: usize = $max;

        /// A list of these entries.
        ///
        /// # Errors
        /// When there are fewer than [`MIN`](Self::MIN) or more than [`MAX`](Self::MAX).
        pub fn new(entries: Vec<$entry>) -> Result<Self, ListError> {
            let (length, min, max) = (entries.len(), Self::MIN, Self::MAX);
            if (min..=max).contains(&length) { Ok($name(entries)) } else { Err(ListError { length, min, max }) }
        }

        /// How many there are, as the octet before them says.
        fn count(&self) -> u8 { u8::try_from(self.0.len()).expect("a list has at most 255 entries") }
    }

    impl std::ops::Deref for $name {
        type Target = [$entry];
        fn deref(&self) -> &[$entry] { &self.0 }
    }
)*}}
list! { Destinations of Destination, 1 to 254; Unsuccessful of UnsuccessSme, 0 to 255; }

impl Wire for Destinations {
    fn read(r: &mut Reader<'_>) -> Result<Self, Fault> {
        let count = r.field::<u8>("number_of_dests")?;
        if count == 0 || count == 255 {
            return Err(Fault { field: "number_of_dests", ..r.out_of_range(1, u32::from(count), "1 to 254") });
        }
        (0..count).map(|_| Destination::read(r)).collect::<Result<_, _>>().map(Destinations)
    }
    fn octets(&self) -> usize {
        1 + self.0.iter().map(Wire::octets).sum::<usize>()
    }
    fn write(&self, w: &mut Writer<'_>) {
        w.u8(self.count());
        self.0.iter().for_each(|entry| entry.write(w));
    }
    fn show(&self, p: &mut Printer<'_, '_>) -> fmt::Result {
        write!(p.out, "{:?}", self.0)
    }
}

impl Wire for Destination {
    fn read(r: &mut Reader<'_>) -> Result<Self, Fault> {
        match r.field::<u8>("dest_flag")? {
            1 => Ok(Destination::Address {
                ton: r.field("dest_addr_ton")?,
                npi: r.field("dest_addr_npi")?,
                address: r.field("destination_addr")?,
            }),
            2 => r.field("dl_name").map(Destination::List),
            other => {
                Err(Fault { field: "dest_flag", ..r.out_of_range(1, u32::from(other), "1 (address) or 2 (list)") })
            }
        }
    }
    fn octets(&self) -> usize {
        match self {
            Destination::Address { address, .. } => 3 + address.octets(),
            Destination::List(name) => 1 + name.octets(),
        }
    }
    fn write(&self, w: &mut Writer<'_>) {
        match self {
            Destination::Address { ton, npi, address } => {
                w.slice(&[1, ton.0, npi.0]);
                address.write(w);
            }
            Destination::List(name) => {
                w.u8(2);
                name.write(w);
            }
        }
    }
    fn show(&self, p: &mut Printer<'_, '_>) -> fmt::Result {
        write!(p.out, "{self:?}")
    }
}

impl Wire for Unsuccessful {
    fn read(r: &mut Reader<'_>) -> Result<Self, Fault> {
        let count = r.field::<u8>("no_unsuccess")?;
        let mut entries = Vec::new();
        for _ in 0..count {
            if r.is_empty() && r.leniency.short_lists {
                break;
            }
            entries.push(UnsuccessSme::read(r)?);
        }
        Ok(Unsuccessful(entries))
    }
    fn octets(&self) -> usize {
        1 + self.0.iter().map(Wire::octets).sum::<usize>()
    }
    fn write(&self, w: &mut Writer<'_>) {
        w.u8(self.count());
        self.0.iter().for_each(|entry| entry.write(w));
    }
    fn show(&self, p: &mut Printer<'_, '_>) -> fmt::Result {
        write!(p.out, "{:?}", self.0)
    }
}

impl Wire for UnsuccessSme {
    fn read(r: &mut Reader<'_>) -> Result<Self, Fault> {
        Ok(UnsuccessSme {
            dest_addr_ton: r.field("dest_addr_ton")?,
            dest_addr_npi: r.field("dest_addr_npi")?,
            destination_addr: r.field("destination_addr")?,
            error_status_code: super::CommandStatus(r.field("error_status_code")?),
        })
    }
    fn octets(&self) -> usize {
        6 + self.destination_addr.octets()
    }
    fn write(&self, w: &mut Writer<'_>) {
        w.slice(&[self.dest_addr_ton.0, self.dest_addr_npi.0]);
        self.destination_addr.write(w);
        w.u32(self.error_status_code.0);
    }
    fn show(&self, p: &mut Printer<'_, '_>) -> fmt::Result {
        write!(p.out, "{self:?}")
    }
}

impl Wire for u32 {
    #[inline(always)]
    fn read(r: &mut Reader<'_>) -> Result<Self, Fault> {
        r.take(4).map(|mut octets| octets.get_u32())
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
