//! One sender a channel over all replicas, seen from the provider: it moves when its replica dies,
//! and a replica that was paused past its lease does not send another byte.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use langnghe_tests::{
    Installation, Replica,
    citizen::Citizen,
    redis::{Server, Setup},
    road::{
        Road,
        account::{self, Told},
    },
    seed, wait,
    wire::Wire,
};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use tokio::task::JoinHandle;

/// Citizens who write at the same time.
const CITIZENS: usize = 8;
/// How often the owner is paused past its lease.
const PAUSES: usize = 8;
/// How many replies are on their way at once.
const SENDS_AT_ONCE: usize = 4;
/// The most replies a second: fewer than citizens ask for, so that there is always one to be sent.
const PACE: i64 = 20;
/// The longest that a change of owner may take beside the lease.
const SLACK: Duration = Duration::from_secs(3);

/// Two replicas on one Redis; what each sends comes through a door of its own.
struct Pair {
    road: Road,
    twin: Installation,
    doors: [usize; 2],
    /// The first replica's line to Redis.
    wire: Wire,
    _redis: Server,
}

impl Pair {
    async fn new(lease: Duration) -> Self {
        let redis = Server::start(&Setup::redis()).await;
        let mut road = Road::new().await;
        let lease = format!("{}ms", lease.as_millis());
        road.installation
            .set("store.url", redis.url())
            .set_of("channel", "page", "replies_per_second", PACE)
            .set("limits.channel_lease", lease)
            .set("limits.lease", "1s")
            .set(
                "limits.sends_at_once",
                i64::try_from(SENDS_AT_ONCE).expect("small"),
            )
            .set("limits.flood.messages", 1_000_000)
            .set("limits.inbox_per_citizen", 10_000);
        let mut twin = road.installation.twin();
        let wire = Wire::to(redis.port()).await;
        let url = redis.url_through(wire.port());
        road.installation.set("store.url", url);
        let (door, api_base) = road.graph.open_door().await;
        twin.set_of("channel", "page", "api_base", api_base);
        Self {
            road,
            twin,
            doors: [0, door],
            wire,
            _redis: redis,
        }
    }

    fn installation(&self, number: usize) -> &Installation {
        [&self.road.installation, &self.twin][number]
    }

    /// Citizens who write whole reports, half of them to each replica, until told to stop.
    fn load(&self) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let citizens: Vec<Citizen> = (0..CITIZENS)
            .map(|number| Citizen::new(self.installation(number % 2)))
            .collect();
        let mut writers = Vec::new();
        for (number, citizen) in citizens.iter().enumerate() {
            let (citizen, stop) = (citizen.clone(), Arc::clone(&stop));
            writers.push(tokio::spawn(async move {
                let mut reports = 0;
                while !stop.load(Ordering::SeqCst) {
                    for message in account::messages(number, reports) {
                        citizen.says(&message).await;
                    }
                    reports += 1;
                    // More than the pace allows, and not so much that the end is far away.
                    tokio::time::sleep(Duration::from_millis(800)).await;
                }
                reports
            }));
        }
        Load {
            stop,
            citizens,
            writers,
        }
    }

    /// Which replica made the last call, once there is one.
    async fn sender(&self) -> usize {
        wait::for_some("somebody sends", wait::SOON, async || {
            let calls = self.road.graph.calls_by_door();
            let (_, door) = calls.last()?;
            self.doors.iter().position(|own| own == door)
        })
        .await
    }

    /// Waits until calls come through this replica's door; when the first came since `since`.
    async fn sends(&self, number: usize, since: Instant, limit: Duration) -> Instant {
        let what = format!("replica {number} sends");
        wait::for_some(&what, limit, async || {
            let calls = self.road.graph.calls_by_door();
            let theirs =
                |(at, door): &&(Instant, usize)| *at > since && *door == self.doors[number];
            calls.iter().find(theirs).map(|(at, _)| *at)
        })
        .await
    }

    /// How often another replica than before sent.
    fn changes(&self) -> usize {
        let calls = self.road.graph.calls_by_door();
        calls
            .windows(2)
            .filter(|pair| pair[0].1 != pair[1].1)
            .count()
    }

    /// Everything arrived, in order; says how many replies came twice.
    async fn settled(&self, load: Load) -> usize {
        load.stop.store(true, Ordering::SeqCst);
        let mut reports = Vec::new();
        for writer in load.writers {
            reports.push(writer.await.expect("every message was taken"));
        }
        let done = |(citizen, reports): (&Citizen, &usize)| {
            let taken = self.road.graph.taken_for(&citizen.id);
            Told::new(&taken).replies.len() >= reports * account::MESSAGES
        };
        wait::until("every reply was sent", Duration::from_mins(3), async || {
            load.citizens.iter().zip(&reports).all(done)
        })
        .await;
        let mut repeated = 0;
        for (number, citizen) in load.citizens.iter().enumerate() {
            let taken = self.road.graph.taken_for(&citizen.id);
            let told = Told::new(&taken);
            told.check(number, reports[number])
                .expect("every reply in order");
            assert_eq!(told.late, 0, "repeated after a later reply had come");
            repeated += told.repeated;
        }
        eprintln!(
            "{} replies to {} reports, {repeated} came twice",
            self.road.graph.count(),
            reports.iter().sum::<usize>()
        );
        repeated
    }
}

