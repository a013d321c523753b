//! How many files may be open: each session is one, in the simulator and here.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::Failure;

/// Files that a process has open besides its sessions.
const OTHERS: u64 = 64;

/// Lets this process and those that it starts have so many sessions.
pub(crate) fn raise(sessions: usize) -> Result<(), Failure> {
    let wanted = sessions as u64 + OTHERS;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current.is_none_or(|current| current >= wanted) {
        return Ok(());
    }
    let limit = Rlimit { current: Some(wanted), maximum: maximum.map(|maximum| maximum.max(wanted)) };
    setrlimit(Resource::Nofile, limit).map_err(|_| {
        format!(
            "{sessions} sessions need {wanted} open files, and {} are allowed: `ulimit -n {wanted}` raises that as root; \
             fewer sessions need fewer: --sessions N",
            maximum.unwrap_or_default()
        )
        .into()
    })
}
