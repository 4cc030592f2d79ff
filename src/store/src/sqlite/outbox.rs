//! The outbox: replies on their way, in order per conversation.
//!
//! Each lane of a channel is an outbox of its own with a number. A reply's id is that number, then forty
//! bits that count; so the rows of one lane lie together and new ones are appended, and a million
//! broadcasts on disk stand in no answer's way. See `outbox_index.rs` for what is held in memory, and
//! `presence.rs` for what happens when the citizen is there.

use std::collections::HashMap;

use langnghe_model::{ChannelId, ConversationId, Timestamp};
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    counters::{ChannelCounters, Counters},
    inbox::Lease,
    outbox_index::{LaneIndex, Queue, WINDOW},
    state::State,
};
use crate::{Epoch, Lane, NewReply};

/// Bits that count within a lane.
const ID_BITS: u32 = 40;
/// Rows taken up in one step.
const STEP: usize = 1000;
/// Values of `outbox.state`.
pub(super) const HELD_BACK: i64 = 1;
pub(super) const TO_RETRY: i64 = 2;
pub(super) const PARKED: i64 = 3;

/// The indexes of all lanes.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    lanes: HashMap<(ChannelId, Lane), LaneIndex>,
    /// The latest under which replies of a channel were claimed.
    pub(super) epochs: HashMap<ChannelId, Epoch>,
}

/// A claimed reply without what a reader fetches.
#[derive(Clone, Debug)]
pub(super) struct ClaimedReply {
    pub(super) id: i64,
    pub(super) conversation: ConversationId,
    pub(super) token: u64,
    pub(super) lane: Lane,
}

/// The number of the lane that a reply's id belongs to.
pub(super) fn number(id: i64) -> i64 {
    id >> ID_BITS
}

/// How many ids lie between the beginning of a lane's and this one.
pub(super) fn offset(id: i64) -> i64 {
    id & ((1 << ID_BITS) - 1)
}

/// The row ids of a lane.
pub(super) fn id_range(number: i64) -> (i64, i64) {
    (number << ID_BITS, (number + 1) << ID_BITS)
}

impl Outbox {
    /// Prepares the indexes; rows are taken up with the first claim.
    pub(super) fn load(connection: &Connection, counters: &Counters) -> rusqlite::Result<Self> {
        let mut outbox = Self::default();
        for (channel, lane, counted) in counters.lanes() {
            let mut index = LaneIndex::default();
            index.position.loaded_to = id_range(counted.number).0;
            index.position.more = counted.waiting > 0;
            index.position.windows = lane == Lane::Answer;
            index.position.next_due = next_due(connection, counted.number, None)?;
            index.keep();
            outbox.lanes.insert((channel.clone(), lane), index);
        }
        Ok(outbox)
    }

    /// Forgets how to take changes back.
    pub(super) fn keep(&mut self) {
        self.lanes.values_mut().for_each(LaneIndex::keep);
    }

