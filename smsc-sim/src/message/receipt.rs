//! What an ESME is told of a message (§2.11, appendix B): made when it is due, from the message as it then is, and needing it
//! no more.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use smpp_transport::pdu::time::Civil;
use smpp_transport::pdu::{Body, COctets, DataCoding, DataSm, EsmClass, MessageState, ShortMessage, Sm, TlvTag, Tlvs};
use smpp_transport::text::{self, Charset, DateForm, DefaultAlphabet, NetworkError};

use super::id;
use super::life::is_success;
use super::record::{Address, Fate, Record, json_text};
use crate::policy::{Carrier, Dates, ReceiptForm, ReceiptPolicy, Sent};

/// A receipt that is due, or an intermediate notification, with all that it says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Receipt {
    /// The number of its message.
    pub(crate) number: u64,
    /// Which receipt of its message it is, from 0.
    pub(crate) index: usize,
    /// The id as it is written here, which may be another than the response gave.
    pub(crate) message_id: Box<str>,
    /// Whether it is an intermediate notification.
    pub(crate) intermediate: bool,
    /// The state that it reports.
    pub(crate) state: MessageState,
    /// The network's error; 0 is none.
    pub(crate) error: u8,
    source: Address,
    destination: Address,
    submitted: Duration,
    done: Duration,
    text: Box<str>,
    user_message_reference: Option<u16>,
    #[serde(with = "json_text")]
    policy: Arc<ReceiptPolicy>,
}
