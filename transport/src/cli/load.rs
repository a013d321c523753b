//! `load`: submits as fast as the window, or the rate, allows, and measures the answers. One task and one session for each
//! bind, without a queue between them; what it remembers does not grow with the count.

use std::collections::BTreeMap;
use std::io::Write;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use hdrhistogram::Histogram;
use indicatif::{ProgressBar, ProgressStyle};
use smpp_transport::driver::{Driver, DriverConfig};
use smpp_transport::pdu::{Body, COctets, CommandId, CommandStatus, RegisteredDelivery, ShortMessage, Sm, Tlvs};
use smpp_transport::session::{Event, Outcome, Role, Why};
use tokio::time::{Instant, sleep_until, timeout};

use super::connect::Line;
use super::target::Target;

/// Submit many messages and measure how fast they are answered.
///
/// Progress goes to standard error; the last line on standard output is `RATE <responses per second>`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Load {
    #[command(flatten)]
    target: Target,
    /// Requests outstanding at once, on each bind.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    window: u32,
    /// Messages to submit, over all binds.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,
    /// Messages per second at most, over all binds; none is as fast as can be.
    #[arg(long, value_parser = rate)]
    rate: Option<f64>,
    /// Sessions at once.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    binds: u32,
    /// Ask for receipts, count them, and wait for them at the end.
    #[arg(long)]
    receipts: bool,
    /// Seconds after which a message without a response is given up.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    response_timeout: u64,
    /// Seconds without a receipt after which those that are missing are given up.
    #[arg(long, default_value_t = 10)]
    receipt_timeout: u64,
    /// What to submit: at most 254 octets of Latin-1.
    #[arg(long, default_value = "Hello", value_parser = text)]
    text: ShortMessage,
    /// Source address.
    #[arg(long, default_value = "1001")]
    from: COctets<21>,
    /// Destination address.
    #[arg(long, default_value = "27820001001")]
    to: COctets<21>,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (0.001..=1e9).contains(&rate) => Ok(rate),
        _ => Err("a number from 0.001 to 1,000,000,000 is needed".to_owned()),
    }
}

fn text(text: &str) -> Result<ShortMessage, String> {
    let octets = text.chars().map(u8::try_from).collect::<Result<Vec<u8>, _>>();
    let octets = octets.map_err(|_| "a character is not in Latin-1".to_owned())?;
    ShortMessage::new(octets).map_err(|error| error.to_string())
}

/// What one bind has seen, or all of them.
struct Tally {
    /// Microseconds from request to response, three digits exact, up to an hour.
    latency: Histogram<u64>,
    statuses: BTreeMap<CommandStatus, u64>,
    expired: u64,
    lost: u64,
    ended: Option<Why>,
}

impl Tally {
    fn new() -> Tally {
        Tally {
            latency: Histogram::new_with_max(3_600_000_000, 3).expect("the bounds of the histogram are fixed"),
            statuses: BTreeMap::new(),
            expired: 0,
            lost: 0,
            ended: None,
        }
    }

    fn add(&mut self, other: &Tally) {
        self.latency.add(&other.latency).expect("all histograms have the same bounds");
        other.statuses.iter().for_each(|(status, count)| *self.statuses.entry(*status).or_default() += count);
        self.expired += other.expired;
        self.lost += other.lost;
        self.ended = self.ended.or(other.ended);
    }

    fn responses(&self) -> u64 {
        self.latency.len()
    }
}

type Session = Driver<Box<dyn Line>, Duration>;

/// One session and its share of the work.
struct Worker {
    driver: Session,
    request: Body,
    to_send: u64,
    /// Submits whose end was not told yet.
    outstanding: u64,
    interval: Option<Duration>,
    receipts: bool,
    receipt_timeout: Duration,
    tally: Tally,
    progress: Arc<Progress>,
}

/// How far all binds together are: for the progress bar, and because a receipt may come on another bind of the account
/// than its message went.
#[derive(Default)]
struct Progress {
    submitting: AtomicU64,
    responses: AtomicU64,
    wanted_receipts: AtomicU64,
    receipts: AtomicU64,
}

