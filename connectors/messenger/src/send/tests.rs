use langnghe_connector::{Connector, signature::HmacSha256Key};
use langnghe_http::{ClientSettings, GuardedClient};
use langnghe_model::ChannelId;

use crate::{App, AppError, Config, Messenger};

fn config() -> Config {
    let channel = ChannelId::new("page").expect("a good id");
    Config::new(
        channel,
        App::new(
            "example-secret".into(),
            "example-verify".into(),
            "EXAMPLETOKEN".into(),
        ),
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
        refused(|config| config.app.secrets.clear()),
        "app_secret is empty"
    );
    assert_eq!(
        refused(|config| config.app.secrets = vec![" ".into()]),
        "app_secret is empty"
    );
    assert_eq!(
        refused(|config| config.app.secrets.push("".into())),
        "app_secret is empty"
    );
    assert_eq!(
        refused(|config| config.app.verify_token = "".into()),
        "verify_token is empty"
    );
    assert_eq!(
        refused(|config| config.app.access_token = "".into()),
        "access_token is empty"
    );
    for version in ["", "v", "26.0", "latest", "v26.0/me"] {
        let mut config = config();
        version.clone_into(&mut config.app.version);
        assert_eq!(
            Messenger::new(config, client()).err(),
            Some(AppError::Version)
        );
    }
    for address in [
        "",
        "graph.facebook.com",
        "ftp://graph.facebook.com",
        "http://169.254.169.254",
    ] {
        let mut config = config();
        address.clone_into(&mut config.app.api_base);
        let error = Messenger::new(config, client()).err();
        assert!(
            matches!(error, Some(AppError::Address(_))),
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
