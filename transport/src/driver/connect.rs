//! Opening the line: who connects, and for how long.

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::Dialer;

/// Opens byte streams to one SMSC: TCP in production, a simulated network in tests.
pub trait Connect {
    /// What is opened.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Opens one. It may hang: callers set the limit.
    fn connect(&mut self) -> impl Future<Output = io::Result<Self::Stream>> + Send;

    /// Returns the peer of the last stream that was opened, or the place that was tried last; `None` where neither is known.
    fn peer(&self) -> Option<String> {
        None
    }
}

/// Takes the lines that others open: a TCP listener in production, a simulated one in tests.
pub trait Accept {
    /// What is taken.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// The next one, and who it is.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Stream, String)>> + Send;

    /// From now on dropping the stream resets the connection instead of closing it in order, and throws away what has not
    /// left yet. The default does nothing: not every network has such a thing. A [`Driver`](super::Driver) closes in order
    /// whatever it is told: to reset, its owner calls this with its [`stream_mut`](super::Driver::stream_mut) and drops it.
    fn reset(stream: &mut Self::Stream) {
        let _ = stream;
    }
}

impl Accept for TcpListener {
    type Stream = TcpStream;

    async fn accept(&mut self) -> io::Result<(TcpStream, String)> {
        let (stream, peer) = TcpListener::accept(self).await?;
        // Fails only when the peer has gone already, which is no fault of the listener's: whoever reads will see it.
        let _ = stream.set_nodelay(true);
        Ok((stream, peer.to_string()))
    }

    fn reset(stream: &mut TcpStream) {
        // Fails only when the connection has gone already.
        let _ = stream.set_zero_linger();
    }
}

/// TCP to `host:port`, without Nagle's delay. Every address of the host is tried: see [`Dialer`].
#[derive(Clone, Debug)]
pub struct Tcp {
    /// Host name or address, and port.
    pub address: String,
}

impl Connect for Tcp {
    type Stream = TcpStream;

    async fn connect(&mut self) -> io::Result<TcpStream> {
        Dialer::default().open(&self.address).await
    }

    fn peer(&self) -> Option<String> {
        Some(self.address.clone())
    }
}

/// Several places of one SMSC, tried in turn: after each try the next one is due, and after the last the first again.
#[derive(Clone, Debug)]
pub struct InTurn<C> {
    places: Vec<C>,
    next: usize,
}

impl<C> InTurn<C> {
    /// These, the first one first. Where there is none, nothing can be opened.
    pub fn new(places: impl IntoIterator<Item = C>) -> InTurn<C> {
        InTurn { places: places.into_iter().collect(), next: 0 }
    }
}

impl<C: Connect + Send> Connect for InTurn<C> {
    type Stream = C::Stream;

    async fn connect(&mut self) -> io::Result<C::Stream> {
        let place = self.next;
        self.next = (place + 1) % self.places.len().max(1);
        match self.places.get_mut(place) {
            Some(connect) => connect.connect().await,
            None => Err(io::Error::new(io::ErrorKind::NotFound, "there is no place to connect to")),
        }
    }

    fn peer(&self) -> Option<String> {
        let last = self.next.checked_sub(1).unwrap_or(self.places.len().saturating_sub(1));
        self.places.get(last)?.peer()
    }
}

/// Connects, but for no longer than `limit`.
///
/// # Errors
/// What the connector says, or `TimedOut`.
pub async fn connect_within<C: Connect>(connect: &mut C, limit: Duration) -> io::Result<C::Stream> {
    match timeout(limit, connect.connect()).await {
        Ok(stream) => stream,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, format!("no connection within {limit:?}"))),
    }
}
