//! The transports of a run: how each is set up, what it is given to send, and what handsets send to it.

use std::time::Duration;

use rand::seq::IndexedRandom;
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};
use smpp_transport::env::Seed;
use smpp_transport::session::SEQUENCE_MAX;
use smpp_transport::text::{self, Repertoire, choose, split};
use smsc_sim::mo::Multipart;

use super::brief::{brief, is_one, is_plain, one};
use super::{Kind, Profile, QueueFull, Resend, Smsc, Switch};

/// The longest pause after the SMSC has said that it is too fast.
pub const THROTTLE_MAX_MS: u64 = 1_000;
/// The first of these pauses.
pub const THROTTLE_DELAY_MS: u64 = 100;
/// Wait before a refusal is tried again.
pub const RETRY_DELAY_MS: u64 = 300;

/// One transport: a bus, a store, and one or more processes between them and the SMSC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transport {
    /// Which account it binds as, from 0. No two transports have the same, nor has a client.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub account: usize,
    /// Processes that share its bus and its store; more than one only with [`Keeps::Shared`].
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub processes: usize,
    /// The SMSCs that it tries, from 0, in this order; empty is all in theirs. Its second process begins with the second.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub hosts: Vec<usize>,
    /// What each process binds.
    pub links: Vec<Kind>,
    /// Submits of one session that may be outstanding.
    pub window: usize,
    /// The first sequence number of each session.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub sequence_start: u32,
    /// Messages that a process takes from the bus at once.
    pub messages_max: usize,
    /// Where its bus and its store are.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub keeps: Keeps,
    /// How long its disk takes to sync.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub sync_ms: u64,
    /// What it is told to do.
    #[serde(default, serialize_with = "brief", skip_serializing_if = "is_plain")]
    pub options: Options,
    /// What its bus does wrong.
    #[serde(default, serialize_with = "brief", skip_serializing_if = "is_plain")]
    pub bus: BusFaults,
    /// What it is given to send.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub messages: Vec<Text>,
    /// What handsets send to it.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub handsets: Vec<Handset>,
}

/// Where a transport's bus and store are.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keeps {
    /// The bus is a broker's, which outlives the transport; the store is gone with the process.
    #[default]
    Nothing,
    /// The bus is a broker's, and the store a server's: both outlive the transport, and several processes share them.
    Shared,
    /// Both are in a file on the transport's own disk.
    File,
}

/// What a transport is told to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Whether what may have been sent is sent again; else it is refused.
    pub resend_unknown: bool,
    /// Which messages wait for others.
    pub keep_order: Order,
    /// How long texts are sent.
    pub parts: Parts,
    /// Whether receipts are asked for.
    pub receipts: bool,
    /// Whether each part is reported by itself.
    pub report_parts: bool,
    /// How ids of responses and receipts are compared.
    pub ids: Ids,
    /// How many submits may go in a second.
    pub rate: Option<u32>,
    /// How often refusals by ESME_RSYSERR and ESME_RSUBMITFAIL are tried again.
    pub retries: u32,
    /// How long after its first failure a message is tried again.
    pub retry_max_age_ms: u64,
    /// How long a shutdown may take.
    pub shutdown_timeout_ms: u64,
    /// How long receipts wait for their message's id.
    pub early_hold_ms: u64,
    /// How long messages wait for missing parts.
    pub join_expiry_ms: u64,
    /// How long what the SMSC has sent may wait for bus and store.
    pub inbound_timeout_ms: u64,
    /// Resends of parts whose outcome is unknown.
    pub resend: Resend,
    /// Resends to a destination whose queue is full.
    pub full: Resend,
    /// Reach of a full queue.
    pub queue_full: QueueFull,
    /// Whether the rate that the SMSC accepts is estimated and kept to once it has throttled.
    pub adapt: bool,
    /// Time from the first final receipt of a message in parts to its report, at the latest.
    pub aggregate_timeout_ms: u64,
    /// Age at which a message that was not submitted yet is refused; `None` is no limit.
    pub message_max_age_ms: Option<u64>,
    /// Time without a bound session after which messages are given back to the bus; `None` keeps them.
    pub unbound_grace_ms: Option<u64>,
    /// Validity of messages, which counts from when the bus had them; `None` gives them none.
    pub validity_s: Option<u64>,
    /// Receipts that may wait for the ids of their messages, all together; `None` is as many as usual.
    pub early_max: Option<usize>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            resend_unknown: true,
            keep_order: Order::None,
            parts: Parts::Udh8,
            receipts: false,
            report_parts: false,
            ids: Ids::AsIs,
            rate: None,
            retries: 0,
            retry_max_age_ms: 20_000,
            shutdown_timeout_ms: 2_000,
            early_hold_ms: 4_000,
            join_expiry_ms: 6_000,
            inbound_timeout_ms: 2_000,
            resend: Resend::default(),
            full: Resend::default(),
            queue_full: QueueFull::Destination,
            adapt: false,
            aggregate_timeout_ms: 5_000,
            message_max_age_ms: None,
            unbound_grace_ms: Some(5_000),
            validity_s: None,
            early_max: None,
        }
    }
}

