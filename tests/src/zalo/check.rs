//! What Zalo takes, as the reference says it.

use axum::http::HeaderMap;
use serde_json::Value;

/// The longest text, in the strictest unit.
const TEXT: usize = 2000;
const MEGABYTE: usize = 1024 * 1024;

/// A consultation message: the user, its words, and the message.
pub(super) fn message(headers: &HeaderMap, body: &[u8]) -> Result<(String, String, Value), String> {
    json_said(headers)?;
    let body: Value = serde_json::from_slice(body).map_err(|_| "the body is no JSON")?;
    keys(&body, &["message", "recipient"], &[])?;
    keys(&body["recipient"], &["user_id"], &[])?;
    let user = digits(&body["recipient"]["user_id"]).ok_or("user_id is no text of digits")?;
    let message = &body["message"];
    keys(message, &[], &["text", "attachment", "quote_message_id"])?;
    let text = match &message["text"] {
        Value::Null => "",
        Value::String(text) => text,
        _ => return Err("the text is none".to_owned()),
    };
    let length = text.encode_utf16().count();
    if length > TEXT {
        return Err(format!("a text of {length} units"));
    }
    if message.get("attachment").is_none() && text.trim().is_empty() {
        return Err("an empty text".to_owned());
    }
    if let Some(attachment) = message.get("attachment") {
        check_attachment(attachment)?;
    }
    Ok((user, text.to_owned(), message.clone()))
}

fn check_attachment(attachment: &Value) -> Result<(), String> {
    keys(attachment, &["payload", "type"], &[])?;
    let payload = &attachment["payload"];
    match attachment["type"].as_str() {
        Some("file") => keys(payload, &["token"], &[]),
        Some("template") => match payload["template_type"].as_str() {
            Some("media") => match payload["elements"].as_array().map(Vec::as_slice) {
                Some([element])
                    if element["url"].is_string() != element["attachment_id"].is_string() =>
                {
                    Ok(())
                }
                _ => Err("a picture is not named by link or by upload alone".to_owned()),
            },
            Some("request_user_info") => match payload["elements"].as_array().map(Vec::as_slice) {
                Some([element]) => keys(element, &["image_url", "subtitle", "title"], &[]),
                _ => Err("request_user_info has exactly one element".to_owned()),
            },
            _ => {
                let listed = payload.get("buttons").or_else(|| payload.get("elements"));
                let count = listed.and_then(Value::as_array).map_or(0, Vec::len);
                if (1..=5).contains(&count) {
                    Ok(())
                } else {
                    Err(format!("{count} buttons or entries"))
                }
            }
        },
        _ => Err("an attachment of an unknown type".to_owned()),
    }
}

/// A template message to a phone number: the number, and the whole.
pub(super) fn template(body: &[u8]) -> Result<(String, Value), String> {
    let body: Value = serde_json::from_slice(body).map_err(|_| "the body is no JSON")?;
    let wanted = ["phone", "template_data", "template_id", "tracking_id"];
    keys(&body, &wanted, &[])?;
    let phone = digits(&body["phone"]).filter(|phone| phone.starts_with("84"));
    let phone = phone.ok_or("the phone number does not begin with 84")?;
    let tracking = body["tracking_id"].as_str().unwrap_or_default();
    if tracking.is_empty() || tracking.len() > 48 {
        return Err("tracking_id has not 1 to 48 characters".to_owned());
    }
    let data = body["template_data"].as_object();
    if !data.is_some_and(|data| data.values().all(Value::is_string)) {
        return Err("template_data has values that are no texts".to_owned());
    }
    Ok((phone, body))
}

/// An upload: Zalo judges by the name's extension.
pub(super) fn upload(kind: &str, headers: &HeaderMap, body: &[u8]) -> Result<(), String> {
    let content_type = headers
        .get("content-type")
        .and_then(|value| value.to_str().ok());
    if !content_type.is_some_and(|value| value.starts_with("multipart/form-data; boundary=")) {
        return Err("an upload is no multipart form".to_owned());
    }
    let (extensions, most): (&[&str], usize) = match kind {
        "image" => (&[".jpg\"", ".png\""], MEGABYTE),
        "gif" => (&[".gif\""], 5 * MEGABYTE),
        "file" => (&[".pdf\"", ".doc\"", ".docx\"", ".csv\""], 5 * MEGABYTE),
        _ => return Err("an upload of an unknown kind".to_owned()),
    };
    let head = String::from_utf8_lossy(&body[..body.len().min(400)]).into_owned();
    let named = extensions.iter().any(|extension| head.contains(extension));
    if !head.contains("name=\"file\"") || !named {
        return Err("an upload without a field `file` with the right extension".to_owned());
    }
    if body.len() > most + 1000 {
        return Err("an upload that is too large".to_owned());
    }
    Ok(())
}

/// The user in `data={"user_id":…}`.
pub(super) fn user(query: &str) -> Option<String> {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let (_, data) = pairs.next().filter(|(name, _)| name == "data")?;
    let data: Value = serde_json::from_str(&data).ok()?;
    digits(&data["user_id"])
}

fn json_said(headers: &HeaderMap) -> Result<(), String> {
    let said = headers.get("content-type").map(http::HeaderValue::as_bytes);
    if said == Some(b"application/json") {
        Ok(())
    } else {
        Err("the body is not said to be JSON".to_owned())
    }
}

fn digits(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let good = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    good.then(|| text.to_owned())
}

/// Whether an object has exactly these keys, and none but those that it may have besides.
fn keys(object: &Value, must: &[&str], may: &[&str]) -> Result<(), String> {
    let Some(object) = object.as_object() else {
        return Err(format!("something with {must:?} is no object"));
    };
    let missing = must.iter().find(|key| !object.contains_key(**key));
    let unknown = object
        .keys()
        .find(|key| !must.contains(&key.as_str()) && !may.contains(&key.as_str()));
    match (missing, unknown) {
        (Some(missing), _) => Err(format!("there is no {missing}")),
        (_, Some(unknown)) => Err(format!("Zalo knows no {unknown} here")),
        _ => Ok(()),
    }
}
