//! SMPP 3.4 on the wire: frames, the operations that an account uses, and optional parameters.
//!
//! Reading is lenient: an operation of which something is missing, too long or out of place gives
//! what can be read of it with a list of [`Defect`]s, as a message centre sends what we refused again
//! for days. Writing is strict: what breaks a limit of the standard is not written.

mod bind;
mod command;
mod fields;
mod frame;
mod message;
mod optional;
mod status;
#[cfg(test)]
mod tests;

pub(crate) use self::{
    bind::{Bind, BindAnswer, BindKind},
    command::Command,
    fields::Malformed,
    frame::{Frame, FrameCodec, FrameError},
    message::{Address, ShortMessage, message_id},
    optional::{Optional, Tag},
    status::{Class, Status},
};