/// Which messages wait for others.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the configuration's words")]
pub enum Order {
    #[default]
    None,
    PerDestination,
    Strict,
}

/// How long texts are sent.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the configuration's words")]
pub enum Parts {
    #[default]
    Udh8,
    Udh16,
    Sar,
    Payload,
}

/// How ids of responses and receipts are compared.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the configuration's words")]
pub enum Ids {
    #[default]
    AsIs,
    Auto,
    DecimalReceipts,
    HexReceipts,
}

/// What a bus does wrong. Chances are 0 to 1, drawn anew for each publication.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BusFaults {
    /// The chance that it refuses.
    pub refuse: f64,
    /// The chance that it stores, and its confirmation is lost.
    pub unconfirmed: f64,
    /// How long it takes, at most.
    pub delay_ms: u64,
}

/// A text that is put on the bus.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Text {
    /// When.
    pub at_ms: u64,
    /// Written so.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub script: Script,
    /// So long, in characters; what says whose it is goes before what follows.
    pub characters: usize,
    /// To a destination that others may have too, of its transport's by number; none is one of its own. Not of handsets.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub to: Option<u16>,
    /// What the application does wrong. Not of handsets.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub wrong: Option<WrongText>,
}

/// What an application does wrong with a text.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WrongText {
    /// What it puts on the bus is no message.
    NoMessage,
    /// Its destination is longer than an address can be.
    Destination,
}

/// Characters of a text.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Script {
    /// In the default alphabet, an octet each.
    #[default]
    Plain,
    /// Some of the alphabet's extension, two octets each.
    Extended,
    /// UCS-2.
    Cyrillic,
    /// UTF-16 with surrogates.
    Emoji,
}

/// A text that a handset sends.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Handset {
    /// What it sends and when, at the earliest: an SMSC that is down gets it later.
    pub text: Text,
    /// How, if it is long.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub multipart: Multipart,
    /// In which order, if it is long.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub sequence: Sequence,
    /// The reference of its parts, which others may have too; without one the SMSC counts them.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub reference: Option<u16>,
    /// As data_sm.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub data_sm: bool,
}

/// In which order parts are sent.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sequence {
    /// First to last.
    #[default]
    Forward,
    /// Last to first.
    Backward,
    /// Each two times.
    Doubled,
    /// The second first, and so on.
    Shuffled,
    /// The first never.
    Headless,
    /// The one in the middle never, and the second is the middle of two.
    Holed,
    /// The last never.
    Tailless,
}

impl Sequence {
    fn order(self, count: u8) -> Vec<u8> {
        let without = |missing: u8| (1..=count).filter(|part| *part != missing).collect();
        match self {
            Sequence::Forward => Vec::new(),
            Sequence::Backward => (1..=count).rev().collect(),
            Sequence::Doubled => (1..=count).flat_map(|part| [part, part]).collect(),
            Sequence::Shuffled => (1..=count).filter(|part| part % 2 == 0).chain((1..=count).step_by(2)).collect(),
            Sequence::Headless => without(1),
            Sequence::Holed => without(count / 2 + 1),
            Sequence::Tailless => without(count),
        }
    }
}

impl Script {
    /// So many characters, of which the first say `whose` they are.
    #[must_use]
    pub fn write(self, whose: &str, characters: usize) -> String {
        let alphabet = match self {
            Script::Plain => "abcdefghijklmnopqrstuvwxyz",
            Script::Extended => "ab{c}d[e]f~g^h|i€j",
            Script::Cyrillic => "абвгдежзиклмнопрстуфхцчшщ",
            Script::Emoji => "a😀b🚀c🎉de",
        };
        whose.chars().chain(alphabet.chars().cycle().take(characters.saturating_sub(whose.chars().count()))).collect()
    }
}

