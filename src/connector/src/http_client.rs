//! The one way to build an HTTP client: timeouts, bounded bodies, no redirects, private addresses
//! refused unless allowed.
