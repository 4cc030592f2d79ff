//! The program as its users call it: what it prints, and its exit code.

use std::{
    fs,
    io::Write as _,
    net::TcpListener,
    path::Path,
    process::{Command, Output, Stdio},
};

use tempfile::TempDir;

/// A folder with the ready-made flows and a configuration.
fn folder(config: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let ready_made = format!(
        "[flows]\npath = \"{0}/flows\"\n[locales]\npath = \"{0}/locales\"\n",
        root.display()
    );
    let config = if config.contains("[flows]") {
        config.to_owned()
    } else {
        ready_made + config
    };
    fs::write(folder.path().join("langnghe.toml"), config).expect("written");
    folder
}

const WEB: &str = "[[channel]]\nid = \"web\"\nkind = \"webchat\"\n[[backend]]\nid = \"ioc\"\nkind = \"webhook\"\nurl = \"https://agency.example.vn/\"\nsecret = \"env:SECRET\"\n";

fn langnghe(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_langnghe"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("SECRET", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let mut stdin = child.stdin.take().expect("piped");
    // A program that has ended already does not read.
    drop(stdin.write_all(input.as_bytes()));
    drop(stdin);
    child.wait_with_output().expect("the program ends")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// Every piece is in what the program said about its failure.
#[track_caller]
fn assert_fails(output: &Output, code: i32, pieces: &[&str]) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    for piece in pieces {
        assert!(said.contains(piece), "no {piece:?} in:\n{said}");
    }
    assert!(
        !said.contains('\u{1b}'),
        "colours although this is no terminal"
    );
}

