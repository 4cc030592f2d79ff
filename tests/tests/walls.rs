//! Who may know whom, and the house rules that no compiler checks.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What each crate may depend on, of our own. An edge that is not here does not exist.
const MODEL: &str = "langnghe-model";
const HTTP: &str = "langnghe-http";
const CONNECTOR: &str = "langnghe-connector";
const GRAPH: &str = "langnghe-graph";
const FLOW: &str = "langnghe-flow";
const STORE: &str = "langnghe-store";
const DESK: &str = "langnghe-desk";
const SERVER: &str = "langnghe-server";
const PROGRAM: &str = "langnghe";
const TESTS: &str = "langnghe-tests";
const XTASK: &str = "xtask";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the root")
        .to_path_buf()
}

/// A crate of ours: its name, its folder from the root, and its edges to others of ours.
struct Member {
    name: String,
    folder: String,
    edges: Vec<Edge>,
}

struct Edge {
    to: String,
    /// Only for its tests.
    development: bool,
}

fn members() -> Vec<Member> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    let ours: BTreeSet<String> = packages
        .iter()
        .map(|package| text(&package["name"]))
        .collect();
    let root = root();
    let folder = |manifest: &str| {
        let folder = Path::new(manifest).parent().expect("a folder");
        folder
            .strip_prefix(&root)
            .expect("in the repository")
            .to_string_lossy()
            .into_owned()
    };
    packages
        .iter()
        .map(|package| Member {
            name: text(&package["name"]),
            folder: folder(&text(&package["manifest_path"])),
            edges: package["dependencies"]
                .as_array()
                .expect("dependencies")
                .iter()
                .filter(|dependency| ours.contains(&text(&dependency["name"])))
                .map(|dependency| Edge {
                    to: text(&dependency["name"]),
                    development: dependency["kind"] == "dev",
                })
                .collect(),
        })
        .collect()
}

/// Why an edge is not allowed, if it is not.
fn objection(member: &Member, edge: &Edge, connectors: &BTreeSet<String>) -> Option<String> {
    let allowed: &[&str] = match member.name.as_str() {
        MODEL | HTTP | XTASK => &[],
        CONNECTOR => &[MODEL, HTTP],
        GRAPH => &[MODEL, HTTP, CONNECTOR],
        FLOW | STORE => &[MODEL],
        DESK => &[MODEL, HTTP, STORE],
        SERVER => &[MODEL, HTTP, CONNECTOR, FLOW, STORE, DESK],
        // The whole-system tests see the program from outside; the load tool and the tests of the
        // store look into what it left behind.
        TESTS => &[MODEL, STORE],
        PROGRAM => return None,
        // Two messengers of Meta's, one API.
        "langnghe-messenger" | "langnghe-whatsapp" => &[MODEL, HTTP, CONNECTOR, GRAPH],
        _ if connectors.contains(&member.name) => &[MODEL, HTTP, CONNECTOR],
        _ => return Some(format!("{} is no part that the design knows", member.name)),
    };
    // Tests of the pure parts may use the parts that they are pure for.
    let for_tests: &[&str] = match member.name.as_str() {
        TESTS => &[FLOW, DESK, SERVER, CONNECTOR],
        _ => &[],
    };
    let good = allowed.contains(&edge.to.as_str())
        // A crate's own tests may ask it for what it offers to tests only.
        || (edge.development && edge.to == member.name)
        || (edge.development && for_tests.contains(&edge.to.as_str()));
    (!good).then(|| format!("{} must not know {}", member.name, edge.to))
}

#[test]
fn no_edge_but_those_of_the_design() {
    let members = members();
    let connectors: BTreeSet<String> = members
        .iter()
        .filter(|member| member.folder.starts_with("connectors/"))
        .map(|member| member.name.clone())
        .collect();
    let objections: Vec<String> = members
        .iter()
        .flat_map(|member| member.edges.iter().map(move |edge| (member, edge)))
        .filter_map(|(member, edge)| objection(member, edge, &connectors))
        .collect();
    assert!(objections.is_empty(), "{objections:#?}");
    assert!(connectors.len() >= 2, "the connectors were not found");
}