impl Handset {
    /// The numbers of the parts of this text in the order in which they are sent; none where that is simply all.
    #[must_use]
    pub fn parts(&self, text: &str) -> Vec<u8> {
        let multipart = match self.multipart {
            Multipart::Udh8 => text::Multipart::Udh8 { reference: 0 },
            Multipart::Udh16 => text::Multipart::Udh16 { reference: 0 },
            Multipart::Sar => text::Multipart::Sar { reference: 0 },
            Multipart::Payload | Multipart::None => return Vec::new(),
        };
        let parts = split(text, choose(text, &Repertoire::default()).charset, multipart).unwrap_or_default();
        match u8::try_from(parts.len()) {
            Ok(count @ 2..) => self.sequence.order(count),
            _ => Vec::new(),
        }
    }
}

impl Transport {
    /// None in a quarter of all plans, where clients without a transport have the SMSC for themselves.
    pub(super) fn draw_all(streams: Seed, profile: Profile, first_account: usize, smsc: &Smsc) -> Vec<Transport> {
        let mut rng = streams.stream("transports", 0);
        let count = *[0, 1, 1, 2].choose(&mut rng).expect("there are four");
        (0..count).map(|number| Transport::draw(streams, number, profile, first_account, smsc)).collect()
    }

    fn draw(streams: Seed, number: usize, profile: Profile, first_account: usize, smsc: &Smsc) -> Transport {
        let mut rng = streams.stream("transport", number as u64);
        let keeps =
            *[Keeps::Nothing, Keeps::Shared, Keeps::File, Keeps::File].choose(&mut rng).expect("there are four");
        let shares = rng.random_bool(0.5);
        let links = match rng.random_range(0..4) {
            0 => vec![Kind::Transmitter, Kind::Receiver],
            1 => vec![Kind::Transceiver, Kind::Transceiver],
            _ => vec![Kind::Transceiver],
        };
        let sequence_start = if rng.random_bool(0.5) { 1 } else { SEQUENCE_MAX - rng.random_range(0..30) };
        let mut switch = Switch::numbered(streams, "bus", number, profile);
        let (refuse, unconfirmed) = (switch.chance(0.3), switch.chance(0.3));
        let delay_ms = switch.one_of(&[5, 100, 700]).unwrap_or(0);
        let mut messages = Text::draw_all(&mut streams.stream("texts", number as u64));
        Text::share_destinations(&mut messages, &mut streams.stream("destinations", number as u64));
        Text::do_wrong(&mut messages, &mut streams.stream("wrong texts", number as u64), profile);
        let sync_ms = Switch::numbered(streams, "disk", number, profile).one_of(&[2, 2, 4, 10, 40]).unwrap_or(0);
        Transport {
            account: first_account + number,
            processes: if keeps == Keeps::Shared && shares { 2 } else { 1 },
            hosts: Vec::new(),
            links,
            window: *[1, 2, 10, 50].choose(&mut rng).expect("there are four"),
            sequence_start,
            messages_max: *[1, 2, 20, 100].choose(&mut rng).expect("there are four"),
            keeps,
            sync_ms: if keeps == Keeps::File { sync_ms } else { 0 },
            options: Options::draw(&mut rng, smsc)
                .with_policies(&mut streams.stream("transport policies", number as u64))
                .with_limits(&mut streams.stream("transport limits", number as u64)),
            bus: BusFaults { refuse, unconfirmed, delay_ms },
            messages,
            handsets: Handset::draw_all(
                &mut streams.stream("handsets", number as u64),
                &mut streams.stream("references", number as u64),
            ),
        }
    }

    /// Makes what goes in one piece no longer than this.
    pub(super) fn spare_octets(&mut self, octets: usize) {
        // Two octets a character, at most.
        let short = |text: &mut Text| text.characters = text.characters.min(octets / 2);
        if self.options.parts == Parts::Payload {
            self.messages.iter_mut().for_each(short);
        }
        let whole = self.handsets.iter_mut().filter(|handset| handset.multipart == Multipart::Payload);
        whole.for_each(|handset| short(&mut handset.text));
    }

    /// When something is put on the bus or sent by a handset.
    pub(super) fn times(&self) -> impl Iterator<Item = u64> {
        let texts = self.messages.iter().chain(self.handsets.iter().map(|handset| &handset.text));
        texts.map(|text| text.at_ms)
    }

    /// Submits that its messages need, each sent as often as is likely.
    pub(super) fn submits_max(&self) -> usize {
        let parts: usize = self.messages.iter().map(|text| 1 + text.characters / 60).sum();
        parts * (2 + self.options.retries as usize)
    }

