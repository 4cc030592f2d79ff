//! Opens a connection, in the clear or with TLS.

use std::{io, sync::Arc, time::Duration};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::TlsConnector;

use crate::smpp::config::{SmppConfig, SmppConfigError, TlsConfig};

/// The longest that a connection may take to open.
const CONNECT: Duration = Duration::from_secs(10);

/// Both ways of a connection.
pub(crate) struct Stream {
    pub(crate) read: Box<dyn AsyncRead + Send + Unpin>,
    pub(crate) write: Box<dyn AsyncWrite + Send + Unpin>,
}

/// Opens connections to one message centre.
pub(crate) struct Connector {
    host: String,
    port: u16,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Connector {
    /// Takes what the configuration says, and reads its certificates.
    pub(crate) fn new(config: &SmppConfig) -> Result<Self, SmppConfigError> {
        let tls = config.tls.as_ref().map(|tls| {
            let name = tls
                .server_name
                .clone()
                .unwrap_or_else(|| config.host.clone());
            let name = ServerName::try_from(name).map_err(|_| SmppConfigError::ServerName)?;
            Ok((tls_connector(tls)?, name))
        });
        Ok(Self {
            host: config.host.clone(),
            port: config.port,
            tls: tls.transpose()?,
        })
    }

    /// Opens one.
    pub(crate) async fn connect(&self) -> io::Result<Stream> {
        let opening = async {
            let tcp = TcpStream::connect((self.host.as_str(), self.port)).await?;
            tcp.set_nodelay(true)?;
            let Some((connector, name)) = &self.tls else {
                let (read, write) = tcp.into_split();
                return Ok(Stream {
                    read: Box::new(read),
                    write: Box::new(write),
                });
            };
            let tls = connector.connect(name.clone(), tcp).await?;
            let (read, write) = tokio::io::split(tls);
            Ok(Stream {
                read: Box::new(read),
                write: Box::new(write),
            })
        };
        match timeout(CONNECT, opening).await {
            Ok(opened) => opened,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

fn tls_connector(tls: &TlsConfig) -> Result<TlsConnector, SmppConfigError> {
    let mut roots = RootCertStore::empty();
    if let Some(authorities) = &tls.authorities {
        for certificate in CertificateDer::pem_slice_iter(authorities) {
            let certificate =
                certificate.map_err(|_| SmppConfigError::Tls("the certificates are no PEM"))?;
            roots
                .add(certificate)
                .map_err(|_| SmppConfigError::Tls("a certificate cannot be used"))?;
        }
    } else {
        // What the system has and cannot be used is none of ours.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if roots.is_empty() {
        return Err(SmppConfigError::Tls("there is no certificate to trust"));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| SmppConfigError::Tls("no version of TLS is offered"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
