//! Delivery receipts: which PDUs are receipts, and how text and TLVs are merged into one report.
//!
//! Text and TLVs are two witnesses of one receipt. The table by which they are merged stands in `RECEIPTS.md`.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Map, Value, json};

use super::{Fields, InboundOptions, Read};
use crate::bus::DeliveryStatus;
use crate::pdu::{EsmClass, MessageState, TlvTag, latin1};
use crate::store::Report;
use crate::text::{Charset, Content, Joined, Receipt, Segment, date_iso, receipt_texts, state_of_stat};

/// What makes a PDU a receipt.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Detect {
    /// That it has both receipted_message_id and message_state, which no handset can send. Default true.
    pub tlv: bool,
    /// That its esm_class says so. Default true.
    pub esm_class: bool,
    /// That its text looks like one. Anybody can send such a text. Default false.
    pub body: bool,
}

impl Default for Detect {
    fn default() -> Detect {
        Detect { tlv: true, esm_class: true, body: false }
    }
}

/// How the text of a receipt is read: an expression with the groups `id` and `stat`, which must match at the beginning.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// A pattern that must have both groups.
    ///
    /// # Errors
    /// In words, when a group is missing.
    pub fn new(regex: Regex) -> Result<Pattern, String> {
        for group in ["id", "stat"] {
            if !regex.capture_names().any(|name| name == Some(group)) {
                return Err(format!("has no group named {group}: (?P<{group}>…)"));
            }
        }
        Ok(Pattern(regex))
    }

    fn read(&self, text: &str) -> Option<InText> {
        let captures = self.0.captures(text).filter(|captures| captures.get(0).is_some_and(|all| all.start() == 0))?;
        let group = |name| captures.name(name).map(|group| group.as_str().to_owned());
        let stat = group("stat")?;
        let state = state_of_stat(&stat);
        let receipt = Receipt { id: group("id"), stat: Some(stat), state, error: group("err"), ..Receipt::default() };
        Some(InText { receipt, submit_date: group("submit_date"), done_date: group("done_date") })
    }
}

/// Meaning of the SMSC's words for states.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StatusMapping(pub BTreeMap<String, DeliveryStatus>);

impl Default for StatusMapping {
    /// Returns vumi2's mapping, with the forms of the standard's appendix B that it lacks and the states of SMPP 5.0.
    ///
    /// ACCEPTED is pending here, as ACCEPTD is, and not delivered as in vumi2: SMSCs that mean it send it before the outcome.
    fn default() -> StatusMapping {
        use DeliveryStatus::{Delivered, Failed, Pending};
        let mapping = [
            ("ENROUTE", Pending),
            ("DELIVERED", Delivered),
            ("EXPIRED", Failed),
            ("DELETED", Failed),
            ("UNDELIVERABLE", Failed),
            ("ACCEPTED", Pending),
            ("UNKNOWN", Pending),
            ("REJECTED", Failed),
            ("DELIVRD", Delivered),
            ("REJECTD", Failed),
            ("FAILED", Failed),
            ("0", Delivered),
            ("UNDELIV", Failed),
            ("ACCEPTD", Pending),
            ("SCHEDULED", Pending),
            ("SCHEDLD", Pending),
            ("SKIPPED", Failed),
        ];
        StatusMapping(mapping.into_iter().map(|(name, status)| (name.to_owned(), status)).collect())
    }
}

impl StatusMapping {
    /// The status of a word, or else of the state that it names; `None` if neither is known.
    fn status(&self, word: &str, state: Option<MessageState>) -> Option<DeliveryStatus> {
        let by_word = self.0.get(word).or_else(|| self.0.get(&word.to_ascii_uppercase()));
        let by_state = || state.and_then(MessageState::name).and_then(|name| self.0.get(name));
        by_word.or_else(by_state).copied()
    }
}

/// A receipt as read.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadReceipt {
    /// Id as the SMSC wrote it: of `receipted_message_id`, or else of the text.
    pub id: String,
    /// Id of the text, where it differs from `id`.
    pub id_in_text: Option<String>,
    /// Source and destination address of the receipt.
    pub addresses: [String; 2],
    /// State of the message, and the details.
    pub report: Report,
}

