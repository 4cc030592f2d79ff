//! Nothing that comes over the line ends the program or keeps the next citizen out.

use proptest::{
    collection::vec,
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, TestRunner},
};

use crate::stage::{
    Stage,
    smsc::{Deliver, Operation},
    until,
};

const TAKEN: Option<u32> = Some(0);
/// What a message centre may ask, as far as it is known, and what it may answer.
const COMMANDS: [u32; 22] = [
    0x01,
    0x02,
    0x03,
    0x04,
    0x05,
    0x05,
    0x05,
    0x07,
    0x08,
    0x09,
    0x0b,
    0x15,
    0x21,
    0x102,
    0x103,
    0x103,
    0x8000_0000,
    0x8000_0001,
    0x8000_0004,
    0x8000_0009,
    0x8000_0015,
    0x8000_0103,
];

/// Octets that look a little like a body: texts with ends, lengths, parameters.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        vec(any::<u8>(), 0..40),
        "[0-9]{0,30}".prop_map(|digits| format!("{digits}\0").into_bytes()),
        Just(vec![0]),
        Just(vec![5, 0, 3, 7, 2, 1]),
        (any::<u16>(), 0..300_u16, vec(any::<u8>(), 0..60)).prop_map(|(tag, length, value)| {
            [&tag.to_be_bytes()[..], &length.to_be_bytes(), &value].concat()
        }),
        Just(b"id:1 stat:DELIVRD err:000 text:".to_vec()),
    ];
    vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn operation() -> impl Strategy<Value = Vec<u8>> {
    let command = prop_oneof![
        prop::sample::select(COMMANDS.to_vec()),
        any::<u32>().prop_filter("it takes leave", |command| *command != 6)
    ];
    let status = prop_oneof![Just(0), any::<u32>()];
    (command, status, any::<u32>(), body()).prop_map(|(command, status, sequence, body)| {
        let operation = Operation {
            command,
            status,
            sequence,
            body,
        };
        operation.bytes()
    })
}

#[tokio::test]
async fn whatever_operations_come_the_line_stays() {
    let stage = Stage::begin().await;
    let mut runner = TestRunner::new(Config::default());
    for round in 0..50 {
        let operations = vec(operation(), 40).new_tree(&mut runner);
        let operations = operations.expect("operations").current();
        let octets = operations.concat();
        // In pieces that begin and end anywhere.
        for piece in octets.chunks(1 + round * 7) {
            stage.smsc.send_raw(piece);
            tokio::task::yield_now().await;
        }
        let words = format!("tin so {round}");
        let message = Deliver::text("84912345678", "8088", &words);
        assert_eq!(stage.smsc.deliver(&message).await, TAKEN, "{operations:?}");
        assert!(stage.store.texts().contains(&words));
        let binds = stage.smsc.binds().len();
        assert_eq!(binds, 1, "the first line is gone after {operations:?}");
    }
    drop(stage.smsc.take_violations());
}

#[tokio::test]
async fn whatever_octets_come_the_next_line_is_good() {
    let stage = Stage::begin().await;
    let mut runner = TestRunner::new(Config::default());
    for round in 0..50 {
        let octets = vec(any::<u8>(), 1..3_000).new_tree(&mut runner);
        stage.smsc.send_raw(&octets.expect("octets").current());
        // Not all of them end it: some announce more to come.
        stage.smsc.send_raw(&vec![0xff; 70_000]);
        until("another line", || stage.smsc.binds().len() > round + 1).await;
        stage.bound(1).await;
        let words = format!("tin so {round}");
        let message = Deliver::text("84912345678", "8088", &words);
        assert_eq!(stage.smsc.deliver(&message).await, TAKEN);
    }
    drop(stage.smsc.take_violations());
}
