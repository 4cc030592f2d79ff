use http::{HeaderMap, HeaderValue};
use langnghe_connector::{Connector, signature::HmacSha256Key};
use langnghe_http::{ClientSettings, GuardedClient};
use langnghe_model::ChannelId;

use super::usage::Usage;
use crate::{Config, ConfigError, Messenger};

fn config() -> Config {
    let channel = ChannelId::new("page").expect("a good id");
    Config::new(
        channel,
        "example-secret".into(),
        "example-verify".into(),
        "EXAMPLETOKEN".into(),
    )
}

fn client() -> GuardedClient {
    GuardedClient::new(&ClientSettings::default()).expect("a client")
}

#[test]
fn a_configuration_that_cannot_work_is_refused() {
    let refused = |change: fn(&mut Config)| {
        let mut config = config();
        change(&mut config);
        Messenger::new(config, client())
            .expect_err("refused")
            .to_string()
    };
    assert_eq!(
        refused(|config| config.app_secrets.clear()),
        "app_secret is empty"
    );
    assert_eq!(
        refused(|config| config.app_secrets = vec![" ".into()]),
        "app_secret is empty"
    );
    assert_eq!(
        refused(|config| config.app_secrets.push("".into())),
        "app_secret is empty"
    );
    assert_eq!(
        refused(|config| config.verify_token = "".into()),
        "verify_token is empty"
    );
    assert_eq!(
        refused(|config| config.access_token = "".into()),
        "access_token is empty"
    );
    for version in ["", "v", "26.0", "latest", "v26.0/me"] {
        let config = Config {
            version: version.to_owned(),
            ..config()
        };
        assert_eq!(
            Messenger::new(config, client()).err(),
            Some(ConfigError::Version)
        );
    }
    for address in [
        "",
        "graph.facebook.com",
        "ftp://graph.facebook.com",
        "http://169.254.169.254",
    ] {
        let config = Config {
            api_base: address.to_owned(),
            ..config()
        };
        let error = Messenger::new(config, client()).err();
        assert!(
            matches!(error, Some(ConfigError::Address(_))),
            "{address}: {error:?}"
        );
    }
    Messenger::new(config(), client()).expect("Meta's own address");
}

#[test]
fn nothing_secret_is_printed() {
    let messenger = Messenger::new(config(), client()).expect("a good configuration");
    let key = HmacSha256Key::new(b"example-secret");
    let printed = format!(
        "{messenger:?} {:?} {key:?} {:?}",
        config(),
        messenger.capabilities()
    );
    assert!(
        !printed.contains("example-") && !printed.contains("EXAMPLE"),
        "{printed}"
    );
}

#[test]
fn the_largest_share_of_the_allowance_is_told() {
    let usage = Usage::new();
    let mut headers = HeaderMap::new();
    usage.note(&headers);
    assert_eq!(usage.percent(), None);
    for (header, percent) in [
        (
            r#"{"call_count":28,"total_time":25,"total_cputime":95}"#,
            Some(95),
        ),
        (r#"{"call_count":12.7}"#, Some(12)),
        ("soon", Some(12)),
        (r#"{"call_count":100000,"total_time":-1}"#, Some(254)),
    ] {
        headers.insert("x-app-usage", HeaderValue::from_static(header));
        usage.note(&headers);
        assert_eq!(usage.percent(), percent, "{header}");
    }
}
