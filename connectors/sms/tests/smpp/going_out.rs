//! What goes out.

use std::time::{Duration, Instant};

use crate::stage::{
    Stage,
    smsc::{Ids, Manner, ReceiptForm, Receipts, Smsc},
    until,
};
use langnghe_connector::{Connector, SendError, ThrottleScope};
use langnghe_sms::smpp::{BindMode, LongMessages, ReceiptIds};

const NUMBER: &str = "84912345678";

fn long_text() -> String {
    "Phản ánh PA-000123 của anh/chị đã được chuyển đến Ủy ban nhân dân phường. ".repeat(3)
}

#[tokio::test]
async fn texts_arrive_as_they_were_and_leave_is_taken_in_order() {
    for long_messages in [
        LongMessages::Header8,
        LongMessages::Header16,
        LongMessages::Parameters,
        LongMessages::Payload,
    ] {
        let mut stage = Stage::with(|config| config.long_messages = long_messages).await;
        let sent = stage
            .send("1", "Da tiep nhan PA-000123")
            .await
            .expect("taken");
        assert_eq!(sent.message.expect("an id").as_str(), "m-1");
        stage.send("2", &long_text()).await.expect("taken");
        let texts = stage.smsc.texts_to(NUMBER);
        assert_eq!(texts, ["Da tiep nhan PA-000123".to_owned(), long_text()]);
        stage.end().await;
        assert_eq!(stage.smsc.unbinds(), 1);
        stage.bound(0).await;
    }
}

#[tokio::test]
async fn the_window_is_never_passed() {
    // The stand-in notes a violation for the eleventh.
    let stage = Stage::begin().await;
    stage.smsc.hold_answers(true);
    let sends = (0..40).map(async |number| stage.send(&number.to_string(), "xin chao").await);
    let sends = futures_util::future::join_all(sends);
    let release = async {
        until("a full window", || stage.smsc.count() == 10).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(stage.smsc.count(), 10);
        stage.smsc.hold_answers(false);
    };
    let (results, ()) = tokio::join!(sends, release);
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert_eq!(stage.smsc.count(), 40);
}

#[tokio::test]
async fn answers_are_decisions() {
    let stage = Stage::begin().await;
    for (status, class) in [
        (0x58, "throttled"),
        (0x14, "throttled"),
        (0x401, "throttled"),
        (0x08, "transport"),
        (0x45, "transport"),
        (0x64, "transport"),
        (0x01, "rejected"),
        (0x0a, "rejected"),
        (0x0b, "rejected"),
        (0x65, "rejected"),
        (0xc4, "rejected"),
        (0xff, "rejected"),
        (0x0e, "credentials"),
    ] {
        stage.smsc.next(Manner::Refuse(status));
        let error = stage.send("1", "xin chao").await.expect_err("refused");
        assert_eq!(error.class(), class, "{status:#x}");
        let shown = format!("0x{status:02X}");
        assert!(error.to_string().contains(&shown), "{error}");
    }
    stage.smsc.next(Manner::Refuse(0x58));
    match stage.send("1", "xin chao").await {
        Err(SendError::Throttled { after, scope, .. }) => {
            assert_eq!(scope, ThrottleScope::Channel);
            assert!(after.expect("a time") >= Duration::from_millis(1));
        }
        other => panic!("{other:?}"),
    }
    // Their link is in another state than we think: a new one is opened.
    stage.smsc.next(Manner::Refuse(0x04));
    let error = stage.send("1", "xin chao").await.expect_err("refused");
    assert_eq!(error.class(), "transport");
    until("a second bind", || stage.smsc.binds().len() == 2).await;
    stage.smsc.next(Manner::TakeWithoutId);
    let sent = stage.send("1", "xin chao").await.expect("taken");
    assert_eq!(sent.message, None);
}

#[tokio::test]
async fn silence_gives_the_place_back_and_is_an_attempt() {
    let stage = Stage::with(|config| {
        config.window = 1;
        config.response_timeout = Duration::from_secs(1);
    })
    .await;
    stage.smsc.next(Manner::TakeSilently);
    let error = stage.send("1", "xin chao").await.expect_err("no answer");
    assert_eq!(error.class(), "transport");
    stage.send("1", "xin chao").await.expect("taken");
    assert_eq!(
        stage.smsc.count(),
        2,
        "it may come twice, and never not at all"
    );
}