/// Citizens who write.
struct Load {
    stop: Arc<AtomicBool>,
    citizens: Vec<Citizen>,
    writers: Vec<JoinHandle<usize>>,
}

/// How often a replica took the channel over, by its own account.
async fn moves(replica: &Replica<'_>) -> f64 {
    let metrics = replica.metrics().await;
    metrics.sum("langnghe_channel_moves_total", &[("channel", "page")])
}

/// Whether a replica says that it owns the channel.
async fn owns(replica: &Replica<'_>) -> bool {
    let metrics = replica.metrics().await;
    metrics.sum("langnghe_channel_owned", &[("channel", "page")]) > 0.5
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_replicas_channel_moves_within_its_lease() {
    const ROUNDS: usize = 3;
    let lease = Duration::from_secs(4);
    let pair = Pair::new(lease).await;
    let mut replicas = [
        Replica::start(pair.installation(0)).await,
        Replica::start(pair.installation(1)).await,
    ];
    let load = pair.load();
    for round in 0..ROUNDS {
        let owner = pair.sender().await;
        let other = 1 - owner;
        assert!(owns(&replicas[owner]).await && !owns(&replicas[other]).await);
        let died = Instant::now();
        replicas[owner].kill();
        let sent = pair.sends(other, died, lease * 5).await;
        let took = sent - died;
        eprintln!("round {round}: the other replica sends {took:?} after the death");
        assert!(took <= lease + SLACK, "{took:?}");
        replicas[owner] = Replica::start(pair.installation(owner)).await;
    }
    assert_eq!(pair.changes(), ROUNDS);
    let repeated = pair.settled(load).await;
    assert!(repeated <= ROUNDS * SENDS_AT_ONCE, "{repeated} repeated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_stops_in_order_hands_its_channel_over_at_once() {
    const ROUNDS: usize = 4;
    // So long that nobody could have waited for it.
    let lease = Duration::from_mins(5);
    let pair = Pair::new(lease).await;
    let mut replicas = [
        Replica::start(pair.installation(0)).await,
        Replica::start(pair.installation(1)).await,
    ];
    let load = pair.load();
    for round in 0..ROUNDS {
        let owner = pair.sender().await;
        let began = Instant::now();
        let status = replicas[owner].terminate(wait::SOON).await;
        assert!(status.success(), "{status}");
        let stopped = Instant::now();
        let sent = pair.sends(1 - owner, began, wait::SOON).await;
        let after = sent.saturating_duration_since(stopped);
        eprintln!("round {round}: the other replica sends {after:?} after the stop");
        replicas[owner] = Replica::start(pair.installation(owner)).await;
    }
    assert_eq!(pair.changes(), ROUNDS);
    assert_eq!(
        pair.settled(load).await,
        0,
        "a stop in order repeats nothing"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_was_paused_past_its_lease_sends_nothing_more() {
    let mut random = SmallRng::seed_from_u64(seed::draw());
    let lease = Duration::from_millis(1500);
    let pair = Pair::new(lease).await;
    let replicas = [
        Replica::start(pair.installation(0)).await,
        Replica::start(pair.installation(1)).await,
    ];
    let load = pair.load();
    for round in 0..PAUSES {
        let owner = pair.sender().await;
        // Anywhere between two renewals, with sends under way.
        tokio::time::sleep(random.random_range(Duration::ZERO..lease)).await;
        let paused = Instant::now();
        replicas[owner].halt();
        let sent = pair.sends(1 - owner, paused, lease * 10).await;
        eprintln!(
            "round {round}: the other replica sends {:?} after the pause",
            sent - paused
        );
        tokio::time::sleep(random.random_range(Duration::ZERO..lease)).await;
        let resumed = Instant::now();
        replicas[owner].go_on();
        wait::until("it is itself again", wait::SOON, async || {
            replicas[owner].ready().await
        })
        .await;
        pair.sends(1 - owner, resumed, wait::SOON).await;
    }
    let changes = pair.changes();
    let moves = moves(&replicas[0]).await + moves(&replicas[1]).await;
    eprintln!("{moves} times a replica took over; {changes} times another one sent than before");
    assert!(changes >= PAUSES, "each pause made another the sender");
    // One send of an earlier owner after the first of a later one would be two changes more.
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let seen = changes as f64;
    assert!(
        seen <= moves - 1.0,
        "{changes} changes by {moves} takeovers"
    );
    let repeated = pair.settled(load).await;
    assert!(repeated <= PAUSES * SENDS_AT_ONCE, "{repeated} repeated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_is_cut_off_from_the_store_stops_before_another_begins() {
    const ROUNDS: usize = 3;
    let lease = Duration::from_secs(4);
    let pair = Pair::new(lease).await;
    let first = Replica::start(pair.installation(0)).await;
    let mut second = Replica::start(pair.installation(1)).await;
    let load = pair.load();
    pair.sends(0, Instant::now(), wait::SOON).await;
    for round in 0..ROUNDS {
        let cut = Instant::now();
        // By turns it gets no answer, and no connection.
        if round % 2 == 0 {
            pair.wire.stall();
        } else {
            pair.wire.tear_down();
        }
        let sent = pair.sends(1, cut, lease * 10).await;
        eprintln!(
            "round {round}: the other replica sends {:?} after the cut",
            sent - cut
        );
        let last = pair.road.graph.calls_by_door();
        let last = last.iter().rfind(|(_, door)| *door == 0).expect("it sent");
        assert!(last.0 < sent, "two sent at once");
        pair.wire.mend();
        wait::until("it is itself again", wait::SOON, async || {
            first.ready().await
        })
        .await;
        pair.sends(1, Instant::now(), wait::SOON).await;
        let status = second.terminate(wait::SOON).await;
        assert!(status.success(), "{status}");
        // It may hear of what became free only at its next renewal, as its line was cut: another
        // that starts before then would take the channel itself.
        wait::until("the first owns the channel", wait::SOON, async || {
            owns(&first).await
        })
        .await;
        second = Replica::start(pair.installation(1)).await;
        pair.sends(0, Instant::now(), wait::SOON).await;
    }
    assert_eq!(pair.changes(), ROUNDS * 2);
    let repeated = pair.settled(load).await;
    assert!(repeated <= ROUNDS * SENDS_AT_ONCE, "{repeated} repeated");
}
