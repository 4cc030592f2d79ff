//! Fetching what a citizen sent: `getFile` names its path, the file lies under the token.

use http::StatusCode;
use langnghe_connector::FetchError;
use langnghe_http::HttpError;
use langnghe_model::event::Media;
use serde::Deserialize;
use serde_json::Value;
use teloxide::{
    payloads::GetFile,
    types::{FileId, ResponseParameters},
};

use bytes::Bytes;

use crate::{
    MEDIA,
    api::{BotApi, CallError},
    receive::id_of,
};

/// The largest file that the Bot API gives, in bytes.
const LARGEST: u64 = 20 * 1024 * 1024;

/// teloxide's type wants fields that can be missing.
#[derive(Deserialize)]
struct File {
    #[serde(default)]
    file_size: Value,
    file_path: Option<String>,
}

/// Fetches a file of at most `most` bytes. Its path is valid for an hour, so it is asked for each time,
/// and once more when it is no longer there.
pub(crate) async fn fetch(api: &BotApi, media: &Media, most: u64) -> Result<Bytes, FetchError> {
    let id = media.url.strip_prefix(MEDIA).filter(|id| !id.is_empty());
    let id = id.ok_or_else(|| refused("not a file of Telegram's"))?;
    let limit = most.min(LARGEST);
    let size = media.bytes.unwrap_or(0);
    if size > limit {
        return Err(FetchError::TooLarge { limit });
    }
    for _attempt in 0..2 {
        match attempt(api, id, limit).await? {
            (StatusCode::OK, bytes) => return Ok(bytes),
            (StatusCode::NOT_FOUND, _) => {}
            (status, _) => return Err(transient(&format!("status {}", status.as_u16()))),
        }
    }
    Err(FetchError::Gone {
        code: "404".to_owned(),
    })
}

async fn attempt(api: &BotApi, id: &str, limit: u64) -> Result<(StatusCode, Bytes), FetchError> {
    let asked = api.call(&GetFile::new(FileId(id.to_owned()))).await;
    let file: File = asked.map_err(|error| failure(&error))?;
    let size = id_of(&file.file_size).and_then(|size| u64::try_from(size).ok());
    if size.is_some_and(|size| size > limit) {
        return Err(FetchError::TooLarge { limit });
    }
    let path = file.file_path.unwrap_or_default();
    if path.starts_with('/') || path.contains([':', '\\']) {
        return Err(refused(
            "the Bot API server gives paths of its own machine; run it without --local",
        ));
    }
    let parts: Vec<&str> = path.split('/').collect();
    if parts.iter().any(|part| matches!(*part, "" | "." | "..")) {
        return Err(refused("the Bot API gave no path"));
    }
    let bound = usize::try_from(limit).unwrap_or(usize::MAX);
    api.file(&parts, bound).await.map_err(|error| match error {
        HttpError::TooLarge => FetchError::TooLarge { limit },
        error => unsent(error),
    })
}

fn failure(error: &CallError) -> FetchError {
    let refusal = match error {
        CallError::Unsent(error) => return unsent(*error),
        CallError::Foreign(status) => return transient(&format!("status {}", status.as_u16())),
        CallError::Refused(refusal) => refusal,
    };
    if let Some(ResponseParameters::RetryAfter(seconds)) = refusal.parameters {
        return FetchError::Transient {
            reason: "429".to_owned(),
            after: Some(std::time::Duration::from_secs(seconds.seconds().into())),
        };
    }
    let words = refusal.words().to_ascii_lowercase();
    match refusal.code {
        400 if words.contains("too big") => FetchError::TooLarge { limit: LARGEST },
        400 if words.contains("temporarily unavailable") => transient("400"),
        400 => FetchError::Gone {
            code: "400".to_owned(),
        },
        other => transient(&other.to_string()),
    }
}

fn unsent(error: HttpError) -> FetchError {
    match error {
        HttpError::PrivateAddress | HttpError::Url => refused(&error.to_string()),
        other => transient(&other.to_string()),
    }
}

fn refused(reason: &str) -> FetchError {
    FetchError::Refused {
        reason: reason.to_owned(),
    }
}

fn transient(reason: &str) -> FetchError {
    FetchError::Transient {
        reason: reason.to_owned(),
        after: None,
    }
}
