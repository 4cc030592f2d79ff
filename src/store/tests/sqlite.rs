//! What is special about the SQLite store: its file, its lock, visitors, and broken surroundings.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use langnghe_model::{
    BackendId, ChannelId, CitizenId, ConversationId, DedupKey, EventId, Timestamp,
};
use langnghe_store::{
    Accepted, Commit, Committed, DeadKind, Disabled, Epoch, Lane, Limits, NewDeadLetter, NewEvent,
    NewReply, OpenMode, Retention, SentRecord, SettleResult, Settlement, SqliteStore, Store,
    StoreError, TicketFilter,
};

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const LEASE: Duration = Duration::from_secs(30);

fn serve(path: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(path, Limits::default(), OpenMode::Serve)
}

fn visit(path: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(path, Limits::default(), OpenMode::Visit)
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("data").join("langnghe.db");
    (folder, path)
}

fn event(number: u128, bytes: usize) -> NewEvent {
    let page = ChannelId::new("page").expect("a good id");
    NewEvent {
        conversation: ConversationId::new(page, CitizenId::new("an")),
        dedup: DedupKey(number << 70 | number),
        body: vec![b'x'; bytes],
    }
}

/// Takes a turn that does what `change` makes of the empty commit.
async fn turn(store: &SqliteStore, change: impl FnOnce(&mut Commit)) {
    store.accept(vec![event(1, 10)], NOW).await.expect("accept");
    let claims = store
        .claim(1, LEASE, NOW, Duration::ZERO)
        .await
        .expect("claim");
    let mut commit = claims[0].done();
    change(&mut commit);
    assert_eq!(
        store.commit(vec![commit], NOW).await.expect("commit"),
        [Committed::Done]
    );
}

/// Sets an event aside; the id of the dead letter.
async fn dead_letter(store: &SqliteStore) -> u64 {
    turn(store, |commit| {
        commit.set_aside = vec![NewDeadLetter {
            reason: "odd".to_owned(),
            body: b"odd".to_vec(),
            reply: None,
        }];
    })
    .await;
    store
        .dead_letters(Some(DeadKind::Event), None, 1)
        .await
        .expect("list")[0]
        .id
}

#[tokio::test]
async fn what_was_sent_is_kept_until_its_time_is_over() {
    let (_folder, path) = folder();
    let store = serve(&path).expect("open");
    turn(&store, |commit| {
        let reply = |text: &str| NewReply {
            body: text.as_bytes().to_vec(),
            window_until: None,
            lane: Lane::Answer,
        };
        commit.replies = ["one", "two"].map(reply).to_vec();
    })
    .await;
    let conversation = event(1, 0).conversation;
    for hours in [1, 24] {
        let claimed = store
            .claim_outbox(
                &conversation.channel,
                Epoch(1),
                1,
                LEASE,
                NOW,
                Duration::ZERO,
            )
            .await
            .expect("claim");
        let settlement = Settlement {
            id: claimed[0].id,
            conversation: conversation.clone(),
            token: claimed[0].token,
            result: SettleResult::SentFor(SentRecord {
                message: EventId::new(format!("m.{hours}")),
                body: b"words".to_vec(),
                until: NOW + Duration::from_hours(hours),
            }),
        };
        store.settle(vec![settlement], NOW).await.expect("settle");
    }
    let long = Duration::from_hours(9999);
    let retention = Retention {
        dedup: long,
        idle_sessions: long,
        dead_letters: long,
        personal: long,
    };
    let later = NOW + Duration::from_hours(2);
    store.purge(retention, later).await.expect("purge");
    for (message, kept) in [("m.1", false), ("m.24", true)] {
        let sent = store.sent(&conversation, &EventId::new(message)).await;
        assert_eq!(sent.expect("sent").is_some(), kept, "{message}");
    }
}

#[tokio::test]
async fn a_second_serving_process_is_refused_until_the_first_is_gone() {
    let (_folder, path) = folder();
    let first = serve(&path).expect("the folder is made");
    let refused = serve(&path);
    assert!(
        matches!(refused, Err(StoreError::InUse { .. })),
        "{refused:?}"
    );
    first.close().await.expect("close");
    serve(&path).expect("free again");
}

