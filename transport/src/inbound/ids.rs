//! Forms in which an SMSC writes its ids: in responses, and in receipts.

use crate::text::message_id::{
    decimal_to_hex, from_hex_string, hex_to_decimal, normal, normal_with_hyphens, to_hex_string,
};

/// How ids of responses and of receipts are compared.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum IdForms {
    /// By their normal forms. Any other form counts only for a message to one of the receipt's addresses, until one has been
    /// found so, or letters on one side and none in many ids on the other show that one is in hexadecimal and the other in
    /// decimal.
    #[default]
    Auto,
    /// By their normal forms alone.
    AsIs,
    /// Receipts are in decimal, responses in hexadecimal.
    DecimalReceipts,
    /// Receipts are in hexadecimal, responses in decimal.
    HexReceipts,
    /// Receipts have the octets of the id in hexadecimal.
    HexStringReceipts,
    /// Responses have the octets of the id in hexadecimal.
    HexStringResponses,
}

/// Forms under which the message of a receipt may be known, all of them normal.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Forms {
    /// Forms that are sure, the likeliest first.
    pub sure: Vec<String>,
    /// Forms that count only for a message to one of the receipt's addresses.
    pub guesses: Vec<String>,
}

/// Evidence about an SMSC's ids. To take every id for either form would find the wrong message: those of an SMSC that
/// counts are close together, and 22 in decimal is the 16 of another in hexadecimal.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct IdsSeen {
    responses: Side,
    receipts: Side,
    /// Form by which a message was found last, if not by the id as it is.
    learned: Option<IdForms>,
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
    /// Notes an id; only one that may be a number is evidence.
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

/// Forms that are tried where none was configured.
const CONVERSIONS: [IdForms; 4] =
    [IdForms::DecimalReceipts, IdForms::HexReceipts, IdForms::HexStringReceipts, IdForms::HexStringResponses];

impl IdForms {
    /// The id of a response for the id of a receipt; `None` if this is not a form of it.
    fn convert(self, id: &str) -> Option<String> {
        let plain = normal(id);
        match self {
            IdForms::Auto | IdForms::AsIs => Some(plain),
            IdForms::DecimalReceipts => decimal_to_hex(&plain),
            IdForms::HexReceipts => hex_to_decimal(&plain),
            IdForms::HexStringReceipts => from_hex_string(id.trim()).map(|id| normal(&id)),
            IdForms::HexStringResponses => Some(normal(&to_hex_string(id.trim()))),
        }
    }
}

impl IdsSeen {
    /// Notes the id of a response.
    pub fn note_response(&mut self, id: &str) {
        self.responses.note(id.trim());
        self.forget_what_is_contradicted();
    }

    /// Notes the id of a receipt.
    pub fn note_receipt(&mut self, id: &str) {
        self.receipts.note(id.trim());
        self.forget_what_is_contradicted();
    }

    /// Forgets a form that was learned from one receipt and cannot be: letters on the side that would be decimal.
    fn forget_what_is_contradicted(&mut self) {
        let has_letters = match self.learned {
            Some(IdForms::DecimalReceipts) => self.receipts.has_letters,
            Some(IdForms::HexReceipts) => self.responses.has_letters,
            _ => false,
        };
        if has_letters {
            self.learned = None;
        }
    }

    /// The form under which the id of a receipt is known, as far as it is sure. `None` for an empty id.
    #[must_use]
    pub fn form(&self, forms: IdForms, id: &str) -> Option<String> {
        let form = match forms {
            IdForms::Auto => match self.learned {
                Some(learned) => learned.convert(id),
                None if self.responses.has_letters && self.receipts.is_decimal() => decimal_to_hex(&normal(id)),
                None if self.receipts.has_letters && self.responses.is_decimal() => hex_to_decimal(&normal(id)),
                None => None,
            },
            forms => forms.convert(id),
        };
        Some(form.unwrap_or_else(|| normal(id))).filter(|form| !form.is_empty())
    }

