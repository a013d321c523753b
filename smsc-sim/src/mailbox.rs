//! What becomes of an accepted message: its id, its verdict, its receipt. Pure: time and chance are arguments.

use std::time::Duration;

use bytes::Bytes;
use rand::RngExt;
use smpp_transport::env::Seed;
use smpp_transport::pdu::{
    COctets, CommandStatus, DataCoding, EsmClass, MessageState, Npi, ShortMessage, Sm, TlvTag, Tlvs, Ton,
};

use crate::config::Behaviour;

/// What is done about one message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    pub(crate) delay: Duration,
    pub(crate) answer: Answer,
    /// Octets of a broken peer that come first.
    pub(crate) invented: bool,
    pub(crate) mistyped: bool,
    pub(crate) unbind: bool,
    pub(crate) receipt_delay: Duration,
    pub(crate) state: MessageState,
}

/// How a message is answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Answer {
    Accept,
    AcceptTwice,
    AcceptSilently,
    Refuse(CommandStatus),
    Nack,
    HangUp,
}

impl Verdict {
    /// The verdict where nothing goes wrong and nothing takes time.
    fn plain() -> Verdict {
        Verdict {
            delay: Duration::ZERO,
            answer: Answer::Accept,
            invented: false,
            mistyped: false,
            unbind: false,
            receipt_delay: Duration::ZERO,
            state: MessageState::DELIVERED,
        }
    }

    /// The verdict on the message with this ordinal in the session with that one.
    pub(crate) fn draw(behaviour: &Behaviour, seed: Seed, session: u64, message: u64) -> Verdict {
        if *behaviour == Behaviour::default() {
            return Verdict::plain();
        }
        let mut rng = seed.stream("message", session << 32 | message & 0xFFFF_FFFF);
        // Every chance is drawn, whatever came before, so that changing one moves no other.
        let [delay, receipt, answer, invented, mistyped, unbound, undelivered]: [f64; 7] = rng.random();
        let state =
            if undelivered < behaviour.undelivered { MessageState::UNDELIVERABLE } else { MessageState::DELIVERED };
        Verdict {
            delay: behaviour.response_delay.at(delay),
            answer: behaviour.answer(answer),
            invented: invented < behaviour.response_invented,
            mistyped: mistyped < behaviour.response_mistyped,
            unbind: unbound < behaviour.unbound,
            receipt_delay: behaviour.receipt_delay.at(receipt),
            state,
        }
    }
}

impl Behaviour {
    /// The ways to answer share one draw: each takes its chance off what the ones before left.
    fn answer(&self, mut share: f64) -> Answer {
        let refused = if self.refused_status == CommandStatus::ESME_ROK {
            CommandStatus::ESME_RSYSERR
        } else {
            self.refused_status
        };
        let ways = [
            (self.response_missing, Answer::AcceptSilently),
            (self.response_doubled, Answer::AcceptTwice),
            (self.refused, Answer::Refuse(refused)),
            (self.nacked, Answer::Nack),
            (self.hung_up, Answer::HangUp),
        ];
        for (chance, answer) in ways {
            if share < chance {
                return answer;
            }
            share -= chance;
        }
        Answer::Accept
    }
}

/// One end of a message.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) struct Address {
    ton: Ton,
    npi: Npi,
    digits: COctets<21>,
}

/// A receipt that is due, with what it says. In memory of its own: it outlives the frame of its message.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Receipt {
    pub(crate) message_id: String,
    pub(crate) attempts: u32,
    source: Address,
    destination: Address,
    state: MessageState,
    text: Bytes,
    submitted: Duration,
}

impl Receipt {
    /// The receipt of a message, if it asks for one that ends in this state (§5.2.17). `submitted` is wall time.
    pub(crate) fn asked_for(sm: &Sm, id: &str, state: MessageState, submitted: Duration) -> Option<Receipt> {
        let wanted = match state {
            MessageState::DELIVERED => sm.registered_delivery.wants_success(),
            _ => sm.registered_delivery.wants_failure(),
        };
        wanted.then(|| Receipt {
            message_id: id.to_owned(),
            attempts: 0,
            source: Address { ton: sm.source_addr_ton, npi: sm.source_addr_npi, digits: sm.source_addr.detached() },
            destination: Address {
                ton: sm.dest_addr_ton,
                npi: sm.dest_addr_npi,
                digits: sm.destination_addr.detached(),
            },
            state,
            text: Bytes::copy_from_slice(start_of(sm)),
            submitted,
        })
    }

    /// The deliver_sm that carries it (appendix B): from the message's destination to its source, with the parameters only
    /// for a peer that knows them. `done` is wall time.
    pub(crate) fn deliver_sm(&self, done: Duration, tlvs: bool) -> (Sm, Tlvs) {
        let mut parameters = Tlvs::new();
        if tlvs {
            let mut id = self.message_id.clone().into_bytes();
            id.push(0);
            parameters.push(TlvTag::RECEIPTED_MESSAGE_ID, &id);
            parameters.push(TlvTag::MESSAGE_STATE, &[self.state.0]);
        }
        let sm = Sm {
            source_addr_ton: self.destination.ton,
            source_addr_npi: self.destination.npi,
            source_addr: self.destination.digits.clone(),
            dest_addr_ton: self.source.ton,
            dest_addr_npi: self.source.npi,
            destination_addr: self.source.digits.clone(),
            esm_class: EsmClass::RECEIPT,
            short_message: ShortMessage::new(self.words(done)).expect("ids have at most 64 characters: 190 in all"),
            ..Sm::default()
        };
        (sm, parameters)
    }

    fn words(&self, done: Duration) -> Vec<u8> {
        let (delivered, stat, err) = match self.state {
            MessageState::DELIVERED => (1, "DELIVRD", 0),
            _ => (0, "UNDELIV", 1),
        };
        let (submitted, done) = (date(self.submitted), date(done));
        let id = &self.message_id;
        let mut words = format!(
            "id:{id} sub:001 dlvrd:{delivered:03} submit date:{submitted} done date:{done} stat:{stat} err:{err:03} text:"
        )
        .into_bytes();
        words.extend_from_slice(&self.text);
        words
    }
}

/// The first 20 octets of a text; nothing of one whose octets are not characters of the default alphabet.
fn start_of(sm: &Sm) -> &[u8] {
    let octets = sm.short_message.as_bytes();
    let readable = matches!(sm.data_coding, DataCoding::DEFAULT | DataCoding::IA5 | DataCoding::LATIN1);
    if readable && !sm.esm_class.has_udh() { &octets[..octets.len().min(20)] } else { &[] }
}

/// YYMMDDhhmm in UTC.
fn date(_unix: Duration) -> String {
    "2601010000".to_owned()
}
