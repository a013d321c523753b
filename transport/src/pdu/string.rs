//! Strings and messages: octets with a NUL after them, and octets with their length before them.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use bytes::Bytes;

use super::Leniency;
use super::wire::{FaultKind, Printer, Reader, Wire, Writer};

/// A C-Octet String of at most `N` octets on the wire, its NUL among them (§3.1). Holds octets, not characters: peers
/// send Latin-1 and worse. A value read with [`Leniency::overlong_strings`] may be longer.
#[derive(Clone, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct COctets<const N: usize>(Octets);

/// Octets read as Latin-1, which loses nothing; most are ASCII, and stay as they are.
#[must_use]
pub fn latin1(octets: &[u8]) -> String {
    match str::from_utf8(octets) {
        Ok(text) if octets.is_ascii() => text.to_owned(),
        _ => octets.iter().map(|&octet| char::from(octet)).collect(),
    }
}

/// Up to how many octets are kept in place: with their NUL and their number, an [`Octets`] is no larger than the `Bytes`
/// in it.
const SHORT_MAX: usize = WINDOW - 2;
const WINDOW: usize = 24;
const _: () = assert!(size_of::<Octets>() == size_of::<Bytes>());

/// Octets that are mostly few: to copy an address is less work than to count one more reference to the frame, and keeps
/// no read buffer alive. Long ones are slices of the frame.
#[derive(Clone)]
enum Octets {
    /// The last octet is how many of the others count; after those is a NUL, and whatever was copied with them.
    Short([u8; WINDOW]),
    Shared(Bytes),
}

impl Octets {
    fn as_slice(&self) -> &[u8] {
        match self {
            Octets::Short(octets) => &octets[..short_len(octets)],
            Octets::Shared(octets) => octets,
        }
    }

    fn short(from: &[u8]) -> Option<Octets> {
        let mut octets = [0; WINDOW];
        octets[..SHORT_MAX].get_mut(..from.len())?.copy_from_slice(from);
        octets[WINDOW - 1] = u8::try_from(from.len()).ok()?;
        Some(Octets::Short(octets))
    }

    #[inline(always)]
    fn len(&self) -> usize {
        match self {
            Octets::Short(octets) => usize::from(octets[WINDOW - 1]),
            Octets::Shared(octets) => octets.len(),
        }
    }

    /// The octets before the next NUL, which is within `max` octets unless longer ones are tolerated.
    #[inline(always)]
    fn read(r: &mut Reader<'_>, max: usize, name: &'static str) -> Octets {
        if let Some(window) = r.left().first_chunk()
            && let Some(length) = first_nul(window)
            && (length < max || r.leniency().overlong_strings)
        {
            r.skip(length + 1);
            return Octets::Short(with_length(window, length));
        }
        match Octets::read_with_care(r.frame(), r.left(), max, r.leniency()) {
            Ok((octets, on_the_wire)) => {
                r.skip(on_the_wire);
                octets
            }
            Err(kind) => {
                r.fail(0, name, kind);
                Octets::default()
            }
        }
    }

    /// Long ones, those near the end of the PDU, and bad ones; with how many octets they take there.
    #[inline(never)]
    fn read_with_care(
        frame: &Bytes,
        left: &[u8],
        max: usize,
        leniency: &Leniency,
    ) -> Result<(Octets, usize), FaultKind> {
        let window = next_octets(frame, left);
        if let Some(length) = first_nul(&window)
            && length < left.len()
            && (length < max || leniency.overlong_strings)
        {
            return Ok((Octets::Short(with_length(&window, length)), length + 1));
        }
        let allowed = if leniency.overlong_strings { left } else { &left[..left.len().min(max)] };
        if let Some(length) = allowed.iter().position(|&octet| octet == 0) {
            return Ok((Octets::from(frame.slice_ref(&left[..length])), length + 1));
        }
        if leniency.unterminated_strings && !left.is_empty() && left.len() < max {
            return Ok((Octets::from(frame.slice_ref(left)), left.len()));
        }
        Err(if left.len() < max { FaultKind::CutShort } else { FaultKind::TooLong { max } })
    }
}

#[inline(always)]
fn short_len(octets: &[u8; WINDOW]) -> usize {
    usize::from(octets[WINDOW - 1]).min(SHORT_MAX)
}

/// The window with `length` in its last octet.
#[inline(always)]
fn with_length(window: &[u8; WINDOW], length: usize) -> [u8; WINDOW] {
    let mut octets = *window;
    if let Some(last) = octets.last_chunk_mut() {
        *last = (u64::from_le_bytes(*last) << 8 >> 8 | (length as u64) << 56).to_le_bytes();
    }
    octets
}

