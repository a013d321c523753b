//! Which rules a request meets. Pure: time and chance are arguments.
//!
//! Cheap conditions are asked first, the text, which must be decoded, after them, and those that count last: each of these
//! sees only the requests that met all before it. What one rule takes is not seen by the rules after it: a request, or, of a
//! submit_multi, each destination.

use std::cell::LazyCell;
use std::sync::Arc;

use rand::RngExt;
use smpp_transport::env::{ChaCha8Rng, Seed};

use super::asked::Asked;
use super::counts::Counts;
use super::{Rule, Then};

/// A rule that a request met.
#[derive(Clone, Debug)]
pub(crate) struct Decision {
    /// Its place in the list.
    pub(crate) rule: usize,
    pub(crate) then: Arc<Then>,
    /// Places of the destinations that the rule took, or 0 for a request without any.
    pub(crate) to: Vec<usize>,
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

    /// From which chance is drawn from now on; what was counted stays.
    pub(crate) fn draw_from(&mut self, seed: Seed) {
        self.seed = seed;
    }

    pub(crate) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// How many requests each rule has met.
    pub(crate) fn matched(&self) -> &[u64] {
        &self.matched
    }

    /// Returns the rules that the request meets, in their order: one at most, but for a request with several destinations,
    /// each of which goes to the first rule that it meets. A rule that says nothing about destinations takes all that are left.
    pub(crate) fn decide(&mut self, asked: &Asked<'_>) -> Vec<Decision> {
        let text = LazyCell::new(|| (asked.text)());
        let mut chance = Chance::new(self.seed, "rule", asked);
        let mut left: Vec<usize> = (0..asked.to.len().max(1)).collect();
        let mut decisions = Vec::new();
        for (place, (Rule { when, .. }, counts)) in self.rules.iter().zip(&mut self.counts).enumerate() {
            if !when.is_met(asked) {
                continue;
            }
            let mut takes = |to: usize| {
                let party = asked.to.get(to).copied();
                when.is_met_by(party)
                    && when.text.as_ref().is_none_or(|pattern| pattern.matches(&text))
                    && counts.admit(when, asked, party)
                    && when.chance.is_none_or(|share| chance.draw(place, to) < share)
            };
            let taken: Vec<usize> = if when.is_about_destinations() {
                left.extract_if(.., |to| takes(*to)).collect()
            } else if takes(0) {
                std::mem::take(&mut left)
            } else {
                continue;
            };
            if !taken.is_empty() {
                self.matched[place] += 1;
                decisions.push(Decision { rule: place, then: Arc::clone(&self.thens[place]), to: taken });
            }
            if left.is_empty() {
                break;
            }
        }
        decisions
    }

    #[cfg(test)]
    pub(crate) fn first(&mut self, asked: &Asked<'_>) -> Option<Decision> {
        self.decide(asked).into_iter().next()
    }

    /// Places of the rules that are followed by the clock.
    pub(crate) fn clocks(&self) -> impl Iterator<Item = usize> {
        self.rules.iter().enumerate().filter(|(_, rule)| rule.when.clock.is_some()).map(|(place, _)| place)
    }

    /// Returns what is done to a session for which the clock of the rule at this place has struck.
    pub(crate) fn strike(&mut self, place: usize, asked: &Asked<'_>) -> Option<Arc<Then>> {
        let when = &self.rules[place].when;
        let is_met = when.is_met(asked)
            && self.counts[place].admit(when, asked, None)
            && when.chance.is_none_or(|share| Chance::new(self.seed, "clock", asked).draw(place, 0) < share);
        is_met.then(|| {
            self.matched[place] += 1;
            Arc::clone(&self.thens[place])
        })
    }

    /// From which something about this request is drawn: what becomes of its message, how long its answer takes.
    pub(crate) fn rng(&self, of: &str, session: u64, request: u64) -> ChaCha8Rng {
        self.seed.stream(of, ordinal(session, request))
    }
}

/// One draw for each rule by its place, whether or not the rules before it drew theirs: to change one rule moves no other.
/// Destinations after the first draw from streams of their own.
struct Chance {
    seed: Seed,
    name: &'static str,
    ordinal: u64,
    /// By destination, the stream, and how many draws it has given.
    streams: Vec<Option<(ChaCha8Rng, usize)>>,
}

impl Chance {
    fn new(seed: Seed, name: &'static str, asked: &Asked<'_>) -> Chance {
        Chance { seed, name, ordinal: ordinal(asked.session, asked.request), streams: Vec::new() }
    }

    /// The draw of the rule at this place, for this destination. Places are asked for in their order.
    fn draw(&mut self, place: usize, to: usize) -> f64 {
        if self.streams.len() <= to {
            self.streams.resize(to + 1, None);
        }
        let start = || match to {
            0 => (self.seed.stream(self.name, self.ordinal), 0),
            to => (self.seed.stream("rule destination", self.ordinal << 8 | to as u64), 0),
        };
        let (rng, drawn) = self.streams[to].get_or_insert_with(start);
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
