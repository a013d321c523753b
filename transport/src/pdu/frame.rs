//! Octets to whole frames: the only place that looks at `command_length` (§3.2).

use bytes::{Bytes, BytesMut};

use super::{CommandId, CommandStatus, DecodeError, DecodeErrorKind};

/// Octets of a header.
pub const HEADER_OCTETS: usize = 16;
/// The largest frame accepted unless told otherwise: a message_payload of 64 KiB and every field at its longest fit.
pub const FRAME_OCTETS_MAX: usize = 70_000;

/// Takes the next whole frame off the front of `input`; none when more octets are needed.
///
/// # Errors
/// When `command_length` is below 16 or above `octets_max`: nothing that follows can be trusted. A length that is too
/// large is reported once the header is whole, so that the answer can carry its sequence number. Nothing is allocated
/// for what has not come.
pub fn next_frame(input: &mut BytesMut, octets_max: usize) -> Result<Option<Bytes>, DecodeError> {
    let Some(length) = u32_at(input, 0) else { return Ok(None) };
    let octets = usize::try_from(length).unwrap_or(usize::MAX);
    if octets < HEADER_OCTETS {
        return Err(DecodeError::length(length, octets_max, None));
    }
    if octets > octets_max {
        return header(input).map_or(Ok(None), |header| Err(DecodeError::length(length, octets_max, Some(header))));
    }
    if input.len() < octets {
        return Ok(None);
    }
    Ok(Some(input.split_to(octets).freeze()))
}

/// The header's three numbers after `command_length`; none when the octets do not reach.
#[inline]
pub(super) fn header(octets: &[u8]) -> Option<(CommandId, CommandStatus, u32)> {
    let header: &[u8; HEADER_OCTETS] = octets.first_chunk()?;
    let number = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    Some((CommandId(number(4)), CommandStatus(number(8)), number(12)))
}

/// The header of these four numbers.
#[inline(always)]
pub(super) fn header_octets(numbers: [u32; 4]) -> [u8; HEADER_OCTETS] {
    let mut octets = [0; HEADER_OCTETS];
    let (places, _) = octets.as_chunks_mut();
    places.iter_mut().zip(numbers).for_each(|(place, number)| *place = number.to_be_bytes());
    octets
}

#[inline]
fn u32_at(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..)?.first_chunk().map(|four| u32::from_be_bytes(*four))
}

impl DecodeError {
    /// For octets that did not come from [`next_frame`]: it gives no such frame.
    #[cold]
    pub(super) fn short_of_a_header(octets: usize) -> DecodeError {
        DecodeError::length(u32::try_from(octets).unwrap_or_default(), FRAME_OCTETS_MAX, None)
    }

    #[cold]
    fn length(length: u32, octets_max: usize, header: Option<(CommandId, CommandStatus, u32)>) -> DecodeError {
        let (command_id, command_status, sequence) = header.unwrap_or_default();
        let kind = DecodeErrorKind::Length { length, octets_max };
        DecodeError { command_id, command_status, sequence, offset: 0, kind }
    }
}
