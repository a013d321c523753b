//! The log: lines on standard error, and those at level ERROR to Sentry.

use std::io::IsTerminal;

use smpp_transport::config::{Config, PduLog};
use smpp_transport::driver::{PDU_RING, PDUS, PDUS_IN_FULL};
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

/// Levels by target: `log_level` for the transport itself, `pdu_log` for PDUs.
///
/// Libraries log at DEBUG and TRACE what they send and receive, passwords and messages among it: theirs end at INFO.
fn targets(config: &Config) -> Targets {
    let level = config.worker.log_level.as_str().parse().unwrap_or(LevelFilter::INFO);
    let (headers, ring, full) = match config.look.pdu_log {
        PduLog::Off => (level, level, LevelFilter::OFF),
        PduLog::Headers => (LevelFilter::TRACE, level.max(LevelFilter::INFO), LevelFilter::OFF),
        // Lines in full say all that the others do, but for PDUs that could not be read.
        PduLog::Full => (LevelFilter::DEBUG, LevelFilter::OFF, LevelFilter::TRACE),
    };
    Targets::new()
        .with_default(level.min(LevelFilter::INFO))
        .with_targets(OWN_CRATES.map(|name| (name, level)))
        // Every line about a link names it.
        .with_target(LINKS, LevelFilter::INFO)
        .with_target(PDUS, headers)
        .with_target(PDU_RING, ring)
        .with_target(PDUS_IN_FULL, full)
}

/// Crates whose lines follow `log_level` below INFO, too.
const OWN_CRATES: [&str; 2] = ["smpp_transport", "smpp"];

#[cfg(test)]
mod tests {
    //! Guards who may log what at which level.

    use smpp_transport::config::Level;
    use tracing::Level as At;

    use super::*;

    const LEVELS: [Level; 5] = [Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace];

    fn targets_of(level: Level, pdu_log: PduLog) -> Targets {
        let mut config = Config::default();
        (config.worker.log_level, config.look.pdu_log) = (level, pdu_log);
        targets(&config)
    }

    #[test]
    fn libraries_log_nothing_below_info_at_any_level() {
        for level in LEVELS {
            for pdu_log in [PduLog::Off, PduLog::Headers, PduLog::Full] {
                let targets = targets_of(level, pdu_log);
                for name in ["lapin", "lapin::channel", "amq_protocol", "redis", "hyper", "rustls", "tokio"] {
                    for at in [At::DEBUG, At::TRACE] {
                        assert!(!targets.would_enable(name, &at), "{level:?} {pdu_log:?} {name} {at}");
                    }
                }
                let is_on = targets.would_enable("lapin", &At::ERROR);
                assert!(is_on, "{level:?} {pdu_log:?}");
            }
        }
    }

    #[test]
    fn people_are_logged_if_pdu_log_is_full_and_only_then() {
        for level in LEVELS {
            for pdu_log in [PduLog::Off, PduLog::Headers, PduLog::Full] {
                let is_on = targets_of(level, pdu_log).would_enable(PDUS_IN_FULL, &At::TRACE);
                assert_eq!(is_on, pdu_log == PduLog::Full, "{level:?} {pdu_log:?}");
            }
        }
    }

    #[test]
    fn the_transport_itself_follows_the_level() {
        for (level, at, is_on) in [
            (Level::Info, At::DEBUG, false),
            (Level::Debug, At::DEBUG, true),
            (Level::Debug, At::TRACE, false),
            (Level::Trace, At::TRACE, true),
            (Level::Error, At::WARN, false),
        ] {
            let targets = targets_of(level, PduLog::Off);
            assert_eq!(targets.would_enable("smpp_transport::service::link", &at), is_on, "{level:?} {at}");
        }
    }
}
