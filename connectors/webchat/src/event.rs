//! Makes an event of what the page sent and takes it in.

use langnghe_connector::{Acceptance, Host, Unavailable};
use langnghe_model::{
    ChannelId, CitizenId, ConversationId, Event, EventKind,
    event::{Attachment, Media, Message},
};

use crate::{
    frame::{PageMessage, Reason, ToPage},
    visitor,
};

/// What became of a message.
pub(crate) enum Outcome {
    /// It is durable.
    Accepted,
    /// It was not taken, for good.
    Refused(Reason),
    /// Nothing can be stored now: the page keeps it and tries again.
    Later(Unavailable),
}

impl Outcome {
    /// The frame that tells the page.
    pub(crate) fn frame<'a>(&self, id: &'a str) -> ToPage<'a> {
        match self {
            Self::Accepted => ToPage::Accepted { id },
            Self::Refused(reason) => ToPage::Refused {
                id,
                reason: *reason,
                retry_after: None,
            },
            Self::Later(unavailable) => ToPage::Refused {
                id,
                reason: Reason::Unavailable,
                retry_after: Some(unavailable.retry_after.as_secs().max(1)),
            },
        }
    }
}

/// Checks a message and takes it in. When this says [`Outcome::Accepted`], it is durable.
pub(crate) async fn take(
    host: &dyn Host,
    channel: &ChannelId,
    citizen: &CitizenId,
    message: &PageMessage,
    media: Option<Media>,
) -> Outcome {
    if let Err(reason) = message.check(media.is_some()) {
        return Outcome::Refused(reason);
    }
    let location = message.location.clone().map(Attachment::Location);
    let now = host.now();
    let event = Event {
        id: visitor::event_id(citizen, &message.id),
        conversation: ConversationId::new(channel.clone(), citizen.clone()),
        sent_at: now,
        received_at: now,
        kind: EventKind::Message(Message {
            text: message.text.clone().filter(|text| !text.trim().is_empty()),
            payload: message.payload.clone(),
            attachments: media
                .map(Attachment::Media)
                .into_iter()
                .chain(location)
                .collect(),
            reply_to: None,
            referral: None,
            album: None,
        }),
    };
    match host.accept(vec![event]).await {
        Ok(acceptances) => match acceptances.first() {
            Some(Acceptance::Flooded) => Outcome::Refused(Reason::Flooded),
            Some(Acceptance::Stored | Acceptance::Duplicate) | None => Outcome::Accepted,
        },
        Err(unavailable) => Outcome::Later(unavailable),
    }
}
