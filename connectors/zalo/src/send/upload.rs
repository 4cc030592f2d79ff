//! Uploads: fetches a picture or file from its link and gives it to Zalo.

use bytes::{BufMut as _, Bytes, BytesMut};
use langnghe_connector::{SendError, Sniffed, sniff};
use langnghe_http::HttpError;
use serde_json::{Value, json};
use url::Url;

use super::api::Api;
use crate::lenient;

const MEGABYTE: usize = 1024 * 1024;
/// The largest picture (JPEG, PNG).
pub(crate) const LARGEST_IMAGE: usize = MEGABYTE;
/// The largest GIF and the largest file (PDF, DOC, DOCX, CSV).
pub(crate) const LARGEST_FILE: usize = 5 * MEGABYTE;

/// Whether a link leads to a GIF, which Zalo wants uploaded and measured.
pub(super) fn is_gif(url: &str) -> bool {
    file_name(url).is_some_and(|name| name.to_ascii_lowercase().ends_with(".gif"))
}

/// Uploads a picture; gives what names it in a message.
pub(super) async fn image(api: &Api, url: &str) -> Result<Value, SendError> {
    let bytes = fetch(api, url, LARGEST_IMAGE).await?;
    // Zalo judges by the name's extension, so it must be the right one.
    let name = match sniff(&bytes) {
        Some(Sniffed {
            content_type: "image/png",
            ..
        }) => "image.png",
        Some(Sniffed {
            content_type: "image/jpeg",
            ..
        }) => "image.jpg",
        _ => return Err(rejected("neither JPEG nor PNG")),
    };
    let data = upload(api, "/v2.0/oa/upload/image", name, &bytes).await?;
    let id = named(&data, &["attachment_id"])?;
    Ok(json!({ "media_type": "image", "attachment_id": id }))
}

/// Uploads a GIF; gives what names it in a message, with its size in pixels.
pub(super) async fn gif(api: &Api, url: &str) -> Result<Value, SendError> {
    let bytes = fetch(api, url, LARGEST_FILE).await?;
    let Some((b"GIF", [_, _, _, w0, w1, h0, h1, ..])) = bytes.split_at_checked(3) else {
        return Err(rejected("not a GIF"));
    };
    let (width, height) = (
        u16::from_le_bytes([*w0, *w1]),
        u16::from_le_bytes([*h0, *h1]),
    );
    let data = upload(api, "/v2.0/oa/upload/gif", "image.gif", &bytes).await?;
    let id = named(&data, &["attachment_id"])?;
    Ok(json!({ "media_type": "gif", "attachment_id": id, "width": width, "height": height }))
}

/// Uploads a file; gives its token.
pub(super) async fn file(api: &Api, url: &str) -> Result<String, SendError> {
    let name = file_name(url).ok_or_else(|| rejected("a file without a name"))?;
    let known = ["pdf", "doc", "docx", "csv"];
    let extension = name
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_ascii_lowercase());
    if !extension.is_some_and(|extension| known.contains(&extension.as_str())) {
        return Err(rejected("neither PDF, DOC, DOCX nor CSV"));
    }
    let bytes = fetch(api, url, LARGEST_FILE).await?;
    let data = upload(api, "/v2.0/oa/upload/file", &name, &bytes).await?;
    named(&data, &["token", "attachment_id"])
}

fn rejected(reason: &str) -> SendError {
    SendError::Rejected {
        code: reason.to_owned(),
    }
}

/// The last part of a link's path, of letters that need no care in a header.
fn file_name(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let last = url.path_segments()?.next_back()?;
    let plain = |letter: &char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    let name: String = last.chars().filter(plain).collect();
    let surplus = name.len().saturating_sub(80);
    (name.len() > 1).then(|| name[surplus..].to_owned())
}

async fn fetch(api: &Api, url: &str, most: usize) -> Result<Bytes, SendError> {
    let link = |error| match error {
        // The link is a flow's or a backend's, not the configuration's: the channel is in order.
        HttpError::Url | HttpError::PrivateAddress | HttpError::Request => rejected("a bad link"),
        HttpError::TooLarge => rejected("too large for Zalo"),
        other => other.into(),
    };
    let request = api.client().get(url).map_err(link)?;
    let request = request.timeout(api.timeout());
    let answer = api.client().fetch(request, most).await.map_err(link)?;
    match answer.status {
        status if status.is_success() => Ok(answer.body),
        status if status.is_server_error() => Err(SendError::Transport {
            reason: format!("link: status {}", status.as_u16()),
        }),
        status => Err(rejected(&format!("link: status {}", status.as_u16()))),
    }
}

async fn upload(api: &Api, path: &str, name: &str, bytes: &[u8]) -> Result<Value, SendError> {
    let boundary = format!("langnghe-{:032x}", rand::random::<u128>());
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    let tail = format!("\r\n--{boundary}--\r\n");
    let mut form = BytesMut::with_capacity(head.len() + bytes.len() + tail.len());
    form.put_slice(head.as_bytes());
    form.put_slice(bytes);
    form.put_slice(tail.as_bytes());
    let content_type = format!("multipart/form-data; boundary={boundary}");
    Ok(api.upload(path, form.freeze(), content_type).await?)
}

/// Zalo answers success without data to a name whose extension it does not like.
fn named(data: &Value, names: &[&str]) -> Result<String, SendError> {
    let id = names
        .iter()
        .find_map(|name| lenient::text(data.get(*name)?));
    id.ok_or_else(|| rejected("Zalo took the upload and gave no id"))
}
