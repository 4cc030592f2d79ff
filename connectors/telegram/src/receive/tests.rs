use std::{fs, path::Path};

use langnghe_model::{ChannelId, Event, EventKind, Timestamp, event::Attachment};
use proptest::prelude::*;
use serde_json::Value;
use teloxide::types::{Update, UpdateKind};

use super::normalise;
use crate::languages::Languages;

fn events(raw: &str) -> Vec<Event> {
    let channel = ChannelId::new("bot").expect("a good id");
    let now = Timestamp::from_milliseconds(1_790_000_001_000);
    normalise(&channel, &Languages::default(), raw, now).events
}

/// Every update of the fixtures.
fn updates() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/incoming");
    let files = fs::read_dir(folder).expect("fixtures");
    let cases = files.flat_map(|file| {
        let text = fs::read_to_string(file.expect("a file").path()).expect("text");
        serde_json::from_str::<Vec<Value>>(&text).expect("a list of cases")
    });
    cases
        .filter_map(|case| Some(case.get("body")?.clone()))
        .collect()
}

/// Another reader of the same updates: where teloxide understands a private message, we read the
/// same words, place and media; where it takes one for empty, we may read more, and never less.
#[test]
fn what_teloxide_reads_we_read_too() {
    let (mut compared, mut more) = (0, 0);
    for update in updates() {
        let raw = update.to_string();
        // Not `from_value`: that makes an error of every update.
        let Ok(theirs) = serde_json::from_str::<Update>(&raw) else {
            continue;
        };
        let UpdateKind::Message(theirs) = theirs.kind else {
            continue;
        };
        let by_citizen =
            theirs.chat.is_private() && theirs.from.as_ref().is_none_or(|from| !from.is_bot);
        if !by_citizen {
            continue;
        }
        let ours = events(&raw);
        // Others are commands and what Telegram says of the chat.
        let Some(EventKind::Message(message)) = ours.first().map(|event| &event.kind) else {
            continue;
        };
        let words = theirs.text().or(theirs.caption());
        let command = words.is_some_and(|words| words.starts_with('/'));
        if let (Some(words), false) = (words, command) {
            assert_eq!(message.text.as_deref(), Some(words));
            compared += 1;
        } else if message.text.is_some() && !command {
            more += 1;
        }
        let place = message.attachments.iter().find_map(|one| match one {
            Attachment::Location(place) => Some((place.latitude, place.longitude)),
            _ => None,
        });
        let theirs_place = theirs
            .location()
            .or(theirs.venue().map(|venue| &venue.location));
        if let Some(theirs) = theirs_place.filter(|place| place.latitude <= 90.0) {
            assert_eq!(place, Some((theirs.latitude, theirs.longitude)));
            compared += 1;
        }
        let file = theirs
            .photo()
            .and_then(|sizes| sizes.iter().max_by_key(|size| size.width * size.height))
            .map(|size| &size.file)
            .or(theirs.animation().map(|one| &one.file))
            .or(theirs.document().map(|one| &one.file))
            .or(theirs.video().map(|one| &one.file))
            .or(theirs.voice().map(|one| &one.file))
            .or(theirs.audio().map(|one| &one.file))
            .or(theirs.video_note().map(|one| &one.file));
        let media = message.attachments.iter().find_map(|one| match one {
            Attachment::Media(media) => media.url.strip_prefix(crate::MEDIA),
            _ => None,
        });
        match (file, media) {
            (Some(file), media) => {
                assert_eq!(media, Some(file.id.0.as_str()));
                compared += 1;
            }
            (None, Some(_)) => more += 1,
            (None, None) => {}
        }
        assert_eq!(
            message.album.as_deref(),
            theirs.media_group_id().map(|id| id.0.as_str())
        );
    }
    assert!(compared >= 30, "{compared} parts compared");
    // The table of the reference: what teloxide 0.17 loses.
    assert!(more >= 6, "{more} parts that only we read");
}

#[test]
fn nesting_that_no_parser_should_follow_is_kept_as_text() {
    let deep = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let raw = format!(r#"{{"update_id":10,"strange":{deep}}}"#);
    let found = events(&raw);
    let [
        Event {
            kind: EventKind::Unknown { raw: kept, .. },
            ..
        },
    ] = &found[..]
    else {
        panic!("one unknown event")
    };
    assert_eq!(kept.as_str(), Some(&*raw));
}

proptest! {
    #[test]
    fn any_text_is_taken(raw in "\\PC{0,200}") {
        prop_assert!(events(&raw).len() <= 1);
    }

    /// Whatever stands in the place of a part, the words beside it are read.
    #[test]
    fn a_part_of_another_kind_costs_nothing_beside_it(
        key in prop::sample::select(vec![
            "message_id", "from", "date", "entities", "photo", "voice", "document", "location",
            "venue", "contact", "reply_to_message", "media_group_id", "sticker", "animation",
        ]),
        value in json_value(),
    ) {
        let mut message = serde_json::json!({
            "message_id": 1,
            "chat": {"id": 50_055_005, "type": "private"},
            "date": 1_790_000_000,
            "text": "Đèn hỏng ba đêm",
        });
        message[key] = value;
        let update = serde_json::json!({"update_id": 10, "message": message});
        let found = events(&update.to_string());
        let [Event { kind: EventKind::Message(message), .. }] = &found[..] else {
            return Err(TestCaseError::fail(format!("{found:?}")));
        };
        prop_assert_eq!(message.text.as_deref(), Some("Đèn hỏng ba đêm"));
    }
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        "\\PC{0,8}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            proptest::collection::vec(("[a-z_]{1,8}", inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}
