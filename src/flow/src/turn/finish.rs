//! The end of a flow: a ticket, or a refusal.

use langnghe_model::{
    fold::fold,
    ticket::{Answer as TicketAnswer, TicketDraft},
};

use super::Turn;
use crate::{
    ContactChange,
    answer::Answer,
    flow::{Flow, Kind, TicketPlan},
    words::Word,
};

impl<'t> Turn<'t> {
    /// Ends the flow with its ticket, unless something is still to be answered: then that is asked.
    pub(super) fn send(&mut self, flow: &'t Flow) {
        if !self.is_complete(flow) {
            return self.advance(flow);
        }
        let texts = flow
            .texts
            .get(self.language)
            .unwrap_or(&flow.texts[flow.own]);
        if let Some(plan) = &flow.ticket {
            self.step.ticket = Some(self.draft(flow, plan));
        }
        self.note_reach(flow);
        let done = texts.done.as_ref().map(|done| self.fill(flow, done));
        self.drop_form();
        match done {
            Some(text) => self.say_text(text),
            None if flow.ticket.is_some() => {
                let code = self.context.ticket_code.to_owned();
                let text = self.word_with(Word::Received, &[("code", code)]);
                self.say_text(text);
            }
            None => self.say(Word::Finished),
        }
    }

    /// A number that was given to be told news under is kept with the conversation.
    fn note_reach(&mut self, flow: &Flow) {
        let visible = self.visible(flow);
        let given = flow
            .questions
            .iter()
            .enumerate()
            .filter(|(index, question)| question.notify && visible[*index])
            .find_map(|(index, _)| match self.answer_to(flow, index) {
                Some(Answer::Phone(phone)) => Some(phone.clone()),
                _ => None,
            });
        let change = given.map(|phone| ContactChange::Reachable { phone });
        self.step.contact.extend(change);
    }

    /// True when every question that is asked has its answer.
    fn is_complete(&self, flow: &Flow) -> bool {
        let visible = self.visible(flow);
        flow.questions.iter().enumerate().all(|(index, question)| {
            let silent = matches!(question.kind, Kind::Say);
            silent || !visible[index] || self.answer_to(flow, index).is_some()
        })
    }

    fn draft(&self, flow: &Flow, plan: &TicketPlan) -> TicketDraft {
        let visible = self.visible(flow);
        let own = &self.library.words.languages[flow.own];
        let own_texts = &flow.texts[flow.own];
        let mut answers = Vec::new();
        let mut danger = false;
        for (index, question) in flow.questions.iter().enumerate() {
            let Some(answer) = self
                .answer_to(flow, index)
                .filter(|answer| answer.is_given())
            else {
                continue;
            };
            if !visible[index] {
                continue;
            }
            if let Answer::Text(text) | Answer::Address(text) = answer {
                let folded = fold(text);
                danger |= flow.emergency.any(&folded);
            }
            answers.push(TicketAnswer {
                question: question.id.clone(),
                label: own_texts.questions[index].label.clone(),
                value: answer.to_json(),
                text: answer.in_words(flow, index, flow.own, own),
                personal: question.personal || matches!(question.kind, Kind::Phone | Kind::Email),
                media: media(answer),
            });
        }
        if let Some(form) = &self.session.form {
            // Answers to questions of an earlier version: an officer reads them, nothing is lost.
            answers.extend(
                form.kept
                    .iter()
                    .filter(|(_, answer)| answer.is_given())
                    .map(|(id, answer)| TicketAnswer {
                        question: id.clone(),
                        label: id.clone(),
                        value: answer.to_json(),
                        text: answer.plain(own),
                        personal: true,
                        media: media(answer),
                    }),
            );
        }
        let service = plan.service.as_ref().map(|service| {
            service.fill(&|name| {
                let index = flow.question(name).filter(|index| visible[*index])?;
                match self.answer_to(flow, index)? {
                    Answer::Choice(id) => Some(id.clone()),
                    _ => None,
                }
            })
        });
        TicketDraft {
            code: self.context.ticket_code.to_owned(),
            flow: flow.id.clone(),
            version: flow.version,
            title: own_texts.title.clone(),
            backend: plan.backend.clone(),
            service: service.filter(|service| !service.is_empty()),
            urgent: plan.urgent
                || danger
                || self.session.form.as_ref().is_some_and(|form| form.urgent),
            language: self.words().tag.clone(),
            answers,
        }
    }

    /// The citizen does not agree: nothing is kept.
    pub(super) fn refused(&mut self, flow: &Flow, index: usize) {
        let texts = flow
            .texts
            .get(self.language)
            .unwrap_or(&flow.texts[flow.own]);
        let text = match &texts.questions[index].refused {
            Some(refused) => self.fill(flow, refused),
            None => self.word(Word::Refused),
        };
        self.drop_form();
        self.say_text(text);
    }

    /// Forgets the form and the timer that went with it.
    pub(super) fn drop_form(&mut self) {
        self.session.form = None;
        self.session.reminded = false;
    }
}

fn media(answer: &Answer) -> Vec<langnghe_model::event::Media> {
    match answer {
        Answer::Media(list) => list.clone(),
        _ => Vec::new(),
    }
}
