//! Message ids, which an SMSC may write in one way in its response and in another in its receipts: in decimal and in
//! hexadecimal, padded with zeros or not, in upper or lower case (SMPP 3.4 §5.2.23 leaves the form to the SMSC).
//!
//! Ids are strings of digits of any length here and never machine integers, which ids outgrow.

/// Most characters of an id (SMPP 3.4 §5.2.23, without the NUL). Longer ones are compared as they are.
pub const CHARACTERS_MAX: usize = 64;

/// The normal form of an id, by which ids are compared: up to its first NUL or other control character, without blanks, quotes,
/// commas and semicolons around it, without hyphens and leading zeros, in lower case. Two ids that differ only in these are the
/// same. Empty if nothing is left.
#[must_use]
pub fn normal(id: &str) -> String {
    let id = bare(id);
    let digits: String = id.chars().filter(|character| *character != '-').collect();
    let digits = bare(&digits);
    without_zeros(if digits.is_empty() { id } else { digits })
}

/// The [normal form](normal) with its hyphens, as stores kept ids before hyphens were dropped.
#[must_use]
pub fn normal_with_hyphens(id: &str) -> String {
    without_zeros(bare(id))
}

/// Returns `true` for characters that stand around an id, and are none of it.
fn is_around(character: char) -> bool {
    character.is_whitespace() || character.is_control() || matches!(character, '"' | '\'' | ',' | ';')
}

/// The id without what stands around it.
fn bare(id: &str) -> &str {
    let id = id.trim_start_matches(is_around);
    id.split(char::is_control).next().unwrap_or_default().trim_end_matches(is_around)
}

/// The id in lower case and without leading zeros, nor what stands around it behind them.
fn without_zeros(id: &str) -> String {
    let digits = id.trim_start_matches(|character| character == '0' || is_around(character));
    let kept = if digits.is_empty() { &id[id.len() - id.len().min(1)..] } else { digits };
    kept.to_ascii_lowercase()
}

/// The octets of an id in hexadecimal, two digits each: `T1` is `5431`.
#[must_use]
pub fn to_hex_string(id: &str) -> String {
    id.bytes().map(|octet| format!("{octet:02x}")).collect()
}

/// The id whose octets are written in hexadecimal: `5431` is `T1`. `None` unless all of them are printable ASCII.
#[must_use]
pub fn from_hex_string(id: &str) -> Option<String> {
    if id.is_empty() || !id.len().is_multiple_of(2) || !id.bytes().all(|octet| octet.is_ascii_hexdigit()) {
        return None;
    }
    let octet = |at| u8::from_str_radix(&id[at..at + 2], 16).ok().filter(u8::is_ascii_graphic).map(char::from);
    (0..id.len()).step_by(2).map(octet).collect()
}

/// A decimal id in hexadecimal: lower case, no leading zeros. `None` unless it is 1 to [`CHARACTERS_MAX`] decimal digits.
#[must_use]
pub fn decimal_to_hex(id: &str) -> Option<String> {
    convert(id, 10, 16)
}

/// A hexadecimal id, of either case, in decimal without leading zeros. `None` unless it is 1 to [`CHARACTERS_MAX`]
/// hexadecimal digits.
#[must_use]
pub fn hex_to_decimal(id: &str) -> Option<String> {
    convert(id, 16, 10)
}

/// The id with zeros before it up to `width` characters.
#[must_use]
pub fn zero_padded(id: &str, width: usize) -> String {
    format!("{id:0>width$}")
}

/// Writes digits of one base in another, by long multiplication: 64 digits are too many for any integer.
fn convert(id: &str, from: u32, to: u32) -> Option<String> {
    if id.is_empty() || id.len() > CHARACTERS_MAX {
        return None;
    }
    // Digits of the result, the least first.
    let mut digits = vec![0];
    for character in id.chars() {
        let mut carry = character.to_digit(from)?;
        for digit in &mut digits {
            let value = *digit * from + carry;
            (*digit, carry) = (value % to, value / to);
        }
        while carry > 0 {
            digits.push(carry % to);
            carry /= to;
        }
    }
    digits.iter().rev().map(|&digit| char::from_digit(digit, to)).collect()
}

