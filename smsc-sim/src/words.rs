//! The standard's numbers as people write them in YAML and JSON: statuses, states, commands and kinds of bind by name, a
//! pattern, one or a list of something.

use std::fmt;
use std::str::FromStr;

use regex::Regex;
use serde::de::{SeqAccess, Visitor, value};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use smpp_transport::pdu::{CommandId, CommandStatus, MessageState};
use smpp_transport::session::BindKind;
use smpp_transport::text::{stat_of_state, state_of_stat};

use crate::time::as_text;

/// A status, by its name in the standard or as a number: `ESME_RTHROTTLED`, `RTHROTTLED`, `0x58`, `88`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Status(pub CommandStatus);

impl FromStr for Status {
    type Err = String;

    fn from_str(text: &str) -> Result<Status, String> {
        let named = CommandStatus::NAMED.iter().find(|status| {
            let name = status.name().unwrap_or_default();
            text.eq_ignore_ascii_case(name) || text.eq_ignore_ascii_case(&name[5..])
        });
        let status = named.copied().or_else(|| number(text).map(CommandStatus));
        status.map(Status).ok_or_else(|| {
            format!("{text:?} is no status: a name such as ESME_RTHROTTLED or a number such as 0x58 is wanted")
        })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// State of a message (§5.2.28), by its name in the standard or in receipts: `DELIVERED`, `DELIVRD`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct State(pub MessageState);

impl FromStr for State {
    type Err = String;

    fn from_str(text: &str) -> Result<State, String> {
        let named =
            MessageState::NAMED.iter().find(|state| state.name().is_some_and(|name| name.eq_ignore_ascii_case(text)));
        named.copied().or_else(|| state_of_stat(text)).map(State).ok_or_else(|| {
            let names: Vec<_> = MessageState::NAMED.iter().filter_map(|state| state.name()).collect();
            format!("{text:?} is no state of a message; there are {}", names.join(", "))
        })
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl State {
    /// As receipts write it in `stat`.
    #[must_use]
    pub fn stat(self) -> &'static str {
        stat_of_state(self.0).unwrap_or("UNKNOWN")
    }
}

/// A command by its name in the standard: `submit_sm`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Command(pub CommandId);

impl FromStr for Command {
    type Err = String;

    fn from_str(text: &str) -> Result<Command, String> {
        let command = CommandId::from_printed(text).map(Command);
        command.ok_or_else(|| format!("{text:?} is no command: one of SMPP 3.4 such as submit_sm is wanted"))
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.printed())
    }
}

/// Kind of bind: `transmitter`, `receiver`, `transceiver`.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bind {
    /// May submit.
    Transmitter,
    /// Is delivered to.
    Receiver,
    /// Both.
    Transceiver,
}

impl From<BindKind> for Bind {
    fn from(kind: BindKind) -> Bind {
        match kind {
            BindKind::Transmitter => Bind::Transmitter,
            BindKind::Receiver => Bind::Receiver,
            BindKind::Transceiver => Bind::Transceiver,
        }
    }
}

/// A regular expression that may match anywhere, as in an `address_range`: `^2782`, `00[1-3]$`.
#[derive(Clone, Debug)]
pub struct Pattern {
    regex: Regex,
    /// End that the text must have, where the expression says no more: a list of rules may have hundreds of those, and each would cost
    /// several times as much as a regular expression.
    ending: Option<String>,
}

impl Pattern {
    /// Returns `true` if the expression is found in the text.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.ending.as_ref().map_or_else(|| self.regex.is_match(text), |ending| text.ends_with(ending))
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.regex.as_str() == other.regex.as_str()
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Pattern, String> {
        // The last line says what is wrong; those before draw it.
        let wrong = |error: regex::Error| {
            let words = error.to_string();
            let words = words.lines().last().unwrap_or_default().trim_start_matches("error: ");
            format!("{text:?} is no regular expression: {words}")
        };
        let regex = Regex::new(text).map_err(wrong)?;
        let ending = text.strip_suffix('$').filter(|ending| ending.bytes().all(|octet| octet.is_ascii_alphanumeric()));
        Ok(Pattern { regex, ending: ending.map(str::to_owned) })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.regex.as_str())
    }
}

as_text!(Command, State, Pattern);

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Status, D::Error> {
        struct NameOrNumber;
        impl Visitor<'_> for NameOrNumber {
            type Value = Status;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a status by name or number")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Status, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Status, E> {
                let number = u32::try_from(number).map_err(|_| E::custom(format!("{number} has more than 32 bits")))?;
                Ok(Status(CommandStatus(number)))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Status, E> {
                u64::try_from(number).map_or_else(|_| Err(E::custom("a status is not negative")), |n| self.visit_u64(n))
            }
        }
        from.deserialize_any(NameOrNumber)
    }
}

/// List of one or more: `submit_sm`, or `[submit_sm, data_sm]`. Empty is any.
#[derive(Clone, Debug, PartialEq)]
pub struct AnyOf<T>(pub Vec<T>);

impl<T> Default for AnyOf<T> {
    fn default() -> AnyOf<T> {
        AnyOf(Vec::new())
    }
}

impl<T: PartialEq> AnyOf<T> {
    /// Returns `true` if the value is in the list, or the list is empty.
    #[must_use]
    pub fn admits<U: ?Sized>(&self, value: &U) -> bool
    where
        T: PartialEq<U>,
    {
        self.0.is_empty() || self.0.iter().any(|one| one == value)
    }

