//! One installation under load, what is fired at it, and the check at the end.

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use langnghe_model::{ChannelId, Reply, Timestamp};
use langnghe_store::{Epoch, OwnerId, Ownership, SettleResult, Settlement, Store};

use super::{
    options::Measure,
    plan::{self, Plan, Planner, Shape},
    replicas::Replicas,
};
use crate::{
    Graph, Installation, Replica, backing, clock,
    graph::{Failure, Manner},
    installation::APP_SECRET,
    redis::Server,
};

/// A flow that repeats every message: each is the answer to one of its questions, and the next
/// question, or the end, says what was understood.
pub(super) const FLOW: &str = include_str!("load.toml");

/// The path of the channel's webhook.
pub const WEBHOOK: &str = "/webhooks/page";

/// How many replies are read out at once.
const READ: usize = 500;

/// One installation under load: one folder a replica.
#[derive(Debug)]
pub struct Trial {
    installations: Vec<Installation>,
    server: Option<Server>,
    graph: Graph,
    planner: Planner,
}

/// Whether replies leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sends {
    /// They wait in the outbox: the Graph API throttles for an hour, so that sending does not share
    /// the machine with what is measured.
    No,
    /// As fast as it goes.
    Yes,
    /// So many a second.
    Paced(u32),
}

impl Trial {
    /// A fresh one with so many replicas, on the store that the options name.
    pub async fn new(options: &Measure, replicas: usize, workers: u32, sends: Sends) -> Self {
        let server = options.store.start(options.fsync).await;
        let graph = Graph::start().await;
        if sends == Sends::No {
            graph.always(Manner::Fail(Failure::throttled(60)));
        }
        let mut first = Installation::new();
        first
            .messenger("page", &graph.api_base())
            .flows(&[("load.toml", FLOW)])
            .set("flows.start", "load")
            .set("log.level", "warn")
            // Everything may wait; nobody is cut.
            .set("limits.inbox", 20_000_000)
            .set("limits.inbox_per_citizen", 100_000)
            .set("limits.flood.messages", 1_000_000);
        if let Sends::Paced(a_second) = sends {
            first.set_of("channel", "page", "replies_per_second", i64::from(a_second));
        }
        if let Some(server) = &server {
            first.set("store.url", server.url());
        }
        let twins: Vec<_> = (1..replicas).map(|_| first.twin()).collect();
        let conversations = options.conversations;
        let mut trial = Self {
            planner: Planner::new(APP_SECRET, WEBHOOK, first.port(), conversations),
            installations: std::iter::once(first).chain(twins).collect(),
            server,
            graph,
        };
        trial.workers(workers);
        trial
    }

    /// Sets how many workers each of the next replicas has.
    pub fn workers(&mut self, workers: u32) {
        for installation in &mut self.installations {
            installation.set("server.workers", i64::from(workers));
        }
    }

