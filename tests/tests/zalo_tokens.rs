//! An Official Account's tokens, end to end: they are used once and must not be lost wherever the program
//! dies, and two replicas share them.

use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use langnghe_tests::{
    Installation, Replica,
    agency::Agency,
    installation::BACKEND_SECRET,
    news::TOKEN,
    redis::{Server, Setup},
    wait,
    zalo::{Hold, Zalo, ZaloCitizen},
};

/// Every await of a renewal that changes something, and the steps between them, in the replica.
const STEPS: [&str; 12] = [
    "renewal-take-up",
    "renewal-taken-up",
    "renewal-file",
    "renewal-intent",
    "renewal-intended",
    "renewal-begun",
    "renewal-told",
    "renewal-answered",
    "renewal-keep",
    "renewal-kept",
    "renewal-done",
    "send",
];

/// Zalo, the agency, and an installation between them.
struct Street {
    zalo: Zalo,
    /// Where the flows' tickets would go.
    _agency: Agency,
    installation: Installation,
}

impl Street {
    async fn new() -> Self {
        let zalo = Zalo::start().await;
        let agency = Agency::start(BACKEND_SECRET).await;
        let mut installation = Installation::new();
        zalo.channel(&mut installation);
        // What is held is to outlast a stop and a start.
        installation.set_of("channel", "oa", "timeout", "20s");
        installation
            .backend("ioc", agency.url())
            .set("retries.replies", vec!["100ms"; 20])
            .set("retries.deliveries", vec!["100ms"; 20]);
        Self {
            zalo,
            _agency: agency,
            installation,
        }
    }

    fn citizen(&self) -> ZaloCitizen {
        ZaloCitizen::new(&self.installation)
    }

    /// A citizen writes and gets an answer.
    async fn works(&self) {
        let citizen = self.citizen();
        citizen.says("xin chào").await;
        self.zalo.wait_for(&citizen.id, 0, "").await;
    }
}

/// Killed at every await of the renewal of the first token, the account goes on working after a restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dying_anywhere_in_a_renewal_loses_no_account() {
    for step in STEPS {
        let mut street = Street::new().await;
        street
            .installation
            .environment("LANGNGHE_CRASH_AT", &format!("{step}:1"));
        let mut replica = Replica::spawn(&street.installation);
        if step == "send" {
            // With the new token in use.
            wait::until("it is ready", wait::SOON, async || replica.ready().await).await;
            let citizen = street.citizen();
            // Its answer may die with the program; then it comes again after the restart.
            tokio::spawn(async move { citizen.says("xin chào").await });
        }
        let what = format!("the program dies at {step}");
        let status = replica.end(&what, wait::SOON).await;
        assert!(!status.success(), "{what}: it stopped by itself");
        drop(replica);
        street.installation.forget("LANGNGHE_CRASH_AT");
        let began = Instant::now();
        let replica = street.installation.start().await;
        street.works().await;
        eprintln!(
            "{step}: answers again {:?} after the restart",
            began.elapsed()
        );
        assert_eq!(
            street.zalo.reused(),
            0,
            "{step}: an old token was sent again"
        );
        assert_eq!(street.zalo.pairs(), 1, "{step}");
        drop(replica);
        assert_eq!(
            left_behind(&street),
            0,
            "{step}: an answer is still on the disk"
        );
    }
}

/// What a crash left behind is brought in by the next start, which may die too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dying_again_while_a_renewal_is_brought_in_loses_no_account() {
    for (first, second) in [
        ("renewal-told", "renewal-keep"),
        ("renewal-answered", "renewal-keep"),
        ("renewal-answered", "renewal-kept"),
        ("renewal-answered", "renewal-done"),
        ("renewal-intended", "renewal-answered"),
    ] {
        let mut street = Street::new().await;
        for step in [first, second] {
            street
                .installation
                .environment("LANGNGHE_CRASH_AT", &format!("{step}:1"));
            let mut replica = Replica::spawn(&street.installation);
            let what = format!("the program dies at {step}, after {first}");
            let status = replica.end(&what, wait::SOON).await;
            assert!(!status.success(), "{what}: it stopped by itself");
            drop(replica);
        }
        street.installation.forget("LANGNGHE_CRASH_AT");
        let replica = street.installation.start().await;
        street.works().await;
        let (pairs, reused) = (street.zalo.pairs(), street.zalo.reused());
        assert_eq!((pairs, reused), (1, 0), "{first}, {second}");
        drop(replica);
        assert_eq!(left_behind(&street), 0, "{first}, {second}");
    }
}

