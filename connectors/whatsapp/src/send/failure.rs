//! Errors of the Cloud API as decisions. The code decides, never the words or the subcode, which are
//! on their way out.

use http::StatusCode;
use langnghe_graph::{
    Decision::{
        self, Credentials, Gone, RecipientThrottled, Rejected, Throttled, Transport, WindowClosed,
    },
    GraphError, Refusal,
};
use langnghe_model::event::LateFailure;

/// What is done about an error; `None` for codes that are not documented, where the status decides.
/// As documented in September 2026.
pub(crate) fn decide(error: GraphError) -> Option<Decision> {
    let decision = match error.code {
        // The app's calls; calls about the account; the number's messages a second.
        4 => Throttled(60),
        80_007 => Throttled(300),
        130_429 => Throttled(5),
        // The same recipient again, too soon. The wait grows with each time.
        131_056 => RecipientThrottled(4),
        // Too many of our messages were blocked or reported; too many templates of the wrong category.
        131_048 | 131_064 => Throttled(900),
        // Registering the number.
        133_016 => Throttled(3600),
        // Unknown, unavailable, being upgraded; media could not be loaded.
        1 | 2 | 131_000 | 131_016 | 131_052 | 131_053 | 131_057 | 133_004 => Transport,
        // The window; or Meta spares this citizen our templates for a day: they may write, or be told
        // another way.
        131_047 | 131_049 | 130_472 => WindowClosed,
        // Templates: their gaps, name, language, text, state.
        132_000 | 132_001 | 132_005 | 132_007 | 132_012 | 132_015 | 132_016 | 132_018 | 131_063 => {
            Rejected
        }
        // Not on WhatsApp, or we blocked them, or they want none of it, or the number may only write to
        // a list of testers, or it is our own.
        131_026 | 130_403 | 131_050 | 131_021 | 131_030 => Gone,
        // The object is not there, or not for us.
        100 if error.subcode == Some(33) => Credentials,
        // Our mistake.
        33 | 100 | 131_008 | 131_009 | 131_051 | 131_062 => Rejected,
        // Token, permission, policy, country, name, payment, registration.
        0
        | 3
        | 10
        | 190
        | 200..=299
        | 368
        | 130_497
        | 131_005
        | 131_031
        | 131_037
        | 131_042
        | 131_045
        | 133_010 => Credentials,
        _ => return None,
    };
    Some(decision)
}

/// What the code of a `failed` status means, by the same table: most failures come so.
pub(crate) fn failed_later(code: &str) -> LateFailure {
    let Ok(code) = code.parse() else {
        return LateFailure::Never;
    };
    let error = GraphError {
        code,
        subcode: None,
    };
    let refusal = Refusal {
        status: StatusCode::BAD_REQUEST,
        error: Some(error),
        wait: None,
    };
    refusal.decided(decide(error)).later()
}
