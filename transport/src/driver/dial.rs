//! Dialling a name that has several addresses: all of them get a chance within one connect timeout (RFC 8305, "happy eyeballs").

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::time::{Instant, sleep_until};

/// Time after which the next address is tried beside those that have not answered (RFC 8305 §5).
pub const ATTEMPT_DELAY: Duration = Duration::from_millis(250);
/// Least time between two attempts (RFC 8305 §5), however many addresses share the timeout.
const ATTEMPT_DELAY_MIN: Duration = Duration::from_millis(10);

/// Resolver of names: the system's in production, a table in tests.
pub trait Resolve {
    /// Returns the addresses of `host:port`, the preferred one first.
    fn resolve(&self, address: &str) -> impl Future<Output = io::Result<Vec<SocketAddr>>> + Send;
}

/// Resolver of the system: the hosts file and DNS.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    async fn resolve(&self, address: &str) -> io::Result<Vec<SocketAddr>> {
        Ok(lookup_host(address).await?.collect())
    }
}

/// Opens TCP connections to names.
#[derive(Clone, Debug)]
pub struct Dialer<R = SystemResolver> {
    /// Source of addresses.
    pub resolver: R,
    /// Local address to connect from. `None` leaves the choice to the system. Default `None`.
    pub source: Option<IpAddr>,
    /// Time for all addresses together. Default 10 s.
    pub limit: Duration,
}

impl Default for Dialer {
    fn default() -> Dialer {
        Dialer { resolver: SystemResolver, source: None, limit: Duration::from_secs(10) }
    }
}

impl<R: Resolve + Sync> Dialer<R> {
    /// Opens a connection to `host:port`, without Nagle's delay. Every address of the name is tried: the next one when an
    /// earlier one fails or has not answered for a while, and the first connection that opens is taken.
    ///
    /// # Errors
    /// When the name cannot be resolved, or no address can be reached within the limit: the error names each address.
    pub async fn open(&self, address: &str) -> io::Result<TcpStream> {
        let begun = Instant::now();
        let addresses = self.resolver.resolve(address).await?;
        let limit = self.limit.saturating_sub(begun.elapsed());
        let stream = race(addresses, limit, |address| self.connect(address)).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        let Some(source) = self.source else { return TcpStream::connect(address).await };
        if source.is_ipv4() != address.is_ipv4() {
            return Err(io::Error::new(
                io::ErrorKind::AddrNotAvailable,
                format!("cannot be reached from source_address {source}"),
            ));
        }
        let socket = if source.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.bind(SocketAddr::new(source, 0))?;
        socket.connect(address).await
    }
}

/// Tries the addresses, families in turn, until one connection is open.
///
/// # Errors
/// When all have failed, or the limit is over: the error names each address that was tried.
async fn race<S, F: Future<Output = io::Result<S>>>(
    addresses: Vec<SocketAddr>,
    limit: Duration,
    mut connect: impl FnMut(SocketAddr) -> F,
) -> io::Result<S> {
    let mut left = VecDeque::from(interleaved(addresses));
    if left.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
    }
    let delay = attempt_delay(limit, left.len());
    let end = Instant::now() + limit;
    let (mut attempts, mut failed) = (Attempts(Vec::new()), Vec::new());
    let mut next = Instant::now();
    loop {
        if next <= Instant::now()
            && let Some(address) = left.pop_front()
        {
            attempts.0.push((address, Box::pin(connect(address))));
            next = Instant::now() + delay;
        }
        tokio::select! {
            // A connection that is there is taken, however late.
            biased;
            (address, result) = attempts.next() => match result {
                Ok(stream) => return Ok(stream),
                Err(error) => {
                    failed.push((address, error));
                    next = Instant::now();
                    if attempts.0.is_empty() && left.is_empty() {
                        return Err(unreachable(failed, &attempts, limit));
                    }
                }
            },
            () = sleep_until(end) => return Err(unreachable(failed, &attempts, limit)),
            () = sleep_until(next), if !left.is_empty() => {}
        }
    }
}

/// Attempts that have no result yet, in the order in which they began.
struct Attempts<F>(Vec<(SocketAddr, Pin<Box<F>>)>);

