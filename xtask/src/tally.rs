//! What cargo says of the tests while they run.

/// How many lines of a failed test are repeated at the end.
const LINES: usize = 40;

/// How many tests ran, as cargo's own summaries say, and what those that failed said.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) ignored: u64,
    failures: Vec<Vec<String>>,
    /// Whether the lines that come now are a failed test's.
    speaks: bool,
    /// Whether they tell where it was called from.
    backtrace: bool,
}

impl Tally {
    /// Takes in a line of cargo's.
    pub(crate) fn add(&mut self, line: &str) {
        if line.starts_with("---- ") && line.ends_with(" stdout ----") {
            self.failures.push(vec![line.to_owned()]);
            self.speaks = true;
        } else if line == "failures:" {
            self.speaks = false;
        } else if self.speaks {
            self.backtrace = line == "stack backtrace:" || self.backtrace && line.starts_with(' ');
            if let Some(failure) = self.failures.last_mut()
                && failure.len() < LINES
                && !self.backtrace
                && !line.is_empty()
            {
                failure.push(line.to_owned());
            }
        } else {
            self.count(line);
        }
    }

    /// What the failed tests said, for the end, where a reader of a long run looks.
    pub(crate) fn failures(&self) -> impl Iterator<Item = &str> {
        self.failures.iter().flatten().map(String::as_str)
    }

    /// Adds a line such as `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
    fn count(&mut self, line: &str) {
        let Some((_, numbers)) = line
            .strip_prefix("test result: ")
            .and_then(|rest| rest.split_once(". "))
        else {
            return;
        };
        for part in numbers.split(';') {
            let Some((number, word)) = part.trim().split_once(' ') else {
                continue;
            };
            let Ok(number) = number.parse::<u64>() else {
                continue;
            };
            match word {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                "ignored" => self.ignored += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_adds_what_cargo_says() {
        let mut tally = Tally::default();
        tally.add("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 3 filtered out");
        tally.add("test result: FAILED. 2 passed; 3 failed; 0 ignored; 0 measured");
        tally.add("test other ... ok");
        assert_eq!((tally.passed, tally.failed, tally.ignored), (14, 3, 1));
    }

    #[test]
    fn what_failed_tests_said_is_kept_for_the_end() {
        let mut tally = Tally::default();
        let said = [
            "failures:",
            "---- one stdout ----",
            "thread 'one' panicked",
            "stack backtrace:",
            "   0: begin",
            "the log",
            "",
            "---- two stdout ----",
            "left: 1",
            "failures:",
            "    one",
            "test result: FAILED. 2 passed; 2 failed; 0 ignored; 0 measured",
        ];
        for line in said {
            tally.add(line);
        }
        let failures: Vec<_> = tally.failures().collect();
        assert_eq!(
            failures,
            [
                "---- one stdout ----",
                "thread 'one' panicked",
                "the log",
                "---- two stdout ----",
                "left: 1"
            ]
        );
        assert_eq!((tally.passed, tally.failed), (2, 2));
    }
}
