//! A stand-in for Meta's Graph API, as strict as the reference: whatever it is sent that Meta would
//! not take, or that is not as agreed (token, proof, path, limits), makes the test fail at its end.

mod cdn;
mod check;
mod script;
mod serve;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

pub use self::cdn::Medium;
pub use self::script::{Failure, Manner};
use crate::{
    installation::{ACCESS_TOKEN, APP_SECRET},
    served::Served,
    wait,
};

/// The version that paths must name.
const VERSION: &str = "v26.0";

/// The running stand-in. Its server ends when it is dropped, and then all that was wrong with what
/// it was sent is told.
#[derive(Debug)]
pub struct Graph {
    state: Arc<State>,
    doors: Vec<Served>,
}

/// What somebody said to a citizen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// Words, with the titles and payloads of quick replies.
    Text {
        /// The words.
        text: String,
        /// Title and payload; the title of a contact quick reply is its kind.
        quick_replies: Vec<(String, String)>,
    },
    /// Words with buttons.
    Buttons {
        /// The words.
        text: String,
        /// Title and payload.
        buttons: Vec<(String, String)>,
    },
    /// A picture, film, recording or file.
    Media {
        /// Which of them.
        kind: String,
        /// Where it lies.
        url: String,
    },
    /// "Typing", "seen".
    Action(String),
    /// The thread was passed to this app.
    Passed(String),
}

/// One request that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// To whom: a page-scoped id, or `user_ref:…`.
    pub recipient: String,
    /// The id that the stand-in gave it; empty for an action.
    pub message_id: String,
    /// The sender's own id of it.
    pub metadata: Option<String>,
    /// What.
    pub said: Said,
}

#[derive(Debug)]
struct State {
    authorization: String,
    proof: String,
    next_id: AtomicU64,
    book: Mutex<Book>,
}

#[derive(Debug, Default)]
struct Book {
    /// Everything that was taken, in order.
    taken: Vec<Taken>,
    /// Where in it each recipient's lie.
    by_recipient: HashMap<String, Vec<usize>>,
    /// How often each of the sender's ids was taken.
    by_metadata: HashMap<String, usize>,
    violations: Vec<String>,
    /// How the next requests to a recipient are met; before `next`.
    next_to: HashMap<String, VecDeque<Manner>>,
    /// How the next requests are met, whoever they are for.
    next: VecDeque<Manner>,
    /// How all others are met.
    always: Manner,
    profiles: BTreeMap<String, Value>,
    media: cdn::Shelf,
    /// How long a profile takes.
    profile_time: Duration,
    requests: u64,
    /// When each call that counts against the quota came, taken or not, and through which door.
    calls: Vec<(Instant, usize)>,
}

impl State {
    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn message_id(&self) -> String {
        format!("m_graph_{}", self.next_id.fetch_add(1, Ordering::Relaxed))
    }
}

