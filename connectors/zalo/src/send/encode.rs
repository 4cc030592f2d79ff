//! Messages as Zalo writes them.

use langnghe_model::reply::{Choice, ChoiceStyle};
use serde_json::{Map, Value, json};
use unicode_normalization::UnicodeNormalization;

use super::CHOICE;
use crate::{ChoicePresentation, ContactRequest};

/// Text as it is counted and shown: decomposed Vietnamese is up to a third longer.
pub(super) fn nfc(text: &str) -> String {
    text.nfc().collect()
}

/// A picture, by whatever names it.
pub(super) fn image(caption: Option<&str>, element: &Value) -> Value {
    let payload = json!({ "template_type": "media", "elements": [element] });
    with_text(caption, &json!({ "type": "template", "payload": payload }))
}

fn with_text(text: Option<&str>, attachment: &Value) -> Value {
    let mut message = Map::new();
    if let Some(text) = text.filter(|text| !text.trim().is_empty()) {
        message.insert("text".to_owned(), nfc(text).into());
    }
    message.insert("attachment".to_owned(), attachment.clone());
    Value::Object(message)
}

/// Choices as buttons or as a list. A press comes back, unseen by the citizen, as a text with our payload.
pub(super) fn choices(form: ChoicePresentation, text: &str, choices: &[Choice]) -> Value {
    let payload = |choice: &Choice| format!("{CHOICE}{}", choice.payload);
    let payload = if form == ChoicePresentation::List {
        let elements = choices.iter().map(|choice| {
            json!({
                "title": nfc(&choice.label),
                "default_action": { "type": "oa.query.hide", "payload": payload(choice) },
            })
        });
        json!({ "template_type": "list", "elements": elements.collect::<Vec<_>>() })
    } else {
        let buttons = choices.iter().map(|choice| {
            json!({
                "title": nfc(&choice.label),
                "type": "oa.query.hide",
                "payload": payload(choice),
            })
        });
        json!({ "buttons": buttons.collect::<Vec<_>>() })
    };
    with_text(
        Some(text),
        &json!({ "type": "template", "payload": payload }),
    )
}

/// The card that asks for name and phone number; exactly one element is allowed.
pub(super) fn contact_request(request: &ContactRequest, text: &str) -> Value {
    let element = json!({
        "title": nfc(&request.title),
        "subtitle": nfc(text),
        "image_url": request.image_url,
    });
    let payload = json!({ "template_type": "request_user_info", "elements": [element] });
    with_text(None, &json!({ "type": "template", "payload": payload }))
}

/// The same choices to be answered by number. Where labels were too long for buttons, the text has them
/// in full and the titles carry the numbers already.
pub(super) fn numbered(text: &str, choices: &[Choice], style: ChoiceStyle) -> String {
    let has_numbers = (1..)
        .zip(choices)
        .all(|(number, choice)| choice.label.starts_with(&format!("{number}. ")));
    if style == ChoiceStyle::Shortcuts || has_numbers {
        return text.to_owned();
    }
    let lines = (1..)
        .zip(choices)
        .map(|(number, choice)| format!("{number}. {}", choice.label.trim()));
    let lines: Vec<String> = lines.collect();
    format!("{}\n\n{}", text.trim_end(), lines.join("\n"))
}
