//! In which form an SMSC writes its ids: in responses, and in receipts.

use crate::text::message_id::{decimal_to_hex, hex_to_decimal, normal};

/// How ids of responses and of receipts are compared.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum IdForms {
    /// As they are, until letters on one side and none on the other show that one is in hexadecimal and the other in decimal.
    #[default]
    Auto,
    /// As they are, but for case and leading zeros.
    AsIs,
    /// Receipts are in decimal, responses in hexadecimal.
    DecimalReceipts,
    /// Receipts are in hexadecimal, responses in decimal.
    HexReceipts,
}

/// What has been seen of an SMSC's ids. To take every id for either form would find the wrong message: those of an SMSC that
/// counts are close together, and 22 in decimal is the 16 of another in hexadecimal.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct IdsSeen {
    responses: Side,
    receipts: Side,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Side {
    count: u32,
    has_letters: bool,
}

/// From so many ids without a letter on they are taken for decimal. Those of an SMSC that counts in hexadecimal go ten at a
/// time without one, and then six with one; drawn ones rarely come to three.
const ENOUGH: u32 = 11;

impl Side {
    /// Only what may be a number tells anything.
    fn note(&mut self, id: &str) {
        if id.bytes().all(|octet| octet.is_ascii_hexdigit()) {
            self.count = self.count.saturating_add(1);
            self.has_letters |= id.bytes().any(|octet| octet.is_ascii_alphabetic());
        }
    }
}

impl IdsSeen {
    /// A response has this id.
    pub fn note_response(&mut self, id: &str) {
        self.responses.note(id);
    }

    /// The forms under which the id of a receipt may be known, likeliest first. None for an empty id.
    #[must_use]
    pub fn forms(&mut self, forms: IdForms, id: &str) -> Vec<String> {
        if id.is_empty() {
            return Vec::new();
        }
        self.receipts.note(id);
        self.forms_again(forms, id)
    }

    /// The same, of an id that has been asked for before.
    #[must_use]
    pub fn forms_again(&self, forms: IdForms, id: &str) -> Vec<String> {
        let as_is = || normal(id);
        let to_hex = || decimal_to_hex(id).unwrap_or_else(as_is);
        let to_decimal = || hex_to_decimal(id).unwrap_or_else(as_is);
        match (forms, self.responses.has_letters, self.receipts.has_letters) {
            (IdForms::AsIs, ..) | (IdForms::Auto, true, true) | (IdForms::Auto, false, false) => vec![as_is()],
            (IdForms::DecimalReceipts, ..) => vec![to_hex()],
            (IdForms::HexReceipts, ..) => vec![to_decimal()],
            (IdForms::Auto, true, false) if self.receipts.count >= ENOUGH => vec![to_hex()],
            (IdForms::Auto, false, true) if self.responses.count >= ENOUGH => vec![to_decimal()],
            (IdForms::Auto, true, false) => vec![as_is(), to_hex()],
            (IdForms::Auto, false, true) => vec![as_is(), to_decimal()],
        }
    }
}

#[cfg(test)]
mod tests {
    //! Guards that ids are taken for what they are.

    use super::*;

    fn after(responses: impl IntoIterator<Item = String>, receipts: impl IntoIterator<Item = String>) -> IdsSeen {
        let mut seen = IdsSeen::default();
        responses.into_iter().for_each(|id| seen.note_response(&id));
        receipts.into_iter().for_each(|id| drop(seen.forms(IdForms::Auto, &id)));
        seen
    }

    #[test]
    fn ids_that_are_written_alike_are_compared_as_they_are() {
        for write in [|id: u32| id.to_string(), |id: u32| format!("{id:08x}"), |id: u32| format!("{id:X}")] {
            let mut seen = after((1..40).map(write), (1..30).map(write));
            assert_eq!(seen.forms(IdForms::Auto, &write(0x22)), [normal(&write(0x22))]);
        }
        assert_eq!(IdsSeen::default().forms(IdForms::Auto, "22"), ["22"], "nothing is known");
        let mut uuids = after(["00c0ffee-1".to_owned()], []);
        assert_eq!(uuids.forms(IdForms::Auto, "00C0FFEE-1"), ["c0ffee-1"]);
        assert!(uuids.forms(IdForms::Auto, "").is_empty());
    }

    #[test]
    fn letters_on_one_side_alone_show_that_the_other_is_decimal() {
        let hex = |id: u32| format!("{id:x}");
        let decimal = |id: u32| id.to_string();
        assert_eq!(after((1..40).map(hex), (1..40).map(decimal)).forms(IdForms::Auto, "34"), ["22"]);
        assert_eq!(after((1..40).map(decimal), (1..40).map(hex)).forms(IdForms::Auto, "22"), ["34"]);
        assert_eq!(after((1..40).map(hex), (1..3).map(decimal)).forms(IdForms::Auto, "34"), ["34", "22"], "not yet");
        assert_eq!(after((1..3).map(decimal), (1..40).map(hex)).forms(IdForms::Auto, "22"), ["22", "34"], "not yet");
    }

    #[test]
    fn a_run_of_hexadecimal_ids_without_letters_is_not_taken_for_decimal() {
        let hex = |id: u32| format!("{id:08x}");
        let mut seen = after((0x48..0x60).map(hex), (0x50..0x5A).map(hex));
        assert_eq!(seen.forms(IdForms::Auto, &hex(0x58)).first().unwrap(), "58");
    }

    #[test]
    fn a_form_that_is_told_counts() {
        let seen = IdsSeen::default();
        assert_eq!(seen.forms_again(IdForms::AsIs, "00AB"), ["ab"]);
        assert_eq!(seen.forms_again(IdForms::DecimalReceipts, "43981"), ["abcd"]);
        assert_eq!(seen.forms_again(IdForms::HexReceipts, "ABCD"), ["43981"]);
        assert_eq!(seen.forms_again(IdForms::HexReceipts, "x-1"), ["x-1"]);
    }
}
