//! Two replicas of the real program on one real Redis: a visitor's browser may be at either, whichever
//! sends the channel's replies, either may die, and they may not have the same flows loaded. Redis itself
//! does not die here, so it writes nothing: a disk that others keep busy must not decide.

use std::{fs, time::Duration};

use langnghe_tests::{
    Graph, Installation, Replica,
    browser::{Browser, Window},
    chat_page::ChatPage,
    citizen::Citizen,
    http,
    redis::{Server, Setup},
    seed,
    site::{Site, assert_once_each},
    visitor::Visitor,
    wait,
    wire::Wire,
};
use rand::{Rng, SeedableRng, rngs::SmallRng};
use tokio::task::JoinHandle;

/// A site with two replicas that share a store and the folder of uploads.
struct Pair {
    site: Site,
    twin: Installation,
    _redis: Server,
}

impl Pair {
    async fn new(lease: &str) -> Self {
        let redis = Server::start(&Setup::redis()).await;
        let mut site = Site::new().await;
        let uploads = site.installation.path("uploads").display().to_string();
        site.installation
            .set("store.url", redis.url())
            .set("media.path", uploads)
            .set("limits.lease", lease)
            .set("limits.channel_lease", lease);
        let twin = site.installation.twin();
        Self {
            site,
            twin,
            _redis: redis,
        }
    }
}

#[tokio::test]
async fn a_visitor_of_one_replica_talks_with_a_channel_that_another_sends_on() {
    let pair = Pair::new("30s").await;
    let site = &pair.site;
    // Whoever is there first has the channel.
    let owner = site.installation.start().await;
    let other = pair.twin.start().await;
    Browser::with(Window::Phone, async |browser| {
        browser.stand_at(10.034_1, 105.788_2).await;
        let page = ChatPage::open(browser, &other.url("/chat")).await;
        page.begin().await;
        for (question, answer) in site.report() {
            page.answer(question, answer).await;
        }
        page.until_sent().await;
        site.assert_reported(page).await;
        assert_once_each(&page.messages().await, &site.report());
        assert_eq!(browser.problems().await, Vec::<String>::new());
    })
    .await;
    let sent = "langnghe_replies_sent_total";
    assert!(
        owner.metrics().await.sum(sent, &[]) > 0.0,
        "the first one sent"
    );
    assert!(
        other.metrics().await.sum(sent, &[]) < 1.0,
        "the other did not"
    );
    let tickets = site.agency.wait_for(1, wait::SOON).await;
    let answers = tickets.values().next().expect("one").ticket["answers"].to_string();
    let (_, file) = answers.split_once("/media/").expect("a link");
    let (file, _) = file.split_once('"').expect("its end");
    for replica in [&owner, &other] {
        let address = replica.url(&format!("/media/{file}"));
        let answer = http::client().get(address).send().await.expect("an answer");
        assert_eq!(answer.status(), 200, "what one keeps, both show");
    }
}

#[tokio::test]
async fn whichever_replica_dies_the_visitor_goes_on_at_the_other() {
    let pair = Pair::new("3s").await;
    let site = &pair.site;
    let installations = [&site.installation, &pair.twin];
    let mut replicas: [Replica<'_>; 2] = [
        installations[0].start().await,
        installations[1].start().await,
    ];
    let mut at = 1;
    let wire = Wire::to(installations[at].port()).await;
    Browser::with(Window::Phone, async |browser| {
        browser.stand_at(10.034_1, 105.788_2).await;
        let page = ChatPage::open(browser, &wire.url("/chat")).await;
        page.begin().await;
        for (step, (question, answer)) in site.report().into_iter().enumerate() {
            page.until_asked(question).await;
            match step {
                // The visitor's own replica dies as they answer.
                1 | 5 | 9 => {
                    page.give(answer).await;
                    replicas[at].kill();
                    wire.lead_to(installations[1 - at].port());
                    replicas[at] = installations[at].start().await;
                    at = 1 - at;
                }
                // The other one does, which may be sending or have the turn.
                3 | 7 | 10 => {
                    page.give(answer).await;
                    replicas[1 - at].kill();
                    replicas[1 - at] = installations[1 - at].start().await;
                }
                // They only change over.
                _ => {
                    page.give(answer).await;
                    at = 1 - at;
                    wire.lead_to(installations[at].port());
                }
            }
        }
        page.until_sent().await;
        site.assert_reported(page).await;
        assert_once_each(&page.messages().await, &site.report());
    })
    .await;
}

const FLOW: &str = r#"
id = "t"
version = 1
title = "T"
[[question]]
id = "loai"
kind = "choice"
ask = "Loại nào?"
choices = [{ id = "duong", label = "Đường" }, { id = "rac", label = "Rác" }]
[[question]]
id = "mo_ta"
kind = "text"
ask = "Câu cũ?"
[[question]]
id = "them"
kind = "text"
ask = "Thêm gì?"
[ticket]
"#;

