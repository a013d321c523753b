//! The text of a receipt as fields: `id:… sub:… dlvrd:… submit date:… done date:… stat:… err:… text:…`.
//!
//! Labels come in any order and case, with a colon or an equals sign, with or without quotes; fields are separated by blanks,
//! tabs, NULs, commas, semicolons, bars, or any other mark that a label follows. Fields may be missing, and words that are not
//! a known field are skipped. Everything after `text:` is somebody's message and may hold labels too, so the message reaches to
//! the end, with one exception: see [`Fields::split_text`].

use super::{Receipt, date, state_of_stat};
use crate::text::charset::Charset;

/// A field by its label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Label {
    Id,
    Submitted,
    Delivered,
    SubmitDate,
    DoneDate,
    Stat,
    Error,
    Text,
}

/// Labels in lower case, without blanks, underscores and hyphens. Longer ones first where one is the beginning of another.
const LABELS: [(&str, Label); 18] = [
    ("submitdate", Label::SubmitDate),
    ("subdate", Label::SubmitDate),
    ("donedate", Label::DoneDate),
    ("messageid", Label::Id),
    ("msgid", Label::Id),
    ("id", Label::Id),
    ("submitted", Label::Submitted),
    ("sub", Label::Submitted),
    ("delivered", Label::Delivered),
    ("dlvrd", Label::Delivered),
    ("dlvd", Label::Delivered),
    ("status", Label::Stat),
    ("state", Label::Stat),
    ("stat", Label::Stat),
    ("errorcode", Label::Error),
    ("error", Label::Error),
    ("err", Label::Error),
    ("text", Label::Text),
];

/// Most octets of a label as it is written, blanks within it included.
const LABEL_OCTETS_MAX: usize = 16;

/// The text of a receipt from its octets.
///
/// SMSCs write the fields in ASCII whatever `data_coding` says, and repeat the message in its own alphabet: with GSM 7-bit,
/// the characters before `text:` that ASCII shares are read as ASCII, so that an id keeps its underscores and a tab stays a
/// tab. NULs at the end, which GSM 7-bit would show as `@`, are dropped.
#[must_use]
pub fn receipt_text(charset: Charset, octets: &[u8]) -> String {
    if charset == Charset::Ucs2 {
        // The text ends in whole code units, and a NUL may be half of its last character.
        return charset.decode(octets).text.trim_end_matches('\0').to_owned();
    }
    let nuls = octets.iter().rev().take_while(|&&octet| octet == 0).count();
    let octets = &octets[..octets.len() - nuls];
    if !matches!(charset, Charset::Gsm7(_)) {
        return charset.decode(octets).text;
    }
    let (head, message) = split_head(octets);
    let mut text: String = head.iter().map(|&octet| ascii_or(charset, octet)).collect();
    text.push_str(&charset.decode(message).text);
    text
}

/// The text of a receipt whose fields are ASCII although its `data_coding` says otherwise; the message after `text:` may be in
/// that charset all the same.
pub(super) fn ascii_text(charset: Charset, octets: &[u8]) -> String {
    let (head, message) = split_head(octets);
    let mut text: String = head.iter().copied().map(char::from).collect();
    let is_ascii = message.iter().all(|octet| octet.is_ascii() && *octet != 0);
    let charset = if is_ascii { Charset::Latin1 } else { charset };
    text.push_str(charset.decode(message).text.trim_end_matches('\0'));
    text
}

/// Splits what is before the message, `text:` included, from the message.
fn split_head(octets: &[u8]) -> (&[u8], &[u8]) {
    let is_label = |window: &[u8]| window.eq_ignore_ascii_case(b"text:") || window.eq_ignore_ascii_case(b"text=");
    octets.split_at(octets.windows(5).position(is_label).map_or(octets.len(), |at| at + 5))
}

fn ascii_or(charset: Charset, octet: u8) -> char {
    let is_ascii = octet == b' ' || octet.is_ascii_graphic() || matches!(octet, 0 | b'\t' | b'\r' | b'\n');
    if is_ascii { char::from(octet) } else { charset.decode(&[octet]).text.chars().next().unwrap_or(' ') }
}