#[tokio::test]
async fn a_cut_line_is_opened_again_and_only_what_was_under_way_can_double() {
    let stage = Stage::begin().await;
    for manner in [Manner::Cut, Manner::TakeAndCut] {
        stage.smsc.next(manner);
        let error = stage.send("1", "xin chao").await.expect_err("cut");
        assert_eq!(error.class(), "transport");
        stage
            .send("1", "xin chao")
            .await
            .expect("taken by the next line");
    }
    assert_eq!(stage.smsc.count(), 3);
}

#[tokio::test]
async fn without_a_line_nothing_is_an_attempt() {
    let stage = Stage::begin().await;
    stage.smsc.refuse_binds(Some(0x0d));
    stage.smsc.cut();
    until("a bind that is refused", || stage.smsc.binds().len() >= 2).await;
    match stage.send("1", "xin chao").await {
        Err(SendError::NotReady { reason, .. }) => assert_eq!(reason, "no line"),
        other => panic!("{other:?}"),
    }
    stage.smsc.refuse_binds(None);
    stage
        .send("1", "xin chao")
        .await
        .expect("taken by the next line");
}

#[tokio::test]
async fn a_wrong_password_is_tried_slowly_and_a_right_one_recovers() {
    let smsc = Smsc::start(10).await;
    smsc.set_password("khac");
    let mut stage = Stage::before(smsc, |_| {});
    stage.tend();
    let began = Instant::now();
    until("three refusals", || stage.smsc.binds().len() == 3).await;
    assert!(
        began.elapsed() >= Duration::from_millis(600),
        "not faster than it is set"
    );
    let error = stage.send("1", "xin chao").await.expect_err("no account");
    assert_eq!(error.class(), "credentials");
    let checkup = stage.channel.check().await;
    assert!(
        checkup.problems[0].message.contains("0x0E"),
        "{:?}",
        checkup.problems
    );
    stage.smsc.set_password(crate::stage::smsc::PASSWORD);
    stage.bound(1).await;
    stage.send("1", "xin chao").await.expect("taken");
    let checkup = stage.channel.check().await;
    assert_eq!(
        (checkup.account.as_deref(), checkup.problems.len()),
        (Some("congdan"), 0)
    );
}

#[tokio::test]
async fn refused_binds_are_no_busy_loop() {
    let smsc = Smsc::start(10).await;
    smsc.refuse_binds(Some(0x0d));
    let mut stage = Stage::before(smsc, |_| {});
    stage.tend();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let tries = stage.smsc.binds().len();
    // 50 ms is the shortest wait here.
    assert!((2..=40).contains(&tries), "{tries}");
    stage.end().await;
}

#[tokio::test]
async fn each_side_asks_whether_the_other_is_there() {
    let mut stage = Stage::with(|config| {
        config.enquire_link = Duration::from_millis(100);
        config.response_timeout = Duration::from_secs(2);
    })
    .await;
    until("some questions", || stage.smsc.enquiries() >= 3).await;
    let answer = stage.smsc.ask(0x15, Vec::new()).await.expect("an answer");
    assert_eq!((answer.command, answer.status), (0x8000_0015, 0));
    assert_eq!(stage.smsc.binds().len(), 1);
    stage.smsc.be_deaf(true);
    until("a new line", || stage.smsc.binds().len() >= 2).await;
    stage.smsc.be_deaf(false);
    stage.bound(1).await;
    // The message centre takes leave: it is answered, and called again.
    let binds = stage.smsc.binds().len();
    let answer = stage.smsc.ask(6, Vec::new()).await.expect("an answer");
    assert_eq!((answer.command, answer.status), (0x8000_0006, 0));
    until("a new line", || stage.smsc.binds().len() > binds).await;
    stage.bound(1).await;
    stage.end().await;
}

#[tokio::test]
async fn a_message_that_was_taken_in_part_goes_on_where_it_stopped() {
    let stage = Stage::begin().await;
    for manner in [
        Manner::Take,
        Manner::Refuse(0x58),
        Manner::Take,
        Manner::Refuse(0x14),
    ] {
        stage.smsc.next(manner);
    }
    let error = stage
        .send("1", &long_text())
        .await
        .expect_err("two parts are missing");
    assert_eq!(error.class(), "throttled");
    assert_eq!(stage.smsc.count(), 2);
    stage.send("1", &long_text()).await.expect("the rest");
    assert_eq!(stage.smsc.texts_to(NUMBER), [long_text()]);
    assert_eq!(stage.smsc.count(), 4, "no part went twice");
    stage.send("2", &long_text()).await.expect("another one");
    let references: Vec<_> = stage
        .smsc
        .submitted()
        .iter()
        .map(|one| one.join().map(|join| join.0))
        .collect();
    assert!(references[..4].iter().all(|one| *one == references[0]));
    assert_ne!(references[0], references[4]);
}

