//! `langnghe ready`: whether the replica of a configuration can work, for whoever watches over it (a
//! container's health check has no other program).

use std::{
    io::{self, Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    time::Duration,
};

use super::ConfigArgument;
use crate::{
    config::{self, ProcessEnvironment},
    report::Failure,
};

/// A replica takes up to two seconds to say that its store does not answer.
const TIME: Duration = Duration::from_secs(3);
/// More of an answer is not read.
const ANSWER_BYTES: u64 = 4096;

pub(super) fn run(arguments: &ConfigArgument) -> Result<(), Failure> {
    let read = config::read_file(&arguments.config, &ProcessEnvironment { secrets: false });
    let Some(config) = read.config else {
        return Err(Failure::Problems(read.problems));
    };
    let address = reachable(config.listen);
    let answer = ask(address).map_err(|error| {
        Failure::new(
            "ready::away",
            format!("nothing answers on {address}: {error}"),
            "does the replica run, and with this configuration?",
        )
    })?;
    let status = answer.split(' ').nth(1).unwrap_or_default();
    if status == "200" {
        writeln!(io::stdout(), "ready")?;
        return Ok(());
    }
    let reason = answer.rsplit("\r\n\r\n").next().unwrap_or_default();
    Err(Failure::new(
        "ready::not",
        format!("the replica on {address} is not ready: {}", reason.trim()),
        "its log says more",
    ))
}

/// From this machine an address for all is the loopback.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIME)?;
    stream.set_read_timeout(Some(TIME))?;
    stream.set_write_timeout(Some(TIME))?;
    write!(
        stream,
        "GET /readyz HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )?;
    let mut answer = String::new();
    stream.take(ANSWER_BYTES).read_to_string(&mut answer)?;
    Ok(answer)
}
