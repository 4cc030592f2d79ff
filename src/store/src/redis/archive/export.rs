//! Records out of a store that nobody serves. Sets are read by rank, as nothing in them changes.

use std::{cmp::Ordering, collections::BTreeSet};

use langnghe_model::{BackendId, ChannelId, ConversationId, Timestamp};
use redis::Value;
use serde::{Serialize, de::DeserializeOwned};

use super::RedisArchive;
use crate::{
    DeliveryState, Disabled, StoreError,
    archive::{Census, Cursor, Page, PendingDelivery, Record, RecordKind, TicketRecord},
    redis::{
        call, dead,
        layout::{Index, conversation_of},
        outbox::{global, lane_of},
        tickets,
    },
};

/// So many members of a set are read at once.
pub(super) const STEP: usize = 1000;
/// One entry of a set of an index.
pub(super) struct Entry {
    pub(super) index: Index,
    pub(super) member: Vec<u8>,
    pub(super) score: f64,
}

pub(super) fn damaged() -> StoreError {
    StoreError::Damaged("a record lacks a part".to_owned())
}

pub(super) fn write_cursor(place: &impl Serialize) -> Result<Cursor, StoreError> {
    serde_json::to_string(place)
        .map(Cursor)
        .map_err(|error| StoreError::Damaged(error.to_string()))
}

pub(super) fn read_cursor<T: DeserializeOwned + Default>(
    cursor: Option<&Cursor>,
) -> Result<T, StoreError> {
    let Some(cursor) = cursor else {
        return Ok(T::default());
    };
    serde_json::from_str(&cursor.0).map_err(|error| StoreError::Damaged(error.to_string()))
}

fn whole(records: Vec<Record>) -> Page {
    Page {
        records,
        next: None,
    }
}

pub(super) fn milliseconds(digits: &[u8]) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_milliseconds(call::digits(digits)?))
}

impl RedisArchive {
    /// One page of one kind.
    pub(super) async fn page(
        &self,
        kind: RecordKind,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        match kind {
            RecordKind::Document => self.documents().await,
            RecordKind::Disabled => self.disabled().await,
            RecordKind::Channel => self.channels().await,
            RecordKind::Ticket => self.tickets(after, limit).await,
            RecordKind::DeadLetter => self.dead_letters(after, limit).await,
            RecordKind::Session => self.sessions(after, limit).await,
            RecordKind::Contact => self.contacts(after, limit).await,
            RecordKind::Timer => self.timers(after, limit).await,
            RecordKind::Mark => self.marks(after, limit).await,
            RecordKind::Event | RecordKind::Reply => self.waiting(kind, after, limit).await,
        }
    }

    /// The greatest number given by any index.
    pub(super) async fn last_number(&self) -> Result<u64, StoreError> {
        let counters = self.shared.layout.indexes().map(|index| {
            let mut command = redis::cmd("GET");
            command.arg(self.key(index, "seq"));
            command
        });
        let mut last = 0;
        for answer in self.commands(counters.collect()).await? {
            let number = call::optional(answer)?.map(|text| call::digits(&text));
            last = last.max(number.transpose()?.unwrap_or(0));
        }
        Ok(u64::try_from(last).unwrap_or(0))
    }

    /// A step of a sorted set of an index, from a rank on.
    pub(super) async fn step(
        &self,
        index: Index,
        set: &str,
        rank: usize,
        most: usize,
    ) -> Result<Vec<Entry>, StoreError> {
        let mut command = redis::cmd("ZRANGE");
        command.arg(self.key(index, set)).arg(rank);
        command.arg(rank + most.max(1) - 1).arg("WITHSCORES");
        let mut values = call::list(self.command(&command).await?)?.into_iter();
        let mut entries = Vec::new();
        while let (Some(member), Some(score)) = (values.next(), values.next()) {
            let score = match score {
                Value::Double(score) => score,
                other => call::text(other)?.parse().map_err(|_| damaged())?,
            };
            let member = call::bytes(member)?;
            entries.push(Entry {
                index,
                member,
                score,
            });
        }
        Ok(entries)
    }

