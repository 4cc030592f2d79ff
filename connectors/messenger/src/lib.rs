//! Facebook Messenger: webhooks in, Send API out.
//!
//! [`Messenger`] is one Page. Webhooks are verified over their raw bytes and every item of them is
//! normalised; what is not known is kept raw. Replies go out through the Send API, one request each,
//! and every documented error becomes a decision.
//!
//! How Meta's handing-over of conversations is understood:
//! - Items in `messaging` are ours to answer. Items in `standby` belong to whoever holds the thread
//!   (staff in the Page's inbox, another program): a citizen's words there become
//!   `Control { ours: false }` and nothing else. They are never answered, and not kept: they were
//!   not said to us. Receipts and echoes in `standby` are as elsewhere.
//! - `pass_thread_control` gives the thread to us unless it names another app, `take_thread_control`
//!   takes it away.
//!
//! Ids of events: a message has Meta's `mid` itself, so that edits, reactions and answers can name
//! it. Everything else is prefixed by its kind (`postback:`, `echo:`, `edit:`, …), so that it never
//! collides with the message it speaks of. No id holds a citizen's id.

mod account;
mod config;
mod connector;
mod receive;
mod send;

pub use config::{ChoicePresentation, Config};
pub use connector::{Messenger, capabilities};
pub use langnghe_graph::{App, AppError, TemplateForm};

/// The Page Inbox, where staff write (Meta Business Suite), as an app.
const PAGE_INBOX: &str = "263902037430900";

/// Marks a citizen who has no page-scoped id yet: someone behind a plugin on a web site.
const USER_REF: &str = "user_ref:";

/// Marks what happened to the Page itself: no citizen, nobody to answer.
const PAGE: &str = "page:";
