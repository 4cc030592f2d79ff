//! Records into a database, with the mark of the copy in the same transaction, so that every batch is
//! taken in once.

use langnghe_model::{BackendId, ChannelId, ConversationId, Timestamp};
use rusqlite::{OptionalExtension, params};

use super::super::{
    counters::{ChannelCounters, kind_number},
    dead::lane_number,
    outbox::{HELD_BACK, PARKED, TO_RETRY, id_range, is_held, number, offset},
    outbox_index::WINDOW,
    sessions,
    state::State,
    tickets::delivery_number,
};
use crate::{
    DeadKind, DeadLetter, Lane, TimerChange,
    archive::{Batch, CopyMark, Record, ReplyRecord, Standing, TicketRecord},
};

impl State {
    /// Takes a batch in.
    pub(super) fn import(&mut self, batch: &Batch) -> rusqlite::Result<()> {
        for record in &batch.records {
            self.import_record(record)?;
        }
        self.set_copy_mark(Some(&batch.mark))
    }

    /// Notes how far the copy is.
    pub(super) fn set_copy_mark(&mut self, mark: Option<&CopyMark>) -> rusqlite::Result<()> {
        let Some(mark) = mark else {
            let forget = "DELETE FROM meta WHERE name = 'copy'";
            self.connection.execute(forget, [])?;
            return Ok(());
        };
        let text = serde_json::to_string(mark)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?;
        self.connection
            .prepare_cached("INSERT OR REPLACE INTO meta (name, value) VALUES ('copy', ?1)")?
            .execute([text])?;
        Ok(())
    }

    fn import_record(&mut self, record: &Record) -> rusqlite::Result<()> {
        match record {
            Record::Document { name, body } => {
                self.connection
                    .prepare_cached(
                        "INSERT OR REPLACE INTO documents (name, body) VALUES (?1, ?2)",
                    )?
                    .execute(params![name, body])?;
            }
            Record::Disabled { backend, disabled } => {
                self.set_disabled(backend, Some(disabled))?;
            }
            Record::Channel {
                channel,
                last_reply,
            } => self.import_channel(channel, *last_reply),
            Record::Ticket(ticket) => self.import_ticket(ticket)?,
            Record::DeadLetter {
                letter,
                window_until,
                lane,
            } => self.import_dead(letter, *window_until, *lane)?,
            Record::Session {
                conversation,
                heard_at,
                taken_at,
                body,
            } => {
                if sessions::put(
                    &self.connection,
                    conversation,
                    body,
                    Some(*heard_at),
                    *taken_at,
                )? {
                    self.counters.sessions += 1;
                }
            }
            Record::Contact {
                conversation,
                at,
                body,
            } => self.put_contact(conversation, body, *at)?,
            Record::Timer {
                conversation,
                name,
                at,
                event,
            } => {
                let set = TimerChange::Set {
                    name: name.clone(),
                    at: *at,
                    event: event.clone(),
                };
                self.change_timer(conversation, &set)?;
            }
            Record::Mark { key, at } => {
                if !self.marks.contains(&self.connection, key.0)? {
                    self.marks.insert(key.0, at.as_milliseconds());
                }
            }
            Record::Event {
                conversation,
                at,
                body,
            } => self.append(conversation, body, *at)?,
            Record::Reply(reply) => self.import_reply(reply)?,
        }
        Ok(())
    }

    /// Ids of a channel's answers go on after its last one, under the same number where that is free.
    fn import_channel(&mut self, channel: &ChannelId, last_reply: u64) {
        if self.counters.lane(Lane::Answer).contains_key(channel) {
            return;
        }
        let last = last_reply.cast_signed();
        let taken = |number: i64| {
            let mut lanes = self.counters.lanes();
            lanes.any(|(_, _, counted)| counted.number == number)
        };
        let number = Some(number(last))
            .filter(|number| !taken(*number))
            .unwrap_or_else(|| self.counters.next_number());
        let start = id_range(number).0;
        let counted = ChannelCounters {
            number,
            id: start + offset(last),
            ..ChannelCounters::default()
        };
        self.counters
            .lane_mut(Lane::Answer)
            .insert(channel.clone(), counted);
        let (_, index, _) = self.lane(channel, Lane::Answer);
        index.position.loaded_to = start;
    }

