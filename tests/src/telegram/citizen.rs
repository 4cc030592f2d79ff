//! A citizen on Telegram.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use serde_json::{Value, json};

use super::{Markup, Said, State};
use crate::{Installation, clock, wait};

/// A citizen on Telegram, who sees what the bot says and what can be tapped.
#[derive(Clone, Debug)]
pub struct TelegramCitizen {
    /// Their number, which is their private chat's too.
    pub id: i64,
    state: Arc<State>,
    /// How many of the bot's messages they have read.
    seen: usize,
}

impl TelegramCitizen {
    pub(super) fn new(state: Arc<State>, installation: &Installation) -> Self {
        static NEXT: AtomicI64 = AtomicI64::new(6_100_000_000_001);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        installation.private(&id.to_string());
        Self { id, state, seen: 0 }
    }

    /// Writes something; gives the message's number.
    pub fn says(&self, text: &str) -> i64 {
        self.sends(json!({ "text": text }))
    }

    /// Sends a message of these parts.
    pub fn sends(&self, parts: Value) -> i64 {
        let mut message = parts;
        let number = self.number();
        self.envelope(&mut message, number);
        self.push("message", &message);
        number
    }

    /// Changes a message.
    pub fn edits(&self, number: i64, text: &str) {
        let mut message = json!({ "text": text, "edit_date": now() });
        self.envelope(&mut message, number);
        self.push("edited_message", &message);
    }

    /// Sends these pictures as an album, whose words stand at the first.
    pub fn sends_album(&self, words: &str, pictures: &[&[u8]]) {
        let album = self.number().to_string();
        for (place, bytes) in pictures.iter().enumerate() {
            let file = format!("AgAC{}-{album}-{place}", self.id);
            self.state.book().files.insert(file.clone(), bytes.to_vec());
            let mut message = json!({
                "media_group_id": album,
                "photo": [
                    { "file_id": format!("{file}s"), "file_unique_id": "s", "width": 90, "height": 67 },
                    { "file_id": file, "file_unique_id": "l", "width": 1280, "height": 960,
                      "file_size": bytes.len() },
                ],
            });
            if place == 0 && !words.is_empty() {
                message["caption"] = words.into();
            }
            self.sends(message);
        }
    }

    /// Shares where they are by the button for it.
    ///
    /// # Panics
    /// When there is no such button now.
    pub fn shares_place(&self, latitude: f64, longitude: f64) {
        self.needs_button("location");
        self.sends(
            json!({ "location": { "latitude": latitude, "longitude": longitude,
            "horizontal_accuracy": 8.5 } }),
        );
    }

    /// Shares their own number by the button for it.
    ///
    /// # Panics
    /// When there is no such button now.
    pub fn shares_number(&self, number: &str) {
        self.needs_button("contact");
        self.sends(
            json!({ "contact": { "phone_number": number, "first_name": "An",
            "user_id": self.id } }),
        );
    }

    /// Presses the button with these words under the newest message that has buttons.
    ///
    /// # Panics
    /// When there is none.
    pub fn presses(&self, words: &str) {
        let said = self.said();
        let newest = said.iter().rev().find_map(|said| match &said.markup {
            Markup::Inline(buttons) => Some((said, buttons)),
            _ => None,
        });
        let (said, buttons) = newest.expect("something to press");
        let (_, data) = buttons
            .iter()
            .find(|(label, _)| label.contains(words))
            .unwrap_or_else(|| panic!("no {words:?} among {buttons:?}"));
        let rows: Vec<Value> = buttons
            .iter()
            .map(|(label, data)| json!([{ "text": label, "callback_data": data }]))
            .collect();
        let id = format!("{}{}", self.id, self.number());
        self.state.book().unanswered.insert(id.clone());
        let press = json!({
            "id": id,
            "from": self.person(),
            "chat_instance": "-1",
            "data": data,
            "message": {
                "message_id": said.message_id, "date": now(), "text": said.text,
                "from": { "id": 700_700, "is_bot": true, "first_name": "Góp ý" },
                "chat": { "id": self.id, "type": "private", "first_name": "An" },
                "reply_markup": { "inline_keyboard": rows },
            },
        });
        self.push("callback_query", &press);
    }

    /// Blocks the bot, or lets it write again.
    pub fn blocks(&self, blocked: bool) {
        let (old, new) = if blocked {
            ("member", "kicked")
        } else {
            ("kicked", "member")
        };
        self.state.book().chats.entry(self.id).or_default().blocked = blocked;
        let bot = json!({ "id": 700_700, "is_bot": true, "first_name": "Góp ý" });
        self.push(
            "my_chat_member",
            &json!({
                "chat": { "id": self.id, "type": "private", "first_name": "An" },
                "from": self.person(), "date": now(),
                "old_chat_member": { "user": bot, "status": old },
                "new_chat_member": { "user": bot, "status": new },
            }),
        );
    }

    /// The buttons in the place of the letters, if there are any.
    pub fn keyboard(&self) -> Option<Vec<String>> {
        let book = self.state.book();
        let buttons = book.chats.get(&self.id)?.keyboard.as_ref()?;
        Some(buttons.iter().map(|(label, _)| label.clone()).collect())
    }

    /// What the bot said to them, in order.
    pub fn said(&self) -> Vec<Said> {
        let book = self.state.book();
        let said = book.said.iter().filter(|said| said.chat == self.id);
        said.cloned().collect()
    }

    /// Waits for a message with these words, after all that were expected before.
    pub async fn expects(&mut self, words: &str) -> Said {
        let what = format!("a reply with {words:?} after {} others", self.seen);
        let (place, said) = wait::for_some(&what, wait::SOON, async || {
            let said = self.said().into_iter().enumerate().skip(self.seen);
            let mut said = said;
            said.find(|(_, said)| said.text.contains(words))
        })
        .await;
        self.seen = place + 1;
        said
    }

    /// The button must be there; once it is used, phones hide the keyboard that goes away by itself.
    fn needs_button(&self, asks: &str) {
        let mut book = self.state.book();
        let chat = book.chats.entry(self.id).or_default();
        let keyboard = chat.keyboard.take();
        let buttons = keyboard.iter().flatten();
        let there = buttons.clone().any(|(_, what)| *what == Some(asks));
        assert!(
            there,
            "no button for {asks}: {:?}",
            buttons.collect::<Vec<_>>()
        );
    }

    fn number(&self) -> i64 {
        let mut book = self.state.book();
        let chat = book.chats.entry(self.id).or_default();
        chat.next_message += 1;
        chat.next_message
    }

    fn person(&self) -> Value {
        json!({ "id": self.id, "is_bot": false, "first_name": "An", "language_code": "vi" })
    }

    fn envelope(&self, message: &mut Value, number: i64) {
        message["message_id"] = number.into();
        message["date"] = now().into();
        message["from"] = self.person();
        message["chat"] = json!({ "id": self.id, "type": "private", "first_name": "An" });
    }

    fn push(&self, kind: &str, part: &Value) {
        let mut book = self.state.book();
        let chat = book.chats.entry(self.id).or_default();
        if chat.profile.is_null() {
            chat.profile = json!({ "first_name": "An" });
        }
        let id = book.next_update;
        book.next_update += 1;
        book.queue
            .push_back((id, json!({ "update_id": id, kind: part })));
        drop(book);
        self.state.wake();
    }
}

/// Now, as Telegram writes it.
fn now() -> u64 {
    clock::milliseconds() / 1000
}
