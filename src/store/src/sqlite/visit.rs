//! A visitor (the command line) beside a serving process: it reads for itself, and leaves requests
//! in a table for what changes something, as only the server knows what is in its memory.

use std::time::Duration;

use langnghe_model::{BackendId, ConversationId, DedupKey, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::{
    SqliteStore, documents::DocumentExchange, state::State, waiting::Waiting, writer::Failure,
};
use crate::{Accepted, NewEvent, StoreError, TicketNote};

/// How often a visitor looks whether its request was answered.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long it waits for that; the server looks every second.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a visitor may ask for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Request {
    Retry { id: i64, now: Timestamp },
    Drop { id: i64, now: Timestamp },
    Enable { backend: BackendId },
    Exchange(DocumentExchange),
    Accept { event: Taken, now: Timestamp },
    Note { code: String, note: Noted },
}

/// An event to be taken in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Taken {
    conversation: ConversationId,
    /// In hexadecimal: numbers of this size are not JSON everywhere.
    dedup: String,
    body: Vec<u8>,
}

/// A line for a ticket's history.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Noted {
    at: Timestamp,
    what: String,
    detail: Option<String>,
}

/// What is answered where it is not just whether something was done.
const DUPLICATE: i64 = 2;
const INBOX_FULL: i64 = 3;
const FULL: i64 = 4;

impl Request {
    pub(super) fn accept(event: NewEvent, now: Timestamp) -> Self {
        let event = Taken {
            conversation: event.conversation,
            dedup: format!("{:032x}", event.dedup.0),
            body: event.body,
        };
        Self::Accept { event, now }
    }

    pub(super) fn note(code: String, note: TicketNote) -> Self {
        let note = Noted {
            at: note.at,
            what: note.what,
            detail: note.detail,
        };
        Self::Note { code, note }
    }
}

/// Leaves a request; returns its number.
fn leave(connection: &Connection, request: &Request) -> rusqlite::Result<i64> {
    let text = serde_json::to_string(request)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    connection.execute("INSERT INTO visits (request) VALUES (?1)", [text])?;
    Ok(connection.last_insert_rowid())
}

/// The answer to a request, which is then forgotten; `None` while there is none.
fn collect(connection: &Connection, id: i64) -> rusqlite::Result<Option<i64>> {
    let answered = connection
        .prepare_cached("SELECT answer FROM visits WHERE id = ?1 AND answer IS NOT NULL")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    if answered.is_some() {
        take_back(connection, id)?;
    }
    Ok(answered)
}

/// Takes a request back that nobody answered.
fn take_back(connection: &Connection, id: i64) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM visits WHERE id = ?1", [id])?;
    Ok(())
}

/// Answers what visitors asked for; called by the writer every second.
pub(super) fn serve(state: &mut State) {
    let served = pending(&state.connection).and_then(|requests| {
        if requests.is_empty() {
            return Ok(());
        }
        state.in_transaction(|state| {
            for (id, text) in &requests {
                let answer = match serde_json::from_str(text) {
                    Ok(request) => perform(state, request)?,
                    Err(_) => 0,
                };
                state.connection.execute(
                    "UPDATE visits SET answer = ?2 WHERE id = ?1",
                    params![id, answer],
                )?;
            }
            Ok(())
        })
    });
    match served {
        Ok(()) => state.wake_waiters(),
        Err(error) => tracing::warn!(%error, "visitors' requests could not be answered"),
    }
}

/// Does what a visitor asked for; 1 when it was done, 0 when there was nothing to do.
fn perform(state: &mut State, request: Request) -> rusqlite::Result<i64> {
    let done = match request {
        Request::Retry { id, now } => state.retry_dead(id, now)?,
        Request::Drop { id, now } => state.drop_dead(id, now)?,
        Request::Enable { backend } => {
            state.set_disabled(&backend, None)?;
            true
        }
        Request::Exchange(exchange) => exchange.apply(&state.connection)?,
        Request::Accept { event, now } => return accept(state, event, now),
        Request::Note { code, note } => {
            let note = TicketNote {
                at: note.at,
                what: note.what,
                detail: note.detail,
            };
            state.note_by_code(&code, &note)?
        }
    };
    Ok(i64::from(done))
}

fn accept(state: &mut State, event: Taken, now: Timestamp) -> rusqlite::Result<i64> {
    let Ok(dedup) = u128::from_str_radix(&event.dedup, 16) else {
        return Ok(0);
    };
    let event = NewEvent {
        conversation: event.conversation,
        dedup: DedupKey(dedup),
        body: event.body,
    };
    match state.accept(&[event], now) {
        Ok(answers) => Ok(match answers.first() {
            Some(Accepted::Stored) => 1,
            Some(Accepted::Duplicate) => DUPLICATE,
            Some(Accepted::InboxFull) => INBOX_FULL,
            None => 0,
        }),
        Err(Failure::Refused(_)) => Ok(FULL),
        Err(Failure::Sql(error)) => Err(error),
    }
}

fn pending(connection: &Connection) -> rusqlite::Result<Vec<(i64, String)>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, request FROM visits WHERE answer IS NULL ORDER BY id LIMIT 100",
    )?;
    statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

impl SqliteStore {
    /// Asks the process that serves to take events in.
    pub(super) async fn ask_to_accept(
        &self,
        events: Vec<NewEvent>,
        now: Timestamp,
    ) -> Result<Vec<Accepted>, StoreError> {
        let mut answers = Vec::with_capacity(events.len());
        for event in events {
            answers.push(self.ask_to_accept_one(event, now).await?);
        }
        Ok(answers)
    }

    async fn ask_to_accept_one(
        &self,
        event: NewEvent,
        now: Timestamp,
    ) -> Result<Accepted, StoreError> {
        match self.ask_for(Request::accept(event, now)).await? {
            1 => Ok(Accepted::Stored),
            DUPLICATE => Ok(Accepted::Duplicate),
            INBOX_FULL => Ok(Accepted::InboxFull),
            FULL => Err(StoreError::Full),
            _ => Err(StoreError::Unavailable(
                "the process that serves is of an older version".to_owned(),
            )),
        }
    }

    /// Asks the process that serves; whether it was done.
    pub(super) async fn ask(&self, request: Request) -> Result<bool, StoreError> {
        Ok(self.ask_for(request).await? == 1)
    }

    /// Asks the process that serves, and waits for its answer.
    async fn ask_for(&self, request: Request) -> Result<i64, StoreError> {
        let readers = self.readers()?;
        let waiting = Waiting::new(Timestamp::default(), PATIENCE);
        let id = readers
            .read(move |connection| leave(connection, &request))
            .await?;
        while !waiting.is_over() {
            if let Some(answer) = readers
                .read(move |connection| collect(connection, id))
                .await?
            {
                return Ok(answer);
            }
            let next = waiting.now() + LOOK_EVERY;
            waiting.pause(std::future::pending(), Some(next)).await;
        }
        readers
            .read(move |connection| take_back(connection, id))
            .await?;
        let path = self.path.display();
        Err(StoreError::Unavailable(format!(
            "the process that serves {path} did not answer"
        )))
    }
}
