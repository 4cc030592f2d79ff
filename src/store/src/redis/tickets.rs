//! Tickets and their history.

use std::collections::HashMap;

use langnghe_model::{BackendId, TicketId, Timestamp};
use redis::Value;

use super::{
    Shared, call,
    layout::{Index, conversation_of},
    script,
};
use crate::{DeliveryState, StoreError, StoredTicket, TicketFilter, TicketNote};

fn damaged() -> StoreError {
    StoreError::Damaged("a ticket lacks a part".to_owned())
}

/// How a delivery state is written.
pub(super) fn delivery_digit(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::None => "0",
        DeliveryState::Pending => "1",
        DeliveryState::Delivered => "2",
        DeliveryState::Dead => "3",
    }
}

/// Reads a ticket from its fields, without its history.
pub(super) fn read(
    id: &str,
    mut fields: HashMap<String, Vec<u8>>,
) -> Result<StoredTicket, StoreError> {
    let mut bytes = |name: &str| fields.remove(name);
    let text = |bytes: Option<Vec<u8>>| bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let created_at = bytes("a").ok_or_else(damaged)?;
    Ok(StoredTicket {
        id: TicketId::new(id),
        code: text(bytes("code")).ok_or_else(damaged)?,
        title: text(bytes("title")).ok_or_else(damaged)?,
        conversation: bytes("c").and_then(|member| conversation_of(&member)),
        backend: text(bytes("e")).and_then(|id| BackendId::new(&id).ok()),
        delivery: match bytes("d").as_deref() {
            Some(b"1") => DeliveryState::Pending,
            Some(b"2") => DeliveryState::Delivered,
            Some(b"3") => DeliveryState::Dead,
            _ => DeliveryState::None,
        },
        reference: text(bytes("f")),
        created_at: Timestamp::from_milliseconds(call::digits(&created_at)?),
        body: bytes("b").unwrap_or_default(),
        personal: bytes("p"),
        history: Vec::new(),
    })
}

/// A line of the history: when, a word, and after a line feed the detail.
pub(super) fn note(value: Value) -> Result<TicketNote, StoreError> {
    let line = call::text(value)?;
    let (at, rest) = line.split_at_checked(13).ok_or_else(damaged)?;
    let (what, detail) = match rest.split_once('\n') {
        Some((what, detail)) => (what, Some(detail.to_owned())),
        None => (rest, None),
    };
    Ok(TicketNote {
        at: Timestamp::from_milliseconds(call::digits(at.as_bytes())?),
        what: what.to_owned(),
        detail,
    })
}

async fn find_at(
    shared: &Shared,
    index: Index,
    id: &str,
) -> Result<Option<StoredTicket>, StoreError> {
    let mut call = shared.timeless_call(&script::TICKET, index);
    call.arg(id);
    let mut answer = call::list(call.send().await?)?.into_iter();
    let fields = call::fields(answer.next().unwrap_or_default())?;
    if fields.is_empty() {
        return Ok(None);
    }
    let mut ticket = read(id, fields)?;
    let history = call::list(answer.next().unwrap_or_default())?;
    ticket.history = history.into_iter().map(note).collect::<Result<_, _>>()?;
    Ok(Some(ticket))
}

/// Finds a ticket by its id or its code.
pub(super) async fn find(
    shared: &Shared,
    id_or_code: &str,
) -> Result<Option<StoredTicket>, StoreError> {
    shared.open()?;
    let mut command = redis::cmd("GET");
    command.arg(shared.layout.code_key(id_or_code));
    let reference = call::optional(shared.link.command("ticket", &command).await?)?;
    let reference = reference.and_then(|reference| String::from_utf8(reference).ok());
    if let Some((index, id)) = reference.as_deref().and_then(|text| text.split_once(' ')) {
        let index = index.parse().map_err(|_| damaged())?;
        return find_at(shared, index, id).await;
    }
    for index in shared.layout.indexes() {
        if let Some(ticket) = find_at(shared, index, id_or_code).await? {
            return Ok(Some(ticket));
        }
    }
    Ok(None)
}

/// Adds a line to the history of the ticket of this code; false when there is none.
pub(super) async fn add_note(
    shared: &Shared,
    code: &str,
    note: &TicketNote,
) -> Result<bool, StoreError> {
    shared.open()?;
    let mut command = redis::cmd("GET");
    command.arg(shared.layout.code_key(code));
    let reference = call::optional(shared.link.command("note", &command).await?)?;
    let reference = reference.and_then(|reference| String::from_utf8(reference).ok());
    let Some((index, id)) = reference.as_deref().and_then(|text| text.split_once(' ')) else {
        return Ok(false);
    };
    let index = index.parse().map_err(|_| damaged())?;
    let mut call = shared.call(&script::NOTE, index, None);
    call.arg(id)
        .arg(note.at.as_milliseconds())
        .arg(&note.what)
        .arg(u8::from(note.detail.is_some()))
        .arg(note.detail.as_deref().unwrap_or_default());
    Ok(call::integer(call.send().await?)? == 1)
}

/// Lists tickets, newest first.
pub(super) async fn list(
    shared: &Shared,
    filter: &TicketFilter,
) -> Result<Vec<StoredTicket>, StoreError> {
    let before = match &filter.before {
        None => None,
        Some(id) => match find(shared, id.as_str()).await? {
            Some(ticket) => Some(ticket),
            None => return Ok(Vec::new()),
        },
    };
    let member = filter
        .conversation
        .as_ref()
        .map(|of| shared.layout.member(of));
    let mut tickets = Vec::new();
    for index in shared.layout.indexes() {
        if member.as_ref().is_some_and(|(own, _)| *own != index) {
            continue;
        }
        let mut call = shared.timeless_call(&script::TICKETS, index);
        call.arg(member.as_ref().map_or(&b""[..], |(_, member)| member))
            .arg(filter.delivery.map_or("", delivery_digit));
        match &before {
            Some(ticket) => call
                .arg(ticket.created_at.as_milliseconds())
                .arg(ticket.id.as_str()),
            None => call.arg("+inf").arg(""),
        };
        call.arg(filter.limit);
        let mut values = call::list(call.send().await?)?.into_iter();
        while let (Some(id), Some(fields)) = (values.next(), values.next()) {
            tickets.push(read(&call::text(id)?, call::fields(fields)?)?);
        }
    }
    let order = |ticket: &StoredTicket| (ticket.created_at, ticket.id.clone());
    tickets.sort_by_key(|ticket| std::cmp::Reverse(order(ticket)));
    tickets.truncate(filter.limit);
    Ok(tickets)
}
