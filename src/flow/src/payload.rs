//! What a tapped choice brings back: it names its own flow and question, since old buttons stay
//! tappable for ever.

use crate::words::Global;

/// What a payload says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payload<'p> {
    /// A choice of a question.
    Answer {
        flow: &'p str,
        question: &'p str,
        value: &'p str,
    },
    /// Start a flow.
    Start(&'p str),
    /// Do what a key word does.
    Word(Global),
    /// Use a language.
    Language(&'p str),
    /// Send what is under review.
    Send,
    /// The citizen will send no more media.
    Done,
    /// The answer to "delete everything?".
    Erase(bool),
}

impl<'p> Payload<'p> {
    /// Reads a payload; `None` for one that is not ours.
    pub(crate) fn parse(text: &'p str) -> Option<Self> {
        let (kind, rest) = text.split_once('/').unwrap_or((text, ""));
        Some(match kind {
            "a" => {
                let mut parts = rest.splitn(3, '/');
                let (flow, question, value) = (parts.next()?, parts.next()?, parts.next()?);
                Self::Answer {
                    flow,
                    question,
                    value,
                }
            }
            "f" => Self::Start(rest),
            "w" => Self::Word(Global::from_name(rest)?),
            "l" => Self::Language(rest),
            "send" => Self::Send,
            "done" => Self::Done,
            "erase" => Self::Erase(rest == "yes"),
            _ => return None,
        })
    }

    /// The text that [`Self::parse`] reads back.
    pub(crate) fn text(self) -> String {
        match self {
            Self::Answer {
                flow,
                question,
                value,
            } => format!("a/{flow}/{question}/{value}"),
            Self::Start(flow) => format!("f/{flow}"),
            Self::Word(word) => format!("w/{}", word.name()),
            Self::Language(tag) => format!("l/{tag}"),
            Self::Send => "send".to_owned(),
            Self::Done => "done".to_owned(),
            Self::Erase(sure) => format!("erase/{}", if sure { "yes" } else { "no" }),
        }
    }
}
