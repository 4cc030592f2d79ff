//! Events in, claims, and what workers did with them.

use std::{
    collections::BTreeMap,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use langnghe_model::{ConversationId, Timestamp};
use redis::Value;

use super::{
    Shared,
    call::{self, Call},
    gather::Request,
    layout::{Index, conversation_of, tag_of},
    moved_marks,
    outbox::lane_letter,
    script,
    waiting::{Claiming, Found},
};
use crate::{
    Accepted, Claim, Commit, Committed, LeaseToken, NewEvent, Position, SessionChange, StoreError,
    TimerChange,
};

/// A session's key lives so much longer than the session, so that retention finds it first.
pub(super) const SLACK: Duration = Duration::from_hours(24);
/// What a reply without a window has in its place.
const NO_WINDOW: &str = "0000000000000";

/// The events of one request that lie in one index: the request's place, and of each event its place
/// and its member.
type Part = (usize, Vec<(usize, Vec<u8>)>);

type AcceptRequest = Request<(Vec<NewEvent>, Timestamp), Vec<Accepted>>;

/// Takes in what several callers have; one call an index.
pub(super) async fn accept_all(shared: Arc<Shared>, requests: Vec<AcceptRequest>) {
    let now = requests.iter().map(|request| request.question.1).max();
    let events = requests.iter().flat_map(|request| &request.question.0);
    let marks = events.map(|event| event.dedup);
    let known = match moved_marks::known(&shared, marks, now.unwrap_or_default()).await {
        Ok(known) => known,
        Err(error) => {
            let error = reason(error);
            for request in requests {
                request.answer(Err(StoreError::Unavailable(error.clone())));
            }
            return;
        }
    };
    // For each index: the requests that have events there, and which.
    let mut groups: BTreeMap<Index, Vec<Part>> = BTreeMap::new();
    let mut answers = Vec::with_capacity(requests.len());
    for (place, request) in requests.iter().enumerate() {
        let (events, _) = &request.question;
        let mut answer = vec![Accepted::Stored; events.len()];
        for (number, event) in events.iter().enumerate() {
            if known.contains(&event.dedup) {
                answer[number] = Accepted::Duplicate;
                continue;
            }
            let (index, member) = shared.layout.member(&event.conversation);
            let group = groups.entry(index).or_default();
            match group.last_mut() {
                Some((last, events)) if *last == place => events.push((number, member)),
                _ => group.push((place, vec![(number, member)])),
            }
        }
        answers.push(Ok(answer));
    }
    let calls = groups.iter().map(|(index, group)| {
        let shared = &shared;
        let requests = &requests;
        async move { accept_group(shared, *index, group, requests, now).await }
    });
    for (group, answered) in groups.values().zip(join_all(calls).await) {
        let mut each = answered.iter().flatten();
        for (place, events) in group {
            for (number, _) in events {
                let answer = &mut answers[*place];
                match (&answered, each.next()) {
                    (Ok(_), Some(b'0')) => {}
                    (Ok(_), Some(b'3')) => *answer = Err(StoreError::Full),
                    (Ok(_), Some(other)) => {
                        if let Ok(accepted) = answer {
                            accepted[*number] = if *other == b'1' {
                                Accepted::Duplicate
                            } else {
                                Accepted::InboxFull
                            };
                        }
                    }
                    (Ok(_), None) => {
                        *answer = Err(StoreError::Damaged("an answer is missing".to_owned()));
                    }
                    (Err(error), _) => *answer = Err(StoreError::Unavailable(error.clone())),
                }
            }
        }
    }
    for (request, answer) in requests.into_iter().zip(answers) {
        request.answer(answer);
    }
}

async fn accept_group(
    shared: &Shared,
    index: Index,
    group: &[Part],
    requests: &[AcceptRequest],
    now: Option<Timestamp>,
) -> Result<Vec<u8>, String> {
    let limits = &shared.options.limits;
    let elsewhere: u64 = (0..)
        .zip(&shared.waiting)
        .filter(|(other, _)| *other != index)
        .map(|(_, waiting)| waiting.load(Ordering::Relaxed))
        .sum();
    let mut call = shared.call(&script::ACCEPT, index, now);
    call.arg(limits.inbox_a_conversation)
        .arg((limits.inbox as u64).saturating_sub(elsewhere))
        .arg(milliseconds(shared.options.dedup).max(1))
        .arg(u8::from(shared.durable.is_some()))
        .arg(group.len());
    for (place, events) in group {
        call.arg(events.len());
        for (number, member) in events {
            let event = &requests[*place].question.0[*number];
            let mut mark = tag_of(member).to_vec();
            mark.extend(event.dedup.0.to_be_bytes());
            call.arg(mark).arg(member).arg(&event.body);
        }
    }
    let answer = call.send_durably().await.map_err(reason)?;
    let mut values = call::list(answer).map_err(reason)?.into_iter();
    let each = values.next().map(call::bytes).transpose().map_err(reason)?;
    let waiting = values
        .next()
        .map(call::natural)
        .transpose()
        .map_err(reason)?;
    shared.waiting[usize::from(index)].store(waiting.unwrap_or(0), Ordering::Relaxed);
    shared.wake_here("i", index);
    Ok(each.unwrap_or_default())
}

/// The part of an error that is not said again by the error that it goes into.
fn reason(error: StoreError) -> String {
    match error {
        StoreError::Unavailable(reason) => reason,
        other => other.to_string(),
    }
}

pub(super) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Claims conversations.
#[derive(Clone, Copy, Debug)]
pub(super) struct Conversations {
    pub(super) lease: Duration,
}

impl Claiming for Conversations {
    type Item = Claim;

    async fn look(
        &self,
        shared: &Shared,
        index: Index,
        max: usize,
        now: Timestamp,
    ) -> Result<Found<Claim>, StoreError> {
        let mut call = shared.call(&script::CLAIM, index, Some(now));
        call.arg(max)
            .arg(milliseconds(self.lease))
            .arg(shared.options.limits.events_a_claim);
        let (now, next, mut values) = head(call.send().await?)?;
        let mut items = Vec::new();
        while let (Some(member), Some(token), Some(session), Some(events)) =
            (values.next(), values.next(), values.next(), values.next())
        {
            let Some(conversation) = conversation_of(&call::bytes(member)?) else {
                continue;
            };
            let events = call::list(events)?.into_iter().map(event);
            items.push(Claim {
                conversation,
                token: LeaseToken(call::natural(token)?),
                session: call::optional(session)?,
                events: events.collect::<Result<_, _>>()?,
            });
        }
        let full = items.len() >= max;
        Ok(Found {
            items,
            now,
            next,
            full,
        })
    }

    fn order(item: &Self::Item) -> u64 {
        item.events.first().map_or(0, |(position, _)| position.0)
    }

    async fn give_back(
        &self,
        shared: &Shared,
        index: Index,
        items: Vec<Claim>,
    ) -> Result<(), StoreError> {
        let mut call = shared.call(&script::RELEASE, index, None);
        call.arg(items.len());
        for claim in &items {
            let (_, member) = shared.layout.member(&claim.conversation);
            call.arg(member).arg(claim.token.0).arg(0);
        }
        call.send().await?;
        shared.wake_here("i", index);
        Ok(())
    }
}

/// Now, when to look again, and the rest of a claim's answer.
pub(super) fn head(
    answer: Value,
) -> Result<(Timestamp, Option<Timestamp>, std::vec::IntoIter<Value>), StoreError> {
    let mut values = call::list(answer)?.into_iter();
    let now = call::moment(values.next().unwrap_or_default())?;
    let next = call::moment(values.next().unwrap_or_default())?;
    Ok((now.unwrap_or_default(), next, values))
}

/// An event as it lies in an inbox: position, time, body.
fn event(value: Value) -> Result<(Position, Vec<u8>), StoreError> {
    let mut whole = call::bytes(value)?;
    if whole.len() < 29 {
        return Err(StoreError::Damaged(
            "an event without its position".to_owned(),
        ));
    }
    let position = call::digits(&whole[..16])?;
    whole.drain(..29);
    Ok((Position(u64::try_from(position).unwrap_or(0)), whole))
}

/// Gives a conversation back until `at`.
pub(super) async fn release(
    shared: &Shared,
    conversation: &ConversationId,
    token: LeaseToken,
    at: Timestamp,
) -> Result<(), StoreError> {
    let (index, member) = shared.layout.member(conversation);
    let mut call = shared.call(
        &script::RELEASE,
        index,
        Some(Timestamp::from_milliseconds(0)),
    );
    call.arg(1)
        .arg(member)
        .arg(token.0)
        .arg(at.as_milliseconds());
    call.send().await?;
    // Who waits here learns when that is.
    shared.topics.wake("i", index);
    Ok(())
}

/// Applies what workers did; one call an index.
pub(super) async fn commit(
    shared: &Shared,
    commits: &[Commit],
    now: Timestamp,
) -> Result<Vec<Committed>, StoreError> {
    let mut answers = vec![Committed::LeaseLost; commits.len()];
    let mut groups: BTreeMap<Index, Vec<(usize, Vec<u8>)>> = BTreeMap::new();
    for (place, commit) in commits.iter().enumerate() {
        let (index, member) = shared.layout.member(&commit.conversation);
        if !reserve_codes(shared, index, commit).await? {
            answers[place] = Committed::CodeTaken;
            continue;
        }
        groups.entry(index).or_default().push((place, member));
    }
    let calls = groups.iter().map(|(index, group)| async move {
        let mut call = shared.call(&script::COMMIT, *index, Some(now));
        call.arg(milliseconds(shared.options.idle_sessions + SLACK))
            .arg(group.len());
        for (place, member) in group {
            add_commit(shared, &mut call, *index, member, &commits[*place]);
        }
        call.send().await
    });
    for ((index, group), answer) in groups.iter().zip(join_all(calls).await) {
        for ((place, _), digit) in group.iter().zip(call::bytes(answer?)?) {
            answers[*place] = match digit {
                b'0' => Committed::Done,
                b'2' => Committed::CodeTaken,
                _ => Committed::LeaseLost,
            };
            let commit = &commits[*place];
            if answers[*place] == Committed::LeaseLost {
                give_codes_back(shared, *index, commit).await?;
            }
            wake_after(shared, *index, commit);
        }
    }
    Ok(answers)
}

/// Wakes those here who would get no message.
fn wake_after(shared: &Shared, index: Index, commit: &Commit) {
    shared.wake_here("i", index);
    shared.wake_here("t", index);
    shared.wake_here(&format!("o:{}", commit.conversation.channel), index);
    for backend in commit
        .tickets
        .iter()
        .filter_map(|ticket| ticket.backend.as_ref())
    {
        shared.wake_here(&format!("d:{backend}"), index);
    }
}

fn add_commit(shared: &Shared, call: &mut Call<'_>, index: Index, member: &[u8], commit: &Commit) {
    let (session, body): (&str, &[u8]) = match &commit.session {
        SessionChange::Keep => ("K", b""),
        SessionChange::Put(body) => ("P", body),
        SessionChange::Delete => ("D", b""),
    };
    let window = commit.heard.and_then(|heard| heard.window_until);
    let contact = commit.contact.as_ref().map_or_else(Vec::new, |record| {
        let mut said = b"+".to_vec();
        said.extend(record);
        said
    });
    call.arg(member)
        .arg(commit.conversation.channel.as_str())
        .arg(commit.token.0)
        .arg(commit.processed.0)
        .arg(session)
        .arg(body)
        .arg(
            commit
                .heard
                .map_or(-1, |heard| heard.at.as_milliseconds().max(0)),
        )
        .arg(window_text(window))
        .arg(u8::from(commit.erase))
        .arg(contact)
        .arg(commit.replies.len());
    for reply in &commit.replies {
        call.arg(lane_letter(reply.lane))
            .arg(window_text(reply.window_until))
            .arg(&reply.body);
    }
    call.arg(commit.tickets.len());
    for ticket in &commit.tickets {
        let key = if shared.layout.cluster {
            String::new()
        } else {
            shared.layout.code_key(&ticket.code)
        };
        call.arg(key)
            .arg(reference(index, ticket.id.as_str()))
            .arg(ticket.id.as_str())
            .arg(&ticket.code)
            .arg(&ticket.title)
            .arg(
                ticket
                    .backend
                    .as_ref()
                    .map_or("", |backend| backend.as_str()),
            )
            .arg(ticket.created_at.as_milliseconds())
            .arg(&ticket.body)
            .arg(u8::from(ticket.personal.is_some()))
            .arg(ticket.personal.as_deref().unwrap_or_default());
    }
    call.arg(commit.timers.len());
    for timer in &commit.timers {
        match timer {
            TimerChange::Set { name, at, event } => call
                .arg("S")
                .arg(name)
                .arg(at.as_milliseconds().max(0))
                .arg(event),
            TimerChange::Cancel { name } => call.arg("C").arg(name).arg("").arg(""),
        };
    }
    call.arg(commit.set_aside.len());
    for letter in &commit.set_aside {
        let (kind, lane) = match letter.reply {
            Some(lane) => ("r", lane_letter(lane)),
            None => ("e", ""),
        };
        call.arg(kind)
            .arg(lane)
            .arg(&letter.reason)
            .arg(&letter.body);
    }
}

/// A window as replies carry it.
pub(super) fn window_text(window: Option<Timestamp>) -> String {
    window.map_or_else(
        || NO_WINDOW.to_owned(),
        |until| format!("{:013}", until.as_milliseconds().max(1)),
    )
}

/// What the key of a ticket's code holds.
pub(super) fn reference(index: Index, ticket: &str) -> String {
    format!("{index} {ticket}")
}

/// On a cluster codes lie elsewhere than the conversation, so that they are taken before the commit.
/// One that dies in between costs no more than a code.
async fn reserve_codes(shared: &Shared, index: Index, commit: &Commit) -> Result<bool, StoreError> {
    if !shared.layout.cluster {
        return Ok(true);
    }
    let mut reserved = Vec::new();
    for ticket in &commit.tickets {
        let key = shared.layout.code_key(&ticket.code);
        let wanted = reference(index, ticket.id.as_str());
        let mut command = redis::cmd("SET");
        command.arg(&key).arg(&wanted).arg("NX").arg("GET");
        let held = call::optional(shared.link.command("reserve a code", &command).await?)?;
        // The same ticket's is of a commit that was tried before.
        let twice = reserved.contains(&key);
        if twice || held.is_some_and(|held| held != wanted.as_bytes()) {
            for key in reserved {
                shared
                    .link
                    .command("free a code", redis::cmd("DEL").arg(key))
                    .await?;
            }
            return Ok(false);
        }
        reserved.push(key);
    }
    Ok(true)
}

async fn give_codes_back(shared: &Shared, index: Index, commit: &Commit) -> Result<(), StoreError> {
    if !shared.layout.cluster {
        return Ok(());
    }
    for ticket in &commit.tickets {
        // Not when this very ticket was kept: the commit is then one that was sent twice.
        let mut kept = shared.timeless_call(&script::TICKET, index);
        kept.arg(ticket.id.as_str());
        let mut found = call::list(kept.send().await?)?.into_iter();
        let fields = call::list(found.next().unwrap_or_default())?;
        if fields.is_empty() {
            let key = shared.layout.code_key(&ticket.code);
            shared
                .link
                .command("free a code", redis::cmd("DEL").arg(key))
                .await?;
        }
    }
    Ok(())
}
