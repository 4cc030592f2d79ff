//! One claimed conversation becomes one commit: the engine's turns over its waiting events.

mod failed;
mod feedback;
mod work;

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use langnghe_desk::code;
use langnghe_flow::{Context, Library, Session, SessionError};
use langnghe_model::{
    Capabilities, Event, EventId, EventKind, Profile, Timestamp, event::Receipt,
    ticket::TicketSummary,
};
use langnghe_store::{Claim, Commit, StoredTicket, TicketNote};

pub(crate) use self::failed::Sent;
use self::work::Work;
use crate::{
    RetrySchedule,
    contact::ContactRecord,
    media::{FetchJob, Keys, take_over},
    metrics::ChannelMetrics,
};

/// What the turns of one claim need besides the claim.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings<'a> {
    pub(crate) library: &'a Library,
    pub(crate) capabilities: &'a Capabilities,
    pub(crate) profile: Option<&'a Profile>,
    /// The citizen's tickets, once a turn has asked for them.
    pub(crate) tickets: Option<&'a [TicketSummary]>,
    /// What the citizen agreed to and refused, once a turn has asked for it.
    pub(crate) contact: Option<&'a ContactRecord>,
    /// What was kept of sent replies, once a turn has asked for it.
    pub(crate) sent: &'a HashMap<EventId, Option<Sent>>,
    /// When a reply that failed is sent again.
    pub(crate) retries: &'a RetrySchedule,
    /// The tickets that turns have asked for by their codes, where there are such.
    pub(crate) about: &'a HashMap<String, Option<StoredTicket>>,
    /// The session's version of its flow was looked for already.
    pub(crate) version_sought: bool,
    pub(crate) now: Timestamp,
    pub(crate) metrics: &'a ChannelMetrics,
    /// What names media.
    pub(crate) media_keys: &'a Keys,
    /// What links to our media begin with.
    pub(crate) public_url: &'a str,
}

/// What came of a claim.
#[derive(Debug)]
pub(crate) enum Turned {
    /// What to commit.
    Commit(Box<Taken>),
    /// A turn needs the citizen's tickets: take all turns again with them.
    NeedsTickets,
    /// A turn changes what the citizen agreed to: take all turns again with what is kept.
    NeedsContact,
    /// A turn is about the ticket of this code: take all turns again with it.
    NeedsTicket(String),
    /// The session is on this version of a flow, which is not loaded: take the turns again with it.
    NeedsVersion(String),
    /// A reply failed after the provider took it under this id: take all turns again with what was kept
    /// of it.
    NeedsSent(EventId),
    /// A newer version of the program wrote the session: only a replica that runs it can go on.
    NeedsNewerProgram,
}

/// What the turns of a claim made.
#[derive(Debug)]
pub(crate) struct Taken {
    /// What to commit.
    pub(crate) commit: Commit,
    /// How many events it covers.
    pub(crate) count: u64,
    /// Media that a session or ticket of it names, to be fetched; these are noted before the commit.
    pub(crate) jobs: Vec<FetchJob>,
    /// Lines for the histories of tickets, by their codes; these are noted before the commit.
    pub(crate) notes: Vec<(String, TicketNote)>,
    /// Where the commit erases: up to which moment what came is meant.
    pub(crate) erased_up_to: Option<Timestamp>,
}