#[test]
fn the_wall_itself_stands() {
    let connectors = BTreeSet::from(["langnghe-messenger", "langnghe-zalo"].map(str::to_owned));
    let refused = |from: &str, to: &str| {
        let member = Member {
            name: from.into(),
            folder: String::new(),
            edges: Vec::new(),
        };
        objection(
            &member,
            &Edge {
                to: to.into(),
                development: false,
            },
            &connectors,
        )
        .is_some()
    };
    assert!(refused("langnghe-messenger", STORE));
    assert!(refused("langnghe-messenger", FLOW));
    assert!(refused(FLOW, "langnghe-messenger"));
    assert!(refused("langnghe-zalo", GRAPH));
    assert!(refused(GRAPH, "langnghe-messenger"));
    assert!(refused(STORE, FLOW));
    assert!(refused(SERVER, "langnghe-messenger"));
    assert!(refused("langnghe-stranger", MODEL));
    assert!(!refused(PROGRAM, "langnghe-messenger"));
    assert!(!refused("langnghe-messenger", CONNECTOR));
}

#[test]
fn every_crate_has_its_place_and_its_folder_is_its_name() {
    for member in members() {
        let (place, name) = member
            .folder
            .split_once('/')
            .unwrap_or(("", &member.folder));
        let expected = match member.name.as_str() {
            PROGRAM => "langnghe",
            XTASK => "xtask",
            name => name
                .strip_prefix("langnghe-")
                .expect("our names begin alike"),
        };
        assert_eq!(name, expected, "{} lies in {}", member.name, member.folder);
        assert!(
            matches!(place, "src" | "connectors" | ""),
            "{} lies in {place}",
            member.name
        );
    }
}

#[test]
fn only_the_program_names_connectors() {
    let connectors = fs::read_dir(root().join("connectors")).expect("connectors");
    let names: Vec<String> = connectors
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    let found: Vec<String> = tracked_files()
        .into_iter()
        .filter(|(path, _)| path.starts_with("src/") && !path.starts_with("src/langnghe/"))
        .filter(|(path, _)| Path::new(path).extension().is_some_and(|kind| kind == "rs"))
        .flat_map(|(path, text)| {
            let names = names.clone();
            names.into_iter().filter_map(move |name| {
                text.contains(&format!("langnghe_{name}"))
                    .then(|| format!("{path} names {name}"))
            })
        })
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn the_repository_has_the_parts_that_the_design_names() {
    let files: BTreeSet<String> = tracked_files().into_keys().collect();
    let folders: BTreeSet<&str> = files
        .iter()
        .filter_map(|file| file.split_once('/'))
        .map(|(folder, _)| folder)
        .collect();
    let expected = [
        "src",
        "connectors",
        "flows",
        "locales",
        "config",
        "tests",
        "xtask",
        ".ci",
        ".cargo",
    ];
    for folder in expected {
        assert!(folders.contains(folder), "there is no {folder}/");
    }
    let others: Vec<_> = folders
        .into_iter()
        .filter(|folder| !expected.contains(folder) && !matches!(*folder, "benches" | "docs"))
        .collect();
    assert!(others.is_empty(), "the design knows no {others:?}");
    for file in [
        "ARCHITECTURE.md",
        "CONTRIBUTING.md",
        "README.md",
        "README.vi.md",
        "LICENSE-APACHE",
        "LICENSE-MIT",
        "deny.toml",
        "clippy.toml",
        "rustfmt.toml",
    ] {
        assert!(files.contains(file), "there is no {file}");
    }
}

#[test]
fn every_flow_speaks_every_language() {
    let root = root();
    let names = |folder: &str| -> Vec<String> {
        let entries =
            fs::read_dir(root.join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
        entries
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect()
    };
    let languages = names("locales");
    assert!(
        languages.iter().any(|language| language == "en"),
        "there is no English"
    );
    for file in names("flows").iter().filter(|file| {
        Path::new(file)
            .extension()
            .is_some_and(|extension| extension == "toml")
    }) {
        let text = fs::read_to_string(root.join("flows").join(file)).expect("readable");
        let flow: toml::Table =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let id = flow["id"].as_str().expect("an id");
        assert_eq!(format!("{id}.toml"), *file, "a flow's file bears its id");
        let own = flow
            .get("language")
            .and_then(toml::Value::as_str)
            .unwrap_or("vi");
        for language in languages.iter().filter(|language| *language != own) {
            let translation = root
                .join("locales")
                .join(language)
                .join(format!("{id}.ftl"));
            assert!(
                translation.is_file(),
                "{file} has no {language}: {}",
                translation.display()
            );
        }
    }
}

/// Every text file that belongs to the repository, by its path from the root.
fn tracked_files() -> BTreeMap<String, String> {
    let root = root();
    let listing = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(&root)
        .output();
    let paths: Vec<String> = match listing {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8(output.stdout).expect("paths are UTF-8");
            text.split('\0')
                .filter(|path| !path.is_empty())
                .map(str::to_owned)
                .collect()
        }
        // An archive of the sources has no history: then everything but what was built counts.
        _ => walk(&root, Path::new("")),
    };
    paths
        .into_iter()
        .filter_map(|path| Some((path.clone(), fs::read_to_string(root.join(path)).ok()?)))
        .collect()
}

fn walk(root: &Path, folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(root.join(folder)).expect("a folder");
    let mut paths = Vec::new();
    for entry in entries {
        let entry = entry.expect("an entry");
        let path = folder.join(entry.file_name());
        if entry.file_type().expect("a kind").is_dir() {
            if !matches!(entry.file_name().to_str(), Some("target" | ".git" | "data")) {
                paths.extend(walk(root, &path));
            }
        } else {
            paths.push(path.to_string_lossy().into_owned());
        }
    }
    paths
}

/// What is wrong with one file, if anything.
fn untidy(path: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    let extension = Path::new(path)
        .extension()
        .and_then(|kind| kind.to_str())
        .unwrap_or("");
    let lines = text.lines().count();
    if extension == "rs" && lines > 500 {
        findings.push(format!(
            "{path}: {lines} lines; split it by what its parts do"
        ));
    }
    // In pieces, so that this file does not find itself.
    let unfinished = [
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("FIX", "ME"),
    ];
    let machine = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
    ];
    for (number, line) in text.lines().enumerate() {
        let place = format!("{path}:{}", number + 1);
        if unfinished.iter().any(|word| line.contains(word)) {
            findings.push(format!("{place}: unfinished"));
        }
        if machine.iter().any(|folder| line.contains(folder)) {
            findings.push(format!("{place}: a path of one machine"));
        }
        if extension == "rs" && line.trim_start().starts_with(concat!("#[", "ignore")) {
            findings.push(format!("{place}: a test that does not run"));
        }
        findings.extend(
            addresses(line)
                .into_iter()
                .filter(|address| !is_example(address))
                .map(|address| format!("{place}: somebody's address, {address}")),
        );
    }
    findings
}

