//! What is known around an item, and how events are put together from it.

pub(super) use langnghe_graph::wire::{digest_id, value};
use langnghe_graph::wire::{name, whole_value};
use langnghe_model::{ChannelId, CitizenId, ConversationId, Event, EventId, EventKind, Timestamp};
use serde::Deserialize;

use super::wire::{Entry, Item, Moment, Party, Word};
use crate::{Config, PAGE, USER_REF};

/// Which list of an entry an item stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Ours to answer.
    Messaging,
    /// Somebody else holds the thread.
    Standby,
}

/// What is known around an item.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    channel: &'a ChannelId,
    /// The Page that the channel is, if the configuration says so.
    configured_page: Option<&'a str>,
    pub(super) own_app: Option<&'a str>,
    received_at: Timestamp,
    page: Option<&'a str>,
    entry_time: Option<Timestamp>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(config: &'a Config, received_at: Timestamp) -> Self {
        Self {
            channel: &config.channel,
            configured_page: config.page_id.as_deref(),
            own_app: config.app_id.as_deref(),
            received_at,
            page: None,
            entry_time: None,
        }
    }

    pub(super) fn of_entry<'b>(&self, entry: &'b Entry<'_>) -> Scope<'b>
    where
        'a: 'b,
    {
        Scope {
            page: entry.id.as_ref().map(Word::as_str),
            entry_time: entry.time.and_then(Moment::timestamp),
            ..*self
        }
    }

    /// Whether the entry speaks of a Page that this channel is not.
    pub(super) fn is_foreign(&self) -> bool {
        matches!((self.configured_page, self.page), (Some(ours), Some(page)) if ours != page)
    }

    /// Whether `party` is the Page itself.
    pub(super) fn is_page(&self, party: Option<&Party<'_>>) -> bool {
        let id = party.and_then(|party| party.id.as_ref()).map(Word::as_str);
        id.is_some() && id == self.page
    }

    /// The conversation with a citizen; with the Page itself where there is no citizen.
    pub(super) fn conversation(&self, citizen: Option<&Party<'_>>) -> ConversationId {
        let citizen = match citizen {
            Some(Party { id: Some(id), .. }) => CitizenId::new(id.as_str()),
            Some(Party {
                user_ref: Some(reference),
                ..
            }) => CitizenId::new(&format!("{USER_REF}{}", reference.as_str())),
            _ => return self.page_itself(),
        };
        ConversationId::new(self.channel.clone(), citizen)
    }

    fn page_itself(&self) -> ConversationId {
        let page = self.page.or(self.configured_page).unwrap_or("unknown");
        ConversationId::new(
            self.channel.clone(),
            CitizenId::new(&format!("{PAGE}{page}")),
        )
    }

    /// When an item happened: by its own time, else the entry's, else now.
    pub(super) fn time(&self, moment: Option<Moment>) -> Timestamp {
        moment
            .and_then(Moment::timestamp)
            .or(self.entry_time)
            .unwrap_or(self.received_at)
    }

    pub(super) fn event(
        &self,
        id: String,
        conversation: ConversationId,
        moment: Option<Moment>,
        kind: EventKind,
    ) -> Event {
        Event {
            id: EventId::new(id),
            conversation,
            sent_at: self.time(moment),
            received_at: self.received_at,
            kind,
        }
    }

    /// Something that is not known, with nobody to answer.
    pub(super) fn unknown(&self, kind: &str, raw: &str) -> Event {
        self.unknown_from(kind, raw, self.page_itself(), None)
    }

    /// Something that is not known, from somebody who is.
    pub(super) fn unknown_item(&self, kind: &str, raw: &str, item: &Item<'_>) -> Event {
        let party = if self.is_page(item.sender.as_ref()) {
            &item.recipient
        } else {
            &item.sender
        };
        self.unknown_from(kind, raw, self.conversation(party.as_ref()), item.timestamp)
    }

    fn unknown_from(
        &self,
        kind: &str,
        raw: &str,
        conversation: ConversationId,
        moment: Option<Moment>,
    ) -> Event {
        let kind = EventKind::Unknown {
            name: name(kind).to_owned(),
            raw: whole_value(raw),
        };
        self.event(digest_id("unknown", raw), conversation, moment, kind)
    }

    /// A change of something on the Page that is no message: a comment, a post, a lead.
    pub(super) fn change(&self, raw: &str) -> Event {
        #[derive(Deserialize)]
        struct Change<'a> {
            #[serde(borrow)]
            field: Word<'a>,
        }
        let field = serde_json::from_str::<Change<'_>>(raw).map(|change| change.field);
        let kind = field.map_or_else(
            |_| "changes".to_owned(),
            |field| format!("changes.{}", field.name()),
        );
        self.unknown(&kind, raw)
    }
}