/// Takes the turns of a claim.
pub(crate) fn take(claim: &Claim, around: Surroundings<'_>) -> Turned {
    let mut session = match session_of(claim) {
        Ok(session) => session,
        Err(NewerSession) => return Turned::NeedsNewerProgram,
    };
    if !around.version_sought
        && let Some(session) = &session
        && let Some(name) = around.library.missing_version(session)
    {
        return Turned::NeedsVersion(name);
    }
    // What the claim began with, for an event whose turn does not count.
    let first = || session_of(claim).unwrap_or_default();
    let mut work = Work::new(claim);
    // A copy is only needed where an earlier event of the claim has changed the session.
    let several = claim.events.len() > 1;
    for (position, body) in &claim.events {
        let Ok(mut event) = serde_json::from_slice::<Event>(body) else {
            work.set_aside(
                "not an event of a known version".to_owned(),
                body,
                around.metrics,
            );
            work.processed(*position);
            continue;
        };
        if let EventKind::Notice(notice) = &event.kind {
            work.bring(notice, &event.id, around);
            work.processed(*position);
            continue;
        }
        if let EventKind::Feedback(feedback) = &event.kind {
            if let Some(code) = work.hear_feedback(feedback, &event, body, around) {
                return Turned::NeedsTicket(code);
            }
            work.processed(*position);
            continue;
        }
        if let EventKind::Receipt(Receipt::Failed { message, .. }) = &event.kind {
            let Some(sent) = around.sent.get(message) else {
                return Turned::NeedsSent(message.clone());
            };
            work.fail(&event, sent.as_ref(), body, around);
            work.processed(*position);
            continue;
        }
        if asks_for_notices(&event.kind) {
            let Some(contact) = work.contact.as_ref().or(around.contact) else {
                return Turned::NeedsContact;
            };
            if contact.is_opted_out() {
                event.kind = EventKind::OptIn;
            }
        }
        let jobs = take_over(around.media_keys, around.public_url, &mut event);
        let code = code::from_random(rand::random());
        let context = Context {
            now: around.now,
            ticket_code: code.as_str(),
            capabilities: around.capabilities,
            profile: around.profile,
            tickets: around.tickets,
        };
        let started = Instant::now();
        let before = several.then(|| session.clone());
        let step = catch_unwind(AssertUnwindSafe(|| {
            around.library.step(session.take(), &event, &context)
        }));
        around
            .metrics
            .all()
            .step_seconds
            .observe(started.elapsed().as_secs_f64());
        let Ok(mut step) = step else {
            // The engine's promise is broken; the citizen's event waits for an operator.
            tracing::error!(conversation = claim.conversation.tag(), "a turn panicked");
            work.set_aside("the engine failed on it".to_owned(), body, around.metrics);
            work.processed(*position);
            session = before.unwrap_or_else(first);
            continue;
        };
        if step.needs_tickets && around.tickets.is_none() {
            return Turned::NeedsTickets;
        }
        if (!step.contact.is_empty() || step.ticket.is_some()) && around.contact.is_none() {
            return Turned::NeedsContact;
        }
        if step.erase && work.count > 0 {
            // Erasure comes first in a commit, so what this claim already made goes out before it.
            session = before.unwrap_or_else(first);
            break;
        }
        if let Some(reason) = step.set_aside.take() {
            work.set_aside(reason, body, around.metrics);
        }
        session = step.session.take();
        work.jobs.extend(jobs);
        work.apply(step, &event, around);
        work.processed(*position);
        if work.commit.erase {
            break;
        }
    }
    work.finish(
        session,
        claim.session.as_ref().is_some_and(|kept| !kept.is_empty()),
    )
}

/// The session was written by a newer version of the program.
struct NewerSession;

fn session_of(claim: &Claim) -> Result<Option<Session>, NewerSession> {
    // One that is empty only says when the citizen was heard from.
    let Some(bytes) = claim.session.as_deref().filter(|bytes| !bytes.is_empty()) else {
        return Ok(None);
    };
    match Session::decode(bytes) {
        Ok(session) => Ok(Some(session)),
        Err(error @ SessionError::Newer(_)) => {
            tracing::error!(%error, conversation = claim.conversation.tag(),
                "the conversation waits for a replica of a newer version");
            Err(NewerSession)
        }
        Err(error @ SessionError::Broken) => {
            tracing::error!(%error, conversation = claim.conversation.tag(), "session lost");
            Ok(None)
        }
    }
}

/// Whether the citizen writes the word that takes a refusal of notices back; to who refused nothing it
/// is a word as any other. (Connectors of SMS know it themselves.)
fn asks_for_notices(kind: &EventKind) -> bool {
    let EventKind::Message(message) = kind else {
        return false;
    };
    let text = message.text.as_deref().map(str::trim).unwrap_or_default();
    message.attachments.is_empty()
        && ["start", "unstop"]
            .iter()
            .any(|word| text.eq_ignore_ascii_case(word))
}

/// Whether the citizen did it, so that the window opens and they can be written to.
fn from_citizen(kind: &EventKind) -> bool {
    matches!(
        kind,
        EventKind::Message(_)
            | EventKind::Postback { .. }
            | EventKind::Referral(_)
            | EventKind::Reaction { .. }
            | EventKind::Follow
            | EventKind::OptOut { .. }
            | EventKind::OptIn
            | EventKind::Help
    )
}

/// How long a citizen's profile may take before the turn goes on without it.
pub(crate) const PROFILE_TIME: Duration = Duration::from_secs(2);
