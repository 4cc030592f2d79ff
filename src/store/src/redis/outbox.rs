//! Replies on their way.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::future::join_all;
use langnghe_model::{ChannelId, ConversationId, EventId, Timestamp};

use super::{
    Shared, call,
    gather::Request,
    inbox::{head, milliseconds},
    layout::{Index, conversation_of},
    script,
    waiting::{Claiming, Found},
};
use crate::{
    Epoch, Lane, LeaseToken, OutboxReply, SENT_RECORDS, SettleResult, Settlement, StoreError,
};

/// A number that is unique over all indexes, from one that is unique in its own.
pub(super) fn global(number: u64, index: Index) -> u64 {
    (number << 10) | u64::from(index)
}

/// The number and the index from which [`global`] made it.
pub(super) fn local(global: u64) -> (u64, Index) {
    let index = Index::try_from(global & 1023).unwrap_or(0);
    (global >> 10, index)
}

/// Claims replies of a channel.
#[derive(Clone, Debug)]
pub(super) struct Replies {
    pub(super) channel: ChannelId,
    pub(super) epoch: Epoch,
    pub(super) lease: Duration,
}

impl Claiming for Replies {
    type Item = OutboxReply;

    async fn look(
        &self,
        shared: &Shared,
        index: Index,
        max: usize,
        now: Timestamp,
    ) -> Result<Found<OutboxReply>, StoreError> {
        let mut call = shared.call(&script::CLAIM_OUTBOX, index, Some(now));
        call.arg(self.channel.as_str())
            .arg(self.epoch.0)
            .arg(max)
            .arg(milliseconds(self.lease));
        let answer = call::list(call.send_durably().await?)?;
        if let Some(first) = answer.first()
            && call::moment(first.clone())?.is_none()
        {
            return Err(StoreError::NotOwner);
        }
        let (now, next, mut values) = head(redis::Value::Array(answer))?;
        let mut items = Vec::new();
        while let (Some(member), Some(token), Some(lane), Some(reply)) =
            (values.next(), values.next(), values.next(), values.next())
        {
            let Some(conversation) = conversation_of(&call::bytes(member)?) else {
                continue;
            };
            let mut whole = call::bytes(reply)?;
            if whole.len() < 46 {
                return Err(StoreError::Damaged("a reply without its number".to_owned()));
            }
            let number =
                |part: &[u8]| call::digits(part).map(|number| u64::try_from(number).unwrap_or(0));
            let window = call::digits(&whole[33..46])?;
            let reply = OutboxReply {
                id: global(number(&whole[..16])?, index),
                conversation,
                token: LeaseToken(call::natural(token)?),
                lane: lane_of(&call::bytes(lane)?),
                attempts: u32::try_from(number(&whole[16..20])?).unwrap_or(u32::MAX),
                queued_at: Timestamp::from_milliseconds(call::digits(&whole[20..33])?),
                window_until: (window > 0).then(|| Timestamp::from_milliseconds(window)),
                body: whole.split_off(46),
            };
            items.push(reply);
        }
        let full = items.len() >= max;
        Ok(Found {
            items,
            now,
            next,
            full,
        })
    }

    fn order(item: &Self::Item) -> u64 {
        // Numbers of replies stay far below the bits of the lane.
        ((item.lane as u64) << 62) | item.id
    }

    async fn give_back(
        &self,
        shared: &Shared,
        index: Index,
        items: Vec<OutboxReply>,
    ) -> Result<(), StoreError> {
        let mut call = shared.call(&script::SETTLE, index, None);
        call.arg(items.len());
        for reply in &items {
            let (_, member) = shared.layout.member(&reply.conversation);
            call.arg(self.channel.as_str())
                .arg(member)
                .arg(reply.token.0)
                .arg("U")
                .arg(0)
                .arg(0)
                .arg("");
        }
        call.send().await?;
        shared.wake_here(&format!("o:{}", self.channel), index);
        Ok(())
    }
}

/// What the keys of a lane have in their names.
pub(super) fn lane_letter(lane: Lane) -> &'static str {
    match lane {
        Lane::Answer => "",
        Lane::Notice => "n",
        Lane::Broadcast => "b",
    }
}

/// The lane of which [`lane_letter`] gives this.
pub(super) fn lane_of(letter: &[u8]) -> Lane {
    match letter {
        b"n" => Lane::Notice,
        b"b" => Lane::Broadcast,
        _ => Lane::Answer,
    }
}

