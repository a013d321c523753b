//! Counts of one rule: what of its conditions depends on earlier requests.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Per, When};
use crate::rules::asked::{Asked, Party};

/// Counts of one rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    /// Requests that met everything that stands above `after`, by what they are counted for.
    met: BTreeMap<String, u64>,
    /// When the next request is due that is not above the rate, by what they are counted for.
    due: BTreeMap<String, Duration>,
}

/// Keys that a rule counts for, at most; what comes for others is counted together.
const KEYS_MAX: usize = 100_000;
/// Key of those others: no address or account has a NUL.
const OTHERS: &str = "\0";

impl Counts {
    /// Counts a request that met all other conditions; returns `true` if those that count are met too.
    pub(super) fn admit(&mut self, when: &When, asked: &Asked<'_>, to: Option<Party<'_>>) -> bool {
        let key = key(when.per, asked, to);
        // Without `per` rates and pending messages are those of an account.
        let account = if when.per.is_none() { asked.account } else { &key };
        if when.above_rate.is_some_and(|rate| !self.is_above(rate, account, asked.now)) {
            return false;
        }
        let destination = to.filter(|_| when.per == Some(Per::Destination)).map(|to| to.address);
        if when.above_pending.is_some_and(|pending| (asked.pending)(destination) <= pending) {
            return false;
        }
        if when.after == 0 && when.every <= 1 && when.first.is_none() {
            return true;
        }
        let met = place(&mut self.met, &key);
        *met += 1;
        let Some(since) = met.checked_sub(when.after).filter(|since| *since > 0) else { return false };
        let every = when.every.max(1);
        since.is_multiple_of(every) && when.first.is_none_or(|first| since / every <= first)
    }

    /// A bucket that holds a tenth of a second's requests, at least one, told by when it is full again. Those that are
    /// above the rate take nothing out of it.
    fn is_above(&mut self, rate: f64, key: &str, now: Duration) -> bool {
        let interval = Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::MAX);
        let ahead_max = Duration::from_millis(100).saturating_sub(interval);
        if self.due.len() >= KEYS_MAX {
            // A bucket that is full again is as good as none.
            self.due.retain(|_, due| *due > now);
        }
        let due = place(&mut self.due, key);
        if *due > now + ahead_max {
            return true;
        }
        *due = now.max(*due).saturating_add(interval);
        false
    }
}

/// Returns the count of a key, which begins at 0.
fn place<'a, T: Default>(counts: &'a mut BTreeMap<String, T>, key: &str) -> &'a mut T {
    let key = if counts.len() >= KEYS_MAX && !counts.contains_key(key) { OTHERS } else { key };
    if !counts.contains_key(key) {
        counts.insert(key.to_owned(), T::default());
    }
    counts.get_mut(key).expect("it was inserted")
}

/// Returns what a request is counted for.
fn key(per: Option<Per>, asked: &Asked<'_>, to: Option<Party<'_>>) -> String {
    match per {
        None => String::new(),
        Some(Per::Account) => asked.account.to_owned(),
        Some(Per::Session) => asked.session.to_string(),
        Some(Per::Destination) => to.map_or_else(String::new, |to| to.address.to_owned()),
    }
}
