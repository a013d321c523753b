//! A mobile-originated message as the PDUs that carry it.

use bytes::Bytes;
use smpp_transport::pdu::udh::{Concatenation, Element, Udh, Width};
use smpp_transport::pdu::{
    Body, COctets, DataCoding, DataSm, EsmClass, Npi, RegisteredDelivery, ShortMessage, Sm, StringError, TlvTag, Tlvs,
    Ton,
};
use smpp_transport::text::{self, Charset, Part, Repertoire, SplitError, Unencodable, choose, split};

use super::{Coding, FieldError, Mo, Multipart, Ussd};

/// Octets of user data in one short message, header included (3GPP 23.040).
const USER_DATA_OCTETS: usize = 140;
/// Most octets that a parameter holds.
const PAYLOAD_OCTETS_MAX: usize = 65_535;
const COUNT_MAX: u32 = 100_000;
const RATE_MIN: f64 = 0.001;
const RATE_MAX: f64 = 1_000_000.0;

impl Mo {
    /// Body and optional parameters of each PDU, in the order they are sent; `reference` is for the parts unless it says
    /// another.
    pub(crate) fn pdus(&self, reference: u16) -> Result<Vec<(Body, Tlvs)>, FieldError> {
        self.check()?;
        let parts = self.whole_or_parts(self.reference.unwrap_or(reference))?;
        let all: Vec<_> = (0..parts.len()).collect();
        let order = if self.parts.is_empty() { all } else { self.order(parts.len())? };
        order.into_iter().map(|place| self.pdu(&parts[place])).collect()
    }

    /// What can be told without looking at the text.
    fn check(&self) -> Result<(), FieldError> {
        if !(1..=COUNT_MAX).contains(&self.count) {
            return Err(FieldError::new("count", format!("is {}: 1 to {COUNT_MAX} is allowed", self.count)));
        }
        if !(self.rate == 0.0 || (RATE_MIN..=RATE_MAX).contains(&self.rate)) {
            let allowed = format!("0, or {RATE_MIN} to {RATE_MAX}, is allowed");
            return Err(FieldError::new("rate", format!("is {}: {allowed}", self.rate)));
        }
        if self.text.is_some() && self.hex.is_some() {
            return Err(FieldError::new("hex", "is given beside text: one of them is allowed"));
        }
        if self.coding.is_some() && self.text.is_none() {
            return Err(FieldError::new("coding", "is given without text: octets have data_coding alone"));
        }
        Ok(())
    }

    /// Places of the parts to send, from 0.
    fn order(&self, total: usize) -> Result<Vec<usize>, FieldError> {
        let places = self.parts.iter().map(|&number| {
            let place = usize::from(number).checked_sub(1).filter(|place| *place < total);
            let allowed = if total == 1 { "1 is allowed".to_owned() } else { format!("1 to {total} are allowed") };
            place.ok_or_else(|| FieldError::new("parts", format!("is {:?}: {allowed}", self.parts)))
        });
        places.collect()
    }

    fn whole_or_parts(&self, reference: u16) -> Result<Vec<Part>, FieldError> {
        match (&self.text, &self.hex) {
            (Some(text), _) => self.text_parts(text, reference),
            (None, Some(hex)) => self.octet_parts(&hex.0, reference),
            (None, None) => self.octet_parts(&[], reference),
        }
    }

    fn text_parts(&self, text: &str, reference: u16) -> Result<Vec<Part>, FieldError> {
        let charset = self.charset(text);
        let unencodable = |error: Unencodable| FieldError::new("text", format!("has what cannot be written: {error}"));
        let mut parts = match self.parted(reference) {
            Some(multipart) => split(text, charset, multipart).map_err(|error| match error {
                SplitError::Unencodable(error) => unencodable(error),
                error => FieldError::new("text", format!("is too long: {error}")),
            })?,
            None => {
                let octets = charset.encode_after(self.header().len(), text).map_err(unencodable)?;
                vec![self.whole("text", &octets)?]
            }
        };
        if self.coding == Some(Coding::Ucs2LittleEndian) {
            parts.iter_mut().for_each(swap_octets);
        }
        Ok(parts)
    }

