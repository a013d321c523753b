//! The user data header of a short message (3GPP 23.040 §9.2.3.24).
//!
//! `UDHL | IEI IEDL data… | IEI IEDL data… | …` stands at the start of the user data when the UDHI bit of `esm_class` is
//! set (SMPP 3.4 §5.2.12). Here octets become elements and back; how parts make a message is not decided here.

use bytes::{Buf, Bytes};
use thiserror::Error;

/// Largest value of the UDHL octet, which does not count itself.
pub const UDHL_MAX: usize = 255;

/// One information element. Unknown identifiers are kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Element {
    /// The information element identifier (IEI).
    pub id: u8,
    /// What it holds, 0–253 octets in a header that can be written.
    pub data: Bytes,
}

/// A user data header: its elements in the order of the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Udh {
    elements: Vec<Element>,
}

/// How wide the reference of a [`Concatenation`] is. The two kinds number their messages apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Width {
    /// Element 0x00.
    Bits8,
    /// Element 0x08.
    Bits16,
}

/// Which part of which long message this is (23.040 §9.2.3.24.1 and §9.2.3.24.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Concatenation {
    /// Width of the reference on the wire.
    pub width: Width,
    /// The sender's number for the long message; 0–255 when the width is 8 bits.
    pub reference: u16,
    /// How many parts there are, 1–255.
    pub total: u8,
    /// Which one this is, 1 to `total`.
    pub number: u8,
}

/// Application ports (23.040 §9.2.3.24.3 and §9.2.3.24.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ports {
    /// The port the message goes to.
    pub destination: u16,
    /// The port it came from.
    pub source: u16,
}

/// Octets that are no user data header, or a header that cannot be written.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum UdhError {
    /// There is not even a UDHL.
    #[error("user data is empty where a header should start")]
    Empty,
    /// UDHL reaches beyond the user data.
    #[error("UDHL is {udhl} but only {available} octets of user data follow it")]
    HeaderOverrun {
        /// The length the header claims, in octets.
        udhl: u8,
        /// Octets there are after UDHL.
        available: usize,
    },
    /// An element has an identifier and no length.
    #[error("element 0x{id:02X} at octet {offset} has no length")]
    ElementWithoutLength {
        /// The element's identifier.
        id: u8,
        /// Where the element starts, in octets from UDHL.
        offset: usize,
    },
    /// An element reaches beyond the header.
    #[error("element 0x{id:02X} at octet {offset} claims {length} octets but the header has {available} left")]
    ElementOverrun {
        /// The element's identifier.
        id: u8,
        /// Where the element starts, in octets from UDHL.
        offset: usize,
        /// The length it claims, in octets.
        length: u8,
        /// Octets left in the header after the element's length.
        available: usize,
    },
    /// The elements are longer than UDHL can say.
    #[error("header of {octets} octets is longer than the {UDHL_MAX} that UDHL can say")]
    TooLong {
        /// What UDHL would have to be.
        octets: usize,
    },
}

impl Element {
    /// Concatenated short message, 8-bit reference.
    pub const CONCATENATION_8: u8 = 0x00;
    /// Application port addressing, 8-bit ports.
    pub const PORTS_8: u8 = 0x04;
    /// Application port addressing, 16-bit ports.
    pub const PORTS_16: u8 = 0x05;
    /// Concatenated short message, 16-bit reference.
    pub const CONCATENATION_16: u8 = 0x08;
    /// National language single shift (23.040 §9.2.3.24.15).
    pub const SINGLE_SHIFT: u8 = 0x24;
    /// National language locking shift (23.040 §9.2.3.24.16).
    pub const LOCKING_SHIFT: u8 = 0x25;

    /// An element with a copy of `data`.
    #[must_use]
    pub fn new(id: u8, data: &[u8]) -> Self {
        Self { id, data: Bytes::copy_from_slice(data) }
    }
}

impl From<Concatenation> for Element {
    /// With [`Width::Bits8`] only the low octet of the reference is written.
    fn from(Concatenation { width, reference, total, number }: Concatenation) -> Self {
        let [high, low] = reference.to_be_bytes();
        match width {
            Width::Bits8 => Self::new(Self::CONCATENATION_8, &[low, total, number]),
            Width::Bits16 => Self::new(Self::CONCATENATION_16, &[high, low, total, number]),
        }
    }
}

impl Udh {
    /// A header without elements.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the header at the start of `user_data` (UDHL first) and returns it with what follows it. Nothing is copied.
    ///
    /// # Errors
    ///
    /// [`UdhError`] names what overran and where; no octet is skipped to make sense of the rest.
    pub fn read(user_data: &Bytes) -> Result<(Self, Bytes), UdhError> {
        let (&udhl, after) = user_data.split_first().ok_or(UdhError::Empty)?;
        if usize::from(udhl) > after.len() {
            return Err(UdhError::HeaderOverrun { udhl, available: after.len() });
        }
        let end = 1 + usize::from(udhl);
        let mut header = user_data.slice(1..end);
        let mut elements = Vec::new();
        while header.has_remaining() {
            elements.push(read_element(&mut header, end)?);
        }
        Ok((Self { elements }, user_data.slice(end..)))
    }

