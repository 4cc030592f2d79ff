//! The first authorisation: an administrator of the account consents in a browser, and the code that
//! comes back becomes the first pair of tokens.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use langnghe_connector::{Host, signature::equal_in_constant_time};
use langnghe_http::GuardedClient;
use langnghe_model::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use url::Url;

use crate::{
    Config, ConfigError, check,
    oauth::{self, TokenAnswer},
    tokens::{Pair, Tokens},
};

/// A consent that is asked for.
pub struct Consent {
    /// Where the administrator consents.
    pub url: String,
    verifier: SecretString,
    state: String,
}

impl fmt::Debug for Consent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Consent").finish_non_exhaustive()
    }
}

/// What came back from the consent.
pub struct Authorization {
    code: SecretString,
    /// The account that consented, where the address says so.
    pub oa_id: Option<String>,
}

impl fmt::Debug for Authorization {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Authorization")
            .finish_non_exhaustive()
    }
}

/// What the first pair of tokens is like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorized {
    /// How long the access token lives, in words.
    pub access: String,
    /// The same of the refresh token.
    pub refresh: String,
}

/// Why there is no authorisation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorizeError {
    /// The address has no code.
    #[error("there is no code in what was pasted")]
    NoCode,
    /// The address is the answer to another consent.
    #[error("this is the answer to another consent than the one just asked for")]
    OtherConsent,
    /// Another account consented.
    #[error("the account {0} consented, and the configuration names another")]
    OtherAccount(String),
    /// The redirect address is not the one that the console has.
    #[error("Zalo does not know the redirect address ({0})")]
    Redirect(i64),
    /// The app's id or secret is wrong, or it is not active.
    #[error("Zalo does not take the app ({0})")]
    App(i64),
    /// The code was used, or is older than ten minutes, or the verifier does not fit it.
    #[error("Zalo does not take the code ({0} {1})")]
    Code(i64, String),
    /// No usable answer.
    #[error("Zalo brought no answer: {0}")]
    Transport(String),
    /// The tokens could not be kept: they are lost.
    #[error("the tokens could not be kept in the store")]
    Store,
}

impl AuthorizeError {
    /// What an operator can do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::NoCode => {
                "paste the whole address that the browser shows after the consent, or only its `code`"
            }
            Self::OtherConsent => {
                "open the address that was printed last, and paste what comes of that one"
            }
            Self::OtherAccount(_) => {
                "consent as an administrator of the account that `oa_id` names, or correct `oa_id`"
            }
            Self::Redirect(_) => {
                "the redirect address must be, letter by letter, the callback address in the console (Official Account > settings); give it with --redirect-uri"
            }
            Self::App(_) => {
                "compare `app_id` and `app_secret` with the console's page of the app, and activate the app there"
            }
            Self::Code(..) => {
                "a code lives for ten minutes and is taken once: consent again and paste it at once. Where the console makes the link itself, give its verifier with --code-verifier"
            }
            Self::Transport(_) => {
                "this machine must reach oauth.zaloapp.com; the code may be used up: consent again"
            }
            Self::Store => "the store must be reachable and writable; then consent again",
        }
    }
}

impl Consent {
    /// Begins a consent. `verifier` is the fixed one of the console, where it makes the link itself.
    pub fn new(config: &Config, redirect_uri: &str, verifier: Option<SecretString>) -> Self {
        let random = || URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let verifier = verifier.unwrap_or_else(|| random().into());
        let state = random()[..22].to_owned();
        let parameters = [
            ("app_id", config.app_id.as_str()),
            ("redirect_uri", redirect_uri),
            ("code_challenge", &challenge(verifier.expose_secret())),
            ("state", &state),
        ];
        let base = config.oauth_base.trim_end_matches('/');
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(parameters)
            .finish();
        Self {
            url: format!("{base}/v4/oa/permission?{query}"),
            verifier,
            state,
        }
    }

    /// Reads what an operator pasted: the whole address, or only the code.
    ///
    /// # Errors
    /// [`AuthorizeError::NoCode`], [`AuthorizeError::OtherConsent`].
    pub fn read(&self, pasted: &str) -> Result<Authorization, AuthorizeError> {
        let pasted = pasted.trim();
        if !pasted.contains("://") && !pasted.contains("code=") {
            let plain = !pasted.is_empty() && !pasted.contains(char::is_whitespace);
            return plain
                .then(|| Authorization {
                    code: pasted.into(),
                    oa_id: None,
                })
                .ok_or(AuthorizeError::NoCode);
        }
        let query = Url::parse(pasted)
            .ok()
            .and_then(|url| url.query().map(str::to_owned));
        let query = query.unwrap_or_else(|| pasted.trim_start_matches(['?', '/']).to_owned());
        let field = |name: &str| {
            url::form_urlencoded::parse(query.as_bytes())
                .find(|(found, _)| found == name)
                .map(|(_, value)| value.into_owned())
                .filter(|value| !value.is_empty())
        };
        // Zalo's page promises `code` and `oa_id` only: a state that does not come back is no attack.
        if field("state").is_some_and(|state| !equal_in_constant_time(&state, &self.state)) {
            return Err(AuthorizeError::OtherConsent);
        }
        Ok(Authorization {
            code: field("code").ok_or(AuthorizeError::NoCode)?.into(),
            oa_id: field("oa_id"),
        })
    }

