//! The power is cut at any moment, over and over: nothing that was said to be stored is lost, nothing that was done with
//! comes again, and no offset comes again with something else.

use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt as _;
use smpp_transport::bus::{Bus, DeliveryStatus};
use smpp_transport::env::{ChaCha8Rng, Seed};
use smpp_transport::store::{Matched, PartOf, Report};
use smpp_transport::text::{Charset, Outcome, PartAddress, PartKey, ReferenceKind, Segment};

use super::store::early;
use super::*;

const NOW: Duration = Duration::from_secs(1_000_000);
const ROUTES: [Route; 2] = [Route::Inbound, Route::Event];

/// What is known to be so, by what was answered.
#[derive(Default)]
struct Known {
    /// Numbers given to messages.
    last: u64,
    put: BTreeSet<u64>,
    /// Asked to be put, without an answer that it is.
    maybe_put: BTreeSet<u64>,
    handed_out: BTreeSet<u64>,
    /// Done with, if the bus has got to know in time.
    settled: BTreeSet<u64>,
    /// Done with, and something was published after.
    gone: BTreeSet<u64>,
    dead: BTreeSet<u64>,
    published: BTreeSet<(Route, Bytes)>,
    /// What was read under an offset.
    offsets: BTreeMap<(Route, u64), Bytes>,
    remembered: BTreeSet<u64>,
    reported: BTreeSet<u64>,
    joined: BTreeSet<u64>,
    references: BTreeSet<u16>,
}

/// Situations that have been met.
#[derive(Debug, Default)]
struct Met {
    cuts: u64,
    cuts_in_recovery: u64,
    gone: usize,
    redelivered: u64,
    maybe_put_and_there: u64,
}

macro_rules! ensure {
    ($holds:expr, $($words:tt)+) => {
        if !$holds {
            return Err(format!($($words)+));
        }
    };
}

type Checked = Result<(), String>;

