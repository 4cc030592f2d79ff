//! What a reply's plan is made from, and what is done with one that is not sent.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use langnghe_model::{ConversationId, Purpose, Timestamp};
use langnghe_store::{NewEvent, OutboxReply, SettleResult, StoreError};

use super::Sender;
use crate::{
    clock,
    contact::ContactRecord,
    crash::{self, Point},
    envelope::Envelope,
    notice_request::history_line,
    notices,
    planner::{Plan, Reason, Refused, Situation, Way},
};

/// How long a reply rests for which the store could not be asked.
const STORE_REST: Duration = Duration::from_secs(5);
/// The most refusals that are remembered; one that is forgotten costs another refused call.
const REMEMBERED: usize = 4096;

/// What is known of the citizen at the moment of a plan.
#[derive(Debug)]
pub(super) struct Outlook {
    heard_at: Option<Timestamp>,
    contact: ContactRecord,
}

/// What providers refused of replies that wait for their next attempt.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<VecDeque<(u64, Refused)>>);

impl Refusals {
    fn take(&self, reply: u64) -> Refused {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = all.iter().position(|(of, _)| *of == reply);
        let found = place.and_then(|place| all.remove(place));
        found.map_or_else(Refused::default, |(_, refused)| refused)
    }

    fn note(&self, reply: u64, refused: Refused) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= REMEMBERED {
            all.pop_front();
        }
        all.push_back((reply, refused));
    }
}

impl Outlook {
    /// Whether it is known when the citizen was last heard from.
    pub(super) fn knows_when_heard(&self) -> bool {
        self.heard_at.is_some()
    }

    /// The number under which the citizen agreed to be told news.
    pub(super) fn phone(&self) -> Option<&str> {
        self.contact.phone()
    }
}

impl Sender {
    /// What is known of the citizen. For an answer the reply itself tells enough.
    pub(super) async fn outlook(
        &self,
        outgoing: &OutboxReply,
        envelope: &Envelope,
    ) -> Result<Outlook, StoreError> {
        if envelope.is_plain_answer() {
            let window = self.channel.connector.capabilities().window;
            let heard_at = outgoing.window_until.zip(window);
            return Ok(Outlook {
                heard_at: heard_at.map(|(until, window)| until - window),
                contact: ContactRecord::default(),
            });
        }
        let contact = self.store.contact(&outgoing.conversation).await?;
        Ok(Outlook {
            heard_at: contact.heard_at,
            contact: ContactRecord::decode(contact.record.as_deref()),
        })
    }

    /// What the provider refused of this reply since the citizen was last heard from.
    pub(super) fn refused(&self, outgoing: &OutboxReply) -> Refused {
        self.refusals.take(outgoing.id)
    }