#[tokio::test]
async fn what_is_dropped_before_it_is_written_is_never_written() {
    let stage = Stage::with(|config| config.window = 2).await;
    stage.smsc.hold_answers(true);
    let mut sends = Vec::new();
    for number in 0..5 {
        let mut send = Box::pin(async { stage.send("x", "xin chao").await });
        if number < 2 {
            // These are written.
            until_polled(&mut send).await;
            until("written", || stage.smsc.count() == number + 1).await;
        }
        sends.push(send);
    }
    // The window is full: these wait for a place, and are dropped there.
    for send in &mut sends[2..] {
        until_polled(send).await;
    }
    sends.truncate(2);
    // And these were never looked at again after they were written.
    drop(sends);
    stage.smsc.hold_answers(false);
    // Their places become free when their answers come.
    stage.send("y", "tam biet").await.expect("a free place");
    assert_eq!(stage.smsc.count(), 3);
}

/// Lets a future run for a moment.
async fn until_polled<F: Future + Unpin>(future: &mut F) {
    drop(tokio::time::timeout(Duration::from_millis(30), future).await);
}

#[tokio::test]
async fn receipts_of_all_forms_are_matched() {
    for (ids, receipt_ids) in [
        (Ids::Words, ReceiptIds::Same),
        (Ids::HexDecimal, ReceiptIds::HexDecimal),
        (Ids::DecimalHex, ReceiptIds::DecimalHex),
    ] {
        for form in [
            ReceiptForm::Text,
            ReceiptForm::Parameters,
            ReceiptForm::Both,
        ] {
            for early in [false, true] {
                let stage = Stage::with(|config| config.receipt_ids = receipt_ids).await;
                let receipts = |state| Receipts {
                    state: Some(state),
                    form,
                    ids,
                    early,
                    twice: true,
                };
                stage.smsc.receipts(receipts("DELIVRD"));
                let one = stage.send("1", "xin chao").await.expect("taken");
                let long = stage.send("2", &long_text()).await.expect("taken");
                stage.smsc.receipts(receipts("UNDELIV"));
                let failed = stage.send("3", "tam biet").await.expect("taken");
                let what = format!("{ids:?} {form:?} {early}");
                until(&what, || stage.store.receipts().len() >= 3).await;
                let id = |sent: langnghe_connector::Sent| {
                    sent.message.expect("an id").as_str().to_owned()
                };
                let mut is = stage.store.receipts();
                let code = match form {
                    ReceiptForm::Parameters => "UNDELIV",
                    _ => "UNDELIV 045",
                };
                let mut expected = vec![
                    format!("{} delivered", id(one)),
                    format!("{} delivered", id(long)),
                    format!("{} {code}", id(failed)),
                ];
                is.sort();
                expected.sort();
                assert_eq!(is, expected, "{what}");
            }
        }
    }
}

#[tokio::test]
async fn separate_lines_for_each_way() {
    let mut stage = Stage::before(Smsc::start(10).await, |config| {
        config.bind = BindMode::Separate;
    });
    stage.tend();
    stage.bound(2).await;
    let mut kinds: Vec<u32> = stage.smsc.binds().iter().map(|bind| bind.command).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, [1, 2]);
    stage.smsc.receipts(Receipts {
        state: Some("DELIVRD"),
        ..Receipts::default()
    });
    stage.send("1", "xin chao").await.expect("taken");
    let deliver = crate::stage::smsc::Deliver::text(NUMBER, "8088", "PA o ga");
    assert_eq!(stage.smsc.deliver(&deliver).await, Some(0));
    assert_eq!(stage.store.texts(), ["PA o ga"]);
    stage.end().await;
    assert_eq!(stage.smsc.unbinds(), 2);
}

#[tokio::test]
async fn throttling_loses_and_doubles_nothing() {
    let stage = Stage::begin().await;
    stage.smsc.throttle_every(Some(5));
    let mut left: Vec<usize> = (0..100).collect();
    while !left.is_empty() {
        let sends = left.iter().map(async |number| {
            let text = format!("tin {number}");
            stage.send(&text, &text).await.is_err().then_some(*number)
        });
        left = futures_util::future::join_all(sends)
            .await
            .into_iter()
            .flatten()
            .collect();
    }
    let mut texts = stage.smsc.texts_to(NUMBER);
    texts.sort();
    texts.dedup();
    assert_eq!((texts.len(), stage.smsc.count()), (100, 100));
}
