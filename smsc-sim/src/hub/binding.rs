//! Connections: who is bound, and what each is told.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use regex::{Regex, RegexBuilder};
use smpp_transport::pdu::{Bind as BindBody, CommandStatus, InterfaceVersion};
use smpp_transport::session::BindKind;
use tokio::sync::Notify;

use super::{Delivery, Gauges, Hub, Inner, Order};
use crate::config::{Account, Strictness};
use crate::words::Bind;

/// A connection, bound or not yet.
pub(super) struct Connection {
    pub(super) peer: String,
    /// Its place among those since the start or the last reset: what its chances are drawn by.
    pub(super) ordinal: u64,
    pub(super) opened: Duration,
    pub(super) outbound: bool,
    pub(super) bound: Option<Bound>,
    pub(super) orders: VecDeque<Order>,
    /// One waiter each: the connection's own task.
    pub(super) wake: Arc<Notify>,
    pub(super) gauges: Arc<Gauges>,
}

#[derive(Clone, Debug)]
pub(super) struct Bound {
    pub(super) account: usize,
    pub(super) kind: BindKind,
    pub(super) version: InterfaceVersion,
    pub(super) system_type: String,
    pub(super) range: Option<Regex>,
    pub(super) range_text: String,
    pub(super) at: Duration,
    /// The same on the clock of [`Now::mono`](crate::message::Now::mono).
    pub(super) since: Duration,
}

/// What binds ask, and what they get.
pub(crate) struct Welcome {
    pub(crate) account: usize,
    /// Requests of the session that may be unanswered.
    pub(crate) window: usize,
}

/// The most that an expression may take when it is compiled: it comes from a peer.
const RANGE_OCTETS_MAX: usize = 64 * 1024;

impl Hub {
    /// A new connection: its number, and what wakes it; none when there are too many, or no more are wanted.
    pub(crate) fn open(&self, peer: String, outbound: bool) -> Option<(u64, Arc<Notify>, Arc<Gauges>)> {
        let opened = self.clock.unix();
        let mut inner = self.inner();
        if self.is_stopping() || inner.connections.len() >= self.config.limits.connections_max {
            return None;
        }
        inner.opened += 1;
        inner.ordinals += 1;
        let (number, ordinal) = (inner.opened, inner.ordinals);
        let (wake, gauges) = (Arc::<Notify>::default(), Arc::<Gauges>::default());
        let connection = Connection {
            peer,
            ordinal,
            opened,
            outbound,
            bound: None,
            orders: VecDeque::new(),
            wake: Arc::clone(&wake),
            gauges: Arc::clone(&gauges),
        };
        inner.connections.insert(number, connection);
        drop(inner);
        self.changed.notify_waiters();
        Some((number, wake, gauges))
    }

    /// A connection is gone; what it was to deliver goes to others.
    pub(crate) fn close(&self, number: u64, left: impl IntoIterator<Item = Delivery>) {
        let mut inner = self.inner();
        inner.unbind(number);
        let Some(connection) = inner.connections.remove(&number) else { return };
        let ordered = connection.orders.into_iter().filter_map(|order| match order {
            Order::Deliver(delivery) => Some(delivery),
            Order::Step(_) | Order::Unbind | Order::Forget | Order::BeginAnew => None,
        });
        for delivery in left.into_iter().chain(ordered) {
            inner.route(delivery, None);
        }
        drop(inner);
        self.changed.notify_waiters();
    }

    /// A connection is not bound after all.
    pub(crate) fn unbind(&self, number: u64) {
        self.inner().unbind(number);
        self.changed.notify_waiters();
    }

    /// What the connection is told next.
    pub(crate) fn next_order(&self, number: u64) -> Option<Order> {
        self.inner().connections.get_mut(&number)?.orders.pop_front()
    }

