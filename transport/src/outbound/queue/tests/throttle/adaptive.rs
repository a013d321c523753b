//! Guards that the rate follows what an SMSC accepts: models of SMSCs that limit, a backlog, no configured rate.

use std::collections::VecDeque;

use super::*;

/// Limit of an SMSC, in submits per second.
#[derive(Clone, Copy, Debug)]
enum Limit {
    /// The submits of any second, refused ones included.
    Sliding,
    /// The accepted submits of any second.
    SlidingAccepted,
    /// The submits of each second by the clock, refused ones included.
    Fixed,
    /// Tokens for a second; a refused submit takes none.
    Bucket,
}

const LIMITS: [Limit; 4] = [Limit::Sliding, Limit::SlidingAccepted, Limit::Fixed, Limit::Bucket];

struct Smsc {
    limit: Limit,
    per_second: f64,
    seen: VecDeque<Duration>,
    second: (u64, f64),
    tokens: (f64, Duration),
}

impl Smsc {
    fn new(limit: Limit, per_second: f64) -> Smsc {
        Smsc { limit, per_second, seen: VecDeque::new(), second: (0, 0.0), tokens: (per_second, Duration::ZERO) }
    }

    fn accepts(&mut self, now: Duration) -> bool {
        match self.limit {
            Limit::Sliding | Limit::SlidingAccepted => {
                while self.seen.front().is_some_and(|at| now - *at > SECOND) {
                    self.seen.pop_front();
                }
                let accepts = (self.seen.len() as f64) < self.per_second;
                if accepts || matches!(self.limit, Limit::Sliding) {
                    self.seen.push_back(now);
                }
                accepts
            }
            Limit::Fixed => {
                if self.second.0 != now.as_secs() {
                    self.second = (now.as_secs(), 0.0);
                }
                self.second.1 += 1.0;
                self.second.1 <= self.per_second
            }
            Limit::Bucket => {
                let (left, at) = self.tokens;
                let left = (left + (now - at).as_secs_f64() * self.per_second).min(self.per_second);
                self.tokens = (if left >= 1.0 { left - 1.0 } else { left }, now);
                left >= 1.0
            }
        }
    }
}

struct Link {
    window: usize,
    round_trip: Duration,
}

/// Accepted and refused submits per second from `from` to `until`; `change` sets another limit at a time.
fn load(smsc: &mut Smsc, link: &Link, [from, until]: [u64; 2], change: Option<(u64, f64)>) -> (f64, f64) {
    let mut queue: Queue<()> = Queue::new(QueueConfig::default());
    let (mut now, mut outstanding) = (300 * MS, VecDeque::<(Duration, Submit, bool)>::new());
    let (mut accepted, mut refused, mut to) = (0.0, 0.0, 0_u32);
    let [from, until] = [from, until].map(Duration::from_secs);
    while now < until {
        if let Some((at, per_second)) = change
            && now.as_secs() >= at
        {
            smsc.per_second = per_second;
        }
        while outstanding.front().is_some_and(|(at, ..)| *at <= now) {
            let Some((_, submit, is_accepted)) = outstanding.pop_front() else { break };
            let answer = if is_accepted { Answer::Accepted } else { THROTTLED };
            let _ = queue.answered(now, submit.job, submit.part, answer);
            if now >= from {
                *(if is_accepted { &mut accepted } else { &mut refused }) += 1.0;
            }
        }
        while queue.len() < link.window + 10 {
            to += 1;
            queue.add(now, (), parts(&to.to_string(), 1), Duration::ZERO);
        }
        while outstanding.len() < link.window
            && let Some(submit) = queue.poll_submit(now, 0)
        {
            let is_accepted = smsc.accepts(now + link.round_trip / 2);
            outstanding.push_back((now + link.round_trip, submit, is_accepted));
        }
        let answer = outstanding.front().map(|(at, ..)| *at);
        let timeout = queue.poll_timeout(now).filter(|_| outstanding.len() < link.window);
        now = answer.into_iter().chain(timeout).min().unwrap_or(now).max(now + MS / 4);
    }
    let seconds = (until - from).as_secs_f64();
    (accepted / seconds, refused / seconds)
}

#[test]
fn after_ten_seconds_nine_tenths_of_the_limit_are_accepted_and_at_most_a_twentieth_is_refused() {
    let links = [
        Link { window: 1, round_trip: MS / 2 },
        Link { window: 10, round_trip: MS },
        Link { window: 100, round_trip: 100 * MS },
    ];
    let mut tried = 0;
    for limit in LIMITS {
        for link in &links {
            for per_second in [1.0, 2.0, 5.0, 10.0, 50.0, 200.0, 500.0] {
                let (accepted, refused) = load(&mut Smsc::new(limit, per_second), link, [10, 70], None);
                let most = per_second.min(link.window as f64 / link.round_trip.as_secs_f64());
                let who = format!(
                    "{limit:?} {per_second}/s window {} round trip {:?}: {:.3} accepted, {:.3} refused",
                    link.window,
                    link.round_trip,
                    accepted / most,
                    refused / (accepted + refused)
                );
                // Few messages make for coarse shares.
                let coarse = 3.0 / (60.0 * most);
                assert!(accepted >= most * (0.9 - coarse), "{who}");
                assert!(refused <= (accepted + refused) * (0.05 + coarse), "{who}");
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 84);
}

#[test]
fn the_rate_follows_a_limit_that_is_lifted_or_lowered() {
    let link = Link { window: 10, round_trip: MS };
    for (before, after, seconds) in
        [(10.0, 500.0, 25), (50.0, 200.0, 15), (2.0, 50.0, 60), (500.0, 10.0, 30), (100.0, 20.0, 30)]
    {
        for limit in LIMITS {
            let at = 30 + seconds;
            let (accepted, _) = load(&mut Smsc::new(limit, before), &link, [at, at + 20], Some((30, after)));
            assert!(accepted >= 0.85 * after, "{limit:?} {before} to {after}: {accepted} a second after {seconds} s");
        }
    }
}

#[test]
fn a_limit_that_is_gone_is_forgotten() {
    let link = Link { window: 10, round_trip: MS };
    let (accepted, refused) = load(&mut Smsc::new(Limit::Sliding, 20.0), &link, [50, 52], Some((20, f64::MAX)));
    assert!(accepted > 4_000.0 && refused == 0.0, "{accepted} {refused}");
}
