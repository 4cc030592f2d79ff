//! The flow language and the engine: TOML files become checked flows, and a pure [`Library::step`]
//! turns a session and an event into a new session, replies, tickets and timers.
//!
//! **Invariants.** No I/O, no clock, no randomness: everything comes in as arguments. No provider's
//! name. A flow always ends. No input makes `step` panic.

mod answer;
mod check;
mod condition;
mod feedback;
mod flow;
mod kinds;
mod library;
mod payload;
pub mod reader;
mod said;
mod session;
mod step;
mod turn;
mod understand;
mod words;

pub use feedback::AboutTicket;
pub use library::{Agency, Library, Loaded, Settings};
pub use said::Said;
pub use session::{Session, SessionError};
pub use step::{ContactChange, Context, Step, TimerRequest};
