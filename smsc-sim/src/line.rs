//! The stream of a connection, between its driver and the network: tells a tap what passes, keeps a pace, and stalls. What the
//! octets mean is not known here.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use smpp_transport::capture::{Close, Way};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::rules::{Direction, Pace, Silence, Stall};
use crate::traffic::Tap;

/// A stream with a tap and a pace, both optional.
pub(crate) struct Line<S> {
    stream: S,
    tap: Option<Tap>,
    read_pace: Option<Pace>,
    write_pace: Option<Pace>,
    read_pause: Pause,
    write_pause: Pause,
}

impl<S> Line<S> {
    pub(crate) fn new(stream: S, tap: Option<Tap>) -> Line<S> {
        Line {
            stream,
            tap,
            read_pace: None,
            write_pace: None,
            read_pause: Pause::default(),
            write_pause: Pause::default(),
        }
    }

    /// Sets the pace of a direction, and ends its pause or stall. Nobody is woken by this: who sets a pace goes on to poll the
    /// stream.
    pub(crate) fn set_pace(&mut self, direction: Direction, pace: Option<Pace>) {
        if direction.reads() {
            (self.read_pace, self.read_pause) = (pace, Pause::default());
        }
        if direction.writes() {
            (self.write_pace, self.write_pause) = (pace, Pause::default());
        }
    }

    /// Lets nothing pass in these directions for a time.
    pub(crate) fn stall(&mut self, stall: Stall) {
        let pauses = [(stall.reads, &mut self.read_pause), (stall.writes, &mut self.write_pause)];
        for (silence, pause) in pauses {
            match silence {
                Some(Silence::For(time)) => pause.start(time.0),
                Some(Silence::Forever) => pause.start(FOREVER),
                None => {}
            }
        }
    }

    /// Returns `true` if a direction has a pace, or is stalled.
    pub(crate) fn is_slow(&self) -> bool {
        let stalled = self.read_pause.is_under_way() || self.write_pause.is_under_way();
        stalled || self.read_pace.is_some() || self.write_pace.is_some()
    }

    /// The stream, for its settings: what is read or written here passes the tap by.
    pub(crate) fn stream_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    /// Tells the tap that the connection will be reset from here. Whoever does it says it, since no octet does.
    pub(crate) fn reset_follows(&mut self) {
        self.ended(Close::Reset(Way::ToEsme));
    }

    fn passed(&mut self, way: Way, octets: &[u8]) {
        if let Some(tap) = &mut self.tap
            && !octets.is_empty()
        {
            tap.passed(way, octets);
        }
    }

    fn ended(&mut self, how: Close) {
        if let Some(tap) = &mut self.tap {
            tap.ended(how);
        }
    }
}

impl<S: AsyncRead + Unpin> Line<S> {
    /// As much as the pace allows.
    fn poll_read_some(&mut self, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(self.read_pause.poll(cx));
        let Some(pace) = self.read_pace else { return Pin::new(&mut self.stream).poll_read(cx, out) };
        let octets = pace.octets.max(1).min(out.remaining());
        let mut few = ReadBuf::new(out.initialize_unfilled_to(octets));
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut few))?;
        let read = few.filled().len();
        out.advance(read);
        self.read_pause.start(pace.pause.0);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Line<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        let (before, room) = (out.filled().len(), out.remaining());
        let read = ready!(me.poll_read_some(cx, out));
        match &read {
            Ok(()) if room > 0 && out.filled().len() == before => me.ended(Close::Ended(Way::FromEsme)),
            Ok(()) => me.passed(Way::FromEsme, &out.filled()[before..]),
            Err(_) => me.ended(Close::Reset(Way::FromEsme)),
        }
        Poll::Ready(read)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Line<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let me = self.get_mut();
        let mut some = octets;
        ready!(me.write_pause.poll(cx));
        if let Some(pace) = me.write_pace {
            some = &octets[..pace.octets.max(1).min(octets.len())];
        }
        // That writing fails is not the end: what has arrived can still be read.
        let written = ready!(Pin::new(&mut me.stream).poll_write(cx, some))?;
        if let Some(pace) = me.write_pace {
            me.write_pause.start(pace.pause.0);
        }
        me.passed(Way::ToEsme, &some[..written]);
        Poll::Ready(Ok(written))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        me.ended(Close::Ended(Way::ToEsme));
        Pin::new(&mut me.stream).poll_shutdown(cx)
    }
}

/// The time before the next read or write. It is kept until it is over, so that whoever waits is woken.
#[derive(Default)]
struct Pause(Option<Pin<Box<Sleep>>>);

/// Longer than anything runs.
const FOREVER: Duration = Duration::from_secs(10 * 365 * 86_400);

impl Pause {
    fn is_under_way(&self) -> bool {
        self.0.as_ref().is_some_and(|pause| !pause.is_elapsed())
    }

    fn start(&mut self, pause: Duration) {
        self.0 = (!pause.is_zero()).then(|| Box::pin(sleep(pause)));
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(pause) = &mut self.0 {
            ready!(pause.as_mut().poll(cx));
            self.0 = None;
        }
        Poll::Ready(())
    }
}

#[cfg(test)]
mod tests;
