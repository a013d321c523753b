//! Lines to the SMSC: over TCP or TLS, to several places in turn.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use smpp_transport::config::{Smsc, Tls};
use smpp_transport::driver::{Connect, Dialer, InTurn};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error as TlsFault, RootCertStore, SignatureScheme};

use super::outbind::Dialled;
use super::tap::Taps;

/// A line, whatever it is made of.
pub(crate) trait Line: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Line for T {}

/// A place of an SMSC, and how to get there.
#[derive(Clone)]
pub(crate) struct Place {
    address: String,
    dialer: Dialer,
    tls: Option<(TlsConnector, Option<ServerName<'static>>)>,
    /// Taps that record what passes on each connection.
    taps: Option<Taps>,
    /// Peer of the connection that was opened last.
    peer: Option<SocketAddr>,
}

/// How a line comes about.
#[derive(Clone)]
pub(crate) enum Way {
    /// We dial.
    Dial(InTurn<Place>),
    /// The SMSC does.
    Wait(Dialled),
}

impl Connect for Way {
    type Stream = Box<dyn Line>;

    async fn connect(&mut self) -> io::Result<Box<dyn Line>> {
        match self {
            Way::Dial(places) => places.connect().await,
            Way::Wait(dialled) => dialled.connect().await,
        }
    }

    fn peer(&self) -> Option<String> {
        match self {
            Way::Dial(places) => places.peer(),
            Way::Wait(dialled) => dialled.peer(),
        }
    }
}

/// The places that the configuration names, `addresses` first to last.
///
/// # Errors
/// In words, with the option's name: a file that cannot be used, or a name that is none.
pub(super) fn places(addresses: Vec<String>, smsc: &Smsc, taps: Option<&Taps>) -> Result<InTurn<Place>, String> {
    let tls = if smsc.tls.enabled { Some(tls(&smsc.tls)?) } else { None };
    let dialer = Dialer { source: smsc.source_address, limit: smsc.connect_timeout, ..Dialer::default() };
    let place = |address| Place { address, dialer: dialer.clone(), tls: tls.clone(), taps: taps.cloned(), peer: None };
    Ok(InTurn::new(addresses.into_iter().map(place)))
}

impl Connect for Place {
    type Stream = Box<dyn Line>;

    async fn connect(&mut self) -> io::Result<Box<dyn Line>> {
        self.peer = None;
        let address = &self.address;
        tracing::debug!(address, "connecting");
        let stream = self.dialer.open(address).await?;
        let (ours, smsc) = (stream.local_addr().ok(), stream.peer_addr().ok());
        self.peer = smsc;
        let line: Box<dyn Line> = match &self.tls {
            None => Box::new(stream),
            Some((connector, name)) => {
                let name = name.clone().map_or_else(|| host_of(address), Ok)?;
                Box::new(connector.connect(name, stream).await?)
            }
        };
        Ok(match &self.taps {
            Some(taps) => taps.tap(line, ours, smsc),
            None => line,
        })
    }

    fn peer(&self) -> Option<String> {
        Some(self.peer.map_or_else(|| self.address.clone(), |peer| peer.to_string()))
    }
}

fn host_of(address: &str) -> io::Result<ServerName<'static>> {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    ServerName::try_from(host.trim_start_matches('[').trim_end_matches(']').to_owned()).map_err(io::Error::other)
}

fn tls(tls: &Tls) -> Result<(TlsConnector, Option<ServerName<'static>>), String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| format!("tls: {error}"))?;
    let builder = if tls.insecure {
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider)))
    } else {
        let roots = Arc::new(roots(tls.ca.as_deref())?);
        let verifier = WebPkiServerVerifier::builder_with_provider(roots, provider).build();
        builder.with_webpki_verifier(verifier.map_err(|error| format!("tls.ca: {error}"))?)
    };
    let config = match (&tls.cert, &tls.key) {
        (Some(cert), Some(key)) => {
            let certificates = certificates("tls.cert", cert)?;
            let wrong = |error: &dyn std::fmt::Display| format!("tls.key: {}: {error}", key.display());
            let key = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(&error))?;
            builder.with_client_auth_cert(certificates, key).map_err(|error| wrong(&error))?
        }
        (None, None) => builder.with_no_client_auth(),
        (Some(_), None) => return Err("tls.cert is given without tls.key".to_owned()),
        (None, Some(_)) => return Err("tls.key is given without tls.cert".to_owned()),
    };
    let name = tls
        .server_name
        .clone()
        .map(|name| ServerName::try_from(name.clone()).map_err(|error| format!("tls.server_name: {name:?}: {error}")));
    Ok((TlsConnector::from(Arc::new(config)), name.transpose()?))
}

fn roots(ca: Option<&Path>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let found = match ca {
        Some(path) => certificates("tls.ca", path)?,
        None => rustls_native_certs::load_native_certs().certs,
    };
    roots.add_parsable_certificates(found);
    if roots.is_empty() {
        return Err("tls.ca: there is no certificate that may vouch for the SMSC".to_owned());
    }
    Ok(roots)
}

fn certificates(option: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{option}: {}: {error}", path.display());
    let found = CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))?;
    let found: Result<Vec<_>, _> = found.collect();
    let found = found.map_err(|error| wrong(&error))?;
    if found.is_empty() { Err(wrong(&"no PEM certificate in it")) } else { Ok(found) }
}

/// Takes any certificate, as it was asked to.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _others: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, TlsFault> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsFault> {
        let algorithms = &self.0.signature_verification_algorithms;
        tokio_rustls::rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, TlsFault> {
        let algorithms = &self.0.signature_verification_algorithms;
        tokio_rustls::rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
