//! The contract suite on Redis, on Valkey and on a cluster.

use langnghe_store::contract_suite;
use langnghe_tests::{redis::Product, stores};

mod redis {
    use super::*;

    contract_suite!(stores::server(Product::Redis));
}

mod cluster {
    use super::*;

    contract_suite!(stores::cluster());
}

#[cfg(feature = "valkey")]
mod valkey {
    use super::*;

    contract_suite!(stores::server(Product::Valkey));
}
