//! Keeps in the store what is used of long rules, so that neither a new owner nor a restart forgets it.
//!
//! Before the provider is asked, the store holds that it may have been: each write covers a block of sends
//! ahead, and the next one follows when the block is used up. So a dead owner's record says too much, by a
//! block at most, and never too little. A page is only ever exchanged for the one that was read: what an
//! earlier owner still writes late is noticed, and everything read anew.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt as _, stream};
use langnghe_connector::Unavailable;
use langnghe_model::ChannelId;
use langnghe_store::Store;
use tokio::sync::{Mutex as Turn, MutexGuard as TurnGuard};

use super::{
    Book, Ticket,
    book::{Page, Uncovered},
    lane::Covers,
};
use crate::{channel_state, clock};

/// Under what the records of a channel lie, among its other state.
const PLACE: &str = "quota/";
/// How often others may take what one has written for itself, until it is given up for a while.
const TRIES: usize = 8;
/// How long a send waits that could not be recorded.
const LATER: Duration = Duration::from_secs(2);
/// How many pages are written at once at the end …
const AT_ONCE: usize = 8;
/// … and how long all of them may take.
const ENDING: Duration = Duration::from_secs(5);

/// The records of one channel.
#[derive(Debug)]
pub(crate) struct Journal {
    store: Arc<dyn Store>,
    channel: ChannelId,
    book: Arc<Book>,
    pages: Mutex<HashMap<Page, Arc<Turn<Kept>>>>,
    /// Whether what the book counts is what the store holds.
    read: AtomicBool,
}

/// What the store holds of a page, as far as is known.
#[derive(Debug, Default)]
struct Kept {
    body: Option<Vec<u8>>,
    /// What it holds instead, perhaps: nobody knows what became of that write.
    attempted: Option<Vec<u8>>,
}

impl Journal {
    /// Nothing is read yet.
    pub(crate) fn new(store: Arc<dyn Store>, channel: ChannelId, book: Arc<Book>) -> Self {
        Self {
            store,
            channel,
            read: AtomicBool::new(!book.records()),
            book,
            pages: Mutex::default(),
        }
    }

    /// Whether it has to be read before anything is sent.
    pub(crate) fn is_stale(&self) -> bool {
        !self.read.load(Ordering::SeqCst)
    }

    /// Another may have written since it was read.
    pub(crate) fn forget(&self) {
        self.read.store(!self.book.records(), Ordering::SeqCst);
    }

    /// Reads what earlier owners used.
    ///
    /// # Errors
    /// [`Unavailable`]: nothing may be sent.
    pub(crate) async fn read(&self) -> Result<(), Unavailable> {
        let documents = channel_state::list(&*self.store, &self.channel, PLACE).await?;
        let (pages, unreadable) = self.book.restore(documents, clock::now());
        for name in unreadable {
            tracing::error!(channel = %self.channel, record = name,
                "what was used of a quota cannot be read; all that is allowed counts as used");
        }
        let kept = |(page, body): (Page, Vec<u8>)| {
            let kept = Kept {
                body: Some(body),
                attempted: None,
            };
            (page, Arc::new(Turn::new(kept)))
        };
        *self.pages.lock().unwrap_or_else(PoisonError::into_inner) =
            pages.into_iter().map(kept).collect();
        self.read.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// Makes sure that the store counts a send before the provider is asked.
    ///
    /// # Errors
    /// [`Unavailable`]: it may not go now.
    pub(crate) async fn reserve(&self, ticket: &mut Ticket) -> Result<(), Unavailable> {
        for _ in 0..TRIES {
            let page = match self.book.reserve(ticket) {
                Ok(()) => return Ok(()),
                Err(Uncovered::Over) => break,
                Err(Uncovered::Page(page)) => page,
            };
            let turn = self.turn(page);
            let kept = turn.lock().await;
            // Perhaps the one before wrote for us, too.
            match self.book.reserve(ticket) {
                Ok(()) => return Ok(()),
                Err(Uncovered::Page(still)) if still == page => {
                    self.write(page, kept, Covers::More).await?;
                }
                Err(_) => {}
            }
        }
        Err(Unavailable { retry_after: LATER })
    }

    /// Gives back what was covered and is not used, and says when the rest was, as this replica stops.
    pub(crate) async fn give_back(&self) {
        if self.is_stale() {
            return;
        }
        let pages = stream::iter(self.book.open());
        let each = pages.for_each_concurrent(AT_ONCE, async |page| {
            let turn = self.turn(page);
            let kept = turn.lock().await;
            if self.write(page, kept, Covers::NoMore).await.is_err() {
                tracing::debug!(channel = %self.channel, "the next owner counts too much as used");
            }
        });
        if tokio::time::timeout(ENDING, each).await.is_err() {
            tracing::debug!(channel = %self.channel, "what is not used of quotas was not given back");
        }
    }

    fn turn(&self, page: Page) -> Arc<Turn<Kept>> {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(pages.entry(page).or_default())
    }

    async fn write(
        &self,
        page: Page,
        mut kept: TurnGuard<'_, Kept>,
        covers: Covers,
    ) -> Result<(), Unavailable> {
        let name = format!("{PLACE}{}", self.book.name(page));
        if let Some(attempted) = kept.attempted.clone() {
            let found = channel_state::read(&*self.store, &self.channel, &name).await?;
            if found.as_ref() == Some(&attempted) {
                kept.body = found;
            } else if found != kept.body {
                return Err(self.changed());
            }
            kept.attempted = None;
        }
        let draft = self.book.draft(page, covers, clock::now());
        // This future may be dropped while it waits.
        kept.attempted = Some(draft.body.clone());
        let (store, body) = (&*self.store, kept.body.as_deref());
        if !channel_state::exchange(store, &self.channel, &name, body, &draft.body).await? {
            return Err(self.changed());
        }
        self.book.written(&draft);
        kept.attempted = None;
        kept.body = Some(draft.body);
        Ok(())
    }

    fn changed(&self) -> Unavailable {
        tracing::warn!(channel = %self.channel,
            "another replica recorded the use of a quota meanwhile; it is read anew");
        self.forget();
        Unavailable { retry_after: LATER }
    }
}
