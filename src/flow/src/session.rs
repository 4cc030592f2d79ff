//! Where a conversation stands.

use langnghe_model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::answer::{Answer, cut};

/// The first byte of an encoded session says what follows: JSON, as the first releases wrote it.
const JSON: u8 = 1;
/// A MessagePack map with the same short names: a quarter smaller, and quicker both ways.
const MESSAGE_PACK: u8 = 2;
/// A MessagePack map without entries.
const EMPTY_MAP: u8 = 0x80;
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

/// Why stored bytes are no session. Quotes nothing of them: they hold a citizen's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// A newer version of the program wrote it. It is whole: leave it to a replica that can read it.
    #[error("the session is of version {0}, which only a newer version of the program can read")]
    Newer(u8),
    /// They are damaged.
    #[error("not a session of a known version")]
    Broken,
}

impl Session {
    /// Reads what [`Self::encode`] of this or an earlier version of the program wrote.
    ///
    /// # Errors
    /// [`SessionError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, SessionError> {
        let (version, body) = bytes.split_first().ok_or(SessionError::Broken)?;
        let mut session: Self = match *version {
            JSON => serde_json::from_slice(body).map_err(|_| SessionError::Broken)?,
            MESSAGE_PACK => rmp_serde::from_slice(body).map_err(|_| SessionError::Broken)?,
            0 => return Err(SessionError::Broken),
            newer => return Err(SessionError::Newer(newer)),
        };
        session.bound();
        Ok(session)
    }

    /// The session as bytes, compact and versioned. Fields that an older version does not know are
    /// passed over by it, so a new optional field needs no new version.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256);
        bytes.push(MESSAGE_PACK);
        let mut serializer = rmp_serde::Serializer::new(&mut bytes).with_struct_map();
        // Only a failing writer, or a sequence of unknown length, could fail here.
        if self.serialize(&mut serializer).is_err() {
            bytes.truncate(1);
            bytes.push(EMPTY_MAP);
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

#[cfg(test)]
mod tests {
    use langnghe_model::event::{Location, Media, MediaKind};

    use super::*;

    /// Written by the release before this one, in the middle of a report.
    const OLD: &str = r#"{"l":"en","m":"vi","f":{"f":"hien-truong","v":4,"h":"9f0c3d2a11b45e67","a":[["mo_ta",{"t":"Đèn hỏng"}],["vi_tri",{"l":{"latitude":10.03,"longitude":105.78,"label":"Chợ"}}],["anh",{"f":[{"kind":"image","url":"https://a.example/1.jpg","bytes":7}]}],["lien_he","-"],["so",{"n":2.5}],["co",{"b":true}],["loai",{"m":["a","b"]}]],"p":"nhom","s":"r","n":2,"o":true,"u":true,"e":["m_1","mo_ta"],"k":[["cu",{"c":"x"}]]},"p":"e","q":{"u":1795230000000,"c":true},"t":1795230001000,"a":1795230002000,"r":true}"#;

    fn old() -> Vec<u8> {
        [&[JSON], OLD.as_bytes()].concat()
    }

    #[test]
    fn a_session_of_an_earlier_release_is_read_whole_and_written_smaller() {
        let session = Session::decode(&old()).expect("it is known");
        assert_eq!(
            serde_json::to_value(&session).expect("JSON"),
            serde_json::from_str::<serde_json::Value>(OLD).expect("JSON"),
        );
        let form = session.form.as_ref().expect("a form");
        let place = Location {
            latitude: 10.03,
            longitude: 105.78,
            accuracy: None,
            label: Some("Chợ".to_owned()),
        };
        let picture = Media {
            kind: MediaKind::Image,
            url: "https://a.example/1.jpg".to_owned(),
            content_type: None,
            bytes: Some(7),
            name: None,
        };
        assert!(form.answer("vi_tri") == Some(&Answer::Place(place)));
        assert!(form.answer("anh") == Some(&Answer::Media(vec![picture])));

        let bytes = session.encode();
        assert!(Session::decode(&bytes) == Ok(session));
        assert!(
            bytes.len() * 5 < OLD.len() * 4,
            "{} of {}",
            bytes.len(),
            OLD.len()
        );
    }

    #[test]
    fn a_session_of_a_later_release_is_told_from_a_damaged_one() {
        let decoded = |bytes: &[u8]| Session::decode(bytes).err();
        assert_eq!(decoded(&[3, 1, 2, 3]), Some(SessionError::Newer(3)));
        for damaged in [
            &[][..],
            &[0],
            &[JSON],
            &[MESSAGE_PACK],
            &[MESSAGE_PACK, 0xc1],
        ] {
            assert_eq!(decoded(damaged), Some(SessionError::Broken), "{damaged:?}");
        }
    }

    #[test]
    fn a_field_that_came_later_is_passed_over() {
        let mut map = vec![MESSAGE_PACK];
        let later = serde_json::json!({ "a": 5, "zz": ["later", { "x": 1 }], "r": true });
        rmp_serde::encode::write_named(&mut map, &later).expect("it can be written");
        let session = Session::decode(&map).expect("it is read");
        assert!(session.reminded && session.active == Timestamp::from_milliseconds(5));
    }
}
