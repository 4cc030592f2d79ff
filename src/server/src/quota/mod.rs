//! Keeps a channel inside every limit of its provider.
//!
//! The rules come from [`Connector::quotas`](langnghe_connector::Connector::quotas) and the
//! configuration. A [`Book`] keeps them for one channel: `governor` spaces what is sent, a window over what was
//! sent keeps the limit itself, a [`Journal`] remembers long rules in the store, and what the provider tells makes the pace slower for a while.

mod book;
mod hint;
mod journal;
mod keeper;
mod kept;
mod lane;
mod pace;
mod record;
mod rest;
mod state;
#[cfg(test)]
mod tests;
mod window;

pub(crate) use self::{
    book::{Book, Later, Ticket},
    journal::Journal,
    keeper::Keeper,
    rest::Rest,
    state::{Allowance, ChannelQuotas, QuotaState},
};
