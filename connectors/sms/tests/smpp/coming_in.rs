//! What comes in.

use std::{sync::atomic::Ordering, time::Duration};

use crate::stage::{
    Stage,
    smsc::{Deliver, Operation, written},
    until,
};
use langnghe_model::EventKind;
use langnghe_sms::smpp::{DefaultAlphabet, WaitingLimits};

const AN: &str = "84912345678";
const CODE: &str = "8088";
const TEMPORARY: Option<u32> = Some(0x64);
const TAKEN: Option<u32> = Some(0);

/// Text in three parts, the second of which begins in the middle of a character.
const LONG: &str = "PA Đường trước số 12 sụt lún 😡 rất nguy hiểm, nhờ xem giúp";

fn text(text: &str) -> Deliver {
    Deliver::text(AN, CODE, text)
}

/// The octets of [`LONG`] in three.
fn thirds() -> [Deliver; 3] {
    let octets = written(LONG).1;
    let middle = LONG
        .split('😡')
        .next()
        .expect("the beginning")
        .encode_utf16()
        .count()
        * 2
        + 2;
    [&octets[..20], &octets[20..middle], &octets[middle..]].map(|octets| Deliver {
        source: AN.to_owned(),
        destination: CODE.to_owned(),
        data_coding: 8,
        octets: octets.to_vec(),
        ..Deliver::default()
    })
}

#[tokio::test]
async fn words_of_every_alphabet_arrive() {
    let stage = Stage::begin().await;
    for words in ["PA o ga", "Đường hỏng 😡", "a@b"] {
        assert_eq!(stage.smsc.deliver(&text(words)).await, TAKEN);
        assert_eq!(stage.store.texts().pop().as_deref(), Some(words));
    }
    let gsm = Deliver {
        octets: b"\x00 \x1b\x65 \x11".to_vec(),
        ..text("")
    };
    assert_eq!(stage.smsc.deliver(&gsm).await, TAKEN);
    assert_eq!(stage.store.texts().pop().as_deref(), Some("@ € _"));
    let latin = Deliver {
        data_coding: 3,
        octets: b"caf\xe9".to_vec(),
        ..text("")
    };
    assert_eq!(stage.smsc.deliver(&latin).await, TAKEN);
    assert_eq!(stage.store.texts().pop().as_deref(), Some("café"));
    assert_eq!(
        stage
            .smsc
            .deliver(&text("payload đây").with_payload())
            .await,
        TAKEN
    );
    assert_eq!(stage.store.texts().pop().as_deref(), Some("payload đây"));
    let binary = Deliver {
        data_coding: 4,
        octets: vec![1, 2],
        ..text("")
    };
    assert_eq!(stage.smsc.deliver(&binary).await, TAKEN);
    let last = stage.store.events().pop().expect("kept raw");
    assert!(matches!(last.kind, EventKind::Unknown { .. }), "{last:?}");
    let ascii = Stage::with(|config| config.default_alphabet = DefaultAlphabet::Ascii).await;
    assert_eq!(
        ascii
            .smsc
            .deliver(&Deliver {
                octets: b"@_".to_vec(),
                ..text("")
            })
            .await,
        TAKEN
    );
    assert_eq!(ascii.store.texts(), ["@_"]);
}

#[tokio::test]
async fn long_messages_come_together_however_they_are_cut_and_ordered() {
    let join: [fn(Deliver, u8) -> Deliver; 4] = [
        |part, number| part.part(7, 3, number),
        |part, number| part.wide_part(700, 3, number),
        |part, number| part.sar_part(700, 3, number),
        |part, number| part.part(8, 3, number).with_payload(),
    ];
    for join in join {
        for order in [[1, 2, 3], [3, 2, 1], [2, 3, 1]] {
            let stage = Stage::begin().await;
            for number in order {
                let part = join(thirds()[usize::from(number) - 1].clone(), number);
                assert_eq!(stage.smsc.deliver(&part).await, TAKEN);
                // Once more, as its answer was lost.
                assert_eq!(stage.smsc.deliver(&part).await, TAKEN);
            }
            assert_eq!(stage.store.texts(), [LONG], "{order:?}");
        }
    }
}

#[tokio::test]
async fn long_messages_of_several_citizens_come_at_the_same_time() {
    let stage = Stage::begin().await;
    for number in 1..=3_u8 {
        for citizen in 0..5 {
            let part = thirds()[usize::from(number) - 1].clone().part(7, 3, number);
            let part = Deliver {
                source: format!("8491234567{citizen}"),
                ..part
            };
            assert_eq!(stage.smsc.deliver(&part).await, TAKEN);
        }
    }
    assert_eq!(stage.store.texts(), [LONG; 5]);
}