fn number_of(body: &[u8]) -> u64 {
    std::str::from_utf8(body).unwrap().split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Of any size, so that the file grows and pages are shared and not.
fn sized(number: u64) -> Bytes {
    format!("message {number} {}", "x".repeat((number * 613 % 3_000) as usize)).into()
}

fn part_of(number: u64) -> PartOf {
    PartOf { message: format!("m{number}").into(), number: 1, total: 2, ..PartOf::default() }
}

fn delivered() -> Report {
    Report::new(DeliveryStatus::Delivered, "DELIVRD", false)
}

fn part_key(number: u64) -> PartKey {
    let addr = |addr: String| PartAddress { ton: 1, npi: 1, addr: addr.into() };
    let (source, destination) = (addr(number.to_string()), addr("1001".to_owned()));
    PartKey { source, destination, kind: ReferenceKind::Udh16, reference: 1, total: 2 }
}

fn segment() -> Segment {
    Segment { number: 1, charset: Charset::Ucs2, octets: Bytes::from_static(b"\0a") }
}

impl Known {
    fn new_number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    fn handed(&mut self, delivery: &Delivery, met: &mut Met) -> Result<u64, String> {
        let number = number_of(&delivery.body);
        ensure!(delivery.body == sized(number), "message {number} is another");
        ensure!(self.put.contains(&number) || self.maybe_put.contains(&number), "message {number} was never put");
        ensure!(!self.gone.contains(&number), "message {number} was done with and comes again");
        met.maybe_put_and_there += u64::from(self.maybe_put.contains(&number));
        let was_out = !self.handed_out.insert(number);
        ensure!(delivery.redelivered || !was_out, "message {number} comes again, and nothing says so");
        met.redelivered += u64::from(was_out);
        Ok(number)
    }

    /// What was asked before something was published is as safe as that.
    fn published(&mut self, route: Route, body: Bytes) {
        self.published.insert((route, body));
        self.gone.append(&mut self.settled);
        let dead = std::mem::take(&mut self.dead);
        self.published.extend(dead.into_iter().map(|number| (Route::Failed, sized(number))));
    }
}

/// One thing that the transport or the application does.
async fn step(
    process: &Process,
    bus: &mut Bus,
    out: &mut Vec<(u64, Delivery)>,
    known: &mut Known,
    met: &mut Met,
    rng: &mut ChaCha8Rng,
) -> Checked {
    match rng.random_range(0..14) {
        0..3 => {
            let number = known.new_number();
            let is_put = process.bus.put(sized(number)).await.is_ok();
            if is_put { &mut known.put } else { &mut known.maybe_put }.insert(number);
        }
        3..6 => {
            if let Ok(Some(delivery)) = timeout(Duration::from_millis(1), bus.outbound.next()).await {
                out.push((known.handed(&delivery, met)?, delivery));
            }
        }
        6..8 if !out.is_empty() => {
            let (number, delivery) = out.swap_remove(rng.random_range(0..out.len()));
            match rng.random_range(0..4) {
                0 => delivery.give_back(),
                1 => {
                    known.settled.insert(number);
                    known.dead.insert(number);
                    delivery.dead_letter("why");
                }
                _ => {
                    known.settled.insert(number);
                    delivery.ack();
                }
            }
        }
        8..10 => {
            let (route, body) = (ROUTES[rng.random_range(0..2)], sized(known.new_number()));
            if bus.publisher.publish(route, body.clone()).await.is_ok() {
                known.published(route, body);
            }
        }
        10 => read(process, known).await?,
        11 => {
            let number = known.new_number();
            if process.store.remember(NOW, &number.to_string(), &part_of(number)).await.is_ok() {
                known.remembered.insert(number);
            }
            if process.store.receipt(NOW, &early(&[number.to_string()], &delivered())).await.is_ok() {
                known.reported.insert(number);
            }
        }
        12 => {
            let number = known.new_number();
            if process.store.join(NOW, &part_key(number), &segment()).await.is_ok() {
                known.joined.insert(number);
            }
        }
        _ => {
            if let Ok(reference) = process.store.next_reference().await {
                ensure!(known.references.insert(reference), "reference {reference} was given before");
            }
        }
    }
    Ok(())
}

/// Reads all that was published, as far as the disk allows.
async fn read(process: &Process, known: &mut Known) -> Checked {
    for route in Route::ALL {
        let Ok(page) = process.bus.page(route, 0, 1_000, Duration::ZERO).await else { continue };
        ensure!(page.stored.is_sorted_by(|a, b| a.offset < b.offset), "{route:?} is out of order");
        for stored in page.stored {
            let before = known.offsets.insert((route, stored.offset), stored.body.clone());
            let is_same = before.is_none_or(|before| before == stored.body);
            ensure!(is_same, "offset {} of {route:?} came again with something else", stored.offset);
        }
    }
    Ok(())
}

/// All that must be there is.
async fn check(process: &Process, known: &mut Known, met: &mut Met) -> Checked {
    read(process, known).await?;
    for route in Route::ALL {
        let there: BTreeSet<_> = process.all(route).await.into_iter().map(|(_, body)| body).collect();
        for (_, body) in known.published.iter().filter(|(of, _)| *of == route) {
            ensure!(there.contains(body), "message {} was published to {route:?} and is lost", number_of(body));
        }
    }
    let mut bus = process.bus.connect(10_000);
    // Held until the power goes: what is dropped comes again.
    let (mut there, mut out) = (Vec::new(), Vec::new());
    while let Ok(Some(delivery)) = timeout(Duration::from_millis(1), bus.outbound.next()).await {
        there.push(known.handed(&delivery, met)?);
        out.push(delivery);
    }
    ensure!(there.is_sorted_by(|a, b| a < b), "out of order: {there:?}");
    ensure!(process.bus.waiting() == there.len() as u64, "{} wait, {}", process.bus.waiting(), there.len());
    for number in known.put.difference(&known.settled).filter(|number| !known.gone.contains(number)) {
        ensure!(there.contains(number), "message {number} was put and is lost");
    }
    // What was settled too late is there, or not, from now on.
    known.settled.retain(|number| !there.contains(number));
    known.gone.append(&mut known.settled);
    known.dead.clear();
    check_store(process, known).await
}

async fn check_store(process: &Process, known: &Known) -> Checked {
    for &number in &known.remembered {
        let accepted = process.store.accepted(NOW, &part_of(number).message).await.unwrap();
        ensure!(accepted == [1], "id {number} was remembered and is forgotten");
        let matched = process.store.receipt(NOW, &early(&[number.to_string()], &delivered())).await.unwrap();
        let Matched::Known(matched) = matched else { return Err(format!("id {number}: {matched:?}")) };
        let was_reported = known.reported.contains(&number);
        ensure!(matched.is_repeated || !was_reported, "what was reported of id {number} is forgotten");
    }
    for &number in &known.joined {
        let outcome = process.store.join(NOW, &part_key(number), &segment()).await.unwrap();
        ensure!(outcome == Outcome::Duplicate, "part {number} was held and is lost: {outcome:?}");
    }
    Ok(())
}

/// A few lives of a process, each ended by the power. The first is cut after so many calls, if that is given.
async fn lives(seed: Seed, cut_after: Option<u64>, disk: Forgetful, met: &mut Met) -> Checked {
    let mut rng = seed.stream("lives", 0);
    let mut known = Known::default();
    for life in 0..if cut_after.is_some() { 1 } else { 4 } {
        disk.cut_after(cut_after.unwrap_or_else(|| rng.random_range(0..400)));
        if let Ok(process) = Process::with(&disk, Config::default()) {
            let mut bus = process.bus.connect(rng.random_range(1..5));
            let mut out = Vec::new();
            for _ in 0..60 {
                if disk.is_off() {
                    break;
                }
                step(&process, &mut bus, &mut out, &mut known, met, &mut rng).await?;
            }
            met.cuts += u64::from(disk.is_off());
            lose_power(&disk, seed, life);
            process.end_of_crash().await;
        } else {
            ensure!(disk.is_off(), "it does not open");
            met.cuts_in_recovery += 1;
            lose_power(&disk, seed, life);
        }
        let process = Process::with(&disk, Config::default()).map_err(|error| error.to_string())?;
        check(&process, &mut known, met).await?;
        lose_power(&disk, seed, life + 10);
        process.end_of_crash().await;
    }
    met.gone += known.gone.len();
    Ok(())
}

fn lose_power(disk: &Forgetful, seed: Seed, life: u64) {
    if (seed.0 + life).is_multiple_of(3) {
        disk.crash();
    } else {
        disk.crash_torn(Seed(seed.0 ^ life << 32));
    }
}

#[tokio::test(start_paused = true)]
async fn whenever_the_power_is_cut_what_was_said_holds() {
    let mut met = Met::default();
    for seed in 0..300 {
        let lived = lives(Seed(seed), None, Forgetful::new(), &mut met).await;
        lived.unwrap_or_else(|words| panic!("seed {seed}: {words}"));
    }
    let Met { cuts, cuts_in_recovery, gone, redelivered, maybe_put_and_there } = met;
    let is_met = cuts > 300 && cuts_in_recovery > 10 && gone > 300 && redelivered > 300 && maybe_put_and_there > 10;
    assert!(is_met, "{met:?}");
}

#[tokio::test(start_paused = true)]
async fn cut_at_any_call_of_the_disk_what_was_said_holds() {
    for seed in [Seed(1), Seed(2)] {
        let disk = Forgetful::new();
        let mut met = Met::default();
        lives(seed, Some(u64::MAX), disk.clone(), &mut met).await.unwrap();
        let calls = disk.calls();
        assert!(calls > 200, "{calls}");
        for cut_after in 0..calls {
            let lived = lives(seed, Some(cut_after), Forgetful::new(), &mut met).await;
            lived.unwrap_or_else(|words| panic!("seed {seed:?}, cut after {cut_after}: {words}"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_says_it_has_synced_and_has_not_is_found_out() {
    let mut found = 0;
    for seed in 0..20 {
        let disk = Forgetful::new();
        disk.lie();
        let lived = lives(Seed(seed), None, disk, &mut Met::default()).await;
        found += u64::from(lived.is_err());
    }
    assert!(found > 15, "{found} of 20");
}
