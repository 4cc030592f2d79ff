//! What the store's server says that it did.

use std::collections::HashMap;

use crate::redis::Server;

/// What replicas send by themselves all the time; what else the server counts was called by scripts,
/// but for a handful at a start. Our own questions are none of these.
const SENT: [&str; 8] = [
    "evalsha",
    "eval",
    "ping",
    "wait",
    "waitaof",
    "subscribe",
    "psubscribe",
    "ssubscribe",
];
/// What comes of our own questions, and of any new connection.
const OURS: [&str; 3] = ["info", "hello", "client"];

/// What a server did since its start.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServerUse {
    /// Commands that replicas sent.
    pub sent: f64,
    /// All commands, those that scripts called included.
    pub all: f64,
    /// Processor time in seconds.
    pub processor: f64,
}

impl ServerUse {
    /// Asks a server.
    ///
    /// # Panics
    /// When it does not answer.
    pub async fn of(server: &Server) -> Self {
        let commands: String = server.command(&["INFO", "commandstats"]).await;
        let processor: String = server.command(&["INFO", "cpu"]).await;
        Self::read(&commands, &processor)
    }

    fn read(commands: &str, processor: &str) -> Self {
        let processor: HashMap<&str, f64> = processor
            .lines()
            .filter_map(|line| line.split_once(':'))
            .filter_map(|(name, value)| Some((name, value.trim().parse().ok()?)))
            .collect();
        let time = |name| processor.get(name).copied().unwrap_or_default();
        let mut found = Self {
            processor: time("used_cpu_sys") + time("used_cpu_user"),
            ..Self::default()
        };
        for line in commands.lines() {
            let Some((name, calls)) = command(line) else {
                continue;
            };
            if SENT.contains(&name) {
                found.sent += calls;
            }
            if !OURS.contains(&name) {
                found.all += calls;
            }
        }
        found
    }

    /// What it did since `before`.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            sent: self.sent - before.sent,
            all: self.all - before.all,
            processor: self.processor - before.processor,
        }
    }
}

/// Name and calls in a line like `cmdstat_client|setinfo:calls=3,usec=4,…`.
fn command(line: &str) -> Option<(&str, f64)> {
    let (name, values) = line.strip_prefix("cmdstat_")?.split_once(':')?;
    let (calls, _) = values.strip_prefix("calls=")?.split_once(',')?;
    let name = name.split('|').next()?;
    Some((name, calls.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_scripts_are_told_from_those_that_were_sent() {
        let commands = "# Commandstats\r\ncmdstat_evalsha:calls=3,usec=4,usec_per_call=1.0\r\n\
                        cmdstat_client|setinfo:calls=2,usec=4\r\ncmdstat_rpush:calls=6,usec=4\r\n";
        let cpu = "# CPU\r\nused_cpu_sys:1.5\r\nused_cpu_user:0.25\r\n";
        let found = ServerUse::read(commands, cpu);
        let figures = [found.sent, found.all, found.processor];
        for (figure, expected) in figures.into_iter().zip([3.0, 9.0, 1.75]) {
            assert!((figure - expected).abs() < 1e-9, "{found:?}");
        }
    }
}
