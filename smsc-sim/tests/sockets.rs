//! Guards what only real sockets and files show: RST and FIN, several listeners, TLS beside them, captures, and what is kept
//! over a restart.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use smpp_transport::pdu::{
    Bind, Body, CommandId, CommandStatus, Empty, InterfaceVersion, Leniency, MessageId, Pdu, RegisteredDelivery,
    ShortMessage, Sm,
};
use smsc_sim::{Builder, Filter, SmscSim, Tls};

/// What does not come within this time on a loopback line does not come.
const LONG: Duration = Duration::from_secs(20);

/// An ESME on a socket of its own, which blocks: the simulator runs on threads.
struct Esme {
    stream: TcpStream,
    sequence: u32,
}

impl Esme {
    fn bound(address: SocketAddr) -> Esme {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        let mut esme = Esme { stream, sequence: 0 };
        let bind = Bind {
            system_id: "smppclient1".parse().unwrap(),
            password: "password".parse().unwrap(),
            interface_version: InterfaceVersion::V3_4,
            ..Bind::default()
        };
        assert_eq!(esme.ask(Body::BindTransceiver(bind)).status, CommandStatus::ESME_ROK);
        esme
    }

    fn send(&mut self, body: Body) {
        self.sequence += 1;
        let octets = Pdu::new(CommandStatus::ESME_ROK, self.sequence, body).to_octets();
        self.stream.write_all(&octets).unwrap();
    }

    fn ask(&mut self, body: Body) -> Pdu {
        self.send(body);
        self.next().unwrap()
    }

    fn next(&mut self) -> std::io::Result<Pdu> {
        let mut octets = vec![0; 16];
        self.stream.read_exact(&mut octets)?;
        octets.resize(u32::from_be_bytes(octets[..4].try_into().unwrap()) as usize, 0);
        self.stream.read_exact(&mut octets[16..])?;
        Ok(Pdu::decode(&octets.into(), Leniency::STRICT).unwrap())
    }

    /// The text of the next receipt, which is taken.
    fn receipt(&mut self) -> String {
        let pdu = self.next().unwrap();
        let Body::DeliverSm(sm) = &pdu.body else { panic!("{pdu}") };
        let answer = Body::DeliverSmResp(Some(MessageId::default()));
        self.stream.write_all(&Pdu::new(CommandStatus::ESME_ROK, pdu.sequence, answer).to_octets()).unwrap();
        String::from_utf8(sm.short_message.to_bytes().to_vec()).unwrap()
    }
}

fn submit(to: &str, registered_delivery: u8) -> Body {
    Body::SubmitSm(Sm {
        source_addr: "1001".parse().unwrap(),
        destination_addr: to.parse().unwrap(),
        registered_delivery: RegisteredDelivery(registered_delivery),
        short_message: ShortMessage::new("Hello").unwrap(),
        ..Sm::default()
    })
}

