//! Where the server is: the forms of `store.url`.

use std::path::PathBuf;

/// The port of a server whose address names none.
const PORT: u16 = 6379;
/// The port of a Sentinel whose address names none.
const SENTINEL_PORT: u16 = 26379;

/// What `store.url` says.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisAddress {
    /// Which kind of installation.
    pub kind: RedisKind,
    /// Whether the line is encrypted (`rediss`).
    pub tls: bool,
    /// The database; a cluster has 0 only.
    pub database: i64,
    /// The user, where it is not the default one.
    pub user: Option<String>,
    /// The password.
    pub password: Option<String>,
}

/// Which kind of installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedisKind {
    /// One server.
    Server(String, u16),
    /// One server by a socket file.
    Socket(PathBuf),
    /// A cluster, by some of its nodes.
    Cluster(Vec<(String, u16)>),
    /// The primary of this name, as the Sentinels at these addresses tell.
    Sentinel(Vec<(String, u16)>, String),
}

/// Why an address is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Another scheme.
    #[error(
        "it must begin with redis://, rediss://, redis+unix://, redis+cluster://, rediss+cluster://, redis+sentinel:// or rediss+sentinel://"
    )]
    Scheme,
    /// No host.
    #[error("it names no host")]
    Host,
    /// A port that is none.
    #[error("`{0}` is not a port")]
    Port(String),
    /// A database that is none.
    #[error("`{0}` is not the number of a database")]
    Database(String),
    /// Sentinel without the primary's name.
    #[error("it does not name the primary: redis+sentinel://host:26379/NAME")]
    Primary,
    /// A cluster with a database.
    #[error("a cluster has no numbered databases")]
    ClusterDatabase,
    /// Something behind the address.
    #[error("`{0}` at its end means nothing here")]
    Rest(String),
    /// User or password with a wrong escape.
    #[error("user or password: a `%` is not followed by two hexadecimal digits")]
    Escape,
}

/// Never shows the password.
impl std::fmt::Debug for RedisAddress {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.shown())
    }
}

impl RedisAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// [`AddressError`].
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (scheme, rest) = text.split_once("://").ok_or(AddressError::Scheme)?;
        let tls = scheme.starts_with("rediss");
        let (credentials, rest) = match rest.rsplit_once('@') {
            Some((credentials, rest)) => (credentials, rest),
            None => ("", rest),
        };
        let (user, password) = match credentials.split_once(':') {
            Some((user, password)) => (user, Some(unescape(password)?)),
            None if credentials.is_empty() => ("", None),
            None => (credentials, None),
        };
        let user = Some(unescape(user)?).filter(|user| !user.is_empty());
        let (kind, database) = match scheme {
            "redis" | "rediss" => server(rest)?,
            "redis+unix" => socket(rest)?,
            "redis+cluster" | "rediss+cluster" => {
                let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
                if !path.is_empty() {
                    return Err(AddressError::ClusterDatabase);
                }
                (RedisKind::Cluster(all_hosts(hosts, PORT)?), 0)
            }
            "redis+sentinel" | "rediss+sentinel" => sentinel(rest)?,
            _ => return Err(AddressError::Scheme),
        };
        Ok(Self {
            kind,
            tls,
            database,
            user,
            password,
        })
    }

    /// For people: without user and password.
    pub fn shown(&self) -> String {
        let scheme = if self.tls { "rediss" } else { "redis" };
        let list = |hosts: &[(String, u16)]| {
            let hosts = hosts.iter().map(|(host, port)| join(host, *port));
            hosts.collect::<Vec<_>>().join(",")
        };
        match &self.kind {
            RedisKind::Server(host, port) => {
                format!("{scheme}://{}/{}", join(host, *port), self.database)
            }
            RedisKind::Socket(path) => {
                format!("redis+unix://{}?db={}", path.display(), self.database)
            }
            RedisKind::Cluster(hosts) => format!("{scheme}+cluster://{}", list(hosts)),
            RedisKind::Sentinel(hosts, name) => {
                format!(
                    "{scheme}+sentinel://{}/{name}/{}",
                    list(hosts),
                    self.database
                )
            }
        }
    }
}

