//! Timers, owners, erasure, retention, depths, documents, health.

use std::{collections::BTreeMap, sync::atomic::Ordering, time::Duration};

use langnghe_model::{BackendId, ChannelId, ConversationId, Timestamp};

use super::{
    Shared, call, dead,
    inbox::milliseconds,
    layout::Index,
    script,
    waiting::{Claiming, Found},
};
use crate::{
    Contact, DeadKind, Depth, Depths, Epoch, Erased, OwnerId, Ownership, Purged, Retention,
    StoreError,
};

/// How much one step of a purge removes.
const PURGE_STEP: u64 = 200;

/// Fires timers: what it "claims" is how many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timers;

impl Claiming for Timers {
    type Item = ();

    async fn look(
        &self,
        shared: &Shared,
        index: Index,
        max: usize,
        now: Timestamp,
    ) -> Result<Found<()>, StoreError> {
        let mut call = shared.call(&script::FIRE_TIMERS, index, Some(now));
        call.arg(max);
        let (now, next, mut values) = super::inbox::head(call.send().await?)?;
        let fired = call::natural(values.next().unwrap_or_default())?;
        let fired = usize::try_from(fired).unwrap_or(0);
        if fired > 0 {
            shared.wake_here("i", index);
        }
        Ok(Found {
            items: vec![(); fired],
            now,
            next,
            full: fired >= max,
        })
    }

    fn order(_item: &Self::Item) -> u64 {
        0
    }

    async fn give_back(&self, _: &Shared, _: Index, _: Vec<()>) -> Result<(), StoreError> {
        // What was fired is in its inbox, whoever asked for it.
        Ok(())
    }
}

/// Takes, renews or (with no lease) lets go of channels.
pub(super) async fn own(
    shared: &Shared,
    owner: &OwnerId,
    channels: &[ChannelId],
    lease: Duration,
    now: Option<Timestamp>,
) -> Result<Vec<Ownership>, StoreError> {
    let mut call = shared.call(&script::OWN, 0, now);
    call.arg(&owner.0)
        .arg(milliseconds(lease))
        .arg(channels.len());
    for channel in channels {
        call.arg(channel.as_str());
    }
    // A right that the server could lose is none: another would get it too.
    let mut values = call::list(call.send_durably().await?)?.into_iter();
    let mut answers = Vec::new();
    while let (Some(epoch), Some(remaining)) = (values.next(), values.next()) {
        answers.push(match call::natural(epoch)? {
            0 => Ownership::Elsewhere {
                remaining: Duration::from_millis(call::natural(remaining)?),
            },
            epoch => Ownership::Held(Epoch(epoch)),
        });
    }
    Ok(answers)
}

/// Removes everything held of a conversation.
pub(super) async fn erase(
    shared: &Shared,
    conversation: &ConversationId,
    now: Timestamp,
) -> Result<Erased, StoreError> {
    let (index, member) = shared.layout.member(conversation);
    let mut call = shared.call(&script::ERASE, index, Some(now));
    call.arg(conversation.channel.as_str()).arg(member);
    let mut values = call::list(call.send().await?)?.into_iter();
    let mut number = || call::natural(values.next().unwrap_or_default());
    Ok(Erased {
        session: number()? == 1,
        waiting: number()?,
        tickets: number()?,
    })
}

/// Removes what is older than `retention` allows. Marks expire by themselves.
pub(super) async fn purge(
    shared: &Shared,
    retention: Retention,
    now: Timestamp,
) -> Result<Purged, StoreError> {
    let mut purged = Purged::default();
    for index in shared.layout.indexes() {
        for (what, age, gone) in [
            ("s", retention.idle_sessions, &mut purged.sessions),
            ("x", retention.dead_letters, &mut purged.dead_letters),
            ("k", retention.personal, &mut purged.tickets),
            ("c", retention.personal, &mut purged.contacts),
        ] {
            let before = (now - age).as_milliseconds();
            loop {
                let mut call = shared.call(&script::PURGE, index, Some(now));
                call.arg(what).arg(before).arg(PURGE_STEP);
                let step = call::natural(call.send().await?)?;
                *gone += step;
                if step < PURGE_STEP {
                    break;
                }
            }
        }
    }
    Ok(purged)
}

