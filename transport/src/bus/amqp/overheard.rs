//! What the client does not tell: the properties with which the broker introduces itself. They are overheard on the line,
//! which is the client's own with an ear to it. Under TLS nothing can be overheard.
//!
//! The line can also be cut, which ends a connection that a mute peer never lets begin: the client would wait for it for
//! ever, with a thread of its own.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use async_rs::traits::{Executor, Reactor, RuntimeKit};
use async_rs::util::Task;
use async_rs::{Runtime, Tokio};
use futures_io::{AsyncRead, AsyncWrite};
use futures_util::Stream;
use lapin::types::parsing::parse_field_table;
use lapin::types::{AMQPValue, FieldTable};
use serde_json::{Map, Value};

/// The most that is listened to: introductions are some 500 octets.
const INTRODUCTION_MAX: usize = 64 * 1024;
/// Of the first frame: type, channel, size, then class, method and version.
const BEFORE_PROPERTIES: usize = 7 + 6;

/// An ear to a line. Dropped, it cuts the line, unless it has left before.
#[derive(Debug, Default)]
pub(super) struct Ear(Arc<Mutex<Shared>>);

#[derive(Debug, Default)]
struct Shared {
    introduction: Vec<u8>,
    is_cut: bool,
    is_left: bool,
    reader: Option<Waker>,
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ear {
    /// The runtime whose lines it listens to.
    pub(super) fn runtime(&self) -> Runtime<Overheard> {
        Runtime::new(Overheard { tokio: Tokio::current(), shared: Arc::clone(&self.0) })
    }

    /// What the broker said of itself, as JSON; null if that was not heard. The line stays.
    pub(super) fn leave(self) -> Value {
        let mut shared = lock(&self.0);
        shared.is_left = true;
        introduction(&std::mem::take(&mut shared.introduction)).unwrap_or_default()
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        let mut shared = lock(&self.0);
        shared.is_cut = !shared.is_left;
        if let Some(reader) = shared.reader.take() {
            reader.wake();
        }
    }
}

/// The properties in a frame that is `connection.start`.
pub(super) fn introduction(octets: &[u8]) -> Option<Value> {
    let (head, rest) = octets.split_at_checked(BEFORE_PROPERTIES)?;
    // A method on channel 0; class 10, method 10.
    let is_start = head.starts_with(&[1, 0, 0]) && head[7..11] == [0, 10, 0, 10];
    let (_, properties) = parse_field_table(rest).ok().filter(|_| is_start)?;
    Some(table(&properties))
}

fn table(table: &FieldTable) -> Value {
    let fields = table.inner().iter().map(|(name, field)| (name.to_string(), value(field)));
    Value::Object(fields.collect::<Map<_, _>>())
}

fn value(field: &AMQPValue) -> Value {
    match field {
        AMQPValue::LongString(text) => text.to_string().into(),
        AMQPValue::ShortString(text) => text.to_string().into(),
        AMQPValue::Boolean(is_so) => (*is_so).into(),
        AMQPValue::FieldTable(fields) => table(fields),
        AMQPValue::ShortShortInt(number) => (*number).into(),
        AMQPValue::ShortShortUInt(number) => (*number).into(),
        AMQPValue::ShortInt(number) => (*number).into(),
        AMQPValue::ShortUInt(number) => (*number).into(),
        AMQPValue::LongInt(number) => (*number).into(),
        AMQPValue::LongUInt(number) => (*number).into(),
        AMQPValue::LongLongInt(number) => (*number).into(),
        // Brokers use no others there.
        _ => Value::Null,
    }
}

/// Tokio, with an ear to its lines.
#[derive(Clone, Debug)]
pub(super) struct Overheard {
    tokio: Tokio,
    shared: Arc<Mutex<Shared>>,
}

impl RuntimeKit for Overheard {}

impl Executor for Overheard {
    type Task<T: Send + 'static> = <Tokio as Executor>::Task<T>;

    fn block_on<T, F: Future<Output = T>>(&self, future: F) -> T {
        self.tokio.block_on(future)
    }

    fn spawn<T: Send + 'static, F: Future<Output = T> + Send + 'static>(&self, future: F) -> Task<Self::Task<T>> {
        self.tokio.spawn(future)
    }

    fn spawn_blocking<T: Send + 'static, F: FnOnce() -> T + Send + 'static>(&self, call: F) -> Task<Self::Task<T>> {
        self.tokio.spawn_blocking(call)
    }
}

impl Reactor for Overheard {
    type TcpStream = Line;
    type Sleep = <Tokio as Reactor>::Sleep;

    /// The client connects by name.
    fn register<H: Send + 'static>(&self, _: H) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        Err::<Line, _>(io::ErrorKind::Unsupported.into())
    }

    fn sleep(&self, duration: Duration) -> Self::Sleep {
        self.tokio.sleep(duration)
    }

    fn interval(&self, duration: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.tokio.interval(duration)
    }

    fn tcp_connect_addr(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        let (connecting, shared) = (self.tokio.tcp_connect_addr(address), Arc::clone(&self.shared));
        async move { Ok(Line { stream: connecting.await?, shared, is_heard: true }) }
    }
}

/// A line with an ear to it.
pub(super) struct Line {
    stream: <Tokio as Reactor>::TcpStream,
    shared: Arc<Mutex<Shared>>,
    is_heard: bool,
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut [u8]) -> Poll<io::Result<usize>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, into);
        if self.is_heard {
            let shared = Arc::clone(&self.shared);
            let octets = if let Poll::Ready(Ok(count)) = read { &into[..count] } else { &[] };
            self.is_heard = lock(&shared).hear(cx, octets)?;
        }
        read
    }
}

impl Shared {
    /// Whether there is more to hear. An error when the line is cut.
    fn hear(&mut self, cx: &Context<'_>, octets: &[u8]) -> io::Result<bool> {
        if self.is_cut {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        self.reader = Some(cx.waker().clone());
        let room = INTRODUCTION_MAX.saturating_sub(self.introduction.len());
        self.introduction.extend_from_slice(&octets[..octets.len().min(room)]);
        Ok(!self.is_left)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, from)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        from: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, from)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}
