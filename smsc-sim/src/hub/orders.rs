//! What whoever controls the simulator orders: rules, resets, and what becomes of a message.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use smpp_transport::env::Seed;

use super::{Hub, Inner, Order};
use crate::control::{ControlError, ReceiptNow, Reset};
use crate::rules::{Cut, Engine, Rule, Step};
use crate::words::State;

impl Hub {
    pub(crate) fn set_rules(&self, rules: Vec<Rule>) {
        self.has_rules.store(!rules.is_empty(), Ordering::Relaxed);
        let mut inner = self.inner();
        inner.engine = Engine::new(rules, inner.seed);
        inner.since = self.start.elapsed();
        self.tell_of_something_sooner();
    }

    pub(crate) fn add_rule(&self, rule: Rule) {
        let mut inner = self.inner();
        let rules = std::iter::once(rule).chain(inner.engine.rules().iter().cloned()).collect();
        inner.engine = Engine::new(rules, inner.seed);
        inner.since = self.start.elapsed();
        self.has_rules.store(true, Ordering::Relaxed);
        self.tell_of_something_sooner();
    }

    /// Begins anew: see [`Reset`].
    pub(crate) fn reset(&self, reset: Reset) {
        let now = self.now();
        let mut inner = self.inner();
        let inner = &mut *inner;
        inner.seed = Seed(reset.seed.unwrap_or(self.config.seed));
        if reset.keep_rules {
            inner.engine.draw_from(inner.seed);
        } else {
            self.has_rules.store(!self.config.rules.is_empty(), Ordering::Relaxed);
            inner.engine = Engine::new(self.config.rules.clone(), inner.seed);
        }
        (inner.since, inner.ordinals) = (now.mono, 0);
        // Those that are closed have no place among what comes.
        for connection in inner.connections.values_mut().filter(|_| !reset.sessions) {
            inner.ordinals += 1;
            connection.ordinal = inner.ordinals;
            connection.tell(Order::BeginAnew);
        }
        inner.forget();
        for connection in inner.connections.values_mut().filter(|_| reset.sessions) {
            connection.tell(Order::Step(Step::Disconnect(Cut::Close)));
        }
        self.traffic.clear();
        self.tell_of_change();
        self.tell_of_something_sooner();
    }

    pub(crate) fn forget_messages(&self) {
        self.inner().forget();
        self.tell_of_change();
    }

    /// Sets what has become of a message.
    pub(crate) fn force(&self, id: &str, state: State, error: Option<u8>) -> Result<(), ControlError> {
        let now = self.now();
        let mut inner = self.inner();
        let number = inner.mailbox.find(id).next().ok_or_else(|| ControlError::unknown("message", id))?;
        inner.mailbox.force(now, number, state.0, error).map_err(ControlError::Refused)?;
        inner.route_what_is_due(None);
        self.tell_of_change();
        self.sooner.notify_one();
        Ok(())
    }

    pub(crate) fn send_receipt(&self, id: &str, receipt: &ReceiptNow) -> Result<(), ControlError> {
        let now = self.now();
        let mut inner = self.inner();
        let number = inner.mailbox.find(id).next().ok_or_else(|| ControlError::unknown("message", id))?;
        inner.mailbox.report(now, number, receipt);
        inner.route_what_is_due(None);
        self.tell_of_change();
        self.sooner.notify_one();
        Ok(())
    }
}

impl Inner {
    /// Forgets messages, and what was to be delivered.
    fn forget(&mut self) {
        self.mailbox.clear();
        self.sent.clear();
        self.jobs.clear();
        self.waiting = Arc::default();
        self.later.clear();
        self.accounts.iter_mut().for_each(|account| account.held.clear());
        self.connections.values_mut().for_each(|connection| {
            connection.orders.retain(|order| !matches!(order, Order::Deliver(_)));
            connection.tell(Order::Forget);
        });
    }
}
