//! Bodies are read up to a bound.

use bytes::{Bytes, BytesMut};
use reqwest::Response;

use crate::HttpError;

/// Reads a body of at most `limit` bytes; of a larger one no more than the piece that goes over it.
///
/// # Errors
/// [`HttpError::TooLarge`] over the bound, [`HttpError::Timeout`] and [`HttpError::Lost`] when it
/// does not come whole.
pub async fn read_bounded(mut response: Response, limit: usize) -> Result<Bytes, HttpError> {
    let announced = response.content_length();
    if announced.is_some_and(|length| usize::try_from(length).is_ok_and(|length| length > limit)) {
        return Err(HttpError::TooLarge);
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await? {
        if chunk.len() > limit - body.len() {
            return Err(HttpError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}
