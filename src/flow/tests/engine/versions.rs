//! Sessions that outlive the version of the flow on which they began, and languages.

use std::sync::Arc;

use langnghe_flow::{Library, Session};
use langnghe_model::{EventKind, event::Message, problem::Source};

use crate::citizen::{Citizen, project, settings};

const ONE: &str = r#"
id = "t"
version = 1
title = "T"
[[question]]
id = "loai"
kind = "choice"
ask = "Loại?"
choices = [{ id = "duong", label = "Đường" }, { id = "rac", label = "Rác" }]
[[question]]
id = "cu"
kind = "text"
ask = "Câu cũ?"
[[question]]
id = "them"
kind = "text"
ask = "Thêm?"
[ticket]
"#;

fn two() -> String {
    ONE.replace("version = 1", "version = 2")
        .replace("id = \"cu\"", "id = \"moi\"")
        .replace("Câu cũ?", "Câu mới?")
}

fn loaded(current: &str) -> Library {
    Library::load(&[Source::new("t.toml", current)], &[], settings("t"))
        .library
        .expect("it checks")
}

/// The one version of a library, as it is kept.
fn kept(library: &Library) -> Arc<Source> {
    let [(name, text)] = library.versions().try_into().expect("one flow");
    Source::new(name, text)
}

#[test]
fn a_form_goes_on_with_the_version_on_which_it_began() {
    let first = loaded(ONE);
    let mut citizen = Citizen::new(&first);
    citizen.says("alo");
    citizen.says("rac");
    let session = citizen.session.clone();
    let second = loaded(&two());
    assert_ne!(
        kept(&second).path,
        kept(&first).path,
        "the name changes with the content"
    );
    let stored = session.as_deref().expect("a session");
    let begun = Session::decode(stored).expect("our own session");
    assert_eq!(first.missing_version(&begun), None);
    assert_eq!(
        second.missing_version(&begun),
        Some(kept(&first).path.clone())
    );
    let both = second.with_version(&kept(&first)).expect("it checks");
    assert_eq!(both.missing_version(&begun), None);
    let mut citizen = Citizen::new(&both);
    citizen.session = session;
    assert_eq!(citizen.says("câu trả lời cũ"), "Thêm?");
    citizen.says("hết");
    assert_eq!(citizen.tickets[0].version, 1);
    assert_eq!(citizen.ticket("cu").as_deref(), Some("câu trả lời cũ"));
    // Who begins now begins on the current one.
    citizen.says("alo");
    citizen.says("rac");
    assert_eq!(citizen.says("mới"), "Thêm?");
    citizen.says("hết");
    assert_eq!(citizen.tickets[1].version, 2);
}

#[test]
fn a_form_of_a_version_that_is_newer_here_goes_on_with_it() {
    let newer = loaded(&two());
    let mut citizen = Citizen::new(&newer);
    citizen.says("alo");
    citizen.says("rac");
    let session = citizen.session.clone();
    let older = loaded(ONE).with_version(&kept(&newer)).expect("it checks");
    let mut citizen = Citizen::new(&older);
    citizen.session = session;
    assert_eq!(citizen.says("mới"), "Thêm?");
    citizen.says("hết");
    assert_eq!(citizen.tickets[0].version, 2);
}

#[test]
fn without_the_old_version_the_answers_move_to_the_new_one_and_none_is_lost() {
    let first = loaded(ONE);
    let mut citizen = Citizen::new(&first);
    for text in ["alo", "rac", "câu trả lời cũ"] {
        citizen.says(text);
    }
    let session = citizen.session.clone();
    let second = loaded(&two());
    let mut citizen = Citizen::new(&second);
    citizen.session = session;
    let said = citizen.says("thêm nữa");
    assert!(
        said.contains("vẫn được giữ") && said.contains("Câu mới?"),
        "{said}"
    );
    citizen.says("mới");
    assert_eq!(citizen.tickets[0].version, 2);
    assert_eq!(citizen.ticket("loai").as_deref(), Some("Rác"));
    assert_eq!(citizen.ticket("them").as_deref(), Some("thêm nữa"));
    assert_eq!(citizen.ticket("moi").as_deref(), Some("mới"));
    assert_eq!(citizen.ticket("cu").as_deref(), Some("câu trả lời cũ"));
}

