//! The words of the system in all languages, and the key words that work anywhere.

pub(crate) mod keywords;
mod locale;
mod template;
mod word;

use langnghe_model::{Problem, problem::Source};

pub(crate) use keywords::{Global, Keywords};
pub(crate) use locale::LocaleFile;
pub(crate) use template::Template;
pub(crate) use word::Word;

use crate::{Agency, reader::nearest};

/// The languages that are always there.
const EMBEDDED: [(&str, &str); 2] = [
    ("vi", include_str!("../../../../locales/vi/system.ftl")),
    ("en", include_str!("../../../../locales/en/system.ftl")),
];

/// The words of the system in all languages.
#[derive(Debug)]
pub(crate) struct Words {
    pub(crate) languages: Vec<Language>,
    pub(crate) keywords: Keywords,
    /// The language of a citizen of whom nothing is known.
    pub(crate) default: usize,
}

/// The words of the system in one language.
#[derive(Debug)]
pub(crate) struct Language {
    /// A BCP 47 tag.
    pub(crate) tag: String,
    /// Its own name.
    pub(crate) name: String,
    system: Vec<Template>,
}

impl Language {
    /// The template of a word.
    pub(crate) fn word(&self, word: Word) -> &Template {
        &self.system[word as usize]
    }
}

impl Words {
    /// Puts the words of `files` over the embedded ones; `spoken` are the flows' own languages.
    pub(crate) fn load(
        files: &[LocaleFile],
        spoken: &[String],
        default: &str,
        agency: &Agency,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut ignored = Vec::new();
        let embedded: Vec<LocaleFile> = EMBEDDED
            .iter()
            .filter_map(|(language, text)| {
                let source = Source::new(format!("{language}/system.ftl"), *text);
                LocaleFile::read(&source, &mut ignored)
            })
            .collect();
        let mut tags: Vec<String> = Vec::new();
        let named = files
            .iter()
            .map(|file| &file.language)
            .chain(spoken)
            .map(String::as_str);
        for tag in std::iter::once(default)
            .chain(EMBEDDED.map(|(tag, _)| tag))
            .chain(named)
        {
            if !tags.iter().any(|known| known.eq_ignore_ascii_case(tag)) {
                tags.push(tag.to_owned());
            }
        }
        for file in files.iter().filter(|file| file.name == "system") {
            check(file, problems);
        }
        let languages: Vec<Language> = tags
            .iter()
            .map(|tag| language(tag, default, files, &embedded, agency))
            .collect();
        Self {
            keywords: Keywords::new(&languages),
            languages,
            default: 0,
        }
    }

    /// The language that fits `tag` best: the same, or the same without its region.
    pub(crate) fn find(&self, tag: &str) -> Option<usize> {
        let tag = tag.replace('_', "-");
        let same = |wanted: &str| {
            self.languages
                .iter()
                .position(|language| language.tag.eq_ignore_ascii_case(wanted))
        };
        same(&tag).or_else(|| same(tag.split('-').next().unwrap_or_default()))
    }
}

fn language(
    tag: &str,
    default: &str,
    files: &[LocaleFile],
    embedded: &[LocaleFile],
    agency: &Agency,
) -> Language {
    let mut sources: Vec<&LocaleFile> = Vec::new();
    for wanted in [tag, default, "vi", "en"] {
        for from in [files, embedded] {
            sources.extend(
                from.iter()
                    .filter(|file| file.name == "system" && file.language == wanted),
            );
        }
    }
    let find = |word: Word, key_words: bool| {
        sources
            .iter()
            // Key words of another language are there already, through that language.
            .filter(|file| !key_words || file.language == tag)
            .find_map(|file| file.entries.get(word.id()))
            .map(|entry| entry.template.clone())
            .unwrap_or_default()
    };
    let bare = |word: Word| find(word, false).bare();
    let system = Word::ALL
        .iter()
        .map(|word| {
            let template = find(*word, word.id().starts_with("words-"));
            template.settle(&|name| agency_word(name, agency, &bare))
        })
        .collect();
    let own_name = sources.iter().find(|file| file.language == tag);
    let name = own_name
        .and_then(|file| file.entries.get(Word::LanguageName.id()))
        .map_or_else(|| tag.to_owned(), |entry| entry.template.bare());
    Language {
        tag: tag.to_owned(),
        name,
        system,
    }
}

/// The places that every text may have.
pub(crate) const AGENCY_PLACES: [&str; 5] = [
    "agency",
    "hotline",
    "address",
    "privacy_url",
    "retention_months",
];

/// What stands for a place that tells of the agency.
fn agency_word(name: &str, agency: &Agency, bare: &dyn Fn(Word) -> String) -> Option<String> {
    let or = |text: &str, word: Word| {
        if text.is_empty() {
            bare(word)
        } else {
            text.to_owned()
        }
    };
    Some(match name {
        "agency" => or(&agency.name, Word::Agency),
        "hotline" => or(&agency.hotline, Word::Hotline),
        "address" => or(&agency.address, Word::Address),
        "privacy_url" if agency.privacy_url.is_empty() => or(&agency.hotline, Word::Hotline),
        "privacy_url" => agency.privacy_url.clone(),
        "retention_months" if agency.retention_months == 0 => "24".to_owned(),
        "retention_months" => agency.retention_months.to_string(),
        _ => return None,
    })
}

impl Language {
    /// The template with the agency's words put in.
    pub(crate) fn settle(&self, template: &Template, agency: &Agency) -> Template {
        template.settle(&|name| agency_word(name, agency, &|word| self.word(word).bare()))
    }
}

fn check(file: &LocaleFile, problems: &mut Vec<Problem>) {
    let known = || Word::ALL.iter().map(|word| word.id());
    for (key, entry) in &file.entries {
        let Some(word) = Word::ALL.iter().find(|word| word.id() == key) else {
            let mut problem = Problem::error(
                "fluent::unknown-message",
                format!("the system never says `{key}`"),
            )
            .at(&file.source, entry.span.clone(), "no such message");
            if let Some(near) = nearest(key, known()) {
                problem = problem.help(format!("did you mean `{near}`?"));
            }
            problems.push(problem);
            continue;
        };
        let allowed: Vec<&str> = word.places().iter().copied().chain(AGENCY_PLACES).collect();
        check_places(file, entry, &allowed, problems);
    }
    let missing: Vec<&str> = known()
        .filter(|id| !file.entries.contains_key(*id))
        .collect();
    if !missing.is_empty() {
        let shown: Vec<&str> = missing.iter().take(8).copied().collect();
        let more = if missing.len() > shown.len() {
            ", …"
        } else {
            ""
        };
        problems.push(
            Problem::warning(
                "fluent::missing-translation",
                format!(
                    "{} messages are missing: {}{more}",
                    missing.len(),
                    shown.join(", ")
                ),
            )
            .at(&file.source, 0..0, "in this file")
            .help("without them another language's words are used"),
        );
    }
}

/// Tells of variables that nothing will be put in for.
pub(crate) fn check_places(
    file: &LocaleFile,
    entry: &locale::Entry,
    allowed: &[&str],
    problems: &mut Vec<Problem>,
) {
    for (name, span) in &entry.places {
        if allowed.contains(&name.as_str()) {
            continue;
        }
        let mut problem = Problem::error(
            "fluent::unknown-place",
            format!("nothing is known as `{name}` here"),
        )
        .at(&file.source, span.clone(), "unknown");
        problem = match nearest(name, allowed.iter().copied()) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help(format!("known here: {}", allowed.join(", "))),
        };
        problems.push(problem);
    }
}
