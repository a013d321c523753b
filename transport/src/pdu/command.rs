//! The 27 commands of SMPP 3.4 (tables 2-1 and 5-1) and what the tables say about them. Only the list and its
//! look-ups live here; who is in which state is the session's affair.

use super::shape::{
    AlertNotification, Bind, BindResp, CancelSm, DataSm, Empty, MessageId, Outbind, QuerySm, QuerySmResp, ReplaceSm,
    Reply, Sm, SubmitMulti, SubmitMultiResp,
};
use super::wire::{Printer, Reader, Wire};
use super::{CommandStatus, DecodeError, Tlvs};

commands! {
    /// §4.3.1: the answer to what could not be understood.
    GenericNack         GENERIC_NACK          0x8000_0000 Empty,                  Both, ANY,   None;
    /// §4.1.3
    BindReceiver        BIND_RECEIVER         0x0000_0001 Bind,                   Esme, OPEN,  Some(CommandId::BIND_RECEIVER_RESP);
    /// §4.1.4
    BindReceiverResp    BIND_RECEIVER_RESP    0x8000_0001 Reply<BindResp>,        Smsc, OPEN,  None;
    /// §4.1.1
    BindTransmitter     BIND_TRANSMITTER      0x0000_0002 Bind,                   Esme, OPEN,  Some(CommandId::BIND_TRANSMITTER_RESP);
    /// §4.1.2
    BindTransmitterResp BIND_TRANSMITTER_RESP 0x8000_0002 Reply<BindResp>,        Smsc, OPEN,  None;
    /// §4.8.1
    QuerySm             QUERY_SM              0x0000_0003 QuerySm,                Esme, TX,    Some(CommandId::QUERY_SM_RESP);
    /// §4.8.2
    QuerySmResp         QUERY_SM_RESP         0x8000_0003 Reply<QuerySmResp>,     Smsc, TX,    None;
    /// §4.4.1
    SubmitSm            SUBMIT_SM             0x0000_0004 Sm,                     Esme, TX,    Some(CommandId::SUBMIT_SM_RESP);
    /// §4.4.2
    SubmitSmResp        SUBMIT_SM_RESP        0x8000_0004 Reply<MessageId>,       Smsc, TX,    None;
    /// §4.6.1
    DeliverSm           DELIVER_SM            0x0000_0005 Sm,                     Smsc, RX,    Some(CommandId::DELIVER_SM_RESP);
    /// §4.6.2
    DeliverSmResp       DELIVER_SM_RESP       0x8000_0005 Reply<MessageId>,       Esme, RX,    None;
    /// §4.2.1
    Unbind              UNBIND                0x0000_0006 Empty,                  Both, BOUND, Some(CommandId::UNBIND_RESP);
    /// §4.2.2
    UnbindResp          UNBIND_RESP           0x8000_0006 Empty,                  Both, BOUND, None;
    /// §4.10.1. Table 2-1 names BOUND_TX only; §2.2 gives a transceiver all that a transmitter may do.
    ReplaceSm           REPLACE_SM            0x0000_0007 ReplaceSm,              Esme, TX,    Some(CommandId::REPLACE_SM_RESP);
    /// §4.10.2
    ReplaceSmResp       REPLACE_SM_RESP       0x8000_0007 Empty,                  Smsc, TX,    None;
    /// §4.9.1
    CancelSm            CANCEL_SM             0x0000_0008 CancelSm,               Esme, TX,    Some(CommandId::CANCEL_SM_RESP);
    /// §4.9.2
    CancelSmResp        CANCEL_SM_RESP        0x8000_0008 Empty,                  Smsc, TX,    None;
    /// §4.1.5
    BindTransceiver     BIND_TRANSCEIVER      0x0000_0009 Bind,                   Esme, OPEN,  Some(CommandId::BIND_TRANSCEIVER_RESP);
    /// §4.1.6
    BindTransceiverResp BIND_TRANSCEIVER_RESP 0x8000_0009 Reply<BindResp>,        Smsc, OPEN,  None;
    /// §4.1.7. It has no answer: the ESME binds, or hangs up.
    Outbind             OUTBIND               0x0000_000B Outbind,                Smsc, OPEN,  None;
    /// §4.11.1. Table 2-1 leaves it out of OPEN, real peers send it there.
    EnquireLink         ENQUIRE_LINK          0x0000_0015 Empty,                  Both, ANY,   Some(CommandId::ENQUIRE_LINK_RESP);
    /// §4.11.2
    EnquireLinkResp     ENQUIRE_LINK_RESP     0x8000_0015 Empty,                  Both, ANY,   None;
    /// §4.5.1
    SubmitMulti         SUBMIT_MULTI          0x0000_0021 SubmitMulti,            Esme, TX,    Some(CommandId::SUBMIT_MULTI_RESP);
    /// §4.5.2
    SubmitMultiResp     SUBMIT_MULTI_RESP     0x8000_0021 Reply<SubmitMultiResp>, Smsc, TX,    None;
    /// §4.12.1. It has no answer.
    AlertNotification   ALERT_NOTIFICATION    0x0000_0102 AlertNotification,      Smsc, RX,    None;
    /// §4.7.1
    DataSm              DATA_SM               0x0000_0103 DataSm,                 Both, BOUND, Some(CommandId::DATA_SM_RESP);
    /// §4.7.2
    DataSmResp          DATA_SM_RESP          0x8000_0103 Reply<MessageId>,       Both, BOUND, None;
}

