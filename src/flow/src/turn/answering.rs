//! Takes a message as the answer to the question asked.

use langnghe_model::Reply;

use super::{Input, Places, Turn};
use crate::{
    answer::{Answer, cut},
    flow::{Flow, Kind},
    kinds::{self, Heard},
    session::{LONGEST, Stage},
    understand::lexicon,
    words::Word,
};

impl<'t> Turn<'t> {
    /// A message while a question waits for its answer.
    pub(super) fn answered(&mut self, flow: &'t Flow, input: &Input<'_>) {
        let Some(index) = self.current(flow) else {
            return self.advance(flow);
        };
        if input.has_text() {
            self.notice_danger(flow, &input.folded);
        }
        let question = &flow.questions[index];
        match (&question.kind, input.media.is_empty()) {
            (Kind::Media { .. }, false) => return self.collect(flow, index, input),
            (Kind::Media { .. }, true) if input.has_text() => {
                return self.without_media(flow, index, input);
            }
            _ => {}
        }
        let kept = self.keep(flow, input, Some(index));
        let fits_contact =
            input.contact.is_some() && matches!(question.kind, Kind::Phone | Kind::Email);
        let fits_place = input.location.is_some() && matches!(question.kind, Kind::Location);
        if !input.has_text() && !fits_contact && !fits_place {
            if let Some(word) = kept {
                let text = self.word(word);
                return self.ask_again(Some(text));
            }
            let word = self.word(Word::Unsupported);
            return self.not_understood(flow, index, Some(word), self.retry_word(&question.kind));
        }
        if let Some(word) = kept {
            self.say(word);
        }
        match kinds::hear(question, input, self.today()) {
            Heard::Answer(answer) => {
                if matches!(answer, Answer::Text(_)) {
                    self.remember(flow, index);
                    if flow.review && !question.personal {
                        self.guess(flow, &input.folded);
                    }
                }
                self.give(flow, index, answer);
            }
            Heard::Skip => self.skip(flow, index),
            Heard::Several(choices) => self.ask_among(flow, index, &choices),
            Heard::Wrong(word, places) => self.not_understood(flow, index, None, (word, places)),
        }
    }

    /// Takes an answer and goes on.
    pub(super) fn give(&mut self, flow: &'t Flow, index: usize, answer: Answer) {
        let question = &flow.questions[index];
        if matches!(
            (&question.kind, &answer),
            (Kind::Consent, Answer::Truth(false))
        ) {
            return self.refused(flow, index);
        }
        let form = self.form();
        form.set(&question.id, answer);
        form.open = false;
        self.advance(flow);
    }

    /// A tap on a choice of the question asked; of several, taps add up.
    pub(super) fn give_tapped(&mut self, flow: &'t Flow, index: usize, answer: Answer) {
        let question = &flow.questions[index];
        let (Kind::Choices { max, .. }, Answer::Choices(mut ids)) =
            (&question.kind, answer.clone())
        else {
            return self.give(flow, index, answer);
        };
        let open = self.session.form.as_ref().is_some_and(|form| form.open);
        if let (true, Some(Answer::Choices(before))) = (open, self.answer_to(flow, index)) {
            // A second tap takes the choice away again.
            let mut all = before.clone();
            for id in ids {
                match all.iter().position(|other| *other == id) {
                    Some(at) => drop(all.remove(at)),
                    None => all.push(id),
                }
            }
            ids = all;
        }
        if ids.len() >= *max {
            return self.give(flow, index, Answer::Choices(ids));
        }
        let chosen = Answer::Choices(ids);
        let label = chosen.in_words(flow, index, self.language, self.words());
        let form = self.form();
        form.set(&question.id, chosen);
        form.open = true;
        self.ask_again(Some(format!("✓ {label}")));
    }

    /// Passes over a question that need not be answered.
    pub(super) fn skip(&mut self, flow: &'t Flow, index: usize) {
        let question = &flow.questions[index];
        let open = self.session.form.as_ref().is_some_and(|form| form.open);
        if open {
            return self.close(flow);
        }
        if question.optional {
            return self.give(flow, index, Answer::Skipped);
        }
        let word = self.word(Word::CannotSkip);
        self.not_understood(flow, index, Some(word), (Word::CannotSkip, Vec::new()));
    }

    /// Ends an answer that was growing.
    pub(super) fn close(&mut self, flow: &'t Flow) {
        let Some(index) = self.current(flow) else {
            return self.advance(flow);
        };
        if let Kind::Choices { min, max, .. } = &flow.questions[index].kind {
            let count = match self.answer_to(flow, index) {
                Some(Answer::Choices(ids)) => ids.len(),
                _ => 0,
            };
            if count < (*min).max(1) {
                let places = vec![("min", min.to_string()), ("max", max.to_string())];
                return self.not_understood(flow, index, None, (Word::RetryChoicesCount, places));
            }
        }
        self.form().open = false;
        self.advance(flow);
    }

    /// Media for the question that asks for them.
    fn collect(&mut self, flow: &'t Flow, index: usize, input: &Input<'_>) {
        let question = &flow.questions[index];
        let Kind::Media { max, .. } = &question.kind else {
            return;
        };
        let added = self.add_media(flow, index, input);
        self.keep_location(flow, input, None);
        if input.has_text() {
            self.add_caption(flow, &input.text);
        }
        if added.accepted == 0 && !added.full {
            let word = (Word::RetryMedia, self.kinds_accepted(&question.kind));
            return self.not_understood(flow, index, None, word);
        }
        if added.full {
            let text = self.word_with(Word::MediaFull, &[("max", max.to_string())]);
            self.say_text(text);
        }
        if added.count >= *max {
            self.form().open = false;
            return self.advance(flow);
        }
        let form = self.form();
        form.open = true;
        form.strikes = 0;
        form.stage = Stage::Asking;
        let text = self.word_with(Word::MediaReceived, &[("count", added.count.to_string())]);
        let done = crate::payload::Payload::Done.text();
        let choice = langnghe_model::reply::Choice::new(self.word(Word::Done), done);
        self.step.replies.push(Reply::Choices {
            text,
            choices: vec![choice],
            style: langnghe_model::reply::ChoiceStyle::Shortcuts,
        });
    }

