//! What becomes of messages on the way out and on the way in.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::bus::DeliveryStatus;
use crate::config::kind::{at_most, flag, list, map, named, names, never_or, number, text, time};
use crate::config::option::{Nested, options};
use crate::config::record::record;
use crate::config::word::{self, Coding, DataCodingKey, NpiRule, TonRule};
use crate::inbound::{StatusMapping, TlvSelection};
use crate::pdu::{CommandStatus, Npi, RegisteredDelivery, Ton};
use crate::text::{Charset, DefaultAlphabet, Language};

const DAY: Duration = Duration::from_secs(86_400);
const SECOND: Duration = Duration::from_secs(1);

/// The one built-in way of doing it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BuiltIn;

/// How a text that is too long for one short message is sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MultipartHandling {
    /// All of it in `short_message`, up to 254 octets.
    ShortMessage,
    /// All of it in the `message_payload` parameter.
    MessagePayload,
    /// Parts with `sar_*` parameters.
    Sar,
    /// Parts with a user data header, 8-bit reference.
    Udh8,
    /// Parts with a user data header, 16-bit reference.
    Udh16,
}

/// What to do with a text that the charset lacks characters of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnUnencodable {
    /// Report a `nack` that names the character.
    Nack,
    /// Put a question mark in its place.
    Replace,
    /// Put letters that look alike in its place, or a question mark.
    Transliterate,
}

/// What to do with a text that needs more parts than are allowed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnTooManyParts {
    /// Report a `nack`.
    Nack,
    /// Send as many as are allowed, and say so in the log and in the `ack`.
    Truncate,
}

options! {
    /// Messages to the SMSC: how a text becomes submits. vumi2 has this under `submit_sm_processor_config`, which is read as
    /// well.
    pub struct Submit {
        /// Which way of making submits: there is one.
        class: BuiltIn = BuiltIn, names(&[
            ("default", BuiltIn), ("vumi2.transports.smpp.processors.SubmitShortMessageProcessor", BuiltIn),
        ]);
        /// How texts are written. A name is that `data_coding`, always. `auto` takes the smallest that carries the text: the
        /// default alphabet, it with `national_tables`, Latin-1 if `latin1` allows it, else UCS-2.
        data_coding: Coding = Coding::Fixed(crate::pdu::DataCoding::DEFAULT), word::coding();
        /// How to write texts of a fixed `data_coding` that this SMSC means otherwise than the standard.
        data_coding_overrides: BTreeMap<DataCodingKey, Charset> = BTreeMap::new(), map(word::any_coding(), word::charset());
        /// How a text that is too long for one short message is sent: all of it in `short_message` up to 254 octets, which is
        /// vumi2's default, and beyond that a `nack`; all of it in the `message_payload` parameter; or in parts, with `sar_*`
        /// parameters or with a user data header that has a reference of 8 or 16 bits. `multipart_udh16` is the safest choice:
        /// its references come again after 65,536 messages, not after 256.
        multipart_handling: MultipartHandling = MultipartHandling::ShortMessage, names(&[
            ("short_message", MultipartHandling::ShortMessage),
            ("message_payload", MultipartHandling::MessagePayload),
            ("multipart_sar", MultipartHandling::Sar),
            ("multipart_udh", MultipartHandling::Udh8),
            ("multipart_udh16", MultipartHandling::Udh16),
        ]);
        /// How many parts a message may have.
        multipart_max_parts: u8 = 10, number(1..=255);
        /// What to do with a text that needs more: `truncate` leaves its end out, and sends as many parts as there may be, which
        /// are joined to a text that is shorter. The log says so, and so does `smpp_characters_left_out` in the
        /// `transport_metadata` of the `ack`.
        multipart_too_many: OnTooManyParts = OnTooManyParts::Nack,
            names(&[("nack", OnTooManyParts::Nack), ("truncate", OnTooManyParts::Truncate)]);
        /// After how many long messages the references of `multipart_sar` begin anew. Fewer is for SMSCs that read only 8 bits.
        multipart_sar_reference_rollover: u32 = 0x1_0000, number(1..=0x1_0000);
        /// What to do with a text that the charset lacks characters of: report a `nack` that names the first, put `?` in their
        /// places, or letters that look alike. With `data_coding: auto` only `transliterate` has an effect: typographic quotes,
        /// dashes, blanks and the like become plain ones where the text then fits the default alphabet; letters stay as they are.
        /// Combining characters are composed first, whatever is chosen here: `e` and an accent are sent as `é`.
        unencodable: OnUnencodable = OnUnencodable::Nack, names(&[
            ("nack", OnUnencodable::Nack), ("replace", OnUnencodable::Replace), ("transliterate", OnUnencodable::Transliterate),
        ]);
        /// Languages whose GSM tables `auto` may use. Handsets that do not know them show wrong letters.
        national_tables: Vec<Language> = Vec::new(), at_most(13, list(word::language()));
        /// Whether `auto` may use Latin-1. Many handsets lack it.
        latin1: bool = false, flag();
        /// The `service_type` of each submit, if the SMSC wants one.
        service_type: Option<String> = None, text(1..=5).optional();
        /// The type of number of the sender. `AUTO` looks at the address: letters are ALPHANUMERIC, up to 8 digits
        /// NETWORK_SPECIFIC, more digits INTERNATIONAL, and an empty address is UNKNOWN.
        source_addr_ton: TonRule = TonRule::Fixed(Ton::UNKNOWN), word::ton();
        /// The numbering plan of the sender. `AUTO` is ISDN for INTERNATIONAL numbers, else UNKNOWN.
        source_addr_npi: NpiRule = NpiRule::Fixed(Npi::UNKNOWN), word::npi();
        /// The type of number of the receiver. `AUTO` as above, but letters are UNKNOWN. Blanks, dashes, dots, slashes and
        /// parentheses of a written number are not sent: `+27 (82) 000-1001` goes out as `+27820001001`.
        dest_addr_ton: TonRule = TonRule::Fixed(Ton::UNKNOWN), word::ton();
        /// The numbering plan of the receiver.
        dest_addr_npi: NpiRule = NpiRule::Fixed(Npi::ISDN), word::npi();
        /// Whether to take the `+` off addresses.
        address_strip_plus: bool = false, flag();
        /// Sender of messages that have none.
        source_addr: Option<String> = None, text(1..=64).optional();
        /// Whether `submit.source_addr` replaces the senders of messages too.
        source_addr_always: bool = false, flag();
        /// Charset of alphanumeric senders. `gsm0338` cannot write `@`: its code 0 would end the address.
        address_charset: Charset = Charset::Latin1, word::address_charset();
        /// The `esm_class` of each submit, for an SMSC that wants another than 0, such as 3 for store and forward. The bit of a user
        /// data header is added where there is one.
        esm_class: u8 = 0, number(0..=255);
        /// How many characters an address may have; longer ones get a `nack`. The standard allows 20; more is for SMSCs that take
        /// longer ones.
        address_max: u8 = 20, number(1..=64);
        /// Which receipts to ask for.
        registered_delivery: Registered = Registered::default(), Nested;
    }
}