#[test]
fn a_flow_that_is_gone_is_explained() {
    let first = loaded(ONE);
    let mut citizen = Citizen::new(&first);
    citizen.says("alo");
    citizen.says("rac");
    let session = citizen.session.clone();
    let other = project();
    let mut citizen = Citizen::new(&other);
    citizen.session = session;
    let said = citizen.says("alo");
    assert!(
        said.contains("hiện không còn") && said.contains("Kính chào"),
        "{said}"
    );
}

#[test]
fn a_kept_text_that_does_not_check_here_is_left_out() {
    let bad = Source::new("t@0", "id = ");
    assert!(loaded(ONE).with_version(&bad).is_none());
}

#[test]
fn the_language_is_the_citizens() {
    let library = project();
    let mut citizen = Citizen::new(&library);
    citizen.profile_language = Some("en_US".to_owned());
    assert!(citizen.says("hello").contains("What would you like"));
    let said = citizen.says("đường hư");
    assert!(
        said.contains("chưa hiểu") || said.contains("sự việc"),
        "who writes Vietnamese: {said}"
    );
    let said = citizen.says("ngôn ngữ");
    assert!(said.contains("[Tiếng Việt | English]"), "{said}");
    assert!(citizen.says("2").contains("We will use English"));
    let said = citizen.says("đường hư");
    assert!(
        said.contains("Sorry") || said.contains("problem"),
        "who chose stays: {said}"
    );
    assert!(citizen.says("tieng viet").contains("tiếng Việt"));
}

#[test]
fn a_timer_waits_while_a_person_has_the_word() {
    let library = project();
    let mut citizen = Citizen::new(&library);
    citizen.says("phan anh");
    citizen.happens(EventKind::Control { ours: false });
    for _ in 0..3 {
        let before = citizen.now;
        if citizen.timer.is_none() {
            break;
        }
        let said = citizen.waits();
        if citizen.now.since(crate::citizen::NOW).as_secs() < 24 * 60 * 60 {
            assert_eq!(said, "");
            assert!(
                citizen.timer.is_some_and(|due| due > before),
                "it does not fire at once again"
            );
        }
    }
}

#[test]
fn a_button_without_a_payload_is_answered() {
    let library = project();
    let mut citizen = Citizen::new(&library);
    let nothing = || EventKind::Postback {
        payload: None,
        title: None,
        referral: None,
    };
    assert!(citizen.happens(nothing()).contains("Kính chào"));
    citizen.says("phan anh");
    assert!(citizen.happens(nothing()).contains("sự việc gì"));
    let started = || EventKind::Postback {
        payload: Some("GET_STARTED".to_owned()),
        title: Some("Bắt đầu".to_owned()),
        referral: None,
    };
    let mut citizen = Citizen::new(&library);
    assert!(citizen.happens(started()).contains("Kính chào"));
    let empty = EventKind::Message(Message::default());
    assert_eq!(citizen.happens(empty), "");
    let link = EventKind::Referral(langnghe_model::event::Referral {
        reference: Some("hien-truong".to_owned()),
        source: None,
    });
    assert!(citizen.happens(link).contains("sự việc gì"));
}

#[test]
fn the_language_that_the_messenger_told_once_holds() {
    let library = project();
    let mut citizen = Citizen::new(&library);
    citizen.profile_language = Some("en".to_owned());
    assert!(citizen.says("report").contains("What is the problem"));
    // The messenger is asked only when a conversation begins.
    citizen.profile_language = None;
    let said = citizen.says("a big pothole in front of the school");
    assert!(said.contains("Where is it"), "{said}");
}
