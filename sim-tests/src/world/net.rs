//! A network in memory for the fast tier: connections with a latency, that can be held, lost and refused.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, Sleep, sleep, sleep_until};

use crate::plan::IN_FLIGHT_OCTETS_MAX;

/// The network between the clients and one SMSC.
#[derive(Clone)]
pub(super) struct Net {
    latency: Arc<Mutex<Duration>>,
    /// Told when the weather turns; in the order they wait.
    turned: Arc<Notify>,
    /// With which the names of its connections begin.
    number: u64,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Weather {
    Fair,
    Held,
    Partitioned,
}

struct Inner {
    weather: Weather,
    /// What comes from the SMSC is lost on new connections too.
    loses_from_smsc: bool,
    opened: u64,
    listener: Option<mpsc::UnboundedSender<(Pipe, u64)>>,
    /// Each with whose machine the near end is on; 0 has no power of its own to lose.
    ways: Vec<(usize, Arc<Mutex<OneWay>>)>,
}

/// One direction of a connection.
#[derive(Default)]
struct OneWay {
    to_smsc: bool,
    segments: VecDeque<(Instant, Bytes)>,
    octets: usize,
    fin: Option<Instant>,
    /// A segment was lost: like all after it, since nothing is sent again.
    wedged: bool,
    /// Whoever writes is told that nobody is there.
    broken: bool,
    held: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Net {
    pub(super) fn new(latency: Duration, number: usize) -> Net {
        let inner =
            Inner { weather: Weather::Fair, loses_from_smsc: false, opened: 0, listener: None, ways: Vec::new() };
        let (latency, number) = (Arc::new(Mutex::new(latency)), number as u64);
        Net { latency, turned: Arc::default(), number, inner: Arc::new(Mutex::new(inner)) }
    }

    /// Changes the weather. What is held arrives, with what is due, when it turns fair.
    pub(super) fn turn(&self, weather: Weather) {
        lock(&self.inner).weather = weather;
        lock(&self.inner).loses_from_smsc = false;
        self.turned.notify_waiters();
        self.each(None, |way| {
            way.held = weather == Weather::Held;
            if weather == Weather::Partitioned {
                way.lose();
            }
        });
    }

    /// What goes this way is lost from now on. Where it goes to the SMSC nobody can connect until the weather turns fair.
    pub(super) fn lose(&self, to_smsc: bool) {
        if to_smsc {
            lock(&self.inner).weather = Weather::Partitioned;
        }
        lock(&self.inner).loses_from_smsc = !to_smsc;
        self.each(None, |way| {
            if way.to_smsc == to_smsc {
                way.lose();
            }
        });
    }

    /// What is sent from now on takes so long. Nothing overtakes what was sent before.
    pub(super) fn set_latency(&self, latency: Duration) {
        *lock(&self.latency) = latency;
    }

    /// The SMSC's machine goes off, or this other one: nothing of its connections arrives any more.
    pub(super) fn power_off(&self, machine: Option<usize>) {
        self.each(machine, OneWay::lose);
    }

    /// It comes back and knows nothing: who writes on an old connection is told so.
    pub(super) fn power_on(&self, machine: Option<usize>) {
        self.each(machine, |way| way.broken |= way.wedged);
    }

    /// All connections, or those of one machine.
    fn each(&self, machine: Option<usize>, mut f: impl FnMut(&mut OneWay)) {
        lock(&self.inner).ways.retain(|(_, way)| Arc::strong_count(way) > 1);
        let inner = lock(&self.inner);
        for (_, way) in inner.ways.iter().filter(|(at, _)| machine.is_none_or(|machine| *at == machine)) {
            let mut way = lock(way);
            f(&mut way);
            way.wake();
        }
    }

    pub(super) fn listen(&self) -> mpsc::UnboundedReceiver<(Pipe, u64)> {
        let (sender, receiver) = mpsc::unbounded_channel();
        lock(&self.inner).listener = Some(sender);
        receiver
    }

    /// A connection from this machine, and what the network calls it. Hangs while the network is held or partitioned.
    pub(super) async fn connect(&self, machine: usize) -> io::Result<(Pipe, u64)> {
        loop {
            let turned = self.turned.notified();
            if lock(&self.inner).weather == Weather::Fair {
                break;
            }
            turned.await;
        }
        let latency = *lock(&self.latency);
        sleep(latency).await;
        let mut inner = lock(&self.inner);
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        let listener = inner.listener.clone().ok_or_else(refused)?;
        let there = Arc::new(Mutex::new(OneWay { to_smsc: true, ..OneWay::default() }));
        let back = Arc::new(Mutex::new(OneWay { wedged: inner.loses_from_smsc, ..OneWay::default() }));
        let far = Pipe::new(Arc::clone(&self.latency), Arc::clone(&there), Arc::clone(&back));
        let near = Pipe::new(Arc::clone(&self.latency), Arc::clone(&back), Arc::clone(&there));
        inner.opened += 1;
        let name = self.number << 32 | inner.opened;
        listener.send((far, name)).map_err(|_| refused())?;
        inner.ways.extend([there, back].map(|way| (machine, way)));
        Ok((near, name))
    }
}

impl OneWay {
    fn lose(&mut self) {
        self.segments.clear();
        self.octets = 0;
        self.fin = None;
        self.wedged = true;
    }

