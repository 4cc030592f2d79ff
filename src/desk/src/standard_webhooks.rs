//! Signatures as the Standard Webhooks specification 1.0 writes them, symmetric form.
//!
//! What is signed is `{webhook-id}.{webhook-timestamp}.{body}`, with HMAC-SHA256; the header
//! `webhook-signature` lists `v1,{base64}` once for each secret, so that a secret can be replaced
//! without a gap: both sides hold the old and the new one for a while.
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use std::{fmt, ops::RangeInclusive, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use langnghe_model::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// The header that names the event over all attempts.
pub const ID_HEADER: &str = "webhook-id";
/// The header with the time of this attempt, in seconds since 1970.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// The header with the signatures, separated by spaces.
pub const SIGNATURE_HEADER: &str = "webhook-signature";

/// How far a timestamp may lie from now, as the reference libraries have it.
pub const TOLERANCE: Duration = Duration::from_mins(5);

const SECRET_PREFIX: &str = "whsec_";
const SIGNATURE_PREFIX: &str = "v1,";
const KEY_BYTES: RangeInclusive<usize> = 24..=64;
/// More signatures than anyone's rotation needs; a stranger's longer header is not worth the work.
const MOST_SIGNATURES: usize = 10;

/// Why a text is no signing secret. Quotes nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a webhook secret is `whsec_` and then 24 to 64 random bytes in base64")]
pub struct SecretError;

/// Why a request is not what a holder of the secret sent just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// A header is missing or malformed.
    #[error("a webhook header is missing or malformed")]
    Header,
    /// It was signed too long ago, or lies in the future.
    #[error("the timestamp is too far from now")]
    Timestamp,
    /// No signature is right.
    #[error("wrong signature")]
    Signature,
}

/// A signing secret, ready for use. Never printed.
#[derive(Clone)]
pub struct SigningKey(Hmac<Sha256>);

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SigningKey(…)")
    }
}

impl SigningKey {
    /// Reads `whsec_` and base64.
    ///
    /// # Errors
    /// [`SecretError`], also for a secret that is shorter than the specification allows.
    pub fn parse(secret: &SecretString) -> Result<Self, SecretError> {
        let encoded = secret
            .expose_secret()
            .trim()
            .strip_prefix(SECRET_PREFIX)
            .ok_or(SecretError)?;
        let key = STANDARD.decode(encoded).map_err(|_| SecretError)?;
        if !KEY_BYTES.contains(&key.len()) {
            return Err(SecretError);
        }
        Hmac::new_from_slice(&key)
            .map(Self)
            .map_err(|_| SecretError)
    }

    /// Writes a secret from random bytes, for whoever sets up both sides.
    pub fn write_secret(random: &[u8; 32]) -> SecretString {
        format!("{SECRET_PREFIX}{}", STANDARD.encode(random)).into()
    }

    /// The signature over one attempt: `v1,{base64}`. `id` holds no full stop.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let signature = self.mac(id, timestamp, body).finalize().into_bytes();
        format!("{SIGNATURE_PREFIX}{}", STANDARD.encode(signature))
    }

    fn mac(&self, id: &str, timestamp: i64, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        mac
    }
}

/// The value of `webhook-signature`: one signature for each key.
pub fn signature_header(keys: &[SigningKey], id: &str, timestamp: i64, body: &[u8]) -> String {
    let signatures: Vec<String> = keys
        .iter()
        .map(|key| key.sign(id, timestamp, body))
        .collect();
    signatures.join(" ")
}

