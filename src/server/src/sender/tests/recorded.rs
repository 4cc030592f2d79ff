//! What is used of long quotas outlives its owner.

use super::*;

#[tokio::test]
async fn a_restart_forgets_nothing_of_a_long_quota() {
    let daily = QuotaRule {
        name: "daily",
        scope: QuotaScope::Channel,
        unit: QuotaUnit::Messages,
        limit: 4,
        per: Duration::from_hours(24),
        burst: 4,
    };
    let mut folder = tempfile::tempdir().expect("a folder");
    for run in 0..4 {
        let mut stage = Stage::on(folder, vec![daily.clone()]);
        stage.provider.answers.add_permits(9);
        stage.granted().await;
        let text = format!("reply {run}");
        stage.queue("an", &[&text]).await;
        assert_eq!(stage.asked().await, text);
        let answered = async {
            while stage.provider.answers.available_permits() > 8 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(SOON, answered)
            .await
            .expect("answered");
        folder = if run % 2 == 0 {
            stage.killed().await
        } else {
            stage.stopped().await
        };
    }
    let mut stage = Stage::on(folder, vec![daily]);
    stage.provider.answers.add_permits(9);
    stage.granted().await;
    stage.queue("an", &["one too many"]).await;
    let used = async {
        while stage.keeper.book.states()[0].used < 4 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, used).await.expect("it is read");
    stage.asked_nothing_more().await;
    stage.end().await;
}

#[tokio::test]
async fn what_another_recorded_meanwhile_is_read_before_the_next_send() {
    let mut rule = chat_rule();
    rule.per = Duration::from_hours(1);
    rule.burst = 2;
    let mut stage = Stage::with(vec![rule]);
    stage.provider.answers.add_permits(9);
    stage.granted().await;
    stage.queue("an", &["an 1"]).await;
    assert_eq!(stage.asked().await, "an 1");
    let prefix = "channel/page/quota/";
    let written = stage.store.documents(prefix).await.expect("documents");
    let (name, body) = &written[0];
    let other = [body.as_slice(), b" "].concat();
    stage.store.keep_document(name, &other).await.expect("kept");
    let epoch = stage.guard.tenure().expect("a reign").epoch();
    stage.queue("an", &["an 2"]).await;
    let over = async {
        while stage
            .guard
            .tenure()
            .is_some_and(|tenure| tenure.epoch() == epoch)
        {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(SOON, over)
        .await
        .expect("the reign ends");
    stage.asked_nothing_more().await;
    stage.let_go("us").await;
    stage.granted().await;
    assert_eq!(stage.asked().await, "an 2");
    stage.end().await;
}
