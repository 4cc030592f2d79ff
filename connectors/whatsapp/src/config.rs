//! What has to be known of a number.

use std::collections::BTreeMap;

use langnghe_graph::{App, AppError, TemplateForm};
use langnghe_model::ChannelId;

/// What has to be known of a number and its app.
#[derive(Clone, Debug)]
pub struct Config {
    /// The channel's name.
    pub channel: ChannelId,
    /// The app, with the token of a system user.
    pub app: App,
    /// The number, as Meta names it: digits, but no phone number. Events of other numbers are set
    /// aside.
    pub phone_number_id: String,
    /// The WhatsApp Business Account, for setting the webhook.
    pub account_id: Option<String>,
    /// The templates that Meta approved, by our names of them.
    pub templates: BTreeMap<String, TemplateForm>,
    /// What stands on the button that opens a list; at most 20 characters.
    pub list_button: String,
}

impl Config {
    /// A number with everything else as usual.
    pub fn new(channel: ChannelId, app: App, phone_number_id: impl Into<String>) -> Self {
        Self {
            channel,
            app,
            phone_number_id: phone_number_id.into(),
            account_id: None,
            templates: BTreeMap::new(),
            list_button: "Chọn".to_owned(),
        }
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let is_id = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
        if !is_id(&self.phone_number_id) {
            return Err(ConfigError::Number);
        }
        if self.account_id.as_deref().is_some_and(|id| !is_id(id)) {
            return Err(ConfigError::Account);
        }
        if !(1..=20).contains(&self.list_button.chars().count()) {
            return Err(ConfigError::ListButton);
        }
        Ok(())
    }
}

/// What is wrong with a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Something about the app.
    #[error(transparent)]
    App(#[from] AppError),
    /// The number's id is none.
    #[error("phone_number_id: the digits that Meta shows as the phone number's ID")]
    Number,
    /// The account's id is none.
    #[error("account_id: the digits that Meta shows as the WhatsApp Business Account's ID")]
    Account,
    /// The button is empty or too long.
    #[error("list_button: 1 to 20 characters")]
    ListButton,
}
