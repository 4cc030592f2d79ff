//! Fits replies to what a channel can show.
//!
//! Decisions, in one place:
//! - Choices go out as quick replies, else buttons, else a list: the first of them that carries all
//!   of them with their labels in full, be it with a label as a row's description; else the first that
//!   carries all of them. Where none does, answers become a numbered text and nothing to tap, because
//!   buttons for only the first ones would hide the others; shortcuts, which can be typed as well, are
//!   cut to as many as fit, or left out.
//! - A label that nothing carries in full stands in full, numbered, in the text, and the buttons carry
//!   the same numbers: "1. Đường, vỉa hè…".
//! - Media goes before its words where both cannot go together, so that what can be tapped under
//!   the words stays in sight.
//! - Where each text may be with or without diacritics ([`Encoding::Auto`]), it keeps them unless it
//!   takes fewer messages without.

mod choices;
mod split;

use langnghe_model::{
    Capabilities, Reply,
    capabilities::{Encoding, TextLimit, TextUnit},
    fold::unaccent,
    gsm,
    reply::{Choice, ChoiceStyle, ContactField},
    segments,
};

/// Fits one reply to a channel: the result is what the connector encodes, one provider message
/// each, in order. Choices become quick replies, buttons, a list or a numbered text; long texts are
/// split at paragraphs, lines, sentences or words with the choices on the last part; what a channel
/// lacks is worded or left out. Empty texts are never sent.
pub fn render(reply: Reply, capabilities: &Capabilities) -> Vec<Reply> {
    let counted = capabilities.text.unit == TextUnit::Segments;
    // A decomposed accent is a unit of its own, which is paid for.
    let as_it_is = |reply| {
        if counted {
            rewritten(reply, &segments::composed)
        } else {
            reply
        }
    };
    let plain = |reply| {
        let rewrite = if counted {
            gsm::transliterate
        } else {
            unaccent
        };
        fitted(rewritten(reply, &rewrite), capabilities)
    };
    match capabilities.encoding {
        Encoding::Unicode => fitted(as_it_is(reply), capabilities),
        Encoding::Unaccented => plain(reply),
        Encoding::Auto => {
            let accented = fitted(as_it_is(reply.clone()), capabilities);
            if accented.len() < 2 {
                return accented;
            }
            let plain = plain(reply);
            if plain.len() < accented.len() {
                plain
            } else {
                accented
            }
        }
    }
}

fn fitted(reply: Reply, capabilities: &Capabilities) -> Vec<Reply> {
    match reply {
        Reply::Text { text } => texts(&text, capabilities.text),
        Reply::Choices {
            text,
            choices,
            style,
        } => choices::render(&text, choices, style, capabilities),
        Reply::Media {
            media,
            url,
            caption,
        } => {
            let caption = caption.unwrap_or_default();
            let Some(limit) = capabilities.media.iter().find(|limit| limit.kind == media) else {
                return texts(
                    format!("{}\n{url}", caption.trim()).trim(),
                    capabilities.text,
                );
            };
            if caption.trim().is_empty() {
                return vec![Reply::Media {
                    media,
                    url,
                    caption: None,
                }];
            }
            if capabilities.text.unit.count(&caption) <= limit.caption {
                return vec![Reply::Media {
                    media,
                    url,
                    caption: Some(caption),
                }];
            }
            let mut parts = vec![Reply::Media {
                media,
                url,
                caption: None,
            }];
            parts.extend(texts(&caption, capabilities.text));
            parts
        }
        Reply::AskLocation { text, choices } if !capabilities.ask_location => {
            choices::render(&text, choices, ChoiceStyle::Shortcuts, capabilities)
        }
        Reply::AskLocation { text, choices } => {
            asking(&text, choices, capabilities, |text, choices| {
                Reply::AskLocation { text, choices }
            })
        }
        Reply::AskContact {
            text,
            field,
            choices,
        } if !can_ask(field, capabilities) => {
            choices::render(&text, choices, ChoiceStyle::Shortcuts, capabilities)
        }
        Reply::AskContact {
            text,
            field,
            choices,
        } => asking(&text, choices, capabilities, |text, choices| {
            Reply::AskContact {
                text,
                field,
                choices,
            }
        }),
        Reply::Typing if !capabilities.typing => Vec::new(),
        Reply::HandOver if !capabilities.hand_over => Vec::new(),
        other => vec![other],
    }
}

fn can_ask(field: ContactField, capabilities: &Capabilities) -> bool {
    match field {
        ContactField::Phone => capabilities.ask_phone,
        ContactField::Email => capabilities.ask_email,
    }
}

fn texts(text: &str, limit: TextLimit) -> Vec<Reply> {
    split::split(text, limit)
        .into_iter()
        .map(|text| Reply::Text { text })
        .collect()
}

/// A question with a button of the channel's own, which takes the place of one choice.
fn asking(
    text: &str,
    choices: Vec<Choice>,
    capabilities: &Capabilities,
    question: impl FnOnce(String, Vec<Choice>) -> Reply,
) -> Vec<Reply> {
    let (beside, above) = choices::shortcuts_beside(choices, capabilities);
    let mut parts = split::split_last(text, capabilities.text, above);
    let Some(last) = parts.pop() else {
        return Vec::new();
    };
    let mut replies: Vec<Reply> = parts.into_iter().map(|text| Reply::Text { text }).collect();
    replies.push(question(last, beside));
    replies
}

/// The reply with every text that the citizen sees rewritten; payloads and links stay.
fn rewritten(reply: Reply, rewrite: &dyn Fn(&str) -> String) -> Reply {
    let all = |choices: Vec<Choice>| {
        choices
            .into_iter()
            .map(|choice| Choice {
                label: rewrite(&choice.label),
                description: choice.description.as_deref().map(rewrite),
                payload: choice.payload,
            })
            .collect()
    };
    match reply {
        Reply::Text { text } => Reply::Text {
            text: rewrite(&text),
        },
        Reply::Choices {
            text,
            choices,
            style,
        } => Reply::Choices {
            text: rewrite(&text),
            choices: all(choices),
            style,
        },
        Reply::Media {
            media,
            url,
            caption,
        } => Reply::Media {
            media,
            url,
            caption: caption.map(|caption| rewrite(&caption)),
        },
        Reply::AskLocation { text, choices } => Reply::AskLocation {
            text: rewrite(&text),
            choices: all(choices),
        },
        Reply::AskContact {
            text,
            field,
            choices,
        } => Reply::AskContact {
            text: rewrite(&text),
            field,
            choices: all(choices),
        },
        other => other,
    }
}

#[cfg(test)]
mod limits;
#[cfg(test)]
mod tests;
