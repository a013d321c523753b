//! One byte stream, one session, one loop. Waiting happens here and nowhere below.
//!
//! A [`Driver`] is not a task: its owner asks it for the [`next`](Driver::next) event, and in between answers and requests
//! by plain calls. So nothing stands between the octets and their owner, no channel has to be bounded, and whatever was
//! answered since the last read leaves in one write. Who wants a handle for many tasks takes [`Client`], which puts a
//! driver into a task of its own.
//!
//! What bounds its memory: one frame being read and what one read brings; what is written stops being added to at
//! `output_octets_max`, where reading stops too, so that a peer that does not read its answers is not read from; the two
//! windows of the session bound the rest. Timers run whatever the peer does.

mod client;
mod connect;
mod supervise;

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

pub use client::{Client, ClientConfig, ClientError, Delivery, Incoming, RequestError, Submitted};
pub use connect::{Accept, Connect, Tcp, connect_within};
pub use supervise::{Backoff, Supervisor};

use crate::pdu::{Body, CommandStatus, FRAME_OCTETS_MAX, Leniency, Pdu, Tlvs, next_frame};
use crate::session::{Counters, Event, Refused, Role, Session, SessionConfig, State, Ticket, Why};

/// How octets are read and written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DriverConfig {
    /// What is read although the standard does not allow it. Default: everything that can be understood.
    pub leniency: Leniency,
    /// The largest `command_length` accepted, in octets; at least 16. Default 70,000: a message_payload of 64 KiB fits.
    pub frame_octets_max: usize,
    /// Octets waiting to be written above which nothing more is read or requested. Default 256 KiB.
    pub output_octets_max: usize,
    /// How long to wait, after the session has ended, for what is written to leave and for the peer to hang up. Without
    /// it the last answer can be lost to a reset. Default 2 s.
    pub linger_timeout: Duration,
}

impl Default for DriverConfig {
    fn default() -> DriverConfig {
        DriverConfig {
            leniency: Leniency::TOLERANT,
            frame_octets_max: FRAME_OCTETS_MAX,
            output_octets_max: 256 * 1024,
            linger_timeout: Duration::from_secs(2),
        }
    }
}

/// Octets that a read asks for: few at first, so that an idle session is small, more while reads come back full.
const READ_OCTETS_MIN: usize = 2 * 1024;
const READ_OCTETS_MAX: usize = 64 * 1024;
/// Octets that are thrown away, at most, while waiting for the peer to hang up.
const LINGER_OCTETS_MAX: usize = 1024 * 1024;

/// A session on a byte stream. See the [module](self).
pub struct Driver<S, T = ()> {
    stream: S,
    session: Session<T>,
    config: DriverConfig,
    input: BytesMut,
    output: BytesMut,
    read_octets: usize,
    start: Instant,
    now: Duration,
    timer: Pin<Box<Sleep>>,
    phase: Phase,
}

/// Where the stream stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Phase {
    Running,
    /// The session has ended: what is written leaves, our side is closed, the peer's side is read until it ends too.
    HangingUp {
        why: Why,
        until: Instant,
        shut: bool,
        octets: usize,
    },
    Done,
}

impl<S: AsyncRead + AsyncWrite + Unpin, T> Driver<S, T> {
    /// A driver for a stream that has just been opened. Must be made within a tokio runtime.
    pub fn new(stream: S, role: Role, session: SessionConfig, config: DriverConfig) -> Driver<S, T> {
        let start = Instant::now();
        Driver {
            stream,
            session: Session::new(role, session, Duration::ZERO),
            config,
            input: BytesMut::new(),
            output: BytesMut::new(),
            read_octets: READ_OCTETS_MIN,
            start,
            now: Duration::ZERO,
            timer: Box::pin(sleep_until(start)),
            phase: Phase::Running,
        }
    }

