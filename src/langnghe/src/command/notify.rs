//! `langnghe notify`: an operator tells the citizen of a ticket something.

use std::{
    collections::BTreeMap,
    io::{self, Write as _},
};

use clap::Args;
use langnghe_model::{Purpose, Timestamp};
use langnghe_server::{NoticeProblem, NoticeRequest, clock, take_notice};

use super::{
    ConfigArgument,
    stored::{self, failed},
};
use crate::report::Failure;

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    config: ConfigArgument,
    /// The ticket's code
    code: String,
    /// What to say
    #[arg(long)]
    text: String,
    /// The template that says the same, for when the messenger takes nothing else
    #[arg(long, value_name = "NAME")]
    template: Option<String>,
    /// What goes into a gap of the template
    #[arg(short, value_name = "KEY=VALUE", requires = "template", value_parser = parameter)]
    parameters: Vec<(String, String)>,
    /// After this moment it is worth nothing: 2026-11-22T17:00:00+07:00
    #[arg(long, value_name = "MOMENT", value_parser = moment)]
    deadline: Option<Timestamp>,
    /// A repetition with the same key tells nobody twice; without one each call is a new notice
    #[arg(long)]
    key: Option<String>,
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("write it as key=value")?;
    Ok((key.to_owned(), value.to_owned()))
}

fn moment(text: &str) -> Result<Timestamp, String> {
    let moment: jiff::Timestamp = text
        .parse()
        .map_err(|_| "write it as 2026-11-22T17:00:00+07:00".to_owned())?;
    Ok(Timestamp::from_milliseconds(moment.as_millisecond()))
}

pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    let request = NoticeRequest {
        text: arguments.text,
        template: arguments.template,
        parameters: arguments.parameters.into_iter().collect::<BTreeMap<_, _>>(),
        purpose: Purpose::Notice,
        deadline: arguments.deadline,
        key: arguments
            .key
            .unwrap_or_else(|| uuid::Uuid::now_v7().to_string()),
    };
    let code = arguments.code;
    let taken = stored::with(&arguments.config.config, async |store| {
        let taken = take_notice(store, &code, request, clock::now()).await;
        taken.map_err(|problem| match problem {
            NoticeProblem::Store(error) => failed(&error),
            other => Failure::new("notify::refused", other.to_string(), ""),
        })
    })?;
    let how = if taken.repeated {
        "was taken before"
    } else {
        "is on its way"
    };
    writeln!(
        io::stdout().lock(),
        "{} {how}; `langnghe tickets show {code}` tells what becomes of it",
        taken.id
    )?;
    Ok(())
}
