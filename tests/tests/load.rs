//! The load tool itself: small runs, which find every message once and in order.

use std::process::Command;

use langnghe_tests::program::program;

fn load(options: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_load"))
        .env("LANGNGHE_PROGRAM", program())
        .args(["--count", "2000", "--rounds", "1", "--connections", "8"])
        .args(["--conversations", "50"])
        .args(options)
        .output()
        .expect("the tool starts");
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}\n{error}");
    printed
}

#[test]
fn redeliveries_change_nothing_over_a_restart() {
    let printed = load(&["--only", "accept", "--duplicates", "20"]);
    assert!(printed.contains("every one of 2000 messages was processed once and in order"));
    assert!(printed.contains("durable ÷ verifies and parses"));
}

#[test]
fn replies_leave_in_order_while_messages_come_in() {
    let printed = load(&["--only", "process", "--duplicates", "5", "--send"]);
    assert!(printed.contains("every one of 2000 messages was processed once and in order"));
}

#[test]
fn two_replicas_on_redis_lose_nothing_over_a_restart() {
    let redis = ["--store", "redis", "--replicas", "2"];
    let printed = load(&[&redis[..], &["--only", "accept", "--duplicates", "20"]].concat());
    assert!(printed.contains("every one of 2000 messages was processed once and in order"));
}

#[test]
fn two_replicas_on_redis_send_in_order_while_messages_come_in() {
    let redis = ["--store", "redis", "--replicas", "2"];
    let printed = load(&[&redis[..], &["--only", "process", "--send"]].concat());
    assert!(printed.contains("every one of 2000 messages was processed once and in order"));
    assert!(printed.contains("commands sent: "));
}
