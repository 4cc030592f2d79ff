//! What is told about files that are not right: the code, the text underlined, a hint.

use crate::citizen::{files, load, settings, told};
use langnghe_flow::Library;
use langnghe_model::{BackendId, problem::Source};

/// A good flow with `more` at its end.
fn flow(more: &str) -> String {
    format!(
        r#"id = "t"
title = "T"
[[question]]
id = "loai"
kind = "choice"
ask = "Loại?"
choices = [{{ id = "duong", label = "Đường" }}, {{ id = "rac", label = "Rác" }}]
{more}"#
    )
}

/// Expects one problem with this code, this text underlined, and a hint that holds `hint`.
fn finds(text: &str, code: &str, under: &str, hint: &str) {
    let loaded = load(&[text], "t");
    let problems = told(&loaded);
    let [problem] = problems.as_slice() else {
        panic!("one problem expected in {text}: {problems:#?}")
    };
    let mut parts = problem.split(" | ");
    assert_eq!(parts.next(), Some(code), "{problem}");
    let underlined = parts.next().unwrap_or_default();
    assert_eq!(underlined, under, "{problem}");
    assert!(problem.contains(hint), "{problem} has no {hint:?}");
}

#[test]
fn a_good_flow_has_no_problems() {
    let loaded = load(&[&flow("")], "t");
    assert!(
        loaded.problems.is_empty() && loaded.library.is_some(),
        "{:?}",
        told(&loaded)
    );
}

#[test]
fn keys_and_values() {
    let question = |body: &str| flow(&format!("[[question]]\nid = \"q\"\nask = \"Q?\"\n{body}"));
    finds("id = \"t\"\ntitle = ", "toml::syntax", "", "not TOML");
    finds(
        &flow("[review]\nshow = 1"),
        "toml::unknown-key",
        "show",
        "its keys are",
    );
    finds(
        &question("kind = \"text\"\noptinal = true"),
        "toml::unknown-key",
        "optinal",
        "did you mean `optional`",
    );
    finds(
        &question("kind = \"txt\""),
        "toml::bad-value",
        "\"txt\"",
        "did you mean `text`",
    );
    finds(
        &question("kind = \"text\"\nmin = \"5\""),
        "toml::wrong-type",
        "\"5\"",
        "a whole number",
    );
    finds(
        &question("kind = \"text\"\nreminder = \"soon\""),
        "toml::bad-value",
        "\"soon\"",
        "",
    );
    finds(
        &flow("[[question]]\nid = \"q\"\nkind = \"text\""),
        "toml::missing-key",
        "[[question]]",
        "`ask`",
    );
    finds(
        &question("kind = \"number\"\nmin = 5\nmax = 1"),
        "flow::impossible",
        "5",
        "more than",
    );
    finds(
        &question("kind = \"date\"\nmin = \"soon\""),
        "toml::bad-value",
        "\"soon\"",
        "",
    );
    finds(
        &question("kind = \"media\"\naccept = [\"imge\"]"),
        "toml::bad-value",
        "\"imge\"",
        "`image`",
    );
    finds(
        &question("kind = \"choice\"\nchoices = []"),
        "flow::no-choices",
        "kind",
        "choices",
    );
    finds(
        &question("kind = \"consent\"\noptional = true"),
        "flow::optional",
        "true",
        "",
    );
    finds(
        &flow("[ticket]\nnearby = { radius_m = 60 }"),
        "flow::not-yet",
        "nearby",
        "",
    );
}

#[test]
fn ids() {
    let question = |id: &str| {
        flow(&format!(
            "[[question]]\nid = \"{id}\"\nkind = \"text\"\nask = \"Q?\""
        ))
    };
    finds(
        &question("loai"),
        "flow::duplicate-id",
        "\"loai\"",
        "own id",
    );
    finds(&question("địa chỉ"), "flow::bad-id", "\"địa chỉ\"", "ASCII");
    let twice = flow("").replace("\"rac\"", "\"duong\"");
    finds(&twice, "flow::duplicate-id", "\"duong\"", "twice");
    let same = flow("").replace("\"Rác\"", "\"DUONG\"");
    finds(&same, "flow::same-label", "\"DUONG\"", "diacritics");
    let one = flow("");
    let loaded = load(&[&one, &one], "t");
    assert!(
        told(&loaded)
            .iter()
            .any(|line| line.starts_with("flow::duplicate-id | \"t\""))
    );
    assert!(loaded.library.is_none());
}

