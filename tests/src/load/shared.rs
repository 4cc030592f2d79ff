//! What counts where replicas share a store: how much they ask it when nothing happens, and how long the
//! work of one that dies rests.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use langnghe_store::{Depths, Store};

use super::{
    client::{self, Pace},
    figures::count,
    measure::{check, ground},
    options::Measure,
    plan::Shape,
    report::{Report, Target},
    server_use::ServerUse,
    targets::Targets,
    trial::{Sends, Trial},
};
use crate::{Replica, wait};

/// How long it is quiet before it is measured: what a start does is over, and waits are as long as they
/// get.
const CALM: Duration = Duration::from_secs(15);
/// How long is measured then.
const QUIET: Duration = Duration::from_secs(10);

/// How many commands replicas send when nothing happens.
///
/// # Errors
/// None so far.
pub(super) async fn idle(options: &Measure, report: &mut Report) -> Result<(), String> {
    println!("idle: {}; {QUIET:?} of quiet", ground(options));
    let trial = Trial::new(options, options.replicas, options.workers, Sends::Yes).await;
    let replicas = trial.start().await;
    tokio::time::sleep(CALM).await;
    let server = trial.server().ok_or("there is no server")?;
    let before = ServerUse::of(server).await;
    let began = (Instant::now(), replicas.processor_time());
    tokio::time::sleep(QUIET).await;
    let done = ServerUse::of(server).await.since(before);
    let seconds = began.0.elapsed().as_secs_f64() * count(options.replicas);
    let processor = replicas.processor_time().saturating_sub(began.1);
    replicas.stop().await;
    let target = Targets::of(options).idle_commands;
    let sent = [done.sent / seconds];
    report.figure(
        "idle, commands sent",
        "a second and replica",
        2,
        &sent,
        target,
    );
    let all = [done.all / seconds];
    let unit = "a second and replica";
    report.figure(
        "idle, commands with those in scripts",
        unit,
        1,
        &all,
        Target::None,
    );
    let busy = [processor.as_secs_f64() * 1000.0 / seconds];
    report.figure(
        "idle, processor of a replica",
        "ms a second",
        2,
        &busy,
        Target::None,
    );
    println!();
    Ok(())
}

/// Messages a second while a replica dies.
const LOAD: f64 = 1500.0;
/// How long they come.
const LOAD_SECONDS: f64 = 3.0;
/// When the replica dies.
const DEATH: Duration = Duration::from_millis(1500);
/// Replies a second: slow enough that some wait when it dies.
const REPLIES: u32 = 400;
/// What was on its way when it died has arrived by then.
const ON_ITS_WAY: Duration = Duration::from_millis(200);
/// The other one has done by then what it could, and the dead one's leases have not yet run out: what
/// still waits is what it held.
const REST_DONE: Duration = Duration::from_secs(8);
/// The longest that everything may take.
const LONGEST: Duration = Duration::from_mins(2);
/// How often it is tried until the replica dies with something in its hands.
const TRIES: usize = 5;

/// Kills one of two replicas under load: how long until what it held was processed, and until replies
/// left again on the channel that it owned.
///
/// # Errors
/// When it never held anything, or a message was lost, doubled or out of order.
pub(super) async fn takeover(options: &Measure, report: &mut Report) -> Result<(), String> {
    println!(
        "takeover: {:?} with appendfsync {:?}; one of 2 replicas dies at {LOAD:.0} messages/s",
        options.store, options.fsync
    );
    for _ in 0..TRIES {
        let (held, conversations, channel) = one_death(options).await?;
        if held == 0 {
            println!("it died with nothing in its hands: once more");
            continue;
        }
        let target = Targets::of(options).takeover;
        report.figure(
            "held when it died",
            "messages",
            0,
            &[count(held)],
            Target::None,
        );
        report.figure(
            "its conversations were processed after",
            "s",
            2,
            &[conversations.as_secs_f64()],
            target,
        );
        report.figure(
            "replies left again on its channel after",
            "s",
            2,
            &[channel.as_secs_f64()],
            target,
        );
        println!();
        return Ok(());
    }
    Err("the replica never died with something in its hands".to_owned())
}

async fn one_death(options: &Measure) -> Result<(usize, Duration, Duration), String> {
    let mut trial = Trial::new(options, 2, options.workers, Sends::Paced(REPLIES)).await;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a small number, not below zero"
    )]
    let messages = (LOAD * LOAD_SECONDS) as usize;
    let plan = trial.plan(Shape {
        messages,
        conversations: options.conversations.min(messages / 4),
        connections: options.connections,
        duplicates_percent: 0,
    });
    let mut replicas = trial.start().await;
    let store = trial.store().await?;
    let owner = owner(&replicas.0).await?;
    let mut dying = replicas.0.swap_remove(owner);
    // Messages come in at the other one: what is accepted here and processed there is what counts.
    let address = trial.addresses()[1 - owner];
    let firing =
        tokio::task::spawn_blocking(move || client::fire(&[address], &plan, Pace::OpenLoop(LOAD)));
    tokio::time::sleep(DEATH).await;
    dying.kill();
    let died = Instant::now();
    firing.await.map_err(|error| error.to_string())??;
    tokio::time::sleep_until((died + REST_DONE).into()).await;
    let held = usize::try_from(depths(&store).await?.inbox).unwrap_or(usize::MAX);
    let conversations = until(&store, |depths| depths.inbox == 0).await?;
    until(&store, |depths| {
        depths.outbox.iter().all(|(_, depth)| depth.waiting == 0)
    })
    .await?;
    let calls = trial.graph().calls();
    let again = calls.iter().find(|call| **call > died + ON_ITS_WAY);
    let channel = again.ok_or("no reply left any more")?.duration_since(died);
    replicas.stop().await;
    drop(dying);
    check(&trial, true).await?;
    Ok((held, conversations.duration_since(died), channel))
}

/// Which replica owns the channel.
async fn owner(replicas: &[Replica<'_>]) -> Result<usize, String> {
    wait::for_some("a replica owns the channel", LONGEST, async || {
        for (number, replica) in replicas.iter().enumerate() {
            let metrics = replica.metrics().await;
            if metrics.sum("langnghe_channel_owned", &[]) > 0.5 {
                return Some(Ok(number));
            }
        }
        None
    })
    .await
}

async fn depths(store: &Arc<dyn Store>) -> Result<Depths, String> {
    store.depths().await.map_err(|error| error.to_string())
}

/// Waits until what waits in the store is so; says when it was.
async fn until(store: &Arc<dyn Store>, is: impl Fn(&Depths) -> bool) -> Result<Instant, String> {
    let deadline = Instant::now() + LONGEST;
    loop {
        let asked = Instant::now();
        if is(&depths(store).await?) {
            return Ok(asked);
        }
        if asked > deadline {
            return Err(format!("not done after {LONGEST:?}"));
        }
        wait::pause().await;
    }
}
