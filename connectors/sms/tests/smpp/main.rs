//! A channel over SMPP against a message centre's stand-in, without the rest of the program.

mod after_a_crash;
mod any_octets;
mod coming_in;
mod going_out;
mod octets;
mod stage;
