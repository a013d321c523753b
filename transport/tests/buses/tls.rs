//! `amqps://`: the transport as a process, with a RabbitMQ that serves TLS.

use std::path::Path;
use std::process::Stdio;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use smsc_sim::{Filter, SmscSim};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::rabbit::Applications;
use super::server::RabbitMq;
use super::servers::free_port;
use super::{PATIENCE, World as _};

/// Writes an authority, and a certificate for localhost that it vouches for.
fn certificates(folder: &Path) {
    let mut authority = CertificateParams::new([]).unwrap();
    authority.distinguished_name.push(DnType::CommonName, folder.display().to_string());
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    for (name, pem) in
        [("ca.pem", authority.pem()), ("certificate.pem", certificate.pem()), ("key.pem", key.serialize_pem())]
    {
        std::fs::write(folder.join(name), pem).unwrap();
    }
}

/// A transport that trusts this authority, with the broker at `url`.
fn transport(folder: &Path, authority: &str, url: &str, name: &str, smsc: &SmscSim) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_smpp-transport"));
    command.env_clear().env("SSL_CERT_FILE", folder.join(authority)).kill_on_drop(true);
    command.args(["--amqp-url", url, "--transport-name", name, "--port", &smsc.address().port().to_string()]);
    command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program can be started")
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_come_over_tls_from_a_broker_that_is_vouched_for_and_from_no_other() {
    let folder = std::env::temp_dir().join(format!("smpp-amqps-{}", std::process::id()));
    for name in ["", "other"] {
        std::fs::create_dir_all(folder.join(name)).unwrap();
        certificates(&folder.join(name));
    }
    let port = free_port();
    let file = |name: &str| folder.join(name).display().to_string();
    let configuration = format!(
        "listeners.ssl.default = 127.0.0.1:{port}\nssl_options.cacertfile = {}\nssl_options.certfile = {}\n\
         ssl_options.keyfile = {}\nssl_options.verify = verify_none\n",
        file("ca.pem"),
        file("certificate.pem"),
        file("key.pem")
    );
    let Some(broker) = RabbitMq::start_with(configuration) else { return };
    let applications = Applications::new(broker.port);
    let smsc = SmscSim::builder().start().await.expect("a free port");
    let url = format!("amqps://guest:guest@localhost:{port}");

    let mut refused = transport(&folder, "other/ca.pem", &url, &applications.name, &smsc);
    let mut lines = BufReader::new(refused.stderr.take().expect("it is piped")).lines();
    let why = async {
        loop {
            let line = lines.next_line().await.unwrap().expect("it goes on trying");
            if line.contains("the bus is away") {
                return line;
            }
        }
    };
    let why = timeout(PATIENCE, why).await.expect("it says why");
    assert!(why.contains("UnknownIssuer") && why.contains("amqps://") && !why.contains("guest:guest"), "{why}");
    refused.kill().await.unwrap();

    let _transport = transport(&folder, "ca.pem", &url, &applications.name, &smsc);
    applications.put(r#"{"to_addr": "2701", "from_addr": "1001", "content": "over TLS"}"#).await;
    let message = smsc.wait_for_message(&Filter::default(), PATIENCE).await.expect("it came");
    assert_eq!(message.text.as_deref(), Some("over TLS"));
    let _ = std::fs::remove_dir_all(&folder);
}