#[cfg(test)]
mod tests {
    //! Guards the comparison of ids: both bases, any length, zeros and case.

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_is_found_in_the_other_base() {
        assert_eq!(decimal_to_hex("0000043981").unwrap(), "abcd");
        assert_eq!(hex_to_decimal("0000ABCD").unwrap(), "43981");
    }

    #[test]
    fn an_id_longer_than_any_integer_is_converted() {
        let hex = "f".repeat(64);
        let decimal = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
        assert_eq!(hex_to_decimal(&hex).unwrap(), decimal);
        assert_eq!(decimal_to_hex("12345678901234567890123").unwrap(), "29d42b64e76714244cb");
        assert_ne!(normal("12345678901234567890"), normal("12345678901234567891"));
        assert_ne!(decimal_to_hex("12345678901234567890"), decimal_to_hex("12345678901234567891"));
    }

    #[test]
    fn what_is_no_number_is_compared_as_it_is() {
        let uuid = "00C0FFEE-0000-4000-8000-00000000000A";
        assert_eq!(normal(uuid), "c0ffee00004000800000000000000a");
        assert_eq!(normal_with_hyphens(uuid), "c0ffee-0000-4000-8000-00000000000a");
        assert_eq!((decimal_to_hex(uuid), hex_to_decimal(uuid)), (None, None));
        assert_eq!(decimal_to_hex("12a"), None);
        assert_eq!(decimal_to_hex(""), None);
        assert_eq!(hex_to_decimal(&"1".repeat(65)), None);
    }

    #[test]
    fn zeros_and_case_make_no_difference() {
        assert_eq!(normal("000AbC"), normal("abc"));
        assert_ne!(normal("1"), normal("10"));
        assert_eq!([normal("000"), normal("0"), normal(""), normal("é0")], ["0", "0", "", "é0"]);
        assert_eq!(zero_padded("abc", 8), "00000abc");
    }

    #[test]
    fn what_stands_around_an_id_makes_no_difference() {
        for written in [
            "abc1",
            " abc1",
            "abc1 ",
            "\tABC1\r\n",
            "abc1\0",
            "abc1\0\u{cc}\u{cd}XYZ",
            "\"abc1\"",
            "'abc1'",
            "abc1,",
            "abc1;",
            "00abc1",
            "a-b-c-1",
            "-abc1",
            "abc1\u{7f}\u{1}",
        ] {
            assert_eq!(normal(written), "abc1", "{written:?}");
        }
        for (written, expected) in
            [("-", "-"), ("--", "--"), (" ", ""), ("\0abc", "abc"), ("0-0", "0"), ("0'!", "!"), ("0'0", "0")]
        {
            assert_eq!(normal(written), expected, "{written:?}");
        }
    }

    #[test]
    fn octets_in_hexadecimal_are_an_id_of_their_own() {
        assert_eq!(to_hex_string("T1-a"), "54312d61");
        assert_eq!(from_hex_string("54312D61").as_deref(), Some("T1-a"));
        assert_eq!(["", "5", "0054", "zz", "5431f"].map(from_hex_string), [const { None }; 5]);
    }

    proptest! {
        #[test]
        fn a_number_is_the_same_number_in_the_other_base(number: u128) {
            prop_assert_eq!(decimal_to_hex(&number.to_string()).unwrap(), format!("{number:x}"));
            prop_assert_eq!(hex_to_decimal(&format!("{number:X}")).unwrap(), number.to_string());
        }

        #[test]
        fn any_text_has_a_normal_form(id in "\\PC{0,70}") {
            let normal = normal(&id);
            prop_assert_eq!(super::normal(&normal), normal);
        }
    }
}
