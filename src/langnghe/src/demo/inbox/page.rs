//! The inbox as a page: Vietnamese, with English beside it.

use langnghe_desk::ticket::Ticket;
use langnghe_model::{
    Timestamp,
    event::{Media, MediaKind},
    ticket::Answer,
};
use maud::{DOCTYPE, Markup, html};
use serde_json::Value;
use url::Url;

use super::ledger::{Entry, Ledger};

pub(super) const STYLE: &str = include_str!("inbox.css");
pub(super) const SCRIPT: &str = include_str!("inbox.js");

/// How many tickets the page shows.
const SHOWN: usize = 100;

/// The agency's own number for a ticket.
pub(super) fn reference(number: usize) -> String {
    format!("PA-{number:04}")
}

/// One line on how things stand.
pub(super) fn status(ledger: &Ledger) -> String {
    let (all, urgent, again) = (ledger.len(), ledger.urgent(), ledger.repetitions());
    let parts = [
        Some(format!("{all} phiếu")),
        (urgent > 0).then(|| format!("{urgent} khẩn")),
        (again > 0).then(|| format!("{again} lần gửi lại đã nhận ra")),
        (all > SHOWN).then(|| format!("đang hiện {SHOWN} phiếu mới nhất")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// The whole page.
pub(super) fn whole(ledger: &Ledger) -> Markup {
    html! {
        (DOCTYPE)
        html lang="vi" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Hộp thư cơ quan · Lắng Nghe" }
                link rel="stylesheet" href="/demo/agency/inbox.css";
                script src="/demo/agency/inbox.js" defer {}
            }
            body {
                header {
                    nav { a href="/" { "Lắng Nghe" } " / dùng thử" }
                    h1 { "Hộp thư cơ quan " (english("Agency inbox")) }
                    p .lead {
                        "Mỗi phiếu đến đây qua webhook có chữ ký (Standard Webhooks), đúng như với hệ thống thật. "
                        (english("Every ticket arrives over the same signed webhook as in real use."))
                    }
                    p #status role="status" { (status(ledger)) }
                }
                main #tickets data-state=(ledger.state()) { (tickets(ledger)) }
                noscript { p { "Tải lại trang để xem phiếu mới. " (english("Reload to see new tickets.")) } }
            }
        }
    }
}

/// The tickets, newest first.
pub(super) fn tickets(ledger: &Ledger) -> Markup {
    html! {
        @if ledger.len() == 0 {
            section #empty {
                p { "Chưa có phiếu nào." }
                p {
                    a href="/chat" { "Mở trò chuyện" }
                    " và gửi một phản ánh: phiếu sẽ hiện ở đây ngay. "
                    (english("Open the chat and make a report: it appears here at once."))
                }
            }
        }
        @for (number, entry) in ledger.newest(SHOWN) { (one(number, entry)) }
    }
}

fn english(text: &str) -> Markup {
    html! { span .en lang="en" { (text) } }
}

fn one(number: usize, entry: &Entry) -> Markup {
    let ticket = &entry.ticket;
    html! {
        article #{ "ticket-" (number) } .urgent[ticket.urgent] {
            header {
                h2 { (ticket.title) }
                @if ticket.urgent { strong .badge { "KHẨN " (english("urgent")) } }
                p .facts {
                    b .code { (ticket.code) }
                    span { (reference(number)) }
                    time datetime=(ticket.created_at) { (local_time(entry.received_at)) }
                    span { (ticket.channel) " · " (ticket.language) }
                    @if let Some(service) = &ticket.service { span { (service) } }
                }
            }
            dl { @for answer in &ticket.answers { (one_answer(answer)) } }
            (withheld(ticket))
            details {
                summary { "JSON đã nhận " (english("the JSON")) }
                pre tabindex="0" { code { (pretty(&entry.event)) } }
            }
        }
    }
}

fn withheld(ticket: &Ticket) -> Markup {
    html! {
        @if !ticket.withheld.is_empty() {
            p .withheld {
                (ticket.withheld.len()) " câu trả lời riêng tư đã xoá theo yêu cầu. "
                (english("Personal answers, erased on request."))
            }
        }
    }
}

fn one_answer(answer: &Answer) -> Markup {
    html! {
        div {
            dt {
                (answer.label)
                @if answer.personal {
                    " " span .personal title="personal: not for the public" { "riêng tư" }
                }
            }
            dd {
                (answer.text)
                @if let Some(map) = map_link(&answer.value) {
                    " " a href=(map) target="_blank" rel="noopener noreferrer" { "bản đồ" }
                }
                @if !answer.media.is_empty() {
                    div .media { @for media in &answer.media { (one_medium(media)) } }
                }
            }
        }
    }
}

/// A file of our own is shown; a link to elsewhere is a link.
fn one_medium(media: &Media) -> Markup {
    let name = media.name.as_deref().unwrap_or(match media.kind {
        MediaKind::Image => "ảnh",
        MediaKind::Video => "video",
        MediaKind::Audio => "ghi âm",
        MediaKind::File => "tệp",
    });
    match (own_path(&media.url), media.kind) {
        (Some(path), MediaKind::Image) => html! {
            a href=(path) target="_blank" { img src=(path) alt=(name) loading="lazy"; }
        },
        (Some(path), MediaKind::Video) => html! { video src=(path) controls preload="metadata" {} },
        (Some(path), MediaKind::Audio) => html! { audio src=(path) controls preload="none" {} },
        (Some(path), MediaKind::File) => html! { a href=(path) { (name) } },
        (None, _) if is_web_address(&media.url) => html! {
            a href=(media.url) target="_blank" rel="noopener noreferrer" { (name) " ↗" }
        },
        (None, _) => html! { (name) },
    }
}

/// The path of a file that this replica keeps, whatever name the browser knows this machine by.
fn own_path(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    url.path()
        .starts_with("/media/")
        .then(|| match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        })
}

fn is_web_address(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

fn map_link(value: &Value) -> Option<String> {
    let (latitude, longitude) = (value["latitude"].as_f64()?, value["longitude"].as_f64()?);
    let place = format!("mlat={latitude}&mlon={longitude}#map=18/{latitude}/{longitude}");
    Some(format!("https://www.openstreetmap.org/?{place}"))
}

/// A moment as people in Việt Nam write it, in their time.
fn local_time(moment: Timestamp) -> String {
    let moment = jiff::Timestamp::from_millisecond(moment.as_milliseconds()).unwrap_or_default();
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(7));
    moment
        .to_zoned(zone)
        .strftime("%H:%M:%S %d/%m/%Y")
        .to_string()
}

fn pretty(event: &Value) -> String {
    serde_json::to_string_pretty(event).unwrap_or_default()
}