/// What the tables say of a command.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Rule {
    /// Who may issue it.
    pub issuer: Issuer,
    /// In which states.
    pub states: States,
    /// What answers it; none for responses, outbind and alert_notification.
    pub answer: Option<CommandId>,
}

/// Who may issue a command (table 2-1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Issuer {
    /// The external short message entity: the client.
    Esme,
    /// The short message service centre: the server.
    Smsc,
    /// Either.
    Both,
}

/// A set of session states (§2.2).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct States(u8);

impl States {
    /// Connected, not bound.
    pub const OPEN: States = States(1);
    /// Bound as a transmitter, no more.
    pub const TX_ONLY: States = States(2);
    /// Bound as a receiver, no more.
    pub const RX_ONLY: States = States(4);
    /// Bound as a transceiver.
    pub const TRX: States = States(8);
    /// Bound as a transmitter or transceiver.
    pub const TX: States = States(2 | 8);
    /// Bound as a receiver or transceiver.
    pub const RX: States = States(4 | 8);
    /// Bound in any way.
    pub const BOUND: States = States(2 | 4 | 8);
    /// Connected or bound in any way.
    pub const ANY: States = States(1 | 2 | 4 | 8);

    /// Whether the two sets share a state.
    #[must_use]
    pub const fn meets(self, other: States) -> bool {
        self.0 & other.0 != 0
    }
}

impl CommandId {
    /// Whether the id is a response's: bit 31 is set.
    #[must_use]
    pub const fn is_response(self) -> bool {
        self.0 & 0x8000_0000 != 0
    }

    /// The id of the command's answer; none where there is none or the command is not in the standard.
    #[must_use]
    pub const fn answer(self) -> Option<CommandId> {
        match self.rule() {
            Some(rule) => rule.answer,
            None => None,
        }
    }

    /// The name as the standard prints it, such as `submit_sm`; `unknown` for a command that is not in it.
    #[must_use]
    pub fn printed(self) -> String {
        self.name().unwrap_or("unknown").to_ascii_lowercase()
    }

    /// The command with this printed name.
    #[must_use]
    pub fn from_printed(name: &str) -> Option<CommandId> {
        CommandId::NAMED.iter().copied().find(|id| id.name().is_some_and(|known| known.eq_ignore_ascii_case(name)))
    }

    /// Whether a PDU of this command is a header and no more.
    #[must_use]
    pub fn has_no_body(self) -> bool {
        Body::empty(self).is_some_and(|body| body.octets() == 0 && !self.is_response())
    }

    /// Whether this is one of the three bind requests.
    #[must_use]
    pub const fn is_bind(self) -> bool {
        matches!(self, CommandId::BIND_TRANSMITTER | CommandId::BIND_RECEIVER | CommandId::BIND_TRANSCEIVER)
    }
}

impl Body {
    /// The body that answers `request` with an error: none, so that every peer can read it, but for deliver_sm_resp, which
    /// always carries its lone NUL. `None` where the request has no answer.
    #[must_use]
    pub fn refusal(request: CommandId) -> Option<Body> {
        match request.answer()? {
            CommandId::DELIVER_SM_RESP => Some(Body::DeliverSmResp(Some(MessageId::default()))),
            answer => Body::empty(answer),
        }
    }
}
