use langnghe_connector::Connector;
use langnghe_http::{ClientSettings, GuardedClient};
use langnghe_model::ChannelId;

use crate::{Config, ConfigError, Mode, Telegram};

const TOKEN: &str = "700700:EXAMPLE-token_1";

fn config() -> Config {
    let channel = ChannelId::new("bot").expect("a good id");
    Config::new(channel, TOKEN.into())
}

fn client() -> GuardedClient {
    GuardedClient::new(&ClientSettings::default()).expect("a client")
}

#[test]
fn a_configuration_that_cannot_work_is_refused() {
    for token in [
        "",
        "700700",
        ":x",
        "700700:",
        "7a:x",
        "700700:x/y",
        "700700:x y",
    ] {
        let config = Config {
            token: token.into(),
            ..config()
        };
        let error = Telegram::new(config, client()).err();
        assert_eq!(error, Some(ConfigError::Token), "{token:?}");
    }
    for secret in ["", "short", "with a blank", &"a".repeat(257)] {
        let mode = Mode::Webhook {
            secret: secret.into(),
        };
        let error = Telegram::new(Config { mode, ..config() }, client()).err();
        assert_eq!(error, Some(ConfigError::WebhookSecret), "{secret:?}");
    }
    for address in [
        "",
        "api.telegram.org",
        "ftp://api.telegram.org",
        "http://169.254.169.254",
    ] {
        let config = Config {
            api_base: address.to_owned(),
            ..config()
        };
        let error = Telegram::new(config, client()).err();
        assert!(
            matches!(error, Some(ConfigError::Address(_))),
            "{address}: {error:?}"
        );
    }
    Telegram::new(config(), client()).expect("Telegram's own address");
}

#[test]
fn nothing_secret_is_printed() {
    let telegram = Telegram::new(config(), client()).expect("a good configuration");
    let printed = format!("{telegram:?} {:?} {:?}", config(), telegram.capabilities());
    assert!(!printed.contains("EXAMPLE"), "{printed}");
}
