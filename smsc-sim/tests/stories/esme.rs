//! An ESME that says exactly what it is told to and reads by the letter.

use std::time::Duration;

use bytes::BytesMut;
use smpp_transport::pdu::{
    Body, CommandStatus, Empty, FRAME_OCTETS_MAX, Leniency, MessageId, Pdu, QuerySmResp, Sm, next_frame,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::timeout;

use crate::world::{id_of, query, sm_to, wait, words};

/// Longer than any story: what has not come by then does not come.
const LONG: Duration = Duration::from_secs(30 * 86_400);

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

    /// [`write`](Esme::write), or nothing when the line is gone.
    pub(crate) async fn write_if_served(&mut self, octets: &[u8]) {
        let _ = self.stream.write_all(octets).await;
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

    /// The next frame, whatever it has in it.
    pub(crate) async fn frame(&mut self) -> Vec<u8> {
        let header = self.octets(4).await;
        let length = u32::from_be_bytes([header[0], header[1], header[2], header[3]]) as usize;
        [header, self.octets(length - 4).await].concat()
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
