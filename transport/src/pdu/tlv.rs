//! Optional parameters (§5.3): their tags, their formats, where the standard lists them, and the list that a PDU carries.

use bytes::{BufMut, Bytes, BytesMut};

use super::CommandId;
use super::wire::{FaultKind, Reader};

names! {
    /// The tag of an optional parameter (§5.3.2). 0x1400 to 0x3FFF are the SMSC vendor's own.
    TlvTag: u16 {
        DEST_ADDR_SUBUNIT = 0x0005, DEST_NETWORK_TYPE = 0x0006, DEST_BEARER_TYPE = 0x0007, DEST_TELEMATICS_ID = 0x0008,
        SOURCE_ADDR_SUBUNIT = 0x000D, SOURCE_NETWORK_TYPE = 0x000E, SOURCE_BEARER_TYPE = 0x000F,
        SOURCE_TELEMATICS_ID = 0x0010, QOS_TIME_TO_LIVE = 0x0017, PAYLOAD_TYPE = 0x0019,
        ADDITIONAL_STATUS_INFO_TEXT = 0x001D, RECEIPTED_MESSAGE_ID = 0x001E, MS_MSG_WAIT_FACILITIES = 0x0030,
        PRIVACY_INDICATOR = 0x0201, SOURCE_SUBADDRESS = 0x0202, DEST_SUBADDRESS = 0x0203, USER_MESSAGE_REFERENCE = 0x0204,
        USER_RESPONSE_CODE = 0x0205, SOURCE_PORT = 0x020A, DESTINATION_PORT = 0x020B, SAR_MSG_REF_NUM = 0x020C,
        LANGUAGE_INDICATOR = 0x020D, SAR_TOTAL_SEGMENTS = 0x020E, SAR_SEGMENT_SEQNUM = 0x020F,
        SC_INTERFACE_VERSION = 0x0210, CALLBACK_NUM_PRES_IND = 0x0302, CALLBACK_NUM_ATAG = 0x0303,
        NUMBER_OF_MESSAGES = 0x0304, CALLBACK_NUM = 0x0381, DPF_RESULT = 0x0420, SET_DPF = 0x0421,
        MS_AVAILABILITY_STATUS = 0x0422, NETWORK_ERROR_CODE = 0x0423, MESSAGE_PAYLOAD = 0x0424,
        DELIVERY_FAILURE_REASON = 0x0425, MORE_MESSAGES_TO_SEND = 0x0426, MESSAGE_STATE = 0x0427,
        USSD_SERVICE_OP = 0x0501, DISPLAY_TIME = 0x1201, SMS_SIGNAL = 0x1203, MS_VALIDITY = 0x1204,
        ALERT_ON_MESSAGE_DELIVERY = 0x130C, ITS_REPLY_TYPE = 0x1380, ITS_SESSION_INFO = 0x1383,
    }
}

/// How many octets the value of a parameter may have.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TlvLength {
    /// At least.
    pub min: usize,
    /// At most.
    pub max: usize,
}

/// Where the standard lists a parameter: the columns of its tables of optional parameters.
const S: u8 = 1; // submit_sm
const M: u8 = 2; // submit_multi
const D: u8 = 4; // deliver_sm
const A: u8 = 8; // data_sm
const R: u8 = 16; // data_sm_resp
const B: u8 = 32; // the bind responses
const N: u8 = 64; // alert_notification

