//! What the connections share: who is bound, and the receipts that wait for someone to take them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use smpp_transport::env::{Seed, WallClock};
use smpp_transport::pdu::CommandStatus;
use smpp_transport::session::BindKind;
use tokio::sync::mpsc;

use crate::config::Config;
use crate::mailbox::Receipt;

/// What a connection is told.
#[derive(Debug)]
pub(crate) enum Order {
    Deliver(Receipt),
    Unbind,
}

/// A bound connection, or one that may yet bind.
struct Connection {
    bound: Option<(usize, BindKind)>,
    orders: mpsc::Sender<Order>,
}

pub(crate) struct Registry {
    pub(crate) config: Config,
    pub(crate) seed: Seed,
    pub(crate) clock: Box<dyn WallClock>,
    messages: AtomicU64,
    held: AtomicUsize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    connections: BTreeMap<u64, Connection>,
    opened: u64,
    held: VecDeque<(usize, Receipt)>,
    stopping: bool,
}

/// Orders that a connection may have waiting.
const ORDERS_MAX: usize = 1024;

impl Registry {
    pub(crate) fn new(config: Config, clock: Box<dyn WallClock>) -> Registry {
        let (messages, held, inner) = (AtomicU64::new(0), AtomicUsize::new(0), Mutex::default());
        Registry { seed: Seed(config.seed), config, clock, messages, held, inner }
    }

    /// No panic can happen while the lock is held, so a poisoned one is as good as any.
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new connection, with its ordinal; none when there are too many, or no more are wanted.
    pub(crate) fn open(&self) -> Option<(u64, mpsc::Receiver<Order>)> {
        let mut inner = self.inner();
        if inner.stopping || inner.connections.len() >= self.config.connections_max {
            return None;
        }
        let (orders, queue) = mpsc::channel(ORDERS_MAX);
        inner.opened += 1;
        let ordinal = inner.opened;
        inner.connections.insert(ordinal, Connection { bound: None, orders });
        Some((ordinal, queue))
    }

    pub(crate) fn close(&self, ordinal: u64) {
        self.inner().connections.remove(&ordinal);
    }

    /// Binds a connection to the account of this name.
    ///
    /// The errors are those of §4.1: ESME_RINVSYSID for a name that nobody has, ESME_RINVPASWD for a wrong password,
    /// ESME_RBINDFAIL for one session too many.
    pub(crate) fn bind(
        &self,
        ordinal: u64,
        id: &[u8],
        password: &[u8],
        kind: BindKind,
    ) -> Result<usize, CommandStatus> {
        let accounts = &self.config.accounts;
        let account = accounts.iter().position(|account| account.system_id.as_bytes() == id);
        let account = account.ok_or(CommandStatus::ESME_RINVSYSID)?;
        if accounts[account].password.as_bytes() != password {
            return Err(CommandStatus::ESME_RINVPASWD);
        }
        let mut inner = self.inner();
        let bound = inner.connections.values().filter(|c| c.bound.is_some_and(|(of, _)| of == account)).count();
        if bound >= accounts[account].binds_max || inner.stopping {
            return Err(CommandStatus::ESME_RBINDFAIL);
        }
        if let Some(connection) = inner.connections.get_mut(&ordinal) {
            connection.bound = Some((account, kind));
        }
        Ok(account)
    }

    /// The next message id: decimal, never twice.
    pub(crate) fn next_message_id(&self) -> u64 {
        self.messages.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Gives a receipt to any session of the account that can take it, or holds it until there is one.
    pub(crate) fn route(&self, account: usize, receipt: Receipt) {
        let mut inner = self.inner();
        let mut order = Order::Deliver(receipt);
        for connection in inner.connections.values() {
            if !connection.bound.is_some_and(|(of, kind)| of == account && kind.receives()) {
                continue;
            }
            match connection.orders.try_send(order) {
                Ok(()) => return,
                Err(mpsc::error::TrySendError::Full(back) | mpsc::error::TrySendError::Closed(back)) => order = back,
            }
        }
        if let Order::Deliver(receipt) = order {
            self.hold(&mut inner, account, receipt);
        }
    }

    fn hold(&self, inner: &mut Inner, account: usize, receipt: Receipt) {
        if inner.held.len() >= self.config.receipts_held_max {
            let dropped = inner.held.pop_front();
            tracing::warn!(message_id = ?dropped.map(|(_, receipt)| receipt.message_id), "too many receipts wait: dropped");
        }
        inner.held.push_back((account, receipt));
        self.held.store(inner.held.len(), Ordering::Relaxed);
    }

    /// Takes up to `max` receipts that wait for a session of the account, oldest first.
    pub(crate) fn take_held(&self, account: usize, max: usize) -> Vec<Receipt> {
        if self.held.load(Ordering::Relaxed) == 0 {
            return Vec::new();
        }
        let mut inner = self.inner();
        let (mut taken, mut left) = (Vec::new(), VecDeque::new());
        for (of, receipt) in std::mem::take(&mut inner.held) {
            if of == account && taken.len() < max {
                taken.push(receipt);
            } else {
                left.push_back((of, receipt));
            }
        }
        inner.held = left;
        self.held.store(inner.held.len(), Ordering::Relaxed);
        taken
    }

    /// Tells every connection to unbind, and takes no new ones.
    pub(crate) fn stop(&self) {
        let mut inner = self.inner();
        inner.stopping = true;
        for connection in inner.connections.values() {
            // A connection whose orders are full is told by the end of its task.
            let _ = connection.orders.try_send(Order::Unbind);
        }
    }
}
