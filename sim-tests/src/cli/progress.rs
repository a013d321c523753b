//! How far it is, on standard error, for whoever watches.

use std::fmt::Write;
use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

/// A bar that fills with what is done, or with the time where only that is limited.
pub(super) struct Progress {
    bar: ProgressBar,
    limit: Option<Duration>,
}

impl Progress {
    /// So many things, or so much time.
    pub(super) fn new(count: Option<u64>, limit: Option<Duration>) -> Progress {
        let (length, template) = match (count, limit) {
            (None, Some(limit)) => (limit.as_secs(), "{bar:40} {pos} of {len} s, {msg}"),
            _ => (count.unwrap_or(0), "{bar:40} {pos}/{len}, {rate}/s, {eta} left {msg}"),
        };
        let shown = std::io::stderr().is_terminal();
        let bar = if shown { ProgressBar::new(length) } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let rate = |state: &ProgressState, out: &mut dyn Write| {
            let _ = write!(out, "{:.0}", state.per_sec());
        };
        Progress { bar: bar.with_style(style.with_key("rate", rate)), limit: limit.filter(|_| count.is_none()) }
    }

    /// So many are done, and this is to be said of them.
    pub(super) fn at(&self, done: u64, words: &str) {
        if self.limit.is_none() {
            self.bar.set_position(done);
            self.bar.set_message(words.to_owned());
            return;
        }
        let elapsed = self.bar.elapsed();
        self.bar.set_position(elapsed.as_secs());
        self.bar.set_message(format!("{done} done, {:.0}/s {words}", done as f64 / elapsed.as_secs_f64().max(1e-3)));
    }

    /// Lets something else be printed meanwhile.
    pub(super) fn aside(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
