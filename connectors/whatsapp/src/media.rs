//! Media that citizens sent: first where one lies, then its bytes.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::StatusCode;
use langnghe_connector::{FetchError, SendError, signature::encode_hex};
use langnghe_graph::{DownloadError, Failure, GraphClient};
use langnghe_model::event::Media;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{Config, MEDIA, send::decide};

/// Where a medium lies, for five minutes.
#[derive(Deserialize)]
struct Place {
    url: String,
    sha256: Option<String>,
    /// A number or a string.
    file_size: Option<Value>,
}

impl Place {
    fn size(&self) -> Option<u64> {
        match self.file_size.as_ref()? {
            Value::String(digits) => digits.parse().ok(),
            other => other.as_u64(),
        }
    }
}

/// Fetches a medium of at most `most` bytes. A link that has just run out is asked for once more.
pub(crate) async fn fetch(
    graph: &GraphClient,
    config: &Config,
    media: &Media,
    most: u64,
) -> Result<Bytes, FetchError> {
    let is_id = |id: &&str| {
        (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let id = media.url.strip_prefix(MEDIA).filter(is_id);
    let id = id.ok_or_else(|| FetchError::Refused {
        reason: "no medium of WhatsApp's".to_owned(),
    })?;
    let mut again = true;
    loop {
        let place = find(graph, config, id, most).await?;
        match graph.download(&place.url, true, most).await {
            Ok(bytes) => return whole(&place, bytes),
            Err(DownloadError::Status(StatusCode::UNAUTHORIZED | StatusCode::NOT_FOUND))
                if again =>
            {
                again = false;
            }
            Err(error) => return Err(error.into_fetch_error(most)),
        }
    }
}

async fn find(
    graph: &GraphClient,
    config: &Config,
    id: &str,
    most: u64,
) -> Result<Place, FetchError> {
    let query = [("phone_number_id", config.phone_number_id.as_str())];
    let answer = graph.get(&[id], &query).await;
    let answer = answer.map_err(|failure| not_found(&failure))?;
    let place = Place::deserialize(answer).map_err(|_| transient("unreadable answer"))?;
    let size = place.size();
    if size.is_some_and(|size| size > most) {
        return Err(FetchError::TooLarge { limit: most });
    }
    Ok(place)
}

/// Ids live seven days; one that Meta does not know is a parameter that is wrong.
fn not_found(failure: &Failure) -> FetchError {
    let code = failure.graph_error().map(|error| error.code);
    match (failure.decided(decide), code) {
        (SendError::Rejected { code }, _) | (SendError::Credentials { code }, Some(100)) => {
            FetchError::Gone { code }
        }
        (SendError::Throttled { after, code, .. }, _) => FetchError::Transient {
            reason: code,
            after,
        },
        (error, _) => transient(&match error {
            SendError::Transport { reason } => reason,
            SendError::Credentials { code } => code,
            other => other.class().to_owned(),
        }),
    }
}

/// The bytes, if they are those that Meta spoke of: all of them, and with their digest, which it
/// writes in base64 and in some places in hexadecimal.
fn whole(place: &Place, bytes: Bytes) -> Result<Bytes, FetchError> {
    let size = place.size();
    if size.is_some_and(|size| size != bytes.len() as u64) {
        return Err(transient("of another size than said"));
    }
    let Some(said) = &place.sha256 else {
        return Ok(bytes);
    };
    let digest = Sha256::digest(&bytes);
    let same = said.eq_ignore_ascii_case(&encode_hex(&digest))
        || STANDARD
            .decode(said)
            .is_ok_and(|said| said[..] == digest[..]);
    if same {
        Ok(bytes)
    } else {
        Err(transient("of another digest than said"))
    }
}

fn transient(reason: &str) -> FetchError {
    FetchError::Transient {
        reason: reason.to_owned(),
        after: None,
    }
}
