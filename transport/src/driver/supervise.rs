//! Connect, bind, serve, wait, again: a session that comes back.

use std::ops::RangeInclusive;
use std::time::Duration;

use rand::{Rng, RngExt};
use tokio::time::{Instant, sleep};

use super::{Client, ClientConfig, ClientError, Connect, Incoming, connect_within};
use crate::session::BindKind;

/// How long to wait before the next try: `min`, then each time `factor` times longer up to `max`, and each time a random
/// share of up to `jitter` less, so that many clients do not come back at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Backoff {
    /// The first wait. Default 1 s.
    pub min: Duration,
    /// The longest wait. Default 60 s.
    pub max: Duration,
    /// At least 1. Default 2.
    pub factor: f64,
    /// 0 to 1. Default 0.2.
    pub jitter: f64,
    /// How long a session must have been bound for the next wait to be the first one again. Default 30 s.
    pub stable_after: Duration,
}

impl Default for Backoff {
    fn default() -> Backoff {
        Backoff {
            min: Duration::from_secs(1),
            max: Duration::from_secs(60),
            factor: 2.0,
            jitter: 0.2,
            stable_after: Duration::from_secs(30),
        }
    }
}

impl Backoff {
    /// The wait after this many failures in a row, counted from 0.
    pub fn delay(&self, failures: u32, rng: &mut impl Rng) -> Duration {
        let exponent = i32::try_from(failures.min(1_000)).unwrap_or(1_000);
        let longest = self.max.as_secs_f64();
        let growth = self.factor.max(1.0).powi(exponent).min(f64::MAX);
        let wait = (self.min.as_secs_f64() * growth).min(longest);
        let share = rng.random::<f64>() * self.jitter.clamp(0.0, 1.0);
        // Rounding may take the longest wait there is a little above what a duration can be.
        Duration::try_from_secs_f64(wait * (1.0 - share)).unwrap_or(self.max)
    }
}

/// Brings sessions, one after the other: connect, bind, and, when the last one has ended or could not be had, wait first.
///
/// ```no_run
/// use smpp_transport::driver::{Backoff, ClientConfig, Supervisor, Tcp};
/// use smpp_transport::env::Seed;
/// use smpp_transport::session::BindKind;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let smsc = Tcp { address: "127.0.0.1:2775".to_owned() };
/// let config = ClientConfig::new(BindKind::Receiver, "smppclient1".parse()?, "password".parse()?);
/// let mut sessions = Supervisor::new(smsc, config, Backoff::default(), Seed(1234).stream("reconnect", 0));
/// loop {
///     let (_client, mut incoming) = sessions.session().await;
///     while let Some(delivery) = incoming.next().await {
///         delivery.accept();
///     }
/// }
/// # }
/// ```
pub struct Supervisor<C, R> {
    connect: C,
    config: ClientConfig,
    backoff: Backoff,
    rng: R,
    /// Tries since the last stable session; none before the first.
    failures: Option<u32>,
    bound_at: Option<Instant>,
}

impl<C: Connect, R: Rng> Supervisor<C, R> {
    /// A supervisor of sessions with this configuration. `rng` is for the jitter alone.
    pub fn new(connect: C, config: ClientConfig, backoff: Backoff, rng: R) -> Supervisor<C, R> {
        Supervisor { connect, config, backoff, rng, failures: None, bound_at: None }
    }

    /// From the next session on, the numbers that it counts round in; see
    /// [`sequence_range`](crate::session::SessionConfig::sequence_range).
    pub fn use_numbers(&mut self, numbers: RangeInclusive<u32>) {
        self.config.session.sequence_range = numbers;
    }

    /// As what the next sessions bind.
    pub fn use_kind(&mut self, kind: BindKind) {
        self.config.kind = kind;
    }

    /// The next bound session, however long that takes. Call it again when that has ended ([`Incoming::next`] says so).
    pub async fn session(&mut self) -> (Client, Incoming) {
        loop {
            match self.attempt().await {
                Ok(session) => return session,
                Err(error) => tracing::info!(%error, "no session"),
            }
        }
    }

    /// Notes that the session has ended. Without it the time until the next [`attempt`](Supervisor::attempt) counts as time for
    /// which the session was bound.
    pub fn session_ended(&mut self) {
        if self.bound_at.take().is_some_and(|since| since.elapsed() >= self.backoff.stable_after) {
            self.failures = Some(0);
        }
    }

    /// Returns the peer of the last try.
    #[must_use]
    pub fn peer(&self) -> Option<String> {
        self.connect.peer()
    }

    /// One try, after the wait that is due before it. For those who want to see each error, and may give up.
    ///
    /// # Errors
    /// When the line cannot be opened in time, the SMSC refuses the bind, or the session ends before it is bound.
    pub async fn attempt(&mut self) -> Result<(Client, Incoming), ClientError> {
        self.session_ended();
        if let Some(failures) = self.failures {
            sleep(self.backoff.delay(failures, &mut self.rng)).await;
        }
        self.failures = Some(self.failures.map_or(0, |failures| failures.saturating_add(1)));
        let stream = connect_within(&mut self.connect, self.config.connect_timeout).await;
        let session = Client::over(stream.map_err(ClientError::Connect)?, self.config.clone()).await?;
        self.bound_at = Some(Instant::now());
        Ok(session)
    }
}
