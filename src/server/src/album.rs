//! An album comes part by part, and becomes one message before the engine sees it.
//!
//! A provider marks the parts (`Message::album`) and does not say which is the last one. So a
//! conversation whose newest event is such a part is given back until no other has come for
//! [`QUIET`]; what comes later than that is a message of its own. Parts wait in the inbox like all
//! events, so none is lost.

use std::time::Duration;

use langnghe_model::{Event, EventKind, Timestamp, event::Message};
use langnghe_store::Claim;

/// Parts come within about a second of each other.
const QUIET: Duration = Duration::from_millis(1200);
/// However long parts keep coming, the first one waits no longer than this.
const LONGEST: Duration = Duration::from_secs(6);
/// What a part's stored JSON holds. Within a JSON string its quotation marks would be escaped, so no
/// citizen's words look like it.
const MARK: &[u8] = br#""album":""#;

/// What is to be done with a claim.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Gathered {
    /// Its turns can be taken; parts of albums have become one event each.
    Ready,
    /// An album may not be complete before this moment.
    WaitUntil(Timestamp),
}

/// Joins the parts of albums in a claim. A claim without any costs one look at its bytes.
pub(crate) fn gather(claim: &mut Claim, now: Timestamp) -> Gathered {
    let marked = |body: &[u8]| body.windows(MARK.len()).any(|bytes| bytes == MARK);
    if !claim.events.iter().any(|(_, body)| marked(body)) {
        return Gathered::Ready;
    }
    let events = std::mem::take(&mut claim.events);
    // The album at the end of what is gathered so far: its whole, and when its last part came.
    let mut open: Option<Open> = None;
    for (position, body) in events {
        let part = marked(&body).then(|| part_of(&body)).flatten();
        match (&mut open, part) {
            (Some(album), Some(part)) if album.takes(&part) => {
                album.add(part);
                let last = claim.events.last_mut().expect("the album's first part");
                *last = (position, album.encode());
            }
            (_, part) => {
                open = part.map(Open::new);
                claim.events.push((position, body));
            }
        }
    }
    match open.map(|album| album.complete_at()) {
        Some(complete) if complete > now => Gathered::WaitUntil(complete),
        _ => Gathered::Ready,
    }
}

/// A part of an album, if it is one.
fn part_of(body: &[u8]) -> Option<Event> {
    let event: Event = serde_json::from_slice(body).ok()?;
    message(&event)?.album.as_ref()?;
    Some(event)
}

fn message(event: &Event) -> Option<&Message> {
    match &event.kind {
        EventKind::Message(message) => Some(message),
        _ => None,
    }
}

/// An album that more parts can be added to.
struct Open {
    whole: Event,
    last_at: Timestamp,
}

impl Open {
    fn new(first: Event) -> Self {
        Self {
            last_at: first.received_at,
            whole: first,
        }
    }

    fn takes(&self, part: &Event) -> bool {
        let name = |event| message(event).and_then(|message| message.album.as_deref());
        name(&self.whole) == name(part)
    }

    fn add(&mut self, part: Event) {
        self.last_at = self.last_at.max(part.received_at);
        let (EventKind::Message(whole), EventKind::Message(part)) =
            (&mut self.whole.kind, part.kind)
        else {
            return;
        };
        whole.attachments.extend(part.attachments);
        whole.text = match (whole.text.take(), part.text) {
            (Some(words), Some(more)) => Some(format!("{words}\n{more}")),
            (words, more) => words.or(more),
        };
        whole.payload = whole.payload.take().or(part.payload);
        whole.reply_to = whole.reply_to.take().or(part.reply_to);
        whole.referral = whole.referral.take().or(part.referral);
    }

    fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(&self.whole).expect("an event has only string keys")
    }

    fn complete_at(&self) -> Timestamp {
        (self.last_at + QUIET).min(self.whole.received_at + LONGEST)
    }
}

#[cfg(test)]
mod tests;
