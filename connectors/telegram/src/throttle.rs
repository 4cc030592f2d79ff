//! Whether a 429 means one chat or the whole bot: Telegram does not say.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use langnghe_connector::{SendError, ThrottleScope};
use langnghe_model::CitizenId;

/// What it waits without a word from Telegram.
const UNSAID: Duration = Duration::from_secs(1);

/// Remembers the last chat that was throttled. A first 429 is taken for that chat's own limit, which
/// is by far the nearest one; when another chat meets one before the first is over, it is the bot's.
#[derive(Debug, Default)]
pub(crate) struct Throttles(Mutex<Option<(CitizenId, Instant)>>);

impl Throttles {
    /// Says what a throttling pauses; other errors stay as they are.
    pub(crate) fn judge(&self, citizen: &CitizenId, error: SendError) -> SendError {
        let SendError::Throttled { after, code, .. } = error else {
            return error;
        };
        let now = Instant::now();
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let others = last
            .as_ref()
            .is_some_and(|(chat, until)| chat != citizen && *until > now);
        *last = Some((citizen.clone(), now + after.unwrap_or(UNSAID)));
        SendError::Throttled {
            after,
            scope: if others {
                ThrottleScope::Channel
            } else {
                ThrottleScope::Recipient
            },
            code,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(throttles: &Throttles, citizen: &str, seconds: u64) -> ThrottleScope {
        let error = SendError::Throttled {
            after: Some(Duration::from_secs(seconds)),
            scope: ThrottleScope::Channel,
            code: "429".to_owned(),
        };
        match throttles.judge(&CitizenId::new(citizen), error) {
            SendError::Throttled { scope, .. } => scope,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn a_second_chat_that_is_throttled_meanwhile_means_the_bot() {
        let throttles = Throttles::default();
        assert_eq!(scope(&throttles, "1", 60), ThrottleScope::Recipient);
        assert_eq!(scope(&throttles, "1", 60), ThrottleScope::Recipient);
        assert_eq!(scope(&throttles, "2", 0), ThrottleScope::Channel);
        // That one is over already.
        assert_eq!(scope(&throttles, "3", 60), ThrottleScope::Recipient);
    }
}
