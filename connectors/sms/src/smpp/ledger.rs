//! What has to be known of our own messages after a restart, or by another replica: in which parts the
//! long ones went out, which receipts wait for an answer, and which messages were taken in part.
//!
//! Written once a second, and before a receipt is acknowledged that changes it. So sending costs no
//! write of its own, and a crash can lose what was sent in its last second: receipts of such a message
//! are told for its first part only.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use langnghe_connector::{Host, Unavailable};
use langnghe_model::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    journal::{Journal, Kept},
    pages::{PAGES, Page},
    started::Started,
    tracking::{Heard, Tracking},
};

/// What is written beside the pages.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Outstanding {
    parked: Vec<Heard>,
    started: Started,
}

impl Kept for Outstanding {
    fn merge(&mut self, theirs: Self) {
        for heard in theirs.parked {
            if !self.parked.contains(&heard) {
                self.parked.push(heard);
            }
        }
        self.started.merge(theirs.started);
    }
}

/// The documents.
#[derive(Debug)]
pub(crate) struct Ledger {
    tracking: Arc<Mutex<Tracking>>,
    started: Arc<Mutex<Started>>,
    outstanding: Journal<Outstanding>,
    pages: Vec<Journal<Page>>,
    /// The last attempt to write failed.
    behind: bool,
}

impl Ledger {
    /// Reads what was written, and gives it to those who need it.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub(crate) async fn open(
        host: &Arc<dyn Host>,
        tracking: Arc<Mutex<Tracking>>,
        started: Arc<Mutex<Started>>,
        now: Timestamp,
    ) -> Result<Self, Unavailable> {
        let (outstanding, read) =
            Journal::<Outstanding>::open(Arc::clone(host), "smpp-sent".to_owned()).await?;
        let (mut journals, mut pages) = (Vec::new(), Vec::new());
        for place in 0..PAGES {
            let name = format!("smpp-sent-{place}");
            let (journal, page) = Journal::open(Arc::clone(host), name).await?;
            journals.push(journal);
            pages.push(page);
        }
        lock(&tracking).take_over(pages, read.parked, now);
        lock(&started).merge(read.started);
        Ok(Self {
            tracking,
            started,
            outstanding,
            pages: journals,
            behind: false,
        })
    }

    /// Writes down what changed; says whether all of it is durable.
    pub(crate) async fn write(&mut self) -> bool {
        let mut done = true;
        let parked = lock(&self.tracking).take_parked();
        let started = lock(&self.started).take_changed();
        if self.behind || parked.is_some() || started {
            let mut outstanding = Outstanding {
                parked: parked.unwrap_or_else(|| lock(&self.tracking).parked()),
                started: lock(&self.started).kept(),
            };
            done = self.outstanding.write(&mut outstanding).await.is_ok();
        }
        loop {
            let changed = lock(&self.tracking).pages().take_changed();
            let Some((place, mut page)) = changed else {
                break;
            };
            if self.pages[place].write(&mut page).await.is_err() {
                lock(&self.tracking).pages().not_written(place);
                done = false;
                break;
            }
        }
        self.behind = !done;
        done
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
