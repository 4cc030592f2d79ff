//! Reads `/metrics`.

/// One reading of `/metrics`, in the text format of Prometheus.
#[derive(Clone, Debug)]
pub struct Metrics(pub String);

impl Metrics {
    /// The sum over all series of `name` that have all of `labels`; zero when there is none.
    ///
    /// # Panics
    /// When a sample is not a number.
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        self.samples(name)
            .filter(|(series, _)| {
                labels
                    .iter()
                    .all(|(key, value)| series.contains(&format!("{key}=\"{value}\"")))
            })
            .map(|(_, value)| value)
            .sum()
    }

    /// Whether there is any series of `name`.
    pub fn has(&self, name: &str) -> bool {
        self.samples(name).next().is_some()
    }

    fn samples<'a>(&'a self, name: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        self.0
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(move |line| {
                let rest = line.strip_prefix(name)?;
                let (labels, value) = match rest.chars().next()? {
                    '{' => rest[1..].rsplit_once("} ")?,
                    ' ' => ("", &rest[1..]),
                    _ => return None,
                };
                let number = value.split(' ').next()?;
                Some((labels, number.parse().expect("a sample is a number")))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_told_apart_by_name_and_labels() {
        let metrics = Metrics(
            "# HELP a text\na_total{channel=\"page\",class=\"x\"} 3\na_total{channel=\"web\"} 4\n\
             a_total_more 9\nb 2.5\n"
                .to_owned(),
        );
        assert!((metrics.sum("a_total", &[]) - 7.0).abs() < 1e-9);
        assert!((metrics.sum("a_total", &[("channel", "page")]) - 3.0).abs() < 1e-9);
        assert!((metrics.sum("b", &[]) - 2.5).abs() < 1e-9);
        assert!(!metrics.has("a"));
    }
}