    /// Writes the header, UDHL first.
    ///
    /// # Errors
    ///
    /// [`UdhError::TooLong`] when the elements need more than [`UDHL_MAX`] octets.
    pub fn write(&self) -> Result<Vec<u8>, UdhError> {
        let octets = self.elements.iter().map(|element| 2 + element.data.len()).sum();
        let udhl = u8::try_from(octets).map_err(|_| UdhError::TooLong { octets })?;
        let mut out = Vec::with_capacity(1 + octets);
        out.push(udhl);
        for Element { id, data } in &self.elements {
            // UDHL counts more than this length, so what fits UDHL fits here.
            out.extend([*id, u8::try_from(data.len()).unwrap_or(u8::MAX)]);
            out.extend_from_slice(data);
        }
        Ok(out)
    }

    /// Adds an element at the end.
    pub fn push(&mut self, element: Element) {
        self.elements.push(element);
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// The elements, in the order of the wire.
    pub fn iter(&self) -> std::slice::Iter<'_, Element> {
        self.elements.iter()
    }

    /// What the element `id` holds. When it is repeated the last one counts (23.040 §9.2.3.24).
    #[must_use]
    pub fn get(&self, id: u8) -> Option<&Bytes> {
        self.last_of(|element| (element.id == id).then_some(&element.data))
    }

    /// Which part of a long message this is; `None` when it is a message of its own.
    ///
    /// An element with a total or number of 0, or a number above the total, or of the wrong length, is ignored as the
    /// standard asks. Of several, of either width, the last one that is valid counts.
    #[must_use]
    pub fn concatenation(&self) -> Option<Concatenation> {
        self.last_of(concatenation)
    }

    /// The application ports, if any, from the last element of either width.
    #[must_use]
    pub fn ports(&self) -> Option<Ports> {
        self.last_of(|element| match (element.id, element.data.as_ref()) {
            (Element::PORTS_8, &[destination, source]) => {
                Some(Ports { destination: destination.into(), source: source.into() })
            }
            (Element::PORTS_16, &[d1, d0, s1, s0]) => {
                Some(Ports { destination: u16::from_be_bytes([d1, d0]), source: u16::from_be_bytes([s1, s0]) })
            }
            _ => None,
        })
    }

    /// The national language of the single shift table, if one is named (23.038 §6.2.1.2.4).
    #[must_use]
    pub fn single_shift(&self) -> Option<u8> {
        self.language(Element::SINGLE_SHIFT)
    }

    /// The national language of the locking shift table, if one is named (23.038 §6.2.1.2.4).
    #[must_use]
    pub fn locking_shift(&self) -> Option<u8> {
        self.language(Element::LOCKING_SHIFT)
    }

    fn language(&self, id: u8) -> Option<u8> {
        self.last_of(|element| match (element.id, element.data.as_ref()) {
            (found, &[language]) if found == id => Some(language),
            _ => None,
        })
    }

    fn last_of<'a, T>(&'a self, view: impl Fn(&'a Element) -> Option<T>) -> Option<T> {
        self.elements.iter().rev().find_map(view)
    }
}

impl FromIterator<Element> for Udh {
    fn from_iter<I: IntoIterator<Item = Element>>(elements: I) -> Self {
        Self { elements: elements.into_iter().collect() }
    }
}

impl<'a> IntoIterator for &'a Udh {
    type Item = &'a Element;
    type IntoIter = std::slice::Iter<'a, Element>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Takes one element from the front of `header`, which is not empty and ends at octet `end` of the user data.
fn read_element(header: &mut Bytes, end: usize) -> Result<Element, UdhError> {
    let offset = end - header.len();
    let id = header.get_u8();
    if header.is_empty() {
        return Err(UdhError::ElementWithoutLength { id, offset });
    }
    let length = header.get_u8();
    if usize::from(length) > header.len() {
        return Err(UdhError::ElementOverrun { id, offset, length, available: header.len() });
    }
    Ok(Element { id, data: header.split_to(length.into()) })
}

fn concatenation(element: &Element) -> Option<Concatenation> {
    let (width, reference, total, number) = match (element.id, element.data.as_ref()) {
        (Element::CONCATENATION_8, &[reference, total, number]) => (Width::Bits8, reference.into(), total, number),
        (Element::CONCATENATION_16, &[high, low, total, number]) => {
            (Width::Bits16, u16::from_be_bytes([high, low]), total, number)
        }
        _ => return None,
    };
    // A total of 0 needs no test of its own: no number is both at least 1 and at most 0.
    (1..=total).contains(&number).then_some(Concatenation { width, reference, total, number })
}

#[cfg(test)]
mod tests;
