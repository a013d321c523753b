//! Any sequence of operations on a pair, for proptest and the fuzzer: what to do is data, who judges is the watch at each
//! side. At the end the line is whole again, and all that was begun must end.

use std::time::Duration;

use bytes::Bytes;

use super::{Flow, Pair, Setup, Told, body};
use crate::pdu::{CommandId, CommandStatus, Pdu};
use crate::session::{Role, State, Why};

/// Something that happens to a pair. Numbers choose among what there is and wrap round, so that any will do.
#[derive(Clone, Debug)]
pub enum Operation {
    /// A request of this side's, of any command.
    Request(Role, u8),
    /// As many submit_sm or deliver_sm, whichever is this side's.
    Messages(Role, u8),
    /// Something without an answer.
    Notify(Role, u8),
    /// An ESME that has not bound yet does, in this way; the SMSC lets it.
    Bind(u8),
    /// This side asks whether the peer is there.
    EnquireLink(Role),
    /// This side says unbind.
    Unbind(Role),
    /// This side answers the n-th request that it has not answered, with this status.
    Answer(Role, u8, u8),
    /// This side is woken without need.
    Tick(Role),
    /// The line breaks at this side.
    HangUp(Role, u8),
    /// Time passes, in milliseconds.
    Advance(u16),
    /// Octets to this side flow, wait, or are lost.
    Flow(Role, u8),
    /// What the peer never sent comes to this side.
    Inject(Role, Injection),
}

/// What a peer may come up with.
#[derive(Clone, Debug)]
pub enum Injection {
    /// A well-made PDU: any command, any status, any number.
    Pdu(u8, u8, Number),
    /// The same, with octets at its end that do not belong there.
    Tailed(u8, u8, Number, Vec<u8>),
    /// The same, cut short by so many octets, with a length that says so.
    Cut(u8, u8, Number, u8),
    /// Any octets.
    Octets(Vec<u8>),
}

/// A sequence number that a peer may choose.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// 0: reserved.
    Zero,
    /// Above what the standard allows.
    Above,
    /// The same as often as it likes.
    Constant,
    /// Some number of its own.
    Own(u16),
    /// The number of the n-th request that the receiver has sent.
    Sent(u8),
}

const COMMANDS: [CommandId; 17] = [
    CommandId::SUBMIT_SM,
    CommandId::DELIVER_SM,
    CommandId::DATA_SM,
    CommandId::GENERIC_NACK,
    CommandId::ENQUIRE_LINK,
    CommandId::UNBIND,
    CommandId::BIND_TRANSMITTER,
    CommandId::BIND_RECEIVER,
    CommandId::BIND_TRANSCEIVER,
    CommandId::OUTBIND,
    CommandId::ALERT_NOTIFICATION,
    CommandId::SUBMIT_MULTI,
    CommandId::QUERY_SM,
    CommandId::CANCEL_SM,
    CommandId::REPLACE_SM,
    // What no version of the standard knows, and broadcast_sm of SMPP 5.0.
    CommandId(0x0001_0203),
    CommandId(0x0000_0111),
];

const STATUSES: [CommandStatus; 6] = [
    CommandStatus::ESME_ROK,
    CommandStatus::ESME_RTHROTTLED,
    CommandStatus::ESME_RALYBND,
    CommandStatus::ESME_RBINDFAIL,
    CommandStatus::ESME_RX_T_APPN,
    CommandStatus(0x4FF),
];

/// Does one thing after another, then mends the line and waits.
///
/// # Panics
/// When a side does what it must not, or something does not come to rest.
pub fn play(setup: Setup, operations: &[Operation]) -> Pair {
    let rest = [&setup.esme, &setup.smsc].map(|config| {
        config.session_init_timeout + config.response_timeout + config.unbind_timeout * 2 + Duration::from_secs(1)
    });
    let mut pair = Pair::new(setup);
    let mut sent = Sent::default();
    for operation in operations {
        sent.act(&mut pair, operation);
        sent.look(&mut pair);
    }
    settle(&mut pair, rest[0].max(rest[1]));
    pair
}

/// Faults stop; whatever nobody answers ends by itself; then the sessions do.
fn settle(pair: &mut Pair, rest: Duration) {
    for role in [Role::Esme, Role::Smsc] {
        pair.flow(role, Flow::Open);
    }
    pair.advance(rest);
    for role in [Role::Esme, Role::Smsc] {
        let session = pair.session(role);
        assert_eq!(session.outstanding(), 0, "{role:?}: something never ends");
        let state = session.state();
        assert!(!matches!(state, State::Open | State::Binding(_)), "{role:?}: stuck in {state:?}");
    }
    // Either may be alone on the line by now: the end of the other was lost, and it never asks.
    pair.unbind(Role::Esme);
    pair.unbind(Role::Smsc);
    pair.advance(rest);
    for role in [Role::Esme, Role::Smsc] {
        assert_eq!(pair.session(role).state(), State::Closed, "{role:?}");
        assert_eq!(pair.session(role).poll_timeout(), None, "{role:?}");
        while pair.tickets(role) > 0 {
            pair.answer(role, CommandStatus::ESME_ROK);
        }
        assert_eq!(pair.session(role).unanswered(), 0, "{role:?}");
        let closed = |told: &Told| matches!(told, Told::Closed(_));
        assert_eq!(pair.told(role).iter().filter(|told| closed(told)).count(), 1, "{role:?}: Closed comes once");
    }
}