    fn import_ticket(&mut self, record: &TicketRecord) -> rusqlite::Result<()> {
        let TicketRecord { ticket, pending } = record;
        let known = self
            .connection
            .prepare_cached("SELECT 1 FROM tickets WHERE id = ?1")?
            .exists([ticket.id.as_str()])?;
        if known {
            return Ok(());
        }
        self.connection
            .prepare_cached(
                "INSERT INTO tickets (id, code, title, conversation, backend, delivery, reference,
                 created_at, body, personal) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .execute(params![
                ticket.id.as_str(),
                ticket.code,
                ticket.title,
                ticket.conversation.as_ref().map(ConversationId::key),
                ticket.backend.as_ref().map(BackendId::as_str),
                delivery_number(ticket.delivery),
                ticket.reference,
                ticket.created_at.as_milliseconds(),
                ticket.body,
                ticket.personal
            ])?;
        let seq = self.connection.last_insert_rowid();
        for note in &ticket.history {
            self.note(seq, note.at, &note.what, note.detail.as_deref())?;
        }
        if let (Some(pending), Some(backend)) = (pending, &ticket.backend) {
            self.queue_delivery(seq, backend, pending.queued_at)?;
            self.connection
                .prepare_cached(
                    "UPDATE deliveries SET due_at = ?2, attempts = ?3 WHERE ticket = ?1",
                )?
                .execute(params![
                    seq,
                    pending.due_at.as_milliseconds(),
                    pending.attempts
                ])?;
        }
        Ok(())
    }

    fn import_dead(
        &mut self,
        letter: &DeadLetter,
        window_until: Option<Timestamp>,
        lane: Lane,
    ) -> rusqlite::Result<()> {
        let ticket: Option<i64> = match &letter.ticket {
            Some(ticket) => self
                .connection
                .prepare_cached("SELECT seq FROM tickets WHERE id = ?1")?
                .query_row([ticket.as_str()], |row| row.get(0))
                .optional()?,
            None => None,
        };
        // The body of a delivery is its ticket's.
        let body: &[u8] = match letter.kind {
            DeadKind::Delivery if ticket.is_some() => &[],
            _ => &letter.body,
        };
        let added = self
            .connection
            .prepare_cached(
                "INSERT OR IGNORE INTO dead (id, kind, place, conversation, ticket, reason, at,
                 attempts, body, window_until, lane)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            )?
            .execute(params![
                letter.id.cast_signed(),
                i64::try_from(kind_number(letter.kind)).unwrap_or(0),
                letter.place,
                letter.conversation.as_ref().map(ConversationId::key),
                ticket,
                letter.reason,
                letter.at.as_milliseconds(),
                letter.attempts,
                body,
                window_until.map(Timestamp::as_milliseconds),
                lane_number(lane)
            ])?;
        *self.counters.dead(letter.kind) += i64::try_from(added).unwrap_or(0);
        Ok(())
    }

    /// As [`State::queue_reply`], with what happened to the reply so far.
    fn import_reply(&mut self, reply: &ReplyRecord) -> rusqlite::Result<()> {
        let conversation = &reply.conversation;
        let key = conversation.key();
        let (counted, index, connection) = self.lane(&conversation.channel, reply.lane);
        let (start, end) = id_range(counted.number);
        let last: Option<i64> = connection
            .prepare_cached("SELECT max(id) FROM outbox WHERE id > ?1 AND id < ?2")?
            .query_row([start, end], |row| row.get(0))?;
        let id = (start + offset(reply.id.cast_signed())).max(last.unwrap_or(start) + 1);
        counted.id = counted.id.max(id);
        counted.waiting += 1;
        let behind = !index.position.more
            && counted.held > 0
            && match index.get(conversation) {
                Some(queue) => queue.held,
                None => is_held(connection, &key, counted.number)?,
            };
        let (state, due_at) = match reply.standing {
            _ if behind => (HELD_BACK, 0),
            Standing::Ready => (0, 0),
            Standing::RetryAt(at) => (TO_RETRY, at.as_milliseconds()),
            Standing::Parked => (PARKED, 0),
        };
        connection
            .prepare_cached(
                "INSERT INTO outbox (id, conversation, channel, state, due_at, attempts,
                 window_until, queued_at, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                id,
                key,
                counted.number,
                state,
                due_at,
                reply.attempts,
                reply.window_until.map(Timestamp::as_milliseconds),
                reply.queued_at.as_milliseconds(),
                reply.body
            ])?;
        counted.held += i64::from(state != 0);
        counted.parked += i64::from(state == PARKED);
        if let Standing::RetryAt(at) = reply.standing
            && state == TO_RETRY
        {
            let next = &mut index.position.next_due;
            *next = Some(next.map_or(at, |next| next.min(at)));
        }
        if state == 0 {
            if index.position.more || index.rows() >= WINDOW {
                index.leave_on_disk(conversation);
            } else {
                index.position.loaded_to = id;
                index.push(conversation, id);
            }
        }
        self.signal_channel(&conversation.channel);
        Ok(())
    }
}
