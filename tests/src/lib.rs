//! The harness of the whole-system tests: the real program in a folder of its own, and stand-ins for
//! what it speaks to.

pub mod accessibility;
pub mod agency;
pub mod backing;
pub mod browser;
pub mod chaos;
pub mod chat_page;
pub mod citizen;
pub mod clock;
pub mod graph;
pub mod http;
pub mod installation;
pub mod json_schema;
pub mod load;
pub mod meta;
pub mod metrics;
pub mod news;
pub mod photo;
pub mod port;
pub mod program;
pub mod redis;
pub mod replica;
pub mod road;
pub mod s3;
pub mod seed;
mod served;
pub mod site;
pub mod sms;
pub mod smsc;
pub mod stores;
pub mod telegram;
pub mod visitor;
pub mod wait;
pub mod whatsapp;
pub mod wire;
pub mod zalo;
pub mod zalo_bot;

pub use graph::Graph;
pub use installation::Installation;
pub use replica::Replica;
pub use sms::speedsms;
