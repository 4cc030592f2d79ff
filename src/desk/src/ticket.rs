//! A draft becomes a ticket: its JSON, stored in two parts so that what is personal can be erased.
//!
//! The **public body** is the ticket without its personal answers; it survives erasure and is what
//! open data may draw on. The **personal part** holds the personal answers, with their media, and the
//! pseudonym of the conversation. [`merge`] puts the two together for delivery.
//!
//! The pseudonym is [`ConversationId::tag`]: an agency can see that two tickets come from one citizen,
//! and never gets the messenger's id of them. It counts as personal all the same, because whoever knows
//! a telephone number can work out the tag of its SMS conversation.
//!
//! [`SCHEMA`] describes the merged JSON for agencies.

use std::fmt;

use langnghe_model::{
    ConversationId, TicketId, Timestamp,
    ticket::{Answer, TicketDraft},
};
use langnghe_store::NewTicket;
use serde::{Deserialize, Serialize};

/// The JSON Schema (draft 2020-12) of a ticket as backends receive it.
pub const SCHEMA: &str = include_str!("schema/ticket.json");

/// The version of the ticket's JSON. Fields may be added within a version; a change that an agency's
/// program could trip over makes a new one.
pub const SCHEMA_VERSION: u32 = 1;

/// A ticket as backends receive it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Ticket {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Names it for ever: the idempotency key.
    pub id: TicketId,
    /// The code that the citizen keeps.
    pub code: String,
    /// The flow's id.
    pub flow: String,
    /// The flow's version.
    pub version: u32,
    /// The flow's title in the agency's language.
    pub title: String,
    /// The agency's code for this kind of service.
    pub service: Option<String>,
    /// True when the words of the report speak of danger to life.
    pub urgent: bool,
    /// The language that the citizen used, BCP 47.
    pub language: String,
    /// The channel on which it came, as the configuration names it.
    pub channel: String,
    /// A pseudonym of the citizen on that channel; `None` once erased.
    pub conversation: Option<String>,
    /// When it was made, RFC 3339 in UTC with milliseconds.
    pub created_at: String,
    /// The answers, in the order of the questions.
    pub answers: Vec<Answer>,
    /// The questions whose answers are not shown here: personal ones in the public body, and all of
    /// these once they are erased.
    pub withheld: Vec<String>,
}

impl fmt::Debug for Ticket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "Ticket({}, {} answers)",
            self.id,
            self.answers.len()
        )
    }
}

/// What is removed on erasure.
#[derive(Serialize, Deserialize)]
struct PersonalPart {
    conversation: String,
    answers: Vec<PlacedAnswer>,
}

/// A personal answer and its place among all answers.
#[derive(Serialize, Deserialize)]
struct PlacedAnswer {
    place: usize,
    answer: Answer,
}

/// Why stored bytes are no ticket. Quotes nothing of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// The public body cannot be read.
    #[error("the stored ticket cannot be read")]
    Body,
    /// The personal part cannot be read.
    #[error("the personal part of the stored ticket cannot be read")]
    Personal,
}

/// Turns what a flow produced into what the store keeps: the public body and the personal part.
pub fn compose(
    draft: &TicketDraft,
    id: TicketId,
    conversation: &ConversationId,
    now: Timestamp,
) -> NewTicket {
    let (personal, public): (Vec<_>, Vec<_>) = draft
        .answers
        .iter()
        .cloned()
        .enumerate()
        .partition(|(_, answer)| answer.personal);
    let ticket = Ticket {
        schema_version: SCHEMA_VERSION,
        id,
        code: draft.code.clone(),
        flow: draft.flow.clone(),
        version: draft.version,
        title: draft.title.clone(),
        service: draft.service.clone(),
        urgent: draft.urgent,
        language: draft.language.clone(),
        channel: conversation.channel.as_str().to_owned(),
        conversation: None,
        created_at: rfc3339(now),
        answers: public.into_iter().map(|(_, answer)| answer).collect(),
        withheld: personal
            .iter()
            .map(|(_, answer)| answer.question.clone())
            .collect(),
    };
    let answers = personal
        .into_iter()
        .map(|(place, answer)| PlacedAnswer { place, answer })
        .collect();
    let personal = PersonalPart {
        conversation: conversation.tag(),
        answers,
    };
    NewTicket {
        code: ticket.code.clone(),
        title: ticket.title.clone(),
        backend: draft.backend.clone(),
        body: encode(&ticket),
        personal: Some(encode(&personal)),
        created_at: now,
        id: ticket.id,
    }
}

