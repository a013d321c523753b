//! What an inbound PDU carries: its user data header taken off, and which part of which long message it is.

use bytes::Bytes;

use super::charset::{Charset, Decoded};
use super::gsm7::{Language, Shifts};
use super::septets;
use crate::pdu::udh::{Concatenation, Udh, UdhError, Width};
use crate::pdu::{EsmClass, TlvTag, Tlvs};

/// What a short message holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The header; empty if there is none.
    pub udh: Udh,
    /// Why the octets are not the header that the UDHI bit promises. They are then all in `octets`.
    pub fault: Option<UdhError>,
    /// Which part of a long message this is; `None` for a message of its own.
    pub part: Option<PartReference>,
    /// How to read `octets`, with the national tables that the header names.
    pub charset: Charset,
    /// What follows the header. Packed septets are unpacked, one an octet, so that they can be joined.
    pub octets: Bytes,
    /// The same octets as they came, packed or not.
    pub raw: Bytes,
}

/// Which part of which long message, as far as the PDU's content tells. Only with both addresses does it name a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PartReference {
    /// Where the reference was found.
    pub kind: ReferenceKind,
    /// The sender's number for the message.
    pub reference: u16,
    /// How many parts there are, 1–255.
    pub total: u8,
    /// Which one this is, 1 to `total`.
    pub number: u8,
}

/// Where a reference was found. The three count apart: an 8-bit 5 and a 16-bit 5 are two messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
pub enum ReferenceKind {
    /// Header element 0x00.
    Udh8,
    /// Header element 0x08.
    Udh16,
    /// `sar_msg_ref_num`.
    Sar,
    /// Header element 0x00 of a delivery receipt, so that its parts never join those of a message.
    ReceiptUdh8,
    /// Header element 0x08 of a delivery receipt.
    ReceiptUdh16,
    /// `sar_msg_ref_num` of a delivery receipt.
    ReceiptSar,
}

impl ReferenceKind {
    /// The kinds by the octet under which stores keep them.
    const BY_OCTET: [Self; 6] =
        [Self::Udh8, Self::Udh16, Self::Sar, Self::ReceiptUdh8, Self::ReceiptUdh16, Self::ReceiptSar];

    /// Returns the kind for a delivery receipt in parts.
    #[must_use]
    pub const fn of_receipt(self) -> Self {
        match self {
            Self::Udh8 | Self::ReceiptUdh8 => Self::ReceiptUdh8,
            Self::Udh16 | Self::ReceiptUdh16 => Self::ReceiptUdh16,
            Self::Sar | Self::ReceiptSar => Self::ReceiptSar,
        }
    }

    /// Returns `true` for the parts of a delivery receipt.
    #[must_use]
    pub const fn is_receipt(self) -> bool {
        matches!(self, Self::ReceiptUdh8 | Self::ReceiptUdh16 | Self::ReceiptSar)
    }

    /// Returns the octet under which stores keep this kind.
    #[must_use]
    pub fn to_octet(self) -> u8 {
        let place = Self::BY_OCTET.iter().position(|kind| *kind == self);
        place.and_then(|place| u8::try_from(place).ok()).unwrap_or_default()
    }

    /// Returns the kind that stores keep under this octet.
    #[must_use]
    pub fn of_octet(octet: u8) -> Option<Self> {
        Self::BY_OCTET.get(usize::from(octet)).copied()
    }
}

/// One end of a message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartAddress {
    /// Type of number, as on the wire.
    pub ton: u8,
    /// Numbering plan indicator, as on the wire.
    pub npi: u8,
    /// The address, as on the wire, without the NUL.
    pub addr: Bytes,
}

/// What the parts of one long message have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartKey {
    /// Who sent it.
    pub source: PartAddress,
    /// Who it is for.
    pub destination: PartAddress,
    /// Where the reference was found.
    pub kind: ReferenceKind,
    /// The sender's number for the message.
    pub reference: u16,
    /// How many parts there are, 1–255.
    pub total: u8,
}

