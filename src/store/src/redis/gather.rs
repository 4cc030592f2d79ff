//! Many callers, few calls: what callers ask for while a call is under way goes into the next one.

use std::{future::Future, sync::Arc};

use tokio::{
    sync::{Semaphore, mpsc, oneshot},
    task::JoinHandle,
};

use super::Shared;
use crate::StoreError;

/// The most requests that share a call.
const AT_ONCE: usize = 512;
/// So many calls may be under way, so that the server has the next one when it is done with one.
const CALLS: usize = 2;

/// One caller's request, and where its answer goes.
pub(super) struct Request<Q, A> {
    pub(super) question: Q,
    answer: oneshot::Sender<Result<A, StoreError>>,
}

impl<Q, A> Request<Q, A> {
    /// Gives the answer; a caller who went away does not need it.
    pub(super) fn answer(self, answer: Result<A, StoreError>) {
        drop(self.answer.send(answer));
    }
}

/// See the module.
#[derive(Debug)]
pub(super) struct Gather<Q, A> {
    requests: mpsc::Sender<Request<Q, A>>,
}

impl<Q: Send + 'static, A: Send + 'static> Gather<Q, A> {
    /// Starts a gatherer that lets at most `bound` requests wait.
    pub(super) fn start<F, W>(
        shared: &Arc<Shared>,
        bound: usize,
        perform: F,
    ) -> (Self, JoinHandle<()>)
    where
        F: Fn(Arc<Shared>, Vec<Request<Q, A>>) -> W + Send + Sync + 'static,
        W: Future<Output = ()> + Send + 'static,
    {
        let (requests, mut waiting) = mpsc::channel(bound.max(1));
        let shared = Arc::clone(shared);
        let task = tokio::spawn(async move {
            let places = Arc::new(Semaphore::new(CALLS));
            loop {
                let Ok(place) = Arc::clone(&places).acquire_owned().await else {
                    return;
                };
                let mut batch = Vec::new();
                if waiting.recv_many(&mut batch, AT_ONCE).await == 0 {
                    // All callers are gone; what is under way is finished first.
                    drop(place);
                    drop(places.acquire_many(u32::try_from(CALLS).unwrap_or(1)).await);
                    return;
                }
                let work = perform(Arc::clone(&shared), batch);
                tokio::spawn(async move {
                    work.await;
                    drop(place);
                });
            }
        });
        (Self { requests }, task)
    }

    /// Asks, and waits for the answer.
    pub(super) async fn ask(&self, question: Q) -> Result<A, StoreError> {
        let (answer, answered) = oneshot::channel();
        let request = Request { question, answer };
        match self.requests.try_send(request) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(_)) => return Err(StoreError::Full),
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(super::closed()),
        }
        answered.await.unwrap_or_else(|_| Err(super::closed()))
    }
}