/// Marking of a PDU by its esm_class.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Mark {
    /// A delivery receipt: type 0x04, or 0x24 of SMSCs that add the two up.
    Receipt,
    /// An intermediate notification, type 0x20.
    Intermediate,
    /// An acknowledgement of the handset (0x08) or of its user (0x10).
    Acknowledgement,
    /// A reserved type that shares a bit with a receipt.
    Reserved,
    /// A message.
    None,
}

impl Mark {
    fn of(esm_class: EsmClass) -> Mark {
        match esm_class.0 & 0x3C {
            0x04 | 0x24 => Mark::Receipt,
            0x20 => Mark::Intermediate,
            0x08 | 0x10 => Mark::Acknowledgement,
            0x00 | 0x18 => Mark::None,
            _ => Mark::Reserved,
        }
    }
}

/// Rank of a text that tells an id and a known state.
const RANK_MAX: u8 = 5;

/// The fields of a text.
#[derive(Default)]
struct InText {
    receipt: Receipt,
    submit_date: Option<String>,
    done_date: Option<String>,
}

impl InText {
    fn read(text: &str, options: &InboundOptions) -> Option<InText> {
        if let Some(pattern) = &options.pattern {
            return pattern.read(text);
        }
        let receipt = Receipt::from_text(text)?;
        let (submit_date, done_date) = Receipt::dates_as_written(text);
        Some(InText { receipt, submit_date, done_date })
    }

    /// Rank of the text as a receipt: id and state count, and a state that is known counts more.
    fn rank(&self, options: &InboundOptions) -> u8 {
        let state = match &self.receipt.stat {
            Some(stat) if options.status_mapping.status(stat, self.receipt.state).is_some() => 4,
            Some(_) => 2,
            None => 0,
        };
        state + u8::from(self.receipt.id.is_some())
    }

    /// Reads the text in the charset that gives the most: the first that gives id and a known state, or else the best.
    fn best(texts: impl Iterator<Item = String>, options: &InboundOptions) -> InText {
        let mut best = (0, InText::default());
        for text in texts {
            let Some(read) = InText::read(&text, options) else { continue };
            let rank = read.rank(options);
            if rank > best.0 {
                best = (rank, read);
            }
            if best.0 == RANK_MAX {
                break;
            }
        }
        best.1
    }
}

/// State by one side, text or TLV.
struct Witness {
    word: String,
    status: DeliveryStatus,
    /// Rank of the state: 0 for nothing, 1 that nothing is known, 2 that the message is on its way, 3 for its end.
    rank: u8,
}

impl Witness {
    /// Rank of an end.
    const RANK_MAX: u8 = 3;

    fn new(word: String, state: Option<MessageState>, mapping: &StatusMapping) -> Witness {
        let status = mapping.status(&word, state);
        let rank = match (status, state) {
            (Some(DeliveryStatus::Delivered | DeliveryStatus::Failed), _) => Witness::RANK_MAX,
            (_, Some(MessageState::SCHEDULED | MessageState::UNKNOWN)) => 1,
            (Some(DeliveryStatus::Pending), _) => 2,
            (None, Some(state)) if state.name().is_some() => 2,
            (None, _) => 0,
        };
        Witness { word, status: status.unwrap_or(DeliveryStatus::Pending), rank }
    }

    /// The TLV counts, unless the text says more.
    fn merge(tlv: Option<Witness>, text: Option<Witness>) -> Option<Witness> {
        match (tlv, text) {
            (Some(tlv), Some(text)) if text.rank > tlv.rank => Some(text),
            (tlv, text) => tlv.or(text),
        }
    }
}

/// The receipt of a PDU, or its part of one; `None` for a message.
pub(super) fn read(fields: &Fields<'_>, content: &Content, options: &InboundOptions) -> Option<Read> {
    let mark = Mark::of(fields.esm_class);
    let is_marked = options.detect.esm_class && matches!(mark, Mark::Receipt | Mark::Intermediate);
    let may_be = options.detect.esm_class && matches!(mark, Mark::Acknowledgement | Mark::Reserved);
    let by_tlvs = options.detect.tlv && Receipt::from_tlvs(fields.tlvs).is_some();
    if !(is_marked || may_be || by_tlvs || options.detect.body) {
        return None;
    }
    let in_text = InText::best(receipt_texts(content.charset, &content.octets, &content.raw), options);
    let is_part = content.part.is_some_and(|part| part.total > 1);
    let has_end = by_tlvs && witness_of_tlvs(fields, options).is_some_and(|tlv| tlv.rank == Witness::RANK_MAX);
    if (is_marked || by_tlvs) && is_part && !(has_end || is_whole(content, options)) {
        return part(fields, content);
    }
    if !is_marked && !by_tlvs {
        return read_unmarked(mark, in_text, fields, options);
    }
    Some(merged(in_text, fields, options))
}

