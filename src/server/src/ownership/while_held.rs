//! A send that stops where the right to send ends.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use langnghe_http::{Permission, with_permission};

use super::Tenure;

/// Whether the reply arrived is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the right to send ended before the send did")]
pub(crate) struct Lost;

/// Runs `send`, and drops it where `tenure` ends. The tenure is asked before every step of it, so
/// that a process that was paused past its lease does nothing of it when it goes on; and once more
/// where a request is written, as that is done by a task of the client's own.
pub(crate) async fn while_held<F: Future>(tenure: &Tenure, send: F) -> Result<F::Output, Lost> {
    let permission: Arc<dyn Permission> = Arc::new(tenure.clone());
    WhileHeld {
        tenure,
        send: Box::pin(with_permission(permission, send)),
        over: Box::pin(tenure.over()),
    }
    .await
}

struct WhileHeld<'a, F, O> {
    tenure: &'a Tenure,
    send: Pin<Box<F>>,
    over: Pin<Box<O>>,
}

impl<F: Future, O: Future<Output = ()>> Future for WhileHeld<'_, F, O> {
    type Output = Result<F::Output, Lost>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if !self.tenure.holds() {
            return Poll::Ready(Err(Lost));
        }
        if let Poll::Ready(result) = self.send.as_mut().poll(context) {
            return Poll::Ready(Ok(result));
        }
        // It wakes us when the time is over, as the send itself may wait for longer.
        self.over.as_mut().poll(context).map(|()| Err(Lost))
    }
}