/// Things in a line that look like e-mail addresses.
fn addresses(line: &str) -> Vec<String> {
    let part = |letter: char| letter.is_ascii_alphanumeric() || ".-_+".contains(letter);
    line.match_indices('@')
        .filter_map(|(at, _)| {
            let name: String = line[..at]
                .chars()
                .rev()
                .take_while(|letter| part(*letter))
                .collect();
            let domain: String = line[at + 1..]
                .chars()
                .take_while(|letter| part(*letter))
                .collect();
            let (_, top) = domain.trim_end_matches('.').rsplit_once('.')?;
            let plausible =
                !name.is_empty() && top.len() >= 2 && top.chars().all(char::is_alphabetic);
            plausible.then(|| format!("{}@{domain}", name.chars().rev().collect::<String>()))
        })
        .collect()
}

/// Whether an address is of those set aside for examples, or one that nobody can have.
fn is_example(address: &str) -> bool {
    let (_, domain) = address.rsplit_once('@').unwrap_or(("", address));
    let domain = domain.trim_end_matches('.').to_ascii_lowercase();
    // "vidu" is Vietnamese for "example".
    let aside = ["example", "vidu", "test", "invalid", "localhost"];
    domain
        .split('.')
        .any(|label| label.len() < 2 || aside.contains(&label))
}

#[test]
fn every_file_is_tidy() {
    let findings: Vec<String> = tracked_files()
        .iter()
        .filter(|(path, _)| !path.ends_with("Cargo.lock"))
        .flat_map(|(path, text)| untidy(path, text))
        .collect();
    assert!(findings.is_empty(), "{findings:#?}");
}

#[test]
fn untidiness_is_found() {
    let long = "//\n".repeat(501);
    assert_eq!(untidy("a.rs", &long).len(), 1);
    assert_eq!(untidy("a.rs", concat!("  todo", "!(\"later\")")).len(), 1);
    assert_eq!(
        untidy("a.md", concat!("see /ho", "me/somebody/notes")).len(),
        1
    );
    assert_eq!(untidy("a.rs", concat!("#[", "ignore]")).len(), 1);
    assert_eq!(
        untidy("a.md", concat!("write to somebody@", "gmail.com.")).len(),
        1
    );
    assert!(untidy("a.md", "write to somebody@agency.example or a@b").is_empty());
    assert!(untidy("a.rs", "serde@1.0 and proptest@1.12.0").is_empty());
}
