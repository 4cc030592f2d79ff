//! What the Bot API takes, and nothing else: unknown fields, wrong lengths and wrong combinations are
//! told.

use serde::Deserialize;
use serde_json::Value;

use super::Markup;

/// A message that holds to all rules.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) chat: i64,
    pub(super) text: String,
    pub(super) file: Option<String>,
    pub(super) markup: Markup,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    chat_id: i64,
    text: Option<String>,
    #[serde(
        alias = "photo",
        alias = "video",
        alias = "audio",
        alias = "voice",
        alias = "document"
    )]
    file: Option<String>,
    caption: Option<String>,
    reply_markup: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Inline {
    inline_keyboard: Vec<Vec<InlineButton>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InlineButton {
    text: String,
    callback_data: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplyKeyboard {
    #[serde(rename = "keyboard")]
    rows: Vec<Vec<Button>>,
    #[serde(default, rename = "resize_keyboard")]
    _resize: bool,
    #[serde(default)]
    one_time_keyboard: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Button {
    text: String,
    #[serde(default)]
    request_location: bool,
    #[serde(default)]
    request_contact: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Remove {
    remove_keyboard: bool,
}

type Check<T> = Result<T, String>;

/// Checks the body of `sendMessage`, `sendPhoto` and the like.
pub(super) fn message(method: &str, body: &Value) -> Check<Checked> {
    let request = Request::deserialize(body).map_err(|error| error.to_string())?;
    let text = match (method, request.text, &request.file) {
        ("sendmessage", Some(text), None) => {
            rule(!text.trim().is_empty(), "message text is empty")?;
            rule(text.encode_utf16().count() <= 4096, "message is too long")?;
            rule(request.caption.is_none(), "a caption without a file")?;
            text
        }
        ("sendmessage", ..) => return Err("sendMessage without its text alone".to_owned()),
        (_, None, Some(file)) => {
            let web = file.starts_with("http://") || file.starts_with("https://");
            rule(web, "the file is no address")?;
            let caption = request.caption.unwrap_or_default();
            rule(
                caption.encode_utf16().count() <= 1024,
                "caption is too long",
            )?;
            caption
        }
        _ => return Err(format!("{method} without its file alone")),
    };
    Ok(Checked {
        chat: request.chat_id,
        text,
        file: request.file,
        markup: request
            .reply_markup
            .as_ref()
            .map_or(Ok(Markup::None), markup)?,
    })
}

fn markup(value: &Value) -> Check<Markup> {
    if value.get("inline_keyboard").is_some() {
        let inline = Inline::deserialize(value).map_err(|error| error.to_string())?;
        let buttons: Vec<InlineButton> = inline.inline_keyboard.into_iter().flatten().collect();
        rule(
            !buttons.is_empty() && buttons.len() <= 100,
            "how many buttons",
        )?;
        for button in &buttons {
            rule(!button.text.trim().is_empty(), "a button without words")?;
            let length = button.callback_data.len();
            rule((1..=64).contains(&length), "BUTTON_DATA_INVALID")?;
        }
        let buttons = buttons.into_iter();
        return Ok(Markup::Inline(
            buttons
                .map(|button| (button.text, button.callback_data))
                .collect(),
        ));
    }
    if value.get("keyboard").is_some() {
        let keyboard = ReplyKeyboard::deserialize(value).map_err(|error| error.to_string())?;
        rule(keyboard.one_time_keyboard, "a keyboard that stays")?;
        let buttons: Vec<_> = keyboard
            .rows
            .into_iter()
            .flatten()
            .map(|button| {
                let asks = match (button.request_location, button.request_contact) {
                    (true, false) => Some("location"),
                    (false, true) => Some("contact"),
                    _ => None,
                };
                (button.text, asks)
            })
            .collect();
        rule(!buttons.is_empty(), "a keyboard without buttons")?;
        return Ok(Markup::Keyboard(buttons));
    }
    let remove = Remove::deserialize(value).map_err(|error| error.to_string())?;
    rule(
        remove.remove_keyboard,
        "remove_keyboard is true or not there",
    )?;
    Ok(Markup::Remove)
}

fn rule(holds: bool, what: &str) -> Check<()> {
    if holds { Ok(()) } else { Err(what.to_owned()) }
}
