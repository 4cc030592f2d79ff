//! A checked flow: everything that a turn needs, made ready at load.

use std::{collections::HashMap, time::Duration};

use langnghe_model::{BackendId, event::MediaKind, reply::Choice};
use regex::Regex;

use crate::{
    condition::Condition,
    understand::{options::Options, phrases::Phrases},
    words::{Global, Template},
};

/// A checked flow.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) id: String,
    pub(crate) version: u32,
    /// Changes with the file's text.
    pub(crate) hash: String,
    /// Its choices start other flows; nothing is remembered of it.
    pub(crate) menu: bool,
    pub(crate) triggers: Triggers,
    pub(crate) reminder: Duration,
    pub(crate) expires: Duration,
    pub(crate) questions: Vec<Question>,
    pub(crate) review: bool,
    pub(crate) ticket: Option<TicketPlan>,
    /// Words that speak of danger to life.
    pub(crate) emergency: Phrases<()>,
    /// By the number of the language.
    pub(crate) texts: Vec<FlowTexts>,
    /// The number of its own language, in which agencies read answers.
    pub(crate) own: usize,
    /// The file's text, kept for sessions that outlive this version.
    pub(crate) text: String,
    by_id: HashMap<String, usize>,
}

impl Flow {
    /// Fills the index of questions.
    pub(crate) fn indexed(mut self) -> Self {
        let ids = self.questions.iter().enumerate();
        self.by_id = ids
            .map(|(index, question)| (question.id.clone(), index))
            .collect();
        self
    }

    /// The number of the question with this id.
    pub(crate) fn question(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// A flow with nothing in it.
    pub(crate) fn empty(id: String, text: String) -> Self {
        Self {
            id,
            version: 1,
            hash: hash(&text),
            menu: false,
            triggers: Triggers::default(),
            reminder: Duration::from_mins(30),
            expires: Duration::from_hours(24),
            questions: Vec::new(),
            review: false,
            ticket: None,
            emergency: Phrases::default(),
            texts: Vec::new(),
            own: 0,
            text,
            by_id: HashMap::new(),
        }
    }
}

/// What starts a flow besides a menu.
#[derive(Debug, Default)]
pub(crate) struct Triggers {
    /// Folded.
    pub(crate) phrases: Vec<String>,
    pub(crate) patterns: Vec<Pattern>,
    pub(crate) media: Vec<MediaKind>,
    pub(crate) location: bool,
    /// A sentence, long enough to be a report.
    pub(crate) text: bool,
}

/// An expression over the folded message, whose named groups fill answers.
#[derive(Debug)]
pub(crate) struct Pattern {
    pub(crate) regex: Regex,
    /// Groups and the questions that they fill.
    pub(crate) groups: Vec<(String, usize)>,
}

/// Where a finished flow goes.
#[derive(Debug)]
pub(crate) struct TicketPlan {
    pub(crate) backend: Option<BackendId>,
    /// Text with the ids of choices put in: `{loai}`.
    pub(crate) service: Option<Template>,
    pub(crate) urgent: bool,
}

/// One question.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of its own")]
pub(crate) struct Question {
    pub(crate) id: String,
    pub(crate) kind: Kind,
    pub(crate) optional: bool,
    pub(crate) personal: bool,
    pub(crate) when: Option<Condition>,
    pub(crate) reminder: Option<Duration>,
    pub(crate) expires: Option<Duration>,
    /// Whoever answers agrees to be told news under this number.
    pub(crate) notify: bool,
    /// Its wording says that "0" means skip.
    pub(crate) zero_skips: bool,
}

/// What a question asks for, with its bounds.
#[derive(Debug)]
pub(crate) enum Kind {
    Text {
        min: usize,
        max: usize,
    },
    Choice(Options),
    Choices {
        options: Options,
        min: usize,
        max: usize,
    },
    YesNo,
    Number {
        min: Option<f64>,
        max: Option<f64>,
        whole: bool,
    },
    Rating {
        max: u8,
    },
    Date {
        min: Option<DateBound>,
        max: Option<DateBound>,
    },
    Phone,
    Email,
    Location,
    Media {
        accept: Vec<MediaKind>,
        max: usize,
    },
    Consent,
    Say,
}

impl Kind {
    /// True where any sentence may be an answer, so that only sure key words count.
    pub(crate) fn is_free(&self) -> bool {
        matches!(self, Self::Text { .. })
    }

    /// The choices, where there are some.
    pub(crate) fn options(&self) -> Option<&Options> {
        match self {
            Self::Choice(options) | Self::Choices { options, .. } => Some(options),
            _ => None,
        }
    }

    /// The word for it in flow files.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::Choice(_) => "choice",
            Self::Choices { .. } => "choices",
            Self::YesNo => "yes_no",
            Self::Number { .. } => "number",
            Self::Rating { .. } => "rating",
            Self::Date { .. } => "date",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Location => "location",
            Self::Media { .. } => "media",
            Self::Consent => "consent",
            Self::Say => "say",
        }
    }
}

/// The end of a span of days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DateBound {
    Today,
    Day(jiff::civil::Date),
}

/// What choosing an entry of a menu does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Starts the flow with this id.
    Flow(String),
    /// Does what the key word does.
    Word(Global),
}

/// The words of a flow in one language.
#[derive(Debug)]
pub(crate) struct FlowTexts {
    pub(crate) title: String,
    pub(crate) done: Option<Template>,
    pub(crate) emergency: Option<Template>,
    pub(crate) questions: Vec<QuestionTexts>,
}

/// The words of a question in one language.
#[derive(Debug)]
pub(crate) struct QuestionTexts {
    pub(crate) ask: Template,
    pub(crate) label: String,
    pub(crate) help: Option<Template>,
    pub(crate) retry: Option<Template>,
    pub(crate) refused: Option<Template>,
    /// The choices as shown; for yes/no, ratings and consent too.
    pub(crate) choices: Vec<Choice>,
}

/// A short name for a text that changes with it (FNV-1a, 64 bits): not for secrets.
pub(crate) fn hash(text: &str) -> String {
    let mut value: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in text.bytes() {
        value = (value ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{value:016x}")
}
