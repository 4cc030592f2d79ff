//! One program under load: its installation, what is fired at it, and the check at the end.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use langnghe_model::{ChannelId, Reply, Timestamp};
use langnghe_store::{Epoch, Limits, OpenMode, SettleResult, Settlement, SqliteStore, Store};

use super::plan::{self, Plan, Planner, Shape};
use crate::{
    Graph, Installation, Replica, clock,
    graph::{Failure, Manner},
    installation::APP_SECRET,
    wait,
};

/// A flow that repeats every message: each is the answer to one of its questions, and the next
/// question, or the end, says what was understood.
const FLOW: &str = include_str!("load.toml");

/// The path of the channel's webhook.
pub const WEBHOOK: &str = "/webhooks/page";

/// One installation under load.
#[derive(Debug)]
pub struct Trial {
    /// The installation.
    pub installation: Installation,
    graph: Graph,
    planner: Planner,
}

impl Trial {
    /// A fresh installation with `workers` and so many citizens; `sends` says whether replies leave.
    /// Where they do not, the Graph API throttles for an hour, so that sending does not share the
    /// machine with what is measured.
    pub async fn new(workers: u32, conversations: usize, sends: bool) -> Self {
        let graph = Graph::start().await;
        if !sends {
            graph.always(Manner::Fail(Failure::throttled(60)));
        }
        let mut installation = Installation::new();
        installation
            .messenger("page", &graph.api_base())
            .flows(&[("load.toml", FLOW)])
            .set("flows.start", "load")
            .set("log.level", "warn")
            // Everything may wait; nobody is cut.
            .set("limits.inbox", 20_000_000)
            .set("limits.inbox_per_citizen", 100_000)
            .set("limits.flood.messages", 1_000_000);
        let mut trial = Self {
            planner: Planner::new(APP_SECRET, WEBHOOK, installation.port(), conversations),
            installation,
            graph,
        };
        trial.workers(workers);
        trial
    }

    /// Sets how many workers the next replica has.
    pub fn workers(&mut self, workers: u32) {
        self.installation.set("server.workers", i64::from(workers));
    }

    /// Where the replica listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.installation.port()))
    }

    /// The next round's requests.
    pub fn plan(&mut self, shape: Shape) -> Arc<Plan> {
        Arc::new(self.planner.next(shape))
    }

    /// How many messages were planned so far.
    pub fn planned(&self) -> usize {
        self.planner.sent.iter().sum()
    }

    /// Waits until the replica has processed `messages` since its start.
    ///
    /// # Panics
    /// When it makes no progress for a minute.
    pub async fn processed(&self, replica: &Replica<'_>, messages: usize) {
        let mut last = (0, Instant::now());
        loop {
            let metrics = replica.metrics().await;
            let done = count(metrics.sum("langnghe_events_processed_total", &[]));
            if done >= messages {
                return;
            }
            if done > last.0 {
                last = (done, Instant::now());
            }
            let stuck = last.1.elapsed() > Duration::from_mins(1);
            assert!(!stuck, "only {done} of {messages} messages were processed");
            wait::pause().await;
        }
    }

    /// Checks, after the replica has stopped, that every message was processed once and in order:
    /// what left and what waits in the outbox is one reply a message, in order.
    ///
    /// # Errors
    /// The first conversations that are wrong.
    pub async fn check(&self) -> Result<usize, String> {
        let mut waiting = self.outbox().await?;
        let mut wrong = Vec::new();
        for (conversation, sent) in self.planner.sent.iter().enumerate() {
            let citizen = plan::citizen(conversation);
            let mut texts = self.graph.texts_for(&citizen);
            texts.extend(waiting.remove(&citizen).unwrap_or_default());
            let numbers: Vec<usize> = texts
                .iter()
                .filter_map(|text| plan::number_in(text))
                .collect();
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
        let database = self.installation.database();
        let store = SqliteStore::open(&database, Limits::default(), OpenMode::Serve)
            .map_err(|error| error.to_string())?;
        let channel = ChannelId::new("page").map_err(|error| error.to_string())?;
        let mut replies: HashMap<String, Vec<String>> = HashMap::new();
        // Late enough for every retry to be due.
        let today = i64::try_from(clock::milliseconds()).map_err(|error| error.to_string())?;
        let now = Timestamp::from_milliseconds(today) + Duration::from_hours(12);
        loop {
            let claimed = store
                .claim_outbox(
                    &channel,
                    Epoch(1),
                    10_000,
                    Duration::from_mins(1),
                    now,
                    Duration::ZERO,
                )
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

/// The words of a reply, if it has some.
fn text_of(reply: &Reply) -> Option<&str> {
    match reply {
        Reply::Text { text } | Reply::Choices { text, .. } => Some(text),
        _ => None,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a counter is a whole number, not below zero"
)]
fn count(sample: f64) -> usize {
    sample as usize
}
