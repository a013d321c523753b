//! What the stories are told with: a simulator whose lines are pipes in memory, and an ESME that says exactly what it is
//! told to and reads by the letter.

use std::future::pending;
use std::io;
use std::time::Duration;

use bytes::BytesMut;
use smpp_transport::driver::Accept;
use smpp_transport::env::WallClock;
use smpp_transport::pdu::{
    Bind, Body, CommandStatus, Empty, FRAME_OCTETS_MAX, InterfaceVersion, Leniency, MessageId, Pdu, RegisteredDelivery,
    ShortMessage, Sm, next_frame,
};
use smpp_transport::session::BindKind;
use smsc_sim::{Config, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longer than any story: what has not come by then does not come.
const LONG: Duration = Duration::from_secs(3_600);

/// A simulator that is served.
pub(crate) struct Smsc {
    lines: mpsc::UnboundedSender<DuplexStream>,
    stop: watch::Sender<bool>,
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

/// The first of January 2026, 00:00, for ever.
struct NewYear;

impl WallClock for NewYear {
    fn unix(&self) -> Duration {
        Duration::from_secs(1_767_225_600)
    }
}

impl Smsc {
    /// A simulator without enquire_link of its own, so that stories hear only what they ask for.
    pub(crate) fn start(change: impl FnOnce(&mut Config)) -> Smsc {
        let mut config = Config::default();
        config.session.enquire_link_interval = None;
        change(&mut config);
        let (lines, door) = mpsc::unbounded_channel();
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(serve(Door(door), config, Box::new(NewYear), stopped));
        Smsc { lines, stop, task }
    }

    /// A new connection.
    pub(crate) fn open(&self) -> Esme {
        let (near, far) = duplex(1024 * 1024);
        self.lines.send(far).expect("the simulator is served");
        Esme { stream: near, input: BytesMut::new(), sequence: 0 }
    }

    /// A new connection, bound with the default account.
    pub(crate) async fn bound(&self, kind: BindKind) -> Esme {
        self.bound_as(bind(), kind).await
    }

    pub(crate) async fn bound_as(&self, bind: Bind, kind: BindKind) -> Esme {
        let mut esme = self.open();
        let answer = esme.ask(request(kind, bind)).await;
        assert_eq!(answer.status, CommandStatus::ESME_ROK, "{answer}");
        esme
    }

    /// Tells it to stop; completes when it has.
    pub(crate) async fn stop(self) {
        self.stop.send(true).expect("the simulator is served");
        self.task.await.expect("the simulator does not panic");
    }

    /// Whether it takes lines.
    pub(crate) fn listens(&self) -> bool {
        !self.lines.is_closed()
    }

    /// Tells it to stop.
    pub(crate) fn tell_to_stop(&self) {
        self.stop.send(true).expect("the simulator is served");
    }
}

/// One end of a line, without a session behind it.
pub(crate) struct Esme {
    stream: DuplexStream,
    input: BytesMut,
    sequence: u32,
}

impl Esme {
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

    /// Answers a deliver_sm.
    pub(crate) async fn answer(&mut self, delivery: &Pdu, status: CommandStatus) {
        let body = Body::DeliverSmResp(Some(MessageId::default()));
        self.write(&Pdu::new(status, delivery.sequence, body).to_octets()).await;
    }

    /// The next PDU, which must be a receipt, not answered yet.
    pub(crate) async fn receipt(&mut self) -> (Pdu, Sm) {
        let pdu = self.must_hear().await;
        let Body::DeliverSm(sm) = &pdu.body else { panic!("a receipt was due: {pdu}") };
        assert!(sm.esm_class.is_receipt(), "{pdu}");
        let sm = sm.clone();
        (pdu, sm)
    }

    /// The id in the next receipt, which is taken.
    pub(crate) async fn receipt_id(&mut self) -> String {
        let (pdu, sm) = self.receipt().await;
        self.answer(&pdu, CommandStatus::ESME_ROK).await;
        words(&sm).split([':', ' ']).nth(1).expect("it starts with id:").to_owned()
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

pub(crate) fn submit(registered_delivery: u8) -> Body {
    Body::SubmitSm(sm(registered_delivery))
}

pub(crate) fn id_of(answer: &Pdu) -> String {
    match &answer.body {
        Body::SubmitSmResp(Some(MessageId { message_id })) => message_id.text(),
        _ => panic!("no id: {answer}"),
    }
}

pub(crate) fn words(sm: &Sm) -> String {
    String::from_utf8(sm.short_message.to_bytes().to_vec()).expect("receipts are ASCII")
}
