//! Several replicas of one chat: one sends the replies, visitors are connected to any.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use langnghe_connector::{Connector, Manner, Outgoing, SendError, Sent};
use langnghe_model::{CitizenId, Reply};
use serde_json::json;
use tokio::time::{Instant, timeout};

use crate::{
    chat::{Chat, settled},
    common::Line,
    page::{PageSocket, SECRET, SOON},
};

/// How long a replica waits to hear that another has the visitor.
const FIND: Duration = Duration::from_secs(2);

/// Replicas that can speak to each other.
async fn replicas<const N: usize>() -> (Arc<Line>, [Chat; N]) {
    let line = Arc::new(Line::default());
    let mut all = Vec::new();
    for _ in 0..N {
        all.push(Chat::replica(&line).await);
    }
    (line, all.try_into().expect("as many as were made"))
}

#[tokio::test]
async fn a_reply_finds_its_visitor_at_another_replica_at_once() {
    let (_line, [owner, other]) = replicas().await;
    let mut page = other.page().await;
    let citizen = other.citizen();
    let began = Instant::now();
    for id in ["o1", "o2", "o3"] {
        let send = owner.send_to(citizen.clone(), id);
        assert_eq!(page.reply().await, id);
        assert!(!send.is_finished(), "the page has not said that it has it");
        page.acknowledge(id).await;
        assert_eq!(settled(send).await, Ok(Sent::default()));
    }
    assert!(
        began.elapsed() < 3 * FIND,
        "nothing waits for a time to pass"
    );
}

#[tokio::test]
async fn who_is_at_no_replica_is_away_after_a_bounded_time() {
    let (_line, [owner, _other]) = replicas().await;
    let began = Instant::now();
    let send = owner.send_to(CitizenId::new("nobody"), "o1");
    assert_eq!(settled(send).await, Err(SendError::Away));
    assert!(began.elapsed() >= FIND);
}

#[tokio::test]
async fn a_page_elsewhere_may_take_its_time() {
    let (_line, [owner, other]) = replicas().await;
    let mut page = other.page().await;
    let mut send = owner.send_to(other.citizen(), "o1");
    assert_eq!(page.reply().await, "o1");
    let early = timeout(FIND + FIND / 2, &mut send).await;
    assert!(early.is_err(), "it is known that they have it: {early:?}");
    page.acknowledge("o1").await;
    assert_eq!(settled(send).await, Ok(Sent::default()));
}

#[tokio::test]
async fn a_visitor_who_comes_to_any_replica_while_a_reply_looks_for_them_gets_it() {
    let (line, [owner, other]) = replicas().await;
    let citizen = {
        drop(other.page().await);
        other.citizen()
    };
    let said = line.said.load(Ordering::Relaxed);
    let send = owner.send_to(citizen, "o1");
    while line.said.load(Ordering::Relaxed) == said {
        tokio::task::yield_now().await;
    }
    let mut page = other.page().await;
    assert_eq!(page.reply().await, "o1");
    page.acknowledge("o1").await;
    assert_eq!(settled(send).await, Ok(Sent::default()));
}

#[tokio::test]
async fn a_reply_cut_on_its_way_follows_its_visitor_from_replica_to_replica() {
    let (_line, [owner, second, third]) = replicas().await;
    let mut page = owner.page().await;
    let send = owner.send("o1");
    assert_eq!(page.reply().await, "o1");
    drop(page);
    let mut page = second.page().await;
    assert_eq!(page.reply().await, "o1", "offered again, under the same id");
    drop(page);
    let mut page = third.page().await;
    assert_eq!(page.reply().await, "o1");
    page.acknowledge("o1").await;
    assert_eq!(settled(send).await, Ok(Sent::default()));
    // Back at the first: nothing is left over.
    let mut page = owner.page().await;
    page.say(json!({ "type": "ping" })).await;
    assert_eq!(page.hear().await["type"], "pong");
}

