//! Renewing, while this replica owns the channel, and bringing answers that a crash left behind into
//! the shared state, on any replica.

use std::{
    sync::{Arc, PoisonError},
    time::Duration,
};

use langnghe_connector::{Host, Unavailable};
use langnghe_model::Timestamp;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use super::{
    STATE, Tokens,
    answers::{Answers, Found, Outcome},
    exchanger::Job,
    read_state,
    state::{INTENT_TIME, Lost, Next, Pair, State},
};
use crate::oauth::{self, Grant, NewPair, TokenAnswer, TokenRequest};

/// How often the owner looks whether another program (`langnghe zalo authorize`) changed the tokens.
const LOOK: Duration = Duration::from_secs(30);
/// How often one looks at an exchange that is under way.
const FOLLOW: Duration = Duration::from_millis(200);
/// How soon the same token is tried again when no answer came, at first and at most.
const AGAIN: (Duration, Duration) = (Duration::from_secs(2), Duration::from_mins(10));
/// How soon it is tried again when Zalo refuses for a reason that is not the token.
const REFUSED_AGAIN: Duration = Duration::from_mins(10);
/// How often an operator is told again of what only an operator can mend.
const TELL_AGAIN: Duration = Duration::from_hours(1);
/// How long the store is tried for an answer that waits on the disk.
const KEEP_TIME: Duration = Duration::from_mins(10);

/// What the owner remembers between two looks.
#[derive(Default)]
struct Memory {
    /// Attempts in a row that brought no answer.
    unanswered: u32,
    /// Not again before this.
    not_before: Timestamp,
    told_at: Option<Timestamp>,
}

/// What came of a renewal.
#[derive(Clone, Copy)]
enum Settled {
    /// There is a new pair.
    Renewed,
    /// The token is as it was; the request did not leave.
    Unsent,
    /// It is not clear whether the token is used up.
    Unclear,
    /// Zalo refuses for another reason than the token.
    Refused,
    /// The grant is gone.
    Lost,
    /// Another renewal was faster: this one says nothing any more.
    Overtaken,
}

impl Tokens {
    /// Keeps the tokens alive until `over`.
    pub(crate) async fn tend(self: &Arc<Self>, host: &Arc<dyn Host>, over: &CancellationToken) {
        let mut memory = Memory::default();
        while !over.is_cancelled() {
            let wait = match self.look(host, &mut memory).await {
                Ok(wait) => wait,
                Err(unavailable) => unavailable.retry_after,
            };
            tokio::select! {
                () = over.cancelled() => {}
                () = tokio::time::sleep(wait) => {}
                () = self.wanted.notified(), if memory.not_before <= host.now() => {}
            }
        }
    }

    /// One look; gives how long to wait for the next.
    async fn look(
        self: &Arc<Self>,
        host: &Arc<dyn Host>,
        memory: &mut Memory,
    ) -> Result<Duration, Unavailable> {
        let (mut state, bytes) = read_state(&**host).await?;
        let now = host.now();
        if let Some(configured) = &self.configured
            && state.take_up(configured, now)
        {
            let new = state.encode();
            host.passed("renewal-take-up");
            if host.exchange_state(STATE, bytes.as_deref(), &new).await? {
                host.passed("renewal-taken-up");
                tracing::info!(channel = %self.channel, "took up the configuration's refresh token");
            }
            return Ok(Duration::ZERO);
        }
        self.learn(&state);
        let refused = self
            .refused
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        match state.next(now, rand::random(), refused.as_ref()) {
            Next::Wait(until) => Ok(until.since(now).min(LOOK)),
            Next::Renew if memory.not_before > now => Ok(memory.not_before.since(now).min(LOOK)),
            Next::Renew => {
                let settled = self.renew(host, state, bytes).await?;
                Ok(after(settled, memory, host.now()))
            }
            Next::Follow => {
                let Some(settled) = self.follow(host, &state).await? else {
                    return Ok(FOLLOW);
                };
                Ok(after(settled, memory, host.now()))
            }
            Next::NoGrant => {
                self.tell(memory, now, "it is not authorised yet");
                Ok(LOOK)
            }
            Next::Lost(code) => {
                self.tell(
                    memory,
                    now,
                    &format!("Zalo does not take the refresh token any more ({code})"),
                );
                Ok(LOOK)
            }
        }
    }

    /// What only an operator can mend is said at once, and again and again.
    fn tell(&self, memory: &mut Memory, now: Timestamp, what: &str) {
        if memory
            .told_at
            .is_none_or(|told| now.since(told) >= TELL_AGAIN)
        {
            memory.told_at = Some(now);
            tracing::error!(channel = %self.channel,
                help = format!("run: langnghe zalo authorize --config FILE {}", self.channel),
                "nothing can be sent on this Official Account: {what}");
        }
    }

