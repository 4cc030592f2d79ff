//! A stand-in for WhatsApp's Cloud API, as strict as the reference: version, token, proof, shapes and
//! limits are checked, the window and the pair limit are kept, media lie behind links that run out, and
//! statuses come back as signed webhooks. What it would never take makes the test fail at its end.

mod check;
mod citizen;
mod serve;
mod statuses;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use tokio::{sync::mpsc, task::JoinHandle};

pub use self::citizen::Person;
use crate::{
    installation::{ACCESS_TOKEN, APP_SECRET},
    served::Served,
    wait,
};

/// The version that paths must name.
const VERSION: &str = "v26.0";

/// The number, as Meta names it.
pub const NUMBER: &str = "106540352242922";

/// The account that the number is of.
pub const ACCOUNT: &str = "102290129340398";

/// How long a link to a medium lives.
const LINK: Duration = Duration::from_mins(5);

/// The running stand-in.
#[derive(Debug)]
pub struct WhatsApp {
    state: Arc<State>,
    served: Served,
    poster: JoinHandle<()>,
}

/// What was said to a citizen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Their phone number without plus, or their user id.
    pub recipient: String,
    /// The id that the stand-in gave it.
    pub message_id: String,
    /// The sender's own id of it.
    pub own_id: String,
    /// What kind of message: `text`, `button`, `list`, `location_request_message`, `image`, …
    pub kind: String,
    /// Its words; of a template its parameters, a line each.
    pub text: String,
    /// Title and id of each button or row.
    pub choices: Vec<(String, String)>,
}

/// How the stand-in meets messages to citizens who have not written for a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Closed {
    /// Refuses them with 131047.
    #[default]
    AtOnce,
    /// Takes them, and says `failed` with 131047 later.
    Later,
}

#[derive(Debug)]
struct State {
    authorization: String,
    proof: String,
    next_id: AtomicU64,
    book: Mutex<Book>,
    statuses: mpsc::Sender<Value>,
    /// Whether these wait.
    held: AtomicBool,
    /// How many are still to be told.
    untold: AtomicU64,
}

#[derive(Debug, Default)]
struct Book {
    taken: Vec<Taken>,
    violations: Vec<String>,
    /// Messages that citizens wrote, which may be marked as read: id and writer.
    inbound: HashMap<String, String>,
    /// Whose window is closed, and how that is met.
    closed: HashMap<String, Closed>,
    /// The same, whatever they write.
    shut: HashMap<String, Closed>,
    /// With which codes the next messages to a citizen fail, after they were taken.
    failures: HashMap<String, VecDeque<i64>>,
    /// What was taken and failed, in order.
    failed: Vec<Taken>,
    /// What is approved: name and language, and the names of the gaps of its body.
    templates: HashMap<(String, String), Vec<String>>,
    /// With which code templates are refused.
    template_refusal: Option<i64>,
    /// By how much an answer comes later than the news of what became of the message.
    lag: Duration,
    /// How many more messages the pair limit lets through at once, and when that was counted.
    pairs: HashMap<String, (f64, Instant)>,
    pair_refusals: u64,
    /// Media by their ids.
    media: HashMap<String, Medium>,
    /// Links by their secret part: the medium, and when they were given out.
    links: HashMap<String, (String, Instant)>,
    /// Media that were fetched whole.
    fetched: Vec<String>,
    marked_read: Vec<String>,
    /// The address that was set as webhook.
    webhook: Option<String>,
}

#[derive(Clone, Debug)]
struct Medium {
    content_type: String,
    bytes: Vec<u8>,
}

impl State {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn new_id(&self, prefix: &str) -> String {
        format!("{prefix}{}", self.next_id.fetch_add(1, Ordering::Relaxed))
    }
}