    /// The next thing that happened; none after [`Event::Closed`]. It may be dropped at any point and called again: nothing
    /// is lost.
    pub async fn next(&mut self) -> Option<Event<T>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// [`next`](Driver::next), for those who poll.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event<T>>> {
        loop {
            self.encode_what_is_transmitted();
            match self.session.poll_event() {
                Some(Event::Closed(why)) => self.hang_up(why),
                Some(event) => return Poll::Ready(Some(event)),
                None => match self.phase {
                    Phase::Running => ready!(self.poll_line(cx)),
                    Phase::HangingUp { why, .. } => {
                        ready!(self.poll_hang_up(cx));
                        self.phase = Phase::Done;
                        return Poll::Ready(Some(Event::Closed(why)));
                    }
                    Phase::Done => return Poll::Ready(None),
                },
            }
        }
    }

    /// Sends a request; see [`Session::request`].
    ///
    /// # Errors
    /// When it may not be sent now; the token comes back.
    pub fn request(&mut self, body: Body, tlvs: Tlvs, token: T) -> Result<u32, (Refused, T)> {
        self.look_at_the_clock();
        self.session.request(self.now, body, tlvs, token)
    }

    /// Sends what has no answer; see [`Session::notify`].
    ///
    /// # Errors
    /// When it may not be sent now, or has an answer.
    pub fn notify(&mut self, body: Body, tlvs: Tlvs) -> Result<(), Refused> {
        self.look_at_the_clock();
        self.session.notify(self.now, body, tlvs)
    }

    /// Answers a request of the peer's; see [`Session::respond`].
    pub fn respond(&mut self, ticket: Ticket, status: CommandStatus, body: Body, tlvs: Tlvs) {
        self.session.respond(self.now, ticket, status, body, tlvs);
    }

    /// Answers a request of the peer's with an error; see [`Session::refuse`].
    pub fn refuse(&mut self, ticket: Ticket, status: CommandStatus) {
        self.session.refuse(self.now, ticket, status);
    }

    /// Does not answer a request of the peer's; see [`Session::forget`].
    pub fn forget(&mut self, ticket: Ticket) {
        self.session.forget(ticket);
    }

    /// Writes octets that the session knows nothing of, behind what is to be written. For simulators of broken peers: no
    /// promise of this stack holds for what they do.
    pub fn inject(&mut self, octets: &[u8]) {
        self.encode_what_is_transmitted();
        self.output.extend_from_slice(octets);
    }

    /// Sends unbind and ends with its answer; see [`Session::unbind`].
    pub fn unbind(&mut self) {
        self.look_at_the_clock();
        self.session.unbind(self.now);
    }

    /// Hangs up without unbind, once what is written has left.
    pub fn close(&mut self) {
        self.session.line_closed(Why::Dropped);
    }

    /// Whether a request can be taken: the window has room, and so has what is to be written.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.session.has_room() && self.output.len() < self.config.output_octets_max
    }

    /// The time as of the last look at the clock, counted from when the driver was made.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.now
    }

    /// The instant at this time; see [`now`](Driver::now).
    #[must_use]
    pub fn instant(&self, at: Duration) -> Instant {
        self.start + at
    }

    /// Where the session stands.
    #[must_use]
    pub fn state(&self) -> State {
        self.session.state()
    }

    /// Requests of ours that are outstanding.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.session.outstanding()
    }

    /// What has passed so far.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.session.counters()
    }

    fn encode_what_is_transmitted(&mut self) {
        while let Some(pdu) = self.session.poll_transmit() {
            tracing::trace!(target: "smpp::pdu", "> {pdu}");
            pdu.encode(&mut self.output);
        }
    }

    /// Moves the line on by one step: a frame that is there, else timers that are due, else write, else read. Timers come
    /// after the frames of a read, so that a healthy peer is not dropped because *we* were held up; and before the next
    /// read, so that a flood cannot hold them up.
    fn poll_line(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.take_frame() || self.tick() {
            return Poll::Ready(());
        }
        if !self.output.is_empty() && self.poll_write(cx).is_ready() {
            return Poll::Ready(());
        }
        if self.output.len() < self.config.output_octets_max && self.poll_read(cx).is_ready() {
            return Poll::Ready(());
        }
        self.look_at_the_clock();
        self.poll_timer(cx)
    }

    fn take_frame(&mut self) -> bool {
        let pdu = match next_frame(&mut self.input, self.config.frame_octets_max) {
            Ok(None) => return false,
            Ok(Some(frame)) => Pdu::decode(&frame, self.config.leniency),
            Err(error) => Err(error),
        };
        match &pdu {
            Ok(pdu) => tracing::trace!(target: "smpp::pdu", "< {pdu}"),
            Err(error) => tracing::debug!(target: "smpp::pdu", sequence = error.sequence, "< {error}"),
        }
        self.session.receive(self.now, pdu);
        true
    }

    fn tick(&mut self) -> bool {
        let due = self.session.poll_timeout().is_some_and(|(at, _)| at <= self.now);
        if due {
            self.session.tick(self.now);
        }
        due
    }

    /// Ready when all is written, or when the line is gone.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while !self.output.is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, &self.output)) {
                Ok(0) | Err(_) => {
                    self.output.clear();
                    self.session.line_closed(Why::Broken);
                }
                Ok(octets) => self.output.advance(octets),
            }
        }
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Ready(Ok(())) | Poll::Pending => {}
            Poll::Ready(Err(_)) => self.session.line_closed(Why::Broken),
        }
        Poll::Ready(())
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let octets = ready!(self.poll_read_some(cx));
        self.look_at_the_clock();
        match octets {
            Ok(0) => self.session.line_closed(Why::PeerClosed),
            Ok(octets) if octets >= self.read_octets => self.read_octets = READ_OCTETS_MAX.min(self.read_octets * 4),
            Ok(_) => {}
            Err(_) => self.session.line_closed(Why::Broken),
        }
        Poll::Ready(())
    }

    fn poll_read_some(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.input.reserve(self.read_octets);
        pin!(self.stream.read_buf(&mut self.input)).poll(cx)
    }

    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some((at, _)) = self.session.poll_timeout() else { return Poll::Pending };
        let deadline = self.start + at;
        if self.timer.deadline() != deadline {
            self.timer.as_mut().reset(deadline);
        }
        ready!(self.timer.as_mut().poll(cx));
        self.look_at_the_clock();
        Poll::Ready(())
    }

    /// Reads the clock: [`now`](Driver::now) is up to date after it.
    pub fn look_at_the_clock(&mut self) {
        self.now = self.start.elapsed();
    }

    fn hang_up(&mut self, why: Why) {
        tracing::debug!(?why, "session ended");
        let until = Instant::now() + self.config.linger_timeout;
        self.phase = Phase::HangingUp { why, until, shut: false, octets: 0 };
    }

    /// Ready when the stream can be dropped without taking octets with it, or when that has taken too long.
    fn poll_hang_up(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Phase::HangingUp { until, .. } = self.phase else { return Poll::Ready(()) };
        if self.poll_quiet(cx).is_ready() {
            return Poll::Ready(());
        }
        if self.timer.deadline() != until {
            self.timer.as_mut().reset(until);
        }
        self.timer.as_mut().poll(cx)
    }

    fn poll_quiet(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.output.is_empty() {
            ready!(self.poll_write(cx));
        }
        let Phase::HangingUp { shut, octets, .. } = &mut self.phase else { return Poll::Ready(()) };
        if !*shut {
            let _ = ready!(Pin::new(&mut self.stream).poll_shutdown(cx));
            *shut = true;
        }
        let mut scratch = [0; 4096];
        while *octets < LINGER_OCTETS_MAX {
            let mut buffer = ReadBuf::new(&mut scratch);
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => *octets += buffer.filled().len(),
                _ => break,
            }
        }
        Poll::Ready(())
    }
}