/// The process that asks Zalo dies before it asked, or with the answer on the disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_death_of_the_asking_process_loses_no_account_where_nothing_or_all_was_done() {
    for step in ["exchange-begun", "exchange-written"] {
        let mut street = Street::new().await;
        street
            .installation
            .environment("LANGNGHE_CRASH_AT", &format!("{step}:1"));
        let mut replica = street.installation.start().await;
        wait::until("the process dies", wait::SOON, async || {
            let log = street.installation.log();
            log.contains("the process of a renewal ended badly")
        })
        .await;
        if step == "exchange-begun" {
            // The next one would die as well.
            replica.kill();
            drop(replica);
            street.installation.forget("LANGNGHE_CRASH_AT");
            replica = street.installation.start().await;
        }
        street.works().await;
        let (pairs, reused) = (street.zalo.pairs(), street.zalo.reused());
        assert_eq!((pairs, reused), (1, 0), "{step}");
        drop(replica);
    }
}

/// The machine loses power between Zalo's answer and our disk: everything is gone at once, and the file
/// of the answer is empty. What is to be done is said wherever an operator looks.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_loss_of_power_in_a_renewal_everything_says_what_to_do() {
    let mut street = Street::new().await;
    street.installation.set("api.token", TOKEN);
    street.zalo.hold(Hold::After);
    let mut replica = Replica::spawn(&street.installation);
    street.zalo.held().await;
    let children = children(replica.id());
    replica.kill();
    drop(replica);
    for child in children {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("kill -9 {child}")]);
        assert!(shell.status().expect("a shell").success());
    }
    street.zalo.release();
    let replica = street.installation.start().await;
    let what_to_do = "run: langnghe zalo authorize --config FILE oa";
    wait::until("the log says it", wait::SOON, async || {
        let log = street.installation.log();
        log.contains("nothing can be sent on this Official Account") && log.contains(what_to_do)
    })
    .await;
    let trouble = async || {
        let request = replica.client().get(replica.url("/api/v1/channels"));
        let answer = request.bearer_auth(TOKEN).send().await.expect("an answer");
        let channels: serde_json::Value = answer.json().await.expect("JSON");
        channels["channels"][0]["trouble"].clone()
    };
    let told = trouble().await;
    assert_eq!(told["code"], "zalo::grant-lost");
    assert!(told["message"].as_str().expect("a text").contains("-14014"));
    assert!(told["help"].as_str().expect("a text").contains(what_to_do));
    let output = street.installation.run(&["channel", "check", "oa"]);
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(!output.status.success(), "{said}");
    // It may be broken into lines.
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("langnghe zalo authorize"), "{said}");
    assert_eq!(street.zalo.reused(), 1, "the old token was tried once");

    let output = authorize(&street);
    assert!(output.status.success(), "{output:?}");
    wait::until("the trouble is over", wait::SOON, async || {
        trouble().await.is_null()
    })
    .await;
    drop(replica);
}

/// How many answers of the token endpoint lie on the disk.
fn left_behind(street: &Street) -> usize {
    let folder = std::fs::read_dir(street.installation.path("data/zalo"));
    folder.map_or(0, Iterator::count)
}

/// `kill -9` while Zalo has used the token up and its answer is not here yet: the process that asked
/// outlives the replica.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_replica_finds_the_answer_that_came_after_its_death() {
    for when in [Hold::Before, Hold::After] {
        let street = Street::new().await;
        street.zalo.hold(when);
        let mut replica = Replica::spawn(&street.installation);
        street.zalo.held().await;
        replica.kill();
        drop(replica);
        // One that starts meanwhile waits for it.
        let replica = street.installation.start().await;
        street.zalo.release();
        street.works().await;
        assert_eq!(
            (street.zalo.pairs(), street.zalo.reused()),
            (1, 0),
            "{when:?}"
        );
        drop(replica);
    }
}

/// A stop in order does not wait for Zalo, and loses nothing either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_stops_during_a_renewal_loses_nothing() {
    let street = Street::new().await;
    street.zalo.hold(Hold::After);
    let mut replica = Replica::spawn(&street.installation);
    street.zalo.held().await;
    wait::until("it is ready", wait::SOON, async || replica.ready().await).await;
    let status = replica.terminate(wait::SOON).await;
    assert!(status.success());
    drop(replica);
    street.zalo.release();
    let replica = street.installation.start().await;
    street.works().await;
    assert_eq!((street.zalo.pairs(), street.zalo.reused()), (1, 0));
    drop(replica);
}