    /// Entries of a set of each index, merged by score and member; ranks say where each goes on.
    async fn merged(
        &self,
        set: &str,
        ranks: &mut Vec<usize>,
        limit: usize,
    ) -> Result<(Vec<Entry>, bool), StoreError> {
        let indexes = self.shared.layout.count();
        ranks.resize(indexes, 0);
        let most = limit / indexes + 8;
        let order = |one: &Entry, other: &Entry| -> Ordering {
            let scores = one.score.total_cmp(&other.score);
            let members = || one.member.cmp(&other.member);
            scores.then_with(members).then(one.index.cmp(&other.index))
        };
        let (mut all, mut frontier, mut more) = (Vec::new(), None::<Entry>, false);
        for index in self.shared.layout.indexes() {
            let mut entries = self
                .step(index, set, ranks[usize::from(index)], most)
                .await?;
            if entries.len() == most
                && let Some(last) = entries.pop()
            {
                // What lies beyond the first of these may have something before it elsewhere.
                more = true;
                let first = frontier.take();
                frontier = Some(match first {
                    Some(first) if order(&first, &last).is_lt() => first,
                    _ => last,
                });
            }
            all.append(&mut entries);
        }
        if let Some(frontier) = &frontier {
            all.retain(|entry| order(entry, frontier).is_lt());
        }
        all.sort_by(order);
        for entry in &all {
            ranks[usize::from(entry.index)] += 1;
        }
        Ok((all, more))
    }

    async fn documents(&self) -> Result<Page, StoreError> {
        let mut command = redis::cmd("HGETALL");
        command.arg(self.key(0, "documents"));
        let mut all: Vec<_> = call::fields(self.command(&command).await?)?
            .into_iter()
            .collect();
        all.sort();
        let records = all.into_iter();
        let records = records.map(|(name, body)| Record::Document { name, body });
        Ok(whole(records.collect()))
    }

    async fn disabled(&self) -> Result<Page, StoreError> {
        let mut command = redis::cmd("HGETALL");
        command.arg(self.key(0, "off"));
        let mut records = Vec::new();
        for (backend, held) in call::fields(self.command(&command).await?)? {
            let (at, reason) = held.split_at_checked(13).ok_or_else(damaged)?;
            records.push(Record::Disabled {
                backend: BackendId::new(&backend).map_err(|_| damaged())?,
                disabled: Disabled {
                    at: milliseconds(at)?,
                    reason: String::from_utf8_lossy(reason).into_owned(),
                },
            });
        }
        Ok(whole(records))
    }

    /// Channels on which something was ever queued or that a replica owned.
    pub(super) async fn channel_names(&self) -> Result<BTreeSet<String>, StoreError> {
        let mut names = BTreeSet::new();
        for index in self.shared.layout.indexes() {
            for (hash, prefix) in [("counts", "o:"), ("epochs", ""), ("owners", "")] {
                let mut command = redis::cmd("HKEYS");
                command.arg(self.key(index, hash));
                for name in call::list(self.command(&command).await?)? {
                    let name = call::text(name)?;
                    names.extend(name.strip_prefix(prefix).map(str::to_owned));
                }
            }
        }
        Ok(names)
    }

    async fn channels(&self) -> Result<Page, StoreError> {
        let last_reply = global(self.last_number().await?, 1023);
        let names = self.channel_names().await?;
        let channels = names.iter().filter_map(|name| ChannelId::new(name).ok());
        let records = channels.map(|channel| Record::Channel {
            channel,
            last_reply,
        });
        Ok(whole(records.collect()))
    }

    async fn tickets(&self, after: Option<&Cursor>, limit: usize) -> Result<Page, StoreError> {
        let mut ranks: Vec<usize> = read_cursor(after)?;
        let (entries, more) = self.merged("tickets", &mut ranks, limit).await?;
        let mut commands = Vec::new();
        for Entry { index, member, .. } in &entries {
            let id = std::str::from_utf8(member).map_err(|_| damaged())?;
            let mut fields = redis::cmd("HGETALL");
            fields.arg(self.key(*index, &format!("k:{id}")));
            let mut history = redis::cmd("LRANGE");
            history
                .arg(self.key(*index, &format!("h:{id}")))
                .arg(0)
                .arg(-1);
            commands.extend([fields, history]);
        }
        let mut answers = self.commands(commands).await?.into_iter();
        let mut records = Vec::new();
        for entry in &entries {
            let id = std::str::from_utf8(&entry.member).map_err(|_| damaged())?;
            let fields = call::fields(answers.next().unwrap_or_default())?;
            let number = |name: &str| fields.get(name).map(|text| call::digits(text));
            let due_at = number("u").transpose()?;
            let attempts = number("n").transpose()?.unwrap_or(0);
            let queued_at = number("q").transpose()?;
            let mut ticket = tickets::read(id, fields)?;
            let history = call::list(answers.next().unwrap_or_default())?;
            ticket.history = history
                .into_iter()
                .map(tickets::note)
                .collect::<Result<_, _>>()?;
            let pending = (ticket.delivery == DeliveryState::Pending).then(|| PendingDelivery {
                due_at: Timestamp::from_milliseconds(due_at.unwrap_or(0)),
                attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
                queued_at: queued_at.map_or(ticket.created_at, Timestamp::from_milliseconds),
            });
            records.push(Record::Ticket(Box::new(TicketRecord { ticket, pending })));
        }
        let next = more.then(|| write_cursor(&ranks)).transpose()?;
        Ok(Page { records, next })
    }

