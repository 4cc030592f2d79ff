//! One of the stores that are compared, with what it has answered so far.

use std::{fmt::Debug, sync::Arc, time::Duration};

use langnghe_model::{
    BackendId, ChannelId, CitizenId, ConversationId, DedupKey, TicketId, Timestamp,
};
use langnghe_store::{
    Claim, Commit, DeadLetter, Delivery, DeliveryResult, DeliverySettlement, Disabled, Epoch,
    Heard, Limits, NewDeadLetter, NewEvent, NewReply, NewTicket, OutboxReply, OwnerId, Ownership,
    Position, Retention, SessionChange, SettleResult, Settlement, Store, StoreError, TicketFilter,
    TicketNote, TimerChange, contract::Fixture,
};

use crate::operation::{
    BACKENDS, CHANNELS, CITIZENS, Delivered, LEASE, OWNERS, Operation, Session, Settled, Turn,
};

/// Small, so that they are met; not so the bound over all conversations, near which stores may count
/// differently.
const LIMITS: Limits = Limits {
    inbox: 100_000,
    inbox_a_conversation: 8,
    events_a_claim: 5,
    dedup_memory: 32 * 1024 * 1024,
    operations: 10_000,
};

/// A store, and what it has answered: ids, tokens and epochs are its own, so they are called by their
/// number in order of appearance.
pub(crate) struct Actor {
    fixture: Box<dyn Fixture>,
    /// None only while it is being opened again.
    store: Option<Arc<dyn Store>>,
    /// What was claimed, and when; a reply with the number of the epoch.
    pub(crate) claims: Vec<(Claim, Timestamp)>,
    pub(crate) replies: Vec<((OutboxReply, usize), Timestamp)>,
    pub(crate) deliveries: Vec<(Delivery, Timestamp)>,
    pub(crate) epochs: [Vec<Epoch>; 2],
    pub(crate) dead: Vec<u64>,
}

fn channel(number: usize) -> ChannelId {
    ChannelId::new(CHANNELS[number]).expect("a good id")
}

fn backend(number: usize) -> BackendId {
    BackendId::new(BACKENDS[number]).expect("a good id")
}

pub(crate) fn conversation(number: usize) -> ConversationId {
    let citizen = format!("citizen {}", number / CHANNELS.len() % CITIZENS);
    ConversationId::new(channel(number % CHANNELS.len()), CitizenId::new(&citizen))
}

fn later(now: Timestamp, seconds: u64) -> Timestamp {
    now + Duration::from_secs(seconds)
}

/// The answer as text; the reason of an error is each store's own.
fn plain<T: Debug>(answer: Result<T, StoreError>) -> String {
    match answer {
        Ok(answer) => format!("{answer:?}"),
        Err(StoreError::Full) => "full".to_owned(),
        Err(StoreError::NotOwner) => "not owner".to_owned(),
        Err(error) => panic!("{error}"),
    }
}

fn text(body: &[u8]) -> String {
    String::from_utf8(body.to_vec()).expect("text")
}

