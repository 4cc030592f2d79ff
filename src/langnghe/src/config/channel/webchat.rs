//! `kind = "webchat"`: our own web chat.

use langnghe_flow::reader::At;

use super::{LIST, Reading};

/// Where the web chat lies unless the file says otherwise.
const WEBCHAT_PATH: &str = "/chat";

/// Our own web chat.
#[derive(Debug)]
pub(crate) struct WebchatConfig {
    /// Where its page lies.
    pub(crate) path: String,
    /// What stands at its top; `None` is the agency's name.
    pub(crate) title: Option<String>,
    /// Its interface languages, the first to begin with.
    pub(crate) languages: Option<Vec<String>>,
    /// Origins of pages that may show it in a frame.
    pub(crate) allow_frames: Vec<String>,
    /// Further origins under which it is reached.
    pub(crate) origins: Vec<String>,
}

pub(super) fn read(reading: &mut Reading<'_, '_>) -> WebchatConfig {
    let section = reading.section;
    let texts = |key| {
        section
            .texts(key)
            .into_iter()
            .map(|text| text.value)
            .collect::<Vec<_>>()
    };
    let path = section.text("path").unwrap_or_else(|| At {
        value: WEBCHAT_PATH.to_owned(),
        span: section.span.clone(),
    });
    reading
        .unique
        .note(section, LIST, "path", &path.value, path.span);
    WebchatConfig {
        path: path.value,
        title: section.text("title").map(|text| text.value),
        languages: section.has("languages").then(|| texts("languages")),
        allow_frames: texts("allow_frames"),
        origins: texts("origins"),
    }
}
