//! `langnghe serve`: one replica.

use std::path::PathBuf;

use clap::Args;

use crate::{
    config::{self, ProcessEnvironment},
    logging, replica,
    report::{self, Failure},
};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The configuration
    #[arg(long, value_name = "FILE", env = "LANGNGHE_CONFIG")]
    config: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let read = config::read_file(&arguments.config, &ProcessEnvironment { secrets: true });
    let Some(config) = read.config else {
        return Err(Failure::Problems(read.problems));
    };
    report::show(&read.problems)?;
    logging::start(&config.log);
    let listener = replica::bind(config.listen)?;
    let watch = replica::Watch::Hangup;
    replica::run(&config, listener, watch, None, |_| Ok(()))
}