    /// What decides about a reply now.
    pub(super) fn situation<'a>(
        &'a self,
        outgoing: &OutboxReply,
        envelope: &Envelope,
        outlook: &Outlook,
        refused: Refused,
        now: Timestamp,
    ) -> Situation<'a> {
        let policy = &self.channel.notices;
        let purpose = envelope.purpose;
        // Entries of earlier versions, and those of channels without a window, have none.
        let always = envelope.is_plain_answer() && outgoing.window_until.is_none();
        let answered = envelope.reminds
            && outlook
                .heard_at
                .is_some_and(|heard| heard > envelope.queued_at(outgoing));
        Situation {
            now,
            purpose,
            deadline: envelope.deadline,
            heard_at: outlook.heard_at.or(always.then_some(now)),
            capabilities: self.channel.connector.capabilities(),
            answered,
            template: envelope.template().is_some(),
            billed: policy.billed.contains(&purpose),
            fallback: envelope.whole().is_some() && self.other_channel(outlook).is_some(),
            opted_out: outlook.contact.is_opted_out(),
            quiet_hours: policy.quiet_hours.as_ref(),
            refused,
        }
        .after(envelope.setback.as_deref(), outlook.heard_at)
    }

    /// Looks again when the citizen was heard from, as the reply is about to be kept until they are: says
    /// whether they were since the reply was claimed.
    pub(super) async fn look_again(&self, outlook: &mut Outlook, outgoing: &OutboxReply) -> bool {
        match self.store.contact(&outgoing.conversation).await {
            Ok(contact) if contact.heard_at > outlook.heard_at => {
                let before = std::mem::replace(&mut outlook.heard_at, contact.heard_at);
                before.is_some()
            }
            _ => false,
        }
    }

    /// The citizen's conversation on the other channel.
    fn other_channel(&self, outlook: &Outlook) -> Option<ConversationId> {
        let fallback = self.fallback.as_ref()?;
        let citizen = fallback.connector.citizen_of(outlook.phone()?)?;
        Some(ConversationId::new(fallback.id.clone(), citizen))
    }

    /// Counts a plan, and logs it.
    pub(super) fn tell(&self, plan: Plan, envelope: &Envelope, outgoing: &OutboxReply) {
        self.metrics
            .planned(envelope.purpose.name(), plan.name(), plan.why());
        if plan != Plan::Send(Way::Free) || envelope.purpose != Purpose::Answer {
            tracing::debug!(channel = %self.channel.id, conversation = outgoing.conversation.tag(),
                purpose = envelope.purpose.name(), plan = plan.name(), why = plan.why(), "planned");
        }
    }

    /// Writes what became of a notice into its ticket's history.
    pub(super) async fn note(&self, envelope: &Envelope, state: &str, why: &str) {
        let Some(origin) = &envelope.origin else {
            return;
        };
        let (Some(code), Some(_)) = (&origin.ticket, &origin.whole) else {
            return;
        };
        let note = history_line(&origin.id, state, why, &self.channel.id, clock::now());
        if let Err(error) = self.store.note(code, note).await {
            tracing::warn!(%error, channel = %self.channel.id, "a ticket's history lacks a line");
        }
    }

    /// What becomes of a reply that its plan does not send.
    pub(super) async fn withhold(
        &self,
        plan: Plan,
        envelope: &Envelope,
        outlook: &Outlook,
        outgoing: &OutboxReply,
    ) -> SettleResult {
        match plan {
            // Sending is not withholding: tried again at once.
            Plan::Send(_) => later(clock::now()),
            Plan::FallBack(reason) => self.fall_back(envelope, outlook, outgoing, reason).await,
            Plan::KeepUntilHeard(_) if envelope.is_later_part() => {
                // Its beginning went another way, and told the whole.
                SettleResult::Drop
            }
            Plan::KeepUntilHeard(reason) => {
                self.note(envelope, "kept", Plan::KeepUntilHeard(reason).why())
                    .await;
                Self::park(envelope)
            }
            Plan::KeepUntil(until, reason) => {
                let until = envelope.deadline.map_or(until, |end| until.min(end));
                self.note(envelope, "kept", Plan::KeepUntil(until, reason).why())
                    .await;
                later(until)
            }
            Plan::GiveUp(Reason::RecipientGone) => {
                let why = plan.why();
                self.note(envelope, "failed", why).await;
                SettleResult::Bury {
                    reason: format!("it failed after the provider took it: {why}"),
                }
            }
            Plan::GiveUp(reason) => {
                self.note(envelope, "given_up", Plan::GiveUp(reason).why())
                    .await;
                if reason == Reason::OptedOut {
                    tracing::info!(channel = %self.channel.id,
                        conversation = outgoing.conversation.tag(), "a notice was refused before");
                }
                SettleResult::Drop
            }
        }
    }

    /// Keeps a reply until the citizen is there, and no longer than it is worth something.
    pub(super) fn park(envelope: &Envelope) -> SettleResult {
        match envelope.deadline {
            // A moment after it, when the plan is to give up. Whoever is heard from wakes it before.
            Some(end) => later(end + Duration::from_millis(1)),
            None => SettleResult::Park,
        }
    }

    /// The store could not be asked what the citizen agreed to.
    pub(super) fn unknown(&self, error: &StoreError) -> SettleResult {
        tracing::warn!(%error, channel = %self.channel.id, "a notice waits for the store");
        later(clock::now() + STORE_REST)
    }

    /// Remembers what the provider refused: the next attempt plans with that.
    pub(super) fn remember_refusal(&self, outgoing: &OutboxReply, refused: Refused) {
        self.refusals.note(outgoing.id, refused);
    }

    /// Puts the notice into the citizen's conversation on the other channel; only then it leaves this
    /// one. Should we die in between, it is put there again, which is a duplicate.
    async fn fall_back(
        &self,
        envelope: &Envelope,
        outlook: &Outlook,
        outgoing: &OutboxReply,
        reason: Reason,
    ) -> SettleResult {
        let (Some(origin), Some(whole), Some(conversation)) = (
            &envelope.origin,
            envelope.whole(),
            self.other_channel(outlook),
        ) else {
            return Self::park(envelope);
        };
        let now = clock::now();
        let event = notices::elsewhere(conversation, whole.clone(), &origin.id, now);
        let event = NewEvent {
            conversation: event.conversation.clone(),
            dedup: event.dedup_key(),
            body: serde_json::to_vec(&event).expect("an event has only string keys"),
        };
        match self.store.accept(vec![event], now).await {
            Ok(answers) if answers.contains(&langnghe_store::Accepted::InboxFull) => {
                later(now + STORE_REST)
            }
            Ok(_) => {
                crash::point(Point::FellBack);
                tracing::debug!(channel = %self.channel.id,
                    conversation = outgoing.conversation.tag(), "a notice goes by the other channel");
                let why = Plan::FallBack(reason).why();
                self.note(envelope, "fell_back", why).await;
                SettleResult::Sent
            }
            Err(error) => self.unknown(&error),
        }
    }

    /// After a reply was parked: had the citizen been heard from while its plan was made, nothing would
    /// wake it.
    pub(super) async fn wake_if_heard(&self, outgoing: &OutboxReply, planned_with: &Outlook) {
        let Ok(contact) = self.store.contact(&outgoing.conversation).await else {
            return;
        };
        if contact.heard_at > planned_with.heard_at
            && let Err(error) = self.store.wake(&outgoing.conversation).await
        {
            tracing::warn!(%error, channel = %self.channel.id, "a reply stays parked");
        }
    }
}

fn later(at: Timestamp) -> SettleResult {
    SettleResult::Retry { at, counts: false }
}
