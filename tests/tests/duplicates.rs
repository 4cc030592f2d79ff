//! Any interleaving of redeliveries gives the same result: engine and store together, without the
//! network between them.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use langnghe_flow::{Agency, Context, Library, Session, Settings};
use langnghe_model::{
    Capabilities, ChannelId, CitizenId, ConversationId, Event, EventId, EventKind, Timestamp,
    event::Message, problem::Source,
};
use langnghe_store::{
    Claim, Commit, Committed, Epoch, Lane, Limits, NewEvent, NewReply, OpenMode, SessionChange,
    SettleResult, Settlement, SqliteStore, Store,
};
use langnghe_tests::{program::root, road::FLOW};
use proptest::prelude::*;

const CONVERSATIONS: usize = 3;
/// Two whole reports each.
const MESSAGES: usize = 8;
const NOW: Timestamp = Timestamp::from_seconds(2_500_000_000);

fn library() -> Library {
    let words = std::fs::read_to_string(root().join("locales/vi/system.ftl")).expect("words");
    let loaded = Library::load(
        &[Source::new("su-co.toml", FLOW)],
        &[Source::new("vi/system.ftl", words)],
        Settings {
            start: "su-co".to_owned(),
            language: "vi".to_owned(),
            backends: None,
            agency: Agency::default(),
        },
    );
    loaded
        .library
        .unwrap_or_else(|| panic!("{:#?}", loaded.problems))
}

fn event(conversation: usize, number: usize) -> NewEvent {
    let text = match number % 4 {
        0 => "báo sự cố".to_owned(),
        _ => format!("người {conversation} câu {number}"),
    };
    let id = ConversationId::new(
        ChannelId::new("page").expect("an id"),
        CitizenId::new(&conversation.to_string()),
    );
    let event = Event {
        id: EventId::new(format!("{conversation}-{number}")),
        conversation: id.clone(),
        sent_at: NOW,
        received_at: NOW,
        kind: EventKind::Message(Message {
            text: Some(text),
            ..Message::default()
        }),
    };
    NewEvent {
        conversation: id,
        dedup: event.dedup_key(),
        body: serde_json::to_vec(&event).expect("JSON"),
    }
}

/// Takes the turns of a claim as a worker does.
fn turn(library: &Library, claim: &Claim) -> Commit {
    let capabilities = Capabilities::text_only(2000);
    let mut session = claim
        .session
        .as_deref()
        .map(|bytes| Session::decode(bytes).expect("ours"));
    let mut replies = Vec::new();
    for (_, body) in &claim.events {
        let event: Event = serde_json::from_slice(body).expect("ours");
        let context = Context {
            now: NOW,
            ticket_code: "CODE",
            capabilities: &capabilities,
            profile: None,
            tickets: None,
        };
        let step = library.step(session.take(), &event, &context);
        session = step.session;
        replies.extend(step.replies.iter().map(|reply| NewReply {
            lane: Lane::Answer,
            body: serde_json::to_vec(reply).expect("JSON"),
            window_until: None,
        }));
    }
    Commit {
        session: session.map_or(SessionChange::Delete, |session| {
            SessionChange::Put(session.encode())
        }),
        replies,
        ..claim.done()
    }
}

/// What happens next: a delivery of the next message or of an earlier one of a conversation, or a
/// worker's look.
#[derive(Clone, Copy, Debug)]
enum Move {
    Next(usize),
    Again(usize, prop::sample::Index),
    Work,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let conversation = 0..CONVERSATIONS;
    let one = prop_oneof![
        4 => conversation.clone().prop_map(Move::Next),
        3 => (conversation, any::<prop::sample::Index>()).prop_map(|(who, which)| Move::Again(who, which)),
        2 => Just(Move::Work),
    ];
    prop::collection::vec(one, 0..80)
}

async fn work(store: &SqliteStore, library: &Library) -> bool {
    let lease = Duration::from_secs(10);
    let claims = store
        .claim(8, lease, NOW, Duration::ZERO)
        .await
        .expect("a claim");
    let commits: Vec<Commit> = claims.iter().map(|claim| turn(library, claim)).collect();
    if commits.is_empty() {
        return false;
    }
    let committed = store.commit(commits, NOW).await.expect("a commit");
    assert!(
        committed.iter().all(|one| *one == Committed::Done),
        "{committed:?}"
    );
    true
}

/// All replies by conversation, in the order in which they would leave.
async fn replies(store: &SqliteStore) -> BTreeMap<ConversationId, Vec<Vec<u8>>> {
    let channel = ChannelId::new("page").expect("an id");
    let mut replies: BTreeMap<ConversationId, Vec<Vec<u8>>> = BTreeMap::new();
    loop {
        let lease = Duration::from_secs(10);
        let claimed = store
            .claim_outbox(&channel, Epoch(1), 100, lease, NOW, Duration::ZERO)
            .await;
        let claimed = claimed.expect("a claim");
        if claimed.is_empty() {
            return replies;
        }
        let mut settlements = Vec::new();
        for reply in claimed {
            replies
                .entry(reply.conversation.clone())
                .or_default()
                .push(reply.body);
            let result = SettleResult::Sent;
            settlements.push(Settlement {
                id: reply.id,
                conversation: reply.conversation,
                token: reply.token,
                result,
            });
        }
        store.settle(settlements, NOW).await.expect("settled");
    }
}

async fn outcome(library: &Library, moves: &[Move]) -> BTreeMap<ConversationId, Vec<Vec<u8>>> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("test.db");
    let store = SqliteStore::open(&path, Limits::default(), OpenMode::Serve).expect("a store");
    let mut sent = [0; CONVERSATIONS];
    for one in moves {
        let event = match *one {
            Move::Next(who) if sent[who] < MESSAGES => {
                sent[who] += 1;
                event(who, sent[who] - 1)
            }
            Move::Again(who, which) if sent[who] > 0 => event(who, which.index(sent[who])),
            Move::Work => {
                work(&store, library).await;
                continue;
            }
            _ => continue,
        };
        store.accept(vec![event], NOW).await.expect("accepted");
    }
    // The rest comes in one batch, and once more as a whole.
    let mut rest = Vec::new();
    for (who, sent) in sent.iter().enumerate() {
        rest.extend((*sent..MESSAGES).map(|number| event(who, number)));
    }
    store.accept(rest, NOW).await.expect("accepted");
    let everything = (0..CONVERSATIONS)
        .flat_map(|who| (0..MESSAGES).map(move |number| event(who, number)))
        .collect();
    store.accept(everything, NOW).await.expect("accepted");
    while work(&store, library).await {}
    let replies = replies(&store).await;
    store.close().await.expect("closed");
    replies
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_interleaving_of_redeliveries_gives_the_same_result(moves in moves()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let library = Arc::new(library());
        let plain: Vec<Move> = (0..MESSAGES)
            .flat_map(|_| (0..CONVERSATIONS).map(Move::Next).chain([Move::Work]))
            .collect();
        let expected = runtime.block_on(outcome(&library, &plain));
        prop_assert_eq!(expected.values().map(Vec::len).sum::<usize>(), CONVERSATIONS * MESSAGES);
        let found = runtime.block_on(outcome(&library, &moves));
        prop_assert_eq!(found, expected);
    }
}
