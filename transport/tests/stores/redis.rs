//! Redis: what several processes see of each other, and what an outage leaves.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use smpp_transport::env::Seed;
use smpp_transport::store::redis::RedisConfig;
use smpp_transport::store::{LeaseError, Matched, Redis, Store, StoreLimits};
use smpp_transport::text::Outcome;
use tokio::time::Instant;

use super::{NOW, SECOND, World, complete, delivered, early, forms, join, key, known, part, segment, server};

/// Clients made so far: each has a seed of its own.
static CLIENTS: AtomicU64 = AtomicU64::new(0);

/// A Redis that all questions are asked of, each under a prefix of its own.
pub(super) struct Shared(&'static server::Redis);

pub(super) fn shared() -> Option<Shared> {
    static SERVER: OnceLock<Option<server::Redis>> = OnceLock::new();
    SERVER.get_or_init(|| server::Redis::start(false)).as_ref().map(Shared)
}

impl World for Shared {
    fn empty(&self, limits: StoreLimits) -> Store {
        static WORLDS: AtomicU64 = AtomicU64::new(0);
        let number = WORLDS.fetch_add(1, Ordering::Relaxed);
        client(self.0, &format!("test{number}"), limits)
    }
}

/// One process's store.
fn client(server: &server::Redis, prefix: &str, limits: StoreLimits) -> Store {
    let number = CLIENTS.fetch_add(1, Ordering::Relaxed);
    let mut config = RedisConfig::new(Seed(number));
    config.url = format!("redis://127.0.0.1:{}", server.port);
    config.prefix = prefix.to_owned();
    config.limits = limits;
    Store::Redis(Redis::open(config).expect("the URL is one"))
}

/// Asks until the store answers: the first call after an outage may find the old connection.
async fn back(store: &Store) {
    let begun = Instant::now();
    while store.accepted(NOW, "nobody").await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not come back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// All keys there are, and those of them that have no end.
async fn keys(server: &server::Redis) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
    let url = format!("redis://127.0.0.1:{}", server.port);
    let mut connection = ::redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
    let all: Vec<Vec<u8>> = ::redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
    let mut endless = Vec::new();
    for key in &all {
        let ttl: i64 = ::redis::cmd("PTTL").arg(key).query_async(&mut connection).await.unwrap();
        if ttl < 0 {
            endless.push(key.clone());
        }
    }
    (all, endless)
}

#[tokio::test]
async fn processes_share_ids_receipts_parts_and_references() {
    let Some(server) = server::Redis::start(false) else { return };
    let [a, b] = [(); 2].map(|()| client(&server, "shared", StoreLimits::default()));
    let other = client(&server, "other", StoreLimits::default());
    assert_eq!(a.receipt(NOW, &early(&forms("b"), &delivered())).await.unwrap(), Matched::Held);
    assert_eq!(other.remember(NOW, "b", &part("m", 1, 1)).await.unwrap(), [], "another prefix is another store");
    assert_eq!(b.remember(NOW, "b", &part("m", 1, 1)).await.unwrap().len(), 1);
    assert_eq!(known(a.receipt(NOW, &early(&forms("b"), &delivered())).await.unwrap()).part, part("m", 1, 1));
    assert_eq!(join(&a, NOW, &key(1, 2), &segment(1, b"one")).await, Outcome::Waiting);
    assert_eq!(complete(join(&b, NOW, &key(1, 2), &segment(2, b"two")).await), b"onetwo");
    assert_eq!((a.next_reference().await, b.next_reference().await), (Ok(1), Ok(2)));
}

#[tokio::test]
async fn what_expires_is_given_to_one_process_only() {
    let Some(server) = server::Redis::start(false) else { return };
    let stores = [(); 4].map(|()| client(&server, "expiry", StoreLimits::default()));
    // More than one call gives up.
    const COUNT: u16 = 1_200;
    for reference in 0..COUNT {
        let _ = join(&stores[0], NOW, &key(reference, 2), &segment(1, b"one")).await;
        let _ = stores[0].receipt(NOW, &early(&[format!("id{reference}")], &delivered())).await.unwrap();
    }
    let late = NOW + 3_600 * SECOND;
    let expiring = stores.map(|store| tokio::spawn(async move { store.expire(late).await.unwrap() }));
    let (mut sets, mut early) = (Vec::new(), Vec::new());
    for expired in expiring {
        let expired = expired.await.unwrap();
        sets.extend(expired.incomplete.into_iter().map(|given_up| given_up.message.key.reference));
        early.extend(expired.early.into_iter().map(|early| early.forms));
    }
    sets.sort_unstable();
    early.sort_unstable();
    assert_eq!(sets, (0..COUNT).collect::<Vec<_>>());
    early.dedup();
    assert_eq!(early.len(), usize::from(COUNT));
}

#[tokio::test]
async fn what_another_process_left_is_looked_for() {
    let Some(server) = server::Redis::start(false) else { return };
    let dead = client(&server, "left", StoreLimits::default());
    let _ = join(&dead, NOW, &key(1, 2), &segment(1, b"one")).await;
    drop(dead);
    let alive = client(&server, "left", StoreLimits::default());
    assert!(alive.next_expiry().is_some_and(|next| next <= NOW), "it looks at once");
    assert_eq!(alive.expire(NOW).await.unwrap().incomplete, []);
    assert!(alive.next_expiry().is_some_and(|next| next > NOW && next <= NOW + 60 * SECOND), "and every minute");
    assert_eq!(alive.expire(NOW + 3_600 * SECOND).await.unwrap().incomplete.len(), 1);
}

#[tokio::test]
async fn no_two_sessions_have_the_same_numbers_even_when_redis_has_forgotten_all() {
    let Some(mut server) = server::Redis::start(false) else { return };
    let [a, b] = [(); 2].map(|()| client(&server, "numbers", StoreLimits::default()));
    let ours = a.take_numbers(NOW).await.unwrap();
    for _ in 0..50 {
        let theirs = b.take_numbers(NOW).await.unwrap();
        assert!(theirs.end() < ours.start() || ours.end() < theirs.start(), "{ours:?} and {theirs:?}");
    }
    let lost = || Err(LeaseError::Lost(ours.clone()));
    assert_eq!(b.keep_numbers(NOW, &ours).await, lost(), "they are another's");
    b.give_back_numbers(&ours).await.unwrap();
    assert_eq!(b.keep_numbers(NOW, &ours).await, lost(), "nor can it give them back");
    server.server.kill9();
    assert!(matches!(a.keep_numbers(NOW, &ours).await, Err(LeaseError::Away(_))), "it is away");
    server.server.start_again();
    back(&a).await;
    back(&b).await;
    assert_eq!(keys(&server).await.0.len(), 0, "it has forgotten all");
    a.keep_numbers(NOW, &ours).await.unwrap();
    assert_eq!(b.keep_numbers(NOW, &ours).await, lost(), "the lease is back");
    a.give_back_numbers(&ours).await.unwrap();
    b.keep_numbers(NOW, &ours).await.unwrap();
}

#[tokio::test]
async fn what_redis_keeps_is_there_after_a_crash_and_what_it_does_not_is_not() {
    for keeps in [true, false] {
        let Some(mut server) = server::Redis::start(keeps) else { return };
        let store = client(&server, "crash", StoreLimits::default());
        let _ = store.remember(NOW, "b", &part("m", 1, 1)).await.unwrap();
        assert_eq!(join(&store, NOW, &key(1, 2), &segment(1, b"one")).await, Outcome::Waiting);
        server.server.kill9();
        let begun = Instant::now();
        let away = store.next_reference().await.unwrap_err();
        assert!(away.to_string().starts_with("the store is away: "), "{away}");
        assert!(begun.elapsed() < Duration::from_secs(4), "it takes no longer than it may");
        server.server.start_again();
        back(&store).await;
        assert_eq!(store.accepted(NOW, "m").await.unwrap().len(), usize::from(keeps));
        let second = join(&store, NOW, &key(1, 2), &segment(2, b"two")).await;
        assert_eq!(matches!(second, Outcome::Complete(_)), keeps, "{second:?}");
        server.server.stop();
        assert!(store.next_reference().await.is_err());
        server.server.start_again();
        back(&store).await;
        assert_eq!(store.accepted(NOW, "m").await.unwrap().len(), usize::from(keeps), "after an orderly end too");
    }
}

#[tokio::test]
async fn a_redis_that_hangs_is_away_and_comes_back() {
    let Some(server) = server::Redis::start(false) else { return };
    let store = client(&server, "hangs", StoreLimits::default());
    assert_eq!(store.next_reference().await, Ok(1));
    let url = format!("redis://127.0.0.1:{}", server.port);
    let mut connection = ::redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
    let _: () = ::redis::cmd("CLIENT").arg("PAUSE").arg(4_000).arg("ALL").query_async(&mut connection).await.unwrap();
    let begun = Instant::now();
    assert!(store.accepted(NOW, "m").await.is_err());
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    back(&store).await;
}

/// Numbers that began anew would take the places of what is still held.
#[tokio::test]
async fn the_count_of_what_is_given_up_is_kept_as_long_as_what_is_held() {
    let Some(server) = server::Redis::start(false) else { return };
    let store = client(&server, "count", StoreLimits::default());
    let _ = join(&store, NOW, &key(1, 2), &segment(1, b"one")).await;
    let late = NOW + 3_600 * SECOND;
    assert_eq!(store.expire(late).await.unwrap().incomplete.len(), 1);
    let url = format!("redis://127.0.0.1:{}", server.port);
    let mut connection = ::redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
    const SOON: i64 = 60_000;
    for key in ["count:given-ups", "count:given-up:1", "count:given-up"] {
        let there: bool = ::redis::cmd("PEXPIRE").arg(key).arg(SOON).query_async(&mut connection).await.unwrap();
        assert!(there, "{key}");
    }
    assert_eq!(store.expire(late + 30 * SECOND).await.unwrap().incomplete.len(), 1, "it is given again");
    for key in ["count:given-ups", "count:given-up:1", "count:given-up"] {
        let ttl: i64 = ::redis::cmd("PTTL").arg(key).query_async(&mut connection).await.unwrap();
        assert!(ttl > SOON, "{key} ends in {ttl} ms");
    }
}

#[tokio::test]
async fn every_key_has_the_prefix_and_an_end() {
    let Some(server) = server::Redis::start(false) else { return };
    let store = client(&server, "ends", StoreLimits::default());
    let _ = store.remember(NOW, "b", &part("m", 1, 2)).await.unwrap();
    let _ = store.receipt(NOW, &early(&forms("b"), &delivered())).await.unwrap();
    let _ = store.receipt(NOW, &early(&forms("c0ffee"), &delivered())).await.unwrap();
    for (reference, total) in [(1, 2), (2, 1)] {
        let _ = join(&store, NOW, &key(reference, total), &segment(1, b"one")).await;
        store.published(NOW, &key(reference, total)).await.unwrap();
    }
    let _ = store.next_reference().await.unwrap();
    let _ = store.take_numbers(NOW).await.unwrap();
    let (all, endless) = keys(&server).await;
    assert!(all.len() > 12 && all.iter().all(|key| key.starts_with(b"ends:")), "{all:?}");
    assert_eq!(endless, [] as [Vec<u8>; 0]);
    let late = NOW + 7 * 86_400 * SECOND;
    let expired = store.expire(late).await.unwrap();
    let (all, endless) = keys(&server).await;
    assert!(all.iter().any(|key| key.starts_with(b"ends:given-up:")), "{all:?}");
    assert_eq!(endless, [] as [Vec<u8>; 0]);
    for early in &expired.early {
        store.told(late, early).await.unwrap();
    }
    for given_up in &expired.incomplete {
        store.told_incomplete(late, given_up.number).await.unwrap();
    }
    let names: Vec<String> =
        keys(&server).await.0.iter().map(|key| String::from_utf8_lossy(key).into_owned()).collect();
    let left: Vec<_> = names.iter().filter(|name| !name.contains(":numbers:")).map(String::as_str).collect();
    let left: BTreeSet<&str> = left.into_iter().collect();
    assert_eq!(
        left,
        ["ends:earlies", "ends:given-ups", "ends:octets", "ends:reference"].into(),
        "nothing is left behind"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whether_redis_can_be_used_is_known_while_nothing_is_asked() {
    let Some(mut server) = server::Redis::start(false) else { return };
    let store = client(&server, "watched", StoreLimits::default());
    let mut health = store.health().expect("it may be out of reach");
    let watched = store.clone();
    let watching = tokio::spawn(async move { watched.watch().await });
    let within = Duration::from_secs(20);
    let up = |health: &smpp_transport::store::StoreHealth| health.is_up && health.reason.is_empty();
    drop(tokio::time::timeout(within, health.wait_for(up)).await.expect("it is up").unwrap());
    tokio::task::block_in_place(|| server.server.kill9());
    let down = tokio::time::timeout(within, health.wait_for(|health| !health.is_up))
        .await
        .expect("it is seen")
        .unwrap()
        .clone();
    assert!(!down.reason.is_empty());
    tokio::task::block_in_place(|| server.server.start_again());
    drop(tokio::time::timeout(within, health.wait_for(up)).await.expect("it is back").unwrap());
    watching.abort();
    let (all, endless) = keys(&server).await;
    assert!(all.contains(&b"watched:probe".to_vec()) && endless.is_empty(), "{all:?}");
}
