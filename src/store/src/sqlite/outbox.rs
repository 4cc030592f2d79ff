//! The outbox: replies on their way, in order per conversation.
//!
//! A reply's id is its channel's number, then forty bits that count; so the rows of one channel lie
//! together and new ones are appended. See `outbox_index.rs` for what is held in memory.

use std::collections::HashMap;

use langnghe_model::{ChannelId, ConversationId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    counters::{ChannelCounters, Counters},
    inbox::Lease,
    outbox_index::{ChannelIndex, Queue, WINDOW},
    state::State,
};
use crate::NewReply;

/// Bits that count within a channel.
const ID_BITS: u32 = 40;
/// Rows taken up in one step.
const STEP: usize = 1000;
/// Values of `outbox.state`.
pub(super) const HELD_BACK: i64 = 1;
pub(super) const TO_RETRY: i64 = 2;
pub(super) const PARKED: i64 = 3;

/// The indexes of all channels.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    pub(super) channels: HashMap<ChannelId, ChannelIndex>,
}

/// A claimed reply without what a reader fetches.
#[derive(Clone, Debug)]
pub(super) struct ClaimedReply {
    pub(super) id: i64,
    pub(super) conversation: ConversationId,
    pub(super) token: u64,
}

/// The number of the channel that a reply's id belongs to.
pub(super) fn number(id: i64) -> i64 {
    id >> ID_BITS
}

/// How many ids lie between the beginning of a channel's and this one.
pub(super) fn offset(id: i64) -> i64 {
    id & ((1 << ID_BITS) - 1)
}

/// The row ids of a channel.
pub(super) fn id_range(number: i64) -> (i64, i64) {
    (number << ID_BITS, (number + 1) << ID_BITS)
}

impl Outbox {
    /// Prepares the indexes; rows are taken up with the first claim.
    pub(super) fn load(connection: &Connection, counters: &Counters) -> rusqlite::Result<Self> {
        let mut outbox = Self::default();
        for (channel, counted) in &counters.channels {
            let mut index = ChannelIndex::default();
            index.position.loaded_to = id_range(counted.number).0;
            index.position.more = counted.waiting > 0;
            index.position.windows = true;
            index.position.next_due = next_due(connection, counted.number, None)?;
            index.keep();
            outbox.channels.insert(channel.clone(), index);
        }
        Ok(outbox)
    }

    /// Forgets how to take changes back.
    pub(super) fn keep(&mut self) {
        self.channels.values_mut().for_each(ChannelIndex::keep);
    }

    /// Takes back what changed since [`Self::keep`].
    pub(super) fn undo(&mut self) {
        self.channels.values_mut().for_each(ChannelIndex::undo);
    }
}

fn next_due(
    connection: &Connection,
    number: i64,
    after: Option<Timestamp>,
) -> rusqlite::Result<Option<Timestamp>> {
    let after = after.map_or(i64::MIN, Timestamp::as_milliseconds);
    let at: Option<i64> = connection
        .prepare_cached(
            "SELECT due_at FROM outbox WHERE channel = ?1 AND state = 2 AND due_at > ?2
             ORDER BY due_at LIMIT 1",
        )?
        .query_row([number, after], |row| row.get(0))
        .optional()?;
    Ok(at.map(Timestamp::from_milliseconds))
}

impl State {
    /// The counters and the index of a channel, made where they are new.
    pub(super) fn channel(
        &mut self,
        channel: &ChannelId,
    ) -> (&mut ChannelCounters, &mut ChannelIndex, &Connection) {
        let next_number = self.counters.next_channel();
        let counted = self
            .counters
            .channels
            .entry(channel.clone())
            .or_insert_with(|| ChannelCounters {
                number: next_number,
                id: id_range(next_number).0,
                ..ChannelCounters::default()
            });
        let index = self
            .outbox
            .channels
            .entry(channel.clone())
            .or_insert_with(|| {
                let mut index = ChannelIndex::default();
                index.position.loaded_to = counted.id;
                index.keep();
                index
            });
        (counted, index, &self.connection)
    }