    /// Words where media are asked for.
    fn without_media(&mut self, flow: &'t Flow, index: usize, input: &Input<'_>) {
        let question = &flow.questions[index];
        let open = self.session.form.as_ref().is_some_and(|form| form.open);
        let key = input.key();
        let done = self.library.words.keywords.is_done(key);
        let zero = question.zero_skips && key == "0";
        let no = key.split(' ').count() <= 3 && lexicon::yes_no(&input.folded) == Some(false);
        if open && (done || zero || no) {
            return self.close(flow);
        }
        if question.optional && (zero || no || done) {
            return self.skip(flow, index);
        }
        if input.is_sentence() && self.add_caption(flow, &input.text) {
            let text = self.word(Word::Kept);
            return self.ask_again(Some(text));
        }
        let word = (Word::RetryMedia, self.kinds_accepted(&question.kind));
        self.not_understood(flow, index, None, word);
    }

    /// Puts words that came with media to the first free text; false when there is none.
    fn add_caption(&mut self, flow: &Flow, caption: &str) -> bool {
        let free = flow
            .questions
            .iter()
            .position(|question| question.kind.is_free() && !question.personal);
        let Some(index) = free else { return false };
        let id = &flow.questions[index].id;
        let mut text = match self.answer_to(flow, index) {
            Some(Answer::Text(text)) => format!("{text}\n{caption}"),
            None | Some(Answer::Skipped) if caption.chars().count() >= 5 => caption.to_owned(),
            _ => return false,
        };
        cut(&mut text, LONGEST);
        self.form().set(id, Answer::Text(text));
        true
    }

    /// Asks again, more helpfully each time; after three times offers a way out.
    pub(super) fn not_understood(
        &mut self,
        flow: &'t Flow,
        index: usize,
        lead: Option<String>,
        (word, places): (Word, Places),
    ) {
        let form = self.form();
        form.strikes = form.strikes.saturating_add(1);
        let strikes = form.strikes;
        let texts = self.texts(flow, index);
        let own = texts.retry.as_ref().map(|retry| self.fill(flow, retry));
        let general = matches!(
            word,
            Word::RetryText
                | Word::RetryChoice
                | Word::RetryChoices
                | Word::RetryYesNo
                | Word::RetryNumber
                | Word::RetryRating
                | Word::RetryDate
                | Word::RetryPhone
                | Word::RetryEmail
                | Word::RetryLocation
                | Word::RetryMedia
                | Word::RetryConsent
        );
        let wording = match own {
            Some(own) if general => own,
            _ => self.word_with(word, &places),
        };
        let wording = match lead {
            Some(lead) if lead != wording => format!("{lead} {wording}"),
            _ => wording,
        };
        match strikes {
            1 => self.ask_with(flow, index, &wording, false),
            2 => {
                let help = self.help_text(flow, index);
                self.ask_with(flow, index, &format!("{wording} {help}"), true);
            }
            _ => {
                let form = self.form();
                form.stage = Stage::Stuck;
                self.offer_ways_out(flow);
            }
        }
    }

    /// The help of a question: its own, or its kind's.
    pub(super) fn help_text(&self, flow: &'t Flow, index: usize) -> String {
        match &self.texts(flow, index).help {
            Some(help) => self.fill(flow, help),
            None => self.word(kinds::help(&flow.questions[index].kind)),
        }
    }

    /// What to say when an answer of this kind is no answer at all.
    fn retry_word(&self, kind: &Kind) -> (Word, Places) {
        let word = match kind {
            Kind::Text { .. } | Kind::Say => Word::RetryText,
            Kind::Choice(_) => Word::RetryChoice,
            Kind::Choices { .. } => Word::RetryChoices,
            Kind::YesNo => Word::RetryYesNo,
            Kind::Number { .. } => Word::RetryNumber,
            Kind::Rating { max } => return (Word::RetryRating, vec![("max", max.to_string())]),
            Kind::Date { .. } => Word::RetryDate,
            Kind::Phone => Word::RetryPhone,
            Kind::Email => Word::RetryEmail,
            Kind::Location => Word::RetryLocation,
            Kind::Media { .. } => return (Word::RetryMedia, self.kinds_accepted(kind)),
            Kind::Consent => Word::RetryConsent,
        };
        (word, Vec::new())
    }

    /// The media that a question takes, in words.
    fn kinds_accepted(&self, kind: &Kind) -> Places {
        use langnghe_model::event::MediaKind;
        let Kind::Media { accept, .. } = kind else {
            return Vec::new();
        };
        let words = accept.iter().map(|kind| match kind {
            MediaKind::Image => Word::KindImage,
            MediaKind::Video => Word::KindVideo,
            MediaKind::Audio => Word::KindAudio,
            MediaKind::File => Word::KindFile,
        });
        vec![(
            "kinds",
            words
                .map(|word| self.word(word))
                .collect::<Vec<_>>()
                .join(", "),
        )]
    }
}
