//! `langnghe chat`: the citizen's side in a terminal, on the pure engine, without server or store.

use std::{
    io::{self, BufRead as _, IsTerminal as _, Read as _, Write},
    path::PathBuf,
};

use clap::Args;
use langnghe_flow::{Library, Settings};

use crate::{
    chat::{Chat, Input, parse},
    config::{self, ProcessEnvironment},
    report::{self, Failure},
    sources::Sources,
    wiring,
};

/// The longest line that is read, in bytes.
const LINE_BYTES: u64 = 64 * 1024;

#[derive(Debug, Args)]
#[command(
    after_help = "While chatting:\n  /photo PATH        send a file (picture, film, recording, document)\n  /location LAT,LON  send a place\n  /quit              end; so does the end of the input\nThe tickets that came of it are printed as JSON at the end."
)]
pub(crate) struct Arguments {
    /// The configuration; without it the ready-made flows are used
    #[arg(long, value_name = "FILE", env = "LANGNGHE_CONFIG")]
    config: Option<PathBuf>,
    /// The flow to begin with
    #[arg(long, value_name = "ID")]
    flow: Option<String>,
    /// The citizen's language, as their messenger tells it (vi, en)
    #[arg(long, value_name = "LANGUAGE")]
    lang: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let library = library(arguments)?;
    let mut chat = Chat::new(library, arguments.lang.clone());
    let (stdin, stdout) = (io::stdin(), io::stdout());
    let interactive = stdin.is_terminal();
    let mut output = stdout.lock();
    if interactive {
        writeln!(
            output,
            "/photo PATH, /location LAT,LON, /quit (or Ctrl+D)\n"
        )?;
        // A messenger's "Get started" button.
        say(&mut output, &chat.start())?;
    } else if arguments.flow.is_some() {
        say(&mut output, &chat.start())?;
    }
    let mut input = stdin.lock();
    loop {
        if interactive {
            write!(output, "> ")?;
            output.flush()?;
        }
        let mut line = String::new();
        if (&mut input).take(LINE_BYTES).read_line(&mut line)? == 0 {
            break;
        }
        let line = line.trim_end_matches(['\r', '\n']);
        if !interactive {
            writeln!(output, "> {line}")?;
        }
        match parse(line) {
            Ok(Input::Quit) => break,
            Ok(Input::Nothing) => {}
            Ok(Input::Message(message)) => say(&mut output, &chat.message(*message))?,
            Err(reason) => {
                // A person can type it again; a piped conversation has gone wrong here.
                if !interactive {
                    output.flush()?;
                    return Err(Failure::new(
                        "chat::input",
                        reason,
                        "`langnghe chat --help` shows what can be sent",
                    ));
                }
                writeln!(output, "{reason}")?;
            }
        }
    }
    for ticket in chat.tickets() {
        let json = serde_json::to_string_pretty(ticket).map_err(io::Error::other)?;
        writeln!(output, "{json}")?;
    }
    Ok(output.flush()?)
}

fn say(output: &mut impl Write, lines: &[String]) -> io::Result<()> {
    for text in lines {
        writeln!(output, "{text}\n")?;
    }
    output.flush()
}

fn library(arguments: &Arguments) -> Result<Library, Failure> {
    let (sources, mut settings) = match &arguments.config {
        Some(path) => {
            let read = config::read_file(path, &ProcessEnvironment { secrets: false });
            let Some(config) = read.config else {
                return Err(Failure::Problems(read.problems));
            };
            let sources =
                Sources::read(&config.flows, &config.locales).map_err(Failure::Problems)?;
            (sources, wiring::flow_settings(&config))
        }
        None => (Sources::embedded(), super::check::default_settings()),
    };
    begin_with(&mut settings, arguments.flow.as_deref());
    let loaded = Library::load(&sources.flows, &sources.locales, settings);
    match loaded.library {
        Some(library) => {
            // What is good in daily use must not stand between the lines of a conversation.
            if io::stderr().is_terminal() {
                report::show(&loaded.problems)?;
            }
            Ok(library)
        }
        None => Err(Failure::Problems(loaded.problems)),
    }
}

/// The flow that a message opens when it triggers none.
fn begin_with(settings: &mut Settings, flow: Option<&str>) {
    if let Some(flow) = flow {
        flow.clone_into(&mut settings.start);
    }
}