/// Which acknowledgements of the handset are asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SmeAck {
    /// That it has arrived.
    Delivery,
    /// What its owner says.
    Manual,
}

options! {
    /// Which receipts to ask for.
    pub struct Registered {
        /// From the SMSC: none, of each message, of those that fail. Without receipts there are no delivery reports.
        delivery_receipt: RegisteredDelivery = RegisteredDelivery::NONE, names(&[
            ("NO_SMSC_DELIVERY_RECEIPT_REQUESTED", RegisteredDelivery::NONE),
            ("SMSC_DELIVERY_RECEIPT_REQUESTED", RegisteredDelivery::FINAL),
            ("SMSC_DELIVERY_RECEIPT_REQUESTED_FOR_FAILURE", RegisteredDelivery::FAILURE),
        ]);
        /// From the handset. Few networks have it.
        sme_originated_acks: Vec<SmeAck> = Vec::new(), list(names(&[
            ("SME_DELIVERY_ACK_REQUESTED", SmeAck::Delivery), ("SME_MANUAL_ACK_REQUESTED", SmeAck::Manual),
        ]));
        /// Whether a long message asks for receipts of its last part only: for SMSCs that charge or count each receipt.
        last_part_only: bool = false, flag();
        /// From the SMSC while it tries.
        intermediate_notification: bool = false, flag();
    }
}

impl Registered {
    /// The octet of the PDU (§5.2.17).
    #[must_use]
    pub fn octet(&self) -> RegisteredDelivery {
        let acks = self.sme_originated_acks.iter().fold(0, |acks, ack| {
            acks | match ack {
                SmeAck::Delivery => 0x04,
                SmeAck::Manual => 0x08,
            }
        });
        let intermediate = if self.intermediate_notification { RegisteredDelivery::INTERMEDIATE.0 } else { 0 };
        RegisteredDelivery(self.delivery_receipt.0 | acks | intermediate)
    }
}

