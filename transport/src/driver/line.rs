//! The line under a [`Driver`]: octets in and out, the timer, and how the line is hung up. What a PDU means is not known
//! here; who asks for events is in `mod`.

use std::future::Future;
use std::io::ErrorKind;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::task::coop::has_budget_remaining;
use tokio::time::Instant;

use super::{Driver, pdu_log};
use crate::pdu::{DecodeError, Pdu, next_frame};
use crate::session::Why;

/// Octets that a read asks for: few at first, so that an idle session is small, more while reads come back full.
pub(super) const READ_OCTETS_MIN: usize = 2 * 1024;
pub(super) const READ_OCTETS_MAX: usize = 64 * 1024;
/// Reads in one turn: after so many without an event the other branches of the owner's `select!` are looked at too.
pub(super) const READS_PER_TURN: u8 = 16;
/// Reads that what is due waits for, when they keep bringing something: 1 MiB. The answer that was waited for may be among
/// them, and it is not the peer's fault when *we* come late.
pub(super) const LATE_READS_MAX: u8 = 16;
/// Octets that are thrown away, at most, while waiting for the peer to hang up.
pub(super) const LINGER_OCTETS_MAX: usize = 1024 * 1024;

/// Where the stream stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Phase {
    Running,
    /// The session has ended: what is written leaves, our side is closed, the peer's side is read until it ends too.
    HangingUp {
        why: Why,
        until: Instant,
        shut: bool,
        ended: bool,
        octets: usize,
    },
    Done,
}

impl<S: AsyncRead + AsyncWrite + Unpin, T> Driver<S, T> {
    pub(super) fn encode(&mut self) {
        while let Some(pdu) = self.session.poll_transmit() {
            pdu_log::passes(&mut self.ring, self.now, '>', &pdu);
            if !self.write_failed {
                pdu.encode(&mut self.output);
            }
        }
    }

