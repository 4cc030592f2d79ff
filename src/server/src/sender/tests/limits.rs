//! What a sender does at its limits, and where a channel has to rest.

use super::*;

#[tokio::test]
async fn the_first_reply_of_a_reign_keeps_its_distance_too() {
    let mut stage = Stage::new(Some(5));
    stage.provider.answers.add_permits(9);
    stage.queue("an", &["an 1", "an 2"]).await;
    let began = Instant::now();
    stage.granted().await;
    for (expected, least) in [("an 1", 200), ("an 2", 400)] {
        assert_eq!(stage.asked().await, expected);
        let least = Duration::from_millis(least - 5);
        assert!(
            began.elapsed() >= least,
            "{expected}: {:?}",
            began.elapsed()
        );
    }
    stage.end().await;
}

#[tokio::test]
async fn a_recipient_who_has_to_wait_holds_up_nobody() {
    let mut stage = Stage::with(vec![chat_rule()]);
    stage.provider.answers.add_permits(9);
    stage.granted().await;
    stage.queue("an", &["an 1", "an 2"]).await;
    assert_eq!(stage.asked().await, "an 1");
    let waits = async {
        while stage.keeper.book.states()[0].waiting == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(SOON, waits)
        .await
        .expect("the second one waits");
    stage.queue("binh", &["binh 1"]).await;
    assert_eq!(stage.asked().await, "binh 1");
    assert_eq!(stage.asked().await, "an 2");
    let apart = stage.between(0, 2);
    assert!(apart >= Duration::from_millis(1495), "{apart:?}");
    assert_eq!(stage.keeper.book.states()[0].waiting, 0);
    stage.end().await;
}

#[tokio::test]
async fn a_throttled_channel_rests_and_goes_on_at_half_its_pace() {
    let mut stage = Stage::new(Some(40));
    stage.provider.answers.add_permits(9);
    let throttled = SendError::Throttled {
        after: Some(Duration::from_millis(300)),
        scope: ThrottleScope::Channel,
        code: "613".to_owned(),
    };
    stage
        .provider
        .refusals
        .lock()
        .expect("not poisoned")
        .push_back(throttled);
    stage.granted().await;
    stage.queue("an", &["an 1"]).await;
    assert_eq!(stage.asked().await, "an 1");
    assert_eq!(stage.asked().await, "an 1");
    let rested = stage.between(0, 1);
    assert!(rested >= Duration::from_millis(290), "{rested:?}");
    let shown = stage.keeper.state(true).expect("it is shown");
    assert_eq!((shown.pace_percent, shown.quotas[0].pace_percent), (50, 50));
    stage.end().await;
}

#[tokio::test]
async fn a_channel_without_a_line_rests_and_keeps_its_pace() {
    let mut stage = Stage::new(Some(40));
    stage.provider.answers.add_permits(9);
    let down = SendError::NotReady {
        after: Duration::from_millis(300),
        reason: "no line".to_owned(),
    };
    let refusals = &stage.provider.refusals;
    refusals.lock().expect("not poisoned").push_back(down);
    stage.granted().await;
    stage.queue("an", &["an 1"]).await;
    for _ in 0..2 {
        assert_eq!(stage.asked().await, "an 1");
    }
    let rested = stage.between(0, 1);
    assert!(rested >= Duration::from_millis(290), "{rested:?}");
    let shown = stage.keeper.state(true).expect("it is shown");
    assert_eq!(shown.pace_percent, 100);
    stage.end().await;
}

#[tokio::test]
async fn what_the_provider_tells_of_our_allowance_pauses_the_channel() {
    let mut stage = Stage::new(Some(40));
    stage.provider.answers.add_permits(9);
    let hint = Hint::Used {
        allowance: "app",
        percent: 97,
    };
    stage
        .provider
        .hints
        .lock()
        .expect("not poisoned")
        .push(hint);
    stage.granted().await;
    stage.queue("an", &["an 1", "an 2"]).await;
    assert_eq!(stage.asked().await, "an 1");
    let rests = async {
        loop {
            let shown = stage.keeper.state(true).expect("it is shown");
            if let Some(why) = shown.why {
                return (why, shown.paused_until_ms, shown.allowances);
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let (why, until, allowances) = tokio::time::timeout(SOON, rests).await.expect("it rests");
    assert!(why.contains("97 %"), "{why}");
    assert!(until.is_some_and(|until| until > clock::now().as_milliseconds() + 50_000));
    assert_eq!(allowances[0].used_percent, Some(97));
    assert!(stage.asked.try_recv().is_err(), "nothing is sent meanwhile");
    stage.end().await;
}
