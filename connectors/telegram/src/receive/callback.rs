//! A pressed button of an inline keyboard.

use langnghe_model::{EventId, EventKind};
use serde_json::Value;
use teloxide::{
    payloads::{AnswerCallbackQuery, AnswerCallbackQuerySetters},
    types::CallbackQueryId,
};

use super::{
    read::{id_of, text},
    update::{Normalised, Scope},
};

/// The longest notice that Telegram shows, in characters.
const NOTICE: usize = 200;

/// A press that waits for an answer: until then the button spins.
#[derive(Debug)]
pub(crate) struct Callback {
    id: String,
    /// What stands on the button, as a notice: nothing else in the chat says what was pressed.
    notice: Option<String>,
}

/// The call that ends the spinning.
pub(crate) fn answer_to(callback: Callback) -> AnswerCallbackQuery {
    let call = AnswerCallbackQuery::new(CallbackQueryId(callback.id));
    match callback.notice {
        Some(notice) => call.text(notice),
        None => call,
    }
}

/// A press in a private chat, or one whose chat is not told: then who pressed says it, as a private
/// chat has the number of its citizen.
pub(super) fn read(scope: &Scope<'_>, part: &Value, chat: Option<i64>) -> Normalised {
    let payload = text(part, "data").map(str::to_owned);
    let title = payload
        .as_deref()
        .and_then(|payload| title(&part["message"], payload));
    let Some(chat) = chat.or_else(|| id_of(&part["from"]["id"])) else {
        return Normalised {
            callback: callback(part, title),
            ..scope.unknown("callback_query", None).into()
        };
    };
    let kind = EventKind::Postback {
        payload,
        title: title.clone(),
        referral: None,
    };
    // When it was pressed is not told; the message's own time says when we sent the button.
    let id = EventId::new(format!("callback:{}", scope.update));
    Normalised {
        callback: callback(part, title),
        ..scope.event(id, chat, None, kind).into()
    }
}

/// A press that is not for us to act on.
pub(super) fn answer_only(part: &Value) -> Normalised {
    Normalised {
        callback: callback(part, None),
        ..Normalised::default()
    }
}

fn callback(part: &Value, title: Option<String>) -> Option<Callback> {
    let notice = title.map(|title| format!("✓ {title}").chars().take(NOTICE).collect());
    Some(Callback {
        id: text(part, "id")?.to_owned(),
        notice,
    })
}

/// What stands on the button with this payload: the message comes with its keyboard.
fn title(message: &Value, payload: &str) -> Option<String> {
    let rows = message["reply_markup"]["inline_keyboard"].as_array()?;
    let mut buttons = rows.iter().filter_map(Value::as_array).flatten();
    let button = buttons.find(|button| text(button, "callback_data") == Some(payload))?;
    text(button, "text").map(str::to_owned)
}
