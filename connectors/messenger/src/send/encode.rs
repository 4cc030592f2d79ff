//! The requests that say a reply.

use langnghe_connector::{Manner, Outgoing, SendError};
use langnghe_model::{
    CitizenId, Reply,
    event::MediaKind,
    reply::{Choice, ContactField},
};
use serde_json::{Value, json};

use crate::{ChoicePresentation, Config, PAGE, PAGE_INBOX, USER_REF};

/// One request.
#[derive(Debug)]
pub(super) struct Call {
    /// The last part of its path, under the Page.
    pub(super) edge: &'static str,
    /// Its JSON.
    pub(super) body: Value,
}

impl Call {
    /// Whether it passes the thread on.
    pub(super) fn is_pass(&self) -> bool {
        self.edge == PASS
    }
}

/// The edge that passes a thread on.
const PASS: &str = "pass_thread_control";

/// The requests for a reply, in order.
///
/// # Errors
/// [`SendError::Rejected`] for what cannot be said to this recipient or on this channel.
pub(super) fn encode(outgoing: &Outgoing<'_>, config: &Config) -> Result<Vec<Call>, SendError> {
    let recipient = recipient(outgoing.citizen)?;
    if let Manner::Template { template, .. } = outgoing.manner {
        let form = config.templates.get(&template.name);
        let form = form.ok_or_else(|| SendError::Rejected {
            code: "no such template".to_owned(),
        })?;
        let body = json!({
            "recipient": recipient,
            "messaging_type": "UTILITY",
            "message": { "template": form.fill(template)? },
        });
        return Ok(vec![Call {
            edge: "messages",
            body,
        }]);
    }
    let metadata = outgoing.id;
    let message = match outgoing.reply {
        Reply::Text { text } => json!({ "text": text, "metadata": metadata }),
        Reply::Choices { text, choices, .. } if choices.is_empty() => {
            json!({ "text": text, "metadata": metadata })
        }
        Reply::Choices { text, choices, .. } => match config.choices {
            ChoicePresentation::QuickReplies => json!({
                "text": text,
                "quick_replies": quick_replies(choices),
                "metadata": metadata,
            }),
            ChoicePresentation::Buttons => button_template(text, choices, metadata),
        },
        Reply::AskContact {
            text,
            field,
            choices,
        } => {
            let mut quick_replies = quick_replies(choices);
            let field = match field {
                ContactField::Phone => "user_phone_number",
                ContactField::Email => "user_email",
            };
            quick_replies.insert(0, json!({ "content_type": field }));
            json!({ "text": text, "quick_replies": quick_replies, "metadata": metadata })
        }
        Reply::Media {
            media,
            url,
            caption: None,
        } => {
            let kind = match media {
                MediaKind::Image => "image",
                MediaKind::Video => "video",
                MediaKind::Audio => "audio",
                MediaKind::File => "file",
            };
            json!({
                "attachment": { "type": kind, "payload": { "url": url, "is_reusable": true } },
                "metadata": metadata,
            })
        }
        Reply::Typing => {
            let action = |action: &str| Call {
                edge: "messages",
                body: json!({ "recipient": recipient, "sender_action": action }),
            };
            return Ok(vec![action("mark_seen"), action("typing_on")]);
        }
        Reply::HandOver => {
            let body = json!({
                "recipient": recipient,
                "target_app_id": PAGE_INBOX,
                "metadata": metadata,
            });
            return Ok(vec![Call { edge: PASS, body }]);
        }
        // Captions and questions for a place: rendering words them for this channel.
        _ => {
            return Err(SendError::Rejected {
                code: "not rendered".to_owned(),
            });
        }
    };
    let body = json!({ "recipient": recipient, "messaging_type": "RESPONSE", "message": message });
    Ok(vec![Call {
        edge: "messages",
        body,
    }])
}

fn recipient(citizen: &CitizenId) -> Result<Value, SendError> {
    let id = citizen.as_str();
    if let Some(reference) = id.strip_prefix(USER_REF) {
        return Ok(json!({ "user_ref": reference }));
    }
    if id.is_empty() || id.starts_with(PAGE) {
        return Err(SendError::Rejected {
            code: "no recipient".to_owned(),
        });
    }
    Ok(json!({ "id": id }))
}

fn quick_replies(choices: &[Choice]) -> Vec<Value> {
    choices
        .iter()
        .map(|choice| {
            json!({ "content_type": "text", "title": choice.label, "payload": choice.payload })
        })
        .collect()
}

fn button_template(text: &str, choices: &[Choice], metadata: &str) -> Value {
    let buttons: Vec<Value> = choices
        .iter()
        .map(|choice| {
            json!({ "type": "postback", "title": choice.label, "payload": choice.payload })
        })
        .collect();
    let payload = json!({ "template_type": "button", "text": text, "buttons": buttons });
    json!({
        "attachment": { "type": "template", "payload": payload },
        "metadata": metadata,
    })
}