    async fn dead_letters(&self, after: Option<&Cursor>, limit: usize) -> Result<Page, StoreError> {
        let mut ranks: Vec<usize> = read_cursor(after)?;
        let (entries, more) = self.merged("dead", &mut ranks, limit).await?;
        let commands = entries.iter().map(|entry| {
            let number = String::from_utf8_lossy(&entry.member);
            let mut fields = redis::cmd("HGETALL");
            fields.arg(self.key(entry.index, &format!("x:{number}")));
            fields
        });
        let answers = self.commands(commands.collect()).await?;
        let mut records = Vec::new();
        for (entry, answer) in entries.iter().zip(answers) {
            let fields = call::fields(answer)?;
            let window = fields
                .get("w")
                .map(|window| call::digits(window))
                .transpose()?;
            let number = u64::try_from(call::digits(&entry.member)?).unwrap_or(0);
            let lane = fields.get("l").map_or(&b""[..], Vec::as_slice);
            let lane = lane_of(lane);
            records.push(Record::DeadLetter {
                lane,
                letter: dead::read(global(number, entry.index), fields, None)?,
                window_until: window
                    .filter(|at| *at > 0)
                    .map(Timestamp::from_milliseconds),
            });
        }
        let next = more.then(|| write_cursor(&ranks)).transpose()?;
        Ok(Page { records, next })
    }

