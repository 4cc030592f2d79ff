//! What `store.url` says: which kind of store, and where it is.

use std::{fmt, ops::Range, path::PathBuf};

/// Where a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreAddress {
    /// A SQLite file, its path as it is written: `sqlite:data/langnghe.db`.
    Sqlite(PathBuf),
    /// A Redis or Valkey server, or several.
    Redis(RedisAddress),
}

/// Where Redis or Valkey is. Neither `Debug` nor `Display` shows the password.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisAddress {
    /// Whether the connection is encrypted.
    pub tls: bool,
    /// Which servers.
    pub servers: RedisServers,
    /// Who we are there; `None` is the server's default user.
    pub user: Option<String>,
    /// The password, decoded.
    pub password: Option<String>,
    /// The number of the database; always 0 on a cluster.
    pub database: u32,
    text: String,
    password_place: Option<Range<usize>>,
}

/// One server or several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RedisServers {
    /// One server.
    One(Node),
    /// One server behind a socket file.
    Socket(PathBuf),
    /// A cluster, by some of its nodes.
    Cluster(Vec<Node>),
    /// The master of that name, which these Sentinels know.
    Sentinel {
        /// The Sentinels.
        sentinels: Vec<Node>,
        /// The name under which they watch it.
        master: String,
    },
}

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// A name or an IP address, an IPv6 one without its brackets.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// Why a text is no address of a store. Holds no password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct AddressError {
    /// The bytes of the text that are wrong.
    pub place: Range<usize>,
    /// What is wrong.
    pub message: &'static str,
    /// What would be right.
    pub help: &'static str,
}

const FORMS: &str = "write \"sqlite:data/langnghe.db\", \"redis://host:6379\", \"rediss://…\" (encrypted), \"redis+unix:///path/to.sock\", \"redis+cluster://host1:6379,host2:6379\" or \"redis+sentinel://host1:26379,host2:26379/master-name\"";
const PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26_379;

/// What a scheme says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    One,
    Socket,
    Cluster,
    Sentinel,
}

/// Scheme, form, whether it is encrypted.
const SCHEMES: [(&str, Form, bool); 7] = [
    ("redis", Form::One, false),
    ("rediss", Form::One, true),
    ("redis+unix", Form::Socket, false),
    ("redis+cluster", Form::Cluster, false),
    ("rediss+cluster", Form::Cluster, true),
    ("redis+sentinel", Form::Sentinel, false),
    ("rediss+sentinel", Form::Sentinel, true),
];

impl StoreAddress {
    /// Reads an address.
    ///
    /// # Errors
    /// [`AddressError`] with the piece that is wrong.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let Some((scheme, rest)) = text.split_once(':') else {
            return Err(wrong(0..text.len(), "this names no store", FORMS));
        };
        if scheme == "sqlite" {
            let path = rest.strip_prefix("//").unwrap_or(rest);
            return match path {
                "" => Err(wrong(
                    0..text.len(),
                    "the path of the database is missing",
                    "for example: \"sqlite:data/langnghe.db\"",
                )),
                ":memory:" => Err(wrong(
                    scheme.len() + 1..text.len(),
                    "a database in memory loses everything",
                    "name a file: \"sqlite:data/langnghe.db\"",
                )),
                path => Ok(Self::Sqlite(PathBuf::from(path))),
            };
        }
        let known = SCHEMES.iter().find(|(name, ..)| *name == scheme);
        let Some((_, form, tls)) = known else {
            let help = match scheme {
                "valkey" => "Valkey speaks Redis's protocol: write \"redis://…\"",
                "valkeys" => "Valkey speaks Redis's protocol: write \"rediss://…\"",
                "unix" | "redis+socket" => "for a socket file: \"redis+unix:///path/to.sock\"",
                _ => FORMS,
            };
            return Err(wrong(
                0..scheme.len(),
                "there is no such kind of store",
                help,
            ));
        };
        let Some(rest) = rest.strip_prefix("//") else {
            return Err(wrong(
                0..scheme.len() + 1,
                "two slashes are missing after the colon",
                "for example: \"redis://host:6379\"",
            ));
        };
        let start = text.len() - rest.len();
        RedisParser {
            text,
            form: *form,
            tls: *tls,
        }
        .parse(start)
        .map(Self::Redis)
    }
}

