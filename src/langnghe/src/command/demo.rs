//! `langnghe demo`: everything at once, without an account and without a server.

use std::{
    io::{self, Write as _},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use clap::Args;
use langnghe_desk::standard_webhooks::SigningKey;

use crate::{
    config::{self, Config, ProcessEnvironment},
    demo::{folder, front_page, inbox},
    logging, replica,
    report::{self, Failure},
};

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The port; 0 finds a free one
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// The address to listen on; 0.0.0.0 lets telephones in the same network try it
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_name = "ADDRESS")]
    host: IpAddr,
    /// Where everything is kept: flows to edit, the configuration, the database
    #[arg(long, default_value = "langnghe-demo", value_name = "FOLDER")]
    data: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let listener = replica::bind(SocketAddr::new(arguments.host, arguments.port))?;
    let address = listener.local_addr()?;
    let path = folder::prepare(&arguments.data)?;
    let read = config::read_file(&path, &ProcessEnvironment { secrets: true });
    let Some(mut config) = read.config else {
        return Err(Failure::Problems(read.problems));
    };
    report::show(&read.problems)?;
    move_to(&mut config, address)?;
    logging::start(&config.log);
    let routes = front_page::router(&arguments.data).merge(agency(&config, &arguments.data)?);
    let data = &arguments.data;
    replica::run(
        &config,
        listener,
        replica::Watch::Files,
        Some(routes),
        |address| Ok(tell(address, data)?),
    )
}

/// The configuration in the folder names the usual port; this run may have another.
fn move_to(config: &mut Config, address: SocketAddr) -> Result<(), Failure> {
    let here = browsable(address);
    let parse = |text: String| {
        text.parse::<url::Url>().map_err(|error| {
            Failure::new(
                "demo::address",
                format!("{text} is no web address: {error}"),
                "",
            )
        })
    };
    config.listen = address;
    config.public_url = parse(here.clone())?;
    config.settings.media.public_url.clone_from(&here);
    let inbox = parse(format!("{here}{}", folder::INBOX_WEBHOOK))?;
    for backend in &mut config.backends {
        if backend.id.as_str() == folder::BACKEND {
            backend.webhook.url.clone_from(&inbox);
        }
    }
    Ok(())
}

/// How a browser on this machine reaches an address.
fn browsable(address: SocketAddr) -> String {
    let mut address = address;
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    format!("http://{address}")
}

fn tell(address: SocketAddr, data: &Path) -> io::Result<()> {
    let here = browsable(address);
    let everywhere = address.ip().is_unspecified();
    let folder = data.display();
    let mut output = io::stdout().lock();
    writeln!(
        output,
        "Lắng Nghe: bản dùng thử đang chạy / the demo is running"
    )?;
    writeln!(output)?;
    writeln!(output, "  {here}/             bắt đầu / start here")?;
    writeln!(output, "  {here}/chat         người dân / the citizen")?;
    writeln!(output, "  {here}/demo/agency  cơ quan / the agency's inbox")?;
    writeln!(
        output,
        "  {here}/metrics      người vận hành / the operator"
    )?;
    writeln!(output)?;
    writeln!(
        output,
        "  {folder}/flows         sửa rồi lưu: có hiệu lực ngay / edit and save: in force at once"
    )?;
    writeln!(
        output,
        "  langnghe tickets list --config {folder}/langnghe.toml"
    )?;
    writeln!(output)?;
    if everywhere {
        writeln!(
            output,
            "Điện thoại cùng mạng: thay 127.0.0.1 bằng địa chỉ của máy này"
        )?;
        writeln!(
            output,
            "Telephones in this network: this machine's address for 127.0.0.1"
        )?;
        writeln!(output)?;
    }
    writeln!(output, "Ctrl+C: dừng / stop")?;
    output.flush()
}

/// The inbox, with the key of the backend in the folder's configuration; none if that was removed.
fn agency(config: &Config, data: &Path) -> Result<axum::Router, Failure> {
    let Some(backend) = config
        .backends
        .iter()
        .find(|one| one.id.as_str() == folder::BACKEND)
    else {
        return Ok(axum::Router::new());
    };
    let keys: Vec<SigningKey> = backend
        .webhook
        .secrets
        .iter()
        .map(SigningKey::parse)
        .collect::<Result<_, _>>()
        .map_err(|error| Failure::new("demo::secret", error.to_string(), ""))?;
    let store = data.join(folder::INBOX);
    inbox::router(folder::INBOX_WEBHOOK, keys, &store).map_err(|error| {
        let message = format!("cannot open {}: {error}", store.display());
        Failure::new("demo::folder", message, folder::HELP)
    })
}
