//! What has to survive a crash of what comes in: parts that wait, and what may come again. Written before
//! anything in it is acknowledged.

use serde::{Deserialize, Serialize};

use super::{journal::Kept, reassembly::Waiting, redelivery::Redelivery};

/// What is written down.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Book {
    pub(crate) waiting: Waiting,
    pub(crate) redelivery: Redelivery,
}

impl Kept for Book {
    fn merge(&mut self, theirs: Self) {
        self.waiting.merge(theirs.waiting);
        self.redelivery.merge(theirs.redelivery);
    }
}
