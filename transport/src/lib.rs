//! SMPP 3.4.

pub mod pdu;
