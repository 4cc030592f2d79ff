//! How a request is met.

use axum::http::StatusCode;

/// How a request is met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    /// As Meta does.
    #[default]
    Take,
    /// Refused with an error.
    Fail(Failure),
    /// Taken, but the connection breaks in the middle of the answer.
    CutAfter,
    /// Not taken; the connection breaks in the middle of an answer.
    CutBefore,
    /// Not taken, and not answered for a minute.
    Stall,
    /// A page of a proxy in between, with this status.
    Proxy(u16),
}

/// An error of the Graph API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The HTTP status.
    pub status: StatusCode,
    /// Its code.
    pub code: i64,
    /// Its subcode.
    pub subcode: Option<i64>,
    /// What `X-Business-Use-Case-Usage` says to wait.
    pub minutes: Option<u64>,
}

impl Failure {
    /// An error by its numbers, with the status that Meta gives most of them.
    pub const fn new(code: i64, subcode: Option<i64>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code,
            subcode,
            minutes: None,
        }
    }

    /// Calls too fast, for so many minutes.
    pub const fn throttled(minutes: u64) -> Self {
        Self {
            minutes: Some(minutes),
            ..Self::new(613, None)
        }
    }

    /// The citizen last wrote more than 24 hours ago.
    pub const WINDOW_CLOSED: Self = Self::new(10, Some(2_018_278));

    /// The token has run out.
    pub const TOKEN: Self = Self {
        status: StatusCode::UNAUTHORIZED,
        ..Self::new(190, Some(463))
    };

    /// The citizen cannot be reached.
    pub const GONE: Self = Self::new(551, Some(1_545_041));

    /// Staff hold the thread.
    pub const THREAD_HELD: Self = Self::new(100, Some(2_018_300));
}
