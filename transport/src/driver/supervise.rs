//! Connect, bind, serve, wait, again: a session that comes back.

use std::time::Duration;

use rand::{Rng, RngExt};
use tokio::time::{Instant, sleep};

use super::{Client, ClientConfig, ClientError, Connect, Incoming, connect_within};

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

/// What to do after a session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Next {
    /// Bind again.
    Again,
    /// That was all.
    Stop,
}

/// Connects and binds, hands each bound session to `serve`, and goes on until it says [`Next::Stop`]. `serve` should
/// return when the session has ended. `failed` hears of every try that led to no session, and may stop too.
///
/// ```no_run
/// use smpp_transport::driver::{Backoff, Client, ClientConfig, Incoming, Next, Tcp, supervise};
/// use smpp_transport::env::Seed;
/// use smpp_transport::session::BindKind;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let smsc = Tcp { address: "127.0.0.1:2775".to_owned() };
/// let config = ClientConfig::new(BindKind::Receiver, "smppclient1".parse()?, "password".parse()?);
/// let rng = Seed(1234).stream("reconnect", 0);
/// let serve = async |_client: Client, mut incoming: Incoming| {
///     while let Some(delivery) = incoming.next().await {
///         delivery.accept();
///     }
///     Next::Again
/// };
/// supervise(smsc, config, Backoff::default(), rng, serve, |_error| Next::Again).await;
/// # Ok(())
/// # }
/// ```
pub async fn supervise<C: Connect>(
    mut connect: C,
    config: ClientConfig,
    backoff: Backoff,
    mut rng: impl Rng,
    mut serve: impl AsyncFnMut(Client, Incoming) -> Next,
    mut failed: impl FnMut(&ClientError) -> Next,
) {
    let mut failures = 0;
    loop {
        let next = match open(&mut connect, &config).await {
            Ok((client, incoming)) => {
                let since = Instant::now();
                let next = serve(client, incoming).await;
                if since.elapsed() >= backoff.stable_after {
                    failures = 0;
                }
                next
            }
            Err(error) => {
                tracing::info!(%error, failures, "no session");
                failed(&error)
            }
        };
        if next == Next::Stop {
            return;
        }
        sleep(backoff.delay(failures, &mut rng)).await;
        failures = failures.saturating_add(1);
    }
}

async fn open<C: Connect>(connect: &mut C, config: &ClientConfig) -> Result<(Client, Incoming), ClientError> {
    let stream = connect_within(connect, config.connect_timeout).await.map_err(ClientError::Connect)?;
    Client::over(stream, config.clone()).await
}
