//! What a configuration's author sees of their mistakes.

use std::path::Path;

use langnghe_model::{Problem, problem::Severity, problem::Source};

use langnghe_store::StoreAddress;

use super::{Environment, Read, RedisConfig, StoreConfig};

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
    ("WA_APP_SECRET", "one"),
    ("WA_VERIFY_TOKEN", "two"),
    ("WA_ACCESS_TOKEN", "three"),
    ("IOC_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ("BOT_TOKEN", "123456:example-token"),
    ("BOT_WEBHOOK_SECRET", "bot-webhook-secret"),
    ("ZALO_BOT_TOKEN", "12345:example-token"),
    ("ZALO_BOT_SECRET", "zalo-bot-webhook-secret"),
    ("SMSC_PASSWORD", "matkhau"),
    ("OA_APP_SECRET", "ten"),
    ("OA_SECRET", "eleven"),
    ("OA_REFRESH_TOKEN", "twelve"),
    ("SIM_PASSWORD", "four"),
    ("SIM_SIGNING_KEY", "five"),
    ("ESMS_API_KEY", "six"),
    ("ESMS_SECRET_KEY", "seven"),
    ("ESMS_PRIVATE_KEY", "eight"),
    ("ESMS_WEBHOOK_TOKEN", "0123456789abcdef"),
    ("GATEWAY_KEY", "nine"),
    ("GATEWAY_WEBHOOK_TOKEN", "0123456789abcdef"),
    ("API_TOKEN", "0123456789abcdef"),
    ("MEDIA_ACCESS_KEY", "AKIAEXAMPLE"),
    ("MEDIA_SECRET_KEY", "media-secret"),
    ("SHORT", "0123456789abcde"),
    ("EMPTY", ""),
    ("STORE", "redis://ln:hunter2@cache:6379/1"),
    ("NO_STORE", "redis://ln:hunter2@cache:port"),
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

/// The same on Redis.
fn whole_sample_on_redis() -> String {
    let sqlite = "url = \"sqlite:../data/langnghe.db\"";
    let text = whole_sample();
    assert!(text.contains(sqlite));
    text.replace(sqlite, "url = \"redis://cache.example.vn\"")
}

#[test]
fn the_sample_is_good_as_it_is_and_with_every_key_in_force() {
    for text in [SAMPLE.to_owned(), whole_sample(), whole_sample_on_redis()] {
        let mut read = read(&text);
        // No store has them all.
        read.problems
            .retain(|problem| problem.code != "config::no-effect");
        assert_eq!(read.problems, [], "{text}");
        assert!(read.config.is_some());
    }
    assert_eq!(read(SAMPLE).problems, []);
}

#[test]
fn the_defaults_that_the_sample_tells_are_the_defaults() {
    let bare = read("[[channel]]\nid = \"web\"\nkind = \"webchat\"\n")
        .config
        .expect("good");
    let mut told = read(&whole_sample()).config.expect("good");
    let (bare_media, told_media) = (&bare.settings.media, &mut told.settings.media);
    told_media.place.clone_from(&bare_media.place);
    told_media.public_url.clone_from(&bare_media.public_url);
    assert!(told_media.scan.take().is_some());
    assert_eq!(told.settings.api_tokens.len(), 1);
    told.settings.api_tokens.clear();
    assert_eq!(
        format!("{:?}", bare.settings),
        format!("{:?}", told.settings)
    );
    assert_eq!(bare.store_limits, told.store_limits);
    let StoreConfig::Redis(redis) = read(&whole_sample_on_redis()).config.expect("good").store
    else {
        panic!("on Redis");
    };
    assert_eq!(*redis, RedisConfig::new(redis.address.clone()));
    assert_eq!(bare.start, told.start);
    assert_eq!(bare.language, told.language);
    assert_eq!(bare.listen, told.listen);
}

/// What `docs/channels` says.
fn operators_pages() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/channels");
    let pages = std::fs::read_dir(folder).expect("the pages");
    let text = |page: std::io::Result<std::fs::DirEntry>| {
        std::fs::read_to_string(page.expect("a page").path()).expect("text")
    };
    pages.map(text).collect()
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
    let mut unexplained: Vec<String> = Vec::new();
    let pages = operators_pages();
    for problem in read(&asking).problems {
        if problem.code == "config::no-effect" {
            continue;
        }
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
            // What only one provider has is explained on its operator's page; a table has a header.
            let elsewhere = pages.contains(&format!("`{key}`"))
                || pages.contains(&format!("`{key} ="))
                || text.contains(&format!("[channel.{key}]"))
                || SAMPLE.contains(&format!(" {key} = "));
            if !elsewhere && !sections.iter().any(|section| explains(&section)) {
                unexplained.push(format!("{name} {key}"));
            }
        }
    }
    assert_eq!(unexplained, Vec::<String>::new());
    assert_eq!(
        asked,
        sections.len() - 1,
        "one for each section, none for the text before them"
    );
}

