//! The kit that every connector is tested with: tables of cases in files, and what must hold for
//! any connector.
//!
//! A connector implements [`Subject`] and calls [`check`] with its `fixtures` folder:
//! - `fixtures/incoming/*.json`: webhooks, and the events or the rejection that they become
//!   ([`incoming`]);
//! - `fixtures/outgoing/*.json`: replies, templates, media to fetch and whatever else is asked of the
//!   provider, the exact requests that they become, what it answers, and the result ([`outgoing`]).
//!
//! A channel that keeps a line of its own, and takes no webhooks, has its cases in [`line`].
//!
//! For free come, for each signed webhook: a wrong signature (or secret in the path), a missing one,
//! one cut short, the same webhook again (same ids), and an event of a kind that does not exist yet; and for everything: no
//! credential, no citizen's id and none of their words in any log line, error or `Debug`.

mod always;
mod capture;
mod describe;
mod double;
pub mod incoming;
pub mod line;
mod memory;
mod multipart;
pub mod outgoing;
mod request;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use http::Method;
use langnghe_model::Timestamp;
use serde::de::DeserializeOwned;

use self::capture::Capture;
pub use self::{memory::MemoryHost, request::Webhook};
use crate::Connector;

/// What a webhook of the kit is received at: 2026-09-21T14:13:21Z, shortly after most fixtures.
pub const RECEIVED_AT: Timestamp = Timestamp::from_milliseconds(1_790_000_001_000);

/// A connector under test.
pub trait Subject {
    /// A new channel that sends to `api_base`, a loopback address. Its time-out is below a second,
    /// so that stalled requests do not hold the tests up.
    fn connector(&self, api_base: &str) -> Arc<dyn Connector>;

    /// The headers that make a body the provider's.
    fn sign(&self, body: &[u8]) -> Vec<(&'static str, String)>;

    /// Everything that must never be seen: tokens, secrets, and what is computed from them.
    fn credentials(&self) -> Vec<String>;

    /// A webhook with one event of a kind that the provider may invent tomorrow.
    fn unknown(&self) -> serde_json::Value;

    /// The same as a whole request, where it is no POST of JSON.
    fn unknown_webhook(&self) -> Webhook {
        Webhook::json(self.secret_path(), &self.unknown().to_string())
    }

    /// The headers that make a whole request the provider's, where the signature covers more than the
    /// body; the path is what follows the channel's id.
    fn sign_webhook(
        &self,
        method: &Method,
        path: &str,
        query: &str,
        body: &[u8],
    ) -> Vec<(&'static str, String)> {
        let _: (&Method, &str, &str) = (method, path, query);
        self.sign(body)
    }

    /// What follows the channel's id in the path of its webhooks, where the provider has no signature
    /// and a secret lies there in its place; empty where nothing does.
    fn secret_path(&self) -> &'static str {
        ""
    }

    /// How much later the provider may bring the same request again, signature and all; where it
    /// signs the time, a repetition is signed anew.
    fn redelivered_after(&self) -> Duration {
        Duration::from_hours(1)
    }

    /// What is answered to a webhook with events.
    fn answer(&self) -> &'static str {
        ""
    }
}

/// How many cases of the tables held, those for free not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Webhooks.
    pub incoming: usize,
    /// Replies.
    pub outgoing: usize,
}

/// Runs all cases in the folder.
///
/// # Panics
/// With everything that did not hold, or when a table cannot be read.
pub fn check(subject: &dyn Subject, fixtures: &Path) -> Held {
    during(subject.credentials(), |findings| Held {
        incoming: incoming::check(subject, &fixtures.join("incoming"), findings),
        outgoing: outgoing::check(subject, &fixtures.join("outgoing"), findings),
    })
}

/// Runs the cases of `outgoing` alone, for a channel that takes no webhooks; gives how many held.
///
/// # Panics
/// As [`check`].
pub fn check_outgoing(subject: &dyn Subject, fixtures: &Path) -> usize {
    during(subject.credentials(), |findings| {
        outgoing::check(subject, &fixtures.join("outgoing"), findings)
    })
}

fn during<T>(credentials: Vec<String>, run: impl FnOnce(&mut Findings) -> T) -> T {
    let mut findings = Findings::default();
    let capture = Capture::default();
    let held = capture.during(|| run(&mut findings));
    findings.case = String::from("what was logged");
    findings.private.extend(credentials);
    let private = std::mem::take(&mut findings.private);
    findings.leaks("the log", &capture.text(), &private);
    let Findings { found, .. } = findings;
    assert!(
        found.is_empty(),
        "{} findings:\n{}",
        found.len(),
        found.join("\n")
    );
    held
}

/// What does not hold, collected over all cases.
#[derive(Debug, Default)]
struct Findings {
    case: String,
    found: Vec<String>,
    /// Citizens' ids and words from all cases, for the search of the log.
    private: Vec<String>,
}

impl Findings {
    fn add(&mut self, finding: impl std::fmt::Display) {
        let mut finding = finding.to_string();
        // The longest texts of cases fill screens.
        if finding.len() > 4000 {
            finding.truncate(finding.floor_char_boundary(4000));
            finding.push('…');
        }
        self.found.push(format!("- {}: {finding}", self.case));
    }

    fn equal<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, is: &T, expected: &T) {
        if is != expected {
            self.add(format!("{what}\n      is {is:?}\n  not {expected:?}"));
        }
    }

    /// Notes what must not be seen in `text`. Words of fewer than six characters are too common to
    /// look for.
    fn leaks(&mut self, place: &str, text: &str, private: &[String]) {
        for word in private.iter().filter(|word| word.chars().count() >= 6) {
            if text.contains(word.as_str()) {
                self.add(format!("{place} shows {word:?}"));
            }
        }
    }
}

/// The tables in a folder, by file name; none where there is no folder.
fn tables<T: DeserializeOwned>(folder: &Path) -> Vec<(String, T)> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    paths.iter().map(|path| read_table(path)).collect()
}

fn read_table<T: DeserializeOwned>(path: &Path) -> (String, T) {
    let text = fs::read_to_string(path);
    let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let table = serde_json::from_str(&text);
    let table = table.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    (
        path.file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        table,
    )
}
