//! SMS: over the HTTP gateways that Vietnamese agencies use, over a phone with a SIM card, and over
//! SMPP.
//!
//! [`Sms`] is one channel. What is the same for all of them is here: numbers in E.164, the keyword of
//! a short code, the words by which citizens refuse notices, and what a text costs. Who carries the
//! messages is a [`Provider`].
//!
//! A citizen is their number in E.164. What comes from a sender that is no number (a bank, the
//! network, a short code) is kept for the operator as an unknown event, and never answered.

mod android;
mod api;
mod config;
mod connector;
mod esms;
pub mod http;
mod inbound;
mod keyword;
mod law;
mod moment;
mod provider;
pub mod smpp;
mod speedsms;
mod twilio;

pub use android::{Android, AndroidConfig};
pub use api::ConfigError;
pub use config::Config;
pub use connector::{Sms, capabilities};
pub use esms::{Esms, EsmsConfig};
pub use keyword::Keyword;
pub use provider::{
    Delivery, Inbound, IncomingMessage, Intake, OutgoingText, Provider, Report, ReportState,
    derived_id,
};
pub use speedsms::{SpeedSms, SpeedSmsConfig};
pub use twilio::{Twilio, TwilioConfig};
