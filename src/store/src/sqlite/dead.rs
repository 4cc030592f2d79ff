//! Dead letters: what could not go on by itself.

use langnghe_model::{BackendId, ConversationId, TicketId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params, types::Value};

use super::{
    counters::{kind_number, kind_of},
    state::State,
    tickets::delivery_number,
};
use crate::{DeadKind, DeadLetter, DeliveryState, Disabled, Lane, NewReply};

/// A delivery's body is its ticket's.
pub(super) const COLUMNS: &str = "dead.id, kind, place, dead.conversation, tickets.id, reason, at, \
                                  attempts, coalesce(tickets.body, dead.body)";
/// Where they are read from.
pub(super) const FROM: &str = "FROM dead LEFT JOIN tickets ON tickets.seq = dead.ticket";

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<DeadLetter> {
    let conversation: Option<String> = row.get(3)?;
    let ticket: Option<String> = row.get(4)?;
    Ok(DeadLetter {
        id: row.get::<_, i64>(0)?.cast_unsigned(),
        kind: kind_of(row.get(1)?).unwrap_or(DeadKind::Event),
        place: row.get(2)?,
        conversation: conversation.and_then(|key| ConversationId::from_key(&key)),
        ticket: ticket.map(TicketId::new),
        reason: row.get(5)?,
        at: Timestamp::from_milliseconds(row.get(6)?),
        attempts: row.get(7)?,
        body: row.get(8)?,
    })
}

/// How a lane is written.
pub(super) fn lane_number(lane: Lane) -> i64 {
    match lane {
        Lane::Answer => 0,
        Lane::Notice => 1,
        Lane::Broadcast => 2,
    }
}

/// Reads what [`lane_number`] wrote.
pub(super) fn lane_of(number: i64) -> Lane {
    match number {
        1 => Lane::Notice,
        2 => Lane::Broadcast,
        _ => Lane::Answer,
    }
}

/// A dead letter and what is kept with it.
struct Exhumed {
    letter: DeadLetter,
    /// The row of its ticket.
    ticket: Option<i64>,
    window_until: Option<Timestamp>,
    lane: Lane,
}

/// Finds one.
pub(super) fn find(connection: &Connection, id: i64) -> rusqlite::Result<Option<DeadLetter>> {
    let sql = format!("SELECT {COLUMNS} {FROM} WHERE dead.id = ?1");
    connection
        .prepare_cached(&sql)?
        .query_row([id], read)
        .optional()
}

/// Lists them, newest first.
pub(super) fn list(
    connection: &Connection,
    kind: Option<DeadKind>,
    before: Option<u64>,
    limit: usize,
) -> rusqlite::Result<Vec<DeadLetter>> {
    let sql = format!(
        "SELECT {COLUMNS} {FROM} WHERE dead.id < ?1 AND (?2 IS NULL OR kind = ?2) ORDER BY dead.id DESC LIMIT ?3"
    );
    let before = before.map_or(i64::MAX, u64::cast_signed);
    let kind = kind.and_then(|kind| i64::try_from(kind_number(kind)).ok());
    let kind = kind.map_or(Value::Null, Value::Integer);
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(&sql)?;
    statement
        .query_map(params![before, kind, limit], read)?
        .collect()
}

/// Whether deliveries to a backend are stopped.
pub(super) fn disabled(
    connection: &Connection,
    backend: &str,
) -> rusqlite::Result<Option<Disabled>> {
    connection
        .prepare_cached("SELECT at, reason FROM disabled WHERE backend = ?1")?
        .query_row([backend], |row| {
            let at = Timestamp::from_milliseconds(row.get(0)?);
            Ok(Disabled {
                at,
                reason: row.get(1)?,
            })
        })
        .optional()
}

impl State {
    /// Puts a dead letter back on its way.
    pub(super) fn retry_dead(&mut self, id: i64, now: Timestamp) -> rusqlite::Result<bool> {
        let Some(exhumed) = self.take_dead(id)? else {
            return Ok(false);
        };
        let (letter, seq) = (exhumed.letter, exhumed.ticket);
        match (letter.kind, &letter.conversation) {
            (DeadKind::Reply, Some(conversation)) => {
                let reply = NewReply {
                    body: letter.body,
                    window_until: exhumed.window_until,
                    lane: exhumed.lane,
                };
                self.queue_reply(conversation, &reply, now)?;
            }
            (DeadKind::Event, Some(conversation)) => {
                self.append(conversation, &letter.body, now)?;
            }
            (DeadKind::Delivery, _) => {
                if let (Some(seq), Ok(backend)) = (seq, BackendId::new(&letter.place)) {
                    self.queue_delivery(seq, &backend, now)?;
                    self.connection
                        .prepare_cached("UPDATE tickets SET delivery = ?2 WHERE seq = ?1")?
                        .execute([seq, delivery_number(DeliveryState::Pending)])?;
                    self.note(seq, now, "requeued", None)?;
                }
            }
            (DeadKind::Reply | DeadKind::Event, None) => {}
        }
        Ok(true)
    }

    /// Removes a dead letter for ever.
    pub(super) fn drop_dead(&mut self, id: i64, now: Timestamp) -> rusqlite::Result<bool> {
        let Some(exhumed) = self.take_dead(id)? else {
            return Ok(false);
        };
        if let Some(seq) = exhumed.ticket {
            self.note(seq, now, "dropped", None)?;
        }
        Ok(true)
    }

    fn take_dead(&mut self, id: i64) -> rusqlite::Result<Option<Exhumed>> {
        let Some(letter) = find(&self.connection, id)? else {
            return Ok(None);
        };
        let (ticket, window, lane): (Option<i64>, Option<i64>, i64) = self
            .connection
            .prepare_cached("DELETE FROM dead WHERE id = ?1 RETURNING ticket, window_until, lane")?
            .query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        *self.counters.dead(letter.kind) -= 1;
        Ok(Some(Exhumed {
            letter,
            ticket,
            window_until: window.map(Timestamp::from_milliseconds),
            lane: lane_of(lane),
        }))
    }

    /// Stops or enables deliveries to a backend.
    pub(super) fn set_disabled(
        &mut self,
        backend: &BackendId,
        disabled: Option<&Disabled>,
    ) -> rusqlite::Result<()> {
        match disabled {
            Some(Disabled { at, reason }) => self
                .connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO disabled (backend, at, reason) VALUES (?1, ?2, ?3)",
                )?
                .execute(params![backend.as_str(), at.as_milliseconds(), reason])?,
            None => self
                .connection
                .prepare_cached("DELETE FROM disabled WHERE backend = ?1")?
                .execute([backend.as_str()])?,
        };
        self.signals.backends.insert(backend.clone());
        Ok(())
    }
}
