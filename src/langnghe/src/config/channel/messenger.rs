//! `kind = "messenger"`: a Facebook page.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use super::Reading;

/// A Facebook page.
#[derive(Debug)]
pub(crate) struct MessengerConfig {
    /// Sign the webhooks, and the first of them our calls; more than one while it is being changed.
    pub(crate) app_secrets: Vec<SecretString>,
    /// What Facebook repeats when the webhook is set up.
    pub(crate) verify_token: SecretString,
    /// The page's token.
    pub(crate) access_token: SecretString,
    /// The Graph API, or a stand-in.
    pub(crate) api_base: Option<Url>,
    /// The Graph API's version (`v26.0`).
    pub(crate) api_version: Option<String>,
    /// The page's id; where it is given, events of other pages are set aside.
    pub(crate) page_id: Option<String>,
    /// The app's id.
    pub(crate) app_id: Option<String>,
    /// Whether choices are buttons, which stay, and not quick replies, which vanish.
    pub(crate) buttons: bool,
    /// The longest that one call may take.
    pub(crate) timeout: Option<Duration>,
    /// Whether `api_base` may be a private address.
    pub(crate) allow_private: bool,
}

pub(super) fn read(reading: &mut Reading<'_, '_>) -> Option<MessengerConfig> {
    let (section, surroundings) = (reading.section, reading.surroundings);
    let app_secrets = section.secrets("app_secret", surroundings);
    let verify_token = section.secret("verify_token", surroundings);
    let access_token = section.secret("access_token", surroundings);
    let api_base = section.url("api_base").map(|url| url.value);
    let text = |key| section.text(key).map(|text| text.value);
    let (api_version, page_id, app_id) = (text("api_version"), text("page_id"), text("app_id"));
    let words = [("quick_replies", false), ("buttons", true)];
    let buttons = section.one_of("choices", &words).unwrap_or(false);
    let timeout = section.duration("timeout", Duration::from_secs(1), Duration::from_mins(1));
    let allow_private = section.boolean("allow_private").unwrap_or(false);
    Some(MessengerConfig {
        app_secrets: app_secrets?.value,
        verify_token: verify_token?,
        access_token: access_token?,
        api_base,
        api_version,
        page_id,
        app_id,
        buttons,
        timeout,
        allow_private,
    })
}
