//! The subcommands, one file each. Only here and below is anything printed: results on standard output, everything else
//! on standard error.

mod build;
mod config;
mod connect;
mod decode;
mod encode;
mod load;
mod log;
mod outbind;
mod reload;
mod reports;
mod run;
mod send;
mod tap;
mod target;

use std::ffi::OsString;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

/// SMPP 3.4 transport, and the tools around it.
#[derive(Parser)]
#[command(name = "smpp-transport", version)]
struct Arguments {
    #[command(subcommand)]
    tool: Tool,
}

#[derive(Subcommand)]
enum Tool {
    Decode(decode::Decode),
    Encode(encode::Encode),
    Load(load::Load),
    Send(send::Send),
}

/// Exit status 0: all went well. 1: some input was wrong. 2: the command line was wrong.
pub(crate) fn run() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    if !words.first().is_some_and(is_of_tools) {
        return config::dispatch(words);
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    let outcome = match arguments.tool {
        Tool::Decode(decode) => decode.run(),
        Tool::Encode(encode) => encode.run(),
        Tool::Load(load) => return load.run(),
        Tool::Send(send) => return send.run(),
    };
    match outcome {
        Ok(Outcome::AllWell) => ExitCode::SUCCESS,
        Ok(Outcome::SomeWrong) => ExitCode::from(1),
        // Whoever read our output has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            complain(&error.to_string());
            ExitCode::from(1)
        }
    }
}

/// Whether what follows is for a tool, and not a configuration.
fn is_of_tools(first: &OsString) -> bool {
    let is_tool = Arguments::command().get_subcommands().any(|tool| first == tool.get_name());
    is_tool || first == "help" || first == "-V" || first == "--version"
}

/// How a tool ended.
enum Outcome {
    AllWell,
    SomeWrong,
}

impl Outcome {
    fn of(all_well: bool) -> Outcome {
        if all_well { Outcome::AllWell } else { Outcome::SomeWrong }
    }
}

/// Help goes to standard output; what is wrong with the command line is one line.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() || error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
        return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
    }
    let text = error.render().to_string();
    let words: Vec<&str> = text.lines().take_while(|line| !line.starts_with("Usage:")).map(str::trim).collect();
    complain(words.join(" ").trim().trim_start_matches("error: "));
    ExitCode::from(2)
}

fn complain(words: &str) {
    let _ = writeln!(io::stderr(), "smpp-transport: {words}");
}

/// The arguments, or else the lines of standard input that are not blank.
fn inputs(arguments: Vec<String>) -> Box<dyn Iterator<Item = io::Result<String>>> {
    if arguments.is_empty() {
        let lines = io::stdin().lock().lines();
        Box::new(lines.filter(|line| !line.as_ref().is_ok_and(|line| line.trim().is_empty())))
    } else {
        Box::new(arguments.into_iter().map(Ok))
    }
}