impl Graph {
    /// Starts one on the running runtime, for the token and secret of the tests' installations.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn start() -> Self {
        Self::for_app(ACCESS_TOKEN, APP_SECRET).await
    }

    /// Starts one for a token and secret.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn for_app(token: &str, secret: &str) -> Self {
        let mut proof = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key");
        proof.update(token.as_bytes());
        let proof = crate::meta::hex(&proof.finalize().into_bytes());
        let state = Arc::new(State {
            authorization: format!("Bearer {token}"),
            proof,
            next_id: AtomicU64::new(1),
            book: Mutex::default(),
        });
        let door = Served::start(serve::routes(Arc::clone(&state), 0)).await;
        Self {
            state,
            doors: vec![door],
        }
    }

    /// What `api_base` is to be.
    pub fn api_base(&self) -> String {
        self.doors[0].url()
    }

    /// Meets the next request in this manner; called several times, the next ones in turn.
    pub fn next(&self, manner: Manner) {
        self.state.book().next.push_back(manner);
    }

    /// Meets the next request for a citizen in this manner.
    pub fn next_to(&self, citizen: &str, manner: Manner) {
        self.state
            .book()
            .next_to
            .entry(citizen.to_owned())
            .or_default()
            .push_back(manner);
    }

    /// Meets all requests in this manner from now on, but for those with a manner of their own.
    pub fn always(&self, manner: Manner) {
        self.state.book().always = manner;
    }

    /// Gives a citizen a profile; others have an empty one.
    pub fn profile(&self, citizen: &str, profile: Value) {
        self.state
            .book()
            .profiles
            .insert(citizen.to_owned(), profile);
    }

    /// Lets every profile take so long.
    pub fn slow_profiles(&self, time: Duration) {
        self.state.book().profile_time = time;
    }

    /// Everything that was taken, in order.
    pub fn taken(&self) -> Vec<Taken> {
        self.state.book().taken.clone()
    }

    /// What was taken for one citizen, in order.
    pub fn taken_for(&self, citizen: &str) -> Vec<Taken> {
        let book = self.state.book();
        let places = book.by_recipient.get(citizen).into_iter().flatten();
        places.map(|place| book.taken[*place].clone()).collect()
    }

    /// The words that one citizen was told, in order.
    pub fn texts_for(&self, citizen: &str) -> Vec<String> {
        let words = |taken: Taken| match taken.said {
            Said::Text { text, .. } | Said::Buttons { text, .. } => Some(text),
            _ => None,
        };
        self.taken_for(citizen)
            .into_iter()
            .filter_map(words)
            .collect()
    }

    /// How many were taken: cheap, for polling.
    pub fn count(&self) -> usize {
        self.state.book().taken.len()
    }

    /// How many requests came, taken or not.
    pub fn requests(&self) -> u64 {
        self.state.book().requests
    }

    /// When calls came that count against the provider's quota, taken or not, in order.
    pub fn calls(&self) -> Vec<Instant> {
        let book = self.state.book();
        book.calls.iter().map(|(at, _)| *at).collect()
    }

    /// The same, with the door through which each came: 0 for [`Self::api_base`].
    pub fn calls_by_door(&self) -> Vec<(Instant, usize)> {
        self.state.book().calls.clone()
    }

    /// Opens one more address, so that a test can tell callers apart; gives its number and what
    /// `api_base` is to be for those who come through it.
    ///
    /// # Panics
    /// When it cannot listen.
    pub async fn open_door(&mut self) -> (usize, String) {
        let number = self.doors.len();
        let door = Served::start(serve::routes(Arc::clone(&self.state), number)).await;
        let url = door.url();
        self.doors.push(door);
        (number, url)
    }

    /// The sender's ids that were taken more than once, with how often.
    pub fn repeated(&self) -> BTreeMap<String, usize> {
        let book = self.state.book();
        let repeated = book.by_metadata.iter().filter(|(_, count)| **count > 1);
        repeated.map(|(id, count)| (id.clone(), *count)).collect()
    }

    /// What was wrong with what it was sent. A test that expects something wrong takes it away with
    /// this.
    pub fn take_violations(&self) -> Vec<String> {
        std::mem::take(&mut self.state.book().violations)
    }

    /// Waits until a citizen was told so many texts, and gives them.
    ///
    /// # Panics
    /// When they do not come soon.
    pub async fn wait_for_texts(&self, citizen: &str, count: usize) -> Vec<String> {
        let what = format!("{count} texts for a citizen");
        wait::for_some(&what, wait::SOON, async || {
            Some(self.texts_for(citizen)).filter(|texts| texts.len() >= count)
        })
        .await
    }
}

impl Drop for Graph {
    fn drop(&mut self) {
        let violations = self.take_violations();
        if !std::thread::panicking() {
            assert!(
                violations.is_empty(),
                "the Graph API was used wrongly: {violations:#?}"
            );
        }
    }
}
