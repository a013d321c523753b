//! SIGHUP: the configuration is read again, and what can change without the sessions being dropped changes.

use std::sync::Arc;

use smpp_transport::config::Loaded;
use smpp_transport::outbound::QueueConfig;
use tokio::sync::watch;

use super::connect::places;
use super::log::Log;
use super::{build, config};

/// What runs, and what can be changed about it.
pub(super) struct Reload {
    /// As they were given at the start. The environment of a process stays, too: what can be new is the file.
    pub(super) flags: Vec<String>,
    /// What is in force.
    pub(super) running: Loaded,
    pub(super) log: Arc<Log>,
    pub(super) queue: watch::Sender<QueueConfig>,
}

impl Reload {
    /// Reads the configuration again, takes what can be taken now, and says what becomes of the rest. One that is wrong is not
    /// taken at all.
    pub(super) fn again(&mut self) {
        let next = match self.read() {
            Ok(next) => next,
            Err(words) => {
                tracing::error!("SIGHUP: the configuration is refused, and nothing changes: {words}");
                return;
            }
        };
        for warning in &next.warnings {
            tracing::warn!("{warning}");
        }
        let changed = self.running.changed(&next);
        let (now, later): (Vec<_>, Vec<_>) = changed.into_iter().partition(|option| Loaded::is_live(option));
        self.running.follow(&next);
        self.log.follow(&self.running.config);
        self.queue.send_replace(build::queue(&self.running.config));
        for option in &later {
            tracing::warn!(
                "SIGHUP: {option} ({}) is another now: that takes effect at the next start",
                next.origin(option)
            );
        }
        let taken = if now.is_empty() { "nothing".to_owned() } else { now.join(", ") };
        tracing::info!("SIGHUP: the configuration has been read again; taken from it: {taken}");
    }

    /// What would be run with at the next start.
    fn read(&self) -> Result<Loaded, String> {
        let next = config::load(self.flags.clone(), std::env::vars_os()).map_err(|error| error.to_string())?;
        build::service(&next.config)?;
        build::links(&next.config)?;
        places(next.config.smsc_addresses(), &next.config.smsc, None)?;
        Ok(next)
    }
}
