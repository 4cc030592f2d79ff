//! The one line that chooses the cryptography under TLS.

/// Makes ring the cryptography under TLS, if none is chosen yet. Calling it again changes nothing.
///
/// [`crate::GuardedClient::new`] calls it; anything else that speaks TLS (a database client) needs it
/// called first.
pub fn install_crypto_provider() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // An error means that another thread was faster, which is as good.
        let _installed_elsewhere = rustls::crypto::ring::default_provider().install_default();
    }
}
