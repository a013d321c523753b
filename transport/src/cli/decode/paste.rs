//! Octets out of text as people paste it: plain digits with any separators, `0x` and `\x` forms, lists of C and other languages,
//! and dumps with offsets and a column of characters (Wireshark, tshark, `xxd`, `hexdump -C`, `od`, tcpdump).

/// Meaning of one line of text.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Line {
    /// Nothing but white space, a comment, or words around a list.
    Empty,
    /// Octets.
    Octets(Vec<u8>),
    /// A row of a dump: its offset and its octets.
    Row { offset: usize, octets: Vec<u8> },
    /// `*` in a dump: the row before it again, up to the next offset.
    Repeat,
    /// Something else, in words.
    Wrong(String),
}

/// Octets that a row of a dump without a column of its own for offsets has at most.
const ROW_OCTETS_MAX: usize = 16;
/// Characters between digits that mean nothing.
const SEPARATORS: &str = "-:,;_.|/'\"[](){}<>=\\";
/// Words in front of digits that mean nothing.
const WORDS: [&str; 3] = ["Buffer", "bytearray", "bytes"];

/// Reads one line.
pub(super) fn read(line: &str) -> Line {
    let line = line.trim_end();
    if line.trim().is_empty() {
        return Line::Empty;
    }
    if line.trim() == "*" {
        return Line::Repeat;
    }
    if let Some(row) = row(line) {
        return row;
    }
    let code = without_comments(line);
    if has_escapes(&code) {
        return escaped(&code);
    }
    let code = list(&code);
    match code.trim() {
        "" => Line::Empty,
        digits => self::digits(digits).map_or_else(Line::Wrong, Line::Octets),
    }
}

/// A row of a dump, if the line is one: an offset of at least four digits, then octets, then perhaps the characters they stand
/// for.
fn row(line: &str) -> Option<Line> {
    let text = line.trim_start();
    let text = text.strip_prefix("0x").unwrap_or(text);
    let end = text.find(|character: char| !character.is_ascii_hexdigit()).unwrap_or(text.len());
    let (offset, rest) = text.split_at(end);
    if !(4..=8).contains(&offset.len()) {
        return None;
    }
    let offset = usize::from_str_radix(offset, 16).ok()?;
    let (rest, has_colon) = match rest.strip_prefix(':') {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    // `00000010:…` without a blank is no offset, and a last line of `hexdump` has nothing behind it.
    if !rest.starts_with([' ', '\t']) {
        return None;
    }
    let octets = columns(rest, has_colon)?;
    (!octets.is_empty()).then_some(Line::Row { offset, octets })
}

/// Octets of a row, up to its column of characters. `None` if these are no columns of octets.
fn columns(rest: &str, has_colon: bool) -> Option<Vec<u8>> {
    let mut octets = Vec::new();
    let mut left = rest.replace('\t', "    ");
    loop {
        let gap = left.len() - left.trim_start().len();
        let text = left.trim_start().to_owned();
        let end = text.find(' ').unwrap_or(text.len());
        let word = &text[..end];
        // `xxd` has two blanks before its characters, others have three, or a sign.
        let is_over = !octets.is_empty() && gap >= if has_colon { 2 } else { 3 };
        let is_full = !has_colon && octets.len() >= ROW_OCTETS_MAX;
        let is_digits = !word.is_empty() && word.bytes().all(|octet| octet.is_ascii_hexdigit());
        if is_over || is_full || !is_digits || word.len() % 2 == 1 {
            return Some(octets);
        }
        if word.len() != 2 && !has_colon {
            return None;
        }
        octets.extend(pairs(word));
        left = text[end..].to_owned();
    }
}

fn pairs(digits: &str) -> impl Iterator<Item = u8> + '_ {
    (0..digits.len() / 2).filter_map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok())
}

/// The line without `/* … */` and `// …`.
fn without_comments(line: &str) -> String {
    let mut code = String::new();
    let mut rest = line;
    while let Some((before, comment)) = rest.split_once("/*") {
        code.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, after)| after);
    }
    code.push_str(rest);
    // The end of a comment that began on an earlier line.
    let code = code.split_once("*/").map_or(code.as_str(), |(_, after)| after);
    code.split("//").next().unwrap_or_default().to_owned()
}

