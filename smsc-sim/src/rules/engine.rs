//! Which rule a request meets. Pure: time and chance are arguments.
//!
//! Cheap conditions are asked first, the text, which must be decoded, after them, and those that count last: each of these
//! sees only the requests that met all before it. A request that one rule takes is not seen by the rules after it.

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use smpp_transport::env::{ChaCha8Rng, Seed};

use super::{Operation, Rule, Then, When};
use crate::words::Bind;

/// What is asked, by whom and when.
pub(crate) struct Asked<'a> {
    /// system_id; empty for a connection.
    pub(crate) account: &'a str,
    /// How the session is, or wants to be, bound.
    pub(crate) bind: Option<Bind>,
    pub(crate) operation: Operation,
    /// Source address; empty where there is none.
    pub(crate) from: &'a str,
    /// Destination addresses.
    pub(crate) to: &'a [&'a str],
    /// The text. Called once at most, and only for a rule that wants to know.
    pub(crate) text: &'a dyn Fn() -> String,
    /// Which part of a long message, from 1.
    pub(crate) part: Option<u8>,
    /// Messages of the account that have not ended.
    pub(crate) pending: usize,
    /// Since the start, or the last reset.
    pub(crate) now: Duration,
    /// The session's number.
    pub(crate) session: u64,
    /// The request's place in its session.
    pub(crate) request: u64,
}

/// The rule that a request met.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    /// Its place in the list.
    pub(crate) rule: usize,
    pub(crate) then: Arc<Then>,
}

/// The rules, and what they have counted.
#[derive(Debug)]
pub(crate) struct Engine {
    rules: Vec<Rule>,
    /// What is done, shared with those who do it.
    thens: Vec<Arc<Then>>,
    counts: Vec<Counts>,
    matched: Vec<u64>,
    seed: Seed,
}

/// What one rule has counted.
#[derive(Clone, Debug, Default)]
struct Counts {
    /// Requests that met everything that stands above `after`.
    met: u64,
    /// By account, when its next request is due that is not above the rate.
    due: BTreeMap<String, Duration>,
}

impl Engine {
    pub(crate) fn new(rules: Vec<Rule>, seed: Seed) -> Engine {
        let thens = rules.iter().map(|rule| Arc::new(rule.then.clone())).collect();
        let mut engine = Engine { rules, thens, counts: Vec::new(), matched: Vec::new(), seed };
        engine.reset(seed);
        engine
    }

    /// Forgets what was counted.
    pub(crate) fn reset(&mut self, seed: Seed) {
        self.counts = vec![Counts::default(); self.rules.len()];
        self.matched = vec![0; self.rules.len()];
        self.seed = seed;
    }

    pub(crate) fn seed(&self) -> Seed {
        self.seed
    }

    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// How many requests each rule has met.
    pub(crate) fn matched(&self) -> &[u64] {
        &self.matched
    }

    /// The first rule that the request meets.
    pub(crate) fn decide(&mut self, asked: &Asked<'_>) -> Option<Decision> {
        let text = LazyCell::new(|| (asked.text)());
        let mut chance = Chance { seed: self.seed, asked, stream: None };
        let rule =
            self.rules.iter().zip(&mut self.counts).enumerate().position(|(place, (Rule { when, .. }, counts))| {
                when.is_met(asked)
                    && when.text.as_ref().is_none_or(|pattern| pattern.matches(&text))
                    && counts.admit(when, asked)
                    && when.chance.is_none_or(|share| chance.draw(place) < share)
            })?;
        self.matched[rule] += 1;
        Some(Decision { rule, then: Arc::clone(&self.thens[rule]) })
    }

    /// From which something about this request is drawn: what becomes of its message, how long its answer takes.
    pub(crate) fn rng(&self, of: &str, session: u64, request: u64) -> ChaCha8Rng {
        self.seed.stream(of, ordinal(session, request))
    }
}

impl When {
    /// All that can be told from the request and the time, but for the text.
    fn is_met(&self, asked: &Asked<'_>) -> bool {
        self.wants(asked.operation)
            && self.account.admits(asked.account)
            && (self.bind.is_any() || asked.bind.is_some_and(|bind| self.bind.admits(&bind)))
            && self.part.is_none_or(|part| asked.part == Some(part))
            && self.between.is_none_or(|between| (between.from.0..between.to.0).contains(&asked.now))
            && self.from.as_ref().is_none_or(|pattern| pattern.matches(asked.from))
            && self.to.as_ref().is_none_or(|pattern| asked.to.iter().any(|to| pattern.matches(to)))
    }

    fn wants(&self, operation: Operation) -> bool {
        if self.operation.is_any() { operation.is_message() } else { self.operation.admits(&operation) }
    }
}

impl Counts {
    /// What depends on earlier requests.
    fn admit(&mut self, when: &When, asked: &Asked<'_>) -> bool {
        if when.above_rate.is_some_and(|rate| !self.is_above(rate, asked))
            || when.above_pending.is_some_and(|pending| asked.pending <= pending)
        {
            return false;
        }
        self.met += 1;
        let Some(since) = self.met.checked_sub(when.after).filter(|since| *since > 0) else { return false };
        let every = when.every.max(1);
        since.is_multiple_of(every) && when.first.is_none_or(|first| since / every <= first)
    }

    /// A bucket that holds a tenth of a second's requests, at least one, told by when it is full again. Those that are
    /// above the rate take nothing out of it.
    fn is_above(&mut self, rate: f64, asked: &Asked<'_>) -> bool {
        let interval = Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::MAX);
        let ahead_max = Duration::from_millis(100).saturating_sub(interval);
        let due = self.due.get_mut(asked.account);
        if due.as_ref().is_some_and(|due| **due > asked.now + ahead_max) {
            return true;
        }
        let next = due.as_ref().map_or(asked.now, |due| asked.now.max(**due)).saturating_add(interval);
        match due {
            Some(due) => *due = next,
            None => drop(self.due.insert(asked.account.to_owned(), next)),
        }
        false
    }
}

/// One draw for each rule by its place, whether or not the rules before it drew theirs: to change one rule moves no other.
struct Chance<'a> {
    seed: Seed,
    asked: &'a Asked<'a>,
    /// The request's stream, and how many draws it has given.
    stream: Option<(ChaCha8Rng, usize)>,
}

impl Chance<'_> {
    /// The draw of the rule at this place. Places are asked for in their order.
    fn draw(&mut self, place: usize) -> f64 {
        let start = || (self.seed.stream("rule", ordinal(self.asked.session, self.asked.request)), 0);
        let (rng, drawn) = self.stream.get_or_insert_with(start);
        while *drawn < place {
            let _: f64 = rng.random();
            *drawn += 1;
        }
        *drawn += 1;
        rng.random()
    }
}

fn ordinal(session: u64, request: u64) -> u64 {
    session << 32 | request
}

#[cfg(test)]
mod tests;
