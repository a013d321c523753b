//! One report for each message, never backward: messages in parts, time limits, early and unmatched receipts, details.

use std::time::Duration;

use serde_json::json;
use smpp_transport::inbound::{IdForms, TlvSelection};
use smpp_transport::outbound::MultipartHandling;
use smpp_transport::pdu::{CommandStatus, TlvTag};
use smpp_transport::service::Unmatched;
use smpp_transport::store::{Answers, Store};

use super::world::{Options, TO, World, deliver_sm, receipt};

const SECOND: Duration = Duration::from_secs(1);

/// A text that needs three parts.
fn long() -> String {
    "x".repeat(400)
}

fn in_parts(aggregate_timeout: Option<Duration>) -> World {
    let mut options = Options::default();
    options.config.submit.multipart = MultipartHandling::Udh16;
    options.limits.aggregate_timeout = aggregate_timeout;
    World::start(options)
}

fn says(id: &str, stat: &str) -> Vec<u8> {
    receipt(&format!(
        "id:{id} sub:001 dlvrd:001 submit date:2611221758 done date:2611221759 stat:{stat} err:000 text:x"
    ))
}

#[tokio::test(start_paused = true)]
async fn one_receipt_for_a_message_in_parts_is_reported_when_time_is_up() {
    for part in ["1001", "1002", "1003"] {
        let mut world = in_parts(Some(20 * SECOND));
        world.submit("m", &long(), &[b"1001", b"1002", b"1003"]).await;
        assert_eq!(world.deliver(says(part, "DELIVRD")).await, 0);
        world.pass(19 * SECOND).await;
        assert_eq!(world.got.reports("m"), [""; 0], "others may come");
        world.pass(2 * SECOND).await;
        assert_eq!((world.got.reports("m"), world.counted("aggregate_timeout")), (vec!["delivered"], 1));
        let smpp = &world.got.reports_of("m").next().unwrap()["transport_metadata"]["smpp"];
        assert_eq!(
            (&smpp["parts"], &smpp["parts_reported"], &smpp["message_ids"]),
            (&json!(3), &json!(1), &json!([part]))
        );
        // Nothing that comes later is news, and a failure would go backward.
        for id in ["1001", "1002", "1003"] {
            world.deliver(says(id, "UNDELIV")).await;
            world.deliver(says(id, "DELIVRD")).await;
            world.deliver(says(id, "ENROUTE")).await;
        }
        world.pass(120 * SECOND).await;
        assert_eq!((world.got.reports("m"), world.counted("late_state")), (vec!["delivered"], 6));
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_that_is_due_survives_a_restart() {
    let mut world = in_parts(Some(20 * SECOND));
    world.submit("m", &long(), &[b"1001", b"1002", b"1003"]).await;
    world.deliver(says("1002", "DELIVRD")).await;
    world.pass(10 * SECOND).await;
    let mut world = world.restart().await;
    world.pass(11 * SECOND).await;
    assert_eq!(world.got.reports("m"), ["delivered"]);
    let mut world = world.restart().await;
    world.deliver(says("1001", "UNDELIV")).await;
    world.pass(120 * SECOND).await;
    assert_eq!(world.got.reports("m"), ["delivered"]);
}

#[tokio::test(start_paused = true)]
async fn parts_without_an_id_and_parts_with_one_id_make_one_report_at_once() {
    for (ids, receipts) in [
        ([&b"a1"[..], b"", b""], &["a1"][..]),
        ([b"", b"a1", b""], &["a1"]),
        ([b"", b"", b"a1"], &["a1"]),
        ([b" ", b"a1", b"\t"], &["a1"]),
        ([b"a1", b"a1", b"a1"], &["a1"]),
        ([b"a1", b"a1", b"a1"], &["a1", "a1", "a1"]),
        ([b"a1", b"A1", b"0a1"], &["a1", "a1"]),
        ([b"a1", b"a1", b"b1"], &["a1", "b1"]),
        ([b"a1", b"", b"b1"], &["b1", "a1"]),
        ([b"a1", b"b1", b"c1"], &["c1", "a1", "b1", "a1", "b1", "c1"]),
    ] {
        let mut world = in_parts(Some(600 * SECOND));
        world.submit("m", &long(), &ids).await;
        for id in receipts {
            assert_eq!(world.deliver(says(id, "DELIVRD")).await, 0);
        }
        world.pass(2 * SECOND).await;
        assert_eq!((world.got.reports("m"), world.counted("aggregate_timeout")), (vec!["delivered"], 0), "{ids:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_failure_of_a_part_is_the_one_report() {
    let mut world = in_parts(Some(60 * SECOND));
    world.submit("m", &long(), &[b"a", b"b", b"c"]).await;
    for (id, stat) in [("a", "DELIVRD"), ("b", "EXPIRED"), ("c", "UNDELIV"), ("b", "EXPIRED"), ("a", "DELIVRD")] {
        assert_eq!(world.deliver(says(id, stat)).await, 0);
    }
    world.pass(120 * SECOND).await;
    assert_eq!(world.got.reports("m"), ["failed"]);
    let report = world.got.reports_of("m").next().unwrap();
    assert_eq!(report["transport_metadata"]["smpp_delivery_status"], "EXPIRED");
    let mut world = in_parts(None);
    world.submit("m", &long(), &[b"a", b"b", b"c"]).await;
    for (id, stat) in [("a", "DELIVRD"), ("b", "EXPIRED"), ("c", "DELIVRD"), ("a", "UNDELIV")] {
        world.deliver(says(id, stat)).await;
    }
    world.pass(2 * SECOND).await;
    assert_eq!((world.got.reports("m"), world.counted("late_state")), (vec!["delivered", "failed", "delivered"], 1));
}

/// Whichever receipt comes with the last acceptance: it may be one that says nothing final.
#[tokio::test(start_paused = true)]
async fn a_failure_before_the_last_acceptance_is_reported_at_once() {
    for failed in ["a", "b", "c"] {
        for other in ["a", "b", "c"] {
            for stat in ["ACCEPTD", "ENROUTE", "UNKNOWN", "DELIVRD", "EXPIRED"] {
                let mut options = Options::default();
                options.config.submit.multipart = MultipartHandling::Udh16;
                options.limits.aggregate_timeout = Some(600 * SECOND);
                options.limits.early_hold = 600 * SECOND;
                let mut world = World::start(options);
                assert_eq!(world.deliver(says(failed, "UNDELIV")).await, 0);
                assert_eq!(world.deliver(says(other, stat)).await, 0);
                world.submit("m", &long(), &[b"a", b"b", b"c"]).await;
                world.pass(2 * SECOND).await;
                assert_eq!(world.got.reports("m").last(), Some(&"failed"), "{failed} fails, {other} is {stat}");
                let finals = world.got.reports("m").iter().filter(|status| **status != "pending").count();
                assert_eq!(finals, 1, "{failed} fails, {other} is {stat}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_report_that_the_bus_refuses_comes_later_and_once() {
    let mut world = in_parts(Some(20 * SECOND));
    world.submit("m", &long(), &[b"a", b"b", b""]).await;
    world.deliver(says("a", "DELIVRD")).await;
    world.bus.set_away(true);
    assert_eq!(world.deliver(says("b", "DELIVRD")).await, CommandStatus::ESME_RX_T_APPN.0, "the bus is away");
    world.bus.set_away(false);
    assert_eq!(world.deliver(says("b", "DELIVRD")).await, 0);
    world.pass(120 * SECOND).await;
    assert_eq!(world.got.reports("m"), ["delivered"]);
}

#[tokio::test(start_paused = true)]
async fn states_never_go_backward() {
    for (stats, reports) in [
        (&["DELIVRD", "ENROUTE"][..], &["delivered"][..]),
        (&["DELIVRD", "ACCEPTD", "UNKNOWN", "UNDELIV", "EXPIRED"], &["delivered"]),
        (&["UNDELIV", "DELIVRD", "ENROUTE"], &["failed"]),
        (&["ENROUTE", "ACCEPTD", "DELIVRD"], &["pending", "pending", "delivered"]),
        (&["EXPIRED", "UNDELIV"], &["failed"]),
        // The answer to the first may have been lost.
        (&["DELIVRD", "ENROUTE", "DELIVRD"], &["delivered", "delivered"]),
    ] {
        for restarts in [false, true] {
            let mut world = World::start(Options::default());
            world.submit("m", "hi", &[b"1"]).await;
            for stat in stats {
                assert_eq!(world.deliver(says("1", stat)).await, 0);
                if restarts {
                    world.pass(SECOND).await;
                    world = world.restart().await;
                }
            }
            world.pass(SECOND).await;
            assert_eq!(world.got.reports("m"), reports, "{stats:?} {restarts}");
        }
    }
}

/// So many that the runtime makes their tasks yield, and wakes them in another order.
#[tokio::test(start_paused = true)]
async fn receipts_at_the_same_time_are_reported_in_order() {
    const MESSAGES: usize = 300;
    for stats in [
        &["ACCEPTD", "DELIVRD"][..],
        &["ENROUTE", "UNDELIV"],
        &["ACCEPTD", "ENROUTE", "DELIVRD", "ACCEPTD"],
        &["DELIVRD", "UNKNOWN", "DELIVRD", "UNDELIV"],
        &["UNDELIV", "DELIVRD"],
    ] {
        let mut world = World::start(Options::default());
        let message = |number: usize| format!("m{number}");
        for number in 0..MESSAGES {
            let id = number.to_string();
            world.submit(&message(number), "hi", &[id.as_bytes()]).await;
        }
        let mut answers = Vec::new();
        for number in 0..MESSAGES {
            for stat in stats {
                answers.push(world.send(says(&number.to_string(), stat)).await);
            }
        }
        for answer in answers {
            assert_eq!(answer.await, Ok(0));
        }
        world.pass(SECOND).await;
        for number in 0..MESSAGES {
            let reports = world.got.reports(&message(number));
            let first = reports.iter().position(|report| *report != "pending");
            let is_backward = first.is_none_or(|first| reports[first..].iter().any(|report| *report != reports[first]));
            assert!(!is_backward, "{stats:?}: {reports:?} of message {number}");
        }
    }
}

/// The SMSC sends the first receipts before its response to the submit, and the others right after it, while the store is slow.
#[tokio::test(start_paused = true)]
async fn receipts_after_the_response_do_not_overtake_those_before_it() {
    const TICK: Duration = Duration::from_millis(5);
    for (early, later, expected) in [
        (&["DELIVRD"][..], &["UNDELIV"][..], "delivered"),
        (&["UNDELIV"], &["DELIVRD"], "failed"),
        (&["ENROUTE", "DELIVRD"], &["UNDELIV"], "delivered"),
        (&["DELIVRD"], &["ENROUTE", "UNDELIV"], "delivered"),
        (&["DELIVRD", "EXPIRED"], &["UNDELIV"], "delivered"),
        (&["ENROUTE"], &["DELIVRD", "UNDELIV"], "delivered"),
    ] {
        // Of several that are refused once nobody knows which comes first then.
        for refuse_tries in 0..=u32::from(later.len() == 1) {
            for ticks in 0..20 {
                let mut options = Options::default();
                options.config.unmatched_refuse_tries = refuse_tries;
                let mut world = World::start(options);
                let Store::Memory(store) = world.store.clone() else { unreachable!() };
                store.answer(Answers::After(4 * TICK));
                for stat in early {
                    for _ in 0..=refuse_tries {
                        world.deliver(says("1", stat)).await;
                    }
                }
                world.put("m", TO, "hi", &[b"1"]);
                world.pass(ticks * TICK).await;
                let mut answers = Vec::new();
                for stat in later {
                    answers.push(world.send(says("1", stat)).await);
                }
                for (stat, answer) in later.iter().zip(answers) {
                    if answer.await != Ok(0) {
                        world.deliver(says("1", stat)).await;
                    }
                }
                world.pass(10 * SECOND).await;
                let reports = world.got.reports("m");
                let finals: Vec<_> = reports.iter().skip_while(|report| **report == "pending").copied().collect();
                assert_eq!(finals, [expected], "{early:?}, {ticks} ticks later {later:?}: {reports:?}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn early_receipts_beyond_the_bound_are_refused_and_not_lost() {
    let mut options = Options::default();
    options.limits.early_max = 2;
    options.limits.early_hold = 60 * SECOND;
    let mut world = World::start(options);
    let statuses = [world.deliver(says("1", "DELIVRD")).await, world.deliver(says("2", "DELIVRD")).await];
    assert_eq!(statuses, [0, 0]);
    assert_eq!(world.deliver(says("3", "DELIVRD")).await, CommandStatus::ESME_RX_T_APPN.0);
    assert_eq!(world.counted("full"), 1);
    for id in ["1", "2", "3"] {
        world.submit(&format!("m{id}"), "hi", &[id.as_bytes()]).await;
    }
    assert_eq!(world.deliver(says("3", "DELIVRD")).await, 0, "sent again");
    world.pass(SECOND).await;
    for message in ["m1", "m2", "m3"] {
        assert_eq!(world.got.reports(message), ["delivered"]);
    }
}

/// A receipt whose other parts never come finds no room among those that wait for their ids, which expire in spite of it.
#[tokio::test(start_paused = true)]
async fn an_incomplete_receipt_without_room_keeps_nothing_from_expiring() {
    let mut options = Options::default();
    options.limits.early_max = 1;
    options.limits.early_hold = 20 * SECOND;
    options.limits.join.expiry = 5 * SECOND;
    options.config.unmatched = Unmatched::Event;
    let mut world = World::start(options);
    assert_eq!(world.deliver(says("1", "DELIVRD")).await, 0);
    for (number, text) in [(1, &b"id:2 sub:001 dlvrd:001 st"[..]), (2, b"at:UNDELIV err:000 ")] {
        let part = [&[5, 0, 3, 7, 3, number], text].concat();
        assert_eq!(world.deliver(deliver_sm(TO, 0x44, 0, &part, &[])).await, 0);
    }
    world.pass(15 * SECOND).await;
    assert_eq!((world.counted("incomplete"), world.got.reports("1")), (1, vec![]));
    world.pass(60 * SECOND).await;
    assert_eq!((world.got.reports("1"), world.got.reports("2")), (vec!["delivered"], vec!["failed"]));
}

#[tokio::test(start_paused = true)]
async fn an_unmatched_receipt_is_refused_as_often_as_configured() {
    let mut options = Options::default();
    options.config.unmatched_refuse_tries = 2;
    let mut world = World::start(options);
    let refused = CommandStatus::ESME_RINVMSGID.0;
    for expected in [refused, refused, 0] {
        assert_eq!(world.deliver(says("1", "DELIVRD")).await, expected);
    }
    assert_eq!(world.deliver(says("2", "DELIVRD")).await, refused);
    world.submit("m", "hi", &[b"2"]).await;
    assert_eq!(world.deliver(says("2", "DELIVRD")).await, 0, "its id is known by now");
    world.pass(SECOND).await;
    assert_eq!((world.got.reports("m"), world.counted("refused")), (vec!["delivered"], 3));
}

/// The SMSC writes decimal ids in its receipts, and hides who a receipt is from.
#[tokio::test(start_paused = true)]
async fn a_learned_form_of_ids_counts_for_held_receipts_at_once() {
    let mut options = Options::default();
    options.limits.early_hold = 3_600 * SECOND;
    let mut world = World::start(options);
    for (message, id) in [("a", &b"abcd01"[..]), ("b", b"abcd02"), ("c", b"abcd03")] {
        world.submit(message, "hi", &[id]).await;
    }
    let hidden = |id: u32| {
        let text = format!("id:{id} sub:001 dlvrd:001 stat:DELIVRD err:000");
        deliver_sm("99999999", 0x04, 0, text.as_bytes(), &[])
    };
    assert_eq!(world.deliver(hidden(0x00AB_CD01)).await, 0);
    world.pass(SECOND).await;
    assert_eq!((world.got.reports("a"), world.counted("held")), (vec![], 1), "it may be another's");
    assert_eq!(world.deliver(says(&0x00AB_CD02.to_string(), "DELIVRD")).await, 0);
    world.pass(SECOND).await;
    assert_eq!((world.got.reports("b"), world.got.reports("a")), (vec!["delivered"], vec!["delivered"]));
    assert_eq!(world.deliver(hidden(0x00AB_CD03)).await, 0);
    world.pass(SECOND).await;
    assert_eq!(world.got.reports("c"), ["delivered"], "the form is known");
}

/// The id of a held receipt may come after the form was learned, from either side.
#[tokio::test(start_paused = true)]
async fn a_learned_form_counts_for_held_receipts_whose_id_comes_later() {
    for (teaches, taught, response, in_receipt) in
        [(&b"15"[..], "f", &b"16"[..], "00000010"), (b"0000000F", "15", b"00000010", "0000000016")]
    {
        for stats in [&["DELIVRD"][..], &["DELIVRD", "UNDELIV"], &["ENROUTE", "DELIVRD"]] {
            let mut options = Options::default();
            options.limits.early_hold = 3_600 * SECOND;
            let mut world = World::start(options);
            for stat in stats {
                assert_eq!(world.deliver(says(in_receipt, stat)).await, 0);
            }
            world.submit("a", "hi", &[teaches]).await;
            assert_eq!(world.deliver(says(taught, "DELIVRD")).await, 0);
            world.pass(SECOND).await;
            assert_eq!(world.got.reports("a"), ["delivered"]);
            world.submit("b", "hi", &[response]).await;
            world.pass(2 * SECOND).await;
            assert_eq!(world.got.reports("b").last(), Some(&"delivered"), "{in_receipt} {stats:?}");
            assert!(!world.got.reports("b").contains(&"failed"), "{in_receipt} {stats:?}");
            assert_eq!(world.store.held(Duration::ZERO).await.map(|held| held.len()), Ok(0), "{in_receipt} {stats:?}");
        }
    }
}

/// The store fails for a while at any point after the submit whose id the receipt waits for.
#[tokio::test(start_paused = true)]
async fn a_held_receipt_is_reported_once_although_the_store_fails() {
    const TICK: Duration = Duration::from_millis(5);
    for (ticks, failing) in (0..40).flat_map(|ticks| [(ticks, Answers::Refuses), (ticks, Answers::Never)]) {
        let mut options = Options::default();
        options.limits.early_hold = 3_600 * SECOND;
        let mut world = World::start(options);
        let Store::Memory(store) = world.store.clone() else { unreachable!() };
        store.answer(Answers::After(2 * TICK));
        assert_eq!(world.deliver(says("1", "DELIVRD")).await, 0);
        world.put("m", TO, "hi", &[b"1"]);
        world.pass(ticks * TICK).await;
        store.answer(failing);
        world.pass(3 * SECOND).await;
        store.answer(Answers::AtOnce);
        world.pass(5 * SECOND).await;
        assert_eq!(world.got.reports("m"), ["delivered"], "{failing:?} after {ticks} ticks");
    }
}

/// The store fails for a while at any point of the receipt from which the form is learned.
#[tokio::test(start_paused = true)]
async fn a_learned_form_counts_for_held_receipts_once_the_store_is_back() {
    const TICK: Duration = Duration::from_millis(5);
    for (ticks, failing) in (0..40).flat_map(|ticks| [(ticks, Answers::Refuses), (ticks, Answers::Never)]) {
        let mut options = Options::default();
        options.limits.early_hold = 3_600 * SECOND;
        let mut world = World::start(options);
        world.submit("a", "hi", &[b"abcd01"]).await;
        world.submit("b", "hi", &[b"abcd02"]).await;
        let hidden = format!("id:{} sub:001 dlvrd:001 stat:DELIVRD err:000", 0x00AB_CD01);
        assert_eq!(world.deliver(deliver_sm("99999999", 0x04, 0, hidden.as_bytes(), &[])).await, 0);
        let Store::Memory(store) = world.store.clone() else { unreachable!() };
        store.answer(Answers::After(2 * TICK));
        let answer = world.send(says(&0x00AB_CD02.to_string(), "DELIVRD")).await;
        world.pass(ticks * TICK).await;
        store.answer(failing);
        world.pass(3 * SECOND).await;
        store.answer(Answers::AtOnce);
        if answer.await != Ok(0) {
            assert_eq!(world.deliver(says(&0x00AB_CD02.to_string(), "DELIVRD")).await, 0);
        }
        world.pass(3 * SECOND).await;
        let reports = (world.got.reports("b"), world.got.reports("a"));
        assert_eq!(reports, (vec!["delivered"], vec!["delivered"]), "{failing:?} after {ticks} ticks");
    }
}

#[tokio::test(start_paused = true)]
async fn a_form_that_is_configured_needs_no_address() {
    for (forms, response, in_receipt) in [
        (IdForms::DecimalReceipts, &b"ABCD01"[..], "11259137"),
        (IdForms::HexReceipts, b"11259137", "00ABCD01"),
        (IdForms::HexStringReceipts, b"T1-x", "54312D78"),
        (IdForms::HexStringResponses, b"54312D78", "T1-x"),
        (IdForms::AsIs, b"00ABCD-01", "abcd01"),
    ] {
        let mut options = Options::default();
        options.config.inbound.id_forms = forms;
        let mut world = World::start(options);
        world.submit("m", "hi", &[response]).await;
        let text = format!("id:{in_receipt} stat:DELIVRD");
        assert_eq!(world.deliver(deliver_sm("", 0x04, 0, text.as_bytes(), &[])).await, 0);
        world.pass(Duration::from_millis(100)).await;
        assert_eq!(world.got.reports("m"), ["delivered"], "{forms:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn details_of_receipts_and_ids_of_messages_reach_the_application() {
    let mut options = Options::default();
    options.config.inbound.tlvs = TlvSelection::Tags(vec![TlvTag(0x1402)]);
    let mut world = World::start(options);
    world.submit("m", "hi", &[b"SMSC-4711"]).await;
    let text =
        b"id:SMSC-4711 sub:001 dlvrd:000 submit date:2601010101 done date:1795000000 stat:UNDELIV err:021 text:hi";
    let tlvs: [(u16, &[u8]); 6] = [
        (0x423, b"\x03\x00\x15"),
        (0x1401, b"\x27\x0f"),
        (0x1402, b"MTN\0"),
        (0x1E, b"SMSC-4711\0"),
        (0x427, b"\x05"),
        (0x204, b"\x01\x02"),
    ];
    world.deliver(deliver_sm(TO, 0x04, 0, text, &tlvs)).await;
    world.pass(SECOND).await;
    let report = world.got.reports_of("m").next().unwrap();
    let expected = json!({
        "smpp_delivery_status": "UNDELIVERABLE",
        "smpp": {
            "message_id": "SMSC-4711",
            "stat": "UNDELIV",
            "message_state": 5,
            "error": "021",
            "network_error": {"type": 3, "code": 21},
            "submit_date": "2601010101",
            "submit_date_iso": "2026-01-01T01:01:00",
            "done_date": "1795000000",
            "done_date_iso": "2026-11-18T11:06:40Z",
            "submitted": 1,
            "delivered": 0,
            "user_message_reference": 258,
            "tlvs": [{"tag": "0x1402", "value_hex": "4d544e00"}],
        },
    });
    assert_eq!(report["transport_metadata"], expected);
    assert_eq!(world.got.events[0]["transport_metadata"], json!({"smpp": {"message_ids": ["SMSC-4711"]}}));
    let mut world = in_parts(None);
    world.submit("m", &long(), &[b"T1", b"", b"T3"]).await;
    assert_eq!(world.got.events[0]["transport_metadata"]["smpp"]["message_ids"], json!(["T1", null, "T3"]));
}

#[tokio::test(start_paused = true)]
async fn acknowledgements_of_handsets_are_reports_if_they_were_asked_for() {
    for (asked, esm_class, text, tlvs, reports, texts) in [
        (true, 0x08, "", &[(0x1E, &b"1\0"[..])][..], &["delivered"][..], &[][..]),
        (true, 0x10, "thanks", &[(0x1E, b"1\0")], &["delivered"], &[]),
        (true, 0x08, "id:1", &[], &["delivered"], &[]),
        (true, 0x08, "id:1 stat:UNDELIV", &[], &["failed"], &[]),
        (true, 0x10, "thanks", &[], &[], &["thanks"]),
        (false, 0x08, "id:1 stat:DELIVRD", &[], &["delivered"], &[]),
        (false, 0x10, "id:1 stat:DELIVRD", &[], &["delivered"], &[]),
        (false, 0x08, "id:1", &[], &[], &["id:1"]),
        (false, 0x10, "thanks", &[(0x1E, b"1\0")], &[], &["thanks"]),
        (false, 0x18, "id:1 stat:DELIVRD", &[], &[], &["id:1 stat:DELIVRD"]),
        (false, 0x00, "id:1 stat:DELIVRD", &[], &[], &["id:1 stat:DELIVRD"]),
    ] {
        let mut options = Options::default();
        options.config.inbound.sme_acks = asked;
        let mut world = World::start(options);
        world.submit("m", "hi", &[b"1"]).await;
        world.deliver(deliver_sm(TO, esm_class, 0, text.as_bytes(), tlvs)).await;
        world.pass(SECOND).await;
        assert_eq!(world.got.reports("m"), reports, "{esm_class:#x} {text:?} {asked}");
        assert_eq!(world.got.texts(), texts, "{esm_class:#x} {text:?} {asked}");
    }
}
