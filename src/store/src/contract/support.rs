//! What cases are written with.

use std::{sync::Arc, time::Duration};

use langnghe_model::{
    BackendId, ChannelId, CitizenId, ConversationId, DedupKey, TicketId, Timestamp,
};

use crate::{
    Accepted, Claim, Commit, Committed, Epoch, Lane, Limits, NewEvent, NewReply, NewTicket,
    OutboxReply, SettleResult, Settlement, Store, contract::Fixture,
};

/// How long a lease lasts where that is not the point.
pub(super) const LEASE: Duration = Duration::from_secs(30);
/// The reign under which replies are claimed where that is not the point.
pub(super) const EPOCH: Epoch = Epoch(1);
/// How long something may take that should be prompt.
pub(super) const SOON: Duration = Duration::from_secs(10);

/// The moment at which cases begin: after now by every server's clock for decades, so that nothing of it
/// is past its time there.
pub(super) fn start() -> Timestamp {
    Timestamp::from_seconds(2_500_000_000)
}

/// So many seconds after [`start`].
pub(super) fn at(seconds: u64) -> Timestamp {
    start() + Duration::from_secs(seconds)
}

pub(super) fn channel(name: &str) -> ChannelId {
    ChannelId::new(name).expect("a good id")
}

pub(super) fn backend(name: &str) -> BackendId {
    BackendId::new(name).expect("a good id")
}

/// A citizen on the channel `page`.
pub(super) fn citizen(name: &str) -> ConversationId {
    ConversationId::new(channel("page"), CitizenId::new(name))
}

/// An event with a key of its own number.
pub(super) fn event(conversation: &ConversationId, number: u128) -> NewEvent {
    NewEvent {
        conversation: conversation.clone(),
        // Spread as real keys are, which are hashes.
        dedup: DedupKey(number.wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)),
        body: format!("event {number}").into_bytes(),
    }
}

pub(super) async fn open(fixture: &dyn Fixture) -> Arc<dyn Store> {
    fixture.open(Limits::default()).await
}

/// Accepts one event, which must be stored.
pub(super) async fn take_in(store: &dyn Store, conversation: &ConversationId, number: u128) {
    take_in_at(store, conversation, number, start()).await;
}

/// The same at another moment: conversations are ordered among each other by time only.
pub(super) async fn take_in_at(
    store: &dyn Store,
    conversation: &ConversationId,
    number: u128,
    now: Timestamp,
) {
    let answers = store
        .accept(vec![event(conversation, number)], now)
        .await
        .expect("accept");
    assert_eq!(answers, [Accepted::Stored]);
}

/// Claims without waiting.
pub(super) async fn claim(store: &dyn Store, max: usize, now: Timestamp) -> Vec<Claim> {
    store
        .claim(max, LEASE, now, Duration::ZERO)
        .await
        .expect("claim")
}

/// Claims exactly one conversation.
pub(super) async fn claim_one(store: &dyn Store, now: Timestamp) -> Claim {
    let mut claims = claim(store, 1, now).await;
    assert_eq!(claims.len(), 1, "one conversation is ready");
    claims.remove(0)
}

/// The events of a claim, as text.
pub(super) fn texts(claim: &Claim) -> Vec<String> {
    claim.events.iter().map(|(_, body)| text(body)).collect()
}

pub(super) fn text(body: &[u8]) -> String {
    String::from_utf8(body.to_vec()).expect("text")
}

pub(super) async fn commit(store: &dyn Store, commit: Commit, now: Timestamp) -> Committed {
    let answers = store.commit(vec![commit], now).await.expect("commit");
    assert_eq!(answers.len(), 1);
    answers[0]
}

/// Takes an event in, claims it and commits what `change` makes of the empty commit.
pub(super) async fn turn(
    store: &dyn Store,
    conversation: &ConversationId,
    number: u128,
    change: impl FnOnce(&mut Commit),
) {
    turn_at(store, conversation, number, start(), change).await;
}

/// The same at another moment.
pub(super) async fn turn_at(
    store: &dyn Store,
    conversation: &ConversationId,
    number: u128,
    now: Timestamp,
    change: impl FnOnce(&mut Commit),
) {
    take_in_at(store, conversation, number, now).await;
    let claims = claim(store, 100, now).await;
    let claim = claims
        .into_iter()
        .find(|claim| claim.conversation == *conversation);
    let mut empty = claim.expect("the conversation is ready").done();
    change(&mut empty);
    assert_eq!(commit(store, empty, now).await, Committed::Done);
}

pub(super) fn reply(text: &str) -> NewReply {
    NewReply {
        body: text.as_bytes().to_vec(),
        window_until: None,
        lane: Lane::Answer,
    }
}

/// Queues replies of these texts by a turn.
pub(super) async fn queue(
    store: &dyn Store,
    conversation: &ConversationId,
    number: u128,
    replies: &[&str],
) {
    queue_at(store, conversation, number, start(), replies).await;
}

/// The same at another moment: conversations are ordered among each other by time only.
pub(super) async fn queue_at(
    store: &dyn Store,
    conversation: &ConversationId,
    number: u128,
    now: Timestamp,
    replies: &[&str],
) {
    turn_at(store, conversation, number, now, |commit| {
        commit.replies = replies.iter().map(|text| reply(text)).collect();
    })
    .await;
}

pub(super) fn ticket(code: &str, to: Option<&str>) -> NewTicket {
    NewTicket {
        id: TicketId::new(format!("id-{code}")),
        code: code.to_owned(),
        title: "Phản ánh".to_owned(),
        backend: to.map(backend),
        body: format!("body of {code}").into_bytes(),
        personal: Some(format!("person of {code}").into_bytes()),
        created_at: start(),
    }
}

/// Claims replies of the channel `page` without waiting.
pub(super) async fn claim_replies(
    store: &dyn Store,
    max: usize,
    now: Timestamp,
) -> Vec<OutboxReply> {
    let page = channel("page");
    store
        .claim_outbox(&page, EPOCH, max, LEASE, now, Duration::ZERO)
        .await
        .expect("claim_outbox")
}

/// Their texts.
pub(super) fn reply_texts(replies: &[OutboxReply]) -> Vec<String> {
    replies.iter().map(|reply| text(&reply.body)).collect()
}

pub(super) async fn settle(
    store: &dyn Store,
    reply: &OutboxReply,
    result: SettleResult,
    now: Timestamp,
) {
    let settlement = Settlement {
        id: reply.id,
        conversation: reply.conversation.clone(),
        token: reply.token,
        result,
    };
    store.settle(vec![settlement], now).await.expect("settle");
}

/// Claims and sends everything that is due, one after the other; the texts in that order.
pub(super) async fn send_all(store: &dyn Store, now: Timestamp) -> Vec<String> {
    let mut sent = Vec::new();
    loop {
        let replies = claim_replies(store, 100, now).await;
        if replies.is_empty() {
            return sent;
        }
        sent.extend(reply_texts(&replies));
        let settlements = replies.iter().map(|reply| Settlement {
            id: reply.id,
            conversation: reply.conversation.clone(),
            token: reply.token,
            result: SettleResult::Sent,
        });
        store
            .settle(settlements.collect(), now)
            .await
            .expect("settle");
    }
}
