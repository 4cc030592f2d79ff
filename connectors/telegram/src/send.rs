//! From a rendered reply to the Bot API.

mod encode;
mod failure;
mod keyboard;
#[cfg(test)]
mod tests;

use langnghe_connector::{Outgoing, SendError, Sent};
use langnghe_model::{CitizenId, Profile, Reply};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use teloxide::{
    payloads::GetChat,
    types::{ChatAction, ChatId},
};

use self::{encode::Call, failure::is_about_media};
pub(crate) use self::{failure::classify, keyboard::LONGEST_CALLBACK};
use crate::{
    api::{BotApi, CallError},
    receive::{id_of, message_event_id},
};

/// Of a sent message only its id is read: what else stands in it changes with the Bot API.
#[derive(Deserialize)]
struct SentMessage {
    message_id: Value,
}

/// Sends one reply: one request, two for a medium that Telegram does not get from its address.
pub(crate) async fn send(api: &BotApi, outgoing: &Outgoing<'_>) -> Result<Sent, SendError> {
    let chat = chat(outgoing.citizen)?;
    let call = encode::encode(chat, outgoing.reply)?;
    let answer = match (call_of(api, &call).await, outgoing.reply) {
        // The citizen gets the link in the place of the file.
        (Err(CallError::Refused(refusal)), Reply::Media { url, caption, .. })
            if is_about_media(&refusal) =>
        {
            let words = caption.as_deref().unwrap_or_default();
            let text = format!("{words}\n{url}").trim().to_owned();
            call_of(api, &encode::encode(chat, &Reply::Text { text })?).await
        }
        (answer, _) => answer,
    };
    let result = answer.map_err(|error| classify(&error))?;
    if matches!(call, Call::Action(_)) {
        return Ok(Sent::default());
    }
    let unreadable = || SendError::Transport {
        reason: "unreadable answer".to_owned(),
    };
    let sent: SentMessage = serde_json::from_str(result.get()).map_err(|_| unreadable())?;
    let id = id_of(&sent.message_id).ok_or_else(unreadable)?;
    Ok(Sent {
        message: Some(message_event_id(chat.0, id)),
    })
}

async fn call_of(api: &BotApi, call: &Call) -> Result<Box<RawValue>, CallError> {
    match call {
        Call::Message(payload) => api.call(payload).await,
        Call::Action(payload) => api.call(payload).await,
        Call::Photo(payload) => api.call(payload).await,
        Call::Video(payload) => api.call(payload).await,
        Call::Audio(payload) => api.call(payload).await,
        Call::Voice(payload) => api.call(payload).await,
        Call::Document(payload) => api.call(payload).await,
    }
}

/// Asks for the citizen's name, as they gave it to Telegram.
pub(crate) async fn profile(api: &BotApi, citizen: &CitizenId) -> Result<Profile, SendError> {
    #[derive(Deserialize)]
    struct Chat {
        first_name: Option<String>,
        last_name: Option<String>,
    }
    let Ok(chat) = chat(citizen) else {
        return Ok(Profile::default());
    };
    let told: Chat = match api.call(&GetChat::new(chat)).await {
        Ok(told) => told,
        Err(error) => match classify(&error) {
            // Nothing is known of who is not there.
            SendError::RecipientGone { .. } => return Ok(Profile::default()),
            error => return Err(error),
        },
    };
    let names: Vec<String> = [told.first_name, told.last_name]
        .into_iter()
        .flatten()
        .filter(|name| !name.trim().is_empty())
        .collect();
    Ok(Profile {
        name: Some(names.join(" ")).filter(|name| !name.is_empty()),
        language: None,
    })
}

/// A private chat has the number of its citizen.
fn chat(citizen: &CitizenId) -> Result<ChatId, SendError> {
    let number = citizen.as_str().parse().ok().filter(|number| *number > 0);
    number.map(ChatId).ok_or_else(|| SendError::Rejected {
        code: "no recipient".to_owned(),
    })
}

/// What is shown while we write.
const TYPING: ChatAction = ChatAction::Typing;
