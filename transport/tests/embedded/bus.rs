//! What every bus promises, and what this one does.

use super::*;
use smpp_transport::bus::embedded::PutError;

#[tokio::test(start_paused = true)]
async fn messages_come_in_order_and_are_gone_once_acked() {
    let process = Process::start(&Forgetful::new());
    let mut positions = Vec::new();
    for number in 0..20 {
        positions.push(process.bus.put(body(number)).await.unwrap());
    }
    assert!(positions.is_sorted_by(|a, b| a < b), "{positions:?}");
    let mut bus = process.bus.connect(4);
    for number in 0..20 {
        let delivery = next(&mut bus.outbound).await;
        assert_eq!((&delivery.body, delivery.redelivered), (&body(number), false));
        delivery.ack();
    }
    bus.publisher.publish(Route::Event, body(0)).await.unwrap();
    assert_eq!(process.bus.waiting(), 0);
    drop(bus);
    let process = process.crash().await;
    let mut bus = process.bus.connect(4);
    assert_idle(&mut bus.outbound).await;
    let later = process.bus.put(body(20)).await.unwrap();
    assert!(later > positions[19], "a position is never given twice");
    assert_eq!(next(&mut bus.outbound).await.body, body(20));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_put_while_one_waits_comes_at_once() {
    let process = Process::start(&Forgetful::new());
    let mut bus = process.bus.connect(2);
    for number in 0..10 {
        let (put, delivery) = tokio::join!(process.bus.put(body(number)), next(&mut bus.outbound));
        put.unwrap();
        assert_eq!((&delivery.body, delivery.redelivered), (&body(number), false));
        delivery.ack();
    }
}

#[tokio::test(start_paused = true)]
async fn as_many_are_out_as_the_prefetch_allows() {
    let process = Process::start(&Forgetful::new());
    for number in 0..5 {
        process.bus.put(body(number)).await.unwrap();
    }
    let mut bus = process.bus.connect(2);
    let first = next(&mut bus.outbound).await;
    let _second = next(&mut bus.outbound).await;
    assert_idle(&mut bus.outbound).await;
    first.ack();
    let third = next(&mut bus.outbound).await;
    assert_eq!(third.body, body(2));
    assert_idle(&mut bus.outbound).await;
}

#[tokio::test(start_paused = true)]
async fn what_is_given_back_or_dropped_keeps_its_place_and_is_flagged() {
    let process = Process::start(&Forgetful::new());
    for number in 0..6 {
        process.bus.put(body(number)).await.unwrap();
    }
    let mut bus = process.bus.connect(3);
    let [first, second, third] =
        [next(&mut bus.outbound).await, next(&mut bus.outbound).await, next(&mut bus.outbound).await];
    third.give_back();
    first.give_back();
    drop(second);
    for (number, redelivered) in [(0, true), (1, true), (2, true), (3, false), (4, false), (5, false)] {
        let delivery = next(&mut bus.outbound).await;
        assert_eq!((&delivery.body, delivery.redelivered), (&body(number), redelivered));
        delivery.ack();
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_out_when_the_process_died_comes_again_flagged_and_the_rest_as_new() {
    let process = Process::start(&Forgetful::new());
    for number in 0..10 {
        process.bus.put(body(number)).await.unwrap();
    }
    let mut bus = process.bus.connect(3);
    let out = [next(&mut bus.outbound).await, next(&mut bus.outbound).await, next(&mut bus.outbound).await];
    let process = process.crash().await;
    drop((bus, out));
    let mut bus = process.bus.connect(20);
    for number in 0..10 {
        let delivery = next(&mut bus.outbound).await;
        assert_eq!((&delivery.body, delivery.redelivered), (&body(number), number < 3));
        delivery.ack();
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_out_when_the_handles_were_dropped_comes_again_flagged_and_the_rest_as_new() {
    let process = Process::start(&Forgetful::new());
    let mut bus = process.bus.connect(3);
    for number in 0..10 {
        process.bus.put(body(number)).await.unwrap();
    }
    let first = next(&mut bus.outbound).await;
    assert_eq!(first.body, body(0));
    first.ack();
    let out = [next(&mut bus.outbound).await, next(&mut bus.outbound).await, next(&mut bus.outbound).await];
    drop((bus, out));
    let process = process.restart(Config::default()).await;
    assert_eq!(process.bus.waiting(), 9);
    let mut bus = process.bus.connect(20);
    for number in 1..10 {
        let delivery = next(&mut bus.outbound).await;
        assert_eq!((&delivery.body, delivery.redelivered), (&body(number), number < 4));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stopped_bus_gives_what_it_had_handed_out_and_then_none() {
    let process = Process::start(&Forgetful::new());
    for number in 0..5 {
        process.bus.put(body(number)).await.unwrap();
    }
    let mut bus = process.bus.connect(2);
    let first = next(&mut bus.outbound).await;
    process.settle().await;
    bus.outbound.stop();
    process.settle().await;
    first.give_back();
    assert_eq!(next(&mut bus.outbound).await.body, body(1));
    assert!(timeout(LONG, bus.outbound.next()).await.unwrap().is_none());
    bus.publisher.publish(Route::Inbound, body(0)).await.expect("publishing goes on");
    drop(bus);
    let mut bus = process.bus.connect(5);
    for (number, redelivered) in [(0, true), (1, true), (2, false), (3, false), (4, false)] {
        let delivery = next(&mut bus.outbound).await;
        assert_eq!((&delivery.body, delivery.redelivered), (&body(number), redelivered));
    }
}

#[tokio::test(start_paused = true)]
async fn one_transport_is_handed_messages_and_the_other_waits_for_its_end() {
    let process = Process::start(&Forgetful::new());
    process.bus.put(body(0)).await.unwrap();
    let mut first = process.bus.connect(2);
    let out = next(&mut first.outbound).await;
    let mut second = process.bus.connect(2);
    assert_idle(&mut second.outbound).await;
    second.publisher.publish(Route::Event, body(7)).await.expect("both publish");
    drop((first, out));
    let delivery = next(&mut second.outbound).await;
    assert_eq!((&delivery.body, delivery.redelivered), (&body(0), true));
}

#[tokio::test(start_paused = true)]
async fn what_was_published_is_there_in_order_under_offsets_that_count_up_after_a_crash_too() {
    let process = Process::start(&Forgetful::new());
    let bus = process.bus.connect(1);
    for number in 0..3 {
        bus.publisher.publish(Route::Inbound, body(number)).await.unwrap();
        bus.publisher.publish(Route::Event, body(10 + number)).await.unwrap();
    }
    let expected = [(1, body(0)), (2, body(1)), (3, body(2))];
    assert_eq!(process.all(Route::Inbound).await, expected);
    let process = process.crash().await;
    drop(bus);
    assert_eq!(process.all(Route::Inbound).await, expected);
    assert_eq!(process.all(Route::Event).await, [(1, body(10)), (2, body(11)), (3, body(12))]);
    let bus = process.bus.connect(1);
    bus.publisher.publish(Route::Inbound, body(3)).await.unwrap();
    let page = process.bus.page(Route::Inbound, 3, 10, Duration::ZERO).await.unwrap();
    assert_eq!((page.next, page.stored.len(), &page.stored[0].body), (4, 1, &body(3)));
    assert_eq!(page.stored[0].at, process.clock.unix());
}

#[tokio::test(start_paused = true)]
async fn a_page_ends_at_its_limit_waits_for_something_and_no_longer() {
    let process = Process::start(&Forgetful::new());
    let bus = process.bus.connect(1);
    for number in 0..5 {
        bus.publisher.publish(Route::Event, body(number)).await.unwrap();
    }
    let page = process.bus.page(Route::Event, 1, 2, LONG).await.unwrap();
    assert_eq!((page.stored.iter().map(|stored| stored.offset).collect::<Vec<_>>(), page.next), (vec![2, 3], 3));
    let from_another_file = process.bus.page(Route::Event, 77, 10, Duration::ZERO).await.unwrap();
    assert_eq!(from_another_file.stored.len(), 5);
    let before = tokio::time::Instant::now();
    let empty = process.bus.page(Route::Event, 5, 10, Duration::from_secs(30)).await.unwrap();
    assert_eq!((empty.stored.len(), empty.next, before.elapsed().as_secs()), (0, 5, 30));
    let publish = async {
        tokio::time::sleep(Duration::from_secs(7)).await;
        bus.publisher.publish(Route::Event, body(5)).await
    };
    let (page, published) = tokio::join!(process.bus.page(Route::Event, 5, 10, LONG), publish);
    published.unwrap();
    assert_eq!((page.unwrap().next, before.elapsed().as_secs()), (6, 37));
}

#[tokio::test(start_paused = true)]
async fn a_dead_letter_is_kept_apart_with_its_reason() {
    let process = Process::start(&Forgetful::new());
    process.bus.put(&b"\xFF no message"[..]).await.unwrap();
    let mut bus = process.bus.connect(1);
    next(&mut bus.outbound).await.dead_letter("it is no JSON");
    let page = process.bus.page(Route::Failed, 0, 10, LONG).await.unwrap();
    assert_eq!(page.stored[0].reason.as_deref(), Some("it is no JSON"));
    let process = process.crash().await;
    drop(bus);
    assert_eq!(process.all(Route::Failed).await, [(1, Bytes::from_static(b"\xFF no message"))]);
    let mut bus = process.bus.connect(1);
    assert_idle(&mut bus.outbound).await;
}

#[tokio::test(start_paused = true)]
async fn the_oldest_go_when_there_are_too_many_and_when_they_are_too_old() {
    let config = Config { kept_max: 3, retention: Duration::from_secs(1_000), ..Config::default() };
    let process = Process::with(&Forgetful::new(), config.clone()).unwrap();
    let bus = process.bus.connect(1);
    for number in 0..5 {
        process.clock.0.fetch_add(100, Ordering::Relaxed);
        bus.publisher.publish(Route::Inbound, body(number)).await.unwrap();
    }
    process.settle().await;
    assert_eq!(process.all(Route::Inbound).await, [(3, body(2)), (4, body(3)), (5, body(4))]);
    // Published at 300, 400 and 500.
    process.clock.0.store(1_401, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(61)).await;
    process.settle().await;
    assert_eq!(process.all(Route::Inbound).await, [(5, body(4))]);
    process.clock.0.store(9_999, Ordering::Relaxed);
    tokio::time::sleep(Duration::from_secs(61)).await;
    drop(bus);
    let process = process.restart(config).await;
    assert_eq!(process.all(Route::Inbound).await, []);
    let bus = process.bus.connect(1);
    bus.publisher.publish(Route::Inbound, body(5)).await.unwrap();
    assert_eq!(process.all(Route::Inbound).await, [(6, body(5))], "offsets go on");
}

#[tokio::test(start_paused = true)]
async fn more_than_may_wait_are_refused_all_or_none() {
    let config = Config { outbound_max: 3, ..Config::default() };
    let process = Process::with(&Forgetful::new(), config).unwrap();
    process.bus.put_all(&[body(0), body(1)]).await.unwrap();
    let full = process.bus.put_all(&[body(2), body(3)]).await.unwrap_err();
    assert_eq!(full, PutError::Full { waiting: 2, max: 3 });
    process.bus.put(body(2)).await.unwrap();
    let mut bus = process.bus.connect(1);
    next(&mut bus.outbound).await.ack();
    process.settle().await;
    process.bus.put(body(3)).await.expect("there is room again");
    for number in 1..4 {
        let delivery = next(&mut bus.outbound).await;
        assert_eq!(delivery.body, body(number));
        delivery.ack();
    }
}

#[tokio::test(start_paused = true)]
async fn many_at_once_share_a_sync() {
    let disk = Forgetful::new();
    let process = Process::start(&disk);
    let bus = process.bus.connect(1_000);
    process.bus.put(body(0)).await.unwrap();
    process.settle().await;
    let before = disk.syncs();
    let puts = (0..1_000).map(|number| {
        let bus = process.bus.clone();
        tokio::spawn(async move { bus.put(body(number)).await.unwrap() })
    });
    let publisher = bus.publisher.clone();
    let published = (0..1_000).map(|number| {
        let publisher = publisher.clone();
        tokio::spawn(async move { publisher.publish(Route::Event, body(number)).await.unwrap() })
    });
    let (puts, published): (Vec<_>, Vec<_>) = (puts.collect(), published.collect());
    for put in puts {
        put.await.unwrap();
    }
    for publication in published {
        publication.await.unwrap();
    }
    let syncs = disk.syncs() - before;
    assert!(syncs < 20, "{syncs} syncs");
    drop(bus);
}

#[tokio::test(start_paused = true)]
async fn more_octets_than_may_wait_are_refused_after_a_crash_too() {
    let disk = Forgetful::new();
    let config = Config { outbound_octets_max: 2 * body(0).len() as u64, ..Config::default() };
    let mut process = Process::with(&disk, config.clone()).unwrap();
    process.bus.put_all(&[body(0), body(1)]).await.unwrap();
    let (waiting, max) = (config.outbound_octets_max, config.outbound_octets_max);
    for _ in 0..2 {
        let full = process.bus.put(body(2)).await.unwrap_err();
        assert_eq!(full, PutError::FullOctets { waiting, max });
        assert!(full.to_string().contains("data_octets_max"), "{full}");
        process = process.restart(config.clone()).await;
    }
    let mut bus = process.bus.connect(1);
    next(&mut bus.outbound).await.ack();
    process.settle().await;
    process.bus.put(body(2)).await.expect("there is room again");
    next(&mut bus.outbound).await.dead_letter("it is none");
    process.settle().await;
    process.bus.put(body(3)).await.expect("there is room again");
    assert!(process.bus.put(body(4)).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_paused_bus_hands_out_nothing_until_it_is_resumed() {
    let process = Process::start(&Forgetful::new());
    for number in 0..4 {
        process.bus.put(body(number)).await.unwrap();
    }
    let mut bus = process.bus.connect(2);
    let (first, second) = (next(&mut bus.outbound).await, next(&mut bus.outbound).await);
    bus.outbound.pause();
    second.give_back();
    first.give_back();
    process.bus.put(body(4)).await.unwrap();
    assert_idle(&mut bus.outbound).await;
    assert_eq!(process.bus.waiting(), 5);
    bus.publisher.publish(Route::Event, body(0)).await.unwrap();
    bus.outbound.resume();
    for (number, redelivered) in [(0, true), (1, true), (2, false), (3, false), (4, false)] {
        let delivery = next(&mut bus.outbound).await;
        assert_eq!((&delivery.body, delivery.redelivered), (&body(number), redelivered));
        delivery.ack();
    }
}
