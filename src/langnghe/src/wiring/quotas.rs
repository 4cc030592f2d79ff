//! The limits that a channel keeps: those of its connector, as the configuration changes them.

use std::time::Duration;

use langnghe_connector::{QuotaRule, QuotaScope, QuotaUnit};
use langnghe_flow::reader::nearest;
use langnghe_model::Problem;

use crate::config::{ChannelConfig, Config, QuotaChange, QuotaTerms};

/// The limit that every channel can have, for which `replies_per_second` is the short form.
const REPLIES: &str = "replies";

/// What `channel` keeps, where `documented` are the limits of its provider.
pub(super) fn rules(
    config: &Config,
    channel: &ChannelConfig,
    documented: &[QuotaRule],
) -> Result<Vec<QuotaRule>, Vec<Problem>> {
    let known: Vec<&str> = documented.iter().map(|rule| rule.name).collect();
    let mut rules = if channel.quotas.off {
        Vec::new()
    } else {
        documented.to_vec()
    };
    if let Some(limit) = channel.replies_per_second {
        rules.push(replies(limit));
    }
    let mut problems = Vec::new();
    for change in &channel.quotas.each {
        let place = change.name.span.clone();
        let problem = |message: String, label: &str| {
            Problem::error("config::quota", message).at(&config.source, place.clone(), label)
        };
        let name = change.name.value.as_str();
        if name == REPLIES {
            if channel.replies_per_second.is_some() {
                let message =
                    "`replies_per_second` and the quota `replies` are the same".to_owned();
                problems.push(problem(message, "said twice").help("leave one of them out"));
            } else if let Some(terms) = &change.terms {
                match terms.limit {
                    Some(limit) => rules.push(changed(&replies(limit), terms)),
                    None => problems.push(
                        problem("the quota `replies` needs `limit`".to_owned(), "how many?")
                            .help("for example: { limit = 10, per = \"1s\" }"),
                    ),
                }
            }
        } else if known.contains(&name) {
            apply(&mut rules, change);
        } else {
            let message = format!("the channel `{}` has no quota `{name}`", channel.id);
            let all = [known.as_slice(), &[REPLIES]].concat();
            let help = match nearest(name, all.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("its quotas are: {}", all.join(", ")),
            };
            problems.push(problem(message, "not a quota here").help(help));
        }
    }
    if problems.is_empty() {
        Ok(rules)
    } else {
        Err(problems)
    }
}

/// At most so many replies a second, over the whole channel.
fn replies(limit: u32) -> QuotaRule {
    QuotaRule {
        name: REPLIES,
        scope: QuotaScope::Channel,
        unit: QuotaUnit::Messages,
        limit,
        per: Duration::from_secs(1),
        burst: 1,
    }
}

fn apply(rules: &mut Vec<QuotaRule>, change: &QuotaChange) {
    let Some(place) = rules.iter().position(|rule| rule.name == change.name.value) else {
        return;
    };
    match &change.terms {
        None => {
            rules.remove(place);
        }
        Some(terms) => rules[place] = changed(&rules[place], terms),
    }
}

fn changed(rule: &QuotaRule, terms: &QuotaTerms) -> QuotaRule {
    QuotaRule {
        limit: terms.limit.unwrap_or(rule.limit),
        per: terms.per.unwrap_or(rule.per),
        burst: terms.burst.unwrap_or(rule.burst),
        ..rule.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use langnghe_model::problem::Source;

    use super::*;
    use crate::config::{self, ProcessEnvironment};

    fn documented() -> Vec<QuotaRule> {
        let chat = QuotaRule {
            name: "chat",
            scope: QuotaScope::Recipient,
            ..replies(1)
        };
        let bulk = QuotaRule {
            name: "bulk",
            ..replies(30)
        };
        vec![bulk, chat]
    }

    /// The rules of a channel with these lines, as `name limit/milliseconds burst`; or what is
    /// underlined, and the help.
    fn resolved(lines: &str) -> Result<Vec<String>, Vec<(String, String)>> {
        let text = format!("[[channel]]\nid = \"web\"\nkind = \"webchat\"\n{lines}");
        let source = Source::new("langnghe.toml", text);
        let environment = ProcessEnvironment { secrets: true };
        let read = config::read(&source, Path::new("/srv"), &environment);
        assert_eq!(read.problems, [], "{lines}");
        let config = read.config.expect("good");
        let rules = rules(&config, &config.channels[0], &documented());
        let rules = rules.map(|rules| {
            let show = |rule: QuotaRule| {
                let per = rule.per.as_millis();
                format!("{} {}/{per} {}", rule.name, rule.limit, rule.burst)
            };
            rules.into_iter().map(show).collect()
        });
        rules.map_err(|problems| {
            let show = |problem: Problem| {
                let (span, _) = problem.label.expect("a place");
                let underlined = source.text[span].to_owned();
                (underlined, problem.help.unwrap_or_default())
            };
            problems.into_iter().map(show).collect()
        })
    }

    #[test]
    fn documented_limits_are_kept_unless_the_file_says_otherwise() {
        let good = |lines| resolved(lines).expect("good");
        assert_eq!(good(""), ["bulk 30/1000 1", "chat 1/1000 1"]);
        assert_eq!(good("quotas = \"off\""), Vec::<String>::new());
        assert_eq!(
            good("replies_per_second = 5\nquotas = \"off\""),
            ["replies 5/1000 1"]
        );
        assert_eq!(
            good("quotas = { chat = { burst = 3 }, bulk = \"off\" }"),
            ["chat 1/1000 3"]
        );
        assert_eq!(
            good("[channel.quotas]\nreplies = { limit = 90, per = \"1m\" }\nbulk = { limit = 20 }"),
            ["bulk 20/1000 1", "chat 1/1000 1", "replies 90/60000 1"]
        );
    }

    #[test]
    fn names_that_the_channel_has_not_are_underlined() {
        let wrong = |lines| resolved(lines).expect_err("wrong").remove(0);
        let (place, help) = wrong("quotas = { chatt = \"off\" }");
        assert_eq!(
            (place.as_str(), help.as_str()),
            ("chatt", "did you mean `chat`?")
        );
        let (place, help) = wrong("[channel.quotas]\nmonthly = { limit = 3 }");
        assert_eq!(place, "monthly");
        assert_eq!(help, "its quotas are: bulk, chat, replies");
        assert_eq!(
            wrong("quotas = { replies = { per = \"1s\" } }").0,
            "replies"
        );
        let both = wrong("replies_per_second = 3\nquotas = { replies = { limit = 4 } }");
        assert_eq!(both.0, "replies");
    }
}
