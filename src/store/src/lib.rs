//! Where everything is kept: one trait of operations, its implementations, and the contract suite
//! that judges them.
//!
//! **Invariants.** A store knows bytes and keys, not meanings: it never decodes an event, a session,
//! a reply or a ticket. Every operation is atomic. Time comes in as an argument where it decides
//! something, so that the suite needs no waiting.

mod address;
pub mod archive;
mod bus;
#[cfg(feature = "contract")]
pub mod contract;
mod error;
mod operations;
mod outbox;
mod ownership;
mod redis;
mod sqlite;
mod store;

pub use address::{AddressError, Node, RedisAddress, RedisServers, StoreAddress};
pub use bus::{BUS_BOUND, Bus};
pub use error::StoreError;
pub use operations::*;
pub use outbox::{
    Contact, Lane, NewReply, OutboxReply, SENT_RECORDS, SentRecord, SettleResult, Settlement,
};
pub use ownership::{Epoch, OwnerId, Ownership};
pub use redis::{
    DurabilityFinding, RedisArchive, RedisOptions, RedisStore, ServerSettings, Severity,
    StoreClock, judge,
};
pub use sqlite::{OpenMode, SqliteStore};
pub use store::Store;
