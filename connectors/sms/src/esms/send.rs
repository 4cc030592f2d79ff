//! Messages to eSMS, and what its codes mean.

use http::Method;
use langnghe_connector::{SendError, Sent};
use langnghe_http::Answer;
use langnghe_model::{EventId, segments::Alphabet};
use serde::Deserialize;
use serde_json::Value;

use super::Esms;
use crate::{
    api::{by_status, transport},
    provider::{OutgoingText, national},
};

pub(super) async fn send(esms: &Esms, text: &OutgoingText<'_>) -> Result<Sent, SendError> {
    let path = [
        "MainService.svc",
        "json",
        "SendMultipleMessage_V4_post_json",
        "",
    ];
    let config = &esms.config;
    let accented = text.segments.alphabet == Alphabet::Ucs2;
    let bit = |yes: bool| if yes { "1" } else { "0" };
    let mut message = esms.credentials();
    for (name, value) in [
        ("Phone", national(text.to)),
        ("Content", text.text.to_owned()),
        ("SmsType", config.sms_type.to_string()),
        ("IsUnicode", bit(accented).to_owned()),
        ("Sandbox", bit(config.sandbox).to_owned()),
        // A second message with it is refused as a duplicate.
        ("RequestId", text.short_id()),
        ("CallbackUrl", esms.callback()),
    ] {
        message[name] = value.into();
    }
    if let Some(sender) = &config.sender {
        message["Brandname"] = sender.as_str().into();
    }
    let request = esms.api.request(Method::POST, &path, &[])?;
    let answer = esms.api.ask(request.json(&message)).await?;
    read(&answer)
}

#[derive(Deserialize)]
struct Taken {
    #[serde(rename = "CodeResult")]
    code: Value,
    #[serde(rename = "SMSID")]
    id: Option<String>,
}

fn read(answer: &Answer) -> Result<Sent, SendError> {
    let taken: Option<Taken> = serde_json::from_slice(&answer.body).ok();
    let Some(taken) = taken else {
        return Err(by_status(answer));
    };
    // A text as documented; some accounts get a number.
    let code = match &taken.code {
        Value::String(code) => code.clone(),
        other => other.to_string(),
    };
    match &*code {
        "100" => Ok(Sent {
            message: taken.id.map(EventId::new),
        }),
        // An earlier attempt, whose answer was lost, was taken.
        "124" => Ok(Sent::default()),
        // The number is blocked; it is none.
        "99" | "108" => Err(SendError::RecipientGone { code }),
        // Wrong key, no price list, no balance, our address is not on the list.
        "101" | "102" | "103" | "140" => Err(SendError::Credentials { code }),
        // Brandname, message id, amounts, type, template, network.
        "104" | "105" | "107" | "118" | "120" | "146" | "177" => Err(SendError::Rejected { code }),
        _ => Err(transport(format!("code {code}"))),
    }
}