fn gateway(more: &str) -> String {
    format!(
        "[[channel]]\nid = \"a\"\nkind = \"sms\"\nprovider = \"http\"\nwebhook_token = \"env:API_TOKEN\"\n{more}"
    )
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
        ("[store]\nurl = \"data.db\"".into(), "config::store", "data.db", "sqlite:"),
        ("[store]\nurl = \"mysql://a\"".into(), "config::store", "mysql", "redis://"),
        ("[store]\nurl = \"valkey://a\"".into(), "config::store", "valkey", "redis://"),
        ("[store]\nurl = \"redis://:6379\"".into(), "config::store", ":6379", "127.0.0.1:6379"),
        ("[store]\nurl = \"redis://a:port\"".into(), "config::store", "port", "65535"),
        ("[store]\nurl = \"redis+sentinel://a:1\"".into(), "config::store", "a:1", "mymaster"),
        ("[store]\nurl = \"redis+cluster://a:1/2\"".into(), "config::store", "2", "leave"),
        ("[store]\nurl = \"env:NOWHERE\"".into(), "config::secret", "\"env:NOWHERE\"", "export NOWHERE"),
        ("[store]\nurl = \"env:NO_STORE\"".into(), "config::store", "\"env:NO_STORE\"", "65535"),
        ("[store]\nurl = \"redis://a\"\nprefix = \"{a}\"".into(), "config::prefix", "\"{a}\"", "ln"),
        ("[store]\nurl = \"redis://a\"\npartitions = 0".into(), "toml::bad-value", "0", ""),
        ("[store]\nurl = \"redis://a\"\ntimeout = \"1h\"".into(), "config::range", "\"1h\"", "1m"),
        ("[store]\nurl = \"rediss://a\"\nca = \"no.pem\"".into(), "config::ca", "\"no.pem\"", "PEM"),
        ("[store]\nurl = \"redis://a\"\npartition = 3".into(), "toml::unknown-key", "partition", "`partitions`"),
        ("[limits]\nbody = \"4MB\"".into(), "config::size", "\"4MB\"", "4MiB"),
        ("[limits]\nlease = \"10\"".into(), "config::duration", "\"10\"", "60s"),
        ("[limits]\nlease = \"0s\"".into(), "config::range", "\"0s\"", ""),
        ("[limits]\ninbox = 0".into(), "toml::bad-value", "0", ""),
        ("[limits]\nflood = { mesages = 3 }".into(), "toml::unknown-key", "mesages", "`messages`"),
        ("[retries]\nreplies = [\"1s\", 2]".into(), "toml::wrong-type", "2", ""),
        ("[log]\nformat = \"jsn\"".into(), "toml::bad-value", "\"jsn\"", "json"),
        ("[api]\n".into(), "config::missing-key", "api", "env:NAME"),
        ("[api]\ntoken = \"env:SHORT\"".into(), "config::api-token", "\"env:SHORT\"", "openssl rand"),
        ("[api]\ntoken = [\"env:API_TOKEN\", \"env:NOWHERE\"]".into(), "config::secret", "\"env:NOWHERE\"", "export"),
        (channel("quotas = 3"), "toml::wrong-type", "3", ""),
        (channel("quotas = \"on\""), "config::quota", "\"on\"", "limit = 1"),
        (channel("quotas = { page = \"of\" }"), "config::quota", "\"of\"", "limit = 1"),
        (channel("quotas = { page = 20 }"), "toml::wrong-type", "20", ""),
        (channel("quotas = { page = { limit = 0 } }"), "toml::bad-value", "0", ""),
        (channel("quotas = { page = { limt = 2 } }"), "toml::unknown-key", "limt", "`limit`"),
        (channel("quotas = { page = { per = \"1ms\" } }"), "config::range", "\"1ms\"", "10ms"),
        ("server = 1".into(), "toml::wrong-type", "1", ""),
        ("[server\nlisten = \"127.0.0.1:1\"".into(), "toml::syntax", "", ""),
        ("[[channel]]\nid = \"Page\"\nkind = \"webchat\"".into(), "config::id", "\"Page\"", ""),
        ("[[channel]]\nid = \"a\"\nkind = \"sms\"\nprovider = \"esm\"".into(), "config::sms-provider", "\"esm\"", "\"esms\""),
        (gateway("[channel.send]\nurl = \"https://a.vn/{{ recipient }}\""), "config::template", "\"https://a.vn/{{ recipient }}\"", "international"),
        (gateway("[channel.send]\nurl = \"https://a.vn\"\nbody = \"{{ text | tojsn }}\""), "config::template", "\"{{ text | tojsn }}\"", "international"),
        (gateway("[channel.send]\nurl = \"https://a.vn\"\nheaders = [\"Bearer\"]"), "config::header", "\"Bearer\"", "Authorization"),
        (gateway("[channel.send]\nurl = \"https://a.vn\"\ntaken = [\"0\"]"), "config::answer", "taken", "code = "),
        (gateway("[channel.send]\nurl = \"https://a.vn\"\ncode = \"code\""), "config::pointer", "\"code\"", "\"/code\""),
        (gateway("[channel.send]\nurl = \"https://a.vn\"\ntaken_pattern = \"(\""), "config::pattern", "\"(\"", "regex"),
        (gateway("[channel.send]\nurl = \"https://a.vn\"\n[channel.receive]\nfrom = \"sender\"\ntext = \"form:t\""), "config::field", "\"sender\"", "query:NAME"),
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
    assert_eq!(config.store, StoreConfig::Sqlite("/srv/db/a.db".into()));
    assert_eq!(config.flows, Path::new("/etc/flows"));
    assert_eq!(config.locales, Path::new("/srv/locales"));
}

