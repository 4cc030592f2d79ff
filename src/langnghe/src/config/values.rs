//! Values that are more than TOML's own: times, sizes, addresses, paths.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use langnghe_flow::reader::{At, parse_duration};
use url::Url;

use super::reader::Section;

/// Reads `512`, `64KiB`, `4MiB`, `10GiB`.
pub(crate) fn parse_size(text: &str) -> Option<u64> {
    let digits = text
        .find(|character: char| !character.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let shift = match unit.trim_start() {
        "" | "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        _ => return None,
    };
    number.checked_mul(1 << shift)
}

impl Section<'_> {
    /// A time between two bounds, if it is there.
    pub(crate) fn duration(
        &self,
        key: &'static str,
        least: Duration,
        most: Duration,
    ) -> Option<Duration> {
        let text = self.text(key)?;
        let duration = self.read_duration(key, &text)?;
        if (least..=most).contains(&duration) {
            return Some(duration);
        }
        self.error(
            "config::range",
            format!("`{key}` is out of range"),
            text.span,
            "out of range",
            format!("{} to {} is possible", show(least), show(most)),
        );
        None
    }

    /// A list of times, if it is there.
    pub(crate) fn durations(&self, key: &'static str) -> Option<Vec<Duration>> {
        self.key(key)?;
        let texts = self.texts(key);
        let count = texts.len();
        let durations: Vec<_> = texts
            .iter()
            .filter_map(|text| self.read_duration(key, text))
            .collect();
        (durations.len() == count).then_some(durations)
    }

    fn read_duration(&self, key: &str, text: &At<String>) -> Option<Duration> {
        let duration = parse_duration(&text.value);
        if duration.is_none() {
            self.error(
                "config::duration",
                format!("`{key}` is not a time"),
                text.span.clone(),
                "not a time",
                "write a number and a unit: \"500ms\", \"60s\", \"5m\", \"2h\", \"7d\"",
            );
        }
        duration
    }

    /// A number of bytes between two bounds, if it is there.
    pub(crate) fn size(&self, key: &'static str, least: u64, most: u64) -> Option<u64> {
        let text = self.text(key)?;
        let size = parse_size(&text.value);
        let within = size.filter(|size| (least..=most).contains(size));
        if within.is_none() {
            let label = if size.is_none() {
                "not a size".to_owned()
            } else {
                format!("{least} to {most} bytes are possible")
            };
            self.error(
                "config::size",
                format!("`{key}` is not a possible size"),
                text.span,
                label,
                "write a number and a unit: \"64KiB\", \"4MiB\", \"10GiB\"",
            );
        }
        within
    }

    /// A web address, if it is there.
    pub(crate) fn url(&self, key: &'static str) -> Option<At<Url>> {
        let text = self.text(key)?;
        let reason = match Url::parse(&text.value) {
            Ok(url) if !matches!(url.scheme(), "http" | "https") => {
                "only http and https are possible".to_owned()
            }
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                "an address holds no user and no password".to_owned()
            }
            Ok(url) => return Some(text.map(|_| url)),
            Err(error) => error.to_string(),
        };
        self.error(
            "config::url",
            format!("`{key}` is not a web address"),
            text.span,
            reason,
            "write it whole: \"https://gop-y.example.vn\"",
        );
        None
    }

    /// A web address that must be there.
    pub(crate) fn required_url(&self, key: &'static str, example: &str) -> Option<At<Url>> {
        if self.has(key) {
            self.url(key)
        } else {
            self.missing(key, example)
        }
    }

    /// A path, taken from the folder of the configuration.
    pub(crate) fn path(&self, key: &'static str, folder: &Path) -> Option<PathBuf> {
        self.text(key).map(|text| folder.join(text.value))
    }
}

/// A time as the configuration writes it.
fn show(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{}ms", duration.as_millis()),
        _ if seconds.is_multiple_of(86_400) => format!("{}d", seconds / 86_400),
        _ if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        _ if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_they_are_written() {
        assert_eq!(parse_size("4MiB"), Some(4 << 20));
        assert_eq!(parse_size("512"), Some(512));
        for bad in ["", "4MB", "big", "99999999999GiB"] {
            assert_eq!(parse_size(bad), None, "{bad}");
        }
    }
}
