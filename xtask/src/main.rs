//! The project's own commands: `cargo xtask test`, `load` and `chaos`.

mod chaos;
mod load;
mod prerequisites;
mod run;
mod steps;
mod tally;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The project's own commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes sure of what the tests need, then runs all of them.
    Test {
        /// Runs only these steps (several are allowed).
        #[arg(long, value_name = "STEP")]
        only: Vec<String>,
        /// Lists the steps and stops.
        #[arg(long)]
        list: bool,
    },
    /// Builds the release binary and the load tool, and measures; `-- --help` shows its options.
    Load {
        /// Options of the load tool.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
    /// Hurts replicas, store and the lines between them for minutes, and checks that nothing was lost;
    /// `-- --help` shows its options.
    Chaos {
        /// Options of the tool.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        options: Vec<String>,
    },
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Test { list: true, .. } => {
            steps::list();
            Ok(())
        }
        Command::Test { only, list: false } => steps::test(&only),
        Command::Load { options } => load::load(&options),
        Command::Chaos { options } => chaos::chaos(&options),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}