    fn octet_parts(&self, octets: &[u8], reference: u16) -> Result<Vec<Part>, FieldError> {
        let Some(multipart) = self.parted(reference).filter(|_| octets.len() > USER_DATA_OCTETS) else {
            return Ok(vec![self.whole("hex", octets)?]);
        };
        let room = USER_DATA_OCTETS - concatenation(multipart, 1, 1).len().max(SAR_HEADER_OCTETS);
        let pieces = octets.chunks(room);
        let total = u8::try_from(pieces.len()).map_err(|_| {
            FieldError::new("hex", format!("has {} octets: {} are allowed in 255 parts", octets.len(), room * 255))
        })?;
        Ok(pieces.zip(1..=total).map(|(piece, number)| octet_part(piece, multipart, number, total)).collect())
    }

    /// How it is parted if it is long; `None` where it stays whole. A header given by hand says all there is to say of
    /// parts, so that wrong ones can be sent.
    fn parted(&self, reference: u16) -> Option<text::Multipart> {
        match self.multipart {
            _ if self.udh.is_some() => None,
            Multipart::Udh8 => Some(text::Multipart::Udh8 { reference: reference.to_be_bytes()[1] }),
            Multipart::Udh16 => Some(text::Multipart::Udh16 { reference }),
            Multipart::Sar => Some(text::Multipart::Sar { reference }),
            Multipart::Payload | Multipart::None => None,
        }
    }

    fn header(&self) -> &[u8] {
        self.udh.as_ref().map_or(&[], |udh| &udh.0)
    }

    /// All of it in one PDU. `field` is what gave the octets.
    fn whole(&self, field: &str, octets: &[u8]) -> Result<Part, FieldError> {
        let octets = Bytes::from([self.header(), octets].concat());
        let in_payload = self.multipart == Multipart::Payload || self.data_sm;
        let (max, place) =
            if in_payload { (PAYLOAD_OCTETS_MAX, "message_payload") } else { (ShortMessage::MAX, "short_message") };
        if octets.len() > max {
            let header = if self.udh.is_some() { " with its header" } else { "" };
            let has = format!("has {} octets{header}", octets.len());
            return Err(FieldError::new(field, format!("{has}: at most {max} are allowed in {place}")));
        }
        let mut tlvs = Tlvs::new();
        let short_message = if self.multipart == Multipart::Payload {
            tlvs.push(TlvTag::MESSAGE_PAYLOAD, &octets);
            Bytes::new()
        } else {
            octets
        };
        Ok(Part { short_message, udhi: self.udh.is_some(), tlvs, number: 1, total: 1 })
    }

    fn charset(&self, text: &str) -> Charset {
        match self.coding {
            Some(coding) => coding.charset(),
            None => choose(text, &Repertoire::default()).charset,
        }
    }

    /// What is said of the coding: 4 for octets, "8-bit binary".
    fn said_coding(&self) -> DataCoding {
        let of_text = self.text.as_ref().map(|text| match self.coding {
            Some(coding) => coding.data_coding(),
            None => choose(text, &Repertoire::default()).data_coding,
        });
        let of_octets = self.hex.as_ref().map(|_| DataCoding::OCTETS_8BIT);
        self.data_coding.map(DataCoding).or(of_text).or(of_octets).unwrap_or_default()
    }

