//! SMPP over TLS: takes connections, shakes hands with all of them at the same time, and gives those that succeed.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use smpp_transport::driver::Accept;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;

/// How long a client may take to shake hands.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Handshakes at the same time; more clients wait to be accepted.
const HANDSHAKES_MAX: usize = 1024;

/// A certificate, a key or a certificate authority that cannot be used: which, and what is wrong.
#[derive(Debug, thiserror::Error)]
#[error("{part}: {problem}")]
pub(crate) struct TlsError {
    /// What it is, and its file.
    part: String,
    problem: String,
}

/// Listens for TLS. Handshakes run in tasks of their own, so that a client that says nothing keeps nobody out.
pub(crate) struct TlsAccept {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    certificate: CertificateDer<'static>,
    handshakes: JoinSet<Option<(TlsStream<TcpStream>, String)>>,
}

impl TlsAccept {
    /// With the certificate (and those that vouch for it) and the key in these PEM files. With `client_ca` clients must show
    /// a certificate that one of those in the file vouches for.
    ///
    /// # Errors
    /// When a file cannot be read, has not in it what it should, or key and certificate do not belong together.
    pub(crate) fn new(
        listener: TcpListener,
        certificate: &Path,
        key: &Path,
        client_ca: Option<&Path>,
    ) -> Result<TlsAccept, TlsError> {
        let certificates = read_certificates("certificate", certificate)?;
        let key_part = part("key", key);
        let key = PrivateKeyDer::from_pem_slice(&read(&key_part, key)?);
        let key = key.map_err(|_| error(&key_part, "no PEM private key in it"))?;
        let name = format!("{}, {key_part}", part("certificate", certificate));
        TlsAccept::with(listener, &name, certificates, key, client_ca)
    }

    /// With a certificate for localhost made now, that nobody vouches for: clients must be told to accept it.
    ///
    /// # Errors
    /// When no certificate can be made, or `client_ca` cannot be used; see [`new`](TlsAccept::new).
    pub(crate) fn self_signed(listener: TcpListener, client_ca: Option<&Path>) -> Result<TlsAccept, TlsError> {
        const NAME: &str = "self-signed certificate";
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        let made = rcgen::generate_simple_self_signed(names).map_err(|problem| error(NAME, problem))?;
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let accept = TlsAccept::with(listener, NAME, vec![made.cert.der().clone()], key.into(), client_ca)?;
        tracing::info!(sha256 = accept.fingerprint(), "self-signed certificate for localhost");
        Ok(accept)
    }

    /// The SHA-256 fingerprint of the server's certificate, as `openssl x509 -fingerprint -sha256` prints it.
    pub(crate) fn fingerprint(&self) -> String {
        let digest = ::ring::digest::digest(&::ring::digest::SHA256, &self.certificate);
        let octets: Vec<_> = digest.as_ref().iter().map(|octet| format!("{octet:02X}")).collect();
        octets.join(":")
    }

    fn with(
        listener: TcpListener,
        name: &str,
        certificates: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        client_ca: Option<&Path>,
    ) -> Result<TlsAccept, TlsError> {
        let certificate = certificates.first().cloned().ok_or_else(|| error(name, "there is none"))?;
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
        let builder = builder.map_err(|problem| error(name, problem))?;
        let builder = match client_ca {
            None => builder.with_no_client_auth(),
            Some(file) => builder.with_client_cert_verifier(client_verifier(file, provider)?),
        };
        let config = builder.with_single_cert(certificates, key).map_err(|problem| error(name, problem))?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(TlsAccept { listener, acceptor, certificate, handshakes: JoinSet::new() })
    }

    fn shake_hands(&mut self, stream: TcpStream, peer: String) {
        let handshake = timeout(HANDSHAKE_TIMEOUT, self.acceptor.accept(stream));
        self.handshakes.spawn(async move {
            match handshake.await {
                Ok(Ok(stream)) => return Some((stream, peer)),
                Ok(Err(error)) => tracing::info!(peer, %error, "TLS handshake failed"),
                Err(_) => tracing::info!(peer, "TLS handshake takes too long"),
            }
            None
        });
    }
}

impl Accept for TlsAccept {
    type Stream = TlsStream<TcpStream>;

    /// It may be dropped at any point: handshakes go on when it is called again.
    async fn accept(&mut self) -> io::Result<(TlsStream<TcpStream>, String)> {
        loop {
            let has_room = self.handshakes.len() < HANDSHAKES_MAX;
            // Those that are ready first: they have waited longest, and make room.
            tokio::select! {
                biased;
                Some(ended) = self.handshakes.join_next(), if !self.handshakes.is_empty() => {
                    // Those that failed have said so.
                    if let Ok(Some(accepted)) = ended {
                        return Ok(accepted);
                    }
                }
                accepted = Accept::accept(&mut self.listener), if has_room => {
                    let (stream, peer) = accepted?;
                    self.shake_hands(stream, peer);
                }
            }
        }
    }

    fn reset(stream: &mut TlsStream<TcpStream>) {
        <TcpListener as Accept>::reset(stream.get_mut().0);
    }
}

fn client_verifier(
    file: &Path,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn tokio_rustls::rustls::server::danger::ClientCertVerifier>, TlsError> {
    const NAME: &str = "client certificate authority";
    let mut roots = RootCertStore::empty();
    for certificate in read_certificates(NAME, file)? {
        roots.add(certificate).map_err(|problem| error(&part(NAME, file), problem))?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
    verifier.map(|verifier| verifier as _).map_err(|problem| error(&part(NAME, file), problem))
}

fn read_certificates(name: &str, file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let part = part(name, file);
    let pem = read(&part, file)?;
    let certificates = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let certificates = certificates.map_err(|problem| error(&part, format!("its PEM is broken: {problem}")))?;
    if certificates.is_empty() { Err(error(&part, "no PEM certificate in it")) } else { Ok(certificates) }
}

fn read(part: &str, file: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(file).map_err(|problem| error(part, problem))
}

fn part(name: &str, file: &Path) -> String {
    format!("{name} {}", file.display())
}

fn error(part: &str, problem: impl ToString) -> TlsError {
    TlsError { part: part.to_owned(), problem: problem.to_string() }
}

#[cfg(test)]
mod tests;
