//! `docs/channels.md`: what every step of a conversation becomes on every channel, worked out by the
//! engine and by rendering, not by hand.

use std::{fmt::Write as _, path::Path, sync::Arc};

use langnghe_connector::render;
use langnghe_flow::{Context, Library, Session, Settings};
use langnghe_messenger::ChoicePresentation;
use langnghe_model::{
    Capabilities, ChannelId, CitizenId, ConversationId, Event, EventId, EventKind, Reply,
    Timestamp,
    capabilities::{ChoiceLimit, TextUnit},
    event::{MediaKind, Message},
    problem::Source,
    reply::{Choice, ContactField},
};

use langnghe_zalo::ChoicePresentation as ZaloChoices;
use secrecy::SecretString;

use crate::sources::Sources;

/// Set it to write the file anew.
const WRITE: &str = "LANGNGHE_WRITE";

fn zalo(choices: ZaloChoices) -> langnghe_zalo::Config {
    let channel = ChannelId::new("oa").expect("a good id");
    let secret = SecretString::default;
    let mut config = langnghe_zalo::Config::new(channel, "1", secret(), secret());
    config.choices = choices;
    config
}

/// Every channel, with what it can show. A new connector adds its line.
fn channels() -> Vec<(&'static str, Capabilities)> {
    let sms = langnghe_sms::Config::new(ChannelId::new("sms").expect("a good id"));
    vec![
        (
            "Messenger",
            langnghe_messenger::capabilities(ChoicePresentation::QuickReplies),
        ),
        ("WhatsApp", langnghe_whatsapp::capabilities()),
        ("Telegram", langnghe_telegram::capabilities()),
        (
            "Zalo",
            langnghe_zalo::capabilities(&zalo(ZaloChoices::Numbered)),
        ),
        (
            "Zalo, with buttons",
            langnghe_zalo::capabilities(&zalo(ZaloChoices::Buttons)),
        ),
        ("Zalo Bot", langnghe_zalo::bot::capabilities()),
        ("SMS", langnghe_sms::capabilities(&sms)),
        ("Web chat", langnghe_webchat::capabilities()),
    ]
}

/// A question of each kind: its name in the table, and its keys in a flow.
const QUESTIONS: [(&str, &str); 15] = [
    ("`text`", "kind = \"text\""),
    ("`text`, optional", "kind = \"text\"\noptional = true"),
    (
        "`choice` of 3",
        "kind = \"choice\"\nchoices = [{ id = \"a\", label = \"Đường\" }, { id = \"b\", label = \"Rác\" }, { id = \"c\", label = \"Việc khác\" }]",
    ),
    ("`choice` of 10 with long labels", ""),
    ("`choice` of 15", ""),
    ("`choices` (several of 4)", ""),
    ("`yes_no`", "kind = \"yes_no\""),
    ("`number`", "kind = \"number\"\nmin = 1\nmax = 200"),
    ("`rating`", "kind = \"rating\""),
    ("`date`", "kind = \"date\""),
    ("`phone`, optional", "kind = \"phone\"\noptional = true"),
    ("`email`", "kind = \"email\""),
    ("`location`", "kind = \"location\""),
    ("`media`, optional", "kind = \"media\"\noptional = true"),
    ("`consent`", "kind = \"consent\""),
];

fn question(name: &str, keys: &str) -> String {
    let choices = |count: usize, label: &dyn Fn(usize) -> String| {
        let choices: Vec<String> = (0..count)
            .map(|at| format!("{{ id = \"c{at}\", label = \"{}\" }}", label(at)))
            .collect();
        format!("choices = [{}]", choices.join(", "))
    };
    let long = |at: usize| format!("Đường, vỉa hè, cống, đèn số {at}");
    let short = |at: usize| format!("Mục {at}");
    match name {
        "`choice` of 10 with long labels" => format!("kind = \"choice\"\n{}", choices(10, &long)),
        "`choice` of 15" => format!("kind = \"choice\"\n{}", choices(15, &short)),
        "`choices` (several of 4)" => format!("kind = \"choices\"\n{}", choices(4, &short)),
        _ => keys.to_owned(),
    }
}

