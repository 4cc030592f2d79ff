//! Records into a store that nobody serves. Each script passes over what is there already, so that a
//! batch can come again.

use std::collections::BTreeMap;

use langnghe_model::{BackendId, ConversationId, TicketId, Timestamp};

use super::RedisArchive;
use crate::{
    DeadLetter, Lane, StoreError,
    archive::{Batch, Record, ReplyRecord, Standing, TicketRecord},
    redis::{
        call::Call,
        dead::kind_letter,
        deliveries,
        inbox::{SLACK, milliseconds, reference, window_text},
        layout::Index,
        outbox::{lane_letter, local},
        script::{self, Script},
        tickets::delivery_digit,
    },
};

/// What is to be said of each record, by the index that it goes to.
type Groups<T> = BTreeMap<Index, Vec<(Vec<u8>, T)>>;

/// A dead letter with its number, its window and its lane.
type Letter<'a> = (u64, &'a DeadLetter, Option<Timestamp>, Lane);

impl RedisArchive {
    /// Takes a batch in; all its records are of one kind.
    pub(super) async fn take_in(&self, batch: &Batch) -> Result<(), StoreError> {
        match batch.records.first() {
            None => Ok(()),
            Some(Record::Document { .. } | Record::Disabled { .. }) => self.few(batch).await,
            Some(Record::Channel { .. }) => self.channels_in(batch).await,
            Some(Record::Ticket(_)) => self.tickets_in(batch).await,
            Some(Record::DeadLetter { .. }) => self.dead_letters_in(batch).await,
            Some(Record::Session { .. }) => self.sessions_in(batch).await,
            Some(Record::Contact { .. }) => self.contacts_in(batch).await,
            Some(Record::Timer { .. }) => self.timers_in(batch).await,
            Some(Record::Mark { .. }) => self.marks_in(batch).await,
            Some(Record::Event { .. }) => self.events_in(batch).await,
            Some(Record::Reply(_)) => self.replies_in(batch).await,
        }
    }