impl Progress {
    fn waits_for_receipts(&self) -> bool {
        let (receipts, wanted) = (read(&self.receipts), read(&self.wanted_receipts));
        wanted > 0 && (read(&self.submitting) > 0 || receipts < wanted)
    }
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Load {
    /// Runs the tool. Exit status 1 when there was no session, one ended before its time, or not every message was answered.
    pub(crate) fn run(self) -> ExitCode {
        let runtime = if self.binds == 1 {
            tokio::runtime::Builder::new_current_thread().enable_all().build()
        } else {
            tokio::runtime::Builder::new_multi_thread().enable_all().build()
        };
        match runtime.map_err(|error| error.to_string()).and_then(|runtime| runtime.block_on(self.measure())) {
            Ok((tally, progress, time)) => {
                // Whoever has closed our output does not want it.
                let _ = report(&tally, &progress, time);
                let is_complete = tally.ended.is_none() && tally.responses() == self.count;
                if is_complete { ExitCode::SUCCESS } else { ExitCode::FAILURE }
            }
            Err(error) => {
                let _ = writeln!(std::io::stderr(), "smpp-transport load: {error}");
                ExitCode::FAILURE
            }
        }
    }

    async fn measure(&self) -> Result<(Tally, Arc<Progress>, Duration), String> {
        let progress = Arc::new(Progress { submitting: u64::from(self.binds).into(), ..Progress::default() });
        let mut workers = Vec::new();
        for ordinal in 0..u64::from(self.binds) {
            workers.push(self.open(ordinal, Arc::clone(&progress)).await?);
        }
        let since = Instant::now();
        let bar = tokio::spawn(show_progress(self.count, Arc::clone(&progress)));
        let (done, mut finished) = tokio::sync::mpsc::unbounded_channel();
        for mut worker in workers {
            let done = done.clone();
            tokio::spawn(async move {
                worker.submit_all().await;
                let submitted = since.elapsed();
                worker.progress.submitting.fetch_sub(1, Ordering::Relaxed);
                worker.wait_for_receipts().await;
                worker.unbind().await;
                let _ = done.send((worker.tally, submitted));
            });
        }
        drop(done);
        let (mut tally, mut time) = (Tally::new(), Duration::ZERO);
        while let Some((part, submitted)) = finished.recv().await {
            tally.add(&part);
            time = time.max(submitted);
        }
        bar.abort();
        let _ = bar.await;
        Ok((tally, progress, time))
    }

    /// Connects and binds.
    async fn open(&self, ordinal: u64, progress: Arc<Progress>) -> Result<Worker, String> {
        let address = self.target.address();
        let stream = self.target.connect(Duration::from_secs(10)).await?;
        let mut config = self.target.client(self.receipts)?;
        config.session.window = self.window as usize;
        config.session.response_timeout = Duration::from_secs(self.response_timeout);
        let mut driver = Driver::new(stream, Role::Esme, config.session.clone(), DriverConfig::default());
        bind(&mut driver, config.bind_request()).await.map_err(|why| format!("no bind at {address}: {why}"))?;
        let binds = u64::from(self.binds);
        Ok(Worker {
            driver,
            request: Body::SubmitSm(self.message()),
            to_send: self.count / binds + u64::from(ordinal < self.count % binds),
            outstanding: 0,
            interval: self.rate.map(|rate| Duration::from_secs_f64(f64::from(self.binds) / rate)),
            receipts: self.receipts,
            receipt_timeout: Duration::from_secs(self.receipt_timeout),
            tally: Tally::new(),
            progress,
        })
    }

    fn message(&self) -> Sm {
        Sm {
            source_addr: COctets::new(for_ever(self.from.as_bytes())).expect("it has been one"),
            destination_addr: COctets::new(for_ever(self.to.as_bytes())).expect("it has been one"),
            registered_delivery: if self.receipts { RegisteredDelivery::FINAL } else { RegisteredDelivery::NONE },
            short_message: ShortMessage::new(for_ever(self.text.as_bytes())).expect("it has been one"),
            ..Sm::default()
        }
    }
}

/// Octets that live as long as the program, which are cloned for each message without counting.
fn for_ever(octets: &[u8]) -> Bytes {
    Bytes::from_static(octets.to_vec().leak())
}

async fn bind(driver: &mut Session, request: Body) -> Result<(), String> {
    driver.request(request, Tlvs::new(), Duration::ZERO).map_err(|(refused, _)| refused.to_string())?;
    loop {
        match driver.next().await {
            Some(Event::Bound(_)) => return Ok(()),
            Some(Event::Ended { outcome: Outcome::Answered(pdu), .. })
                if pdu.status != CommandStatus::ESME_ROK || pdu.command_id() == CommandId::GENERIC_NACK =>
            {
                return Err(format!("refused with {}", pdu.status));
            }
            Some(Event::Closed(why)) => return Err(format!("the session ended: {why}")),
            None => return Err("the session ended".to_owned()),
            Some(_) => {}
        }
    }
}

impl Worker {
    /// Until everything is submitted and has ended, or the session has.
    async fn submit_all(&mut self) {
        let mut due = Instant::now();
        let mut wake = pin!(sleep_until(due));
        while self.tally.ended.is_none() && (self.to_send > 0 || self.outstanding > 0) {
            while self.to_send > 0 && self.driver.has_room() && self.is_time(&mut due) {
                self.submit();
            }
            let paced = self.interval.is_some() && self.to_send > 0 && self.driver.has_room();
            if paced && wake.deadline() != due {
                wake.as_mut().reset(due);
            }
            tokio::select! {
                biased;
                event = self.driver.next() => self.happened(event),
                () = &mut wake, if paced => {}
            }
        }
    }

