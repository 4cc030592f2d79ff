//! Which parts become one message, and how long they wait.

use langnghe_model::{
    ChannelId, CitizenId, ConversationId, EventId,
    event::{Attachment, Media, MediaKind},
};
use langnghe_store::{LeaseToken, Position};

use super::*;

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_milliseconds(milliseconds)
}

fn conversation() -> ConversationId {
    ConversationId::new(
        ChannelId::new("bot").expect("a good id"),
        CitizenId::new("5"),
    )
}

/// A message with a picture for each name.
fn event(id: &str, album: Option<&str>, text: Option<&str>, pictures: &[&str], came: i64) -> Event {
    let picture = |name: &&str| {
        Attachment::Media(Media {
            kind: MediaKind::Image,
            url: format!("telegram:{name}"),
            content_type: None,
            bytes: None,
            name: None,
        })
    };
    Event {
        id: EventId::new(id),
        conversation: conversation(),
        sent_at: at(came),
        received_at: at(came),
        kind: EventKind::Message(Message {
            text: text.map(str::to_owned),
            attachments: pictures.iter().map(picture).collect(),
            album: album.map(str::to_owned),
            ..Message::default()
        }),
    }
}

fn claim(events: &[Event]) -> Claim {
    let encode = |event| serde_json::to_vec(event).expect("an event");
    Claim {
        conversation: conversation(),
        token: LeaseToken(1),
        session: None,
        events: (1..).map(Position).zip(events.iter().map(encode)).collect(),
    }
}

fn events(claim: &Claim) -> Vec<(u64, Event)> {
    let decode = |(position, body): &(Position, Vec<u8>)| {
        (position.0, serde_json::from_slice(body).expect("an event"))
    };
    claim.events.iter().map(decode).collect()
}

const LATER: i64 = 60_000;

#[test]
fn parts_become_one_message_at_the_place_of_the_last() {
    let parts = [
        event("1", Some("a"), None, &["x"], 0),
        event("2", Some("a"), Some("Ổ gà to"), &["y"], 90),
        event("3", Some("a"), None, &["z"], 200),
        event("4", None, Some("ở chợ"), &[], 300),
    ];
    let mut claim = claim(&parts);
    assert_eq!(gather(&mut claim, at(LATER)), Gathered::Ready);
    let whole = event("1", Some("a"), Some("Ổ gà to"), &["x", "y", "z"], 0);
    assert_eq!(events(&claim), [(3, whole), (4, parts[3].clone())]);
}

#[test]
fn albums_stay_apart_and_what_stands_between_parts_keeps_its_place() {
    let sent = [
        event("1", Some("a"), Some("một"), &["x"], 0),
        event("2", Some("b"), Some("hai"), &["y"], 10),
        event("3", Some("b"), Some("ba"), &["z"], 20),
        event("4", None, Some("bốn"), &[], 30),
        event("5", Some("b"), None, &["w"], 40),
    ];
    let mut claim = claim(&sent);
    assert_eq!(gather(&mut claim, at(LATER)), Gathered::Ready);
    let second = event("2", Some("b"), Some("hai\nba"), &["y", "z"], 10);
    let expected = [
        (1, sent[0].clone()),
        (3, second),
        (4, sent[3].clone()),
        (5, sent[4].clone()),
    ];
    assert_eq!(events(&claim), expected);
}

#[test]
fn an_album_at_the_end_waits_until_no_part_has_come_for_a_while_but_not_for_ever() {
    let first = event("1", Some("a"), None, &["x"], 1000);
    let gathered = |parts: &[Event], now| gather(&mut claim(parts), at(now));
    let alone = std::slice::from_ref(&first);
    assert_eq!(gathered(alone, 1001), Gathered::WaitUntil(at(2200)));
    assert_eq!(gathered(alone, 2200), Gathered::Ready);
    let two = [first.clone(), event("2", Some("a"), None, &["y"], 2100)];
    assert_eq!(gathered(&two, 2200), Gathered::WaitUntil(at(3300)));
    let slow = [first.clone(), event("2", Some("a"), None, &["y"], 6900)];
    assert_eq!(gathered(&slow, 6950), Gathered::WaitUntil(at(7000)));
    let followed = [first, event("2", None, Some("xong"), &[], 1100)];
    assert_eq!(gathered(&followed, 1101), Gathered::Ready);
}

#[test]
fn words_that_look_like_the_mark_change_nothing() {
    let words = r#"{"album":"a"}"#;
    let sent = [
        event("1", None, Some(words), &[], 0),
        event("2", None, Some(words), &[], 10),
    ];
    let mut gathered = claim(&sent);
    assert_eq!(gather(&mut gathered, at(20)), Gathered::Ready);
    assert_eq!(gathered, claim(&sent));
}