    fn wake(&mut self) {
        [self.reader.take(), self.writer.take()].into_iter().flatten().for_each(Waker::wake);
    }
}

/// One end of a connection.
pub(super) struct Pipe {
    latency: Arc<Mutex<Duration>>,
    from: Arc<Mutex<OneWay>>,
    to: Arc<Mutex<OneWay>>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Pipe {
    fn new(latency: Arc<Mutex<Duration>>, from: Arc<Mutex<OneWay>>, to: Arc<Mutex<OneWay>>) -> Pipe {
        Pipe { latency, from, to, timer: None }
    }

    /// Closes our direction: the other end reads its end once all has arrived.
    fn finish(&self) {
        let mut to = lock(&self.to);
        if !to.wedged && to.fin.is_none() {
            to.fin = Some(to.segments.back().map_or(Instant::now() + *lock(&self.latency), |(at, _)| *at));
            to.wake();
        }
    }
}

impl AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let me = self.get_mut();
        loop {
            let at = {
                let mut from = lock(&me.from);
                let next = if from.held { None } else { from.segments.front().map(|(at, _)| *at).or(from.fin) };
                let Some(at) = next else {
                    from.reader = Some(cx.waker().clone());
                    return Poll::Pending;
                };
                if at <= Instant::now() {
                    from.read(out);
                    return Poll::Ready(Ok(()));
                }
                from.reader = Some(cx.waker().clone());
                at
            };
            let timer = me.timer.insert(Box::pin(sleep_until(at)));
            ready!(timer.as_mut().poll(cx));
        }
    }
}

impl OneWay {
    /// At most the rest of one segment; nothing is the end.
    fn read(&mut self, out: &mut ReadBuf<'_>) {
        let Some((_, segment)) = self.segments.front_mut() else { return };
        let octets = segment.len().min(out.remaining());
        out.put_slice(&segment[..octets]);
        segment.advance(octets);
        if segment.is_empty() {
            self.segments.pop_front();
        }
        self.octets -= octets;
        if let Some(writer) = self.writer.take() {
            writer.wake();
        }
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let me = self.get_mut();
        let mut to = lock(&me.to);
        if to.broken || to.fin.is_some() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if to.wedged {
            return Poll::Ready(Ok(octets.len()));
        }
        if to.octets >= IN_FLIGHT_OCTETS_MAX {
            to.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        to.octets += octets.len();
        let at = Instant::now() + *lock(&me.latency);
        let at = to.segments.back().map_or(at, |(before, _)| at.max(*before));
        to.segments.push_back((at, Bytes::copy_from_slice(octets)));
        if let Some(reader) = to.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(octets.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.finish();
        Poll::Ready(Ok(()))
    }
}

/// Whoever drops an end closes it, and does not read any more.
impl Drop for Pipe {
    fn drop(&mut self) {
        self.finish();
        let mut from = lock(&self.from);
        from.broken = true;
        from.wake();
    }
}
