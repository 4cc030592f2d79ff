//! What a configuration's author sees of their mistakes.

use std::path::Path;

use langnghe_model::{Problem, problem::Severity, problem::Source};

use super::{Environment, Read};

const SAMPLE: &str = include_str!("../../../../config/langnghe.toml");

struct Variables(&'static [(&'static str, &'static str)]);

impl Environment for Variables {
    fn variable(&self, name: &str) -> Option<String> {
        self.0
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| (*value).to_owned())
    }
}

const VARIABLES: Variables = Variables(&[
    ("PAGE_APP_SECRET", "one"),
    ("PAGE_VERIFY_TOKEN", "two"),
    ("PAGE_ACCESS_TOKEN", "three"),
    ("IOC_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ("EMPTY", ""),
]);

fn read(text: &str) -> Read {
    super::read(
        &Source::new("langnghe.toml", text),
        Path::new("/srv"),
        &VARIABLES,
    )
}

/// The text that a problem underlines.
fn underlined(problem: &Problem) -> &str {
    let (Some(source), Some((span, _))) = (&problem.source, &problem.label) else {
        return "";
    };
    &source.text[span.clone()]
}

/// The sample with every commented-out key in force.
fn whole_sample() -> String {
    let in_force = |line: &str| {
        let key = line.strip_prefix('#').filter(|rest| {
            rest.starts_with(|character: char| character.is_ascii_lowercase() || character == '[')
        });
        key.unwrap_or(line).to_owned()
    };
    SAMPLE.lines().map(in_force).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_sample_is_good_as_it_is_and_with_every_key_in_force() {
    for text in [SAMPLE.to_owned(), whole_sample()] {
        let read = read(&text);
        assert_eq!(read.problems, [], "{text}");
        assert!(read.config.is_some());
    }
}

#[test]
fn the_defaults_that_the_sample_tells_are_the_defaults() {
    let bare = read("[[channel]]\nid = \"web\"\nkind = \"webchat\"\n")
        .config
        .expect("good");
    let mut told = read(&whole_sample()).config.expect("good");
    told.settings.media.clone_from(&bare.settings.media);
    assert_eq!(
        format!("{:?}", bare.settings),
        format!("{:?}", told.settings)
    );
    assert_eq!(bare.store_limits, told.store_limits);
    assert_eq!(bare.start, told.start);
    assert_eq!(bare.language, told.language);
    assert_eq!(bare.listen, told.listen);
}

#[test]
fn every_key_that_is_read_is_explained_in_the_sample() {
    let text = whole_sample();
    // A key that nobody knows makes each section name those that it does know.
    let asking = text
        .lines()
        .map(|line| {
            let header = line.starts_with('[') && line.ends_with(']');
            if header {
                format!("{line}\nzzzzzzzzzzzzzzzz = 1")
            } else {
                line.to_owned()
            }
        })
        .collect::<Vec<_>>()
        .join("\n");
    let sections: Vec<_> = text
        .split("\n[")
        .map(|section| format!("[{section}"))
        .collect();
    let mut asked = 0;
    for problem in read(&asking).problems {
        let keys = problem
            .help
            .as_deref()
            .and_then(|help| help.strip_prefix("its keys are: "));
        let keys = keys.unwrap_or_else(|| panic!("{problem:#?}"));
        let name = problem
            .message
            .split(" has no ")
            .next()
            .expect("the section");
        asked += 1;
        for key in keys.split(", ") {
            let explains = |section: &&String| {
                section.starts_with(name)
                    && section
                        .lines()
                        .any(|line| line.starts_with(&format!("{key} =")))
            };
            assert!(
                sections.iter().any(|section| explains(&section)),
                "{name} {key}"
            );
        }
    }
    assert_eq!(
        asked,
        sections.len() - 1,
        "one for each section, none for the text before them"
    );
}

#[test]
fn every_mistake_is_underlined_where_it_stands() {
    let channel = |rest: &str| format!("[[channel]]\nid = \"page\"\nkind = \"messenger\"\n{rest}");
    let backend = |rest: &str| format!("[[backend]]\nid = \"ioc\"\nkind = \"webhook\"\n{rest}");
    let cases: Vec<(String, &str, &str, &str)> = vec![
        ("[server]\nlisen = \"x\"".into(), "toml::unknown-key", "lisen", "did you mean `listen`?"),
        ("[servr]\n".into(), "toml::unknown-key", "servr", "did you mean `server`?"),
        ("[server]\nlisten = 8080".into(), "toml::wrong-type", "8080", ""),
        ("[server]\nlisten = \"localhost\"".into(), "config::listen", "\"localhost\"", "127.0.0.1:8080"),
        ("[server]\npublic_url = \"gop-y.vn\"".into(), "config::url", "\"gop-y.vn\"", "whole"),
        ("[server]\npublic_url = \"ftp://a.vn\"".into(), "config::url", "\"ftp://a.vn\"", "whole"),
        ("[store]\nurl = \"redis://a\"".into(), "config::store", "\"redis://a\"", "come with a later version"),
        ("[store]\nurl = \"data.db\"".into(), "config::store", "\"data.db\"", "sqlite:"),
        ("[limits]\nbody = \"4MB\"".into(), "config::size", "\"4MB\"", "4MiB"),
        ("[limits]\nlease = \"10\"".into(), "config::duration", "\"10\"", "60s"),
        ("[limits]\nlease = \"0s\"".into(), "config::range", "\"0s\"", ""),
        ("[limits]\ninbox = 0".into(), "toml::bad-value", "0", ""),
        ("[limits]\nflood = { mesages = 3 }".into(), "toml::unknown-key", "mesages", "`messages`"),
        ("[retries]\nreplies = [\"1s\", 2]".into(), "toml::wrong-type", "2", ""),
        ("[log]\nformat = \"jsn\"".into(), "toml::bad-value", "\"jsn\"", "json"),
        ("server = 1".into(), "toml::wrong-type", "1", ""),
        ("[server\nlisten = \"127.0.0.1:1\"".into(), "toml::syntax", "", ""),
        ("[[channel]]\nid = \"Page\"\nkind = \"webchat\"".into(), "config::id", "\"Page\"", ""),
        ("[[channel]]\nid = \"oa\"\nkind = \"zalo\"".into(), "config::channel-kind", "\"zalo\"", "messenger and webchat"),
        ("[[channel]]\nid = \"a\"\nkind = \"mesenger\"".into(), "config::channel-kind", "\"mesenger\"", "\"messenger\""),
        (channel("app_secret = \"env:NOWHERE\""), "config::secret", "\"env:NOWHERE\"", "export NOWHERE"),
        (channel("app_secret = \"env:EMPTY\""), "config::secret", "\"env:EMPTY\"", ""),
        (channel("app_secret = \"file:no/such\""), "config::secret", "\"file:no/such\"", ""),
        (channel(""), "config::missing-key", "[[channel]]", "env:NAME"),
        (backend("url = \"https://a.vn\""), "config::missing-key", "[[backend]]", "env:NAME"),
        ("[[backend]]\nid = \"a\"\nkind = \"open311\"".into(), "config::backend-kind", "\"open311\"", "later version"),
        ("[[channel]]\nid = \"a\"\nkind = \"webchat\"\n[[channel]]\nid = \"a\"\nkind = \"webchat\"".into(), "config::duplicate", "\"a\"", "another"),
    ];
    for (text, code, place, help) in cases {
        let read = read(&text);
        assert!(read.config.is_none(), "{text}");
        let found = read.problems.iter().find(|problem| {
            problem.code == code
                && (place.is_empty() || underlined(problem).starts_with(place))
                && problem.help.as_deref().unwrap_or_default().contains(help)
        });
        assert!(found.is_some(), "{text}\n{:#?}", read.problems);
    }
}

#[test]
fn all_mistakes_come_out_in_one_run_and_in_the_order_of_the_file() {
    let read = read("[server]\nlisen = 1\n[limits]\nbody = 7\n[[channel]]\nkind = \"webchat\"\n");
    let codes: Vec<_> = read.problems.iter().map(|problem| problem.code).collect();
    assert_eq!(
        codes,
        [
            "toml::unknown-key",
            "toml::wrong-type",
            "config::missing-key"
        ]
    );
}

#[test]
fn a_secret_in_the_file_is_a_warning_that_does_not_repeat_it() {
    let read = read(
        "[[channel]]\nid = \"page\"\nkind = \"messenger\"\napp_secret = \"hunter2\"\nverify_token = \"env:PAGE_VERIFY_TOKEN\"\naccess_token = \"env:PAGE_ACCESS_TOKEN\"\n",
    );
    assert_eq!(read.problems.len(), 1);
    assert_eq!(read.problems[0].severity, Severity::Warning);
    assert_eq!(underlined(&read.problems[0]), "\"*******\"");
    let shown = format!("{:?}", (&read.problems, &read.config));
    assert!(
        read.config.is_some() && !shown.contains("hunter2"),
        "{shown}"
    );
}

#[test]
fn paths_begin_at_the_folder_of_the_file() {
    let read = read(
        "[store]\nurl = \"sqlite:db/a.db\"\n[flows]\npath = \"/etc/flows\"\n[[channel]]\nid = \"web\"\nkind = \"webchat\"",
    );
    let config = read.config.expect("good");
    assert_eq!(config.database, Path::new("/srv/db/a.db"));
    assert_eq!(config.flows, Path::new("/etc/flows"));
    assert_eq!(config.locales, Path::new("/srv/locales"));
}
