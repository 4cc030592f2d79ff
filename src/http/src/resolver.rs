//! Name look-up that gives out public addresses only.
//!
//! The addresses that pass here are the ones connected to. A name that answers differently the
//! second time (DNS rebinding) gains nothing: there is no second time between check and connection.

use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::is_public;

/// The name leads to addresses in private networks only.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the name leads into a private network")]
pub(crate) struct AddressRefused;

/// The system's look-up, without the addresses in private networks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PublicResolver;

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public = public_only(found)?;
            let addresses: Addrs = Box::new(public.into_iter());
            Ok(addresses)
        })
    }
}

/// Leaves the public addresses; an error when there were others only.
fn public_only(found: impl Iterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>, AddressRefused> {
    let mut refused = false;
    let public: Vec<SocketAddr> = found
        .filter(|address| {
            let public = is_public(address.ip());
            refused |= !public;
            public
        })
        .collect();
    if public.is_empty() && refused {
        Err(AddressRefused)
    } else {
        Ok(public)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_of_a_name_are_used() {
        let all = ["10.0.0.1:0", "8.8.8.8:0", "[::1]:0"].map(|text| text.parse().expect("address"));
        let public = public_only(all.into_iter()).expect("one is public");
        assert_eq!(public, ["8.8.8.8:0".parse().expect("address")]);
        assert!(public_only([all[0], all[2]].into_iter()).is_err());
    }
}