impl Receipt {
    /// Reads the fields of the text, of which there may be none.
    pub(super) fn of_text(text: &str) -> Self {
        Fields::read(text).into_receipt()
    }

    /// Returns the submit date and the done date of a text as the SMSC wrote them, readable or not.
    #[must_use]
    pub fn dates_as_written(text: &str) -> (Option<String>, Option<String>) {
        let fields = Fields::read(text);
        let owned = |label| fields.get(label).map(str::to_owned);
        (owned(Label::SubmitDate), owned(Label::DoneDate))
    }
}

/// Values as written.
#[derive(Default)]
struct Fields<'a> {
    values: [Option<&'a str>; 8],
}

impl<'a> Fields<'a> {
    /// Reads fields that are set apart from each other, or else fields that follow each other without any separator.
    fn read(text: &'a str) -> Self {
        let text = trim(text);
        let apart = Self::scan(text, Boundary::Apart);
        if apart.get(Label::Id).is_none() || apart.get(Label::Stat).is_some() {
            return apart;
        }
        let glued = Self::scan(text, Boundary::Glued);
        if glued.get(Label::Stat).is_some() { glued } else { apart }
    }

    fn scan(text: &'a str, boundary: Boundary) -> Self {
        let mut fields = Fields::default();
        let mut rest = text;
        while let Some((label, after)) = next_label(rest, boundary) {
            if label == Label::Text {
                fields.split_text(after);
                break;
            }
            let (value, after) = value(label, after, boundary);
            fields.set_new(label, value);
            rest = after;
        }
        fields
    }

    fn get(&self, label: Label) -> Option<&'a str> {
        self.values[label as usize]
    }

    /// Keeps the first value of each label that is not empty.
    fn set_new(&mut self, label: Label, value: &'a str) {
        let slot = &mut self.values[label as usize];
        if slot.is_none() && !value.is_empty() {
            *slot = Some(value);
        }
    }

    /// Takes everything after `text:`.
    ///
    /// The message reaches to the end, unless the end is a row of fields with both a `stat` and a valid `done date`: those do
    /// not fit the 20 characters that a receipt repeats, so the SMSC put them there. Of the same label in that row the last
    /// counts, as the message's own come first; and none counts that was there before `text:`.
    fn split_text(&mut self, tail: &'a str) {
        let (message, row) = trailing_fields(tail);
        let has_stat = row.iter().any(|(label, value)| *label == Label::Stat && !value.is_empty());
        let has_done = row.iter().any(|(label, value)| *label == Label::DoneDate && date::civil(value).is_some());
        if has_stat && has_done {
            row.iter().rev().for_each(|(label, value)| self.set_new(*label, value));
            self.values[Label::Text as usize] = Some(message);
        } else {
            self.values[Label::Text as usize] = Some(tail);
        }
    }

    fn into_receipt(self) -> Receipt {
        let owned = |label| self.get(label).map(str::to_owned);
        let number = |label| self.get(label).and_then(|value| value.parse().ok());
        let date = |label| self.get(label).and_then(date::civil);
        Receipt {
            id: owned(Label::Id),
            submitted: number(Label::Submitted),
            delivered: number(Label::Delivered),
            submit_date: date(Label::SubmitDate),
            done_date: date(Label::DoneDate),
            state: self.get(Label::Stat).and_then(state_of_stat),
            stat: owned(Label::Stat),
            error: owned(Label::Error),
            text: owned(Label::Text),
            ..Receipt::default()
        }
    }
}

/// Where a label may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Boundary {
    /// At the start, and after a character that is not part of a word.
    Apart,
    /// Anywhere, but for `id`: `id:1sub:001stat:DELIVRD`.
    Glued,
}

/// Removes byte order marks, NULs, blanks and quotes around the whole text.
fn trim(text: &str) -> &str {
    let is_around = |c: char| c == '\0' || c == '\u{FEFF}' || c.is_whitespace();
    // A mark of UTF-8 that was read as Latin-1.
    let text = text.trim_matches(is_around);
    text.strip_prefix("\u{EF}\u{BB}\u{BF}").unwrap_or(text).trim_matches(is_around)
}

