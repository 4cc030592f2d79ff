//! What happened when, told when something went wrong.

use std::{
    fmt::Write as _,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The most lines that are printed; the last are kept.
const PRINTED: usize = 400;

/// What happened when. Dropped in a panic, it prints itself.
#[derive(Debug)]
pub struct Timeline {
    begin: Instant,
    lines: Mutex<Vec<(Duration, String)>>,
}

impl Default for Timeline {
    fn default() -> Self {
        Self {
            begin: Instant::now(),
            lines: Mutex::default(),
        }
    }
}

impl Timeline {
    /// Notes that something happens now.
    pub fn note(&self, what: impl Into<String>) {
        let at = self.begin.elapsed();
        self.lines().push((at, what.into()));
    }

    /// How long it runs.
    pub fn elapsed(&self) -> Duration {
        self.begin.elapsed()
    }

    /// How long after the beginning something was.
    pub fn at(&self, instant: Instant) -> Duration {
        instant.saturating_duration_since(self.begin)
    }

    /// Everything so far, one line each.
    pub fn told(&self) -> String {
        let lines = self.lines();
        let tail = &lines[lines.len().saturating_sub(PRINTED)..];
        let mut told = String::new();
        for (at, what) in tail {
            writeln!(told, "{:8.3} s  {what}", at.as_secs_f64())
                .expect("a string takes everything");
        }
        told
    }

    fn lines(&self) -> MutexGuard<'_, Vec<(Duration, String)>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Timeline {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("── what happened\n{}──", self.told());
        }
    }
}
