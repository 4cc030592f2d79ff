//! The WhatsApp Cloud API: webhooks in, messages out.
//!
//! [`WhatsApp`] is one phone number of a WhatsApp Business Account. Signatures, verification, requests
//! and the shape of errors are Meta's Graph API ([`langnghe_graph`]); what they mean is here.
//!
//! Who a citizen is: the phone number (`wa_id`, digits only) where Meta tells it, else the
//! business-scoped user id (`VN.…`), which it tells of everybody since April 2026. Messages go `to` the
//! one and to the other as `recipient`. What befell the number itself, a group or another number of
//! the account has nobody to answer and stands under `number:…`.
//!
//! Ids of events: a message has WhatsApp's `wamid`; the statuses of ours are `sent:`, `delivered:`,
//! `read:`, `failed:` and the `wamid`, so that each counts once, in whatever order they come. What has no
//! id is named by the digest of its bytes.
//!
//! Media are named by their ids (`whatsapp:<media id>`): where one lies, Meta tells for five minutes
//! at a time, and only against the token.

mod account;
mod config;
mod connector;
mod media;
mod receive;
mod recent;
mod send;

pub use config::{Config, ConfigError};
pub use connector::{WhatsApp, capabilities};
pub use langnghe_graph::{App, TemplateForm};

/// Marks what befell the number itself: no citizen, nobody to answer.
const NUMBER: &str = "number:";

/// Marks a medium by its id.
const MEDIA: &str = "whatsapp:";

/// Whether an id is a business-scoped user id: two letters for the country, a dot, and more.
fn is_user_id(id: &str) -> bool {
    let bytes = id.as_bytes();
    bytes.len() > 3 && bytes[..2].iter().all(u8::is_ascii_uppercase) && bytes[2] == b'.'
}
