//! One claimed conversation becomes one commit: the engine's turns over its waiting events.

mod failed;
mod feedback;

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use langnghe_connector::render;
use langnghe_desk::{code, ticket};
use langnghe_flow::{ContactChange, Context, Library, Session, SessionError, Step};
use langnghe_model::{
    Capabilities, Event, EventId, EventKind, Notice, Profile, Purpose, TicketId, Timestamp,
    event::Receipt, ticket::TicketSummary,
};
use langnghe_store::{
    Claim, Commit, Heard, NewDeadLetter, NewReply, Position, SessionChange, StoredTicket,
    TicketNote, TimerChange,
};

use self::failed::Failed;
pub(crate) use self::failed::Sent;
use crate::{
    RetrySchedule,
    contact::ContactRecord,
    envelope::{Envelope, Origin},
    media::{FetchJob, Keys, take_over},
    metrics::ChannelMetrics,
    setback::Fate,
    timers::timer_event,
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

/// The commit as it grows.
struct Work {
    commit: Commit,
    /// What the citizen agreed to and refused, where it changed.
    contact: Option<ContactRecord>,
    count: u64,
    jobs: Vec<FetchJob>,
    notes: Vec<(String, TicketNote)>,
    /// Replies that failed and are to be sent again, with what tells their order.
    again: Vec<((Timestamp, u64), NewReply)>,
    erased_up_to: Option<Timestamp>,
}

impl Work {
    fn new(claim: &Claim) -> Self {
        Self {
            commit: Commit {
                conversation: claim.conversation.clone(),
                token: claim.token,
                processed: Position(0),
                session: SessionChange::Keep,
                replies: Vec::new(),
                tickets: Vec::new(),
                timers: Vec::new(),
                set_aside: Vec::new(),
                heard: None,
                contact: None,
                erase: false,
            },
            contact: None,
            count: 0,
            jobs: Vec::new(),
            notes: Vec::new(),
            again: Vec::new(),
            erased_up_to: None,
        }
    }

    fn processed(&mut self, position: Position) {
        self.commit.processed = position;
        self.count += 1;
    }

    fn set_aside(&mut self, reason: String, body: &[u8], metrics: &ChannelMetrics) {
        metrics.all().set_aside.inc();
        self.commit.set_aside.push(NewDeadLetter {
            reason,
            body: body.to_vec(),
            reply: None,
        });
    }

    /// A reply failed after the provider took it.
    fn fail(&mut self, event: &Event, sent: Option<&Sent>, body: &[u8], around: Surroundings<'_>) {
        match failed::judge(event, sent, body, &around) {
            Failed::LookAgain(timer) => self.commit.timers.push(timer),
            Failed::Unknown => {}
            Failed::Known { fate, note, order } => {
                self.notes.extend(note);
                match fate {
                    Fate::Again(reply) => self.again.push((order, reply)),
                    Fate::GivenUp { reason, body, lane } => {
                        self.commit.set_aside.push(NewDeadLetter {
                            reason,
                            body,
                            reply: Some(lane),
                        });
                    }
                }
            }
        }
    }

    /// Queues a notice, rendered for the channel.
    fn bring(&mut self, notice: &Notice, id: &EventId, around: Surroundings<'_>) {
        let parts = render(notice.reply.clone(), around.capabilities);
        let parts = parts.into_iter().enumerate();
        let replies = parts.map(|(place, reply)| {
            let envelope = Envelope {
                reply,
                purpose: notice.purpose,
                deadline: notice.deadline,
                reminds: false,
                origin: Some(Origin {
                    id: id.as_str().to_owned(),
                    ticket: notice.ticket.clone(),
                    whole: (place == 0).then(|| Box::new(notice.clone())),
                }),
                setback: None,
            };
            NewReply {
                body: envelope.encode(),
                window_until: None,
                lane: notice.purpose,
            }
        });
        self.commit.replies.extend(replies);
    }

    /// Notes what the citizen agreed to or refused. Who reports something new wants to hear of it.
    fn note_contact(&mut self, step: &mut Step, event: &Event, around: Surroundings<'_>) {
        let kept = self.contact.as_ref().or(around.contact);
        let before = kept.cloned().unwrap_or_default();
        let mut record = before.clone();
        let (at, source) = (event.sent_at, event.id.as_str());
        if step.ticket.is_some() && record.is_opted_out() {
            record.apply(ContactChange::OptedIn, at, source);
        }
        for change in std::mem::take(&mut step.contact) {
            if change == ContactChange::OptedOut && record.is_opted_out() {
                // It was confirmed before, and once is enough.
                step.replies.clear();
            }
            record.apply(change, at, source);
        }
        if record != before {
            self.contact = Some(record);
        }
    }

    fn apply(&mut self, mut step: Step, event: &Event, around: Surroundings<'_>) {
        self.note_contact(&mut step, event, around);
        let commit = &mut self.commit;
        if from_citizen(&event.kind) {
            let until = around
                .capabilities
                .window
                .map(|window| event.sent_at + window);
            let earlier = commit.heard.and_then(|heard| heard.window_until);
            let before = commit.heard.map_or(event.sent_at, |heard| heard.at);
            commit.heard = Some(Heard {
                at: event.sent_at.max(before),
                window_until: until.max(earlier),
            });
        }
        let window_until = commit.heard.and_then(|heard| heard.window_until);
        let rendered = step
            .replies
            .into_iter()
            .flat_map(|reply| render(reply, around.capabilities));
        // What a timer caused nobody asked for: it reminds, or says that something was closed.
        let reminds = matches!(event.kind, EventKind::Timer { .. });
        let purpose = if reminds {
            Purpose::Notice
        } else {
            Purpose::Answer
        };
        // A reminder is worth something until what it reminds of is closed by the next timer.
        let next = step.timers.iter().filter_map(|timer| timer.at).max();
        let deadline = next.filter(|_| reminds);
        commit.replies.extend(rendered.map(|reply| {
            let envelope = Envelope {
                reply,
                purpose,
                deadline,
                reminds,
                origin: None,
                setback: None,
            };
            NewReply {
                body: envelope.encode(),
                window_until: window_until.filter(|_| !reminds),
                lane: purpose,
            }
        }));
        if let Some(draft) = step.ticket {
            let id = TicketId::new(uuid::Uuid::now_v7().to_string());
            commit
                .tickets
                .push(ticket::compose(&draft, id, &event.conversation, around.now));
        }
        commit
            .timers
            .extend(step.timers.into_iter().map(|timer| match timer.at {
                Some(at) => TimerChange::Set {
                    event: timer_event(&event.conversation, &timer.name, at),
                    name: timer.name,
                    at,
                },
                None => TimerChange::Cancel { name: timer.name },
            }));
        if step.erase {
            commit.erase = true;
            self.erased_up_to = Some(event.received_at);
        }
    }

    fn finish(mut self, session: Option<Session>, had_session: bool) -> Turned {
        let erase = self.commit.erase;
        if !erase {
            // They are older than what the same turns say.
            self.again.sort_by_key(|(order, _)| *order);
            let again = self.again.drain(..).map(|(_, reply)| reply);
            self.commit.replies.splice(0..0, again);
        }
        self.commit.contact = self
            .contact
            .map(|record| record.encode())
            .filter(|_| !erase);
        self.commit.session = match session {
            Some(session) => SessionChange::Put(session.encode()),
            // An empty one keeps when the citizen was heard from, which decides about notices.
            None if self.commit.heard.is_some() && !erase => SessionChange::Put(Vec::new()),
            None if had_session => SessionChange::Delete,
            None => SessionChange::Keep,
        };
        // What no answer holds is nobody's business, and is left where it is.
        let commit = &self.commit;
        self.jobs.retain(|job| names(commit, job));
        Turned::Commit(Box::new(Taken {
            commit: self.commit,
            count: self.count,
            jobs: self.jobs,
            notes: self.notes,
            erased_up_to: self.erased_up_to,
        }))
    }
}

/// Whether the session or a ticket of a commit names a medium.
fn names(commit: &Commit, job: &FetchJob) -> bool {
    let session = match &commit.session {
        SessionChange::Put(session) => Some(session),
        SessionChange::Keep | SessionChange::Delete => None,
    };
    let tickets = commit.tickets.iter();
    let bodies = tickets.flat_map(|ticket| [Some(&ticket.body), ticket.personal.as_ref()]);
    let name = job.name.as_str().as_bytes();
    let in_it = |body: &Vec<u8>| body.windows(name.len()).any(|part| part == name);
    bodies.chain([session]).flatten().any(in_it)
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
