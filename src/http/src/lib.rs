//! The guarded HTTP client: the one way in which this program makes requests.
//!
//! Addresses of providers and agencies come from a configuration, links from citizens. So every
//! request has time limits, follows no redirect, uses no proxy from the environment, speaks only
//! `http` and `https`, reads no more of an answer than the caller says, and reaches addresses of
//! private networks only where the configuration allows it ([`ClientSettings::allow_private`]).
//! Errors are short words: they never quote an address, because addresses carry tokens.
//!
//! ```
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use langnghe_http::{ClientSettings, GuardedClient};
//!
//! let client = GuardedClient::new(&ClientSettings::default())?;
//! let request = client.get("https://graph.facebook.com/v25.0/me")?.bearer_auth("…");
//! let answer = client.fetch(request, 64 * 1024).await?;
//! println!("{}: {} bytes", answer.status, answer.body.len());
//! # Ok(())
//! # }
//! ```

mod address;
mod body;
mod client;
mod error;
mod permission;
mod provider;
mod resolver;
mod retry_after;

pub use address::is_public;
pub use body::read_bounded;
pub use client::{Answer, ClientSettings, GuardedClient};
pub use error::HttpError;
pub use permission::{Permission, with_permission};
pub use provider::install_crypto_provider;
pub use reqwest::{RequestBuilder, Response};
pub use retry_after::{MAX_RETRY_AFTER, parse_retry_after, retry_after};