#[tokio::test]
async fn a_dead_connection_here_does_not_hide_a_living_one_elsewhere() {
    let line = Arc::new(Line::default());
    let patient = Duration::from_secs(8);
    let owner = Chat::patient_replica(&line, patient).await;
    let other = Chat::patient_replica(&line, patient).await;
    // A phone that has changed its network: the old line says nothing any more.
    let dead = owner.page().await;
    let mut page = other.page().await;
    let send = owner.send("o1");
    assert_eq!(page.reply().await, "o1");
    page.acknowledge("o1").await;
    assert_eq!(settled(send).await, Ok(Sent::default()));
    let began = Instant::now();
    let send = owner.send("o2");
    assert_eq!(page.reply().await, "o2");
    page.acknowledge("o2").await;
    assert_eq!(settled(send).await, Ok(Sent::default()));
    assert!(began.elapsed() < patient / 2, "from then on without a wait");
    drop(dead);
}

#[tokio::test]
async fn polls_and_acknowledgements_may_each_come_to_another_replica() {
    let (_line, [owner, second, third]) = replicas().await;
    second.poll().await;
    let citizen = second.citizen();
    let send = owner.send_to(citizen.clone(), "o1");
    let mut frames = second.poll().await;
    while frames[0]["id"] != "o1" {
        assert!(!send.is_finished(), "it is still to come");
        frames = second.poll().await;
    }
    let (_, answer) = third.post(json!({ "type": "ack", "id": "o1" })).await;
    assert_eq!(answer["type"], "pong");
    assert_eq!(settled(send).await, Ok(Sent::default()));
    let send = owner.send_to(citizen, "o2");
    let mut frames = third.poll().await;
    while frames[0]["id"] != "o2" {
        assert!(!send.is_finished(), "it is still to come");
        frames = third.poll().await;
    }
    owner.post(json!({ "type": "ack", "id": "o2" })).await;
    assert_eq!(settled(send).await, Ok(Sent::default()));
}

#[tokio::test]
async fn while_the_line_is_down_a_visitor_elsewhere_is_away_and_nothing_is_shown_twice() {
    let (line, [owner, other]) = replicas().await;
    let mut page = other.page().await;
    let citizen = other.citizen();
    line.cut.store(true, Ordering::Relaxed);
    let send = owner.send_to(citizen.clone(), "o1");
    assert_eq!(settled(send).await, Err(SendError::Away));
    line.cut.store(false, Ordering::Relaxed);
    // The acknowledgement alone is lost.
    let send = owner.send_to(citizen.clone(), "o1");
    assert_eq!(
        page.reply().await,
        "o1",
        "the first that the page sees of it"
    );
    line.cut.store(true, Ordering::Relaxed);
    page.acknowledge("o1").await;
    page.say(json!({ "type": "ping" })).await;
    assert_eq!(page.hear().await["type"], "pong");
    send.abort();
    line.cut.store(false, Ordering::Relaxed);
    // Parked and woken, it comes again under its id, by which the page drops it.
    let send = owner.send_to(citizen, "o1");
    assert_eq!(page.reply().await, "o1");
    page.acknowledge("o1").await;
    assert_eq!(settled(send).await, Ok(Sent::default()));
}

#[tokio::test]
async fn other_visitors_hear_nothing_and_typing_and_language_are_known_everywhere() {
    let (_line, [owner, other]) = replicas().await;
    let mut stranger = PageSocket::hello(other.address, &SECRET.replace('0', "f")).await;
    let stranger_id = other.citizen();
    let mut page = other.page().await;
    let citizen = other.came().last().expect("they came").clone();
    assert_ne!(citizen, stranger_id);
    let typing = Outgoing {
        id: "o1",
        citizen: &citizen,
        reply: &Reply::Typing,
        manner: Manner::Free,
    };
    assert_eq!(owner.connector.send(&typing).await, Ok(Sent::default()));
    assert_eq!(page.hear().await, json!({ "type": "typing" }));
    // It is not waited for long: who is slow is asked again.
    let known = timeout(SOON, async {
        loop {
            let profile = owner.connector.profile(&citizen).await;
            let language = profile.expect("always").language;
            if language.is_some() {
                return language;
            }
        }
    });
    assert_eq!(known.await.expect("it is known").as_deref(), Some("en"));
    let nobody = CitizenId::new("nobody");
    let profile = owner.connector.profile(&nobody).await.expect("always");
    assert_eq!(profile.language, None);
    stranger.say(json!({ "type": "ping" })).await;
    assert_eq!(stranger.hear().await["type"], "pong");
}
