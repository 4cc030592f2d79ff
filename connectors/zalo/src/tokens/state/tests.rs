//! What is done next, and what a state remembers.

use super::*;

const NOW: Timestamp = Timestamp::from_seconds(1_790_000_000);
const HOUR: Duration = Duration::from_hours(1);

fn new(access: &str, refresh: &str) -> NewPair {
    NewPair {
        access: access.into(),
        refresh: refresh.into(),
        access_life: 25 * HOUR,
        refresh_life: REFRESH_LIFE,
    }
}

fn renewed() -> State {
    let mut state = State::default();
    state.renewed(Pair::given(&new("a1", "r1"), NOW));
    state
}

#[test]
fn a_token_is_renewed_hours_before_its_end() {
    let state = renewed();
    assert_eq!(state.next(NOW, 0.0, None), Next::Wait(NOW + 20 * HOUR));
    let latest = NOW + 20 * HOUR + HOUR / 2;
    assert_eq!(state.next(NOW, 1.0, None), Next::Wait(latest));
    assert_eq!(state.next(latest, 1.0, None), Next::Renew);
    let mut short = State::default();
    let hour = NewPair {
        access_life: HOUR,
        ..new("a", "r")
    };
    short.renewed(Pair::given(&hour, NOW));
    assert_eq!(short.next(NOW, 0.0, None), Next::Wait(NOW + HOUR / 2));
}

#[test]
fn a_token_refused_before_its_time_is_renewed_but_not_at_once_again() {
    let state = renewed();
    let token: SecretString = "a1".into();
    let soon = NOW + Duration::from_mins(1);
    assert!(matches!(state.next(soon, 0.0, Some(&token)), Next::Wait(_)));
    assert_eq!(state.next(NOW + HOUR, 0.0, Some(&token)), Next::Renew);
    let other: SecretString = "a0".into();
    let next = state.next(NOW + HOUR, 0.0, Some(&other));
    assert!(matches!(next, Next::Wait(_)), "{next:?}");
}

#[test]
fn the_configurations_token_is_taken_up_once() {
    let (first, second) = ("first".into(), "second".into());
    let mut state = State::default();
    assert_eq!(state.next(NOW, 0.0, None), Next::NoGrant);
    assert!(state.take_up(&first, NOW));
    assert_eq!(state.next(NOW, 0.0, None), Next::Renew);
    state.renewed(Pair::given(&new("a1", "r1"), NOW));
    assert!(!state.take_up(&first, NOW));
    assert!(state.take_up(&second, NOW), "an operator made another");
    assert!(!state.take_up(&first, NOW), "an old replica still has it");
    state.pass_over(&"third".into());
    assert!(!state.take_up(&"third".into(), NOW));
}

#[test]
fn every_renewal_with_the_same_token_is_remembered_until_one_brings_a_pair() {
    let mut state = renewed();
    state.intend("one".to_owned(), NOW);
    assert_eq!(state.next(NOW, 0.0, None), Next::Follow);
    state.intent = None;
    state.intend("two".to_owned(), NOW);
    assert!(state.tried("one") && state.tried("two"));
    assert!(state.intends("two") && !state.intends("one"));
    state.lost = Some(Lost {
        at: NOW,
        code: -14014,
    });
    assert_eq!(state.next(NOW, 0.0, None), Next::Lost(-14014));
    state.renewed(Pair::given(&new("a2", "r2"), NOW));
    assert!(!state.tried("one") && !state.is_lost());
}

#[test]
fn a_state_is_read_as_it_was_written_and_shows_no_token() {
    let mut state = renewed();
    state.intend("one".to_owned(), NOW);
    let again = State::decode(&state.encode());
    assert_eq!(again.encode(), state.encode());
    let shown = format!("{state:?}");
    assert!(!shown.contains("a1") && !shown.contains("r1"), "{shown}");
    assert!(State::decode(b"rubbish").pair.is_none());
}
