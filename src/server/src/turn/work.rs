//! The commit of a turn as it grows.

use langnghe_connector::render;
use langnghe_desk::ticket;
use langnghe_flow::{ContactChange, Session, Step};
use langnghe_model::{Event, EventId, EventKind, Notice, Purpose, TicketId, Timestamp};
use langnghe_store::{
    Claim, Commit, Heard, NewDeadLetter, NewReply, Position, SessionChange, TicketNote, TimerChange,
};

use super::{
    Sent, Surroundings, Taken, Turned,
    failed::{self, Failed},
    from_citizen,
};
use crate::{
    contact::ContactRecord,
    envelope::{Envelope, Origin},
    media::FetchJob,
    metrics::ChannelMetrics,
    setback::Fate,
    timers::timer_event,
};

/// The commit as it grows.
pub(super) struct Work {
    pub(super) commit: Commit,
    /// What the citizen agreed to and refused, where it changed.
    pub(super) contact: Option<ContactRecord>,
    pub(super) count: u64,
    pub(super) jobs: Vec<FetchJob>,
    pub(super) notes: Vec<(String, TicketNote)>,
    /// Replies that failed and are to be sent again, with what tells their order.
    pub(super) again: Vec<((Timestamp, u64), NewReply)>,
    pub(super) erased_up_to: Option<Timestamp>,
}

impl Work {
    pub(super) fn new(claim: &Claim) -> Self {
        Self {
            commit: Commit {
                processed: Position(0),
                ..claim.done()
            },
            contact: None,
            count: 0,
            jobs: Vec::new(),
            notes: Vec::new(),
            again: Vec::new(),
            erased_up_to: None,
        }
    }

    pub(super) fn processed(&mut self, position: Position) {
        self.commit.processed = position;
        self.count += 1;
    }

    pub(super) fn set_aside(&mut self, reason: String, body: &[u8], metrics: &ChannelMetrics) {
        metrics.all().set_aside.inc();
        self.commit.set_aside.push(NewDeadLetter {
            reason,
            body: body.to_vec(),
            reply: None,
        });
    }

    /// A reply failed after the provider took it.
    pub(super) fn fail(
        &mut self,
        event: &Event,
        sent: Option<&Sent>,
        body: &[u8],
        around: Surroundings<'_>,
    ) {
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
    pub(super) fn bring(&mut self, notice: &Notice, id: &EventId, around: Surroundings<'_>) {
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
    pub(super) fn note_contact(
        &mut self,
        step: &mut Step,
        event: &Event,
        around: Surroundings<'_>,
    ) {
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

    pub(super) fn apply(&mut self, mut step: Step, event: &Event, around: Surroundings<'_>) {
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

    pub(super) fn finish(mut self, session: Option<Session>, had_session: bool) -> Turned {
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