    fn pdu(&self, part: &Part) -> Result<(Body, Tlvs), FieldError> {
        let mut tlvs = part.tlvs.clone();
        let udhi = if part.udhi { EsmClass::UDHI.0 } else { 0 };
        let esm_class = EsmClass(self.esm_class | udhi);
        let from = (self.from_ton, self.from_npi);
        let to = (self.to_ton, self.to_npi);
        let (source_addr_ton, source_addr_npi) = numbering(&self.from, from);
        let (dest_addr_ton, dest_addr_npi) = numbering(&self.to, to);
        let service_type = string("service_type", self.service_type())?;
        let registered_delivery = RegisteredDelivery(self.registered_delivery);
        let data_coding = self.said_coding();
        let body = if self.data_sm {
            if tlvs.get(TlvTag::MESSAGE_PAYLOAD).is_none() {
                tlvs.push(TlvTag::MESSAGE_PAYLOAD, &part.short_message);
            }
            Body::DataSm(DataSm {
                service_type,
                source_addr_ton,
                source_addr_npi,
                source_addr: string("from", &self.from)?,
                dest_addr_ton,
                dest_addr_npi,
                destination_addr: string("to", &self.to)?,
                esm_class,
                registered_delivery,
                data_coding,
            })
        } else {
            let short_message = ShortMessage::new(part.short_message.clone());
            Body::DeliverSm(Sm {
                service_type,
                source_addr_ton,
                source_addr_npi,
                source_addr: string("from", &self.from)?,
                dest_addr_ton,
                dest_addr_npi,
                destination_addr: string("to", &self.to)?,
                esm_class,
                protocol_id: self.protocol_id,
                priority_flag: self.priority,
                registered_delivery,
                data_coding,
                short_message: short_message
                    .map_err(|error| FieldError::new("text", format!("is too long: {error}")))?,
                ..Sm::default()
            })
        };
        self.ussd.iter().try_for_each(|ussd| ussd.write(&mut tlvs))?;
        for (place, tlv) in self.tlvs.iter().enumerate() {
            let octets = tlv.hex.0.len();
            tlvs.try_push(TlvTag(tlv.tag), &tlv.hex.0).map_err(|_| {
                let message = format!("has {octets} octets: at most {PAYLOAD_OCTETS_MAX} are allowed");
                FieldError::new(format!("tlvs[{place}].hex"), message)
            })?;
        }
        Ok((body, tlvs))
    }

    fn service_type(&self) -> &str {
        let default = if self.ussd.is_some() { "USSD" } else { "" };
        self.service_type.as_deref().unwrap_or(default)
    }
}

impl Coding {
    fn charset(self) -> Charset {
        match self {
            Coding::Gsm7 => Charset::GSM7,
            Coding::Gsm7Packed => Charset::Gsm7Packed(text::Shifts::NONE),
            Coding::Ascii => Charset::Ascii,
            Coding::Latin1 => Charset::Latin1,
            Coding::Jis => Charset::ShiftJis,
            Coding::Cyrillic => Charset::Cyrillic,
            Coding::Hebrew => Charset::Hebrew,
            Coding::Ucs2 | Coding::Ucs2LittleEndian => Charset::Ucs2,
            Coding::Korean => Charset::EucKr,
            Coding::Utf8 => Charset::Utf8,
        }
    }

    fn data_coding(self) -> DataCoding {
        match self {
            Coding::Gsm7 | Coding::Gsm7Packed | Coding::Utf8 => DataCoding::DEFAULT,
            Coding::Ascii => DataCoding::IA5,
            Coding::Latin1 => DataCoding::LATIN1,
            Coding::Jis => DataCoding::JIS,
            Coding::Cyrillic => DataCoding::CYRILLIC,
            Coding::Hebrew => DataCoding::HEBREW,
            Coding::Ucs2 | Coding::Ucs2LittleEndian => DataCoding::UCS2,
            Coding::Korean => DataCoding::KS_C_5601,
        }
    }
}

