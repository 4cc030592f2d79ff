//! `[[backend]]`: an agency system that tickets go to.

use std::{ops::Range, time::Duration};

use langnghe_model::BackendId;
use secrecy::SecretString;
use url::Url;

use super::{
    reader::{Section, nearest},
    values::Surroundings,
};

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

pub(super) fn read(section: Section<'_>, surroundings: &Surroundings<'_>) -> Option<BackendConfig> {
    let id = read_id(&section);
    let kind = section.required("kind", "\"webhook\"")?;
    if kind.value != "webhook" {
        let help = if LATER_KINDS.contains(&kind.value) {
            format!(
                "{} comes with a later version; this one has webhook",
                kind.value
            )
        } else if nearest(kind.value, &["webhook"]).is_some() {
            "did you mean \"webhook\"?".to_owned()
        } else {
            "this version has webhook".to_owned()
        };
        section.reader().error(
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
    let (url_place, secret_place) = (section.place("url"), section.place("secret"));
    section.finish();
    let webhook = WebhookConfig {
        url: url?.value,
        secrets: secrets?,
        allow_private,
        timeout,
    };
    Some(BackendConfig {
        id: id?,
        webhook,
        url_place,
        secret_place,
    })
}

fn read_id(section: &Section<'_>) -> Option<BackendId> {
    let text = section.required("id", "\"ioc\"")?;
    match BackendId::new(text.value) {
        Ok(id) => Some(id),
        Err(error) => {
            section
                .reader()
                .error("config::id", error.to_string(), text.span, "not an id", "");
            None
        }
    }
}
