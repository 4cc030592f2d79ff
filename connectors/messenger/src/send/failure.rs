//! Errors of the Graph API as decisions. Code and subcode decide, never the status or the words.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use langnghe_connector::{SendError, ThrottleScope};
use serde::Deserialize;
use serde_json::Value;

use super::usage::time_to_regain_access;

/// What is done about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Decision {
    /// Pause the channel; so many seconds when Meta does not say for how long.
    Throttled(u64),
    WindowClosed,
    Gone,
    Away,
    Credentials,
    Rejected,
    /// Try again.
    Transport,
}

use Decision::{Away, Credentials, Gone, Rejected, Throttled, Transport, WindowClosed};

/// Codes with their subcodes, as documented in June 2026. A row without a subcode is for all that
/// have none of their own.
const DOCUMENTED: &[(i64, Option<i64>, Decision)] = &[
    // Unknown error, service unavailable.
    (1, None, Transport),
    (2, None, Transport),
    // The app's limit.
    (4, None, Throttled(60)),
    // Too many opt-in requests.
    (9, Some(2_018_352), Rejected),
    // Outside the window; the last one is the old permission for news.
    (10, Some(2_018_278), WindowClosed),
    (10, Some(2_534_022), WindowClosed),
    (10, Some(2_018_065), WindowClosed),
    // This person cannot receive messages now.
    (10, Some(2_018_108), Gone),
    // The Page is restricted for a time.
    (10, Some(1_893_063), Credentials),
    // Throttled by user, by Page, by use case.
    (17, None, Throttled(30)),
    (32, None, Throttled(30)),
    (80_006, None, Throttled(30)),
    // A parameter is wrong; a retired tag is one.
    (100, None, Rejected),
    // The Page does not exist, or the permission for it is missing.
    (100, Some(33), Credentials),
    // No such person on this Page.
    (100, Some(2_018_001), Gone),
    // Media could not be fetched; a film took too long. Worth another try.
    (100, Some(2_018_008), Transport),
    (100, Some(2_018_294), Transport),
    // Media of another kind than said; media too large.
    (100, Some(2_018_047), Rejected),
    (100, Some(2_018_109), Rejected),
    // The token is wrong or has run out.
    (190, None, Credentials),
    // The app is not approved for this person, or a permission is missing.
    (200, None, Credentials),
    (200, Some(2_018_028), Credentials),
    // "This person isn't available right now."
    (200, Some(1_545_041), Gone),
    (551, None, Gone),
    // Blocked for a breach of the policies.
    (368, None, Credentials),
    // The API's rate; abuse of tags.
    (613, None, Throttled(30)),
    (613, Some(2_018_338), Credentials),
];

/// Numbers that are documented without saying whether they come as code or as subcode.
const ANYWHERE: &[(i64, Decision)] = &[
    // Another app, or Meta's own questions and answers, hold the thread.
    (2_018_300, Away),
    (2_018_321, Away),
    // No profile; no permission for profiles.
    (2_018_218, Rejected),
    (2_018_247, Rejected),
    // The feature is restricted; the message is deleted.
    (2022, Rejected),
    (9_000_001, Rejected),
];

#[derive(Deserialize)]
struct GraphError {
    code: i64,
    error_subcode: Option<i64>,
}

/// The decision for an answer that is no success.
pub(super) fn classify(status: StatusCode, headers: &HeaderMap, body: Option<&Value>) -> SendError {
    let error = body
        .and_then(|body| body.get("error"))
        .and_then(|error| GraphError::deserialize(error).ok());
    let (decision, code) = match &error {
        Some(error) => (
            decide(error).unwrap_or_else(|| by_status(status, Rejected)),
            match error.error_subcode {
                Some(subcode) => format!("{}/{subcode}", error.code),
                None => error.code.to_string(),
            },
        ),
        // An answer that is none of Meta's: a proxy's, or a wrong address. An operator sees to the
        // address; everything else passes.
        None => (
            by_status(status, Credentials),
            format!("status {}", status.as_u16()),
        ),
    };
    match decision {
        Throttled(seconds) => SendError::Throttled {
            after: Some(time_to_regain_access(headers).unwrap_or(Duration::from_secs(seconds))),
            scope: ThrottleScope::Channel,
            code,
        },
        WindowClosed => SendError::WindowClosed { code },
        Gone => SendError::RecipientGone { code },
        Away => SendError::Away,
        Credentials => SendError::Credentials { code },
        Rejected => SendError::Rejected { code },
        Transport => SendError::Transport { reason: code },
    }
}

fn decide(error: &GraphError) -> Option<Decision> {
    let documented = |subcode: Option<i64>| {
        let row = DOCUMENTED
            .iter()
            .find(|row| (row.0, row.1) == (error.code, subcode));
        row.map(|row| row.2)
    };
    let anywhere = ANYWHERE
        .iter()
        .find(|(number, _)| *number == error.code || Some(*number) == error.error_subcode);
    match error.error_subcode {
        Some(subcode) => documented(Some(subcode)),
        // Code 10 alone is a permission that the app lacks. With a subcode that is not documented
        // it can be about one person, and must not stop the channel.
        None if error.code == 10 => Some(Credentials),
        None => None,
    }
    .or(anywhere.map(|(_, decision)| *decision))
    .or_else(|| documented(None))
}

fn by_status(status: StatusCode, otherwise: Decision) -> Decision {
    match status {
        StatusCode::TOO_MANY_REQUESTS => Throttled(60),
        StatusCode::REQUEST_TIMEOUT => Transport,
        // 2xx: the answer is none that the API gives.
        status if status.is_server_error() || status.is_success() => Transport,
        _ => otherwise,
    }
}
