//! Where a text is cut so that each part fits.

use super::octets_max;
use crate::text::charset::Charset;
use crate::text::grapheme;
use crate::text::meter::Meter;

/// How many characters a cut may move back to keep a visible character whole.
const CUT_BACK_MAX: usize = 16;

/// Cuts a text into stretches that each fit a part after a header of so many octets.
pub(super) fn cut(text: &str, charset: Charset, header_octets: usize) -> Vec<&str> {
    let mut texts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (text, after) = rest.split_at(end_of_part(rest, charset, header_octets));
        texts.push(text);
        rest = after;
    }
    texts
}

/// Where the first part of `text` ends: after as many characters as fit, at least one, or a few less if the next one belongs
/// to them.
fn end_of_part(text: &str, charset: Charset, header_octets: usize) -> usize {
    let mut meter = Meter::new(charset, header_octets);
    let max = octets_max(charset, header_octets);
    let fitting = text.chars().take_while(|&character| meter.push(character) <= max).map(char::len_utf8).sum();
    let end = if fitting == 0 { text.chars().next().map_or(0, char::len_utf8) } else { fitting };
    let (before, after) = text.split_at(end);
    after.chars().next().and_then(|next| visible_end(before, next)).unwrap_or(end)
}

/// The last place in `text`, which `next` follows, where no visible character is cut; `None` if there is none near.
fn visible_end(text: &str, mut next: char) -> Option<usize> {
    for (at, character) in text.char_indices().rev().take(CUT_BACK_MAX) {
        if !grapheme::sticks(character, next) {
            return Some(at + character.len_utf8());
        }
        next = character;
    }
    None
}