    fn files(&self) -> Answers<'_> {
        Answers {
            folder: &self.answers,
            channel: &self.channel,
        }
    }

    /// Renews: file, intent, exchange, state, and only then is the new pair used.
    async fn renew(
        self: &Arc<Self>,
        host: &Arc<dyn Host>,
        mut state: State,
        bytes: Option<Vec<u8>>,
    ) -> Result<Settled, Unavailable> {
        let Some(pair) = &state.pair else {
            return Ok(Settled::Overtaken);
        };
        let request = TokenRequest {
            url: self.url.clone(),
            app_id: self.app_id.clone(),
            app_secret: self.app_secret.clone(),
            grant: Grant::Refresh(pair.refresh_token.clone()),
            timeout: self.timeout,
        };
        let id = format!("{:032x}", rand::random::<u128>());
        host.passed("renewal-file");
        let file = match self.files().make(&id) {
            Ok(file) => file,
            Err(error) => {
                // Without it, an answer could be lost: the old tokens still have hours.
                tracing::error!(%error, channel = %self.channel, folder = %self.answers.display(),
                    "tokens cannot be renewed: the folder for answers cannot be written");
                return Ok(Settled::Unsent);
            }
        };
        host.passed("renewal-intent");
        state.intend(id.clone(), host.now());
        let new = state.encode();
        if !host.exchange_state(STATE, bytes.as_deref(), &new).await? {
            self.files().remove(&id);
            return Ok(Settled::Overtaken);
        }
        host.passed("renewal-intended");
        let allow_private = self.client.allows_private();
        let Some(job) = Job::new(&request, allow_private) else {
            return Ok(Settled::Overtaken);
        };
        // In a task of its own: whoever drops this future must not end what it began.
        let (tokens, host) = (Arc::clone(self), Arc::clone(host));
        let exchange = tokio::spawn(async move {
            let now = || host.now();
            let passed = |step| host.passed(step);
            let exchanger = &tokens.exchanger;
            exchanger
                .run(job, file, &tokens.client, &now, &passed)
                .await;
            host.passed("renewal-answered");
            tokens.keep(&*host, &id).await
        });
        exchange.await.unwrap_or(Err(Unavailable {
            retry_after: AGAIN.0,
        }))
    }

    /// Brings the answer of a renewal from its file into the state, with some patience.
    async fn keep(&self, host: &dyn Host, id: &str) -> Result<Settled, Unavailable> {
        let keep = async {
            loop {
                let outcome = match self.files().look(id) {
                    Ok(Some(Found::Ended(outcome))) => outcome,
                    _ => None,
                };
                match self.settle(host, id, outcome).await {
                    Ok(settled) => return settled,
                    Err(unavailable) => tokio::time::sleep(unavailable.retry_after).await,
                }
            }
        };
        // The file stays where it does not succeed: whoever looks next finds it.
        tokio::time::timeout(KEEP_TIME, keep)
            .await
            .map_err(|_| Unavailable { retry_after: LOOK })
    }

    /// What became of the renewal under way; `None` while it is not known.
    async fn follow(
        &self,
        host: &Arc<dyn Host>,
        state: &State,
    ) -> Result<Option<Settled>, Unavailable> {
        if self.recover(&**host).await? {
            return Ok(Some(Settled::Renewed));
        }
        let Some(intent) = &state.intent else {
            return Ok(Some(Settled::Overtaken));
        };
        let outcome = match self.files().look(&intent.id) {
            Ok(Some(Found::Ended(outcome))) => outcome,
            // Begun by a replica on another machine, or its file is gone.
            Ok(None) if host.now().since(intent.at) > INTENT_TIME => None,
            _ => return Ok(None),
        };
        self.settle(&**host, &intent.id, outcome).await.map(Some)
    }

    /// Puts what came of a renewal into the state, and removes its file.
    async fn settle(
        &self,
        host: &dyn Host,
        id: &str,
        outcome: Option<Outcome>,
    ) -> Result<Settled, Unavailable> {
        loop {
            let (mut state, bytes) = read_state(host).await?;
            if !state.tried(id) {
                self.learn(&state);
                self.files().remove(id);
                return Ok(Settled::Overtaken);
            }
            let now = host.now();
            let (settled, changed) = self.judge(&mut state, id, outcome.as_ref(), now);
            host.passed("renewal-keep");
            if changed
                && !host
                    .exchange_state(STATE, bytes.as_deref(), &state.encode())
                    .await?
            {
                continue;
            }
            host.passed("renewal-kept");
            self.learn(&state);
            self.files().remove(id);
            host.passed("renewal-done");
            return Ok(settled);
        }
    }

    /// What an outcome makes of the state; whether it changes it.
    fn judge(
        &self,
        state: &mut State,
        id: &str,
        outcome: Option<&Outcome>,
        now: Timestamp,
    ) -> (Settled, bool) {
        let channel = &self.channel;
        let answer = match outcome {
            Some(Outcome::Answered { body, at }) => Ok((oauth::read(&Outcome::body(body)), *at)),
            Some(Outcome::Unsent(reason)) => {
                tracing::warn!(%channel, %reason, "tokens could not be renewed: Zalo was not reached");
                Err(Settled::Unsent)
            }
            Some(Outcome::Unclear(reason)) => {
                tracing::warn!(%channel, %reason, "a renewal of tokens brought no answer; the old one is tried again");
                Err(Settled::Unclear)
            }
            None => {
                tracing::warn!(%channel, "a renewal of tokens was cut off; the old one is tried again");
                Err(Settled::Unclear)
            }
        };
        match &answer {
            Ok((TokenAnswer::Pair(new), at)) => {
                self.renewed(state, new, *at);
                return (Settled::Renewed, true);
            }
            Ok((TokenAnswer::Refused { code, name }, _))
                if oauth::is_lost(*code) && state.intends(id) =>
            {
                tracing::error!(%channel, code, name, "Zalo does not take the refresh token any more");
                state.lost = Some(Lost {
                    at: now,
                    code: *code,
                });
                state.intent = None;
                return (Settled::Lost, true);
            }
            Ok((TokenAnswer::Refused { code, name }, _)) => {
                tracing::error!(%channel, code, name, "Zalo refuses to renew the tokens; check app_id and app_secret");
            }
            Ok((TokenAnswer::Unreadable, _)) => {
                tracing::warn!(%channel, "a renewal of tokens brought an answer that is none of Zalo's");
            }
            Err(_) => {}
        }
        let ours = state.intends(id);
        if ours {
            state.intent = None;
        }
        let settled = match answer {
            Err(settled) => settled,
            Ok((TokenAnswer::Refused { .. }, _)) => Settled::Refused,
            Ok(_) => Settled::Unclear,
        };
        (settled, ours)
    }

    fn renewed(&self, state: &mut State, new: &NewPair, at: Timestamp) {
        state.renewed(Pair::given(new, at));
        tracing::info!(channel = %self.channel, access_s = new.access_life.as_secs(),
            "the tokens were renewed");
    }

    /// Brings answers that were left behind into the state; says whether one brought a new pair.
    pub(crate) async fn recover(&self, host: &dyn Host) -> Result<bool, Unavailable> {
        let mut renewed = false;
        for id in self.files().all() {
            let Ok(Some(Found::Ended(outcome))) = self.files().look(&id) else {
                continue;
            };
            let (state, _) = read_state(host).await?;
            // What is under way is settled by whoever owns the channel, unless there is an answer.
            if outcome.is_none() && state.intends(&id) {
                continue;
            }
            let settled = self.settle(host, &id, outcome).await?;
            renewed |= matches!(settled, Settled::Renewed);
        }
        Ok(renewed)
    }

    /// Looks for answers that the last run left behind, for as long as one may still come.
    pub(crate) async fn recover_at_start(self: Arc<Self>, host: Arc<dyn Host>) {
        let began = tokio::time::Instant::now();
        while began.elapsed() < INTENT_TIME && !self.files().all().is_empty() {
            let wait = match self.recover(&*host).await {
                Ok(_) => FOLLOW,
                Err(unavailable) => unavailable.retry_after,
            };
            tokio::time::sleep(wait).await;
        }
    }

    /// The operator authorised: takes the place of whatever was there.
    pub(crate) async fn authorised(&self, host: &dyn Host, pair: &Pair) -> Result<(), Unavailable> {
        loop {
            let (mut state, bytes) = read_state(host).await?;
            if let Some(configured) = &self.configured {
                state.pass_over(configured);
            }
            state.renewed(pair.clone());
            if host
                .exchange_state(STATE, bytes.as_deref(), &state.encode())
                .await?
            {
                self.learn(&state);
                return Ok(());
            }
        }
    }

    /// The request for a first pair.
    pub(crate) fn request(&self, code: SecretString, verifier: SecretString) -> TokenRequest {
        TokenRequest {
            url: self.url.clone(),
            app_id: self.app_id.clone(),
            app_secret: self.app_secret.clone(),
            grant: Grant::Code { code, verifier },
            timeout: self.timeout,
        }
    }
}

/// How long to wait after a renewal.
fn after(settled: Settled, memory: &mut Memory, now: Timestamp) -> Duration {
    let wait = match settled {
        Settled::Renewed | Settled::Lost | Settled::Overtaken => Duration::ZERO,
        Settled::Refused => REFUSED_AGAIN,
        Settled::Unsent | Settled::Unclear => {
            let (first, most) = AGAIN;
            let wait = first * 2_u32.saturating_pow(memory.unanswered.min(16));
            wait.min(most).mul_f64(rand::random_range(0.8..1.2))
        }
    };
    memory.unanswered = match settled {
        Settled::Unsent | Settled::Unclear => memory.unanswered + 1,
        _ => 0,
    };
    if matches!(settled, Settled::Renewed) {
        memory.told_at = None;
    }
    memory.not_before = now + wait;
    wait.min(LOOK)
}