impl WhatsApp {
    /// Starts one on the running runtime; statuses go to `webhook`.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn start(webhook: &str) -> Self {
        let mut proof = Hmac::<Sha256>::new_from_slice(APP_SECRET.as_bytes()).expect("any key");
        proof.update(ACCESS_TOKEN.as_bytes());
        let (sender, receiver) = mpsc::channel(1000);
        let state = Arc::new(State {
            authorization: format!("Bearer {ACCESS_TOKEN}"),
            proof: crate::meta::hex(&proof.finalize().into_bytes()),
            next_id: AtomicU64::new(1),
            book: Mutex::default(),
            statuses: sender,
            held: AtomicBool::new(false),
            untold: AtomicU64::new(0),
        });
        let served = Served::with(|address| serve::routes(Arc::clone(&state), address)).await;
        let poster = tokio::spawn(statuses::post(
            webhook.to_owned(),
            receiver,
            Arc::clone(&state),
        ));
        Self {
            state,
            served,
            poster,
        }
    }

    /// What `api_base` is to be.
    pub fn api_base(&self) -> String {
        self.served.url()
    }

    /// A day passes for a citizen: the window is closed until they write.
    pub fn close_window(&self, citizen: &str, closed: Closed) {
        self.state.book().closed.insert(citizen.to_owned(), closed);
    }

    /// The citizen's window is closed whatever they write, or open again.
    pub fn shut_window(&self, citizen: &str, shut: Option<Closed>) {
        let mut book = self.state.book();
        match shut {
            Some(closed) => drop(book.shut.insert(citizen.to_owned(), closed)),
            None => drop(book.shut.remove(citizen)),
        }
    }

    /// The next messages to a citizen are taken and fail with these codes.
    pub fn fail_later(&self, citizen: &str, codes: &[i64]) {
        let mut book = self.state.book();
        let failures = book.failures.entry(citizen.to_owned()).or_default();
        failures.extend(codes);
    }

    /// What was taken for one citizen and failed, in order.
    pub fn failed_for(&self, citizen: &str) -> Vec<Taken> {
        let failed = self.state.book().failed.clone();
        let own = failed
            .into_iter()
            .filter(|taken| taken.recipient == citizen);
        own.collect()
    }

    /// Approves a template with named gaps in its body.
    pub fn approve(&self, name: &str, language: &str, gaps: &[&str]) {
        let gaps = gaps.iter().map(|gap| (*gap).to_owned()).collect();
        let key = (name.to_owned(), language.to_owned());
        self.state.book().templates.insert(key, gaps);
    }

    /// Refuses templates with this code.
    pub fn refuse_templates(&self, code: Option<i64>) {
        self.state.book().template_refusal = code;
    }

    /// Answers come so much later than the news of what became of a message.
    pub fn answers_after(&self, lag: Duration) {
        self.state.book().lag = lag;
    }

    /// Holds the news of messages back, or lets them go on.
    pub fn hold_statuses(&self, held: bool) {
        self.state.held.store(held, Ordering::Relaxed);
    }

    /// Waits until the news of all messages so far has been taken.
    ///
    /// # Panics
    /// When it is not taken soon.
    pub async fn told(&self) {
        wait::until("all statuses are taken", wait::SOON, async || {
            self.state.untold.load(Ordering::Acquire) == 0
        })
        .await;
    }

    /// Everything that was taken, in order.
    pub fn taken(&self) -> Vec<Taken> {
        self.state.book().taken.clone()
    }

    /// What was taken for one citizen, in order.
    pub fn taken_for(&self, citizen: &str) -> Vec<Taken> {
        let taken = self.taken().into_iter();
        taken.filter(|taken| taken.recipient == citizen).collect()
    }

    /// How often the pair limit was met.
    pub fn pair_refusals(&self) -> u64 {
        self.state.book().pair_refusals
    }

    /// Lets so many more messages to a citizen pass before the pair limit; a half is whole three seconds
    /// later.
    pub fn leave_of_pair(&self, citizen: &str, messages: f64) {
        let left = (messages, Instant::now());
        self.state.book().pairs.insert(citizen.to_owned(), left);
    }

    /// The media that were fetched whole, by their ids.
    pub fn fetched(&self) -> Vec<String> {
        self.state.book().fetched.clone()
    }

    /// Five minutes pass for all links to media.
    pub fn expire_links(&self) {
        self.state.book().links.clear();
    }

    /// The messages of citizens that were marked as read.
    pub fn marked_read(&self) -> Vec<String> {
        self.state.book().marked_read.clone()
    }

    /// The address that was set as webhook.
    pub fn webhook(&self) -> Option<String> {
        self.state.book().webhook.clone()
    }

    /// What was wrong with what it was sent. A test that expects something wrong takes it away with
    /// this.
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.state.book().violations)
    }

    /// Waits for something that was said to a citizen, after the first `seen`, with these words.
    ///
    /// # Panics
    /// When it does not come soon.
    pub async fn wait_for(&self, citizen: &str, seen: usize, words: &str) -> (usize, Taken) {
        let what = format!("{words:?} after {seen} others");
        wait::for_some(&what, wait::SOON, async || {
            let mut taken = self.taken_for(citizen).into_iter().enumerate().skip(seen);
            taken.find(|(_, taken)| taken.text.contains(words))
        })
        .await
    }

    /// The ids of ours that were taken more than once, with how often.
    pub fn repeated(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for taken in self.taken() {
            *counts.entry(taken.own_id).or_default() += 1;
        }
        counts.retain(|_, count| *count > 1);
        counts
    }
}

impl Drop for WhatsApp {
    fn drop(&mut self) {
        self.poster.abort();
        let violations = self.take_violations();
        if !std::thread::panicking() {
            assert!(
                violations.is_empty(),
                "the Cloud API was used wrongly: {violations:#?}"
            );
        }
    }
}
