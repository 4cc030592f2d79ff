//! One attempt to send a reply, and what happens to the reply after it.

use std::time::Duration;

use langnghe_connector::{Manner, Outgoing, SendError, Sent, ThrottleScope};
use langnghe_model::{Purpose, Reply, Timestamp};
use langnghe_store::{OutboxReply, SentRecord, SettleResult};

use super::{Sender, outlook::Outlook};
use crate::{
    clock,
    crash::{self, Point},
    envelope::Envelope,
    planner::{Plan, Refused, Situation, Way, plan},
    quota::Ticket,
    retry::next_delay,
    setback::{KEPT, SentReply, Setback},
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

/// What came of an attempt.
#[derive(Debug)]
pub(super) struct Attempted {
    /// What is to become of the reply.
    pub(super) result: SettleResult,
    /// What was known of a citizen for whom something waits now.
    pub(super) waits_with: Option<Outlook>,
}

impl Attempted {
    fn of(result: SettleResult) -> Self {
        Self {
            result,
            waits_with: None,
        }
    }

    fn after(result: SettleResult, typing: bool, envelope: &Envelope, outlook: Outlook) -> Self {
        if typing {
            return Self::of(SettleResult::Drop);
        }
        let waits = match result {
            // Of a plain answer on a channel without a window it is not known when the citizen was heard
            // from: whoever comes wakes it.
            SettleResult::Park => outlook.knows_when_heard() || !envelope.is_plain_answer(),
            SettleResult::Retry { .. } => envelope.purpose != Purpose::Answer,
            _ => false,
        };
        let waits_with = waits.then_some(outlook);
        Self { result, waits_with }
    }
}

impl Sender {
    /// Does with a reply what its plan says now: asks the provider to take it, or keeps it, or gives it
    /// up; says what is to become of it. `ticket` counts it against the quotas until the provider has
    /// answered.
    pub(super) async fn attempt(&self, outgoing: &OutboxReply, mut ticket: Ticket) -> Attempted {
        let began = ticket.began;
        let Some(envelope) = Envelope::decode(&outgoing.body) else {
            return Attempted::of(SettleResult::Bury {
                reason: "not a reply of a known version".to_owned(),
            });
        };
        let now = clock::now();
        let typing = matches!(envelope.reply, Reply::Typing);
        if typing && now.since(outgoing.queued_at) > TYPING_AGE {
            return Attempted::of(SettleResult::Drop);
        }
        if let Some(setback) = envelope.setback.as_ref()
            && setback.not_before > now
        {
            return Attempted::of(self.rest_after(setback, began, now).await);
        }
        let mut outlook = match self.outlook(outgoing, &envelope).await {
            Ok(outlook) => outlook,
            Err(error) => return Attempted::of(self.unknown(&error)),
        };
        let refused = self.refused(outgoing);
        let mut planned = plan(&self.situation(outgoing, &envelope, &outlook, refused, now));
        if matches!(planned, Plan::KeepUntilHeard(_)) {
            self.look_again(&mut outlook, outgoing).await;
            planned = plan(&self.situation(outgoing, &envelope, &outlook, refused, now));
        }
        self.tell(planned, &envelope, outgoing);
        let Plan::Send(way) = planned else {
            if matches!(planned, Plan::KeepUntilHeard(_)) {
                self.metrics.send_failed("window_closed");
            }
            let result = self.withhold(planned, &envelope, &outlook, outgoing).await;
            return Attempted::after(result, typing, &envelope, outlook);
        };
        if let Err(unavailable) = self.journal.reserve(&mut ticket).await {
            return Attempted::of(SettleResult::Retry {
                at: now + unavailable.retry_after,
                counts: false,
            });
        }
        match self
            .send_so(way, &envelope, &outlook, outgoing, ticket)
            .await
        {
            Ok(sent) => {
                self.metrics.sent.inc();
                self.note(&envelope, "sent", planned.why()).await;
                Attempted::of(self.settled(sent, way, &envelope, outgoing))
            }
            Err(error) => {
                self.metrics.send_failed(error.class());
                let situation = self.situation(outgoing, &envelope, &outlook, refused, now);
                if !typing && let Some(more) = refusal(&error, way, &situation) {
                    tracing::debug!(channel = %self.channel.id, %error, plan = planned.why(), "refused");
                    if self.look_again(&mut outlook, outgoing).await {
                        // The citizen has just written: what was refused is worth another attempt.
                        return Attempted::of(SettleResult::Retry {
                            at: now,
                            counts: false,
                        });
                    }
                    // The provider knows better than our clock: planned again with that.
                    let refused = refused.and(more);
                    let planned =
                        plan(&self.situation(outgoing, &envelope, &outlook, refused, now));
                    self.tell(planned, &envelope, outgoing);
                    if matches!(planned, Plan::Send(_)) {
                        self.remember_refusal(outgoing, refused);
                    }
                    let result = self.withhold(planned, &envelope, &outlook, outgoing).await;
                    return Attempted::after(result, typing, &envelope, outlook);
                }
                // A "typing" is worth no second attempt, but what it tells of the channel counts.
                let rests = matches!(
                    error,
                    SendError::Throttled { .. }
                        | SendError::Credentials { .. }
                        | SendError::NotReady { .. }
                );
                if typing && !rests {
                    return Attempted::of(SettleResult::Drop);
                }
                let mut result = self.after(&error, outgoing, now, began).await;
                if result == SettleResult::Park {
                    result = Self::park(&envelope);
                }
                if matches!(result, SettleResult::Bury { .. }) {
                    self.note(&envelope, "failed", error.class()).await;
                }
                Attempted::after(result, typing, &envelope, outlook)
            }
        }
    }

    /// Asks the provider to take a reply.
    async fn send_so(
        &self,
        way: Way,
        envelope: &Envelope,
        outlook: &Outlook,
        outgoing: &OutboxReply,
        ticket: Ticket,
    ) -> Result<Sent, SendError> {
        let manner = match envelope.template() {
            Some(template) if way == Way::Template => Manner::Template {
                template,
                phone: outlook.phone(),
                ticket: envelope.ticket(),
            },
            _ => Manner::Free,
        };
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
                reply: &envelope.reply,
                manner,
            })
            .await;
        drop(ticket);
        crash::point(Point::Sent);
        sent
    }

    /// What becomes of a reply that the provider took: where it may yet fail, what is needed to send it
    /// again is kept, with the same write that takes it out of the outbox.
    fn settled(
        &self,
        sent: Sent,
        way: Way,
        envelope: &Envelope,
        outgoing: &OutboxReply,
    ) -> SettleResult {
        let now = clock::now();
        match sent.message {
            Some(message) if self.channel.connector.fails_later() => {
                let record = SentReply::new(envelope, outgoing, way == Way::Template, now);
                SettleResult::SentFor(SentRecord {
                    message,
                    body: record.encode(),
                    until: now + KEPT,
                })
            }
            _ => SettleResult::Sent,
        }
    }

    /// What becomes of a reply that failed after the provider took it, and may not be sent again yet.
    async fn rest_after(&self, setback: &Setback, began: Duration, now: Timestamp) -> SettleResult {
        if let Some(why) = &setback.rest {
            let wait = setback.not_before.since(now);
            tracing::warn!(channel = %self.channel.id, wait_s = wait.as_secs(), why, "the channel rests");
            self.quotas.book.throttled(began);
            self.quotas.rest.begin(wait, why).await;
        }
        SettleResult::Retry {
            at: setback.not_before,
            counts: false,
        }
    }

    /// What happens to a reply that was not sent.
    async fn after(
        &self,
        error: &SendError,
        reply: &OutboxReply,
        now: Timestamp,
        began: Duration,
    ) -> SettleResult {
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
            SendError::Throttled { .. }
            | SendError::Credentials { .. }
            | SendError::NotReady { .. }
                if held_too_long =>
            {
                bury()
            }
            SendError::Throttled { after, scope, .. } => {
                let wait = after.unwrap_or(THROTTLE_REST);
                if *scope == ThrottleScope::Channel {
                    tracing::warn!(channel = %self.channel.id, %error, wait_s = wait.as_secs(),
                        "the provider throttles the channel");
                    self.quotas.book.throttled(began);
                    self.quotas.rest.begin(wait, &error.to_string()).await;
                }
                later(wait)
            }
            SendError::Credentials { .. } => {
                tracing::error!(channel = %self.channel.id, %error,
                    "the provider refuses our credentials; check the channel's configuration");
                // Another replica may have been given better ones by now: it is not told.
                self.quotas
                    .rest
                    .prolong(CREDENTIALS_REST, &error.to_string());
                later(CREDENTIALS_REST)
            }
            SendError::NotReady { after, .. } => {
                tracing::info!(channel = %self.channel.id, %error, wait_s = after.as_secs(),
                    "the channel is not ready to send");
                // It is this replica's own line or token: another one is not told.
                self.quotas.rest.prolong(*after, &error.to_string());
                later(*after)
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

/// What an error refuses, where another way may be left.
fn refusal(error: &SendError, way: Way, situation: &Situation<'_>) -> Option<Refused> {
    let nothing = Refused::default();
    let template = way == Way::Template;
    match error {
        SendError::WindowClosed { .. } if !template => Some(Refused {
            free: true,
            ..nothing
        }),
        // Paused, missing, or with gaps that are not these: that is no reason to lose the news.
        SendError::WindowClosed { .. } | SendError::Rejected { .. } if template => Some(Refused {
            template: true,
            ..nothing
        }),
        SendError::RecipientGone { .. } if situation.fallback => Some(Refused {
            gone: true,
            ..nothing
        }),
        _ => None,
    }
}
