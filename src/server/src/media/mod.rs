//! Media that citizens send: uploads that come with their bytes, and a messenger's, which are fetched.
//!
//! **Names before bytes.** When a turn is taken, each medium that still lies at the provider gets a name
//! of ours (`names`), and the session and the ticket hold only that. A job to fetch it (`job`) is a
//! document of the store before the turn is committed; it is removed once the medium is kept or given
//! up. So a medium is in one of four states, at every instant and after every crash:
//!
//! | job | about | state |
//! | --- | --- | --- |
//! | there | – | *fetching*: tried again until it is here or given up |
//! | any | available | *available* |
//! | any | unavailable | *unavailable*, for a reason |
//! | – | – | *unavailable*: it was removed |
//!
//! The fetcher (`fetcher`) of the replica that owns the channel fetches. Two that do it at once, or one
//! that does it again, write the same bytes under the same name. An erasure is a document too, so that
//! what was on its way while it happened is removed as well.

mod about;
mod delivery;
mod fetcher;
mod job;
mod keeper;
mod links;
mod look;
mod metrics;
mod names;
mod place;
mod retention;
mod s3;
mod scan;
mod shelf;

pub(crate) use about::About;
pub(crate) use fetcher::{FetchChannel, Fetcher};
pub(crate) use job::{FetchJob, take_over};
pub(crate) use keeper::{Erasure, MediaKeeper, State};
pub(crate) use links::{LinkRefused, check as check_link};
pub use look::{MediaUnknown, look_for_media};
pub(crate) use metrics::MediaMetrics;
pub(crate) use names::{Keys, Name};
pub use place::{MediaPlace, PlaceRefused};
pub use s3::S3Settings;
pub use scan::ScanSettings;

#[cfg(test)]
mod tests;
