//! What an agency asks to be told to the citizen of a ticket, and what became of it: the same for the
//! API and the command line.

use std::collections::BTreeMap;

use langnghe_model::{ChannelId, Event, Notice, Purpose, Reply, Template, Timestamp};
use langnghe_store::{Accepted, NewEvent, Store, StoreError, StoredTicket, TicketNote};
use serde::Serialize;

use crate::notice_event;

/// The longest text of a notice in characters.
pub const NOTICE_TEXT: usize = 1000;
/// The word under which a ticket's history tells of notices.
const HISTORY: &str = "notice";

/// A line of a ticket's history about a notice; [`notice_states`] reads it.
pub(crate) fn history_line(
    id: &str,
    state: &str,
    why: &str,
    channel: &ChannelId,
    at: Timestamp,
) -> TicketNote {
    TicketNote {
        at,
        what: HISTORY.to_owned(),
        detail: Some(format!("{id} {state} {why} {channel}")),
    }
}

/// What is to be told.
#[derive(Clone, Debug)]
pub struct NoticeRequest {
    /// The words while we may write freely.
    pub text: String,
    /// Our name of the template that says the same.
    pub template: Option<String>,
    /// What goes into its gaps.
    pub parameters: BTreeMap<String, String>,
    /// News of this citizen, or the same to many.
    pub purpose: Purpose,
    /// After this moment it is worth nothing.
    pub deadline: Option<Timestamp>,
    /// A repetition of the request has the same.
    pub key: String,
}

/// Why a notice was not taken.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoticeProblem {
    /// No ticket has this code.
    #[error("no ticket has this code")]
    UnknownTicket,
    /// The citizen had everything erased, or it was kept long enough: nobody knows whose it is.
    #[error(
        "it is no longer known whose ticket this is: the citizen had their data erased, or their time is over"
    )]
    Erased,
    /// There is nothing to say.
    #[error("the text is empty")]
    Empty,
    /// The text is too long.
    #[error("the text has {0} characters; {NOTICE_TEXT} are possible")]
    TooLong(usize),
    /// There are parameters and no template that they could go into.
    #[error("there are parameters, but no template")]
    NoTemplate,
    /// Its time is over already.
    #[error("the deadline is over")]
    Late,
    /// The key is no key.
    #[error("the key has 1 to 255 characters")]
    Key,
    /// The conversation has too many events waiting.
    #[error("too much waits in this conversation; try again")]
    Busy,
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenNotice {
    /// Names the notice.
    pub id: String,
    /// The same request came before.
    pub repeated: bool,
}

/// Puts a notice among the events of the conversation of a ticket.
///
/// # Errors
/// [`NoticeProblem`].
pub async fn take_notice(
    store: &dyn Store,
    code: &str,
    request: NoticeRequest,
    now: Timestamp,
) -> Result<TakenNotice, NoticeProblem> {
    let ticket = store.ticket(code).await?;
    let ticket = ticket.ok_or(NoticeProblem::UnknownTicket)?;
    let event = event_of(&ticket, request, now)?;
    let taken = NewEvent {
        conversation: event.conversation.clone(),
        dedup: event.dedup_key(),
        body: serde_json::to_vec(&event).expect("an event has only string keys"),
    };
    let id = event.id.as_str().to_owned();
    match store.accept(vec![taken], now).await?.first() {
        Some(Accepted::Stored) => {}
        Some(Accepted::Duplicate) => return Ok(TakenNotice { id, repeated: true }),
        _ => return Err(NoticeProblem::Busy),
    }
    let note = history_line(&id, "accepted", "-", &event.conversation.channel, now);
    // It is taken: a history that lacks this line is no reason to ask for it again.
    if let Err(error) = store.note(&ticket.code, note).await {
        tracing::warn!(%error, "a ticket's history lacks a line");
    }
    Ok(TakenNotice {
        id,
        repeated: false,
    })
}

fn event_of(
    ticket: &StoredTicket,
    request: NoticeRequest,
    now: Timestamp,
) -> Result<Event, NoticeProblem> {
    let conversation = ticket.conversation.clone().ok_or(NoticeProblem::Erased)?;
    let text = request.text.trim();
    if text.is_empty() {
        return Err(NoticeProblem::Empty);
    }
    let length = text.chars().count();
    if length > NOTICE_TEXT {
        return Err(NoticeProblem::TooLong(length));
    }
    if request.template.is_none() && !request.parameters.is_empty() {
        return Err(NoticeProblem::NoTemplate);
    }
    if request.deadline.is_some_and(|end| end <= now) {
        return Err(NoticeProblem::Late);
    }
    if request.key.is_empty() || request.key.len() > 255 {
        return Err(NoticeProblem::Key);
    }
    let notice = Notice {
        reply: Reply::Text {
            text: text.to_owned(),
        },
        purpose: request.purpose,
        deadline: request.deadline,
        template: request.template.map(|name| Template {
            name,
            parameters: request.parameters,
        }),
        ticket: Some(ticket.code.clone()),
    };
    let code = ticket.code.as_str();
    Ok(notice_event(conversation, notice, code, &request.key, now))
}

/// What became of a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NoticeState {
    /// Names the notice.
    pub id: String,
    /// Where it stands: `accepted`, `kept`, `fell_back`, `sent`, `returned` (it failed after the
    /// provider took it, and is planned again), `given_up`, `failed`.
    pub state: String,
    /// Why or how: `window_closed`, `quiet_hours`, `deadline`, `free`, `template`, ….
    pub reason: Option<String>,
    /// The channel that it is on.
    pub channel: String,
    /// Since when, RFC 3339 in UTC.
    pub at: String,
}

/// What became of the notices of a ticket, oldest first, from its history.
pub fn notice_states(ticket: &StoredTicket) -> Vec<NoticeState> {
    let mut states: Vec<NoticeState> = Vec::new();
    for note in ticket.history.iter().filter(|note| note.what == HISTORY) {
        let mut words = note.detail.as_deref().unwrap_or_default().split(' ');
        let (Some(id), Some(state), Some(reason), Some(channel)) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            continue;
        };
        // What goes on on the other channel is the same notice.
        let id = id.trim_start_matches("fallback:");
        let at = jiff::Timestamp::from_millisecond(note.at.as_milliseconds()).unwrap_or_default();
        let now = NoticeState {
            id: id.to_owned(),
            state: state.to_owned(),
            reason: Some(reason.to_owned()).filter(|reason| reason != "-"),
            channel: channel.to_owned(),
            at: format!("{at:.3}"),
        };
        match states.iter_mut().find(|known| known.id == id) {
            Some(known) => *known = now,
            None => states.push(now),
        }
    }
    states
}