impl<S, F: Future<Output = io::Result<S>>> Attempts<F> {
    /// Completes with the next result; of several at once with that of the earliest attempt.
    async fn next(&mut self) -> (SocketAddr, io::Result<S>) {
        poll_fn(|cx| {
            let done = self.0.iter_mut().enumerate().find_map(|(at, (_, attempt))| match attempt.as_mut().poll(cx) {
                Poll::Ready(result) => Some((at, result)),
                Poll::Pending => None,
            });
            match done {
                Some((at, result)) => Poll::Ready((self.0.remove(at).0, result)),
                None => Poll::Pending,
            }
        })
        .await
    }
}

/// Returns the time between two attempts: short enough for all addresses to have their share of the limit.
fn attempt_delay(limit: Duration, addresses: usize) -> Duration {
    let share = limit / u32::try_from(addresses).unwrap_or(u32::MAX).saturating_add(1);
    share.clamp(ATTEMPT_DELAY_MIN, ATTEMPT_DELAY)
}

/// Returns the addresses with their families in turn, each family in its order (RFC 8305 §4).
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let is_v4_first = addresses.first().is_some_and(SocketAddr::is_ipv4);
    let (first, second): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|each| each.is_ipv4() == is_v4_first);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut all = Vec::new();
    loop {
        let before = all.len();
        all.extend(first.next());
        all.extend(second.next());
        if all.len() == before {
            return all;
        }
    }
}

