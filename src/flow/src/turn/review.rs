//! The review: what was understood, and changing any of it by its number.

use langnghe_model::{
    Reply,
    fold::fold,
    reply::{Choice, ChoiceStyle},
};

use super::{Input, Turn};
use crate::{
    answer::cut,
    flow::{Flow, Kind},
    payload::Payload,
    session::Stage,
    understand::{lexicon, number},
    words::{Global, Word},
};

/// How much of an answer the review shows, in characters.
const SHOWN: usize = 120;

impl<'t> Turn<'t> {
    /// The questions that the review shows, in its order.
    pub(super) fn items(&self, flow: &Flow) -> Vec<usize> {
        let visible = self.visible(flow);
        (0..flow.questions.len())
            .filter(|index| {
                let shown = !matches!(flow.questions[*index].kind, Kind::Say | Kind::Consent);
                shown && visible[*index] && self.answer_to(flow, *index).is_some()
            })
            .collect()
    }

    /// Shows what was understood and how to send it.
    pub(super) fn show_review(&mut self, flow: &'t Flow) {
        let form = self.form();
        form.stage = Stage::Review;
        form.open = false;
        form.at = None;
        let text = format!(
            "{}{}\n\n{}",
            self.word(Word::ReviewTitle),
            self.list(flow),
            self.word(Word::ReviewHow)
        );
        let choices = vec![
            Choice::new(self.word(Word::Send), Payload::Send.text()),
            self.shortcut(Word::Change, Global::Change),
            self.shortcut(Word::Cancel, Global::Cancel),
        ];
        self.step.replies.push(Reply::Choices {
            text,
            choices,
            style: ChoiceStyle::Shortcuts,
        });
    }

    fn list(&self, flow: &'t Flow) -> String {
        let mut text = String::new();
        for (position, index) in self.items(flow).into_iter().enumerate() {
            let Some(answer) = self.answer_to(flow, index) else {
                continue;
            };
            let mut words = if answer.is_given() {
                answer.in_words(flow, index, self.language, self.words())
            } else {
                self.word(Word::ReviewNone)
            };
            let whole = words.chars().count();
            cut(&mut words, SHOWN);
            let more = if whole > SHOWN { "…" } else { "" };
            let label = &self.texts(flow, index).label;
            let number = (position + 1).to_string();
            text.extend(["\n", &number, ". ", label, ": ", &words, more]);
        }
        text
    }

    /// A message while the review is shown.
    pub(super) fn reviewed(&mut self, flow: &'t Flow, input: &Input<'_>) {
        if input.has_text() {
            self.notice_danger(flow, &input.folded);
        }
        let kept = self.keep(flow, input, None);
        if !input.has_text() {
            self.say(kept.unwrap_or(Word::Unsupported));
            return self.advance(flow);
        }
        let items = self.items(flow);
        if let Some(position) = number::position(&input.folded) {
            if let Some(question) = position.checked_sub(1).and_then(|index| items.get(index)) {
                return self.change(flow, *question);
            }
            return self.not_reviewed(flow);
        }
        let keywords = &self.library.words.keywords;
        if keywords.is_send(input.key()) {
            return self.send(flow);
        }
        match lexicon::yes_no(&input.folded) {
            Some(true) if self.stage() == Stage::Review => return self.send(flow),
            Some(true) => return self.advance(flow),
            Some(false) => return self.which(flow),
            None => {}
        }
        let named: Vec<usize> = items
            .iter()
            .copied()
            .filter(|index| {
                let label = fold(&self.texts(flow, *index).label);
                crate::understand::has_words(&input.folded, &label)
                    || label == input.key()
                    || input.folded.len() > 3 && crate::understand::has_words(&label, input.key())
            })
            .collect();
        if let [question] = named.as_slice() {
            return self.change(flow, *question);
        }
        self.not_reviewed(flow);
    }

    fn not_reviewed(&mut self, flow: &'t Flow) {
        let form = self.form();
        form.strikes = form.strikes.saturating_add(1);
        match form.strikes {
            1 => self.say(Word::RetryReview),
            2 => {
                self.say(Word::HelpReview);
                self.advance(flow);
            }
            _ => {
                form.strikes = 0;
                form.stage = Stage::Stuck;
                self.offer_ways_out(flow);
            }
        }
    }

    /// Asks which answer to change.
    pub(super) fn which(&mut self, flow: &'t Flow) {
        if self.items(flow).is_empty() {
            return self.ask_again(None);
        }
        self.form().stage = Stage::Which;
        let text = format!("{}{}", self.word(Word::ReviewWhich), self.list(flow));
        let choices = vec![Choice::new(self.word(Word::Send), Payload::Send.text())];
        self.step.replies.push(Reply::Choices {
            text,
            choices,
            style: ChoiceStyle::Shortcuts,
        });
    }

    /// Asks a question again whose answer is to change.
    pub(super) fn change(&mut self, flow: &'t Flow, index: usize) {
        let question = &flow.questions[index];
        let form = self.form();
        form.at = Some(question.id.clone());
        form.stage = Stage::Asking;
        form.strikes = 0;
        form.open = false;
        if matches!(question.kind, Kind::Media { .. } | Kind::Choices { .. }) {
            // A new list replaces the old one; it does not grow out of it.
            form.forget(&question.id);
        }
        let ask = self.fill(flow, &self.texts(flow, index).ask);
        self.ask_with(flow, index, &ask, false);
    }
}
