//! One whole turn: decode the session, understand, step, word, encode.

use std::{
    hint::black_box,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use langnghe_flow::{Agency, Context, Library, Session, Settings};
use langnghe_model::{
    Capabilities, ChannelId, CitizenId, ConversationId, Event, EventId, EventKind, Timestamp,
    event::Message, problem::Source,
};

const NOW: Timestamp = Timestamp::from_seconds(1_795_230_000);

fn sources(paths: &[&str]) -> Vec<Arc<Source>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let read = |path: &&str| {
        let text = std::fs::read_to_string(root.join(path)).expect("the file is there");
        Source::new(*path, text)
    };
    paths.iter().map(read).collect()
}

fn event(text: &str) -> Event {
    let channel = ChannelId::new("web").expect("a good id");
    Event {
        id: EventId::new("m_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"),
        conversation: ConversationId::new(channel, CitizenId::new("1234567890123456")),
        sent_at: NOW,
        received_at: NOW,
        kind: EventKind::Message(Message {
            text: Some(text.to_owned()),
            ..Message::default()
        }),
    }
}

/// One turn from stored bytes to stored bytes.
fn turn(
    library: &Library,
    context: &Context<'_>,
    bytes: Option<&[u8]>,
    event: &Event,
) -> Option<Vec<u8>> {
    let session = bytes.map(|bytes| Session::decode(bytes).expect("a session"));
    let step = library.step(session, event, context);
    black_box(&step.replies);
    step.session.as_ref().map(Session::encode)
}

fn turns(criterion: &mut Criterion) {
    let flows = sources(&["flows/hien-truong.toml", "flows/menu.toml"]);
    let locales = sources(&[
        "locales/en/hien-truong.ftl",
        "locales/en/menu.ftl",
        "locales/en/system.ftl",
        "locales/vi/system.ftl",
    ]);
    let settings = Settings {
        start: "menu".to_owned(),
        language: "vi".to_owned(),
        backends: None,
        agency: Agency::default(),
    };
    let library = Library::load(&flows, &locales, settings)
        .library
        .expect("flows that check");
    let capabilities = Capabilities::text_only(2000);
    let context = Context {
        now: NOW,
        ticket_code: "CT-7K4M-2QXH",
        capabilities: &capabilities,
        profile: None,
        tickets: None,
    };
    let after = |texts: &[&str]| {
        texts.iter().fold(None, |bytes: Option<Vec<u8>>, text| {
            turn(&library, &context, bytes.as_deref(), &event(text))
        })
    };
    let begun = after(&["phan anh"]);
    let asked = after(&[
        "phan anh",
        "co chuyen nay la lam",
        "truoc so 12 nguyen trai",
    ]);
    let late = after(&[
        "phan anh",
        "den duong hong ba ngay nay roi",
        "truoc so 12 nguyen trai",
        "0",
        "bo qua",
        "bo qua",
    ]);
    let review = after(&[
        "phan anh",
        "den duong hong ba ngay nay roi",
        "truoc so 12 nguyen trai",
        "0",
        "bo qua",
        "bo qua",
        "co",
    ]);
    for (name, bytes) in [("asked", &asked), ("late", &late), ("review", &review)] {
        let bytes = bytes.as_deref().expect("a session");
        let session = Session::decode(bytes).expect("a session");
        println!("session, {name}: {} bytes", bytes.len());
        criterion.bench_function(&format!("decode the session, {name}"), |bencher| {
            bencher.iter(|| Session::decode(black_box(bytes)));
        });
        criterion.bench_function(&format!("encode the session, {name}"), |bencher| {
            bencher.iter(|| black_box(&session).encode());
        });
    }
    for (name, before, text) in [
        (
            "choice by label without diacritics",
            &asked,
            "rac, o nhiem, tieng on",
        ),
        ("choice by hint", &asked, "o ga to lam"),
        ("choice with a slip", &asked, "cay xanh cong vein"),
        ("choice by number", &asked, "4"),
        ("not understood", &asked, "khong biet nua"),
        (
            "free text",
            &begun,
            "Đèn đường trước nhà số 12 hỏng ba ngày nay, buổi tối rất tối",
        ),
        ("yes", &late, "dạ có ạ"),
        ("consent and review", &review, "đồng ý"),
        (
            "first message with a trigger",
            &None,
            "toi muon phan anh nap cong bi vo truoc cho",
        ),
        ("first message, menu", &None, "xin chào"),
    ] {
        let event = event(text);
        let median = median(|| turn(&library, &context, before.as_deref(), &event));
        println!("{name}: median of single turns {median:?}");
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| {
                turn(
                    &library,
                    &context,
                    black_box(before.as_deref()),
                    black_box(&event),
                )
            });
        });
    }
}

/// The median time of single turns: what a neighbour on the same cores takes falls out of it.
fn median<T>(mut turn: impl FnMut() -> T) -> Duration {
    let mut times: Vec<Duration> = (0..10_001)
        .map(|_| {
            let begun = Instant::now();
            black_box(turn());
            begun.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[times.len() / 2]
}

criterion_group!(benches, turns);
criterion_main!(benches);