    /// Moves the line on by one step: a frame that is there, else write, else read, else what is due. Timers come after the
    /// reads that bring something, so that a healthy peer is not dropped because *we* were held up; but not after more than
    /// [`LATE_READS_MAX`] of them, so that a flood cannot hold them up.
    pub(super) fn poll_line(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.take_frame() {
            return Poll::Ready(());
        }
        let due = self.is_due();
        if due && self.late_reads >= LATE_READS_MAX {
            self.do_what_is_due();
            return Poll::Ready(());
        }
        if (self.unflushed || !self.output.is_empty()) && self.poll_write(cx).is_ready() {
            return Poll::Ready(());
        }
        if self.output.len() < 2 * self.config.output_octets_max {
            if self.reads_left == 0 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            if self.poll_read(cx).is_ready() {
                self.reads_left -= 1;
                self.late_reads += u8::from(due);
                return Poll::Ready(());
            }
            if !has_budget_remaining() {
                // The runtime wants its turn: whether there is something to read is not known.
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
        }
        self.look_at_the_clock();
        if self.is_due() {
            self.do_what_is_due();
            return Poll::Ready(());
        }
        self.poll_timer(cx)
    }

    fn take_frame(&mut self) -> bool {
        let frame = match next_frame(&mut self.input, self.config.frame_octets_max) {
            Ok(None) => return false,
            Ok(Some(frame)) => frame,
            Err(error) => {
                self.receive(Err(error));
                return true;
            }
        };
        self.receive(Pdu::decode(&frame, self.config.leniency));
        true
    }

    #[inline(always)]
    fn receive(&mut self, pdu: Result<Pdu, DecodeError>) {
        match &pdu {
            Ok(pdu) => pdu_log::passes(&mut self.ring, self.now, '<', pdu),
            Err(error) => {
                pdu_log::is_unread(&mut self.ring, self.now, error);
                self.malformed = Some(*error);
            }
        }
        let late = pdu.as_ref().ok().filter(|pdu| self.expired.is_answered_by(pdu)).cloned();
        let unexpected = self.session.counters().unexpected_responses;
        self.session.receive(self.now, pdu);
        self.observer.compare(&mut self.seen, self.session.counters());
        // If its number stood for a request that waits, it has answered that.
        self.late = late.filter(|_| self.session.counters().unexpected_responses > unexpected);
    }

    fn is_due(&self) -> bool {
        self.write_failed || self.session.poll_timeout().is_some_and(|(at, _)| at <= self.now)
    }

    fn do_what_is_due(&mut self) {
        self.late_reads = 0;
        if self.write_failed {
            self.session.line_closed(Why::Broken);
        } else {
            self.session.tick(self.now);
        }
    }

    /// Ready when all is written, or when the line does not take it any more. What the peer sent before the line broke may
    /// still be there to read: answers among it are not to become unknown outcomes.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while !self.output.is_empty() {
            match ready!(Pin::new(&mut self.stream).poll_write(cx, &self.output)) {
                Ok(0) => {
                    self.fail_to_write(ErrorKind::WriteZero);
                    return Poll::Ready(());
                }
                Err(error) => {
                    self.fail_to_write(error.kind());
                    return Poll::Ready(());
                }
                Ok(octets) => self.output.advance(octets),
            }
            self.unflushed = true;
        }
        if let Err(error) = ready!(Pin::new(&mut self.stream).poll_flush(cx)) {
            self.fail_to_write(error.kind());
        }
        self.unflushed = false;
        Poll::Ready(())
    }

    fn fail_to_write(&mut self, error: ErrorKind) {
        self.io_error.get_or_insert(error);
        self.write_failed = true;
        self.unflushed = false;
        self.output.clear();
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.input.reserve(self.read_octets);
        let read = ready!(pin!(self.stream.read_buf(&mut self.input)).poll(cx));
        self.look_at_the_clock();
        match read {
            Ok(0) => self.session.line_closed(Why::PeerClosed),
            Ok(octets) => self.ask_for_as_much(octets),
            Err(error) => {
                // A read tells of a reset, which a write before it may have met as a broken pipe.
                self.io_error = Some(error.kind());
                self.session.line_closed(Why::Broken);
            }
        }
        Poll::Ready(())
    }

    /// PDUs keep the buffer alive that they were read into: it should not be much larger than what comes.
    fn ask_for_as_much(&mut self, octets: usize) {
        if octets >= self.read_octets {
            self.read_octets = READ_OCTETS_MAX.min(self.read_octets * 4);
        } else if octets < self.read_octets / 4 {
            self.read_octets = READ_OCTETS_MIN.max(self.read_octets / 2);
        }
    }

    /// A timer that is early costs one idle turn; to move it with every PDU would cost more.
    fn poll_timer(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some((at, _)) = self.session.poll_timeout() else { return Poll::Pending };
        let deadline = self.instant(at);
        let elapsed = self.timer.is_elapsed();
        if elapsed {
            self.let_go_of_buffers();
        }
        if elapsed || deadline < self.timer.deadline() {
            self.timer.as_mut().reset(deadline);
        }
        ready!(self.timer.as_mut().poll(cx));
        self.look_at_the_clock();
        Poll::Ready(())
    }

    /// What a burst made large is not kept for ever. As often as the timer fires, which is seldom.
    fn let_go_of_buffers(&mut self) {
        if self.input.is_empty() {
            self.input = BytesMut::new();
            self.read_octets = READ_OCTETS_MIN;
        }
        if self.output.is_empty() {
            self.output = BytesMut::new();
        }
    }

    /// Ready when the stream can be dropped without taking octets with it, or when that has taken too long.
    pub(super) fn poll_hang_up(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Phase::HangingUp { until, .. } = self.phase else { return Poll::Ready(()) };
        let sent = self.poll_send_off(cx);
        let ended = self.poll_throw_away(cx);
        if sent.is_ready() && ended.is_ready() {
            return Poll::Ready(());
        }
        if self.timer.deadline() != until {
            self.timer.as_mut().reset(until);
        }
        self.timer.as_mut().poll(cx)
    }

    /// Ready when all is written and our side is closed.
    fn poll_send_off(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.output.is_empty() {
            ready!(self.poll_write(cx));
        }
        let Phase::HangingUp { shut, .. } = &mut self.phase else { return Poll::Ready(()) };
        if !*shut {
            // That the peer has closed already is no error; systems differ in what they say then.
            let _ = ready!(Pin::new(&mut self.stream).poll_shutdown(cx));
            *shut = true;
        }
        Poll::Ready(())
    }

    /// Ready when the peer has closed its side: a line closed with octets unread is reset, and a reset can overtake what
    /// was sent.
    fn poll_throw_away(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Phase::HangingUp { octets, ended, .. } = &mut self.phase else { return Poll::Ready(()) };
        let mut scratch = [0; 4096];
        while !*ended {
            let mut buffer = ReadBuf::new(&mut scratch);
            let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer));
            *octets += buffer.filled().len();
            *ended = read.is_err() || buffer.filled().is_empty() || *octets >= LINGER_OCTETS_MAX;
        }
        Poll::Ready(())
    }
}
