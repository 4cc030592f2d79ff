//! `[api]`: who may use `/api/v1`.

use langnghe_server::ApiToken;
use secrecy::ExposeSecret as _;

use super::{reader::Section, secrets::Surroundings};

/// The tokens of the section; it is in the file.
pub(super) fn read(section: Section<'_>, surroundings: &Surroundings<'_>) -> Vec<ApiToken> {
    let tokens = section.secrets("token", surroundings);
    let mut good = Vec::new();
    if let Some(tokens) = tokens {
        for token in &tokens.value {
            let token = token.expose_secret();
            // Commands that need no secrets see empty ones.
            if !token.is_empty() && token.len() < ApiToken::SHORTEST {
                section.error(
                    "config::api-token",
                    "a token of the API is too short to be safe",
                    tokens.span.clone(),
                    format!("shorter than {} characters", ApiToken::SHORTEST),
                    "make one: openssl rand -hex 32",
                );
            } else if !token.is_empty() {
                good.push(ApiToken::new(token));
            }
        }
    }
    section.finish();
    good
}
