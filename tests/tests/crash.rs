//! The crash matrix: the real program under load, killed again and again. After the last restart
//! every acknowledged message was processed once and in order, every report is one ticket, and hardly
//! a reply was sent twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use langnghe_tests::{
    Replica, agency::KeptTicket, citizen::Citizen, graph::Taken, road::Road, wait,
};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use tokio::task::JoinHandle;

/// Citizens who write at the same time.
const CITIZENS: usize = 8;
/// How often the program is killed at a random moment.
const KILLS: usize = 32;
/// How often it dies at each of the named points.
const DEATHS_A_POINT: usize = 2;
/// Between accept, claim, commit, send and settle.
const POINTS: [&str; 11] = [
    "received",
    "accepted",
    "claimed",
    "stepped",
    "committed",
    "send",
    "sent",
    "settled",
    "deliver",
    "delivered",
    "delivery-settled",
];

/// Everything that one run of the matrix needs.
struct Matrix {
    road: Road,
    stop: Arc<AtomicBool>,
    citizens: Vec<Citizen>,
}

impl Matrix {
    async fn new(sends_at_once: i64) -> Self {
        let mut road = Road::new().await;
        road.installation
            .set("limits.sends_at_once", sends_at_once)
            .set("limits.flood.messages", 1_000_000)
            .set("limits.inbox_per_citizen", 10_000);
        let citizens: Vec<Citizen> = (0..CITIZENS)
            .map(|_| Citizen::new(&road.installation))
            .collect();
        let stop = Arc::new(AtomicBool::new(false));
        Self {
            road,
            stop,
            citizens,
        }
    }

    /// Lets the citizens write: whole reports, one after the other, until told to stop.
    fn write(&self) -> Vec<JoinHandle<usize>> {
        let mut writers = Vec::new();
        for (number, citizen) in self.citizens.iter().enumerate() {
            let (citizen, stop) = (citizen.clone(), Arc::clone(&self.stop));
            writers.push(tokio::spawn(async move {
                let mut reports = 0;
                while !stop.load(Ordering::SeqCst) {
                    citizen.says("báo sự cố").await;
                    for answer in answers(number, reports) {
                        citizen.says(&answer).await;
                    }
                    reports += 1;
                    // Nobody writes reports as fast as a machine can.
                    wait::pause().await;
                }
                reports
            }));
        }
        writers
    }

    /// Lets the citizens finish the report that they are at; how many reports each made.
    async fn finish(&self, writers: Vec<JoinHandle<usize>>) -> Vec<usize> {
        self.stop.store(true, Ordering::SeqCst);
        let mut reports = Vec::new();
        for writer in writers {
            reports.push(writer.await.expect("a citizen's webhooks were all taken"));
        }
        reports
    }

    /// Checks everything after the last restart.
    async fn check(&self, reports: &[usize], crashes: usize, sends_at_once: usize) {
        let total: usize = reports.iter().sum();
        let tickets = self
            .road
            .agency
            .wait_for(total, Duration::from_mins(1))
            .await;
        wait::until("every reply was sent", Duration::from_mins(1), async || {
            self.citizens.iter().zip(reports).all(|(citizen, reports)| {
                distinct(&self.road.graph.taken_for(&citizen.id)).len() >= reports * 4
            })
        })
        .await;
        self.road.agency.assert_no_violations();
        check_tickets(&tickets, reports);
        let mut repeated = 0;
        for (number, citizen) in self.citizens.iter().enumerate() {
            let taken = self.road.graph.taken_for(&citizen.id);
            repeated += check_replies(number, &taken, reports[number], crashes);
        }
        let delivered: u32 = tickets.values().map(|kept| kept.deliveries).sum();
        eprintln!(
            "{crashes} crashes, {total} reports of {CITIZENS} citizens, {} messages; {repeated} \
             replies and {} tickets came twice",
            total * 4,
            delivered as usize - tickets.len(),
        );
        assert!(
            repeated <= crashes * sends_at_once,
            "{repeated} replies were repeated over {crashes} crashes"
        );
    }
}

/// What a citizen answers in one report.
fn answers(citizen: usize, report: usize) -> [String; 3] {
    ["một", "hai", "ba"].map(|question| format!("người {citizen} lần {report} câu {question}"))
}

