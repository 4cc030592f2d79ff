//! How a server is to be set up.

use std::{fmt::Write as _, path::Path};

use super::certificate::Certificate;

/// Whose server it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// `redis-server`.
    Redis,
    /// `valkey-server`.
    Valkey,
}

impl Product {
    /// The program.
    pub(super) fn program(self) -> &'static str {
        match self {
            Self::Redis => "redis-server",
            Self::Valkey => "valkey-server",
        }
    }
}

/// When the append-only file reaches the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Fsync {
    /// Before each answer.
    Always,
    /// Once a second.
    Everysec,
    /// When the system likes.
    No,
}

/// A server's settings. A new one keeps nothing on disk.
#[derive(Clone, Debug)]
pub struct Setup {
    pub(super) product: Product,
    lines: Vec<String>,
    /// Name and password that clients have to give.
    pub(super) user: Option<(String, String)>,
}

impl Setup {
    /// A Redis.
    pub fn redis() -> Self {
        Self::of(Product::Redis)
    }

    /// A Redis or a Valkey.
    pub fn of(product: Product) -> Self {
        Self {
            product,
            lines: Vec::new(),
            user: None,
        }
    }

    /// Sets one line of the configuration; a later one of the same name wins.
    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.lines.push(format!("{name} {value}"));
        self
    }

    /// Keeps everything in an append-only file.
    #[must_use]
    pub fn durable(self, fsync: Fsync) -> Self {
        let fsync = match fsync {
            Fsync::Always => "always",
            Fsync::Everysec => "everysec",
            Fsync::No => "no",
        };
        self.set("appendonly", "yes").set("appendfsync", fsync)
    }

    /// Lets in only this user with this password.
    #[must_use]
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.user = Some((name.to_owned(), password.to_owned()));
        let rights = format!("{name} on >{password} ~* &* +@all");
        self.set("user", "default off").set("user", &rights)
    }

    /// Lets in only who gives this password.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.user = Some(("default".to_owned(), password.to_owned()));
        self.set("requirepass", password)
    }

    /// Listens on another port too, encrypted, under this certificate.
    #[must_use]
    pub fn encrypted(self, port: u16, certificate: &Certificate) -> Self {
        let path = |name: &str| certificate.path(name).display().to_string();
        self.set("tls-port", &port.to_string())
            .set("tls-cert-file", &path("server.pem"))
            .set("tls-key-file", &path("server.key"))
            .set("tls-ca-cert-file", &path("authority.pem"))
            .set("tls-auth-clients", "no")
    }

    /// The configuration file of a server in this folder.
    pub(super) fn text(&self, port: u16, folder: &Path) -> String {
        let folder = folder.display();
        let mut text = format!(
            "bind 127.0.0.1\nport {port}\nunixsocket {folder}/server.sock\ndir {folder}\n\
             logfile {folder}/server.log\nsave \"\"\ndaemonize no\nenable-debug-command local\n"
        );
        for line in &self.lines {
            writeln!(text, "{line}").expect("a string takes everything");
        }
        text
    }
}