impl TlvTag {
    /// Length and places, a row each (§5.3.2 and the tables of chapter 4). `ussd_service_op` is not listed for
    /// deliver_sm, yet every USSD link sends it there; alert_on_message_delivery may have an octet in SMPP 5.0.
    const fn row(self) -> Option<(usize, usize, u8)> {
        Some(match self {
            TlvTag::DEST_ADDR_SUBUNIT | TlvTag::SOURCE_ADDR_SUBUNIT => (1, 1, S | M | A),
            TlvTag::DEST_NETWORK_TYPE | TlvTag::SOURCE_NETWORK_TYPE => (1, 1, A),
            TlvTag::DEST_BEARER_TYPE | TlvTag::SOURCE_BEARER_TYPE => (1, 1, A),
            TlvTag::DEST_TELEMATICS_ID => (2, 2, A),
            TlvTag::SOURCE_TELEMATICS_ID => (1, 1, A),
            TlvTag::QOS_TIME_TO_LIVE => (4, 4, A),
            TlvTag::PAYLOAD_TYPE => (1, 1, S | M | D | A),
            TlvTag::ADDITIONAL_STATUS_INFO_TEXT => (1, 256, R),
            TlvTag::RECEIPTED_MESSAGE_ID => (1, 65, D | A),
            TlvTag::MS_MSG_WAIT_FACILITIES => (1, 1, S | M | A),
            TlvTag::PRIVACY_INDICATOR | TlvTag::LANGUAGE_INDICATOR => (1, 1, S | M | D | A),
            TlvTag::SOURCE_SUBADDRESS | TlvTag::DEST_SUBADDRESS => (2, 23, S | M | D | A),
            TlvTag::USER_MESSAGE_REFERENCE => (2, 2, S | M | D | A),
            TlvTag::USER_RESPONSE_CODE => (1, 1, S | D | A),
            TlvTag::SOURCE_PORT | TlvTag::DESTINATION_PORT | TlvTag::SAR_MSG_REF_NUM => (2, 2, S | M | D | A),
            TlvTag::SAR_TOTAL_SEGMENTS | TlvTag::SAR_SEGMENT_SEQNUM => (1, 1, S | M | D | A),
            TlvTag::SC_INTERFACE_VERSION => (1, 1, B),
            TlvTag::CALLBACK_NUM_PRES_IND => (1, 1, S | M | A),
            TlvTag::CALLBACK_NUM_ATAG => (1, 65, S | M | A),
            TlvTag::NUMBER_OF_MESSAGES => (1, 1, S | A),
            TlvTag::CALLBACK_NUM => (4, 19, S | M | D | A),
            TlvTag::DPF_RESULT | TlvTag::DELIVERY_FAILURE_REASON => (1, 1, R),
            TlvTag::SET_DPF => (1, 1, A),
            TlvTag::MS_AVAILABILITY_STATUS => (1, 1, N),
            TlvTag::NETWORK_ERROR_CODE => (3, 3, D | A | R),
            TlvTag::MESSAGE_PAYLOAD => (0, 65_535, S | M | D | A),
            TlvTag::MORE_MESSAGES_TO_SEND => (1, 1, S | A),
            TlvTag::MESSAGE_STATE => (1, 1, D | A),
            TlvTag::USSD_SERVICE_OP => (1, 1, S | D),
            TlvTag::DISPLAY_TIME | TlvTag::MS_VALIDITY => (1, 1, S | M | A),
            TlvTag::SMS_SIGNAL => (2, 2, S | M | A),
            TlvTag::ALERT_ON_MESSAGE_DELIVERY => (0, 1, S | M | A),
            TlvTag::ITS_REPLY_TYPE => (1, 1, S | A),
            TlvTag::ITS_SESSION_INFO => (2, 2, S | D | A),
            _ => return None,
        })
    }

    /// How many octets the value may have; none for a parameter that the standard does not know.
    #[must_use]
    pub const fn length(self) -> Option<TlvLength> {
        match self.row() {
            Some((min, max, _)) => Some(TlvLength { min, max }),
            None => None,
        }
    }