    async fn few(&self, batch: &Batch) -> Result<(), StoreError> {
        for record in &batch.records {
            match record {
                Record::Document { name, body } => {
                    let mut command = redis::cmd("HSET");
                    command.arg(self.key(0, "documents")).arg(name).arg(body);
                    self.command(&command).await?;
                }
                Record::Disabled { backend, disabled } => {
                    deliveries::set_disabled(&self.shared, backend, Some(disabled)).await?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Keeps the number above which those of this copy begin.
    async fn channels_in(&self, batch: &Batch) -> Result<(), StoreError> {
        let last = batch.records.iter().filter_map(|record| match record {
            Record::Channel { last_reply, .. } => Some(local(*last_reply).0),
            _ => None,
        });
        let base = last.max().unwrap_or(0).max(self.base().await?);
        self.set_meta_field("copy_base", &base.to_string()).await
    }

    async fn base(&self) -> Result<u64, StoreError> {
        let held = self.meta_field("copy_base").await?;
        Ok(held.and_then(|held| held.parse().ok()).unwrap_or(0))
    }

    /// Where a conversation's records go.
    fn place<T>(&self, groups: &mut Groups<T>, conversation: &ConversationId, record: T) {
        let (index, member) = self.shared.layout.member(conversation);
        groups.entry(index).or_default().push((member, record));
    }

    /// Calls a script once for each index.
    async fn call_each<T>(
        &self,
        script: &'static Script,
        groups: Groups<T>,
        begin: impl Fn(&mut Call<'_>),
        say: impl Fn(&mut Call<'_>, &[u8], &T),
    ) -> Result<(), StoreError> {
        for (index, group) in &groups {
            let mut call = self.shared.call(script, *index, None);
            begin(&mut call);
            call.arg(group.len());
            for (member, record) in group {
                say(&mut call, member, record);
            }
            call.send_durably().await?;
        }
        Ok(())
    }

    async fn events_in(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut groups = Groups::new();
        for (number, record) in (self.base().await? + batch.first..).zip(&batch.records) {
            if let Record::Event {
                conversation,
                at,
                body,
            } = record
            {
                self.place(&mut groups, conversation, (number, *at, body));
            }
        }
        let say = |call: &mut Call<'_>, member: &[u8], record: &(u64, Timestamp, &Vec<u8>)| {
            let (number, at, body) = record;
            call.arg(number).arg(member);
            call.arg(at.as_milliseconds()).arg(body);
        };
        self.call_each(&script::IMPORT_EVENTS, groups, |_| {}, say)
            .await
    }

    async fn replies_in(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut groups = Groups::new();
        for (number, record) in (self.base().await? + batch.first..).zip(&batch.records) {
            if let Record::Reply(reply) = record {
                self.place(&mut groups, &reply.conversation, (number, reply.as_ref()));
            }
        }
        let say = |call: &mut Call<'_>, member: &[u8], record: &(u64, &ReplyRecord)| {
            let (number, reply) = record;
            call.arg(number)
                .arg(reply.conversation.channel.as_str())
                .arg(member)
                .arg(reply.attempts)
                .arg(reply.queued_at.as_milliseconds())
                .arg(window_text(reply.window_until))
                .arg(&reply.body);
            match reply.standing {
                Standing::Ready => call.arg("R"),
                Standing::Parked => call.arg("P"),
                Standing::RetryAt(at) => call.arg(at.as_milliseconds()),
            };
            call.arg(lane_letter(reply.lane));
        };
        self.call_each(&script::IMPORT_REPLIES, groups, |_| {}, say)
            .await
    }

    async fn sessions_in(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut groups = Groups::new();
        for record in &batch.records {
            if let Record::Session {
                conversation,
                heard_at,
                taken_at,
                body,
            } = record
            {
                self.place(&mut groups, conversation, (*heard_at, *taken_at, body));
            }
        }
        let idle = milliseconds(self.shared.options.idle_sessions + SLACK);
        let begin = |call: &mut Call<'_>| {
            call.arg(idle).arg(milliseconds(SLACK));
        };
        let say =
            |call: &mut Call<'_>, member: &[u8], record: &(Timestamp, Timestamp, &Vec<u8>)| {
                let (heard_at, taken_at, body) = record;
                call.arg(member)
                    .arg(heard_at.as_milliseconds())
                    .arg(taken_at.as_milliseconds())
                    .arg(body);
            };
        self.call_each(&script::IMPORT_SESSIONS, groups, begin, say)
            .await
    }

    async fn contacts_in(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut groups = Groups::new();
        for record in &batch.records {
            if let Record::Contact {
                conversation,
                at,
                body,
            } = record
            {
                self.place(&mut groups, conversation, (*at, body));
            }
        }
        let say = |call: &mut Call<'_>, member: &[u8], record: &(Timestamp, &Vec<u8>)| {
            let (at, body) = record;
            call.arg(member).arg(at.as_milliseconds()).arg(body);
        };
        self.call_each(&script::IMPORT_CONTACTS, groups, |_| {}, say)
            .await
    }

    async fn timers_in(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut groups = Groups::new();
        for record in &batch.records {
            if let Record::Timer {
                conversation,
                name,
                at,
                event,
            } = record
            {
                self.place(&mut groups, conversation, (name, *at, event));
            }
        }
        let say = |call: &mut Call<'_>, member: &[u8], record: &(&String, Timestamp, &Vec<u8>)| {
            let (name, at, event) = record;
            call.arg(member).arg(name);
            call.arg(at.as_milliseconds().max(0)).arg(event);
        };
        self.call_each(&script::IMPORT_TIMERS, groups, |_| {}, say)
            .await
    }

    /// The index of a ticket; one whose conversation was forgotten lies where its id says.
    fn ticket_index(&self, conversation: Option<&ConversationId>, id: &TicketId) -> Index {
        let layout = &self.shared.layout;
        match conversation {
            Some(conversation) => layout.member(conversation).0,
            None => layout.index_of(layout.partition(id.as_str().as_bytes())),
        }
    }

