//! The measurement: its parts, their figures, and the check.

use std::time::Instant;

use super::{
    bare::BareServer,
    baseline::Bare,
    client::{self, Pace},
    figures::{Figures, count, rate},
    options::{Measure, Part},
    pace,
    plan::Shape,
    process,
    report::{self, Report, Target},
    server_use::ServerUse,
    shared,
    targets::Targets,
    trial::{Sends, Trial},
};
use crate::installation::APP_SECRET;

/// Measures and prints; an error when a message was lost, doubled or out of order.
///
/// # Errors
/// As said, or when something cannot be started.
pub async fn measure(options: &Measure) -> Result<(), String> {
    if options.replicas == 0 || (options.replicas > 1 && !options.store.is_shared()) {
        return Err("SQLite is for one replica: take --store redis".to_owned());
    }
    let mut report = Report::default();
    let wanted = |part| options.only.is_none_or(|only| only == part);
    if wanted(Part::Accept) {
        accept(options, &mut report).await?;
    }
    if wanted(Part::Process) {
        process(options, &mut report).await?;
    }
    if options.only == Some(Part::Pace) {
        pace::pace(&mut report).await?;
    }
    if options.store.is_shared() {
        if wanted(Part::Idle) {
            shared::idle(options, &mut report).await?;
        }
        if wanted(Part::Takeover) {
            shared::takeover(options, &mut report).await?;
        }
    }
    match &options.json {
        Some(path) => report.write(path, &format!("{options:?}")),
        None => Ok(()),
    }
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

fn calls(options: &Measure) -> Pace {
    options.rate.map_or(Pace::ClosedLoop, Pace::OpenLoop)
}

fn sends(options: &Measure) -> Sends {
    if options.send { Sends::Yes } else { Sends::No }
}

/// On what, for the head of a part.
pub(super) fn ground(options: &Measure) -> String {
    if options.store.is_shared() {
        format!(
            "{:?} with appendfsync {:?}, replicas: {}",
            options.store, options.fsync, options.replicas
        )
    } else {
        format!("{:?}", options.store)
    }
}

/// The first part: replicas without workers only accept, in rounds with the bare servers; then they are
/// started anew with workers, and have to process what was left.
async fn accept(options: &Measure, report: &mut Report) -> Result<(), String> {
    println!(
        "accept: {}; {} rounds of {} messages, {} connections, {} conversations, {} % duplicates",
        ground(options),
        options.rounds,
        shape(options).messages,
        options.connections,
        options.conversations,
        options.duplicates
    );
    let targets = Targets::of(options);
    let body = BareServer::start(Bare::Body, APP_SECRET)?;
    let verify = BareServer::start(Bare::Verify, APP_SECRET)?;
    let mut trial = Trial::new(options, options.replicas, 0, sends(options)).await;
    let plans: Vec<_> = (0..options.rounds)
        .map(|_| trial.plan(shape(options)))
        .collect();
    let mut figures = [Figures::default(), Figures::default(), Figures::default()];
    let replicas = trial.start().await;
    let addresses = trial.addresses();
    let time_of = |id| process::processor_time(id).unwrap_or_default();
    for (round, plan) in plans.iter().enumerate() {
        for turn in 0..3 {
            // Who goes first takes turns too.
            let (one, pace) = ((round + turn) % 3, calls(options));
            let figures = &mut figures[one];
            match one {
                0 => figures.round(&[body.address], plan, pace, || time_of(body.id()))?,
                1 => figures.round(&[verify.address], plan, pace, || time_of(verify.id()))?,
                _ => figures.round(&addresses, plan, pace, || replicas.processor_time())?,
            }
        }
    }
    replicas.stop().await;
    drop(plans);
    let [body, verify, durable] = &figures;
    println!(
        "{}",
        report::table(&[
            Figures::head(),
            body.row("axum, reads the body"),
            verify.row("axum, verifies and parses"),
            durable.row("langnghe, durable"),
        ])
    );
    let (to_body, to_verify) = (durable.ratios(body), durable.ratios(verify));
    report.figure("durable ÷ reads the body", "", 2, &to_body, Target::None);
    report.figure(
        "durable ÷ verifies and parses",
        "",
        2,
        &to_verify,
        targets.accept_ratio,
    );
    report.figure("accepts", "messages/s", 0, &durable.rate, Target::None);
    report.figure("accept p99", "ms", 2, &durable.tail, targets.accept_tail);
    trial.workers(options.workers);
    let begin = Instant::now();
    let replicas = trial.start().await;
    replicas.processed(trial.planned()).await;
    let time = begin.elapsed();
    replicas.stop().await;
    report.figure(
        "what was left, start included",
        "messages/s",
        0,
        &[rate(trial.planned(), time)],
        Target::None,
    );
    check(&trial, false).await
}

/// The second part: accepting and processing at the same time.
async fn process(options: &Measure, report: &mut Report) -> Result<(), String> {
    let shape = shape(options);
    println!(
        "process: {}; {} messages, {} connections, {} conversations, {} workers",
        ground(options),
        shape.messages,
        shape.connections,
        shape.conversations,
        options.workers
    );
    let targets = Targets::of(options);
    let mut trial = Trial::new(options, options.replicas, options.workers, sends(options)).await;
    let plan = trial.plan(shape);
    let replicas = trial.start().await;
    let (idle, _) = replicas.memory();
    let before = server_use(&trial).await;
    let begin = Instant::now();
    let fired = client::fire(&trial.addresses(), &plan, calls(options))?;
    replicas.processed(plan.messages).await;
    let time = begin.elapsed();
    let after = server_use(&trial).await;
    let processor = replicas.processor_time();
    let (now, most) = replicas.memory();
    replicas.stop().await;
    println!(
        "accepted {:.0}/s, p50 {:.2} ms, p99 {:.2} ms, 503 {}",
        fired.rate(),
        fired.quantile(0.5),
        fired.quantile(0.99),
        fired.refused,
    );
    let messages = count(plan.messages);
    report.figure(
        "accepted and processed",
        "messages/s",
        0,
        &[rate(plan.messages, time)],
        targets.processed,
    );
    let each = processor.as_secs_f64() * 1e6 / messages;
    report.figure(
        "processor, replicas",
        "µs a message",
        1,
        &[each],
        Target::None,
    );
    if let Some((before, after)) = before.zip(after) {
        let done = after.since(before);
        let each = done.processor * 1e6 / messages;
        report.figure("processor, store", "µs a message", 1, &[each], Target::None);
        let sent = [done.sent / messages];
        report.figure("commands sent", "a message", 2, &sent, targets.commands);
        let all = [done.all / messages];
        report.figure(
            "commands with those in scripts",
            "a message",
            1,
            &all,
            Target::None,
        );
    }
    let memory = |bytes| [mebibytes(bytes)];
    report.figure("memory, idle", "MiB", 1, &memory(idle), targets.idle_memory);
    report.figure(
        "memory, after the load",
        "MiB",
        1,
        &memory(now),
        Target::None,
    );
    report.figure("memory, at most", "MiB", 1, &memory(most), Target::None);
    check(&trial, false).await
}

async fn server_use(trial: &Trial) -> Option<ServerUse> {
    Some(ServerUse::of(trial.server()?).await)
}

/// The check at the end of a part.
pub(super) async fn check(trial: &Trial, deaths: bool) -> Result<(), String> {
    let messages = trial.check(deaths).await?;
    println!("every one of {messages} messages was processed once and in order\n");
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 bytes")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
