//! What is known around an item, and how events are put together from it.

use std::collections::HashMap;

use langnghe_graph::wire::{Moment, Word, digest_id, name, whole_value};
use langnghe_model::{CitizenId, ConversationId, Event, EventId, EventKind, Timestamp};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{Config, NUMBER, recent::Recent};

/// What is known around an item.
pub(super) struct Scope<'a> {
    pub(super) config: &'a Config,
    pub(super) recent: &'a Recent,
    received_at: Timestamp,
    /// Names by phone number and by user id.
    names: HashMap<String, String>,
}

#[derive(Deserialize)]
struct WireContact<'a> {
    #[serde(borrow)]
    wa_id: Option<Word<'a>>,
    #[serde(borrow)]
    user_id: Option<Word<'a>>,
    profile: Option<WireProfile>,
}

#[derive(Deserialize)]
struct WireProfile {
    name: Option<String>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(config: &'a Config, recent: &'a Recent, received_at: Timestamp) -> Self {
        Self {
            config,
            recent,
            received_at,
            names: HashMap::new(),
        }
    }

    pub(super) fn with_contacts(&self, raws: &[&RawValue]) -> Self {
        let mut names = HashMap::new();
        for raw in raws {
            let Ok(contact) = serde_json::from_str::<WireContact<'_>>(raw.get()) else {
                continue;
            };
            let name = contact.profile.and_then(|profile| profile.name);
            let Some(name) = name.filter(|name| !name.trim().is_empty()) else {
                continue;
            };
            for id in [contact.wa_id, contact.user_id].into_iter().flatten() {
                names.insert(id.into_string(), name.clone());
            }
        }
        Self { names, ..*self }
    }

    pub(super) fn name_of(&self, citizen: &CitizenId) -> Option<&str> {
        self.names.get(citizen.as_str()).map(String::as_str)
    }

    /// The conversation with whoever has this phone number, else this user id; with the number itself
    /// where there is neither.
    pub(super) fn conversation(&self, ids: [Option<&Word<'_>>; 2]) -> ConversationId {
        let known = ids
            .into_iter()
            .flatten()
            .map(Word::as_str)
            .find(|id| !id.trim().is_empty());
        match known {
            // A number can come with its plus where people wrote it down.
            Some(id) => ConversationId::new(
                self.config.channel.clone(),
                CitizenId::new(id.trim().trim_start_matches('+')),
            ),
            None => self.number_itself(),
        }
    }

    pub(super) fn number_itself(&self) -> ConversationId {
        let number = &self.config.phone_number_id;
        ConversationId::new(
            self.config.channel.clone(),
            CitizenId::new(&format!("{NUMBER}{number}")),
        )
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
            sent_at: moment
                .and_then(Moment::timestamp)
                .unwrap_or(self.received_at),
            received_at: self.received_at,
            kind,
        }
    }

    /// Something that is not known, with nobody to answer.
    pub(super) fn unknown(&self, kind: &str, raw: &str) -> Event {
        self.unknown_from(kind, raw, self.number_itself(), None, None)
    }

    /// Something that is not known, from somebody who is.
    pub(super) fn unknown_from(
        &self,
        kind: &str,
        raw: &str,
        conversation: ConversationId,
        moment: Option<Moment>,
        id: Option<&Word<'_>>,
    ) -> Event {
        let kind = EventKind::Unknown {
            name: name(kind).to_owned(),
            raw: whole_value(raw),
        };
        let id = id.map_or_else(|| digest_id("unknown", raw), |id| id.as_str().to_owned());
        self.event(id, conversation, moment, kind)
    }
}
