//! The long run of chaos; `cargo xtask chaos` builds and starts it.

use std::time::Duration;

use clap::Parser;
use langnghe_tests::chaos::{self, options::CommandLine};

#[tokio::main]
async fn main() {
    let CommandLine { minutes, options } = CommandLine::parse();
    let options = chaos::Options {
        time: Duration::from_secs_f64(minutes * 60.0),
        ..options
    };
    println!("{}", chaos::run(&options).await);
}
