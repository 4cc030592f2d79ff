//! The wire as the page uses it, over real connections: nothing lost, nothing doubled, all bounded.

mod chat;
#[path = "../common/mod.rs"]
mod common;
mod page;
mod replicas;
mod requests;
mod sockets;
