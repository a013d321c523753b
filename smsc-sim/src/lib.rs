//! An SMSC simulator. As a program it serves real SMPP clients of any language; as a library it starts inside a test:
//!
//! ```
//! # tokio::runtime::Runtime::new().unwrap().block_on(async {
//! use smsc_sim::{Config, SmscSim};
//!
//! let smsc = SmscSim::start("127.0.0.1:0", Config::default()).await?;
//! let address = smsc.address(); // a free port: point the client under test here
//! # assert_ne!(address.port(), 0);
//! smsc.stop().await;
//! # Ok::<(), std::io::Error>(()) }).unwrap();
//! ```
//!
//! [`serve`] takes any listener, so that the same simulator runs over a simulated network.

pub mod config;
#[cfg_attr(not(test), expect(dead_code, reason = "peers do not run over it yet"))]
mod line;
mod mailbox;
mod peer;
mod registry;
#[cfg_attr(not(test), expect(dead_code, reason = "the program does not listen for TLS yet"))]
mod tls;
#[cfg_attr(not(test), expect(dead_code, unused_imports, reason = "nobody asks for it yet"))]
mod traffic;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub use config::{Account, Behaviour, Config, Delay};
use smpp_transport::driver::Accept;
use smpp_transport::env::{SystemClock, WallClock};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use crate::peer::Peer;
use crate::registry::Registry;

/// A simulator that runs until it is stopped or dropped.
#[derive(Debug)]
pub struct SmscSim {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// How long [`SmscSim::stop`] and [`serve`] wait for sessions to unbind.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);
/// How long to wait when a connection cannot be accepted, as when there are no file descriptors left.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(50);

impl SmscSim {
    /// Listens on `address` (port 0 picks a free one) and serves.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn start(address: &str, config: Config) -> io::Result<SmscSim> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(serve(listener, config, Box::new(SystemClock), stopped));
        Ok(SmscSim { address, stop, task })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Unbinds the sessions, closes what is left after ten seconds, and ends.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        // The task only ends early by a panic, which the test that runs it has seen.
        let _ = self.task.await;
    }
}

/// Serves whatever `accept` takes until `stop` becomes true (or its sender is gone); then unbinds all sessions and returns
/// once they have ended, at the latest after ten seconds.
pub async fn serve<A: Accept>(
    mut accept: A,
    config: Config,
    clock: Box<dyn WallClock>,
    mut stop: watch::Receiver<bool>,
) {
    let registry = Arc::new(Registry::new(config, clock));
    let mut peers = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            () = told(&mut stop) => break,
            Some(_) = peers.join_next(), if !peers.is_empty() => {}
            accepted = accept.accept() => match accepted {
                Ok((stream, peer)) => {
                    let Some((ordinal, orders)) = registry.open() else { continue };
                    tracing::debug!(connection = ordinal, peer, "connected");
                    peers.spawn(Peer::new(Arc::clone(&registry), ordinal, orders, stream).run());
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept");
                    tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                }
            }
        }
    }
    drop(accept);
    registry.stop();
    let _ = timeout(STOP_TIMEOUT, async { while peers.join_next().await.is_some() {} }).await;
}

/// Completes when the value becomes true, or can no longer change.
async fn told(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}
