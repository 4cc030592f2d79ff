//! The virus scanner: a command of the operator's choice that reads a medium from its standard input.
//!
//! Its exit code decides: 0 clean, 1 something was found (as `clamdscan` and `clamscan` say it), anything
//! else, or no end in time, tells nothing, and it is asked again later.

use std::{
    io::Write as _,
    process::{Child, Command, Stdio},
    time::Duration,
};

use bytes::Bytes;
use tokio::time::Instant;

/// How often it is looked whether the scanner has ended.
const LOOK: Duration = Duration::from_millis(10);

/// Which command, and how long it may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScanSettings {
    /// The program.
    pub program: String,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// The longest that one medium may take.
    pub timeout: Duration,
}

/// What the scanner says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing was found.
    Clean,
    /// Something was found.
    Infected,
}

/// The scanner did not say anything.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScanError {
    #[error("the virus scanner cannot be run: {}", .0.kind())]
    Run(std::io::Error),
    #[error("the virus scanner did not end in time")]
    Timeout,
    #[error("the virus scanner failed (exit code {0:?})")]
    Failed(Option<i32>),
}

/// A scanner that runs; it does not outlive this.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Neither can fail but for one that has ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Asks the scanner about these bytes.
pub(super) async fn scan(settings: &ScanSettings, bytes: &Bytes) -> Result<Verdict, ScanError> {
    let child = Command::new(&settings.program)
        .args(&settings.arguments)
        // Secrets of ours stand in the environment; what the scanner prints may hold a signature's name,
        // which is of no use here.
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(ScanError::Run)?;
    let mut running = Running(child);
    if let Some(mut input) = running.0.stdin.take() {
        let bytes = bytes.clone();
        // It ends with the scanner. One that has seen enough stops reading: its exit code counts.
        tokio::task::spawn_blocking(move || drop(input.write_all(&bytes)));
    }
    let deadline = Instant::now() + settings.timeout;
    loop {
        if let Some(status) = running.0.try_wait().map_err(ScanError::Run)? {
            return match status.code() {
                Some(0) => Ok(Verdict::Clean),
                Some(1) => Ok(Verdict::Infected),
                code => Err(ScanError::Failed(code)),
            };
        }
        if Instant::now() >= deadline {
            return Err(ScanError::Timeout);
        }
        tokio::time::sleep(LOOK).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> ScanSettings {
        ScanSettings {
            program: "sh".to_owned(),
            arguments: vec!["-c".to_owned(), script.to_owned()],
            timeout: Duration::from_secs(20),
        }
    }

    #[tokio::test]
    async fn the_exit_code_decides() {
        let large = Bytes::from(vec![b'x'; 1_000_000]);
        let settings = shell("grep -q EICAR && exit 1; exit 0");
        assert_eq!(scan(&settings, &large).await.ok(), Some(Verdict::Clean));
        let infected = Bytes::from([&large[..], b"EICAR"].concat());
        let verdict = scan(&settings, &infected).await;
        assert_eq!(verdict.ok(), Some(Verdict::Infected));
        // One that does not read to the end.
        let verdict = scan(&shell("exit 1"), &large).await;
        assert_eq!(verdict.ok(), Some(Verdict::Infected));
        let failed = scan(&shell("exit 2"), &large).await;
        assert!(matches!(failed, Err(ScanError::Failed(Some(2)))));
    }

    #[tokio::test]
    async fn a_scanner_that_is_missing_or_slow_says_nothing() {
        let mut settings = shell("sleep 60");
        settings.timeout = Duration::from_millis(50);
        assert!(matches!(
            scan(&settings, &Bytes::from_static(b"x")).await,
            Err(ScanError::Timeout)
        ));
        settings.program = "/no/such/program".to_owned();
        assert!(matches!(
            scan(&settings, &Bytes::from_static(b"x")).await,
            Err(ScanError::Run(_))
        ));
    }
}
