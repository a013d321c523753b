//! How far it is, on standard error: a bar for whoever watches, now and then a line for a log.

use std::cell::Cell;
use std::fmt::Write;
use std::io::{IsTerminal, Write as _};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

/// A bar that fills with what is done, or with the time where only that is limited.
pub(super) struct Progress {
    bar: ProgressBar,
    count: Option<u64>,
    limit: Option<Duration>,
    /// The next line, by the bar's time; none where the bar is shown.
    next_line: Cell<Option<Duration>>,
}

/// How often a log has a line: often enough for a CI that ends what is silent for ten minutes.
const LINE_EVERY: Duration = Duration::from_secs(60);

impl Progress {
    /// So many things, or so much time.
    pub(super) fn new(count: Option<u64>, limit: Option<Duration>) -> Progress {
        let (length, template) = match (count, limit) {
            (None, Some(limit)) => (limit.as_secs(), "{bar:40} {pos} of {len} s, {msg}"),
            _ => (count.unwrap_or(0), "{bar:40} {pos}/{len}, {rate}, {eta} left {msg}"),
        };
        let shown = std::io::stderr().is_terminal();
        let bar = if shown { ProgressBar::new(length) } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let rate = |state: &ProgressState, out: &mut dyn Write| {
            let _ = out.write_str(&per_second(state.per_sec()));
        };
        let next_line = Cell::new((!shown).then_some(LINE_EVERY));
        let limit = limit.filter(|_| count.is_none());
        Progress { bar: bar.with_style(style.with_key("rate", rate)), count, limit, next_line }
    }

    /// So many are done, and this is to be said of them.
    pub(super) fn at(&self, done: u64, words: &str) {
        let elapsed = self.bar.elapsed();
        let rate = per_second(done as f64 / elapsed.as_secs_f64().max(1e-3));
        if let Some(next) = self.next_line.get() {
            if elapsed >= next {
                self.next_line.set(Some(elapsed + LINE_EVERY));
                let of = self.count.map_or(String::new(), |count| format!(" of {count}"));
                // Whoever reads may have gone.
                let _ = writeln!(std::io::stderr(), "{} s: {done}{of} done, {rate} {words}", elapsed.as_secs());
            }
        } else if self.limit.is_none() {
            self.bar.set_position(done);
            self.bar.set_message(words.to_owned());
        } else {
            self.bar.set_position(elapsed.as_secs());
            self.bar.set_message(format!("{done} done, {rate} {words}"));
        }
    }

    /// Lets something else be printed meanwhile.
    pub(super) fn aside(&self, print: impl FnOnce()) {
        self.bar.suspend(print);
    }

    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// A rate, which may be of seeds or of programs that are built.
fn per_second(rate: f64) -> String {
    if rate < 1.0 { format!("{rate:.3}/s") } else { format!("{rate:.0}/s") }
}
