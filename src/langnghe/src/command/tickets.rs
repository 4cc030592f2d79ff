//! `langnghe tickets list|show`.

use std::{
    io::{self, Write},
    path::Path,
    sync::Arc,
};

use clap::{Args, Subcommand, ValueEnum};
use langnghe_desk::{
    MediaAtDelivery, MediaState, code, deliverable, media_of,
    ticket::{self, Ticket},
};
use langnghe_model::{TicketId, event::Media};
use langnghe_server::look_for_media;
use langnghe_store::{DeliveryState, Store, StoredTicket, TicketFilter};
use serde_json::{Value, json};

use super::{
    ConfigArgument,
    stored::{self, failed, moment},
};
use crate::{
    config::{self, Config, ProcessEnvironment},
    report::Failure,
    terminal,
};

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
    let filter = TicketFilter {
        conversation: None,
        delivery: arguments.delivery.map(Into::into),
        before: arguments.before.as_deref().map(TicketId::new),
        limit: usize::from(arguments.limit),
    };
    let tickets = stored::with(&arguments.config.config, async |store| {
        store.tickets(filter).await.map_err(|error| failed(&error))
    })?;
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
    let typed = arguments.ticket.trim();
    // As read aloud over a telephone: any case, with or without the dash.
    let wanted = code::normalise(typed).map_or_else(|| typed.to_owned(), String::from);
    let path = &arguments.config.config;
    let (stored, merged, media) = stored::with_config(path, async |config, store| {
        let found = store.ticket(&wanted).await;
        let Some(stored) = found.map_err(|error| failed(&error))? else {
            return Err(Failure::new(
                "tickets::unknown",
                format!("there is no ticket `{typed}`"),
                "`langnghe tickets list` shows the codes of the newest ones",
            ));
        };
        let merged = ticket::merge(&stored.body, stored.personal.as_deref());
        let merged = merged.map_err(|error| {
            Failure::new(
                "tickets::damaged",
                error.to_string(),
                "restore the database from a backup",
            )
        })?;
        let media = media_now(config, path, store, &merged).await;
        Ok((stored, merged, media))
    })?;
    let mut output = io::stdout().lock();
    if arguments.json {
        let mut whole = head(&stored);
        whole["ticket"] = match &media {
            Ok(media) => deliverable(&merged, media),
            Err(_) => json!(merged),
        };
        whole["history"] = stored
            .history
            .iter()
            .map(|note| json!({ "at": moment(note.at), "what": note.what, "detail": note.detail }))
            .collect();
        writeln!(output, "{whole}")?;
    } else {
        print(&mut output, &stored, &merged, &media)?;
    }
    Ok(())
}

/// Where a ticket's media are now, or why that cannot be told.
async fn media_now(
    config: &Config,
    path: &Path,
    store: &Arc<dyn Store>,
    ticket: &Ticket,
) -> Result<MediaAtDelivery, String> {
    let media = media_of(ticket);
    let mut settings = config.settings.media.clone();
    if !media.is_empty() && settings.place.folder().is_none() {
        // A bucket is opened with its secrets, which the rest of the command does without.
        let read = config::read_file(path, &ProcessEnvironment { secrets: true });
        let Some(whole) = read.config else {
            return Err("the secrets of the configuration are not at hand".to_owned());
        };
        settings = whole.settings.media;
    }
    let told = look_for_media(Arc::clone(store), &settings, &media).await;
    told.map_err(|unknown| unknown.to_string())
}

/// One medium: what and where it is, and the link to open it by.
fn print_medium(
    output: &mut impl Write,
    medium: &Media,
    told: &Result<MediaAtDelivery, String>,
) -> io::Result<()> {
    let told = match told {
        Ok(told) => told.get(&medium.url),
        Err(why) => {
            let kind = medium.kind.name();
            return writeln!(output, "    {kind}: where it is cannot be told: {why}");
        }
    };
    let Some(told) = told else {
        // Of a version that kept the messenger's own link.
        return writeln!(output, "    {}", terminal::clean(&medium.url));
    };
    let what = told.content_type.as_deref();
    let what = terminal::clean(what.unwrap_or(told.kind.name()));
    match told.state {
        MediaState::Available => {
            let kibibytes = told.bytes.unwrap_or_default().div_ceil(1024);
            writeln!(output, "    {what}, {kibibytes} KiB: {}", told.url)
        }
        MediaState::Fetching => writeln!(
            output,
            "    {what}, still being fetched; later at {}",
            told.url
        ),
        MediaState::Unavailable => {
            let reason = told.reason.as_deref().unwrap_or("unknown");
            writeln!(output, "    {what}, unavailable: {reason}")
        }
    }
}

fn print(
    output: &mut impl Write,
    stored: &StoredTicket,
    ticket: &Ticket,
    media: &Result<MediaAtDelivery, String>,
) -> io::Result<()> {
    let backend = stored
        .backend
        .as_ref()
        .map_or("-", |backend| backend.as_str());
    writeln!(
        output,
        "{}  {}",
        ticket.code,
        terminal::clean(&ticket.title)
    )?;
    writeln!(output, "  id        {}", ticket.id)?;
    writeln!(
        output,
        "  made      {}  {}, {}",
        ticket.created_at, ticket.channel, ticket.language
    )?;
    writeln!(
        output,
        "  flow      {}, version {}",
        ticket.flow, ticket.version
    )?;
    writeln!(output, "  delivery  {}  {backend}", stored.delivery.name())?;
    if let Some(reference) = &stored.reference {
        writeln!(output, "  reference {}", terminal::clean(reference))?;
    }
    if ticket.urgent {
        writeln!(output, "  urgent")?;
    }
    for answer in &ticket.answers {
        let text = terminal::clean(&answer.text);
        writeln!(output, "  {}: {text}", terminal::clean(&answer.label))?;
        for medium in &answer.media {
            print_medium(output, medium, media)?;
        }
    }
    if !ticket.withheld.is_empty() {
        writeln!(output, "  erased: {}", ticket.withheld.join(", "))?;
    }
    for note in &stored.history {
        let detail = note
            .detail
            .as_deref()
            .map(terminal::clean)
            .unwrap_or_default();
        writeln!(output, "  {}  {:<10}  {detail}", moment(note.at), note.what)?;
    }
    Ok(())
}