    /// The longest that its own waits put off its end: pauses, a rate, deliveries that wait for the bus, and tries, of which
    /// `unanswered_ms` is the longest that one takes that comes to nothing, where that is to be expected.
    pub(super) fn waits_max_ms(&self, unanswered_ms: Option<u64>) -> u64 {
        let submits = self.submits_max() as u64;
        // One after the other, at worst; a part that is accepted gives the next one as long.
        let age_ms = self.options.retry_max_age_ms + self.options.resends_ms();
        let each = |unanswered_ms| submits * (age_ms + 2 * unanswered_ms);
        let tried = unanswered_ms.map_or(self.messages.len() as u64 * age_ms, each);
        self.waits_in_peace_max_ms() + tried + submits * THROTTLE_MAX_MS
    }

    /// The same where all that is submitted is accepted: what was refused before is tried again once.
    pub(super) fn waits_in_peace_max_ms(&self) -> u64 {
        let submits = self.submits_max() as u64;
        let paced = self.options.rate.map_or(0, |rate| 1_000 * submits / u64::from(rate));
        let stored = submits * (2 * self.bus.delay_ms + 10 * self.sync_ms);
        let again = THROTTLE_MAX_MS + self.options.retry_max_age_ms + self.options.resends_ms();
        paced + stored + again + self.options.shutdown_timeout_ms
    }

    /// How long after the end of all else something may still be due: what is held back is given up, and held on for as long
    /// as an early receipt if whoever was to tell of it has died.
    #[must_use]
    pub fn held_max(&self) -> Duration {
        let Options { early_hold_ms, join_expiry_ms, aggregate_timeout_ms, .. } = self.options;
        let held_ms = early_hold_ms.max(join_expiry_ms).max(aggregate_timeout_ms);
        Duration::from_millis(held_ms + early_hold_ms + 2_000)
    }
}

impl Options {
    fn draw(rng: &mut impl Rng, smsc: &Smsc) -> Options {
        Options {
            resend_unknown: rng.random_bool(0.7),
            keep_order: *[Order::None, Order::PerDestination, Order::PerDestination, Order::Strict]
                .choose(rng)
                .expect("there are four"),
            parts: *[Parts::Udh8, Parts::Udh16, Parts::Sar, Parts::Payload].choose(rng).expect("there are four"),
            receipts: rng.random_bool(0.8),
            report_parts: rng.random_bool(0.3),
            ids: Ids::of(&smsc.policy),
            rate: rng.random_bool(0.2).then(|| rng.random_range(10..60)),
            retries: *[0, 0, 1, 3].choose(rng).expect("there are four"),
            retry_max_age_ms: rng.random_range(2_000..20_000),
            shutdown_timeout_ms: rng.random_range(200..4_000),
            early_hold_ms: rng.random_range(2_000..8_000),
            join_expiry_ms: rng.random_range(3_000..9_000),
            inbound_timeout_ms: rng.random_range(500..5_000),
            ..Options::default()
        }
    }

    /// Draws what later came to be told, from a stream of its own.
    fn with_policies(self, rng: &mut impl Rng) -> Options {
        let (grace_ms, max_age_ms) = (rng.random_range(0..4_000), rng.random_range(1_000..8_000));
        Options {
            resend: Resend::draw(rng),
            full: Resend::draw(rng),
            queue_full: if rng.random_bool(0.8) { QueueFull::Destination } else { QueueFull::Link },
            adapt: rng.random_bool(0.4),
            aggregate_timeout_ms: rng.random_range(1_500..6_000),
            message_max_age_ms: rng.random_bool(0.2).then_some(max_age_ms),
            unbound_grace_ms: rng.random_bool(0.8).then_some(grace_ms),
            ..self
        }
    }

    /// Draws a validity, how many receipts may wait, and times for the receipts of further parts that are shorter than a
    /// message in parts may take.
    fn with_limits(self, rng: &mut impl Rng) -> Options {
        let (validity_s, early_max) = (rng.random_range(8..60), rng.random_range(1..4));
        let validity_s = rng.random_bool(0.2).then_some(validity_s);
        let early_max = rng.random_bool(0.2).then_some(early_max);
        let aggregate_timeout_ms = rng.random_range(50..1_000);
        let is_short = rng.random_bool(0.25);
        let aggregate_timeout_ms = if is_short { aggregate_timeout_ms } else { self.aggregate_timeout_ms };
        Options { validity_s, early_max, aggregate_timeout_ms, ..self }
    }

    /// Age at which a message that was not submitted yet is refused, if there is one.
    #[must_use]
    pub fn age_max_ms(&self) -> Option<u64> {
        let validity_ms = self.validity_s.map(|seconds| 1_000 * seconds);
        self.message_max_age_ms.into_iter().chain(validity_ms).min()
    }

    /// Longest that resends of one part wait, all together.
    fn resends_ms(&self) -> u64 {
        self.resend.waits_ms() + self.full.waits_ms()
    }
}

