//! One byte stream, one session, one loop. Waiting happens here and nowhere below.
//!
//! A [`Driver`] is not a task: its owner asks it for the [`next`](Driver::next) event, and in between answers and requests
//! by plain calls. So nothing stands between the octets and their owner, no channel has to be bounded, and whatever was
//! answered since the last read leaves in one write. Who wants a handle for many tasks takes [`Client`], which puts a
//! driver into a task of its own.
//!
//! What bounds its memory: one frame being read and what one read brings; requests stop being added to what is to be
//! written at `output_octets_max`, and reading stops at twice that, so that a peer that does not read its answers is not
//! read from; the two windows of the session bound the rest. Timers run whatever the peer does.

mod client;
mod connect;
mod dial;
mod end;
mod late;
mod line;
mod observe;
mod pdu_log;
mod supervise;
#[cfg(test)]
mod tests;

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, Sleep, sleep_until};

pub use client::{Client, ClientConfig, ClientError, Delivery, Incoming, RequestError, Submitted};
pub use connect::{Accept, Connect, InTurn, Tcp, connect_within};
pub use dial::{ATTEMPT_DELAY, Dialer, Resolve, SystemResolver};
pub use end::SessionEnd;
pub use observe::{Observation, Observer};
pub use supervise::{Backoff, Supervisor};

use crate::pdu::{Body, CommandStatus, DecodeError, FRAME_OCTETS_MAX, Leniency, Pdu, Tlvs};
use crate::session::{Counters, Event, Outcome, Refused, Role, Session, SessionConfig, State, Ticket, Why};
use late::Expired;
use line::{Phase, READ_OCTETS_MIN};
use pdu_log::Ring;

/// How octets are read and written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DriverConfig {
    /// What is read although the standard does not allow it. Default: everything that can be understood.
    pub leniency: Leniency,
    /// The largest `command_length` accepted, in octets; at least 16. Default 70,000: a message_payload of 64 KiB fits.
    pub frame_octets_max: usize,
    /// Octets waiting to be written above which nothing more is requested; above twice that, nothing more is read. The
    /// second half is for answers: when it holds those to all that the peer may have outstanding, some 30 octets each, or
    /// 100 for an SMSC's, two sides that both write much cannot stop each other. Default 256 KiB.
    pub output_octets_max: usize,
    /// How long to wait, after the session has ended, for what is written to leave and for the peer to hang up. Without
    /// it the last answer can be lost to a reset. Default 2 s.
    pub linger_timeout: Duration,
    /// Number of PDUs of the session that are remembered, each as octets of its own, to be logged when it breaks: under
    /// [`PDU_RING`] without addresses and texts, under [`PDUS_IN_FULL`] with them. Default 0.
    pub pdus_remembered: usize,
}

impl Default for DriverConfig {
    fn default() -> DriverConfig {
        DriverConfig {
            leniency: Leniency::TOLERANT,
            frame_octets_max: FRAME_OCTETS_MAX,
            output_octets_max: 256 * 1024,
            linger_timeout: Duration::from_secs(2),
            pdus_remembered: 0,
        }
    }
}

/// The target under which each PDU that passes is logged, at level TRACE, in one line without addresses and texts.
pub const PDUS: &str = "smpp::pdu";
/// Target of the same lines with addresses and texts of people, at level TRACE: each PDU, and the PDUs that passed before a
/// session broke. Passwords are in neither.
pub const PDUS_IN_FULL: &str = "smpp::full";
/// Target of the PDUs that passed before a session broke, at level INFO, without addresses and texts.
pub const PDU_RING: &str = "smpp::ring";