impl Ussd {
    fn write(&self, tlvs: &mut Tlvs) -> Result<(), FieldError> {
        if self.sequence > 127 {
            return Err(FieldError::new("ussd.sequence", format!("is {}: 0 to 127 is allowed", self.sequence)));
        }
        if self.session.is_none() && (self.sequence != 0 || self.ends) {
            let field = if self.ends { "ussd.ends" } else { "ussd.sequence" };
            return Err(FieldError::new(field, "is said in its_session_info: ussd.session is wanted, too"));
        }
        tlvs.push(TlvTag::USSD_SERVICE_OP, &[self.service_op]);
        if let Some(session) = self.session {
            tlvs.push(TlvTag::ITS_SESSION_INFO, &[session, self.sequence << 1 | u8::from(self.ends)]);
        }
        if let Some(reference) = self.user_message_reference {
            tlvs.push(TlvTag::USER_MESSAGE_REFERENCE, &reference.to_be_bytes());
        }
        Ok(())
    }
}

/// Room that is left in a part with sar parameters: the SMSC makes them a header with an 8-bit reference.
const SAR_HEADER_OCTETS: usize = 6;

/// The header of a part, if its kind has one.
fn concatenation(multipart: text::Multipart, number: u8, total: u8) -> Vec<u8> {
    let (width, reference) = match multipart {
        text::Multipart::Udh8 { reference } => (Width::Bits8, reference.into()),
        text::Multipart::Udh16 { reference } => (Width::Bits16, reference),
        _ => return Vec::new(),
    };
    let udh: Udh = [Element::from(Concatenation { width, reference, total, number })].into_iter().collect();
    udh.write().expect("one element of four octets at most")
}

fn octet_part(piece: &[u8], multipart: text::Multipart, number: u8, total: u8) -> Part {
    let header = concatenation(multipart, number, total);
    let mut tlvs = Tlvs::new();
    if let text::Multipart::Sar { reference } = multipart {
        tlvs.push(TlvTag::SAR_MSG_REF_NUM, &reference.to_be_bytes());
        tlvs.push(TlvTag::SAR_TOTAL_SEGMENTS, &[total]);
        tlvs.push(TlvTag::SAR_SEGMENT_SEQNUM, &[number]);
    }
    Part { udhi: !header.is_empty(), short_message: [&header, piece].concat().into(), tlvs, number, total }
}

/// Exchanges the octets of each UTF-16 unit after the header, wherever the text is.
fn swap_octets(part: &mut Part) {
    let swapped = |octets: &[u8]| {
        let start = if part.udhi { octets.first().map_or(0, |udhl| 1 + usize::from(*udhl)) } else { 0 };
        let mut octets = octets.to_vec();
        octets.get_mut(start..).unwrap_or_default().chunks_exact_mut(2).for_each(|unit| unit.swap(0, 1));
        octets
    };
    part.short_message = swapped(&part.short_message).into();
    let parameters = part.tlvs.iter().map(|(tag, value)| match tag {
        TlvTag::MESSAGE_PAYLOAD => (tag, swapped(&value).into()),
        _ => (tag, value),
    });
    part.tlvs = parameters.collect();
}

/// Type of number and numbering plan: international for digits, alphanumeric for what has letters, else unknown.
fn numbering(address: &str, said: (Option<u8>, Option<u8>)) -> (Ton, Npi) {
    let digits = address.strip_prefix('+').unwrap_or(address);
    let (ton, npi) = if !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit()) {
        (Ton::INTERNATIONAL, Npi::ISDN)
    } else if address.chars().any(char::is_alphabetic) {
        (Ton::ALPHANUMERIC, Npi::UNKNOWN)
    } else {
        (Ton::UNKNOWN, Npi::UNKNOWN)
    };
    (said.0.map_or(ton, Ton), said.1.map_or(npi, Npi))
}

fn string<const N: usize>(field: &str, value: &str) -> Result<COctets<N>, FieldError> {
    value.parse().map_err(|error| {
        let shown: String = value.chars().take(24).collect();
        let more = if shown.len() < value.len() { "…" } else { "" };
        let message = match error {
            StringError::TooLong { length, max } => {
                format!("is \"{shown}{more}\" ({length} characters): at most {max} are allowed")
            }
            error => format!("is {:?}: {error}", shown + more),
        };
        FieldError::new(field, message)
    })
}

#[cfg(test)]
mod tests;
