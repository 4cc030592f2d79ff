//! Figures for people.

use std::fmt::Write as _;

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
    fn the_median_is_in_the_middle() {
        assert_eq!(spread(&[3.0, 1.0, 2.0]), (2.0, 1.0, 3.0));
        assert_eq!(spread(&[4.0, 1.0, 2.0, 3.0]), (2.5, 1.0, 4.0));
        assert_eq!(shown(&[0.5], 2), "0.50 [0.50-0.50]");
    }
}
