//! The load tool; `cargo xtask load` builds and starts it.

use std::process::ExitCode;

use clap::Parser;
use langnghe_tests::load::{
    baseline::{self, Bare},
    measure,
    options::{BareKind, Command, Options},
};

fn main() -> ExitCode {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.to_string()),
    };
    let outcome = match options.command {
        Some(Command::Bare { does }) => {
            let bare = match does {
                BareKind::Body => Bare::Body,
                BareKind::Verify => Bare::Verify,
            };
            let secret = std::env::var("LOAD_SECRET").unwrap_or_default();
            runtime
                .block_on(baseline::serve(bare, &secret))
                .map_err(|error| error.to_string())
        }
        None => runtime.block_on(measure::measure(&options.measure)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => fail(&message),
    }
}

fn fail(message: &str) -> ExitCode {
    eprintln!("{message}");
    ExitCode::FAILURE
}