/// Returns the error of a race that nobody has won. One address alone speaks for itself.
fn unreachable<F>(mut failed: Vec<(SocketAddr, io::Error)>, silent: &Attempts<F>, limit: Duration) -> io::Error {
    if silent.0.is_empty() && failed.len() == 1 {
        return failed.remove(0).1;
    }
    let kind = match failed.first() {
        Some((_, error)) if silent.0.is_empty() => error.kind(),
        _ => io::ErrorKind::TimedOut,
    };
    let errors = failed.iter().map(|(address, error)| format!("{address}: {error}"));
    let silent = silent.0.iter().map(|(address, _)| format!("{address}: no connection within {limit:?}"));
    io::Error::new(kind, errors.chain(silent).collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    //! Guards that every address of a name has its chance.

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    fn all(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    /// Behaviour of an address in a race.
    #[derive(Clone, Copy)]
    enum Host {
        Silent,
        Refuses(u64),
        Opens(u64),
    }

    /// Races, and returns the winner, the addresses with the milliseconds of their attempts, and the end.
    async fn raced(
        hosts: &[(&str, Host)],
        limit: Duration,
    ) -> (Result<SocketAddr, String>, Vec<(SocketAddr, u64)>, u64) {
        let begun = Instant::now();
        let ms = || u64::try_from(begun.elapsed().as_millis()).unwrap();
        let mut attempts = Vec::new();
        let addresses = all(&hosts.iter().map(|(address, _)| *address).collect::<Vec<_>>());
        let behaviour = |address: SocketAddr| {
            hosts.iter().find(|(text, _)| text.parse::<SocketAddr>().unwrap() == address).unwrap().1
        };
        let won = race(addresses, limit, |address| {
            attempts.push((address, ms()));
            async move {
                let (wait, result) = match behaviour(address) {
                    Host::Silent => (Duration::MAX, Ok(address)),
                    Host::Refuses(wait) => {
                        (Duration::from_millis(wait), Err(io::Error::from(io::ErrorKind::ConnectionRefused)))
                    }
                    Host::Opens(wait) => (Duration::from_millis(wait), Ok(address)),
                };
                match Instant::now().checked_add(wait) {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
                result
            }
        })
        .await;
        let end = ms();
        (won.map_err(|error| error.to_string()), attempts, end)
    }

    #[test]
    fn families_take_turns_and_the_first_one_begins() {
        let of = |texts: &[&str]| interleaved(all(texts));
        assert_eq!(
            of(&["[::1]:1", "[::2]:1", "[::3]:1", "1.1.1.1:1", "1.1.1.2:1"]),
            all(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "1.1.1.2:1", "[::3]:1"])
        );
        assert_eq!(of(&["1.1.1.1:1", "[::1]:1"]), all(&["1.1.1.1:1", "[::1]:1"]));
        assert_eq!(of(&["1.1.1.1:1", "1.1.1.2:1"]), all(&["1.1.1.1:1", "1.1.1.2:1"]));
        assert_eq!(of(&[]), []);
    }

    #[tokio::test(start_paused = true)]
    async fn an_address_that_says_nothing_does_not_keep_the_others_from_their_turn() {
        let hosts = [("10.0.0.1:1", Host::Silent), ("10.0.0.2:1", Host::Silent), ("10.0.0.3:1", Host::Opens(40))];
        let (won, attempts, end) = raced(&hosts, LIMIT).await;
        assert_eq!(won, Ok("10.0.0.3:1".parse().unwrap()));
        assert_eq!(attempts.iter().map(|(_, at)| *at).collect::<Vec<_>>(), [0, 250, 500]);
        assert_eq!(end, 540);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_refusal_the_next_address_is_tried_at_once() {
        let hosts = [("10.0.0.1:1", Host::Refuses(10)), ("10.0.0.2:1", Host::Opens(10))];
        let (won, attempts, end) = raced(&hosts, LIMIT).await;
        assert_eq!(won, Ok("10.0.0.2:1".parse().unwrap()));
        assert_eq!((attempts[1].1, end), (10, 20));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_first_address_wins_if_it_is_still_the_fastest() {
        let hosts = [("10.0.0.1:1", Host::Opens(300)), ("10.0.0.2:1", Host::Opens(300))];
        let (won, _, end) = raced(&hosts, LIMIT).await;
        assert_eq!((won, end), (Ok("10.0.0.1:1".parse().unwrap()), 300));
    }

    #[tokio::test(start_paused = true)]
    async fn many_addresses_share_a_short_limit() {
        let addresses: Vec<String> = (1..=9).map(|last| format!("10.0.0.{last}:1")).collect();
        let mut hosts: Vec<(&str, Host)> = addresses.iter().map(|address| (address.as_str(), Host::Silent)).collect();
        hosts[8].1 = Host::Opens(1);
        let (won, attempts, _) = raced(&hosts, Duration::from_secs(1)).await;
        assert_eq!((won, attempts.len()), (Ok("10.0.0.9:1".parse().unwrap()), 9));
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_names_every_address_and_one_alone_speaks_for_itself() {
        let hosts = [("10.0.0.1:1", Host::Refuses(5)), ("[::1]:1", Host::Silent)];
        let (won, _, end) = raced(&hosts, LIMIT).await;
        assert_eq!(won.unwrap_err(), "10.0.0.1:1: connection refused; [::1]:1: no connection within 10s");
        assert_eq!(end, 10_000);
        let (won, _, end) = raced(&[("10.0.0.1:1", Host::Refuses(5))], LIMIT).await;
        assert_eq!((won.unwrap_err(), end), ("connection refused".to_owned(), 5));
        let (won, _, _) = raced(&[], LIMIT).await;
        assert_eq!(won.unwrap_err(), "the name has no address");
    }

    /// Resolver with one answer.
    struct Table(Vec<SocketAddr>);

    impl Resolve for Table {
        async fn resolve(&self, _: &str) -> io::Result<Vec<SocketAddr>> {
            Ok(self.0.clone())
        }
    }

    #[tokio::test]
    async fn a_name_whose_first_address_is_closed_connects_to_the_second() {
        let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let open = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addresses = vec![closed.local_addr().unwrap(), open.local_addr().unwrap()];
        drop(closed);
        let dialer = Dialer { resolver: Table(addresses.clone()), source: None, limit: LIMIT };
        let stream = dialer.open("smsc.example:2775").await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), addresses[1]);
        assert!(stream.nodelay().unwrap());
    }

    #[tokio::test]
    async fn a_connection_comes_from_the_source_address_and_only_to_its_family() {
        let open = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = open.local_addr().unwrap();
        let source: IpAddr = "127.0.0.7".parse().unwrap();
        let dialer = |addresses| Dialer { resolver: Table(addresses), source: Some(source), limit: LIMIT };
        let stream = dialer(vec!["[::1]:1".parse().unwrap(), address]).open("smsc.example:1").await.unwrap();
        assert_eq!(stream.local_addr().unwrap().ip(), source);
        let error = dialer(vec!["[::1]:1".parse().unwrap()]).open("smsc.example:1").await.unwrap_err();
        assert_eq!(error.to_string(), "cannot be reached from source_address 127.0.0.7");
    }
}
