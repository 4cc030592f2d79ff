//! Errors of the Graph API as decisions. Code and subcode decide, never the status or the words.

use langnghe_connector::SendError;
use langnghe_graph::{
    Decision::{self, Away, Credentials, Gone, Rejected, Throttled, Transport, WindowClosed},
    Failure, GraphError,
};

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

/// The decision for a call that brought nothing.
pub(crate) fn classify(failure: &Failure) -> SendError {
    failure.decided(decide)
}

fn decide(error: GraphError) -> Option<Decision> {
    let documented = |subcode: Option<i64>| {
        let row = DOCUMENTED
            .iter()
            .find(|row| (row.0, row.1) == (error.code, subcode));
        row.map(|row| row.2)
    };
    let anywhere = ANYWHERE
        .iter()
        .find(|(number, _)| *number == error.code || Some(*number) == error.subcode);
    match error.subcode {
        Some(subcode) => documented(Some(subcode)),
        // Code 10 alone is a permission that the app lacks. With a subcode that is not documented
        // it can be about one person, and must not stop the channel.
        None if error.code == 10 => Some(Credentials),
        None => None,
    }
    .or(anywhere.map(|(_, decision)| *decision))
    .or_else(|| documented(None))
}
