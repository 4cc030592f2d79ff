//! The command line: one file a command.

mod channel;
mod chat;
mod check;
mod completions;
mod dead;
mod demo;
mod notify;
mod ready;
mod segments;
mod serve;
mod store;
mod stored;
mod tickets;
mod zalo;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::report::Failure;

/// Lắng Nghe: citizens report, rate, propose and ask on the messengers they already use.
#[derive(Debug, Parser)]
#[command(
    name = "langnghe",
    version,
    about,
    after_help = "Exit codes: 0 good, 1 findings, 2 wrong usage.\nA first look: langnghe demo"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Try everything at once: ready-made conversations, web chat, a small agency inbox
    Demo(demo::Arguments),
    /// Run one replica
    Serve(serve::Arguments),
    /// Ask the replica that runs on this machine whether it can work; exit code 0 or 1
    Ready(ConfigArgument),
    /// Find everything that is wrong with a configuration, its flows and locales
    Check(check::Arguments),
    /// Be the citizen, in this terminal; line by line when the input is piped in
    Chat(chat::Arguments),
    /// List the channels, ask their providers who we are, set their webhooks
    #[command(subcommand)]
    Channel(channel::Command),
    /// Look at tickets
    #[command(subcommand)]
    Tickets(tickets::Command),
    /// Tell the citizen of a ticket something
    Notify(notify::Arguments),
    /// Look at, retry or drop what could not be delivered
    #[command(subcommand)]
    Dead(dead::Command),
    /// Move everything from one store to another
    #[command(subcommand)]
    Store(store::Command),
    /// Let an Official Account on Zalo authorise the app
    #[command(subcommand)]
    Zalo(zalo::Command),
    /// Print the completions of a shell
    Completions(completions::Arguments),
}

/// Which configuration, for commands that cannot do without.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgument {
    /// The configuration
    #[arg(
        long,
        value_name = "FILE",
        env = "LANGNGHE_CONFIG",
        default_value = "langnghe.toml"
    )]
    pub(crate) config: PathBuf,
}

/// Does what the command says.
pub(crate) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Ready(arguments) => ready::run(&arguments),
        Command::Check(arguments) => check::run(&arguments),
        Command::Chat(arguments) => chat::run(&arguments),
        Command::Channel(command) => channel::run(command),
        Command::Tickets(command) => tickets::run(command),
        Command::Notify(arguments) => notify::run(arguments),
        Command::Dead(command) => dead::run(command),
        Command::Store(command) => store::run(command),
        Command::Zalo(command) => zalo::run(command),
        Command::Completions(arguments) => completions::run(&arguments),
    }
}
