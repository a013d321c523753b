//! What the stories are told with: a simulator whose lines are pipes in memory, and an ESME that says exactly what it is
//! told to and reads by the letter.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use smpp_transport::driver::Accept;
use smpp_transport::env::WallClock;
use smpp_transport::pdu::{
    Bind, Body, CommandStatus, Empty, FRAME_OCTETS_MAX, InterfaceVersion, Leniency, MessageId, Pdu, QuerySm,
    QuerySmResp, RegisteredDelivery, ShortMessage, Sm, TlvTag, next_frame,
};
use smpp_transport::session::BindKind;
use smsc_sim::rules::{Step, parse};
use smsc_sim::{Config, Control, Mo, Policy, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

/// Longer than any story: what has not come by then does not come.
const LONG: Duration = Duration::from_secs(30 * 86_400);
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

/// One end of a line, without a session behind it.
pub(crate) struct Esme {
    stream: DuplexStream,
    input: BytesMut,
    sequence: u32,
}

impl Esme {
    /// One at this end of a line.
    pub(crate) fn on(stream: DuplexStream) -> Esme {
        Esme { stream, input: BytesMut::new(), sequence: 0 }
    }

    /// Writes a request with the next number, which it gives.
    pub(crate) async fn send(&mut self, body: Body) -> u32 {
        self.sequence += 1;
        self.write(&Pdu::new(CommandStatus::ESME_ROK, self.sequence, body).to_octets()).await;
        self.sequence
    }

    pub(crate) async fn write(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).await.expect("the simulator reads");
    }

    /// The next PDU; none when the simulator has hung up.
    pub(crate) async fn next(&mut self) -> Option<Pdu> {
        loop {
            if let Some(frame) = next_frame(&mut self.input, FRAME_OCTETS_MAX).expect("it writes whole frames") {
                return Some(Pdu::decode(&frame, Leniency::STRICT).expect("it writes by the letter"));
            }
            let read = timeout(LONG, self.stream.read_buf(&mut self.input)).await.expect("something comes");
            if read.expect("a pipe does not fail") == 0 {
                assert!(self.input.is_empty(), "it hung up within a frame");
                return None;
            }
        }
    }

    pub(crate) async fn must_hear(&mut self) -> Pdu {
        self.next().await.expect("it does not hang up")
    }

    /// Asks, and gives the next PDU, which must bear the number of the question and the command that answers it.
    pub(crate) async fn ask(&mut self, body: Body) -> Pdu {
        let wanted = body.command_id().answer();
        let sequence = self.send(body).await;
        let answer = self.must_hear().await;
        assert_eq!((Some(answer.command_id()), answer.sequence), (wanted, sequence), "{answer}");
        answer
    }

    /// Submits, and gives the id.
    pub(crate) async fn submit(&mut self, sm: Sm) -> String {
        let answer = self.ask(Body::SubmitSm(sm)).await;
        assert_eq!(answer.status, CommandStatus::ESME_ROK, "{answer}");
        id_of(&answer)
    }

    /// Answers a deliver_sm or data_sm.
    pub(crate) async fn answer(&mut self, delivery: &Pdu, status: CommandStatus) {
        let id = Some(MessageId::default());
        let body = match &delivery.body {
            Body::DeliverSm(_) => Body::DeliverSmResp(id),
            Body::DataSm(_) => Body::DataSmResp(id),
            other => panic!("{other:?} brings no message"),
        };
        self.write(&Pdu::new(status, delivery.sequence, body).to_octets()).await;
    }

    /// The next PDU, which must bring a message, and is taken.
    pub(crate) async fn take(&mut self) -> Pdu {
        let pdu = self.must_hear().await;
        self.answer(&pdu, CommandStatus::ESME_ROK).await;
        pdu
    }

    /// The next PDU, which must be a receipt, not answered yet.
    pub(crate) async fn receipt(&mut self) -> (Pdu, Sm) {
        let pdu = self.must_hear().await;
        let Body::DeliverSm(sm) = &pdu.body else { panic!("a receipt was due: {pdu}") };
        assert!(sm.esm_class.is_receipt(), "{pdu}");
        let sm = sm.clone();
        (pdu, sm)
    }

    /// What the next receipt says, which is taken.
    pub(crate) async fn told(&mut self) -> String {
        let (pdu, sm) = self.receipt().await;
        self.answer(&pdu, CommandStatus::ESME_ROK).await;
        words(&sm)
    }

    /// Id and state of the next PDU, which must be an intermediate notification, and is taken.
    pub(crate) async fn notification(&mut self) -> String {
        let pdu = self.take().await;
        let Body::DeliverSm(sm) = &pdu.body else { panic!("a notification was due: {pdu}") };
        assert!(sm.esm_class.0 & 0x3C == 0x20, "{pdu}");
        let words = words(sm);
        let of = |key: &str| words.split(key).nth(1).and_then(|rest| rest.split(' ').next()).expect(key).to_owned();
        format!("{} {}", of("id:"), of("stat:"))
    }

    /// What has become of a message from 1001.
    pub(crate) async fn query(&mut self, id: &str) -> QuerySmResp {
        let answer = self.ask(query(id)).await;
        match answer.body {
            Body::QuerySmResp(Some(found)) => found,
            _ => panic!("{answer}"),
        }
    }

    /// What comes within this time; empty when the simulator has hung up.
    pub(crate) async fn some_octets(&mut self, time: Duration) -> Option<Vec<u8>> {
        let mut octets = vec![0; 65_536];
        let read = timeout(time, self.stream.read(&mut octets)).await.ok()?.expect("a pipe does not fail");
        octets.truncate(read);
        Some(octets)
    }

    /// [`send`](Esme::send), or nothing when the line is gone.
    pub(crate) async fn send_if_served(&mut self, body: Body) -> u32 {
        self.sequence += 1;
        let octets = Pdu::new(CommandStatus::ESME_ROK, self.sequence, body).to_octets();
        let _ = self.stream.write_all(&octets).await;
        self.sequence
    }

    pub(crate) async fn answer_if_served(&mut self, delivery: &Pdu) {
        let id = Some(MessageId::default());
        let body = match &delivery.body {
            Body::DataSm(_) => Body::DataSmResp(id),
            _ => Body::DeliverSmResp(id),
        };
        let octets = Pdu::new(CommandStatus::ESME_ROK, delivery.sequence, body).to_octets();
        let _ = self.stream.write_all(&octets).await;
    }

    /// Exactly so many octets.
    pub(crate) async fn octets(&mut self, count: usize) -> Vec<u8> {
        while self.input.len() < count {
            let read = timeout(LONG, self.stream.read_buf(&mut self.input)).await.expect("something comes");
            assert_ne!(read.expect("a pipe does not fail"), 0, "it does not hang up");
        }
        self.input.split_to(count).to_vec()
    }

    /// Unbinds and waits until the simulator has let go of the line.
    pub(crate) async fn leave(mut self) {
        self.ask(Body::Unbind(Empty {})).await;
        assert!(self.next().await.is_none());
        self.vanish().await;
    }

    /// Hangs up without a word.
    pub(crate) async fn vanish(self) {
        drop(self);
        wait(Duration::from_millis(1)).await;
    }

    /// The id in the next receipt, which is taken.
    pub(crate) async fn receipt_id(&mut self) -> String {
        self.told().await.split([':', ' ']).nth(1).expect("it starts with id:").to_owned()
    }

    /// Submits to this destination, and gives the id.
    pub(crate) async fn submit_to(&mut self, to: &str, registered_delivery: u8) -> String {
        self.submit(sm_to(to, registered_delivery)).await
    }

    /// Whether nothing comes for so long.
    pub(crate) async fn hears_nothing_for(&mut self, time: Duration) -> bool {
        self.input.is_empty() && timeout(time, self.stream.read_buf(&mut self.input)).await.is_err()
    }

    /// Whether it is still served.
    pub(crate) async fn is_served(&mut self) -> bool {
        self.ask(Body::EnquireLink(Empty {})).await.status == CommandStatus::ESME_ROK
    }
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
