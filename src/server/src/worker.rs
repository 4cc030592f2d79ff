//! Workers: take the lease on conversations, let the engine take its turns, commit all or nothing.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwap;
use futures_util::future::join_all;
use langnghe_flow::Library;
use langnghe_model::{
    ChannelId, ConversationId, EventId, Profile, Timestamp, ticket::TicketSummary,
};
use langnghe_store::{Claim, Commit, Committed, Store, StoredTicket, TicketFilter};
use tokio_util::sync::CancellationToken;

use crate::{
    ChannelParts, RetrySchedule,
    album::{self, Gathered},
    clock,
    contact::ContactRecord,
    crash::{self, Point},
    media::{Erasure, MediaKeeper},
    metrics::ChannelMetrics,
    notices::Fallback,
    pause::Backoff,
    setback::SentReply,
    turn::{self, PROFILE_TIME, Sent, Surroundings, Taken, Turned},
    versions::Versions,
};

/// How long one claim waits for work, and never longer than a lease: so a replica has looked while
/// the leases of one that dies still held, knows when they run out, and takes over then.
const CLAIM_WAIT: Duration = Duration::from_secs(10);

/// How often a ticket code is drawn anew before the conversation is given back.
const CODE_DRAWS: usize = 5;

/// When a conversation is tried again that only a newer version of the program can go on with.
const NEWER_REST: Duration = Duration::from_secs(2);

/// How many of their tickets a citizen is shown.
const TICKETS_SHOWN: usize = 20;

/// One channel as workers need it.
#[derive(Debug)]
pub(crate) struct WorkerChannel {
    pub(crate) parts: ChannelParts,
    pub(crate) metrics: ChannelMetrics,
    /// Where news goes that this channel does not bring.
    pub(crate) fallback: Option<Fallback>,
}

/// What all workers of a replica share.
#[derive(Debug)]
pub(crate) struct Workers {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) library: Arc<ArcSwap<Library>>,
    pub(crate) versions: Versions,
    pub(crate) channels: HashMap<ChannelId, WorkerChannel>,
    pub(crate) media: Arc<MediaKeeper>,
    pub(crate) claim: usize,
    pub(crate) lease: Duration,
    /// When a reply is sent again that failed after the provider took it.
    pub(crate) reply_retries: RetrySchedule,
}

impl Workers {
    /// Runs one worker until `stop`; what it has claimed by then is finished.
    pub(crate) async fn run(&self, stop: CancellationToken) {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        while !stop.is_cancelled() {
            let wait = CLAIM_WAIT.min(self.lease);
            let claims = self.store.claim(self.claim, self.lease, clock::now(), wait);
            let claims = tokio::select! {
                claims = claims => claims,
                () = stop.cancelled() => return,
            };
            let outcome = match claims {
                Ok(claims) if claims.is_empty() => Ok(()),
                Ok(claims) => {
                    crash::point(Point::Claimed);
                    self.process(claims).await
                }
                Err(error) => Err(error),
            };
            match outcome {
                Ok(()) => backoff.reset(),
                Err(error) => {
                    tracing::warn!(%error, "a worker waits for the store");
                    backoff.wait(&stop).await;
                }
            }
        }
    }

    async fn process(&self, claims: Vec<Claim>) -> Result<(), langnghe_store::StoreError> {
        let began = Instant::now();
        let claims = self.gather_albums(claims).await?;
        if claims.is_empty() {
            return Ok(());
        }
        // All at once: a provider that is slow to tell of citizens must not cost the others' leases.
        let profiles = join_all(claims.iter().map(|claim| self.profile(claim))).await;
        let mut waiting: Vec<(Claim, Option<Profile>)> = claims.into_iter().zip(profiles).collect();
        for _ in 0..CODE_DRAWS {
            let mut commits = Vec::with_capacity(waiting.len());
            let mut taken = Vec::with_capacity(waiting.len());
            let mut fetching = false;
            for (claim, profile) in waiting {
                match self.turn(&claim, profile.as_ref()).await? {
                    Some(turned) => {
                        // Before the commit: what a session or a ticket names is fetched, or erased,
                        // whatever happens to us.
                        self.note_media(&turned).await?;
                        self.note_histories(&turned).await?;
                        let erased = turned.erased_up_to.filter(|_| turned.commit.erase);
                        commits.push(turned.commit);
                        taken.push(((claim, profile), turned.count, erased));
                        fetching |= !turned.jobs.is_empty();
                    }
                    None => self.put_off(&claim, NEWER_REST).await?,
                }
            }
            if commits.is_empty() {
                return Ok(());
            }
            if fetching {
                crash::point(Point::MediaQueued);
                self.media.hint().await;
            }
            crash::point(Point::Stepped);
            let committed = self.store.commit(commits, clock::now()).await?;
            crash::point(Point::Committed);
            let mut again = Vec::new();
            for ((one, count, erased), committed) in taken.into_iter().zip(committed) {
                match committed {
                    Committed::Done => {
                        self.count_processed(&one.0, count);
                        if let Some(up_to) = erased {
                            self.erase_media(&one.0.conversation, up_to).await;
                        }
                    }
                    Committed::LeaseLost => self.count_lost(&one.0, began),
                    Committed::CodeTaken => again.push(one),
                }
            }
            if again.is_empty() {
                return Ok(());
            }
            waiting = again;
        }
        // Five codes in a row were taken: something is wrong with the randomness, not the citizen.
        for (claim, _) in waiting {
            tracing::error!(
                conversation = claim.conversation.tag(),
                "no free ticket code found"
            );
            self.put_off(&claim, self.lease).await?;
        }
        Ok(())
    }

