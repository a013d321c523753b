//! TLS to the SMSC: who vouches for whom, and under which name.

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use smsc_sim::{SmscSim, Tls};

use super::world::{Folder, PATIENCE, Transport, dialling, to};

/// An authority, the file of its certificate, and certificates that it vouches for.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: String,
}

impl Authority {
    fn new(folder: &Folder, name: &str) -> Authority {
        let mut params = CertificateParams::new([]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let file = folder.file(&format!("{name}.pem"), &issuer.pem());
        Authority { issuer, file }
    }

    /// The files of a certificate for this name, and of its key.
    fn certify(&self, folder: &Folder, name: &str) -> [String; 2] {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new([name.to_owned()]).unwrap().signed_by(&key, &self.issuer).unwrap();
        let files = [("certificate", certificate.pem()), ("key", key.serialize_pem())];
        files.map(|(kind, pem)| folder.file(&format!("{name}-{kind}.pem"), &pem))
    }
}

/// An SMSC that serves TLS alone, as `localhost`, to those that `theirs` vouches for.
async fn smsc(folder: &Folder, ours: &Authority, theirs: &Authority) -> SmscSim {
    let [certificate, key] = ours.certify(folder, "localhost");
    let tls = Tls {
        listen: vec!["127.0.0.1:0".to_owned()],
        certificate: Some(certificate.into()),
        key: Some(key.into()),
        client_ca: Some(theirs.file.clone().into()),
    };
    SmscSim::builder().tls(tls).start().await.expect("a free port")
}

async fn transport(smsc: &SmscSim, flags: &[&str]) -> Transport {
    let own = ["--tls-enabled", "--host", "localhost"];
    let flags: Vec<_> = own.iter().chain(flags).copied().collect();
    let dialling = dialling(smsc.tls_addresses()[0], &[]).into_iter().skip(2);
    Transport::start(&dialling.chain(flags.into_iter().map(str::to_owned)).collect::<Vec<_>>()).await
}

#[tokio::test]
async fn messages_go_over_tls_to_an_smsc_that_is_vouched_for_and_a_capture_has_them_in_plain() {
    let folder = Folder::new();
    let (ours, theirs) = (Authority::new(&folder, "ours"), Authority::new(&folder, "theirs"));
    let smsc = smsc(&folder, &theirs, &ours).await;
    let [cert, key] = ours.certify(&folder, "client");
    let capture = folder.path("it.pcap");
    let flags = ["--tls-ca", &theirs.file, "--tls-cert", &cert, "--tls-key", &key, "--capture", &capture];
    let transport = transport(&smsc, &flags).await;
    assert_eq!(smsc.wait_for_sessions(None, 1, PATIENCE).await.len(), 1, "{}", transport.log());
    transport.submit("2701", "over TLS").await;
    assert!(smsc.wait_for_message(&to("2701"), PATIENCE).await.is_some());
    assert!(transport.stop().await.success());
    let octets = std::fs::read(&capture).expect("it is there");
    assert!(octets.windows(8).any(|some| some == b"over TLS"));
}

#[tokio::test]
async fn who_is_not_vouched_for_or_has_another_name_is_not_spoken_to() {
    let folder = Folder::new();
    let (ours, theirs) = (Authority::new(&folder, "ours"), Authority::new(&folder, "theirs"));
    let smsc = smsc(&folder, &theirs, &ours).await;
    let [cert, key] = ours.certify(&folder, "client");
    let [alien, alien_key] = theirs.certify(&folder, "alien");
    let with = |ca, cert, key| ["--tls-ca", ca, "--tls-cert", cert, "--tls-key", key];
    for (flags, why) in [
        (with(&ours.file, &cert, &key).to_vec(), "UnknownIssuer"),
        ([&with(&theirs.file, &cert, &key)[..], &["--tls-server-name", "smsc.example"]].concat(), "not valid for name"),
        (vec!["--tls-ca", &theirs.file], "not bound"),
        (with(&theirs.file, &alien, &alien_key).to_vec(), "not bound"),
    ] {
        let mut transport = transport(&smsc, &flags).await;
        let log = transport.says("not bound").await;
        assert!(log.contains(why), "{flags:?}: {log}");
        assert!(!log.contains("link{name=\"trx1\"}: smpp_transport::service::link: session bound"), "{flags:?}: {log}");
        assert!(smsc.sessions().iter().all(|session| session.bound_at.is_none()), "{flags:?}");
        assert!(transport.stop().await.success());
    }
    let insecure = transport(&smsc, &["--tls-insecure", "--tls-cert", &cert, "--tls-key", &key]).await;
    assert_eq!(smsc.wait_for_sessions(None, 1, PATIENCE).await.len(), 1, "asked to take anybody: {}", insecure.log());
    assert!(insecure.stop().await.success());
}

#[tokio::test]
async fn tools_speak_tls_too() {
    let folder = Folder::new();
    let (ours, theirs) = (Authority::new(&folder, "ours"), Authority::new(&folder, "theirs"));
    let smsc = smsc(&folder, &theirs, &ours).await;
    let [cert, key] = ours.certify(&folder, "client");
    let port = smsc.tls_addresses()[0].port().to_string();
    let common = ["--host", "localhost", "--port", &port, "--tls", "--tls-cert", &cert, "--tls-key", &key];
    let tool = async |words: &[&str], flags: &[&str]| {
        let mut command = tokio::process::Command::new(super::world::PROGRAM);
        command.env_clear().args(words).args(common).args(flags);
        let output = command.output().await.expect("the program can be started");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for words in [&["load", "--count", "2", "--to", "2702"][..], &["send", "--from", "1", "--to", "2702", "by send"]] {
        let (is_done, said) = tool(words, &["--tls-ca", &theirs.file]).await;
        assert!(is_done, "{words:?}: {said}");
        let (is_done, _) = tool(words, &["--tls-insecure"]).await;
        assert!(is_done, "{words:?}: asked to take anybody");
        let (is_done, said) = tool(words, &["--tls-ca", &ours.file]).await;
        assert!(!is_done && said.contains("UnknownIssuer"), "{words:?}: {said}");
    }
    assert_eq!(smsc.wait_for_messages(&to("2702"), 6, PATIENCE).await.len(), 6);
}
