//! Finds out what a message is about: a tapped choice, a wish that works anywhere, or an answer.

use super::{Input, Turn};
use crate::{
    answer::{Answer, cut},
    flow::{Flow, Kind, Target},
    kinds,
    payload::Payload,
    session::{Pending, Stage},
    understand::{lexicon, number},
    words::{Global, Word},
};

impl Turn<'_> {
    /// Answers what a citizen sent.
    pub(super) fn hear(&mut self, input: &Input<'_>) {
        if let Some(quiet) = self.session.quiet {
            let menu = self.library.words.keywords.global(input.key(), true) == Some(Global::Menu)
                || input.payload == Some(Payload::Word(Global::Menu));
            if self.is_quiet() && (quiet.control || !menu) {
                return;
            }
            self.session.quiet = None;
        }
        self.touch();
        self.notice_language(input);
        if input.cut {
            let places = [("max", crate::check::LONGEST_TEXT.to_string())];
            let text = self.word_with(Word::TextCut, &places);
            self.say_text(text);
        }
        self.catch_up();
        if let Some(payload) = input.payload {
            self.session.pending = None;
            self.tapped(payload, input);
            return;
        }
        if let Some(pending) = self.session.pending.take()
            && self.pending(pending, input)
        {
            return;
        }
        if input.is_empty() {
            // A button that hides what it carries, or carries what is not ours.
            return self.old_button();
        }
        if self.stuck(input) || self.wish(input) {
            return;
        }
        match self.filling() {
            None => self.begin(input),
            Some(flow) => match self.stage() {
                Stage::Review | Stage::Which => self.reviewed(flow, input),
                Stage::Asking | Stage::Stuck => self.answered(flow, input),
            },
        }
    }

    /// Speaks Vietnamese with who writes it: many phones in Vietnam are set to English.
    fn notice_language(&mut self, input: &Input<'_>) {
        if self.session.language.is_some() || self.words().tag == "vi" || !input.is_vietnamese() {
            return;
        }
        if let Some(language) = self.library.words.find("vi") {
            self.language = language;
            self.session.language = Some(self.words().tag.clone());
        }
    }

    pub(super) fn stage(&self) -> Stage {
        self.session
            .form
            .as_ref()
            .map_or(Stage::Asking, |form| form.stage)
    }

    /// Brings a form of a version that is no longer kept to the current one.
    pub(super) fn catch_up(&mut self) {
        let library = self.library;
        let Some(form) = &mut self.session.form else {
            return;
        };
        if library.version_of(form).is_some() {
            return;
        }
        let Some(flow) = library.flow(&form.flow) else {
            let nothing = form.answers.is_empty();
            self.drop_form();
            if !nothing {
                self.say(Word::FlowGone);
            }
            return;
        };
        form.version = flow.version;
        form.hash.clone_from(&flow.hash);
        form.stage = Stage::Asking;
        form.strikes = 0;
        form.open = false;
        form.last = None;
        let answers = std::mem::take(&mut form.answers);
        for (id, answer) in answers {
            let fits = flow
                .question(&id)
                .is_some_and(|index| answer.fits(&flow.questions[index].kind));
            if fits {
                form.answers.push((id, answer));
            } else if !matches!(answer, Answer::Skipped | Answer::Said) && form.kept.len() < 50 {
                form.kept.push((id, answer));
            }
        }
        if form
            .at
            .as_deref()
            .is_some_and(|at| flow.question(at).is_none())
        {
            form.at = None;
        }
        if !flow.menu {
            self.say(Word::Migrated);
        }
    }

    /// Does what a tapped choice says.
    fn tapped(&mut self, payload: Payload<'_>, input: &Input<'_>) {
        match payload {
            Payload::Answer {
                flow,
                question,
                value,
            } => self.tapped_answer(flow, question, value, input),
            Payload::Start(id) => match self.library.flow(id) {
                Some(flow) if self.filling().is_none() => self.start(flow, None),
                Some(flow) if self.filling().is_some_and(|filling| filling.id == flow.id) => {
                    self.ask_again(None);
                }
                _ => self.old_button(),
            },
            Payload::Word(word) => self.wished(word),
            Payload::Language(tag) => match self.library.words.find(tag) {
                Some(language) => self.switch(language),
                None => self.old_button(),
            },
            Payload::Send => match self.filling() {
                Some(flow) if matches!(self.stage(), Stage::Review | Stage::Which) => {
                    self.send(flow);
                }
                _ => self.old_button(),
            },
            Payload::Done => match self.filling() {
                Some(flow) if self.session.form.as_ref().is_some_and(|form| form.open) => {
                    self.close(flow);
                }
                _ => self.old_button(),
            },
            Payload::Erase(sure) => self.erase(sure),
        }
    }

    fn tapped_answer(&mut self, id: &str, question: &str, value: &str, input: &Input<'_>) {
        let filling = self.filling();
        if let Some(flow) = filling.filter(|flow| flow.id == id) {
            let found = flow.question(question).and_then(|index| {
                kinds::tapped(&flow.questions[index], value).map(|answer| (index, answer))
            });
            let Some((index, answer)) = found else {
                return self.old_button();
            };
            if self.current(flow) == Some(index)
                && matches!(self.stage(), Stage::Asking | Stage::Stuck)
            {
                self.give_tapped(flow, index, answer);
            } else {
                let label = answer.in_words(flow, index, self.language, self.words());
                if matches!(
                    (&flow.questions[index].kind, &answer),
                    (Kind::Consent, Answer::Truth(false))
                ) {
                    self.refused(flow, index);
                    return;
                }
                self.form().set(&flow.questions[index].id, answer);
                let text = self.word_with(Word::AnswerChanged, &[("label", label)]);
                self.say_text(text);
                self.resume(flow);
            }
            return;
        }
        // A menu's buttons work as long as nothing else is being filled in.
        let menu = self.library.flow(id).filter(|flow| flow.menu);
        let target = menu.and_then(|menu| {
            let options = menu.questions[menu.question(question)?].kind.options()?;
            options.list[options.index(value)?].target.clone()
        });
        match target {
            Some(Target::Word(word)) => self.wished(word),
            Some(Target::Flow(flow)) => match (filling, self.library.flow(&flow)) {
                (None, Some(flow)) => self.start(flow, None),
                (Some(filling), _) if filling.id == flow => self.ask_again(None),
                _ => self.old_button(),
            },
            None if menu.is_none() && filling.is_none() && input.has_text() => {
                // A button of a flow that ended: its words can still mean something.
                self.old_button();
            }
            None => self.old_button(),
        }
    }

    /// Explains a button that leads nowhere any more, and goes on.
    fn old_button(&mut self) {
        self.say(Word::OldButton);
        if self.filling().is_some() {
            self.ask_again(None);
        } else {
            self.start_over();
        }
    }

    /// An answer to a question of the system's own; false when the message is about something else.
    fn pending(&mut self, pending: Pending, input: &Input<'_>) -> bool {
        let position = number::position(&input.folded);
        match pending {
            Pending::Erase => {
                let sure = match position {
                    Some(1) => Some(true),
                    Some(2) => Some(false),
                    Some(_) => None,
                    None => lexicon::yes_no(&input.folded).or_else(|| {
                        let key = input.key();
                        let fits = |word: Word| langnghe_model::fold::fold(&self.word(word)) == key;
                        if fits(Word::EraseYes) {
                            Some(true)
                        } else {
                            fits(Word::EraseNo).then_some(false)
                        }
                    }),
                };
                sure.inspect(|sure| self.erase(*sure)).is_some()
            }
            Pending::Language => {
                let count = self.library.words.languages.len();
                let by_number = position
                    .and_then(|number| number.checked_sub(1))
                    .filter(|index| *index < count);
                let found = by_number.or_else(|| self.library.words.keywords.switch(input.key()));
                found.inspect(|language| self.switch(*language)).is_some()
            }
        }
    }

    /// The way out that was offered; false when the message is about something else.
    fn stuck(&mut self, input: &Input<'_>) -> bool {
        if self.stage() != Stage::Stuck {
            return false;
        }
        let Some(flow) = self.filling() else {
            return false;
        };
        let offers = self.ways_out(flow);
        let chosen = number::position(&input.folded)
            .and_then(|number| number.checked_sub(1))
            .and_then(|index| offers.get(index))
            .or_else(|| {
                offers
                    .iter()
                    .find(|(label, _)| langnghe_model::fold::fold(label) == input.key())
            });
        let Some((_, wish)) = chosen else {
            return false;
        };
        self.wished(*wish);
        true
    }

    /// A wish that works anywhere; false when the message is none.
    fn wish(&mut self, input: &Input<'_>) -> bool {
        if !input.media.is_empty() || input.location.is_some() || input.folded.len() > 60 {
            return false;
        }
        let keywords = &self.library.words.keywords;
        let key = input.key();
        let filling = self.filling();
        let free = filling
            .filter(|_| matches!(self.stage(), Stage::Asking | Stage::Stuck))
            .and_then(|flow| {
                self.current(flow)
                    .map(|index| flow.questions[index].kind.is_free())
            })
            .unwrap_or(false);
        if let Some(word) = keywords.global(key, free) {
            self.wished(word);
            return true;
        }
        if let Some(language) = keywords.switch(key) {
            self.switch(language);
            return true;
        }
        let Some(flow) = filling else { return false };
        if keywords.is_resume(key)
            && (self
                .session
                .form
                .as_ref()
                .is_some_and(|form| form.stage != Stage::Review))
            && !free
        {
            self.ask_again(None);
            return true;
        }
        if let Some(number) = keywords
            .change_number(key)
            .and_then(|number| number.parse().ok())
        {
            let items = self.items(flow);
            let chosen = usize::checked_sub(number, 1).and_then(|index| items.get(index).copied());
            match chosen {
                Some(question) => self.change(flow, question),
                None => self.which(flow),
            }
            return true;
        }
        false
    }

    /// Takes an edit of the message that gave the last answer as its new text.
    pub(super) fn edited(&mut self, message: &str, text: &str) {
        if self.is_quiet() {
            return;
        }
        let last = self
            .session
            .form
            .as_ref()
            .and_then(|form| form.last.clone());
        let (Some(flow), Some((_, question))) =
            (self.filling(), last.filter(|(id, _)| id == message))
        else {
            return;
        };
        let Some(index) = flow.question(&question) else {
            return;
        };
        let input = Input::words(Some(text), None);
        let heard = kinds::hear(&flow.questions[index], &input, self.today());
        if let kinds::Heard::Answer(answer) = heard {
            self.touch();
            self.notice_danger(flow, &input.folded);
            self.form().set(&question, answer);
            self.say(Word::Edited);
            self.resume(flow);
        }
    }

    /// Notes which message gave a text.
    pub(super) fn remember(&mut self, flow: &Flow, question: usize) {
        let mut message = self.event.id.as_str().to_owned();
        cut(&mut message, 256);
        self.form().last = Some((message, flow.questions[question].id.clone()));
    }

    pub(super) fn today(&self) -> jiff::civil::Date {
        crate::understand::date::today(self.context.now)
    }
}
