//! Finds the next question and words it.

use langnghe_model::{
    Reply,
    reply::{Choice, ChoiceStyle, ContactField},
};

use super::Turn;
use crate::{
    answer::Answer,
    flow::{Flow, Kind},
    payload::Payload,
    session::Stage,
    words::{Global, Word},
};

impl<'t> Turn<'t> {
    /// Asks the first question that is asked and not answered; after the last, the review or the end.
    pub(super) fn advance(&mut self, flow: &'t Flow) {
        let mut visible = vec![false; flow.questions.len()];
        for index in 0..flow.questions.len() {
            let question = &flow.questions[index];
            visible[index] = self.is_visible(flow, question, &visible);
            if !visible[index] || self.answer_to(flow, index).is_some() {
                continue;
            }
            if matches!(question.kind, Kind::Say) {
                let text = self.fill(flow, &self.texts(flow, index).ask);
                self.say_text(text);
                self.form().set(&question.id, Answer::Said);
                continue;
            }
            let form = self.form();
            form.at = Some(question.id.clone());
            form.stage = Stage::Asking;
            form.strikes = 0;
            form.open = false;
            let ask = self.fill(flow, &self.texts(flow, index).ask);
            return self.ask_with(flow, index, &ask, false);
        }
        if flow.review {
            self.show_review(flow);
        } else {
            self.send(flow);
        }
    }

    /// Goes on after something beside the question: the same question while its answer grows, else
    /// the first that has none (a changed answer can bring one back).
    pub(super) fn resume(&mut self, flow: &'t Flow) {
        let open = self.session.form.as_ref().is_some_and(|form| form.open);
        if open && self.stage() == Stage::Asking {
            return self.ask_again(None);
        }
        self.advance(flow);
    }

    /// Says what was asked again, after `lead`.
    pub(super) fn ask_again(&mut self, lead: Option<String>) {
        let Some(flow) = self.flow() else {
            return self.start_over();
        };
        if flow.menu {
            self.say_text(lead.unwrap_or_default());
            return self.start_over();
        }
        if self.stage() == Stage::Review || self.stage() == Stage::Which {
            self.say_text(lead.unwrap_or_default());
            return self.advance(flow);
        }
        let Some(index) = self.current(flow) else {
            self.say_text(lead.unwrap_or_default());
            return self.advance(flow);
        };
        self.form().stage = Stage::Asking;
        match lead.filter(|lead| !lead.is_empty()) {
            Some(lead) => self.ask_with(flow, index, &lead, true),
            None => {
                let ask = self.fill(flow, &self.texts(flow, index).ask);
                self.ask_with(flow, index, &ask, false);
            }
        }
    }

    /// Shows a question under `text`; `whole` puts its own words below.
    pub(super) fn ask_with(&mut self, flow: &'t Flow, index: usize, text: &str, whole: bool) {
        let question = &flow.questions[index];
        let texts = self.texts(flow, index);
        let text = if whole {
            format!("{text}\n\n{}", self.fill(flow, &texts.ask))
        } else {
            text.to_owned()
        };
        let open = self.session.form.as_ref().is_some_and(|form| form.open);
        let mut extra = Vec::new();
        if open {
            extra.push(Choice::new(self.word(Word::Done), Payload::Done.text()));
        } else if question.optional {
            extra.push(self.shortcut(Word::Skip, Global::Skip));
        }
        let reply = match &question.kind {
            Kind::Location => Reply::AskLocation {
                text,
                choices: extra,
            },
            Kind::Phone => Reply::AskContact {
                text,
                field: ContactField::Phone,
                choices: extra,
            },
            Kind::Email => Reply::AskContact {
                text,
                field: ContactField::Email,
                choices: extra,
            },
            _ if !texts.choices.is_empty() => {
                let choices = texts.choices.iter().cloned().chain(extra).collect();
                Reply::Choices {
                    text,
                    choices,
                    style: ChoiceStyle::Answers,
                }
            }
            _ if extra.is_empty() => Reply::Text { text },
            _ => Reply::Choices {
                text,
                choices: extra,
                style: ChoiceStyle::Shortcuts,
            },
        };
        self.step.replies.push(reply);
    }

    /// Asks which of a few choices is meant. Numbers count in the whole list, so these show theirs.
    pub(super) fn ask_among(&mut self, flow: &'t Flow, index: usize, among: &[usize]) {
        let texts = self.texts(flow, index);
        let form = self.form();
        form.strikes = form.strikes.saturating_add(1);
        if form.strikes >= 3 {
            form.stage = Stage::Stuck;
            return self.offer_ways_out(flow);
        }
        let mut text = self.word(Word::RetryChoiceSeveral);
        for number in among.iter().take(10) {
            if let Some(choice) = texts.choices.get(*number) {
                text.extend(["\n", &(number + 1).to_string(), ". ", &choice.label]);
            }
        }
        let choices = among
            .iter()
            .filter_map(|number| texts.choices.get(*number))
            .take(10)
            .cloned()
            .collect();
        self.step.replies.push(Reply::Choices {
            text,
            choices,
            style: ChoiceStyle::Shortcuts,
        });
    }

    /// What can be done when three answers were not understood.
    pub(super) fn ways_out(&self, flow: &Flow) -> Vec<(String, Global)> {
        let optional = self
            .current(flow)
            .is_some_and(|index| flow.questions[index].optional);
        let mut ways = vec![(self.word(Word::Person), Global::Person)];
        if optional {
            ways.push((self.word(Word::Skip), Global::Skip));
        }
        ways.push((self.word(Word::Menu), Global::Menu));
        ways
    }

    pub(super) fn offer_ways_out(&mut self, flow: &Flow) {
        let ways = self.ways_out(flow);
        let choices = ways
            .into_iter()
            .map(|(label, word)| Choice::new(label, Payload::Word(word).text()))
            .collect();
        let text = self.word(Word::Stuck);
        self.step.replies.push(Reply::Choices {
            text,
            choices,
            style: ChoiceStyle::Answers,
        });
    }
}
