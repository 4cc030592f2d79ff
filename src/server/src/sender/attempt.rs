//! One attempt to send a reply, and what happens to the reply after it.

use std::time::Duration;

use langnghe_connector::{Manner, Outgoing, SendError, ThrottleScope};
use langnghe_model::{Reply, Timestamp};
use langnghe_store::{OutboxReply, SettleResult};

use super::Sender;
use crate::{
    clock,
    crash::{self, Point},
    retry::next_delay,
};

/// A "typing" that is older than this says nothing.
const TYPING_AGE: Duration = Duration::from_secs(5);
/// A reply that attempts which do not count (throttling, our credentials) held up for so long is
/// given up: the citizen is no longer waiting for it.
const LONGEST_HOLD: Duration = Duration::from_hours(24);
/// How long a channel rests when the provider throttles it without saying for how long.
const THROTTLE_REST: Duration = Duration::from_secs(5);
/// How long a channel rests when the provider refuses our credentials.
const CREDENTIALS_REST: Duration = Duration::from_mins(1);

impl Sender {
    /// Asks the provider to take a reply; says what is to become of it.
    pub(super) async fn attempt(&self, outgoing: &OutboxReply) -> SettleResult {
        let Ok(reply) = serde_json::from_slice::<Reply>(&outgoing.body) else {
            return SettleResult::Bury {
                reason: "not a reply of a known version".to_owned(),
            };
        };
        let now = clock::now();
        let typing = matches!(reply, Reply::Typing);
        if typing && now.since(outgoing.queued_at) > TYPING_AGE {
            return SettleResult::Drop;
        }
        if outgoing.window_until.is_some_and(|until| until < now) {
            self.metrics.send_failed("window_closed");
            return SettleResult::Park;
        }
        // Browsers remember what they have seen under this name for long. The store's number alone could
        // come again, after a backup was put back.
        let queued_at = outgoing.queued_at.as_milliseconds();
        let id = format!("{}-{queued_at}", outgoing.id);
        crash::point(Point::Send);
        let sent = self
            .channel
            .connector
            .send(&Outgoing {
                id: &id,
                citizen: &outgoing.conversation.citizen,
                reply: &reply,
                manner: Manner::Free,
            })
            .await;
        crash::point(Point::Sent);
        match sent {
            Ok(_) => {
                self.metrics.sent.inc();
                SettleResult::Sent
            }
            Err(error) => {
                self.metrics.send_failed(error.class());
                // A "typing" is worth no second attempt, but what it tells of the channel counts.
                let rests = matches!(
                    error,
                    SendError::Throttled { .. } | SendError::Credentials { .. }
                );
                if typing && !rests {
                    return SettleResult::Drop;
                }
                let result = self.after(&error, outgoing, now).await;
                if typing { SettleResult::Drop } else { result }
            }
        }
    }

    /// What happens to a reply that was not sent.
    async fn after(&self, error: &SendError, reply: &OutboxReply, now: Timestamp) -> SettleResult {
        let bury = || {
            tracing::error!(channel = %self.channel.id, conversation = reply.conversation.tag(),
                %error, attempts = reply.attempts + 1, "a reply became a dead letter");
            SettleResult::Bury {
                reason: error.to_string(),
            }
        };
        let held_too_long = now.since(reply.queued_at) > LONGEST_HOLD;
        let later = |wait: Duration| SettleResult::Retry {
            at: now + wait,
            counts: false,
        };
        match error {
            SendError::Throttled { .. } | SendError::Credentials { .. } if held_too_long => bury(),
            SendError::Throttled { after, scope, .. } => {
                let wait = after.unwrap_or(THROTTLE_REST);
                if *scope == ThrottleScope::Channel {
                    tracing::warn!(channel = %self.channel.id, %error, wait_s = wait.as_secs(),
                        "the provider throttles the channel");
                    self.rest.begin(wait).await;
                }
                later(wait)
            }
            SendError::Credentials { .. } => {
                tracing::error!(channel = %self.channel.id, %error,
                    "the provider refuses our credentials; check the channel's configuration");
                // Another replica may have been given better ones by now: it is not told.
                self.rest.prolong(CREDENTIALS_REST);
                later(CREDENTIALS_REST)
            }
            SendError::Away | SendError::WindowClosed { .. } => SettleResult::Park,
            SendError::RecipientGone { .. } | SendError::Rejected { .. } => bury(),
            SendError::Transport { .. } => {
                let failures = reply.attempts + 1;
                match next_delay(&self.retries, failures, None, rand::random()) {
                    Some(wait) => SettleResult::Retry {
                        at: now + wait,
                        counts: true,
                    },
                    None => bury(),
                }
            }
        }
    }
}