fn has_escapes(code: &str) -> bool {
    code.contains("\\x") || code.contains("\\0")
}

/// Octets of a string with escapes, in quotes or without: `b'\x00\x00\x00!'`. Blanks outside of quotes mean nothing.
fn escaped(code: &str) -> Line {
    let mut octets = Vec::new();
    let mut quote = None;
    let has_quotes = code.contains(['"', '\'']);
    let is_list = !has_quotes && is_list_of_escapes(code);
    let mut characters = code.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('x') => {
                    let mut digits = String::new();
                    while digits.len() < 2
                        && let Some(digit) = characters.next_if(char::is_ascii_hexdigit)
                    {
                        digits.push(digit);
                    }
                    match u8::from_str_radix(&digits, 16) {
                        Ok(octet) => octets.push(octet),
                        Err(_) => return Line::Wrong("no hexadecimal digits follow \\x".to_owned()),
                    }
                }
                Some('0') => octets.push(0),
                Some('n') => octets.push(b'\n'),
                Some('r') => octets.push(b'\r'),
                Some('t') => octets.push(b'\t'),
                Some('a') => octets.push(7),
                Some('b') => octets.push(8),
                Some('f') => octets.push(12),
                Some('v') => octets.push(11),
                Some(itself @ ('\\' | '\'' | '"')) => octets.push(itself as u8),
                // At the end of a line the string goes on on the next.
                None => {}
                Some(other) => return Line::Wrong(format!("unknown escape \\{other}")),
            },
            '"' | '\'' if quote.is_none() => quote = Some(character),
            _ if quote == Some(character) => quote = None,
            _ if has_quotes && quote.is_none() => {}
            _ if is_list => {}
            ' ' | '\t' if !has_quotes => {}
            _ => match u8::try_from(u32::from(character)) {
                Ok(octet) => octets.push(octet),
                Err(_) => return Line::Wrong(format!("{character:?} is no octet")),
            },
        }
    }
    if octets.is_empty() { Line::Empty } else { Line::Octets(octets) }
}

/// Returns `true` if nothing but separators stands between escapes: `\x00, \x10`.
fn is_list_of_escapes(code: &str) -> bool {
    let is_separator = |character: char| character.is_whitespace() || SEPARATORS.contains(character);
    let mut between = code.split("\\x");
    let first = between.next().unwrap_or_default();
    first.chars().all(is_separator) && between.all(|rest| rest.chars().skip(2).all(is_separator))
}

/// What stands in the list, if there is one, without the words before it: `char pdu[] = { 0x00, … };`.
fn list(code: &str) -> String {
    let code = code.split_once('{').map_or(code, |(_, list)| list);
    let code = code.split_once('}').map_or(code, |(list, _)| list);
    let code = code.rsplit_once('=').map_or(code, |(_, list)| list);
    // A word and a colon before the digits: `PDU: 00 00 …`.
    let code = match code.rsplit_once(": ") {
        Some((label, digits)) if label.contains(|it: char| it.is_ascii_alphabetic() && !it.is_ascii_hexdigit()) => {
            digits
        }
        _ => code,
    };
    let code = WORDS.iter().fold(code.to_owned(), |code, word| code.replace(word, " "));
    code.trim().trim_end_matches(';').to_owned()
}

/// Octets of digits with separators between them.
fn digits(text: &str) -> Result<Vec<u8>, String> {
    let is_separator = |character: char| character.is_whitespace() || SEPARATORS.contains(character);
    let words: Vec<&str> = text.split(is_separator).filter(|word| !word.is_empty()).collect();
    if let Some(octets) = decimals(text, &words) {
        return Ok(octets);
    }
    let mut octets = Vec::new();
    let mut all = String::new();
    let mut is_even = true;
    for word in &words {
        let prefixed = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
        // `0x000x10` and `0x1`.
        let digits = prefixed.unwrap_or(word).replace("0x", "").replace("0X", "");
        if let Some(character) = digits.chars().find(|character| !character.is_ascii_hexdigit()) {
            let at = text.find(character).unwrap_or_default();
            return Err(format!("{character:?} at {at} is no hexadecimal digit"));
        }
        let digits = if prefixed.is_some() && digits.len() == 1 { format!("0{digits}") } else { digits };
        is_even &= digits.len() % 2 == 0;
        octets.extend(pairs(&digits));
        all.push_str(&digits);
    }
    match all.len() {
        _ if is_even => Ok(octets),
        even if even % 2 == 0 => Ok(pairs(&all).collect()),
        odd => Err(format!("{odd} hexadecimal digits: an octet has two")),
    }
}

