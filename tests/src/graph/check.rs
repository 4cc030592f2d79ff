//! What the Send API takes, and nothing else: unknown fields, wrong lengths and wrong combinations
//! are told.

use serde::Deserialize;
use serde_json::Value;

use super::Said;

/// A request that holds to all rules.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) recipient: String,
    pub(super) metadata: Option<String>,
    pub(super) said: Said,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    recipient: Recipient,
    messaging_type: Option<String>,
    tag: Option<String>,
    message: Option<Message>,
    sender_action: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Recipient {
    id: Option<String>,
    user_ref: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    text: Option<String>,
    attachment: Option<Attachment>,
    quick_replies: Option<Vec<QuickReply>>,
    metadata: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QuickReply {
    content_type: String,
    title: Option<String>,
    payload: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attachment {
    #[serde(rename = "type")]
    kind: String,
    payload: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MediaPayload {
    url: String,
    #[serde(default, rename = "is_reusable")]
    _is_reusable: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ButtonTemplate {
    template_type: String,
    text: String,
    buttons: Vec<Button>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Button {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    payload: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pass {
    recipient: Recipient,
    target_app_id: String,
    metadata: Option<String>,
}

type Check<T> = Result<T, String>;

/// Checks the body of a request to `messages`.
pub(super) fn message(body: &[u8]) -> Check<Checked> {
    let request: Request = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let recipient = recipient(request.recipient)?;
    match (request.message, request.sender_action) {
        (None, Some(action)) => {
            rule(
                request.messaging_type.is_none() && request.tag.is_none(),
                "2018014: sender_action stands beside the recipient alone",
            )?;
            let known = matches!(&*action, "typing_on" | "typing_off" | "mark_seen");
            rule(known, "sender_action is none of Meta's")?;
            Ok(Checked {
                recipient,
                metadata: None,
                said: Said::Action(action),
            })
        }
        (Some(message), None) => {
            match (request.messaging_type.as_deref(), &request.tag) {
                (Some("RESPONSE" | "UPDATE"), None) => {}
                (Some("MESSAGE_TAG"), Some(tag)) => rule(tag == "HUMAN_AGENT", "a retired tag")?,
                _ => return Err("messaging_type is wrong or missing".to_owned()),
            }
            let metadata = message.metadata.clone();
            if let Some(metadata) = &metadata {
                length("metadata", metadata, 1000)?;
            }
            Ok(Checked {
                recipient,
                metadata,
                said: said(message)?,
            })
        }
        (Some(_), Some(_)) => Err("2018014: sender_action beside a message".to_owned()),
        (None, None) => Err("neither message nor sender_action".to_owned()),
    }
}

/// Checks the body of a request to `pass_thread_control`.
pub(super) fn pass(body: &[u8]) -> Check<Checked> {
    let pass: Pass = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let digits = pass.target_app_id.bytes().all(|byte| byte.is_ascii_digit());
    rule(
        digits && !pass.target_app_id.is_empty(),
        "target_app_id is no app",
    )?;
    if let Some(metadata) = &pass.metadata {
        length("metadata", metadata, 1000)?;
    }
    let recipient = recipient(pass.recipient)?;
    Ok(Checked {
        recipient,
        metadata: pass.metadata,
        said: Said::Passed(pass.target_app_id),
    })
}

fn recipient(recipient: Recipient) -> Check<String> {
    match (recipient.id, recipient.user_ref) {
        (Some(id), None) if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok(id)
        }
        (None, Some(reference)) if !reference.is_empty() => Ok(format!("user_ref:{reference}")),
        _ => Err("the recipient is no page-scoped id and no user_ref".to_owned()),
    }
}

fn said(message: Message) -> Check<Said> {
    let quick_replies = match message.quick_replies {
        None => Vec::new(),
        Some(quick_replies) => {
            rule(
                (1..=13).contains(&quick_replies.len()),
                "quick_replies: 1 to 13",
            )?;
            quick_replies
                .into_iter()
                .map(quick_reply)
                .collect::<Check<_>>()?
        }
    };
    match (message.text, message.attachment) {
        (Some(text), None) => {
            length("text", &text, 2000)?;
            Ok(Said::Text {
                text,
                quick_replies,
            })
        }
        (None, Some(attachment)) => {
            rule(
                quick_replies.is_empty(),
                "we never put quick replies under an attachment",
            )?;
            attached(attachment)
        }
        _ => Err("text and attachment are exclusive, and one is needed".to_owned()),
    }
}

fn quick_reply(reply: QuickReply) -> Check<(String, String)> {
    match (&*reply.content_type, reply.title, reply.payload) {
        ("text", Some(title), Some(payload)) => {
            length("title", &title, 20)?;
            length("payload", &payload, 1000)?;
            Ok((title, payload))
        }
        ("user_phone_number" | "user_email", None, None) => Ok((reply.content_type, String::new())),
        _ => Err("a quick reply of no known form".to_owned()),
    }
}

fn attached(attachment: Attachment) -> Check<Said> {
    match &*attachment.kind {
        "image" | "audio" | "video" | "file" => {
            let payload: MediaPayload = payload(attachment.payload)?;
            let absolute =
                payload.url.starts_with("http://") || payload.url.starts_with("https://");
            rule(absolute, "the URL of media is not absolute")?;
            Ok(Said::Media {
                kind: attachment.kind,
                url: payload.url,
            })
        }
        "template" => {
            let template: ButtonTemplate = payload(attachment.payload)?;
            rule(
                template.template_type == "button",
                "a template of another kind",
            )?;
            length("text of a template", &template.text, 640)?;
            rule((1..=3).contains(&template.buttons.len()), "buttons: 1 to 3")?;
            let button = |button: Button| {
                rule(button.kind == "postback", "a button of another kind")?;
                length("title", &button.title, 20)?;
                length("payload", &button.payload, 1000)?;
                Ok((button.title, button.payload))
            };
            let buttons = template
                .buttons
                .into_iter()
                .map(button)
                .collect::<Check<_>>()?;
            Ok(Said::Buttons {
                text: template.text,
                buttons,
            })
        }
        _ => Err("an attachment of no known kind".to_owned()),
    }
}

fn payload<T: for<'a> Deserialize<'a>>(payload: Value) -> Check<T> {
    serde_json::from_value(payload).map_err(|error| error.to_string())
}

fn rule(holds: bool, rule: &str) -> Check<()> {
    if holds { Ok(()) } else { Err(rule.to_owned()) }
}

fn length(what: &str, text: &str, max: usize) -> Check<()> {
    let count = text.chars().count();
    let good = count <= max && !text.trim().is_empty();
    rule(
        good,
        &format!("{what} has {count} characters, 1 to {max} are taken"),
    )
}