/// The one point at which nothing helps: the process that asks dies with the answer in its memory. The
/// program says what to do, and that mends it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_that_is_really_lost_is_said_and_authorised_again() {
    let street = Street::new().await;
    street.zalo.hold(Hold::After);
    let replica = street.installation.start().await;
    street.zalo.held().await;
    for child in children(replica.id()) {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("kill -9 {child}")]);
        assert!(shell.status().expect("a shell").success());
    }
    street.zalo.release();
    wait::until("the operator is told", wait::SOON, async || {
        let log = street.installation.log();
        log.contains("langnghe zalo authorize --config FILE oa") && log.contains("-14014")
    })
    .await;
    assert_eq!(street.zalo.reused(), 1, "the old token was tried once more");
    // Citizens' messages are taken meanwhile; their answers wait.
    let citizen = street.citizen();
    citizen.says("xin chào").await;
    wait::until("the metrics say it", wait::SOON, async || {
        let metrics = replica.metrics().await;
        metrics.0.contains("credentials")
    })
    .await;
    assert_eq!(street.zalo.reused(), 1, "and not again");

    let output = authorize(&street);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}{errors}");
    assert!(said.contains("access token: ends in 1 days 1 h"), "{said}");
    assert!(said.contains("refresh token: ends in 90 days"), "{said}");
    assert!(said.contains("UBND phường Thử Nghiệm"), "{said}");
    // The channel rests for a minute after credentials that were refused; a new start does not, though
    // the answer that waits keeps its minute.
    drop(replica);
    let replica = street.installation.start().await;
    street.works().await;
    drop(replica);
}

/// The processes that a process started: those whose fourth field of `stat` names it.
fn children(parent: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").expect("a Linux");
    let child = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.ok()?;
        let id: u32 = entry.file_name().to_str()?.parse().ok()?;
        let stat = std::fs::read_to_string(entry.path().join("stat")).ok()?;
        // The name in parentheses may hold anything.
        let (_, fields) = stat.rsplit_once(") ")?;
        let of: u32 = fields.split(' ').nth(1)?.parse().ok()?;
        (of == parent).then_some(id)
    };
    let children: Vec<u32> = entries.filter_map(child).collect();
    assert_eq!(children.len(), 1, "one process asks Zalo");
    children
}

/// Lets an operator authorise, beside the replica that runs.
fn authorize(street: &Street) -> Output {
    let config = street.installation.write();
    let mut command = street.installation.command();
    let mut child = command
        .args(["zalo", "authorize", "oa", "--redirect-uri"])
        .arg("https://gop-y.example.vn/zalo")
        .arg("--config")
        .arg(config)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut said = std::io::BufReader::new(child.stdout.take().expect("piped"));
    let mut text = String::new();
    let address = loop {
        let mut line = String::new();
        let read = std::io::BufRead::read_line(&mut said, &mut line).expect("a line");
        assert!(read > 0, "it ended before it asked: {text}");
        text.push_str(&line);
        if line.contains("/v4/oa/permission?") {
            break line.trim().to_owned();
        }
    };
    let code = street.zalo.consent(&address);
    let mut input = child.stdin.take().expect("piped");
    writeln!(
        input,
        "https://gop-y.example.vn/zalo?code={code}&oa_id={}",
        langnghe_tests::zalo::OA_ID
    )
    .expect("it reads");
    drop(input);
    std::io::Read::read_to_string(&mut said, &mut text).expect("the rest");
    let mut output = child.wait_with_output().expect("it ends");
    output.stdout = text.into_bytes();
    output
}

/// One replica owns the channel and renews; another, which only looks profiles up, uses the new token.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_share_the_tokens_that_one_of_them_renews() {
    let redis = Server::start(&Setup::redis()).await;
    let mut street = Street::new().await;
    // Renewed after half of it.
    street.zalo.token_life(36);
    street
        .installation
        .set("store.url", redis.url())
        .set_of("channel", "oa", "profile", true);
    let mut twin = street.installation.twin();
    street.installation.set("server.workers", 0);
    twin.set("server.workers", 2);
    let owner = street.installation.start().await;
    let other = twin.start().await;
    wait::until("the other asks for a profile", wait::SOON, async || {
        street.works().await;
        !street.zalo.profiles().is_empty()
    })
    .await;
    let before = street.zalo.pairs();
    let limit = Duration::from_secs(40);
    wait::until("the owner renews", limit, async || {
        street.zalo.pairs() > before
    })
    .await;
    wait::until("the other uses the new token", wait::SOON, async || {
        street.works().await;
        let profiles = street.zalo.profiles();
        profiles
            .last()
            .is_some_and(|(newest, good)| *good && *newest != profiles[0].0)
    })
    .await;
    assert_eq!(street.zalo.reused(), 0);
    drop((owner, other));
}