    /// Starts the replicas.
    pub async fn start(&self) -> Replicas<'_> {
        let mut replicas = Vec::new();
        for installation in &self.installations {
            replicas.push(Replica::start(installation).await);
        }
        Replicas(replicas)
    }

    /// Where the replicas listen.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let ports = self.installations.iter().map(Installation::port);
        ports
            .map(|port| SocketAddr::from(([127, 0, 0, 1], port)))
            .collect()
    }

    /// The store's server, if it has one.
    pub fn server(&self) -> Option<&Server> {
        self.server.as_ref()
    }

    /// The Graph API.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The store, opened beside the replicas; a file only when none runs.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn store(&self) -> Result<Arc<dyn Store>, String> {
        let database = self.installations[0].database();
        backing::open(self.server(), &database)
            .await
            .map_err(|error| error.to_string())
    }

    /// The next round's requests.
    pub fn plan(&mut self, shape: Shape) -> Arc<Plan> {
        Arc::new(self.planner.next(shape))
    }

    /// How many messages were planned so far.
    pub fn planned(&self) -> usize {
        self.planner.sent.iter().sum()
    }

    /// Checks, after the replicas have stopped, that every message was processed once and in order:
    /// what left and what waits in the outbox is one reply a message, in order. `deaths` says whether
    /// a replica died: then a reply may have left twice.
    ///
    /// # Errors
    /// The first conversations that are wrong.
    pub async fn check(&self, deaths: bool) -> Result<usize, String> {
        let mut waiting = self.outbox().await?;
        let mut wrong = Vec::new();
        for (conversation, sent) in self.planner.sent.iter().enumerate() {
            let citizen = plan::citizen(conversation);
            let mut texts = self.graph.texts_for(&citizen);
            texts.extend(waiting.remove(&citizen).unwrap_or_default());
            let mut numbers: Vec<usize> = texts
                .iter()
                .filter_map(|text| plan::number_in(text))
                .collect();
            if deaths {
                numbers.dedup();
            }
            if !numbers.iter().copied().eq(1..=*sent) {
                let head = &numbers[..numbers.len().min(20)];
                wrong.push(format!(
                    "conversation {conversation}: {sent} messages, {head:?}"
                ));
            }
        }
        if wrong.is_empty() {
            return Ok(self.planner.sent.iter().sum());
        }
        let examples = &wrong[..wrong.len().min(5)];
        Err(format!(
            "{} conversations are wrong:\n{}",
            wrong.len(),
            examples.join("\n")
        ))
    }

    /// Everything that waits in the outbox, in order.
    async fn outbox(&self) -> Result<HashMap<String, Vec<String>>, String> {
        let store = self.store().await?;
        let channel = ChannelId::new("page").map_err(|error| error.to_string())?;
        let mut replies: HashMap<String, Vec<String>> = HashMap::new();
        // Late enough for every retry to be due, and for every lease to have run out.
        let today = i64::try_from(clock::milliseconds()).map_err(|error| error.to_string())?;
        let now = Timestamp::from_milliseconds(today) + Duration::from_hours(12);
        let epoch = own(&*store, &channel, now).await?;
        loop {
            let lease = Duration::from_mins(1);
            let claimed = store
                .claim_outbox(&channel, epoch, READ, lease, now, Duration::ZERO)
                .await
                .map_err(|error| error.to_string())?;
            if claimed.is_empty() {
                break;
            }
            let mut settlements = Vec::with_capacity(claimed.len());
            for claim in claimed {
                let reply: Reply =
                    serde_json::from_slice(&claim.body).map_err(|e| e.to_string())?;
                let citizen = claim.conversation.citizen.as_str().to_owned();
                if let Some(text) = text_of(&reply) {
                    replies.entry(citizen).or_default().push(text.to_owned());
                }
                let result = SettleResult::Sent;
                settlements.push(Settlement {
                    id: claim.id,
                    conversation: claim.conversation.clone(),
                    token: claim.token,
                    result,
                });
            }
            store
                .settle(settlements, now)
                .await
                .map_err(|error| error.to_string())?;
        }
        store.close().await.map_err(|error| error.to_string())?;
        Ok(replies)
    }
}

async fn own(store: &dyn Store, channel: &ChannelId, now: Timestamp) -> Result<Epoch, String> {
    let check = OwnerId("the check at the end".to_owned());
    let lease = Duration::from_hours(1);
    let owned = store
        .own(&check, std::slice::from_ref(channel), lease, now)
        .await
        .map_err(|error| error.to_string())?;
    match owned.first() {
        Some(Ownership::Held(epoch)) => Ok(*epoch),
        other => Err(format!("a replica still owns the channel: {other:?}")),
    }
}

/// The words of a reply, if it has some.
fn text_of(reply: &Reply) -> Option<&str> {
    match reply {
        Reply::Text { text } | Reply::Choices { text, .. } => Some(text),
        _ => None,
    }
}