    /// Binds a connection to the account of this name.
    ///
    /// The errors are those of §4.1: ESME_RINVSYSID for a name that nobody has, ESME_RINVPASWD for a wrong password,
    /// ESME_RALYBND for a second session where one is allowed, ESME_RBINDFAIL for another one too many, for a kind of
    /// bind that the account may not have, and for an address_range that is no expression.
    pub(crate) fn bind(&self, number: u64, bind: &BindBody, kind: BindKind) -> Result<Welcome, CommandStatus> {
        let (index, account) = self.admit(bind, kind)?;
        let range = self.range(bind)?;
        let now = self.now();
        let mut inner = self.inner();
        let state = &mut inner.accounts[index];
        if self.is_stopping() {
            return Err(CommandStatus::ESME_RBINDFAIL);
        }
        if state.bound >= account.binds_max {
            return Err(match account.binds_max {
                1 => CommandStatus::ESME_RALYBND,
                _ => CommandStatus::ESME_RBINDFAIL,
            });
        }
        state.bound += 1;
        if kind.receives() {
            state.receivers.push(number);
        }
        // Taken out as a whole: what this session may not have either is held again, in its order.
        let held = if kind.receives() { std::mem::take(&mut state.held) } else { VecDeque::new() };
        let bound = Bound {
            account: index,
            kind,
            version: bind.interface_version,
            system_type: bind.system_type.text(),
            range,
            range_text: bind.address_range.text(),
            at: now.wall,
            since: now.mono,
        };
        if let Some(connection) = inner.connections.get_mut(&number) {
            connection.bound = Some(bound);
        }
        for delivery in held {
            inner.route(delivery, None);
        }
        let has_clocks = inner.engine.clocks().next().is_some();
        drop(inner);
        if has_clocks {
            self.tell_of_something_sooner();
        }
        self.changed.notify_waiters();
        let window = account.window.unwrap_or(self.config.session.inbound_window);
        Ok(Welcome { account: index, window })
    }

    fn admit(&self, bind: &BindBody, kind: BindKind) -> Result<(usize, &Account), CommandStatus> {
        let accounts = &self.config.accounts;
        let index = accounts.iter().position(|account| account.system_id.as_bytes() == bind.system_id.as_bytes());
        let index = index.ok_or(CommandStatus::ESME_RINVSYSID)?;
        let account = &accounts[index];
        if account.password.as_bytes() != bind.password.as_bytes() {
            return Err(CommandStatus::ESME_RINVPASWD);
        }
        if !account.binds.admits(&Bind::from(kind)) {
            return Err(CommandStatus::ESME_RBINDFAIL);
        }
        Ok((index, account))
    }

    /// The addresses that the ESME serves; none is all.
    fn range(&self, bind: &BindBody) -> Result<Option<Regex>, CommandStatus> {
        if bind.address_range.is_empty() {
            return Ok(None);
        }
        match RegexBuilder::new(&bind.address_range.text()).size_limit(RANGE_OCTETS_MAX).build() {
            Ok(range) => Ok(Some(range)),
            Err(_) if self.config.strictness == Strictness::Lenient => Ok(None),
            Err(error) => {
                tracing::info!(%error, "address_range is no expression");
                Err(CommandStatus::ESME_RBINDFAIL)
            }
        }
    }

    /// Whether there is such a connection to be told.
    pub(crate) fn tell(&self, number: u64, order: Order) -> bool {
        self.inner().connections.get_mut(&number).map(|connection| connection.tell(order)).is_some()
    }
}

impl Inner {
    fn unbind(&mut self, number: u64) {
        let bound = self.connections.get_mut(&number).and_then(|connection| connection.bound.take());
        if let Some(bound) = bound {
            let account = &mut self.accounts[bound.account];
            account.bound -= 1;
            account.receivers.retain(|receiver| *receiver != number);
        }
    }

    pub(super) fn ordinal(&self, session: u64) -> u64 {
        self.connections.get(&session).map_or(0, |connection| connection.ordinal)
    }
}

impl Connection {
    pub(super) fn tell(&mut self, order: Order) {
        self.orders.push_back(order);
        self.wake.notify_one();
    }
}
