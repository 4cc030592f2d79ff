//! The figures of one server over all rounds of the comparison.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use super::{
    client::{self, Fired, Pace},
    plan::Plan,
    report,
};

/// The figures of one server over all rounds.
#[derive(Debug, Default)]
pub(super) struct Figures {
    pub(super) rate: Vec<f64>,
    median: Vec<f64>,
    pub(super) tail: Vec<f64>,
    processor: Vec<f64>,
    refused: usize,
}

impl Figures {
    /// Fires a plan at a server and adds what came of it; `processor_time` asks what it has taken.
    pub(super) fn round(
        &mut self,
        addresses: &[SocketAddr],
        plan: &Arc<Plan>,
        pace: Pace,
        processor_time: impl Fn() -> Duration,
    ) -> Result<(), String> {
        let before = processor_time();
        let fired = client::fire(addresses, plan, pace)?;
        self.add(&fired, processor_time().saturating_sub(before));
        Ok(())
    }

    fn add(&mut self, fired: &Fired, processor: Duration) {
        self.rate.push(fired.rate());
        self.median.push(fired.quantile(0.5));
        self.tail.push(fired.quantile(0.99));
        self.processor
            .push(processor.as_secs_f64() * 1e6 / count(fired.accepted.max(1)));
        self.refused += fired.refused;
    }

    /// What stands above the rows.
    pub(super) fn head() -> Vec<String> {
        ["", "requests/s", "p50 ms", "p99 ms", "cpu µs each", "503"]
            .map(str::to_owned)
            .to_vec()
    }

    /// One row of the table.
    pub(super) fn row(&self, name: &str) -> Vec<String> {
        vec![
            name.to_owned(),
            report::shown(&self.rate, 0),
            report::shown(&self.median, 2),
            report::shown(&self.tail, 2),
            report::shown(&self.processor, 1),
            self.refused.to_string(),
        ]
    }

    /// The rates beside those of another server, round by round.
    pub(super) fn ratios(&self, to: &Self) -> Vec<f64> {
        self.rate
            .iter()
            .zip(&to.rate)
            .map(|(ours, theirs)| ours / theirs)
            .collect()
    }
}

/// Messages in a second.
pub(super) fn rate(messages: usize, time: Duration) -> f64 {
    count(messages) / time.as_secs_f64()
}

/// A count as a figure.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub(super) fn count(messages: usize) -> f64 {
    messages as f64
}
