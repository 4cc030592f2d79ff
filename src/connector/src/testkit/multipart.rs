//! Reads forms of several parts, as a provider does.

use std::collections::BTreeMap;

use http::{HeaderMap, header::CONTENT_TYPE};
use serde_json::{Value, json};

/// The parts by their names; a text says what is wrong.
pub(super) fn parse(headers: &HeaderMap, body: &[u8]) -> Value {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let boundary = kind
        .filter(|kind| kind.starts_with("multipart/form-data;"))
        .and_then(|kind| kind.split_once("boundary="));
    let Some((_, boundary)) = boundary else {
        return json!("no multipart/form-data with a boundary");
    };
    let text = String::from_utf8_lossy(body);
    let boundary = format!("--{}", boundary.trim_matches('"'));
    let mut parts = BTreeMap::new();
    // What stands before the first boundary and after the last one is nothing.
    for part in text.split(&boundary).skip(1) {
        if part.starts_with("--") {
            return json!(parts);
        }
        let Some((head, content)) = part.trim_start_matches("\r\n").split_once("\r\n\r\n") else {
            return json!("a part without an empty line after its headers");
        };
        let content = content.strip_suffix("\r\n").unwrap_or(content);
        let Some(name) = quoted(head, "; name=\"") else {
            return json!("a part without a name");
        };
        let value = match quoted(head, "; filename=\"") {
            None => json!(content),
            Some(file) => json!({ "file": file, "type": media_type(head), "text": content }),
        };
        parts.insert(name.to_owned(), value);
    }
    json!("no end")
}

fn quoted<'a>(head: &'a str, before: &str) -> Option<&'a str> {
    let (_, rest) = head.split_once(before)?;
    rest.split_once('"').map(|(value, _)| value)
}

fn media_type(head: &str) -> Option<&str> {
    head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-type")
            .then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_files_are_read() {
        let headers = [(
            CONTENT_TYPE,
            "multipart/form-data; boundary=x1"
                .parse()
                .expect("a header value"),
        )];
        let body = "--x1\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nmột\r\n--x1\r\n\
            Content-Disposition: form-data; name=\"f\"; filename=\"b.png\"\r\n\
            Content-Type: image/png\r\n\r\nPNG\r\n--x1--\r\n";
        assert_eq!(
            parse(&headers.into_iter().collect(), body.as_bytes()),
            json!({"a": "một", "f": {"file": "b.png", "type": "image/png", "text": "PNG"}})
        );
        assert!(parse(&HeaderMap::new(), body.as_bytes()).is_string());
    }
}
