//! `[[backend]]`: an agency system that tickets go to.

use std::{ops::Range, time::Duration};

use langnghe_flow::reader::nearest;
use langnghe_model::BackendId;
use secrecy::SecretString;
use url::Url;

use super::{reader::Section, secrets::Surroundings, unique::Unique};

/// One backend.
#[derive(Debug)]
pub(crate) struct BackendConfig {
    /// Its name, as flows say it.
    pub(crate) id: BackendId,
    /// Where it is and how it is spoken to.
    pub(crate) webhook: WebhookConfig,
    /// Where its address stands in the file.
    pub(crate) url_place: Range<usize>,
    /// Where its secret stands in the file.
    pub(crate) secret_place: Range<usize>,
}

/// A backend that takes tickets as signed JSON.
#[derive(Debug)]
pub(crate) struct WebhookConfig {
    /// Where tickets are posted.
    pub(crate) url: Url,
    /// The keys that sign, the newest first; more than one while a key is being changed.
    pub(crate) secrets: Vec<SecretString>,
    /// Whether the address may be a private one.
    pub(crate) allow_private: bool,
    /// The longest that one delivery may take.
    pub(crate) timeout: Duration,
}

const TIMEOUT: Duration = Duration::from_secs(15);

/// The kinds that the configuration knows and a later version brings.
const LATER_KINDS: [&str; 3] = ["open311", "email", "file"];

/// How the file writes these sections.
pub(super) const LIST: &str = "[[backend]]";

pub(super) fn read(
    section: Section<'_>,
    surroundings: &Surroundings<'_>,
    unique: &mut Unique,
) -> Option<BackendConfig> {
    let id = section.required("id", "\"ioc\"").and_then(|text| {
        unique.note(&section, LIST, "id", &text.value, text.span.clone());
        let id = BackendId::new(&text.value);
        id.map_err(|error| section.not_an_id(&error, text.span))
            .ok()
    });
    let kind = section.required("kind", "\"webhook\"")?;
    if kind.value != "webhook" {
        let help = if LATER_KINDS.contains(&kind.value.as_str()) {
            format!(
                "{} comes with a later version; this one has webhook",
                kind.value
            )
        } else if nearest(&kind.value, ["webhook"]).is_some() {
            "did you mean \"webhook\"?".to_owned()
        } else {
            "this version has webhook".to_owned()
        };
        section.error(
            "config::backend-kind",
            format!("this version has no backend of the kind `{}`", kind.value),
            kind.span,
            "not in this version",
            help,
        );
        return None;
    }
    let url = section.required_url("url", "\"https://ioc.example.vn/hooks/langnghe\"");
    let secrets = section.secrets("secret", surroundings);
    let allow_private = section.boolean("allow_private").unwrap_or(false);
    let timeout = section
        .duration("timeout", Duration::from_secs(1), Duration::from_mins(1))
        .unwrap_or(TIMEOUT);
    section.finish();
    let (url, secrets) = (url?, secrets?);
    let webhook = WebhookConfig {
        url: url.value,
        secrets: secrets.value,
        allow_private,
        timeout,
    };
    Some(BackendConfig {
        id: id?,
        webhook,
        url_place: url.span,
        secret_place: secrets.span,
    })
}