/// Every report is exactly one ticket, and its answers are those that were given.
fn check_tickets(tickets: &BTreeMap<String, KeptTicket>, reports: &[usize]) {
    let mut expected: BTreeSet<Vec<String>> = BTreeSet::new();
    for (citizen, count) in reports.iter().enumerate() {
        expected.extend((0..*count).map(|report| answers(citizen, report).to_vec()));
    }
    for (id, kept) in tickets {
        let answers: Vec<String> = kept.ticket["answers"]
            .as_array()
            .expect("answers")
            .iter()
            .map(|answer| answer["value"].as_str().unwrap_or_default().to_owned())
            .collect();
        assert!(
            expected.remove(&answers),
            "ticket {id} is no report, or its second: {answers:?}"
        );
    }
    assert!(
        expected.is_empty(),
        "reports without a ticket: {expected:?}"
    );
}

/// The replies without immediate repetitions.
fn distinct(taken: &[Taken]) -> Vec<&Taken> {
    let mut replies: Vec<&Taken> = Vec::new();
    for reply in taken.iter().filter(|reply| !reply.message_id.is_empty()) {
        let again = |last: &&Taken| last.metadata.is_some() && last.metadata == reply.metadata;
        if !replies.last().is_some_and(again) {
            replies.push(reply);
        }
    }
    replies
}

/// The replies to one citizen are those to their messages, in order; gives how many came twice.
fn check_replies(citizen: usize, taken: &[Taken], reports: usize, crashes: usize) -> usize {
    let replies = distinct(taken);
    let texts: Vec<String> = replies.iter().map(|reply| words(reply)).collect();
    for report in 0..reports {
        let [one, two, three] = answers(citizen, report);
        let expected = [
            "Một?".to_owned(),
            format!("Hai? ({one})"),
            format!("Ba? ({two})"),
            format!("Xong: {one}, {two}, {three}."),
        ];
        for (place, expected) in expected.iter().enumerate() {
            let text = texts
                .get(report * 4 + place)
                .map_or("nothing", String::as_str);
            assert!(
                text.contains(expected),
                "citizen {citizen}, report {report}, reply {place}: {expected:?} was due, {text:?} came"
            );
        }
    }
    assert_eq!(
        texts.len(),
        reports * 4,
        "citizen {citizen} got more than was due"
    );
    let all = taken
        .iter()
        .filter(|reply| !reply.message_id.is_empty())
        .count();
    let repeated = all - replies.len();
    assert!(
        repeated <= crashes,
        "{repeated} repetitions to citizen {citizen}"
    );
    repeated
}

fn words(reply: &Taken) -> String {
    use langnghe_tests::graph::Said;
    match &reply.said {
        Said::Text { text, .. } | Said::Buttons { text, .. } => text.clone(),
        other => format!("{other:?}"),
    }
}

/// The seed of this run: printed, and taken from the environment to see a run again.
fn seed() -> u64 {
    let given = std::env::var("LANGNGHE_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seed = given.unwrap_or_else(rand::random);
    eprintln!("LANGNGHE_SEED={seed}");
    seed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_moments_nothing_is_lost_doubled_or_out_of_order() {
    const SENDS_AT_ONCE: usize = 4;
    let mut random = SmallRng::seed_from_u64(seed());
    let matrix = Matrix::new(4).await;
    let writers = matrix.write();
    for kill in 0..KILLS {
        // Now and then it dies while it starts.
        let mut replica = if kill % 4 == 3 {
            Replica::spawn(&matrix.road.installation)
        } else {
            matrix.road.installation.start().await
        };
        tokio::time::sleep(Duration::from_millis(random.random_range(0..600))).await;
        replica.kill();
    }
    let last = matrix.road.installation.start().await;
    let reports = matrix.finish(writers).await;
    matrix.check(&reports, KILLS, SENDS_AT_ONCE).await;
    drop(last);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dying_between_any_two_steps_loses_nothing_and_repeats_at_most_one_reply() {
    let mut random = SmallRng::seed_from_u64(seed());
    let mut matrix = Matrix::new(1).await;
    let writers = matrix.write();
    let mut crashes = 0;
    for point in POINTS {
        for _ in 0..DEATHS_A_POINT {
            let pass: u32 = random.random_range(1..12);
            matrix
                .road
                .installation
                .environment("LANGNGHE_CRASH_AT", &format!("{point}:{pass}"));
            let mut replica = Replica::spawn(&matrix.road.installation);
            let what = format!("the program dies at {point}:{pass}");
            let status = replica.end(&what, Duration::from_mins(1)).await;
            assert!(!status.success(), "{what}: it stopped by itself");
            crashes += 1;
        }
    }
    matrix.road.installation.forget("LANGNGHE_CRASH_AT");
    let began = Instant::now();
    let last = matrix.road.installation.start().await;
    eprintln!("ready {:?} after the last crash", began.elapsed());
    let reports = matrix.finish(writers).await;
    matrix.check(&reports, crashes, 1).await;
    drop(last);
}
