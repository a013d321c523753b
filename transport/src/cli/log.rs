//! What is logged: to standard error, and what is worst to Sentry. What is worth a line is decided where it happens.

use std::io::IsTerminal;

use smpp_transport::config::{Config, PduLog};
use smpp_transport::driver::{PDUS, PDUS_IN_FULL};
use smpp_transport::service::LINKS;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, Registry, reload};

use super::reports::Sentry;

/// The log, until it is dropped: then what is on its way to Sentry is waited for, two seconds at most.
pub(super) struct Log {
    filter: reload::Handle<Targets, Registry>,
    sentry: Option<Sentry>,
}

impl Log {
    /// Begins to log. Once in a process.
    ///
    /// # Errors
    /// In words, with the option's name.
    pub(super) fn start(config: &Config) -> Result<Log, String> {
        let sentry = Sentry::of(config)?;
        let (filter, handle) = reload::Layer::new(targets(config));
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        let lines = lines.with_ansi(std::io::stderr().is_terminal()).with_filter(filter);
        let reports = sentry.as_ref().map(|sentry| sentry.layer().with_filter(LevelFilter::ERROR));
        tracing_subscriber::registry().with(lines).with(reports).init();
        Ok(Log { filter: handle, sentry })
    }

    /// Logs from now on what this configuration says. Where reports go stays.
    pub(super) fn follow(&self, config: &Config) {
        // Fails only when there is no log any more.
        let _ = self.filter.reload(targets(config));
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if let Some(sentry) = &self.sentry {
            sentry.close();
        }
    }
}

/// What is logged, by level, and of PDUs by what `pdu_log` says.
fn targets(config: &Config) -> Targets {
    let level = config.worker.log_level.as_str().parse().unwrap_or(LevelFilter::INFO);
    let (headers, full) = match config.look.pdu_log {
        PduLog::Off => (level, LevelFilter::OFF),
        PduLog::Headers => (LevelFilter::TRACE, LevelFilter::OFF),
        // Its lines say all that those of the headers do, but for what cannot be read.
        PduLog::Full => (LevelFilter::DEBUG, LevelFilter::TRACE),
    };
    // Whatever is logged of a link names it.
    let targets = Targets::new().with_default(level).with_target(LINKS, LevelFilter::INFO);
    targets.with_target(PDUS, headers).with_target(PDUS_IN_FULL, full)
}
