//! The options, group by group.

mod messages;
mod sending;
mod smsc;
mod stores;
mod worker;

pub use messages::{
    Alphabet, BuiltIn, IdForm, IdFormat, Inbound, MultipartHandling, OnPartial, OnTooManyParts, OnUnencodable,
    OnUnmatched, Receipts, ReceiptsOfParts, Registered, SessionEvent, Sign, SmeAck, Submit, TlvOptions, TlvType,
    TlvValue, Ussd, UssdMode,
};
pub use sending::{
    Defaults, KeepOrder, OnUnknownOutcome, QueueFull, QueueFullRetry, RateLimit, Resend, Retry, Sending, Throttle,
    TimeFormat, ValidityFrom,
};
pub use smsc::{
    BindType, Binding, EnquireLinkWhen, OnAuthFailure, Outbind, Receiver, Reconnect, Smsc, Timers, Tls, Tolerance,
};
pub use stores::{Cache, Sequencer, StoreClass, Stores};
pub use worker::{Amqp, Bus, BusOptions, Declare, Look, Middleware, MiddlewareClass, PduLog, QueueType, Worker};
