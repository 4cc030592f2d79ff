//! Whatever happens, no window of the provider's holds more than the limit, and what may go goes.

mod recorded;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use governor::clock::FakeRelativeClock;
use langnghe_connector::{Hint, QuotaRule, QuotaScope, QuotaUnit};
use langnghe_model::{ChannelId, CitizenId, ConversationId, Timestamp};
use proptest::prelude::*;

use super::{Book, Ticket, book::Uncovered, lane::Covers};

/// How long after its sender's death what was under way may arrive.
const ARRIVAL: Duration = Duration::from_millis(100);
const STEP: Duration = Duration::from_millis(1);

fn rule(scope: QuotaScope, limit: u32, per: Duration, burst: u32) -> QuotaRule {
    QuotaRule {
        name: "rule",
        scope,
        unit: QuotaUnit::Messages,
        limit,
        per,
        burst,
    }
}

/// The most that a window of `per` may hold by the rule's words.
fn capacity(rule: &QuotaRule) -> usize {
    let most = if rule.burst <= rule.limit {
        rule.limit
    } else {
        rule.limit + rule.burst - 1
    };
    most as usize
}

/// The most in any window of `per`, wherever it begins.
fn fullest(arrivals: &[Duration], per: Duration) -> usize {
    let mut arrivals = arrivals.to_vec();
    arrivals.sort();
    let mut first = 0;
    let mut most = 0;
    for (place, arrival) in arrivals.iter().enumerate() {
        while *arrival >= arrivals[first] + per {
            first += 1;
        }
        most = most.max(place + 1 - first);
    }
    most
}

fn to(citizen: &str) -> ConversationId {
    let channel = ChannelId::new("page").expect("a good id");
    ConversationId::new(channel, CitizenId::new(citizen))
}

/// What becomes of writes to the store.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Writing {
    Works,
    /// It fails; `true`: it was written all the same.
    Fails(bool),
}

/// A provider and the replica that sends to it, step by step by a clock of their own.
struct Stage {
    clock: FakeRelativeClock,
    now: Duration,
    book: Arc<Book<FakeRelativeClock>>,
    rule: QuotaRule,
    /// When each send under way ends.
    under_way: Vec<(Duration, Ticket<FakeRelativeClock>)>,
    /// When what was sent to each recipient arrived.
    arrivals: Vec<Vec<Duration>>,
    /// What the store holds.
    documents: BTreeMap<String, Vec<u8>>,
    writing: Writing,
    writes: usize,
    /// By how much the replica's clock is ahead.
    skew: Duration,
}

impl Stage {
    fn new(rule: QuotaRule, recipients: usize) -> Self {
        let clock = FakeRelativeClock::default();
        Self {
            book: Book::new(vec![rule.clone()], clock.clone()),
            clock,
            now: Duration::ZERO,
            rule,
            under_way: Vec::new(),
            arrivals: vec![Vec::new(); recipients],
            documents: BTreeMap::new(),
            writing: Writing::Works,
            writes: 0,
            skew: Duration::ZERO,
        }
    }

    fn wall(&self) -> Timestamp {
        Timestamp::from_seconds(1_700_000_000) + self.now + self.skew
    }

    fn write(&mut self, page: super::book::Page, covers: Covers) -> bool {
        let draft = self.book.draft(page, covers, self.wall());
        self.writes += 1;
        if self.writing != Writing::Fails(false) {
            self.documents
                .insert(self.book.name(page), draft.body.clone());
        }
        let works = self.writing == Writing::Works;
        if works {
            self.book.written(&draft);
        }
        works
    }

    fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            let ends = self.under_way.iter().map(|(end, _)| *end);
            let next = ends.min().unwrap_or(until).clamp(self.now + STEP, until);
            self.clock.advance(next.saturating_sub(self.now));
            self.now = next;
            self.under_way.retain(|(end, _)| *end > next);
        }
    }

    /// Sends where it may; it takes `latency`, and arrives after this share of it.
    fn send(&mut self, recipient: usize, latency: Duration, share: f64) -> bool {
        let to = to(&format!("citizen-{recipient}"));
        let Ok(mut ticket) = self.book.offer(&to, 1) else {
            return false;
        };
        while let Err(uncovered) = self.book.reserve(&mut ticket) {
            let Uncovered::Page(page) = uncovered else {
                panic!("it was offered by this very owner");
            };
            if !self.write(page, Covers::More) {
                return false;
            }
        }
        self.arrivals[recipient].push(self.now + latency.mul_f64(share));
        self.under_way.push((self.now + latency, ticket));
        true
    }

    /// Another replica, which knows what the store knows, takes over when nothing is under way any more.
    fn change_owner(&mut self) {
        while !self.under_way.is_empty() {
            self.pass(STEP);
        }
        for page in self.book.open() {
            self.write(page, Covers::NoMore);
        }
        self.take_over();
    }

    /// The replica dies, with what is under way, and another takes over at once.
    fn kill(&mut self) {
        self.under_way.clear();
        let latest = self.now + ARRIVAL;
        for arrival in self.arrivals.iter_mut().flatten() {
            *arrival = latest.min(*arrival);
        }
        self.take_over();
    }

    fn take_over(&mut self) {
        self.book = Book::new(vec![self.rule.clone()], self.clock.clone());
        self.book.take_over(None);
        let documents = self.documents.clone().into_iter().collect();
        let (_, unreadable) = self.book.restore(documents, self.wall());
        assert_eq!(unreadable, Vec::<String>::new());
    }

    /// The fullest window of those that the rule counts.
    fn fullest(&self) -> usize {
        let fullest_of = |arrivals: &Vec<Duration>| fullest(arrivals, self.rule.per);
        match self.rule.scope {
            QuotaScope::Channel => fullest_of(&self.arrivals.concat()),
            QuotaScope::Recipient => self.arrivals.iter().map(fullest_of).max().unwrap_or(0),
        }
    }
}

#[derive(Clone, Debug)]
enum Happening {
    Pass(u64),
    Send {
        recipient: usize,
        latency: u64,
        share: f64,
        count: usize,
    },
    Throttled,
    Used(u8),
    ChangeOwner,
    Kill,
    /// The clock of the replica is so much ahead of the slowest one's, in milliseconds.
    Skew(u64),
    Writing(Writing),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => (1_u64..400).prop_map(Happening::Pass),
        2 => (1_u64..40_000).prop_map(Happening::Pass),
        8 => (0_usize..3, 0_u64..300, 0.0..=1.0_f64, 1_usize..30).prop_map(
            |(recipient, latency, share, count)| Happening::Send { recipient, latency, share, count }
        ),
        1 => Just(Happening::Throttled),
        1 => (0_u8..=100).prop_map(Happening::Used),
        1 => Just(Happening::ChangeOwner),
        1 => Just(Happening::Kill),
        1 => (0_u64..=2000).prop_map(Happening::Skew),
        1 => prop_oneof![
            4 => Just(Writing::Works),
            1 => Just(Writing::Fails(false)),
            1 => Just(Writing::Fails(true)),
        ].prop_map(Happening::Writing),
    ]
}

