//! The measurement: two parts, their figures, and the check.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    bare::BareServer,
    baseline::Bare,
    client::{self, Fired, Pace},
    options::{Measure, Part},
    plan::{Plan, Shape},
    process, report,
    trial::Trial,
};
use crate::installation::APP_SECRET;

/// The longest that a replica may take to stop.
const STOP: Duration = Duration::from_mins(1);

/// Durable accepts beside a server that keeps nothing: at least so many as a part of its.
const ACCEPT_RATIO: f64 = 0.40;
/// The accept latency that 99 of a hundred keep, in milliseconds.
const ACCEPT_P99: f64 = 5.0;
/// Messages accepted and processed in a second.
const PROCESSED: f64 = 14_000.0;
/// Resident memory of an idle replica, in MiB.
const IDLE_MEMORY: f64 = 16.0;

/// Measures and prints; an error when a message was lost, doubled or out of order.
///
/// # Errors
/// As said, or when something cannot be started.
pub async fn measure(options: &Measure) -> Result<(), String> {
    if options.only != Some(Part::Process) {
        accept(options).await?;
    }
    if options.only != Some(Part::Accept) {
        process(options).await?;
    }
    Ok(())
}

fn shape(options: &Measure) -> Shape {
    let messages = match (options.rate, options.seconds) {
        (Some(rate), Some(seconds)) => {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a number of messages that fits into memory"
            )]
            let messages = (rate * seconds) as usize;
            messages.max(1)
        }
        _ => options.count,
    };
    Shape {
        messages,
        conversations: options.conversations,
        connections: options.connections,
        duplicates_percent: options.duplicates,
    }
}

fn pace(options: &Measure) -> Pace {
    options.rate.map_or(Pace::ClosedLoop, Pace::OpenLoop)
}

/// The figures of one server over all rounds.
#[derive(Debug, Default)]
struct Figures {
    rate: Vec<f64>,
    median: Vec<f64>,
    tail: Vec<f64>,
    processor: Vec<f64>,
    refused: usize,
}

impl Figures {
    fn add(&mut self, fired: &Fired, processor: Duration) {
        self.rate.push(fired.rate());
        self.median.push(fired.quantile(0.5));
        self.tail.push(fired.quantile(0.99));
        self.processor
            .push(processor.as_secs_f64() * 1e6 / count(fired.accepted.max(1)));
        self.refused += fired.refused;
    }

    fn row(&self, name: &str) -> Vec<String> {
        vec![
            name.to_owned(),
            report::shown(&self.rate, 0),
            report::shown(&self.median, 2),
            report::shown(&self.tail, 2),
            report::shown(&self.processor, 1),
            self.refused.to_string(),
        ]
    }

    fn ratios(&self, to: &Self) -> Vec<f64> {
        self.rate
            .iter()
            .zip(&to.rate)
            .map(|(ours, theirs)| ours / theirs)
            .collect()
    }
}

fn head() -> Vec<String> {
    ["", "requests/s", "p50 ms", "p99 ms", "cpu µs each", "503"]
        .map(str::to_owned)
        .to_vec()
}