/// Whether one part of several is a receipt of its own.
fn is_whole(content: &Content, options: &InboundOptions) -> bool {
    uncut(content.charset, &content.octets, &content.raw, options).is_some()
}

/// Reads a text that may go on elsewhere: `None` unless it holds an id and a known state, neither of which goes on.
fn uncut(charset: Charset, octets: &[u8], raw: &[u8], options: &InboundOptions) -> Option<InText> {
    let read = |octets: &[u8], raw: &[u8]| InText::best(receipt_texts(charset, octets, raw), options);
    let in_text = read(octets, raw);
    let tail: &[u8] = if charset == Charset::Ucs2 { b"\0x" } else { b"x" };
    let longer = read(&[octets, tail].concat(), &[raw, tail].concat());
    let is_whole = in_text.rank(options) == RANK_MAX
        && (&in_text.receipt.id, &in_text.receipt.stat) == (&longer.receipt.id, &longer.receipt.stat);
    is_whole.then_some(in_text)
}

fn part(fields: &Fields<'_>, content: &Content) -> Option<Read> {
    let (source, destination) = fields.ends();
    let mut segment = Segment::of(content)?;
    // An SMSC that packs messages may not pack its receipts.
    if content.octets != content.raw && content.raw.iter().all(|octet| matches!(octet, b' '..=b'~')) {
        (segment.charset, segment.octets) = (Charset::Ascii, content.raw.clone());
    }
    let mut key = content.part?.key(source, destination);
    key.kind = key.kind.of_receipt();
    Some(Read::ReceiptPart { key, segment })
}

/// Reads a receipt whose parts are joined; `fields` are those of the part that came last.
pub(super) fn read_joined(joined: &Joined, fields: &Fields<'_>, options: &InboundOptions) -> Read {
    let octets = joined.octets();
    let charset = joined.runs.first().map_or(Charset::Ascii, |(charset, _)| *charset);
    merged(InText::best(receipt_texts(charset, &octets, &octets), options), fields, options)
}

/// Reads what is there of a receipt whose other parts never came: its first parts, if they hold all that counts.
pub(super) fn read_first_parts(
    joined: &Joined,
    addresses: [String; 2],
    options: &InboundOptions,
) -> Option<ReadReceipt> {
    let octets = joined.octets();
    let charset = joined.runs.first().map_or(Charset::Ascii, |(charset, _)| *charset);
    let in_text = uncut(charset, &octets, &octets, options)?;
    let (id, stat) = (in_text.receipt.id.clone()?, in_text.receipt.stat.clone()?);
    let witness = Witness::new(stat, in_text.receipt.state, &options.status_mapping);
    let details = details(&in_text, &id, None);
    let is_final = witness.status != DeliveryStatus::Pending;
    let report = Report { details, ..Report::new(witness.status, &witness.word, is_final) };
    Some(ReadReceipt { id, id_in_text: None, addresses, report })
}

/// A PDU that is not marked as a receipt: its text must tell both id and state, and be known to tell a state.
fn read_unmarked(mark: Mark, in_text: InText, fields: &Fields<'_>, options: &InboundOptions) -> Option<Read> {
    let is_in_full = in_text.receipt.id.is_some() && in_text.receipt.stat.is_some();
    let is_known = in_text.rank(options) == RANK_MAX;
    match mark {
        _ if options.detect.body && is_in_full => Some(merged(in_text, fields, options)),
        Mark::Acknowledgement | Mark::Reserved if options.detect.esm_class && is_known => {
            Some(merged(in_text, fields, options))
        }
        Mark::Acknowledgement if options.sme_acks => {
            // An acknowledgement says by its type alone that the message has arrived.
            let id = Receipt::read(None, fields.tlvs).and_then(|receipt| receipt.id).or(in_text.receipt.id.clone())?;
            let is_of_handset = fields.esm_class.0 & 0x3C == 0x08;
            let word = if is_of_handset { "SME_DELIVERY_ACK" } else { "SME_MANUAL_ACK" };
            let details = details(&in_text, &id, Some((fields, options)));
            let report = Report { details, ..Report::new(DeliveryStatus::Delivered, word, true) };
            Some(Read::Receipt(ReadReceipt { id, id_in_text: None, addresses: fields.addresses(), report }))
        }
        _ => None,
    }
}

