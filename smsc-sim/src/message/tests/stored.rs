//! Guards the file that messages are kept in: what is in it after a restart, a full disk, and a power cut while it was made.

use smpp_transport::disk::{Disk, Forgetful};

use super::*;
use crate::message::Change;
use crate::store::Kept;

/// Long enough for a disk that failed to be tried again.
const AGAIN: Duration = Duration::from_millis(1_100);

/// The file on this disk, with its writer.
fn opened(disk: &Forgetful) -> Kept {
    let (journal, writer) = Disk::forgetful(disk).open().expect("it can be opened");
    tokio::spawn(writer.run());
    Kept::new(journal)
}

fn kept(given: &Given, number: u64) -> Change {
    Change::Kept(Box::new(given.record(number).clone()))
}

fn numbers(file: &Kept) -> Vec<u64> {
    file.read().expect("it can be read").iter().map(|record| record.number).collect()
}

fn three() -> Given {
    let mut given = Given::new();
    for _ in 0..3 {
        given.submit(&sm(1), &Tlvs::new(), given.life(MessageState::DELIVERED));
    }
    given
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_is_there_after_a_power_cut_and_what_is_forgotten_or_cleared_is_not() {
    let (disk, given) = (Forgetful::new(), three());
    let file = opened(&disk);
    file.write(&[kept(&given, 1), kept(&given, 2), Change::Forgotten(7)]).await.expect("there is room");
    file.write(&[Change::Forgotten(1), kept(&given, 3)]).await.expect("there is room");
    assert_eq!(numbers(&file), [2, 3]);
    disk.crash();
    let file = opened(&disk);
    assert_eq!(file.read().expect("whole"), [given.record(2).clone(), given.record(3).clone()]);
    file.write(&[kept(&given, 1), Change::Cleared, kept(&given, 3)]).await.expect("there is room");
    assert_eq!(numbers(&file), [3], "what came before is gone, in the file and in what was to be written");
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_was_full_is_used_again_once_it_has_room() {
    let (disk, given) = (Forgetful::new(), three());
    let file = opened(&disk);
    file.write(&[kept(&given, 1)]).await.expect("there is room");
    disk.fill(true);
    file.write(&[kept(&given, 2)]).await.expect_err("there is none");
    tokio::time::sleep(AGAIN).await;
    disk.fill(false);
    tokio::time::sleep(AGAIN).await;
    file.write(&[kept(&given, 2)]).await.expect("it is opened again");
    assert_eq!(numbers(&file), [1, 2]);
}

#[tokio::test]
async fn a_file_that_a_power_cut_left_unfinished_is_made_anew() {
    let folder = std::env::temp_dir().join(format!("smsc-sim-unmade-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder for temporary files");
    std::fs::write(folder.join("messages.redb"), vec![0; 1 << 16]).expect("there is room");
    let smsc = crate::SmscSim::builder().data_dir(&folder).start().await;
    let started = smsc.as_ref().map(|_| ()).map_err(ToString::to_string);
    if let Ok(smsc) = smsc {
        smsc.stop().await;
    }
    let _ = std::fs::remove_dir_all(&folder);
    assert_eq!(started, Ok(()));
}

#[tokio::test]
async fn two_crashes_in_a_row_give_no_number_twice() {
    let folder = std::env::temp_dir().join(format!("smsc-sim-numbers-{}", std::process::id()));
    let mut first = Vec::new();
    for _ in 0..3 {
        let clock = std::sync::Arc::new(smpp_transport::env::SystemClock);
        let control = crate::control::Control::new(crate::Config::default(), clock).expect("it can be");
        let store = crate::store::Store::open(&folder, &control.hub).await.expect("it can be opened");
        // Nothing is written but what was written before the first message: it has crashed.
        first.push(control.hub.next_number());
        store.crash().await;
    }
    let _ = std::fs::remove_dir_all(&folder);
    assert_eq!(first, [1, 100_001, 200_001], "above all that may have been given");
}
