//! A stand-in for Telegram's Bot API, as strict as the reference: updates stay until they are
//! confirmed, one program may ask for them, limits are counted, and whatever Telegram would not take
//! makes the test fail at its end.

mod check;
mod citizen;
mod deliver;
mod limits;
mod serve;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde_json::Value;
use tokio::{sync::watch, task::JoinHandle};

pub use self::citizen::TelegramCitizen;
use self::limits::Limits;
use crate::{Installation, served::Served, wait};

/// The bot's token.
pub const TOKEN: &str = "700700:AAstand-in_token-0b5f27c3d1";
/// What deliveries bear.
pub const WEBHOOK_SECRET: &str = "telegram-webhook-secret-7c1";

/// The running stand-in. Its servers end when it is dropped, and then all that was wrong with what it
/// was sent is told.
#[derive(Debug)]
pub struct Telegram {
    state: Arc<State>,
    served: Served,
    delivery: JoinHandle<()>,
}

/// A message of the bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// To whom.
    pub chat: i64,
    /// Its number in the chat.
    pub message_id: i64,
    /// `sendmessage`, `sendphoto` …
    pub method: String,
    /// Its words.
    pub text: String,
    /// Where its file lies, if it has one.
    pub file: Option<String>,
    /// Its keyboard.
    pub markup: Markup,
}

/// What can be tapped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Markup {
    /// Nothing.
    #[default]
    None,
    /// Buttons under the message: label and payload.
    Inline(Vec<(String, String)>),
    /// Buttons in the place of the letters: label, and what it asks for (`location`, `contact`).
    Keyboard(Vec<(String, Option<&'static str>)>),
    /// The buttons in the place of the letters go away.
    Remove,
}

#[derive(Debug)]
struct State {
    book: Mutex<Book>,
    /// Counts what wakes a waiting poll or delivery.
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Book {
    next_update: i64,
    /// Updates that are not confirmed.
    queue: VecDeque<(i64, Value)>,
    /// How often each update was given out.
    given: BTreeMap<i64, usize>,
    /// The newest poll: an older one is sent away.
    newest_poll: u64,
    polls: u64,
    webhook: Option<Webhook>,
    said: Vec<Said>,
    chats: HashMap<i64, Chat>,
    files: BTreeMap<String, Vec<u8>>,
    /// Presses that nobody answered yet.
    unanswered: BTreeSet<String>,
    /// What was shown to those who pressed.
    notices: Vec<String>,
    limits: Limits,
    violations: Vec<String>,
}

#[derive(Clone, Debug)]
struct Webhook {
    url: String,
    secret: String,
}

#[derive(Debug, Default)]
struct Chat {
    next_message: i64,
    blocked: bool,
    profile: Value,
    /// The buttons that now stand in the place of the letters.
    keyboard: Option<Vec<(String, Option<&'static str>)>>,
}

impl State {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self) {
        self.changed.send_modify(|count| *count += 1);
    }

    fn violation(&self, what: impl Into<String>) {
        self.book().violations.push(what.into());
    }
}

impl Telegram {
    /// Starts one on the running runtime.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn start() -> Self {
        let book = Book {
            next_update: 870_000_001,
            ..Book::default()
        };
        let state = Arc::new(State {
            book: Mutex::new(book),
            changed: watch::Sender::new(0),
        });
        let served = Served::start(serve::routes(Arc::clone(&state))).await;
        let delivery = tokio::spawn(deliver::run(Arc::clone(&state)));
        Self {
            state,
            served,
            delivery,
        }
    }

    /// What `api_base` is to be.
    pub fn api_base(&self) -> String {
        self.served.url()
    }

    /// Adds a channel of the kind `telegram` to an installation; `webhook` says how updates come.
    pub fn channel(&self, installation: &mut Installation, id: &str, webhook: bool) {
        for secret in [TOKEN, WEBHOOK_SECRET] {
            installation.private(secret);
        }
        installation.environment("BOT_TOKEN", TOKEN);
        installation.environment("BOT_SECRET", WEBHOOK_SECRET);
        let mut table = toml::toml! {
            kind = "telegram"
            token = "env:BOT_TOKEN"
            webhook_secret = "env:BOT_SECRET"
            allow_private = true
            poll = "5s"
        };
        let mode = if webhook { "webhook" } else { "polling" };
        table.insert("mode".to_owned(), mode.into());
        installation.channel(id, table, &[("api_base", &self.api_base())]);
    }

    /// A citizen who has not written yet.
    pub fn citizen(&self, installation: &Installation) -> TelegramCitizen {
        TelegramCitizen::new(Arc::clone(&self.state), installation)
    }

    /// Sets the webhook as the Bot API would at `setWebhook`.
    pub fn set_webhook(&self, url: &str) {
        self.state.book().webhook = Some(Webhook {
            url: url.to_owned(),
            secret: WEBHOOK_SECRET.to_owned(),
        });
        self.state.wake();
    }

    /// The webhook's address, where one is set.
    pub fn webhook(&self) -> Option<String> {
        let book = self.state.book();
        book.webhook.as_ref().map(|webhook| webhook.url.clone())
    }

    /// How many updates are not confirmed.
    pub fn pending(&self) -> usize {
        self.state.book().queue.len()
    }

    /// How many updates were given out more than once.
    pub fn given_again(&self) -> usize {
        let book = self.state.book();
        book.given.values().filter(|count| **count > 1).count()
    }

    /// How often it was polled.
    pub fn polls(&self) -> u64 {
        self.state.book().polls
    }

    /// How many presses wait for their answer.
    pub fn unanswered(&self) -> usize {
        self.state.book().unanswered.len()
    }

    /// What was shown to those who pressed, in order.
    pub fn notices(&self) -> Vec<String> {
        self.state.book().notices.clone()
    }

    /// How many calls were refused as too many.
    pub fn throttled(&self) -> usize {
        self.state.book().limits.throttled
    }

    /// What the bot said to one chat, in order.
    pub fn said_to(&self, chat: i64) -> Vec<Said> {
        let book = self.state.book();
        let said = book.said.iter().filter(|said| said.chat == chat);
        said.cloned().collect()
    }

    /// What was wrong with what it was sent. A test that expects something wrong takes it away with
    /// this.
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.state.book().violations)
    }

    /// Waits until every press has its answer and every update is confirmed.
    pub async fn settled(&self) {
        wait::until(
            "updates confirmed, presses answered",
            wait::SOON,
            async || self.pending() == 0 && self.unanswered() == 0,
        )
        .await;
    }
}

impl Drop for Telegram {
    fn drop(&mut self) {
        self.delivery.abort();
        let violations = self.take_violations();
        if !std::thread::panicking() {
            assert!(
                violations.is_empty(),
                "the Bot API was used wrongly: {violations:#?}"
            );
        }
    }
}
