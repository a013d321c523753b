//! Full queues of one destination, retries, old messages.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use smpp_transport::outbound::{FullScope, Retry, Validity};
use smpp_transport::pdu::CommandStatus;

use crate::smsc::{Came, Reply, World, message};

const FULL: &str = "27829999999";
const ESME_RMSGQFUL: u32 = 0x14;
const ESME_RTHROTTLED: u32 = 0x58;

fn destinations(others: usize) -> Vec<String> {
    let mut to: Vec<String> = (0..others).map(|number| format!("2782{number:07}")).collect();
    to.insert(0, FULL.to_owned());
    to
}

fn full(came: &Came) -> Reply {
    if came.to == FULL { Reply::Raw(ESME_RMSGQFUL, Vec::new()) } else { Reply::Accept }
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_of_one_destination_delays_nobody_else() {
    for (scope, is_delayed) in [(FullScope::Destination, false), (FullScope::Link, true)] {
        let to = destinations(1_500);
        let to: Vec<&str> = to.iter().map(String::as_str).collect();
        let world = World::new(&to, |setup| setup.config.queue.queue_full.scope = scope, full);
        world.pass(Duration::from_secs(60)).await;
        let came = world.came();
        let last = came.iter().filter(|came| came.to != FULL).map(|came| came.at).max();
        assert_eq!(last > Some(Duration::from_millis(50)), is_delayed, "{scope:?}: {last:?}");
        if !is_delayed {
            let at: Vec<_> = came.iter().filter(|came| came.to == FULL).map(|came| came.at.as_secs()).collect();
            assert_eq!(at, [0, 1, 3, 7, 15]);
            let outcomes = world.outcomes();
            assert_eq!(outcomes[FULL], "Message Queue Full");
            assert_eq!(outcomes.values().filter(|outcome| *outcome == "ack").count(), 1_500);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_retry_for_a_full_queue_or_for_throttling_has_its_effect() {
    for status in [ESME_RMSGQFUL, ESME_RTHROTTLED] {
        for scope in [FullScope::Destination, FullScope::Link] {
            let retry = Retry { count: 1, delay: Duration::from_secs(1) };
            let change = |setup: &mut crate::smsc::Setup| {
                setup.config.queue.queue_full.scope = scope;
                setup.config.queue.retry = BTreeMap::from([(CommandStatus(status), retry)]);
            };
            let world = World::new(&["1"], change, move |_| Reply::Raw(status, Vec::new()));
            world.pass(Duration::from_secs(6)).await;
            assert_eq!(world.tries("1"), 2, "{status:#x} {scope:?}");
            assert_ne!(world.outcomes()["1"], "ack");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_old_message_is_not_sent() {
    for (max, timestamp, is_sent) in [
        (None, "2026-11-21 00:00:00", true),
        (Some(60), "2026-11-22 17:58:00", true),
        (Some(60), "2026-11-22 17:57:56", false),
        (Some(60), "2026-11-21 17:58:56.000001", false),
        (Some(60), "2026-11-22 17:59:56", true),
        (Some(60), "not a time", true),
    ] {
        let max = max.map(Duration::from_secs);
        let world = World::new(&[], |setup| setup.config.queue.message_max_age = max, |_| Reply::Accept);
        world.bus.put(message("1", timestamp).to_string());
        world.pass(Duration::from_secs(5)).await;
        let expected = if is_sent { "ack" } else { "expired before it was sent" };
        assert_eq!(world.outcomes()["1"], expected, "{timestamp}");
        assert_eq!(world.tries("1"), usize::from(is_sent));
    }
}

#[tokio::test(start_paused = true)]
async fn validity_counts_from_acceptance_if_that_is_configured() {
    for (validity, left) in [(Validity::FromSubmit, "000000000100000R"), (Validity::FromAcceptance, "000000000030000R")]
    {
        let world = World::new(&[], |setup| setup.config.queue.validity = validity, |_| Reply::Accept);
        let mut message = message("1", "2026-11-22 17:58:26");
        message["transport_metadata"] = json!({"smpp": {"validity_period": 60}});
        world.bus.put(message.to_string());
        world.pass(Duration::from_secs(5)).await;
        assert_eq!(world.came()[0].sm.validity_period.text(), left);
        message["timestamp"] = "2026-11-22 17:57:56".into();
        message["message_id"] = "2".into();
        world.bus.put(message.to_string());
        world.pass(Duration::from_secs(5)).await;
        let is_sent = validity == Validity::FromSubmit;
        let expected = if is_sent { "ack" } else { "expired before it was sent" };
        assert_eq!(world.outcomes()["2"], expected);
    }
}
