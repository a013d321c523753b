//! Reasons without people's data, for the log: events keep them in full.

/// Replacement for what is left out.
const MASK: char = '…';
/// Digits in a row above which a number may be a person's.
const DIGITS_MAX: usize = 4;
/// Characters of the longest hexadecimal number that is kept: four octets.
const HEX_MAX: usize = 10;

/// Returns the reason of a refusal without what it quotes from a message: quoted texts and characters, code points, long
/// numbers, and everything that is not ASCII.
pub(super) fn redacted(reason: &str) -> String {
    let characters: Vec<char> = reason.chars().collect();
    let mut out = String::with_capacity(reason.len());
    let mut at = 0;
    while let Some(&character) = characters.get(at) {
        let (taken, kept) = next(&characters, at, character);
        match kept {
            true => out.extend(&characters[at..at + taken]),
            false if !out.ends_with(MASK) => out.push(MASK),
            false => {}
        }
        at += taken.max(1);
    }
    out
}

/// Length of the next piece, and whether it is kept.
fn next(characters: &[char], at: usize, character: char) -> (usize, bool) {
    let rest = &characters[at..];
    match character {
        '\'' => match quoted_character(rest) {
            Some(length) => (length, false),
            None => (1, true),
        },
        '"' => (quoted_text(rest), false),
        'U' if rest.get(1) == Some(&'+') => {
            (2 + rest[2..].iter().take_while(|digit| digit.is_ascii_hexdigit()).count(), false)
        }
        // A status or a tag.
        '0' if rest.get(1) == Some(&'x') => {
            let length = 2 + rest[2..].iter().take_while(|digit| digit.is_ascii_hexdigit()).count();
            (length, length <= HEX_MAX)
        }
        digit if digit.is_ascii_digit() => {
            let length = rest.iter().take_while(|digit| digit.is_ascii_digit()).count();
            (length, length <= DIGITS_MAX)
        }
        other => (1, other.is_ascii()),
    }
}

/// Length of a character in quotes as `Debug` writes it: `'x'`, `'\''`, `'\u{200d}'`.
fn quoted_character(rest: &[char]) -> Option<usize> {
    const ESCAPE_MAX: usize = 12;
    if rest.get(1) == Some(&'\\') {
        let end = rest.iter().take(ESCAPE_MAX).skip(3).position(|character| *character == '\'')?;
        return Some(end + 4);
    }
    (rest.get(2) == Some(&'\'')).then_some(3)
}

/// Length of a text in quotes as `Debug` and JSON write it. One that does not end goes to the end.
fn quoted_text(rest: &[char]) -> usize {
    let mut is_escaped = false;
    for (length, character) in (1..).zip(rest.iter()).skip(1) {
        match character {
            '"' if !is_escaped => return length,
            '\\' => is_escaped = !is_escaped,
            _ => is_escaped = false,
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    //! Guards that nothing of a message is left in a reason, and that its cause is.

    use proptest::prelude::*;

    use super::*;
    use crate::bus::Message;
    use crate::bus::message::Stamp;
    use crate::outbound::{SubmitOptions, draft};

    #[test]
    fn what_is_quoted_from_a_message_is_left_out() {
        for (reason, expected) in [
            ("the SMSC's ESME_RINVDSTADR (0x0000000b)", "the SMSC's ESME_RINVDSTADR (0x0000000b)"),
            ("character 'ж' (U+0436) at index 3 is not in GSM 7-bit", "character … (…) at index 3 is not in GSM 7-bit"),
            ("character '\\'' (U+0027) at index 0", "character … (…) at index 0"),
            ("character '\"' (U+0022) is not \"in\" it", "character … (…) is not … it"),
            ("character '\\u{200d}' at", "character … at"),
            (
                "to_addr: \"27820001001\" has 21 characters, allowed are 20",
                "to_addr: … has 21 characters, allowed are 20",
            ),
            ("to_addr: \"a\\\"b\\\\\" is wrong", "to_addr: … is wrong"),
            ("27820001001: allowed are 0 to 255", "…: allowed are 0 to 255"),
            ("{\"a\":\"private\"} is no object", "{…:…} is no object"),
            ("tag: 0x1401 is not allowed, 0x3237383230303031303031 neither", "tag: 0x1401 is not allowed, … neither"),
            ("\"never ends", "…"),
            ("привет", "…"),
            ("", ""),
        ] {
            assert_eq!(redacted(reason), expected);
        }
    }

    proptest! {
        #[test]
        fn no_word_of_a_message_is_in_its_reason(
            address in "[0-9+]{6,30}|[a-zж\"' ]{12,30}",
            text in "[à-ÿ\"'\\\\ жшю]{1,40}",
            key in prop::sample::select(vec!["data_coding", "service_type", "validity_period", "tlvs", "esm_class"]),
        ) {
            let smpp = serde_json::json!({ key: address });
            for body in [
                serde_json::json!({"to_addr": address, "from_addr": "1001", "content": text}),
                serde_json::json!({"to_addr": "1001", "from_addr": address, "content": text}),
                serde_json::json!({"to_addr": "1001", "from_addr": "1", "transport_metadata": {"smpp": smpp}}),
            ] {
                let stamp = || Stamp { id: "m".into(), at: std::time::Duration::ZERO };
                let message = Message::read(body.to_string().as_bytes(), stamp).expect("a message");
                let options = SubmitOptions::default();
                let drafted = draft(&message, &options).and_then(|draft| draft.into_parts(1));
                let Err(reject) = drafted else { continue };
                let shown = redacted(&reject.to_string());
                prop_assert!(!shown.contains(&address), "{shown}");
                for character in text.chars().filter(|character| !character.is_ascii()) {
                    prop_assert!(!shown.contains(character), "{shown}");
                }
            }
        }
    }
}