    async fn tickets_in(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut groups: Groups<&TicketRecord> = Groups::new();
        let mut codes = Vec::new();
        for record in &batch.records {
            if let Record::Ticket(record) = record {
                let ticket = &record.ticket;
                let index = self.ticket_index(ticket.conversation.as_ref(), &ticket.id);
                let member = ticket.conversation.as_ref();
                let member = member.map(|of| self.shared.layout.member(of).1);
                let group = groups.entry(index).or_default();
                group.push((member.unwrap_or_default(), record));
                let mut command = redis::cmd("SET");
                command.arg(self.shared.layout.code_key(&ticket.code));
                command.arg(reference(index, ticket.id.as_str()));
                codes.push(command);
            }
        }
        self.call_each(
            &script::IMPORT_TICKETS,
            groups,
            |_| {},
            |call, member, record| {
                say_ticket(call, member, record);
            },
        )
        .await?;
        self.commands(codes).await?;
        Ok(())
    }

    async fn dead_letters_in(&self, batch: &Batch) -> Result<(), StoreError> {
        let mut groups = Groups::new();
        for (number, record) in (self.base().await? + batch.first..).zip(&batch.records) {
            if let Record::DeadLetter {
                letter,
                window_until,
                lane,
            } = record
            {
                let index = match (&letter.conversation, &letter.ticket) {
                    (Some(conversation), _) => self.shared.layout.member(conversation).0,
                    (None, Some(ticket)) => self.ticket_index(None, ticket),
                    (None, None) => 0,
                };
                let conversation = letter.conversation.as_ref();
                let member = conversation.map(|of| self.shared.layout.member(of).1);
                let group = groups.entry(index).or_default();
                group.push((
                    member.unwrap_or_default(),
                    (number, letter, *window_until, *lane),
                ));
            }
        }
        let say = |call: &mut Call<'_>, member: &[u8], record: &Letter<'_>| {
            let (number, letter, window, lane) = record;
            // The body of a delivery is its ticket's.
            let body = if letter.ticket.is_some() {
                &[][..]
            } else {
                &letter.body
            };
            call.arg(number)
                .arg(kind_letter(letter.kind))
                .arg(&letter.place)
                .arg(member)
                .arg(letter.ticket.as_ref().map_or("", |ticket| ticket.as_str()))
                .arg(&letter.reason)
                .arg(letter.at.as_milliseconds())
                .arg(letter.attempts)
                .arg(body)
                .arg(window_text(*window))
                .arg(lane_letter(*lane));
        };
        self.call_each(&script::IMPORT_DEAD, groups, |_| {}, say)
            .await
    }
}

fn say_ticket(call: &mut Call<'_>, member: &[u8], record: &TicketRecord) {
    let TicketRecord { ticket, pending } = record;
    call.arg(ticket.id.as_str())
        .arg(&ticket.code)
        .arg(&ticket.title)
        .arg(member)
        .arg(ticket.backend.as_ref().map_or("", BackendId::as_str))
        .arg(delivery_digit(ticket.delivery))
        .arg(ticket.created_at.as_milliseconds())
        .arg(&ticket.body)
        .arg(u8::from(ticket.personal.is_some()))
        .arg(ticket.personal.as_deref().unwrap_or_default())
        .arg(u8::from(ticket.reference.is_some()))
        .arg(ticket.reference.as_deref().unwrap_or_default())
        .arg(ticket.history.len());
    for note in &ticket.history {
        let mut line = format!("{:013}{}", note.at.as_milliseconds(), note.what);
        if let Some(detail) = &note.detail {
            line += "\n";
            line += detail;
        }
        call.arg(line);
    }
    let zero = Timestamp::default();
    let (due_at, attempts, queued_at) = pending.map_or((zero, 0, zero), |pending| {
        (pending.due_at, pending.attempts, pending.queued_at)
    });
    let pending = pending.is_some() && ticket.backend.is_some();
    call.arg(u8::from(pending))
        .arg(attempts)
        .arg(due_at.as_milliseconds())
        .arg(queued_at.as_milliseconds());
}
