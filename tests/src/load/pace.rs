//! How exactly limits are kept and used: a backlog that lasts longer than it is measured, a stand-in for the
//! messenger that only counts, and between them the program.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{
    backlog,
    bot_api::BotApi,
    report::{Report, Target},
    trial::FLOW,
};
use crate::{Installation, Replica, chaos::quota::fullest_window, smsc::Smsc, wait};

/// How long the rate is measured.
const MEASURED: Duration = Duration::from_secs(30);
/// What comes first does not count: connections are opened, and an earlier owner's use is presumed.
const BEGIN: Duration = Duration::from_secs(1);
/// By how much a rate may be below its limit, in percent.
const ERROR: f64 = 1.0;
/// The longest that the first message may take.
const START: Duration = Duration::from_secs(90);

/// A limit that is measured.
#[derive(Clone, Copy, Debug)]
struct Case {
    name: &'static str,
    limit: u32,
    per: Duration,
    /// How many recipients have this limit each; `None`: the channel has it.
    recipients: Option<usize>,
    way: Way,
}

#[derive(Clone, Copy, Debug)]
enum Way {
    /// A Telegram channel with these quotas, whose messenger answers after this time.
    Http(&'static str, Duration),
    /// An SMPP link whose quota is `parts_per_second`.
    Smpp,
}

const SECOND: Duration = Duration::from_secs(1);
const BULK: &str = "chat = \"off\"";
const MINUTE: Duration = Duration::from_mins(1);

const fn bulk(name: &'static str, milliseconds: u64) -> Case {
    Case {
        name,
        limit: 30,
        per: SECOND,
        recipients: None,
        way: Way::Http(BULK, Duration::from_millis(milliseconds)),
    }
}

const CASES: [Case; 9] = [
    bulk("30 in 1 s", 0),
    Case {
        name: "1 in 1 s for each of 200 citizens",
        limit: 1,
        per: SECOND,
        recipients: Some(200),
        way: Way::Http("bulk = \"off\"\nchat = { burst = 1 }", Duration::ZERO),
    },
    Case {
        name: "60 in 1 min",
        limit: 60,
        per: MINUTE,
        recipients: None,
        way: Way::Http(
            "bulk = \"off\"\nchat = \"off\"\nreplies = { limit = 60, per = \"1m\" }",
            Duration::ZERO,
        ),
    },
    Case {
        name: "4,000 in 1 min",
        limit: 4000,
        per: MINUTE,
        recipients: None,
        way: Way::Http(
            "bulk = \"off\"\nchat = \"off\"\nreplies = { limit = 4000, per = \"1m\" }",
            Duration::ZERO,
        ),
    },
    Case {
        name: "6,000 in 20 min, recorded in the store",
        limit: 6000,
        per: Duration::from_mins(20),
        recipients: None,
        way: Way::Http(
            "bulk = \"off\"\nchat = \"off\"\nreplies = { limit = 6000, per = \"20m\", burst = 60 }",
            Duration::ZERO,
        ),
    },
    Case {
        name: "100 parts in 1 s over SMPP",
        limit: 100,
        per: SECOND,
        recipients: None,
        way: Way::Smpp,
    },
    bulk("30 in 1 s, answers after 50 ms", 50),
    bulk("30 in 1 s, answers after 100 ms", 100),
    bulk("30 in 1 s, answers after 150 ms", 150),
];

/// Measures every kind of limit.
///
/// # Errors
/// When a backlog cannot be made, or a window held more than its limit.
pub(super) async fn pace(report: &mut Report) -> Result<(), String> {
    println!("pace: SQLite, one replica; rates over {MEASURED:?}, windows over all that was sent");
    let mut broken = Vec::new();
    for case in CASES {
        let sent = case.run().await?;
        let (rates, fullest) = case.figures(&sent)?;
        let possible = f64::from(case.limit) / case.per.as_secs_f64();
        let errors: Vec<f64> = rates
            .iter()
            .map(|rate| (1.0 - rate / possible) * 100.0)
            .collect();
        let (mean, each) = (mean(&rates), format!("{}: ", case.name));
        report.figure(&format!("{each}rate"), "a second", 3, &[mean], Target::None);
        let target = match case.way {
            Way::Http(_, latency) if !latency.is_zero() => Target::None,
            _ => Target::AtMost(ERROR),
        };
        report.figure(
            &format!("{each}below the limit by"),
            "%",
            2,
            &errors,
            target,
        );
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let held = fullest as f64;
        let most = Target::AtMost(f64::from(case.limit));
        report.figure(
            &format!("{each}fullest window"),
            "messages",
            0,
            &[held],
            most,
        );
        if fullest > case.limit as usize {
            broken.push(case.name);
        }
        println!();
    }
    if broken.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "a window held more than its limit: {}",
            broken.join(", ")
        ))
    }
}