impl Content {
    /// Reads what a PDU carries: `octets` are its `short_message`, or its `message_payload` if that is where the text is.
    ///
    /// Only the UDHI bit makes a header: a text may begin with the octets of one. The `sar_*` TLVs count only if all three
    /// are there and make sense (SMPP 3.4 §5.3.2.22 asks to ignore them otherwise). A concatenation in the header
    /// counts before them, though both together are forbidden: the header comes from the sender and arrives unchanged,
    /// while the TLVs are some SMSC's restatement of it.
    #[must_use]
    pub fn read(esm_class: EsmClass, tlvs: &Tlvs, charset: Charset, octets: &Bytes) -> Self {
        let (udh, rest, fault) = header(esm_class, octets);
        let part = udh.concatenation().map(PartReference::from).or_else(|| sar(tlvs));
        let charset = charset.with_shifts(shifts(&udh));
        let (charset, octets) = unpacked(charset, octets.len() - rest.len(), rest.clone());
        Self { udh, fault, part, charset, octets, raw: rest }
    }

    /// Reads a header whose length counts itself, as some senders write it, where the octets are not a header otherwise.
    ///
    /// Only a header that then says which part of a message this is counts; anything else is read as by [`Content::read`].
    #[must_use]
    pub fn read_tolerant(esm_class: EsmClass, tlvs: &Tlvs, charset: Charset, octets: &Bytes) -> Self {
        let read = Self::read(esm_class, tlvs, charset, octets);
        let Some((&length, rest)) = octets.split_first().filter(|(length, _)| read.fault.is_some() && **length > 0)
        else {
            return read;
        };
        let shorter = Bytes::from([&[length - 1], rest].concat());
        let again = Self::read(esm_class, tlvs, charset, &shorter);
        if again.udh.concatenation().is_some() { again } else { read }
    }

    /// The text of a message of its own. Parts are joined first: see [`super::join`].
    #[must_use]
    pub fn decode(&self) -> Decoded {
        self.charset.decode(&self.octets)
    }
}

impl PartReference {
    /// The key under which the part is joined with others.
    #[must_use]
    pub const fn key(self, source: PartAddress, destination: PartAddress) -> PartKey {
        PartKey { source, destination, kind: self.kind, reference: self.reference, total: self.total }
    }
}

impl From<Concatenation> for PartReference {
    fn from(Concatenation { width, reference, total, number }: Concatenation) -> Self {
        let kind = match width {
            Width::Bits8 => ReferenceKind::Udh8,
            Width::Bits16 => ReferenceKind::Udh16,
        };
        Self { kind, reference, total, number }
    }
}

fn header(esm_class: EsmClass, octets: &Bytes) -> (Udh, Bytes, Option<UdhError>) {
    if !esm_class.has_udh() {
        return (Udh::new(), octets.clone(), None);
    }
    match Udh::read(octets) {
        Ok((udh, rest)) => (udh, rest, None),
        Err(fault) => (Udh::new(), octets.clone(), Some(fault)),
    }
}

fn sar(tlvs: &Tlvs) -> Option<PartReference> {
    let reference = tlvs.get_u16(TlvTag::SAR_MSG_REF_NUM)?;
    let total = tlvs.get_u8(TlvTag::SAR_TOTAL_SEGMENTS)?;
    let number = tlvs.get_u8(TlvTag::SAR_SEGMENT_SEQNUM)?;
    (1..=total).contains(&number).then_some(PartReference { kind: ReferenceKind::Sar, reference, total, number })
}

fn shifts(udh: &Udh) -> Shifts {
    let language = |id: Option<u8>| id.map_or(Language::DEFAULT, Language);
    Shifts { locking: language(udh.locking_shift()), single: language(udh.single_shift()) }
}

fn unpacked(charset: Charset, header_octets: usize, octets: Bytes) -> (Charset, Bytes) {
    match charset {
        Charset::Gsm7Packed(shifts) => {
            let septets = septets::unpack(&octets, septets::fill_bits(header_octets));
            (Charset::Gsm7(shifts), septets.into())
        }
        charset => (charset, octets),
    }
}

#[cfg(test)]
mod tests;
