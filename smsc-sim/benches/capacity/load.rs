//! Sessions that submit as fast as their windows allow, and take the receipts.

use std::ffi::OsString;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hdrhistogram::Histogram;
use smpp_transport::driver::{ClientConfig, Driver, DriverConfig};
use smpp_transport::pdu::{Body, COctets, CommandStatus, RegisteredDelivery, ShortMessage, Sm, Tlvs};
use smpp_transport::session::{BindKind, Event, Outcome, Role};
use tokio::net::TcpStream;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::smsc::Smsc;
use crate::{Failure, mebi};

/// A load, and the simulator that it is for.
pub(crate) struct Course {
    pub(crate) name: &'static str,
    pub(crate) sessions: usize,
    /// Of each session.
    pub(crate) window: usize,
    pub(crate) receipts: bool,
    /// What the simulator is started with.
    pub(crate) flags: Vec<OsString>,
}

impl Course {
    pub(crate) fn new(name: &'static str, sessions: usize, window: usize, receipts: bool) -> Course {
        Course { name, sessions, window, receipts, flags: Vec::new() }
    }
}

/// What came of it. Shown as columns.
pub(crate) struct Seen {
    /// Submit responses a second, from the first request to the last response.
    pub(crate) rate: f64,
    latency: Histogram<u64>,
    receipts: usize,
    /// Until the last receipt.
    receipts_in: Duration,
    /// Receipts that were missing when the last response had come.
    behind: usize,
    /// How long after that the last receipt came.
    behind_for: Duration,
    /// Resident octets at the end.
    memory: u64,
}

/// What the sessions share: a receipt may come on another one than its message went.
struct Shared {
    barrier: Barrier,
    start: Instant,
    responses: AtomicUsize,
    receipts: AtomicUsize,
    messages: usize,
    wants_receipts: bool,
}

impl Shared {
    fn is_over(&self) -> bool {
        !self.wants_receipts || self.receipts.load(Ordering::Relaxed) >= self.messages
    }
}

/// What one session has seen. Times are since the start of all.
struct Session {
    latency: Histogram<u64>,
    last_response: Duration,
    last_receipt: Duration,
    /// Receipts of all that had come at this session's last response.
    receipts_then: usize,
}

/// How long to look for receipts when none comes.
const RECEIPT_TIMEOUT: Duration = Duration::from_secs(20);
const LOOK_INTERVAL: Duration = Duration::from_millis(50);
const MICROSECONDS_MAX: u64 = 60_000_000;

pub(crate) fn measure(smsc: &Smsc, course: &Course, messages: usize) -> Result<Seen, Failure> {
    let mut runtime = match course.sessions {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let each = messages / course.sessions;
    let messages = each * course.sessions;
    let sessions = runtime.enable_all().build()?.block_on(run(smsc.address, course, each, messages))?;
    let last = |time: fn(&Session) -> Duration| sessions.iter().map(time).max().unwrap_or_default();
    let (submitted_in, receipts_in) = (last(|it| it.last_response), last(|it| it.last_receipt));
    let receipts_then = sessions.iter().max_by_key(|it| it.last_response).map_or(0, |it| it.receipts_then);
    let mut latency = histogram()?;
    for session in &sessions {
        latency.add(&session.latency)?;
    }
    let receipts = if course.receipts { messages } else { 0 };
    Ok(Seen {
        rate: messages as f64 / submitted_in.as_secs_f64(),
        latency,
        receipts,
        receipts_in,
        behind: receipts.saturating_sub(receipts_then),
        behind_for: receipts_in.saturating_sub(submitted_in),
        memory: smsc.memory()?,
    })
}

async fn run(address: SocketAddr, course: &Course, each: usize, messages: usize) -> Result<Vec<Session>, Failure> {
    let mut drivers = Vec::new();
    for _ in 0..course.sessions {
        drivers.push(bind(address, course).await?);
    }
    let shared = Arc::new(Shared {
        barrier: Barrier::new(course.sessions),
        start: Instant::now(),
        responses: AtomicUsize::new(0),
        receipts: AtomicUsize::new(0),
        messages,
        wants_receipts: course.receipts,
    });
    let (mut running, mut sessions) = (JoinSet::new(), Vec::new());
    for driver in drivers {
        running.spawn(submit(driver, Arc::clone(&shared), each));
    }
    while let Some(done) = running.join_next().await {
        sessions.push(done??);
    }
    Ok(sessions)
}

/// The token of a request is when it was sent.
type Line = Driver<TcpStream, Duration>;

async fn bind(address: SocketAddr, course: &Course) -> Result<Line, Failure> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let kind = if course.receipts { BindKind::Transceiver } else { BindKind::Transmitter };
    let mut config = ClientConfig::new(kind, "smppclient1".parse()?, "password".parse()?);
    config.session.window = course.window;
    let mut driver = Driver::new(stream, Role::Esme, config.session.clone(), DriverConfig::default());
    driver.request(config.bind_request(), Tlvs::new(), Duration::ZERO).map_err(|(refused, _)| refused)?;
    loop {
        match driver.next().await {
            Some(Event::Bound(_)) => return Ok(driver),
            Some(Event::Closed(_)) | None => return Err("the session ended before it was bound".into()),
            Some(_) => {}
        }
    }
}

