//! `provider = "http"`: any gateway, as its sections describe it. What is wrong is found when the file is
//! read: a gap that nothing fills, a place that is none, a pattern that does not parse.

use std::{str::FromStr, time::Duration};

use http::{HeaderName, Method};
use langnghe_connector::signature::HmacSha256Key;
use langnghe_flow::reader::At;
use langnghe_sms::http::{
    Answers, Encoding, Field, HttpConfig, Incoming, Meaning, Reports, Signature, Taken, Template,
    Values,
};
use regex::RegexBuilder;
use secrecy::ExposeSecret;

use super::{super::Reading, provider::optional_secret};
use crate::config::reader::Section;

/// What can stand in the gaps.
const GAPS: &str = "a message has id, to, international, national, text, unicode and parts; the channel has what is configured of user, password, key and sender";

/// The largest that a compiled pattern may be, in bytes.
const PATTERN: usize = 256 * 1024;

pub(super) fn read(reading: &Reading<'_, '_>) -> Option<HttpConfig> {
    let section = reading.section;
    let values = Values {
        user: optional_secret(reading, "user"),
        password: optional_secret(reading, "password"),
        key: optional_secret(reading, "key"),
        sender: section.text("sender").map(|text| text.value),
    };
    let webhook_token = optional_secret(reading, "webhook_token");
    let timeout = section.duration("timeout", Duration::from_secs(1), Duration::from_mins(1));
    let check = section
        .text("check")
        .and_then(|text| template(section, &text, &values));
    let send = section.section("send", "[channel.send]");
    let method = send.one_of(
        "method",
        &[
            ("POST", Method::POST.as_str()),
            ("GET", "GET"),
            ("PUT", "PUT"),
        ],
    );
    let url = send
        .required("url", "\"https://…/send\"")
        .and_then(|text| template(&send, &text, &values));
    let headers = send
        .texts("headers")
        .iter()
        .filter_map(|text| header(&send, text, &values))
        .collect();
    let body = send
        .text("body")
        .and_then(|text| template(&send, &text, &values));
    let answers = answers(&send);
    send.finish();
    let receive = section.section("receive", "[channel.receive]");
    let incoming = section.has("receive").then(|| incoming(&receive)).flatten();
    let signature = signature(reading, &receive);
    receive.finish();
    let report = section.section("report", "[channel.report]");
    let reports = section.has("report").then(|| reports(&report)).flatten();
    report.finish();
    Some(HttpConfig {
        method: method
            .and_then(|method| Method::from_str(method).ok())
            .unwrap_or(Method::POST),
        url: url?,
        headers,
        body,
        answers: answers?,
        incoming,
        reports,
        webhook_token,
        signature,
        check,
        values,
        timeout: timeout.unwrap_or(Duration::from_secs(10)),
    })
}

fn template(section: &Section<'_>, text: &At<String>, values: &Values) -> Option<Template> {
    Template::new(&text.value, values)
        .map_err(|error| {
            let message = format!("this text with gaps cannot be filled: {error}");
            let place = text.span.clone();
            section.error("config::template", message, place, error.to_string(), GAPS);
        })
        .ok()
}

/// `Name: value`
fn header(
    section: &Section<'_>,
    text: &At<String>,
    values: &Values,
) -> Option<(HeaderName, Template)> {
    let parts = text.value.split_once(':');
    let named = parts.and_then(|(name, value)| {
        Some((
            HeaderName::from_str(name.trim()).ok()?,
            value.trim().to_owned(),
        ))
    });
    let Some((name, value)) = named else {
        section.error(
            "config::header",
            "this is no header",
            text.span.clone(),
            "no name with a colon",
            "for example: \"Authorization: Bearer {{ key }}\"",
        );
        return None;
    };
    let value = At {
        value,
        span: text.span.clone(),
    };
    Some((name, template(section, &value, values)?))
}

