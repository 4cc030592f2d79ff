//! What citizens think of a notice, as a ticket of its own: an agency reads stars and words where it reads
//! everything else, and what is personal in it is erased as everything else is.

use langnghe_model::{
    BackendId,
    event::Feedback,
    ticket::{Answer, TicketDraft},
};
use serde_json::{Value, json};

use crate::{Library, words::Word};

/// What stands in the place of a flow's id.
const FLOW: &str = "feedback";

/// The ticket that a notice was about.
#[derive(Clone, Copy, Debug)]
pub struct AboutTicket<'a> {
    /// Its code.
    pub code: &'a str,
    /// Its title.
    pub title: &'a str,
    /// Where it went; its feedback goes there too.
    pub backend: Option<&'a BackendId>,
}

impl Library {
    /// Makes a ticket of what a citizen thinks of a notice; `code` is its own.
    pub fn feedback(
        &self,
        feedback: &Feedback,
        about: AboutTicket<'_>,
        code: String,
    ) -> TicketDraft {
        let words = &self.words.languages[self.words.default];
        let label = |word: Word| words.word(word).bare();
        let answer = |question: &str, word, value: Value, text: String| Answer {
            question: question.to_owned(),
            label: label(word),
            value,
            text,
            personal: false,
            media: Vec::new(),
        };
        let on = about.code.to_owned();
        let mut answers = vec![answer("ticket", Word::FeedbackTicket, json!(on), on)];
        if let Some(stars) = feedback.rating {
            let text = format!("{stars}/5");
            answers.push(answer("rating", Word::FeedbackRating, json!(stars), text));
        }
        if !feedback.choices.is_empty() {
            let (value, text) = (json!(feedback.choices), feedback.choices.join(", "));
            answers.push(answer("choices", Word::FeedbackChoices, value, text));
        }
        if let Some(text) = &feedback.text {
            // Written freely: nobody knows what is in it.
            answers.push(Answer {
                personal: true,
                ..answer("text", Word::FeedbackText, json!(text), text.clone())
            });
        }
        let title = words.word(Word::FeedbackTitle);
        let title = title.fill(&|name| (name == "title").then(|| about.title.to_owned()));
        TicketDraft {
            code,
            flow: FLOW.to_owned(),
            version: 1,
            title,
            backend: about.backend.cloned(),
            service: None,
            urgent: false,
            language: words.tag.clone(),
            answers,
        }
    }
}
