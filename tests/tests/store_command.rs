//! `langnghe store copy` as operators call it, against a real Redis: killed in its midst and called again.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use langnghe_model::{ChannelId, CitizenId, ConversationId, DedupKey, Timestamp};
use langnghe_store::{Accepted, Limits, NewEvent, OpenMode, SqliteStore, Store as _};
use langnghe_tests::{
    program::program,
    redis::{Fsync, Server, Setup},
    wire::Wire,
};

const EVENTS: u32 = 20_000;

async fn fill(path: &Path) {
    let limits = Limits {
        inbox: 1_000_000,
        inbox_a_conversation: 1_000_000,
        ..Limits::default()
    };
    let store = SqliteStore::open(path, limits, OpenMode::Serve).expect("opened");
    let page = ChannelId::new("page").expect("a good id");
    for first in (0..EVENTS).step_by(1000) {
        let events = (first..first + 1000).map(|number| NewEvent {
            conversation: ConversationId::new(
                page.clone(),
                CitizenId::new(&(number % 977).to_string()),
            ),
            dedup: DedupKey(
                u128::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835),
            ),
            body: format!("event {number}").into_bytes(),
        });
        let now = Timestamp::from_seconds(2_500_000_000);
        let accepted = store.accept(events.collect(), now).await.expect("accepted");
        assert!(accepted.iter().all(|one| *one == Accepted::Stored));
    }
    store.keep_document("flow/a/1", b"a").await.expect("kept");
    store.close().await.expect("closed");
}

fn copy(from: &str, to: &str) -> Command {
    let mut command = Command::new(program());
    command
        .args(["store", "copy", "--from", from, "--to", "env:TARGET"])
        .env("TARGET", to)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs it to its end: exit code, what it said on either stream.
fn run(from: &str, to: &str) -> (Option<i32>, String, String) {
    let output = copy(from, to).output().expect("the program runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_killed_goes_on_and_ends_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("langnghe.db");
    fill(&database).await;
    let server = Server::start(&Setup::redis().durable(Fsync::Everysec)).await;
    let (from, to) = (format!("sqlite:{}", database.display()), server.url());

    // Slowly, so that it is killed while there is something left.
    let wire = Wire::to(server.port()).await;
    wire.delay(Duration::from_millis(5));
    let mut first = copy(&from, &server.url_through(wire.port()))
        .spawn()
        .expect("the program starts");
    let mut progress = BufReader::new(first.stderr.take().expect("piped"));
    let mut line = String::new();
    // After the marks come the events.
    while !line.starts_with("dedup marks: 20000 of 20000") {
        line.clear();
        let read = progress.read_line(&mut line).expect("readable");
        assert!(read > 0, "it ended early");
    }
    first.kill().expect("killed");
    first.wait().expect("gone");
    let mut rest = String::new();
    progress.read_to_string(&mut rest).expect("readable");
    assert!(!rest.contains("comparing"), "it had ended already: {rest}");

    // Half a store is not served, nor looked into.
    let config = folder.path().join("langnghe.toml");
    std::fs::write(
        &config,
        format!("[store]\nurl = \"{to}\"\n[[channel]]\nid = \"web\"\nkind = \"webchat\"\n"),
    )
    .expect("written");
    let looked = Command::new(program())
        .args(["tickets", "list", "--config"])
        .arg(&config)
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&looked.stderr).into_owned();
    assert!(
        looked.status.code() == Some(1) && said.contains("unfinished copy"),
        "{said}"
    );

    let (code, said, progress) = run(&from, &to);
    assert_eq!(code, Some(0), "{progress}");
    assert!(
        progress.contains("going on where an earlier copy ended"),
        "{progress}"
    );
    for wanted in ["20000 dedup marks", "20000 waiting events", "1 documents"] {
        assert!(said.contains(wanted), "no {wanted} in {said}");
    }

    // Now it can be looked into, and is no target any more.
    let looked = Command::new(program())
        .args(["tickets", "list", "--config"])
        .arg(&config)
        .output()
        .expect("the program runs");
    assert!(
        looked.status.success(),
        "{}",
        String::from_utf8_lossy(&looked.stderr)
    );
    let (code, _, said) = run(&from, &to);
    assert_eq!(code, Some(1));
    assert!(
        said.contains("not empty") && said.contains("20000 waiting events"),
        "{said}"
    );

    // And back.
    let back = folder.path().join("back.db");
    let output = Command::new(program())
        .args(["store", "copy", "--from", &to, "--to"])
        .arg(format!("sqlite:{}", back.display()))
        .output()
        .expect("the program runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        said.contains("20000 dedup marks") && said.contains("20000 waiting events"),
        "{said}"
    );
    let store = SqliteStore::open(&back, Limits::default(), OpenMode::Serve).expect("opened");
    let claims = store
        .claim(
            1,
            Duration::from_secs(10),
            Timestamp::from_seconds(2_500_000_001),
            Duration::ZERO,
        )
        .await
        .expect("claimed");
    let bodies: Vec<_> = claims[0]
        .events
        .iter()
        .map(|(_, body)| String::from_utf8_lossy(body).into_owned())
        .collect();
    assert_eq!(bodies[..3], ["event 0", "event 977", "event 1954"]);
}