options! {
    /// What `data_coding` 0 means, in both directions.
    pub struct Alphabet {
        /// What this SMSC means by `data_coding` 0, its default alphabet. Wrong letters in place of `@`, `_` or `€` are a sign that
        /// it is not this one. `gsm0338_packed` has eight characters in seven octets, which few SMSCs want.
        default_alphabet: DefaultAlphabet = DefaultAlphabet::Gsm7, word::default_alphabet();
    }
}

/// What to do with a long message whose parts do not all come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnPartial {
    /// Publish each part that has come, as a message.
    DeliverParts,
    /// Publish what has come as one message, with `[…]` where something is missing.
    DeliverJoined,
    /// Drop it, and say so in the log and the metrics.
    Drop,
}

options! {
    /// Messages from the SMSC. vumi2 has this under `sm_processor_config`, which is read as well, and so is `mo`.
    pub struct Inbound {
        /// Which way of reading messages: there is one.
        class: BuiltIn = BuiltIn,
            names(&[("default", BuiltIn), ("vumi2.transports.smpp.processors.ShortMessageProcessor", BuiltIn)]);
        /// How to read texts whose `data_coding` this SMSC means otherwise than the standard.
        data_coding_overrides: BTreeMap<DataCodingKey, Charset> = BTreeMap::new(), map(word::any_coding(), word::charset());
        /// How long a long message waits for its next part.
        reassembly_timeout: Duration = Duration::from_secs(3_600), time(SECOND, DAY * 7);
        /// How many long messages may be incomplete at once. A part beyond is refused as `error_status` says.
        max_sets: u32 = 10_000, number(1..=10_000_000);
        /// How many octets of text they may have together.
        max_octets: u64 = 64 << 20, number(1_024..=1 << 40);
        /// What to do with a long message whose parts do not all come.
        partial: OnPartial = OnPartial::DeliverParts, names(&[
            ("deliver_parts", OnPartial::DeliverParts),
            ("deliver_joined_with_gap", OnPartial::DeliverJoined),
            ("drop", OnPartial::Drop),
        ]);
        /// How long to remember messages and receipts, so that one that the SMSC sends again because our answer was lost is not
        /// published twice: it is answered like the first. The same is what has the same addresses, content and parameters, but
        /// for its sequence number. Somebody who sends the same text twice within this time is heard once, except in a USSD
        /// dialogue. At most 100,000, and 32 MiB, are remembered, in memory.
        dedupe_window: Option<Duration> = None, never_or(time(SECOND, DAY));
        /// What to tell the SMSC when a message cannot be stored now. With a temporary error it keeps the message, and sends it
        /// again; with others many SMSCs drop it.
        error_status: CommandStatus = CommandStatus::ESME_RX_T_APPN, word::status();
        /// What to tell the SMSC about what can never be read: a receipt that says neither of which message nor what became of it.
        /// With ESME_ROK it is dropped here; with a temporary error it comes again and again.
        undecodable_status: CommandStatus = CommandStatus::ESME_RX_P_APPN, word::status();
        /// Optional parameters of messages and receipts that reach applications, in `transport_metadata.smpp.tlvs`, each as
        /// `{"tag": "0x0204", "name": "user_message_reference", "value_hex": "0001"}`: tags by number or by the name of the
        /// standard, or `all`. message_payload is the text of the message, and is passed on only if it is named.
        tlvs: TlvSelection = TlvSelection::default(), word::tlv_selection();
        /// Whether to take data_sm like deliver_sm; if not, it is refused with ESME_RINVCMDID.
        data_sm: bool = true, flag();
    }
}

/// A sign by which a receipt is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Sign {
    /// It has the parameters `receipted_message_id` and `message_state`.
    Tlv,
    /// Its `esm_class` says so.
    EsmClass,
    /// Its text looks like one. Anybody with a telephone can write such a text.
    Body,
}

/// How an SMSC writes its message ids in one place.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum IdForm {
    /// As it is, but for case and leading zeros.
    AsIs,
    /// In hexadecimal.
    Hex,
    /// In decimal.
    Dec,
    /// The octets of the id in hexadecimal.
    HexString,
    /// Any of these: all are tried.
    Auto,
}

/// What becomes of the receipts of a message in parts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ReceiptsOfParts {
    /// One report: failed when any part has, delivered when all are.
    Aggregate,
    /// One report for each.
    PerPart,
}

