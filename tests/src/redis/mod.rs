//! Real Redis and Valkey servers: alone, as a cluster, and watched by a sentinel. They live in
//! temporary folders on free ports and end with the process that started them, however it ends.

mod certificate;
mod cluster;
mod guard;
mod sentinel;
mod server;
mod setup;

pub use certificate::Certificate;
pub use cluster::Cluster;
pub use sentinel::Watched;
pub use server::{Server, shared};
pub use setup::{Fsync, Product, Setup};