    /// Returns `true` if the list is empty and admits everything.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Serialize> Serialize for AnyOf<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => one.serialize(to),
            many => many.serialize(to),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for AnyOf<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<AnyOf<T>, D::Error> {
        struct OneOrMore<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrMore<T> {
            type Value = AnyOf<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name or a list of names, in quotes where they look like numbers")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<AnyOf<T>, E> {
                T::deserialize(value::StrDeserializer::new(text)).map(|one| AnyOf(vec![one]))
            }
            /// A name of digits. One that starts with 0 is no such number.
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<AnyOf<T>, E> {
                self.visit_str(&number.to_string())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<AnyOf<T>, A::Error> {
                let mut many = Vec::new();
                while let Some(one) = list.next_element()? {
                    many.push(one);
                }
                Ok(AnyOf(many))
            }
        }
        from.deserialize_any(OneOrMore(std::marker::PhantomData))
    }
}

#[cfg(test)]
mod tests {
    //! Guards how names and numbers are read, and what is said of those that are none.

    use std::fmt::Debug;

    use serde::de::DeserializeOwned;
    use smpp_transport::pdu::CommandStatus;

    use super::*;

    /// The value that YAML and JSON give, written and read again in both.
    fn read<T: DeserializeOwned + Serialize + PartialEq + Debug>(text: &str) -> Result<T, String> {
        let value: T = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        let yaml = serde_saphyr::to_string(&value).expect("it can be written");
        assert_eq!(serde_saphyr::from_str::<T>(&yaml).expect(&yaml), value);
        let json = serde_json::to_string(&value).expect("it can be written");
        assert_eq!(serde_json::from_str::<T>(&json).expect(&json), value);
        Ok(value)
    }

    fn refused<T: DeserializeOwned + Serialize + PartialEq + Debug>(text: &str, words: &str) {
        let error = read::<T>(text).expect_err(text);
        assert!(error.contains(words), "{error}");
    }

    #[test]
    fn statuses_are_read_by_name_and_number() {
        for text in ["ESME_RTHROTTLED", "rthrottled", "0x58", "88"] {
            assert_eq!(read(text), Ok(Status(CommandStatus::ESME_RTHROTTLED)), "{text}");
        }
        assert_eq!(serde_json::from_str::<Status>("88").expect("a number"), Status(CommandStatus(88)));
        assert_eq!(read("0x0400"), Ok(Status(CommandStatus(0x400))), "those of vendors");
        refused::<Status>("ESME_RFULL", "\"ESME_RFULL\" is no status: a name such as ESME_RTHROTTLED");
        refused::<Status>("-1", "a status is not negative");
        refused::<Status>("4294967296", "4294967296 has more than 32 bits");
    }

    #[test]
    fn states_are_read_by_both_their_names() {
        for text in ["UNDELIVERABLE", "undeliverable", "UNDELIV"] {
            assert_eq!(read(text), Ok(State(MessageState::UNDELIVERABLE)), "{text}");
        }
        assert_eq!(State(MessageState::UNDELIVERABLE).stat(), "UNDELIV");
        refused::<State>("LOST", "\"LOST\" is no state of a message; there are SCHEDULED, ENROUTE, DELIVERED, ");
    }

    #[test]
    fn patterns_are_found_anywhere() {
        let pattern: Pattern = read("'00[1-3]$'").expect("a pattern");
        assert!(pattern.matches("27820001") && !pattern.matches("00127"));
        let ending: Pattern = read("01$").expect("a pattern");
        assert!(ending.matches("27820001") && !ending.matches("27820017"));
        refused::<Pattern>("'(1'", "\"(1\" is no regular expression: unclosed group");
    }

    proptest::proptest! {
        /// The short way must not be another way.
        #[test]
        fn patterns_are_regular_expressions(pattern in "\\^?[12]{0,2}[.+]?\\$?", text in "[12]{0,4}\n?") {
            if let Ok(pattern) = pattern.parse::<Pattern>() {
                proptest::prop_assert_eq!(pattern.matches(&text), pattern.regex.is_match(&text));
            }
        }
    }

    #[test]
    fn one_is_a_list_of_one() {
        let submit = AnyOf(vec!["submit".to_owned()]);
        assert_eq!(read("submit"), Ok(submit.clone()));
        assert_eq!(read("[submit]"), Ok(submit));
        assert_eq!(read("[transmitter, receiver]"), Ok(AnyOf(vec![Bind::Transmitter, Bind::Receiver])));
        assert_eq!(read("2782"), Ok(AnyOf(vec!["2782".to_owned()])), "without quotes");
        assert_eq!(read("[007]"), Ok(AnyOf(vec!["007".to_owned()])), "nor is a zero lost");
        refused::<AnyOf<String>>("007", "a name or a list of names, in quotes where they look like numbers");
        refused::<AnyOf<String>>("-1", "in quotes where they look like numbers");
        assert_eq!(read("[]"), Ok(AnyOf::<String>::default()));
        refused::<AnyOf<Bind>>("both", "both");
        refused::<AnyOf<Bind>>("{ a: 1 }", "a name or a list of names");
    }

    #[test]
    fn none_said_is_any() {
        assert!(AnyOf::<String>::default().admits("anyone"));
        let one = AnyOf(vec!["one".to_owned()]);
        assert!(one.admits("one") && !one.admits("another"));
    }
}
