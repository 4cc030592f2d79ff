//! A citizen who writes to a Zalo bot.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use serde_json::{Value, json};

use super::{State, ZaloBotSaid};
use crate::{Installation, clock, wait};

/// A citizen who writes to a Zalo bot.
#[derive(Clone, Debug)]
pub struct ZaloBotCitizen {
    /// Their id, which is their chat's too.
    pub id: String,
    state: Arc<State>,
    base: String,
    /// How many of the bot's messages they have read.
    seen: usize,
}

impl ZaloBotCitizen {
    pub(super) fn new(state: Arc<State>, base: String, installation: &Installation) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0x6ede_9afa_66b8_0001);
        let id = format!("{:016x}6a9f", NEXT.fetch_add(1, Ordering::Relaxed));
        installation.private(&id);
        Self {
            id,
            state,
            base,
            seen: 0,
        }
    }

    /// Writes something.
    pub fn says(&self, text: &str) {
        self.push("message.text.received", json!({ "text": text }));
    }

    /// Sends a picture.
    pub fn sends_picture(&self, words: &str, bytes: &[u8]) {
        let mut book = self.state.book();
        let name = format!("{}-{}.jpg", self.id, book.pictures.len());
        book.pictures.insert(name.clone(), bytes.to_vec());
        drop(book);
        let photo = format!("{}/pictures/{name}", self.base);
        self.push(
            "message.image.received",
            json!({ "photo": photo, "caption": words }),
        );
    }

    /// Sends something that the platform does not pass on.
    pub fn sends_unsupported(&self) {
        self.push("message.unsupported.received", json!({}));
    }

    /// What the bot said to them, in order.
    pub fn said(&self) -> Vec<ZaloBotSaid> {
        let book = self.state.book();
        let said = book.said.iter().filter(|said| said.chat == self.id);
        said.cloned().collect()
    }

    /// Waits for a message with these words, after all that were expected before.
    pub async fn expects(&mut self, words: &str) -> ZaloBotSaid {
        let what = format!("a reply with {words:?} after {} others", self.seen);
        let (place, said) = wait::for_some(&what, wait::SOON, async || {
            let mut said = self.said().into_iter().enumerate().skip(self.seen);
            said.find(|(_, said)| said.text.contains(words))
        })
        .await;
        self.seen = place + 1;
        said
    }

    fn push(&self, event: &str, parts: Value) {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut message = parts;
        message["message_id"] = format!("2d758cb5e222{number:08x}").into();
        message["date"] = clock::milliseconds().into();
        message["from"] = json!({ "id": self.id, "display_name": "An", "is_bot": false });
        message["chat"] = json!({ "id": self.id, "chat_type": "PRIVATE" });
        let mut book = self.state.book();
        book.chats.insert(self.id.clone());
        book.queue
            .push_back(json!({ "event_name": event, "message": message }));
        drop(book);
        self.state.wake();
    }
}
