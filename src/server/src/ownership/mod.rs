//! One sender a channel over all replicas: this replica takes and renews the right to send, and lets
//! go of it when it stops.
//!
//! The right is a lease in the store, in one call for all channels. What this replica knows of it is
//! in a [`Guard`] a channel: its deadline counts from *before* the call, by two clocks, less a margin,
//! so that it ends here before it ends in the store. A renewal that fails or comes late is a lost right.

mod guard;
mod while_held;

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::future::select_all;
use langnghe_model::ChannelId;
use langnghe_store::{Bus, OwnerId, Ownership, Store};
use tokio::{
    sync::mpsc,
    task::{Id, JoinSet},
};

pub(crate) use self::{
    guard::{Guard, Tenure},
    while_held::while_held,
};
use crate::clock::Moment;

/// Where replicas tell each other that a channel is free.
const TOPIC: &str = "own";
/// The lease where the store is never shared: there is nobody to take over.
const FOR_GOOD: Duration = Duration::from_hours(10 * 365 * 24);
/// A lease is renewed after this part of it.
const RENEWALS: u32 = 3;
/// Another's channel is looked at so often: should the word that it is free be lost, no more time is.
const LOOK: Duration = Duration::from_secs(10);
/// The longest wait after a failed renewal.
const RETRY: Duration = Duration::from_millis(500);
/// The longest that letting go may take.
const LETTING_GO: Duration = Duration::from_secs(2);
/// The longest that a replica waits at random before it takes what became free.
const SCATTER: Duration = Duration::from_millis(20);
/// So much longer for each channel that it has already, so that those with fewer come first.
const MODESTY: Duration = Duration::from_millis(10);

/// The ownership loop of a replica.
#[derive(Debug)]
pub(crate) struct Owner {
    store: Arc<dyn Store>,
    bus: Option<Arc<dyn Bus>>,
    id: OwnerId,
    lease: Duration,
    guards: Vec<Arc<Guard>>,
    /// Which channel each running sender is for.
    senders: HashMap<Id, usize>,
    running: JoinSet<()>,
    /// Whether the last renewal failed.
    failing: bool,
}

impl Owner {
    /// Owns nothing yet. `lease` counts where replicas share the store.
    pub(crate) fn new(store: Arc<dyn Store>, lease: Duration) -> Self {
        let lease = store.bus().map_or(FOR_GOOD, |_| lease);
        Self {
            bus: store.bus(),
            store,
            id: OwnerId(uuid::Uuid::new_v4().to_string()),
            lease,
            guards: Vec::new(),
            senders: HashMap::new(),
            running: JoinSet::new(),
            failing: false,
        }
    }

    /// Looks after one more channel for as long as its sender runs.
    pub(crate) fn look_after(
        &mut self,
        guard: Arc<Guard>,
        sender: impl Future<Output = ()> + Send + 'static,
    ) {
        let task = self.running.spawn(sender);
        self.senders.insert(task.id(), self.guards.len());
        self.guards.push(guard);
    }

    /// Owns what it can until the last sender has ended.
    pub(crate) async fn run(mut self) {
        let mut hints = self.bus.as_ref().map(|bus| bus.subscribe(TOPIC));
        while !self.senders.is_empty() {
            let wait = self.renew().await;
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = hint(&mut hints) => self.let_others_first().await,
                () = wanted_anew(&self.guards) => {}
                ended = self.running.join_next_with_id() => match ended {
                    Some(Ok((task, ()))) => self.let_go(task).await,
                    Some(Err(error)) => {
                        tracing::error!(%error, "a sender failed; another replica may take over");
                        self.let_go(error.id()).await;
                    }
                    None => return,
                },
            }
        }
    }

    /// Takes and renews; says when to do so again.
    async fn renew(&mut self) -> Duration {
        let indexes = self.senders.values();
        let guards: Vec<Arc<Guard>> = indexes.map(|at| Arc::clone(&self.guards[*at])).collect();
        let channels: Vec<ChannelId> = guards.iter().map(|one| one.channel().clone()).collect();
        let often = self.lease / RENEWALS;
        let asked = Moment::now();
        let owned = self.store.own(&self.id, &channels, self.lease, asked.wall);
        // An answer that takes longer would be worth little.
        let answers = match tokio::time::timeout(often, owned).await {
            Ok(Ok(answers)) => answers,
            Ok(Err(error)) => return self.failed(&error.to_string()),
            Err(_) => return self.failed("no answer in time"),
        };
        if std::mem::take(&mut self.failing) {
            tracing::info!("the right to send is renewed again");
        }
        let mut next = often.mul_f64(rand::random_range(0.8..1.0));
        let mut lapsed = Vec::new();
        for (guard, answer) in guards.iter().zip(answers) {
            match answer {
                Ownership::Held(epoch) => {
                    if guard.grant(epoch, asked, self.lease).is_err() {
                        lapsed.push(guard.channel().clone());
                    }
                }
                Ownership::Elsewhere { remaining } => {
                    guard.lose();
                    next = next.min(remaining + scatter()).min(LOOK);
                }
            }
        }
        if !lapsed.is_empty() {
            self.disown(&lapsed).await;
            next = next.min(scatter());
        }
        next
    }

    /// Until its deadline each guard still holds: nobody else can have the channel.
    fn failed(&mut self, reason: &str) -> Duration {
        if !std::mem::replace(&mut self.failing, true) {
            tracing::warn!(
                reason,
                "the right to send is not renewed; it is tried again"
            );
        }
        for guard in &self.guards {
            // Notices where it is over by now.
            drop(guard.tenure());
        }
        let often = self.lease / RENEWALS;
        often.min(RETRY).mul_f64(rand::random_range(0.5..1.0))
    }

    /// The channel's sender has ended.
    async fn let_go(&mut self, task: Id) {
        let Some(index) = self.senders.remove(&task) else {
            return;
        };
        let guard = Arc::clone(&self.guards[index]);
        guard.lose();
        self.disown(&[guard.channel().clone()]).await;
    }

    async fn disown(&self, channels: &[ChannelId]) {
        let said = async {
            self.store.disown(&self.id, channels).await?;
            match &self.bus {
                Some(bus) => bus.publish(TOPIC, Vec::new()).await,
                None => Ok(()),
            }
        };
        match tokio::time::timeout(self.lease.min(LETTING_GO), said).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::warn!(%error, "channels were not let go of; their lease runs out");
            }
            Err(_) => tracing::warn!("channels were not let go of in time; their lease runs out"),
        }
    }

    /// Something became free: those with fewer channels come first.
    async fn let_others_first(&self) {
        let owned = self.guards.iter().filter(|guard| guard.tenure().is_some());
        let owned = u32::try_from(owned.count().min(20)).unwrap_or(20);
        tokio::time::sleep(MODESTY * owned + scatter()).await;
    }
}

fn scatter() -> Duration {
    SCATTER.mul_f64(rand::random_range(0.1..1.0))
}

/// Waits until a sender wants another reign.
async fn wanted_anew(guards: &[Arc<Guard>]) {
    let wanted = guards.iter().map(|guard| Box::pin(guard.wanted_anew()));
    select_all(wanted).await;
}

/// Waits until another replica says that a channel is free.
async fn hint(hints: &mut Option<mpsc::Receiver<Vec<u8>>>) {
    if let Some(receiver) = hints {
        if receiver.recv().await.is_some() {
            // One look is enough for all that came meanwhile.
            while receiver.try_recv().is_ok() {}
            return;
        }
        *hints = None;
    }
    std::future::pending::<()>().await;
}

#[cfg(test)]
mod tests;
