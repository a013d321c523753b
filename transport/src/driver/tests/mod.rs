//! Stories of a driver and its peer, by topic. Here: the peer, a stream with a script, and the PDUs that they exchange.
//! Time is tokio's paused clock: it moves when everybody waits.

mod back_pressure;
mod cancelling;
mod client;
mod closing;
mod reading;
mod supervising;
mod timers;

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex};

use tokio::time::timeout;

use super::{Client, ClientConfig, Driver, DriverConfig, Incoming};
use crate::pdu::{
    Bind, BindResp, Body, CommandStatus, Empty, Leniency, MessageId, Pdu, ShortMessage, Sm, Tlvs, next_frame,
};
use crate::session::{BindKind, Event, Role, SessionConfig};

const OK: CommandStatus = CommandStatus::ESME_ROK;
const BUSY: CommandStatus = CommandStatus::ESME_RX_T_APPN;

/// No story takes so long; one that would never end fails then, at once since the clock is paused.
const LONG: Duration = Duration::from_secs(48 * 3600);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

async fn soon<F: Future>(what: F) -> F::Output {
    timeout(LONG, what).await.expect("it comes some day")
}

fn sm(octets: usize) -> Sm {
    Sm { short_message: ShortMessage::new(vec![b'x'; octets]).expect("the test keeps to 254"), ..Sm::default() }
}

fn deliver(sequence: u32) -> Pdu {
    Pdu::new(OK, sequence, Body::DeliverSm(sm(20)))
}

fn deliver_resp(sequence: u32, status: CommandStatus) -> Pdu {
    let body = Body::refusal(crate::pdu::CommandId::DELIVER_SM).expect("deliver_sm is answered");
    Pdu::new(status, sequence, body)
}

fn submit() -> Body {
    Body::SubmitSm(sm(20))
}

fn submit_resp(sequence: u32) -> Pdu {
    let message_id = format!("id{sequence}").parse().expect("short");
    Pdu::new(OK, sequence, Body::SubmitSmResp(Some(MessageId { message_id })))
}

fn bind() -> Body {
    Body::BindTransceiver(Bind::default())
}

fn bind_resp(sequence: u32, status: CommandStatus) -> Pdu {
    Pdu::new(status, sequence, Body::BindTransceiverResp(Some(BindResp::default())))
}

fn enquire_link(sequence: u32) -> Pdu {
    Pdu::new(OK, sequence, Body::EnquireLink(Empty {}))
}

fn octets(pdus: &[Pdu]) -> Bytes {
    let mut octets = BytesMut::new();
    pdus.iter().for_each(|pdu| pdu.encode(&mut octets));
    octets.freeze()
}

fn esme_config() -> SessionConfig {
    SessionConfig::new(Role::Esme)
}

/// The other end of a line, without a session: it sees and says what a test wants.
struct Peer {
    stream: DuplexStream,
    input: BytesMut,
}

impl Peer {
    fn new(stream: DuplexStream) -> Peer {
        Peer { stream, input: BytesMut::new() }
    }

    async fn send(&mut self, pdus: &[Pdu]) {
        self.send_octets(&octets(pdus)).await;
    }

    async fn send_octets(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).await.expect("the driver has not hung up");
    }

    /// None when the driver has hung up.
    async fn receive(&mut self) -> Option<Pdu> {
        loop {
            if let Some(frame) = next_frame(&mut self.input, 70_000).expect("the driver sends frames") {
                return Some(Pdu::decode(&frame, Leniency::STRICT).expect("the driver sends what can be read"));
            }
            let read = timeout(LONG, self.stream.read_buf(&mut self.input))
                .await
                .expect("nothing more comes, not even an end");
            if read.expect("a pipe does not fail") == 0 {
                return None;
            }
        }
    }

    async fn receive_some(&mut self) -> Pdu {
        self.receive().await.expect("the driver has not hung up")
    }

    async fn accept_bind(&mut self) {
        let request = self.receive_some().await;
        assert!(request.command_id().is_bind(), "{request}");
        self.send(&[bind_resp(request.sequence, OK)]).await;
    }
}

type Line = Driver<DuplexStream, u32>;

/// A bound ESME without a task, over a pipe that holds so many octets each way.
async fn bound(pipe: usize, session: SessionConfig, config: DriverConfig) -> (Line, Peer) {
    let (ours, theirs) = duplex(pipe);
    let mut driver = Driver::new(ours, Role::Esme, session, config);
    let mut peer = Peer::new(theirs);
    driver.request(bind(), Tlvs::new(), 0).expect("a new session may bind");
    let binding = async { while !matches!(driver.next().await, Some(Event::Bound(BindKind::Transceiver))) {} };
    tokio::join!(binding, peer.accept_bind());
    (driver, peer)
}

fn client_config() -> ClientConfig {
    ClientConfig::new(BindKind::Transceiver, "me".parse().expect("short"), "secret".parse().expect("short"))
}

/// A bound client in its task, and its peer.
async fn client(config: ClientConfig) -> (Client, Incoming, Peer) {
    let (ours, theirs) = duplex(64 * 1024);
    let mut peer = Peer::new(theirs);
    let (client, ()) = tokio::join!(Client::over(ours, config), peer.accept_bind());
    let (client, incoming) = client.expect("the peer accepts every bind");
    (client, incoming, peer)
}

/// What a scripted stream does when it is read.
#[derive(Clone, Debug)]
enum Read {
    Octets(Bytes),
    /// Not now, but soon.
    Later,
    /// Nothing any more, and no end either.
    Silence,
}

/// A stream that is read as its script says, and then ends.
#[derive(Default)]
struct Script {
    reads: VecDeque<Read>,
    written: Vec<u8>,
    /// Octets that each write takes, in turn; 0 is not now. All of them when this is empty.
    writes: VecDeque<usize>,
    write_fails: bool,
    /// A flush is not finished before this many calls.
    flushes_pending: usize,
    flushed: bool,
}

impl Script {
    fn new(reads: impl IntoIterator<Item = Read>) -> Script {
        Script { reads: reads.into_iter().collect(), ..Script::default() }
    }
}

impl AsyncRead for Script {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.reads.pop_front() {
            None => Poll::Ready(Ok(())),
            Some(Read::Silence) => {
                self.reads.push_front(Read::Silence);
                Poll::Pending
            }
            Some(Read::Later) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Read::Octets(mut octets)) => {
                out.put_slice(&octets.split_to(octets.len().min(out.remaining())));
                if !octets.is_empty() {
                    self.reads.push_front(Read::Octets(octets));
                }
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl AsyncWrite for Script {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        if self.write_fails {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let taken = self.writes.pop_front().unwrap_or(octets.len()).min(octets.len());
        if taken == 0 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.written.extend_from_slice(&octets[..taken]);
        self.flushed = false;
        Poll::Ready(Ok(taken))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.flushes_pending > 0 {
            self.flushes_pending -= 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.flushed = true;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}