/// The first part: a replica without workers only accepts, in rounds with the bare servers; then it is
/// started anew with workers, and has to process what was left.
async fn accept(options: &Measure) -> Result<(), String> {
    println!(
        "accept: {} rounds of {} messages, {} connections, {} conversations, {} % duplicates",
        options.rounds,
        shape(options).messages,
        options.connections,
        options.conversations,
        options.duplicates
    );
    let body = BareServer::start(Bare::Body, APP_SECRET)?;
    let verify = BareServer::start(Bare::Verify, APP_SECRET)?;
    let mut trial = Trial::new(0, options.conversations, options.send).await;
    let plans: Vec<_> = (0..options.rounds)
        .map(|_| trial.plan(shape(options)))
        .collect();
    let mut figures = [Figures::default(), Figures::default(), Figures::default()];
    let mut replica = trial.installation.start().await;
    for (round, plan) in plans.iter().enumerate() {
        for turn in 0..3 {
            // Who goes first takes turns too.
            let (server, address, id) = match (round + turn) % 3 {
                0 => (0, body.address, body.id()),
                1 => (1, verify.address, verify.id()),
                _ => (2, trial.address(), replica.id()),
            };
            figures[server].round(address, id, plan, pace(options))?;
        }
    }
    replica.terminate(STOP).await;
    drop(replica);
    drop(plans);
    let [body, verify, durable] = &figures;
    println!(
        "{}",
        report::table(&[
            head(),
            body.row("axum, reads the body"),
            verify.row("axum, verifies and parses"),
            durable.row("langnghe, durable"),
        ])
    );
    let ratios = durable.ratios(verify);
    let (ratio, ..) = report::spread(&ratios);
    let (tail, ..) = report::spread(&durable.tail);
    println!(
        "durable ÷ reads the body: {}",
        report::shown(&durable.ratios(body), 2)
    );
    println!(
        "durable ÷ verifies and parses: {} (target {ACCEPT_RATIO:.2}: {})",
        report::shown(&ratios, 2),
        report::verdict(ratio >= ACCEPT_RATIO)
    );
    println!(
        "accept p99: {tail:.2} ms (target {ACCEPT_P99:.0} ms: {})",
        report::verdict(tail <= ACCEPT_P99)
    );
    trial.workers(options.workers);
    let begin = Instant::now();
    let mut replica = trial.installation.start().await;
    trial.processed(&replica, trial.planned()).await;
    let time = begin.elapsed();
    replica.terminate(STOP).await;
    drop(replica);
    println!(
        "what was left, start included: {:.0} messages/s",
        rate(trial.planned(), time)
    );
    check(&trial).await
}

impl Figures {
    fn round(
        &mut self,
        address: SocketAddr,
        id: u32,
        plan: &Arc<Plan>,
        pace: Pace,
    ) -> Result<(), String> {
        let before = process::processor_time(id).unwrap_or_default();
        let fired = client::fire(address, plan, pace)?;
        let after = process::processor_time(id).unwrap_or_default();
        self.add(&fired, after.saturating_sub(before));
        Ok(())
    }
}

/// The second part: accepting and processing at the same time.
async fn process(options: &Measure) -> Result<(), String> {
    let shape = shape(options);
    println!(
        "process: {} messages, {} connections, {} conversations, {} workers",
        shape.messages, shape.connections, shape.conversations, options.workers
    );
    let mut trial = Trial::new(options.workers, options.conversations, options.send).await;
    let plan = trial.plan(shape);
    let mut replica = trial.installation.start().await;
    let idle = process::memory(replica.id()).map_or(0, |(now, _)| now);
    let begin = Instant::now();
    let fired = client::fire(trial.address(), &plan, pace(options))?;
    trial.processed(&replica, plan.messages).await;
    let time = begin.elapsed();
    let processor = process::processor_time(replica.id()).unwrap_or_default();
    let (after, most) = process::memory(replica.id()).unwrap_or_default();
    replica.terminate(STOP).await;
    drop(replica);
    let processed = rate(plan.messages, time);
    println!(
        "accepted {:.0}/s, p50 {:.2} ms, p99 {:.2} ms, 503 {}; {:.1} µs of processor a message",
        fired.rate(),
        fired.quantile(0.5),
        fired.quantile(0.99),
        fired.refused,
        processor.as_secs_f64() * 1e6 / count(plan.messages),
    );
    println!(
        "accepted and processed: {processed:.0} messages/s (target {PROCESSED:.0}: {})",
        report::verdict(processed >= PROCESSED)
    );
    println!(
        "memory: idle {:.1} MiB (target {IDLE_MEMORY:.0}: {}), after the load {:.1}, at most {:.1}",
        mebibytes(idle),
        report::verdict(mebibytes(idle) <= IDLE_MEMORY),
        mebibytes(after),
        mebibytes(most),
    );
    check(&trial).await
}

async fn check(trial: &Trial) -> Result<(), String> {
    let messages = trial.check().await?;
    println!("every one of {messages} messages was processed once and in order\n");
    Ok(())
}

fn rate(messages: usize, time: Duration) -> f64 {
    count(messages) / time.as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn count(messages: usize) -> f64 {
    messages as f64
}

#[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 bytes")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