fn rules() -> impl Strategy<Value = QuotaRule> {
    let scopes = prop_oneof![Just(QuotaScope::Channel), Just(QuotaScope::Recipient)];
    // Of the longer ones the use is recorded.
    let per = prop_oneof![50_u64..3000, 12_000_u64..60_000];
    (scopes, 1_u32..40, per, 1_u32..40).prop_map(|(scope, limit, per, burst)| {
        rule(scope, limit, Duration::from_millis(per), burst)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_window_holds_more_than_the_limit(
        rule in rules(),
        happenings in prop::collection::vec(happening(), 1..60),
    ) {
        let most = capacity(&rule);
        let mut stage = Stage::new(rule, 3);
        for happening in happenings {
            let began = stage.under_way.first().map_or(stage.now, |(_, ticket)| ticket.began);
            match happening {
                Happening::Pass(time) => stage.pass(Duration::from_millis(time)),
                Happening::Send { recipient, latency, share, count } => {
                    for _ in 0..count {
                        stage.send(recipient, Duration::from_millis(latency), share);
                        stage.pass(STEP);
                    }
                }
                Happening::Throttled => stage.book.throttled(began),
                Happening::Used(percent) => {
                    let hint = Hint::Used { allowance: "app", percent };
                    drop(stage.book.told(vec![hint], began, Timestamp::default()));
                }
                Happening::ChangeOwner => stage.change_owner(),
                Happening::Kill => stage.kill(),
                Happening::Skew(time) => stage.skew = Duration::from_millis(time),
                Happening::Writing(writing) => stage.writing = writing,
            }
        }
        prop_assert!(stage.fullest() <= most, "{} of {most}", stage.fullest());
    }
}

#[test]
fn what_there_is_to_send_goes_at_the_limit() {
    let second = Duration::from_secs(1);
    for (limit, per, burst) in [
        (30, second, 1),
        (80, second, 1),
        (1, second, 1),
        (5, second, 5),
        (250, second, 1),
        (60, 60 * second, 1),
    ] {
        let rule = rule(QuotaScope::Channel, limit, per, burst);
        let mut stage = Stage::new(rule, 1);
        let time = 30 * second.max(per / 4);
        // Answers take a millisecond or two, and so do timers.
        while stage.now < time {
            let latency = Duration::from_millis(1 + u64::from(stage.now.subsec_millis() % 2));
            while stage.send(0, latency, 0.5) {}
            stage.pass(STEP);
        }
        let sent = u32::try_from(stage.arrivals[0].len()).expect("not so many");
        let sent = f64::from(sent);
        let possible = f64::from(limit) * time.as_secs_f64() / per.as_secs_f64();
        assert!(sent >= 0.99 * possible, "{limit}: {sent} of {possible}");
        assert!(stage.fullest() <= limit as usize, "{limit}");
    }
}

#[test]
fn a_recipient_who_waits_holds_up_nobody() {
    let second = Duration::from_secs(1);
    let mut stage = Stage::new(rule(QuotaScope::Recipient, 1, second, 1), 9);
    assert!(stage.send(0, STEP, 1.0));
    let later = stage.book.offer(&to("citizen-0"), 1);
    let later = later.expect_err("too soon");
    assert_eq!(later.scope, QuotaScope::Recipient);
    for other in 1..9 {
        assert!(stage.send(other, STEP, 1.0));
    }
    stage.pass(second + 2 * STEP);
    assert!(stage.send(0, STEP, 1.0));
}

#[test]
fn a_burst_goes_at_once_and_then_one_by_one() {
    let pair = rule(QuotaScope::Recipient, 1, Duration::from_secs(6), 45);
    let mut stage = Stage::new(pair, 1);
    for count in 0..45 {
        assert!(stage.send(0, STEP, 1.0), "{count}");
    }
    stage.pass(Duration::from_secs(6) + STEP);
    let mut more = 0;
    while stage.send(0, STEP, 1.0) {
        more += 1;
    }
    // One for the time that passed, and one with which lateness is caught up.
    assert_eq!(more, 2);
}

#[test]
fn parts_count_and_more_than_the_limit_goes_alone() {
    let clock = FakeRelativeClock::default();
    let parts = QuotaRule {
        unit: QuotaUnit::Parts,
        ..rule(QuotaScope::Channel, 2, Duration::from_secs(1), 1)
    };
    let book = Book::new(vec![parts], clock.clone());
    assert!(book.counts_parts());
    let mut starts = Vec::new();
    for millisecond in 0..6000_u64 {
        if let Ok(mut ticket) = book.offer(&to("an"), 3) {
            book.reserve(&mut ticket).expect("nothing is recorded");
            starts.push(millisecond);
        }
        clock.advance(STEP);
    }
    // Three parts at two a second.
    assert!((3..=5).contains(&starts.len()), "{starts:?}");
    for pair in starts.windows(2) {
        assert!(pair[1] - pair[0] >= 1000, "{starts:?}");
    }
}

#[test]
fn many_recipients_are_forgotten_once_they_rest() {
    let mut stage = Stage::new(
        rule(QuotaScope::Recipient, 1, Duration::from_millis(100), 1),
        10_000,
    );
    for recipient in 0..10_000 {
        assert!(stage.send(recipient, STEP, 1.0));
        stage.pass(STEP);
    }
    let remembered = stage.book.states()[0]
        .recipients
        .expect("it counts recipients");
    assert!(remembered <= 2048, "{remembered}");
}

#[test]
fn throttling_slows_the_channel_and_is_shown() {
    let second = Duration::from_secs(1);
    let mut stage = Stage::new(rule(QuotaScope::Channel, 20, second, 1), 1);
    stage.pass(second);
    stage.book.throttled(stage.now);
    assert_eq!(stage.book.pace(), 50);
    let begin = stage.now;
    while stage.now < begin + 5 * second {
        while stage.send(0, STEP, 1.0) {}
        stage.pass(STEP);
    }
    let sent = stage.arrivals[0].len();
    assert!((45..=52).contains(&sent), "{sent}");
    let shown = &stage.book.states()[0];
    assert_eq!((shown.pace_percent, shown.limit), (50, 20));
    assert!((8..=10).contains(&shown.used), "{}", shown.used);
    let hint = |percent| Hint::Used {
        allowance: "app",
        percent,
    };
    let told = stage
        .book
        .told(vec![hint(96)], stage.now, Timestamp::default());
    assert!(told.is_some_and(|(time, _)| time == 60 * second));
    assert_eq!(stage.book.allowances()[0].used_percent, Some(96));
}

#[test]
fn another_replica_goes_on_at_the_pace_that_it_was_told() {
    let stage = Stage::new(rule(QuotaScope::Channel, 20, Duration::from_secs(1), 1), 1);
    stage.book.take_over(Some(30));
    assert_eq!(stage.book.pace(), 30);
}
