//! How fast a transport submits: not above its rate.

use super::super::{Report, slack};
use super::Seen;
use super::order::lives;

/// In any stretch of time no more than what the rate gives for it, and one: what had been saved up.
pub(super) fn rate(seen: &Seen, report: &mut Report) {
    let Some(rate) = seen.part.options.rate.map(f64::from) else { return };
    for life in lives(seen) {
        for (place, (_, first)) in life.iter().enumerate() {
            for (count, (_, last)) in life[place..].iter().enumerate() {
                let time = last.at - first.at + slack(seen.plan);
                if count as f64 > time.as_secs_f64() * rate + 1.0 {
                    let words = format!("transport {}: {} submits in {:?}", seen.owner, count + 1, last.at - first.at);
                    return report.broken(last.at, format!("{words}, {rate} a second are allowed"));
                }
            }
        }
    }
}
