//! Charsets that are not SMPP's own: Japanese, Korean, Cyrillic, Hebrew, by way of `encoding_rs`.
//!
//! `encoding_rs` follows the Web's encoding standard, which writes some characters as others (a yen sign as a backslash,
//! extensions of vendors). A character counts as encodable only if its octets are read back as that character.

use encoding_rs::{EUC_JP, EUC_KR, Encoding, ISO_2022_JP, ISO_8859_5, ISO_8859_8_I, SHIFT_JIS};

use super::charset::{Charset, Decoded};

/// Length of an ISO-2022-JP escape sequence that designates a character set, in octets.
pub(super) const ESCAPE_OCTETS: usize = 3;

/// The encoding of a charset; the charsets that the callers handle themselves are none of their business here.
fn encoding(charset: Charset) -> &'static Encoding {
    match charset {
        Charset::Cyrillic => ISO_8859_5,
        Charset::Hebrew => ISO_8859_8_I,
        Charset::Iso2022Jp => ISO_2022_JP,
        Charset::EucJp => EUC_JP,
        Charset::EucKr => EUC_KR,
        _ => SHIFT_JIS,
    }
}

/// The octets of one character alone, `None` if the charset lacks it.
pub(super) fn encode(charset: Charset, character: char) -> Option<Vec<u8>> {
    if is_control_of(charset, character) {
        return None;
    }
    if let Some(octet) = u8::try_from(character).ok().filter(u8::is_ascii) {
        return Some(vec![octet]);
    }
    let text = character.encode_utf8(&mut [0; 4]).to_owned();
    let (octets, _, unmappable) = encoding(charset).encode(&text);
    let outside = charset == Charset::EucKr && octets.iter().any(|&octet| octet < 0xA1);
    let same = !unmappable && !outside && decode(charset, &octets).text == text;
    same.then(|| octets.into_owned())
}

/// Whether the character would be taken for a change of character set.
const fn is_control_of(charset: Charset, character: char) -> bool {
    match charset {
        Charset::ShiftJis => character == '\u{1B}',
        Charset::Iso2022Jp => matches!(character, '\u{0E}' | '\u{0F}' | '\u{1B}'),
        _ => false,
    }
}

/// Reads any octets.
pub(super) fn decode(charset: Charset, octets: &[u8]) -> Decoded {
    let (encoding, octets) = match charset {
        Charset::ShiftJis if has_designation(octets) => (ISO_2022_JP, join_escapes(octets)),
        Charset::Iso2022Jp if octets.is_ascii() || has_designation(octets) => (ISO_2022_JP, join_escapes(octets)),
        Charset::Iso2022Jp => (SHIFT_JIS, octets.to_vec()),
        _ => (encoding(charset), octets.to_vec()),
    };
    let (text, _) = encoding.decode_without_bom_handling(&octets);
    // None of these charsets has U+FFFD, so every one found was put in.
    let replaced = text.matches(char::REPLACEMENT_CHARACTER).count();
    Decoded { text: text.into_owned(), replaced }
}

/// Splits the ISO-2022-JP octets of one character into the escape sequence before it and its own octets, leaving out the
/// return to ASCII after it. `None` for ASCII.
pub(super) fn undress(octets: &[u8]) -> Option<([u8; ESCAPE_OCTETS], &[u8])> {
    let (escape, rest) = octets.split_first_chunk::<ESCAPE_OCTETS>()?;
    let inner = rest.get(..rest.len().checked_sub(ESCAPE_OCTETS)?)?;
    is_designation(*escape).then_some((*escape, inner))
}

/// The text without escape sequences that change nothing: those that another one follows at once, and those that designate
/// what is already designated. Texts that each end in ASCII and are joined have such places, and the decoder of the Web
/// takes them for an attack.
pub(super) fn join_escapes(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(octets.len());
    let mut written = *b"\x1B(B";
    let mut wanted = written;
    let mut rest = octets;
    while let Some((&octet, after)) = rest.split_first() {
        if let Some(escape) = rest.first_chunk::<ESCAPE_OCTETS>().filter(|&&escape| is_designation(escape)) {
            wanted = *escape;
            rest = &rest[ESCAPE_OCTETS..];
            continue;
        }
        if wanted != written {
            out.extend_from_slice(&wanted);
            written = wanted;
        }
        out.push(octet);
        rest = after;
    }
    if wanted != written {
        out.extend_from_slice(&wanted);
    }
    out
}

fn has_designation(octets: &[u8]) -> bool {
    octets.array_windows().any(|&window| is_designation(window))
}

/// ASCII, Roman, katakana, and the two editions of JIS X 0208.
fn is_designation(escape: [u8; ESCAPE_OCTETS]) -> bool {
    matches!(&escape, b"\x1B(B" | b"\x1B(J" | b"\x1B(I" | b"\x1B$@" | b"\x1B$B")
}
