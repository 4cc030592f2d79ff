//! A message outside any flow: a menu's answer, a trigger, or content that opens a flow.

use langnghe_model::fold;

use super::{Input, Turn};
use crate::{
    flow::{Flow, Kind, Pattern, Target},
    session::Form,
    understand::options::Found,
    words::Word,
};

impl<'t> Turn<'t> {
    /// A message outside any flow.
    pub(super) fn begin(&mut self, input: &Input<'_>) {
        let menu = self.flow().filter(|flow| flow.menu);
        if let Some(menu) = menu.filter(|_| input.has_text() && !input.is_sentence())
            && self.chosen(menu, input)
        {
            return;
        }
        if let Some((flow, phrase)) = self.phrased(&input.folded) {
            return self.start(flow, Some((input, Some(phrase))));
        }
        if self.patterned(input) {
            return;
        }
        if let Some(flow) = self.opened(input) {
            return self.start(flow, Some((input, None)));
        }
        if let Some(menu) = menu {
            if input.has_text() && self.chosen(menu, input) {
                return;
            }
            let word = if input.has_text() {
                Word::RetryChoice
            } else {
                Word::Unsupported
            };
            let index = menu
                .questions
                .iter()
                .position(|question| question.kind.options().is_some());
            if let Some(index) = index {
                let text = self.word(word);
                return self.ask_with(menu, index, &text, false);
            }
        }
        match self.library.flow(&self.library.settings.start) {
            Some(flow) if !flow.menu => self.start(flow, Some((input, None))),
            _ => self.start_over(),
        }
    }

    /// Does what an entry of the menu says; false when the message names none.
    fn chosen(&mut self, menu: &'t Flow, input: &Input<'_>) -> bool {
        let question = menu
            .questions
            .iter()
            .enumerate()
            .find(|(_, question)| question.kind.options().is_some());
        let Some((index, options)) =
            question.and_then(|(index, question)| Some((index, question.kind.options()?)))
        else {
            return false;
        };
        match options.find(&input.folded) {
            Found::One(choice) => {
                match options.list[choice].target.clone() {
                    Some(Target::Flow(id)) => match self.library.flow(&id) {
                        Some(flow) => self.start(flow, Some((input, None))),
                        None => self.start_over(),
                    },
                    Some(Target::Word(word)) => self.wished(word),
                    None => self.start_over(),
                }
                true
            }
            Found::Several(choices) if !input.is_sentence() => {
                self.ask_among(menu, index, &choices);
                true
            }
            _ => false,
        }
    }

    /// The flow with the longest phrase that the message holds.
    fn phrased(&self, folded: &str) -> Option<(&'t Flow, &'t str)> {
        let mut longest: Option<(&'t str, usize)> = None;
        self.library.phrases.each(folded, |phrase, flow| {
            if longest.is_none_or(|(other, _)| other.len() < phrase.len()) {
                longest = Some((phrase, flow));
            }
        });
        let (phrase, flow) = longest?;
        self.library.flows().nth(flow).map(|flow| (flow, phrase))
    }

    /// Starts the flow with a pattern that the message fits; its groups fill answers.
    fn patterned(&mut self, input: &Input<'_>) -> bool {
        let library = self.library;
        for flow in library.flows() {
            for pattern in &flow.triggers.patterns {
                if let Some(groups) = captured(pattern, &input.text) {
                    self.open(flow);
                    for (question, text) in groups {
                        self.fill_group(flow, question, &text);
                    }
                    self.notice_danger(flow, &input.folded);
                    self.keep(flow, input, None);
                    if flow.review {
                        self.guess(flow, &input.folded);
                    }
                    self.advance(flow);
                    return true;
                }
            }
        }
        false
    }

    fn fill_group(&mut self, flow: &Flow, index: usize, text: &str) {
        let input = Input::words(Some(text), None);
        if let crate::kinds::Heard::Answer(answer) =
            crate::kinds::hear(&flow.questions[index], &input, self.today())
            && !matches!(flow.questions[index].kind, Kind::Consent)
        {
            self.form().set(&flow.questions[index].id, answer);
        }
    }

    /// The flow that this kind of content opens.
    fn opened(&self, input: &Input<'_>) -> Option<&'t Flow> {
        let library = self.library;
        library.flows().find(|flow| {
            let triggers = &flow.triggers;
            input
                .media
                .iter()
                .any(|media| triggers.media.contains(&media.kind))
                || triggers.location && input.location.is_some()
                || triggers.text && input.is_sentence()
        })
    }

    /// Starts a flow with what opened it.
    pub(super) fn start(&mut self, flow: &'t Flow, opening: Option<(&Input<'_>, Option<&str>)>) {
        self.open(flow);
        if let Some((input, phrase)) = opening.filter(|_| !flow.menu)
            && self.fill_from(flow, input, phrase)
        {
            self.say(Word::Kept);
        }
        self.advance(flow);
    }

    /// A new form of a flow.
    fn open(&mut self, flow: &Flow) {
        self.session.form = Some(Form {
            flow: flow.id.clone(),
            version: flow.version,
            hash: flow.hash.clone(),
            ..Form::default()
        });
    }

    /// Shows the start.
    pub(super) fn start_over(&mut self) {
        match self.library.flow(&self.library.settings.start) {
            Some(flow) => self.start(flow, None),
            // Loading refuses a library without its start.
            None => self.say(Word::HelpGeneral),
        }
    }
}

/// What the groups of a pattern hold, when it fits the text with or without its diacritics.
fn captured(pattern: &Pattern, text: &str) -> Option<Vec<(usize, String)>> {
    if let Some(found) = pattern.regex.captures(text) {
        let group = |(name, question): &(String, usize)| {
            found
                .name(name)
                .map(|part| (*question, part.as_str().to_owned()))
        };
        return Some(pattern.groups.iter().filter_map(group).collect());
    }
    let plain = fold::unaccent(text);
    let found = pattern.regex.captures(&plain)?;
    // Letter stands under letter when nothing but marks fell away; then the original is given.
    let same = plain.chars().count() == text.chars().count();
    let group = |(name, question): &(String, usize)| {
        let part = found.name(name)?;
        let original: String = if same {
            let start = plain[..part.start()].chars().count();
            text.chars()
                .skip(start)
                .take(part.as_str().chars().count())
                .collect()
        } else {
            part.as_str().to_owned()
        };
        Some((*question, original))
    };
    Some(pattern.groups.iter().filter_map(group).collect())
}