/// Whether a request was signed with one of `keys` around `now`; gives back its `webhook-id`.
///
/// # Errors
/// [`VerifyError`].
pub fn verify<'a>(
    keys: &[SigningKey],
    headers: &'a HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<&'a str, VerifyError> {
    let header = |name| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value
            .filter(|value| !value.is_empty())
            .ok_or(VerifyError::Header)
    };
    let id = header(ID_HEADER)?;
    let signatures = header(SIGNATURE_HEADER)?;
    let timestamp: i64 = header(TIMESTAMP_HEADER)?
        .parse()
        .map_err(|_| VerifyError::Header)?;
    if now.as_seconds().abs_diff(timestamp) > TOLERANCE.as_secs() {
        return Err(VerifyError::Timestamp);
    }
    let right = signatures
        .split(' ')
        .take(MOST_SIGNATURES)
        .any(|signature| {
            let encoded = signature.strip_prefix(SIGNATURE_PREFIX);
            let bytes = encoded.and_then(|encoded| STANDARD.decode(encoded).ok());
            // `verify_slice` takes as long for a wrong signature.
            let matches = |key: &SigningKey, bytes: &[u8]| {
                key.mac(id, timestamp, body).verify_slice(bytes).is_ok()
            };
            bytes.is_some_and(|bytes| keys.iter().any(|key| matches(key, &bytes)))
        });
    if right {
        Ok(id)
    } else {
        Err(VerifyError::Signature)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{SystemTime, UNIX_EPOCH};

    use http::{HeaderName, HeaderValue};
    use proptest::prelude::*;
    use standardwebhooks::Webhook;

    use super::*;

    /// The example of the specification's own libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn key(secret: &str) -> SigningKey {
        SigningKey::parse(&secret.to_owned().into()).expect("a secret")
    }

    fn other_secret() -> String {
        SigningKey::write_secret(&[7; 32])
            .expose_secret()
            .to_owned()
    }

    /// The other library reads the clock itself.
    fn now() -> Timestamp {
        #[expect(
            clippy::disallowed_methods,
            reason = "the reference library reads the clock too"
        )]
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970");
        Timestamp::default() + since_epoch
    }

    fn headers(id: &str, timestamp: i64, signature: &str) -> HeaderMap {
        let pairs = [
            (ID_HEADER, id.to_owned()),
            (TIMESTAMP_HEADER, timestamp.to_string()),
            (SIGNATURE_HEADER, signature.to_owned()),
        ];
        let header = |(name, value): (&'static str, String)| {
            (
                HeaderName::from_static(name),
                HeaderValue::try_from(value).expect("a value"),
            )
        };
        pairs.into_iter().map(header).collect()
    }

    #[test]
    fn the_vector_of_the_reference_library_comes_out() {
        let signature = key(SECRET).sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            b"{\"test\": 2432232314}",
        );
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn secrets_that_are_none_are_refused_and_none_is_printed() {
        for bad in [
            "",
            "whsec_",
            "whsec_c2hvcnQ=",
            "whsec_%%%",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ] {
            assert_eq!(
                SigningKey::parse(&bad.to_owned().into()).map(|_| ()),
                Err(SecretError),
                "{bad}"
            );
        }
        assert_eq!(format!("{:?}", key(SECRET)), "SigningKey(…)");
        assert!(
            SigningKey::parse(&format!("  {SECRET}\n").into()).is_ok(),
            "as a file holds it"
        );
    }

    #[test]
    fn while_secrets_are_exchanged_either_side_may_be_first() {
        let now = now();
        let (old, new) = (key(SECRET), key(&other_secret()));
        let header = signature_header(&[old.clone(), new.clone()], "t-1", now.as_seconds(), b"{}");
        let headers = headers("t-1", now.as_seconds(), &header);
        for receiver in [&old, &new] {
            assert_eq!(
                verify(std::slice::from_ref(receiver), &headers, b"{}", now),
                Ok("t-1")
            );
        }
        for secret in [SECRET, &other_secret()] {
            Webhook::new(secret)
                .expect("a secret")
                .verify(b"{}", &headers)
                .expect("it is signed");
        }
    }

    #[test]
    fn what_is_late_early_or_lacks_a_header_is_refused() {
        let now = now();
        let key = [key(SECRET)];
        for (shift, result) in [
            (0, Ok("t")),
            (-300, Ok("t")),
            (300, Ok("t")),
            (-301, Err(VerifyError::Timestamp)),
            (301, Err(VerifyError::Timestamp)),
        ] {
            let timestamp = now.as_seconds() + shift;
            let headers = headers("t", timestamp, &key[0].sign("t", timestamp, b"x"));
            assert_eq!(verify(&key, &headers, b"x", now), result, "{shift}");
        }
        let whole = headers(
            "t",
            now.as_seconds(),
            &key[0].sign("t", now.as_seconds(), b"x"),
        );
        for name in [ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER] {
            let mut headers = whole.clone();
            headers.remove(name);
            assert_eq!(
                verify(&key, &headers, b"x", now),
                Err(VerifyError::Header),
                "{name}"
            );
        }
        for signature in ["v1", "v1,", "v2,AAAA", "v1,AAAA", ",", "v1a,AAAA"] {
            let headers = headers("t", now.as_seconds(), signature);
            assert_eq!(
                verify(&key, &headers, b"x", now),
                Err(VerifyError::Signature),
                "{signature}"
            );
        }
    }

    proptest! {
        /// What we sign, the reference library takes; what it signs, we take; what is changed on the
        /// way, neither takes.
        #[test]
        fn both_libraries_agree(id in "[A-Za-z0-9_-]{1,40}", body: String, flipped: usize, bit in 0..8_u8) {
            let now = now();
            let reference = Webhook::new(SECRET).expect("a secret");
            let ours = key(SECRET).sign(&id, now.as_seconds(), body.as_bytes());
            let theirs = reference.sign(&id, now.as_seconds(), body.as_bytes()).expect("text");
            prop_assert_eq!(&ours, &theirs);
            let headers = headers(&id, now.as_seconds(), &ours);
            prop_assert!(reference.verify(body.as_bytes(), &headers).is_ok());
            let keys = [key(SECRET)];
            prop_assert_eq!(verify(&keys, &headers, body.as_bytes(), now), Ok(id.as_str()));

            let mut tampered = body.clone().into_bytes();
            if tampered.is_empty() {
                tampered.push(b' ');
            } else {
                let place = flipped % tampered.len();
                tampered[place] ^= 1 << bit;
            }
            let refused = verify(&keys, &headers, &tampered, now);
            prop_assert_eq!(refused, Err(VerifyError::Signature));
            prop_assert!(reference.verify(&tampered, &headers).is_err());
            let stranger = [key(&other_secret())];
            prop_assert!(verify(&stranger, &headers, body.as_bytes(), now).is_err());
        }
    }
}
