//! Dead letters: what could not go on by itself.

use std::collections::HashMap;

use langnghe_model::{TicketId, Timestamp};

use super::{
    Shared, call,
    layout::{Index, conversation_of},
    outbox::{global, local},
    script,
};
use crate::{DeadKind, DeadLetter, StoreError};

/// The letter that stands for a kind.
pub(super) fn kind_letter(kind: DeadKind) -> &'static str {
    match kind {
        DeadKind::Reply => "r",
        DeadKind::Delivery => "d",
        DeadKind::Event => "e",
    }
}

/// The kind that a letter stands for.
pub(super) fn kind_of(letter: &[u8]) -> Option<DeadKind> {
    [DeadKind::Reply, DeadKind::Delivery, DeadKind::Event]
        .into_iter()
        .find(|kind| kind_letter(*kind).as_bytes() == letter)
}

async fn list_at(
    shared: &Shared,
    index: Index,
    kind: &str,
    greatest: &str,
    limit: usize,
) -> Result<Vec<DeadLetter>, StoreError> {
    let mut call = shared.timeless_call(&script::DEAD_LETTERS, index);
    call.arg(kind).arg(greatest).arg(limit);
    let mut values = call::list(call.send().await?)?.into_iter();
    let mut letters = Vec::new();
    while let (Some(number), Some(fields), Some(ticket_body)) =
        (values.next(), values.next(), values.next())
    {
        let id = global(call::natural(number)?, index);
        let ticket_body = call::optional(ticket_body)?;
        letters.push(read(id, call::fields(fields)?, ticket_body)?);
    }
    Ok(letters)
}

/// Reads one from its fields; that of a delivery has its ticket's body.
pub(super) fn read(
    id: u64,
    mut fields: HashMap<String, Vec<u8>>,
    ticket_body: Option<Vec<u8>>,
) -> Result<DeadLetter, StoreError> {
    let mut bytes = |name: &str| fields.remove(name);
    let text = |bytes: Option<Vec<u8>>| {
        bytes.map_or_else(String::new, |bytes| {
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    let at = bytes("a").unwrap_or_default();
    let attempts = bytes("n").unwrap_or_default();
    let body = bytes("b").unwrap_or_default();
    Ok(DeadLetter {
        id,
        kind: bytes("k")
            .and_then(|kind| kind_of(&kind))
            .unwrap_or(DeadKind::Event),
        place: text(bytes("p")),
        conversation: bytes("c").and_then(|member| conversation_of(&member)),
        ticket: bytes("t").map(|id| TicketId::new(text(Some(id)))),
        reason: text(bytes("r")),
        at: Timestamp::from_milliseconds(call::digits(&at)?),
        attempts: u32::try_from(call::digits(&attempts)?).unwrap_or(u32::MAX),
        body: ticket_body.unwrap_or(body),
    })
}

/// Lists them, newest first.
pub(super) async fn list(
    shared: &Shared,
    kind: Option<DeadKind>,
    before: Option<u64>,
    limit: usize,
) -> Result<Vec<DeadLetter>, StoreError> {
    let kind = kind.map_or("", kind_letter);
    let mut letters = Vec::new();
    for index in shared.layout.indexes() {
        let greatest = match before {
            None => "+inf".to_owned(),
            // Those with a lesser global number than `before`.
            Some(before) if before > u64::from(index) => {
                ((before - u64::from(index) - 1) >> 10).to_string()
            }
            Some(_) => continue,
        };
        letters.extend(list_at(shared, index, kind, &greatest, limit).await?);
    }
    letters.sort_by_key(|letter| std::cmp::Reverse(letter.id));
    letters.truncate(limit);
    Ok(letters)
}

/// Finds one.
pub(super) async fn find(shared: &Shared, id: u64) -> Result<Option<DeadLetter>, StoreError> {
    let (number, index) = local(id);
    if !shared.layout.indexes().contains(&index) {
        return Ok(None);
    }
    let letters = list_at(shared, index, "", &number.to_string(), 1).await?;
    Ok(letters.into_iter().find(|letter| letter.id == id))
}

/// Puts one back on its way, or drops it; false when there is none of that id.
pub(super) async fn take(
    shared: &Shared,
    id: u64,
    retry: bool,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let (number, index) = local(id);
    if !shared.layout.indexes().contains(&index) {
        return Ok(false);
    }
    let mut call = shared.call(&script::RETRY_DEAD, index, Some(now));
    call.arg(number).arg(u8::from(retry));
    let taken = call::integer(call.send().await?)? == 1;
    if taken && !shared.listeners.connected() {
        shared.topics.wake_all();
    }
    Ok(taken)
}
