//! Replies that a provider took and failed to bring: what is kept of a sent one for that, and what
//! becomes of it then. Pure.

use std::time::Duration;

use langnghe_model::{Timestamp, event::LateFailure};
use langnghe_store::{Lane, NewReply, OutboxReply};
use serde::{Deserialize, Serialize};

use crate::{RetrySchedule, envelope::Envelope, planner::Refused, retry::next_delay};

/// How long what was sent is kept, for the case that it fails.
pub(crate) const KEPT: Duration = Duration::from_hours(24);
/// A reply that is older than this is not tried again because of the provider's troubles.
const LONGEST: Duration = Duration::from_hours(24);
/// After so many failures the reply is given up, whatever the provider says of it.
const MOST: u32 = 6;
/// A refused reply is planned again after so long: providers tell the moment at which a citizen wrote in
/// whole seconds, and who wrote in that very second must not seem to have opened the window since.
const WHOLE_SECOND: Duration = Duration::from_secs(1);

/// What is kept of a reply that was sent.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SentReply {
    envelope: Envelope,
    lane: Lane,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    window_until: Option<Timestamp>,
    queued_at: Timestamp,
    number: u64,
    sent_at: Timestamp,
    /// Whether it went as a template.
    template: bool,
}

/// What happened to a reply at earlier sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Setback {
    /// How often it failed after the provider took it.
    pub(crate) failures: u32,
    /// When it was queued first.
    pub(crate) queued_at: Timestamp,
    /// When it was sent last.
    pub(crate) sent_at: Timestamp,
    /// What the provider refused then.
    #[serde(default)]
    pub(crate) refused: Refused,
    /// When it may be sent again.
    pub(crate) not_before: Timestamp,
    /// Why the whole channel is to rest until then, where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rest: Option<String>,
}

impl Setback {
    /// What still counts of what was refused: the citizen's next message opens everything.
    pub(crate) fn refused(&self, heard_at: Option<Timestamp>) -> Refused {
        let heard_since = heard_at.is_some_and(|heard| heard + WHOLE_SECOND > self.sent_at);
        if heard_since {
            Refused::default()
        } else {
            self.refused
        }
    }
}

/// What is known when the provider says that a reply failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circumstances<'a> {
    pub(crate) means: LateFailure,
    /// The provider's code.
    pub(crate) code: &'a str,
    /// Whether the citizen agreed to be told on another channel, and there is one.
    pub(crate) other_channel: bool,
    /// Until when we may write freely by what the citizen last did.
    pub(crate) window_until: Option<Timestamp>,
    pub(crate) retries: &'a RetrySchedule,
    pub(crate) now: Timestamp,
    /// From 0 up to 1.
    pub(crate) random: f64,
}

/// What becomes of a reply that failed.
#[derive(Debug)]
pub(crate) enum Fate {
    /// It goes into the outbox again, and is planned with what the provider said.
    Again(NewReply),
    /// It becomes a dead letter.
    GivenUp {
        reason: String,
        body: Vec<u8>,
        lane: Lane,
    },
}

impl SentReply {
    /// What is to be kept of a reply that the provider has just taken.
    pub(crate) fn new(
        envelope: &Envelope,
        outgoing: &OutboxReply,
        template: bool,
        sent_at: Timestamp,
    ) -> Self {
        Self {
            envelope: envelope.clone(),
            lane: outgoing.lane,
            window_until: outgoing.window_until,
            queued_at: envelope.queued_at(outgoing),
            number: outgoing.id,
            sent_at,
            template,
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a sent reply has only string keys")
    }

    /// Reads what [`Self::encode`] wrote; `None` for what a newer version of the program kept.
    pub(crate) fn decode(kept: &[u8]) -> Option<Self> {
        serde_json::from_slice(kept).ok()
    }

    pub(crate) fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// By this replies that failed together take their places again.
    pub(crate) fn order(&self) -> (Timestamp, u64) {
        (self.queued_at, self.number)
    }

    /// What becomes of it, now that it failed.
    pub(crate) fn fate(&self, around: &Circumstances<'_>) -> Fate {
        let before = self.envelope.setback.as_ref();
        let failures = 1 + before.map_or(0, |setback| setback.failures);
        let is_notice = self.envelope.whole().is_some();
        let mut refused = match before {
            // It went as we like, so nothing that was refused before counted any more.
            Some(setback) if self.template => setback.refused,
            _ => Refused::default(),
        };
        let soon = around.now + WHOLE_SECOND;
        let again = match around.means {
            _ if failures >= MOST => None,
            LateFailure::WindowClosed => {
                refused.template |= self.template;
                refused.free |= !self.template;
                Some((soon, None))
            }
            LateFailure::Never if self.template => {
                refused.template = true;
                Some((soon, None))
            }
            LateFailure::RecipientGone if is_notice && around.other_channel => {
                refused.gone = true;
                Some((soon, None))
            }
            LateFailure::Never | LateFailure::RecipientGone => None,
            LateFailure::Again { .. } if around.now.since(self.queued_at) > LONGEST => None,
            LateFailure::Again { after, channel } => {
                let after = after.map(Duration::from_secs);
                let wait = next_delay(around.retries, failures, after, around.random);
                let rest = channel.then(|| format!("a message failed later ({})", around.code));
                wait.map(|wait| (around.now + wait, rest))
            }
        };
        let mut envelope = self.envelope.clone();
        let Some((not_before, rest)) = again else {
            // Whoever sends it again by hand begins anew.
            envelope.setback = None;
            let (name, code) = (around.means.name(), around.code);
            return Fate::GivenUp {
                reason: format!("it failed after the provider took it: {name} ({code})"),
                body: envelope.encode(),
                lane: self.lane,
            };
        };
        envelope.setback = Some(Box::new(Setback {
            failures,
            queued_at: self.queued_at,
            sent_at: self.sent_at,
            refused,
            not_before,
            rest,
        }));
        Fate::Again(NewReply {
            body: envelope.encode(),
            window_until: self.window_until.max(around.window_until),
            lane: self.lane,
        })
    }
}

#[cfg(test)]
mod tests;
