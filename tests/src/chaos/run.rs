//! One run, from the first message to the last check.

use std::{
    path::Path,
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use super::{
    balancer::Balancer,
    cluster::Cluster,
    options::Options,
    plan::{self, Ground},
    provider::Provider,
    quota,
    timeline::Timeline,
};
use crate::{
    Graph, Installation,
    agency::Agency,
    installation::BACKEND_SECRET,
    redis::Fsync,
    road::{
        FLOW,
        account::{self, Told},
    },
    wire::Wire,
};

/// The longest that it may take until everything is done, after the last fault was undone.
const DRAIN: Duration = Duration::from_mins(1);
/// How long Meta takes to tell of a citizen: workers wait for it with conversations in their hands, so
/// that most deaths and halts come in the middle of a turn.
const PROFILE: Duration = Duration::from_millis(400);
/// How often that is looked at.
const LOOK: Duration = Duration::from_millis(50);
/// How many replies a sender has on their way at once.
const SENDS_AT_ONCE: u32 = 4;

/// Runs it, and says what came of it.
///
/// # Panics
/// When a guarantee was broken; the timeline is printed then.
pub async fn run(options: &Options) -> String {
    let seed = options.seed.unwrap_or_else(rand::random);
    eprintln!("LANGNGHE_SEED={seed}");
    let graph = Arc::new(Graph::start().await);
    graph.slow_profiles(PROFILE);
    let agency = Agency::start(BACKEND_SECRET).await;
    let server = options.store.start(Fsync::Always).await;
    let mut wires = Vec::new();
    let mut installations: Vec<Installation> = Vec::new();
    for _ in 0..options.replicas {
        let mut installation = match installations.first() {
            None => installation(options, &graph, &agency),
            Some(first) => first.twin(),
        };
        if let Some(server) = &server {
            let wire = Wire::to(server.port()).await;
            installation.set("store.url", server.url_through(wire.port()));
            wires.push(wire);
        }
        installations.push(installation);
    }
    let ports: Vec<u16> = installations.iter().map(Installation::port).collect();
    let balancer = Balancer::before(&ports).await;
    let plan = plan::draw(
        seed,
        Ground {
            time: options.time,
            replicas: options.replicas,
            server: server.is_some(),
            lease: Duration::from_secs(options.lease),
        },
    );

    let timeline = Timeline::default();
    let _kept = Kept {
        folder: options.keep.as_deref(),
        timeline: &timeline,
        installations: &installations,
    };
    timeline.note(format!("seed {seed}, {options:?}"));
    let mut cluster = Cluster::start(&timeline, &installations, wires, server).await;
    let provider = Arc::new(Provider::new(
        balancer.url("/webhooks/page"),
        &installations[0],
        options.citizens,
        options.quota,
    ));
    let writers = provider.begin(seed, &graph);
    let counting = async {
        let mut seconds = tokio::time::interval(Duration::from_secs(1));
        loop {
            seconds.tick().await;
            timeline.note(format!(
                "                    {} acknowledged, {} replies, {} tickets",
                provider.counts().acknowledged.load(Ordering::SeqCst),
                graph.count(),
                agency.requests(),
            ));
        }
    };
    tokio::select! {
        () = cluster.suffer(&plan) => {}
        () = counting => {}
    }
    timeline.note("no more faults");
    let healed = timeline.elapsed();
    let reports = provider.finish(writers).await;
    let total: usize = reports.iter().sum();
    timeline.note(format!("all messages of {total} reports are acknowledged"));
    let missing = || {
        let mut missing = Vec::new();
        for (number, reports) in reports.iter().enumerate() {
            let (told, due) = (
                replies(&graph, &provider, number),
                reports * account::MESSAGES,
            );
            if told < due {
                missing.push(format!("citizen {number} has {told} of {due} replies"));
            }
        }
        let tickets = agency.tickets().len();
        if tickets < total {
            missing.push(format!("the agency has {tickets} of {total} tickets"));
        }
        missing
    };
    let deadline = Instant::now() + DRAIN;
    while !missing().is_empty() && Instant::now() < deadline {
        cluster.look();
        tokio::time::sleep(LOOK).await;
    }
    if !missing().is_empty() {
        timeline.note(cluster.depths().await);
        panic!("not within {DRAIN:?}: {:#?}", missing());
    }
    let drained = timeline.elapsed().saturating_sub(healed);
    timeline.note("every reply and every ticket is there");
    cluster.stop().await;
    timeline.note("all replicas have stopped");

    agency.assert_no_violations();
    account::check_tickets(&agency.tickets(), &reports).expect("a ticket for each report");
    let (mut repeated, mut late) = (0, 0);
    for (number, citizen) in provider.citizens.iter().enumerate() {
        let taken = graph.taken_for(&citizen.id);
        let told = Told::new(&taken);
        told.check(number, reports[number])
            .expect("every reply in order");
        repeated += told.repeated;
        late += told.late;
    }
    let calls = graph.calls();
    let (most, begin) = quota::fullest_second(&calls).expect("there were calls");
    let allowed = quota::allowed(options.quota);
    let counts = provider.counts();
    let summary = format!(
        "seed {seed}: {} faults in {:.0} s; {} messages, {} of them again, {} webhooks refused; \
         {total} reports, {} deliveries of tickets; {} replies, {repeated} repeated, {late} late; \
         the fullest second had {most} of {} (at {:.1} s); done {:.1} s after the last fault",
        plan.len(),
        options.time.as_secs_f64(),
        counts.acknowledged.load(Ordering::SeqCst),
        counts.again.load(Ordering::SeqCst),
        counts.refused.load(Ordering::SeqCst),
        agency.requests(),
        total * account::MESSAGES,
        options.quota,
        timeline.at(begin).as_secs_f64(),
        drained.as_secs_f64(),
    );
    timeline.note(&summary);
    assert!(
        most <= allowed,
        "{most} calls in one second, {allowed} are allowed"
    );
    assert!(
        repeated <= plan.len() * SENDS_AT_ONCE as usize,
        "{repeated} replies were repeated"
    );
    assert_eq!(late, 0, "repeated after a later reply had come");
    summary
}

fn replies(graph: &Graph, provider: &Provider, number: usize) -> usize {
    let taken = graph.taken_for(&provider.citizens[number].id);
    Told::new(&taken).replies.len()
}

/// Keeps the timeline and the replicas' logs, however the run ends.
struct Kept<'a> {
    folder: Option<&'a Path>,
    timeline: &'a Timeline,
    installations: &'a [Installation],
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        let Some(folder) = self.folder else { return };
        let keep = |name: String, text: String| {
            if let Err(error) = std::fs::write(folder.join(&name), text) {
                eprintln!("{name} is not kept: {error}");
            }
        };
        keep("timeline.txt".to_owned(), self.timeline.told());
        for (number, installation) in self.installations.iter().enumerate() {
            keep(format!("replica-{number}.log"), installation.log());
        }
    }
}

fn installation(options: &Options, graph: &Graph, agency: &Agency) -> Installation {
    let mut installation = Installation::new();
    installation
        .messenger("page", &graph.api_base())
        .set_of(
            "channel",
            "page",
            "replies_per_second",
            i64::from(options.quota),
        )
        .set_of("channel", "page", "profile", true)
        .backend("ioc", agency.url())
        .flows(&[("su-co.toml", FLOW)])
        .set("flows.start", "su-co")
        .set("retries.replies", vec!["100ms"; 20])
        .set("retries.deliveries", vec!["100ms"; 20])
        .set("limits.lease", format!("{}s", options.lease))
        .set("limits.channel_lease", format!("{}s", options.lease))
        .set("limits.delivery_lease", format!("{}s", options.lease))
        .set("server.shutdown", "5s")
        .set("limits.sends_at_once", i64::from(SENDS_AT_ONCE))
        .set("limits.flood.messages", 1_000_000)
        .set("limits.inbox_per_citizen", 10_000);
    installation
}
