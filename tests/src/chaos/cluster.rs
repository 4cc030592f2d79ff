//! The replicas, their lines to the store, and the store's server: what chaos hurts.

use std::{fmt::Write as _, time::Duration};

use super::{
    plan::{Action, Plan},
    timeline::Timeline,
};
use crate::{Installation, Replica, redis::Server, wire::Wire};

/// How often replicas that ended by themselves are looked for, and started again.
const LOOK: Duration = Duration::from_millis(50);
/// The longest that a replica may take to stop.
const STOP: Duration = Duration::from_secs(15);
/// What a replica's log has once it serves.
const SERVES: &str = "\"listening\"";

/// The replicas, their lines to the store, and the store's server.
#[derive(Debug)]
pub struct Cluster<'a> {
    timeline: &'a Timeline,
    replicas: Vec<Place<'a>>,
    server: Option<Server>,
}

/// Where one replica runs.
#[derive(Debug)]
struct Place<'a> {
    installation: &'a Installation,
    /// Its line to the store's server.
    wire: Option<Wire>,
    /// None while it is meant to be away.
    replica: Option<Replica<'a>>,
    /// Where its log began at its last start.
    log_begin: usize,
}

impl<'a> Cluster<'a> {
    /// Starts replicas, each in its installation; those on a server have a line to it each.
    pub async fn start(
        timeline: &'a Timeline,
        installations: &'a [Installation],
        wires: Vec<Wire>,
        server: Option<Server>,
    ) -> Self {
        let mut wires = wires.into_iter();
        let mut replicas = Vec::new();
        for installation in installations {
            replicas.push(Place {
                installation,
                wire: wires.next(),
                replica: Some(Replica::start(installation).await),
                log_begin: 0,
            });
        }
        timeline.note("all replicas are ready");
        Self {
            timeline,
            replicas,
            server,
        }
    }

    /// Does what the plan says, each when it is due.
    pub async fn suffer(&mut self, plan: &Plan) {
        let begin = tokio::time::Instant::now();
        for (at, action) in plan {
            while begin.elapsed() < *at {
                let next = (begin + *at).min(tokio::time::Instant::now() + LOOK);
                tokio::time::sleep_until(next).await;
                self.look();
            }
            self.timeline.note(format!("{action:?}"));
            self.apply(*action).await;
        }
    }

    async fn apply(&mut self, action: Action) {
        match action {
            Action::Kill(number) => {
                if let Some(mut replica) = self.replicas[number].replica.take() {
                    replica.kill();
                }
            }
            Action::Stop(number) => {
                if let Some(mut replica) = self.replicas[number].replica.take() {
                    let status = replica.terminate(STOP).await;
                    self.timeline
                        .note(format!("replica {number} stopped: {status}"));
                }
            }
            Action::Start(number) => self.replicas[number].spawn(),
            Action::Halt(number) => self.replicas[number].running(Replica::halt),
            Action::GoOn(number) => self.replicas[number].running(Replica::go_on),
            Action::Cut(number) => self.replicas[number].wire().cut(),
            Action::CutAfter(number, toward, bytes) => {
                self.replicas[number].wire().cut_after(toward, bytes);
            }
            Action::TearDown(number) => self.replicas[number].wire().tear_down(),
            Action::Stall(number) => self.replicas[number].wire().stall(),
            Action::Mend(number) => self.replicas[number].wire().mend(),
            Action::KillStore => self.server().kill(),
            Action::StopStore => self.server().stop(),
            Action::StartStore => {
                self.server().start_again().await;
                self.timeline.note("the store answers");
            }
        }
    }

    fn server(&mut self) -> &mut Server {
        self.server.as_mut().expect("a plan for a server")
    }

    /// Starts replicas again that ended by themselves, as systemd does. One that has served must not.
    ///
    /// # Panics
    /// When one has.
    pub fn look(&mut self) {
        for (number, place) in self.replicas.iter_mut().enumerate() {
            let Some(status) = place.replica.as_mut().and_then(Replica::exited) else {
                continue;
            };
            self.timeline
                .note(format!("replica {number} ended by itself: {status}"));
            let log = place.installation.log();
            let served = log[place.log_begin.min(log.len())..].contains(SERVES);
            assert!(!served, "replica {number} served, and ended: {status}");
            place.spawn();
        }
    }

    /// How much waits, as the replicas say.
    pub async fn depths(&self) -> String {
        let mut told = String::new();
        for (number, place) in self.replicas.iter().enumerate() {
            let Some(replica) = &place.replica else {
                continue;
            };
            let metrics = replica.metrics().await;
            let lines = metrics.0.lines();
            for line in lines.filter(|line| line.contains("queue_") || line.contains("leases_lost"))
            {
                if !line.starts_with('#') {
                    writeln!(told, "replica {number}: {line}").expect("a string takes everything");
                }
            }
        }
        told
    }

    /// Stops all replicas in order.
    ///
    /// # Panics
    /// When one does not stop, or panicked at any time.
    pub async fn stop(&mut self) {
        for (number, place) in self.replicas.iter_mut().enumerate() {
            let mut replica = place.replica.take().expect("every fault was undone");
            let status = replica.terminate(STOP).await;
            assert!(status.success(), "replica {number} stopped: {status}");
            let log = place.installation.log();
            let panicked = log.lines().find(|line| line.contains("panicked"));
            assert_eq!(panicked, None, "replica {number}");
        }
    }
}

impl<'a> Place<'a> {
    fn spawn(&mut self) {
        self.log_begin = self.installation.log().len();
        self.replica = Some(Replica::spawn(self.installation));
    }

    fn running(&self, act: fn(&Replica<'a>)) {
        act(self.replica.as_ref().expect("one fault at a time"));
    }

    fn wire(&self) -> &Wire {
        self.wire.as_ref().expect("a plan for a server")
    }
}
