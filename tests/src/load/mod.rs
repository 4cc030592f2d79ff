//! The load tool: what the program bears, measured beside what a bare server bears, and whether it did
//! everything once and in order meanwhile.
//!
//! Everything is built and signed before the clock runs, so that the tool itself takes little of the
//! machine. Figures are compared within one run, in rounds that take turns: the machine's moods then
//! cancel out, and the ratio is what holds.

mod backlog;
pub mod bare;
pub mod baseline;
mod bot_api;
pub mod client;
mod figures;
pub mod measure;
pub mod options;
mod pace;
pub mod plan;
pub mod process;
pub mod replicas;
pub mod report;
pub mod server_use;
mod shared;
pub mod targets;
pub mod trial;
