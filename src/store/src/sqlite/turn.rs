//! Events in, claims, and what workers did with them.

use std::{collections::HashMap, sync::Arc};

use langnghe_model::{ConversationId, Timestamp};
use rusqlite::params;

use super::{
    counters::kind_number,
    dead::lane_number,
    inbox::{Entry, Event, Lease},
    sessions,
    state::State,
    writer::Failure,
};
use crate::{Accepted, Commit, Committed, DeadKind, NewEvent, SessionChange, StoreError};

/// A claim without what a reader fetches.
#[derive(Clone, Debug)]
pub(super) struct ClaimedConversation {
    pub(super) conversation: ConversationId,
    pub(super) token: u64,
    pub(super) events: Vec<(i64, Option<Arc<[u8]>>)>,
}

impl State {
    /// Takes events in.
    pub(super) fn accept(
        &mut self,
        events: &[NewEvent],
        now: Timestamp,
    ) -> Result<Vec<Accepted>, Failure> {
        let answers = self.judge(events)?;
        let stored = answers
            .iter()
            .filter(|answer| **answer == Accepted::Stored)
            .count();
        if self.inbox.waiting() + stored > self.limits.inbox {
            return Err(Failure::Refused(StoreError::Full));
        }
        for (event, answer) in events.iter().zip(&answers) {
            if *answer == Accepted::Stored {
                self.append(&event.conversation, &event.body, now)?;
                self.marks.insert(event.dedup.0, now.as_milliseconds());
            }
        }
        Ok(answers)
    }

    /// What becomes of each, before anything is written.
    fn judge(&self, events: &[NewEvent]) -> rusqlite::Result<Vec<Accepted>> {
        let mut answers = Vec::with_capacity(events.len());
        let mut new: HashMap<&ConversationId, usize> = HashMap::new();
        let mut seen = std::collections::HashSet::new();
        for event in events {
            let known = seen.contains(&event.dedup)
                || self.marks.contains(&self.connection, event.dedup.0)?;
            if known {
                answers.push(Accepted::Duplicate);
                continue;
            }
            let waiting = self
                .inbox
                .get(&event.conversation)
                .map_or(0, |entry| entry.events.len());
            let added = new.entry(&event.conversation).or_default();
            if waiting + *added >= self.limits.inbox_a_conversation {
                answers.push(Accepted::InboxFull);
                continue;
            }
            *added += 1;
            seen.insert(event.dedup);
            answers.push(Accepted::Stored);
        }
        Ok(answers)
    }

    /// Takes the lease on up to `max` conversations.
    pub(super) fn claim(
        &mut self,
        max: usize,
        until: Timestamp,
        now: Timestamp,
    ) -> Vec<ClaimedConversation> {
        let ready = self.inbox.ready(max, now);
        let mut claimed = Vec::with_capacity(ready.len());
        for conversation in ready {
            let Some(mut entry) = self.inbox.get(&conversation).cloned() else {
                continue;
            };
            let token = self.new_token();
            entry.lease = Some(Lease { token, until });
            let events = entry.events.iter().take(self.limits.events_a_claim);
            let events = events
                .map(|event| (event.position, event.body.clone()))
                .collect();
            self.inbox.put(&conversation, Some(entry));
            claimed.push(ClaimedConversation {
                conversation,
                token,
                events,
            });
        }
        // Another worker may take what is left.
        self.signals.inbox |= !claimed.is_empty() && self.inbox.has_ready();
        claimed
    }

    /// Gives a claimed conversation back until `at`.
    pub(super) fn release(
        &mut self,
        conversation: &ConversationId,
        token: u64,
        at: Option<Timestamp>,
    ) {
        if let Some(mut entry) = self.holder(conversation, token) {
            entry.lease = None;
            entry.not_before = at;
            self.inbox.put(conversation, Some(entry));
            self.signals.inbox = true;
        }
    }

    fn holder(&self, conversation: &ConversationId, token: u64) -> Option<Entry> {
        let held = |entry: &&Entry| entry.lease.is_some_and(|lease| lease.token == token);
        self.inbox.get(conversation).filter(held).cloned()
    }

    /// Applies what a worker did.
    pub(super) fn commit(
        &mut self,
        commit: &Commit,
        now: Timestamp,
    ) -> rusqlite::Result<Committed> {
        let conversation = &commit.conversation;
        if self.holder(conversation, commit.token.0).is_none() {
            return Ok(Committed::LeaseLost);
        }
        if self.any_code_taken(&commit.tickets)? {
            return Ok(Committed::CodeTaken);
        }
        if commit.erase {
            self.erase(conversation, now)?;
        }
        match &commit.session {
            SessionChange::Put(body) => {
                let heard = commit.heard.map(|heard| heard.at);
                if sessions::put(&self.connection, conversation, body, heard, now)? {
                    self.counters.sessions += 1;
                }
            }
            SessionChange::Delete => {
                if sessions::delete(&self.connection, conversation, None)? {
                    self.counters.sessions -= 1;
                }
            }
            SessionChange::Keep => {
                if let Some(heard) = commit.heard {
                    sessions::touch(&self.connection, conversation, heard.at, now)?;
                }
            }
        }
        if let Some(record) = &commit.contact {
            self.put_contact(conversation, record, now)?;
        }
        for reply in &commit.replies {
            self.queue_reply(conversation, reply, now)?;
        }
        for ticket in &commit.tickets {
            self.keep_ticket(conversation, ticket)?;
        }
        for timer in &commit.timers {
            self.change_timer(conversation, timer)?;
        }
        for letter in &commit.set_aside {
            let kind = match letter.reply {
                Some(_) => DeadKind::Reply,
                None => DeadKind::Event,
            };
            self.connection
                .prepare_cached(
                    "INSERT INTO dead (kind, place, conversation, reason, at, attempts, body, lane)
                     VALUES (?6, ?1, ?2, ?3, ?4, 1, ?5, ?7)",
                )?
                .execute(params![
                    conversation.channel.as_str(),
                    conversation.key(),
                    letter.reason,
                    now.as_milliseconds(),
                    letter.body,
                    i64::try_from(kind_number(kind)).unwrap_or(0),
                    lane_number(letter.reply.unwrap_or_default())
                ])?;
            *self.counters.dead(kind) += 1;
        }
        if let Some(heard) = commit.heard {
            self.heard(conversation, heard.window_until)?;
        }
        self.remove_processed(conversation, commit.processed.0.cast_signed())?;
        Ok(Committed::Done)
    }

    fn remove_processed(
        &mut self,
        conversation: &ConversationId,
        processed: i64,
    ) -> rusqlite::Result<()> {
        let Some(mut entry) = self.inbox.get(conversation).cloned() else {
            return Ok(());
        };
        while let Some(Event { position, .. }) = entry.events.front()
            && *position <= processed
        {
            self.connection
                .prepare_cached("DELETE FROM inbox WHERE position = ?1")?
                .execute([position])?;
            entry.events.pop_front();
        }
        entry.lease = None;
        self.signals.inbox |= !entry.events.is_empty();
        self.inbox.put(conversation, Some(entry));
        Ok(())
    }
}
