//! `capture`: what passes on the lines to the SMSC, without the TLS around it, written down for Wireshark.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use smpp_transport::capture::{Capture, Close, Way};
use smpp_transport::env::WallClock;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::connect::Line;

/// How often the capture is written out.
const FLUSH_INTERVAL: Duration = Duration::from_millis(200);

/// The capture of all lines. Clones share it.
#[derive(Clone)]
pub(super) struct Taps(Arc<Shared>);

struct Shared {
    capture: Mutex<Capture>,
    lines: AtomicU64,
    clock: Arc<dyn WallClock>,
}

impl Taps {
    /// A capture in a file of this name, which is made anew.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub(super) fn create(path: &Path, clock: Arc<dyn WallClock>) -> io::Result<Taps> {
        let capture = Mutex::new(Capture::create(path)?);
        Ok(Taps(Arc::new(Shared { capture, lines: AtomicU64::new(1), clock })))
    }

    /// A line that is written down from now on.
    pub(super) fn tap(
        &self,
        stream: Box<dyn Line>,
        ours: Option<SocketAddr>,
        smsc: Option<SocketAddr>,
    ) -> Box<dyn Line> {
        let number = self.0.lines.fetch_add(1, Ordering::Relaxed);
        self.capture().open(number, ours, smsc, self.0.clock.unix());
        Box::new(Tapped { stream, taps: self.clone(), number, how: None })
    }

    /// Lets nobody who looks into the file wait for long.
    pub(super) async fn flush_now_and_then(self) {
        loop {
            tokio::time::sleep(FLUSH_INTERVAL).await;
            self.capture().flush();
        }
    }

    fn capture(&self) -> MutexGuard<'_, Capture> {
        self.0.capture.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Tapped {
    stream: Box<dyn Line>,
    taps: Taps,
    number: u64,
    /// How the line ended: the first that was seen.
    how: Option<Close>,
}

impl Tapped {
    fn passed(&self, way: Way, octets: &[u8]) {
        if !octets.is_empty() {
            let at = self.taps.0.clock.unix();
            self.taps.capture().data(self.number, way, octets, at);
        }
    }
}

impl Drop for Tapped {
    fn drop(&mut self) {
        let at = self.taps.0.clock.unix();
        self.taps.capture().close(self.number, self.how.unwrap_or(Close::Ended(Way::FromEsme)), at);
    }
}

impl AsyncRead for Tapped {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (before, room) = (out.filled().len(), out.remaining());
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, out));
        let octets = &out.filled()[before..];
        match &read {
            Ok(()) if room > 0 && octets.is_empty() => _ = self.how.get_or_insert(Close::Ended(Way::ToEsme)),
            Ok(()) => self.passed(Way::ToEsme, octets),
            Err(_) => _ = self.how.get_or_insert(Close::Reset(Way::ToEsme)),
        }
        Poll::Ready(read)
    }
}

impl AsyncWrite for Tapped {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, octets: &[u8]) -> Poll<io::Result<usize>> {
        let written = ready!(Pin::new(&mut self.stream).poll_write(cx, octets));
        match &written {
            Ok(count) => self.passed(Way::FromEsme, &octets[..*count]),
            Err(_) => _ = self.how.get_or_insert(Close::Reset(Way::ToEsme)),
        }
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.how.get_or_insert(Close::Ended(Way::FromEsme));
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