    /// Whether the rate allows another one now. What was missed while the window was full is not caught up with.
    fn is_time(&self, due: &mut Instant) -> bool {
        let Some(interval) = self.interval else { return true };
        let now = Instant::now();
        if now < *due {
            return false;
        }
        // A timer is late by a millisecond or so: that much is caught up with.
        *due = (*due + interval).max(now.checked_sub(Duration::from_millis(20)).unwrap_or(now));
        true
    }

    fn submit(&mut self) {
        let at = self.driver.now();
        match self.driver.request(self.request.clone(), Tlvs::new(), at) {
            Ok(_) => {
                self.to_send -= 1;
                self.outstanding += 1;
            }
            Err(_) => self.to_send = 0,
        }
    }

    fn happened(&mut self, event: Option<Event<Duration>>) {
        if matches!(event, Some(Event::Ended { .. })) {
            self.outstanding -= 1;
        }
        match event {
            Some(Event::Ended { token, outcome: Outcome::Answered(pdu), .. }) => self.answered(token, pdu.status),
            Some(Event::Ended { token, outcome: Outcome::Unreadable(error), .. }) => {
                self.answered(token, error.command_status);
            }
            Some(Event::Ended { outcome: Outcome::Expired, .. }) => self.tally.expired += 1,
            Some(Event::Ended { outcome: Outcome::Lost(_), .. }) => self.tally.lost += 1,
            Some(Event::Request(ticket, pdu)) => {
                let receipt = matches!(&pdu.body, Body::DeliverSm(sm) if sm.esm_class.is_receipt());
                if receipt {
                    count(&self.progress.receipts);
                }
                self.driver.refuse(ticket, CommandStatus::ESME_ROK);
            }
            Some(Event::Closed(why)) => self.tally.ended = Some(why),
            None => self.tally.ended = self.tally.ended.or(Some(Why::Dropped)),
            Some(Event::Bound(_) | Event::Notice(_)) => {}
        }
    }

    fn answered(&mut self, requested_at: Duration, status: CommandStatus) {
        let latency = self.driver.now().saturating_sub(requested_at);
        self.tally.latency.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
        *self.tally.statuses.entry(status).or_default() += 1;
        count(&self.progress.responses);
        if self.receipts && status == CommandStatus::ESME_ROK {
            count(&self.progress.wanted_receipts);
        }
    }

    /// Until all binds together have all receipts, or have had none for `receipt_timeout`.
    async fn wait_for_receipts(&mut self) {
        let (mut seen, mut since) = (read(&self.progress.receipts), Instant::now());
        while self.tally.ended.is_none() && self.progress.waits_for_receipts() {
            if let Ok(event) = timeout(Duration::from_millis(100), self.driver.next()).await {
                self.happened(event);
            }
            let receipts = read(&self.progress.receipts);
            if receipts != seen || read(&self.progress.submitting) > 0 {
                (seen, since) = (receipts, Instant::now());
            } else if since.elapsed() >= self.receipt_timeout {
                return;
            }
        }
    }

    async fn unbind(&mut self) {
        if self.tally.ended.is_none() {
            self.driver.unbind();
            while self.driver.next().await.is_some() {}
        }
    }
}

/// On standard error, and only when that is a terminal.
async fn show_progress(count: u64, progress: Arc<Progress>) {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {per_sec} {eta}").expect("the template is fixed");
    let bar = ProgressBar::new(count).with_style(style);
    loop {
        bar.set_position(read(&progress.responses));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

fn report(tally: &Tally, progress: &Progress, time: Duration) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let seconds = time.as_secs_f64().max(1e-9);
    writeln!(out, "{} responses in {seconds:.3} s", tally.responses())?;
    if !tally.latency.is_empty() {
        let at = |percentile| milliseconds(tally.latency.value_at_percentile(percentile));
        let (p50, p90, p99, max) = (at(50.0), at(90.0), at(99.0), milliseconds(tally.latency.max()));
        writeln!(out, "latency in ms: p50 {p50:.3}, p90 {p90:.3}, p99 {p99:.3}, max {max:.3}")?;
    }
    for (status, count) in &tally.statuses {
        writeln!(out, "{status} {count}")?;
    }
    for (what, count) in [("unanswered", tally.expired), ("lost with the session", tally.lost)] {
        if count > 0 {
            writeln!(out, "{what} {count}")?;
        }
    }
    if read(&progress.wanted_receipts) > 0 {
        writeln!(out, "receipts {} of {}", read(&progress.receipts), read(&progress.wanted_receipts))?;
    }
    if let Some(why) = tally.ended {
        writeln!(out, "a session ended before its time: {why}")?;
    }
    #[expect(clippy::cast_precision_loss, reason = "a rate needs no more digits")]
    let rate = tally.responses() as f64 / seconds;
    writeln!(out, "RATE {rate:.0}")
}

#[expect(clippy::cast_precision_loss, reason = "an hour of microseconds fits")]
fn milliseconds(microseconds: u64) -> f64 {
    microseconds as f64 / 1000.0
}
