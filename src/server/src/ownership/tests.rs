//! One owner a channel, and sends that end with the right to send.

use std::{
    cell::Cell,
    future::poll_fn,
    task::Poll,
    time::{Duration, Instant},
};

use langnghe_http::Permission;
use langnghe_store::{Epoch, Limits, OpenMode, SqliteStore};
use tokio_util::sync::CancellationToken;

use super::{guard::Lapsed, while_held::Lost, *};
use crate::metrics::Metrics;

const LEASE: Duration = Duration::from_secs(10);
/// A lease less its margin.
const USABLE: Duration = Duration::from_secs(9);
const SOON: Duration = Duration::from_secs(10);

thread_local! {
    /// What both clocks show.
    static NOW: Cell<Moment> = Cell::new(Moment::now());
}

fn now() -> Moment {
    NOW.get()
}

fn pass(time: Duration) {
    NOW.set(now().after(time));
}

fn guard_with(clock: fn() -> Moment) -> Arc<Guard> {
    let page = ChannelId::new("page").expect("a good id");
    let metrics = Arc::new(Metrics::new()).channel(&page);
    Guard::new(page, metrics, clock)
}

/// A guard that was granted a reign now.
fn granted() -> (Arc<Guard>, Tenure) {
    let guard = guard_with(now);
    guard.grant(Epoch(1), now(), LEASE).expect("a reign");
    let tenure = guard.tenure().expect("it has begun");
    (guard, tenure)
}

#[test]
fn a_reign_ends_before_the_lease_by_whichever_clock_comes_first() {
    for (steady, wall) in [(true, true), (true, false), (false, true)] {
        let (guard, tenure) = granted();
        let begin = now();
        let step = |time: Duration| {
            let later = begin.after(time);
            NOW.set(Moment {
                steady: if steady { later.steady } else { begin.steady },
                wall: if wall { later.wall } else { begin.wall },
            });
        };
        step(USABLE.saturating_sub(Duration::from_millis(1)));
        assert!(tenure.holds());
        step(USABLE);
        assert!(!tenure.holds(), "steady {steady}, wall {wall}");
        step(Duration::ZERO);
        assert!(!tenure.holds(), "what was over once stays over");
        assert!(guard.tenure().is_none());
    }
}

#[test]
fn the_time_counts_from_before_the_call() {
    let guard = guard_with(now);
    let asked = now();
    pass(Duration::from_secs(8));
    guard.grant(Epoch(1), asked, LEASE).expect("a reign");
    let tenure = guard.tenure().expect("a second is left");
    pass(Duration::from_secs(1));
    assert!(!tenure.holds());
    // An answer that came too late is worth nothing.
    assert_eq!(guard.grant(Epoch(2), asked, LEASE), Err(Lapsed));
    assert!(guard.tenure().is_none());
}

#[test]
fn a_renewal_in_time_prolongs_and_a_late_one_does_not() {
    let (guard, tenure) = granted();
    for _ in 0..5 {
        pass(Duration::from_secs(6));
        assert_eq!(guard.grant(Epoch(1), now(), LEASE), Ok(()));
        assert!(tenure.holds());
    }
    pass(USABLE);
    assert_eq!(guard.grant(Epoch(1), now(), LEASE), Err(Lapsed));
    assert!(!tenure.holds());
    assert_eq!(guard.grant(Epoch(2), now(), LEASE), Ok(()));
    assert!(!tenure.holds(), "another reign is not ours");
    assert!(guard.tenure().expect("the new one").holds());
}

#[test]
fn a_lost_channel_ends_its_reign_at_once() {
    let (guard, tenure) = granted();
    guard.lose();
    assert!(!tenure.holds());
    guard.grant(Epoch(2), now(), LEASE).expect("a later reign");
    // A late word of an earlier reign does not end the later one.
    tenure.end();
    let later = guard.tenure().expect("it goes on");
    later.end();
    assert!(guard.tenure().is_none());
}

/// What SIGSTOP past the lease is for a send.
#[tokio::test]
async fn a_send_is_not_taken_up_again_once_the_time_is_over() {
    let (_guard, tenure) = granted();
    let steps = Cell::new(0);
    let send = poll_fn(|context| -> Poll<()> {
        steps.set(steps.get() + 1);
        if steps.get() == 3 {
            // The process is paused here, and woken when another owns the channel.
            pass(LEASE);
        }
        context.waker().wake_by_ref();
        Poll::Pending
    });
    assert_eq!(while_held(&tenure, send).await, Err(Lost));
    assert_eq!(steps.get(), 3);
    let never = poll_fn(|_| -> Poll<()> { panic!("it is not begun either") });
    assert_eq!(while_held(&tenure, never).await, Err(Lost));
}

