//! A stand-in for Zalo: tokens with refresh tokens that are used once, consultation messages, template
//! messages, uploads, profiles, media, and webhooks signed over their bytes. As strict as the reference:
//! whatever it is sent that Zalo would not take makes the test fail at its end.

mod check;
mod serve;
mod tokens;
pub mod webhook;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

pub use self::{tokens::Hold, webhook::ZaloCitizen};
use crate::{Installation, served::Served, wait};

/// The app's id.
pub const APP_ID: &str = "1000000000000000001";
/// The account's id.
pub const OA_ID: &str = "4000000000000000004";
/// The app's secret key.
pub const APP_SECRET: &str = "app-secret-8e1c55f0";
/// The account's secret key, which signs webhooks.
pub const OA_SECRET: &str = "oa-secret-7d20b6aa";
/// The refresh token that an operator made by hand.
pub const FIRST_TOKEN: &str = "refresh-first-51fe";

/// The running stand-in. Its server ends when it is dropped, and then all that was wrong with what it
/// was sent is told.
#[derive(Debug)]
pub struct Zalo {
    state: Arc<State>,
    served: Served,
}

/// One message that was taken.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// To whom: a user's id, or a phone number.
    pub recipient: String,
    /// The id that the stand-in gave it.
    pub message_id: String,
    /// Its words; empty where it has none.
    pub text: String,
    /// The message as it came.
    pub message: Value,
}

#[derive(Debug)]
struct State {
    book: Mutex<Book>,
    tokens: tokens::Desk,
}

#[derive(Debug, Default)]
struct Book {
    taken: Vec<Taken>,
    violations: Vec<String>,
    /// Codes that the next messages are refused with.
    refusals: Vec<i64>,
    /// Codes that the next template messages are refused with.
    template_refusals: Vec<i64>,
    /// With which access token profiles were asked for, and whether it was good.
    profiles: Vec<(String, bool)>,
    uploads: u64,
    /// Where echoes of what was taken go.
    echoes: Option<String>,
    numbers: u64,
}

impl State {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn violation(&self, what: impl Into<String>) {
        let mut book = self.book();
        if book.violations.len() < 100 {
            book.violations.push(what.into());
        }
    }
}

impl Zalo {
    /// Starts one on the running runtime.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn start() -> Self {
        let state = Arc::new(State {
            book: Mutex::default(),
            tokens: tokens::Desk::new(FIRST_TOKEN),
        });
        let served = Served::start(serve::routes(Arc::clone(&state))).await;
        Self { state, served }
    }

    /// What all the bases are to be.
    pub fn base(&self) -> String {
        self.served.url()
    }

    /// Where a picture lies that a citizen sent.
    pub fn picture(&self) -> String {
        format!("{}/media/picture.jpg", self.base())
    }

    /// How long access tokens live from now on, in seconds.
    pub fn token_life(&self, seconds: u64) {
        self.state.tokens.book().life = seconds;
    }

    /// Holds the next request for tokens.
    pub fn hold(&self, when: Hold) {
        self.state.tokens.book().hold = Some(when);
    }

    /// Waits until a request for tokens is held.
    ///
    /// # Panics
    /// When none comes soon.
    pub async fn held(&self) {
        wait::until("a request for tokens is held", wait::SOON, async || {
            self.state.tokens.book().held
        })
        .await;
    }

    /// Lets the held request go on.
    pub fn release(&self) {
        self.state.tokens.book().hold = None;
    }

    /// How many pairs of tokens were given out.
    pub fn pairs(&self) -> usize {
        self.state.tokens.book().pairs
    }

    /// How often a refresh token came that was used before.
    pub fn reused(&self) -> usize {
        self.state.tokens.book().reused
    }

    /// Lets an administrator consent: gives the code that the browser brings back, for the challenge in
    /// the address.
    ///
    /// # Panics
    /// When the address is no consent of our app's.
    pub fn consent(&self, address: &str) -> String {
        self.state.tokens.consent(address)
    }

    /// Refuses the next message with this code.
    pub fn refuse_next(&self, code: i64) {
        self.state.book().refusals.push(code);
    }

    /// Refuses the next template message with this code.
    pub fn refuse_next_template(&self, code: i64) {
        self.state.book().template_refusals.push(code);
    }

    /// Sends echoes of what is taken to this webhook.
    pub fn echo_to(&self, installation: &Installation) {
        self.state.book().echoes = Some(installation.url("/webhooks/oa"));
    }

    /// With which access token profiles were asked for, and whether it was good.
    pub fn profiles(&self) -> Vec<(String, bool)> {
        self.state.book().profiles.clone()
    }

    /// What was taken for one citizen, in order.
    pub fn taken_for(&self, citizen: &str) -> Vec<Taken> {
        let book = self.state.book();
        let own = book.taken.iter().filter(|taken| taken.recipient == citizen);
        own.cloned().collect()
    }

    /// Waits until a citizen was told something with these words, after `seen` other messages; gives
    /// their place and the text.
    ///
    /// # Panics
    /// When it does not come soon.
    pub async fn wait_for(&self, citizen: &str, seen: usize, words: &str) -> (usize, String) {
        let what = format!("a message with {words:?} after {seen} others");
        wait::for_some(&what, wait::SOON, async || {
            let taken = self.taken_for(citizen).into_iter().enumerate().skip(seen);
            taken
                .map(|(place, taken)| (place, taken.text))
                .find(|(_, text)| text.contains(words))
        })
        .await
    }

    /// What was wrong with what it was sent. A test that expects something wrong takes it away with this.
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.state.book().violations)
    }

    /// Adds the channel `oa` to an installation.
    pub fn channel(&self, installation: &mut Installation) {
        for secret in [APP_SECRET, OA_SECRET, FIRST_TOKEN] {
            installation.private(secret);
        }
        installation
            .environment("OA_APP_SECRET", APP_SECRET)
            .environment("OA_SECRET", OA_SECRET)
            .environment("OA_REFRESH_TOKEN", FIRST_TOKEN);
        let base = self.base();
        let mut channel = toml::toml! {
            id = "oa"
            kind = "zalo"
            app_secret = "env:OA_APP_SECRET"
            oa_secret = "env:OA_SECRET"
            refresh_token = "env:OA_REFRESH_TOKEN"
            allow_private = true
            profile = false
        };
        for (key, value) in [
            ("app_id", APP_ID),
            ("oa_id", OA_ID),
            ("api_base", &base),
            ("oauth_base", &base),
            ("zns_base", &base),
        ] {
            channel.insert(key.to_owned(), value.into());
        }
        channel.insert("media_hosts".to_owned(), vec![base].into());
        installation.add_channel(channel);
    }
}

impl Drop for Zalo {
    fn drop(&mut self) {
        let violations = self.take_violations();
        if !std::thread::panicking() {
            assert!(
                violations.is_empty(),
                "Zalo was used wrongly: {violations:#?}"
            );
        }
    }
}
