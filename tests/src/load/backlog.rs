//! Replies that wait before a replica starts.

use std::time::Duration;

use langnghe_model::{ChannelId, CitizenId, ConversationId, DedupKey, Reply, Timestamp};
use langnghe_store::{Claim, Commit, Lane, NewEvent, NewReply};

use crate::{Installation, backing, clock};

/// How many conversations are taken at once.
const AT_ONCE: usize = 500;
const LEASE: Duration = Duration::from_mins(10);

/// Lets so many answers wait for each of the citizens.
///
/// # Errors
/// When the store does not take them.
pub(super) async fn make(
    installation: &Installation,
    channel: &str,
    citizens: &[String],
    each: usize,
) -> Result<(), String> {
    let database = installation.database();
    if let Some(folder) = database.parent() {
        std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    }
    let store = backing::open(None, &database)
        .await
        .map_err(|error| error.to_string())?;
    let channel = ChannelId::new(channel).map_err(|error| error.to_string())?;
    let now = i64::try_from(clock::milliseconds()).map_err(|error| error.to_string())?;
    let now = Timestamp::from_milliseconds(now);
    for citizens in citizens.chunks(AT_ONCE) {
        let event = |citizen: &String| NewEvent {
            conversation: ConversationId::new(channel.clone(), CitizenId::new(citizen)),
            dedup: DedupKey(rand::random()),
            body: b"hi".to_vec(),
        };
        let events = citizens.iter().map(event).collect();
        let accepted = store.accept(events, now).await;
        accepted.map_err(|error| error.to_string())?;
        let mut left = citizens.len();
        while left > 0 {
            let claims = store.claim(left, LEASE, now, Duration::ZERO).await;
            let claims = claims.map_err(|error| error.to_string())?;
            if claims.is_empty() {
                return Err("the store has lost a conversation".to_owned());
            }
            left -= claims.len();
            let commits = claims
                .into_iter()
                .map(|claim| commit(&claim, each))
                .collect();
            let committed = store.commit(commits, now).await;
            committed.map_err(|error| error.to_string())?;
        }
    }
    store.close().await.map_err(|error| error.to_string())
}

fn commit(claim: &Claim, each: usize) -> Commit {
    let reply = |number: usize| {
        let text = format!("Tra loi {number}");
        NewReply {
            body: serde_json::to_vec(&Reply::Text { text }).expect("JSON"),
            window_until: None,
            lane: Lane::Answer,
        }
    };
    Commit {
        replies: (1..=each).map(reply).collect(),
        ..claim.done()
    }
}