/// A directory of this test, which begins empty and goes with it.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Directory {
        let path = std::env::temp_dir().join(format!("smsc-sim-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Directory(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn policy(yaml: &str) -> smsc_sim::Policy {
    serde_saphyr::from_str(yaml).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_closed_with_fin_or_reset_with_rst_before_the_response_and_after_it() {
    let smsc = SmscSim::builder().rule_set("magic-numbers").start().await.unwrap();
    for (to, answered, is_reset) in
        [("66650", false, false), ("66651", true, false), ("66652", false, true), ("66653", true, true)]
    {
        let mut esme = Esme::bound(smsc.address());
        esme.send(submit(to, 0));
        if answered {
            assert_eq!(esme.next().unwrap().command_id(), CommandId::SUBMIT_SM_RESP, "{to}");
        }
        let kind = esme.next().unwrap_err().kind();
        assert_eq!(kind, if is_reset { ErrorKind::ConnectionReset } else { ErrorKind::UnexpectedEof }, "{to}");
    }
    assert_eq!(smsc.stats().messages_total, 4, "all were taken");
    smsc.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_listeners_serve_one_simulator_and_tls_beside_them() {
    let tls = Tls { listen: vec!["127.0.0.1:0".to_owned()], ..Tls::default() };
    let builder = SmscSim::builder().listen("127.0.0.1:0").listen("127.0.0.1:0").tls(tls);
    let smsc = builder.start().await.unwrap();
    let (addresses, tls_address) = (smsc.addresses().to_vec(), smsc.tls_addresses()[0]);
    assert_eq!(addresses.len(), 2);
    for address in addresses {
        assert_eq!(Esme::bound(address).ask(submit("2701", 0)).status, CommandStatus::ESME_ROK);
    }
    assert_eq!(smsc.stats().messages_total, 2);
    let mut plain = TcpStream::connect(tls_address).unwrap();
    plain.set_read_timeout(Some(LONG)).unwrap();
    plain.write_all(&Pdu::new(CommandStatus::ESME_ROK, 1, Body::EnquireLink(Empty {})).to_octets()).unwrap();
    let mut alert = Vec::new();
    let _ = plain.read_to_end(&mut alert);
    assert!(alert.is_empty() || alert[0] == 0x15, "without TLS nothing is served there: {alert:x?}");
    smsc.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_passes_is_captured_and_a_reader_of_captures_finds_it() {
    let directory = Directory::new("capture");
    let path = directory.0.join("smpp.pcap");
    let smsc = SmscSim::builder().capture(&path).start().await.unwrap();
    Esme::bound(smsc.address()).ask(submit("2701", 0));
    smsc.stop().await;
    let octets = std::fs::read(&path).unwrap();
    assert!(octets.windows(5).any(|some| some == b"Hello"), "{} octets", octets.len());
    let port = "tcp.port==2775,smpp";
    let tshark = std::process::Command::new("tshark").args(["-d", port, "-r"]).arg(&path).output();
    // Where there is none, what it makes of the capture is not tested.
    let Ok(tshark) = tshark else { return };
    let said = String::from_utf8_lossy(&tshark.stdout).to_lowercase();
    assert!(tshark.status.success() && said.contains("tcp"), "{said}");
}

fn kept_in(directory: &Directory) -> Builder {
    SmscSim::builder().data_dir(&directory.0)
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_states_timers_and_receipts_due_survive_a_restart() {
    let directory = Directory::new("restart");
    let smsc = kept_in(&directory).policy(policy("{ enroute: 1500ms, error: 3 }")).start().await.unwrap();
    let mut esme = Esme::bound(smsc.address());
    for to in ["2701", "2702"] {
        assert_eq!(esme.ask(submit(to, 1)).status, CommandStatus::ESME_ROK);
    }
    let id = smsc.messages(&Filter::default())[0].id.clone();
    smsc.set_state(&id, "REJECTED".parse().unwrap(), Some(42)).unwrap();
    // Its receipt is written and not answered.
    assert!(matches!(esme.next().unwrap().body, Body::DeliverSm(_)));
    drop(esme);
    let before = smsc.messages(&Filter::default());
    smsc.stop().await;

    let smsc = kept_in(&directory).start().await.unwrap();
    let after = smsc.messages(&Filter::default());
    assert_eq!(
        after.iter().map(|it| (&it.id, &it.text, &it.submitted_at)).collect::<Vec<_>>(),
        before.iter().map(|it| (&it.id, &it.text, &it.submitted_at)).collect::<Vec<_>>()
    );
    assert_eq!((after[0].state.to_string().as_str(), after[0].error), ("REJECTED", 42));
    let mut esme = Esme::bound(smsc.address());
    let told = [esme.receipt(), esme.receipt()];
    assert!(told[0].contains("stat:REJECTD err:042"), "the one whose answer was lost: {told:?}");
    assert!(told[1].contains("stat:DELIVRD err:003"), "the one whose time was to come: {told:?}");
    let Body::SubmitSmResp(Some(answer)) = esme.ask(submit("2703", 0)).body else { panic!("an id") };
    assert!(after.iter().all(|message| message.id != answer.message_id.text()), "no id is used twice");
    drop(esme);
    smsc.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_a_moment_ago_survives_without_a_stop() {
    let directory = Directory::new("kill");
    let smsc = kept_in(&directory).start().await.unwrap();
    let mut esme = Esme::bound(smsc.address());
    for _ in 0..10 {
        esme.ask(submit("2701", 0));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    // As it lies there while the simulator runs: what a kill would leave.
    let left = Directory::new("killed");
    for file in std::fs::read_dir(&directory.0).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), left.0.join(file.file_name())).unwrap();
    }
    let again = kept_in(&left).start().await.unwrap();
    assert_eq!(again.messages(&Filter::default()).len(), 10);
    // The eleventh id may have been given before the kill.
    let Body::SubmitSmResp(Some(answer)) = Esme::bound(again.address()).ask(submit("2702", 0)).body else {
        panic!("an id")
    };
    assert!(answer.message_id.text().parse::<u64>().unwrap() > 1_000, "{answer:?}");
    again.stop().await;
    drop(esme);
    smsc.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_simulator_on_the_same_directory_is_refused_in_words() {
    let directory = Directory::new("second");
    let smsc = kept_in(&directory).start().await.unwrap();
    let refused = kept_in(&directory).start().await.unwrap_err().to_string();
    assert!(refused.contains("messages.redb") && refused.lines().count() == 1, "{refused}");
    smsc.stop().await;
    kept_in(&directory).start().await.unwrap().stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configuration_that_cannot_be_is_refused_in_words() {
    let refused = async |builder: Builder| builder.start().await.unwrap_err().to_string();
    let twice = SmscSim::builder().account("one", "1").account("one", "2");
    assert_eq!(refused(twice).await, "accounts[1]: system_id \"one\" is that of accounts[0] too");
    let unknown = refused(SmscSim::builder().rule_set("nosuch")).await;
    assert!(unknown.contains("\"nosuch\" is no set of rules; there are healthy, "), "{unknown}");
    let split = refused(SmscSim::builder().policy(policy("{ receipt: { split: { octets: 0 } } }"))).await;
    assert!(split.starts_with("policy.receipt.split.octets is 0"), "{split}");
}