fn answers(section: &Section<'_>) -> Option<Answers> {
    let code = pointer(section, "code");
    let message = pointer(section, "message");
    let codes: Vec<String> = values_of(section, "taken");
    let pattern = section.text("taken_pattern");
    let taken = match pattern {
        Some(pattern) => {
            let made = RegexBuilder::new(&pattern.value)
                .size_limit(PATTERN)
                .build();
            match made {
                Ok(pattern) => Taken::Pattern(pattern),
                Err(_) => {
                    let help = "see docs.rs/regex for what a pattern may have";
                    let place = pattern.span;
                    section.error(
                        "config::pattern",
                        "this is no pattern",
                        place,
                        "does not parse",
                        help,
                    );
                    return None;
                }
            }
        }
        None if codes.is_empty() => Taken::Status,
        None => Taken::Codes(codes),
    };
    if let (Taken::Codes(_), None) = (&taken, &code) {
        let place = section.key("taken").unwrap_or(section.span.clone());
        let help = "say where in the answer the code lies: code = \"/code\"";
        section.error(
            "config::answer",
            "codes need a place",
            place,
            "which code?",
            help,
        );
        return None;
    }
    let mut meanings = Vec::new();
    for (key, meaning) in [
        ("duplicate", Meaning::Duplicate),
        ("throttled", Meaning::Throttled),
        ("gone", Meaning::Gone),
        ("credentials", Meaning::Credentials),
        ("rejected", Meaning::Rejected),
    ] {
        meanings.extend(
            values_of(section, key)
                .into_iter()
                .map(|code| (code, meaning)),
        );
    }
    Some(Answers {
        taken,
        code,
        message,
        meanings,
    })
}

fn values_of(section: &Section<'_>, key: &'static str) -> Vec<String> {
    let texts = section.text_or_texts(key);
    texts.into_iter().map(|text| text.value).collect()
}

/// A JSON pointer (RFC 6901).
fn pointer(section: &Section<'_>, key: &'static str) -> Option<String> {
    let text = section.text(key)?;
    if text.value.starts_with('/') {
        return Some(text.value);
    }
    let help = format!(
        "a JSON pointer begins with a slash: {key} = \"/{}\"",
        text.value
    );
    let message = "this is no JSON pointer";
    section.error(
        "config::pointer",
        message,
        text.span,
        "no slash before it",
        help,
    );
    None
}

fn field(section: &Section<'_>, text: &At<String>) -> Option<Field> {
    text.value
        .parse()
        .map_err(|error: langnghe_sms::http::FieldError| {
            let place = text.span.clone();
            let message = "this is no place in a request";
            section.error(
                "config::field",
                message,
                place,
                "not a place",
                error.to_string(),
            );
        })
        .ok()
}

fn incoming(section: &Section<'_>) -> Option<Incoming> {
    let from = section.required("from", "\"form:sender\"");
    let text = section.required("text", "\"form:content\"");
    let id = section.text("id").map(|text| field(section, &text));
    let answer = section
        .text("answer")
        .map_or_else(String::new, |text| text.value);
    Some(Incoming {
        from: field(section, &from?)?,
        text: field(section, &text?)?,
        id: match id {
            Some(id) => Some(id?),
            None => None,
        },
        answer,
    })
}

fn reports(section: &Section<'_>) -> Option<Reports> {
    let message = section.required("message", "\"json:/id\"");
    let state = section.required("state", "\"json:/status\"");
    let to = section.text("to").and_then(|text| field(section, &text));
    let delivered = values_of(section, "delivered");
    let failed = values_of(section, "failed");
    Some(Reports {
        message: field(section, &message?)?,
        state: field(section, &state?)?,
        to,
        delivered,
        failed,
    })
}

fn signature(reading: &Reading<'_, '_>, section: &Section<'_>) -> Option<Signature> {
    let header = section.text("signature_header");
    let prefix = section.text("signature_prefix");
    let words = [("hex", Encoding::Hex), ("base64", Encoding::Base64)];
    let encoding = section.one_of("signature_encoding", &words);
    let key = section
        .has("signature_key")
        .then(|| section.secret("signature_key", reading.surroundings))
        .flatten();
    let header = header?;
    let Some(key) = key.filter(|key| !key.expose_secret().is_empty()) else {
        section.error(
            "config::signature",
            "a signature needs a key",
            header.span,
            "checked with what?",
            "for example: signature_key = \"env:GATEWAY_KEY\"",
        );
        return None;
    };
    Some(Signature {
        header: header.value.to_ascii_lowercase(),
        prefix: prefix.map_or_else(String::new, |text| text.value),
        encoding: encoding.unwrap_or(Encoding::Hex),
        key: HmacSha256Key::new(key.expose_secret().as_bytes()),
    })
}
