//! What ESMEs do beyond submitting: accounts that they share, addresses that they serve, what they ask of messages, how
//! they answer. Each drawn from a stream of its own.

use rand::RngExt;
use rand::seq::IndexedRandom;
use smpp_transport::env::Seed;

use super::{Client, Kind, Message, Profile, Switch};
use crate::app::source;

pub(super) fn vary(clients: &mut [Client], streams: Seed, profile: Profile) {
    share_accounts(clients, streams);
    serve_addresses(clients, streams, profile);
    for (number, client) in clients.iter_mut().enumerate() {
        let mut rng = streams.stream("asked", number as u64);
        client.messages.iter_mut().for_each(|message| message.ask(&mut rng));
    }
    let mut switch = Switch::new(streams, "lives", profile);
    for client in &mut *clients {
        let (limited, asked) = (switch.chance(0.4), switch.chance(0.5));
        client.messages.iter_mut().for_each(|message| message.vary(&mut switch.rng, limited, asked));
    }
    let mut switch = Switch::new(streams, "refusals", profile);
    for client in clients {
        client.refuse_for_now = switch.chance(0.5);
        client.refuse_for_good = switch.chance(0.2);
    }
}

/// A transmitter and the receiver that comes with it have the same one.
fn share_accounts(clients: &mut [Client], streams: Seed) {
    let mut rng = streams.stream("accounts", 0);
    let mut account = 0;
    for client in clients {
        if client.kind != Kind::Receiver {
            account = usize::from(rng.random_bool(0.3));
        }
        client.account = account;
    }
}

/// Whoever serves only some addresses serves those of its own messages, or of the transmitter that it comes with, and one
/// of each account serves all: nothing waits for ever.
fn serve_addresses(clients: &mut [Client], streams: Seed, profile: Profile) {
    let mut switch = Switch::new(streams, "address ranges", profile);
    for number in 0..clients.len() {
        let own = if clients[number].kind == Kind::Receiver { number - 1 } else { number };
        let ranges = [format!("^{}", source(own)), "^10".to_owned()];
        let account = clients[number].account;
        let is_first = !clients[..number].iter().any(|it| it.account == account && it.kind != Kind::Transmitter);
        let ranges = if is_first { &ranges[1..] } else { &ranges[..] };
        clients[number].address_range = switch.one_of(ranges).unwrap_or_default();
    }
}

impl Message {
    /// Which receipts, and by which operation.
    fn ask(&mut self, rng: &mut impl RngExt) {
        if rng.random_bool(0.4) {
            self.registered_delivery = *[0, 1, 2, 0x10, 0x11, 0x12].choose(rng).expect("there are six");
        }
        self.data_sm = rng.random_bool(0.15);
    }

    /// When it is sent and given up, and what is asked of it after its acceptance.
    fn vary(&mut self, rng: &mut impl RngExt, limited: f64, asked: f64) {
        let (validity_s, schedule_s) = (rng.random_range(1..4), rng.random_range(1..3));
        if rng.random_bool(limited) {
            self.schedule_s = if rng.random_bool(0.5) && !self.data_sm { schedule_s } else { 0 };
            // A message must not be given up before it is sent.
            self.validity_s = if rng.random_bool(0.7) { validity_s + self.schedule_s } else { 0 };
        }
        let (query, cancel) = (rng.random_range(0..3_000), rng.random_range(0..2_000));
        self.query_after_ms = (rng.random_bool(asked)).then_some(query);
        self.cancel_after_ms = (rng.random_bool(asked / 2.0)).then_some(cancel);
    }
}