/// Later than anything that is waited for: clocks cannot count to [`Duration::MAX`], which means never.
const FAR_OFF: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// A session on a byte stream. See the [module](self).
///
/// An SMSC that takes every message, in a few lines:
///
/// ```
/// use smpp_transport::driver::{Driver, DriverConfig};
/// use smpp_transport::pdu::{Body, CommandStatus, MessageId, Tlvs};
/// use smpp_transport::session::{Event, Role, SessionConfig};
/// use tokio::io::{AsyncRead, AsyncWrite};
///
/// async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin) {
///     let session = SessionConfig::new(Role::Smsc);
///     let mut driver: Driver<_> = Driver::new(stream, Role::Smsc, session, DriverConfig::default());
///     while let Some(event) = driver.next().await {
///         match event {
///             Event::Request(ticket, pdu) if matches!(pdu.body, Body::SubmitSm(_)) => {
///                 let message_id = "1".parse().expect("short enough");
///                 let accepted = Body::SubmitSmResp(Some(MessageId { message_id }));
///                 driver.respond(ticket, CommandStatus::ESME_ROK, accepted, Tlvs::new());
///             }
///             // A bind is a request too: it is accepted or refused here.
///             Event::Request(ticket, _) => driver.refuse(ticket, CommandStatus::ESME_ROK),
///             Event::Bound(_) | Event::Notice(_) | Event::Ended { .. } | Event::Closed(_) => {}
///         }
///     }
/// }
/// ```
pub struct Driver<S, T = ()> {
    stream: S,
    session: Session<T>,
    config: DriverConfig,
    input: BytesMut,
    output: BytesMut,
    /// Whether the stream may still hold back what it has taken, as TLS does.
    unflushed: bool,
    write_failed: bool,
    read_octets: usize,
    /// Reads that this call may still make before it lets others have their turn.
    reads_left: u8,
    /// Reads made since something became due.
    late_reads: u8,
    start: Instant,
    now: Duration,
    timer: Pin<Box<Sleep>>,
    phase: Phase,
    expired: Expired,
    /// A response that has come too late, to be handed on next.
    late: Option<Pdu>,
    /// Error of the stream, once it has failed.
    io_error: Option<std::io::ErrorKind>,
    /// Error of the last PDU that could not be read.
    malformed: Option<DecodeError>,
    observer: Observer,
    /// Counters at the last observation.
    seen: Counters,
    ring: Option<Box<Ring>>,
}

impl<S: AsyncRead + AsyncWrite + Unpin, T> Driver<S, T> {
    /// A driver for a stream that has just been opened. Must be made within a tokio runtime.
    pub fn new(stream: S, role: Role, session: SessionConfig, config: DriverConfig) -> Driver<S, T> {
        let start = Instant::now();
        let timer = Box::pin(sleep_until(start + session.session_init_timeout.min(FAR_OFF)));
        Driver {
            stream,
            session: Session::new(role, session, Duration::ZERO),
            ring: Ring::of(config.pdus_remembered),
            config,
            input: BytesMut::new(),
            output: BytesMut::new(),
            unflushed: false,
            write_failed: false,
            read_octets: READ_OCTETS_MIN,
            reads_left: 0,
            late_reads: 0,
            start,
            now: Duration::ZERO,
            timer,
            phase: Phase::Running,
            expired: Expired::default(),
            late: None,
            io_error: None,
            malformed: None,
            observer: Observer::default(),
            seen: Counters::default(),
        }
    }