/// What a citizen says to bring the engine to one of its other replies, in the ready-made flows.
const OTHERS: [(&str, &[&str]); 7] = [
    ("the menu", &["xin chào"]),
    ("a question's help", &["phản ánh", "trợ giúp"]),
    ("an answer that does not fit", &["phản ánh", "?"]),
    ("leaving a form", &["phản ánh", "hủy"]),
    ("one's data", &["dữ liệu của tôi"]),
    ("erasing one's data", &["phản ánh", "xóa dữ liệu"]),
    ("asking for a person", &["gặp cán bộ"]),
];

fn settings(start: &str) -> Settings {
    Settings {
        start: start.to_owned(),
        language: "vi".to_owned(),
        backends: None,
        agency: langnghe_flow::Agency {
            name: "UBND phường".to_owned(),
            retention_months: 12,
            ..langnghe_flow::Agency::default()
        },
    }
}

fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("the root")
}

fn ready_made() -> Sources {
    Sources::read(&root().join("flows"), &root().join("locales")).expect("the ready-made flows")
}

fn load(flows: &[Arc<Source>], locales: &[Arc<Source>], start: &str) -> Library {
    let loaded = Library::load(flows, locales, settings(start));
    let problems = loaded.problems;
    loaded.library.unwrap_or_else(|| panic!("{problems:#?}"))
}

/// What the engine says to the last of these words.
fn replies(library: &Library, says: &[&str], capabilities: &Capabilities) -> Vec<Reply> {
    let channel = ChannelId::new("table").expect("a good id");
    let conversation = ConversationId::new(channel, CitizenId::new("citizen"));
    let now = Timestamp::from_seconds(1_790_000_000);
    let mut session: Option<Session> = None;
    let mut replies = Vec::new();
    for (number, words) in says.iter().enumerate() {
        let event = Event {
            id: EventId::new(number.to_string()),
            conversation: conversation.clone(),
            sent_at: now,
            received_at: now,
            kind: EventKind::Message(Message {
                text: Some((*words).to_owned()),
                ..Message::default()
            }),
        };
        let context = Context {
            now,
            ticket_code: "A-17",
            capabilities,
            profile: None,
            tickets: Some(&[]),
        };
        let step = library.step(session.take(), &event, &context);
        session = step.session;
        replies = step.replies;
    }
    replies
}

/// How a channel shows replies, in a few words.
fn shown(replies: &[Reply], capabilities: &Capabilities) -> String {
    let mut parts: Vec<String> = Vec::new();
    for reply in replies {
        for part in render(reply.clone(), capabilities) {
            let words = described(reply, &part, capabilities);
            if !words.is_empty() {
                parts.push(words);
            }
        }
    }
    parts.dedup();
    if parts.is_empty() {
        return "–".to_owned();
    }
    parts.join(" + ")
}

fn described(asked: &Reply, part: &Reply, capabilities: &Capabilities) -> String {
    match part {
        Reply::Text { text } => {
            let numbered = match asked {
                Reply::Choices { choices, .. } => {
                    let first = choices
                        .first()
                        .map(|choice| format!("1. {}", choice.label.trim()));
                    first.is_some_and(|first| plain(text).contains(&plain(&first)))
                }
                _ => false,
            };
            let words = if numbered { "numbered text" } else { "text" };
            if capabilities.text.unit == TextUnit::Segments {
                format!("{words} ({} SMS)", TextUnit::Segments.count(text))
            } else {
                words.to_owned()
            }
        }
        Reply::Choices { text, choices, .. } => tappable(text, choices, capabilities),
        Reply::Media { media, .. } => media.name().to_owned(),
        Reply::AskLocation { choices, .. } => {
            format!("button for the place{}", beside(choices))
        }
        Reply::AskContact { field, choices, .. } => {
            let field = match field {
                ContactField::Phone => "phone number",
                ContactField::Email => "e-mail address",
            };
            format!("button for the {field}{}", beside(choices))
        }
        Reply::HandOver => "handed over to staff".to_owned(),
        _ => String::new(),
    }
}

/// Without diacritics and case: some channels take them away.
fn plain(text: &str) -> String {
    langnghe_model::fold::unaccent(text).to_lowercase()
}

