//! Events by the clock: rules that are followed on sessions at a time, without a request.

use std::time::Duration;

use super::{Hub, Inner, Order};
use crate::message::Now;
use crate::rules::{Asked, Fields, Party, Since};

impl Hub {
    /// Orders what has fallen due since this was last called, rule by rule and session by session in their order; returns when
    /// the next event is. Of several events of one rule that are late the last alone counts.
    pub(super) fn run_clock(&self, inner: &mut Inner, now: Now) -> Option<Duration> {
        let after = std::mem::replace(&mut inner.clock_until, now.mono);
        let clocks: Vec<usize> = inner.engine.clocks().collect();
        clocks.into_iter().filter_map(|place| self.strike(inner, place, after, now.mono)).min()
    }

    /// Follows one rule, as far as its time has come; returns when it next comes.
    fn strike(&self, inner: &mut Inner, place: usize, after: Duration, now: Duration) -> Option<Duration> {
        let clock = inner.engine.rules()[place].when.clock?;
        let sessions_total = inner.accounts.iter().map(|account| account.bound).sum();
        let mut next = None;
        let Inner { engine, connections, accounts, mailbox, since, .. } = inner;
        for (number, connection) in connections.iter_mut() {
            let Some(bound) = &connection.bound else { continue };
            let base = match clock.since {
                Since::Start => *since,
                Since::Bind => bound.since,
            };
            next = next.into_iter().chain(clock.next(base, now)).min();
            let Some(at) = clock.last(base, after.max(bound.since), now) else { continue };
            let account = &self.config.accounts[bound.account].system_id;
            let asked = Asked {
                account,
                bind: Some(bound.kind.into()),
                operation: None,
                from: Party::default(),
                to: &[],
                fields: Fields::default(),
                text: &String::new,
                part: None,
                pending: &|_| mailbox.pending(account),
                sessions: accounts[bound.account].bound,
                sessions_total,
                age: now.saturating_sub(bound.since),
                now: now.saturating_sub(*since),
                session: connection.ordinal,
                // The draws of two events of one session differ.
                request: u64::try_from(at.saturating_sub(base).as_millis()).unwrap_or(u64::MAX) & u64::from(u32::MAX),
            };
            let Some(then) = engine.strike(place, &asked) else { continue };
            tracing::debug!(session = number, rule = place, "rule followed by the clock");
            for step in then.before.iter().chain(&then.after) {
                connection.tell(Order::Step(step.clone()));
            }
        }
        // A session that binds later is told of by its bind.
        match clock.since {
            Since::Start => clock.next(inner.since, now),
            Since::Bind => next,
        }
    }
}
