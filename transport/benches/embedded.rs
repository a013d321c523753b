//! How much the bus in a file bears, on the disk that temporary files are on: `cargo bench -p smpp-transport --bench
//! embedded`.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use smpp_transport::bus::Route;
use smpp_transport::bus::embedded::{Config, Embedded};
use smpp_transport::disk::Disk;
use smpp_transport::env::SystemClock;
use tokio::time::Instant;

/// A message as JSON is that large.
const BODY_OCTETS: usize = 600;

fn open(folder: &Path) -> Embedded {
    let (journal, writer) = Disk::folder(folder).open().unwrap();
    writer.on_a_thread().unwrap();
    Embedded::open(journal, Config::default(), Arc::new(SystemClock)).unwrap()
}

async fn puts(bus: &Embedded, concurrent: u64, count: u64) -> Duration {
    let before = Instant::now();
    let tasks: Vec<_> = (0..concurrent)
        .map(|_| {
            let bus = bus.clone();
            tokio::spawn(async move {
                for _ in 0..count / concurrent {
                    bus.put(Bytes::from(vec![b'x'; BODY_OCTETS])).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    before.elapsed()
}

/// As a transport does: an event for each message, and then its acknowledgement.
async fn events(bus: &Embedded, concurrent: u64, count: u64) -> Duration {
    let mut bus = bus.connect(usize::try_from(concurrent).unwrap());
    let before = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..count {
        let delivery = bus.outbound.next().await.unwrap();
        let publisher = bus.publisher.clone();
        tasks.spawn(async move {
            publisher.publish(Route::Event, Bytes::from(vec![b'x'; BODY_OCTETS])).await.unwrap();
            delivery.ack();
        });
    }
    tasks.join_all().await;
    before.elapsed()
}

#[expect(clippy::print_stdout, reason = "it is there to be read")]
#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let folder = std::env::temp_dir().join(format!("smpp-transport-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut file = std::fs::File::create(folder.join("syncs")).unwrap();
    let before = Instant::now();
    for _ in 0..200 {
        file.write_all(&[0; 4_096]).unwrap();
        file.sync_data().unwrap();
    }
    println!("one write of 4,096 octets and its sync: {:?}", before.elapsed() / 200);
    println!("concurrent   puts/s   events and acks/s");
    let bus = open(&folder);
    for (concurrent, count) in [(1, 500), (10, 3_000), (100, 20_000), (1_000, 50_000)] {
        let rate = |took: Duration| count as f64 / took.as_secs_f64();
        let put = rate(puts(&bus, concurrent, count).await);
        let sent = rate(events(&bus, concurrent, count).await);
        println!("{concurrent:>10} {put:>8.0} {sent:>19.0}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
