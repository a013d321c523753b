//! Text with escapes, as patterns and templates are written in.

/// Character of a text, or an octet that is written as such.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Escaped {
    /// A character.
    Character(char),
    /// `\xNN`: an octet that no encoding changes.
    Octet(u8),
}

/// Reads a text from left to right.
#[derive(Debug)]
pub(super) struct Scanner<'a> {
    rest: &'a str,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(text: &'a str) -> Scanner<'a> {
        Scanner { rest: text }
    }

    /// Returns the next character or octet. Escapes are `\t`, `\n`, `\r`, `\0`, `\\`, `\'`, `\"`, `\xNN` and
    /// `\u{N…}`.
    ///
    /// # Errors
    /// When a backslash begins no escape, in words.
    pub(super) fn next(&mut self) -> Result<Option<Escaped>, String> {
        let Some(character) = self.character() else { return Ok(None) };
        if character != '\\' {
            return Ok(Some(Escaped::Character(character)));
        }
        let escape = self.character().ok_or("\\ at the end")?;
        let character = match escape {
            't' => '\t',
            'n' => '\n',
            'r' => '\r',
            '0' => '\0',
            '\\' | '\'' | '"' => escape,
            'x' => return self.octet().map(Some),
            'u' => self.unicode()?,
            _ => return Err(format!("unknown escape \\{escape}")),
        };
        Ok(Some(Escaped::Character(character)))
    }

    /// Takes the next character if this is it.
    pub(super) fn take(&mut self, wanted: char) -> bool {
        self.rest.strip_prefix(wanted).inspect(|rest| self.rest = rest).is_some()
    }

    /// Takes the decimal digits that come next.
    pub(super) fn digits(&mut self) -> &'a str {
        let end = self.rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        digits
    }

    /// Takes all before this character, and the character; `None` if there is none.
    pub(super) fn until(&mut self, end: char) -> Option<&'a str> {
        let (before, rest) = self.rest.split_once(end)?;
        self.rest = rest;
        Some(before)
    }

    fn character(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let next = characters.next();
        self.rest = characters.as_str();
        next
    }

    fn octet(&mut self) -> Result<Escaped, String> {
        let digits = self.rest.get(..2).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let octet = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let octet = octet.ok_or("\\x is followed by two hexadecimal digits")?;
        self.rest = &self.rest[2..];
        Ok(Escaped::Octet(octet))
    }

    fn unicode(&mut self) -> Result<char, String> {
        let digits = if self.take('{') { self.until('}') } else { None };
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        number
            .and_then(char::from_u32)
            .ok_or_else(|| "\\u is followed by the number of a character: \\u{FEFF}".to_owned())
    }
}
