//! Guards that clients which others wrote can use the simulator: `interop/run.py` with smpplib and node-smpp. It fetches
//! them, so that it runs only when asked to, by the environment variable `SMSC_SIM_INTEROP`; the repository's `test` runs
//! the script itself, with a capture.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Why the clients cannot run, if so.
fn left_out() -> Option<String> {
    if std::env::var_os("SMSC_SIM_INTEROP").is_none() {
        return Some("SMSC_SIM_INTEROP is not set".to_owned());
    }
    let is_there = |program: &&&str| {
        let run = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        run.is_ok_and(|status| status.success())
    };
    let missing = ["python3", "node", "npm"].iter().find(|program| !is_there(program))?;
    Some(format!("{missing} is not there"))
}

#[test]
fn clients_that_others_wrote_can_use_the_simulator() {
    if let Some(why) = left_out() {
        // Past the harness, which would keep it to itself.
        writeln!(std::io::stdout(), "left out: interoperability with smpplib and node-smpp: {why}").unwrap();
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let status = Command::new("python3")
        .arg(folder.join("tests/interop/run.py"))
        .args(["--cache", "../.tools/interop", "--enquire-link-interval", "1", "--", env!("CARGO_BIN_EXE_smsc-sim")])
        .args(["--enquire-link-interval", "1", "--log-level", "warn"])
        .current_dir(folder)
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
}
