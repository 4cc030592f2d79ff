//! What has to be known of a Page and its app.

use std::collections::BTreeMap;

use langnghe_graph::{App, TemplateForm};
use langnghe_model::ChannelId;

/// What has to be known of a Page and its app.
#[derive(Clone, Debug)]
pub struct Config {
    /// The channel's name.
    pub channel: ChannelId,
    /// The app, with the Page's token.
    pub app: App,
    /// The Page's id. Where it is given, events of other Pages are set aside.
    pub page_id: Option<String>,
    /// Our app's id. Where it is given, passing a thread to any other app is seen as such.
    pub app_id: Option<String>,
    /// How choices are shown.
    pub choices: ChoicePresentation,
    /// The utility templates that Meta approved, by our names of them.
    pub templates: BTreeMap<String, TemplateForm>,
}

impl Config {
    /// A Page with everything else as usual.
    pub fn new(channel: ChannelId, app: App) -> Self {
        Self {
            channel,
            app,
            page_id: None,
            app_id: None,
            choices: ChoicePresentation::default(),
            templates: BTreeMap::new(),
        }
    }
}

/// How choices are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ChoicePresentation {
    /// As up to 13 quick replies, which vanish after the citizen's next message.
    #[default]
    QuickReplies,
    /// As up to 3 buttons, which stay; for citizens whose Messenger shows no quick replies. More
    /// than 3 become a numbered text.
    Buttons,
}