    /// The next thing that happened; none after [`Event::Closed`]. It may be dropped at any point and called again: nothing
    /// is lost. A response that comes after its request has expired is an [`Event::Notice`].
    pub async fn next(&mut self) -> Option<Event<T>> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// [`next`](Driver::next), for those who poll.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event<T>>> {
        self.reads_left = line::READS_PER_TURN;
        loop {
            self.encode();
            match self.session.poll_event() {
                Some(Event::Closed(why)) => self.hang_up(why),
                None if self.late.is_some() => return Poll::Ready(self.late.take().map(Event::Notice)),
                None => match self.phase {
                    Phase::Running => ready!(self.poll_line(cx)),
                    Phase::HangingUp { why, .. } => {
                        ready!(self.poll_hang_up(cx));
                        self.phase = Phase::Done;
                        return Poll::Ready(Some(Event::Closed(why)));
                    }
                    Phase::Done => return Poll::Ready(None),
                },
                // Handed on as it is: an event is large.
                event => {
                    if let Some(Event::Ended { command, sequence, outcome: Outcome::Expired, .. }) = &event {
                        self.expired.note(*sequence, *command);
                    }
                    return Poll::Ready(event);
                }
            }
        }
    }

    /// What the session has to say already, while the line is left alone: for an owner that drops the driver next.
    pub fn next_without_line(&mut self) -> Option<Event<T>> {
        self.session.poll_event()
    }

    /// Sends a request; see [`Session::request`]. It leaves with the next call of [`next`](Driver::next), together with
    /// what else was sent since.
    ///
    /// # Errors
    /// When it may not be sent now; the token comes back.
    pub fn request(&mut self, body: Body, tlvs: Tlvs, token: T) -> Result<u32, (Refused, T)> {
        self.look_at_the_clock();
        let sequence = self.session.request(self.now, body, tlvs, token)?;
        self.expired.forget(sequence);
        self.encode();
        Ok(sequence)
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
        self.encode();
    }

    /// Answers a request of the peer's with an error; see [`Session::refuse`].
    pub fn refuse(&mut self, ticket: Ticket, status: CommandStatus) {
        self.session.refuse(self.now, ticket, status);
        self.encode();
    }

    /// Does not answer a request of the peer's; see [`Session::forget`].
    pub fn forget(&mut self, ticket: Ticket) {
        self.session.forget(ticket);
    }

    /// Sends a request like [`request`](Driver::request), and lets `edit` change its frame before it leaves: octets that no
    /// PDU encodes to. For simulators of broken peers.
    ///
    /// # Errors
    /// When it may not be sent now; the token comes back.
    pub fn request_edited(
        &mut self,
        body: Body,
        tlvs: Tlvs,
        token: T,
        edit: impl FnOnce(&mut Vec<u8>),
    ) -> Result<u32, (Refused, T)> {
        self.encode();
        let start = self.output.len();
        let sequence = self.request(body, tlvs, token)?;
        self.edit_frame_at(start, edit);
        Ok(sequence)
    }

    /// Answers like [`respond`](Driver::respond), and lets `edit` change the frame before it leaves. For simulators of
    /// broken peers.
    pub fn respond_edited(
        &mut self,
        ticket: Ticket,
        status: CommandStatus,
        body: Body,
        tlvs: Tlvs,
        edit: impl FnOnce(&mut Vec<u8>),
    ) {
        self.encode();
        let start = self.output.len();
        self.respond(ticket, status, body, tlvs);
        self.edit_frame_at(start, edit);
    }

    /// Changes the frame that begins here in the output, if there is one: a session that is over sends nothing.
    fn edit_frame_at(&mut self, start: usize, edit: impl FnOnce(&mut Vec<u8>)) {
        let Some(length) = self.output.get(start..).and_then(|rest| rest.first_chunk().copied()) else { return };
        let end = start + usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        let behind = self.output.split_off(end);
        let mut frame = self.output.split_off(start).to_vec();
        edit(&mut frame);
        self.output.extend_from_slice(&frame);
        self.output.extend_from_slice(&behind);
    }

    /// Writes octets that the session knows nothing of, behind what is to be written. For simulators of broken peers: no
    /// promise of this stack holds for what they do.
    pub fn inject(&mut self, octets: &[u8]) {
        self.encode();
        self.output.extend_from_slice(octets);
    }

    /// The stream, for its settings. Whoever reads or writes through this breaks the framing.
    pub fn stream_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    /// Asks the peer whether it is there; see [`Session::enquire_link`].
    pub fn enquire_link(&mut self) {
        self.look_at_the_clock();
        self.session.enquire_link(self.now);
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

    /// Whether a request can be taken: the window has room, and so has what is to be written. While there is none, a
    /// request is outstanding, so that its end, an event, is the moment to ask again.
    #[must_use]
    pub fn has_room(&self) -> bool {
        let writable = self.output.len() < self.config.output_octets_max || self.session.outstanding() == 0;
        writable && self.session.has_room()
    }

    /// When the driver last looked at the clock, counted from when it was made: for an event, when it was read; after
    /// [`request`](Driver::request), when that was made. Costs nothing, and is good enough to measure latency.
    #[must_use]
    pub fn now(&self) -> Duration {
        self.now
    }

    /// The instant at this time; see [`now`](Driver::now).
    #[must_use]
    pub fn instant(&self, at: Duration) -> Instant {
        self.start + at.min(FAR_OFF)
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

    /// Reports to this observer from now on.
    pub fn observe_with(&mut self, observer: Observer) {
        self.observer = observer;
    }

    /// Returns the end of a session that ended for this reason, with its cause as far as the driver knows it.
    #[must_use]
    pub fn end(&self, reason: Why) -> SessionEnd {
        let is_io = matches!(reason, Why::Broken);
        let is_malformed = matches!(reason, Why::Malformed);
        SessionEnd {
            io: self.io_error.filter(|_| is_io),
            malformed: self.malformed.filter(|_| is_malformed),
            ..SessionEnd::new(reason)
        }
    }

    /// Reads the clock: [`now`](Driver::now) is up to date after it.
    pub fn look_at_the_clock(&mut self) {
        self.now = self.start.elapsed();
    }

    fn hang_up(&mut self, why: Why) {
        tracing::debug!(reason = why.name(), "session ended");
        if let Some(ring) = &mut self.ring {
            ring.log(self.start.elapsed(), why);
        }
        let until = Instant::now() + self.config.linger_timeout.min(FAR_OFF);
        self.phase = Phase::HangingUp { why, until, shut: false, ended: false, octets: 0 };
    }
}
