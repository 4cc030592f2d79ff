//! Asking for updates, while this replica owns the channel.

use std::{future::Future, time::Duration};

use langnghe_connector::Host;
use langnghe_http::HttpError;
use langnghe_model::Event;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    Config, Mode,
    api::{BotApi, CallError},
    languages::Languages,
    receive::{Callback, answer_to, normalise},
};

/// What we ask Telegram for. Without it, the last setting of whoever asked before would hold.
pub(crate) const UPDATES: [&str; 4] = [
    "message",
    "edited_message",
    "callback_query",
    "my_chat_member",
];

/// The most updates of one answer, Telegram's own bound.
const MOST: u8 = 100;
/// The largest answer that is read, in bytes; where one is larger, fewer updates are asked for.
const ANSWER: usize = 8 * 1024 * 1024;
/// The waits between attempts that fail, doubling.
const WAITS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_mins(1));

/// Not teloxide's payload: its numbers end where Telegram's may not.
#[derive(Serialize)]
struct GetUpdates {
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<i64>,
    limit: u8,
    timeout: u64,
    allowed_updates: [&'static str; 4],
}

/// Polls until `over`. An update is confirmed, by asking for the ones after it, only once the program
/// says that it is durable; so what dies with this process comes again, and is a duplicate then.
pub(crate) async fn run(
    config: &Config,
    api: &BotApi,
    languages: &Languages,
    host: &dyn Host,
    over: &CancellationToken,
) {
    if !matches!(config.mode, Mode::Polling) {
        over.cancelled().await;
        return;
    }
    let mut line = Line {
        config,
        api,
        languages,
        offset: None,
        limit: MOST,
        failures: 0,
    };
    // A press is answered beside the next poll, which may take its time.
    let mut answers = JoinSet::new();
    while let Some(polled) = within(over, line.poll()).await {
        let batch = match polled {
            Ok(updates) => line.read(&updates, host),
            Err(error) => {
                let wait = line.failed(&error);
                if within(over, tokio::time::sleep(wait)).await.is_none() {
                    break;
                }
                continue;
            }
        };
        let Some(()) = within(over, take_in(config, host, batch.events)).await else {
            break;
        };
        line.offset = batch.next.or(line.offset);
        for callback in batch.callbacks {
            while answers.len() >= usize::from(MOST) {
                answers.join_next().await;
            }
            let call = api.answer(callback);
            answers.spawn(call);
        }
        while answers.try_join_next().is_some() {}
    }
}

/// What came of `future`, unless the reign ended before; then what it does is let go.
async fn within<F: Future>(over: &CancellationToken, future: F) -> Option<F::Output> {
    tokio::select! {
        biased;
        () = over.cancelled() => None,
        output = future => Some(output),
    }
}

/// Hands events to the program until it has them.
async fn take_in(config: &Config, host: &dyn Host, events: Vec<Event>) {
    if events.is_empty() {
        return;
    }
    while let Err(unavailable) = host.accept(events.clone()).await {
        tracing::warn!(channel = %config.channel, "updates wait for the store");
        tokio::time::sleep(
            unavailable
                .retry_after
                .mul_f64(rand::random_range(0.5..1.0)),
        )
        .await;
    }
}

/// What an answer to a poll holds.
struct Batch {
    events: Vec<Event>,
    callbacks: Vec<Callback>,
    /// What to ask for next: this confirms all that came before.
    next: Option<i64>,
}

struct Line<'a> {
    config: &'a Config,
    api: &'a BotApi,
    languages: &'a Languages,
    offset: Option<i64>,
    limit: u8,
    failures: u32,
}

impl Line<'_> {
    async fn poll(&self) -> Result<Vec<Box<RawValue>>, CallError> {
        let request = GetUpdates {
            offset: self.offset,
            limit: self.limit,
            timeout: self.config.poll.as_secs(),
            allowed_updates: UPDATES,
        };
        let longest = self.config.poll + self.config.timeout;
        let result = self
            .api
            .call_raw("getUpdates", &request, ANSWER, longest)
            .await?;
        serde_json::from_str(result.get()).map_err(|_| CallError::Foreign(http::StatusCode::OK))
    }

    fn read(&mut self, updates: &[Box<RawValue>], host: &dyn Host) -> Batch {
        self.failures = 0;
        if updates.len() < usize::from(self.limit) {
            self.limit = MOST;
        }
        let mut batch = Batch {
            events: Vec::new(),
            callbacks: Vec::new(),
            next: None,
        };
        for update in updates {
            let channel = &self.config.channel;
            let normalised = normalise(channel, self.languages, update.get(), host.now());
            batch.events.extend(normalised.events);
            batch.callbacks.extend(normalised.callback);
            let after = normalised.id.map(|id| id.saturating_add(1));
            batch.next = batch.next.max(after);
        }
        batch
    }

    /// Says what is wrong; gives how long to wait.
    fn failed(&mut self, error: &CallError) -> Duration {
        let channel = &self.config.channel;
        match error {
            CallError::Unsent(HttpError::TooLarge) if self.limit > 1 => {
                self.limit = self.limit.div_ceil(4);
                return Duration::ZERO;
            }
            CallError::Refused(refusal) if refusal.code == 409 => {
                if refusal.words().contains("webhook") {
                    tracing::error!(%channel, "a webhook is set for this bot, so it cannot be polled: \
                        `langnghe channel set-webhook` removes it for a channel that polls");
                } else {
                    tracing::warn!(%channel, "somebody else polls with the same token: \
                        only one program may use it");
                }
            }
            other => {
                let reason = crate::send::classify(other);
                tracing::warn!(%channel, %reason, "updates cannot be asked for");
            }
        }
        let doubled = WAITS.0 * 2_u32.saturating_pow(self.failures.min(10));
        self.failures += 1;
        let told = match error {
            CallError::Refused(refusal) => match refusal.parameters {
                Some(teloxide::types::ResponseParameters::RetryAfter(seconds)) => {
                    Duration::from_secs(seconds.seconds().into())
                }
                _ => Duration::ZERO,
            },
            _ => Duration::ZERO,
        };
        let wait = doubled.min(WAITS.1).mul_f64(rand::random_range(0.5..1.0));
        wait.max(told.min(WAITS.1 * 10))
    }
}

impl BotApi {
    /// Ends the spinning of a pressed button. Nothing depends on it: too late it says "too old".
    fn answer(&self, callback: Callback) -> impl Future<Output = ()> + Send + 'static {
        let api = self.clone();
        async move {
            let answered: Result<bool, CallError> = api.call(&answer_to(callback)).await;
            if let Err(error) = answered {
                let reason = crate::send::classify(&error);
                tracing::debug!(%reason, "a pressed button was not answered");
            }
        }
    }
}
