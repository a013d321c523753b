//! What a bus has said that it has, it has in the end; and whoever is told to stop stops.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::Report;
use super::Seen;
use crate::history::What;
use crate::plan::{LINGER_MS, UNBIND_MS};

/// What was stored is still there, over kills and power cuts.
pub(super) fn durable(seen: &Seen, report: &mut Report) {
    let found = seen.facts.iter().find_map(|(_, fact)| match &fact.what {
        What::OnBus { published, .. } => Some((fact.at, published)),
        _ => None,
    });
    let Some((at, found)) = found.filter(|_| seen.at_rest) else { return };
    let mut left: BTreeMap<_, usize> = BTreeMap::new();
    for (route, body) in found {
        *left.entry((route.name(), body)).or_default() += 1;
    }
    for (_, fact) in &seen.facts {
        let What::Published { route, body, .. } = &fact.what else { continue };
        match left.get_mut(&(route.name(), body)) {
            Some(count) if *count > 0 => *count -= 1,
            _ => {
                let words =
                    format!("transport {}: {} was stored at {:?}, and is not there", seen.owner, route.name(), fact.at);
                report.broken(at, words);
            }
        }
    }
}

/// How much longer than its timeout a shutdown may take: each session unbinds, and what is written leaves.
const GRACE_MS: u64 = 3 * (UNBIND_MS + LINGER_MS);

pub(super) fn shutdown(seen: &Seen, report: &mut Report) {
    let longest = Duration::from_millis(seen.part.options.shutdown_timeout_ms + GRACE_MS);
    for (_, fact) in &seen.facts {
        if let What::Stopped { process, took } = fact.what
            && took > longest
        {
            report.broken(fact.at, format!("process {process} took {took:?} to stop"));
        }
    }
}