#[test]
fn conditions() {
    let when = |when: &str| {
        flow(&format!(
            "[[question]]\nid = \"q\"\nkind = \"text\"\nask = \"Q?\"\nwhen = '{when}'"
        ))
    };
    finds(
        &when("loia == \"rac\""),
        "flow::when-unknown-name",
        "loia",
        "did you mean `loai`",
    );
    finds(
        &when("has(q)"),
        "flow::when-later",
        "q",
        "earlier answers only",
    );
    finds(
        &when("loai == \"rca\""),
        "flow::when-unknown-choice",
        "\"rca\"",
        "did you mean `rac`",
    );
    finds(
        &when("loai in [\"rac\", \"duogn\"]"),
        "flow::when-unknown-choice",
        "\"duogn\"",
        "`duong`",
    );
    finds(
        &when("loai == 1"),
        "flow::when-type",
        "==",
        "never compared",
    );
    finds(&when("loai"), "flow::when-type", "loai", "has(");
    finds(
        &when("loai.contain(\"r\")"),
        "flow::when-function",
        "contain",
        "did you mean `contains`",
    );
    finds(
        &when("true"),
        "flow::when-constant",
        "'true'",
        "always the same",
    );
    // The place is right after letters of more than one byte, too.
    finds(
        &when("loai == \"rac\" \\&\\& \"ổ gà\" == mota").replace('\\', ""),
        "flow::when-unknown-name",
        "mota",
        "",
    );
    finds(&when("\"ổ gà\" == loai)"), "flow::when-syntax", ")", "");
    let loaded = load(&[&when("loai == ")], "t");
    assert!(
        told(&loaded)[0].starts_with("flow::when-syntax"),
        "{:?}",
        told(&loaded)
    );
}

#[test]
fn triggers() {
    let triggers = |body: &str| {
        flow("").replace(
            "title = \"T\"",
            &format!("title = \"T\"\n[triggers]\n{body}"),
        )
    };
    finds(
        &triggers("patterns = ['^x (?<loia>.+)']"),
        "flow::unknown-group",
        "loia",
        "`loai`",
    );
    finds(
        &triggers("patterns = ['^x (']"),
        "flow::pattern",
        "'^x ('",
        "regular expression",
    );
    finds(
        &triggers("patterns = ['(\\pL{1000}){1000}']"),
        "flow::pattern",
        "'(\\pL{1000}){1000}'",
        "bytes",
    );
    finds(
        &triggers("patterns = ['x*']"),
        "flow::pattern",
        "'x*'",
        "every message",
    );
    finds(
        &triggers("contents = [\"imge\"]"),
        "toml::bad-value",
        "\"imge\"",
        "`image`",
    );
    finds(
        &triggers("contents = [\"image\"]"),
        "flow::trigger-unused",
        "\"image\"",
        "no question",
    );
    finds(
        &triggers("phrases = [\"Hủy bỏ\"]"),
        "flow::trigger-hidden",
        "\"Hủy bỏ\"",
        "key word",
    );
    let one = triggers("phrases = [\"Báo sự cố\"]");
    let two = triggers("phrases = [\"bao su co\"]").replace("id = \"t\"", "id = \"u\"");
    let problems = told(&load(&[&one, &two], "t"));
    assert!(
        problems
            .iter()
            .any(|line| line.starts_with("flow::trigger-taken | \"bao su co\"")),
        "{problems:?}"
    );
    let lonely = flow("").replace("id = \"t\"", "id = \"u\"");
    let problems = told(&load(&[&flow(""), &lonely], "t"));
    assert!(
        problems[0].starts_with("flow::unreachable | \"u\""),
        "{problems:?}"
    );
}

#[test]
fn tickets_and_places() {
    finds(
        &flow("[ticket]\nservice = \"x-{loia}\""),
        "flow::unknown-place",
        "{loia}",
        "`loai`",
    );
    let name = "[[question]]\nid = \"ten\"\nkind = \"text\"\nask = \"Tên?\"\n";
    finds(
        &flow(&format!("{name}[ticket]\nservice = \"{{ten}}\"")),
        "flow::service",
        "{ten}",
        "",
    );
    let ask = "[[question]]\nid = \"q\"\nkind = \"say\"\nask = \"Gọi {hotlin}, nhé\"";
    finds(&flow(ask), "flow::unknown-place", "{hotlin}", "`hotline`");
    let mut known = settings("t");
    known.backends = Some(vec![BackendId::new("ioc").expect("a good id")]);
    let source = Source::new("t.toml", flow("[ticket]\nbackend = \"oic\""));
    let loaded = Library::load(&[source], &[], known);
    let problems = told(&loaded);
    assert!(
        problems[0].starts_with("flow::unknown-backend | \"oic\""),
        "{problems:?}"
    );
    assert!(problems[0].contains("`ioc`"), "{problems:?}");
}