    /// Exchanges the code, and keeps the tokens where the replicas find them.
    ///
    /// # Errors
    /// [`AuthorizeError`].
    pub async fn exchange(
        &self,
        config: &Config,
        client: GuardedClient,
        host: &dyn Host,
        authorization: Authorization,
    ) -> Result<Authorized, AuthorizeError> {
        if let (Some(ours), Some(theirs)) = (&config.oa_id, &authorization.oa_id)
            && ours != theirs
        {
            return Err(AuthorizeError::OtherAccount(theirs.clone()));
        }
        let tokens = Tokens::new(config, client.clone())
            .map_err(|error: ConfigError| AuthorizeError::Transport(error.to_string()))?;
        let request = tokens.request(authorization.code, self.verifier.clone());
        let answer = request
            .send(&client)
            .await
            .map_err(|error| AuthorizeError::Transport(error.to_string()))?;
        let new = match oauth::read(&answer.body) {
            TokenAnswer::Pair(new) => new,
            TokenAnswer::Refused { code: -14003, .. } => {
                return Err(AuthorizeError::Redirect(-14003));
            }
            TokenAnswer::Refused { code: -14002, .. } => return Err(AuthorizeError::App(-14002)),
            TokenAnswer::Refused { code, name } => return Err(AuthorizeError::Code(code, name)),
            TokenAnswer::Unreadable => {
                let status = format!("status {}", answer.status.as_u16());
                return Err(AuthorizeError::Transport(status));
            }
        };
        let now: Timestamp = host.now();
        let pair = Pair::given(&new, now);
        tokens
            .authorised(host, &pair)
            .await
            .map_err(|_| AuthorizeError::Store)?;
        Ok(Authorized {
            access: check::ends(now + new.access_life, now),
            refresh: check::ends(pair.refresh_until, now),
        })
    }
}

/// PKCE, method S256.
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use langnghe_model::ChannelId;

    use super::*;

    fn consent() -> Consent {
        let channel = ChannelId::new("oa").expect("a good id");
        let config = Config::new(channel, "1000000000000000001", "s".into(), "o".into());
        let verifier = SecretString::from("A".repeat(43));
        Consent::new(&config, "https://gop-y.example.vn/", Some(verifier))
    }

    #[test]
    fn the_consent_is_asked_for_as_in_the_reference() {
        let consent = consent();
        let url = Url::parse(&consent.url).expect("a URL");
        assert_eq!(url.path(), "/v4/oa/permission");
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let expected = [
            ("app_id", "1000000000000000001"),
            ("redirect_uri", "https://gop-y.example.vn/"),
            (
                "code_challenge",
                "DwBzhbb51LfusnSGBa_hqYSgo7-j8BTQnip4TOnlzRo",
            ),
            ("state", &consent.state),
        ];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(pairs, expected);
    }

    #[test]
    fn the_whole_address_or_the_code_alone_can_be_pasted() {
        let consent = consent();
        let state = &consent.state;
        for pasted in [
            "abc-DEF_1".to_owned(),
            "https://gop-y.example.vn/?code=abc-DEF_1&oa_id=4".to_owned(),
            format!(" https://gop-y.example.vn/?oa_id=4&code=abc-DEF_1&state={state}\n"),
            "code=abc-DEF_1".to_owned(),
        ] {
            let read = consent.read(&pasted).expect("a code");
            assert_eq!(read.code.expose_secret(), "abc-DEF_1", "{pasted}");
        }
        for (pasted, error) in [
            ("", AuthorizeError::NoCode),
            ("https://gop-y.example.vn/?oa_id=4", AuthorizeError::NoCode),
            ("two words", AuthorizeError::NoCode),
            (
                "https://gop-y.example.vn/?code=a&state=x",
                AuthorizeError::OtherConsent,
            ),
        ] {
            assert_eq!(consent.read(pasted).map(|_| ()), Err(error), "{pasted}");
        }
    }
}
