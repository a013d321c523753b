//! What the stories are told with: a simulator whose lines are pipes in memory, and what ESMEs say to it.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use smpp_transport::driver::Accept;
use smpp_transport::env::WallClock;
use smpp_transport::pdu::{
    Bind, Body, CommandStatus, InterfaceVersion, MessageId, Pdu, QuerySm, RegisteredDelivery, ShortMessage, Sm, TlvTag,
};
use smpp_transport::session::BindKind;
use smsc_sim::rules::{Step, parse};
use smsc_sim::{Config, Control, Mo, Policy, serve};
use tokio::io::{DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub(crate) use crate::esme::Esme;

/// Octets that are on their way at most.
const PIPE_OCTETS: usize = 1024 * 1024;

/// A simulator that is served.
pub(crate) struct Smsc {
    lines: mpsc::UnboundedSender<DuplexStream>,
    control: Control,
    task: JoinHandle<()>,
}

struct Door(mpsc::UnboundedReceiver<DuplexStream>);

impl Accept for Door {
    type Stream = DuplexStream;

    async fn accept(&mut self) -> io::Result<(DuplexStream, String)> {
        match self.0.recv().await {
            Some(line) => Ok((line, "a story".to_owned())),
            None => pending().await,
        }
    }
}

/// Begins at the first of January 2026, 00:00, and goes as the story's time goes.
struct NewYear(Instant);

/// When every story begins.
pub(crate) const NEW_YEAR: Duration = Duration::from_secs(1_767_225_600);

impl WallClock for NewYear {
    fn unix(&self) -> Duration {
        NEW_YEAR + self.0.elapsed()
    }
}

/// Without enquire_link of its own, so that stories hear only what they ask for.
pub(crate) fn config() -> Config {
    let mut config = Config::default();
    config.session.enquire_link_interval = None;
    config
}

impl Smsc {
    pub(crate) fn start(change: impl FnOnce(&mut Config)) -> Smsc {
        let mut config = config();
        change(&mut config);
        let control = Control::new(config, Arc::new(NewYear(Instant::now()))).expect("the configuration can be");
        let (lines, door) = mpsc::unbounded_channel();
        let task = tokio::spawn(serve(Door(door), control.clone()));
        Smsc { lines, control, task }
    }

    /// One that follows these rules, in YAML.
    pub(crate) fn with_rules(yaml: &str) -> Smsc {
        let rules = parse(yaml).expect(yaml);
        Smsc::start(|config| config.rules = rules)
    }

    /// One with this policy, in YAML.
    pub(crate) fn with_policy(yaml: &str) -> Smsc {
        let policy = policy(yaml);
        Smsc::start(|config| config.policy = policy)
    }

    /// A handle to it.
    pub(crate) fn control(&self) -> &Control {
        &self.control
    }

    /// A new connection.
    pub(crate) fn open(&self) -> Esme {
        let (near, far) = duplex(PIPE_OCTETS);
        self.lines.send(far).expect("the simulator is served");
        Esme::on(near)
    }

    /// A new connection, bound with the default account.
    pub(crate) async fn bound(&self, kind: BindKind) -> Esme {
        self.bound_as(bind(), kind).await
    }

    pub(crate) async fn transceiver(&self) -> Esme {
        self.bound(BindKind::Transceiver).await
    }

    pub(crate) async fn bound_as(&self, bind: Bind, kind: BindKind) -> Esme {
        let mut esme = self.open();
        let answer = esme.ask(request(kind, bind)).await;
        assert_eq!(answer.status, CommandStatus::ESME_ROK, "{answer}");
        esme
    }

    /// Does something to the session that was bound last.
    pub(crate) fn act(&self, yaml: &str) {
        let step: Step = serde_saphyr::from_str(yaml).expect(yaml);
        let session = self.control.sessions().last().expect("somebody is connected").id;
        self.control.act(session, step).expect(yaml);
    }

    /// Sends a mobile-originated message, in YAML; gives the numbers of its parts.
    pub(crate) fn deliver(&self, yaml: &str) -> Vec<u64> {
        let mo: Mo = serde_saphyr::from_str(yaml).expect(yaml);
        self.control.deliver(&mo).expect(yaml).iter().map(|delivery| delivery.id).collect()
    }

    /// Tells it to stop; completes when it has.
    pub(crate) async fn stop(self) {
        self.control.stop();
        self.task.await.expect("the simulator does not panic");
    }

    /// Whether it takes lines.
    pub(crate) fn listens(&self) -> bool {
        !self.lines.is_closed()
    }
}

/// Lets so much time pass, and everything happen that it brings.
pub(crate) async fn wait(time: Duration) {
    tokio::time::sleep(time).await;
}

pub(crate) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn policy(yaml: &str) -> Policy {
    serde_saphyr::from_str(yaml).expect(yaml)
}

/// A bind of the default account, version 3.4.
pub(crate) fn bind() -> Bind {
    bind_as("smppclient1", "password")
}

pub(crate) fn bind_as(system_id: &str, password: &str) -> Bind {
    Bind {
        system_id: system_id.parse().expect("it fits"),
        password: password.parse().expect("it fits"),
        interface_version: InterfaceVersion::V3_4,
        ..Bind::default()
    }
}

pub(crate) fn request(kind: BindKind, bind: Bind) -> Body {
    match kind {
        BindKind::Transmitter => Body::BindTransmitter(bind),
        BindKind::Receiver => Body::BindReceiver(bind),
        BindKind::Transceiver => Body::BindTransceiver(bind),
    }
}

/// A message that asks for these receipts.
pub(crate) fn sm(registered_delivery: u8) -> Sm {
    Sm {
        source_addr: "1001".parse().expect("it fits"),
        destination_addr: "27820001001".parse().expect("it fits"),
        registered_delivery: RegisteredDelivery(registered_delivery),
        short_message: ShortMessage::new("Hello").expect("it fits"),
        ..Sm::default()
    }
}

pub(crate) fn sm_to(to: &str, registered_delivery: u8) -> Sm {
    Sm { destination_addr: to.parse().expect("it fits"), ..sm(registered_delivery) }
}

pub(crate) fn query(id: &str) -> Body {
    let (message_id, source_addr) = (id.parse().expect("it fits"), "1001".parse().expect("it fits"));
    Body::QuerySm(QuerySm { message_id, source_addr, ..QuerySm::default() })
}

pub(crate) fn submit(registered_delivery: u8) -> Body {
    Body::SubmitSm(sm(registered_delivery))
}

pub(crate) fn id_of(answer: &Pdu) -> String {
    match &answer.body {
        Body::SubmitSmResp(Some(MessageId { message_id })) => message_id.text(),
        _ => panic!("no id: {answer}"),
    }
}

/// The value of a parameter, without the NUL of a string.
pub(crate) fn parameter(pdu: &Pdu, tag: TlvTag) -> Option<Vec<u8>> {
    let value = pdu.tlvs.get(tag)?;
    Some(value.strip_suffix(b"\0").unwrap_or(&value).to_vec())
}

pub(crate) fn words(sm: &Sm) -> String {
    String::from_utf8(sm.short_message.to_bytes().to_vec()).expect("receipts are ASCII")
}
