//! Meta, with citizens who write: what is not answered 200 is sent again, some is sent twice at once,
//! and old messages come again, late and in another order.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use rand::{Rng, SeedableRng, rngs::SmallRng, seq::SliceRandom as _};
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::{
    Graph, Installation,
    citizen::{self, Citizen},
    http,
    meta::{self, Webhook},
    road::account,
    wait,
};

/// The longest that a webhook is sent again and again.
const REDELIVERY: Duration = Duration::from_mins(2);
/// How soon what was not taken is sent again.
const AGAIN: Duration = Duration::from_millis(100);
/// How many messages are remembered to be sent again.
const REMEMBERED: usize = 500;
/// How much of a second's quota may wait to be sent before citizens wait too.
const BACKLOG: f64 = 1.5;

/// Meta and the citizens.
#[derive(Debug)]
pub struct Provider {
    url: String,
    client: reqwest::Client,
    /// Who writes.
    pub citizens: Vec<Citizen>,
    stop: AtomicBool,
    /// Messages that were acknowledged, to be sent again.
    remembered: Mutex<Vec<Value>>,
    /// How many replies may be owed before citizens wait.
    bound: usize,
    counts: Counts,
}

/// What was sent.
#[derive(Debug, Default)]
pub struct Counts {
    /// Messages, acknowledged.
    pub acknowledged: AtomicUsize,
    /// Messages that were sent again although they had been acknowledged, or at the same time.
    pub again: AtomicUsize,
    /// Webhooks that were answered something else than 200, or not at all.
    pub refused: AtomicUsize,
}

impl Provider {
    /// So many citizens, who write to the proxy at `url`; one of its replicas is `installation`.
    pub fn new(url: String, installation: &Installation, citizens: usize, quota: u32) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small number, not below zero"
        )]
        let bound = (f64::from(quota) * BACKLOG) as usize;
        Self {
            url,
            client: http::client(),
            citizens: (0..citizens).map(|_| Citizen::new(installation)).collect(),
            stop: AtomicBool::new(false),
            remembered: Mutex::default(),
            bound,
            counts: Counts::default(),
        }
    }

    /// What was sent so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Lets the citizens write, whole reports, one after the other, until [`Self::finish`].
    pub fn begin(self: &Arc<Self>, seed: u64, graph: &Arc<Graph>) -> Vec<JoinHandle<usize>> {
        let again = Arc::clone(self);
        let random = SmallRng::seed_from_u64(seed);
        tokio::spawn(async move { again.send_again(random).await });
        let write = |number| {
            let (provider, graph) = (Arc::clone(self), Arc::clone(graph));
            let random = SmallRng::seed_from_u64(seed + 1 + number as u64);
            tokio::spawn(async move { provider.write(number, &graph, random).await })
        };
        (0..self.citizens.len()).map(write).collect()
    }

    /// Lets the citizens finish the report that they are at; how many reports each made.
    ///
    /// # Panics
    /// When a message was never taken.
    pub async fn finish(&self, writers: Vec<JoinHandle<usize>>) -> Vec<usize> {
        self.stop.store(true, Ordering::SeqCst);
        let mut reports = Vec::new();
        for writer in writers {
            reports.push(writer.await.expect("every message was taken"));
        }
        reports
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::SeqCst)
    }

    async fn write(&self, number: usize, graph: &Graph, mut random: SmallRng) -> usize {
        let mut reports = 0;
        while !self.stopped() {
            for text in account::messages(number, reports) {
                let acknowledged = || self.counts.acknowledged.load(Ordering::SeqCst);
                while acknowledged().saturating_sub(graph.count()) > self.bound && !self.stopped() {
                    wait::pause().await;
                }
                let id = meta::message_id();
                let item = meta::text(&self.citizens[number].id, citizen::now(), &id, &text);
                self.deliver(item, random.random_bool(0.1)).await;
            }
            reports += 1;
        }
        reports
    }

    /// Sends a message until it is acknowledged; `twice` sends it two times at once, to two replicas.
    async fn deliver(&self, item: Value, twice: bool) {
        let webhook = meta::webhook(std::slice::from_ref(&item));
        let deadline = Instant::now() + REDELIVERY;
        loop {
            let taken = if twice {
                self.counts.again.fetch_add(1, Ordering::SeqCst);
                let (one, other) = tokio::join!(self.post(&webhook), self.post(&webhook));
                one || other
            } else {
                self.post(&webhook).await
            };
            if taken {
                break;
            }
            assert!(Instant::now() < deadline, "a webhook was never taken");
            tokio::time::sleep(AGAIN).await;
        }
        self.counts.acknowledged.fetch_add(1, Ordering::SeqCst);
        let mut remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if remembered.len() >= REMEMBERED {
            remembered.remove(0);
        }
        remembered.push(item);
    }

    /// Sends old messages again, several citizens' in one webhook, in any order.
    async fn send_again(&self, mut random: SmallRng) {
        while !self.stopped() {
            let time = Duration::from_millis(random.random_range(10..120));
            tokio::time::sleep(time).await;
            let items = self.draw(&mut random);
            if !items.is_empty() {
                self.counts.again.fetch_add(items.len(), Ordering::SeqCst);
                self.post(&meta::webhook(&items)).await;
            }
        }
    }

    fn draw(&self, random: &mut SmallRng) -> Vec<Value> {
        let remembered = self
            .remembered
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let count = random.random_range(1..=4).min(remembered.len());
        let mut items: Vec<Value> = (0..count)
            .map(|_| remembered[random.random_range(0..remembered.len())].clone())
            .collect();
        items.shuffle(random);
        items
    }

    /// Posts a webhook once; whether it was acknowledged.
    async fn post(&self, webhook: &Webhook) -> bool {
        let request = webhook.clone().onto(self.client.post(&self.url));
        let status = request.send().await.map(|answer| answer.status().as_u16());
        match status {
            Ok(200) => return true,
            // 502 and 504 are the proxy's.
            Ok(502..=504) | Err(_) => {}
            Ok(other) => panic!("a webhook was answered {other}"),
        }
        self.counts.refused.fetch_add(1, Ordering::SeqCst);
        false
    }
}
