//! Words of a receipt that depend on the state: one for all, or a table; and states as numbers.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use smpp_transport::pdu::MessageState;

use crate::words::State;

/// A word of a receipt: the same for all states, `"000"`, or by state, `{DELIVERED: "000", UNDELIVERABLE: "0x21"}`. A state
/// that the table does not have keeps the default word.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum ByState {
    /// The same for all.
    Always(String),
    /// By state.
    Table(BTreeMap<State, String>),
}

impl ByState {
    /// Returns the word of this state; `None` where the default word stays.
    #[must_use]
    pub fn of(&self, state: MessageState) -> Option<&str> {
        match self {
            ByState::Always(word) => Some(word),
            ByState::Table(table) => table.get(&State(state)).map(String::as_str),
        }
    }

    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        let (one, table) = match self {
            ByState::Always(word) => (Some(word), None),
            ByState::Table(table) => (None, Some(table)),
        };
        one.into_iter().chain(table.into_iter().flat_map(BTreeMap::values)).map(String::as_str)
    }
}

impl Serialize for ByState {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            ByState::Always(word) => word.serialize(to),
            ByState::Table(table) => table.serialize(to),
        }
    }
}

/// Text, or a number that was written without quotes.
struct Word(String);

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Word, D::Error> {
        struct Visitor;
        impl de::Visitor<'_> for Visitor {
            type Value = Word;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word, in quotes where it looks like a number with zeros in front")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Word, E> {
                Ok(Word(text.to_owned()))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Word, E> {
                Ok(Word(number.to_string()))
            }
        }
        from.deserialize_any(Visitor)
    }
}

impl<'de> Deserialize<'de> for ByState {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<ByState, D::Error> {
        struct WordOrTable;
        impl<'de> de::Visitor<'de> for WordOrTable {
            type Value = ByState;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a word such as \"000\", or words by state such as {DELIVERED: \"000\"}")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<ByState, E> {
                Ok(ByState::Always(text.to_owned()))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<ByState, E> {
                Ok(ByState::Always(number.to_string()))
            }
            fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<ByState, A::Error> {
                let mut table = BTreeMap::new();
                while let Some((state, word)) = map.next_entry::<State, Word>()? {
                    if table.insert(state, word.0).is_some() {
                        return Err(de::Error::custom(format!("{state} is given twice")));
                    }
                }
                if table.is_empty() {
                    return Err(de::Error::custom("a table of words by state has at least one state"));
                }
                Ok(ByState::Table(table))
            }
        }
        from.deserialize_any(WordOrTable)
    }
}

/// Value of message_state: a state by name, or any number from 0 to 255, those that the standard leaves undefined too.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct StateNumber(pub u8);

impl Serialize for StateNumber {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match MessageState(self.0).name() {
            Some(name) => to.serialize_str(name),
            None => to.serialize_u8(self.0),
        }
    }
}

impl<'de> Deserialize<'de> for StateNumber {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<StateNumber, D::Error> {
        struct NameOrNumber;
        impl de::Visitor<'_> for NameOrNumber {
            type Value = StateNumber;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a state such as DELIVERED, or a number from 0 to 255")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<StateNumber, E> {
                let number = text.parse::<u8>().ok().map(Ok);
                let number = number.unwrap_or_else(|| text.parse::<State>().map(|state| state.0.0));
                number.map(StateNumber).map_err(E::custom)
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<StateNumber, E> {
                let octet = u8::try_from(number).map(StateNumber);
                octet.map_err(|_| E::custom(format!("invalid state {number}: 0 to 255 is allowed")))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<StateNumber, E> {
                let octet = u8::try_from(number).map(StateNumber);
                octet.map_err(|_| E::custom(format!("invalid state {number}: 0 to 255 is allowed")))
            }
        }
        from.deserialize_any(NameOrNumber)
    }
}

/// data_coding of a receipt: a number from 0 to 255, or `message` for that of the message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ReceiptCoding {
    /// This one.
    Number(u8),
    /// Copied from the message, however the text is encoded.
    Message,
}

impl Serialize for ReceiptCoding {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            ReceiptCoding::Number(number) => to.serialize_u8(*number),
            ReceiptCoding::Message => to.serialize_str("message"),
        }
    }
}

impl<'de> Deserialize<'de> for ReceiptCoding {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<ReceiptCoding, D::Error> {
        struct NumberOrMessage;
        impl de::Visitor<'_> for NumberOrMessage {
            type Value = ReceiptCoding;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number from 0 to 255, or message for the data_coding of the message")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<ReceiptCoding, E> {
                match text {
                    "message" => Ok(ReceiptCoding::Message),
                    other => {
                        let number = other.parse().map(ReceiptCoding::Number);
                        number.map_err(|_| {
                            E::custom(format!("invalid data_coding {other:?}: expected 0 to 255, or message"))
                        })
                    }
                }
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<ReceiptCoding, E> {
                let octet = u8::try_from(number).map(ReceiptCoding::Number);
                octet.map_err(|_| E::custom(format!("invalid data_coding {number}: 0 to 255 is allowed")))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<ReceiptCoding, E> {
                let octet = u8::try_from(number).map(ReceiptCoding::Number);
                octet.map_err(|_| E::custom(format!("invalid data_coding {number}: 0 to 255 is allowed")))
            }
        }
        from.deserialize_any(NumberOrMessage)
    }
}
