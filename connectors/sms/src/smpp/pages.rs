//! Which parts our long messages went out in, as it is written down: receipts come for parts, days later
//! and to another replica, and news is told of whole messages.
//!
//! Messages of one part need no page: a receipt names them itself. The pages are a ring, each a document
//! of some kilobytes, so that what was just sent is written without all that waits. No number of a
//! citizen is in them: receipts bring it along.

use std::collections::HashMap;

use langnghe_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::journal::Kept;

/// How many pages there are.
pub(crate) const PAGES: usize = 16;
/// How many messages are on one: about 30 KB.
const MESSAGES: usize = 512;

/// A message in parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LongMessage {
    /// By what its parts are looked up, in their order.
    pub(crate) parts: Vec<String>,
    /// Which of them arrived.
    pub(crate) arrived: Vec<bool>,
    /// When it was taken.
    pub(crate) taken_at: Timestamp,
}

/// Messages by their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Page {
    pub(crate) messages: HashMap<String, LongMessage>,
}

impl Kept for Page {
    fn merge(&mut self, theirs: Self) {
        for (id, message) in theirs.messages {
            let ours = self.messages.entry(id).or_insert_with(|| message.clone());
            for (ours, theirs) in ours.arrived.iter_mut().zip(message.arrived) {
                *ours |= theirs;
            }
        }
    }
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Pages {
    all: Vec<Page>,
    /// Which differ from what is written.
    changed: [bool; PAGES],
    /// Which one is being filled.
    current: usize,
}

impl Default for Pages {
    fn default() -> Self {
        Self {
            all: vec![Page::default(); PAGES],
            changed: [false; PAGES],
            current: 0,
        }
    }
}

impl Pages {
    /// As they were written.
    pub(crate) fn read(mut pages: Vec<Page>) -> Self {
        pages.resize_with(PAGES, Page::default);
        let newest = |page: &Page| page.messages.values().map(|one| one.taken_at).max();
        let current = (0..PAGES).max_by_key(|place| newest(&pages[*place]));
        Self {
            all: pages,
            changed: [false; PAGES],
            current: current.unwrap_or_default(),
        }
    }

    /// Adds a message, in the place of the oldest ones where there is no room.
    pub(crate) fn add(&mut self, id: &str, message: LongMessage) {
        if self.all[self.current].messages.len() >= MESSAGES {
            self.current = (self.current + 1) % PAGES;
            self.all[self.current].messages.clear();
        }
        self.changed[self.current] = true;
        self.all[self.current]
            .messages
            .insert(id.to_owned(), message);
    }

    /// Whether a message is on one of them.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.all.iter().any(|page| page.messages.contains_key(id))
    }

    /// A part arrived.
    pub(crate) fn arrived(&mut self, id: &str, place: usize) {
        for (page, changed) in self.all.iter_mut().zip(&mut self.changed) {
            let part = page.messages.get_mut(id);
            if let Some(part) = part.and_then(|message| message.arrived.get_mut(place)) {
                *changed |= !*part;
                *part = true;
            }
        }
    }

    /// All is said of a message.
    pub(crate) fn remove(&mut self, id: &str) {
        for (page, changed) in self.all.iter_mut().zip(&mut self.changed) {
            *changed |= page.messages.remove(id).is_some();
        }
    }

    /// Forgets messages that were taken before a moment.
    pub(crate) fn expire(&mut self, before: Timestamp) {
        for (page, changed) in self.all.iter_mut().zip(&mut self.changed) {
            let count = page.messages.len();
            page.messages
                .retain(|_, message| message.taken_at >= before);
            *changed |= page.messages.len() < count;
        }
    }

    /// A page that is not written down as it is, and which one; it counts as written from now on.
    pub(crate) fn take_changed(&mut self) -> Option<(usize, Page)> {
        let place = self.changed.iter().position(|changed| *changed)?;
        self.changed[place] = false;
        Some((place, self.all[place].clone()))
    }

    /// It could not be written down.
    pub(crate) fn not_written(&mut self, place: usize) {
        self.changed[place] = true;
    }

    /// Every message on them.
    pub(crate) fn messages(&self) -> impl Iterator<Item = (&String, &LongMessage)> {
        self.all.iter().flat_map(|page| &page.messages)
    }
}