    /// Joins albums, and gives those conversations back whose last one may not be complete yet.
    async fn gather_albums(
        &self,
        claims: Vec<Claim>,
    ) -> Result<Vec<Claim>, langnghe_store::StoreError> {
        let mut ready = Vec::with_capacity(claims.len());
        for mut claim in claims {
            match album::gather(&mut claim, clock::now()) {
                Gathered::Ready => ready.push(claim),
                Gathered::WaitUntil(at) => {
                    let conversation = &claim.conversation;
                    self.store.release(conversation, claim.token, at).await?;
                }
            }
        }
        Ok(ready)
    }

    async fn note_media(&self, turned: &Taken) -> Result<(), langnghe_store::StoreError> {
        self.media.queue(&turned.jobs).await?;
        if let Some(up_to) = turned.erased_up_to {
            let conversation = &turned.commit.conversation;
            let at = clock::now();
            let erasure = Erasure { up_to, at };
            self.media.note_erasure(conversation, erasure).await?;
        }
        Ok(())
    }

    async fn note_histories(&self, turned: &Taken) -> Result<(), langnghe_store::StoreError> {
        for (code, note) in &turned.notes {
            self.store.note(code, note.clone()).await?;
        }
        Ok(())
    }

    /// What was kept of a reply that failed, with what is known of its citizen.
    async fn sent(
        &self,
        conversation: &ConversationId,
        message: &EventId,
        channel: &WorkerChannel,
    ) -> Result<Option<Sent>, langnghe_store::StoreError> {
        let kept = self.store.sent(conversation, message).await?;
        let Some(reply) = kept.as_deref().and_then(SentReply::decode) else {
            return Ok(None);
        };
        let contact = self.store.contact(conversation).await?;
        let record = ContactRecord::decode(contact.record.as_deref());
        let other = channel.fallback.as_ref().zip(record.phone());
        let other = other.and_then(|(fallback, phone)| fallback.connector.citizen_of(phone));
        Ok(Some(Sent {
            reply,
            heard_at: contact.heard_at,
            other_channel: other.is_some(),
        }))
    }

    /// Removes a conversation's media, now that its erasure is committed. It is noted, so what fails
    /// here the sweep does.
    async fn erase_media(&self, conversation: &ConversationId, up_to: Timestamp) {
        let at = clock::now();
        let tag = conversation.tag();
        if let Err(error) = self.media.erase(&tag, Erasure { up_to, at }).await {
            tracing::warn!(%error, conversation = tag, "media are erased later");
        }
    }

    /// Gives a conversation back unprocessed, to be tried again after a while.
    async fn put_off(
        &self,
        claim: &Claim,
        rest: Duration,
    ) -> Result<(), langnghe_store::StoreError> {
        let at = clock::now() + rest;
        self.store
            .release(&claim.conversation, claim.token, at)
            .await
    }

