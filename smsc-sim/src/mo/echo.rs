//! Mobile-originated messages that repeat what a request said.

use super::Mo;

/// Parts of a request that a message may repeat.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Echo {
    pub(crate) account: String,
    pub(crate) from: Address,
    pub(crate) to: Address,
    pub(crate) text: String,
    /// Empty before the response.
    pub(crate) message_id: String,
}

/// One end of the request.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Address {
    pub(crate) address: String,
    pub(crate) ton: u8,
    pub(crate) npi: u8,
}

/// Names that may stand in braces.
const NAMES: [&str; 5] = ["account", "from", "to", "text", "message_id"];
const MESSAGE_ID: &str = "message_id";

impl Mo {
    /// Returns `true` if the message repeats anything.
    pub(crate) fn is_echo(&self) -> bool {
        self.templates().any(|(_, text)| names(text).next().is_some())
    }

    /// Checks that only what can be repeated is. `has_id` says whether the response has been given.
    ///
    /// # Errors
    /// With the field and what is expected.
    pub(crate) fn check_echo(&self, has_id: bool) -> Result<(), String> {
        for (field, name) in self.templates().flat_map(|(field, text)| names(text).map(move |name| (field, name))) {
            if !NAMES.contains(&name) {
                return Err(format!("{field} has {{{name}}}: expected one of {{{}}}", NAMES.join("}, {")));
            }
            if name == MESSAGE_ID && !has_id {
                return Err(format!("{field} has {{{name}}}, which is there only in after"));
            }
        }
        Ok(())
    }

    /// Returns the message with what it repeats. An address that is repeated as a whole keeps its type of number and numbering
    /// plan, unless the message says others.
    pub(crate) fn repeating(&self, echo: &Echo) -> Mo {
        let fill = |text: &String| echo.fill(text);
        let (from_ton, from_npi) = echo.numbering(&self.from, self.from_ton, self.from_npi);
        let (to_ton, to_npi) = echo.numbering(&self.to, self.to_ton, self.to_npi);
        Mo {
            from: fill(&self.from),
            to: fill(&self.to),
            text: self.text.as_ref().map(fill),
            from_ton,
            from_npi,
            to_ton,
            to_npi,
            ..self.clone()
        }
    }

    fn templates(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let text = self.text.as_deref().unwrap_or_default();
        [("from", self.from.as_str()), ("to", &self.to), ("text", text)].into_iter()
    }
}

impl Echo {
    /// Replaces each name in braces in one pass: what is put in is not looked at again.
    fn fill(&self, template: &str) -> String {
        let mut filled = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((start, name)) = first_name(rest) {
            filled.push_str(&rest[..start]);
            filled.push_str(self.value(name));
            rest = &rest[start + name.len() + 2..];
        }
        filled + rest
    }

    fn value(&self, name: &str) -> &str {
        match name {
            "account" => &self.account,
            "from" => &self.from.address,
            "to" => &self.to.address,
            "text" => &self.text,
            MESSAGE_ID => &self.message_id,
            _ => "",
        }
    }

    fn numbering(&self, template: &str, ton: Option<u8>, npi: Option<u8>) -> (Option<u8>, Option<u8>) {
        match template {
            "{from}" => (ton.or(Some(self.from.ton)), npi.or(Some(self.from.npi))),
            "{to}" => (ton.or(Some(self.to.ton)), npi.or(Some(self.to.npi))),
            _ => (ton, npi),
        }
    }
}

/// Names in braces: small letters and underscores, so that `{"a": 1}` has none.
fn names(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (start, name) = first_name(rest)?;
        rest = &rest[start + name.len() + 2..];
        Some(name)
    })
}

/// Returns the place of the first opening brace that a name follows, and the name.
fn first_name(text: &str) -> Option<(usize, &str)> {
    text.match_indices('{').find_map(|(start, _)| {
        let (name, _) = text[start + 1..].split_once('}')?;
        let is_name = !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_lowercase() || octet == b'_');
        is_name.then_some((start, name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn echo() -> Echo {
        Echo {
            account: "one".to_owned(),
            from: Address { address: "1001".to_owned(), ton: 3, npi: 9 },
            to: Address { address: "27820001".to_owned(), ton: 1, npi: 1 },
            text: "say {from}".to_owned(),
            message_id: "4711".to_owned(),
        }
    }

    fn mo(from: &str, to: &str, text: &str) -> Mo {
        Mo { from: from.to_owned(), to: to.to_owned(), text: Some(text.to_owned()), ..Mo::default() }
    }

    #[test]
    fn what_is_in_braces_is_replaced_once() {
        let told = mo("{to}", "{from}", "{account}: re: {text} ({message_id}) {").repeating(&echo());
        assert_eq!((told.from.as_str(), told.to.as_str()), ("27820001", "1001"));
        assert_eq!(told.text.as_deref(), Some("one: re: say {from} (4711) {"));
        assert_eq!((told.from_ton, told.from_npi, told.to_ton, told.to_npi), (Some(1), Some(1), Some(3), Some(9)));
        let plain = Mo { to_ton: Some(5), ..mo("1", "{from}", "{\"a\": 1} {}") };
        let told = plain.repeating(&echo());
        assert_eq!((told.from_ton, told.to_ton, told.text), (None, Some(5), plain.text));
    }

    #[test]
    fn unknown_names_are_refused() {
        assert!(mo("{from}", "{to}", "{text} {message_id}").is_echo());
        assert!(!mo("1", "2", "{ } {\"a\": 1} {A} {} }{").is_echo());
        assert_eq!(mo("", "", "{{text}}").repeating(&echo()).text.as_deref(), Some("{say {from}}"));
        let error = mo("1", "2", "{body}").check_echo(true).expect_err("no such name");
        assert_eq!(error, "text has {body}: expected one of {account}, {from}, {to}, {text}, {message_id}");
        assert!(mo("1", "2", "{message_id}").check_echo(false).is_err());
        assert!(mo("1", "2", "{message_id}").check_echo(true).is_ok());
    }
}
