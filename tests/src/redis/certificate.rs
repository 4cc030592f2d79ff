//! A certificate for servers on the loopback, and the authority that signed it.

use std::{path::PathBuf, process::Command};

use tempfile::TempDir;

/// A certificate for 127.0.0.1 in a folder of its own.
#[derive(Debug)]
pub struct Certificate {
    folder: TempDir,
}

const KEY: [&str; 5] = [
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
];

impl Certificate {
    /// Makes an authority, and lets it sign.
    ///
    /// # Panics
    /// When `openssl` does not do it.
    pub fn make() -> Self {
        let folder = TempDir::with_prefix("langnghe-tls-").expect("a temporary folder");
        let certificate = Self { folder };
        let name = "subjectAltName=IP:127.0.0.1";
        certificate.openssl(
            &["req", "-x509", "-days", "2", "-subj", "/CN=authority"],
            &[
                &KEY[..],
                &["-keyout", "authority.key", "-out", "authority.pem"],
            ],
        );
        certificate.openssl(
            &["req", "-x509", "-days", "2", "-subj", "/CN=server"],
            &[
                &KEY[..],
                &["-CA", "authority.pem", "-CAkey", "authority.key"],
                &[
                    "-addext",
                    name,
                    "-addext",
                    "basicConstraints=critical,CA:FALSE",
                ],
                &["-keyout", "server.key", "-out", "server.pem"],
            ],
        );
        certificate
    }

    fn openssl(&self, first: &[&str], rest: &[&[&str]]) {
        let mut command = Command::new("openssl");
        command.args(first).args(rest.concat());
        let output = command.current_dir(self.folder.path()).output();
        let output = output.expect("openssl starts");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{told}");
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The server's certificate and its key, in PEM.
    ///
    /// # Panics
    /// When they cannot be read.
    pub fn server(&self) -> [Vec<u8>; 2] {
        let read = |name| std::fs::read(self.path(name)).expect("it was written");
        ["server.pem", "server.key"].map(read)
    }

    /// The authority's own certificate, in PEM.
    ///
    /// # Panics
    /// When it cannot be read.
    pub fn authority(&self) -> Vec<u8> {
        std::fs::read(self.path("authority.pem")).expect("it was written")
    }
}