    /// A step of a set, index by index; where it goes on, if it does.
    async fn one_by_one(
        &self,
        set: &str,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<(Vec<Entry>, Option<Cursor>), StoreError> {
        let (mut index, mut rank): (Index, usize) = read_cursor(after)?;
        let entries = self.step(index, set, rank, limit).await?;
        if entries.len() < limit {
            (index, rank) = (index + 1, 0);
        } else {
            rank += entries.len();
        }
        let more = self.shared.layout.indexes().contains(&index);
        let next = more.then(|| write_cursor(&(index, rank))).transpose()?;
        Ok((entries, next))
    }

    async fn sessions(&self, after: Option<&Cursor>, limit: usize) -> Result<Page, StoreError> {
        let (entries, next) = self.one_by_one("heard", after, limit).await?;
        let commands = entries.iter().map(|entry| {
            let mut command = redis::cmd("GET");
            command.arg(self.key_of("s", &entry.member));
            command
        });
        let answers = self.commands(commands.collect()).await?;
        let late = entries.iter().map(|entry| {
            let mut command = redis::cmd("ZSCORE");
            command
                .arg(self.key(entry.index, "late"))
                .arg(&entry.member);
            command
        });
        let late = self.commands(late.collect()).await?;
        let mut records = Vec::new();
        for ((entry, answer), late) in entries.iter().zip(answers).zip(late) {
            // One that ran out is not there any more.
            if let Some(body) = call::optional(answer)? {
                let taken_at = call::moment_of(entry.score);
                records.push(Record::Session {
                    conversation: conversation(&entry.member)?,
                    heard_at: call::score(late)?.unwrap_or(taken_at),
                    taken_at,
                    body,
                });
            }
        }
        Ok(Page { records, next })
    }

    async fn contacts(&self, after: Option<&Cursor>, limit: usize) -> Result<Page, StoreError> {
        let (entries, next) = self.one_by_one("contacts", after, limit).await?;
        let commands = entries.iter().map(|entry| {
            let mut command = redis::cmd("GET");
            command.arg(self.key_of("c", &entry.member));
            command
        });
        let answers = self.commands(commands.collect()).await?;
        let mut records = Vec::new();
        for (entry, answer) in entries.iter().zip(answers) {
            records.push(Record::Contact {
                conversation: conversation(&entry.member)?,
                at: call::moment_of(entry.score),
                body: call::bytes(answer)?,
            });
        }
        Ok(Page { records, next })
    }

    async fn timers(&self, after: Option<&Cursor>, limit: usize) -> Result<Page, StoreError> {
        let (entries, next) = self.one_by_one("timers", after, limit).await?;
        let commands = entries.iter().map(|entry| {
            let mut command = redis::cmd("HGETALL");
            command.arg(self.key_of("t", &entry.member));
            command
        });
        let answers = self.commands(commands.collect()).await?;
        let mut records = Vec::new();
        for (entry, answer) in entries.iter().zip(answers) {
            for (name, held) in call::fields(answer)? {
                let (at, event) = held.split_at_checked(13).ok_or_else(damaged)?;
                records.push(Record::Timer {
                    conversation: conversation(&entry.member)?,
                    name,
                    at: milliseconds(at)?,
                    event: event.to_vec(),
                });
            }
        }
        Ok(Page { records, next })
    }

    /// Counts everything as it lies there, not as the counters say.
    pub(super) async fn count_all(&self) -> Result<Census, StoreError> {
        let documents = self.documents().await?.records.len() as u64;
        let disabled = self.disabled().await?.records.len() as u64;
        let (mut deliveries, mut dead_letters) = (0, 0);
        for index in self.shared.layout.indexes() {
            dead_letters += self.card(index, "dead").await?;
            let mut command = redis::cmd("HKEYS");
            command.arg(self.key(index, "counts"));
            for name in call::list(self.command(&command).await?)? {
                if let Some(backend) = call::text(name)?.strip_prefix("d:") {
                    deliveries += self.card(index, &format!("dd:{backend}")).await?;
                    deliveries += self.card(index, &format!("dl:{backend}")).await?;
                }
            }
        }
        let (tickets, notes) = self.lengths("tickets", "LLEN", Part::History).await?;
        let (_, sessions) = self
            .lengths("heard", "EXISTS", Part::Conversation("s"))
            .await?;
        let (contacts, _) = self
            .lengths("contacts", "EXISTS", Part::Conversation("c"))
            .await?;
        let (_, timers) = self
            .lengths("timers", "HLEN", Part::Conversation("t"))
            .await?;
        let events = self.count_waiting(RecordKind::Event).await?;
        let replies = self.count_waiting(RecordKind::Reply).await?;
        Ok(Census {
            documents,
            disabled,
            tickets,
            notes,
            deliveries,
            dead_letters,
            sessions,
            contacts,
            timers,
            marks: self.count_marks().await?,
            events,
            replies,
        })
    }

    async fn card(&self, index: Index, set: &str) -> Result<u64, StoreError> {
        let mut command = redis::cmd("ZCARD");
        command.arg(self.key(index, set));
        call::natural(self.command(&command).await?)
    }

    /// How many members a set has over all indexes, and the sum of what `count` says of their parts.
    async fn lengths(&self, set: &str, count: &str, part: Part) -> Result<(u64, u64), StoreError> {
        let (mut members, mut sum) = (0, 0);
        for index in self.shared.layout.indexes() {
            let mut rank = 0;
            loop {
                let entries = self.step(index, set, rank, STEP).await?;
                rank += entries.len();
                members += entries.len() as u64;
                let commands = entries.iter().map(|entry| {
                    let mut command = redis::cmd(count);
                    match part {
                        Part::Conversation(name) => command.arg(self.key_of(name, &entry.member)),
                        Part::History => {
                            let id = String::from_utf8_lossy(&entry.member);
                            command.arg(self.key(index, &format!("h:{id}")))
                        }
                    };
                    command
                });
                for answer in self.commands(commands.collect()).await? {
                    sum += call::natural(answer)?;
                }
                if entries.len() < STEP {
                    break;
                }
            }
        }
        Ok((members, sum))
    }
}

/// What is counted of a member of a set.
#[derive(Clone, Copy, Debug)]
enum Part {
    /// The conversation's key of this name.
    Conversation(&'static str),
    /// A ticket's history.
    History,
}

pub(super) fn conversation(member: &[u8]) -> Result<ConversationId, StoreError> {
    conversation_of(member).ok_or_else(damaged)
}
