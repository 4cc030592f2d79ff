//! The engine and its checks, from outside.

mod answers;
mod checks;
mod citizen;
mod detours;
mod properties;
mod street;
mod versions;
