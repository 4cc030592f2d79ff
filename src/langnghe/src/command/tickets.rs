//! `langnghe tickets list|show`.

use std::io::{self, Write as _};

use clap::{Args, Subcommand, ValueEnum};
use langnghe_model::TicketId;
use langnghe_store::{DeliveryState, StoredTicket, TicketFilter};
use serde_json::{Value, json};

use super::{
    ConfigArgument,
    stored::{self, failed, moment},
};
use crate::{report::Failure, terminal};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The newest tickets, without what citizens wrote
    List(List),
    /// One ticket, with what the citizen wrote, and what happened to it
    Show(Show),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    config: ConfigArgument,
    /// Only those whose delivery stands so
    #[arg(long, value_enum)]
    delivery: Option<Delivery>,
    /// At most so many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..))]
    limit: u16,
    /// Only those made before this ticket (an id), for the next page
    #[arg(long, value_name = "ID")]
    before: Option<String>,
    /// As one JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    #[command(flatten)]
    config: ConfigArgument,
    /// The code that the citizen has, or the ticket's id
    ticket: String,
    /// As JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Delivery {
    /// It has no backend
    None,
    /// It waits for its first or next attempt
    Pending,
    /// The backend has it
    Delivered,
    /// It is a dead letter
    Dead,
}

impl From<Delivery> for DeliveryState {
    fn from(delivery: Delivery) -> Self {
        match delivery {
            Delivery::None => Self::None,
            Delivery::Pending => Self::Pending,
            Delivery::Delivered => Self::Delivered,
            Delivery::Dead => Self::Dead,
        }
    }
}

pub(super) fn run(command: Command) -> Result<(), Failure> {
    match command {
        Command::List(arguments) => list(&arguments),
        Command::Show(arguments) => show(&arguments),
    }
}

fn list(arguments: &List) -> Result<(), Failure> {
    let store = stored::open(&arguments.config.config)?;
    let filter = TicketFilter {
        conversation: None,
        delivery: arguments.delivery.map(Into::into),
        before: arguments.before.as_deref().map(TicketId::new),
        limit: usize::from(arguments.limit),
    };
    let tickets =
        stored::run(async { store.tickets(filter).await.map_err(|error| failed(&error)) })?;
    let mut output = io::stdout().lock();
    if arguments.json {
        for ticket in &tickets {
            writeln!(output, "{}", head(ticket))?;
        }
        return Ok(());
    }
    if tickets.is_empty() {
        writeln!(output, "no tickets")?;
    }
    for ticket in &tickets {
        writeln!(
            output,
            "{}  {}  {:<9}  {:<16}  {}",
            ticket.code,
            moment(ticket.created_at),
            ticket.delivery.name(),
            ticket
                .backend
                .as_ref()
                .map_or("-", |backend| backend.as_str()),
            terminal::clean(&ticket.title),
        )?;
    }
    Ok(())
}

/// What a list tells of a ticket: nothing that the citizen wrote.
fn head(ticket: &StoredTicket) -> Value {
    json!({
        "id": ticket.id,
        "code": ticket.code,
        "title": ticket.title,
        "created_at": moment(ticket.created_at),
        "backend": ticket.backend,
        "delivery": ticket.delivery.name(),
        "reference": ticket.reference,
    })
}

fn show(arguments: &Show) -> Result<(), Failure> {
    let store = stored::open(&arguments.config.config)?;
    let wanted = arguments.ticket.trim();
    let found = stored::run(async { store.ticket(wanted).await.map_err(|error| failed(&error)) })?;
    let Some(ticket) = found else {
        return Err(Failure::new(
            "tickets::unknown",
            format!("there is no ticket `{wanted}`"),
            "`langnghe tickets list` shows the codes of the newest ones",
        ));
    };
    let mut whole = head(&ticket);
    whole["channel"] = json!(
        ticket
            .conversation
            .as_ref()
            .map(|conversation| &conversation.channel)
    );
    whole["ticket"] = decode(Some(&ticket.body));
    whole["personal"] = decode(ticket.personal.as_deref());
    whole["history"] = ticket
        .history
        .iter()
        .map(|note| json!({ "at": moment(note.at), "what": note.what, "detail": note.detail }))
        .collect();
    let mut output = io::stdout().lock();
    if arguments.json {
        writeln!(output, "{whole}")?;
        return Ok(());
    }
    writeln!(
        output,
        "{}  {}",
        ticket.code,
        terminal::clean(&ticket.title)
    )?;
    for (key, value) in whole.as_object().into_iter().flatten() {
        if matches!(key.as_str(), "code" | "title" | "history") || value.is_null() {
            continue;
        }
        let text = match value {
            Value::String(text) => terminal::clean(text),
            other => format!("{other:#}").replace('\n', "\n  "),
        };
        writeln!(output, "  {key}: {text}")?;
    }
    for note in &ticket.history {
        let detail = note
            .detail
            .as_deref()
            .map(terminal::clean)
            .unwrap_or_default();
        writeln!(output, "  {}  {:<10}  {detail}", moment(note.at), note.what)?;
    }
    Ok(())
}

/// The JSON that bytes hold; bytes of another kind are said to be so.
pub(super) fn decode(bytes: Option<&[u8]>) -> Value {
    bytes.map_or(Value::Null, |bytes| {
        serde_json::from_slice(bytes).unwrap_or_else(|_| json!(format!("{} bytes", bytes.len())))
    })
}