/// Puts together what [`compose`] took apart. Without the personal part (erased, or not to be shown)
/// it is the public body.
///
/// # Errors
/// [`TicketError`].
pub fn merge(body: &[u8], personal: Option<&[u8]>) -> Result<Ticket, TicketError> {
    let mut ticket: Ticket = serde_json::from_slice(body).map_err(|_| TicketError::Body)?;
    let Some(personal) = personal else {
        return Ok(ticket);
    };
    let personal: PersonalPart =
        serde_json::from_slice(personal).map_err(|_| TicketError::Personal)?;
    ticket.conversation = Some(personal.conversation);
    for PlacedAnswer { place, answer } in personal.answers {
        ticket
            .withheld
            .retain(|question| *question != answer.question);
        // Places ascend, so each finds its own; a place beyond the end can only be damage.
        ticket
            .answers
            .insert(place.min(ticket.answers.len()), answer);
    }
    Ok(ticket)
}

fn encode(part: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(part).expect("strings, numbers and JSON values always encode")
}

/// A moment as RFC 3339 in UTC with milliseconds: `2026-11-21T07:30:00.000Z`.
pub fn rfc3339(moment: Timestamp) -> String {
    // Beyond the years that RFC 3339 can write lies only a broken clock.
    let moment = jiff::Timestamp::from_millisecond(moment.as_milliseconds()).unwrap_or_default();
    format!("{moment:.3}")
}

#[cfg(test)]
mod tests {
    use langnghe_model::{
        ChannelId, CitizenId,
        event::{Media, MediaKind},
    };
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn answer(question: &str, personal: bool) -> Answer {
        Answer {
            question: question.to_owned(),
            label: format!("Câu {question}"),
            value: json!({ "of": question }),
            text: format!("văn bản {question}"),
            personal,
            media: vec![Media {
                kind: MediaKind::Image,
                url: format!("https://media.example.vn/{question}.jpg"),
                content_type: None,
                bytes: None,
                name: None,
            }],
        }
    }

    fn draft(answers: Vec<Answer>) -> TicketDraft {
        TicketDraft {
            code: "22222-22222".to_owned(),
            flow: "hien-truong".to_owned(),
            version: 4,
            title: "Phản ánh hiện trường".to_owned(),
            backend: None,
            service: None,
            urgent: false,
            language: "vi".to_owned(),
            answers,
        }
    }

    fn composed(answers: Vec<Answer>) -> NewTicket {
        let channel = ChannelId::new("sms").expect("an id");
        let conversation = ConversationId::new(channel, CitizenId::new("84912345678"));
        let now = Timestamp::from_milliseconds(1_795_246_200_007);
        compose(&draft(answers), TicketId::new("t1"), &conversation, now)
    }

    #[test]
    fn the_public_body_tells_nothing_personal() {
        let stored = composed(vec![
            answer("loai", false),
            answer("ten", true),
            answer("anh", false),
        ]);
        let public = String::from_utf8(stored.body.clone()).expect("JSON");
        let tag = merge(&stored.body, stored.personal.as_deref())
            .expect("whole")
            .conversation;
        for secret in [
            "văn bản ten",
            "ten.jpg",
            "84912345678",
            &tag.expect("a pseudonym"),
        ] {
            assert!(!public.contains(secret), "{secret}");
        }
        let erased = merge(&stored.body, None).expect("the public body");
        assert_eq!(erased.withheld, ["ten"]);
        assert_eq!((erased.conversation, erased.answers.len()), (None, 2));
        let whole = merge(&stored.body, stored.personal.as_deref()).expect("whole");
        assert!(
            !serde_json::to_string(&whole)
                .expect("JSON")
                .contains("84912345678")
        );
    }

    #[test]
    fn moments_are_rfc_3339() {
        let written = |milliseconds| rfc3339(Timestamp::from_milliseconds(milliseconds));
        assert_eq!(written(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(written(1_795_246_200_007), "2026-11-21T07:30:00.007Z");
        assert_eq!(written(i64::MAX), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn damage_is_an_error_that_quotes_nothing() {
        let stored = composed(vec![answer("ten", true)]);
        assert_eq!(merge(b"{\"code\":", None), Err(TicketError::Body));
        assert_eq!(merge(&stored.body, Some(b"[]")), Err(TicketError::Personal));
    }

    proptest! {
        #[test]
        fn what_was_taken_apart_comes_together_in_order(personal: Vec<bool>) {
            let answers: Vec<Answer> = personal
                .iter()
                .enumerate()
                .map(|(place, personal)| answer(&format!("q{place}"), *personal))
                .collect();
            let stored = composed(answers.clone());
            let whole = merge(&stored.body, stored.personal.as_deref()).expect("whole");
            prop_assert_eq!(whole.answers, answers);
            prop_assert!(whole.withheld.is_empty());
            let erased = merge(&stored.body, None).expect("the public body");
            prop_assert!(erased.answers.iter().all(|answer| !answer.personal));
            prop_assert_eq!(erased.withheld.len() + erased.answers.len(), personal.len());
        }
    }
}
