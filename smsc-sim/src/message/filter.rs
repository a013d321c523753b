//! Which messages are asked for.

use std::fmt;
use std::str::FromStr;

use smpp_transport::pdu::CommandId;

use super::{Address, Record};
use crate::words::{Pattern, State};

/// Which messages are asked for: those that meet all that is said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// Destination.
    pub to: Option<Term>,
    /// Source.
    pub from: Option<Term>,
    /// Is found in the text, or in that of the whole.
    pub text: Option<Term>,
    /// The account.
    pub system_id: Option<String>,
    /// What has become of it.
    pub state: Option<State>,
    /// submit_sm, submit_multi or data_sm.
    pub operation: Option<CommandId>,
    /// Only those with a higher number.
    pub after: Option<u64>,
    /// Only so many; none is all.
    pub limit: Option<usize>,
    /// The highest numbers first. Default: the lowest.
    pub newest_first: bool,
}

/// What is looked for: something exact, or between slashes a regular expression, `/^27/`.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    /// This.
    Plain(String),
    /// What this matches.
    Pattern(Pattern),
}

impl Filter {
    /// Whether this is one of them. `limit` and `newest_first` are for whoever asks more than one.
    #[must_use]
    pub(crate) fn matches(&self, record: &Record) -> bool {
        let is = |term: &Option<Term>, address: &Address| term.as_ref().is_none_or(|term| term.is(address));
        self.after.is_none_or(|after| record.number > after)
            && self.state.is_none_or(|state| record.state == state.0)
            && self.operation.is_none_or(|operation| record.body.operation == operation)
            && self.system_id.as_ref().is_none_or(|system_id| **system_id == *record.account)
            && is(&self.to, &record.body.destination)
            && is(&self.from, &record.body.source)
            // Last, as it must decode.
            && self.text.as_ref().is_none_or(|term| says(record, term))
    }
}

fn says(record: &Record, term: &Term) -> bool {
    let whole = record.whole_text.as_ref().is_some_and(|text| term.is_in(text));
    whole || record.text().is_some_and(|text| term.is_in(&text))
}

impl Term {
    /// Whether the address is this, or is matched.
    fn is(&self, address: &Address) -> bool {
        match self {
            Term::Plain(plain) => plain.chars().eq(address.digits.iter().map(|&octet| char::from(octet))),
            Term::Pattern(pattern) => pattern.matches(&address.text()),
        }
    }

    /// Whether this is found in the text.
    fn is_in(&self, text: &str) -> bool {
        match self {
            Term::Plain(plain) => text.contains(plain.as_str()),
            Term::Pattern(pattern) => pattern.matches(text),
        }
    }
}

impl FromStr for Term {
    type Err = String;

    fn from_str(text: &str) -> Result<Term, String> {
        match text.strip_prefix('/').and_then(|text| text.strip_suffix('/')) {
            Some(pattern) => pattern.parse().map(Term::Pattern),
            None => Ok(Term::Plain(text.to_owned())),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Term::Plain(text) => f.write_str(text),
            Term::Pattern(pattern) => write!(f, "/{pattern}/"),
        }
    }
}
