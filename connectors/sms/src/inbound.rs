//! From what a provider delivers to events: numbers, the keyword, the words of the law.

use langnghe_model::{
    ChannelId, CitizenId, ConversationId, Event, EventKind, Timestamp,
    event::{Attachment, LateFailure, Message, Receipt},
    phone,
};
use serde_json::json;

use crate::{
    keyword::{self, Keyword},
    law::{self, Wish},
    provider::{Inbound, IncomingMessage, Report, ReportState},
};

/// Marks a sender that is no number: nobody to answer.
const NAMED: &str = "sender:";

/// Marks what is no citizen's at all.
const PROVIDER: &str = "provider:";

/// How what comes on a channel is read.
#[derive(Debug)]
pub(crate) struct Reading {
    channel: ChannelId,
    keyword: Option<Keyword>,
}

impl Reading {
    pub(crate) fn new(channel: ChannelId, keyword: Option<Keyword>) -> Self {
        Self { channel, keyword }
    }

    /// The events of what came, in its order.
    pub(crate) fn events(&self, items: Vec<Inbound>, received_at: Timestamp) -> Vec<Event> {
        let event = |id, citizen: String, sent_at, kind| Event {
            id,
            conversation: ConversationId::new(self.channel.clone(), CitizenId::new(&citizen)),
            sent_at,
            received_at,
            kind,
        };
        items
            .into_iter()
            .map(|item| match item {
                Inbound::Message(message) => {
                    let (id, sent_at) = (message.id.clone(), message.sent_at);
                    match phone::sender(&message.from) {
                        Some(number) => event(id, number, sent_at, self.message(message)),
                        None => {
                            let citizen = format!("{NAMED}{}", message.from);
                            event(id, citizen, sent_at, unanswerable(&message))
                        }
                    }
                }
                Inbound::Report(report) => {
                    let citizen = report.to.as_deref().map_or_else(
                        || PROVIDER.to_owned(),
                        |to| phone::sender(to).unwrap_or_else(|| format!("{NAMED}{to}")),
                    );
                    let (id, at) = (report.id.clone(), report.at);
                    event(id, citizen, at, receipt(report))
                }
                Inbound::Unknown { id, name, raw } => event(
                    id,
                    PROVIDER.to_owned(),
                    received_at,
                    EventKind::Unknown { name, raw },
                ),
            })
            .collect()
    }

    fn message(&self, message: IncomingMessage) -> EventKind {
        let body = match &self.keyword {
            Some(keyword) => keyword::strip(&message.text, keyword),
            None => &message.text,
        };
        let bare = message.media.is_empty();
        if bare && let Some(wish) = law::wish(body) {
            return match wish {
                Wish::OptOut => EventKind::OptOut {
                    text: Some(body.trim().to_owned()),
                },
                Wish::OptIn => EventKind::OptIn,
            };
        }
        if bare && body.trim().is_empty() && !message.text.trim().is_empty() {
            return EventKind::Help;
        }
        EventKind::Message(Message {
            text: Some(body.to_owned()).filter(|text| !text.trim().is_empty()),
            attachments: message.media.into_iter().map(Attachment::Media).collect(),
            ..Message::default()
        })
    }
}

/// A bank, a network, a short code: kept for the operator, never answered.
fn unanswerable(message: &IncomingMessage) -> EventKind {
    EventKind::Unknown {
        name: "sms.sender".to_owned(),
        raw: json!({ "from": message.from, "text": message.text }),
    }
}

fn receipt(report: Report) -> EventKind {
    EventKind::Receipt(match report.state {
        ReportState::Delivered => Receipt::Delivered {
            messages: vec![report.message],
            up_to: None,
        },
        ReportState::Failed { code } => Receipt::Failed {
            message: report.message,
            code,
            // Networks try for days themselves; sending it once more would cost, and bring it twice.
            means: LateFailure::Never,
        },
    })
}
