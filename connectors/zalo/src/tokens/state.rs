//! What the replicas share of an account's tokens, and what is to be done next. Pure.

use std::time::Duration;

use langnghe_connector::{SendError, signature::encode_hex};
use langnghe_model::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::oauth::{NewPair, REFRESH_LIFE};

/// How many of the configuration's refresh tokens are remembered as taken up.
const MOST_TAKEN: usize = 16;
/// The first pair is waited for so long before it is asked for again.
const FIRST_PAIR: Duration = Duration::from_secs(2);
/// How many attempts with the same refresh token are remembered.
const MOST_TRIED: usize = 32;
/// An intent of a replica on another machine is believed for so long: an exchange takes at most half.
pub(super) const INTENT_TIME: Duration = Duration::from_mins(1);
/// The access token is renewed when so little of its 25 hours is left, or half of what is shorter.
const EARLY: Duration = Duration::from_hours(5);
/// A token that Zalo refuses before its time is renewed, but not more often than this.
const FORCED_RENEWALS: Duration = Duration::from_mins(10);

/// What the replicas share.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct State {
    /// The newest tokens.
    pub(crate) pair: Option<Pair>,
    /// A renewal that is under way.
    pub(crate) intent: Option<Intent>,
    /// All renewals that were begun with this refresh token: the answer to any of them counts.
    tried: Vec<String>,
    /// Zalo does not take the refresh token any more.
    pub(crate) lost: Option<Lost>,
    /// Digests of the configuration's refresh tokens that were taken up.
    taken: Vec<String>,
}

/// A pair of tokens.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pair {
    /// None where only the first refresh token is known.
    pub(crate) access: Option<Access>,
    #[serde(with = "exposed")]
    pub(crate) refresh_token: SecretString,
    /// When the refresh token ends.
    pub(crate) refresh_until: Timestamp,
}

/// An access token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Access {
    #[serde(with = "exposed")]
    pub(crate) token: SecretString,
    pub(crate) issued_at: Timestamp,
    pub(crate) until: Timestamp,
}

/// A renewal that is under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Intent {
    /// Names it, and the file of its answer.
    pub(crate) id: String,
    /// When it began.
    pub(crate) at: Timestamp,
}

/// The grant is gone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Lost {
    /// When Zalo said so.
    pub(crate) at: Timestamp,
    /// Its code.
    pub(crate) code: i64,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing before this moment.
    Wait(Timestamp),
    /// Renew.
    Renew,
    /// A renewal is under way: see what became of it.
    Follow,
    /// There is no refresh token.
    NoGrant,
    /// Zalo does not take it any more.
    Lost(i64),
}

impl State {
    /// Reads what [`Self::encode`] wrote; what cannot be read is no state.
    pub(crate) fn decode(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes).unwrap_or_default()
    }

    /// As bytes.
    pub(crate) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a state has only string keys")
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost.is_some()
    }

    /// Why there is no access token.
    pub(crate) fn missing(&self) -> SendError {
        let code = match (&self.lost, &self.pair) {
            (Some(lost), _) => format!("{}: authorise the account again", lost.code),
            (None, None) => "not authorised yet".to_owned(),
            // The first renewal is under way, or comes again soon: Zalo refused nothing.
            (None, Some(_)) => {
                return SendError::NotReady {
                    after: FIRST_PAIR,
                    reason: "no access token yet".to_owned(),
                };
            }
        };
        SendError::Credentials { code }
    }

    /// Takes up the configuration's refresh token if it was not taken up before; says whether it did.
    pub(super) fn take_up(&mut self, configured: &SecretString, now: Timestamp) -> bool {
        let digest = digest(configured);
        if self.taken.contains(&digest) {
            return false;
        }
        let refresh_until = now + REFRESH_LIFE;
        self.remember(digest);
        self.renewed(Pair {
            access: None,
            refresh_token: configured.clone(),
            refresh_until,
        });
        true
    }

    /// The configuration's refresh token is not to take the place of what an operator authorised.
    pub(crate) fn pass_over(&mut self, configured: &SecretString) {
        let digest = digest(configured);
        if !self.taken.contains(&digest) {
            self.remember(digest);
        }
    }

    fn remember(&mut self, digest: String) {
        self.taken.push(digest);
        let surplus = self.taken.len().saturating_sub(MOST_TAKEN);
        self.taken.drain(..surplus);
    }

    /// A new pair takes the place of everything.
    pub(crate) fn renewed(&mut self, pair: Pair) {
        self.pair = Some(pair);
        self.intent = None;
        self.lost = None;
        self.tried.clear();
    }

    /// A renewal begins.
    pub(super) fn intend(&mut self, id: String, now: Timestamp) {
        self.tried.push(id.clone());
        let surplus = self.tried.len().saturating_sub(MOST_TRIED);
        self.tried.drain(..surplus);
        self.intent = Some(Intent { id, at: now });
    }

    /// Whether the answer to this renewal still counts.
    pub(super) fn tried(&self, id: &str) -> bool {
        self.tried.iter().any(|tried| tried == id)
    }

    /// Whether this renewal is the one under way.
    pub(super) fn intends(&self, id: &str) -> bool {
        self.intent.as_ref().is_some_and(|intent| intent.id == id)
    }

    /// What is to be done. `jitter` (0 to 1) lets accounts that were authorised together renew apart;
    /// `refused` is a token that Zalo did not take before its time.
    pub(super) fn next(&self, now: Timestamp, jitter: f64, refused: Option<&SecretString>) -> Next {
        let Some(pair) = &self.pair else {
            return Next::NoGrant;
        };
        if let Some(lost) = &self.lost {
            return Next::Lost(lost.code);
        }
        if self.intent.is_some() {
            return Next::Follow;
        }
        let Some(access) = &pair.access else {
            return Next::Renew;
        };
        let was_refused =
            refused.is_some_and(|refused| refused.expose_secret() == access.token.expose_secret());
        if was_refused && now.since(access.issued_at) > FORCED_RENEWALS {
            return Next::Renew;
        }
        let life = access.until.since(access.issued_at);
        let early = EARLY.min(life / 2);
        let due = access.until - early.mul_f64(1.0 - 0.1 * jitter.clamp(0.0, 1.0));
        if due <= now {
            Next::Renew
        } else {
            Next::Wait(due)
        }
    }
}

impl Pair {
    /// What Zalo gave at `now`.
    pub(crate) fn given(new: &NewPair, now: Timestamp) -> Self {
        Self {
            access: Some(Access {
                token: new.access.clone(),
                issued_at: now,
                until: now + new.access_life,
            }),
            refresh_token: new.refresh.clone(),
            refresh_until: now + new.refresh_life,
        }
    }
}

fn digest(token: &SecretString) -> String {
    encode_hex(&Sha256::digest(token.expose_secret().as_bytes())[..16])
}

/// Secrets are written where they are kept, and nowhere else.
mod exposed {
    use secrecy::{ExposeSecret, SecretString};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        secret: &SecretString,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.expose_secret())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<SecretString, D::Error> {
        String::deserialize(deserializer).map(SecretString::from)
    }
}

#[cfg(test)]
mod tests;
