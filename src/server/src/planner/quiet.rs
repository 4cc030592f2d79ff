//! Hours in which nobody is disturbed with what they did not ask for.

use std::str::FromStr;

use jiff::{civil::Time, tz::TimeZone};
use langnghe_model::Timestamp;

/// From one time of the day to another, the next day's where that is earlier, at a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuietHours {
    from: Time,
    to: Time,
    zone: TimeZone,
}

/// Why a text names no hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuietHoursError {
    /// It is not written as two times.
    #[error("write two times: \"21:00-07:00\"")]
    Form,
    /// Both times are the same.
    #[error("the two times are the same")]
    Empty,
    /// There is no such time zone.
    #[error("there is no such time zone; write one like \"Asia/Ho_Chi_Minh\"")]
    Zone,
}

impl QuietHours {
    /// Hours as `21:00-07:00`, in a time zone of the IANA database (`Asia/Ho_Chi_Minh`).
    ///
    /// # Errors
    /// [`QuietHoursError`].
    pub fn new(hours: &str, zone: &str) -> Result<Self, QuietHoursError> {
        let (from, to) = hours.split_once('-').ok_or(QuietHoursError::Form)?;
        let time = |text: &str| Time::from_str(text.trim()).map_err(|_| QuietHoursError::Form);
        let (from, to) = (time(from)?, time(to)?);
        if from == to {
            return Err(QuietHoursError::Empty);
        }
        let zone = TimeZone::get(zone).map_err(|_| QuietHoursError::Zone)?;
        Ok(Self { from, to, zone })
    }

    /// When the hours end in which `now` lies, if it lies in them.
    pub(crate) fn end_of_those_around(&self, now: Timestamp) -> Option<Timestamp> {
        let now = jiff::Timestamp::from_millisecond(now.as_milliseconds()).ok()?;
        let here = now.to_zoned(self.zone.clone()).datetime();
        let time = here.time();
        let overnight = self.to < self.from;
        let within = if overnight {
            time >= self.from || time < self.to
        } else {
            time >= self.from && time < self.to
        };
        if !within {
            return None;
        }
        let day = if overnight && time >= self.from {
            here.date().tomorrow().ok()?
        } else {
            here.date()
        };
        let end = day.to_datetime(self.to).to_zoned(self.zone.clone()).ok()?;
        let end = Timestamp::from_milliseconds(end.timestamp().as_millisecond());
        // Where clocks are put back within the hours, their end may come twice: the later one counts.
        Some(end)
    }
}