#[tokio::test]
async fn a_message_whose_parts_do_not_come_is_given_on_with_its_gap() {
    let stage = Stage::with(|config| {
        config.waiting = WaitingLimits {
            time: Duration::from_secs(3),
            ..WaitingLimits::default()
        };
    })
    .await;
    assert_eq!(stage.smsc.deliver(&text("PA ").part(7, 3, 1)).await, TAKEN);
    assert_eq!(stage.smsc.deliver(&text("hong").part(7, 3, 3)).await, TAKEN);
    until("given on", || !stage.store.texts().is_empty()).await;
    assert_eq!(stage.store.texts(), ["PA […]hong"]);
    assert_eq!(
        stage.smsc.deliver(&text("duong ").part(7, 3, 2)).await,
        TAKEN
    );
    assert_eq!(stage.store.texts()[1..], ["[…]duong […]"]);
}

#[tokio::test]
async fn nothing_is_taken_while_it_cannot_be_stored() {
    let stage = Stage::begin().await;
    stage.store.takes_nothing.store(true, Ordering::Relaxed);
    let [one, two, three] = thirds();
    let parts = [one.part(7, 3, 1), two.part(7, 3, 2), three.part(7, 3, 3)];
    for message in [&text("PA o ga"), &parts[0], &parts[1], &parts[2]] {
        assert_eq!(stage.smsc.deliver(message).await, TEMPORARY);
        assert_eq!(stage.smsc.deliver(message).await, TEMPORARY);
    }
    stage.store.takes_nothing.store(false, Ordering::Relaxed);
    for message in [&parts[2], &parts[1], &text("PA o ga"), &parts[0]] {
        assert_eq!(stage.smsc.deliver(message).await, TAKEN);
    }
    let mut texts = stage.store.texts();
    texts.sort();
    assert_eq!(texts, ["PA o ga", LONG]);
}

#[tokio::test]
async fn a_citizen_may_say_the_same_twice_and_a_redelivery_is_one_message() {
    let stage = Stage::begin().await;
    assert_eq!(stage.smsc.deliver(&text("1")).await, TAKEN);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(stage.smsc.deliver(&text("1")).await, TAKEN);
    assert_eq!(stage.store.texts(), ["1", "1"]);
    // The link is cut, and our answer may have been lost with it.
    stage.smsc.cut();
    until("a second bind", || stage.smsc.binds().len() == 2).await;
    stage.bound(1).await;
    assert_eq!(stage.smsc.deliver(&text("1")).await, TAKEN);
    assert_eq!(stage.store.texts(), ["1", "1"]);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(stage.smsc.deliver(&text("1")).await, TAKEN);
    assert_eq!(stage.store.texts(), ["1", "1", "1"]);
}

#[tokio::test]
async fn parts_that_wait_survive_a_crash_and_nothing_comes_twice() {
    let mut stage = Stage::begin().await;
    let [one, two, three] = thirds();
    let parts = [one.part(7, 3, 1), two.part(7, 3, 2), three.part(7, 3, 3)];
    assert_eq!(stage.smsc.deliver(&parts[2]).await, TAKEN);
    assert_eq!(stage.smsc.deliver(&parts[0]).await, TAKEN);
    assert_eq!(stage.smsc.deliver(&text("2")).await, TAKEN);
    stage.crash().await;
    // The message centre did not hear these answers.
    assert_eq!(stage.smsc.deliver(&parts[0]).await, TAKEN);
    assert_eq!(stage.smsc.deliver(&text("2")).await, TAKEN);
    assert_eq!(stage.store.texts(), ["2"]);
    assert_eq!(stage.smsc.deliver(&parts[1]).await, TAKEN);
    assert_eq!(stage.store.texts(), ["2", LONG]);
    stage.crash().await;
    assert_eq!(stage.smsc.deliver(&parts[1]).await, TAKEN);
    assert_eq!(stage.smsc.deliver(&parts[2]).await, TAKEN);
    tokio::time::sleep(Duration::from_millis(1_200)).await;
    assert_eq!(stage.store.texts(), ["2", LONG]);
}