#[tokio::test]
async fn a_send_that_waits_is_dropped_when_the_time_is_over() {
    let guard = guard_with(Moment::now);
    let began = Instant::now();
    let lease = Duration::from_millis(200);
    guard
        .grant(Epoch(1), Moment::now(), lease)
        .expect("a reign");
    let tenure = guard.tenure().expect("it has begun");
    let send = std::future::pending::<()>();
    assert_eq!(while_held(&tenure, send).await, Err(Lost));
    assert!(began.elapsed() >= Duration::from_millis(179));
    assert!(began.elapsed() < SOON);
}

#[tokio::test]
async fn a_send_that_ends_in_time_gives_its_result() {
    let (_guard, tenure) = granted();
    let send = async {
        tokio::task::yield_now().await;
        7
    };
    assert_eq!(while_held(&tenure, send).await, Ok(7));
}

/// A replica on a shared store whose senders run until `stop`.
struct Replica {
    guard: Arc<Guard>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

const SHORT: Duration = Duration::from_secs(2);

fn replica(store: &Arc<dyn Store>) -> Replica {
    let mut owner = Owner::new(Arc::clone(store), SHORT);
    owner.lease = SHORT;
    let guard = guard_with(Moment::now);
    let stop = CancellationToken::new();
    owner.look_after(Arc::clone(&guard), stop.clone().cancelled_owned());
    Replica {
        guard,
        stop,
        task: tokio::spawn(owner.run()),
    }
}

impl Replica {
    async fn owns(&self) -> Tenure {
        let owned = tokio::time::timeout(SOON, self.guard.held());
        owned.await.expect("it owns the channel")
    }
}

fn store() -> (tempfile::TempDir, Arc<dyn Store>) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("langnghe.db");
    let store = SqliteStore::open(&path, Limits::default(), OpenMode::Serve);
    (folder, Arc::new(store.expect("the store opens")))
}

#[tokio::test]
async fn a_dead_owner_is_followed_within_its_lease_and_never_earlier() {
    let (_folder, store) = store();
    let first = replica(&store);
    let reign = first.owns().await;
    let second = replica(&store);
    // Longer than a lease: renewals keep it.
    for _ in 0..10 {
        tokio::time::sleep(SHORT / 5).await;
        assert!(first.guard.tenure().is_some(), "the renewals come in time");
        assert!(second.guard.tenure().is_none(), "two owners at once");
    }
    let died = Instant::now();
    first.task.abort();
    let next = second.owns().await;
    assert!(died.elapsed() < 2 * SHORT, "{:?}", died.elapsed());
    assert!(!reign.holds(), "the dead one's right ended before");
    assert!(next.epoch() > reign.epoch());
    second.stop.cancel();
    second.task.await.expect("it ends in order");
}

#[tokio::test]
async fn a_replica_that_stops_lets_go_at_once() {
    let (_folder, store) = store();
    let first = replica(&store);
    let reign = first.owns().await;
    first.stop.cancel();
    first.task.await.expect("it ends in order");
    assert!(!reign.holds());
    let page = [ChannelId::new("page").expect("a good id")];
    let other = OwnerId("other".to_owned());
    let owned = store.own(&other, &page, SHORT, crate::clock::now()).await;
    assert!(matches!(owned.expect("own")[0], Ownership::Held(_)));
}

#[tokio::test]
async fn a_right_that_lapsed_begins_anew_under_a_later_epoch() {
    let (_folder, store) = store();
    let first = replica(&store);
    let reign = first.owns().await;
    // As if the renewals had been slow: over here, not yet in the store.
    first.guard.lose();
    let next = first.owns().await;
    assert!(next.epoch() > reign.epoch(), "{next:?} after {reign:?}");
}

#[tokio::test]
async fn a_sender_that_fails_does_not_keep_its_channel() {
    let (_folder, store) = store();
    let mut owner = Owner::new(Arc::clone(&store), SHORT);
    let guard = guard_with(Moment::now);
    let fail = CancellationToken::new();
    let failing = fail.clone();
    owner.look_after(Arc::clone(&guard), async move {
        failing.cancelled().await;
        panic!("as a fault in a sender would");
    });
    let task = tokio::spawn(owner.run());
    tokio::time::timeout(SOON, guard.held())
        .await
        .expect("owned");
    let second = replica(&store);
    fail.cancel();
    task.await.expect("the loop itself goes on");
    second.owns().await;
}