fn join(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

fn server(rest: &str) -> Result<(RedisKind, i64), AddressError> {
    let (address, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (host, port) = one_host(address, PORT)?;
    Ok((RedisKind::Server(host, port), database(path)?))
}

fn socket(rest: &str) -> Result<(RedisKind, i64), AddressError> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    if path.is_empty() {
        return Err(AddressError::Host);
    }
    let number = match query {
        "" => "",
        query => query
            .strip_prefix("db=")
            .ok_or_else(|| AddressError::Rest(query.to_owned()))?,
    };
    Ok((RedisKind::Socket(PathBuf::from(path)), database(number)?))
}

fn sentinel(rest: &str) -> Result<(RedisKind, i64), AddressError> {
    let (hosts, path) = rest.split_once('/').ok_or(AddressError::Primary)?;
    let (name, number) = path.split_once('/').unwrap_or((path, ""));
    if name.is_empty() {
        return Err(AddressError::Primary);
    }
    let hosts = all_hosts(hosts, SENTINEL_PORT)?;
    Ok((
        RedisKind::Sentinel(hosts, name.to_owned()),
        database(number)?,
    ))
}

fn database(text: &str) -> Result<i64, AddressError> {
    if text.is_empty() {
        return Ok(0);
    }
    let number = text.parse().ok().filter(|number: &i64| *number >= 0);
    number.ok_or_else(|| AddressError::Database(text.to_owned()))
}

fn all_hosts(text: &str, port: u16) -> Result<Vec<(String, u16)>, AddressError> {
    text.split(',').map(|host| one_host(host, port)).collect()
}

fn one_host(text: &str, default: u16) -> Result<(String, u16), AddressError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or(AddressError::Host)?;
            (host, rest.strip_prefix(':'))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    if host.is_empty() {
        return Err(AddressError::Host);
    }
    let port = match port {
        Some(text) => text
            .parse()
            .ok()
            .filter(|port| *port > 0)
            .ok_or_else(|| AddressError::Port(text.to_owned()))?,
        None => default,
    };
    Ok((host.to_owned(), port))
}

fn unescape(text: &str) -> Result<String, AddressError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let code = rest
            .get(..2)
            .and_then(|code| std::str::from_utf8(code).ok());
        let code = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(code.ok_or(AddressError::Escape)?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).map_err(|_| AddressError::Escape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        let shown = |text: &str| RedisAddress::parse(text).map(|address| address.shown());
        for (text, expected) in [
            ("redis://localhost", "redis://localhost:6379/0"),
            ("redis://u:p%40@h:7000/3", "redis://h:7000/3"),
            ("rediss://:p@[::1]:7000", "rediss://[::1]:7000/0"),
            (
                "redis+unix:///run/redis.sock?db=2",
                "redis+unix:///run/redis.sock?db=2",
            ),
            ("redis+cluster://a:1,b", "redis+cluster://a:1,b:6379"),
            (
                "rediss+sentinel://a,b:5/main/1",
                "rediss+sentinel://a:26379,b:5/main/1",
            ),
        ] {
            assert_eq!(shown(text).as_deref(), Ok(expected), "{text}");
        }
        let address = RedisAddress::parse("redis://u:p%40@h:7000/3").expect("an address");
        assert_eq!(
            (address.user.as_deref(), address.password.as_deref()),
            (Some("u"), Some("p@"))
        );
        assert!(!format!("{address:?}").contains("p@"));
    }

    #[test]
    fn what_is_wrong_is_told() {
        for (text, expected) in [
            ("localhost", AddressError::Scheme),
            ("http://h", AddressError::Scheme),
            ("redis://", AddressError::Host),
            ("redis://h:99999", AddressError::Port("99999".to_owned())),
            ("redis://h/x", AddressError::Database("x".to_owned())),
            ("redis+sentinel://h", AddressError::Primary),
            ("redis+cluster://h/1", AddressError::ClusterDatabase),
            ("redis+unix:///s?x=1", AddressError::Rest("x=1".to_owned())),
            ("redis://u:%z1@h", AddressError::Escape),
        ] {
            assert_eq!(RedisAddress::parse(text), Err(expected), "{text}");
        }
    }
}