impl Actor {
    pub(crate) async fn new(fixture: Box<dyn Fixture>) -> Self {
        let store = fixture.open(LIMITS).await;
        Self {
            fixture,
            store: Some(store),
            claims: Vec::new(),
            replies: Vec::new(),
            deliveries: Vec::new(),
            epochs: [Vec::new(), Vec::new()],
            dead: Vec::new(),
        }
    }

    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(self.store.as_ref().expect("open"))
    }

    /// Does it, and tells the answer without what is the store's own.
    pub(crate) async fn apply(&mut self, operation: &Operation, now: Timestamp) -> String {
        let store = self.store();
        match operation {
            Operation::Accept(events) => {
                let events = events.iter().map(|(who, key)| NewEvent {
                    conversation: conversation(*who),
                    dedup: DedupKey(key.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)),
                    body: format!("event {key}").into_bytes(),
                });
                plain(store.accept(events.collect(), now).await)
            }
            Operation::Claim => self.claim(now).await,
            Operation::Commit(turns) => {
                let commits = turns.iter().zip(0..);
                let commits = commits.map(|(turn, place)| self.commit(turn, place, now));
                plain(store.commit(commits.collect(), now).await)
            }
            Operation::Release { claim, seconds } => {
                let (claim, _) = &self.claims[*claim];
                let at = later(now, *seconds);
                plain(store.release(&claim.conversation, claim.token, at).await)
            }
            Operation::Own { owner, channels } => self.own(*owner, channels, now).await,
            Operation::Disown { owner, channels } => {
                let owner = OwnerId(OWNERS[*owner].to_owned());
                let channels: Vec<_> = channels.iter().map(|number| channel(*number)).collect();
                plain(store.disown(&owner, &channels).await)
            }
            Operation::ClaimOutbox { channel, epoch } => {
                self.claim_outbox(*channel, *epoch, now).await
            }
            Operation::Settle(settlements) => {
                let settlements = settlements.iter().map(|(reply, result)| {
                    let ((reply, _), _) = &self.replies[*reply];
                    Settlement {
                        id: reply.id,
                        conversation: reply.conversation.clone(),
                        token: reply.token,
                        result: settled(*result, now),
                    }
                });
                plain(store.settle(settlements.collect(), now).await)
            }
            Operation::Wake(who) => plain(store.wake(&conversation(*who)).await),
            Operation::ClaimDeliveries(backend) => self.claim_deliveries(*backend, now).await,
            Operation::SettleDeliveries(results) => {
                let results = results.iter().zip(0..).map(|((delivery, result), place)| {
                    let (delivery, _) = &self.deliveries[*delivery];
                    DeliverySettlement {
                        ticket: delivery.ticket.clone(),
                        token: delivery.token,
                        at: now + Duration::from_millis(place),
                        result: delivered(*result, now),
                    }
                });
                plain(store.settle_deliveries(results.collect()).await)
            }
            Operation::FireTimers => plain(store.fire_timers(100, now, Duration::ZERO).await),
            Operation::DeadLetters {
                kind,
                before,
                limit,
            } => {
                let before = before.map(|number| self.dead[number]);
                let letters = store.dead_letters(*kind, before, *limit).await;
                self.letters(letters.expect("a list"))
            }
            Operation::DeadLetter(number) => {
                let letter = store.dead_letter(self.dead[*number]).await;
                let letter = letter.expect("an answer").into_iter().collect();
                self.letters(letter)
            }
            Operation::RetryDead(number) => plain(store.retry_dead(self.dead[*number], now).await),
            Operation::DropDead(number) => plain(store.drop_dead(self.dead[*number], now).await),
            Operation::Reopen { close } => {
                if *close {
                    store.close().await.expect("it closes");
                }
                self.reopen(store).await
            }
            operation => self.ask(operation, now).await,
        }
    }

    /// What changes nothing here.
    async fn ask(&self, operation: &Operation, now: Timestamp) -> String {
        let store = self.store();
        match operation {
            Operation::Ticket(name) => plain(store.ticket(name).await),
            Operation::Tickets {
                conversation: who,
                delivery,
                before,
                limit,
            } => {
                let filter = TicketFilter {
                    conversation: who.map(conversation),
                    delivery: *delivery,
                    before: before.clone().map(TicketId::new),
                    limit: *limit,
                };
                plain(store.tickets(filter).await)
            }
            Operation::SetDisabled {
                backend: number,
                disabled,
            } => {
                let disabled = disabled.then(|| Disabled {
                    at: now,
                    reason: "410".to_owned(),
                });
                plain(store.set_disabled(&backend(*number), disabled).await)
            }
            Operation::Disabled(number) => plain(store.disabled(&backend(*number)).await),
            Operation::Keep { name, body } => {
                plain(store.keep_document(name, body.as_bytes()).await)
            }
            Operation::Note { code, number } => {
                let note = TicketNote {
                    at: now,
                    what: "notice".to_owned(),
                    detail: (number % 2 == 0).then(|| format!("line {number}")),
                };
                plain(store.note(code, note).await)
            }
            Operation::Contact(who) => {
                let contact = store.contact(&conversation(*who)).await;
                // When exactly may differ by a minute.
                let contact = contact.map(|known| (known.heard_at.is_some(), known.record));
                plain(contact)
            }
            Operation::Documents(prefix) => plain(store.documents(prefix).await),
            Operation::Erase(who) => plain(store.erase(&conversation(*who), now).await),
            Operation::Purge => {
                let retention = Retention {
                    dedup: Duration::from_hours(24 * 7),
                    idle_sessions: Duration::from_mins(10),
                    dead_letters: Duration::from_mins(8),
                    personal: Duration::from_mins(6),
                };
                plain(store.purge(retention, now).await)
            }
            Operation::Depths => {
                let mut depths = store.depths().await.expect("depths");
                depths.outbox.sort_by_key(|(name, _)| name.to_string());
                depths.deliveries.sort_by_key(|(name, _)| name.to_string());
                depths.dead.sort_by_key(|(kind, _)| kind.name());
                // Whether nothing is told of a queue that is empty is left open.
                depths.outbox.retain(|(_, depth)| depth.waiting > 0);
                depths.deliveries.retain(|(_, depth)| depth.waiting > 0);
                depths.dead.retain(|(_, count)| *count > 0);
                format!("{depths:?}")
            }
            other => unreachable!("{other:?}"),
        }
    }

    async fn claim(&mut self, now: Timestamp) -> String {
        let claims = self.store().claim(100, LEASE, now, Duration::ZERO).await;
        let mut claims = claims.expect("claims");
        claims.sort_by_key(|claim| claim.conversation.key());
        let told = claims.iter().map(|claim| {
            assert!(claim.events.is_sorted_by(|one, other| one.0 < other.0));
            let events: Vec<_> = claim.events.iter().map(|(_, body)| text(body)).collect();
            let session = claim.session.as_deref().map(text);
            (claim.conversation.key(), session, events)
        });
        let told = format!("{:?}", told.collect::<Vec<_>>());
        self.claims
            .extend(claims.into_iter().map(|claim| (claim, now)));
        told
    }

    fn commit(&self, turn: &Turn, batch_place: u64, now: Timestamp) -> Commit {
        let (claim, _) = &self.claims[turn.claim];
        let last = turn.processed.min(claim.events.len());
        let window = |ends: bool| ends.then(|| later(now, 60));
        Commit {
            conversation: claim.conversation.clone(),
            token: claim.token,
            processed: last
                .checked_sub(1)
                .map_or(Position(0), |last| claim.events[last].0),
            session: match &turn.session {
                Session::Keep => SessionChange::Keep,
                Session::Delete => SessionChange::Delete,
                Session::Put(text) => SessionChange::Put(text.clone().into_bytes()),
            },
            replies: turn
                .replies
                .iter()
                .map(|(text, ends, lane)| NewReply {
                    body: text.clone().into_bytes(),
                    window_until: window(*ends),
                    lane: *lane,
                })
                .collect(),
            tickets: turn
                .tickets
                .iter()
                .zip(0..)
                .map(|((id, code, to), place)| NewTicket {
                    id: TicketId::new(id.clone()),
                    code: code.clone(),
                    title: "Phản ánh".to_owned(),
                    backend: to.map(backend),
                    body: format!("body of {code}").into_bytes(),
                    personal: (place == 0).then(|| format!("person of {code}").into_bytes()),
                    // Tickets of one moment have no order among each other.
                    created_at: now + Duration::from_millis(4 * batch_place + place),
                })
                .collect(),
            timers: turn
                .timers
                .iter()
                .map(|(name, seconds)| {
                    let name = (*name).to_owned();
                    match seconds {
                        None => TimerChange::Cancel { name },
                        Some(seconds) => TimerChange::Set {
                            event: format!("{name} set at {now:?}").into_bytes(),
                            name,
                            at: later(now, *seconds),
                        },
                    }
                })
                .collect(),
            set_aside: turn
                .set_aside
                .then(|| NewDeadLetter {
                    reason: "unknown kind".to_owned(),
                    body: b"odd".to_vec(),
                    reply: None,
                })
                .into_iter()
                .collect(),
            heard: turn.heard.map(|ends| Heard {
                at: now,
                window_until: window(ends),
            }),
            contact: turn
                .contact
                .as_ref()
                .map(|record| record.clone().into_bytes()),
            erase: turn.erase,
        }
    }

    async fn own(&mut self, owner: usize, channels: &[usize], now: Timestamp) -> String {
        let owner = OwnerId(OWNERS[owner].to_owned());
        let ids: Vec<_> = channels.iter().map(|number| channel(*number)).collect();
        let answers = self.store().own(&owner, &ids, LEASE, now).await;
        let mut told = Vec::new();
        for (number, answer) in channels.iter().zip(answers.expect("an answer")) {
            told.push(match answer {
                Ownership::Held(epoch) => {
                    let known = &mut self.epochs[*number];
                    let place = known.iter().position(|old| *old == epoch);
                    let place = place.unwrap_or_else(|| {
                        assert!(known.last().is_none_or(|last| *last < epoch), "it grows");
                        known.push(epoch);
                        known.len() - 1
                    });
                    format!("held, epoch {place}")
                }
                Ownership::Elsewhere { remaining } => format!("elsewhere for {remaining:?}"),
            });
        }
        format!("{told:?}")
    }

    async fn claim_outbox(&mut self, number: usize, epoch: usize, now: Timestamp) -> String {
        let token = self.epochs[number][epoch];
        let replies = self
            .store()
            .claim_outbox(&channel(number), token, 100, LEASE, now, Duration::ZERO)
            .await;
        let mut replies = match replies {
            Ok(replies) => replies,
            Err(error) => return plain::<()>(Err(error)),
        };
        assert!(replies.is_sorted_by_key(|reply| reply.lane), "lane by lane");
        replies.sort_by_key(|reply| (reply.conversation.key(), reply.lane));
        let told = replies.iter().map(|reply| {
            let before = self
                .replies
                .iter()
                .filter(|((old, _), _)| old.id == reply.id);
            (
                reply.conversation.key(),
                reply.lane,
                text(&reply.body),
                reply.attempts,
                reply.window_until,
                reply.queued_at,
                before.count(),
            )
        });
        let told = format!("{:?}", told.collect::<Vec<_>>());
        self.replies
            .extend(replies.into_iter().map(|reply| ((reply, epoch), now)));
        told
    }

    async fn claim_deliveries(&mut self, number: usize, now: Timestamp) -> String {
        let due = self
            .store()
            .claim_deliveries(&backend(number), 100, LEASE, now, Duration::ZERO)
            .await;
        let mut due = due.expect("deliveries");
        due.sort_by(|one, other| one.ticket.as_str().cmp(other.ticket.as_str()));
        let told = due.iter().map(|delivery| {
            (
                delivery.ticket.to_string(),
                delivery.code.clone(),
                text(&delivery.body),
                delivery.personal.as_deref().map(text),
                delivery.attempts,
                delivery.created_at,
            )
        });
        let told = format!("{:?}", told.collect::<Vec<_>>());
        self.deliveries
            .extend(due.into_iter().map(|delivery| (delivery, now)));
        told
    }

    fn letters(&mut self, letters: Vec<DeadLetter>) -> String {
        let told = letters.into_iter().map(|letter| {
            let known = self.dead.iter().position(|id| *id == letter.id);
            let number = known.unwrap_or_else(|| {
                self.dead.push(letter.id);
                self.dead.len() - 1
            });
            let conversation = letter.conversation.map(|found| found.key());
            format!(
                "{number}: {:?} {} {conversation:?} {:?} {} {:?} {} {}",
                letter.kind,
                letter.place,
                letter.ticket,
                letter.reason,
                letter.at,
                letter.attempts,
                text(&letter.body)
            )
        });
        told.collect::<Vec<_>>().join("; ")
    }

    /// After the leases, so that what was claimed is worth nothing any more.
    async fn reopen(&mut self, store: Arc<dyn Store>) -> String {
        drop(store);
        self.claims.clear();
        self.replies.clear();
        self.deliveries.clear();
        // The last clone goes before the data are opened again.
        drop(self.store.take());
        self.store = Some(self.fixture.open(LIMITS).await);
        String::new()
    }
}

fn settled(result: Settled, now: Timestamp) -> SettleResult {
    match result {
        Settled::Sent => SettleResult::Sent,
        Settled::Retry { seconds, counts } => SettleResult::Retry {
            at: later(now, seconds),
            counts,
        },
        Settled::Park => SettleResult::Park,
        Settled::Bury => SettleResult::Bury {
            reason: "refused".to_owned(),
        },
        Settled::Drop => SettleResult::Drop,
    }
}

fn delivered(result: Delivered, now: Timestamp) -> DeliveryResult {
    match result {
        Delivered::Taken => DeliveryResult::Delivered {
            reference: Some("REF".to_owned()),
        },
        Delivered::Retry { seconds } => DeliveryResult::Retry {
            at: later(now, seconds),
            reason: "503".to_owned(),
        },
        Delivered::Bury => DeliveryResult::Bury {
            reason: "400".to_owned(),
        },
    }
}
