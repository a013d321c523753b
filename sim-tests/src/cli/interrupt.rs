//! Ctrl-C: what is going on ends early and says what it has seen. A second one ends the program.

use std::sync::atomic::{AtomicBool, Ordering};

static HAS_COME: AtomicBool = AtomicBool::new(false);

/// The status that a shell gives to what Ctrl-C has ended.
const INTERRUPTED: i32 = 130;

/// Watches for it from now on.
#[expect(clippy::disallowed_methods, reason = "a thread of the program's own: no run is on it")]
pub(super) fn watch() {
    std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
        let Ok(runtime) = runtime else { return };
        runtime.block_on(async {
            while tokio::signal::ctrl_c().await.is_ok() {
                if HAS_COME.swap(true, Ordering::Relaxed) {
                    std::process::exit(INTERRUPTED);
                }
            }
        });
    });
}

pub(super) fn has_come() -> bool {
    HAS_COME.load(Ordering::Relaxed)
}
