//! The command line.

mod cli;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "smpp-transport", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Load(cli::load::Load),
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Load(load) => load.run(),
    }
}