/// The held-out list of odd operations: each is answered, the link stays, the next message is taken.
#[tokio::test]
async fn odd_operations_are_answered_and_never_end_the_link() {
    let stage = Stage::begin().await;
    let body = |deliver: Deliver| deliver.body();
    let with = |tag: u16, value: &[u8]| {
        let mut deliver = text("le");
        deliver.parameters.push((tag, value.to_vec()));
        deliver.body()
    };
    let cut_parameter = [text("le").body(), vec![0x04, 0x24, 0, 9, 1]].concat();
    let stray = [text("le").body(), vec![1, 2]].concat();
    let mut too_long = text("le").body();
    let length = too_long.len() - 3;
    too_long[length] = 200;
    let mut timed = text("le").body();
    timed.splice(24..24, *b"2611211823");
    let beyond_ascii = {
        let mut octets = text("le").body();
        octets[3] = 0xe9;
        octets
    };
    let mut odd: Vec<(&str, u32, Vec<u8>, u32)> = vec![
        (
            "receipted_message_id without NUL",
            5,
            with(0x001e, b"m-9"),
            0,
        ),
        (
            "network_error_code of 4 octets",
            5,
            with(0x0423, &[1, 2, 3, 4]),
            0,
        ),
        (
            "user_message_reference of 1 octet",
            5,
            with(0x0204, &[1]),
            0,
        ),
        ("sar_total of 2 octets", 5, with(0x020e, &[0, 2]), 0),
        ("a vendor's parameter", 5, with(0x1400, &[0; 300]), 0),
        ("stray octets", 5, stray, 0),
        ("a parameter past the end", 5, cut_parameter, 0),
        ("sm_length too large", 5, too_long, 0),
        ("a time of 10 characters", 5, timed, 0),
        ("a source beyond ASCII", 5, beyond_ascii, 0),
        (
            "a source of 30 digits",
            5,
            body(Deliver::text(&"9".repeat(30), CODE, "le")),
            0,
        ),
        (
            "a source of letters",
            5,
            body(Deliver::text("Viettel", CODE, "le")),
            0,
        ),
        ("no source", 5, body(Deliver::text("", CODE, "le")), 0x65),
        ("no destination", 5, body(Deliver::text(AN, "", "le")), 0),
        ("no text", 5, body(text("")), 0),
        ("nothing at all", 5, Vec::new(), 0x65),
        (
            "cut after the source",
            5,
            text("le").body()[..15].to_vec(),
            0,
        ),
        (
            "an unknown coding",
            5,
            body(Deliver {
                data_coding: 0x55,
                ..text("le")
            }),
            0,
        ),
        (
            "half a UCS-2 unit",
            5,
            body(Deliver {
                data_coding: 8,
                octets: vec![0, 65, 1],
                ..text("")
            }),
            0,
        ),
        (
            "a header longer than all",
            5,
            body(Deliver {
                esm_class: 0x40,
                octets: vec![99, 1],
                ..text("")
            }),
            0,
        ),
        ("a part 0 of 0", 5, body(text("le").part(1, 0, 0)), 0),
        ("a part 9 of 2", 5, body(text("le").part(1, 2, 9)), 0),
        (
            "a receipt of nothing",
            5,
            body(Deliver::receipt(AN, CODE, "")),
            0,
        ),
        (
            "a receipt of words",
            5,
            body(Deliver::receipt(AN, CODE, "stat:DELIVRD hello id:")),
            0,
        ),
        (
            "data_sm",
            0x103,
            [
                b"\0\x01\x01",
                AN.as_bytes(),
                b"\0\0\08088\0\0\0\0\x04\x24\0\x02le",
            ]
            .concat(),
            0,
        ),
        ("data_sm of nothing", 0x103, Vec::new(), 0x65),
        ("a submit to us", 4, text("le").body(), 3),
        ("an unknown operation", 0x77, vec![1, 2, 3], 3),
    ];
    for (name, command, body, status) in odd.drain(..) {
        let answer = stage.smsc.ask(command, body).await;
        let answer = answer.unwrap_or_else(|| panic!("no answer to {name}"));
        assert_eq!(answer.status, status, "{name}");
        let expected = if status == 3 {
            0x8000_0000
        } else {
            command | 0x8000_0000
        };
        assert_eq!(answer.command, expected, "{name}");
    }
    // These want no answer.
    for (command, body) in [
        (0x102, b"\x01\x0184\0\0\0x\0".to_vec()),
        (0x102, Vec::new()),
        (0x0b, Vec::new()),
    ] {
        let operation = Operation {
            command,
            status: 0,
            sequence: 9,
            body,
        };
        stage.smsc.send_raw(&operation.bytes());
    }
    for command in [0x8000_0000, 0x8000_0004, 0x8000_0015, 0x8000_0777] {
        let operation = Operation {
            command,
            status: 1,
            sequence: 4_000_000,
            body: vec![1],
        };
        stage.smsc.send_raw(&operation.bytes());
    }
    assert_eq!(stage.smsc.deliver(&text("cuoi cung")).await, TAKEN);
    assert_eq!(stage.store.texts().pop().as_deref(), Some("cuoi cung"));
    assert_eq!(stage.smsc.binds().len(), 1, "the first link is still there");
    // But where the next operation begins cannot be known after these.
    for length in [15_u32, 70_001] {
        let binds = stage.smsc.binds().len();
        stage
            .smsc
            .send_raw(&[length.to_be_bytes(), [0; 4], [0; 4], [0; 4]].concat());
        until("a new link", || stage.smsc.binds().len() > binds).await;
        stage.bound(1).await;
    }
    assert_eq!(stage.smsc.deliver(&text("xong")).await, TAKEN);
}

#[tokio::test]
async fn many_messages_at_once_are_each_taken_once_and_in_order() {
    let stage = Stage::begin().await;
    let messages: Vec<String> = (0..300).map(|number| format!("tin {number}")).collect();
    for words in &messages {
        stage.smsc.deliver_unheard(&text(words));
    }
    until("all of them", || stage.store.texts().len() >= 300).await;
    assert_eq!(stage.store.texts(), messages);
    let batches = stage.store.accepts.load(Ordering::Relaxed);
    assert!(batches < 150, "many of them in one go: {batches}");
}
