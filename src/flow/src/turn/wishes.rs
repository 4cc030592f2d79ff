//! What a citizen can wish for at any time.

use langnghe_model::{
    Reply,
    reply::{Choice, ChoiceStyle},
    ticket::TicketSummary,
};

use super::{QUIET, Turn};
use crate::{
    flow::{Flow, Kind},
    payload::Payload,
    session::{Pending, Quiet, Stage},
    understand::date,
    words::{Global, Word},
};

/// How many tickets are listed.
const LISTED: usize = 10;

impl<'t> Turn<'t> {
    /// Does what a key word, or the button for it, asks for.
    pub(super) fn wished(&mut self, wish: Global) {
        let filling = self.filling();
        match (wish, filling) {
            (Global::Back, Some(flow)) => self.back(flow),
            (Global::Skip, Some(flow)) => self.skip_wish(flow),
            (Global::Change, Some(flow)) => self.which(flow),
            (Global::Cancel, Some(_)) => {
                self.drop_form();
                self.say(Word::Cancelled);
            }
            (Global::Cancel, None) => self.say(Word::NothingToCancel),
            (Global::Restart, Some(flow)) => match self.library.flow(&flow.id) {
                Some(current) => self.start(current, None),
                None => self.start_over(),
            },
            (Global::Menu, _) => {
                self.drop_form();
                self.start_over();
            }
            (Global::Back | Global::Skip | Global::Change | Global::Restart, None) => {
                self.start_over();
            }
            (Global::Help, Some(flow)) => {
                let help = match self.current(flow).filter(|_| self.stage() == Stage::Asking) {
                    Some(index) => format!(
                        "{} {}",
                        self.help_text(flow, index),
                        self.word(Word::HelpGeneral)
                    ),
                    None => self.word(Word::HelpGeneral),
                };
                self.ask_again(Some(help));
            }
            (Global::Help, None) => {
                self.say(Word::HelpGeneral);
                self.start_over();
            }
            (Global::Language, _) => self.ask_language(),
            (Global::Person, _) => self.person(),
            (Global::Erase, _) => {
                self.session.pending = Some(Pending::Erase);
                let choices = vec![
                    Choice::new(self.word(Word::EraseYes), Payload::Erase(true).text()),
                    Choice::new(self.word(Word::EraseNo), Payload::Erase(false).text()),
                ];
                let text = self.word(Word::EraseAsk);
                self.step.replies.push(Reply::Choices {
                    text,
                    choices,
                    style: ChoiceStyle::Answers,
                });
            }
            (Global::Data, _) => self.show_data(),
            (Global::Stop, Some(_)) => {
                self.drop_form();
                self.say(Word::Stopped);
            }
            // There is nothing to stop but what we send of our own accord.
            (Global::Stop, None) => {
                self.drop_form();
                self.opt_out(None);
            }
        }
    }

    /// The question before this one, with its answer open to change.
    fn back(&mut self, flow: &'t Flow) {
        let visible = self.visible(flow);
        let end = match self.stage() {
            Stage::Asking | Stage::Stuck => self.current(flow).unwrap_or(flow.questions.len()),
            Stage::Review | Stage::Which => flow.questions.len(),
        };
        let before = (0..end).rev().find(|index| {
            visible[*index]
                && !matches!(flow.questions[*index].kind, Kind::Say)
                && self.answer_to(flow, *index).is_some()
        });
        match before {
            Some(index) => self.change(flow, index),
            None => {
                let text = self.word(Word::NoBack);
                self.ask_again(Some(text));
            }
        }
    }

    fn skip_wish(&mut self, flow: &'t Flow) {
        match self.current(flow) {
            Some(index) if matches!(self.stage(), Stage::Asking | Stage::Stuck) => {
                self.skip(flow, index);
            }
            _ => self.ask_again(None),
        }
    }

    fn ask_language(&mut self) {
        self.session.pending = Some(Pending::Language);
        let languages = &self.library.words.languages;
        let choices = languages
            .iter()
            .map(|language| {
                Choice::new(
                    language.name.clone(),
                    Payload::Language(&language.tag).text(),
                )
            })
            .collect();
        let text = self.word(Word::LanguageAsk);
        self.step.replies.push(Reply::Choices {
            text,
            choices,
            style: ChoiceStyle::Answers,
        });
    }

    /// Speaks another language from now on.
    pub(super) fn switch(&mut self, language: usize) {
        self.language = language;
        self.session.language = Some(self.words().tag.clone());
        self.say(Word::LanguageChanged);
        self.ask_again(None);
    }

    fn person(&mut self) {
        if self.context.capabilities.hand_over {
            self.say(Word::PersonSoon);
            self.step.replies.push(Reply::HandOver);
            let until = self.context.now + QUIET;
            self.session.quiet = Some(Quiet {
                until,
                control: false,
            });
            return;
        }
        let text = self.word(Word::PersonHotline);
        if self.filling().is_some() {
            self.ask_again(Some(text));
        } else {
            self.say_text(text);
        }
    }

    /// The answer to "delete everything?".
    pub(super) fn erase(&mut self, sure: bool) {
        if sure {
            let timer = self.session.timer;
            self.session = crate::Session {
                timer,
                ..crate::Session::default()
            };
            self.step.erase = true;
            self.say(Word::Erased);
            return;
        }
        self.say(Word::EraseKept);
        if self.filling().is_some() {
            self.ask_again(None);
        }
    }

    fn show_data(&mut self) {
        let Some(tickets) = self.context.tickets else {
            self.step.needs_tickets = true;
            return;
        };
        let mut text = String::new();
        if let Some(flow) = self.filling() {
            let count = self
                .session
                .form
                .as_ref()
                .map_or(0, |form| form.answers.len());
            let texts = flow
                .texts
                .get(self.language)
                .unwrap_or(&flow.texts[flow.own]);
            let places = [("title", texts.title.clone()), ("count", count.to_string())];
            text.push_str(&self.word_with(Word::DataOpen, &places));
            text.push('\n');
        }
        if tickets.is_empty() {
            text.push_str(&self.word(Word::DataNone));
        } else {
            text.push_str(&self.word(Word::DataList));
            for ticket in tickets.iter().take(LISTED) {
                text.push('\n');
                text.push_str(&self.ticket_line(ticket));
            }
            if tickets.len() > LISTED {
                text.push_str("\n…");
            }
        }
        text.push('\n');
        text.push_str(&self.word(Word::DataErase));
        if self.filling().is_some() {
            self.ask_again(Some(text));
        } else {
            self.say_text(text);
        }
    }

    fn ticket_line(&self, ticket: &TicketSummary) -> String {
        let day = date::show(date::today(ticket.created_at));
        let places = [
            ("code", ticket.code.clone()),
            ("title", ticket.title.clone()),
            ("date", day),
        ];
        self.word_with(Word::DataItem, &places)
    }
}
