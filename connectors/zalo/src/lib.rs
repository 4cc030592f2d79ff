//! Zalo: Official Accounts, template messages, the Bot Platform.
//!
//! [`OfficialAccount`] is one Official Account (OA). Webhooks are verified over their raw bytes and
//! normalised; what is not known is kept raw. Replies go out as consultation messages, or as ZBS (ZNS)
//! templates where we may not write freely.
//!
//! Tokens: the refresh token is used once and brings the next. How a renewal survives the death of the
//! program at any moment is told in `tokens`.
//!
//! Ids of events: a message has Zalo's `msg_id` itself, so that reactions and answers can name it.
//! Everything else is prefixed by its kind, and a digest where it has no id. No id holds a citizen's id.
//! Citizens are named by their id under this account; those who write without an account by
//! `anonymous:`, the conversation's id and their own (see `citizen.rs`); whom only a template reached, by
//! `phone:` and the number.

mod authorize;
pub mod bot;
mod check;
mod citizen;
mod config;
mod connector;
mod fetch;
mod lenient;
mod oauth;
mod receive;
mod send;
mod tokens;
mod tracking;

pub use authorize::{Authorization, AuthorizeError, Authorized, Consent};
pub use config::{ChoicePresentation, Config, ConfigError, ContactRequest, TemplateSetting};
pub use connector::{OfficialAccount, capabilities};
pub use tokens::{Exchanger, exchange_for_parent};