/// Merges text and TLVs.
fn merged(in_text: InText, fields: &Fields<'_>, options: &InboundOptions) -> Read {
    let text = &in_text.receipt;
    let tlv = witness_of_tlvs(fields, options);
    let stat = text.stat.clone().map(|stat| Witness::new(stat, text.state, &options.status_mapping));
    let Some(witness) = Witness::merge(tlv, stat) else { return unreadable(text.id.is_some() || has_id(fields)) };
    let id_of_tlv = Receipt::read(None, fields.tlvs).and_then(|receipt| receipt.id);
    let Some(id) = id_of_tlv.or_else(|| text.id.clone()) else { return Read::Unreadable("it tells no id") };
    let id_in_text = text.id.clone().filter(|in_text| *in_text != id);
    let is_final = witness.status != DeliveryStatus::Pending && Mark::of(fields.esm_class) != Mark::Intermediate;
    let details = details(&in_text, &id, Some((fields, options)));
    let report = Report { details, ..Report::new(witness.status, &witness.word, is_final) };
    Read::Receipt(ReadReceipt { id, id_in_text, addresses: fields.addresses(), report })
}

/// State by the TLV `message_state`, if there is one.
fn witness_of_tlvs(fields: &Fields<'_>, options: &InboundOptions) -> Option<Witness> {
    let state = Receipt::state_of_tlvs(fields.tlvs)?;
    let word = state.name().map_or_else(|| state.0.to_string(), str::to_owned);
    Some(Witness::new(word, Some(state), &options.status_mapping))
}

fn has_id(fields: &Fields<'_>) -> bool {
    fields.tlvs.get(TlvTag::RECEIPTED_MESSAGE_ID).is_some_and(|id| !latin1(&id).trim_matches('\0').is_empty())
}

fn unreadable(has_id: bool) -> Read {
    Read::Unreadable(if has_id { "it tells no state" } else { "it tells neither id nor state" })
}

/// The details of a receipt, for `transport_metadata.smpp` of its report: only what the SMSC sent.
fn details(in_text: &InText, id: &str, pdu: Option<(&Fields<'_>, &InboundOptions)>) -> Map<String, Value> {
    let InText { receipt, submit_date, done_date } = in_text;
    let mut details = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            details.insert(key.to_owned(), value);
        }
    };
    put("message_id", Some(json!(id)));
    put("message_id_in_text", receipt.id.as_ref().filter(|in_text| *in_text != id).map(|id| json!(id)));
    put("stat", receipt.stat.as_ref().map(|stat| json!(stat)));
    put("error", receipt.error.as_ref().map(|error| json!(error)));
    for (name, date) in [("submit_date", submit_date), ("done_date", done_date)] {
        put(name, date.as_ref().map(|date| json!(date)));
        put(&format!("{name}_iso"), date.as_deref().and_then(date_iso).map(|iso| json!(iso)));
    }
    put("submitted", receipt.submitted.map(|count| json!(count)));
    put("delivered", receipt.delivered.map(|count| json!(count)));
    if let Some((fields, options)) = pdu {
        put("message_state", Receipt::state_of_tlvs(fields.tlvs).map(|state| json!(state.0)));
        let error = Receipt::network_error_of_tlvs(fields.tlvs);
        put("network_error", error.map(|error| json!({"type": error.network, "code": error.code})));
        put("user_message_reference", fields.tlvs.get_u16(TlvTag::USER_MESSAGE_REFERENCE).map(|number| json!(number)));
        let selected = options.tlvs.json(fields.tlvs);
        put("tlvs", Some(Value::Array(selected)).filter(|selected| selected != &json!([])));
    }
    details
}
