//! Where a conversation stands.

use langnghe_model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::answer::{Answer, cut};

/// The first byte of an encoded session: the version of what follows.
const VERSION: u8 = 1;
/// The most answers that a session holds.
const ANSWERS: usize = 200;
/// The longest free answer in characters, with room for captions.
pub(crate) const LONGEST: usize = 4000;

/// Where a conversation stands: the flow, its version, the answers so far, the language.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// The language that the citizen chose.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub(crate) language: Option<String>,
    /// The language that the messenger told; it is asked only when a conversation begins.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub(crate) told: Option<String>,
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub(crate) form: Option<Form>,
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub(crate) pending: Option<Pending>,
    /// A person holds the conversation.
    #[serde(rename = "q", default, skip_serializing_if = "Option::is_none")]
    pub(crate) quiet: Option<Quiet>,
    /// When the one timer that is set comes due.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub(crate) timer: Option<Timestamp>,
    /// When the citizen last wrote.
    #[serde(rename = "a", default)]
    pub(crate) active: Timestamp,
    /// They were reminded since.
    #[serde(rename = "r", default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) reminded: bool,
}

/// A flow that is being filled in.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Form {
    #[serde(rename = "f")]
    pub(crate) flow: String,
    #[serde(rename = "v", default)]
    pub(crate) version: u32,
    /// The hash of the flow's text.
    #[serde(rename = "h")]
    pub(crate) hash: String,
    #[serde(rename = "a", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) answers: Vec<(String, Answer)>,
    /// The question that was asked.
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<String>,
    #[serde(rename = "s", default, skip_serializing_if = "Stage::is_asking")]
    pub(crate) stage: Stage,
    /// How often the question was not answered.
    #[serde(rename = "n", default, skip_serializing_if = "is_zero")]
    pub(crate) strikes: u8,
    /// The answer to the question asked is still growing (media, taps on several choices).
    #[serde(rename = "o", default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) open: bool,
    /// Its words spoke of danger to life.
    #[serde(rename = "u", default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) urgent: bool,
    /// The message that gave the last text, and the question that it answered.
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    pub(crate) last: Option<(String, String)>,
    /// Answers to questions that a newer version no longer has.
    #[serde(rename = "k", default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) kept: Vec<(String, Answer)>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_zero(number: &u8) -> bool {
    *number == 0
}

/// What the next message is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// The question asked.
    #[default]
    #[serde(rename = "a")]
    Asking,
    /// The way out that was offered after three answers that were not understood.
    #[serde(rename = "s")]
    Stuck,
    /// The review.
    #[serde(rename = "r")]
    Review,
    /// The number of the answer to change.
    #[serde(rename = "w")]
    Which,
}

impl Stage {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "serde calls it with a reference"
    )]
    fn is_asking(&self) -> bool {
        *self == Self::Asking
    }
}

/// A question of the system's own that waits for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Pending {
    #[serde(rename = "e")]
    Erase,
    #[serde(rename = "l")]
    Language,
}

/// Why and how long we keep quiet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Quiet {
    #[serde(rename = "u")]
    pub(crate) until: Timestamp,
    /// The provider told us that we may not write.
    #[serde(rename = "c")]
    pub(crate) control: bool,
}

/// Why stored bytes are no session.
#[derive(Debug, thiserror::Error)]
#[error("not a session of a known version: {0}")]
pub struct SessionError(pub String);

impl Session {
    /// Reads what [`Self::encode`] of this or an earlier version of the program wrote.
    ///
    /// # Errors
    /// [`SessionError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, SessionError> {
        let (version, body) = bytes
            .split_first()
            .ok_or_else(|| SessionError("no bytes".to_owned()))?;
        if *version != VERSION {
            return Err(SessionError(format!("version {version}")));
        }
        // The reason could quote a citizen's words, so only its place is told.
        let mut session: Self = serde_json::from_slice(body)
            .map_err(|error| SessionError(format!("broken at byte {}", error.column())))?;
        session.bound();
        Ok(session)
    }

    /// The session as bytes, compact and versioned.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        bytes.push(VERSION);
        // Only maps with keys that are no text, or a failing writer, could fail here.
        if serde_json::to_writer(&mut bytes, self).is_err() {
            bytes.truncate(1);
            bytes.extend_from_slice(b"{}");
        }
        bytes
    }

    /// Cuts everything to its bound.
    fn bound(&mut self) {
        for language in [&mut self.language, &mut self.told].into_iter().flatten() {
            cut(language, 40);
        }
        let Some(form) = &mut self.form else { return };
        cut(&mut form.flow, 64);
        cut(&mut form.hash, 64);
        if let Some(at) = &mut form.at {
            cut(at, 64);
        }
        for list in [&mut form.answers, &mut form.kept] {
            list.truncate(ANSWERS);
            for (id, answer) in list {
                cut(id, 64);
                answer.bound(LONGEST);
            }
        }
        if let Some((message, question)) = &mut form.last {
            cut(message, 256);
            cut(question, 64);
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Session")
            .field("form", &self.form)
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}

/// Tells where a form stands, never what a citizen wrote.
impl std::fmt::Debug for Form {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Form")
            .field("flow", &self.flow)
            .field("at", &self.at)
            .field("stage", &self.stage)
            .field("answers", &self.answers.len())
            .finish_non_exhaustive()
    }
}

impl Form {
    /// The answer to a question.
    pub(crate) fn answer(&self, question: &str) -> Option<&Answer> {
        self.answers
            .iter()
            .find(|(id, _)| id == question)
            .map(|(_, answer)| answer)
    }

    /// Sets the answer to a question.
    pub(crate) fn set(&mut self, question: &str, answer: Answer) {
        if let Some((_, old)) = self.answers.iter_mut().find(|(id, _)| id == question) {
            *old = answer;
        } else if self.answers.len() < ANSWERS {
            self.answers.push((question.to_owned(), answer));
        }
    }

    /// Takes the answer to a question away.
    pub(crate) fn forget(&mut self, question: &str) {
        self.answers.retain(|(id, _)| id != question);
    }
}
