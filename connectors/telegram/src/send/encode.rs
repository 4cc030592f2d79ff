//! The request that says a reply, as one of teloxide's payloads.

use langnghe_connector::SendError;
use langnghe_model::{
    Reply,
    event::MediaKind,
    reply::{Choice, ContactField},
};
use teloxide::{
    payloads::{
        SendAudio, SendAudioSetters, SendChatAction, SendDocument, SendDocumentSetters,
        SendMessage, SendMessageSetters, SendPhoto, SendPhotoSetters, SendVideo, SendVideoSetters,
        SendVoice, SendVoiceSetters,
    },
    types::{ChatId, InputFile, ReplyMarkup},
};
use url::Url;

use super::{TYPING, keyboard};

/// One request.
#[derive(Clone, Debug)]
pub(super) enum Call {
    Message(SendMessage),
    Action(SendChatAction),
    Photo(SendPhoto),
    Video(SendVideo),
    Audio(SendAudio),
    Voice(SendVoice),
    Document(SendDocument),
}

/// The request for a reply. Texts are sent as they are, without a mark-up: nothing that a citizen
/// wrote can be taken for one.
///
/// # Errors
/// [`SendError::Rejected`] for what cannot be said on this channel.
pub(super) fn encode(chat: ChatId, reply: &Reply) -> Result<Call, SendError> {
    let message = |text: &str, markup: ReplyMarkup| {
        Call::Message(SendMessage::new(chat, text).reply_markup(markup))
    };
    Ok(match reply {
        Reply::Text { text } => message(text, ReplyMarkup::kb_remove()),
        Reply::Choices { text, choices, .. } if choices.is_empty() => {
            message(text, ReplyMarkup::kb_remove())
        }
        Reply::Choices { text, choices, .. } => message(text, keyboard::choices(choices)),
        Reply::AskLocation { text, choices } => {
            message(text, asking(keyboard::location(text), choices))
        }
        Reply::AskContact {
            text,
            field: ContactField::Phone,
            choices,
        } => message(text, asking(keyboard::phone(text), choices)),
        Reply::Media {
            media,
            url,
            caption,
        } => file(chat, *media, url, caption.as_deref())?,
        Reply::Typing => Call::Action(SendChatAction::new(chat, TYPING)),
        // E-mail addresses and handing over: rendering words or leaves them out for this channel.
        _ => return Err(rejected("not rendered")),
    })
}

fn asking(button: teloxide::types::KeyboardButton, choices: &[Choice]) -> ReplyMarkup {
    keyboard::replies(Some(button), choices)
}

fn file(
    chat: ChatId,
    kind: MediaKind,
    address: &str,
    caption: Option<&str>,
) -> Result<Call, SendError> {
    let url = Url::parse(address).map_err(|_| rejected("not a web address"))?;
    // Telegram takes recordings as music by .mp3 and .m4a only.
    let path = url.path().to_ascii_lowercase();
    let voice = [".ogg", ".oga", ".opus"]
        .iter()
        .any(|end| path.ends_with(end));
    let file = InputFile::url(url);
    Ok(match (kind, caption) {
        (MediaKind::Image, None) => Call::Photo(SendPhoto::new(chat, file)),
        (MediaKind::Image, Some(words)) => Call::Photo(SendPhoto::new(chat, file).caption(words)),
        (MediaKind::Video, None) => Call::Video(SendVideo::new(chat, file)),
        (MediaKind::Video, Some(words)) => Call::Video(SendVideo::new(chat, file).caption(words)),
        (MediaKind::Audio, None) if voice => Call::Voice(SendVoice::new(chat, file)),
        (MediaKind::Audio, Some(words)) if voice => {
            Call::Voice(SendVoice::new(chat, file).caption(words))
        }
        (MediaKind::Audio, None) => Call::Audio(SendAudio::new(chat, file)),
        (MediaKind::Audio, Some(words)) => Call::Audio(SendAudio::new(chat, file).caption(words)),
        (MediaKind::File, None) => Call::Document(SendDocument::new(chat, file)),
        (MediaKind::File, Some(words)) => {
            Call::Document(SendDocument::new(chat, file).caption(words))
        }
    })
}

fn rejected(code: &str) -> SendError {
    SendError::Rejected {
        code: code.to_owned(),
    }
}
