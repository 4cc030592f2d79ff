//! Lắng Nghe: citizens report, rate, propose and ask on the messengers they already use; agencies
//! write the conversations; nothing is lost.
//!
//! This crate is the wiring: the command line, the configuration, and the only place that names
//! concrete connectors, backends and stores.

#[cfg(test)]
mod channel_table;
mod chat;
mod command;
mod config;
mod demo;
mod logging;
mod reload;
mod replica;
mod report;
mod sources;
mod terminal;
mod wiring;

use std::{io::ErrorKind, process::ExitCode};

use clap::Parser as _;
use report::Failure;

/// The command found something, or could not do its work.
const FINDINGS: u8 = 1;
/// The command was called wrongly.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let failure = match command::run(command::Arguments::parse().command) {
        Ok(()) => return ExitCode::SUCCESS,
        Err(failure) => failure,
    };
    let (shown, code) = match failure {
        Failure::Problems(problems) => (report::show(&problems), FINDINGS),
        Failure::Usage(message) => {
            eprintln!("error: {message}\n\nFor more information, try '--help'.");
            (Ok(()), USAGE)
        }
        // The reader has seen enough (`langnghe tickets list | head`).
        Failure::Output(error) if error.kind() == ErrorKind::BrokenPipe => {
            return ExitCode::SUCCESS;
        }
        Failure::Output(error) => {
            eprintln!("error: cannot write the output: {error}");
            (Ok(()), FINDINGS)
        }
    };
    // A standard error stream that cannot be written leaves the exit code to speak.
    drop(shown);
    ExitCode::from(code)
}