/// How much waits, over all indexes.
pub(super) async fn depths(shared: &Shared) -> Result<Depths, StoreError> {
    let mut depths = Depths::default();
    let mut channels: BTreeMap<String, Depth> = BTreeMap::new();
    let mut backends: BTreeMap<String, Depth> = BTreeMap::new();
    let mut dead: BTreeMap<&'static str, (DeadKind, u64)> = BTreeMap::new();
    for kind in [DeadKind::Reply, DeadKind::Delivery, DeadKind::Event] {
        dead.insert(kind.name(), (kind, 0));
    }
    for index in shared.layout.indexes() {
        let answer = shared.timeless_call(&script::DEPTHS, index).send().await?;
        let mut values = call::list(answer)?.into_iter();
        let mut next = || values.next().unwrap_or_default();
        next();
        depths.sessions += call::natural(next())?;
        depths.inbox_oldest = older(depths.inbox_oldest, call::moment(next())?);
        let mut here = 0;
        for (name, value) in call::fields(next())? {
            let count = u64::try_from(call::digits(&value)?).unwrap_or(0);
            match name.split_once(':') {
                Some(("o", channel)) => {
                    channels.entry(channel.to_owned()).or_default().waiting += count;
                }
                Some(("d", backend)) => {
                    backends.entry(backend.to_owned()).or_default().waiting += count;
                }
                Some(("x", kind)) => {
                    if let Some(kind) = dead::kind_of(kind.as_bytes())
                        && let Some((_, total)) = dead.get_mut(kind.name())
                    {
                        *total += count;
                    }
                }
                _ if name == "inbox" => here = count,
                _ if name == "timers" => depths.timers += count,
                _ => {}
            }
        }
        depths.inbox += here;
        shared.waiting[usize::from(index)].store(here, Ordering::Relaxed);
        while let (Some(name), Some(parked), Some(oldest)) =
            (values.next(), values.next(), values.next())
        {
            let name = call::text(name)?;
            let depth = match name.split_once(':') {
                Some(("o", channel)) => channels.get_mut(channel),
                Some((_, backend)) => backends.get_mut(backend),
                None => None,
            };
            if let Some(depth) = depth {
                depth.parked += call::natural(parked)?;
                depth.oldest = older(depth.oldest, call::moment(oldest)?);
            }
        }
    }
    depths.outbox = channels
        .into_iter()
        .filter_map(|(id, depth)| Some((ChannelId::new(&id).ok()?, depth)))
        .collect();
    depths.deliveries = backends
        .into_iter()
        .filter_map(|(id, depth)| Some((BackendId::new(&id).ok()?, depth)))
        .collect();
    depths.dead = dead.into_values().collect();
    Ok(depths)
}

fn older(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Keeps a document.
pub(super) async fn keep_document(
    shared: &Shared,
    name: &str,
    body: &[u8],
) -> Result<(), StoreError> {
    shared.open()?;
    let mut command = redis::cmd("HSET");
    command.arg(shared.layout.index_key(0, "documents"));
    command.arg(name).arg(body);
    shared.link.command("keep a document", &command).await?;
    Ok(())
}

/// Keeps a document in the place of an expected one.
pub(super) async fn exchange_document(
    shared: &Shared,
    name: &str,
    expected: Option<&[u8]>,
    body: &[u8],
) -> Result<bool, StoreError> {
    let mut call = shared.timeless_call(&script::EXCHANGE_DOCUMENT, 0);
    call.arg(name)
        .arg(i32::from(expected.is_some()))
        .arg(expected.unwrap_or_default())
        .arg(body);
    Ok(call::natural(call.send_durably().await?)? == 1)
}

/// All documents whose names begin with `prefix`, by name. They are few.
pub(super) async fn documents(
    shared: &Shared,
    prefix: &str,
) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    shared.open()?;
    let mut command = redis::cmd("HGETALL");
    command.arg(shared.layout.index_key(0, "documents"));
    let all = call::fields(shared.link.command("documents", &command).await?)?;
    let mut found: Vec<_> = all
        .into_iter()
        .filter(|(name, _)| name.starts_with(prefix))
        .collect();
    found.sort();
    Ok(found)
}

/// The document of this name.
pub(super) async fn document(shared: &Shared, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    shared.open()?;
    let mut command = redis::cmd("HGET");
    command.arg(shared.layout.index_key(0, "documents"));
    command.arg(name);
    call::optional(shared.link.command("a document", &command).await?)
}

/// Removes a document; false where there is none.
pub(super) async fn remove_document(shared: &Shared, name: &str) -> Result<bool, StoreError> {
    shared.open()?;
    let mut command = redis::cmd("HDEL");
    command.arg(shared.layout.index_key(0, "documents"));
    command.arg(name);
    let removed = shared.link.command("remove a document", &command).await?;
    Ok(call::natural(removed)? > 0)
}

/// What is known of a citizen.
pub(super) async fn contact(
    shared: &Shared,
    conversation: &ConversationId,
) -> Result<Contact, StoreError> {
    shared.open()?;
    let (index, member) = shared.layout.member(conversation);
    let mut record = redis::cmd("GET");
    record.arg([shared.layout.prefix.as_bytes(), b":c:", &member].concat());
    let record = call::optional(shared.link.command("contact", &record).await?)?;
    let score = |set: &str| {
        let mut command = redis::cmd("ZSCORE");
        let set = shared.layout.index_key(index, set);
        command.arg(set).arg(&member);
        command
    };
    let (late, heard) = (score("late"), score("heard"));
    let late = call::score(shared.link.command("contact", &late).await?)?;
    let heard_at = match late {
        Some(at) => Some(at),
        None => call::score(shared.link.command("contact", &heard).await?)?,
    };
    Ok(Contact { heard_at, record })
}

/// Whether the server can be written.
pub(super) async fn ping(shared: &Shared) -> Result<(), StoreError> {
    shared.open()?;
    let mut command = redis::cmd("SET");
    command.arg(shared.layout.index_key(0, "ping"));
    command.arg(1).arg("EX").arg(60);
    shared.link.command("ping", &command).await?;
    Ok(())
}