#[test]
fn menus_and_the_start() {
    let menu = |target: &str| {
        format!(
            "id = \"m\"\nkind = \"menu\"\ntitle = \"M\"\n[[question]]\nid = \"q\"\nkind = \"choice\"\nask = \"?\"\nchoices = [{{ id = \"a\", label = \"A\"{target} }}]"
        )
    };
    let loaded = load(
        &[
            &menu(", flow = \"tt\""),
            &flow("[triggers]\nphrases = [\"x\"]"),
        ],
        "m",
    );
    assert!(
        told(&loaded)[0].starts_with("flow::unknown-flow | \"tt\""),
        "{:?}",
        told(&loaded)
    );
    assert!(told(&loaded)[0].contains("`t`"));
    let problems = told(&load(&[&menu("")], "m"));
    assert!(problems[0].starts_with("flow::no-target"), "{problems:?}");
    let problems = told(&load(&[&menu(", word = \"persn\"")], "m"));
    assert!(
        problems[0].contains("did you mean `person`"),
        "{problems:?}"
    );
    let problems = told(&load(&[&flow("")], "mneu"));
    assert!(
        problems
            .iter()
            .any(|line| line.starts_with("flow::no-start")),
        "{problems:?}"
    );
}

#[test]
fn locale_files() {
    let source = Source::new("flows/t.toml", flow(""));
    let check = |path: &str, text: &str| {
        let locale = Source::new(path, text);
        told(&Library::load(
            std::slice::from_ref(&source),
            &[locale],
            settings("t"),
        ))
    };
    let good = "flow = T\nloai = Kind?\n    .choice-duong = Road\n    .choice-rac = Waste\n";
    assert_eq!(check("locales/en/t.ftl", good), Vec::<String>::new());
    for (path, text, expected) in [
        (
            "locales/en/t.ftl",
            format!("{good}bad line\n"),
            "fluent::syntax | bad line",
        ),
        (
            "locales/en/t.ftl",
            format!("{good}lao = X\n"),
            "fluent::unknown-message | lao",
        ),
        (
            "locales/en/t.ftl",
            good.replace("Kind?", "Kind { $hotlin }?"),
            "fluent::unknown-place | hotlin",
        ),
        (
            "locales/en/t.ftl",
            "flow = T\n".to_owned(),
            "fluent::missing-translation | ",
        ),
        (
            "locales/en/t.ftl",
            format!("{good}flow = U\n"),
            "fluent::duplicate | flow",
        ),
        (
            "locales/en/tt.ftl",
            good.to_owned(),
            "locale::unknown-flow | ",
        ),
        ("locales/e n/t.ftl", good.to_owned(), "locale::language | "),
    ] {
        let problems = check(path, &text);
        assert!(
            problems.iter().any(|line| line.starts_with(expected)),
            "{expected}: {problems:#?}"
        );
    }
    let system = check(
        "locales/en/system.ftl",
        "skp = Skip\nretry-rating = { $mx }\n",
    );
    assert!(
        system.iter().any(
            |line| line.starts_with("fluent::unknown-message | skp") && line.contains("`skip`")
        )
    );
    assert!(
        system
            .iter()
            .any(|line| line.starts_with("fluent::unknown-place | mx") && line.contains("`max`"))
    );
    assert!(
        system
            .iter()
            .any(|line| line.starts_with("fluent::missing-translation"))
    );
}

#[test]
fn all_problems_of_all_files_are_told_in_one_run_in_their_order() {
    let one =
        flow("[[question]]\nid = \"loai\"\nkind = \"txt\"\nask = \"\"\nwhen = 'x == 1'\n[tickt]");
    let two = "id = \"U\"\n";
    let loaded = load(&[&one, two], "t");
    assert!(loaded.library.is_none());
    let codes: Vec<String> = told(&loaded)
        .iter()
        .map(|line| line.split(" | ").next().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        codes,
        [
            "flow::duplicate-id",
            "toml::bad-value",
            "toml::bad-value",
            "flow::when-unknown-name",
            "toml::unknown-key",
            "toml::missing-key",
            "flow::no-question",
            "flow::bad-id",
            "flow::unreachable",
        ],
        "{:#?}",
        told(&loaded)
    );
}

#[test]
fn the_projects_own_files_check_without_a_word() {
    let loaded = Library::load(
        &files("flows", "toml"),
        &files("locales", "ftl"),
        settings("menu"),
    );
    assert_eq!(told(&loaded), Vec::<String>::new());
}
