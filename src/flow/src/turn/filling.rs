//! Fills answers from what came early, came together, or opened the flow.

use langnghe_model::event::Media;

use super::{Input, Turn};
use crate::{
    answer::{Answer, cut},
    flow::{Flow, Kind},
    understand::phone,
    words::Word,
};

/// The longest link of a medium that is kept, in bytes.
const LINK: usize = 2048;

/// What became of media that were sent.
#[derive(Default)]
pub(super) struct Added {
    /// How many were taken.
    pub(super) accepted: usize,
    /// How many there are now.
    pub(super) count: usize,
    /// Some were too many.
    pub(super) full: bool,
}

impl Turn<'_> {
    /// Keeps attachments for the questions that ask for them, other than `current`; gives what to
    /// say.
    pub(super) fn keep(
        &mut self,
        flow: &Flow,
        input: &Input<'_>,
        current: Option<usize>,
    ) -> Option<Word> {
        let mut said = None;
        if !input.media.is_empty() {
            let questions = flow.questions.iter().enumerate();
            let takers: Vec<usize> = questions
                .filter(|(_, question)| match &question.kind {
                    Kind::Media { accept, .. } => {
                        input.media.iter().any(|media| accept.contains(&media.kind))
                    }
                    _ => false,
                })
                .map(|(index, _)| index)
                .collect();
            if let Some(index) = takers.first() {
                let added = self.add_media(flow, *index, input);
                if added.accepted > 0 {
                    said = Some(Word::MediaKept);
                } else if added.full {
                    let Kind::Media { max, .. } = &flow.questions[*index].kind else {
                        return said;
                    };
                    let text = self.word_with(Word::MediaFull, &[("max", max.to_string())]);
                    self.say_text(text);
                }
            }
        }
        self.keep_location(flow, input, current).or(said)
    }

    /// Keeps a place for the question that asks for it.
    pub(super) fn keep_location(
        &mut self,
        flow: &Flow,
        input: &Input<'_>,
        current: Option<usize>,
    ) -> Option<Word> {
        let location = input.location.as_ref()?;
        let asked = current.filter(|index| matches!(flow.questions[*index].kind, Kind::Location));
        if asked.is_some() {
            return None;
        }
        let question = flow
            .questions
            .iter()
            .find(|question| matches!(question.kind, Kind::Location))?;
        self.form()
            .set(&question.id, Answer::Place(location.clone()));
        Some(Word::LocationKept)
    }

    /// Adds media to the answer of a question.
    pub(super) fn add_media(&mut self, flow: &Flow, index: usize, input: &Input<'_>) -> Added {
        let question = &flow.questions[index];
        let Kind::Media { accept, max } = &question.kind else {
            return Added::default();
        };
        let mut list: Vec<Media> = match self.answer_to(flow, index) {
            Some(Answer::Media(list)) => list.clone(),
            _ => Vec::new(),
        };
        let mut added = Added::default();
        for media in &input.media {
            if !accept.contains(&media.kind) || media.url.len() > LINK {
                continue;
            }
            if list.iter().any(|known| known.url == media.url) {
                added.accepted += 1;
            } else if list.len() < *max {
                let mut media = (*media).clone();
                if let Some(name) = &mut media.name {
                    cut(name, 120);
                }
                if let Some(content_type) = &mut media.content_type {
                    cut(content_type, 100);
                }
                list.push(media);
                added.accepted += 1;
            } else {
                added.full = true;
            }
        }
        added.count = list.len();
        if !list.is_empty() {
            self.form().set(&question.id, Answer::Media(list));
        }
        added
    }

    /// Fills what the message that opened a flow answers already; true when it answered something.
    pub(super) fn fill_from(
        &mut self,
        flow: &Flow,
        input: &Input<'_>,
        phrase: Option<&str>,
    ) -> bool {
        let before = self
            .session
            .form
            .as_ref()
            .map_or(0, |form| form.answers.len());
        self.keep(flow, input, None);
        let card = input
            .contact
            .and_then(|card| card.phones.iter().find_map(|text| phone::parse(text)));
        // A number in the first sentence is there to be called; the review shows it.
        let said = || phone::parse(&input.text).filter(|_| flow.review);
        if let Some(number) = card.or_else(said)
            && let Some(question) = flow
                .questions
                .iter()
                .find(|question| matches!(question.kind, Kind::Phone))
        {
            self.form().set(&question.id, Answer::Phone(number));
        }
        let tells = input.has_text() && tells_something(input, phrase);
        if input.has_text() {
            self.notice_danger(flow, &input.folded);
        }
        if tells {
            self.fill_text(flow, input);
        }
        let after = self
            .session
            .form
            .as_ref()
            .map_or(0, |form| form.answers.len());
        if input.has_text() && flow.review {
            self.guess(flow, &input.folded);
        }
        after > before
    }

    fn fill_text(&mut self, flow: &Flow, input: &Input<'_>) {
        let free = flow.questions.iter().position(|question| {
            matches!(question.kind, Kind::Text { .. })
                && !question.personal
                && question.when.is_none()
        });
        let Some(index) = free.filter(|index| self.answer_to(flow, *index).is_none()) else {
            return;
        };
        if let Kind::Text { min, max } = flow.questions[index].kind {
            let length = input.text.chars().count();
            if (min..=max).contains(&length) {
                self.remember(flow, index);
                self.form()
                    .set(&flow.questions[index].id, Answer::Text(input.text.clone()));
            }
        }
    }

    /// Chooses what a sentence's words point to, where they point to one thing only: the review
    /// shows it.
    pub(super) fn guess(&mut self, flow: &Flow, folded: &str) {
        let mut visible = vec![false; flow.questions.len()];
        for index in 0..flow.questions.len() {
            let question = &flow.questions[index];
            visible[index] = self.is_visible(flow, question, &visible);
            let Kind::Choice(options) = &question.kind else {
                continue;
            };
            if !visible[index] || self.answer_to(flow, index).is_some() {
                continue;
            }
            if let Some(choice) = options.guess(folded) {
                let id = options.list[choice].id.clone();
                self.form().set(&question.id, Answer::Choice(id));
            }
        }
    }

    /// Gives the emergency numbers, once, when words speak of danger to life.
    pub(super) fn notice_danger(&mut self, flow: &Flow, folded: &str) {
        let urgent = self.session.form.as_ref().is_none_or(|form| form.urgent);
        if urgent || !flow.emergency.any(folded) {
            return;
        }
        self.form().urgent = true;
        let texts = flow
            .texts
            .get(self.language)
            .unwrap_or(&flow.texts[flow.own]);
        if let Some(text) = texts
            .emergency
            .as_ref()
            .map(|template| self.fill(flow, template))
        {
            self.say_text(text);
        }
    }
}

/// True when a message says more than the phrase that opened the flow.
fn tells_something(input: &Input<'_>, phrase: Option<&str>) -> bool {
    const FILLERS: [&str; 40] = [
        "toi", "muon", "xin", "cho", "em", "chau", "con", "minh", "can", "ve", "mot", "viec", "su",
        "co", "gui", "den", "voi", "a", "oi", "chao", "ban", "anh", "chi", "da", "la", "dang",
        "hoi", "the", "i", "want", "to", "would", "like", "a", "please", "hello", "hi", "vu",
        "van", "de",
    ];
    if !input.is_sentence() {
        return false;
    }
    let rest = phrase.map_or_else(
        || input.folded.clone(),
        |phrase| input.folded.replacen(phrase, " ", 1),
    );
    let letters: usize = rest
        .split(' ')
        .map(crate::understand::trim)
        .filter(|word| !FILLERS.contains(word))
        .map(|word| word.chars().count())
        .sum();
    letters >= 8
}
