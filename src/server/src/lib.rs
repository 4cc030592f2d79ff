//! One replica: the loops (accept, worker, sender, forwarder, timers, sweep), the routes, limits and
//! metrics.
//!
//! The loops wait, retry and fail; what they call (`connector.receive`, `library.step`, rendering,
//! [`next_delay`]) is pure.

mod album;
mod api_token;
mod channel_state;
pub mod clock;
mod contact;
pub mod crash;
mod envelope;
mod flood;
mod forwarder;
mod host;
mod http_server;
mod installation_key;
mod intake;
mod media;
mod metrics;
mod news;
mod notice_request;
mod notices;
mod ownership;
mod parts;
mod pause;
mod planner;
mod quota;
mod retry;
mod routes;
mod sender;
mod setback;
mod settings;
mod shared_folder;
mod sweep;
mod timers;
mod trouble;
mod turn;
mod versions;
mod worker;

pub use api_token::ApiToken;
pub use channel_state::CommandHost;
pub use installation_key::InstallationKey;
pub use media::{MediaPlace, MediaUnknown, PlaceRefused, S3Settings, ScanSettings, look_for_media};
pub use notice_request::{
    NOTICE_TEXT, NoticeProblem, NoticeRequest, NoticeState, TakenNotice, notice_states, take_notice,
};
pub use notices::NoticePolicy;
use notices::notice_event;
pub use parts::{ChannelParts, Parts, ServeError, serve};
pub use planner::{QuietHours, QuietHoursError};
pub use retry::next_delay;
pub use settings::{Flood, MediaSettings, RetrySchedule, Settings};
pub use versions::keep_versions;