async fn submit(mut driver: Line, shared: Arc<Shared>, count: usize) -> Result<Session, Failure> {
    let request = message(shared.wants_receipts)?;
    let mut seen = Session {
        latency: histogram()?,
        last_response: Duration::ZERO,
        last_receipt: Duration::ZERO,
        receipts_then: 0,
    };
    shared.barrier.wait().await;
    let (mut left, mut unanswered) = (count, count);
    while unanswered > 0 {
        while left > 0 && driver.has_room() {
            let at = driver.now();
            driver.request(request.clone(), Tlvs::new(), at).map_err(|(refused, _)| refused)?;
            left -= 1;
        }
        unanswered -= happened(&mut driver, &shared, &mut seen).await?;
    }
    seen.last_response = shared.start.elapsed();
    seen.receipts_then = shared.receipts.load(Ordering::Relaxed);
    let mut last_word = Instant::now();
    while !shared.is_over() {
        if let Ok(happened) = timeout(LOOK_INTERVAL, happened(&mut driver, &shared, &mut seen)).await {
            happened?;
            last_word = Instant::now();
        } else if last_word.elapsed() > RECEIPT_TIMEOUT && shared.responses.load(Ordering::Relaxed) == shared.messages {
            let receipts = shared.receipts.load(Ordering::Relaxed);
            return Err(format!("only {receipts} of {} receipts have come", shared.messages).into());
        }
    }
    driver.unbind();
    while driver.next().await.is_some() {}
    Ok(seen)
}

/// The next thing; gives how many responses it is.
async fn happened(driver: &mut Line, shared: &Shared, seen: &mut Session) -> Result<usize, Failure> {
    match driver.next().await {
        Some(Event::Ended { token, outcome: Outcome::Answered(pdu), .. }) if pdu.status == CommandStatus::ESME_ROK => {
            let latency = driver.now().saturating_sub(token);
            seen.latency.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(MICROSECONDS_MAX));
            shared.responses.fetch_add(1, Ordering::Relaxed);
            return Ok(1);
        }
        Some(Event::Ended { outcome, .. }) => return Err(format!("a submit_sm ended so: {outcome:?}").into()),
        Some(Event::Request(ticket, pdu)) => {
            driver.refuse(ticket, CommandStatus::ESME_ROK);
            if matches!(&pdu.body, Body::DeliverSm(sm) if sm.esm_class.is_receipt())
                && shared.receipts.fetch_add(1, Ordering::Relaxed) + 1 == shared.messages
            {
                seen.last_receipt = shared.start.elapsed();
            }
        }
        Some(Event::Closed(why)) => return Err(format!("a session ended: {why:?}").into()),
        None => return Err("a session ended".into()),
        Some(Event::Bound(_) | Event::Notice(_)) => {}
    }
    Ok(0)
}

fn message(wants_receipt: bool) -> Result<Body, Failure> {
    // Octets that live as long as the program, which are cloned without counting.
    let source = COctets::new(bytes::Bytes::from_static(b"1001"))?;
    let destination = COctets::new(bytes::Bytes::from_static(b"27820001001"))?;
    Ok(Body::SubmitSm(Sm {
        source_addr: source,
        destination_addr: destination,
        registered_delivery: if wants_receipt { RegisteredDelivery::FINAL } else { RegisteredDelivery::NONE },
        short_message: ShortMessage::new(bytes::Bytes::from_static(b"Hello"))?,
        ..Sm::default()
    }))
}

/// Microseconds, three digits exact.
fn histogram() -> Result<Histogram<u64>, Failure> {
    Ok(Histogram::new_with_max(MICROSECONDS_MAX, 3)?)
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |percentile| self.latency.value_at_percentile(percentile) as f64 / 1000.0;
        write!(f, "{:.0} | {:.2} | {:.2} | ", self.rate, at(50.0), at(99.0))?;
        if self.receipts > 0 {
            let rate = self.receipts as f64 / self.receipts_in.as_secs_f64();
            write!(f, "{rate:.0} | {} | {:.3} | ", self.behind, self.behind_for.as_secs_f64())?;
        } else {
            write!(f, "- | - | - | ")?;
        }
        write!(f, "{:.1}", mebi(self.memory))
    }
}