/// Characters at which the number of parts changes, of texts whose characters have one width; and one more.
const EDGES: [usize; 16] = [69, 70, 71, 134, 135, 153, 159, 160, 161, 201, 202, 268, 306, 307, 459, 460];
/// The chance of a text of as many parts as there can be.
const LONGEST: f64 = 0.015;

impl Text {
    fn draw(rng: &mut impl Rng, at_ms: u64) -> Text {
        let script = *[Script::Plain, Script::Plain, Script::Extended, Script::Cyrillic, Script::Emoji]
            .choose(rng)
            .expect("there are five");
        let characters = match rng.random_range(0..20) {
            0 => *EDGES.choose(rng).expect("there are some"),
            1..4 => rng.random_range(160..700),
            _ => rng.random_range(10..60),
        };
        Text { at_ms, script, characters, to: None, wrong: None }
    }

    /// One of as many parts as there can be, or nearly, or of one more.
    fn draw_longest(rng: &mut impl Rng, at_ms: u64) -> Text {
        let (script, each) = *[(Script::Plain, 153), (Script::Cyrillic, 67)].choose(rng).expect("there are two");
        let characters = *[254 * each, 255 * each, 255 * each + 1].choose(rng).expect("there are three");
        Text { at_ms, script, characters, to: None, wrong: None }
    }

    /// No longer than what parts have room for, whatever their header.
    fn as_parts(self) -> Text {
        let each = if self.script == Script::Plain { 152 } else { 66 };
        Text { characters: self.characters.min(255 * each), ..self }
    }

    fn draw_all(rng: &mut impl Rng) -> Vec<Text> {
        let mut texts = Vec::new();
        for _ in 0..rng.random_range(0..8) {
            let at_ms = rng.random_range(0..6_000);
            let count = if rng.random_bool(0.4) { rng.random_range(2..12) } else { 1 };
            texts.extend((0..count).map(|_| Text::draw(rng, at_ms)));
        }
        if rng.random_bool(LONGEST) {
            let at_ms = rng.random_range(0..6_000);
            texts.push(Text::draw_longest(rng, at_ms));
        }
        texts.sort_by_key(|text| text.at_ms);
        texts
    }

    /// Where something goes wrong at all, some applications get some messages wrong.
    fn do_wrong(texts: &mut [Text], rng: &mut impl Rng, profile: Profile) {
        let drawn = *[0.0, 0.0, 0.1, 0.3].choose(rng).expect("there are four");
        let chance = if profile == Profile::Calm { 0.0 } else { drawn };
        for text in texts {
            let wrong = [WrongText::NoMessage, WrongText::Destination].choose(rng).copied();
            text.wrong = wrong.filter(|_| rng.random_bool(chance));
        }
    }

    /// Half of the transports send some of their messages to a destination or two that others of theirs have.
    fn share_destinations(texts: &mut [Text], rng: &mut impl Rng) {
        let share = *[0.0, 0.0, 0.3, 0.9].choose(rng).expect("there are four");
        let destinations = rng.random_range(1..=2);
        for text in texts {
            let to = rng.random_range(0..destinations);
            text.to = rng.random_bool(share).then_some(to);
        }
    }
}

impl Handset {
    fn draw_all(rng: &mut impl Rng, references: &mut impl Rng) -> Vec<Handset> {
        let styles = [Multipart::Udh8, Multipart::Udh8, Multipart::Udh16, Multipart::Sar, Multipart::Payload];
        let sequences = [
            Sequence::Forward,
            Sequence::Forward,
            Sequence::Backward,
            Sequence::Doubled,
            Sequence::Shuffled,
            Sequence::Headless,
            Sequence::Holed,
            Sequence::Tailless,
        ];
        let share = *[0.0, 0.0, 0.5, 1.0].choose(references).expect("there are four");
        let mut handsets: Vec<_> = (0..rng.random_range(0..8))
            .map(|_| {
                let at_ms = rng.random_range(0..6_000);
                let longest = rng.random_bool(LONGEST / 4.0);
                // The same in eight bits and in sixteen.
                let reference = references.random_range(1..3);
                Handset {
                    text: if longest { Text::draw_longest(rng, at_ms).as_parts() } else { Text::draw(rng, at_ms) },
                    multipart: *styles.choose(rng).expect("there are five"),
                    sequence: *sequences.choose(rng).expect("there are eight"),
                    reference: references.random_bool(share).then_some(reference),
                    data_sm: rng.random_bool(0.15),
                }
            })
            .collect();
        handsets.sort_by_key(|handset| handset.text.at_ms);
        handsets
    }
}
