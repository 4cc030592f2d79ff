//! Why a request brought no usable answer, in words that quote nothing.

use std::{error::Error, io};

use crate::{permission::Withdrawn, resolver::AddressRefused};

/// Why a request brought no usable answer. Never holds an address, a header or a piece of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError {
    /// The address is not an `http` or `https` URL.
    #[error("not an http or https URL")]
    Url,
    /// The address lies in a private network, and that is not allowed here.
    #[error("the address lies in a private network; set allow_private to reach it")]
    PrivateAddress,
    /// The request could not be put together, for example for a header with a line break.
    #[error("the request cannot be built")]
    Request,
    /// The client could not be made.
    #[error("the HTTP client cannot be made")]
    Client,
    /// The name is unknown, or could not be looked up.
    #[error("name not found")]
    Name,
    /// The other side's certificate is not to be trusted, or TLS failed in another way.
    #[error("TLS failure")]
    Tls,
    /// No connection: refused, unreachable, or not within the time for connecting.
    #[error("no connection")]
    Connect,
    /// No whole answer in time.
    #[error("time-out")]
    Timeout,
    /// The connection broke, or what came over it was no HTTP.
    #[error("connection lost")]
    Lost,
    /// The body is larger than the bound.
    #[error("body too large")]
    TooLarge,
    /// Not sent, as the permission to send had ended; see [`with_permission`](crate::with_permission).
    #[error("not allowed to send any more")]
    Withdrawn,
}

impl From<reqwest::Error> for HttpError {
    fn from(error: reqwest::Error) -> Self {
        let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
        while let Some(layer) = cause {
            if layer.is::<AddressRefused>() {
                return Self::PrivateAddress;
            }
            if layer.is::<Withdrawn>() {
                return Self::Withdrawn;
            }
            if layer.is::<rustls::Error>() || is_tls_inside_io(layer) {
                return Self::Tls;
            }
            cause = layer.source();
        }
        match () {
            () if error.is_builder() => Self::Request,
            () if error.is_dns() => Self::Name,
            () if error.is_connect() => Self::Connect,
            () if error.is_timeout() => Self::Timeout,
            () => Self::Lost,
        }
    }
}

/// An I/O error names its inner error by `get_ref`, not as its source, and can hold another.
fn is_tls_inside_io(error: &(dyn Error + 'static)) -> bool {
    let mut io_error = error.downcast_ref::<io::Error>();
    while let Some(inner) = io_error.and_then(io::Error::get_ref) {
        if inner.is::<rustls::Error>() {
            return true;
        }
        io_error = inner.downcast_ref();
    }
    false
}
