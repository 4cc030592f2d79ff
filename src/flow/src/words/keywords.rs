//! Key words: whole messages that mean the same anywhere, in every language at once.

use std::collections::{HashMap, HashSet};

use langnghe_model::fold::fold;

use super::{Language, Word};

/// What a key word asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Global {
    Back,
    Skip,
    Change,
    Cancel,
    Restart,
    Menu,
    Help,
    Language,
    Person,
    Erase,
    Data,
    Stop,
}

impl Global {
    const LISTS: [(Self, Word, Word); 12] = [
        (Self::Back, Word::WordsBack, Word::WordsBackSure),
        (Self::Skip, Word::WordsSkip, Word::WordsSkipSure),
        (Self::Change, Word::WordsChange, Word::WordsChangeSure),
        (Self::Cancel, Word::WordsCancel, Word::WordsCancelSure),
        (Self::Restart, Word::WordsRestart, Word::WordsRestartSure),
        (Self::Menu, Word::WordsMenu, Word::WordsMenuSure),
        (Self::Help, Word::WordsHelp, Word::WordsHelpSure),
        (Self::Language, Word::WordsLanguage, Word::WordsLanguageSure),
        (Self::Person, Word::WordsPerson, Word::WordsPersonSure),
        (Self::Erase, Word::WordsErase, Word::WordsEraseSure),
        (Self::Data, Word::WordsData, Word::WordsDataSure),
        (Self::Stop, Word::WordsStop, Word::WordsStopSure),
    ];

    /// Its name in payloads and in flow files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Back => "back",
            Self::Skip => "skip",
            Self::Change => "change",
            Self::Cancel => "cancel",
            Self::Restart => "restart",
            Self::Menu => "menu",
            Self::Help => "help",
            Self::Language => "language",
            Self::Person => "person",
            Self::Erase => "erase",
            Self::Data => "data",
            Self::Stop => "stop",
        }
    }

    /// The one of that name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::LISTS
            .iter()
            .map(|(global, _, _)| *global)
            .find(|global| global.name() == name)
    }

    /// All names.
    pub(crate) fn names() -> [(&'static str, Self); 12] {
        Self::LISTS.map(|(global, _, _)| (global.name(), global))
    }
}

/// The key words of all languages.
#[derive(Debug, Default)]
pub(crate) struct Keywords {
    anywhere: HashMap<String, Global>,
    sure: HashMap<String, Global>,
    switch: HashMap<String, usize>,
    change: HashSet<String>,
    done: HashSet<String>,
    send: HashSet<String>,
    resume: HashSet<String>,
}

impl Keywords {
    pub(super) fn new(languages: &[Language]) -> Self {
        let mut keywords = Self::default();
        for (index, language) in languages.iter().enumerate() {
            let list = |word: Word| split(&language.word(word).bare());
            for (global, all, sure) in Global::LISTS {
                for word in list(sure) {
                    keywords.sure.entry(word.clone()).or_insert(global);
                    keywords.anywhere.entry(word).or_insert(global);
                }
                for word in list(all) {
                    keywords.anywhere.entry(word).or_insert(global);
                }
            }
            keywords.change.extend(list(Word::WordsChange));
            keywords.done.extend(list(Word::WordsDone));
            keywords.send.extend(list(Word::WordsSend));
            keywords.resume.extend(list(Word::WordsContinue));
            for word in list(Word::WordsSwitch) {
                keywords.switch.entry(word).or_insert(index);
            }
            keywords.switch.entry(fold(&language.name)).or_insert(index);
        }
        keywords
    }

    /// What a whole folded message asks for; `only_sure` where a free answer is expected.
    pub(crate) fn global(&self, folded: &str, only_sure: bool) -> Option<Global> {
        let words = if only_sure {
            &self.sure
        } else {
            &self.anywhere
        };
        words.get(folded).copied()
    }

    /// The language that a whole folded message switches to.
    pub(crate) fn switch(&self, folded: &str) -> Option<usize> {
        self.switch.get(folded).copied()
    }

    /// True for "done".
    pub(crate) fn is_done(&self, folded: &str) -> bool {
        self.done.contains(folded)
    }

    /// True for "send".
    pub(crate) fn is_send(&self, folded: &str) -> bool {
        self.send.contains(folded)
    }

    /// True for "continue".
    pub(crate) fn is_resume(&self, folded: &str) -> bool {
        self.resume.contains(folded)
    }

    /// The number in "change 3".
    pub(crate) fn change_number<'t>(&self, folded: &'t str) -> Option<&'t str> {
        let at = folded.rfind(' ')?;
        let (word, number) = (&folded[..at], &folded[at + 1..]);
        let word = word
            .trim_end_matches(" so")
            .trim_end_matches(" muc")
            .trim_end_matches(" cau");
        (self.change.contains(word) && number.bytes().all(|byte| byte.is_ascii_digit()))
            .then_some(number)
    }
}

/// The folded items of a list with commas.
pub(crate) fn split(list: &str) -> Vec<String> {
    list.split(',')
        .map(fold)
        .filter(|word| !word.is_empty())
        .collect()
}
