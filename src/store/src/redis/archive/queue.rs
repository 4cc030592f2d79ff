//! Waiting events and replies over all conversations, in the order in which they came. Only where each
//! lies is held in memory.

use std::sync::{Arc, PoisonError};

use langnghe_model::{ConversationId, Timestamp};

use super::{
    RedisArchive,
    export::{STEP, conversation, damaged, milliseconds, read_cursor, write_cursor},
};
use crate::{
    Lane, StoreError,
    archive::{Cursor, Page, Record, RecordKind, ReplyRecord, Standing},
    redis::{
        call,
        layout::Index,
        outbox::{global, lane_letter},
    },
};

/// What waits, of one kind.
#[derive(Debug)]
pub(super) struct Queue {
    heads: Vec<Head>,
    places: Vec<Place>,
}

/// A conversation with something waiting.
#[derive(Debug)]
struct Head {
    index: Index,
    member: Vec<u8>,
    /// The lane of its replies.
    lane: Lane,
    /// What its first reply waits for.
    standing: Standing,
}

/// Where one event or reply lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    number: u64,
    index: Index,
    /// Which of the heads.
    head: usize,
    /// The place in its list.
    at: usize,
}

/// The name of the lists of a kind in a lane.
fn list_of(kind: RecordKind, lane: Lane) -> String {
    if kind == RecordKind::Event {
        "i".to_owned()
    } else {
        format!("o{}", lane_letter(lane))
    }
}

impl RedisArchive {
    /// A page of waiting events or replies.
    pub(super) async fn waiting(
        &self,
        kind: RecordKind,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let from: usize = read_cursor(after)?;
        let queue = self.queue_of(kind).await?;
        let places = queue.places.get(from..).unwrap_or_default();
        let places = &places[..places.len().min(limit)];
        let commands = places.iter().map(|place| {
            let head = &queue.heads[place.head];
            let mut command = redis::cmd("LINDEX");
            command.arg(self.key_of(&list_of(kind, head.lane), &head.member));
            command.arg(place.at);
            command
        });
        let answers = self.commands(commands.collect()).await?;
        let mut records = Vec::new();
        for (place, answer) in places.iter().zip(answers) {
            let head = &queue.heads[place.head];
            let (conversation, entry) = (conversation(&head.member)?, call::bytes(answer)?);
            records.push(if kind == RecordKind::Event {
                event(conversation, &entry)?
            } else {
                reply(head, place, conversation, &entry)?
            });
        }
        let to = from + places.len();
        let more = to < queue.places.len();
        if !more {
            *self.queue.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        let next = more.then(|| write_cursor(&to)).transpose()?;
        Ok(Page { records, next })
    }

    async fn queue_of(&self, kind: RecordKind) -> Result<Arc<Queue>, StoreError> {
        let known = self
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some((of, queue)) = known
            && of == kind
        {
            return Ok(queue);
        }
        let queue = Arc::new(self.look_up(kind).await?);
        let mut known = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        *known = Some((kind, Arc::clone(&queue)));
        Ok(queue)
    }

    async fn look_up(&self, kind: RecordKind) -> Result<Queue, StoreError> {
        let (mut heads, mut places) = (Vec::new(), Vec::new());
        for (set, lane) in self.waiting_sets(kind).await? {
            let parked_or_later = set.starts_with("ow");
            for index in self.shared.layout.indexes() {
                let mut rank = 0;
                loop {
                    let entries = self.step(index, &set, rank, STEP).await?;
                    rank += entries.len();
                    let full = entries.len() == STEP;
                    let commands = entries.iter().map(|entry| {
                        let mut command = redis::cmd("LRANGE");
                        command
                            .arg(self.key_of(&list_of(kind, lane), &entry.member))
                            .arg(0)
                            .arg(-1);
                        command
                    });
                    let lists = self.commands(commands.collect()).await?;
                    for (entry, list) in entries.into_iter().zip(lists) {
                        for (at, waiting) in call::list(list)?.into_iter().enumerate() {
                            let waiting = call::bytes(waiting)?;
                            let number = call::digits(waiting.get(..16).ok_or_else(damaged)?)?;
                            places.push(Place {
                                number: u64::try_from(number).unwrap_or(0),
                                index,
                                head: heads.len(),
                                at,
                            });
                        }
                        let standing = if !parked_or_later {
                            Standing::Ready
                        } else if entry.score.is_infinite() {
                            Standing::Parked
                        } else {
                            Standing::RetryAt(call::moment_of(entry.score))
                        };
                        heads.push(Head {
                            index,
                            member: entry.member,
                            lane,
                            standing,
                        });
                    }
                    if !full {
                        break;
                    }
                }
            }
        }
        places.sort_unstable();
        Ok(Queue { heads, places })
    }

    /// The sets that list conversations with something waiting.
    pub(super) async fn waiting_sets(
        &self,
        kind: RecordKind,
    ) -> Result<Vec<(String, Lane)>, StoreError> {
        if kind == RecordKind::Event {
            return Ok(["ready", "leased"]
                .map(|set| (set.to_owned(), Lane::Answer))
                .to_vec());
        }
        let channels = self.channel_names().await?;
        let mut sets = Vec::new();
        for lane in Lane::ALL {
            let letter = lane_letter(lane);
            for channel in &channels {
                sets.extend(
                    ["or", "ow", "ol"].map(|set| (format!("{set}{letter}:{channel}"), lane)),
                );
            }
        }
        Ok(sets)
    }

    /// How many wait.
    pub(super) async fn count_waiting(&self, kind: RecordKind) -> Result<u64, StoreError> {
        Ok(self.look_up(kind).await?.places.len() as u64)
    }
}

/// An event as it lies in an inbox: position (16 digits), time (13 digits), event.
fn event(conversation: ConversationId, entry: &[u8]) -> Result<Record, StoreError> {
    let (head, body) = entry.split_at_checked(29).ok_or_else(damaged)?;
    Ok(Record::Event {
        conversation,
        at: milliseconds(&head[16..])?,
        body: body.to_vec(),
    })
}

/// A reply as it lies in an outbox: number (16), attempts (4), queued at (13), window (13), reply.
fn reply(
    head: &Head,
    place: &Place,
    conversation: ConversationId,
    entry: &[u8],
) -> Result<Record, StoreError> {
    let (digits, body) = entry.split_at_checked(46).ok_or_else(damaged)?;
    let window = call::digits(&digits[33..])?;
    Ok(Record::Reply(Box::new(ReplyRecord {
        id: global(place.number, head.index),
        conversation,
        body: body.to_vec(),
        attempts: u32::try_from(call::digits(&digits[16..20])?).unwrap_or(u32::MAX),
        window_until: (window > 0).then(|| Timestamp::from_milliseconds(window)),
        queued_at: milliseconds(&digits[20..33])?,
        standing: if place.at == 0 {
            head.standing
        } else {
            Standing::Ready
        },
        lane: head.lane,
    })))
}