    /// Takes the turns of a claim; `None` when only a newer version of the program can.
    async fn turn(
        &self,
        claim: &Claim,
        profile: Option<&Profile>,
    ) -> Result<Option<Taken>, langnghe_store::StoreError> {
        let Some(channel) = self.channels.get(&claim.conversation.channel) else {
            return Ok(Some(set_all_aside(claim)));
        };
        let media_keys = self.media.keys().await?;
        let mut library = self.library.load_full();
        let mut version_sought = false;
        let mut tickets: Option<Vec<TicketSummary>> = None;
        let mut contact: Option<ContactRecord> = None;
        let mut sent = HashMap::new();
        let mut about: HashMap<String, Option<StoredTicket>> = HashMap::new();
        loop {
            let around = Surroundings {
                library: &library,
                capabilities: channel.parts.connector.capabilities(),
                profile,
                tickets: tickets.as_deref(),
                contact: contact.as_ref(),
                sent: &sent,
                retries: &self.reply_retries,
                about: &about,
                version_sought,
                now: clock::now(),
                metrics: &channel.metrics,
                media_keys,
                public_url: self.media.public_url(),
            };
            match turn::take(claim, around) {
                Turned::Commit(taken) => return Ok(Some(*taken)),
                Turned::NeedsTickets => tickets = Some(self.tickets(&claim.conversation).await?),
                Turned::NeedsContact => {
                    let kept = self.store.contact(&claim.conversation).await?;
                    contact = Some(ContactRecord::decode(kept.record.as_deref()));
                }
                Turned::NeedsSent(message) => {
                    let found = self.sent(&claim.conversation, &message, channel).await?;
                    sent.insert(message, found);
                }
                Turned::NeedsTicket(code) => {
                    let ticket = self.store.ticket(&code).await?;
                    about.insert(code, ticket);
                }
                Turned::NeedsVersion(name) => {
                    version_sought = true;
                    library = self.versions.fetch(&name).await?.unwrap_or(library);
                }
                Turned::NeedsNewerProgram => return Ok(None),
            }
        }
    }

    async fn profile(&self, claim: &Claim) -> Option<Profile> {
        let channel = self.channels.get(&claim.conversation.channel)?;
        let begun = claim
            .session
            .as_ref()
            .is_some_and(|session| !session.is_empty());
        if !channel.parts.profile || begun {
            return None;
        }
        let asked = channel.parts.connector.profile(&claim.conversation.citizen);
        match tokio::time::timeout(PROFILE_TIME, asked).await {
            Ok(Ok(profile)) => Some(profile),
            Ok(Err(error)) => {
                tracing::debug!(%error, conversation = claim.conversation.tag(), "no profile");
                None
            }
            Err(_) => None,
        }
    }

    async fn tickets(
        &self,
        conversation: &ConversationId,
    ) -> Result<Vec<TicketSummary>, langnghe_store::StoreError> {
        let filter = TicketFilter {
            conversation: Some(conversation.clone()),
            limit: TICKETS_SHOWN,
            ..TicketFilter::default()
        };
        let tickets = self.store.tickets(filter).await?;
        Ok(tickets
            .into_iter()
            .map(|ticket| TicketSummary {
                id: ticket.id,
                code: ticket.code,
                title: ticket.title,
                created_at: ticket.created_at,
            })
            .collect())
    }

    fn count_processed(&self, claim: &Claim, count: u64) {
        if let Some(channel) = self.channels.get(&claim.conversation.channel) {
            channel.metrics.processed.inc_by(count);
        }
    }

    fn count_lost(&self, claim: &Claim, began: Instant) {
        tracing::warn!(
            conversation = claim.conversation.tag(),
            held_ms = began.elapsed().as_millis(),
            "the lease was lost; another worker takes the turn"
        );
        if let Some(channel) = self.channels.get(&claim.conversation.channel) {
            channel.metrics.all().leases_lost.inc();
        }
    }
}

/// Events of a channel that the configuration no longer has are kept for the operator.
fn set_all_aside(claim: &Claim) -> Taken {
    use langnghe_store::{NewDeadLetter, SessionChange};
    let (last, _) = claim.events.last().expect("a claim is never empty");
    let set_aside = claim.events.iter().map(|(_, body)| NewDeadLetter {
        reason: "its channel is not in the configuration".to_owned(),
        body: body.clone(),
        reply: None,
    });
    let commit = Commit {
        conversation: claim.conversation.clone(),
        token: claim.token,
        processed: *last,
        session: SessionChange::Keep,
        replies: Vec::new(),
        tickets: Vec::new(),
        timers: Vec::new(),
        set_aside: set_aside.collect(),
        heard: None,
        contact: None,
        erase: false,
    };
    Taken {
        commit,
        count: claim.events.len() as u64,
        jobs: Vec::new(),
        notes: Vec::new(),
        erased_up_to: None,
    }
}

#[cfg(test)]
mod tests;
