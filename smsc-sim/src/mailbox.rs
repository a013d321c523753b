//! What becomes of an accepted message: its id, its verdict, its receipt. Pure: time and chance are arguments.

use std::time::Duration;

use rand::RngExt;
use smpp_transport::env::Seed;
use smpp_transport::pdu::time::Civil;
use smpp_transport::pdu::{COctets, CommandStatus, EsmClass, MessageState, Npi, ShortMessage, Sm, Tlvs, Ton};
use smpp_transport::text::{self, Charset, Content, DateForm, DefaultAlphabet};

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

impl Answer {
    /// Whether the message is taken, whatever the ESME hears of it.
    pub(crate) const fn accepts(self) -> bool {
        matches!(self, Answer::Accept | Answer::AcceptTwice | Answer::AcceptSilently)
    }
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
    text: String,
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
            text: start_of(sm),
            submitted,
        })
    }

    /// The deliver_sm that carries it (appendix B): from the message's destination to its source, with the parameters only
    /// for a peer that knows them. `done` is wall time.
    pub(crate) fn deliver_sm(&self, done: Duration, tlvs: bool) -> (Sm, Tlvs) {
        let receipt = self.words(done);
        let parameters = if tlvs { receipt.to_tlvs() } else { Tlvs::new() };
        let text = ascii(&receipt.to_text(DateForm::Minutes));
        let sm = Sm {
            source_addr_ton: self.destination.ton,
            source_addr_npi: self.destination.npi,
            source_addr: self.destination.digits.clone(),
            dest_addr_ton: self.source.ton,
            dest_addr_npi: self.source.npi,
            destination_addr: self.source.digits.clone(),
            esm_class: EsmClass::RECEIPT,
            short_message: ShortMessage::new(text).expect("ids have at most 20 digits: some 150 octets in all"),
            ..Sm::default()
        };
        (sm, parameters)
    }

    fn words(&self, done: Duration) -> text::Receipt {
        let delivered = self.state == MessageState::DELIVERED;
        text::Receipt {
            id: Some(self.message_id.clone()),
            submitted: Some(1),
            delivered: Some(u32::from(delivered)),
            submit_date: Some(date(self.submitted)),
            done_date: Some(date(done)),
            state: Some(self.state),
            error: Some(if delivered { "000" } else { "001" }.to_owned()),
            text: Some(self.text.clone()),
            ..text::Receipt::default()
        }
    }
}

/// The first 20 characters of a text; nothing of one that is binary.
fn start_of(sm: &Sm) -> String {
    let charset = Charset::of(sm.data_coding, DefaultAlphabet::Gsm7);
    let content = Content::read(sm.esm_class, &Tlvs::new(), charset, &sm.short_message.to_bytes());
    if charset.is_binary() { String::new() } else { content.decode().text.chars().take(20).collect() }
}

/// Receipts are read as ASCII by everyone, whatever the default alphabet is.
fn ascii(text: &str) -> Vec<u8> {
    text.chars().map(|character| u8::try_from(character).ok().filter(u8::is_ascii).unwrap_or(b'?')).collect()
}

fn date(unix: Duration) -> Civil {
    Civil::from_unix(i64::try_from(unix.as_secs()).unwrap_or(i64::MAX))
}
