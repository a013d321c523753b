//! Table 2-1 of the standard, written out a second time: who may send what in which state. The session has its own; the
//! tests hold the two against each other.

use crate::pdu::CommandId;
use crate::session::{BindKind, Role, State};

/// A row of table 2-1: a command, and who may send it in OPEN, BOUND_TX, BOUND_RX, BOUND_TRX (E the ESME, C the SMSC).
pub type Row = (CommandId, [&'static str; 4]);

/// The requests of table 2-1, with what it leaves out: enquire_link in OPEN, replace_sm of a transceiver.
#[rustfmt::skip]
pub const TABLE: [Row; 15] = [
    //                              OPEN  TX    RX    TRX
    (CommandId::BIND_TRANSMITTER,   ["E",  "",   "",   ""  ]),
    (CommandId::BIND_RECEIVER,      ["E",  "",   "",   ""  ]),
    (CommandId::BIND_TRANSCEIVER,   ["E",  "",   "",   ""  ]),
    (CommandId::OUTBIND,            ["C",  "",   "",   ""  ]),
    (CommandId::UNBIND,             ["",   "EC", "EC", "EC"]),
    (CommandId::SUBMIT_SM,          ["",   "E",  "",   "E" ]),
    (CommandId::SUBMIT_MULTI,       ["",   "E",  "",   "E" ]),
    (CommandId::DATA_SM,            ["",   "EC", "EC", "EC"]),
    (CommandId::DELIVER_SM,         ["",   "",   "C",  "C" ]),
    (CommandId::QUERY_SM,           ["",   "E",  "",   "E" ]),
    (CommandId::CANCEL_SM,          ["",   "E",  "",   "E" ]),
    (CommandId::REPLACE_SM,         ["",   "E",  "",   "E" ]),
    (CommandId::ENQUIRE_LINK,       ["EC", "EC", "EC", "EC"]),
    (CommandId::ALERT_NOTIFICATION, ["",   "",   "C",  "C" ]),
    (CommandId::GENERIC_NACK,       ["EC", "EC", "EC", "EC"]),
];

/// Whether this side may send the command in this state.
#[must_use]
pub fn may_send(command: CommandId, role: Role, state: State) -> bool {
    let column = match state {
        State::Open | State::Binding(_) => 0,
        State::Bound(kind) | State::Unbinding(kind) => match kind {
            BindKind::Transmitter => 1,
            BindKind::Receiver => 2,
            BindKind::Transceiver => 3,
        },
        State::Unbound | State::Closed => return false,
    };
    row(command).is_some_and(|senders| senders[column].contains(letter(role)))
}

/// Whether this side ever may send the command.
#[must_use]
pub fn may_ever_send(command: CommandId, role: Role) -> bool {
    row(command).is_some_and(|senders| senders.iter().any(|senders| senders.contains(letter(role))))
}

/// The command that answers this one, by its number: none for what the standard does not list, or leaves unanswered.
#[must_use]
pub fn answer_of(command: CommandId) -> Option<CommandId> {
    let unanswered = [CommandId::OUTBIND, CommandId::ALERT_NOTIFICATION, CommandId::GENERIC_NACK];
    (row(command).is_some() && !unanswered.contains(&command)).then_some(CommandId(command.0 | 0x8000_0000))
}

/// Whether the standard lists the request.
#[must_use]
pub fn is_known(command: CommandId) -> bool {
    row(command).is_some()
}

fn row(command: CommandId) -> Option<[&'static str; 4]> {
    TABLE.iter().find(|(id, _)| *id == command).map(|(_, senders)| *senders)
}

fn letter(role: Role) -> char {
    match role {
        Role::Esme => 'E',
        Role::Smsc => 'C',
    }
}
