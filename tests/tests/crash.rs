//! The crash matrix: the real program under load, killed again and again. After the last restart
//! every acknowledged message was processed once and in order, every report is one ticket, and hardly
//! a reply was sent twice.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use langnghe_tests::{
    Replica,
    citizen::Citizen,
    road::{
        Road,
        account::{self, Told},
    },
    seed, wait,
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
                    for message in account::messages(number, reports) {
                        citizen.says(&message).await;
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
                let taken = self.road.graph.taken_for(&citizen.id);
                Told::new(&taken).replies.len() >= reports * account::MESSAGES
            })
        })
        .await;
        self.road.agency.assert_no_violations();
        account::check_tickets(&tickets, reports).expect("a ticket for each report");
        let mut repeated = 0;
        for (number, citizen) in self.citizens.iter().enumerate() {
            let taken = self.road.graph.taken_for(&citizen.id);
            let told = Told::new(&taken);
            told.check(number, reports[number])
                .expect("every reply in order");
            assert_eq!(told.late, 0, "late repetitions to citizen {number}");
            let again = told.repeated;
            assert!(again <= crashes, "{again} repetitions to citizen {number}");
            repeated += again;
        }
        let delivered: u32 = tickets.values().map(|kept| kept.deliveries).sum();
        eprintln!(
            "{crashes} crashes, {total} reports of {CITIZENS} citizens, {} messages; {repeated} \
             replies and {} tickets came twice",
            total * account::MESSAGES,
            delivered as usize - tickets.len(),
        );
        assert!(
            repeated <= crashes * sends_at_once,
            "{repeated} replies were repeated over {crashes} crashes"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_random_moments_nothing_is_lost_doubled_or_out_of_order() {
    const SENDS_AT_ONCE: usize = 4;
    let mut random = SmallRng::seed_from_u64(seed::draw());
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
    let mut random = SmallRng::seed_from_u64(seed::draw());
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
