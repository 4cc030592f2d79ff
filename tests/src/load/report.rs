//! Figures, for people and for programs.

use std::{fmt::Write as _, path::Path};

use serde_json::{Value, json};

/// What a figure is to keep.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target {
    /// It is only told.
    None,
    /// It is to be so much, or more.
    AtLeast(f64),
    /// It is to be so much, or less.
    AtMost(f64),
}

/// All figures of a run.
#[derive(Debug, Default)]
pub struct Report {
    figures: Vec<Value>,
}

impl Report {
    /// Prints a figure, its median over the rounds where there are several, and keeps it.
    pub fn figure(
        &mut self,
        name: &str,
        unit: &str,
        places: usize,
        rounds: &[f64],
        target: Target,
    ) {
        let (median, least, greatest) = spread(rounds);
        let told = if rounds.len() > 1 {
            shown(rounds, places)
        } else {
            format!("{median:.places$}")
        };
        let kept = match target {
            Target::None => None,
            Target::AtLeast(bound) => Some((bound, median >= bound)),
            Target::AtMost(bound) => Some((bound, median <= bound)),
        };
        let unit_told = if unit.is_empty() {
            String::new()
        } else {
            format!(" {unit}")
        };
        let verdict = kept.map_or_else(String::new, |(bound, kept)| {
            format!(" (target {bound}: {})", verdict(kept))
        });
        println!("{name}: {told}{unit_told}{verdict}");
        self.figures.push(json!({
            "name": name,
            "unit": unit,
            "median": median,
            "least": least,
            "greatest": greatest,
            "target": kept.map(|(bound, _)| bound),
            "kept": kept.map(|(_, kept)| kept),
        }));
    }

    /// Writes everything into a file, beside what was measured.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, path: &Path, measured: &str) -> Result<(), String> {
        let report = json!({ "measured": measured, "figures": self.figures });
        let text = format!("{report:#}\n");
        std::fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
    }
}

/// The median, the least and the greatest.
///
/// # Panics
/// When there is none.
pub fn spread(figures: &[f64]) -> (f64, f64, f64) {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let median = if sorted.len() % 2 == 1 {
        sorted[middle]
    } else {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    };
    (median, sorted[0], sorted[sorted.len() - 1])
}

/// `median [least-greatest]` with so many places.
pub fn shown(figures: &[f64], places: usize) -> String {
    let (median, least, greatest) = spread(figures);
    format!("{median:.places$} [{least:.places$}-{greatest:.places$}]")
}

/// A table whose columns are as wide as their widest cell.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|cell| cell.chars().count())
            .max()
    };
    let mut text = String::new();
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            let wide = width(column).unwrap_or_default();
            let gap = if column + 1 == columns { "" } else { "  " };
            write!(text, "{cell:wide$}{gap}").expect("writing to a string cannot fail");
        }
        text.push('\n');
    }
    text
}

/// Whether a figure keeps its target, as a word for the reader.
pub fn verdict(kept: bool) -> &'static str {
    if kept { "kept" } else { "MISSED" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_kept_with_their_targets() {
        let mut report = Report::default();
        report.figure("p99", "ms", 1, &[3.0, 9.0, 4.0], Target::AtMost(5.0));
        report.figure("ratio", "", 2, &[0.2], Target::AtLeast(0.3));
        let [p99, ratio] = &report.figures[..] else {
            panic!("two figures");
        };
        assert_eq!((&p99["median"], &p99["kept"]), (&json!(4.0), &json!(true)));
        assert_eq!(ratio["kept"], json!(false));
    }

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(spread(&[3.0, 1.0, 2.0]), (2.0, 1.0, 3.0));
        assert_eq!(spread(&[4.0, 1.0, 2.0, 3.0]), (2.5, 1.0, 4.0));
        assert_eq!(shown(&[0.5], 2), "0.50 [0.50-0.50]");
    }
}
