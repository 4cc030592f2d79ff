//! One connection to a message centre.

mod connect;
mod keep;
mod reader;
mod writer;

pub(crate) use self::{
    connect::Connector,
    keep::{Failure, Keeper, LineState, Role},
    reader::Incoming,
    writer::{Line, LineError},
};
