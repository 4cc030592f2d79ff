//! Values that are more than TOML's own: times, sizes, addresses, paths, secrets.

use std::{
    cell::RefCell,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use langnghe_model::problem::Source;
use secrecy::SecretString;
use url::Url;

use super::reader::{Placed, Reader, Section};

/// Where secrets come from.
pub(crate) trait Environment {
    /// The value of an environment variable.
    fn variable(&self, name: &str) -> Option<String>;
    /// Whether secrets are needed at all: commands that only look into the store do without.
    fn secrets_needed(&self) -> bool {
        true
    }
}

/// The process's own environment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ProcessEnvironment {
    /// False for commands that use no channel and no backend.
    pub(crate) secrets: bool,
}

impl Environment for ProcessEnvironment {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn secrets_needed(&self) -> bool {
        self.secrets
    }
}

/// What is around the file while it is read.
pub(crate) struct Surroundings<'a> {
    /// Where relative paths begin.
    pub(crate) folder: &'a Path,
    environment: &'a dyn Environment,
    /// Where secrets stand in the file itself.
    literal_secrets: RefCell<Vec<Range<usize>>>,
}

impl<'a> Surroundings<'a> {
    pub(crate) fn new(folder: &'a Path, environment: &'a dyn Environment) -> Self {
        Self {
            folder,
            environment,
            literal_secrets: RefCell::default(),
        }
    }

    /// The file with stars for the secrets that stand in it: problems are shown with the lines around
    /// them, and end in logs.
    pub(crate) fn mask(&self, source: &Arc<Source>) -> Arc<Source> {
        let spans = self.literal_secrets.borrow();
        if spans.is_empty() {
            return Arc::clone(source);
        }
        let mut text = source.text.clone();
        for span in spans.iter() {
            // Without its quotation marks; as many bytes as before, so that places stay right.
            let inner = span.start + 1..span.end.saturating_sub(1);
            if text.get(inner.clone()).is_some() {
                text.replace_range(inner.clone(), &"*".repeat(inner.len()));
            }
        }
        Source::new(source.path.clone(), text)
    }
}

/// Reads `500ms`, `60s`, `5m`, `2h`, `7d`.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let digits = text.find(|character: char| !character.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let seconds = |each: u64| number.checked_mul(each).map(Duration::from_secs);
    match unit {
        "ms" => Some(Duration::from_millis(number)),
        "s" => seconds(1),
        "m" => seconds(60),
        "h" => seconds(3600),
        "d" => seconds(86_400),
        _ => None,
    }
}

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
        let duration = read_duration(self.reader(), key, &text)?;
        if (least..=most).contains(&duration) {
            return Some(duration);
        }
        self.reader().error(
            "config::range",
            format!("`{key}` is out of range"),
            text.span,
            format!("{} to {} is possible", show(least), show(most)),
            "",
        );
        None
    }

    /// A list of times, if it is there.
    pub(crate) fn durations(&self, key: &'static str) -> Option<Vec<Duration>> {
        let texts = self.texts(key, false)?;
        let count = texts.len();
        let durations: Vec<_> = texts
            .iter()
            .filter_map(|text| read_duration(self.reader(), key, text))
            .collect();
        (durations.len() == count).then_some(durations)
    }

    /// A number of bytes between two bounds, if it is there.
    pub(crate) fn size(&self, key: &'static str, least: u64, most: u64) -> Option<u64> {
        let text = self.text(key)?;
        let size = parse_size(text.value);
        let within = size.filter(|size| (least..=most).contains(size));
        if within.is_none() {
            let label = if size.is_none() {
                "not a size".to_owned()
            } else {
                format!("{least} to {most} bytes are possible")
            };
            self.reader().error(
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
    pub(crate) fn url(&self, key: &'static str) -> Option<Placed<Url>> {
        let text = self.text(key)?;
        self.check_url(key, text)
    }

    /// A web address that must be there.
    pub(crate) fn required_url(&self, key: &'static str, example: &str) -> Option<Placed<Url>> {
        let text = self.required(key, example)?;
        self.check_url(key, text)
    }

    fn check_url(&self, key: &str, text: Placed<&str>) -> Option<Placed<Url>> {
        let Placed { value, span } = text;
        let reason = match Url::parse(value) {
            Ok(url) if !matches!(url.scheme(), "http" | "https") => {
                "only http and https are possible".to_owned()
            }
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                "an address holds no user and no password".to_owned()
            }
            Ok(url) => return Some(Placed { value: url, span }),
            Err(error) => error.to_string(),
        };
        self.reader().error(
            "config::url",
            format!("`{key}` is not a web address"),
            span,
            reason,
            "write it whole: \"https://gop-y.example.vn\"",
        );
        None
    }

    /// A path, taken from the folder of the configuration.
    pub(crate) fn path(&self, key: &'static str, folder: &Path) -> Option<PathBuf> {
        self.text(key).map(|text| folder.join(text.value))
    }

    /// A secret that must be there.
    pub(crate) fn secret(
        &self,
        key: &'static str,
        surroundings: &Surroundings<'_>,
    ) -> Option<SecretString> {
        let text = self.required(key, SECRET_EXAMPLE)?;
        resolve_secret(self.reader(), key, text, surroundings)
    }

    /// Secrets of which there must be at least one: a text or a list of texts.
    pub(crate) fn secrets(
        &self,
        key: &'static str,
        surroundings: &Surroundings<'_>,
    ) -> Option<Vec<SecretString>> {
        if !self.has(key) {
            self.required(key, SECRET_EXAMPLE);
            return None;
        }
        let texts = self.texts(key, true)?;
        if texts.is_empty() {
            self.reader().error(
                "config::secret",
                format!("`{key}` holds no secret"),
                self.place(key),
                "empty",
                format!("for example: {key} = {SECRET_EXAMPLE}"),
            );
            return None;
        }
        let count = texts.len();
        let secrets: Vec<_> = texts
            .into_iter()
            .filter_map(|text| resolve_secret(self.reader(), key, text, surroundings))
            .collect();
        (secrets.len() == count).then_some(secrets)
    }
}

const SECRET_EXAMPLE: &str = "\"env:NAME\" or \"file:PATH\"";

fn read_duration(reader: &Reader, key: &str, text: &Placed<&str>) -> Option<Duration> {
    let duration = parse_duration(text.value);
    if duration.is_none() {
        reader.error(
            "config::duration",
            format!("`{key}` is not a time"),
            text.span.clone(),
            "not a time",
            "write a number and a unit: \"500ms\", \"60s\", \"5m\", \"2h\", \"7d\"",
        );
    }
    duration
}

/// A time as the configuration writes it.
pub(crate) fn show(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{}ms", duration.as_millis()),
        _ if seconds.is_multiple_of(86_400) => format!("{}d", seconds / 86_400),
        _ if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        _ if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        _ => format!("{seconds}s"),
    }
}