/// What to do with a receipt of a message that nobody knows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnUnmatched {
    /// Log it and count it.
    Log,
    /// Publish a report that has the SMSC's id in `transport_metadata` and no message.
    Event,
}

options! {
    /// Receipts from the SMSC. vumi2 has this under `dr_processor_config`, which is read as well, and so is `dlr`.
    pub struct Receipts {
        /// Which way of reading receipts: there is one.
        class: BuiltIn = BuiltIn,
            names(&[("default", BuiltIn), ("vumi2.transports.smpp.processors.DeliveryReportProcesser", BuiltIn)]);
        /// A regular expression that reads the text of a receipt, from its beginning, with the groups `id` and `stat`. None reads
        /// all forms that are known, in any order of fields, which is more than vumi2's expression does; that one is taken, too.
        /// Python's syntax is read, but for look-around and back-references.
        regex: Option<crate::config::pattern::Pattern> = None, crate::config::pattern::pattern().optional();
        /// What the words of the SMSC mean to an application: `pending`, `delivered` or `failed`. What is given replaces all of
        /// the default. A word that is not there is pending.
        status_mapping: BTreeMap<String, DeliveryStatus> = StatusMapping::default().0,
            map(text(1..=65), crate::config::pattern::delivery_status());
        /// By which signs a message is known to be a receipt. With `body`, a text from a handset can pass for one: only for SMSCs
        /// that give no other sign.
        detect: Vec<Sign> = vec![Sign::Tlv, Sign::EsmClass],
            list(names(&[("tlv", Sign::Tlv), ("esm_class", Sign::EsmClass), ("body", Sign::Body)]));
        /// How the SMSC writes its ids.
        id_format: IdFormat = IdFormat::default(), Nested;
        /// How long to keep a receipt whose message nobody knows yet: it can overtake the answer to the submit.
        /// What a process is to tell of when that is over, and of parts that never became whole, another tells of so much
        /// later if it has died.
        early_hold: Duration = Duration::from_secs(30), time(Duration::ZERO, DAY);
        /// Most receipts to keep so. A receipt beyond is refused as `inbound.error_status` says, so that the SMSC sends it again. With
        /// 0 none are kept, and those whose message is not known are unmatched at once.
        early_max: u32 = 10_000, number(0..=10_000_000);
        /// How long to know a message after its final receipt: copies of the receipt come later.
        final_id_ttl: Duration = Duration::from_secs(3_600), time(Duration::ZERO, DAY * 365);
        /// Reports of a message in parts: one report, which is failed when any part has failed and delivered when every part is
        /// for which a receipt can come; or one for each part. No receipt comes for a part to which the SMSC gave no id, and
        /// one receipt counts for all parts with the same id.
        multipart: ReceiptsOfParts = ReceiptsOfParts::Aggregate,
            names(&[("aggregate", ReceiptsOfParts::Aggregate), ("per_part", ReceiptsOfParts::PerPart)]);
        /// Longest time from the first final receipt of a message in parts to its report, with `multipart: aggregate`. A report
        /// without all receipts is `delivered` if no part has failed, and says in `transport_metadata` how many were reported.
        /// Make it short for an SMSC that sends one receipt for the whole message.
        aggregate_timeout: Duration = Duration::from_secs(600), time(Duration::from_millis(100), DAY * 7);
        /// What to do with a receipt whose message nobody knows.
        unmatched: OnUnmatched = OnUnmatched::Log,
            named(" (with the SMSC's id, and no message)", &[("log", OnUnmatched::Log), ("event", OnUnmatched::Event)]);
        /// Number of times to refuse a receipt whose message nobody knows before it is taken: the SMSC sends it again, maybe to
        /// the process that knows it. 0 takes it at once.
        unmatched_refuse_tries: u32 = 0, number(0..=100);
        /// Status of those refusals. With a permanent error many SMSCs send the receipt only once.
        unmatched_refuse_status: CommandStatus = CommandStatus::ESME_RINVMSGID, word::status();
    }
}

options! {
    /// How the SMSC writes its message ids: some answer a submit in hexadecimal, and write receipts in decimal.
    pub struct IdFormat {
        /// In the answer to a submit.
        response: IdForm = IdForm::AsIs, id_form();
        /// In a receipt. `hex_string` is the octets of the id in hexadecimal: `5431` for `T1`. With `auto` other forms than the id
        /// as it is count only for a message to one of the addresses of the receipt, and only if one of the two has letters; the
        /// first such match teaches the form, for all receipts. Until then such a receipt waits for `receipts.early_hold`.
        receipt: IdForm = IdForm::Auto, id_form();
    }
}

