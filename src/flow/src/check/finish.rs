//! Puts a flow's words together in every language.

use langnghe_model::{fold::fold, reply::Choice};

use super::{
    draft::{Draft, QuestionDraft},
    kinds,
};
use crate::{
    Agency,
    flow::{Flow, FlowTexts, Kind, QuestionTexts},
    payload::Payload,
    words::{Language, LocaleFile, Template, Word, Words, keywords},
};

/// The longest label made of a question, in characters.
const LABEL: usize = 40;

/// The flow with its words in every language.
pub(super) fn finish(draft: Draft, words: &Words, locales: &[LocaleFile], agency: &Agency) -> Flow {
    let files: Vec<Option<&LocaleFile>> = words
        .languages
        .iter()
        .map(|language| {
            let fits =
                |file: &&LocaleFile| file.language == language.tag && file.name == draft.flow.id;
            locales.iter().find(fits)
        })
        .collect();
    let texts: Vec<FlowTexts> = words
        .languages
        .iter()
        .zip(&files)
        .map(|(language, file)| {
            let maker = Maker {
                draft: &draft,
                language,
                file: *file,
                agency,
            };
            maker.flow()
        })
        .collect();
    let mut flow = draft.flow;
    flow.own = words.find(&draft.language).unwrap_or(words.default);
    flow.texts = texts;
    for (question, question_draft) in flow.questions.iter_mut().zip(&draft.questions) {
        let translated = translations(&question.id, question_draft, &files);
        if let Kind::Choice(options) | Kind::Choices { options, .. } = &mut question.kind {
            *options = kinds::options(question_draft, &translated);
        }
    }
    flow.indexed()
}

/// Labels and hints of the choices in other languages.
fn translations(
    question: &str,
    draft: &QuestionDraft,
    files: &[Option<&LocaleFile>],
) -> Vec<(String, Vec<String>, Vec<String>)> {
    let mut all = Vec::new();
    for file in files.iter().flatten() {
        for choice in &draft.choices {
            let text = |part: &str| {
                file.entries
                    .get(&format!("{question}.{part}-{}", choice.id))
            };
            let labels = text("choice")
                .map(|entry| entry.template.bare())
                .into_iter()
                .collect();
            let hints = text("hints")
                .map(|entry| keywords::split(&entry.template.bare()))
                .unwrap_or_default();
            all.push((choice.id.clone(), labels, hints));
        }
    }
    all
}

struct Maker<'m> {
    draft: &'m Draft,
    language: &'m Language,
    file: Option<&'m LocaleFile>,
    agency: &'m Agency,
}

impl Maker<'_> {
    /// The translation of `key`, or the flow's own text.
    fn text(&self, key: &str, own: Option<&Template>) -> Option<Template> {
        let translated = self
            .file
            .and_then(|file| file.entries.get(key))
            .map(|entry| &entry.template);
        translated
            .or(own)
            .map(|template| self.language.settle(template, self.agency))
    }

    fn flow(&self) -> FlowTexts {
        let draft = self.draft;
        let title = Template::plain(&draft.title);
        FlowTexts {
            title: self.text("flow", Some(&title)).unwrap_or(title).bare(),
            done: self.text("flow.done", draft.done.as_ref().map(|text| &text.template)),
            emergency: self.text(
                "flow.emergency",
                draft.emergency.as_ref().map(|text| &text.template),
            ),
            questions: draft
                .flow
                .questions
                .iter()
                .zip(&draft.questions)
                .map(|(question, words)| self.question(&question.id, &question.kind, words))
                .collect(),
        }
    }

    fn question(&self, id: &str, kind: &Kind, draft: &QuestionDraft) -> QuestionTexts {
        let part = |name: &str, own: Option<&Template>| self.text(&format!("{id}.{name}"), own);
        let of =
            |text: &Option<super::texts::Text>| text.as_ref().map(|text| text.template.clone());
        let ask = self.text(id, Some(&draft.ask.template)).unwrap_or_default();
        let translated = self.file.is_some_and(|file| file.entries.contains_key(id));
        let own_label = draft
            .label
            .as_ref()
            .filter(|_| !translated)
            .map(Template::plain);
        let label = part("label", own_label.as_ref())
            .map_or_else(|| shorten(&ask.bare()), |label| label.bare());
        QuestionTexts {
            label,
            help: part("help", of(&draft.help).as_ref()),
            retry: part("retry", of(&draft.retry).as_ref()),
            refused: part("refused", of(&draft.refused).as_ref()),
            choices: self.choices(id, kind, draft),
            ask,
        }
    }

    fn choices(&self, id: &str, kind: &Kind, draft: &QuestionDraft) -> Vec<Choice> {
        let flow = &self.draft.flow.id;
        let choice = |label: String, value: &str| {
            Choice::new(
                label,
                Payload::Answer {
                    flow,
                    question: id,
                    value,
                }
                .text(),
            )
        };
        let word = |word: Word| self.language.word(word).bare();
        match kind {
            Kind::Choice(_) | Kind::Choices { .. } => draft
                .choices
                .iter()
                .map(|entry| {
                    let own = Template::plain(&entry.label);
                    let key = format!("{id}.choice-{}", entry.id);
                    choice(self.text(&key, Some(&own)).unwrap_or(own).bare(), &entry.id)
                })
                .collect(),
            Kind::YesNo => vec![choice(word(Word::Yes), "yes"), choice(word(Word::No), "no")],
            Kind::Consent => {
                vec![
                    choice(word(Word::Agree), "yes"),
                    choice(word(Word::Disagree), "no"),
                ]
            }
            Kind::Rating { max } => (1..=*max)
                .map(|point| choice(point.to_string(), &point.to_string()))
                .collect(),
            _ => Vec::new(),
        }
    }
}

/// A question made short enough for a label: its first sentence, without its mark.
fn shorten(ask: &str) -> String {
    let line = ask.lines().next().unwrap_or_default();
    let sentence = line
        .split_inclusive(['?', '.', '!', ':'])
        .next()
        .unwrap_or(line);
    let sentence = sentence
        .trim()
        .trim_end_matches(['?', '.', '!', ':'])
        .trim();
    if sentence.chars().count() <= LABEL || fold(sentence).is_empty() {
        return sentence.to_owned();
    }
    let cut: String = sentence.chars().take(LABEL - 1).collect();
    let whole = cut.rfind(' ').map_or(cut.as_str(), |at| &cut[..at]);
    format!("{whole}…")
}