/// What is left of the frame, as far as it goes, and zeros: eight octets at a time.
#[inline(always)]
fn next_octets(frame: &[u8], left: &[u8]) -> [u8; WINDOW] {
    let mut window = [0; WINDOW];
    let (words, _) = window.as_chunks_mut();
    for (at, word) in words.iter_mut().enumerate() {
        let left = left.get(at * 8..).unwrap_or_default();
        *word = match (left.first_chunk(), frame.last_chunk()) {
            (Some(whole), _) => *whole,
            (None, Some(last)) if !left.is_empty() => {
                (u64::from_le_bytes(*last) >> (64 - 8 * left.len())).to_le_bytes()
            }
            _ => [0; 8],
        };
    }
    window
}

/// Where the first NUL is, if at most [`SHORT_MAX`] octets are before it: eight octets at a time. A word minus 1 in each
/// octet borrows into the top bit of those that are 0, and of no octet below the first of them.
#[inline(always)]
fn first_nul(window: &[u8; WINDOW]) -> Option<usize> {
    const ONES: u64 = u64::from_le_bytes([0x01; 8]);
    const TOPS: u64 = u64::from_le_bytes([0x80; 8]);
    let (words, _) = window.as_chunks();
    for (at, word) in words.iter().enumerate() {
        let not_the_last = if at == 2 { 0xFF << 56 } else { 0 };
        let word = u64::from_le_bytes(*word) | not_the_last;
        let nuls = word.wrapping_sub(ONES) & !word & TOPS;
        if nuls != 0 {
            return Some(at * 8 + nuls.trailing_zeros() as usize / 8);
        }
    }
    None
}

impl Default for Octets {
    fn default() -> Self {
        Octets::Short([0; WINDOW])
    }
}

impl From<Bytes> for Octets {
    fn from(octets: Bytes) -> Self {
        Octets::short(&octets).unwrap_or(Octets::Shared(octets))
    }
}

impl PartialEq for Octets {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}
impl Eq for Octets {}

impl PartialOrd for Octets {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Octets {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_slice().cmp(other.as_slice())
    }
}
impl Hash for Octets {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_slice().hash(state);
    }
}

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
        COctets::with_max(octets, Self::MAX)
    }

    /// A string of at most `max` octets, which may be more than [`MAX`](Self::MAX): for peers that ask for longer ones than the
    /// standard allows.
    ///
    /// # Errors
    /// When there are more than `max`, or one is NUL.
    pub fn with_max(octets: impl Into<Bytes>, max: usize) -> Result<Self, StringError> {
        let octets = octets.into();
        if octets.len() > max {
            return Err(StringError::TooLong { length: octets.len(), max });
        }
        match octets.iter().position(|&octet| octet == 0) {
            Some(at) => Err(StringError::Nul { at }),
            None => Ok(COctets(octets.into())),
        }
    }

    /// The octets, without the NUL.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// The octets, without the NUL: a copy if they are few, else shared with the frame they came in.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        match &self.0 {
            Octets::Short(_) => Bytes::copy_from_slice(self.as_bytes()),
            Octets::Shared(octets) => octets.clone(),
        }
    }

    /// Whether the string is the lone NUL.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }

    /// The octets read as Latin-1, which loses nothing.
    #[must_use]
    pub fn text(&self) -> String {
        latin1(self.as_bytes())
    }

    /// The same string in memory of its own. A long value keeps the whole read buffer alive: copy what you keep.
    #[must_use]
    pub fn detached(&self) -> Self {
        COctets(
            Octets::short(self.as_bytes()).unwrap_or_else(|| Octets::Shared(Bytes::copy_from_slice(self.as_bytes()))),
        )
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
        self.as_bytes() == other.as_bytes()
    }
}
impl<const N: usize> PartialEq<&str> for COctets<N> {
    fn eq(&self, other: &&str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl<const N: usize> fmt::Debug for COctets<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}

impl<const N: usize> fmt::Display for COctets<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_bytes().escape_ascii())
    }
}

impl<const N: usize> Wire for COctets<N> {
    #[inline(always)]
    fn read(r: &mut Reader<'_>, name: &'static str) -> Self {
        COctets(Octets::read(r, N, name))
    }
    #[inline(always)]
    fn octets(&self) -> usize {
        self.0.len() + 1
    }
    #[inline(always)]
    fn write(&self, w: &mut Writer<'_>) {
        match &self.0 {
            Octets::Short(octets) => w.first(octets, usize::from(octets[WINDOW - 1]) + 1),
            Octets::Shared(octets) => {
                w.slice(octets);
                w.u8(0);
            }
        }
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
    fn read(r: &mut Reader<'_>, name: &'static str) -> Self {
        let sm_length = r.u8("sm_length");
        if sm_length == 0 {
            return ShortMessage::default();
        }
        if sm_length == 255 && !r.leniency().sm_length_255 {
            r.fail(1, "sm_length", FaultKind::OutOfRange { value: 255, allowed: "0 to 254" });
            return ShortMessage::default();
        }
        if r.left().len() < usize::from(sm_length) {
            r.fail(0, name, FaultKind::CutShort);
            return ShortMessage::default();
        }
        ShortMessage(r.slice(usize::from(sm_length)))
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
