//! SMS, whoever carries it.

use std::sync::Arc;

use langnghe_connector::Connector;
use langnghe_http::ClientSettings;
use langnghe_sms::{Android, Esms, Sms, SpeedSms, Twilio, http::HttpGateway, smpp::Smpp};

use crate::config::{ChannelConfig, Config, SmsConfig, SmsProvider};

pub(super) fn connector(
    config: &Config,
    channel: &ChannelConfig,
    settings: &SmsConfig,
) -> Result<Arc<dyn Connector>, String> {
    let mut sms = langnghe_sms::Config::new(channel.id.clone());
    sms.encoding = settings.encoding.unwrap_or(sms.encoding);
    sms.max_segments = settings.max_segments.unwrap_or(sms.max_segments);
    sms.keyword.clone_from(&settings.keyword);
    sms.parts_per_second = settings.parts_per_second.unwrap_or(sms.parts_per_second);
    let client = || super::client(ClientSettings::default().timeout, settings.allow_private);
    let base = config.public_url.as_str().trim_end_matches('/');
    let webhook_url = format!("{base}/webhooks/{}", channel.id);
    let made = match &settings.provider {
        SmsProvider::Smpp(smpp) => {
            let smpp = Smpp::new(smpp.as_ref().clone()).map_err(|error| error.to_string())?;
            return Ok(Arc::new(Sms::new(sms, smpp)));
        }
        SmsProvider::Twilio(twilio) => {
            let mut twilio = twilio.clone();
            twilio.webhook_url = webhook_url;
            Twilio::new(twilio, client()?).map(|twilio| Sms::new(sms, twilio))
        }
        SmsProvider::Esms(esms) => {
            let mut esms = esms.clone();
            esms.webhook_url = webhook_url;
            Esms::new(esms, client()?).map(|esms| Sms::new(sms, esms))
        }
        SmsProvider::SpeedSms(speedsms) => {
            SpeedSms::new(speedsms.clone(), client()?).map(|speedsms| Sms::new(sms, speedsms))
        }
        SmsProvider::Android(android) => {
            let mut android = android.clone();
            android.webhook_url = webhook_url;
            Android::new(android, client()?).map(|android| Sms::new(sms, android))
        }
        SmsProvider::Http(http) => {
            HttpGateway::new((**http).clone(), client()?).map(|gateway| Sms::new(sms, gateway))
        }
    };
    Ok(Arc::new(made.map_err(|error| error.to_string())?))
}
