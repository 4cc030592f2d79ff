//! Who asks Zalo for a new pair: a process of its own, which does not die with the replica.

use std::{
    ffi::OsString,
    fs::File,
    io::Write as _,
    os::{fd::AsFd as _, unix::process::CommandExt as _},
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};

use langnghe_http::{ClientSettings, GuardedClient, HttpError};
use langnghe_model::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::answers::Outcome;
use crate::oauth::{Grant, TokenRequest};

/// The largest job that is read.
const LARGEST_JOB: usize = 64 * 1024;

/// What tells the time.
type Clock<'a> = &'a (dyn Fn() -> Timestamp + Sync);
/// What is told of steps at which a test may let the process die.
type Passed<'a> = &'a (dyn Fn(&'static str) + Sync);

/// Who asks Zalo for a new pair of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exchanger {
    /// This process. An answer is lost with it.
    Here,
    /// A process of this program, with these arguments, which calls [`exchange_for_parent`].
    Program {
        /// The program.
        path: PathBuf,
        /// Its arguments.
        arguments: Vec<OsString>,
    },
}

/// One exchange, as the process is told of it through its standard input: nothing secret is in an
/// argument or a variable.
#[derive(Serialize, Deserialize)]
pub(super) struct Job {
    pub(super) url: String,
    pub(super) app_id: String,
    pub(super) app_secret: String,
    pub(super) refresh_token: String,
    pub(super) timeout_ms: u64,
    pub(super) allow_private: bool,
}

impl Job {
    fn request(&self) -> TokenRequest {
        TokenRequest {
            url: self.url.clone(),
            app_id: self.app_id.clone(),
            app_secret: SecretString::from(self.app_secret.as_str()),
            grant: Grant::Refresh(SecretString::from(self.refresh_token.as_str())),
            timeout: Duration::from_millis(self.timeout_ms),
        }
    }

    pub(super) fn new(request: &TokenRequest, allow_private: bool) -> Option<Self> {
        let Grant::Refresh(refresh_token) = &request.grant else {
            return None;
        };
        Some(Self {
            url: request.url.clone(),
            app_id: request.app_id.clone(),
            app_secret: request.app_secret.expose_secret().to_owned(),
            refresh_token: refresh_token.expose_secret().to_owned(),
            timeout_ms: u64::try_from(request.timeout.as_millis()).unwrap_or(10_000),
            allow_private,
        })
    }
}

impl Exchanger {
    /// Asks, and returns when the answer is in `file` or there will be none. Dropping the future does
    /// not end what a process of its own does.
    pub(super) async fn run(
        &self,
        job: Job,
        file: File,
        client: &GuardedClient,
        now: Clock<'_>,
        passed: Passed<'_>,
    ) {
        if let Self::Program { path, arguments } = self {
            match start(path, arguments, &job, &file, passed) {
                Ok(child) => {
                    // The lock is the other process's now.
                    drop(file);
                    passed("renewal-told");
                    wait(child).await;
                    return;
                }
                Err(error) => tracing::warn!(%error,
                    "no process could be started for a renewal: this one asks, and must not die meanwhile"),
            }
        }
        let outcome = ask(&job, client, now).await;
        if let Err(error) = outcome.write(&file) {
            tracing::error!(%error, "the answer to a renewal could not be written to the disk");
        }
    }
}

fn start(
    path: &std::path::Path,
    arguments: &[OsString],
    job: &Job,
    file: &File,
    passed: Passed<'_>,
) -> std::io::Result<std::process::Child> {
    let mut child = Command::new(path)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::from(file.try_clone()?))
        .stderr(Stdio::null())
        // Ctrl+C in a terminal is not for it.
        .process_group(0)
        .spawn()?;
    passed("renewal-begun");
    let job = serde_json::to_vec(job)?;
    let mut input = child.stdin.take().ok_or(std::io::ErrorKind::BrokenPipe)?;
    // Where it ends before, it has asked nothing: its file says so.
    if let Err(error) = input.write_all(&job) {
        tracing::warn!(%error, "the process of a renewal did not read what it was told");
    }
    Ok(child)
}

/// A thread of its own waits: the runtime does not wait for it when it ends.
async fn wait(mut child: std::process::Child) {
    let (over, waiting) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let ended = child.wait();
        if let Ok(status) = ended
            && !status.success()
        {
            tracing::warn!(%status, "the process of a renewal ended badly");
        }
        // Nobody may wait any more.
        over.send(()).unwrap_or_default();
    });
    // An error means that the thread is gone, which is as good.
    waiting.await.unwrap_or_default();
}

/// Asks Zalo once.
async fn ask(job: &Job, client: &GuardedClient, now: Clock<'_>) -> Outcome {
    match job.request().send(client).await {
        Ok(answer) if answer.status.is_server_error() => {
            Outcome::Unclear(format!("status {}", answer.status.as_u16()))
        }
        Ok(answer) => Outcome::answered(&answer.body, now()),
        Err(
            error @ (HttpError::Url
            | HttpError::PrivateAddress
            | HttpError::Request
            | HttpError::Client
            | HttpError::Name
            | HttpError::Tls
            | HttpError::Connect
            | HttpError::Withdrawn),
        ) => Outcome::Unsent(error.to_string()),
        Err(error) => Outcome::Unclear(error.to_string()),
    }
}

/// The other end of [`Exchanger::Program`]: reads what to ask from the standard input, asks Zalo, and
/// writes the answer to the standard output, which is the file that the parent made and locked.
/// `passed` is told of steps at which a test may let the process die.
///
/// # Errors
/// A short phrase, when there is nothing sensible to do or the answer could not be written.
pub async fn exchange_for_parent(
    input: &mut (dyn std::io::Read + Send),
    now: Clock<'_>,
    passed: Passed<'_>,
) -> Result<(), &'static str> {
    let mut text = Vec::new();
    let mut bounded = std::io::Read::take(input, LARGEST_JOB as u64);
    std::io::Read::read_to_end(&mut bounded, &mut text).map_err(|_| "no job")?;
    // A parent that died before it had written all asked for nothing.
    let job: Job = serde_json::from_slice(&text).map_err(|_| "no whole job")?;
    let output = std::io::stdout()
        .as_fd()
        .try_clone_to_owned()
        .map_err(|_| "no output")?;
    let file = File::from(output);
    let client = GuardedClient::new(&ClientSettings {
        allow_private: job.allow_private,
        ..ClientSettings::default()
    });
    let client = client.map_err(|_| "no client")?;
    passed("exchange-begun");
    let outcome = ask(&job, &client, now).await;
    passed("exchange-answered");
    outcome.write(&file).map_err(|_| "the answer is not kept")?;
    passed("exchange-written");
    Ok(())
}
