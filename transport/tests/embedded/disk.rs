//! What is said when the disk is full, damaged or somebody else's, and how it goes on.

use std::path::PathBuf;

use super::*;
use smpp_transport::bus::PublishError;
use smpp_transport::disk::FILE_NAME;
use smpp_transport::store::PartOf;

/// A folder that goes in the end.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Folder {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        Folder(folder)
    }

    fn file(&self) -> PathBuf {
        self.0.join(FILE_NAME)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn part() -> PartOf {
    PartOf { message: "m".into(), number: 1, total: 1, ..PartOf::default() }
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_is_said_and_when_there_is_room_again_all_goes_on() {
    let disk = Forgetful::new();
    let process = Process::start(&disk);
    let mut bus = process.bus.connect(5);
    for number in 0..3 {
        process.bus.put(body(number)).await.unwrap();
    }
    let [acked, dead, out] =
        [next(&mut bus.outbound).await, next(&mut bus.outbound).await, next(&mut bus.outbound).await];
    disk.fill(true);
    let error = process.bus.put(body(3)).await.unwrap_err().to_string();
    assert_eq!(error, "transport.redb cannot be used: no space left on device");
    let refused = bus.publisher.publish(Route::Event, body(9)).await.unwrap_err();
    assert_eq!(refused, PublishError::Unconfirmed(error.as_str().into()));
    let away = process.store.remember(Duration::ZERO, "1", &part()).await.unwrap_err();
    assert_eq!(away.to_string(), format!("the store is away: {error}"));
    bus.health.wait_for(|health| !health.is_up).await.unwrap();
    assert_eq!((bus.health.borrow().state, &*bus.health.borrow().reason), ("blocked", error.as_str()));
    // They have happened, and are not lost.
    acked.ack();
    dead.dead_letter("it is dead");
    tokio::time::sleep(Duration::from_secs(10)).await;
    disk.fill(false);
    let health = bus.health.wait_for(|health| health.is_up).await.unwrap().clone();
    assert_eq!((health.state, &*health.reason), ("open", ""));
    process.bus.put(body(4)).await.unwrap();
    bus.publisher.publish(Route::Event, body(5)).await.unwrap();
    let later = next(&mut bus.outbound).await;
    assert_eq!(later.body, body(4), "and not the one that was refused");
    assert_eq!(process.all(Route::Failed).await, [(1, body(1))]);
    let process = process.crash().await;
    drop((bus, out, later));
    assert_eq!(process.store.accepted(Duration::ZERO, "m").await.unwrap(), [1], "what was said later is kept");
    assert_eq!(process.all(Route::Failed).await.len(), 1);
    let mut bus = process.bus.connect(5);
    for number in [2, 4] {
        let delivery = next(&mut bus.outbound).await;
        assert_eq!((&delivery.body, delivery.redelivered), (&body(number), true));
        delivery.ack();
    }
    assert_idle(&mut bus.outbound).await;
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_is_tried_again_every_second_and_not_by_each_who_asks() {
    let disk = Forgetful::new();
    let process = Process::start(&disk);
    disk.fill(true);
    let before = tokio::time::Instant::now();
    process.bus.put(body(0)).await.unwrap_err();
    let calls = disk.calls();
    for number in 0..100 {
        process.bus.put(body(number)).await.unwrap_err();
    }
    assert_eq!(disk.calls(), calls);
    disk.fill(false);
    process.journal.failure().wait_for(Option::is_none).await.unwrap();
    assert_eq!(before.elapsed().as_secs(), 1);
    process.bus.put(body(1)).await.unwrap();
}

#[tokio::test]
async fn a_folder_is_made_and_its_file_is_the_owners_alone_and_opens_once() {
    let folder = Folder::new("twice");
    let disk = Disk::folder(folder.0.join("deep"));
    let (journal, writer) = disk.open().unwrap();
    let writer = tokio::spawn(writer.run());
    let error = disk.open().unwrap_err();
    let file = folder.0.join("deep").join(FILE_NAME);
    assert_eq!(error.to_string(), format!("{} is open already, in another process or in this one", file.display()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    drop(journal);
    writer.await.unwrap();
    disk.open().expect("it has been closed");
}

#[tokio::test(start_paused = true)]
async fn what_is_forgetful_opens_once_too() {
    let disk = Forgetful::new();
    let process = Process::start(&disk);
    assert!(matches!(Process::with(&disk, Config::default()), Err(DiskError::InUse(_))));
    let process = process.crash().await;
    assert!(matches!(Process::with(&disk, Config::default()), Err(DiskError::InUse(_))));
    drop(process);
}

#[tokio::test]
async fn a_thread_of_its_own_writes_a_real_file() {
    let folder = Folder::new("thread");
    let open = || {
        let (journal, writer) = Disk::folder(&folder.0).open().unwrap();
        let bus = Embedded::open(journal, Config::default(), Arc::new(Hand::default())).unwrap();
        (bus, writer.on_a_thread().unwrap())
    };
    let (bus, thread) = open();
    let connected = bus.connect(1);
    bus.put(body(0)).await.unwrap();
    connected.publisher.publish(Route::Inbound, body(1)).await.unwrap();
    drop((bus, connected));
    // The bus's task lets go once it runs again.
    tokio::task::yield_now().await;
    thread.join().unwrap();
    let (bus, _thread) = open();
    assert_eq!(bus.page(Route::Inbound, 0, 1, Duration::ZERO).await.unwrap().stored[0].body, body(1));
    assert_eq!(next(&mut bus.connect(1).outbound).await.body, body(0));
}

#[tokio::test]
async fn a_file_that_is_something_else_is_named_and_left_as_it_is() {
    let folder = Folder::new("else");
    std::fs::create_dir_all(&folder.0).unwrap();
    let text = "These are my notes.\n".repeat(1_000);
    std::fs::write(folder.file(), &text).unwrap();
    let error = Disk::folder(&folder.0).open().unwrap_err();
    assert!(matches!(error, DiskError::Damaged(..)), "{error:?}");
    let begin = format!("{} is damaged (", folder.file().display());
    assert!(error.to_string().starts_with(&begin), "{error}");
    assert_eq!(std::fs::read_to_string(folder.file()).unwrap(), text);
}

#[tokio::test]
async fn a_file_that_was_never_made_whole_is_made_anew() {
    let folder = Folder::new("unmade");
    std::fs::create_dir_all(&folder.0).unwrap();
    std::fs::write(folder.file(), [0; 5_000]).unwrap();
    let (journal, writer) = Disk::folder(&folder.0).open().unwrap();
    let writer = tokio::spawn(writer.run());
    drop(journal);
    writer.await.unwrap();
    Disk::folder(&folder.0).open().unwrap();
}

#[tokio::test]
async fn a_folder_that_cannot_be_made_is_named() {
    let folder = Folder::new("no-folder");
    std::fs::create_dir_all(&folder.0).unwrap();
    std::fs::write(folder.0.join("file"), "").unwrap();
    let error = Disk::folder(folder.0.join("file")).open().unwrap_err().to_string();
    assert!(error.contains("file/transport.redb cannot be used: "), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_damaged_file_is_an_error_and_never_a_panic_nor_a_hang() {
    let disk = Forgetful::new();
    let process = Process::start(&disk);
    process.bus.put_all(&(0..200).map(body).collect::<Vec<_>>()).await.unwrap();
    for id in 0..50 {
        process.store.remember(Duration::ZERO, &id.to_string(), &part()).await.unwrap();
    }
    process.disk.crash();
    let disk = process.end_of_crash().await;
    let mut said = 0;
    for at in (0..disk.octets()).step_by(97) {
        disk.damage(at);
        match Process::with(&disk, Config::default()) {
            Ok(process) => {
                let _ = process.bus.page(Route::Event, 0, 10, Duration::ZERO).await;
                process.disk.crash();
                process.end_of_crash().await;
            }
            Err(error) => {
                assert!(matches!(error, DiskError::Damaged(..) | DiskError::Failed(..)), "{error:?}");
                assert!(error.to_string().starts_with("transport.redb "), "{error}");
                said += 1;
                disk.crash();
            }
        }
        disk.damage(at);
    }
    assert!(said > 20, "{said}");
}

#[tokio::test(start_paused = true)]
async fn a_sync_that_takes_time_gathers_what_comes_meanwhile_and_is_cut_short_by_a_kill() {
    let disk = Forgetful::new();
    let (journal, writer) = Disk::forgetful(&disk).open().unwrap();
    let bus = Embedded::open(journal, Config::default(), Arc::new(Hand::default())).unwrap();
    let writer = tokio::spawn(writer.with_sync_time(Duration::from_millis(10)).run());
    let start = tokio::time::Instant::now();
    let put = |number| {
        let bus = bus.clone();
        tokio::spawn(async move { bus.put(body(number)).await.map(|_| start.elapsed().as_millis()).ok() })
    };
    let first = put(0);
    tokio::time::sleep(Duration::from_millis(1)).await;
    let (second, third) = (put(1), put(2));
    assert_eq!([first.await.unwrap(), second.await.unwrap(), third.await.unwrap()], [Some(10), Some(20), Some(20)]);
    let untold = put(3);
    // It is written by now, and nobody has heard so.
    tokio::time::sleep(Duration::from_millis(7)).await;
    writer.abort();
    assert_eq!(untold.await.unwrap(), None);
    drop(bus);
    assert_eq!(Process::start(&disk).bus.waiting(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_file_in_which_little_stays_does_not_grow() {
    let disk = Forgetful::new();
    let process = Process::with(&disk, Config { kept_max: 10, ..Config::default() }).unwrap();
    let mut bus = process.bus.connect(1);
    let mut sizes = Vec::new();
    for _ in 0..4 {
        for number in 0..250 {
            process.bus.put(body(number)).await.unwrap();
            let delivery = next(&mut bus.outbound).await;
            bus.publisher.publish(Route::Event, body(number)).await.unwrap();
            delivery.ack();
        }
        process.settle().await;
        sizes.push(disk.octets());
    }
    assert!(sizes[3] <= sizes[0], "{sizes:?}");
}