#[tokio::test]
async fn a_conversation_goes_on_at_a_replica_that_has_not_loaded_its_flow() {
    let redis = Server::start(&Setup::redis()).await;
    let graph = Graph::start().await;
    let mut behind = Installation::new();
    behind
        .messenger("page", &graph.api_base())
        .flows(&[("t.toml", FLOW)])
        .set("flows.start", "t")
        .set("store.url", redis.url())
        .set("limits.lease", "2s")
        .set("limits.channel_lease", "2s");
    let mut ahead = behind.twin();
    let newer = FLOW
        .replace("version = 1", "version = 2")
        .replace("id = \"mo_ta\"", "id = \"moi\"")
        .replace("Câu cũ?", "Câu mới?");
    ahead.flows(&[("t.toml", &newer)]);

    let mut first = ahead.start().await;
    let citizen = Citizen::new(&ahead);
    citizen.says("alo").await;
    let mut expected = 1;
    let mut next = async |words: &str| {
        let texts = graph.wait_for_texts(&citizen.id, expected).await;
        let text = texts.last().expect("one");
        assert!(text.contains(words), "{words:?} in {texts:?}");
        expected = texts.len() + 1;
    };
    next("Loại nào?").await;
    // In order: killed before it has settled what it sent, it would have that sent once more.
    first.terminate(Duration::from_secs(30)).await;
    // This one has never seen the new version, and its own files are broken from now on.
    let second = behind.start().await;
    let here = citizen.at(&behind);
    here.says("rac").await;
    next("Câu mới?").await;
    fs::write(behind.path("flows/t.toml"), "id = ").expect("a broken file");
    second.ask_to_reload();
    wait::until("the broken file is told of", wait::SOON, async || {
        behind.log().contains("the earlier ones go on")
    })
    .await;
    here.says("một câu trả lời").await;
    next("Thêm gì?").await;
    let _third = ahead.start().await;
    here.says("hết").await;
    next("Mã").await;
}

/// How many visitors talk at the same time.
const VISITORS: usize = 12;
/// How many reports each makes.
const REPORTS: usize = 8;
/// How many replicas die at the most.
const DEATHS: usize = 12;
/// What each says, and what comes of it.
const TALK: [(&str, &str); 4] = [
    ("alo", "Loại nào?"),
    ("rac", "Câu cũ?"),
    ("đầy mấy hôm nay", "Thêm gì?"),
    ("hết", "Mã"),
];

#[tokio::test]
async fn many_visitors_go_on_while_replicas_die_and_each_sees_everything_once_and_in_order() {
    let redis = Server::start(&Setup::redis()).await;
    let mut one = Installation::new();
    one.webchat("web")
        .flows(&[("t.toml", FLOW)])
        .set("flows.start", "t")
        .set("store.url", redis.url())
        .set("limits.lease", "2s")
        .set("limits.channel_lease", "2s")
        .set("limits.flood.messages", 1_000_000);
    let other = one.twin();
    let installations = [&one, &other];
    let mut replicas = [one.start().await, other.start().await];
    let ports = installations.map(Installation::port);

    let talks = (0..VISITORS).map(|number| {
        tokio::spawn(async move {
            let mut visitor = Visitor::new(number, &ports);
            for report in 0..REPORTS {
                for (text, expected) in TALK {
                    visitor.says(text, expected).await;
                }
                // Some change over even when nothing dies.
                if (number + report) % 3 == 0 {
                    visitor.leaves();
                }
            }
            visitor
        })
    });
    let talks: Vec<_> = talks.collect();
    let mut random = SmallRng::seed_from_u64(seed::draw());
    let mut deaths = 0;
    while deaths < DEATHS && !talks.iter().all(JoinHandle::is_finished) {
        let number = random.random_range(0..2);
        tokio::time::sleep(Duration::from_millis(random.random_range(100..1500))).await;
        replicas[number].kill();
        deaths += 1;
        replicas[number] = installations[number].start().await;
    }
    let (mut connected, mut repeated) = (0, 0);
    for talk in talks {
        let visitor = talk
            .await
            .expect("the visitor saw all that they waited for");
        let kinds: Vec<_> = visitor
            .shown
            .iter()
            .filter_map(|text| TALK.iter().position(|(_, words)| text.contains(words)))
            .collect();
        let expected = [0, 1, 2, 3].repeat(REPORTS);
        assert_eq!(kinds, expected, "{:#?}", visitor.shown);
        connected += visitor.connected;
        repeated += visitor.repeated;
    }
    println!("{deaths} deaths, {connected} connections, {repeated} repeated replies not shown");
    assert!(deaths > 0, "something died");
}