#[cfg(unix)]
#[tokio::test]
async fn only_its_user_may_read_the_database() {
    use std::os::unix::fs::PermissionsExt;
    let (_folder, path) = folder();
    let store = serve(&path).expect("open");
    store.ping().await.expect("ping");
    for name in [
        "langnghe.db",
        "langnghe.db-wal",
        "langnghe.db-shm",
        "langnghe.db.lock",
    ] {
        let file = path.with_file_name(name);
        let mode = std::fs::metadata(&file).expect(name).permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[test]
fn what_cannot_be_a_database_is_refused_with_what_to_do() {
    let (folder, _) = folder();
    let reason = |path: &Path| match serve(path) {
        Err(StoreError::Open {
            path: named,
            reason,
        }) => {
            assert_eq!(named, path.display().to_string());
            reason
        }
        other => panic!("{other:?}"),
    };
    assert!(reason(folder.path()).contains("it is a folder"));

    let text = folder.path().join("notes.txt");
    std::fs::write(
        &text,
        "not a database, and long enough to have a header ".repeat(100),
    )
    .expect("write");
    assert!(
        reason(&text).contains("not a database"),
        "{}",
        reason(&text)
    );
    let left = std::fs::read_to_string(&text).expect("read");
    assert!(left.starts_with("not a database"), "it was not written to");

    let under_a_file = text.join("langnghe.db");
    assert!(reason(&under_a_file).contains("cannot be made"));
    assert!(matches!(
        visit(&folder.path().join("none.db")),
        Err(StoreError::Open { .. })
    ));
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let (_folder, path) = folder();
    serve(&path).expect("open").close().await.expect("close");
    let raw = rusqlite::Connection::open(&path).expect("raw");
    raw.execute_batch("PRAGMA user_version = 4242")
        .expect("raw");
    drop(raw);
    for opened in [serve(&path), visit(&path)] {
        match opened {
            Err(StoreError::Newer {
                path: named,
                found: 4242,
                known,
            }) => {
                assert_eq!(named, path.display().to_string());
                assert!(known < 4242);
            }
            other => panic!("{other:?}"),
        }
    }
}

/// `max_page_count` makes SQLite answer as on a full disk.
#[tokio::test]
async fn a_full_disk_refuses_everything_and_keeps_what_was_there() {
    let (_folder, path) = folder();
    let store = serve(&path).expect("open");
    store.accept(vec![event(1, 10)], NOW).await.expect("accept");
    let before = store.depths().await.expect("depths");
    store.limit_pages(60).await.expect("limit");
    let mut refused = 0;
    for number in 2..200 {
        match store.accept(vec![event(number, 10_000)], NOW).await {
            Ok(_) => {
                let claims = store
                    .claim(9, LEASE, NOW, Duration::ZERO)
                    .await
                    .expect("claim");
                drop(claims);
            }
            Err(StoreError::Unavailable(reason)) => {
                assert!(reason.contains("disk is full"), "{reason}");
                refused += 1;
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(refused, 1, "at some point there is no room");
    let full = store.depths().await.expect("depths");
    // Operations of one batch fail together, and leave nothing in memory either.
    let store = Arc::new(store);
    let many = (1000..1030).map(|number| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.accept(vec![event(number, 10_000)], NOW).await })
    });
    for one in many.collect::<Vec<_>>() {
        let answer = one.await.expect("no panic");
        assert!(
            matches!(answer, Err(StoreError::Unavailable(_))),
            "{answer:?}"
        );
    }
    assert_eq!(store.depths().await.expect("depths"), full);
    assert!(full.inbox > before.inbox);
    store.limit_pages(1_000_000).await.expect("limit");
    // Refused events left no mark.
    let mut again = event(1000, 10_000);
    again.conversation.citizen = CitizenId::new("binh");
    let answers = store.accept(vec![again], NOW).await;
    assert_eq!(answers.expect("there is room again"), [Accepted::Stored]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_visitor_acts_on_a_served_database_through_the_server() {
    let (_folder, path) = folder();
    let server = serve(&path).expect("open");
    let letter = dead_letter(&server).await;
    let backend = BackendId::new("ioc").expect("a good id");
    let off = Disabled {
        at: NOW,
        reason: "410".to_owned(),
    };
    server
        .set_disabled(&backend, Some(off))
        .await
        .expect("disable");

    let visitor = visit(&path).expect("a visitor is welcome");
    let letters = visitor.dead_letters(None, None, 9).await.expect("list");
    assert_eq!(letters[0].id, letter);
    let tickets = visitor
        .tickets(TicketFilter {
            limit: 9,
            ..TicketFilter::default()
        })
        .await;
    assert!(tickets.expect("tickets").is_empty());
    let refused = visitor.claim(1, LEASE, NOW, Duration::ZERO).await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );

    let began = Instant::now();
    assert!(visitor.retry_dead(letter, NOW).await.expect("retry"));
    assert!(
        !visitor.drop_dead(letter, NOW).await.expect("drop"),
        "it is on its way"
    );
    visitor.set_disabled(&backend, None).await.expect("enable");
    assert!(began.elapsed() < Duration::from_secs(10));
    // The server knows without being told.
    let claims = server.claim(1, LEASE, NOW, LEASE).await.expect("claim");
    assert_eq!(claims[0].events[0].1, b"odd");
    assert_eq!(server.disabled(&backend).await.expect("disabled"), None);
    // An operator's notice goes in through the server too.
    let taken = visitor
        .accept(vec![event(77, 10), event(77, 10)], NOW)
        .await;
    let both = [Accepted::Stored, Accepted::Duplicate];
    assert_eq!(taken.expect("accepted"), both);
    let claims = server.claim(9, LEASE, NOW, LEASE).await.expect("claim");
    let events: usize = claims.iter().map(|claim| claim.events.len()).sum();
    assert_eq!(events, 2, "with the one of above");
}

#[tokio::test]
async fn a_visitor_where_nobody_serves_acts_for_itself() {
    let (_folder, path) = folder();
    let server = serve(&path).expect("open");
    let letter = dead_letter(&server).await;
    server.close().await.expect("close");
    drop(server);
    let visitor = visit(&path).expect("open");
    assert!(visitor.retry_dead(letter, NOW).await.expect("retry"));
    drop(visitor);
    let server = serve(&path).expect("open");
    let claims = server
        .claim(1, LEASE, NOW, Duration::ZERO)
        .await
        .expect("claim");
    assert_eq!(claims[0].events[0].1, b"odd");
}

/// One operation that the database refuses does not spoil those beside it.
#[tokio::test(flavor = "multi_thread")]
async fn an_operation_that_fails_fails_alone() {
    let (_folder, path) = folder();
    let store = Arc::new(serve(&path).expect("open"));
    store.limit_values(5000).await.expect("limit");
    let calls = (0..64_u128).map(|number| {
        let store = Arc::clone(&store);
        // Every eighth is larger than the database takes.
        let bytes = if number % 8 == 0 { 50_000 } else { 100 };
        let mut event = event(number, bytes);
        event.conversation.citizen = CitizenId::new(&number.to_string());
        tokio::spawn(async move { store.accept(vec![event], NOW).await })
    });
    for (number, call) in calls.collect::<Vec<_>>().into_iter().enumerate() {
        let answer = call.await.expect("no panic");
        assert_eq!(answer.is_ok(), number % 8 != 0, "{number}: {answer:?}");
    }
    assert_eq!(store.depths().await.expect("depths").inbox, 56);
}

/// Reading, writing and crashing for a while: the write-ahead log stays short.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_stays_bounded_under_steady_writing() {
    let (_folder, path) = folder();
    let store = serve(&path).expect("open");
    let mut log = 0;
    for number in 0..300 {
        let body = vec![b'x'; 400_000];
        store
            .keep_document(&format!("document {}", number % 7), &body)
            .await
            .expect("keep");
        let file = std::fs::metadata(path.with_file_name("langnghe.db-wal")).expect("a log");
        log = log.max(file.len());
    }
    // 120 MB were written.
    assert!(log < 64 * 1024 * 1024, "{} MiB", log / 1024 / 1024);
    store.close().await.expect("close");
    let left =
        std::fs::metadata(path.with_file_name("langnghe.db-wal")).map_or(0, |file| file.len());
    assert_eq!(left, 0, "an orderly end leaves no log");
}
