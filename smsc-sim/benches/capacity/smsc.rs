//! The simulator as a process.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::time::Instant;

use crate::Failure;

/// One that is ready. It ends with this.
pub(crate) struct Smsc {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From the start of the process to the line that says so.
    pub(crate) started_in: Duration,
}

impl Smsc {
    pub(crate) fn start(program: impl AsRef<OsStr>, flags: &[OsString]) -> Result<Smsc, Failure> {
        let since = Instant::now();
        let mut child = Command::new(program)
            .args(["--listen", "127.0.0.1:0", "--http", "off", "--seed", "1", "--log-level", "error"])
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let started_in = since.elapsed();
        let address = line.strip_prefix("ready smpp=").and_then(|rest| rest.split_whitespace().next());
        match address.and_then(|address| address.parse().ok()) {
            Some(address) => Ok(Smsc { child, address, started_in }),
            None => {
                let _ = child.kill();
                let _ = child.wait();
                Err(format!("no ready line, but {line:?}").into())
            }
        }
    }

    /// Octets that are resident.
    pub(crate) fn memory(&self) -> Result<u64, Failure> {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}: Linux is needed"))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibi = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
        Ok(kibi.ok_or_else(|| format!("{path}: no VmRSS"))? * 1024)
    }
}

impl Drop for Smsc {
    fn drop(&mut self) {
        // It may have gone by itself; whoever was connected to it has told so.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