    /// Whether the standard lists the parameter for the command. A parameter that is not listed is ignored, not an error.
    #[must_use]
    pub const fn is_listed_for(self, command: CommandId) -> bool {
        let column = match command {
            CommandId::SUBMIT_SM => S,
            CommandId::SUBMIT_MULTI => M,
            CommandId::DELIVER_SM => D,
            CommandId::DATA_SM => A,
            CommandId::DATA_SM_RESP => R,
            CommandId::BIND_TRANSMITTER_RESP | CommandId::BIND_RECEIVER_RESP | CommandId::BIND_TRANSCEIVER_RESP => B,
            CommandId::ALERT_NOTIFICATION => N,
            _ => 0,
        };
        match self.row() {
            Some((_, _, columns)) => columns & column != 0,
            None => false,
        }
    }
}

/// The optional parameters of a PDU, in the order they came, unknown ones and repeated ones kept. Held as the octets
/// they are on the wire, so that reading and writing them copies nothing.
#[derive(Clone, Default, Eq, Hash, PartialEq)]
pub struct Tlvs(Bytes);

/// A value that is too long for the two octets of its length.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("optional parameter {tag}: {length} octets, at most 65535 are allowed")]
pub struct TlvTooLong {
    /// Which.
    pub tag: TlvTag,
    /// Octets given.
    pub length: usize,
}

/// A parameter of the standard whose value has a length that the standard does not allow.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("optional parameter {tag}: {length} octets, {} to {} are allowed", allowed.min, allowed.max)]
pub struct TlvLengthError {
    /// Which.
    pub tag: TlvTag,
    /// Octets that are there.
    pub length: usize,
    /// Octets that may be.
    pub allowed: TlvLength,
}

impl Tlvs {
    /// No parameters.
    #[must_use]
    pub const fn new() -> Tlvs {
        Tlvs(Bytes::new())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Octets on the wire.
    #[must_use]
    pub fn octets(&self) -> usize {
        self.0.len()
    }

    pub(super) fn as_wire(&self) -> &[u8] {
        &self.0
    }

    /// The parameters in their order.
    pub fn iter(&self) -> impl Iterator<Item = (TlvTag, Bytes)> + '_ {
        let mut at = 0;
        std::iter::from_fn(move || {
            let (tag, length) = header(&self.0[at..])?;
            let value = self.0.slice(at + 4..at + 4 + length);
            at += 4 + length;
            Some((tag, value))
        })
    }

    /// The value of the first parameter with this tag.
    #[must_use]
    pub fn get(&self, tag: TlvTag) -> Option<Bytes> {
        let mut at = 0;
        while let Some((found, length)) = header(&self.0[at..]) {
            if found == tag {
                return Some(self.0.slice(at + 4..at + 4 + length));
            }
            at += 4 + length;
        }
        None
    }

    /// The first parameter with this tag as a number of one octet. Peers write numbers in more octets than the standard
    /// says: those are read as long as the number fits.
    #[must_use]
    pub fn get_u8(&self, tag: TlvTag) -> Option<u8> {
        self.number(tag).and_then(|number| u8::try_from(number).ok())
    }

    /// The first parameter with this tag as a number of two octets; see [`get_u8`](Tlvs::get_u8).
    #[must_use]
    pub fn get_u16(&self, tag: TlvTag) -> Option<u16> {
        self.number(tag).and_then(|number| u16::try_from(number).ok())
    }

    /// The first parameter with this tag as a number of four octets; see [`get_u8`](Tlvs::get_u8).
    #[must_use]
    pub fn get_u32(&self, tag: TlvTag) -> Option<u32> {
        self.number(tag)
    }

    fn number(&self, tag: TlvTag) -> Option<u32> {
        let value = self.get(tag)?;
        let fits = (1..=4).contains(&value.len());
        fits.then(|| value.iter().fold(0, |number, &octet| number << 8 | u32::from(octet)))
    }

    /// Adds a parameter at the end.
    ///
    /// # Panics
    /// When the value has more than 65,535 octets; see [`try_push`](Tlvs::try_push).
    pub fn push(&mut self, tag: TlvTag, value: &[u8]) {
        self.try_push(tag, value).expect("the caller has looked at the length");
    }

