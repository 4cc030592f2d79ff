//! A say over whether a request may still leave, asked at the last moment.
//!
//! A client hands a request to a task of its own that writes it to the connection. So whoever must
//! not send any more, because its time is over, cannot only stop awaiting: that task may run first.
//! The say is asked where that task takes the body, in the same breath in which it writes head and
//! body to the connection. When it is no, nothing of the request is written.

use std::{
    error::Error,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// Says whether requests may still leave. Once it said no, it says no for ever.
pub trait Permission: Send + Sync + 'static {
    /// Whether a request may leave now.
    fn holds(&self) -> bool;
}

tokio::task_local! {
    static PERMISSION: Arc<dyn Permission>;
}

/// Runs `future`; requests with a body that it sends through a [`GuardedClient`](crate::GuardedClient)
/// leave only while `permission` holds. Requests of tasks that it spawns are not covered.
pub async fn with_permission<F: Future>(permission: Arc<dyn Permission>, future: F) -> F::Output {
    PERMISSION.scope(permission, future).await
}

/// Puts the permission of the running task, if it has one, before the body of a request.
pub(crate) fn guard(request: &mut reqwest::Request) {
    let Ok(permission) = PERMISSION.try_with(Arc::clone) else {
        return;
    };
    let Some(body) = request.body_mut() else {
        return;
    };
    if let Some(bytes) = body.as_bytes() {
        let rest = Some(Bytes::copy_from_slice(bytes)).filter(|bytes| !bytes.is_empty());
        *body = reqwest::Body::wrap(Guarded { permission, rest });
    }
}

/// The request was not sent, as its permission had ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Withdrawn;

impl fmt::Display for Withdrawn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("not allowed to send any more")
    }
}

impl Error for Withdrawn {}

/// A body in one piece that asks before it is given.
struct Guarded {
    permission: Arc<dyn Permission>,
    rest: Option<Bytes>,
}

impl Body for Guarded {
    type Data = Bytes;
    type Error = Withdrawn;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Withdrawn>>> {
        if !self.permission.holds() {
            return Poll::Ready(Some(Err(Withdrawn)));
        }
        Poll::Ready(self.rest.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_none()
    }

    /// Exact, so that the request says its length as it would without the guard.
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.rest.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
