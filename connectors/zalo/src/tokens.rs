//! The account's tokens: who may renew them, and how that survives a crash.
//!
//! Zalo's refresh token is used once: the answer to a renewal brings the next one and kills both old
//! tokens. So the answer must not be lost, whatever dies meanwhile:
//! 1. One renewal at a time, over all replicas: whoever wants one writes an *intent* into the shared
//!    state by compare-and-set ([`state`]), and only the channel's owner wants one ([`renewal`]).
//! 2. Before the intent, a file for the answer is made and locked ([`answers`]).
//! 3. A process of its own asks Zalo ([`exchanger`]). It writes the answer to that file and to the disk
//!    before it ends. It outlives a replica that is killed; the lock goes when it is gone.
//! 4. The replica puts the new pair into the shared state, then uses it, then removes the file.
//!
//! Whoever starts on this machine finds the file: locked means "wait", an answer is put into the state,
//! and an empty one means that nobody asks any more. A replica on another machine cannot see the file:
//! it waits for longer than an exchange can take, and then tries the old token once more.
//!
//! What is left: the asking process itself dies (the machine loses power, the whole container is killed)
//! after Zalo took the token and before the answer is on the disk. Then Zalo says -14014 to the old
//! token, the state says that the grant is *lost*, and an operator is told to authorise again.

mod answers;
mod exchanger;
mod renewal;
mod state;

use std::{
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use langnghe_connector::{Host, SendError};
use langnghe_http::GuardedClient;
use langnghe_model::{ChannelId, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Notify;

pub use self::exchanger::{Exchanger, exchange_for_parent};
pub(crate) use self::state::{Pair, State};
use crate::{Config, ConfigError, oauth};

/// Under what name the state is kept.
pub(crate) const STATE: &str = "tokens";
/// A token that ends so soon is not used any more.
const TOO_LATE: Duration = Duration::from_secs(10);
/// How long a call whose token was refused waits for a renewal that is under way.
const RENEWAL_WAIT: Duration = Duration::from_secs(8);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(200);

/// The tokens of one account.
pub(crate) struct Tokens {
    channel: ChannelId,
    app_id: String,
    app_secret: SecretString,
    url: String,
    configured: Option<SecretString>,
    exchanger: Exchanger,
    answers: PathBuf,
    timeout: Duration,
    client: GuardedClient,
    host: OnceLock<Arc<dyn Host>>,
    known: Mutex<Option<Known>>,
    /// A token that Zalo refused before its time.
    refused: Mutex<Option<SecretString>>,
    wanted: Notify,
}

/// An access token as it is used.
#[derive(Clone)]
struct Known {
    token: SecretString,
    until: Timestamp,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut structure = formatter.debug_struct("Tokens");
        structure
            .field("channel", &self.channel)
            .finish_non_exhaustive()
    }
}

impl Tokens {
    pub(crate) fn new(config: &Config, client: GuardedClient) -> Result<Self, ConfigError> {
        let url = oauth::token_url(&config.oauth_base);
        let parsed = url::Url::parse(&url);
        let parsed = parsed.map_err(|_| langnghe_http::HttpError::Url);
        parsed
            .and_then(|parsed| client.check(&parsed))
            .map_err(|error| ConfigError::Address("oauth_base", error))?;
        Ok(Self {
            channel: config.channel.clone(),
            app_id: config.app_id.clone(),
            app_secret: config.app_secret.clone(),
            url,
            configured: config.refresh_token.clone(),
            exchanger: config.exchanger.clone(),
            answers: config.answers.clone(),
            timeout: config.timeout,
            client,
            host: OnceLock::new(),
            known: Mutex::default(),
            refused: Mutex::default(),
            wanted: Notify::new(),
        })
    }

    /// Is told once where the state is kept.
    pub(crate) fn attach(&self, host: Arc<dyn Host>) {
        // A second one would be the same.
        drop(self.host.set(host));
    }

    fn host(&self) -> Result<&Arc<dyn Host>, SendError> {
        self.host.get().ok_or_else(|| SendError::Transport {
            reason: "not started".to_owned(),
        })
    }

    /// The time, as the program counts it.
    pub(crate) fn now(&self) -> Option<Timestamp> {
        Some(self.host.get()?.now())
    }

    /// A token to ask with. Where the first is just being brought, it is waited for a little.
    pub(crate) async fn access(&self) -> Result<SecretString, SendError> {
        let now = self.host()?.now();
        let good = |known: &Known| known.until > now + TOO_LATE;
        if let Some(known) = self.known().filter(good) {
            return Ok(known.token);
        }
        match self.wait_for(good, None).await? {
            Ok(token) => Ok(token),
            Err(state) => Err(state.missing()),
        }
    }

    /// Another token than the one that Zalo just refused: learnt from the state, where another replica
    /// may have put it, or waited for while it is being renewed.
    pub(crate) async fn instead_of(&self, refused: &SecretString) -> Option<SecretString> {
        let other = |known: &Known| known.token.expose_secret() != refused.expose_secret();
        let waited = self.wait_for(other, Some(refused)).await;
        waited.ok()?.ok()
    }

    /// Waits until the state has a token that is `good`, while it may still get one; else gives the state.
    async fn wait_for(
        &self,
        good: impl Fn(&Known) -> bool,
        refused: Option<&SecretString>,
    ) -> Result<Result<SecretString, State>, SendError> {
        let longest = RENEWAL_WAIT.min(self.timeout);
        let began = tokio::time::Instant::now();
        loop {
            let state = self.load().await?;
            if let Some(known) = self.known().filter(&good) {
                return Ok(Ok(known.token));
            }
            let hopeless = state.is_lost() || state.pair.is_none();
            if hopeless || began.elapsed() >= longest {
                return Ok(Err(state));
            }
            if let Some(refused) = refused {
                let refused = Some(refused.clone());
                *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = refused;
            }
            // The owner renews it, if it is not doing so already.
            self.wanted.notify_one();
            tokio::time::sleep(LOOK).await;
        }
    }

    fn known(&self) -> Option<Known> {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Reads the state, and keeps what is to be used.
    async fn load(&self) -> Result<State, SendError> {
        let (state, _) = read_state(&**self.host()?)
            .await
            .map_err(|_| SendError::Transport {
                reason: "the store is away".to_owned(),
            })?;
        self.learn(&state);
        Ok(state)
    }

    fn learn(&self, state: &State) {
        let known = state.pair.as_ref().and_then(|pair| {
            let access = pair.access.as_ref()?;
            Some(Known {
                token: access.token.clone(),
                until: access.until,
            })
        });
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }

    /// What is to be told of the tokens to an operator.
    pub(crate) async fn state(&self) -> Result<State, SendError> {
        self.load().await
    }
}

/// The state, and its bytes for an exchange.
pub(crate) async fn read_state(
    host: &dyn Host,
) -> Result<(State, Option<Vec<u8>>), langnghe_connector::Unavailable> {
    let bytes = host.state(STATE).await?;
    let state = bytes.as_deref().map(State::decode).unwrap_or_default();
    Ok((state, bytes))
}