fn beside(choices: &[Choice]) -> String {
    match choices.len() {
        0 => String::new(),
        count => format!(", {count} more beside it"),
    }
}

fn tappable(text: &str, choices: &[Choice], capabilities: &Capabilities) -> String {
    let carries = |limit: &ChoiceLimit| {
        choices.len() <= limit.max
            && choices.iter().all(|choice| {
                limit.title_unit.count(&choice.label) <= limit.title
                    && (choice.description.is_none() || limit.description > 0)
            })
    };
    let forms = [
        (capabilities.quick_replies, "quick replies"),
        (capabilities.buttons, "buttons"),
        (capabilities.list, "rows of a list"),
    ];
    let form = forms
        .iter()
        .find(|(limit, _)| limit.as_ref().is_some_and(carries))
        .map_or("choices", |(_, words)| words);
    let mut shown = format!("{} {form}", choices.len());
    if choices.iter().any(|choice| choice.description.is_some()) {
        shown.push_str(" with their labels in full");
    }
    if text.contains("\n1. ") {
        shown.push_str(", numbered in the text");
    }
    shown
}

fn table() -> String {
    let channels = channels();
    let mut page = String::from(
        "# What each step becomes on each channel\n\n\
         Made from the code by a test (`src/langnghe/src/channel_table.rs`): the engine asks each question, and `render` fits it to what \
         each connector declares. After a change, make it anew: `LANGNGHE_WRITE=1 cargo test -p langnghe channel_table`.\n\n\
         How each channel is set up, and its limits and errors: [`channels/`](channels/).\n\n",
    );
    let head: Vec<&str> = channels.iter().map(|(name, _)| *name).collect();
    let rule = "| --- ".repeat(head.len() + 1);
    writeln!(page, "| step | {} |\n{rule}|", head.join(" | ")).expect("writing to a string");
    let ready = ready_made();
    for (name, keys) in QUESTIONS {
        let flow = format!(
            "id = \"thu\"\nversion = 1\ntitle = \"Thử\"\nlanguage = \"vi\"\n[triggers]\nphrases = [\"thử bước này\"]\n\
             [[question]]\nid = \"cau\"\nask = \"Câu hỏi ạ?\"\n{}\n",
            question(name, keys)
        );
        let flow = Source::new("thu.toml", flow);
        let library = load(&[flow], &system_words(&ready), "thu");
        row(&mut page, name, &channels, |capabilities| {
            replies(&library, &["thử bước này"], capabilities)
        });
    }
    let library = load(&ready.flows, &ready.locales, "menu");
    for (name, says) in OTHERS {
        row(&mut page, name, &channels, |capabilities| {
            replies(&library, says, capabilities)
        });
    }
    for (name, media) in [
        ("a picture with words", MediaKind::Image),
        ("a document with words", MediaKind::File),
    ] {
        let reply = Reply::Media {
            media,
            url: "https://gop-y.example.vn/m/1".to_owned(),
            caption: Some("Kết quả xử lý".to_owned()),
        };
        row(&mut page, name, &channels, |_| vec![reply.clone()]);
    }
    page
}

/// The program's own words, without the translations of flows that are not there.
fn system_words(ready: &Sources) -> Vec<Arc<Source>> {
    let words = ready.locales.iter();
    words
        .filter(|source| source.path.ends_with("system.ftl"))
        .cloned()
        .collect()
}

fn row(
    page: &mut String,
    name: &str,
    channels: &[(&'static str, Capabilities)],
    replies: impl Fn(&Capabilities) -> Vec<Reply>,
) {
    let cells: Vec<String> = channels
        .iter()
        .map(|(_, capabilities)| shown(&replies(capabilities), capabilities))
        .collect();
    writeln!(page, "| {name} | {} |", cells.join(" | ")).expect("writing to a string");
}

#[test]
fn the_table_of_channels_is_up_to_date() {
    let path = root().join("docs/channels.md");
    let table = table();
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, &table).expect("the page is written");
    }
    let page = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        page == table,
        "docs/channels.md is not what the code does any more; make it anew:\n\
         LANGNGHE_WRITE=1 cargo test -p langnghe channel_table\n{table}"
    );
}
