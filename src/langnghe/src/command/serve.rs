//! `langnghe serve`: one replica.

use std::{
    io::{self, IsTerminal as _, Write as _},
    net::SocketAddr,
    path::PathBuf,
};

use clap::Args;

use crate::{
    config::{self, ChannelConfig, ChannelKind, Config, ProcessEnvironment},
    logging, replica,
    report::{self, Failure},
};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The configuration
    #[arg(long, value_name = "FILE", env = "LANGNGHE_CONFIG")]
    config: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let read = config::read_file(&arguments.config, &ProcessEnvironment { secrets: true });
    let Some(config) = read.config else {
        return Err(Failure::Problems(read.problems));
    };
    report::show(&read.problems)?;
    logging::start(&config.log);
    let listener = replica::bind(config.listen)?;
    let watch = replica::Watch::Hangup;
    replica::run(&config, listener, watch, None, |address| {
        if io::stdout().is_terminal() {
            tell(&config, address)?;
        }
        Ok(())
    })
}

/// The addresses, for whoever has just typed the command.
fn tell(config: &Config, address: SocketAddr) -> io::Result<()> {
    let public = config.public_url.as_str().trim_end_matches('/');
    let mut output = io::stdout().lock();
    writeln!(output, "listening on {address}, seen as {public}")?;
    for ChannelConfig { id, kind, .. } in &config.channels {
        match kind {
            ChannelKind::Telegram(telegram) if telegram.bot.webhook_secret.is_none() => {
                writeln!(output, "  {id}: polls")?;
            }
            ChannelKind::ZaloBot(zalo) if zalo.bot.webhook_secret.is_none() => {
                writeln!(output, "  {id}: polls")?;
            }
            ChannelKind::Messenger(_)
            | ChannelKind::Whatsapp(_)
            | ChannelKind::Telegram(_)
            | ChannelKind::Zalo(_)
            | ChannelKind::ZaloBot(_) => {
                writeln!(output, "  {id}: {public}/webhooks/{id}")?;
            }
            ChannelKind::Sms(sms) => {
                let token = if sms.provider.has_token() {
                    "/<webhook_token>"
                } else {
                    ""
                };
                writeln!(output, "  {id}: {public}/webhooks/{id}{token}")?;
            }
            ChannelKind::Webchat(chat) => writeln!(output, "  {id}: {public}{}", chat.path)?,
        }
    }
    writeln!(
        output,
        "  http://{address}/readyz, http://{address}/metrics"
    )?;
    writeln!(output, "Ctrl+C stops it")?;
    output.flush()
}
