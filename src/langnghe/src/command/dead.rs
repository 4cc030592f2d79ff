//! `langnghe dead list|show|retry|drop|enable`: what could not go on by itself.

use std::io::{self, Write as _};

use clap::{Args, Subcommand, ValueEnum};
use langnghe_model::{BackendId, ConversationId};
use langnghe_server::clock;
use langnghe_store::{DeadKind, DeadLetter};
use serde_json::{Value, json};

use super::{
    ConfigArgument,
    stored::{self, failed, moment},
};
use crate::{report::Failure, terminal};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The newest dead letters, without what citizens wrote
    List(List),
    /// One dead letter, with what is in it
    Show(One),
    /// Put dead letters back on their way
    Retry(Several),
    /// Remove dead letters for ever; tickets themselves stay
    Drop(Several),
    /// Deliver to a backend again that said 410 Gone
    Enable(Enable),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    config: ConfigArgument,
    /// Only those of this kind
    #[arg(long, value_enum)]
    kind: Option<Kind>,
    /// At most so many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..))]
    limit: u16,
    /// Only those from before this one, for the next page
    #[arg(long, value_name = "NUMBER")]
    before: Option<u64>,
    /// As one JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct One {
    #[command(flatten)]
    config: ConfigArgument,
    /// Its number
    number: u64,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Several {
    #[command(flatten)]
    config: ConfigArgument,
    /// Their numbers
    #[arg(required = true, value_name = "NUMBER")]
    numbers: Vec<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct Enable {
    #[command(flatten)]
    config: ConfigArgument,
    /// The backend's id
    backend: String,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// A reply that could not be sent
    Reply,
    /// A ticket that could not be delivered
    Delivery,
    /// An event that could not be processed
    Event,
}

impl From<Kind> for DeadKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Reply => Self::Reply,
            Kind::Delivery => Self::Delivery,
            Kind::Event => Self::Event,
        }
    }
}

pub(super) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::List(arguments) => list(&arguments),
        Command::Show(arguments) => show(&arguments),
        Command::Retry(arguments) => each(&arguments, Act::Retry),
        Command::Drop(arguments) => each(&arguments, Act::Drop),
        Command::Enable(arguments) => enable(&arguments),
    }
}

fn list(arguments: &List) -> Result<(), Failure> {
    let kind = arguments.kind.map(Into::into);
    let limit = usize::from(arguments.limit);
    let letters = stored::with(&arguments.config.config, async |store| {
        let letters = store.dead_letters(kind, arguments.before, limit).await;
        letters.map_err(|error| failed(&error))
    })?;
    let mut output = io::stdout().lock();
    if letters.is_empty() && !arguments.json {
        writeln!(output, "no dead letters")?;
    }
    for letter in &letters {
        if arguments.json {
            writeln!(output, "{}", head(letter))?;
        } else {
            writeln!(
                output,
                "{:>8}  {}  {:<8}  {:<16}  {:>2} attempts  {}",
                letter.id,
                moment(letter.at),
                letter.kind.name(),
                letter.place,
                letter.attempts,
                terminal::clean(&letter.reason),
            )?;
        }
    }
    Ok(())
}

/// What a list tells of a dead letter: nothing that the citizen wrote.
fn head(letter: &DeadLetter) -> Value {
    json!({
        "number": letter.id,
        "kind": letter.kind.name(),
        "place": letter.place,
        "ticket": letter.ticket,
        "reason": letter.reason,
        "at": moment(letter.at),
        "attempts": letter.attempts,
    })
}

fn show(arguments: &One) -> Result<(), Failure> {
    let number = arguments.number;
    let found = stored::with(&arguments.config.config, async |store| {
        store
            .dead_letter(number)
            .await
            .map_err(|error| failed(&error))
    })?;
    let Some(letter) = found else {
        return Err(unknown(&[number]));
    };
    let mut whole = head(&letter);
    whole["conversation"] = json!(letter.conversation.as_ref().map(ConversationId::tag));
    whole["content"] = content(&letter.body);
    let mut output = io::stdout().lock();
    if arguments.json {
        writeln!(output, "{whole}")?;
    } else {
        writeln!(output, "{whole:#}")?;
    }
    Ok(())
}

/// What is in it: JSON in all that this program writes.
fn content(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| json!(format!("{} bytes", body.len())))
}

#[derive(Clone, Copy)]
enum Act {
    Retry,
    Drop,
}

fn each(arguments: &Several, act: Act) -> Result<(), Failure> {
    let missing = stored::with(&arguments.config.config, async |store| {
        let mut missing = Vec::new();
        for number in &arguments.numbers {
            let (done, word) = match act {
                Act::Retry => (
                    store.retry_dead(*number, clock::now()).await,
                    "on its way again",
                ),
                Act::Drop => (store.drop_dead(*number, clock::now()).await, "removed"),
            };
            if done.map_err(|error| failed(&error))? {
                writeln!(io::stdout(), "{number}: {word}")?;
            } else {
                missing.push(*number);
            }
        }
        Ok(missing)
    })?;
    if missing.is_empty() {
        Ok(())
    } else {
        Err(unknown(&missing))
    }
}

fn enable(arguments: &Enable) -> Result<(), Failure> {
    let backend =
        BackendId::new(&arguments.backend).map_err(|error| Failure::Usage(error.to_string()))?;
    let was = stored::with(&arguments.config.config, async |store| {
        let was = store
            .disabled(&backend)
            .await
            .map_err(|error| failed(&error))?;
        if was.is_some() {
            store
                .set_disabled(&backend, None)
                .await
                .map_err(|error| failed(&error))?;
        }
        Ok(was)
    })?;
    let Some(was) = was else {
        return Err(Failure::new(
            "dead::not-disabled",
            format!("deliveries to `{backend}` are not stopped"),
            "there is nothing to enable",
        ));
    };
    let since = moment(was.at);
    let reason = terminal::clean(&was.reason);
    Ok(writeln!(
        io::stdout(),
        "{backend}: delivers again; it was stopped at {since}: {reason}"
    )?)
}

fn unknown(numbers: &[u64]) -> Failure {
    let numbers = numbers
        .iter()
        .map(u64::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    Failure::new(
        "dead::unknown",
        format!("there is no dead letter {numbers}"),
        "`langnghe dead list` shows the numbers",
    )
}
