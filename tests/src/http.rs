//! The tests' own HTTP client.

use std::time::Duration;

/// A client that waits at most ten seconds and follows nowhere. Each test has its own: a pooled
/// connection belongs to the runtime that opened it.
pub fn client() -> reqwest::Client {
    // Somebody else in the process may have chosen it before: the choice is the same.
    drop(rustls::crypto::ring::default_provider().install_default());
    #[expect(
        clippy::disallowed_methods,
        reason = "the tests speak to loopback, unguarded"
    )]
    let builder = reqwest::Client::builder();
    builder
        .timeout(Duration::from_secs(10))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .expect("a client")
}
