//! In which form an SMSC writes its ids: in responses, and in receipts.

use crate::text::message_id::{decimal_to_hex, hex_to_decimal, normal};

/// How ids of responses and of receipts are compared.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum IdForms {
    /// As they are, until letters on one side and none in many ids on the other show that one is in hexadecimal and the other in
    /// decimal. Until then, what is not known as it is waits as long as an early receipt, and is looked for in both forms then.
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
/// time without one, and each may come several times.
const ENOUGH: u32 = 64;

impl Side {
    /// Only what may be a number tells anything.
    fn note(&mut self, id: &str) {
        if id.bytes().all(|octet| octet.is_ascii_hexdigit()) {
            self.count = self.count.saturating_add(1);
            self.has_letters |= id.bytes().any(|octet| octet.is_ascii_alphabetic());
        }
    }

    fn is_decimal(self) -> bool {
        !self.has_letters && self.count >= ENOUGH
    }
}

impl IdsSeen {
    /// A response has this id.
    pub fn note_response(&mut self, id: &str) {
        self.responses.note(id);
    }

    /// A receipt has this id.
    pub fn note_receipt(&mut self, id: &str) {
        self.receipts.note(id);
    }

    /// The form under which the id of a receipt is known, as far as it is sure. None for an empty id.
    #[must_use]
    pub fn form(&self, forms: IdForms, id: &str) -> Option<String> {
        let as_is = || normal(id);
        let form = match forms {
            IdForms::AsIs => as_is(),
            IdForms::DecimalReceipts => decimal_to_hex(id).unwrap_or_else(as_is),
            IdForms::HexReceipts => hex_to_decimal(id).unwrap_or_else(as_is),
            IdForms::Auto if self.responses.has_letters && self.receipts.is_decimal() => {
                return self.form(IdForms::DecimalReceipts, id);
            }
            IdForms::Auto if self.receipts.has_letters && self.responses.is_decimal() => {
                return self.form(IdForms::HexReceipts, id);
            }
            IdForms::Auto => as_is(),
        };
        (!form.is_empty()).then_some(form)
    }

    /// The forms under which the id of a receipt may be known, likeliest first, where the one that is [sure](IdsSeen::form) has
    /// been waited for in vain.
    #[must_use]
    pub fn forms_at_last(&self, forms: IdForms, id: &str) -> Vec<String> {
        let other = match (forms, self.responses.has_letters, self.receipts.has_letters) {
            (IdForms::Auto, true, false) => self.form(IdForms::DecimalReceipts, id),
            (IdForms::Auto, false, true) => self.form(IdForms::HexReceipts, id),
            _ => None,
        };
        let mut all: Vec<String> = self.form(forms, id).into_iter().chain(other).collect();
        all.dedup();
        all
    }
}

#[cfg(test)]
mod tests {
    //! Guards that ids are taken for what they are.

    use super::*;

    fn after(responses: impl IntoIterator<Item = String>, receipts: impl IntoIterator<Item = String>) -> IdsSeen {
        let mut seen = IdsSeen::default();
        responses.into_iter().for_each(|id| seen.note_response(&id));
        receipts.into_iter().for_each(|id| seen.note_receipt(&id));
        seen
    }

    fn form(seen: &IdsSeen, id: &str) -> String {
        seen.form(IdForms::Auto, id).unwrap_or_default()
    }

    #[test]
    fn ids_that_are_written_alike_are_compared_as_they_are() {
        for write in [|id: u32| id.to_string(), |id: u32| format!("{id:08x}"), |id: u32| format!("{id:X}")] {
            let seen = after((1..400).map(write), (1..300).map(write));
            assert_eq!(seen.forms_at_last(IdForms::Auto, &write(0x22)), [normal(&write(0x22))]);
        }
        assert_eq!(form(&IdsSeen::default(), "22"), "22", "nothing is known");
        let uuids = after(["00c0ffee-1".to_owned()], []);
        assert_eq!(form(&uuids, "00C0FFEE-1"), "c0ffee-1");
        assert_eq!(uuids.form(IdForms::Auto, ""), None);
        assert!(uuids.forms_at_last(IdForms::Auto, "").is_empty());
    }

    #[test]
    fn letters_on_one_side_alone_show_that_the_other_is_decimal() {
        let hex = |id: u32| format!("{id:x}");
        let decimal = |id: u32| id.to_string();
        for (seen, id, converted) in [
            (after((1..400).map(hex), (1..400).map(decimal)), "34", "22"),
            (after((1..400).map(decimal), (1..400).map(hex)), "22", "34"),
        ] {
            assert_eq!(seen.forms_at_last(IdForms::Auto, id), [converted]);
        }
        for (seen, id, converted) in [
            (after((1..400).map(hex), (1..3).map(decimal)), "34", "22"),
            (after((1..3).map(decimal), (1..400).map(hex)), "22", "34"),
        ] {
            assert_eq!(form(&seen, id), id, "not yet");
            assert_eq!(seen.forms_at_last(IdForms::Auto, id), [id, converted], "not yet");
        }
    }

    #[test]
    fn a_run_of_hexadecimal_ids_without_letters_is_not_taken_for_decimal() {
        let hex = |id: u32| format!("{id:08x}");
        let each_comes_three_times = (0x50..0x5A).chain(0x50..0x5A).chain(0x50..0x5A);
        let seen = after((0x48..0x60).map(hex), each_comes_three_times.map(hex));
        assert_eq!(form(&seen, &hex(0x58)), "58");
    }

    #[test]
    fn a_form_that_is_told_counts() {
        let seen = IdsSeen::default();
        let form = |forms, id| seen.form(forms, id).unwrap();
        assert_eq!(form(IdForms::AsIs, "00AB"), "ab");
        assert_eq!(form(IdForms::DecimalReceipts, "43981"), "abcd");
        assert_eq!(form(IdForms::HexReceipts, "ABCD"), "43981");
        assert_eq!(form(IdForms::HexReceipts, "x-1"), "x-1");
        assert_eq!(seen.forms_at_last(IdForms::HexReceipts, "ABCD"), ["43981"]);
    }
}
