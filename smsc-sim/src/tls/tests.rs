//! Guards that clients bind and submit over TLS, that one who says nothing keeps nobody out, that a certificate can be
//! asked of clients, and that what is wrong with files is said with their names.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use smpp_transport::driver::{Client, ClientConfig};
use smpp_transport::env::SystemClock;
use smpp_transport::pdu::Sm;
use smpp_transport::session::BindKind;
use tokio::io::AsyncReadExt;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream as ClientStream;
use tokio_rustls::rustls::ClientConfig as TlsClientConfig;

use super::*;
use crate::{Config, Control, serve};

/// A folder of this test's alone, gone when it ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let name = format!("smsc-sim-tls-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        Folder(folder)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let file = self.0.join(name);
        fs::write(&file, text).unwrap();
        file
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// A server's or client's certificate and key, and the authority that vouches for it.
struct Identity {
    authority: CertifiedIssuer<'static, KeyPair>,
    certificate: Certificate,
    key: KeyPair,
}

fn identity() -> Identity {
    let mut authority = CertificateParams::new([]).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    Identity { authority, certificate, key }
}

impl Identity {
    fn certificate_file(&self, folder: &Folder) -> PathBuf {
        folder.file("certificate.pem", &self.certificate.pem())
    }

    fn key_file(&self, folder: &Folder) -> PathBuf {
        folder.file("key.pem", &self.key.serialize_pem())
    }
}

/// A client that trusts this authority, and shows this certificate.
fn connector(trusted: &CertificateDer<'static>, shown: Option<&Identity>) -> TlsConnector {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let builder = TlsClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
    let config = match shown {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let key = PrivatePkcs8KeyDer::from(identity.key.serialize_der()).into();
            builder.with_client_auth_cert(vec![identity.certificate.der().clone()], key).unwrap()
        }
    };
    TlsConnector::from(Arc::new(config))
}

async fn connect(to: std::net::SocketAddr, connector: &TlsConnector) -> io::Result<ClientStream<TcpStream>> {
    connector.connect("localhost".try_into().unwrap(), TcpStream::connect(to).await?).await
}

/// A simulator behind this listener.
fn simulator(accept: TlsAccept) {
    let control = Control::new(Config::default(), Arc::new(SystemClock)).unwrap();
    tokio::spawn(serve(accept, control));
}

async fn submits(stream: ClientStream<TcpStream>) {
    let config = ClientConfig::new(BindKind::Transceiver, "smppclient1".parse().unwrap(), "password".parse().unwrap());
    let (client, _incoming) = Client::over(stream, config).await.unwrap();
    let sm = Sm { destination_addr: "27820001001".parse().unwrap(), ..Sm::default() };
    assert!(!client.submit(sm).await.unwrap().message_id.is_empty());
    client.unbind().await;
}

/// Real sockets, so real time, but much of it.
async fn soon<F: Future>(what: F) -> F::Output {
    timeout(Duration::from_secs(60), what).await.expect("it comes some day")
}