/// A configuration with a `[store]` of these lines.
fn with_store(lines: &str) -> Read {
    read(&format!(
        "[store]\n{lines}\n[[channel]]\nid = \"web\"\nkind = \"webchat\"\n"
    ))
}

#[test]
fn a_store_is_read_with_all_its_keys() {
    let read = with_store(
        "url = \"redis+cluster://a:7000,b:7001\"\npartitions = 16\nprefix = \"x:\"\ntimeout = \"500ms\"\nrequire_durable = true\nwait_aof = true\nwait_replicas = 1",
    );
    assert_eq!(read.problems, []);
    let StoreConfig::Redis(redis) = read.config.expect("good").store else {
        panic!("on Redis");
    };
    let StoreAddress::Redis(address) =
        StoreAddress::parse("redis+cluster://a:7000,b:7001").expect("good")
    else {
        panic!("on Redis");
    };
    let expected = RedisConfig {
        partitions: 16,
        prefix: "x:".to_owned(),
        timeout: std::time::Duration::from_millis(500),
        require_durable: true,
        wait_aof: true,
        wait_replicas: 1,
        ..RedisConfig::new(address)
    };
    assert_eq!(*redis, expected);
}

#[test]
fn keys_that_have_no_effect_are_told() {
    let told = |lines: &str| {
        let read = with_store(lines);
        assert!(read.config.is_some(), "{:#?}", read.problems);
        let underlined: Vec<_> = read
            .problems
            .iter()
            .map(|problem| underlined(problem).to_owned())
            .collect();
        assert!(
            read.problems
                .iter()
                .all(|problem| problem.code == "config::no-effect")
        );
        underlined
    };
    assert_eq!(
        told("url = \"sqlite:a.db\"\nprefix = \"ln\"\nwait_aof = true"),
        ["prefix", "wait_aof"]
    );
    assert_eq!(told("partitions = 64"), ["partitions"]);
    assert_eq!(told("url = \"redis://a\"\nca = \"ca.pem\""), ["\"ca.pem\""]);
    assert_eq!(
        told("url = \"redis://a\"\n[limits]\ndedup_memory = \"32MiB\""),
        ["dedup_memory"]
    );
    assert_eq!(
        told("url = \"sqlite:a.db\"\n[limits]\ndedup_memory = \"32MiB\""),
        Vec::<String>::new()
    );
}

#[test]
fn the_stores_password_is_never_shown() {
    let good = with_store("url = \"redis://ln:hunter2@cache\"");
    assert_eq!(good.problems.len(), 1);
    assert_eq!(good.problems[0].severity, Severity::Warning);
    assert_eq!(underlined(&good.problems[0]), "*******");
    assert!(
        good.problems[0]
            .help
            .as_deref()
            .unwrap_or_default()
            .contains("env:NAME")
    );
    let secret = with_store("url = \"env:STORE\"");
    assert_eq!(secret.problems, []);
    let wrong = [
        with_store("url = \"redis://ln:hunter2@cache:port\""),
        with_store("url = \"redis://ln:hunter2/@cache\""),
        with_store("url = \"redis:ln:hunter2@cache\""),
        with_store("url = \"env:NO_STORE\""),
    ];
    for read in &wrong {
        assert!(read.config.is_none());
        assert_eq!(read.problems.len(), 1, "{:#?}", read.problems);
    }
    for read in wrong.iter().chain([&good, &secret]) {
        let shown = format!("{:?}", (&read.problems, &read.config, &read.partial));
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
