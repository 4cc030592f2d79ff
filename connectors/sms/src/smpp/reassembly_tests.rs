use super::*;

const LIMITS: WaitingLimits = WaitingLimits {
    messages: 3,
    octets: 100_000,
    time: Duration::from_mins(1),
};

fn key(source: &str, reference: u16, total: u8) -> SetKey {
    SetKey {
        source: source.to_owned(),
        destination: "8088".to_owned(),
        kind: JoinKind::Header8,
        reference,
        total,
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

#[derive(Default)]
struct Stage {
    waiting: Waiting,
    count: u32,
}

impl Stage {
    fn part(&mut self, key: SetKey, number: u8, text: &str, now: i64) -> Took {
        self.count += 1;
        let id = format!("id-{}", self.count);
        let part = (0, text.as_bytes());
        self.waiting.take(key, number, part, &id, at(now), &LIMITS)
    }

    /// The messages that are due, as text with `…` for gaps; they are given on.
    fn due(&mut self, now: i64) -> Vec<String> {
        let due = self.waiting.due();
        let ids: Vec<String> = due.iter().map(|joined| joined.id.clone()).collect();
        self.waiting.given_on(&ids, at(now));
        due.iter().map(text).collect()
    }
}

fn text(joined: &Joined) -> String {
    let run = |run: &Vec<(u8, Bytes)>| {
        let octets: Vec<u8> = run.iter().flat_map(|(_, octets)| octets.to_vec()).collect();
        String::from_utf8(octets).expect("text")
    };
    let runs: Vec<String> = joined.runs.iter().map(run).collect();
    let gap = |open| if open { "…" } else { "" };
    format!(
        "{}{}{}",
        gap(joined.open.0),
        runs.join("…"),
        gap(joined.open.1)
    )
}

#[test]
fn parts_come_together_in_any_order_and_however_often() {
    let orders = [
        [1, 2, 3],
        [3, 2, 1],
        [2, 3, 1],
        [1, 3, 2],
        [3, 1, 2],
        [2, 1, 3],
    ];
    for order in orders {
        let mut stage = Stage::default();
        for (place, number) in order.into_iter().enumerate() {
            assert_eq!(stage.due(0), [""; 0]);
            let text = ["", "PA ", "đường ", "hỏng"][usize::from(number)];
            assert_eq!(stage.part(key("a", 7, 3), number, text, 0), Took::Kept);
            if place < 2 {
                assert_eq!(stage.part(key("a", 7, 3), number, text, 0), Took::Again);
            }
        }
        assert_eq!(stage.due(0), ["PA đường hỏng"]);
        assert_eq!(stage.waiting.sets.len(), 0);
    }
}

#[test]
fn messages_that_come_at_the_same_time_are_kept_apart() {
    let mut stage = Stage::default();
    let others = [
        key("b", 7, 2),
        key("a", 8, 2),
        key("a", 7, 3),
        SetKey {
            kind: JoinKind::Header16,
            ..key("a", 7, 2)
        },
        SetKey {
            destination: "1022".to_owned(),
            ..key("a", 7, 2)
        },
    ];
    for other in others {
        stage.part(key("a", 7, 2), 1, "one ", 0);
        stage.part(other, 2, "other", 0);
        assert_eq!(stage.due(0), [""; 0]);
        stage.part(key("a", 7, 2), 2, "two", 0);
        assert_eq!(stage.due(0), ["one two"]);
        stage.waiting = Waiting::default();
    }
}

#[test]
fn a_reference_that_is_used_again_closes_the_old_message() {
    let mut stage = Stage::default();
    stage.part(key("a", 7, 2), 1, "old", 0);
    stage.part(key("a", 7, 2), 1, "new ", 5);
    assert_eq!(stage.due(5), ["old…"]);
    stage.part(key("a", 7, 2), 2, "words", 6);
    // Its key was given on with a gap just now: nobody waits for it any longer.
    assert_eq!(stage.due(6).concat().replace('…', ""), "new words");
}

#[test]
fn what_waits_too_long_goes_on_with_its_gaps_and_late_parts_follow_at_once() {
    let mut stage = Stage::default();
    for number in [2, 4, 5] {
        stage.part(key("a", 7, 6), number, &number.to_string(), 0);
    }
    assert!(!stage.waiting.expire(at(59), &LIMITS));
    assert_eq!(stage.due(59), [""; 0]);
    assert!(stage.waiting.expire(at(60), &LIMITS));
    assert_eq!(stage.due(60), ["…2…45…"]);
    stage.part(key("a", 7, 6), 3, "3", 90);
    assert_eq!(stage.due(90), ["…3…"]);
    // After a day the reference is a new message's.
    assert!(!stage.waiting.expire(at(90 + 86_400), &LIMITS));
    stage.part(key("a", 7, 6), 3, "3", 90 + 86_400);
    assert_eq!(stage.due(90 + 86_400), [""; 0]);
}

#[test]
fn the_bounds_hold_and_lose_nothing() {
    let mut stage = Stage::default();
    let mut told = Vec::new();
    for reference in 0..200 {
        stage.part(key("a", reference, 2), 1, "one", 0);
        told.extend(stage.due(0));
        assert!(stage.waiting.sets.len() <= LIMITS.messages);
    }
    assert_eq!(told, vec!["one…"; 197]);
    let mut stage = Stage::default();
    let long = "x".repeat(60_000);
    stage.part(key("a", 1, 2), 1, &long, 0);
    assert_eq!(stage.due(0), [""; 0]);
    stage.part(key("b", 1, 2), 1, &long, 0);
    assert_eq!(stage.due(0), [format!("{long}…")]);
}

#[test]
fn what_waits_survives_being_written_down() {
    let mut stage = Stage::default();
    stage.part(key("a", 7, 2), 2, "two", 0);
    let written = rmp_serde::to_vec(&stage.waiting).expect("it can be written");
    stage.waiting = rmp_serde::from_slice(&written).expect("it can be read");
    stage.part(key("a", 7, 2), 1, "one ", 1);
    assert_eq!(stage.due(1), ["one two"]);
}
