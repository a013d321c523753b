//! The session's state, and who may say what in it. Pure look-ups over the table of commands; the transitions themselves
//! are in `mod`, where PDUs pass.

use crate::pdu::{CommandId, Issuer, States};

/// Which end of the session this is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// The client, who binds.
    Esme,
    /// The server, who is bound to.
    Smsc,
}

/// How an ESME is bound (§2.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq, Hash, Ord, PartialOrd)]
pub enum BindKind {
    /// May submit.
    Transmitter,
    /// Is delivered to.
    Receiver,
    /// Both.
    Transceiver,
}

/// Where a session stands (§2.2).
///
/// ```text
///            bind                bind_resp, status 0               unbind sent
///  Open ─────────────► Binding ──────────────────────► Bound ────────────────► Unbinding
///    ▲                    │ any other status              │ unbind received        │ unbind_resp
///    └────────────────────┘                               ▼                        ▼
///                                                      Unbound ──────────────► Closed
///                                                 what was asked before is answered,
///                                                 then the unbind; nothing of ours is
///                                                 outstanding, or unbind_timeout
/// ```
///
/// Unbinds that cross: Unbinding becomes Unbound too, and waits for the answer to our own as well.
/// Every state but Closed also ends there when a timer says so, when the octets cannot be trusted, or when the line goes.
/// An SMSC that dialled sends outbind in Open and stays there until it is bound to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// Connected.
    Open,
    /// A bind is under way.
    Binding(BindKind),
    /// Bound.
    Bound(BindKind),
    /// We have sent unbind and wait for its answer: no new requests of ours, and the peer's are put off.
    Unbinding(BindKind),
    /// The peer has sent unbind. It is answered once everything the peer asked before is; answers to what is outstanding
    /// may still come. No new requests, either way.
    Unbound,
    /// Nothing passes any more.
    Closed,
}

impl Role {
    /// The other end.
    #[must_use]
    pub const fn peer(self) -> Role {
        match self {
            Role::Esme => Role::Smsc,
            Role::Smsc => Role::Esme,
        }
    }

    pub(super) const fn may_issue(self, command: CommandId) -> bool {
        match command.rule() {
            Some(rule) => matches!(
                (rule.issuer, self),
                (Issuer::Both, _) | (Issuer::Esme, Role::Esme) | (Issuer::Smsc, Role::Smsc)
            ),
            None => false,
        }
    }
}

impl BindKind {
    /// The bind request of this kind.
    #[must_use]
    pub const fn command(self) -> CommandId {
        match self {
            BindKind::Transmitter => CommandId::BIND_TRANSMITTER,
            BindKind::Receiver => CommandId::BIND_RECEIVER,
            BindKind::Transceiver => CommandId::BIND_TRANSCEIVER,
        }
    }

    /// The kind that this bind request, or its response, asks for.
    #[must_use]
    pub const fn of(command: CommandId) -> Option<BindKind> {
        match command {
            CommandId::BIND_TRANSMITTER | CommandId::BIND_TRANSMITTER_RESP => Some(BindKind::Transmitter),
            CommandId::BIND_RECEIVER | CommandId::BIND_RECEIVER_RESP => Some(BindKind::Receiver),
            CommandId::BIND_TRANSCEIVER | CommandId::BIND_TRANSCEIVER_RESP => Some(BindKind::Transceiver),
            _ => None,
        }
    }

    /// Whether deliver_sm may be sent to an ESME that is bound so.
    #[must_use]
    pub const fn receives(self) -> bool {
        matches!(self, BindKind::Receiver | BindKind::Transceiver)
    }

    /// Whether an ESME that is bound so may submit.
    #[must_use]
    pub const fn transmits(self) -> bool {
        matches!(self, BindKind::Transmitter | BindKind::Transceiver)
    }

    const fn states(self) -> States {
        match self {
            BindKind::Transmitter => States::TX_ONLY,
            BindKind::Receiver => States::RX_ONLY,
            BindKind::Transceiver => States::TRX,
        }
    }
}

impl State {
    /// The bind, while there is one.
    #[must_use]
    pub const fn bound(self) -> Option<BindKind> {
        match self {
            State::Bound(kind) => Some(kind),
            State::Open | State::Binding(_) | State::Unbinding(_) | State::Unbound | State::Closed => None,
        }
    }

    /// Whether `command` is legal in this state, by table 2-1.
    pub(super) const fn allows(self, command: CommandId) -> bool {
        let here = match self {
            State::Open | State::Binding(_) => States::OPEN,
            State::Bound(kind) | State::Unbinding(kind) => kind.states(),
            State::Unbound | State::Closed => return false,
        };
        match command.rule() {
            Some(rule) => rule.states.meets(here),
            None => false,
        }
    }
}
