//! What stands between a driver and the network: a tap that writes down every frame, and a chopper that splits, glues,
//! stalls and cuts octets. The same on both tiers.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rand::RngExt;
use smpp_transport::env::{ChaCha8Rng, Seed};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use crate::history::{End, Frames, How, Recorder, Way, What};
use crate::plan::{Chop, Plan};
use crate::transport::Life;

/// A stream as a driver sees it: tapped outside, chopped inside.
pub struct Wire<S> {
    inner: S,
    line: u32,
    end: End,
    recorder: Recorder,
    read: Frames,
    written: Frames,
    /// What is read comes by here.
    scratch: Box<[u8]>,
    chop: Chop,
    /// When it passes octets as they are from then on.
    peace: Option<Duration>,
    rng: ChaCha8Rng,
    stalled: Option<Pin<Box<Sleep>>>,
    /// Octets until the connection is cut, either way.
    cut_in: Option<u64>,
    ended: bool,
    /// Of the process that has this end.
    life: Life,
    /// Completes when that ends: whoever waits for octets is told so, in the order in which they began to wait.
    death: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// A read takes no more.
const READ_OCTETS_MAX: usize = 8 * 1024;

impl<S> Wire<S> {
    /// Wraps the `end` of the connection that the recorder numbers `line`. When the `life` of its process is over, nothing
    /// passes any more.
    pub fn new(inner: S, line: u32, end: End, recorder: Recorder, plan: &Plan, life: Life) -> Wire<S> {
        let (name, chop) = match end {
            End::Esme => ("chop esme", plan.wire.esme),
            End::Smsc => ("chop smsc", plan.wire.smsc),
        };
        let mut rng = Seed(plan.seed).stream(name, u64::from(line));
        let cut = rng.random::<f64>() < chop.cut;
        let at = rng.random_range(0..chop.cut_within.max(1));
        let mortal = life.clone();
        Wire {
            inner,
            line,
            end,
            recorder,
            read: Frames::default(),
            written: Frames::default(),
            scratch: Box::new([0; READ_OCTETS_MAX]),
            chop,
            peace: plan.peace(),
            rng,
            stalled: None,
            cut_in: cut.then_some(at),
            ended: false,
            life,
            death: Box::pin(async move { mortal.over().await }),
        }
    }

    fn keep_peace(&mut self) {
        if self.peace.is_some_and(|peace| peace <= self.recorder.now()) {
            self.peace = None;
            self.chop = Chop::default();
            // What is cut already stays so.
            self.cut_in = self.cut_in.filter(|left| *left == 0);
        }
    }

    fn passed(&mut self, way: Way, octets: &[u8]) {
        let frames = match way {
            Way::Read => self.read.pass(octets),
            Way::Written => self.written.pass(octets),
        };
        for frame in frames {
            self.recorder.note(What::Passed { line: self.line, end: self.end, way, frame });
        }
    }

    fn hung(&mut self, how: How) {
        if !self.ended {
            self.ended = true;
            self.recorder.note(What::Hung { line: self.line, end: self.end, how });
        }
    }

    /// How many octets may pass before the cut; none once it is reached.
    fn allowed(&mut self, wanted: usize) -> Option<usize> {
        if self.life.is_over() {
            return None;
        }
        match self.cut_in {
            None => Some(wanted),
            Some(0) => None,
            Some(left) => Some(wanted.min(usize::try_from(left).unwrap_or(usize::MAX))),
        }
    }

    fn spend(&mut self, octets: usize) {
        if let Some(left) = &mut self.cut_in {
            *left = left.saturating_sub(octets as u64);
        }
    }

    fn few(&mut self, chance: f64, octets: usize) -> usize {
        // A piece is never less than a 64th of what is asked for, so that large frames do not become thousands of them.
        if octets > 0 && self.rng.random::<f64>() < chance {
            self.rng.random_range(1..=20.max(octets / 64)).min(octets)
        } else {
            octets
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        me.keep_peace();
        if me.life.is_over() || me.death.as_mut().poll(cx).is_ready() {
            me.hung(How::Failed);
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if let Some(stalled) = &mut me.stalled {
            ready!(stalled.as_mut().poll(cx));
            me.stalled = None;
        }
        let Some(wanted) = me.allowed(out.remaining().min(READ_OCTETS_MAX)) else {
            me.hung(How::Failed);
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        };
        let wanted = me.few(me.chop.short_read, wanted);
        let mut buffer = ReadBuf::new(&mut me.scratch[..wanted]);
        if let Err(error) = ready!(Pin::new(&mut me.inner).poll_read(cx, &mut buffer)) {
            me.hung(How::Failed);
            return Poll::Ready(Err(error));
        }
        while !buffer.filled().is_empty() && buffer.remaining() > 0 && me.rng.random::<f64>() < me.chop.glue {
            let before = buffer.filled().len();
            match Pin::new(&mut me.inner).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if buffer.filled().len() > before => {}
                _ => break,
            }
        }
        let read = buffer.filled().len();
        if read == 0 {
            me.hung(How::Eof);
        } else if me.rng.random::<f64>() < me.chop.stall {
            let ms = me.rng.random_range(1..=me.chop.stall_ms.max(1));
            me.stalled = Some(Box::pin(sleep(Duration::from_millis(ms))));
        }
        me.spend(read);
        out.put_slice(&me.scratch[..read]);
        me.passed(Way::Read, &out.filled()[out.filled().len() - read..]);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let me = self.get_mut();
        me.keep_peace();
        let Some(wanted) = me.allowed(octets.len()) else {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        };
        let wanted = me.few(me.chop.short_write, wanted);
        match ready!(Pin::new(&mut me.inner).poll_write(cx, &octets[..wanted])) {
            Ok(written) => {
                me.spend(written);
                me.passed(Way::Written, &octets[..written]);
                Poll::Ready(Ok(written))
            }
            // Not the end: what has arrived can still be read.
            Err(error) => Poll::Ready(Err(error)),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        me.hung(How::Shut);
        Pin::new(&mut me.inner).poll_shutdown(cx)
    }
}

impl<S> Drop for Wire<S> {
    fn drop(&mut self) {
        self.hung(How::Dropped);
    }
}