#[test]
fn wrong_usage_is_2() {
    let folder = folder(WEB);
    for arguments in [
        &["dance"][..],
        &["tickets"],
        &["serve", "--port", "1"],
        &["dead", "retry", "seven"],
        &["dead", "enable", "NOT AN ID"],
        &["store", "copy"],
        &[
            "store",
            "copy",
            "--from",
            "sqlite:a.db",
            "--to",
            "mysql://a",
        ],
        &[
            "store",
            "copy",
            "--from",
            "sqlite:a.db",
            "--to",
            "env:NOWHERE",
        ],
        &[
            "store",
            "copy",
            "--from",
            "sqlite:a.db",
            "--to",
            "sqlite:./a.db",
        ],
    ] {
        let output = langnghe(folder.path(), arguments, "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn completions_know_the_commands() {
    let folder = folder(WEB);
    for shell in ["bash", "zsh", "fish"] {
        let output = langnghe(folder.path(), &["completions", shell], "");
        assert!(output.status.success());
        let script = text(&output.stdout);
        for command in ["demo", "serve", "check", "chat", "tickets", "dead", "store"] {
            assert!(script.contains(command), "{shell} {command}");
        }
    }
}

#[test]
fn check_shows_every_mistake_of_a_configuration_where_it_stands() {
    let folder = folder(
        "[server]\nlisen = \"127.0.0.1:1\"\n[limits]\nbody = \"4MB\"\n[[channel]]\nid = \"page\"\nkind = \"fax\"\n",
    );
    let output = langnghe(folder.path(), &["check", "--config", "langnghe.toml"], "");
    let pieces = [
        "langnghe.toml:6:1",
        "lisen = \"127.0.0.1:1\"",
        "──┬──",
        "did you mean `listen`?",
        "body = \"4MB\"",
        "4MiB",
        "kind = \"fax\"",
        "this version has messenger",
    ];
    assert_fails(&output, 1, &pieces);
}

#[test]
fn a_mistake_in_a_backend_is_not_blamed_on_the_flow_that_names_it() {
    let folder = folder(&format!(
        "{WEB}\n[[backend]]\nid = \"ioc\"\nkind = \"webhook\"\nurl = \"https://ioc.example.vn/\"\nsecret = \"env:NOT_SET_HERE\"\n"
    ));
    fs::create_dir_all(folder.path().join("flows")).expect("made");
    let flow = "id = \"den\"\nversion = 1\ntitle = \"Đèn\"\nlanguage = \"vi\"\ntriggers = { phrases = [\"den\"] }\n[[question]]\nid = \"mo_ta\"\nask = \"Đèn nào ạ?\"\nkind = \"text\"\n[ticket]\nbackend = \"ioc\"\n";
    fs::write(folder.path().join("flows/den.toml"), flow).expect("written");
    let output = langnghe(folder.path(), &["check", "--config", "langnghe.toml"], "");
    assert_fails(&output, 1, &["NOT_SET_HERE"]);
    let shown = text(&output.stderr);
    assert!(!shown.contains("no backend"), "{shown}");
}

#[test]
fn a_configuration_that_is_not_there_is_told_with_a_way_out() {
    let folder = tempfile::tempdir().expect("a folder");
    for arguments in [
        &["serve", "--config", "no.toml"][..],
        &["check", "--config", "no.toml"],
    ] {
        let output = langnghe(folder.path(), arguments, "");
        assert_fails(
            &output,
            1,
            &["no.toml", "config/langnghe.toml", "langnghe demo"],
        );
    }
    let output = langnghe(folder.path(), &["tickets", "list"], "");
    assert_fails(&output, 1, &["langnghe.toml", "--config"]);
}

#[test]
fn a_port_in_use_is_told_and_nothing_is_written() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its address").port();
    let folder = folder(&format!("[server]\nlisten = \"127.0.0.1:{port}\"\n{WEB}"));
    let output = langnghe(folder.path(), &["serve", "--config", "langnghe.toml"], "");
    assert_fails(
        &output,
        1,
        &[&port.to_string(), "another program", "listen"],
    );
    assert!(!folder.path().join("data").exists());

    let output = langnghe(folder.path(), &["demo", "--port", &port.to_string()], "");
    assert_fails(&output, 1, &[&port.to_string(), "--port"]);
    assert!(!folder.path().join("langnghe-demo").exists());
}

#[test]
fn a_folder_that_cannot_be_written_is_told() {
    // A file where the folder should be: permissions do not stop tests that run as root.
    let folder = folder(&format!("[server]\nlisten = \"127.0.0.1:0\"\n{WEB}"));
    fs::write(folder.path().join("data"), "a file").expect("written");
    let output = langnghe(folder.path(), &["serve", "--config", "langnghe.toml"], "");
    assert_fails(&output, 1, &["data", "write"]);

    let output = langnghe(
        folder.path(),
        &["demo", "--port", "0", "--data", "data"],
        "",
    );
    assert_fails(&output, 1, &["data"]);
    assert_eq!(
        fs::read_to_string(folder.path().join("data")).expect("untouched"),
        "a file"
    );
}

#[test]
fn a_database_from_a_newer_version_is_refused_and_left_alone() {
    let folder = folder(&format!("[server]\nlisten = \"127.0.0.1:0\"\n{WEB}"));
    fs::create_dir(folder.path().join("data")).expect("made");
    let database = folder.path().join("data/langnghe.db");
    let connection = rusqlite::Connection::open(&database).expect("opened");
    connection
        .pragma_update(None, "user_version", 9999)
        .expect("set");
    drop(connection);
    for arguments in [
        &["serve", "--config", "langnghe.toml"][..],
        &["tickets", "list"],
        &["dead", "list"],
    ] {
        let output = langnghe(folder.path(), arguments, "");
        assert_fails(&output, 1, &["9999", "newer"]);
    }
    let connection = rusqlite::Connection::open(&database).expect("opened");
    let version: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .expect("there");
    assert_eq!(version, 9999);
}

#[test]
fn check_shows_every_mistake_of_a_flow_where_it_stands() {
    let folder = folder(&format!("[flows]\npath = \"flows\"\nstart = \"a\"\n{WEB}"));
    fs::create_dir(folder.path().join("flows")).expect("made");
    let flow = r#"
id = "a"
version = 1
title = "Phản ánh"
language = "vi"
triggers = { phrases = ["phan anh"] }

[[question]]
id = "loai"
ask = "Anh/chị muốn phản ánh việc gì?"
kind = "chioce"

[[question]]
id = "so"
ask = "Bao nhiêu?"
kind = "number"
minn = 1
when = 'laoi == "x"'
"#;
    fs::write(folder.path().join("flows/a.toml"), flow).expect("written");
    let output = langnghe(folder.path(), &["check", "--config", "langnghe.toml"], "");
    let pieces = [
        "a.toml:",
        "kind = \"chioce\"",
        "`choice`",
        "minn = 1",
        "`min`",
        "laoi",
    ];
    assert_fails(&output, 1, &pieces);

    let output = langnghe(folder.path(), &["serve", "--config", "langnghe.toml"], "");
    assert_fails(&output, 1, &pieces);
    assert!(
        !folder.path().join("data").exists(),
        "nothing is written before the flows are good"
    );
}

#[test]
fn a_copy_without_a_source_makes_no_target() {
    let folder = folder(WEB);
    let arguments = [
        "store",
        "copy",
        "--from",
        "sqlite:no.db",
        "--to",
        "sqlite:new.db",
    ];
    assert_fails(&langnghe(folder.path(), &arguments, ""), 1, &["no.db"]);
    let arguments = [
        "store",
        "copy",
        "--from",
        "redis://ln:hunter2@127.0.0.1:1",
        "--to",
        "sqlite:new.db",
    ];
    let output = langnghe(folder.path(), &arguments, "");
    assert_fails(&output, 1, &["127.0.0.1:1", "***"]);
    assert!(!text(&output.stderr).contains("hunter2"));
    assert!(!folder.path().join("new.db").exists());
}

#[test]
fn a_database_is_copied_and_a_second_time_refused() {
    let folder = folder(WEB);
    let database = folder.path().join("data/langnghe.db");
    let limits = langnghe_store::Limits::default();
    let made =
        langnghe_store::SqliteStore::open(&database, limits, langnghe_store::OpenMode::Serve);
    drop(made.expect("made"));
    // What the configuration says, or an address.
    let arguments = [
        "store",
        "copy",
        "--from",
        "config:langnghe.toml",
        "--to",
        "sqlite:new/copy.db",
    ];
    let output = langnghe(folder.path(), &arguments, "");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(
        said.contains("data/langnghe.db") && said.contains("0 tickets"),
        "{said}"
    );
    let connection = rusqlite::Connection::open(folder.path().join("new/copy.db")).expect("opened");
    connection
        .execute("INSERT INTO documents (name, body) VALUES ('a', x'00')", [])
        .expect("written");
    drop(connection);
    let output = langnghe(folder.path(), &arguments, "");
    assert_fails(&output, 1, &["not empty", "1 documents"]);
}

#[test]
fn the_ready_made_flows_are_good() {
    let folder = folder(WEB);
    let output = langnghe(folder.path(), &["check", "--config", "langnghe.toml"], "");
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(
        text(&output.stdout).ends_with("good\n"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn a_conversation_can_be_piped_in_and_ends_in_a_ticket() {
    let folder = tempfile::tempdir().expect("a folder");
    let conversation = "ổ gà to giữa đường gây nguy hiểm\n\
                        /location 10.0452,105.7469\n\
                        0\n\
                        Nguyễn Văn A\n\
                        0912345678\n\
                        1\n\
                        đồng ý\n\
                        gửi\n";
    let output = langnghe(
        folder.path(),
        &["chat", "--flow", "hien-truong"],
        conversation,
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    let (talk, json) = said.split_at(said.find("\n{").expect("a ticket at the end"));
    let ticket: serde_json::Value = serde_json::from_str(json).expect("one JSON object");
    assert_eq!(ticket["flow"], "hien-truong");
    assert!(
        talk.contains(ticket["code"].as_str().expect("a code")),
        "the citizen was told the code"
    );
    let answers = ticket["answers"].as_array().expect("answers");
    let answer = |question: &str| {
        answers
            .iter()
            .find(|answer| answer["question"] == question)
            .expect("answered")
    };
    assert_eq!(answer("vi_tri")["value"]["latitude"], 10.0452);
    assert_eq!(answer("dien_thoai")["value"], "+84912345678");
    assert_eq!(answer("dien_thoai")["personal"], true);
}

#[test]
fn a_photo_opens_a_conversation_and_is_not_asked_for_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let jpeg = [0xff, 0xd8, 0xff, 0xe0, 0, 0x10, b'J', b'F', b'I', b'F', 0];
    fs::write(folder.path().join("a.jpg"), jpeg).expect("written");
    let conversation = "/photo a.jpg\n\
                        cây đổ chắn ngang đường\n\
                        trước số 12 Nguyễn Trãi, phường Cái Khế\n\
                        bỏ qua\n\
                        bỏ qua\n\
                        không\n\
                        đồng ý\n\
                        gửi\n";
    let output = langnghe(folder.path(), &["chat"], conversation);
    let said = text(&output.stdout);
    let json = &said[said
        .find("\n{")
        .unwrap_or_else(|| panic!("no ticket:\n{said}"))..];
    let ticket: serde_json::Value = serde_json::from_str(json).expect("one JSON object");
    let answers = ticket["answers"].as_array().expect("answers");
    let media = answers
        .iter()
        .find(|answer| answer["question"] == "anh")
        .expect("the photo");
    assert_eq!(media["media"][0]["content_type"], "image/jpeg");
}

#[test]
fn a_piped_conversation_that_goes_wrong_says_where() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = langnghe(folder.path(), &["chat"], "/photo nowhere.jpg\n");
    assert_fails(&output, 1, &["nowhere.jpg"]);
    let output = langnghe(folder.path(), &["chat", "--flow", "nowhere"], "xin chào\n");
    assert_fails(&output, 1, &["nowhere"]);
}

#[test]
fn channels_are_listed_checked_and_asked_for_by_their_ids() {
    let folder = folder(WEB);
    let listed = langnghe(folder.path(), &["channel", "list"], "");
    let said = text(&listed.stdout);
    assert!(listed.status.success(), "{}", text(&listed.stderr));
    assert!(said.starts_with("web\twebchat\thttp://"), "{said}");
    let checked = langnghe(folder.path(), &["channel", "check"], "");
    assert!(checked.status.success(), "{}", text(&checked.stderr));
    assert_eq!(
        text(&checked.stdout),
        "web (webchat): nothing to ask a provider\n"
    );
    let output = langnghe(folder.path(), &["channel", "check", "oa"], "");
    assert_fails(&output, 1, &["no channel `oa`", "its channels are: web"]);
    let output = langnghe(folder.path(), &["channel", "set-webhook", "web"], "");
    assert_fails(&output, 1, &["no webhook to set"]);
}

#[test]
fn an_account_that_was_never_authorised_is_told_what_to_run_before_anything_was_served() {
    let folder = folder(
        "[[channel]]\nid = \"oa\"\nkind = \"zalo\"\napp_id = \"123456789\"\napp_secret = \"env:SECRET\"\noa_secret = \"env:SECRET\"\n",
    );
    let output = langnghe(folder.path(), &["channel", "check", "oa"], "");
    assert_fails(&output, 1, &["not authorised", "langnghe zalo authorize"]);
}

#[test]
fn a_provider_that_is_away_is_a_finding_and_no_secret_is_shown() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("an address").port();
    drop(free);
    let folder = folder(&format!(
        "[[channel]]\nid = \"page\"\nkind = \"messenger\"\napp_secret = \"env:SECRET\"\nverify_token = \"env:SECRET\"\naccess_token = \"env:SECRET\"\napi_base = \"http://127.0.0.1:{port}\"\nallow_private = true\n"
    ));
    let output = langnghe(folder.path(), &["channel", "check", "page"], "");
    assert_fails(&output, 1, &["page: "]);
    let shown = text(&output.stdout) + &text(&output.stderr);
    assert!(shown.starts_with("page (messenger): "), "{shown}");
    assert!(!shown.contains("whsec_"), "{shown}");
}
