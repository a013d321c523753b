//! The text of a receipt as fields: `id:… sub:… dlvrd:… submit date:… done date:… stat:… err:… text:…`.
//!
//! The order is free, fields may be missing, words that are no known field are passed over. What stands after `text:` is
//! somebody's message and may hold anything, labels too, so it is taken as text to the end, with one exception: see
//! [`Fields::split_text`].

use super::{Receipt, state_of_stat};
use crate::pdu::time::Civil;
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

/// What labels look like, without case. Longer ones first where one is the end of another.
const LABELS: [(&str, Label); 12] = [
    ("submit date:", Label::SubmitDate),
    ("submit_date:", Label::SubmitDate),
    ("submitdate:", Label::SubmitDate),
    ("done date:", Label::DoneDate),
    ("done_date:", Label::DoneDate),
    ("donedate:", Label::DoneDate),
    ("id:", Label::Id),
    ("sub:", Label::Submitted),
    ("dlvrd:", Label::Delivered),
    ("stat:", Label::Stat),
    ("err:", Label::Error),
    ("text:", Label::Text),
];

/// The text of a receipt from its octets.
///
/// SMSCs write the fields in ASCII whatever `data_coding` says, and repeat the message in its own alphabet: with GSM 7-bit,
/// graphic characters before `text:` are read as ASCII, so that an id keeps its underscores. NULs at the end, which GSM
/// 7-bit would show as `@`, are dropped.
#[must_use]
pub fn receipt_text(charset: Charset, octets: &[u8]) -> String {
    let nuls = octets.iter().rev().take_while(|&&octet| octet == 0).count();
    if charset == Charset::Ucs2 {
        // The text ends in whole code units, and a NUL may be half of its last character.
        return charset.decode(octets).text.trim_end_matches('\0').to_owned();
    }
    let octets = &octets[..octets.len() - nuls];
    if !matches!(charset, Charset::Gsm7(_)) {
        return charset.decode(octets).text;
    }
    let is_label = |window: &[u8]| window.eq_ignore_ascii_case(b"text:");
    let head = octets.windows(5).position(is_label).map_or(octets.len(), |at| at + 5);
    let (head, message) = octets.split_at(head);
    let mut text: String = head.iter().map(|&octet| ascii_or(charset, octet)).collect();
    text.push_str(&charset.decode(message).text);
    text
}

fn ascii_or(charset: Charset, octet: u8) -> char {
    let is_ascii = octet == b' ' || octet.is_ascii_graphic();
    if is_ascii { char::from(octet) } else { charset.decode(&[octet]).text.chars().next().unwrap_or(' ') }
}

impl Receipt {
    /// Reads what the text tells, which may be nothing.
    pub(super) fn of_text(text: &str) -> Self {
        let text = text.trim_end_matches('\0').trim_ascii();
        let mut fields = Fields::default();
        let mut rest = text;
        while let Some((label, after)) = next_label(rest) {
            if label == Label::Text {
                fields.split_text(after);
                break;
            }
            let (value, after) = value(after);
            fields.set_new(label, value);
            rest = after;
        }
        fields.into_receipt()
    }
}

/// Values as written.
#[derive(Default)]
struct Fields<'a> {
    values: [Option<&'a str>; 8],
}

impl<'a> Fields<'a> {
    fn get(&self, label: Label) -> Option<&'a str> {
        self.values[label as usize]
    }

    /// The first value of a label counts, if it is not empty.
    fn set_new(&mut self, label: Label, value: &'a str) {
        let slot = &mut self.values[label as usize];
        if slot.is_none() && !value.is_empty() {
            *slot = Some(value);
        }
    }

    /// Takes what follows `text:`.
    ///
    /// It is the message to its end, unless it ends in a row of fields with both a `stat` and a valid `done date`: those do not
    /// fit the 20 characters that a receipt repeats, so the SMSC put them there. Of the same label in that row the last counts,
    /// as the message's own come first; and none counts that was there before `text:`.
    fn split_text(&mut self, tail: &'a str) {
        let (message, row) = trailing_fields(tail);
        let has_stat = row.iter().any(|(label, value)| *label == Label::Stat && !value.is_empty());
        let has_done = row.iter().any(|(label, value)| *label == Label::DoneDate && date(value).is_some());
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
        let date = |label| self.get(label).and_then(date);
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

/// A date in any width that receipts have.
fn date(value: &str) -> Option<Civil> {
    Civil::parse_digits(value.as_bytes()).ok()
}

/// The next known field: its label, and what follows that. Words before it that are no field are passed over.
fn next_label(text: &str) -> Option<(Label, &str)> {
    let mut rest = text.trim_ascii_start();
    loop {
        if let Some(found) = label(rest) {
            return Some(found);
        }
        rest = after_word(rest)?.trim_ascii_start();
    }
}

/// The label at the very start of `text`, and what follows it.
fn label(text: &str) -> Option<(Label, &str)> {
    let first = text.as_bytes().first()?.to_ascii_lowercase();
    LABELS.iter().filter(|(written, _)| written.as_bytes()[0] == first).find_map(|&(written, label)| {
        let start = text.get(..written.len())?;
        start.eq_ignore_ascii_case(written).then(|| (label, &text[written.len()..]))
    })
}

/// A value: the word at the start of `text`, after blanks; empty if that word is the next label.
fn value(text: &str) -> (&str, &str) {
    let text = text.trim_ascii_start();
    if label(text).is_some() {
        return ("", text);
    }
    text.find(|c: char| c.is_ascii_whitespace()).map_or((text, ""), |end| text.split_at(end))
}

/// A field of a text: label and value.
type Field<'a> = (Label, &'a str);

/// Splits off the fields, other than `text`, that follow one another up to the end of `tail`.
fn trailing_fields(tail: &str) -> (&str, Vec<Field<'_>>) {
    let mut row = Vec::new();
    let mut message = tail;
    let mut rest = tail;
    loop {
        rest = rest.trim_ascii_start();
        if let Some((label, after)) = label(rest).filter(|(label, _)| *label != Label::Text) {
            if row.is_empty() {
                message = tail[..tail.len() - rest.len()].trim_ascii_end();
            }
            let (value, after) = value(after);
            row.push((label, value));
            rest = after;
        } else if let Some(after) = after_word(rest) {
            row.clear();
            rest = after;
        } else {
            // The end, or a last word that is no field.
            return if rest.is_empty() { (message, row) } else { (tail, Vec::new()) };
        }
    }
}

/// What follows the first word, blanks included; `None` if nothing does.
fn after_word(text: &str) -> Option<&str> {
    text.find(|c: char| c.is_ascii_whitespace()).map(|end| &text[end..])
}