fn id_form() -> crate::config::kind::Kind<IdForm> {
    names(&[
        ("asis", IdForm::AsIs),
        ("hex", IdForm::Hex),
        ("dec", IdForm::Dec),
        ("hex_string", IdForm::HexString),
        ("auto", IdForm::Auto),
    ])
}

/// How USSD is spoken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum UssdMode {
    /// Not at all.
    Off,
    /// By `ussd_service_op` alone.
    Generic,
    /// By `ussd_service_op` and `its_session_info`.
    ItsSessionInfo,
    /// By `ussd_service_op` and `user_message_reference`.
    UserMessageReference,
}

options! {
    /// USSD over SMPP.
    pub struct Ussd {
        /// How it is spoken: SMSCs differ in where they put the number of a session.
        mode: UssdMode = UssdMode::Off, names(&[
            ("off", UssdMode::Off),
            ("generic", UssdMode::Generic),
            ("its_session_info", UssdMode::ItsSessionInfo),
            ("user_message_reference", UssdMode::UserMessageReference),
        ]);
        /// What `ussd_service_op` means at this SMSC, where it is not what the standard has: a map from its number to `new`,
        /// `resume` or `close`.
        service_ops: BTreeMap<u8, SessionEvent> = BTreeMap::new(), map(number(0..=255), session_event());
    }
}

/// What happens to a USSD session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SessionEvent {
    /// It begins.
    New,
    /// It goes on.
    Resume,
    /// It ends.
    Close,
}

fn session_event() -> crate::config::kind::Kind<SessionEvent> {
    names(&[("new", SessionEvent::New), ("resume", SessionEvent::Resume), ("close", SessionEvent::Close)])
}

/// How the value of an optional parameter is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TlvType {
    /// A whole number of one octet.
    U8,
    /// A whole number of two octets.
    U16,
    /// A whole number of four octets.
    U32,
    /// A text, as it is.
    Text,
    /// A text, and a NUL after it.
    CString,
    /// Octets in hexadecimal.
    Hex,
}

options! {
    /// Optional parameters of an SMSC's own.
    pub struct TlvOptions {
        /// Those that each submit has.
        default: Vec<TlvValue> = Vec::new(), at_most(100, list(record(&["tag"]))).only_examples(
            &[
                "[]",
                "[{tag: 0x1400}]",
                "[{tag: 0x3FFF, value: abc}, {tag: 5, type: cstring, value: ''}]",
                "[{tag: 65535, type: u8, value: 255}, {tag: 0x1400, type: u16, value: 0xFFFF}]",
                "[{tag: 0x1400, type: u32, value: 4294967295}, {tag: 0x1400, type: hex, value: 00ff}]",
            ],
            &[
                "[{}]",
                "[{value: abc}]",
                "[{tag: 4}]",
                "[{tag: 65536}]",
                "[{tag: 0x1400, type: u8, value: 256}]",
                "[{tag: 0x1400, type: u16, value: 65536}]",
                "[{tag: 0x1400, type: u32, value: 4294967296}]",
                "[{tag: 0x1400, type: u8}]",
                "[{tag: 0x1400, type: hex, value: 0ff}]",
                "[{tag: 0x1400, type: float, value: 1}]",
            ],
        );
        /// Those that a message may bring in its `transport_metadata`, by their tags, as in
        /// `{"smpp": {"tlvs": [{"tag": "0x1401", "value_hex": "01ff"}, {"tag": 5122, "value_text": "abc"}]}}`; a text gets a NUL
        /// after it. A message that brings others gets a `nack`. None given is any, an empty list is none.
        from_metadata: Option<Vec<crate::pdu::TlvTag>> = None, at_most(100, list(word::tag())).optional();
    }
}

options! {
    /// One of `tlv.default`.
    pub struct TlvValue {
        /// Its tag. It must be given; those of an SMSC's own are from 0x1400 to 0x3FFF.
        tag: crate::pdu::TlvTag = crate::pdu::TlvTag(0x1400), word::tag();
        /// How `value` is written.
        r#type: TlvType = TlvType::Text, names(&[
            ("text", TlvType::Text), ("cstring", TlvType::CString), ("hex", TlvType::Hex),
            ("u8", TlvType::U8), ("u16", TlvType::U16), ("u32", TlvType::U32),
        ]);
        /// Its value.
        value: String = String::new(), text(0..=255);
    }
}