impl Case {
    /// When what was sent to whom arrived.
    async fn run(&self) -> Result<Vec<(Instant, String)>, String> {
        // A window is seen whole where it is not longer than a minute or so.
        let time = if self.per > SECOND && self.per <= MINUTE {
            BEGIN + self.per + Duration::from_secs(10)
        } else {
            BEGIN + MEASURED
        };
        let (recipients, each) = self.backlog(time);
        let mut installation = Installation::new();
        installation
            .flows(&[("load.toml", FLOW)])
            .set("flows.start", "load")
            .set("log.level", "warn")
            .set("server.workers", 1);
        match self.way {
            Way::Http(quotas, latency) => {
                let api = BotApi::start(latency).await;
                let quotas: toml::Table = toml::from_str(quotas).map_err(|e| e.to_string())?;
                api.channel(&mut installation, quotas);
                let citizens: Vec<String> = (0..recipients)
                    .map(|number| (700_000 + number).to_string())
                    .collect();
                backlog::make(&installation, BotApi::CHANNEL, &citizens, each).await?;
                send(&installation, time, || api.sent()).await
            }
            Way::Smpp => {
                let smsc = Smsc::start(50).await;
                installation.smpp("sms", smsc.port()).set_of(
                    "channel",
                    "sms",
                    "parts_per_second",
                    i64::from(self.limit),
                );
                let citizens: Vec<String> = (0..recipients)
                    .map(|number| format!("+8490{number:07}"))
                    .collect();
                backlog::make(&installation, "sms", &citizens, each).await?;
                let sent = || {
                    let arrived = smsc.arrived().into_iter();
                    arrived.map(|at| (at, String::new())).collect()
                };
                send(&installation, time, sent).await
            }
        }
    }

    /// For how many citizens how many messages each wait.
    fn backlog(&self, time: Duration) -> (usize, usize) {
        let times = time.as_secs_f64() / self.per.as_secs_f64();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a small number, not below zero"
        )]
        let each = (f64::from(self.limit) * times * 1.3) as usize + 20;
        match self.recipients {
            Some(recipients) => (recipients, each),
            None => (each.div_ceil(4), 4),
        }
    }

    /// The rates, of the channel or of each recipient, and the fullest window of any of them.
    fn figures(&self, sent: &[(Instant, String)]) -> Result<(Vec<f64>, usize), String> {
        let mut counted: BTreeMap<&str, Vec<Instant>> = BTreeMap::new();
        for (at, recipient) in sent {
            let name = self.recipients.map_or("", |_| recipient.as_str());
            counted.entry(name).or_default().push(*at);
        }
        let (mut rates, mut fullest) = (Vec::new(), 0);
        for calls in counted.values() {
            fullest = fullest.max(fullest_window(calls, self.per).map_or(0, |(most, _)| most));
            rates.push(rate(calls).ok_or("too little was sent")?);
        }
        Ok((rates, fullest))
    }
}

/// Messages a second, from one to another that came about [`MEASURED`] later.
fn rate(calls: &[Instant]) -> Option<f64> {
    let begin = *calls.first()? + BEGIN;
    let measured: Vec<_> = calls
        .iter()
        .filter(|at| **at >= begin && **at <= begin + MEASURED)
        .collect();
    let time = measured.last()?.duration_since(**measured.first()?);
    let steps = u32::try_from(measured.len() - 1).ok()?;
    (steps > 0).then(|| f64::from(steps) / time.as_secs_f64())
}

fn mean(rates: &[f64]) -> f64 {
    let count = u32::try_from(rates.len()).unwrap_or(u32::MAX);
    rates.iter().sum::<f64>() / f64::from(count)
}

/// Lets a replica send for `time` after its first message; gives what `sent` says then.
async fn send(
    installation: &Installation,
    time: Duration,
    sent: impl Fn() -> Vec<(Instant, String)>,
) -> Result<Vec<(Instant, String)>, String> {
    let mut replica = Replica::start(installation).await;
    let first = wait::for_some("the first message is sent", START, async || {
        sent().first().map(|(at, _)| *at)
    })
    .await;
    tokio::time::sleep_until((first + time + SECOND).into()).await;
    let sent = sent();
    if sent.last().is_none_or(|(at, _)| *at < first + time) {
        return Err("the backlog was too short".to_owned());
    }
    replica.terminate(wait::SOON).await;
    Ok(sent)
}
