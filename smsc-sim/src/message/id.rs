//! Ids of messages: a number, written in one of several forms, and read back.
//!
//! No two messages have the same id, whatever mixture of forms is in use, unless a pattern leaves no other. Decimal ids never repeat an older hexadecimal
//! one, as a text means more in hexadecimal than in decimal. The other way they would: 16 in hexadecimal reads like the
//! older 10 in decimal. So once there are decimal ids, numbers whose hexadecimal form has no letter are left out.

use smpp_transport::env::Seed;

use crate::policy::IdForm;

/// Characters of an id that a client older than 3.4 takes (§3.3).
const SHORT_MAX: usize = 8;

/// Numbers that are tried for an id that no other message has. Patterns may leave none: then ids repeat.
const TRIES_MAX: u64 = 64;

/// The first number from `number` on that has an id of its own in this form, and that id. `after_decimals` is `true` if
/// there may be decimal ids of lower numbers; `is_taken` looks among the ids that are known.
pub(super) fn name(
    form: &IdForm,
    short: bool,
    number: u64,
    after_decimals: bool,
    is_taken: impl Fn(&str) -> bool,
    seed: Seed,
) -> (u64, Box<str>) {
    let tries = if form.is_constant() { 0 } else { TRIES_MAX };
    (number..number.saturating_add(tries))
        .map(|number| (number, write_short(form, short, number, seed)))
        .find(|(_, (form, text))| !(is_taken(text) || after_decimals && form.is_hexadecimal() && has_no_letter(text)))
        .map_or_else(|| (number, write_short(form, short, number, seed).1), |(number, (_, text))| (number, text))
}

fn write_short(form: &IdForm, short: bool, number: u64, seed: Seed) -> (IdForm, Box<str>) {
    let text = write(form, number, seed);
    if short && text.len() > SHORT_MAX {
        return (IdForm::Hexadecimal, write(&IdForm::Hexadecimal, number, seed));
    }
    (form.clone(), text)
}

pub(super) fn has_no_letter(id: &str) -> bool {
    id.bytes().all(|octet| octet.is_ascii_digit())
}

/// The number in this form.
pub(super) fn write(form: &IdForm, number: u64, seed: Seed) -> Box<str> {
    match form {
        IdForm::Decimal => number.to_string(),
        IdForm::DecimalPadded => format!("{number:010}"),
        IdForm::Hexadecimal => format!("{number:x}"),
        IdForm::HexadecimalPadded => format!("{number:08x}"),
        IdForm::HexadecimalUpper => format!("{number:08X}"),
        IdForm::Uuid => uuid(number, seed),
        IdForm::Pattern(pattern) => pattern.write(number, || uuid(number, seed)),
    }
    .into_boxed_str()
}

/// The numbers that it may mean.
pub(super) fn readings(id: &str, seed: Seed) -> impl Iterator<Item = u64> {
    // `parse` takes a sign, which no id has.
    let digits = id.bytes().all(|octet| octet.is_ascii_hexdigit());
    let decimal = if digits { id.parse().ok() } else { None };
    let hexadecimal = if digits { u64::from_str_radix(id, 16).ok() } else { None };
    let hexadecimal = hexadecimal.filter(|number| Some(*number) != decimal);
    [decimal, hexadecimal, of_uuid(id, seed)].into_iter().flatten()
}

/// A number as a UUID of version 4. It looks drawn and is not: the outer halves are the number, scrambled so that it can
/// be unscrambled; the middle is made from them.
fn uuid(number: u64, seed: Seed) -> String {
    let [left, right] = scrambled(number, seed);
    let middle = mixed(seed.0 ^ u64::from(left) << 32 ^ u64::from(right));
    let (mid, version, variant, node) =
        (middle as u16, (middle >> 16) as u16 & 0x0FFF, (middle >> 32) as u16 & 0x3FFF, (middle >> 48) as u16);
    format!("{left:08x}-{mid:04x}-4{version:03x}-{:04x}-{node:04x}{right:08x}", variant | 0x8000)
}

fn of_uuid(id: &str, seed: Seed) -> Option<u64> {
    if id.len() != 36 || !id.is_ascii() {
        return None;
    }
    let half = |digits| u32::from_str_radix(digits, 16).ok();
    let number = unscrambled([half(&id[..8])?, half(&id[28..])?], seed);
    uuid(number, seed).eq_ignore_ascii_case(id).then_some(number)
}

/// Rounds of the Feistel network: enough that neighbours look nothing like each other.
const ROUNDS: u64 = 4;

fn scrambled(number: u64, seed: Seed) -> [u32; 2] {
    let halves = [(number >> 32) as u32, number as u32];
    (0..ROUNDS).fold(halves, |[left, right], round| [right, left ^ round_of(right, round, seed)])
}

fn unscrambled(halves: [u32; 2], seed: Seed) -> u64 {
    let [left, right] =
        (0..ROUNDS).rev().fold(halves, |[left, right], round| [right ^ round_of(left, round, seed), left]);
    u64::from(left) << 32 | u64::from(right)
}

fn round_of(half: u32, round: u64, seed: Seed) -> u32 {
    (mixed(seed.0 ^ u64::from(half) << 8 ^ round) >> 32) as u32
}

fn mixed(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FORMS: [IdForm; 6] = [
        IdForm::Decimal,
        IdForm::DecimalPadded,
        IdForm::Hexadecimal,
        IdForm::HexadecimalPadded,
        IdForm::HexadecimalUpper,
        IdForm::Uuid,
    ];

    /// No id is known.
    fn nobody(_: &str) -> bool {
        false
    }

    #[test]
    fn a_number_is_written_as_the_form_says() {
        let texts = FORMS.map(|form| write(&form, 4714, Seed(1)).into_string());
        let uuid = &texts[5];
        assert_eq!(texts[..5], ["4714", "0000004714", "126a", "0000126a", "0000126A"]);
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
        assert_ne!(write(&IdForm::Uuid, 4714, Seed(2)), Box::<str>::from(texts[5].as_str()), "another seed, other ids");
    }

    #[test]
    fn an_old_client_gets_eight_characters() {
        for form in FORMS {
            assert!(name(&form, true, 99_999_999_999 >> 8, false, nobody, Seed(1)).1.len() <= 8, "{form:?}");
        }
        assert_eq!(&*name(&IdForm::Decimal, true, 99_999_999, false, nobody, Seed(1)).1, "99999999");
        assert_eq!(&*name(&IdForm::Decimal, true, 100_000_000, false, nobody, Seed(1)).1, "5f5e100");
    }

    proptest! {
        #[test]
        fn every_form_is_read_back(number: u64, seed: u64, form in 0..6_usize) {
            let id = write(&FORMS[form], number, Seed(seed));
            prop_assert!(readings(&id, Seed(seed)).any(|read| read == number), "{}", id);
        }

        #[test]
        fn names_in_mixed_forms_are_never_the_same(forms in prop::collection::vec(0..6_usize, 1..700), from in 1..20_u64) {
            let (mut names, mut number, mut decimals) = (std::collections::BTreeSet::new(), from * from * from, false);
            for form in forms.into_iter().map(|form| FORMS[form].clone()) {
                let (taken, id) = name(&form, false, number, decimals, nobody, Seed(7));
                decimals |= matches!(form, IdForm::Decimal | IdForm::DecimalPadded);
                prop_assert!(names.insert(id.to_ascii_lowercase()), "{}", id);
                number = taken + 1;
            }
        }
    }
}
