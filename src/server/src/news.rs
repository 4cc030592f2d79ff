//! News of accounts that asks nothing of us: counted under its name.

use langnghe_model::ChannelId;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct NewsLabel {
    channel: String,
    news: String,
}

/// The series about news of accounts.
#[derive(Clone, Debug, Default)]
pub(crate) struct NewsMetrics(Family<NewsLabel, Counter>);

impl NewsMetrics {
    /// Makes the series known.
    pub(crate) fn registered(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "account_news",
            "News of a channel's account that asks nothing of us, by the provider's word for it",
            metrics.0.clone(),
        );
        metrics
    }

    /// Counts one; `name` is one of the words that the connector knows.
    pub(crate) fn count(&self, channel: &ChannelId, name: &str) {
        let label = NewsLabel {
            channel: channel.as_str().to_owned(),
            news: name.to_owned(),
        };
        self.0.get_or_create(&label).inc();
        tracing::debug!(%channel, news = name, "the provider told something of the account");
    }
}
