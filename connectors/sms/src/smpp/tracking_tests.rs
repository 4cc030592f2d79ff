use super::*;

const AN: &str = "+84912345678";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_790_000_000 + seconds)
}

fn tracking() -> Tracking {
    let mut tracking = Tracking::new(Duration::from_secs(16));
    tracking.take_over(Vec::new(), Vec::new(), at(0));
    tracking
}

fn sent(tracking: &mut Tracking, keys: &[&str]) -> Vec<News> {
    let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    tracking.sent(keys, &CitizenId::new(AN));
    tracking.early()
}

fn heard(key: &str, outcome: Outcome, seconds: i64) -> Heard {
    Heard {
        key: key.to_owned(),
        outcome,
        code: "UNDELIV 001".to_owned(),
        to: "84912345678".to_owned(),
        at: at(seconds),
    }
}

fn told(tracking: &mut Tracking, key: &str, outcome: Outcome) -> Matched {
    tracking.receipt(heard(key, outcome, 0), true)
}

fn news(id: &str, failed: Option<&str>) -> News {
    News {
        id: id.to_owned(),
        citizen: CitizenId::new(AN),
        failed: failed.map(str::to_owned),
    }
}

/// Another memory that takes over what this one has written down.
fn another(tracking: &mut Tracking) -> Tracking {
    let mut pages = vec![Page::default(); crate::smpp::pages::PAGES];
    while let Some((place, page)) = tracking.pages().take_changed() {
        let written = rmp_serde::to_vec(&page).expect("it can be written");
        pages[place] = rmp_serde::from_slice(&written).expect("it can be read");
    }
    let mut another = self::tracking();
    another.take_over(pages, tracking.parked(), at(1));
    another
}

#[test]
fn a_message_has_arrived_when_all_parts_have() {
    let mut tracking = tracking();
    sent(&mut tracking, &["1", "2"]);
    for (key, outcome) in [
        ("2", Outcome::Pending),
        ("2", Outcome::Delivered),
        ("2", Outcome::Delivered),
    ] {
        assert_eq!(told(&mut tracking, key, outcome), Matched::Partial);
    }
    let last = told(&mut tracking, "1", Outcome::Delivered);
    assert_eq!(last, Matched::News(news("1", None)));
    assert!(tracking.messages.is_empty());
    assert_eq!(tracking.pages.messages().count(), 0);
}

#[test]
fn it_failed_when_any_part_did_and_that_is_said_once() {
    let mut tracking = tracking();
    sent(&mut tracking, &["1", "2"]);
    let failed = told(&mut tracking, "2", Outcome::Failed);
    assert_eq!(failed, Matched::News(news("1", Some("UNDELIV 001"))));
    for (key, outcome) in [("1", Outcome::Failed), ("1", Outcome::Delivered)] {
        assert_eq!(told(&mut tracking, key, outcome), Matched::Partial);
    }
}

#[test]
fn a_receipt_may_come_before_the_answer() {
    let mut tracking = tracking();
    let early = told(&mut tracking, "1", Outcome::Delivered);
    assert_eq!(early, Matched::Parked);
    assert_eq!(sent(&mut tracking, &["1"]), [news("1", None)]);
    let other = tracking.receipt(heard("9", Outcome::Failed, 10), true);
    assert_eq!(other, Matched::Parked);
    assert_eq!(tracking.expire(at(25)), 0);
    assert!(tracking.early().is_empty());
    // No answer can name it any more: it is of a message that is not remembered.
    assert_eq!(tracking.expire(at(26)), 1);
    assert_eq!(tracking.early(), [news("9", Some("UNDELIV 001"))]);
}

#[test]
fn what_is_not_remembered_was_a_message_of_one_part() {
    let mut tracking = tracking();
    let alone = |tracking: &mut Tracking, outcome| tracking.receipt(heard("7", outcome, 0), false);
    assert_eq!(
        alone(&mut tracking, Outcome::Delivered),
        Matched::News(news("7", None))
    );
    assert_eq!(alone(&mut tracking, Outcome::Pending), Matched::Partial);
    // It does not say to whom it was.
    let nobody = Heard {
        to: "8088".to_owned(),
        ..heard("7", Outcome::Failed, 0)
    };
    assert_eq!(tracking.receipt(nobody, false), Matched::Partial);
    assert_eq!(tracking.expire(at(1)), 3, "all of them matched nothing");
}

#[test]
fn long_messages_are_known_to_the_next_owner() {
    let mut first = tracking();
    sent(&mut first, &["1", "2", "3"]);
    sent(&mut first, &["4", "5"]);
    sent(&mut first, &["6"]);
    told(&mut first, "2", Outcome::Delivered);
    told(&mut first, "4", Outcome::Delivered);
    told(&mut first, "9", Outcome::Delivered);
    let mut second = another(&mut first);
    assert_eq!(told(&mut second, "1", Outcome::Delivered), Matched::Partial);
    let last = told(&mut second, "3", Outcome::Delivered);
    assert_eq!(last, Matched::News(news("1", None)));
    let failed = told(&mut second, "5", Outcome::Failed);
    assert_eq!(failed, Matched::News(news("4", Some("UNDELIV 001"))));
    assert_eq!(sent(&mut second, &["9"]), [news("9", None)], "it waited");
    assert_eq!(second.pages.messages().count(), 0);
    // It comes back to the first: what it alone knows stays.
    sent(&mut first, &["7", "8"]);
    let pages = vec![Page::default(); 16];
    first.take_over(pages, Vec::new(), at(2));
    assert!(first.pages.has("7"));
    assert_eq!(
        told(&mut first, "8", Outcome::Failed),
        Matched::News(news("7", Some("UNDELIV 001")))
    );
}

#[test]
fn an_id_that_is_used_again_is_the_newest_messages() {
    let mut tracking = tracking();
    sent(&mut tracking, &["1"]);
    tracking.sent(vec!["1".to_owned()], &CitizenId::new("+84987654321"));
    let matched = told(&mut tracking, "1", Outcome::Delivered);
    let Matched::News(news) = matched else {
        panic!("{matched:?}");
    };
    assert_eq!(news.citizen.as_str(), "+84987654321");
}

#[test]
fn it_stays_within_its_bounds() {
    let mut tracking = tracking();
    for number in 0..60_000 {
        sent(&mut tracking, &[&number.to_string()]);
        told(&mut tracking, &format!("x{number}"), Outcome::Delivered);
    }
    assert_eq!(
        (tracking.parts.len(), tracking.messages.len()),
        (PARTS, PARTS)
    );
    assert_eq!(tracking.parked.len(), PARKED);
    for number in 0..20_000 {
        sent(
            &mut tracking,
            &[&format!("a{number}"), &format!("b{number}")],
        );
    }
    // All pages but the one that is being filled.
    assert_eq!(tracking.pages.messages().count(), 15 * 512 + 20_000 % 512);
    assert!(tracking.pages.has("a19999") && !tracking.pages.has("a0"));
    tracking.expire(at(72 * 3600));
    tracking.expire(at(72 * 3600 + 1));
    assert!(tracking.parts.is_empty() && tracking.messages.is_empty());
    assert!(tracking.ages.is_empty() && tracking.parked.is_empty());
    assert_eq!(tracking.pages.messages().count(), 0);
}
