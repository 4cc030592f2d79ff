//! `provider = "…"`: who carries the messages. One function a provider reads into its own configuration;
//! where our webhook lies is filled in when all is known.

use std::time::Duration;

use langnghe_flow::reader::nearest;
use langnghe_sms::{
    AndroidConfig, EsmsConfig, SpeedSmsConfig, TwilioConfig, http::HttpConfig, smpp::SmppConfig,
};
use secrecy::SecretString;

use super::{super::Reading, http, smpp};

/// Who carries the messages.
#[derive(Debug)]
pub(crate) enum SmsProvider {
    /// Twilio, or whoever speaks like it.
    Twilio(TwilioConfig),
    /// eSMS.vn.
    Esms(EsmsConfig),
    /// SpeedSMS.vn.
    SpeedSms(SpeedSmsConfig),
    /// A phone with a SIM card.
    Android(AndroidConfig),
    /// Any other, as the configuration describes it.
    Http(Box<HttpConfig>),
    /// An operator's message centre.
    Smpp(Box<SmppConfig>),
}

impl SmsProvider {
    /// Whether the webhook's path ends in a secret.
    pub(crate) fn has_token(&self) -> bool {
        match self {
            Self::Esms(_) | Self::SpeedSms(_) => true,
            Self::Http(http) => http.webhook_token.is_some(),
            Self::Twilio(_) | Self::Android(_) | Self::Smpp(_) => false,
        }
    }
}

/// The providers of this version.
const PROVIDERS: [&str; 6] = ["twilio", "esms", "speedsms", "android", "http", "smpp"];

pub(super) fn read(reading: &Reading<'_, '_>) -> Option<SmsProvider> {
    let section = reading.section;
    let name = section.required("provider", "\"esms\"")?;
    match name.value.as_str() {
        "twilio" => twilio(reading).map(SmsProvider::Twilio),
        "esms" => esms(reading).map(SmsProvider::Esms),
        "speedsms" => speedsms(reading).map(SmsProvider::SpeedSms),
        "android" => android(reading).map(SmsProvider::Android),
        "smpp" => smpp::read(reading).map(|smpp| SmsProvider::Smpp(Box::new(smpp))),
        "http" => http::read(reading).map(|http| SmsProvider::Http(Box::new(http))),
        other => {
            let help = nearest(other, PROVIDERS).map_or_else(
                || format!("this version has {}", PROVIDERS.join(", ")),
                |known| format!("did you mean \"{known}\"?"),
            );
            section.error(
                "config::sms-provider",
                format!("there is no provider of SMS called `{other}`"),
                name.span,
                "not known",
                help,
            );
            None
        }
    }
}

/// What all have.
struct Usual {
    api_base: Option<String>,
    timeout: Option<Duration>,
}

fn usual(reading: &Reading<'_, '_>) -> Usual {
    let section = reading.section;
    let api_base = section.url("api_base");
    Usual {
        api_base: api_base.map(|url| url.value.as_str().trim_end_matches('/').to_owned()),
        timeout: section.duration("timeout", Duration::from_secs(1), Duration::from_mins(1)),
    }
}

pub(super) fn optional_secret(
    reading: &Reading<'_, '_>,
    key: &'static str,
) -> Option<SecretString> {
    let section = reading.section;
    let present = section.has(key);
    present
        .then(|| section.secret(key, reading.surroundings))
        .flatten()
}

fn twilio(reading: &Reading<'_, '_>) -> Option<TwilioConfig> {
    let section = reading.section;
    let account = section.required("account_sid", "\"AC…\"");
    let token = section.secret("auth_token", reading.surroundings);
    let sender = section.required("sender", "\"+842871234567\"");
    let usual = usual(reading);
    let mut config = TwilioConfig::new(account?.value, token?, sender?.value, String::new());
    config.api_base = usual.api_base.unwrap_or(config.api_base);
    config.timeout = usual.timeout.unwrap_or(config.timeout);
    Some(config)
}

fn esms(reading: &Reading<'_, '_>) -> Option<EsmsConfig> {
    let (section, surroundings) = (reading.section, reading.surroundings);
    let api_key = section.secret("api_key", surroundings);
    let secret_key = section.secret("secret_key", surroundings);
    let webhook_token = section.secret("webhook_token", surroundings);
    let private_key = optional_secret(reading, "private_key");
    let sender = section.text("sender").map(|text| text.value);
    let sms_type = section.one_of("sms_type", &[("brandname", 2), ("fixed", 8)]);
    let sandbox = section.boolean("sandbox").unwrap_or(false);
    let usual = usual(reading);
    let mut config = EsmsConfig::new(api_key?, secret_key?, webhook_token?, String::new());
    config.private_key = private_key;
    config.sender = sender;
    config.sms_type = sms_type.unwrap_or(config.sms_type);
    config.sandbox = sandbox;
    config.api_base = usual.api_base.unwrap_or(config.api_base);
    config.timeout = usual.timeout.unwrap_or(config.timeout);
    Some(config)
}

fn speedsms(reading: &Reading<'_, '_>) -> Option<SpeedSmsConfig> {
    let (section, surroundings) = (reading.section, reading.surroundings);
    let access_token = section.secret("access_token", surroundings);
    let webhook_token = section.secret("webhook_token", surroundings);
    let sender = section.text("sender").map(|text| text.value);
    let words = [
        ("random", 2),
        ("brandname", 3),
        ("notify", 4),
        ("device", 5),
    ];
    let sms_type = section.one_of("sms_type", &words);
    let usual = usual(reading);
    let mut config = SpeedSmsConfig::new(access_token?, webhook_token?);
    config.sender = sender;
    config.sms_type = sms_type.unwrap_or(config.sms_type);
    config.api_base = usual.api_base.unwrap_or(config.api_base);
    config.timeout = usual.timeout.unwrap_or(config.timeout);
    Some(config)
}

fn android(reading: &Reading<'_, '_>) -> Option<AndroidConfig> {
    let (section, surroundings) = (reading.section, reading.surroundings);
    let username = section.required("username", "\"sms\"");
    let password = section.secret("password", surroundings);
    let signing_key = section.secret("signing_key", surroundings);
    let sim = section
        .count("sim", 1, 4)
        .and_then(|number| u8::try_from(number).ok());
    let keep = section.duration("keep", Duration::from_mins(1), Duration::from_hours(24 * 7));
    let usual = usual(reading);
    let mut config = AndroidConfig::new(username?.value, password?, signing_key?, String::new());
    config.sim = sim;
    config.keep = keep.unwrap_or(config.keep);
    config.api_base = usual.api_base.unwrap_or(config.api_base);
    config.timeout = usual.timeout.unwrap_or(config.timeout);
    Some(config)
}
