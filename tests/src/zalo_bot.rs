//! A stand-in for the Zalo Bot Platform, as strict as the reference: each update is given once, method
//! names have their case, refusals come with the status 200, and whatever the platform would not take
//! makes the test fail at its end. Webhooks come in turn with and without the wrapper around them:
//! both were seen.

mod citizen;
mod serve;

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{sync::watch, task::JoinHandle};

pub use self::citizen::ZaloBotCitizen;
use crate::{Installation, http, served::Served, wait};

/// The bot's token.
pub const TOKEN: &str = "12345689:stand-in-zalo_bot-5f27c3d1";
/// What deliveries bear.
pub const WEBHOOK_SECRET: &str = "zalo-bot-webhook-secret-7c1";
/// How long a delivery that was not taken waits.
const AGAIN: Duration = Duration::from_millis(100);

/// The running stand-in. Its servers end when it is dropped, and then all that was wrong with what it
/// was sent is told.
#[derive(Debug)]
pub struct ZaloBotPlatform {
    state: Arc<State>,
    served: Served,
    delivery: JoinHandle<()>,
}

/// A message of the bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZaloBotSaid {
    /// To whom.
    pub chat: String,
    /// Its words.
    pub text: String,
    /// Where its picture lies, if it has one.
    pub photo: Option<String>,
}

#[derive(Debug)]
struct State {
    book: Mutex<Book>,
    changed: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Book {
    queue: VecDeque<Value>,
    webhook: Option<String>,
    delivered: usize,
    said: Vec<ZaloBotSaid>,
    chats: HashSet<String>,
    pictures: BTreeMap<String, Vec<u8>>,
    violations: Vec<String>,
}

impl State {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn violation(&self, what: impl Into<String>) {
        self.book().violations.push(what.into());
    }

    fn wake(&self) {
        self.changed.send_modify(|count| *count += 1);
    }
}

impl ZaloBotPlatform {
    /// Starts one on the running runtime.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn start() -> Self {
        let state = Arc::new(State {
            book: Mutex::default(),
            changed: watch::Sender::new(0),
        });
        let served = Served::start(serve::routes(Arc::clone(&state))).await;
        let delivery = tokio::spawn(deliver(Arc::clone(&state)));
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

    /// Adds a channel of the kind `zalo-bot` to an installation.
    pub fn channel(&self, installation: &mut Installation, id: &str, webhook: bool) {
        for secret in [TOKEN, WEBHOOK_SECRET] {
            installation.private(secret);
        }
        installation.environment("ZALO_BOT_TOKEN", TOKEN);
        installation.environment("ZALO_BOT_SECRET", WEBHOOK_SECRET);
        let mut table = toml::toml! {
            kind = "zalo-bot"
            token = "env:ZALO_BOT_TOKEN"
            webhook_secret = "env:ZALO_BOT_SECRET"
            allow_private = true
            poll = "5s"
        };
        let mode = if webhook { "webhook" } else { "polling" };
        table.insert("mode".to_owned(), mode.into());
        table.insert("media_hosts".to_owned(), vec![self.api_base()].into());
        installation.channel(id, table, &[("api_base", &self.api_base())]);
    }

    /// A citizen who has not written yet.
    pub fn citizen(&self, installation: &Installation) -> ZaloBotCitizen {
        ZaloBotCitizen::new(Arc::clone(&self.state), self.api_base(), installation)
    }

    /// Sets the webhook, as `setWebhook` does for public addresses.
    pub fn set_webhook(&self, url: &str) {
        self.state.book().webhook = Some(url.to_owned());
        self.state.wake();
    }

    /// How many updates nobody took yet.
    pub fn pending(&self) -> usize {
        self.state.book().queue.len()
    }

    /// Waits until every update is taken.
    pub async fn settled(&self) {
        wait::until("updates taken", wait::SOON, async || self.pending() == 0).await;
    }

    /// What was wrong with what it was sent.
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.state.book().violations)
    }
}

impl Drop for ZaloBotPlatform {
    fn drop(&mut self) {
        self.delivery.abort();
        let violations = self.take_violations();
        if !std::thread::panicking() {
            assert!(
                violations.is_empty(),
                "the Zalo Bot Platform was used wrongly: {violations:#?}"
            );
        }
    }
}

/// Delivers to the webhook while one is set, each update until it is answered 200.
async fn deliver(state: Arc<State>) {
    let client = http::client();
    let mut changed = state.changed.subscribe();
    loop {
        changed.mark_unchanged();
        let next = {
            let book = state.book();
            book.webhook.clone().zip(book.queue.front().cloned())
        };
        let Some((url, update)) = next else {
            if changed.changed().await.is_err() {
                return;
            }
            continue;
        };
        let wrapped = state.book().delivered.is_multiple_of(2);
        let body = if wrapped {
            json!({ "ok": true, "result": update })
        } else {
            update
        };
        let posted = client
            .post(&url)
            .header("content-type", "application/json")
            .header("x-bot-api-secret-token", WEBHOOK_SECRET)
            .body(body.to_string())
            .send()
            .await;
        match posted.map(|answer| answer.status().as_u16()) {
            Ok(200) => {
                let mut book = state.book();
                book.delivered += 1;
                book.queue.pop_front();
            }
            Ok(status @ 400..500) => {
                state.violation(format!("a delivery was answered {status}"));
                tokio::time::sleep(AGAIN).await;
            }
            _ => tokio::time::sleep(AGAIN).await,
        }
    }
}