    /// Adds a parameter at the end.
    ///
    /// # Errors
    /// When the value has more than 65,535 octets.
    pub fn try_push(&mut self, tag: TlvTag, value: &[u8]) -> Result<(), TlvTooLong> {
        let length = u16::try_from(value.len()).map_err(|_| TlvTooLong { tag, length: value.len() })?;
        let mut wire = BytesMut::from(std::mem::take(&mut self.0));
        wire.reserve(4 + value.len());
        wire.put_u16(tag.0);
        wire.put_u16(length);
        wire.put_slice(value);
        self.0 = wire.freeze();
        Ok(())
    }

    /// The same parameters in memory of their own.
    #[must_use]
    pub fn detached(&self) -> Tlvs {
        Tlvs(Bytes::copy_from_slice(&self.0))
    }

    /// Whether every parameter of the standard has a length that the standard allows.
    ///
    /// # Errors
    /// The first that has not.
    pub fn check_lengths(&self) -> Result<(), TlvLengthError> {
        for (tag, value) in self.iter() {
            let length = value.len();
            if let Some(allowed) = tag.length()
                && !(allowed.min..=allowed.max).contains(&length)
            {
                return Err(TlvLengthError { tag, length, allowed });
            }
        }
        Ok(())
    }

    /// All that is left of the PDU.
    #[inline(always)]
    pub(super) fn read(id: CommandId, r: &mut Reader<'_>) -> Tlvs {
        if r.is_empty() {
            return Tlvs::new();
        }
        match well_formed(r.left()) {
            (_, None) => Tlvs(r.rest()),
            (octets, Some(fault)) if r.leniency().forgives(fault, id) => {
                let rest = r.rest();
                Tlvs(rest.slice(..octets)).with_cut_id(&rest[octets..])
            }
            (octets, Some(fault)) => {
                r.skip(octets);
                r.fail(0, "optional parameters", fault);
                Tlvs::new()
            }
        }
    }
}

impl Tlvs {
    /// Adds the octets that are there of a receipted_message_id that claims more: an id that is cut is looked for like any
    /// other, while a receipt without an id may pass for a message.
    fn with_cut_id(mut self, rest: &[u8]) -> Tlvs {
        if let Some((TlvTag::RECEIPTED_MESSAGE_ID, _)) = header(rest) {
            self.push(TlvTag::RECEIPTED_MESSAGE_ID, &rest[4..]);
        }
        self
    }
}

/// How many octets are whole parameters, and what is wrong with those after them, if there are any.
fn well_formed(octets: &[u8]) -> (usize, Option<FaultKind>) {
    let mut left = octets;
    while let Some((tag, length)) = header(left) {
        let value_on = &left[4..];
        if length > value_on.len() {
            let fault = FaultKind::TlvOverrun { tag: tag.0, length, left: value_on.len() };
            return (octets.len() - left.len(), Some(fault));
        }
        left = &value_on[length..];
    }
    let fault = (!left.is_empty()).then_some(FaultKind::Leftover { octets: left.len() });
    (octets.len() - left.len(), fault)
}

#[inline]
fn header(octets: &[u8]) -> Option<(TlvTag, usize)> {
    let head: &[u8; 4] = octets.first_chunk()?;
    let tag = TlvTag(u16::from_be_bytes([head[0], head[1]]));
    Some((tag, usize::from(u16::from_be_bytes([head[2], head[3]]))))
}

impl std::fmt::Debug for Tlvs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl FromIterator<(TlvTag, Bytes)> for Tlvs {
    /// # Panics
    /// When a value has more than 65,535 octets.
    fn from_iter<I: IntoIterator<Item = (TlvTag, Bytes)>>(parameters: I) -> Tlvs {
        let mut tlvs = Tlvs::new();
        parameters.into_iter().for_each(|(tag, value)| tlvs.push(tag, &value));
        tlvs
    }
}
