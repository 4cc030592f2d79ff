//! Asking for updates, for trying a bot out: the platform gives each update once, so a process that
//! dies with one in its hands has lost it.

use std::{future::Future, time::Duration};

use langnghe_connector::Host;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{
    BotConfig, BotMode,
    api::{BotApi, CallError, classify},
    receive::normalise,
};

/// The waits between attempts that fail, doubling.
const WAITS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_mins(1));
/// How many times they double at most.
const DOUBLINGS: u32 = 7;

/// Polls until `over`.
pub(super) async fn run(
    config: &BotConfig,
    api: &BotApi,
    host: &dyn Host,
    over: &CancellationToken,
) {
    if !matches!(config.mode, BotMode::Polling) {
        over.cancelled().await;
        return;
    }
    tracing::warn!(channel = %config.channel,
        "this bot is polled: what is on its way when this program dies is lost; use a webhook");
    let mut failures = 0;
    // Documented as a text.
    let body = json!({ "timeout": config.poll.as_secs().to_string() });
    while let Some(polled) = within(over, api.call("getUpdates", &body, config.poll)).await {
        match polled {
            Ok(update) => {
                failures = 0;
                // Not let go at the end of the reign: it would not come again.
                take_in(config, host, &update).await;
            }
            // Nothing to tell.
            Err(CallError::Refused(408)) => failures = 0,
            Err(error) => {
                if error == CallError::Refused(409) {
                    tracing::error!(channel = %config.channel,
                        "a webhook is set for this bot, so it cannot be polled: \
                         `langnghe channel set-webhook` removes it for a channel that polls");
                } else {
                    let reason = classify(error);
                    tracing::warn!(channel = %config.channel, %reason, "updates cannot be asked for");
                }
                let doubled = WAITS.0 * 2_u32.pow(failures);
                failures = (failures + 1).min(DOUBLINGS);
                let wait = doubled.min(WAITS.1).mul_f64(rand::random_range(0.5..1.0));
                within(over, tokio::time::sleep(wait)).await;
            }
        }
    }
}

/// What came of `future`, unless the reign ended before.
async fn within<F: Future>(over: &CancellationToken, future: F) -> Option<F::Output> {
    tokio::select! {
        biased;
        () = over.cancelled() => None,
        output = future => Some(output),
    }
}

/// Hands an update to the program until it has it. One, as documented; a list is read as well.
async fn take_in(config: &BotConfig, host: &dyn Host, result: &Value) {
    let updates = match result {
        Value::Array(updates) => updates.as_slice(),
        Value::Object(fields) if !fields.is_empty() => std::slice::from_ref(result),
        _ => &[],
    };
    let now = host.now();
    let events: Vec<_> = updates
        .iter()
        .filter_map(|update| normalise(&config.channel, update, now))
        .collect();
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
