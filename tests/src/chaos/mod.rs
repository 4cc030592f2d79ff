//! Chaos: replicas under load behind a round-robin proxy, while replicas, their lines to the store and
//! the store itself die, halt and come back, and providers send again and out of order. At the end
//! every acknowledged message was processed exactly once and in order, every report is one ticket,
//! and the provider's quota was never exceeded.
//!
//! The seed decides what happens when; [`plan`] is pure. What the system made of it is in the
//! [`timeline`], which a failure prints.

pub mod balancer;
pub mod cluster;
pub mod options;
pub mod plan;
pub mod provider;
pub mod quota;
pub mod run;
pub mod timeline;

pub use options::Options;
pub use run::run;
