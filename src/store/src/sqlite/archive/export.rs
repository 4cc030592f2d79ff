//! Records out of a database. Nobody serves it meanwhile; only marks move, from rows into runs and
//! from runs into later runs, so rows are read first and runs by their number.

use std::collections::HashMap;

use langnghe_model::{BackendId, ChannelId, ConversationId, DedupKey, Timestamp};
use rusqlite::{Connection, Row, ToSql, types::Type};

use super::super::{counters::Counters, dead, marks, outbox, tickets};
use crate::{
    Disabled, Lane, TicketNote,
    archive::{
        Cursor, Page, PendingDelivery, Record, RecordKind, ReplyRecord, Standing, TicketRecord,
    },
};

/// One page of one kind.
pub(super) fn page(
    connection: &Connection,
    kind: RecordKind,
    after: Option<&Cursor>,
    limit: usize,
) -> rusqlite::Result<Page> {
    let after = after.map_or("", |cursor| cursor.0.as_str());
    match kind {
        RecordKind::Document => by_text(
            connection,
            "SELECT name, body FROM documents WHERE name > ?1 ORDER BY name LIMIT ?2",
            after,
            limit,
            |row| {
                let (name, body) = (row.get(0)?, row.get(1)?);
                Ok(Record::Document { name, body })
            },
        ),
        RecordKind::Disabled => by_text(
            connection,
            "SELECT backend, at, reason FROM disabled WHERE backend > ?1 ORDER BY backend LIMIT ?2",
            after,
            limit,
            |row| {
                let backend = BackendId::new(&row.get::<_, String>(0)?).map_err(unreadable)?;
                let disabled = Disabled {
                    at: moment(row, 1)?,
                    reason: row.get(2)?,
                };
                Ok(Record::Disabled { backend, disabled })
            },
        ),
        RecordKind::Channel => channels(connection),
        RecordKind::Ticket => numbered(
            connection,
            &format!(
                "SELECT {} FROM tickets WHERE seq > ?1 ORDER BY seq LIMIT ?2",
                tickets::COLUMNS
            ),
            after,
            limit,
            |row| ticket(connection, row),
        ),
        RecordKind::DeadLetter => numbered(
            connection,
            &format!(
                "SELECT {}, dead.window_until, dead.lane, dead.id {}
                 WHERE dead.id > ?1 ORDER BY dead.id LIMIT ?2",
                dead::COLUMNS,
                dead::FROM
            ),
            after,
            limit,
            |row| {
                Ok(Record::DeadLetter {
                    letter: dead::read(row)?,
                    window_until: optional_moment(row, 9)?,
                    lane: dead::lane_of(row.get(10)?),
                })
            },
        ),
        RecordKind::Session => numbered(
            connection,
            "SELECT conversation, heard_at, max(taken_at, heard_at), body, id FROM sessions WHERE id > ?1 ORDER BY id LIMIT ?2",
            after,
            limit,
            |row| {
                Ok(Record::Session {
                    conversation: conversation(row, 0)?,
                    heard_at: moment(row, 1)?,
                    taken_at: moment(row, 2)?,
                    body: row.get(3)?,
                })
            },
        ),
        RecordKind::Contact => by_text(
            connection,
            "SELECT conversation, at, body FROM contacts
             WHERE conversation > ?1 ORDER BY conversation LIMIT ?2",
            after,
            limit,
            |row| {
                Ok(Record::Contact {
                    conversation: conversation(row, 0)?,
                    at: moment(row, 1)?,
                    body: row.get(2)?,
                })
            },
        ),
        RecordKind::Timer => timers(connection, after, limit),
        RecordKind::Mark => all_marks(connection, after, limit),
        RecordKind::Event => numbered(
            connection,
            "SELECT conversation, at, body, position FROM inbox
             WHERE position > ?1 ORDER BY position LIMIT ?2",
            after,
            limit,
            |row| {
                Ok(Record::Event {
                    conversation: conversation(row, 0)?,
                    at: moment(row, 1)?,
                    body: row.get(2)?,
                })
            },
        ),
        RecordKind::Reply => replies(connection, after, limit),
    }
}
/// Rows by their number, which is the last column.
fn numbered(
    connection: &Connection,
    sql: &str,
    after: &str,
    limit: usize,
    record: impl Fn(&Row<'_>) -> rusqlite::Result<Record>,
) -> rusqlite::Result<Page> {
    let after: i64 = after.parse().unwrap_or(-1);
    let mut last = after;
    let mut records = Vec::new();
    let mut statement = connection.prepare_cached(sql)?;
    let number = statement.column_count() - 1;
    let mut rows = statement.query((after, row_limit(limit)))?;
    while let Some(row) = rows.next()? {
        last = row.get(number)?;
        records.push(record(row)?);
    }
    let next = (records.len() >= limit).then(|| Cursor(last.to_string()));
    Ok(Page { records, next })
}

/// Rows by the text in their first column.
fn by_text(
    connection: &Connection,
    sql: &str,
    after: &str,
    limit: usize,
    record: impl Fn(&Row<'_>) -> rusqlite::Result<Record>,
) -> rusqlite::Result<Page> {
    let mut last = String::new();
    let mut records = Vec::new();
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query((after, row_limit(limit)))?;
    while let Some(row) = rows.next()? {
        last = row.get(0)?;
        records.push(record(row)?);
    }
    let next = (records.len() >= limit).then_some(Cursor(last));
    Ok(Page { records, next })
}

fn row_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

fn channels(connection: &Connection) -> rusqlite::Result<Page> {
    let counters = Counters::load(connection)?;
    let channels = counters.lane(Lane::Answer).iter();
    let records = channels.map(|(channel, counted)| Record::Channel {
        channel: ChannelId::clone(channel),
        last_reply: counted.id.unsigned_abs(),
    });
    Ok(Page {
        records: records.collect(),
        next: None,
    })
}

fn ticket(connection: &Connection, row: &Row<'_>) -> rusqlite::Result<Record> {
    let (seq, mut ticket) = tickets::read(row)?;
    let mut notes = connection
        .prepare_cached("SELECT at, what, detail FROM history WHERE ticket = ?1 ORDER BY seq")?;
    let notes = notes.query_map([seq], |row| {
        Ok(TicketNote {
            at: moment(row, 0)?,
            what: row.get(1)?,
            detail: row.get(2)?,
        })
    })?;
    ticket.history = notes.collect::<Result<_, _>>()?;
    let mut pending = connection
        .prepare_cached("SELECT due_at, attempts, queued_at FROM deliveries WHERE ticket = ?1")?;
    let mut pending = pending.query_map([seq], |row| {
        Ok(PendingDelivery {
            due_at: moment(row, 0)?,
            attempts: row.get(1)?,
            queued_at: moment(row, 2)?,
        })
    })?;
    let pending = pending.next().transpose()?;
    Ok(Record::Ticket(Box::new(TicketRecord { ticket, pending })))
}

fn timers(connection: &Connection, after: &str, limit: usize) -> rusqlite::Result<Page> {
    let (key, name): (String, String) = serde_json::from_str(after).unwrap_or_default();
    let mut statement = connection.prepare_cached(
        "SELECT conversation, name, at, event FROM timers
         WHERE (conversation, name) > (?1, ?2) ORDER BY conversation, name LIMIT ?3",
    )?;
    let mut last = None;
    let mut records = Vec::new();
    let values: [&dyn ToSql; 3] = [&key, &name, &row_limit(limit)];
    let mut rows = statement.query(values)?;
    while let Some(row) = rows.next()? {
        last = Some((row.get::<_, String>(0)?, row.get::<_, String>(1)?));
        records.push(Record::Timer {
            conversation: conversation(row, 0)?,
            name: row.get(1)?,
            at: moment(row, 2)?,
            event: row.get(3)?,
        });
    }
    let next = last
        .filter(|_| records.len() >= limit)
        .map(|last| serde_json::to_string(&last))
        .transpose()
        .map_err(unreadable)?;
    Ok(Page {
        records,
        next: next.map(Cursor),
    })
}

fn replies(connection: &Connection, after: &str, limit: usize) -> rusqlite::Result<Page> {
    let counters = Counters::load(connection)?;
    let lanes: HashMap<i64, Lane> = counters
        .lanes()
        .map(|(_, lane, counted)| (counted.number, lane))
        .collect();
    // A conversation's window may be waiting for its answers; see `State::heard`.
    numbered(
        connection,
        "SELECT outbox.conversation, body, attempts,
         iif(state = 0 AND before > id AND windows.channel = outbox.channel,
             windows.window_until, outbox.window_until),
         queued_at, state, due_at, id
         FROM outbox LEFT JOIN windows ON windows.conversation = outbox.conversation
         WHERE id > ?1 ORDER BY id LIMIT ?2",
        after,
        limit,
        |row| reply(row, &lanes),
    )
}

fn reply(row: &Row<'_>, lanes: &HashMap<i64, Lane>) -> rusqlite::Result<Record> {
    let id: i64 = row.get(7)?;
    let lane = lanes.get(&outbox::number(id)).copied();
    let due_at: i64 = row.get(6)?;
    let standing = match row.get(5)? {
        outbox::PARKED => Standing::Parked,
        outbox::TO_RETRY if due_at > 0 => Standing::RetryAt(Timestamp::from_milliseconds(due_at)),
        _ => Standing::Ready,
    };
    Ok(Record::Reply(Box::new(ReplyRecord {
        id: id.cast_unsigned(),
        conversation: conversation(row, 0)?,
        body: row.get(1)?,
        attempts: row.get(2)?,
        window_until: optional_moment(row, 3)?,
        queued_at: moment(row, 4)?,
        standing,
        lane: lane.unwrap_or_default(),
    })))
}

/// Marks: first the rows, under cursors `row:<id>`, then the runs, under `run:<id>:<page>`.
fn all_marks(connection: &Connection, after: &str, limit: usize) -> rusqlite::Result<Page> {
    let mut records = Vec::new();
    let mut take = |at: i64, blob: &[u8]| {
        let at = Timestamp::from_milliseconds(at);
        records.extend(marks::hashes(blob).map(|hash| Record::Mark {
            key: DedupKey(hash),
            at,
        }));
        records.len() >= limit
    };
    let (mut run, mut next_page) = (0_i64, 0_usize);
    if let Some(place) = after.strip_prefix("run:") {
        let (id, page) = place.split_once(':').unwrap_or((place, "0"));
        (run, next_page) = (id.parse().unwrap_or(0), page.parse().unwrap_or(0));
    } else {
        let row = after.strip_prefix("row:").and_then(|id| id.parse().ok());
        let mut statement = connection
            .prepare_cached("SELECT id, at, hashes FROM marks WHERE id > ?1 ORDER BY id")?;
        let mut rows = statement.query([row.unwrap_or(0_i64)])?;
        while let Some(row) = rows.next()? {
            if take(row.get(1)?, row.get_ref(2)?.as_blob()?) {
                let next = Some(Cursor(format!("row:{}", row.get::<_, i64>(0)?)));
                return Ok(Page { records, next });
            }
        }
    }
    while let Some((id, newest)) = marks::registered_run(connection, run)? {
        if id != run {
            (run, next_page) = (id, 0);
        }
        while let Some(blob) = marks::read_page(connection, run, next_page)? {
            next_page += 1;
            if take(newest, &blob) {
                let next = Some(Cursor(format!("run:{run}:{next_page}")));
                return Ok(Page { records, next });
            }
        }
        (run, next_page) = (run + 1, 0);
    }
    Ok(Page {
        records,
        next: None,
    })
}

fn moment(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    Ok(Timestamp::from_milliseconds(row.get(column)?))
}

fn optional_moment(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    let milliseconds: Option<i64> = row.get(column)?;
    Ok(milliseconds.map(Timestamp::from_milliseconds))
}

fn conversation(row: &Row<'_>, column: usize) -> rusqlite::Result<ConversationId> {
    let key: String = row.get(column)?;
    // Not the key itself, which may tell who it is.
    ConversationId::from_key(&key).ok_or_else(|| unreadable("no key of a conversation"))
}

fn unreadable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, error.into())
}