type SettleRequest = Request<(Vec<Settlement>, Timestamp), ()>;

/// Settles what several callers have; one call an index.
pub(super) async fn settle_all(shared: Arc<Shared>, requests: Vec<SettleRequest>) {
    let mut groups: BTreeMap<Index, Vec<(usize, usize, Vec<u8>)>> = BTreeMap::new();
    for (place, request) in requests.iter().enumerate() {
        for (number, settled) in request.question.0.iter().enumerate() {
            let (index, member) = shared.layout.member(&settled.conversation);
            groups
                .entry(index)
                .or_default()
                .push((place, number, member));
        }
    }
    let now = requests.iter().map(|request| request.question.1).max();
    let calls = groups.iter().map(|(index, group)| {
        let settlements = group
            .iter()
            .map(|(place, number, member)| (&requests[*place].question.0[*number], member));
        settle_group(&shared, *index, settlements.collect(), now)
    });
    let mut failures = vec![None; requests.len()];
    for (group, result) in groups.values().zip(join_all(calls).await) {
        if let Err(error) = result {
            for (place, ..) in group {
                failures[*place] = Some(error.to_string());
            }
        }
    }
    for (request, failure) in requests.into_iter().zip(failures) {
        request.answer(failure.map_or(Ok(()), |reason| Err(StoreError::Unavailable(reason))));
    }
}

async fn settle_group(
    shared: &Shared,
    index: Index,
    settlements: Vec<(&Settlement, &Vec<u8>)>,
    now: Option<Timestamp>,
) -> Result<(), StoreError> {
    let mut call = shared.call(&script::SETTLE, index, now);
    call.arg(settlements.len());
    let mut later = Vec::new();
    for (settled, member) in &settlements {
        let channel = &settled.conversation.channel;
        let kept;
        let (result, at, counts, reason): (_, _, usize, &[u8]) = match &settled.result {
            SettleResult::Sent | SettleResult::Drop => ("S", 0, 0, b""),
            SettleResult::SentFor(record) => {
                kept = [record.message.as_str().as_bytes(), &record.body].join(&0);
                ("K", record.until.as_milliseconds(), SENT_RECORDS, &kept)
            }
            SettleResult::Retry { at, counts } => {
                later.push(channel);
                ("R", at.as_milliseconds(), usize::from(*counts), b"")
            }
            SettleResult::Park => ("P", 0, 0, b""),
            SettleResult::Bury { reason } => ("B", 0, 0, reason.as_bytes()),
        };
        call.arg(channel.as_str())
            .arg(member)
            .arg(settled.token.0)
            .arg(result)
            .arg(at)
            .arg(counts)
            .arg(reason);
        shared.wake_here(&format!("o:{channel}"), index);
    }
    call.send().await?;
    for channel in later {
        // Who waits here learns when it is due again.
        shared.topics.wake(&format!("o:{channel}"), index);
    }
    Ok(())
}

/// What was kept of a reply that was sent lately.
pub(super) async fn sent(
    shared: &Shared,
    conversation: &ConversationId,
    message: &EventId,
) -> Result<Option<Vec<u8>>, StoreError> {
    shared.open()?;
    let (_, member) = shared.layout.member(conversation);
    let mut command = redis::cmd("LRANGE");
    command
        .arg([shared.layout.prefix.as_bytes(), b":r:", &member].concat())
        .arg(0)
        .arg(-1);
    let records = call::list(shared.link.command("a sent reply", &command).await?)?;
    let wanted = [message.as_str().as_bytes(), b"\0"].concat();
    for record in records.into_iter().rev() {
        let record = call::bytes(record)?;
        if let Some(body) = record.strip_prefix(wanted.as_slice()) {
            return Ok(Some(body.to_vec()));
        }
    }
    Ok(None)
}

/// Makes what waits for the citizen of a conversation due.
pub(super) async fn wake(shared: &Shared, conversation: &ConversationId) -> Result<(), StoreError> {
    let (index, member) = shared.layout.member(conversation);
    let mut call = shared.call(&script::WAKE, index, None);
    call.arg(conversation.channel.as_str()).arg(member);
    call.send().await?;
    shared.wake_here(&format!("o:{}", conversation.channel), index);
    Ok(())
}