/// Follows `env:NAME` and `file:PATH`. The secret's own text never becomes part of a problem.
fn resolve_secret(
    reader: &Reader,
    key: &str,
    text: Placed<&str>,
    surroundings: &Surroundings<'_>,
) -> Option<SecretString> {
    let Surroundings {
        folder,
        environment,
        ..
    } = surroundings;
    let Placed { value, span } = text;
    let (secret, missing, help) = if let Some(name) = value.strip_prefix("env:") {
        if !environment.secrets_needed() {
            return Some(SecretString::from(String::new()));
        }
        (
            environment.variable(name),
            format!("the environment has no variable {name}"),
            format!("set it before starting: export {name}=…"),
        )
    } else if let Some(path) = value.strip_prefix("file:") {
        if !environment.secrets_needed() {
            return Some(SecretString::from(String::new()));
        }
        let path = folder.join(path);
        let read = std::fs::read_to_string(&path);
        let missing = match &read {
            Err(error) => format!("cannot read {}: {error}", path.display()),
            Ok(_) => String::new(),
        };
        (
            read.ok()
                .map(|text| text.trim_end_matches(['\r', '\n']).to_owned()),
            missing,
            "the file holds the secret and nothing else; only the program's user may read it"
                .to_owned(),
        )
    } else {
        surroundings.literal_secrets.borrow_mut().push(span.clone());
        reader.warn(
            "config::literal-secret",
            format!("the secret `{key}` stands in the file itself"),
            span.clone(),
            "everybody who sees this file knows it",
            "write \"env:NAME\" or \"file:PATH\" instead",
        );
        (Some(value.to_owned()), String::new(), String::new())
    };
    match secret {
        Some(secret) if !secret.is_empty() => Some(SecretString::from(secret)),
        Some(_) => {
            reader.error(
                "config::secret",
                format!("the secret `{key}` is empty"),
                span,
                "empty",
                help,
            );
            None
        }
        None => {
            reader.error(
                "config::secret",
                format!("the secret `{key}` is missing"),
                span,
                missing,
                help,
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_read_as_they_are_written() {
        assert_eq!(parse_duration("500ms"), Some(Duration::from_millis(500)));
        assert_eq!(parse_duration("5m"), Some(Duration::from_mins(5)));
        assert_eq!(parse_duration("7d").map(show).as_deref(), Some("7d"));
        assert_eq!(parse_size("4MiB"), Some(4 << 20));
        assert_eq!(parse_size("512"), Some(512));
        for bad in ["", "5", "m", "5 weeks", "-5s", "99999999999999999999s"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
        for bad in ["", "4MB", "big", "99999999999GiB"] {
            assert_eq!(parse_size(bad), None, "{bad}");
        }
    }
}
