//! Meta's Graph API, as the connectors of Messenger and WhatsApp share it: the app and its secrets
//! ([`App`]), webhooks that are verified and signed ([`Hub`]), requests with their token and proof
//! ([`GraphClient`]), errors ([`Refusal`]), how much of the allowance is used, media at Meta's hosts,
//! and the loose ways in which Meta writes ids and times ([`wire`]).
//!
//! It knows neither messenger: what an error means and what an item says is the connectors' own.

mod app;
mod client;
mod hub;
mod media;
mod refusal;
mod surrogate;
mod template;
mod usage;
pub mod wire;

pub use app::{App, AppError};
pub use client::GraphClient;
pub use hub::{Hub, Opened};
pub use media::DownloadError;
pub use refusal::{Decision, Failure, GraphError, Refusal};
pub use template::TemplateForm;
