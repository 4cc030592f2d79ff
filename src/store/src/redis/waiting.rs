//! Claims that wait, and that lose nothing when their caller goes away.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures_util::future::join_all;
use langnghe_model::Timestamp;
use tokio::{sync::oneshot, time::Instant};

use super::{
    Shared, StoreClock,
    layout::Index,
    topics::{Topic, instant},
};
use crate::StoreError;

/// So many indexes of a cluster are looked at together.
const LOOKS_AT_ONCE: usize = 16;

/// What one look at an index found.
pub(super) struct Found<T> {
    pub(super) items: Vec<T>,
    /// The store's time.
    pub(super) now: Timestamp,
    /// When to look again.
    pub(super) next: Option<Timestamp>,
    /// Whether as much was found as was asked for, so that more may be there.
    pub(super) full: bool,
}

/// How a kind of thing is claimed.
pub(super) trait Claiming: Clone + Send + Sync + 'static {
    /// What is claimed.
    type Item: Send + 'static;

    /// Looks at one index for up to `max` things.
    fn look(
        &self,
        shared: &Shared,
        index: Index,
        max: usize,
        now: Timestamp,
    ) -> impl Future<Output = Result<Found<Self::Item>, StoreError>> + Send;

    /// What orders things of several indexes among each other, as far as it is known.
    fn order(item: &Self::Item) -> u64;

    /// Gives back what nobody will use.
    fn give_back(
        &self,
        shared: &Shared,
        index: Index,
        items: Vec<Self::Item>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Claimed things on their way to a caller: when they do not arrive they are given back at once
/// rather than when their leases run out.
struct OnTheirWay<C: Claiming> {
    claiming: C,
    shared: Arc<Shared>,
    index: Index,
    items: Vec<C::Item>,
}

impl<C: Claiming> OnTheirWay<C> {
    fn arrive(mut self) -> Vec<C::Item> {
        std::mem::take(&mut self.items)
    }
}

impl<C: Claiming> Drop for OnTheirWay<C> {
    fn drop(&mut self) {
        let items = std::mem::take(&mut self.items);
        if items.is_empty() {
            return;
        }
        let (claiming, shared, index) =
            (self.claiming.clone(), Arc::clone(&self.shared), self.index);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = claiming.give_back(&shared, index, items).await {
                    tracing::debug!(%error, "unused leases run out by themselves");
                }
            });
        }
    }
}

/// Claims up to `max` things of a topic; waits up to `wait` for the first.
pub(super) async fn claim<C: Claiming>(
    shared: &Arc<Shared>,
    topic: &Topic,
    claiming: &C,
    max: usize,
    now: Timestamp,
    wait: Duration,
) -> Result<Vec<C::Item>, StoreError> {
    shared.open()?;
    let began = Instant::now();
    let end = began + wait;
    // Signs come a moment after what they tell of, and dues are told in our own time: who does not
    // wait, or leads the time, looks at everything.
    let everything = wait.is_zero() || shared.options.clock == StoreClock::Caller;
    let mut indexes = topic.begin(everything);
    loop {
        // Until all is found, what was found is on its way, and what was not looked at will be.
        let mut found: Vec<OnTheirWay<C>> = Vec::new();
        let mut missing = max;
        let mut rest = Unseen {
            topic,
            indexes: VecDeque::from(indexes),
        };
        while missing > 0 && !rest.indexes.is_empty() {
            // On a cluster several at once; each with a share, so that no more come than may.
            let at_once = LOOKS_AT_ONCE.min(missing).min(rest.indexes.len());
            // Who does not wait asks about the moment that was named, however long the answer takes.
            let now = if wait.is_zero() {
                now
            } else {
                now + began.elapsed()
            };
            let some = rest.indexes.iter().take(at_once);
            let looks = some.map(|index| look(shared, claiming, *index, missing / at_once, now));
            let mut failure = None;
            for answer in join_all(looks).await {
                let Some(index) = rest.indexes.pop_front() else {
                    break;
                };
                match answer {
                    Ok((held, more, next)) => {
                        topic.looked(index, more, next);
                        if more {
                            rest.indexes.push_back(index);
                        }
                        missing = missing.saturating_sub(held.items.len());
                        found.push(held);
                    }
                    Err(error) => {
                        topic.wake(index);
                        failure = Some(error);
                    }
                }
            }
            match failure {
                Some(error) if missing == max => return Err(error),
                Some(_) => break,
                None => {}
            }
        }
        drop(rest);
        if missing < max {
            let mut items: Vec<_> = found.into_iter().flat_map(OnTheirWay::arrive).collect();
            items.sort_by_key(C::order);
            return Ok(items);
        }
        loop {
            if Instant::now() >= end {
                return Ok(Vec::new());
            }
            topic.wait(end).await;
            indexes = topic.take();
            if !indexes.is_empty() {
                break;
            }
        }
        shared.open()?;
    }
}

/// Indexes that are still to be looked at; whoever is next does, when this one does not get to it.
struct Unseen<'a> {
    topic: &'a Topic,
    indexes: VecDeque<Index>,
}

impl Drop for Unseen<'_> {
    fn drop(&mut self) {
        for index in &self.indexes {
            self.topic.wake(*index);
        }
    }
}

type Looked<C> = (OnTheirWay<C>, bool, Option<Instant>);

/// Looks in a task of its own, which goes on when the caller does not.
async fn look<C: Claiming>(
    shared: &Arc<Shared>,
    claiming: &C,
    index: Index,
    max: usize,
    now: Timestamp,
) -> Result<Looked<C>, StoreError> {
    let (sender, receiver) = oneshot::channel();
    let (own, claiming) = (Arc::clone(shared), claiming.clone());
    tokio::spawn(async move {
        let found = claiming.look(&own, index, max, now).await;
        let arrived = found.map(|found| {
            let next = instant(found.now, found.next);
            let held = OnTheirWay {
                claiming,
                shared: own,
                index,
                items: found.items,
            };
            (held, found.full, next)
        });
        // Whoever does not listen any more drops it, and that gives it back.
        drop(sender.send(arrived));
    });
    receiver.await.unwrap_or_else(|_| Err(super::closed()))
}