#[tokio::test]
async fn a_client_binds_and_submits_although_others_say_nothing() {
    let (folder, identity) = (Folder::new(), identity());
    let listener = listener().await;
    let address = listener.local_addr().unwrap();
    let files = (identity.certificate_file(&folder), identity.key_file(&folder));
    simulator(TlsAccept::new(listener, &files.0, &files.1, None).unwrap());
    let _silent = [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
    let began = tokio::time::Instant::now();
    soon(async { submits(connect(address, &connector(identity.authority.der(), None)).await.unwrap()).await }).await;
    assert!(began.elapsed() < HANDSHAKE_TIMEOUT, "the silent ones are still there");
}

#[tokio::test]
async fn a_self_signed_certificate_needs_no_files() {
    let listener = listener().await;
    let address = listener.local_addr().unwrap();
    let accept = TlsAccept::self_signed(listener, None).unwrap();
    assert_eq!(accept.fingerprint().len(), 32 * 3 - 1);
    let told = connector(&accept.certificate, None);
    let stranger = connector(identity().authority.der(), None);
    simulator(accept);
    let refused = soon(connect(address, &stranger)).await;
    assert!(refused.unwrap_err().to_string().contains("certificate"), "nobody vouches for it");
    for name in ["localhost", "127.0.0.1", "::1"] {
        let stream = TcpStream::connect(address).await.unwrap();
        submits(soon(told.connect(name.try_into().unwrap(), stream)).await.unwrap()).await;
    }
}

#[tokio::test]
async fn clients_must_show_a_certificate_when_there_is_an_authority_for_them() {
    let (folder, server, client) = (Folder::new(), identity(), identity());
    let listener = listener().await;
    let address = listener.local_addr().unwrap();
    let files = (server.certificate_file(&folder), server.key_file(&folder));
    let authority = folder.file("authority.pem", &client.authority.pem());
    simulator(TlsAccept::new(listener, &files.0, &files.1, Some(&authority)).unwrap());
    soon(async {
        // With TLS 1.3 a client learns that it is not wanted only when it reads.
        let stranger = connect(address, &connector(server.authority.der(), None)).await;
        let read = match stranger {
            Ok(mut stream) => stream.read(&mut [0; 1]).await.map(|_| ()),
            Err(error) => Err(error),
        };
        assert!(read.is_err(), "{read:?}");
        submits(connect(address, &connector(server.authority.der(), Some(&client))).await.unwrap()).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_hung_up_on_after_a_while() {
    let listener = listener().await;
    let mut silent = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let mut accept = TlsAccept::self_signed(listener, None).unwrap();
    let (stream, peer) = Accept::accept(&mut accept.listener).await.unwrap();
    accept.shake_hands(stream, peer);
    let accepted = timeout(HANDSHAKE_TIMEOUT * 2, accept.accept()).await;
    assert!(accepted.is_err() && accept.handshakes.is_empty());
    assert_eq!(silent.read(&mut [0; 1]).await.unwrap(), 0);
}

#[tokio::test]
async fn a_reset_stream_is_reset() {
    let listener = listener().await;
    let address = listener.local_addr().unwrap();
    let (folder, identity) = (Folder::new(), identity());
    let files = (identity.certificate_file(&folder), identity.key_file(&folder));
    let mut accept = TlsAccept::new(listener, &files.0, &files.1, None).unwrap();
    let connector = connector(identity.authority.der(), None);
    let (accepted, connected) = soon(async { tokio::join!(accept.accept(), connect(address, &connector)) }).await;
    let ((mut stream, _), mut client) = (accepted.unwrap(), connected.unwrap());
    TlsAccept::reset(&mut stream);
    drop(stream);
    let read = soon(client.read(&mut [0; 1])).await;
    assert_eq!(read.unwrap_err().kind(), io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_said_with_its_name() {
    let (folder, identity, other) = (Folder::new(), identity(), identity());
    let good = (identity.certificate_file(&folder), identity.key_file(&folder));
    let empty = folder.file("empty.pem", "");
    let missing = folder.0.join("missing.pem");
    let foreign = folder.file("foreign.pem", &other.key.serialize_pem());
    let cases = [
        (
            &empty,
            &good.1,
            None,
            "certificate EMPTY: no PEM certificate in it".replace("EMPTY", empty.to_str().unwrap()),
        ),
        (&good.0, &empty, None, format!("key {}: no PEM private key in it", empty.display())),
        (&missing, &good.1, None, format!("certificate {}: No such file", missing.display())),
        (&good.0, &missing, None, format!("key {}: No such file", missing.display())),
        (&good.0, &foreign, None, format!("certificate {}, key {}: ", good.0.display(), foreign.display())),
        (&good.0, &good.1, Some(&empty), format!("client certificate authority {}: no PEM", empty.display())),
    ];
    for (certificate, key, client_ca, expected) in cases {
        let refused = TlsAccept::new(listener().await, certificate, key, client_ca.map(PathBuf::as_path));
        let said = refused.err().expect("it cannot be used").to_string();
        assert!(said.starts_with(&expected), "{said}, not {expected}");
    }
}