    /// Takes back what changed since [`Self::keep`].
    pub(super) fn undo(&mut self) {
        self.lanes.values_mut().for_each(LaneIndex::undo);
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
    /// The counters and the index of a lane, made where they are new.
    pub(super) fn lane(
        &mut self,
        channel: &ChannelId,
        lane: Lane,
    ) -> (&mut ChannelCounters, &mut LaneIndex, &Connection) {
        let next_number = self.counters.next_number();
        let counted = self
            .counters
            .lane_mut(lane)
            .entry(channel.clone())
            .or_insert_with(|| ChannelCounters {
                number: next_number,
                id: id_range(next_number).0,
                ..ChannelCounters::default()
            });
        let index = self
            .outbox
            .lanes
            .entry((channel.clone(), lane))
            .or_insert_with(|| {
                let mut index = LaneIndex::default();
                index.position.loaded_to = counted.id;
                index.keep();
                index
            });
        (counted, index, &self.connection)
    }

    /// The lanes in which a channel ever had replies.
    pub(super) fn lanes_of(&self, channel: &ChannelId) -> impl Iterator<Item = Lane> + use<> {
        let used = Lane::ALL.map(|lane| (lane, self.counters.lane(lane).contains_key(channel)));
        used.into_iter()
            .filter_map(|(lane, used)| used.then_some(lane))
    }

    /// The lane to which a reply's id belongs.
    pub(super) fn lane_of(&self, id: i64) -> Option<(ChannelId, Lane)> {
        let number = number(id);
        let mut lanes = self.counters.lanes();
        lanes
            .find(|(_, _, counted)| counted.number == number)
            .map(|(channel, lane, _)| (channel.clone(), lane))
    }

    /// Queues a reply behind those of its conversation in its lane.
    pub(super) fn queue_reply(
        &mut self,
        conversation: &ConversationId,
        reply: &NewReply,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        let (counted, index, connection) = self.lane(&conversation.channel, reply.lane);
        counted.id += 1;
        counted.waiting += 1;
        let id = counted.id;
        let key = conversation.key();
        let held = !index.position.more
            && counted.held > 0
            && match index.get(conversation) {
                Some(queue) => queue.held,
                None => is_held(connection, &key, counted.number)?,
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

    /// Takes the lease on up to `max` replies that are due, lane by lane.
    pub(super) fn claim_outbox(
        &mut self,
        channel: &ChannelId,
        max: usize,
        until: Timestamp,
        now: Timestamp,
    ) -> rusqlite::Result<(Vec<ClaimedReply>, Option<Timestamp>)> {
        let mut claimed = Vec::new();
        let mut next: Option<Timestamp> = None;
        for lane in self.lanes_of(channel) {
            let wanted = max - claimed.len();
            let due = self.claim_lane(channel, lane, wanted, until, now, &mut claimed)?;
            next = [next, due].into_iter().flatten().min();
        }
        Ok((claimed, next))
    }

    /// The same for one lane; when something of it comes due by itself.
    fn claim_lane(
        &mut self,
        channel: &ChannelId,
        lane: Lane,
        max: usize,
        until: Timestamp,
        now: Timestamp,
        claimed: &mut Vec<ClaimedReply>,
    ) -> rusqlite::Result<Option<Timestamp>> {
        let (_, index, _) = self.lane(channel, lane);
        index.expire(now);
        let due = index.position.next_due.is_some_and(|due| due <= now);
        if index.rows() < WINDOW && (due || (index.position.more && index.ready_count() < max)) {
            self.in_transaction(|state| {
                state.take_up_due(channel, lane, now)?;
                state.take_up_fresh(channel, lane, max)
            })?;
        }
        let (_, index, _) = self.lane(channel, lane);
        for (id, conversation) in index.ready(max) {
            let token = self.new_token();
            let (_, index, _) = self.lane(channel, lane);
            let mut queue = index.get(&conversation).cloned().unwrap_or_default();
            queue.lease = Some(Lease { token, until });
            index.put(&conversation, Some(queue));
            claimed.push(ClaimedReply {
                id,
                conversation,
                token,
                lane,
            });
        }
        let (_, index, _) = self.lane(channel, lane);
        Ok(index.next_due())
    }

    /// Takes a lease back that nobody will use.
    pub(super) fn give_reply_back(&mut self, reply: &ClaimedReply) {
        let channel = &reply.conversation.channel;
        let (_, index, _) = self.lane(channel, reply.lane);
        let held_by = |queue: &&Queue| queue.lease.is_some_and(|lease| lease.token == reply.token);
        if let Some(mut queue) = index.get(&reply.conversation).filter(held_by).cloned() {
            queue.lease = None;
            index.put(&reply.conversation, Some(queue));
            self.signal_channel(channel);
        }
    }

    /// Takes up held rows that came due.
    fn take_up_due(
        &mut self,
        channel: &ChannelId,
        lane: Lane,
        now: Timestamp,
    ) -> rusqlite::Result<()> {
        let (counted, index, connection) = self.lane(channel, lane);
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
    fn take_up_fresh(
        &mut self,
        channel: &ChannelId,
        lane: Lane,
        wanted: usize,
    ) -> rusqlite::Result<()> {
        let (counted, index, connection) = self.lane(channel, lane);
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
                        None => is_held(connection, &key, counted.number)?,
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
}

/// Whether replies of a conversation are held back in the lane of this number.
pub(super) fn is_held(connection: &Connection, key: &str, number: i64) -> rusqlite::Result<bool> {
    let (from, to) = id_range(number);
    connection
        .prepare_cached(
            "SELECT 1 FROM outbox WHERE conversation = ?1 AND state <> 0 AND id > ?2 AND id < ?3
             LIMIT 1",
        )?
        .exists(params![key, from, to])
}

/// Takes up the first held row of a conversation, or leaves it to come due where memory is full.
pub(super) fn take_up_held(index: &mut LaneIndex, conversation: &ConversationId, id: i64) {
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
