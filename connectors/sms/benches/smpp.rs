//! How many messages a second go out over SMPP, and what five cut links cost: nothing lost, and nothing
//! doubled but what was under way. `cargo bench -p langnghe-sms --bench smpp`.
//!
//! The message centre's stand-in has a thread of its own; both are on the loopback. Options after `--`:
//! `--messages N` (each round), `--window N`, `--rounds N`, `--parts N` (of each message).

#[path = "../tests/smpp/stage.rs"]
#[expect(dead_code, unused_imports, reason = "the tests use more of it")]
mod stage;

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use langnghe_connector::SendError;
use tokio::{runtime::Builder, task::JoinSet};

use stage::{Stage, smsc::Smsc};

/// What is measured.
#[derive(Clone, Copy)]
struct Options {
    messages: usize,
    window: usize,
    rounds: usize,
    parts: usize,
}

impl Options {
    fn read() -> Self {
        let mut options = Self {
            messages: 100_000,
            window: 50,
            rounds: 5,
            parts: 1,
        };
        let arguments: Vec<String> = std::env::args().collect();
        for pair in arguments.windows(2) {
            let number = pair[1].parse();
            match (pair[0].as_str(), number) {
                ("--messages", Ok(number)) => options.messages = number,
                ("--window", Ok(number)) => options.window = number,
                ("--rounds", Ok(number)) => options.rounds = number,
                ("--parts", Ok(number)) => options.parts = number,
                _ => {}
            }
        }
        options
    }
}

fn main() {
    let options = Options::read();
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!(
        "{} messages a round, a window of {}, load before: {}",
        options.messages,
        options.window,
        load.trim()
    );
    let mut rates: Vec<usize> = (0..options.rounds)
        .map(|round| {
            let rate = measure(options, 0);
            println!("round {}: {rate} submit_sm/s", round + 1);
            rate
        })
        .collect();
    rates.sort_unstable();
    if let Some(median) = rates.get(rates.len() / 2) {
        println!("median: {median} submit_sm/s");
    }
    let rate = measure(options, 5);
    println!("with 5 cut links: {rate} submit_sm/s");
}

/// Sends all messages, while the link is cut so many times; gives how many went a second.
fn measure(options: Options, cuts: usize) -> usize {
    let server = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let smsc = server.block_on(Smsc::start(options.window));
    let client = Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    client.block_on(async {
        let mut stage = Stage::before(smsc, |config| config.window = options.window);
        stage.tend();
        stage.bound(1).await;
        let stage = Arc::new(stage);
        let next = Arc::new(AtomicUsize::new(0));
        let began = Instant::now();
        let mut senders: JoinSet<()> = (0..options.window)
            .map(|_| send_on(Arc::clone(&stage), Arc::clone(&next), options))
            .collect();
        for cut in 1..=cuts {
            let due = options.messages * options.parts * cut / (cuts + 1);
            while stage.smsc.count() < due {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            stage.smsc.cut();
        }
        while senders.join_next().await.is_some() {}
        let took = began.elapsed();
        check(&stage, options, cuts);
        let submits = options.messages * options.parts;
        let rate = submits as u128 * 1_000_000 / took.as_micros().max(1);
        usize::try_from(rate).unwrap_or(usize::MAX)
    })
}

/// One of those who send, as the program's sender does: again what was not taken.
async fn send_on(stage: Arc<Stage>, next: Arc<AtomicUsize>, options: Options) {
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= options.messages {
            return;
        }
        let id = format!("Da tiep nhan phan anh PA-{number}");
        // So many parts of 153 septets, none of them like another.
        let text = match options.parts {
            1 => id.clone(),
            parts => format!("PA-{number:07} ").repeat(parts * 13),
        };
        while let Err(error) = stage.send(&id, &text).await {
            let wait = match error {
                SendError::Throttled { after, .. } => after.unwrap_or_default(),
                SendError::NotReady { after, .. } => after,
                SendError::Transport { .. } => Duration::ZERO,
                other => panic!("{other}"),
            };
            tokio::time::sleep(wait.min(Duration::from_millis(100))).await;
        }
    }
}

fn check(stage: &Stage, options: Options, cuts: usize) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for submitted in stage.smsc.submitted() {
        *counts.entry(submitted.text()).or_default() += 1;
    }
    let lost = (options.messages * options.parts).saturating_sub(counts.len());
    let doubled: usize = counts.values().map(|count| count - 1).sum();
    println!(
        "  {lost} lost, {doubled} sent twice, of at most {}",
        cuts * options.window
    );
    assert_eq!(lost, 0, "messages were lost");
    assert!(doubled <= cuts * options.window, "too many were doubled");
}
