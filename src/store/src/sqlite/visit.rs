//! A visitor (the command line) beside a serving process: it reads for itself, and leaves requests
//! in a table for what changes something, as only the server knows what is in its memory.

use std::time::Duration;

use langnghe_model::{BackendId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use super::{SqliteStore, documents::DocumentExchange, state::State, waiting::Waiting};
use crate::StoreError;

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
}

/// Leaves a request; returns its number.
fn leave(connection: &Connection, request: &Request) -> rusqlite::Result<i64> {
    let text = serde_json::to_string(request)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
    connection.execute("INSERT INTO visits (request) VALUES (?1)", [text])?;
    Ok(connection.last_insert_rowid())
}

/// The answer to a request, which is then forgotten; `None` while there is none.
fn collect(connection: &Connection, id: i64) -> rusqlite::Result<Option<bool>> {
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
                    Ok(Request::Retry { id, now }) => state.retry_dead(id, now)?,
                    Ok(Request::Drop { id, now }) => state.drop_dead(id, now)?,
                    Ok(Request::Enable { backend }) => {
                        state.set_disabled(&backend, None)?;
                        true
                    }
                    Ok(Request::Exchange(exchange)) => exchange.apply(&state.connection)?,
                    Err(_) => false,
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

fn pending(connection: &Connection) -> rusqlite::Result<Vec<(i64, String)>> {
    let mut statement = connection.prepare_cached(
        "SELECT id, request FROM visits WHERE answer IS NULL ORDER BY id LIMIT 100",
    )?;
    statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

impl SqliteStore {
    /// Asks the process that serves, and waits for its answer.
    pub(super) async fn ask(&self, request: Request) -> Result<bool, StoreError> {
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
