//! Claims that wait, and that lose nothing when their caller goes away.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use langnghe_model::Timestamp;
use tokio::{sync::oneshot, time::Instant};

use super::{
    Shared,
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
    let mut indexes = topic.begin(shared.layout.count());
    loop {
        let mut items = Vec::new();
        let mut rest = indexes.into_iter();
        while items.len() < max {
            // On a cluster several at once; each with a share, so that no more come than may.
            let room = max - items.len();
            let some: Vec<Index> = rest.by_ref().take(LOOKS_AT_ONCE.min(room)).collect();
            if some.is_empty() {
                break;
            }
            let share = room / some.len();
            let now = now + began.elapsed();
            let looks = some
                .iter()
                .map(|index| look(shared, claiming, *index, share, now));
            let mut failure = None;
            for (index, found) in some.iter().zip(join_all(looks).await) {
                match found {
                    Ok((found, more, next)) => {
                        topic.looked(*index, more, next);
                        items.extend(found);
                    }
                    Err(error) => {
                        topic.wake(*index);
                        failure = Some(error);
                    }
                }
            }
            if let Some(error) = failure {
                rest.for_each(|index| topic.wake(index));
                return if items.is_empty() {
                    Err(error)
                } else {
                    Ok(items)
                };
            }
        }
        // Enough was found before all were looked at.
        rest.for_each(|index| topic.wake(index));
        if !items.is_empty() {
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

type Looked<T> = (Vec<T>, bool, Option<Instant>);

/// Looks in a task of its own, which goes on when the caller does not.
async fn look<C: Claiming>(
    shared: &Arc<Shared>,
    claiming: &C,
    index: Index,
    max: usize,
    now: Timestamp,
) -> Result<Looked<C::Item>, StoreError> {
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
    let (held, more, next) = receiver.await.unwrap_or_else(|_| Err(super::closed()))?;
    Ok((held.arrive(), more, next))
}
