//! One running replica of the real program.

use std::{
    fs::OpenOptions,
    process::{Child, ExitStatus, Stdio},
    time::Duration,
};

use crate::{Installation, http, metrics::Metrics, wait};

/// A start, recovery after a crash included, takes at most so long.
const START: Duration = Duration::from_secs(30);

/// One running `langnghe serve`. When it is dropped, the process is ended, and what it wrote is
/// searched for the private words that the test registered.
#[derive(Debug)]
pub struct Replica<'a> {
    installation: &'a Installation,
    child: Child,
    client: reqwest::Client,
}

impl<'a> Replica<'a> {
    /// Starts one and waits until it is ready.
    ///
    /// # Panics
    /// When it ends before, or is not ready in time.
    pub async fn start(installation: &'a Installation) -> Self {
        let mut replica = Self::spawn(installation);
        wait::until("the replica is ready", START, async || {
            if let Some(status) = replica.exited() {
                panic!("the replica ended at its start: {status}");
            }
            replica.ready().await
        })
        .await;
        replica
    }

    /// Starts one and does not wait.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn spawn(installation: &'a Installation) -> Self {
        Self::spawn_without(installation, "")
    }

    /// Starts one without a variable that the installation's environment has, and does not wait.
    ///
    /// # Panics
    /// When the program cannot be started.
    pub fn spawn_without(installation: &'a Installation, variable: &str) -> Self {
        let config = installation.write();
        let mut options = OpenOptions::new();
        let log = options
            .create(true)
            .append(true)
            .open(installation.log_path())
            .expect("a log");
        let mut command = installation.command();
        if !variable.is_empty() {
            command.env_remove(variable);
        }
        let child = command
            .arg("serve")
            .arg("--config")
            .arg(config)
            .stdout(Stdio::from(log.try_clone().expect("a second handle")))
            .stderr(Stdio::from(log))
            .spawn()
            .expect("the program starts");
        Self {
            installation,
            child,
            client: http::client(),
        }
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The address of a path on it.
    pub fn url(&self, path: &str) -> String {
        self.installation.url(path)
    }

    /// A client to speak to it with.
    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// Whether it says that it is ready.
    pub async fn ready(&self) -> bool {
        let answer = self.client.get(self.url("/readyz")).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Its metrics now.
    ///
    /// # Panics
    /// When it does not answer, or a private word is in them.
    pub async fn metrics(&self) -> Metrics {
        let answer = self
            .client
            .get(self.url("/metrics"))
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), 200);
        let text = answer.text().await.expect("a text");
        let leaks = self.installation.leaks(&text);
        assert!(
            leaks.is_empty(),
            "the metrics hold private words: {leaks:?}"
        );
        Metrics(text)
    }

    /// How it ended, if it did.
    ///
    /// # Panics
    /// When the system does not say.
    pub fn exited(&mut self) -> Option<ExitStatus> {
        self.child
            .try_wait()
            .expect("the system knows its children")
    }

    /// Ends it with `kill -9`.
    ///
    /// # Panics
    /// When the system refuses.
    pub fn kill(&mut self) {
        self.child.kill().expect("the process is ours");
        self.child.wait().expect("it ends");
    }

    /// Asks it to stop (SIGTERM) and waits until it has.
    ///
    /// # Panics
    /// When it is still there after `limit`.
    pub async fn terminate(&mut self, limit: Duration) -> ExitStatus {
        self.ask_to_stop();
        self.end("the replica stops", limit).await
    }

    /// Asks it to stop (SIGTERM) and does not wait.
    ///
    /// # Panics
    /// When the signal cannot be sent.
    pub fn ask_to_stop(&self) {
        self.signal("TERM");
    }

    /// Asks it to read flows and locales anew (SIGHUP).
    ///
    /// # Panics
    /// When the signal cannot be sent.
    pub fn ask_to_reload(&self) {
        self.signal("HUP");
    }

    /// Halts it where it stands (SIGSTOP), until [`Self::go_on`].
    ///
    /// # Panics
    /// When the signal cannot be sent.
    pub fn halt(&self) {
        self.signal("STOP");
    }

    /// Lets it go on after [`Self::halt`]; it does not know that time has passed.
    ///
    /// # Panics
    /// When the signal cannot be sent.
    pub fn go_on(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let mut command = std::process::Command::new("sh");
        let status = command
            .args(["-c", &format!("kill -{name} {}", self.id())])
            .status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "the signal is sent"
        );
    }

    /// Waits until it ends by itself.
    ///
    /// # Panics
    /// With `what` when it is still there after `limit`.
    pub async fn end(&mut self, what: &str, limit: Duration) -> ExitStatus {
        wait::for_some(what, limit, async || self.exited()).await
    }
}

impl Drop for Replica<'_> {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to do.
        drop(self.child.kill());
        let ended = self.child.wait();
        let log = self.installation.log();
        if std::thread::panicking() {
            let lines: Vec<&str> = log.lines().collect();
            let tail = &lines[lines.len().saturating_sub(60)..];
            eprintln!("── the end of the replica's log\n{}\n──", tail.join("\n"));
            return;
        }
        assert!(ended.is_ok(), "the process is still there");
        let leaks = self.installation.leaks(&log);
        assert!(leaks.is_empty(), "the log holds private words: {leaks:?}");
    }
}
