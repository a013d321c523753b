//! What can change while a transport runs.

use super::layers::Loaded;
use super::table::Table;

/// Options that count at once when the configuration is read again; of a group, all in it.
pub(crate) const LIVE: [&str; 13] = [
    "log_level",
    "pdu_log",
    "on_unknown_outcome",
    "resend",
    "keep_order",
    "rate_limit",
    "throttle",
    "queue_full",
    "queue_full_retry",
    "retry",
    "retry_max_age",
    "message_max_age",
    "validity_from",
];

impl Loaded {
    /// Whether this option counts at once when the configuration is read again; the others do at the next start.
    #[must_use]
    pub fn is_live(option: &str) -> bool {
        let first = option.split_once('.').map_or(option, |(first, _)| first);
        LIVE.contains(&first)
    }

    /// The options that have another value in `next`, by name, in the order of the reference page.
    #[must_use]
    pub fn changed(&self, next: &Loaded) -> Vec<String> {
        let table = Table::new();
        let rows = table.rows().iter().filter(|row| row.show(&self.config) != row.show(&next.config));
        rows.map(super::option::Row::name).collect()
    }

    /// Takes from `next` what counts at once.
    pub fn follow(&mut self, next: &Loaded) {
        let (own, next) = (&mut self.config, &next.config);
        own.worker.log_level = next.worker.log_level;
        own.look.pdu_log = next.look.pdu_log;
        own.sending = next.sending.clone();
    }
}

#[cfg(test)]
mod tests {
    //! Guards that what is said to count at once is what is taken.

    use super::*;
    use crate::config::load;

    #[test]
    fn what_counts_at_once_is_taken_and_nothing_else() {
        let mut tried = 0;
        for row in Table::new().rows() {
            // Not every value can stand alone.
            for value in &row.good {
                let value = value.trim_matches('\'');
                let flag = format!("--{}={value}", row.name().replace(['.', '_'], "-"));
                let (Ok(mut running), Ok(next)) = (load([], []), load([flag], [])) else { continue };
                let is_other = running.changed(&next).contains(&row.name());
                running.follow(&next);
                let is_left = running.changed(&next).contains(&row.name());
                assert_eq!(is_left, is_other && !Loaded::is_live(&row.name()), "{}: {value}", row.name());
                tried += usize::from(is_other);
            }
        }
        assert!(tried > 100, "{tried} values");
    }
}
