//! `sim-tests`: sweep seeds, replay one, compare runs.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
