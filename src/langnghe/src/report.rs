//! Shows problems to people: file, line, the text underlined, what to do.

use std::{
    fmt,
    io::{self, IsTerminal, Write},
};

use langnghe_model::{Problem, problem::Severity};
use langnghe_store::StoreError;
use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode,
};

/// How a command ends other than well.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something is wrong with what the command was given or found; exit code 1.
    Problems(Vec<Problem>),
    /// The command was called wrongly; exit code 2.
    Usage(String),
    /// What it had to say could not be written.
    Output(io::Error),
}

impl Failure {
    /// One problem without a place in a file.
    pub(crate) fn new(code: &'static str, message: impl Into<String>, help: &str) -> Self {
        Problem::error(code, message).help(help).into()
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Problems(vec![problem])
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Writes problems to the standard error stream, in colours only when that is a terminal.
pub(crate) fn show(problems: &[Problem]) -> io::Result<()> {
    let stderr = io::stderr();
    let terminal = stderr.is_terminal();
    let colours = terminal && std::env::var_os("NO_COLOR").is_none();
    // Only a person's terminal needs its lines broken.
    let width = if terminal { 100 } else { 1000 };
    write(&mut stderr.lock(), problems, colours, width)
}

fn write(
    output: &mut dyn Write,
    problems: &[Problem],
    colours: bool,
    width: usize,
) -> io::Result<()> {
    let theme = if colours {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::unicode_nocolor()
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_links(false)
        .with_width(width);
    for problem in problems {
        let mut text = String::new();
        let shown = Shown::new(problem);
        if handler.render_report(&mut text, &shown).is_err() {
            text.clone_from(&problem.message);
        }
        writeln!(output, "{}", text.trim_end())?;
    }
    Ok(())
}

/// What a store could not do, with what an operator can do about it.
pub(crate) fn store_problem(error: &StoreError) -> Problem {
    let problem = Problem::error("store::failed", error.to_string());
    match error {
        StoreError::Unavailable(_) | StoreError::Open { .. } => problem.help(
            "SQLite: the program's user must be able to write the folder of the database, and its disk must have room. Redis or Valkey: the server must run, be reachable from here, and let this user in",
        ),
        StoreError::Damaged(_) => {
            problem.help("restore the database from a backup; keep the damaged file for a closer look")
        }
        _ => problem,
    }
}

/// `2 errors, 1 warning`; nothing when there are none.
pub(crate) fn count(problems: &[Problem]) -> String {
    let number = |severity, word: &str| {
        let count = problems
            .iter()
            .filter(|problem| problem.severity == severity)
            .count();
        match count {
            0 => None,
            1 => Some(format!("1 {word}")),
            _ => Some(format!("{count} {word}s")),
        }
    };
    let parts = [
        number(Severity::Error, "error"),
        number(Severity::Warning, "warning"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Whether there is an error, not only warnings.
pub(crate) fn any_error(problems: &[Problem]) -> bool {
    problems
        .iter()
        .any(|problem| problem.severity == Severity::Error)
}

struct Shown<'a> {
    problem: &'a Problem,
    source: Option<NamedSource<String>>,
}

impl<'a> Shown<'a> {
    fn new(problem: &'a Problem) -> Self {
        let source = problem
            .source
            .as_ref()
            .map(|source| NamedSource::new(&source.path, source.text.clone()));
        Self { problem, source }
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.problem.message)
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.problem.message)
    }
}

impl std::error::Error for Shown<'_> {}

impl Diagnostic for Shown<'_> {
    fn code<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        Some(Box::new(self.problem.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.problem.severity {
            Severity::Warning => miette::Severity::Warning,
            Severity::Error => miette::Severity::Error,
        })
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.problem
            .help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let (span, label) = self.problem.label.as_ref()?;
        let label = (!label.is_empty()).then(|| label.clone());
        Some(Box::new(std::iter::once(LabeledSpan::new(
            label,
            span.start,
            span.len(),
        ))))
    }
}