    /// The forms of a receipt's ids: of the parameter, and of the text where it is another one.
    #[must_use]
    pub fn forms<'a>(&self, forms: IdForms, ids: impl IntoIterator<Item = &'a str> + Clone) -> Forms {
        let mut all = Forms::default();
        for id in ids.clone() {
            all.sure.extend(self.form(forms, id));
            if id.contains('-') {
                all.sure.push(normal_with_hyphens(id));
            }
        }
        if forms == IdForms::Auto {
            let is_likely = |conversion: &&IdForms, id: &str| self.is_likely(**conversion, id);
            for id in ids {
                let likely = CONVERSIONS.iter().filter(|conversion| is_likely(conversion, id));
                all.guesses.extend(likely.filter_map(|conversion| conversion.convert(id)));
            }
        }
        unique(&mut all.sure, &[]);
        unique(&mut all.guesses, &all.sure);
        all
    }

    /// Whether an id is worth looking for in another form: the one form has letters that the other cannot have, and nothing that
    /// was seen contradicts it. Digits alone would find another message of the same address.
    fn is_likely(&self, conversion: IdForms, id: &str) -> bool {
        let Some(converted) = conversion.convert(id) else { return false };
        let is_letter = |octet: u8| octet.is_ascii_alphabetic();
        let is_no_digit = |octet: u8| !octet.is_ascii_hexdigit();
        match conversion {
            IdForms::DecimalReceipts => converted.bytes().any(is_letter) && !self.receipts.has_letters,
            IdForms::HexReceipts => normal(id).bytes().any(is_letter) && !self.responses.has_letters,
            IdForms::HexStringReceipts => converted.bytes().any(is_no_digit),
            IdForms::HexStringResponses => normal(id).bytes().any(is_no_digit),
            IdForms::Auto | IdForms::AsIs => false,
        }
    }

    /// Learns from the form under which the message of a receipt was found. Returns `true` if other receipts may be found by
    /// it that were not found before.
    pub fn learn<'a>(&mut self, forms: IdForms, ids: impl IntoIterator<Item = &'a str> + Clone, found: &str) -> bool {
        if forms != IdForms::Auto || ids.clone().into_iter().any(|id| self.form(forms, id).as_deref() == Some(found)) {
            return false;
        }
        let before = self.learned;
        let is_plain = ids.clone().into_iter().any(|id| normal(id) == found || normal_with_hyphens(id) == found);
        self.learned = match is_plain {
            true => None,
            false => CONVERSIONS
                .into_iter()
                .find(|conversion| ids.clone().into_iter().any(|id| conversion.convert(id).as_deref() == Some(found))),
        };
        self.learned.is_some() && self.learned != before
    }

    /// The forms under which the id of a receipt may be known, likeliest first, where the one that is [sure](IdsSeen::form) has
    /// been waited for in vain.
    #[must_use]
    pub fn forms_at_last(&self, forms: IdForms, id: &str) -> Vec<String> {
        let other = match (forms, self.responses.has_letters, self.receipts.has_letters) {
            (IdForms::Auto, true, false) => decimal_to_hex(&normal(id)),
            (IdForms::Auto, false, true) => hex_to_decimal(&normal(id)),
            _ => None,
        };
        let plain = self.learned.map(|_| normal(id)).filter(|_| forms == IdForms::Auto);
        let mut all: Vec<String> = self.form(forms, id).into_iter().chain(other).chain(plain).collect();
        unique(&mut all, &[]);
        all
    }
}

/// Leaves of a list those that are not empty, each once, and not in another list.
fn unique(list: &mut Vec<String>, others: &[String]) {
    let mut kept: Vec<String> = Vec::new();
    for form in list.drain(..) {
        if !form.is_empty() && !kept.contains(&form) && !others.contains(&form) {
            kept.push(form);
        }
    }
    *list = kept;
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
        assert_eq!(form(&uuids, "00C0FFEE-1"), "c0ffee1");
        assert_eq!(uuids.forms(IdForms::Auto, ["00C0FFEE-1"]).sure, ["c0ffee1", "c0ffee-1"]);
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
        assert_eq!(form(IdForms::HexReceipts, "x-1"), "x1");
        assert_eq!(form(IdForms::HexStringReceipts, "5431"), "t1");
        assert_eq!(form(IdForms::HexStringResponses, "T1"), "5431");
        assert_eq!(seen.forms_at_last(IdForms::HexReceipts, "ABCD"), ["43981"]);
    }
    #[test]
    fn the_first_message_that_is_found_by_another_form_teaches_it() {
        let mut seen = IdsSeen::default();
        let ids = ["416342074"];
        assert_eq!(seen.forms(IdForms::Auto, ids).sure, ["416342074"]);
        assert!(seen.forms(IdForms::Auto, ids).guesses.contains(&"18d0e03a".to_owned()));
        assert!(seen.learn(IdForms::Auto, ids, "18d0e03a"));
        assert_eq!(seen.forms(IdForms::Auto, ["34"]).sure, ["22"]);
        assert!(!seen.learn(IdForms::Auto, ["34"], "22"), "known already");
        assert!(!seen.learn(IdForms::Auto, ["34"], "34"), "forgotten: nothing new can be found by it");
        assert_eq!(form(&seen, "34"), "34");
        let guesses = |forms, id| IdsSeen::default().forms(forms, [id]).guesses;
        assert_eq!(guesses(IdForms::Auto, "34"), [""; 0], "digits alone would find another message");
        assert_eq!(guesses(IdForms::Auto, "43981"), ["abcd"]);
        assert_eq!(guesses(IdForms::Auto, "ABCD"), ["43981"]);
        assert_eq!(guesses(IdForms::Auto, "54312d78"), ["1412509048", "t1x"]);
        assert_eq!(guesses(IdForms::AsIs, "43981").len() + guesses(IdForms::DecimalReceipts, "43981").len(), 0);
        for (learned, response, receipt) in [("abc1", "2", "abc2"), ("43981", "abc2", "2")] {
            let mut seen = IdsSeen::default();
            let written = if learned == "abc1" { "43969" } else { "abcd" };
            assert!(seen.learn(IdForms::Auto, [written], learned), "{learned}");
            seen.note_response("1");
            seen.note_receipt("1");
            assert_ne!(form(&seen, "77"), "77");
            seen.note_response(response);
            seen.note_receipt(receipt);
            assert_eq!(form(&seen, "77"), "77", "both sides are hexadecimal, or it was a coincidence");
        }
        let both = after(["abc1".to_owned()], ["abc2".to_owned()]);
        assert_eq!(both.forms(IdForms::Auto, ["43981"]).guesses, [""; 0], "both sides are hexadecimal");
    }
}
