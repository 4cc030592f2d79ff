//! Which faults there are, and when: a pure function of the seed.

use std::time::Duration;

use rand::{Rng, SeedableRng, rngs::SmallRng, seq::SliceRandom as _};

use crate::wire::Toward;

/// One thing that is done to the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// `kill -9` to a replica.
    Kill(usize),
    /// A replica is asked to stop, as for an upgrade.
    Stop(usize),
    /// A replica is started again.
    Start(usize),
    /// A replica stands still (SIGSTOP).
    Halt(usize),
    /// It goes on, and does not know that time has passed.
    GoOn(usize),
    /// Every connection of a replica to the store breaks, whatever is under way on it.
    Cut(usize),
    /// Every connection of a replica to the store breaks when so many more bytes went through in one
    /// direction: in the middle of a call, or of its answer.
    CutAfter(usize, Toward, usize),
    /// Connections of a replica to the store break, and new ones come to nothing.
    TearDown(usize),
    /// A replica's line swallows everything past its lease: what it said before arrives when it is mended.
    Stall(usize),
    /// Everything comes through again.
    Mend(usize),
    /// `kill -9` to the store's server.
    KillStore,
    /// The store's server is shut down in order.
    StopStore,
    /// The store's server is started again, on what it had written.
    StartStore,
}

/// What is done when, in order of time.
pub type Plan = Vec<(Duration, Action)>;

/// What the system is like.
#[derive(Clone, Copy, Debug)]
pub struct Ground {
    /// For how long faults begin and end.
    pub time: Duration,
    /// Replicas.
    pub replicas: usize,
    /// Whether the store is a server of its own, with lines that can break.
    pub server: bool,
    /// How long a lease lasts: who halts, halts longer.
    pub lease: Duration,
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    Kill,
    Stop,
    Halt,
    Cut,
    CutAfter,
    Tear,
    Stall,
    KillStore,
    StopStore,
}

/// Between two faults of one replica, or of the store: it should come to do something.
const RECOVERY: Duration = Duration::from_millis(800);

/// Draws a plan: each kind of fault once at the least where the time allows it, then whatever comes.
/// One replica, and the store, has one fault at a time; those of different ones overlap.
pub fn draw(seed: u64, ground: Ground) -> Plan {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut faults = vec![Fault::Halt, Fault::Kill, Fault::Stop];
    if ground.server {
        faults.extend([
            Fault::KillStore,
            Fault::Cut,
            Fault::StopStore,
            Fault::Tear,
            Fault::Stall,
            Fault::CutAfter,
            Fault::CutAfter,
        ]);
    }
    let kinds = faults.clone();
    faults.shuffle(&mut random);
    faults.reverse();

    let mut plan = Plan::new();
    let mut replica_free = vec![Duration::ZERO; ground.replicas];
    let mut store_free = Duration::ZERO;
    let mut now = Duration::from_secs(1);
    // A fault that no longer fits ends the plan.
    loop {
        let fault = faults
            .pop()
            .unwrap_or_else(|| kinds[random.random_range(0..kinds.len())]);
        let replica = random.random_range(0..ground.replicas);
        let free = match fault {
            Fault::KillStore | Fault::StopStore => &mut store_free,
            _ => &mut replica_free[replica],
        };
        let begin = now.max(*free);
        let between = random.random_range(150..1200);
        let mut milliseconds = |range| Duration::from_millis(random.random_range(range));
        let (first, time, last) = match fault {
            Fault::Kill => (
                Action::Kill(replica),
                milliseconds(0..1500),
                Some(Action::Start(replica)),
            ),
            Fault::Stop => (
                Action::Stop(replica),
                milliseconds(500..1500),
                Some(Action::Start(replica)),
            ),
            Fault::Halt => (
                Action::Halt(replica),
                ground.lease + milliseconds(300..1500),
                Some(Action::GoOn(replica)),
            ),
            Fault::Cut => (Action::Cut(replica), Duration::ZERO, None),
            Fault::CutAfter => {
                let toward = [Toward::Server, Toward::Client][random.random_range(0..2)];
                let bytes = random.random_range(1..3000);
                (
                    Action::CutAfter(replica, toward, bytes),
                    Duration::ZERO,
                    None,
                )
            }
            Fault::Tear => (
                Action::TearDown(replica),
                milliseconds(100..2000),
                Some(Action::Mend(replica)),
            ),
            Fault::Stall => (
                Action::Stall(replica),
                ground.lease + milliseconds(300..1500),
                Some(Action::Mend(replica)),
            ),
            Fault::KillStore => (
                Action::KillStore,
                milliseconds(0..1200),
                Some(Action::StartStore),
            ),
            Fault::StopStore => (
                Action::StopStore,
                milliseconds(100..1200),
                Some(Action::StartStore),
            ),
        };
        let end = begin + time;
        if end > ground.time {
            break;
        }
        plan.push((begin, first));
        plan.extend(last.map(|last| (end, last)));
        *free = end + RECOVERY;
        now = begin + Duration::from_millis(between);
    }
    // What ends at the same time as another begins was there first: the sort keeps their order.
    plan.sort_by_key(|(at, _)| *at);
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ground(seconds: u64) -> Ground {
        Ground {
            time: Duration::from_secs(seconds),
            replicas: 2,
            server: true,
            lease: Duration::from_secs(2),
        }
    }

    #[test]
    fn the_seed_decides() {
        assert_eq!(draw(7, ground(60)), draw(7, ground(60)));
        assert_ne!(draw(7, ground(60)), draw(8, ground(60)));
    }

    #[test]
    fn every_fault_is_undone_in_time_and_every_kind_comes_in_twenty_seconds() {
        for seed in 0..500 {
            let plan = draw(seed, ground(20));
            assert!(plan.is_sorted_by_key(|(at, _)| *at));
            assert!(plan.iter().all(|(at, _)| *at <= Duration::from_secs(20)));
            let count = |wanted: fn(&Action) -> bool| {
                plan.iter().filter(|(_, action)| wanted(action)).count()
            };
            let pairs = [
                (
                    count(|a| matches!(a, Action::Halt(_))),
                    count(|a| matches!(a, Action::GoOn(_))),
                ),
                (
                    count(|a| matches!(a, Action::Kill(_) | Action::Stop(_))),
                    count(|a| matches!(a, Action::Start(_))),
                ),
                (
                    count(|a| matches!(a, Action::KillStore | Action::StopStore)),
                    count(|a| matches!(a, Action::StartStore)),
                ),
                (
                    count(|a| matches!(a, Action::TearDown(_) | Action::Stall(_))),
                    count(|a| matches!(a, Action::Mend(_))),
                ),
            ];
            for (begun, ended) in pairs {
                assert!(begun >= 1 && begun == ended, "seed {seed}: {plan:?}");
            }
            assert!(count(|a| matches!(a, Action::Kill(_))) >= 1, "seed {seed}");
            assert!(
                count(|a| matches!(a, Action::KillStore)) >= 1,
                "seed {seed}"
            );
            assert!(count(|a| matches!(a, Action::Cut(_))) >= 1, "seed {seed}");
            assert!(
                count(|a| matches!(a, Action::CutAfter(..))) >= 2,
                "seed {seed}"
            );
        }
    }
}