fn wrong(place: Range<usize>, message: &'static str, help: &'static str) -> AddressError {
    AddressError {
        place,
        message,
        help,
    }
}

struct RedisParser<'a> {
    text: &'a str,
    form: Form,
    tls: bool,
}

impl RedisParser<'_> {
    /// Reads what comes after the scheme and its slashes.
    fn parse(&self, start: usize) -> Result<RedisAddress, AddressError> {
        // The last @ of all: should a password hold one that is not encoded, no piece of it counts
        // as a host and is shown.
        let at = self.text[start..].rfind('@').map(|at| start + at);
        let (user, password, password_place) = match at {
            Some(at) => self.credentials(start..at)?,
            None => (None, None, None),
        };
        let servers_from = at.map_or(start, |at| at + 1);
        let query_from = self.text[servers_from..]
            .find('?')
            .map(|mark| servers_from + mark);
        let end = query_from.unwrap_or(self.text.len());
        let slash = self.text[servers_from..end]
            .find('/')
            .map_or(end, |slash| servers_from + slash);
        let (nodes, path) = (servers_from..slash, slash..end);
        let mut database = self.query(query_from)?;
        let servers = match self.form {
            Form::One => {
                database = self.database(path.start + 1..path.end)?;
                let mut nodes = self.nodes(nodes, PORT)?;
                match (nodes.pop(), nodes.pop()) {
                    (Some(node), None) => RedisServers::One(node),
                    _ => {
                        return Err(wrong(
                            servers_from..slash,
                            "this names several servers",
                            "for a cluster: \"redis+cluster://…\"; for Sentinels: \"redis+sentinel://…/master-name\"",
                        ));
                    }
                }
            }
            Form::Socket => {
                if !nodes.is_empty() {
                    return Err(wrong(
                        nodes,
                        "a socket file has no host",
                        "three slashes: \"redis+unix:///path/to.sock\"",
                    ));
                }
                if path.len() < 2 {
                    return Err(wrong(
                        0..self.text.len(),
                        "the path of the socket is missing",
                        "for example: \"redis+unix:///run/redis/redis.sock\"",
                    ));
                }
                RedisServers::Socket(PathBuf::from(self.decoded(path)?))
            }
            Form::Cluster => {
                let numbered = path.start + 1..path.end;
                if self.database(numbered.clone())? != 0 {
                    return Err(wrong(
                        numbered,
                        "a cluster has one database only, 0",
                        "leave the number out",
                    ));
                }
                RedisServers::Cluster(self.nodes(nodes, PORT)?)
            }
            Form::Sentinel => {
                let sentinels = self.nodes(nodes, SENTINEL_PORT)?;
                let name_from = (path.start + 1).min(end);
                let name_to = self.text[name_from..end]
                    .find('/')
                    .map_or(end, |slash| name_from + slash);
                if name_from == name_to {
                    return Err(wrong(
                        servers_from..end,
                        "the name of the master is missing",
                        "as the Sentinels call it: \"redis+sentinel://host:26379/mymaster\"",
                    ));
                }
                database = self.database(name_to + 1..end)?;
                RedisServers::Sentinel {
                    sentinels,
                    master: self.decoded(name_from..name_to)?,
                }
            }
        };
        Ok(RedisAddress {
            tls: self.tls,
            servers,
            user,
            password,
            database,
            text: self.text.to_owned(),
            password_place,
        })
    }

    #[expect(
        clippy::type_complexity,
        reason = "user, password, where the password stands"
    )]
    fn credentials(
        &self,
        place: Range<usize>,
    ) -> Result<(Option<String>, Option<String>, Option<Range<usize>>), AddressError> {
        const ENCODE: &str = "write @ as %40, : as %3A, / as %2F, ? as %3F, # as %23, % as %25";
        let written = &self.text[place.clone()];
        if written.contains(['/', '?', '#', '@']) {
            return Err(wrong(
                place,
                "user and password hold a character that has to be encoded",
                ENCODE,
            ));
        }
        let (user, password) = match written.split_once(':') {
            Some((user, _)) => (
                place.start..place.start + user.len(),
                Some(place.start + user.len() + 1..place.end),
            ),
            None => (place, None),
        };
        let decoded = |place: Range<usize>| {
            decode(&self.text[place.clone()])
                .ok_or_else(|| wrong(place, "a percent sign begins no encoded character", ENCODE))
        };
        let name = decoded(user)?;
        let secret = password.clone().map(decoded).transpose()?;
        Ok((
            Some(name).filter(|name| !name.is_empty()),
            secret.filter(|secret| !secret.is_empty()),
            password.filter(|place| !place.is_empty()),
        ))
    }

    fn decoded(&self, place: Range<usize>) -> Result<String, AddressError> {
        decode(&self.text[place.clone()]).ok_or_else(|| {
            wrong(
                place,
                "a percent sign begins no encoded character",
                "write % as %25",
            )
        })
    }

    /// A list of hosts with their ports.
    fn nodes(&self, place: Range<usize>, default_port: u16) -> Result<Vec<Node>, AddressError> {
        let mut nodes = Vec::new();
        let mut from = place.start;
        for written in self.text[place].split(',') {
            nodes.push(self.node(from..from + written.len(), default_port)?);
            from += written.len() + 1;
        }
        Ok(nodes)
    }

    fn node(&self, place: Range<usize>, default_port: u16) -> Result<Node, AddressError> {
        const HOST: &str = "for example: \"redis://127.0.0.1:6379\", \"redis://[::1]:6379\"";
        let written = &self.text[place.clone()];
        let (host, port) = match written
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
        {
            Some((host, rest)) => (host, (!rest.is_empty()).then_some(rest)),
            None => match written.find(':') {
                Some(colon) => (&written[..colon], Some(&written[colon..])),
                None => (written, None),
            },
        };
        if host.is_empty() {
            // Something to underline even where nothing stands.
            let place = if place.is_empty() {
                0..self.text.len()
            } else {
                place
            };
            return Err(wrong(place, "the host is missing", HOST));
        }
        if host
            .chars()
            .any(|character| character.is_whitespace() || "/?#%".contains(character))
        {
            return Err(wrong(place, "this is no host", HOST));
        }
        let port = match port {
            None => default_port,
            Some(written) => {
                let number = written
                    .strip_prefix(':')
                    .and_then(|digits| digits.parse::<u16>().ok());
                let from = place.end - written.len();
                number.filter(|port| *port > 0).ok_or_else(|| {
                    wrong(
                        (from + 1).min(place.end - 1)..place.end,
                        "this is no port",
                        "a port is a number from 1 to 65535",
                    )
                })?
            }
        };
        Ok(Node {
            host: host.to_owned(),
            port,
        })
    }

    /// The number of a database; 0 where none stands.
    fn database(&self, place: Range<usize>) -> Result<u32, AddressError> {
        let written = self.text.get(place.clone()).unwrap_or("");
        if written.is_empty() {
            return Ok(0);
        }
        written.parse().map_err(|_| {
            wrong(
                place,
                "this is no number of a database",
                "a number, such as \"redis://host:6379/0\"",
            )
        })
    }

    /// `?db=3`, which a socket's address may have.
    fn query(&self, mark: Option<usize>) -> Result<u32, AddressError> {
        let Some(mark) = mark else {
            return Ok(0);
        };
        let place = mark..self.text.len();
        let number = self.text[place.clone()].strip_prefix("?db=");
        match number {
            Some(number) if self.form == Form::Socket => {
                self.database(self.text.len() - number.len()..self.text.len())
            }
            _ => Err(wrong(
                place,
                "this is not understood here",
                "the number of the database goes behind the host: \"redis://host:6379/1\"; behind a socket's path: \"?db=1\"",
            )),
        }
    }
}

/// Resolves `%40` and its like; `None` where that is not possible.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            let digits = std::str::from_utf8(after.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = after.get(2..)?;
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

impl RedisAddress {
    /// The address as it was written, with its password: for the connection, never for people.
    pub fn url(&self) -> &str {
        &self.text
    }

    /// Where the password stands in the address, if it has one.
    pub fn password_place(&self) -> Option<Range<usize>> {
        self.password_place.clone()
    }
}

impl fmt::Display for RedisAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.password_place {
            Some(place) => write!(
                formatter,
                "{}***{}",
                &self.text[..place.start],
                &self.text[place.end..]
            ),
            None => formatter.write_str(&self.text),
        }
    }
}

impl fmt::Debug for RedisAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RedisAddress({self})")
    }
}

#[cfg(test)]
mod tests;