/// Octets of a list of decimal numbers, `[0, 0, 0, 33, 128]`: some have one digit or three, which hexadecimal ones do not.
fn decimals(text: &str, words: &[&str]) -> Option<Vec<u8>> {
    let is_list = text.contains(',') && words.len() > 1;
    let has_other_lengths = words.iter().any(|word| word.len() != 2);
    let are_short = words.iter().all(|word| word.len() <= 3 && word.bytes().all(|octet| octet.is_ascii_digit()));
    if !(is_list && has_other_lengths && are_short) {
        return None;
    }
    words.iter().map(|word| word.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    //! Guards that one PDU is read from every form that people paste it in.

    use super::*;

    const OCTETS: [u8; 33] = [
        0, 0, 0, 0x21, 0x80, 0, 0, 4, 0, 0, 0, 0x0B, 0, 0, 0, 2, 0x30, 0x41, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x41,
        0x33, 0x44, 0x33, 0x32, 0x33, 0x41, 0x31, 0,
    ];

    fn all(text: &str) -> Vec<u8> {
        let mut octets = Vec::new();
        for line in text.lines() {
            match read(line) {
                Line::Empty | Line::Repeat => {}
                Line::Octets(more) | Line::Row { octets: more, .. } => octets.extend(more),
                Line::Wrong(words) => panic!("{line:?}: {words}"),
            }
        }
        octets
    }

    fn joined(separator: &str, prefix: &str) -> String {
        OCTETS.map(|octet| format!("{prefix}{octet:02x}")).join(separator)
    }

    #[test]
    fn digits_may_be_separated_by_anything_and_prefixed() {
        for separator in ["", " ", "-", ":", ", ", ",", "; ", " - ", "\t", "\n", "-\n", "_", ".", "|", "' '"] {
            assert_eq!(all(&joined(separator, "")), OCTETS, "{separator:?}");
            assert_eq!(all(&joined(separator, "").to_uppercase()), OCTETS, "{separator:?}");
        }
        for separator in ["", " ", ", ", ",\n", ",\n    "] {
            assert_eq!(all(&joined(separator, "0x")), OCTETS, "{separator:?}");
            assert_eq!(all(&joined(separator, "\\x")), OCTETS, "{separator:?}");
        }
        let groups: Vec<_> =
            OCTETS.chunks(4).map(|chunk| chunk.iter().map(|it| format!("{it:02x}")).collect::<String>()).collect();
        assert_eq!(all(&groups.join(" ")), OCTETS);
        assert_eq!(all(&format!("0x{}", joined("", ""))), OCTETS);
    }

    /// Rows of 16 octets, each with its offset and with the characters that the octets stand for.
    fn dump(row: impl Fn(usize, &str, &str, &str) -> String) -> String {
        let rows = OCTETS.chunks(16).enumerate().map(|(number, octets)| {
            let hex: Vec<String> = octets.iter().map(|octet| format!("{octet:02x}")).collect();
            let shown = |octet: &u8| if (0x20..0x7F).contains(octet) { char::from(*octet) } else { '.' };
            let text: String = octets.iter().map(shown).collect();
            let (left, right) = hex.split_at(hex.len().min(8));
            row(number * 16, &left.join(" "), &right.join(" "), &text)
        });
        rows.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn dumps_are_read_without_their_offsets_and_characters() {
        for (name, text) in [
            (
                "hexdump -C",
                dump(|at, left, right, text| format!("{at:08x}  {left:<23}  {right:<23}  |{text}|")) + "\n00000021",
            ),
            ("Wireshark", dump(|at, left, right, text| format!("{at:04x}   {left} {right}   {text}"))),
            (
                "tshark -x",
                dump(|at, left, right, text| format!("{:<55}   {text}", format!("{at:04x}  {left}  {right}"))),
            ),
            ("without characters", dump(|at, left, right, _| format!("{at:04x}  {left} {right}"))),
            ("od", dump(|at, left, right, text| format!("{at:06x} {left} {right}  >{text}<"))),
            ("capitals", dump(|at, left, right, _| format!("{at:04X}  {left} {right}").to_uppercase())),
            (
                "xxd",
                "00000000: 0000 0021 8000 0004 0000 000b 0000 0002  ...!............\n\
                 00000010: 3041 3030 3030 3030 4133 4433 3233 4131  0A000000A3D323A1\n\
                 00000020: 00                                       .\n"
                    .to_owned(),
            ),
            ("xxd -g1", dump(|at, left, right, text| format!("{:<58}  {text}", format!("{at:08x}: {left} {right}")))),
            (
                "tcpdump",
                "\t0x0000:  0000 0021 8000 0004 0000 000b 0000 0002  ...!............\n\
                 \t0x0010:  3041 3030 3030 3030 4133 4433 3233 4131  0A000000A3D323A1\n\
                 \t0x0020:  00                                       .\n"
                    .to_owned(),
            ),
        ] {
            let text = text.trim_end_matches("\n00000021");
            assert_eq!(all(text), OCTETS, "{name}:\n{text}");
        }
        let row = |offset, octets: &[u8]| Line::Row { offset, octets: octets.to_vec() };
        assert_eq!(read("0010  30 41   0A"), row(16, &[0x30, 0x41]));
        assert_eq!(read("0000000f: 3041 30  0A0"), row(15, &[0x30, 0x41, 0x30]));
        assert_eq!(read("*"), Line::Repeat);
    }

    #[test]
    fn groups_of_four_digits_are_no_dump() {
        assert_eq!(all("0000 0010 0000 0015 0000 0000 0000 0001").len(), 16);
        assert_eq!(all("00000010 00000015 00000000 00000001").len(), 16);
        assert_eq!(all("00:00:00:10:00:00:00:15:00:00:00:00:00:00:00:01").len(), 16);
    }

    #[test]
    fn code_of_several_languages_is_read() {
        let list = joined(", ", "0x");
        let decimal = OCTETS.map(|octet| octet.to_string()).join(", ");
        let escaped = joined("", "\\x");
        for text in [
            format!("unsigned char pdu[33] = {{ {list} }};"),
            format!("char peer0_0[] = {{ /* Packet 4 */\n{} }};", joined(",\n", "0x")),
            format!("const uint8_t PDU[] =\n{{\n{list} // the end\n}};"),
            format!("let pdu = [{list}];"),
            format!("byte[] pdu = new byte[] {{ {list} }};"),
            format!("[{decimal}]"),
            format!("<<{}>>", decimal.replace(' ', "")),
            format!("<Buffer {}>", joined(" ", "")),
            format!("b'{escaped}'"),
            format!("pdu = b\"{escaped}\""),
            format!("\"{}\" \\\n\"{}\"", &escaped[..64], &escaped[64..]),
            "b'\\x00\\x00\\x00!\\x80\\x00\\x00\\x04\\x00\\x00\\x00\\x0b\\x00\\x00\\x00\\x020A000000A3D323A1\\x00'"
                .to_owned(),
            format!("PDU sent: {}", joined(" ", "")),
            format!("hex={}", joined("", "")),
        ] {
            assert_eq!(all(&text), OCTETS, "{text}");
        }
        assert_eq!(all("0x0, 0x1, 0xA"), [0, 1, 10], "one digit");
        assert_eq!(all("b'\\n\\r\\t\\\\\\x41'"), *b"\n\r\t\\A");
    }

    #[test]
    fn what_is_no_octet_is_named() {
        for (text, words) in [
            ("00zz", "'z' at 2 is no hexadecimal digit"),
            ("000", "3 hexadecimal digits: an octet has two"),
            ("\\xzz", "no hexadecimal digits follow \\x"),
            ("'\\x00\\q'", "unknown escape \\q"),
            ("'\\x00ж'", "'ж' is no octet"),
        ] {
            assert_eq!(read(text), Line::Wrong(words.to_owned()), "{text}");
        }
        for text in ["", "  ", "// nothing", "/* nothing */", "char pdu[] =", "};"] {
            assert_eq!(read(text), Line::Empty, "{text:?}");
        }
    }
}
