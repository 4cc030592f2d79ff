//! Results of what a connector does as the JSON that cases expect.

use langnghe_model::{EventId, Problem, Profile, Reply, Timestamp};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    Checkup, FetchError, Hint, QuotaRule, QuotaScope, QuotaUnit, SendError, Sent, ThrottleScope,
    signature::encode_hex,
};

/// What a citizen reads of a reply: never to be seen in a log.
pub(super) fn words(reply: &Reply) -> String {
    match reply {
        Reply::Text { text }
        | Reply::Choices { text, .. }
        | Reply::AskLocation { text, .. }
        | Reply::AskContact { text, .. } => text.clone(),
        Reply::Media { caption, .. } => caption.clone().unwrap_or_default(),
        _ => String::new(),
    }
}

pub(super) fn profile(profile: &Profile) -> Value {
    json!({ "profile": { "name": profile.name, "language": profile.language } })
}

pub(super) fn sent(sent: &Result<Sent, SendError>) -> Value {
    match sent {
        Ok(Sent { message }) => json!({ "sent": message.as_ref().map(EventId::as_str) }),
        Err(refused) => error(refused),
    }
}

pub(super) fn error(error: &SendError) -> Value {
    let mut description = json!({ "error": error.class() });
    match error {
        SendError::NotReady { after, reason } => {
            description["after"] = after.as_secs().into();
            description["reason"] = reason.as_str().into();
        }
        SendError::Throttled { after, scope, code } => {
            description["code"] = code.as_str().into();
            description["after"] = after.map(|after| after.as_secs()).into();
            description["scope"] = match scope {
                ThrottleScope::Channel => "channel",
                ThrottleScope::Recipient => "recipient",
            }
            .into();
        }
        SendError::WindowClosed { code }
        | SendError::RecipientGone { code }
        | SendError::Credentials { code }
        | SendError::Rejected { code } => description["code"] = code.as_str().into(),
        SendError::Transport { reason } => description["reason"] = reason.as_str().into(),
        SendError::Away => {}
    }
    description
}

/// Its size, and the digest of its bytes.
pub(super) fn fetched(bytes: &[u8]) -> Value {
    let digest = encode_hex(&Sha256::digest(bytes));
    json!({ "fetched": { "bytes": bytes.len(), "sha256": digest } })
}

pub(super) fn fetch_error(error: &FetchError) -> Value {
    match error {
        FetchError::Gone { code } => json!({ "error": "gone", "code": code }),
        FetchError::TooLarge { limit } => json!({ "error": "too_large", "limit": limit }),
        FetchError::Refused { reason } => json!({ "error": "refused", "reason": reason }),
        FetchError::Transient { reason, after } => json!({
            "error": "transient",
            "reason": reason,
            "after": after.map(|after| after.as_secs()),
        }),
    }
}

/// Of the problems only their codes: their words may be improved.
pub(super) fn checkup(checkup: &Checkup) -> Value {
    let codes: Vec<&str> = checkup
        .problems
        .iter()
        .map(|problem| problem.code)
        .collect();
    json!({ "checkup": {
        "account": checkup.account,
        "facts": checkup.facts,
        "problems": codes,
    } })
}

pub(super) fn problem(problem: &Problem) -> Value {
    json!({ "problem": problem.code })
}

pub(super) fn quota(rule: &QuotaRule) -> Value {
    json!({
        "name": rule.name,
        "scope": match rule.scope {
            QuotaScope::Channel => "channel",
            QuotaScope::Recipient => "recipient",
        },
        "unit": match rule.unit {
            QuotaUnit::Messages => "messages",
            QuotaUnit::Parts => "parts",
        },
        "limit": rule.limit,
        "per": rule.per.as_secs(),
        "burst": rule.burst,
    })
}

pub(super) fn hint(hint: &Hint) -> Value {
    match hint {
        Hint::Used { allowance, percent } => json!({ "used": allowance, "percent": percent }),
        Hint::Remaining {
            allowance,
            remaining,
            total,
            until,
        } => json!({
            "remaining": allowance,
            "left": remaining,
            "total": total,
            "until": until.map(Timestamp::as_milliseconds),
        }),
    }
}
