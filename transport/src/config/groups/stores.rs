//! What must be known later: where it is kept, and for how long.

use std::time::Duration;

use crate::config::kind::{names, number, secret_url, text, time};
use crate::config::option::{Nested, options};
use crate::config::secret::Secret;

/// Where something is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum StoreClass {
    /// In memory: gone with the process.
    Memory,
    /// In a file under `data_dir`.
    Embedded,
    /// In Redis: several processes share it.
    Redis,
}

options! {
    /// What must be known later.
    pub struct Stores {
        /// The ids of messages, and the parts of long ones.
        cache: Cache = Cache::default(), Nested;
        /// The numbers of PDUs, and the references of long messages.
        sequencer: Sequencer = Sequencer::default(), Nested;
        /// Where Redis is, for what is kept there.
        redis_url: Option<Secret> = None, secret_url(&["redis", "rediss", "redis+unix", "unix"]).optional();
        /// What comes before each of our keys in Redis. Transports of the same account with the same prefix share what they
        /// know: a receipt may come to either.
        redis_prefix: String = "smpp".to_owned(), text(1..=200);
    }
}

options! {
    /// The ids of messages, for their receipts, and the parts of long ones. vumi2 has this under `smpp_cache_class` and
    /// `smpp_cache_config`, which are read as well.
    pub struct Cache {
        /// Where. In memory, what is known is gone with the process: receipts that come later find no message. Redis is for
        /// several processes with one account.
        class: StoreClass = StoreClass::Memory, names(&[
            ("memory", StoreClass::Memory),
            ("vumi2.transports.smpp.smpp_cache.InMemorySmppCache", StoreClass::Memory),
            ("embedded", StoreClass::Embedded),
            ("redis", StoreClass::Redis),
        ]);
        /// How long to know the ids of messages: receipts that come later find none. Some SMSCs try for a week.
        timeout: Duration = Duration::from_secs(86_400), time(Duration::from_secs(1), Duration::from_secs(365 * 86_400));
        /// How many ids to know; beyond it the oldest are forgotten.
        ids_max: u32 = 1_000_000, number(1..=1_000_000_000);
    }
}

options! {
    /// The numbers of PDUs, and the references of long messages. vumi2 has this under `sequencer_class`, which is read as
    /// well.
    pub struct Sequencer {
        /// Where. In memory, references begin anew with the process; Redis is for several processes with one account.
        class: StoreClass = StoreClass::Memory, names(&[
            ("memory", StoreClass::Memory),
            ("vumi2.transports.smpp.sequencers.InMemorySequencer", StoreClass::Memory),
            ("embedded", StoreClass::Embedded),
            ("redis", StoreClass::Redis),
        ]);
    }
}