/// Numbers that each side has used, for peers that answer them.
#[derive(Default)]
struct Sent {
    esme: Vec<u32>,
    smsc: Vec<u32>,
}

impl Sent {
    fn look(&mut self, pair: &mut Pair) {
        for (role, numbers) in [(Role::Esme, &mut self.esme), (Role::Smsc, &mut self.smsc)] {
            let requests = pair.sent(role).into_iter().filter(|pdu| !pdu.command_id().is_response());
            numbers.extend(requests.map(|pdu| pdu.sequence));
        }
    }

    fn act(&self, pair: &mut Pair, operation: &Operation) {
        match operation {
            Operation::Request(role, n) => _ = pair.request(*role, pick(&COMMANDS, *n)),
            Operation::Messages(role, n) => (0..*n % 8).for_each(|_| _ = pair.request(*role, message_of(*role))),
            Operation::Notify(role, n) => _ = pair.notify(*role, pick(&COMMANDS, *n)),
            Operation::Bind(n) => bind(pair, *n),
            Operation::EnquireLink(role) => pair.enquire_link(*role),
            Operation::Unbind(role) => pair.unbind(*role),
            Operation::Answer(role, n, status) => {
                let nth = usize::from(*n) % pair.tickets(*role).max(1);
                pair.answer_nth(*role, nth, pick(&STATUSES, *status));
            }
            Operation::Tick(role) => pair.tick(*role),
            Operation::HangUp(role, n) => {
                pair.hang_up(*role, pick(&[Why::Dropped, Why::Broken, Why::PeerClosed], *n));
            }
            Operation::Advance(millis) => pair.advance(Duration::from_millis(u64::from(*millis))),
            Operation::Flow(to, n) => pair.flow(*to, pick(&[Flow::Open, Flow::Open, Flow::Held, Flow::Lost], *n)),
            Operation::Inject(to, what) => {
                let octets = self.octets(*to, what);
                pair.inject(*to, octets);
            }
        }
    }

    fn octets(&self, to: Role, what: &Injection) -> Bytes {
        match what {
            Injection::Pdu(command, status, number) => self.pdu(to, *command, *status, *number).into(),
            Injection::Tailed(command, status, number, tail) => {
                let mut octets = self.pdu(to, *command, *status, *number);
                octets.extend_from_slice(tail);
                with_length(octets)
            }
            Injection::Cut(command, status, number, by) => {
                let mut octets = self.pdu(to, *command, *status, *number);
                octets.truncate(octets.len().saturating_sub(usize::from(*by)).max(16));
                with_length(octets)
            }
            Injection::Octets(octets) => Bytes::copy_from_slice(octets),
        }
    }

    /// The upper half of the commands' range are their responses.
    fn pdu(&self, to: Role, command: u8, status: u8, number: Number) -> Vec<u8> {
        let request = pick(&COMMANDS, command);
        let command = if command < 128 { request } else { CommandId(request.0 | 0x8000_0000) };
        let sequence = self.number(to, number);
        Pdu::new(pick(&STATUSES, status), sequence, body(command)).to_octets().to_vec()
    }

    fn number(&self, to: Role, number: Number) -> u32 {
        let sent = match to {
            Role::Esme => &self.esme,
            Role::Smsc => &self.smsc,
        };
        match number {
            Number::Zero => 0,
            Number::Above => 0x8000_0001,
            Number::Constant => 7,
            Number::Own(n) => u32::from(n),
            // The latest are the ones that may still be outstanding.
            Number::Sent(n) => {
                if sent.is_empty() {
                    1
                } else {
                    sent[sent.len() - 1 - usize::from(n) % sent.len()]
                }
            }
        }
    }
}

fn bind(pair: &mut Pair, n: u8) {
    let kinds = [CommandId::BIND_TRANSCEIVER, CommandId::BIND_TRANSMITTER, CommandId::BIND_RECEIVER];
    _ = pair.request(Role::Esme, pick(&kinds, n));
    pair.advance(Duration::from_secs(1));
    if matches!(pair.session(Role::Smsc).state(), State::Binding(_)) {
        pair.answer(Role::Smsc, CommandStatus::ESME_ROK);
        pair.advance(Duration::from_secs(1));
    }
}

fn message_of(role: Role) -> CommandId {
    match role {
        Role::Esme => CommandId::SUBMIT_SM,
        Role::Smsc => CommandId::DELIVER_SM,
    }
}

fn with_length(mut octets: Vec<u8>) -> Bytes {
    let length = u32::try_from(octets.len()).expect("what is injected is short");
    octets[..4].copy_from_slice(&length.to_be_bytes());
    octets.into()
}

fn pick<T: Copy>(from: &[T], n: u8) -> T {
    from[usize::from(n) % from.len()]
}
