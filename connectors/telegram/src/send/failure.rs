//! What the Bot API refuses, as decisions. teloxide reads the words it knows; others are read by how
//! they begin, as Telegram rewords them now and then.

use std::time::Duration;

use http::StatusCode;
use langnghe_connector::{SendError, ThrottleScope};
use teloxide::{ApiError, types::ResponseParameters};

use crate::api::{CallError, Refusal};

/// The decision for a request that brought no result. Codes are of our own words: Telegram's can quote
/// what was sent.
pub(crate) fn classify(error: &CallError) -> SendError {
    match error {
        CallError::Unsent(error) => (*error).into(),
        CallError::Foreign(status) => by_status(*status),
        CallError::Refused(refusal) => refused(refusal),
    }
}

/// An answer that is none of Telegram's: a proxy's, or the address is wrong.
fn by_status(status: StatusCode) -> SendError {
    let code = format!("status {}", status.as_u16());
    match status {
        StatusCode::TOO_MANY_REQUESTS => throttled(None, code),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => {
            SendError::Credentials { code }
        }
        _ => SendError::Transport { reason: code },
    }
}

fn throttled(after: Option<Duration>, code: String) -> SendError {
    SendError::Throttled {
        after,
        scope: ThrottleScope::Recipient,
        code,
    }
}

fn refused(refusal: &Refusal) -> SendError {
    let code = |words: &str| format!("{}/{words}", refusal.code);
    match refusal.parameters {
        Some(ResponseParameters::RetryAfter(seconds)) => {
            let after = Duration::from_secs(seconds.seconds().into());
            return throttled(Some(after), refusal.code.to_string());
        }
        // A group that became another one; groups are not served.
        Some(ResponseParameters::MigrateToChatId(_)) => {
            return SendError::RecipientGone {
                code: code("migrated"),
            };
        }
        None => {}
    }
    match &refusal.error {
        ApiError::BotBlocked => return gone(code("blocked")),
        ApiError::UserDeactivated => return gone(code("deactivated")),
        ApiError::CantInitiateConversation => return gone(code("not started")),
        ApiError::CantTalkWithBots => return gone(code("a bot")),
        ApiError::ChatNotFound | ApiError::UserNotFound => return gone(code("not found")),
        ApiError::BotKicked
        | ApiError::BotKickedFromSupergroup
        | ApiError::BotKickedFromChannel
        | ApiError::GroupDeactivated => return gone(code("kicked")),
        ApiError::InvalidToken => {
            return SendError::Credentials {
                code: code("token"),
            };
        }
        _ => {}
    }
    let words = refusal.words().to_ascii_lowercase();
    let says = |part: &str| words.contains(part);
    match refusal.code {
        429 => throttled(None, "429".to_owned()),
        401 | 404 => SendError::Credentials {
            code: code("token"),
        },
        403 => gone(code("forbidden")),
        400 if says("peer_id_invalid")
            || says("user_is_blocked")
            || says("user is deactivated") =>
        {
            gone(code("not found"))
        }
        400 if says("chat not found") || says("user not found") || says("chat_id is empty") => {
            gone(code("not found"))
        }
        // Telegram's own servers were slow; a request timed out on its way.
        409 | 420 | 500..=599 => SendError::Transport {
            reason: refusal.code.to_string(),
        },
        413 => SendError::Rejected {
            code: code("too large"),
        },
        400 => SendError::Rejected {
            code: code(reason(&refusal.error)),
        },
        other => SendError::Rejected {
            code: other.to_string(),
        },
    }
}

/// A word for what is wrong with a message, for the operator.
fn reason(error: &ApiError) -> &'static str {
    match error {
        ApiError::MessageIsTooLong => "message too long",
        ApiError::MessageTextIsEmpty => "message empty",
        ApiError::ButtonDataInvalid | ApiError::TextButtonsAreUnallowed => "button",
        ApiError::ButtonUrlInvalid => "button address",
        ApiError::CantParseEntities(_) => "entities",
        ApiError::MessageNotModified => "not modified",
        _ => "bad request",
    }
}

fn gone(code: String) -> SendError {
    SendError::RecipientGone { code }
}

/// Whether Telegram could not get, or would not take, a file from its address. It takes documents as
/// PDF, ZIP and GIF only, and pictures up to 5 MB.
pub(super) fn is_about_media(refusal: &Refusal) -> bool {
    let known = matches!(
        refusal.error,
        ApiError::WrongFileIdOrUrl
            | ApiError::FailedToGetUrlContent
            | ApiError::WrongHttpUrl
            | ApiError::WrongFileId
            | ApiError::ImageProcessFailed
            | ApiError::PhotoAsInputFileRequired
    );
    let words = refusal.words().to_ascii_lowercase();
    known
        || (refusal.code == 400
            && [
                "failed to get http url content",
                "wrong type of the web page content",
                "wrong file identifier",
                "wrong remote file",
                "webpage_media_empty",
                "webpage_curl_failed",
                "photo_invalid_dimensions",
                "image_process_failed",
                "file is too big",
                "invalid file http url",
            ]
            .iter()
            .any(|part| words.contains(part)))
}
