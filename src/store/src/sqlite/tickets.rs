//! Tickets and their history.

use langnghe_model::{BackendId, ConversationId, TicketId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter, types::Value};

use super::state::State;
use crate::{DeliveryState, NewTicket, StoredTicket, TicketFilter, TicketNote};

pub(super) const COLUMNS: &str = "id, code, title, conversation, backend, delivery, reference, created_at, \
                       body, personal, seq";

/// How a delivery state is written.
pub(super) fn delivery_number(state: DeliveryState) -> i64 {
    match state {
        DeliveryState::None => 0,
        DeliveryState::Pending => 1,
        DeliveryState::Delivered => 2,
        DeliveryState::Dead => 3,
    }
}

fn delivery_of(number: i64) -> DeliveryState {
    match number {
        1 => DeliveryState::Pending,
        2 => DeliveryState::Delivered,
        3 => DeliveryState::Dead,
        _ => DeliveryState::None,
    }
}

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<(i64, StoredTicket)> {
    let conversation: Option<String> = row.get(3)?;
    let backend: Option<String> = row.get(4)?;
    let ticket = StoredTicket {
        id: TicketId::new(row.get::<_, String>(0)?),
        code: row.get(1)?,
        title: row.get(2)?,
        conversation: conversation.and_then(|key| ConversationId::from_key(&key)),
        backend: backend.and_then(|id| BackendId::new(&id).ok()),
        delivery: delivery_of(row.get(5)?),
        reference: row.get(6)?,
        created_at: Timestamp::from_milliseconds(row.get(7)?),
        body: row.get(8)?,
        personal: row.get(9)?,
        history: Vec::new(),
    };
    Ok((row.get(10)?, ticket))
}

/// Finds a ticket, with its history.
pub(super) fn find(
    connection: &Connection,
    id_or_code: &str,
) -> rusqlite::Result<Option<StoredTicket>> {
    let sql = format!("SELECT {COLUMNS} FROM tickets WHERE id = ?1 OR code = ?1 LIMIT 1");
    let found = connection
        .prepare_cached(&sql)?
        .query_row([id_or_code], read)
        .optional()?;
    let Some((seq, mut ticket)) = found else {
        return Ok(None);
    };
    let mut statement = connection
        .prepare_cached("SELECT at, what, detail FROM history WHERE ticket = ?1 ORDER BY seq")?;
    let notes = statement.query_map([seq], |row| {
        let at = Timestamp::from_milliseconds(row.get(0)?);
        Ok(TicketNote {
            at,
            what: row.get(1)?,
            detail: row.get(2)?,
        })
    })?;
    ticket.history = notes.collect::<Result<_, _>>()?;
    Ok(Some(ticket))
}

/// Lists tickets, newest first.
pub(super) fn list(
    connection: &Connection,
    filter: &TicketFilter,
) -> rusqlite::Result<Vec<StoredTicket>> {
    let mut sql = format!("SELECT {COLUMNS} FROM tickets WHERE true");
    let mut values = Vec::new();
    if let Some(conversation) = &filter.conversation {
        sql += " AND conversation = ?";
        values.push(Value::Text(conversation.key()));
    }
    if let Some(delivery) = filter.delivery {
        sql += " AND delivery = ?";
        values.push(Value::Integer(delivery_number(delivery)));
    }
    if let Some(before) = &filter.before {
        sql += " AND seq < (SELECT seq FROM tickets WHERE id = ?)";
        values.push(Value::Text(before.as_str().to_owned()));
    }
    sql += " ORDER BY seq DESC LIMIT ?";
    values.push(Value::Integer(
        i64::try_from(filter.limit).unwrap_or(i64::MAX),
    ));
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), read)?;
    rows.map(|row| row.map(|(_, ticket)| ticket)).collect()
}

impl State {
    /// Adds a line to the history of the ticket of this code; false when there is none.
    pub(super) fn note_by_code(&mut self, code: &str, note: &TicketNote) -> rusqlite::Result<bool> {
        let seq: Option<i64> = self
            .connection
            .prepare_cached("SELECT seq FROM tickets WHERE code = ?1")?
            .query_row([code], |row| row.get(0))
            .optional()?;
        if let Some(seq) = seq {
            self.note(seq, note.at, &note.what, note.detail.as_deref())?;
        }
        Ok(seq.is_some())
    }

    /// Whether the code or the id of one of these is taken, or two of them share one.
    pub(super) fn any_code_taken(&self, tickets: &[NewTicket]) -> rusqlite::Result<bool> {
        for (index, ticket) in tickets.iter().enumerate() {
            let same = |other: &NewTicket| other.code == ticket.code || other.id == ticket.id;
            let taken = tickets[..index].iter().any(same)
                || self
                    .connection
                    .prepare_cached("SELECT 1 FROM tickets WHERE code = ?1 OR id = ?2")?
                    .exists([ticket.code.as_str(), ticket.id.as_str()])?;
            if taken {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Keeps a new ticket, and queues its delivery.
    pub(super) fn keep_ticket(
        &mut self,
        conversation: &ConversationId,
        ticket: &NewTicket,
    ) -> rusqlite::Result<()> {
        let state = if ticket.backend.is_some() {
            DeliveryState::Pending
        } else {
            DeliveryState::None
        };
        let created_at = ticket.created_at.as_milliseconds();
        self.connection
            .prepare_cached(
                "INSERT INTO tickets (id, code, title, conversation, backend, delivery, created_at,
                 body, personal) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                ticket.id.as_str(),
                ticket.code,
                ticket.title,
                conversation.key(),
                ticket.backend.as_ref().map(BackendId::as_str),
                delivery_number(state),
                created_at,
                ticket.body,
                ticket.personal
            ])?;
        let seq = self.connection.last_insert_rowid();
        self.note(seq, ticket.created_at, "created", None)?;
        if let Some(backend) = &ticket.backend {
            self.queue_delivery(seq, backend, ticket.created_at)?;
        }
        Ok(())
    }

    /// Writes a line into a ticket's history.
    pub(super) fn note(
        &self,
        seq: i64,
        at: Timestamp,
        what: &str,
        detail: Option<&str>,
    ) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO history (ticket, at, what, detail) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![seq, at.as_milliseconds(), what, detail])?;
        Ok(())
    }
}