/// Whether a character ends a value.
const fn is_separator(c: char) -> bool {
    matches!(c, '\0'..=' ' | ',' | ';' | '|' | '&' | '"' | '\'' | '{' | '}' | '<' | '>' | '\u{7F}' | '\u{A0}')
}

/// Whether a character is part of a word, so that no label begins after it.
fn is_word(c: char) -> bool {
    c.is_alphanumeric()
}

/// The next known field: its label, and the text after the label. Words before it that are not a field are skipped.
fn next_label(text: &str, boundary: Boundary) -> Option<(Label, &str)> {
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        if let Some(found) = label(before, &text[at..], boundary) {
            return Some(found);
        }
        before = c;
    }
    None
}

/// The label at the very start of `text`, which follows the character `before`, and the text after it.
fn label(before: char, text: &str, boundary: Boundary) -> Option<(Label, &str)> {
    if !text.starts_with(|c: char| c.is_ascii_alphabetic()) || (boundary == Boundary::Apart && is_word(before)) {
        return None;
    }
    let end = text.bytes().take(LABEL_OCTETS_MAX + 2).position(|octet| matches!(octet, b':' | b'='))?;
    let written = text.get(..end)?.trim_end_matches([' ', '\t', '"', '\'']);
    let letters = || written.bytes().filter(|octet| !matches!(octet, b' ' | b'_' | b'-'));
    let is = |label: &&(&str, Label)| letters().map(|octet| octet.to_ascii_lowercase()).eq(label.0.bytes());
    let (name, label) = LABELS.iter().find(is)?;
    let is_known = !(boundary == Boundary::Glued && *name == "id" && is_word(before));
    is_known.then(|| (*label, &text[end + 1..]))
}

/// The value at the start of `text`, after blanks and quotes, and the text after it. Empty if the next label comes first.
fn value(of: Label, text: &str, boundary: Boundary) -> (&str, &str) {
    let text = text.trim_start_matches([' ', '\t', '\0', '"', '\'', '{', '<']);
    if label(' ', text, boundary).is_some() {
        return ("", text);
    }
    let (word, after) = text.split_at(value_end(text, boundary, is_separator));
    if !matches!(of, Label::SubmitDate | Label::DoneDate) || date::civil(word).is_some() {
        return (word, after);
    }
    // A date may be written with blanks within it.
    let (long, after_long) = text.split_at(value_end(text, boundary, |_| false));
    let long = long.trim_end_matches(is_separator);
    if date::civil(long).is_some() { (long, after_long) } else { (word, after) }
}

/// Where a value ends: at a character that ends it, or before a mark that a label follows.
fn value_end(text: &str, boundary: Boundary, ends: impl Fn(char) -> bool) -> usize {
    let mut marks = None;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        if at > 0 && label(before, &text[at..], boundary).is_some() {
            return marks.unwrap_or(at);
        }
        if ends(c) {
            return at;
        }
        marks = if is_word(c) { None } else { marks.or(Some(at)) };
        before = c;
    }
    text.len()
}

/// A field of a text: label and value.
type Field<'a> = (Label, &'a str);

/// Splits off the fields, other than `text`, that follow one another up to the end of `tail`.
fn trailing_fields(tail: &str) -> (&str, Vec<Field<'_>>) {
    let mut row = Vec::new();
    let mut message = tail;
    let mut rest = tail;
    loop {
        rest = rest.trim_start_matches(is_separator);
        if let Some((label, after)) = label(' ', rest, Boundary::Apart).filter(|(label, _)| *label != Label::Text) {
            if row.is_empty() {
                message = tail[..tail.len() - rest.len()].trim_end_matches(is_separator);
            }
            let (value, after) = value(label, after, Boundary::Apart);
            row.push((label, value));
            rest = after;
        } else if let Some(end) = rest.find(is_separator) {
            row.clear();
            rest = &rest[end..];
        } else {
            // The end, or a last word that is not a field.
            return if rest.is_empty() { (message, row) } else { (tail, Vec::new()) };
        }
    }
}