    /// The channel to which a reply's id belongs.
    pub(super) fn channel_of(&self, id: i64) -> Option<ChannelId> {
        let number = number(id);
        let mut channels = self.counters.channels.iter();
        channels
            .find(|(_, counted)| counted.number == number)
            .map(|(channel, _)| channel.clone())
    }

    /// Queues a reply behind those of its conversation.
    pub(super) fn queue_reply(
        &mut self,
        conversation: &ConversationId,
        reply: &NewReply,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        let (counted, index, connection) = self.channel(&conversation.channel);
        counted.id += 1;
        counted.waiting += 1;
        let id = counted.id;
        let key = conversation.key();
        let held = !index.position.more
            && counted.held > 0
            && match index.get(conversation) {
                Some(queue) => queue.held,
                None => is_held(connection, &key)?,
            };
        connection
            .prepare_cached(
                "INSERT INTO outbox (id, conversation, channel, state, due_at, attempts,
                 window_until, queued_at, body) VALUES (?1, ?2, ?3, ?4, 0, 0, ?5, ?6, ?7)",
            )?
            .execute(params![
                id,
                key,
                counted.number,
                if held { HELD_BACK } else { 0 },
                reply.window_until.map(Timestamp::as_milliseconds),
                now.as_milliseconds(),
                reply.body
            ])?;
        if held {
            counted.held += 1;
        } else if index.position.more || index.rows() >= WINDOW {
            index.leave_on_disk(conversation);
        } else {
            index.position.loaded_to = id;
            index.push(conversation, id);
        }
        self.signal_channel(&conversation.channel);
        Ok(())
    }

    /// Those who wait for the channel's replies look again.
    pub(super) fn signal_channel(&mut self, channel: &ChannelId) {
        if !self.signals.channels.contains(channel) {
            self.signals.channels.insert(channel.clone());
        }
    }

    /// Makes the parked reply of a conversation due.
    pub(super) fn wake(&mut self, conversation: &ConversationId) -> rusqlite::Result<()> {
        let (counted, index, connection) = self.channel(&conversation.channel);
        if counted.parked == 0 {
            return Ok(());
        }
        let woken: Option<i64> = connection
            .prepare_cached(
                "UPDATE outbox SET state = 2, due_at = 0
                 WHERE conversation = ?1 AND state <> 0 AND state = 3 RETURNING id",
            )?
            .query_row([conversation.key()], |row| row.get(0))
            .optional()?;
        if let Some(id) = woken {
            counted.parked -= 1;
            take_up_held(index, conversation, id);
            self.signal_channel(&conversation.channel);
        }
        Ok(())
    }

    /// The citizen was heard from: what is parked becomes due, and what waits gets this window.
    pub(super) fn heard(
        &mut self,
        conversation: &ConversationId,
        window_until: Option<Timestamp>,
    ) -> rusqlite::Result<()> {
        self.wake(conversation)?;
        let (counted, index, connection) = self.channel(&conversation.channel);
        if counted.waiting == 0 {
            return Ok(());
        }
        let until = window_until.map(Timestamp::as_milliseconds);
        if let Some(queue) = index.get(conversation) {
            for id in &queue.ids {
                connection
                    .prepare_cached("UPDATE outbox SET window_until = ?2 WHERE id = ?1")?
                    .execute(params![id, until])?;
            }
        }
        if counted.held > 0 {
            connection
                .prepare_cached(
                    "UPDATE outbox SET window_until = ?2 WHERE conversation = ?1 AND state <> 0",
                )?
                .execute(params![conversation.key(), until])?;
        }
        if index.may_be_on_disk(conversation) {
            // Rows that are on disk only get it when they are taken up.
            connection
                .prepare_cached(
                    "INSERT OR REPLACE INTO windows (conversation, channel, window_until, before)
                     VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![
                    conversation.key(),
                    counted.number,
                    until,
                    counted.id + 1
                ])?;
            index.position.windows = true;
        }
        Ok(())
    }

    /// Takes the lease on up to `max` replies that are due.
    pub(super) fn claim_outbox(
        &mut self,
        channel: &ChannelId,
        max: usize,
        until: Timestamp,
        now: Timestamp,
    ) -> rusqlite::Result<(Vec<ClaimedReply>, Option<Timestamp>)> {
        let (_, index, _) = self.channel(channel);
        index.expire(now);
        let due = index.position.next_due.is_some_and(|due| due <= now);
        if index.rows() < WINDOW && (due || (index.position.more && index.ready_count() < max)) {
            self.in_transaction(|state| {
                state.take_up_due(channel, now)?;
                state.take_up_fresh(channel, max)
            })?;
        }
        let (_, index, _) = self.channel(channel);
        let ready = index.ready(max);
        let mut claimed = Vec::with_capacity(ready.len());
        for (id, conversation) in ready {
            let token = self.new_token();
            let (_, index, _) = self.channel(channel);
            let mut queue = index.get(&conversation).cloned().unwrap_or_default();
            queue.lease = Some(Lease { token, until });
            index.put(&conversation, Some(queue));
            claimed.push(ClaimedReply {
                id,
                conversation,
                token,
            });
        }
        let (_, index, _) = self.channel(channel);
        let next = index.next_due();
        Ok((claimed, next))
    }

    /// Takes a lease back that nobody will use.
    pub(super) fn give_reply_back(&mut self, reply: &ClaimedReply) {
        let (_, index, _) = self.channel(&reply.conversation.channel);
        let held_by = |queue: &&Queue| queue.lease.is_some_and(|lease| lease.token == reply.token);
        if let Some(mut queue) = index.get(&reply.conversation).filter(held_by).cloned() {
            queue.lease = None;
            index.put(&reply.conversation, Some(queue));
            self.signal_channel(&reply.conversation.channel);
        }
    }

    /// Takes up held rows that came due.
    fn take_up_due(&mut self, channel: &ChannelId, now: Timestamp) -> rusqlite::Result<()> {
        let (counted, index, connection) = self.channel(channel);
        if index.position.next_due.is_none_or(|due| due > now) {
            return Ok(());
        }
        let limit = index.held() + STEP;
        let due: Vec<(i64, String)> = {
            let mut statement = connection.prepare_cached(
                "SELECT id, conversation FROM outbox
                 WHERE channel = ?1 AND state = 2 AND due_at <= ?2 ORDER BY due_at, id LIMIT ?3",
            )?;
            let limit = i64::try_from(limit).unwrap_or(i64::MAX);
            let rows = statement
                .query_map([counted.number, now.as_milliseconds(), limit], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
            rows.collect::<Result<_, _>>()?
        };
        let all = due.len() < limit;
        for (id, key) in due {
            if let Some(conversation) = ConversationId::from_key(&key)
                && index.get(&conversation).is_none()
            {
                index.put(
                    &conversation,
                    Some(Queue {
                        ids: [id].into(),
                        lease: None,
                        held: true,
                    }),
                );
            }
        }
        if all {
            index.position.next_due = next_due(connection, counted.number, Some(now))?;
        }
        Ok(())
    }

    /// Takes up fresh rows that are on disk only, until enough may be sent.
    fn take_up_fresh(&mut self, channel: &ChannelId, wanted: usize) -> rusqlite::Result<()> {
        let (counted, index, connection) = self.channel(channel);
        while index.position.more && index.rows() < WINDOW && index.ready_count() < wanted {
            let end = id_range(counted.number).1;
            let fresh: Vec<(i64, String)> = {
                let mut statement = connection.prepare_cached(
                    "SELECT id, conversation FROM outbox
                     WHERE id > ?1 AND id < ?2 AND state = 0 ORDER BY id LIMIT ?3",
                )?;
                let limit = i64::try_from(STEP).unwrap_or(i64::MAX);
                let rows = statement.query_map([index.position.loaded_to, end, limit], |row| {
                    Ok((row.get(0)?, row.get(1)?))
                })?;
                rows.collect::<Result<_, _>>()?
            };
            if fresh.len() < STEP {
                index.all_taken_up();
            }
            for (id, key) in fresh {
                index.position.loaded_to = id;
                let Some(conversation) = ConversationId::from_key(&key) else {
                    continue;
                };
                if index.position.windows {
                    let window: Option<Option<i64>> = connection
                        .prepare_cached(
                            "SELECT window_until FROM windows
                             WHERE conversation = ?1 AND before > ?2",
                        )?
                        .query_row(params![key, id], |row| row.get(0))
                        .optional()?;
                    if let Some(until) = window {
                        connection
                            .prepare_cached("UPDATE outbox SET window_until = ?2 WHERE id = ?1")?
                            .execute(params![id, until])?;
                    }
                }
                let held = counted.held > 0
                    && match index.get(&conversation) {
                        Some(queue) => queue.held,
                        None => is_held(connection, &key)?,
                    };
                if held {
                    connection
                        .prepare_cached("UPDATE outbox SET state = 1 WHERE id = ?1")?
                        .execute([id])?;
                    counted.held += 1;
                } else {
                    index.push(&conversation, id);
                }
            }
            if !index.position.more && index.position.windows {
                connection.execute("DELETE FROM windows WHERE channel = ?1", [counted.number])?;
                index.position.windows = false;
            }
        }
        Ok(())
    }

    /// Removes what waits for a conversation; says how many.
    pub(super) fn erase_outbox(&mut self, conversation: &ConversationId) -> rusqlite::Result<i64> {
        let (counted, index, connection) = self.channel(&conversation.channel);
        if counted.waiting == 0 {
            return Ok(0);
        }
        let key = conversation.key();
        let mut gone = 0;
        if let Some(queue) = index.get(conversation).filter(|queue| !queue.held) {
            for id in &queue.ids {
                gone += connection
                    .prepare_cached("DELETE FROM outbox WHERE id = ?1")?
                    .execute([id])?;
            }
        }
        index.put(conversation, None);
        if counted.held > 0 {
            let states: Vec<i64> = {
                let mut statement = connection.prepare_cached(
                    "DELETE FROM outbox WHERE conversation = ?1 AND state <> 0 RETURNING state",
                )?;
                statement
                    .query_map([&key], |row| row.get(0))?
                    .collect::<Result<_, _>>()?
            };
            gone += states.len();
            counted.held -= i64::try_from(states.len()).unwrap_or(0);
            let parked = states.iter().filter(|state| **state == PARKED).count();
            counted.parked -= i64::try_from(parked).unwrap_or(0);
        }
        if index.may_be_on_disk(conversation) {
            // Seldom: more waits than the window holds, so these rows are found by looking at all.
            gone += connection
                .prepare_cached(
                    "DELETE FROM outbox WHERE id > ?1 AND id < ?2 AND conversation = ?3",
                )?
                .execute(params![
                    index.position.loaded_to,
                    id_range(counted.number).1,
                    key
                ])?;
        }
        let gone = i64::try_from(gone).unwrap_or(0);
        counted.waiting -= gone;
        Ok(gone)
    }
}

pub(super) fn is_held(connection: &Connection, key: &str) -> rusqlite::Result<bool> {
    connection
        .prepare_cached("SELECT 1 FROM outbox WHERE conversation = ?1 AND state <> 0 LIMIT 1")?
        .exists([key])
}

/// Takes up the first held row of a conversation, or leaves it to come due where memory is full.
pub(super) fn take_up_held(index: &mut ChannelIndex, conversation: &ConversationId, id: i64) {
    if index.rows() < WINDOW {
        index.put(
            conversation,
            Some(Queue {
                ids: [id].into(),
                lease: None,
                held: true,
            }),
        );
    } else {
        index.put(conversation, None);
        index.position.next_due = Some(Timestamp::from_milliseconds(0));
    }
}
